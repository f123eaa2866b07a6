"""How soon things are there, and what an idle engine weighs.

    python -m benchmarks.startup [--repeats 10] [--rehearsals 3]

Every figure is of fresh processes, with compiled modules and files in the system's cache. Times
are wall time; processor time, which a busy machine distorts less, stands beside them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.record import (
    QUIET_SHARE,
    ROOT,
    command,
    core_share,
    describe,
    keep,
    machine,
    private_folder,
    spread,
    verdict,
)
from orchestrator.journal import open_store
from orchestrator.model.events import ActionDispatched, Paused

CAMPAIGN = str(ROOT / "campaigns" / "niobium_titania")
FIRST_TRIAL_WITHIN_S = 4.0
"""Wall time after which the demo is interrupted and its journal is read."""


@dataclass(frozen=True)
class Goal:
    """A figure and its upper limit."""

    name: str
    limit: float
    unit: str


@dataclass(frozen=True)
class Ended:
    """A process that ended: wall and processor seconds, with those of its children."""

    wall_s: float
    cpu_s: float
    output: str


def run(words: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """Runs a command to its end."""
    start = time.perf_counter()
    child = subprocess.Popen(
        words, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None
    output = child.stdout.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    wall_s = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(words)} failed with {child.returncode}: {output[-500:]}")
    return Ended(wall_s, usage.ru_utime + usage.ru_stime, output)


def import_s(environment: Mapping[str, str]) -> tuple[float, float]:
    """`import orchestrator` in a fresh interpreter, without the interpreter's own start."""
    code = (
        "import time; wall, cpu = time.perf_counter(), time.process_time(); import orchestrator\n"
        "print(time.perf_counter() - wall, time.process_time() - cpu)"
    )
    wall, cpu = run([sys.executable, "-c", code], environment).output.split()
    return float(wall), float(cpu)


def help_s(environment: Mapping[str, str]) -> tuple[float, float]:
    """`hagane --help`, the whole process."""
    ended = run([command("hagane"), "--help"], environment)
    return ended.wall_s, ended.cpu_s


def rehearsal_s(environment: Mapping[str, str], planner: str) -> tuple[float, float]:
    """`hagane rehearse` of 40 trials, the whole process."""
    words = [command("hagane"), "rehearse", CAMPAIGN, *(("--planner", planner) if planner else ())]
    ended = run(words, environment)
    return ended.wall_s, ended.cpu_s


def first_trial_s() -> float:
    """From the start of `hagane demo` to the first action of a trial, as the journal has it."""
    with private_folder() as (folder, environment):
        words = [command("hagane"), "demo", "--report", str(folder / "report.html")]
        start = time.time()
        engine = _start(words, environment)
        try:
            time.sleep(FIRST_TRIAL_WITHIN_S)
            _interrupt(engine)
        finally:
            _end_twins(environment)
        store = open_store(folder / "store.sqlite")
        events = list(store.read(store.campaigns()[0].id))
        store.close()
    moments = (
        e.wall for e in events if isinstance(e.event, ActionDispatched) and e.event.trial == 1
    )
    return next(moments) - start


def idle_engine() -> tuple[float, float, list[str]]:
    """Resident and unshared memory (MB) of an engine that runs the campaign on twins and is paused
    before a model is needed, and the compiled libraries that it has loaded."""
    with private_folder() as (folder, environment):
        engine = _start([command("hagane"), "run", CAMPAIGN], environment)
        try:
            time.sleep(FIRST_TRIAL_WITHIN_S)
            run([command("hagane"), "pause"], environment)
            _wait_until_idle(folder / "store.sqlite")
            memory = engine.memory_full_info()
            loaded = {
                match[1]
                for region in engine.memory_maps()
                if (match := re.search(r"site-packages/([A-Za-z_]\w*)", region.path))
            }
            assert not any("orchestrator.planner.worker" in c.cmdline() for c in engine.children())
            _interrupt(engine)
        finally:
            _end_twins(environment)
    return memory.rss / 1e6, memory.uss / 1e6, sorted(loaded)


def _wait_until_idle(path: Path) -> None:
    """Waits until the campaign is paused and nothing is under way."""
    from orchestrator.model.state import fold

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        store = open_store(path)
        events = list(store.read(store.campaigns()[0].id))
        store.close()
        state = fold(events)
        if any(isinstance(e.event, Paused) for e in events) and not state.open_tickets:
            time.sleep(1.0)
            return
        time.sleep(0.5)
    sys.exit("the engine did not become idle")


def _start(words: Sequence[str], environment: Mapping[str, str]) -> psutil.Popen:
    return psutil.Popen(
        words, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _interrupt(engine: psutil.Popen) -> None:
    engine.send_signal(signal.SIGINT)
    try:
        engine.wait(30)
    except psutil.TimeoutExpired:
        engine.kill()
        sys.exit("the engine did not stop within 30 s")


def _end_twins(environment: Mapping[str, str]) -> None:
    """Twins outlive their engine: these are ours, by their own directory."""
    for said in Path(environment["XDG_RUNTIME_DIR"]).rglob("ports.json"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(json.loads(said.read_text())["pid"]), signal.SIGTERM)


def show(goal: Goal, values: Sequence[float], cpu: Sequence[float] = ()) -> dict[str, Any]:
    """Prints a figure beside its goal; gives what is kept of it."""
    digits = 3 if goal.unit == "s" and goal.limit <= 1 else 1
    share = core_share()
    met = verdict(values, goal.limit, is_quiet=share >= QUIET_SHARE or goal.unit == "MB")
    work = f"{spread(cpu, digits)} {goal.unit} CPU" if cpu else ""
    wall = f"{spread(values, digits)} {goal.unit}"
    print(f"{goal.name:<44}{wall:<30}{work:<34}goal < {goal.limit:g}: {met}", flush=True)
    kept = {"values": list(values), "cpu": list(cpu), "core_share": share}
    return {"name": goal.name, "unit": goal.unit, "limit": goal.limit, **kept}


def main() -> None:
    """Measures everything, prints it and keeps it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--rehearsals", type=int, default=3)
    options = parser.parse_args()
    where = machine("pydantic", "SQLAlchemy", "typer", "numpy", "scipy")
    print(describe(where), flush=True)
    figures = []
    with private_folder() as (_, environment):
        for name, measured, limit, n in (
            ("import orchestrator", import_s, 0.15, options.repeats),
            ("hagane --help", help_s, 0.3, options.repeats),
        ):
            measured(environment)  # compiles what was not
            pairs = [measured(environment) for _ in range(n)]
            figures.append(show(Goal(name, limit, "s"), *zip(*pairs, strict=True)))
        for planner, limit in (("sobol", 5.0), ("", 60.0)):
            pairs = [rehearsal_s(environment, planner) for _ in range(options.rehearsals)]
            words = "hagane rehearse" + (f" --planner {planner}" if planner else "")
            figures.append(show(Goal(words, limit, "s"), *zip(*pairs, strict=True)))
    first_trial_s()  # compiles what was not
    firsts = [first_trial_s() for _ in range(options.repeats)]
    figures.append(show(Goal("hagane demo to its first trial", 1.0, "s"), firsts))
    idle = [idle_engine() for _ in range(3)]
    figures.append(show(Goal("idle engine, resident", 100.0, "MB"), [rss for rss, _, _ in idle]))
    print(f"{'  of it unshared':<44}{spread([uss for _, uss, _ in idle], 1)} MB")
    print(f"  compiled libraries loaded in it: {', '.join(idle[0][2])}")
    keep("startup", {"machine": where, "figures": figures, "loaded": idle[0][2]})


if __name__ == "__main__":
    main()
