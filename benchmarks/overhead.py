"""What the engine adds to a calculation, and to a proposal while thousands are pending.

    python -m benchmarks.overhead [--trials 1000] [--repeat 3] [--pending 100 1000 10000]

1. So many calculations of nothing on the local pool, by the pool alone and through the engine with
   the journal at full durability: the difference is the engine's.
2. A campaign that has so many trials in flight at once, for each number: the whole of it per trial,
   and the proposals, tenth by tenth. What is quadratic grows with them.

CPU seconds are the engine process's own, and hold on a busy machine; wall seconds do not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.overhead_kinds import write_files
from benchmarks.record import ROOT, core_share, describe, flush_ms, keep, machine, private_folder

GOAL_MS = 5.0
WORKERS = 2


def pool_alone(folder: Path, n: int) -> dict[str, float]:
    """So many calculations, all submitted at once, without an engine."""
    from orchestrator.clock import WallClock
    from orchestrator.executor.local import LocalCompute
    from orchestrator.ports.compute import Before

    async def main() -> None:
        compute = LocalCompute(folder / "alone", WallClock(), workers=WORKERS)
        before = Before("benchmarks.overhead_kinds:load", {})
        function = "benchmarks.overhead_kinds:nothing"
        try:
            await asyncio.gather(
                *(
                    compute.submit(function, {"x": 0.5}, ticket=f"t{k}", before=before)
                    for k in range(n)
                )
            )
        finally:
            compute.close()

    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(main())
    return {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def campaign(store: str, n: int, pending: int) -> dict[str, Any]:
    """The same through the engine; marks are taken at each proposal."""
    from orchestrator.model.events import Recorded, TrialProposed
    from orchestrator.model.state import State
    from orchestrator.runtime.run import Setting, run_campaign

    wall, cpu = [time.perf_counter()], [time.process_time()]

    def watch(recorded: Recorded, _state: State) -> None:
        if isinstance(recorded.event, TrialProposed):
            wall.append(time.perf_counter())
            cpu.append(time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        workers = pending or WORKERS
        path = write_files(Path(folder), n, workers=workers, pending=pending)
        finish = run_campaign(path, store=store, setting=Setting(watch=watch))
    assert sum(t.status.is_terminal for t in finish.state.trials.values()) == n
    last = (time.perf_counter(), time.process_time())
    return {"wall": wall, "cpu": cpu, "wall_s": last[0] - wall[1], "cpu_s": last[1] - cpu[1]}


def in_a_process(*words: str) -> dict[str, Any]:
    """What one measurement says, on a disk of its own."""
    with private_folder() as (folder, environment):
        command = [sys.executable, "-m", "benchmarks.overhead", "--inner", str(folder), *words]
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def least(n: int, repeat: int) -> tuple[dict[str, float], dict[str, float]]:
    """The least seconds of so many repetitions, the pool alone and through the engine in turns:
    what else runs on the machine only ever adds."""
    alone, through = [], []
    for _ in range(repeat):
        alone.append(in_a_process("alone", str(n)))
        through.append(in_a_process("engine", str(n)))
    return _least_of(alone), _least_of(through)


def _least_of(found: Sequence[dict[str, Any]]) -> dict[str, float]:
    return {kind: min(one[kind] for one in found) for kind in ("wall_s", "cpu_s")}


def by_tenths(marks: Sequence[float]) -> list[float]:
    """Milliseconds per proposal, of each tenth of the proposals, which come in batches."""
    step = max(1, (len(marks) - 1) // 10)
    edges = range(0, len(marks) - step, step)
    return [1e3 * (marks[k + step] - marks[k]) / step for k in edges]


def pending_at(n: int) -> dict[str, Any]:
    """CPU milliseconds of the engine with so many trials in flight at once."""
    found = in_a_process("pending", str(n))
    whole, tenths = 1e3 * found["cpu_s"] / n, by_tenths(found["cpu"][1:])
    print(f"{n} pending: {whole:.2f} ms CPU a trial, of it per proposal, tenth by tenth:")
    print("  " + " ".join(f"{value:.2f}" for value in tenths), flush=True)
    return {"n": n, "cpu_ms": whole, "wall_ms": 1e3 * found["wall_s"] / n, "tenths_ms": tenths}


def main() -> None:
    """Measures, prints and keeps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--pending", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--inner", nargs="+")
    options = parser.parse_args()
    if options.inner:
        folder, what, n = options.inner
        if what == "alone":
            print(json.dumps(pool_alone(Path(folder), int(n))))
        else:
            pending = int(n) if what == "pending" else 0
            print(json.dumps(campaign(str(Path(folder) / "store.sqlite"), int(n), pending)))
        return
    where = machine("SQLAlchemy", "pydantic")
    print(describe(where), flush=True)
    with private_folder() as (folder, _):
        flush, share = flush_ms(folder), core_share()
    print(f"a flush takes {flush:.2f} ms; a process on each core gets {share:.2f} of it")
    alone, through = least(options.trials, options.repeat)
    wall_ms = 1e3 * (through["wall_s"] - alone["wall_s"]) / options.trials
    cpu_ms = 1e3 * (through["cpu_s"] - alone["cpu_s"]) / options.trials
    print(f"{options.trials} calculations: the pool alone {alone}, ms of the engine each:")
    print(f"  {wall_ms:.2f} wall, {cpu_ms:.2f} CPU (goal {GOAL_MS:g})")
    curve = [pending_at(n) for n in options.pending]
    figures = {"flush_ms": flush, "core_share": share}
    figures |= {"trials": options.trials, "repeat": options.repeat}
    kept = {"alone": alone, "engine_wall_ms": wall_ms, "engine_cpu_ms": cpu_ms}
    keep(
        "overhead",
        {"machine": where, **figures, **kept, "pending": curve},
    )


if __name__ == "__main__":
    main()
