"""CPU seconds per suggestion, ours beside the peers in one run; one thread each. Ratios count.

    python -m benchmarks.planner.speed --planners hagane,optuna,physbo

Each figure comes from a process of its own; those of one row follow each other. A row is repeated
`--repeat` times and the least median counts, since other processes only ever add. Appends to
`benchmarks/results/planner/speed.jsonl`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.planner.problems import problem, starts
from benchmarks.planner.run import PLANNERS, ROOT, interpreter
from benchmarks.record import keep, machine

ROWS = {
    "hartmann6": ("d = 6, n <= 40, q = 1", 1 / 2),
    "mixed5": ("mixed 5-D, n <= 40", 1 / 2),
    "dtlz2": ("two objectives, d = 6", 1 / 2),
    "n1000": ("d = 6, n = 1000", 1 / 3),
    "pool:100000": ("pool 10^5 x 10", 1 / 4),
    "pool:1000000": ("pool 10^6 x 10", 1 / 2),
    "cold": ("20 rows, cold: all CPU s of the process", None),
}
"""What is said of a work, and which share of the fastest peer's time ours is to take at most."""
WITH_POOLS = ("hagane", "physbo", "botorch", "baybe", "nimo")
LARGEST_POOL = {"baybe": 100_000}
COLD_LIMIT_S = 2.0
TIMEOUT_S = 900.0


def planners_for(work: str, chosen: list[str]) -> list[str]:
    """Who is put to a work."""
    if not work.startswith("pool"):
        return [p for p in chosen if p not in ("random", "nimo")]
    n = int(work.partition(":")[2])
    return [p for p in chosen if p in WITH_POOLS and n <= LARGEST_POOL.get(p, n)]


def measure(planner: str, work: str) -> dict[str, Any] | None:
    """One figure from a process of its own, None where it has no environment or gave none."""
    python = interpreter("physbo" if planner == "nimo" else planner)
    if python is None:
        return None
    words = [str(python), "-m", "benchmarks.planner.peers.timing"]
    spent, said = _run([*words, "--planner", planner, "--work", work])
    if said is None:
        return None
    line: dict[str, Any] = json.loads(said.splitlines()[-1])
    if work == "cold":
        line.update(spent)
    return line


def propose_cold() -> dict[str, Any] | None:
    """`hagane propose` on a table of 20 rows."""
    question, rng = problem("hartmann6"), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rows.csv"
        with table.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow([*question.names, "y"])
            for point in starts(question, 20, 0):
                measured = question.measure(point, rng, 0)
                rows.writerow([*point.values(), measured.objectives[0] if measured else ""])
        words = [sys.executable, "-m", "orchestrator.cli", "propose", "--data", str(table)]
        spent, said = _run([*words, "--minimise", "y"])
    if said is None:
        return None
    return {"planner": "hagane propose", "work": "cold", **spent, "mb": None, "error": None}


def _run(words: list[str]) -> tuple[dict[str, float], str | None]:
    """CPU and wall seconds of a process from outside, and what it printed."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    environment["OPENBLAS_NUM_THREADS"] = environment["MKL_NUM_THREADS"] = "1"
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    try:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {}, None
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode:
        print(done.stderr[-500:], file=sys.stderr)
        return {}, None
    return {"cpu_s": cpu, "wall_s": wall}, done.stdout


def figures(work: str, chosen: list[str], repeat: int) -> list[dict[str, Any]]:
    """The best figure of each planner for a work."""
    best: dict[str, dict[str, Any]] = {}
    for _ in range(repeat):
        found = [measure(p, work) for p in planners_for(work, chosen)]
        if work == "cold" and "hagane" in chosen:
            found.append(propose_cold())
        for line in found:
            if line is None or line["cpu_s"] is None:
                continue
            had = best.get(line["planner"])
            if had is None or line["cpu_s"] < had["cpu_s"]:
                best[line["planner"]] = line
    return list(best.values())


def table(work: str, lines: list[dict[str, Any]]) -> Iterator[str]:
    """A row of the report, in Markdown."""
    title, goal = ROWS[work]
    theirs = [line["cpu_s"] for line in lines if not line["planner"].startswith("hagane")]
    fastest = min(theirs, default=None)
    yield f"## {title}"
    yield ""
    yield "| planner | CPU s | ratio to the fastest peer | MB |"
    yield "|---|---|---|---|"
    for line in sorted(lines, key=lambda found: found["cpu_s"]):
        ratio = f"{line['cpu_s'] / fastest:.2f}" if fastest else ""
        mb = f"{line['mb']:.0f}" if line["mb"] else ""
        yield f"| {line['planner']} | {line['cpu_s']:.3g} | {ratio} | {mb} |"
    yield ""
    wanted = f"at most {goal:.2f} of the fastest" if goal else f"at most {COLD_LIMIT_S} s in all"
    yield f"Goal for ours: {wanted}."
    yield ""


def main() -> None:
    """Measures row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planners", default=",".join((*PLANNERS, "nimo")))
    parser.add_argument("--works", default=",".join(ROWS))
    parser.add_argument("--repeat", type=int, default=1)
    arguments = parser.parse_args()
    chosen = arguments.planners.split(",")
    where = machine("numpy", "scipy")
    for work in arguments.works.split(","):
        lines = figures(work, chosen, arguments.repeat)
        print("\n".join(table(work, lines)), flush=True)
        keep("planner/speed", {"machine": where, "work": work, "lines": lines})


if __name__ == "__main__":
    main()
