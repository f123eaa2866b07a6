"""A SiLA 2 server, declared: that of labmcp-sila2, in a process and an environment of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge_fakes import content, declared
from driver_fakes import bench
from peer_process import OF_PEERS, peer

from drivers.conformance.specimens import Promise, Specimen
from orchestrator.errors import DeviceAbsent, DeviceRefused, DeviceUnsure, LimitExceeded

pytest.importorskip("sila2", reason="sila2 is not installed (hagane[sila2])")
pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not OF_PEERS.exists(), reason="labmcp-sila2 is missing: no .venv-peers"),
]
TICKET, LATER = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with peer("sila_server.py", python=OF_PEERS) as said:
        yield f"sila://127.0.0.1:{said['port']}"


def play(address: str, deed: Callable[[Any], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        cls = declared("sila2", "block.yaml").cls
        block = cls(bench("block"), address, insecure=True, **options)
        try:
            await block.open()
            await deed(block)
        finally:
            await block.close()

    asyncio.run(main())


def test_properties_are_read_and_commands_are_called_to_their_end(server: str) -> None:
    async def deed(block: Any) -> None:
        assert (await block.identify()).serial
        assert await block.temperature() == pytest.approx(22.0, abs=3.0)
        await block.set_rate(10.0)
        found = await block.go_to(temperature=25.0, ticket=TICKET)
        assert found["reached"] == pytest.approx(25.0, abs=0.2)
        assert (await block.ask(TICKET)).outcome == "done"
        assert (await block.ask(LATER)).outcome == "unknown"
        with pytest.raises(LimitExceeded):
            await block.set_rate(21.0)
        with pytest.raises(DeviceRefused, match="SetRampRate is refused"):
            await block.set_rate(15.0)
        await block.make_safe()
        assert await block.state() == "Off"

    play(server, deed)


def test_an_execution_that_outlives_its_engine_is_asked_by_ticket(
    server: str, tmp_path: Path
) -> None:
    async def first(block: Any) -> None:
        await block.set_rate(4.0)
        with pytest.raises(DeviceUnsure, match="hurry was sent"):
            await block.hurry(temperature=35.0, ticket=LATER)
        assert (await block.ask(LATER)).outcome == "running"

    async def second(block: Any) -> None:
        async with asyncio.timeout(60.0):
            while (verdict := await block.ask(LATER)).outcome == "running":
                await asyncio.sleep(0.1)
        assert verdict.outcome == "done"
        await block.make_safe()

    notebook = str(tmp_path / "runs.txt")
    play(server, first, notebook=notebook)
    play(server, second, notebook=notebook)


def test_a_server_that_is_not_there_is_absent() -> None:
    async def deed(block: Any) -> None:
        raise AssertionError("it was opened")

    with pytest.raises(DeviceAbsent):
        play("sila://127.0.0.1:9", deed, timeout=2.0)


@pytest.fixture
def specimens(server: str) -> dict[str, Specimen]:
    options = {"address": server, "insecure": True}
    hot = {"temperature": 25.0}
    arguments = {"set_rate": {"rate": 10.0}, "go_to": hot, "hurry": hot}
    return {"sila2": Specimen(dict, options, arguments, content("block.yaml"))}


@pytest.mark.drivers("sila2")
def test_it_keeps(promise: Promise) -> None:
    promise.keep()
