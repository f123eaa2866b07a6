"""A lab that computes, and writes down each time that it does."""

from __future__ import annotations

from pathlib import Path

import pytest

KINDS = '''
import os
import time
from pathlib import Path
from typing import Annotated, ClassVar

from orchestrator.ports.action import Cancel, Effect, Ticket, Unit, action
from simulators.calculator import Calculator


def square(x: float, log: str) -> float:
    """What a child computes."""
    with Path(log).open("a") as out:
        out.write(f"{x} {os.getpid()}\\\\n")
    if x > 0.9:
        os.kill(os.getpid(), 9)
    while 0.45 < x < 0.55 and not Path(log + ".go").exists():
        time.sleep(0.05)
    return x * x


class Squaring:
    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def square(self, x: Annotated[float, Unit("")]) -> Annotated[float, Unit("")]:
        """Its square."""
        raise NotImplementedError


class Squarer(Calculator):
    """Squares."""

    implements: ClassVar[tuple[str, ...]] = ("CountedSquaring",)
    packages = ("hagane",)

    def __init__(self, bench, log: str) -> None:
        super().__init__(bench)
        self._log = log

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def square(
        self, x: Annotated[float, Unit("")], ticket: Ticket
    ) -> Annotated[float, Unit("")]:
        """Its square."""
        arguments = {"x": x, "log": self._log}
        found = await self._compute().submit("counting_kinds:square", arguments, ticket=ticket)
        return found["value"]
'''
ENTRY_POINTS = """
[hagane.resources]
counting-squarer = counting_kinds:Squarer

[hagane.capabilities]
CountedSquaring = counting_kinds:Squaring
"""
CAMPAIGN = """\
name: squares
goal: the least
space: {x: {ordinal: LEVELS}}
roles: {squarer: CountedSquaring}
recipe:
  - square: {do: squarer.square, x: =x}
metrics: {area: {value: =square.value, unit: ""}}
objective: {minimise: area}
planner: {kind: random}
budget: {trials: N_TRIALS}
"""
LAB = """\
lab: those who count
site: SITE
resources:
  squarer: {kind: counting-squarer, log: LOG}
roles: {squarer: squarer}
"""


def counting_lab(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    site: str = "{kind: local, workers: 2}",
    levels: str = "[0.1, 0.2, 0.3]",
) -> Path:
    """A campaign's folder; what is computed appears in its file `log`."""
    packages = folder / "packages"
    described = packages / "counting-1.0.dist-info"
    described.mkdir(parents=True)
    text = KINDS.replace("return x * x", 'return {"value": x * x}').replace("\\\\n", "\\n")
    (packages / "counting_kinds.py").write_text(text)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.setenv("HAGANE_DATA", str(folder / "data"))
    campaign = folder / "squares"
    campaign.mkdir()
    n_trials = str(levels.count(",") + 1)
    text = CAMPAIGN.replace("LEVELS", levels).replace("N_TRIALS", n_trials)
    (campaign / "campaign.yaml").write_text(text)
    (campaign / "lab.yaml").write_text(
        LAB.replace("SITE", site).replace("LOG", str(campaign / "log"))
    )
    return campaign


def computed(campaign: Path) -> list[float]:
    """What was computed, in the order of its beginning."""
    log = campaign / "log"
    return [float(line.split()[0]) for line in log.read_text().splitlines()] if log.exists() else []
