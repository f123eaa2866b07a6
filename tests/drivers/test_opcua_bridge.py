"""Nodes of OPC UA, declared, against a server of asyncua in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from bridge_fakes import content, declared
from driver_fakes import bench
from peer_process import peer

from drivers.conformance.specimens import Promise, Specimen
from orchestrator.errors import DeviceAbsent, DeviceGone, DeviceRefused, DeviceUnsure, LimitExceeded

pytest.importorskip("asyncua", reason="asyncua is not installed (hagane[opcua])")
TICKET = "0123456789abcdef"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with peer("pump_server.py") as said:
        yield f"opc.tcp://127.0.0.1:{said['port']}/"


def made(address: str) -> Any:
    return declared("opcua", "pump.yaml").cls(bench("pump"), address)


def play(address: str, deed: Callable[[Any], Awaitable[None]]) -> None:
    async def main() -> None:
        pump = made(address)
        try:
            await pump.open()
            await deed(pump)
        finally:
            await pump.close()

    asyncio.run(main())


def test_nodes_are_read_written_and_made_safe(server: str) -> None:
    async def deed(pump: Any) -> None:
        assert (await pump.identify()).serial == "0815"
        await pump.set_flow(2.3)
        assert await pump.flow() == pytest.approx(2.3)
        with pytest.raises(LimitExceeded):
            await pump.set_flow(20.1)
        await pump.make_safe()
        assert (await pump.health()).is_fit

    play(server, deed)


def test_a_method_takes_its_arguments_by_name_and_can_be_asked_about(server: str) -> None:
    async def deed(pump: Any) -> None:
        n = await pump.count()
        assert (await pump.ask(TICKET)).outcome == "unknown"
        await pump.dispense(volume=12.0, ticket=TICKET)
        assert await pump.count() == n + 1
        assert (await pump.ask(TICKET)).outcome == "done"

    play(server, deed)


def test_an_argument_without_a_name_is_named_by_its_place(server: str) -> None:
    async def deed(pump: Any) -> None:
        await pump.tune(flow=4.5)
        assert await pump.flow() == 4.5

    play(server, deed)


@pytest.mark.parametrize("volume", [40.0, 55.0])
def test_a_call_that_fails_on_the_way_or_is_late_is_in_doubt_and_made_once(
    server: str, volume: float
) -> None:
    async def deed(pump: Any) -> None:
        n = await pump.count()
        with pytest.raises(DeviceUnsure, match="dispense was sent"):
            await pump.dispense(volume=volume, ticket="f" * 16)
        assert await pump.count() == n + 1

    play(server, deed)


def test_a_value_that_is_not_good_is_no_value(server: str) -> None:
    async def deed(pump: Any) -> None:
        assert await pump.pressure() == 1.5
        await pump.spoil()
        with pytest.raises(DeviceRefused, match="BadSensorFailure"):
            await pump.pressure()

    play(server, deed)


def test_a_server_that_is_not_there_is_absent() -> None:
    async def deed(pump: Any) -> None:
        raise AssertionError("it was opened")

    with pytest.raises(DeviceAbsent, match="cannot be reached"):
        play("opc.tcp://127.0.0.1:9/", deed)


def test_a_server_that_came_back_is_identified_anew() -> None:
    async def main() -> None:
        with peer("pump_server.py") as said:
            pump = made(f"opc.tcp://127.0.0.1:{said['port']}/")
            await pump.open()
            await pump.set_flow(1.0)
        with pytest.raises(DeviceGone):
            await pump.flow()
        with peer("pump_server.py", str(said["port"])):
            assert await pump.flow() == 0.0
        await pump.close()

    asyncio.run(main())


@pytest.fixture
def specimens(server: str) -> dict[str, Specimen]:
    arguments = {"set_flow": {"flow": 2.5}, "dispense": {"volume": 12.0}, "tune": {"flow": 2.5}}
    declaration = content("pump.yaml")
    return {"opcua": Specimen(dict, {"address": server}, arguments, declaration)}


@pytest.mark.drivers("opcua")
def test_it_keeps(promise: Promise) -> None:
    promise.keep()
