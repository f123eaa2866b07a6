from __future__ import annotations

from pathlib import Path

import pytest

KINDS = '''
from typing import Annotated, ClassVar

from orchestrator.ports.action import Unit, reading
from orchestrator.ports.resource import Health, Identity


class Weighing:
    @reading
    async def weigh(self) -> Annotated[float, Unit("g")]:
        """The mass."""
        raise NotImplementedError


class Balance:
    """A balance without a wire."""

    implements: ClassVar[tuple[str, ...]] = ("BackRoomWeighing",)

    def __init__(self, bench, seconds: Annotated[float, Unit("s")] = 0.0, note: str = "") -> None:
        if note == "unheard":
            raise ValueError("unheard of")
        self.bench, self.seconds, self.note = bench, seconds, note

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def identify(self) -> Identity:
        return Identity("we", "balance", serial="4711")

    async def health(self) -> Health:
        return Health(is_fit=self.note != "unfit", note=self.note)

    async def make_safe(self) -> None: ...

    @reading
    async def weigh(self) -> Annotated[float, Unit("g")]:
        """The mass."""
        await self.bench.clock.sleep(self.seconds)
        return 2.5
'''
ENTRY_POINTS = """
[hagane.resources]
back-room-balance = back_room_kinds:Balance

[hagane.capabilities]
BackRoomWeighing = back_room_kinds:Weighing
"""
CAMPAIGN = """\
name: weighing
goal: the lightest
space: {x: {real: [0, 1], unit: mm}}
roles: {balance: BackRoomWeighing}
recipe:
  - weigh: {do: balance.weigh}
metrics: {mass: {value: =weigh.value, unit: g}}
objective: {minimise: mass}
planner: {kind: sobol}
budget: {trials: 2}
"""
LAB = """\
lab: the back room
resources:
  balance: {kind: back-room-balance, seconds: 0 s}
roles: {balance: balance}
"""


@pytest.fixture
def back_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a campaign and its lab, whose kind of resource is somebody else's."""
    site = tmp_path / "site"
    described = site / "back_room-1.0.dist-info"
    described.mkdir(parents=True)
    (site / "back_room_kinds.py").write_text(KINDS)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: back-room\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    folder = tmp_path / "weighing"
    folder.mkdir()
    (folder / "campaign.yaml").write_text(CAMPAIGN)
    (folder / "lab.yaml").write_text(LAB)
    return folder
