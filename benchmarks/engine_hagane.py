"""One campaign whose steps take no time: what is left is the engine. Run by `engine.py`.

    python -m benchmarks.engine_hagane STORE N_TRIALS

A trial scans five points, a move and a reading each: ten steps. The stage is a kind like any
lab's, found by entry point; campaign and lab are files; the planner is Sobol's.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, ClassVar

from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity

N_POINTS = 5
POINT = "  - move_{n}: {{do: stage.move, position: =x}}\n  - read_{n}: {{do: stage.read}}\n"
CAMPAIGN = """
name: overhead
goal: to do nothing, often
space:
  x: {{real: [0, 10], unit: mm}}
roles: {{stage: BenchmarkScanning}}
recipe:
{points}metrics:
  signal: {{value: =read_{last}.value, unit: V}}
objective: {{maximise: signal}}
planner: {{kind: sobol}}
budget: {{trials: {trials}}}
seed: 1
"""
LAB = """
lab: nothing
resources:
  stage: {kind: benchmark-stage}
roles: {stage: stage}
"""
ENTRY_POINTS = """
[hagane.resources]
benchmark-stage = benchmarks.engine_hagane:Stage
[hagane.capabilities]
BenchmarkScanning = benchmarks.engine_hagane:Scanning
"""


class Scanning:
    """To move, and to read there."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def move(self, position: Annotated[float, Unit("mm", low=0, high=10)]) -> None:
        """Moves."""

    @reading
    async def read(self) -> Annotated[float, Unit("V")]:
        """The signal at this position."""
        raise NotImplementedError


class Stage:
    """A stage with a detector that takes no time."""

    implements: ClassVar[tuple[str, ...]] = ("BenchmarkScanning",)

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._position = 0.0

    async def open(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def identify(self) -> Identity:
        """Itself."""
        return Identity("nobody", "stage")

    async def health(self) -> Health:
        """Always fit."""
        return Health(is_fit=True)

    async def make_safe(self) -> None:
        """It always is."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def move(self, position: Annotated[float, Unit("mm", low=0, high=10)]) -> None:
        """Moves."""
        self._position = position

    @reading
    async def read(self) -> Annotated[float, Unit("V")]:
        """The signal at this position."""
        return self._position


def write_files(folder: Path, n_trials: int) -> Path:
    """Campaign, lab, and a distribution that has the stage; gives the campaign's path."""
    points = "".join(POINT.format(n=n) for n in range(1, N_POINTS + 1))
    text = CAMPAIGN.format(points=points, last=N_POINTS, trials=n_trials)
    (folder / "campaign.yaml").write_text(text)
    (folder / "lab.yaml").write_text(LAB)
    described = folder / "hagane_benchmark-0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: hagane-benchmark\n")
    (described / "entry_points.txt").write_text(ENTRY_POINTS)
    sys.path.insert(0, str(folder))
    return folder / "campaign.yaml"


def main() -> None:
    """Plays the campaign and prints, as JSON, when each step was dispatched."""
    from orchestrator.model.events import ActionDispatched, Recorded
    from orchestrator.model.state import State
    from orchestrator.runtime.run import Setting, run_campaign

    store, n_trials = sys.argv[1], int(sys.argv[2])
    wall: list[float] = []
    cpu: list[float] = []

    def watch(recorded: Recorded, _state: State) -> None:
        if isinstance(recorded.event, ActionDispatched):
            wall.append(time.perf_counter())
            cpu.append(time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        path = write_files(Path(folder), n_trials)
        run_campaign(path, store=store, setting=Setting(watch=watch))
    assert len(wall) == 2 * N_POINTS * n_trials
    print(json.dumps({"wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main()
