"""A lab that computes nothing, and one whose calculations are all pending; for `overhead.py`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, ClassVar

from orchestrator.ports.action import Cancel, Effect, Ticket, Unit, action
from orchestrator.ports.compute import Before
from orchestrator.ports.resource import Bench
from simulators.calculator import Calculator

CAMPAIGN = """
name: screening
goal: to compute nothing, often
space: {{x: {{real: [0, 1]}}}}
roles: {{calculator: BenchmarkComputing}}
recipe:
  - compute: {{do: calculator.compute, x: =x}}
metrics: {{value: {{value: =compute.value, unit: ""}}}}
objective: {{minimise: value}}
planner: {{kind: random}}
budget: {{trials: {trials}}}
seed: 1
"""
LAB = """
lab: nothing
site: {{kind: local, workers: {workers}}}
resources: {{calculator: {{kind: benchmark-calculator, pending: {pending}}}}}
roles: {{calculator: calculator}}
"""
ENTRY_POINTS = """
[hagane.resources]
benchmark-calculator = benchmarks.overhead_kinds:Nothing
[hagane.capabilities]
BenchmarkComputing = benchmarks.overhead_kinds:Computing
"""


def nothing(x: float) -> dict[str, float]:
    """What a child computes."""
    return {"value": x}


def load() -> None:
    """Nothing to load."""


class Computing:
    """To compute."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def compute(self, x: Annotated[float, Unit("")]) -> Annotated[float, Unit("")]:
        """A value."""
        raise NotImplementedError


class Nothing(Calculator):
    """Gives back what it is given; with `pending`, only when so many are pending."""

    implements: ClassVar[tuple[str, ...]] = ("BenchmarkComputing",)
    packages: ClassVar[tuple[str, ...]] = ("hagane",)

    def __init__(self, bench: Bench, pending: int = 0) -> None:
        super().__init__(bench)
        self._pending = pending
        self._n = 0
        self._all_are = asyncio.Event()

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def compute(
        self, x: Annotated[float, Unit("")], ticket: Ticket
    ) -> Annotated[float, Unit("")]:
        """A value."""
        if not self._pending:
            before = Before("benchmarks.overhead_kinds:load", {})
            found = await self._compute().submit(
                "benchmarks.overhead_kinds:nothing", {"x": x}, ticket=ticket, before=before
            )
            return float(found["value"])
        self._n += 1
        if self._n == self._pending:
            self._all_are.set()
        await self._all_are.wait()
        return x


def write_files(folder: Path, n_trials: int, *, workers: int, pending: int = 0) -> Path:
    """Campaign, lab, and a distribution that has the kind; gives the campaign's path."""
    (folder / "campaign.yaml").write_text(CAMPAIGN.format(trials=n_trials))
    (folder / "lab.yaml").write_text(LAB.format(workers=workers, pending=pending))
    described = folder / "hagane_benchmark-0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: hagane-benchmark\n")
    (described / "entry_points.txt").write_text(ENTRY_POINTS)
    sys.path.insert(0, str(folder))
    return folder / "campaign.yaml"
