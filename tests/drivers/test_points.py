"""What all bridges over a client have in common, over a client whose faults are chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from bridge_fakes import DECLARATIONS
from driver_fakes import bench
from waiting import until

from drivers.bridges.points import DeclaredClient, PointDeclaration
from drivers.protocols.framing import Garbled, Refused
from drivers.transports import Absent, Lost, Silent
from orchestrator.errors import (
    DeviceAbsent,
    DeviceGone,
    DeviceRefused,
    DeviceSilent,
    DeviceUnsure,
    HaganeError,
    LimitExceeded,
    WrongDevice,
)
from orchestrator.files.declared import read_declaration
from orchestrator.ports.resource import ResourceKind


class Beamline:
    """The gate's variables; `faults` are raised one after the other, `hangs` answers nothing."""

    def __init__(self) -> None:
        self.points: dict[str, Any] = {
            "model": "GV-1",
            "valve": 0,
            "pressure": 2.5e-4,
            "sample": 0.0,
        }
        self.faults: list[HaganeError] = []
        self.written: list[tuple[str, Any]] = []
        self.is_connected = True
        self.is_there = True
        self.hangs = False
        self.forgets = False
        self.n_connections = 0

    async def read(self, point: str, limit_s: float) -> Any:
        self._fail()
        return self.points[point]

    async def write(self, point: str, value: Any, limit_s: float) -> None:
        self.written.append((point, value))
        if not self.forgets:
            self.points[point] = value
        if self.hangs:
            await asyncio.Event().wait()
        self._fail()

    async def call(
        self, name: str, arguments: Mapping[str, Any], limit_s: float, noted: str = ""
    ) -> Any:
        raise Refused("there is nothing to call")

    async def close(self) -> None:
        pass

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


def play(line: Beamline, deed: Callable[[Any], Awaitable[None]]) -> None:
    class Bridge(DeclaredClient):
        async def _connected(self) -> Beamline:
            if not line.is_there:
                raise Absent("nobody is there")
            line.n_connections += 1
            line.is_connected = True
            return line

    kind = ResourceKind("bridge", Bridge, {}, {}, declaration=PointDeclaration)
    text = read_declaration(DECLARATIONS / "gate.yaml", kind)

    async def main() -> None:
        made = Bridge.declared(text)(bench("gate"), "somewhere", timeout=0.2)
        await made.open()
        await deed(made)
        await made.close()

    asyncio.run(main())


def test_a_reading_is_repeated_and_then_given_up() -> None:
    line = Beamline()

    async def deed(gate: Any) -> None:
        await gate.identify()
        line.faults = [Silent("late"), Garbled("noise")]
        assert await gate.pressure() == 2.5e-4
        line.faults = [Silent("late")] * 3
        with pytest.raises(DeviceSilent):
            await gate.pressure()

    play(line, deed)


def test_an_order_that_is_lost_is_read_back_and_never_sent_again() -> None:
    line = Beamline()

    async def deed(gate: Any) -> None:
        await gate.identify()
        line.faults = [Silent("late")]
        await gate.open_valve()
        line.faults = [Lost("the server went")]
        await gate.move(position=2.0)
        assert line.n_connections == 2
        assert line.written == [("valve", 1), ("sample", 2.0)]
        line.forgets, line.faults = True, [Silent("late")]
        with pytest.raises(DeviceUnsure, match="move was sent"):
            await gate.move(position=3.0)
        assert line.written[2:] == [("sample", 3.0)]

    play(line, deed)


def test_an_order_that_hangs_is_in_doubt_and_a_stop_does_not_wait_for_it() -> None:
    line = Beamline()

    async def deed(gate: Any) -> None:
        await gate.identify()
        line.hangs = True
        move = asyncio.ensure_future(gate.move(position=2.0))
        await until(lambda: bool(line.written))
        line.hangs = False
        await gate.make_safe()
        assert line.written[-1] == ("valve", 0)
        assert not move.done()
        move.cancel()
        line.hangs = True
        with pytest.raises(DeviceUnsure, match="hurry was sent"):
            await gate.hurry(position=1.0)

    play(line, deed)


def test_what_is_refused_was_not_done_and_beyond_a_limit_nothing_is_sent() -> None:
    line = Beamline()

    async def deed(gate: Any) -> None:
        await gate.identify()
        line.faults = [Refused("read only")]
        with pytest.raises(DeviceRefused, match="read only"):
            await gate.move(position=2.0)
        n = len(line.written)
        with pytest.raises(LimitExceeded):
            await gate.move(position=float("nan"))
        assert len(line.written) == n

    play(line, deed)


def test_a_connection_that_broke_is_identified_anew_before_anything_is_sent() -> None:
    line = Beamline()

    async def deed(gate: Any) -> None:
        await gate.open_valve()
        line.is_connected = False
        line.points["model"] = "XX-9"
        with pytest.raises(WrongDevice, match="'XX-9', where a Acme GV-1"):
            await gate.move(position=1.0)
        assert line.written == [("valve", 1)]
        line.is_there, line.is_connected = False, False
        with pytest.raises(DeviceAbsent, match="nobody is there"):
            await gate.pressure()

    play(line, deed)


def test_a_closed_instrument_sends_nothing() -> None:
    line = Beamline()

    async def deed(gate: Any) -> None:
        await gate.open_valve()
        await gate.close()
        await gate.close()
        with pytest.raises(DeviceAbsent, match="is not open"):
            await gate.pressure()
        await gate.open()
        assert await gate.pressure() == 2.5e-4
        line.faults = [Lost("gone")]
        with pytest.raises(DeviceGone):
            await gate.pressure()
        assert await gate.pressure() == 2.5e-4

    play(line, deed)
