"""What the engine adds to a step that takes no time, beside bluesky's RunEngine.

    python -m benchmarks.engine [--points 500] [--repeats 5]

Each row is run in processes of its own, in turn with the others, on this folder's disk. bluesky
lives in `.venv-bench-bluesky`, which is made at the first call.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.engine_hagane import N_POINTS
from benchmarks.record import (
    QUIET_SHARE,
    ROOT,
    core_share,
    describe,
    flush_ms,
    keep,
    machine,
    private_folder,
    spread,
    verdict,
)

PEER = ROOT / ".venv-bench-bluesky"
REQUIREMENTS = Path(__file__).with_name("requirements-bluesky.txt")
GOAL_MS = 5.0
QUIET_MS = 1.0
"""A disk is quiet when it has 4 kB in this time; a step needs it twice."""


@dataclass
class Row:
    """One line of the table. `words` follow the folder and the number of points, for bluesky."""

    name: str
    store: str = ""
    words: Sequence[str] = ()
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    total_cpu_ms: list[float] = field(default_factory=list)

    def add(self, said: dict[str, Any]) -> None:
        """Takes what one process measured: medians, and the mean that holds everything."""
        per_point = len(said["wall"]) // self.points_of(said)
        self.wall_ms.append(_median_ms(said["wall"]) * per_point)
        self.cpu_ms.append(_median_ms(said["cpu"]) * per_point)
        total = said["cpu"][-1] - said["cpu"][0]
        self.total_cpu_ms.append(1e3 * total * per_point / (len(said["cpu"]) - 1))

    def points_of(self, said: dict[str, Any]) -> int:
        """Our marks are steps, two a point; bluesky's are events, one a point."""
        return len(said["wall"]) // (1 if self.words else 2)


ROWS = (
    ("hagane, each intent and each result on disk", "store.sqlite", ()),
    ("hagane, journal in memory", "memory:", ()),
    ("bluesky, each document on disk", "", ("flushed", "plain")),
    ("bluesky, documents in the system's cache", "", ("lines", "plain")),
    ("bluesky, no document kept", "", ("none", "plain")),
    ("bluesky, each document on disk, ophyd.sim", "", ("flushed", "ophyd")),
)


def _median_ms(marks: Sequence[float]) -> float:
    return 1e3 * statistics.median(later - before for before, later in pairwise(marks))


def bluesky_python() -> str | None:
    """The interpreter of bluesky's environment, made if it is not there; None if that fails."""
    interpreter = PEER / "bin" / "python"
    if (PEER / "installed").exists():
        return str(interpreter)
    print(f"installing bluesky into {PEER.name}; this happens once", flush=True)
    venv.create(PEER, with_pip=True, clear=True)
    pip = [str(interpreter), "-m", "pip", "--disable-pip-version-check", "--no-input", "-q"]
    if subprocess.run([*pip, "install", "-r", str(REQUIREMENTS)], check=False).returncode:
        print("bluesky cannot be installed here: only our own rows follow")
        return None
    (PEER / "installed").touch()
    return str(interpreter)


def measure(row: Row, n_points: int, peer: str | None) -> None:
    """Runs one row once."""
    with private_folder() as (folder, environment):
        if row.words:
            assert peer is not None
            script = str(Path(__file__).with_name("engine_bluesky.py"))
            command = [peer, script, str(folder), str(n_points), *row.words]
        else:
            store = row.store if row.store == "memory:" else str(folder / row.store)
            n_trials = str(n_points // N_POINTS)
            command = [sys.executable, "-m", "benchmarks.engine_hagane", store, n_trials]
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(f"{row.name}: {done.stderr[-2000:]}")
    row.add(json.loads(done.stdout.splitlines()[-1]))


def show(rows: Sequence[Row], flushes: Sequence[float], shares: Sequence[float]) -> None:
    """Prints the table, and our figure beside its goal."""
    print(f"\n{'per point (a move and a reading)':<46}{'ms wall, median':>25}{'ms CPU, mean':>25}")
    for row in rows:
        print(f"{row.name:<46}{spread(row.wall_ms):>25}{spread(row.total_cpu_ms):>25}")
    ours = rows[0]
    step = [point / 2 for point in ours.wall_ms]
    work = [point / 2 for point in ours.cpu_ms]
    print(f"\na flush of 4 kB to this disk takes {spread(flushes)} ms; a step needs two")
    print(f"a process on each core at once gets {spread(shares)} of it")
    print(f"hagane per step: {spread(step)} ms wall, {spread(work)} ms CPU (medians)")
    is_quiet = statistics.median(flushes) <= QUIET_MS and statistics.median(shares) >= QUIET_SHARE
    met = verdict(step, GOAL_MS, is_quiet=is_quiet)
    print(f"goal: at most {GOAL_MS:g} ms median on a quiet disk: {met}")
    for row in rows[1:]:
        ratio = statistics.median(ours.total_cpu_ms) / statistics.median(row.total_cpu_ms)
        print(f"  CPU seconds per step, ours over '{row.name}': {ratio:.2f}")


def main() -> None:
    """Measures all rows in turn, prints them and keeps them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    where = machine("SQLAlchemy", "pydantic")
    peer = bluesky_python()
    rows = [Row(*row) for row in ROWS if peer or not row[2]]
    print(describe(where), flush=True)
    flushes, shares = [], []
    for _ in range(options.repeats):
        with private_folder() as (folder, _environment):
            flushes.append(flush_ms(folder))
        shares.append(core_share())
        for row in rows:
            measure(row, options.points, peer)
    show(rows, flushes, shares)
    kept = [
        {"name": r.name, "wall_ms": r.wall_ms, "cpu_ms": r.cpu_ms, "cpu_mean_ms": r.total_cpu_ms}
        for r in rows
    ]
    peers = REQUIREMENTS.read_text().split()
    scale = {"points": options.points, "flush_ms": flushes, "core_share": shares}
    keep("engine", {"machine": where, "peers": peers, **scale, "rows": kept})


if __name__ == "__main__":
    main()
