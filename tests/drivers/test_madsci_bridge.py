"""A node of MADSci, declared: one of madsci.node_module, in an environment of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge_fakes import content, declared
from driver_fakes import bench
from peer_process import OF_MADSCI, peer

from drivers.conformance.specimens import Promise, Specimen
from orchestrator.errors import DeviceAbsent, DeviceUnsure, LimitExceeded

TICKET, LATER = "0123456789abcdef", "fedcba9876543210"
pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    if not OF_MADSCI.exists():
        pytest.skip("madsci-node-module is missing: no .venv-madsci (requirements-madsci.txt)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with peer("madsci_node.py", str(port), python=OF_MADSCI) as said:
        yield f"http://127.0.0.1:{said['port']}"


def play(address: str, deed: Callable[[Any], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        mixer = declared("madsci", "mixer.yaml").cls(bench("mixer"), address, **options)
        try:
            await mixer.open()
            await deed(mixer)
        finally:
            await mixer.close()

    asyncio.run(main())


def test_actions_are_carried_out_and_asked_about(node: str) -> None:
    async def deed(mixer: Any) -> None:
        assert (await mixer.health()).is_fit
        await mixer.set_speed(500.0)
        assert await mixer.speed() == 500.0
        assert await mixer.mix(duration=0.2, ticket=TICKET) == {"turns": 2.0}
        assert (await mixer.ask(TICKET)).outcome == "done"
        assert (await mixer.ask(LATER)).outcome == "unknown"
        with pytest.raises(LimitExceeded):
            await mixer.set_speed(3001.0)
        await mixer.make_safe()

    play(node, deed)


def test_an_action_that_outlives_its_engine_is_asked_by_ticket(node: str, tmp_path: Path) -> None:
    async def first(mixer: Any) -> None:
        with pytest.raises(DeviceUnsure, match="hurry was sent"):
            await mixer.hurry(duration=3.0, ticket=LATER)
        assert (await mixer.ask(LATER)).outcome == "running"

    async def second(mixer: Any) -> None:
        async with asyncio.timeout(60.0):
            while (verdict := await mixer.ask(LATER)).outcome == "running":
                await asyncio.sleep(0.1)
        assert verdict.outcome == "done"

    notebook = str(tmp_path / "runs.txt")
    play(node, first, notebook=notebook)
    play(node, second, notebook=notebook)


def test_a_node_that_is_not_there_is_absent() -> None:
    async def deed(mixer: Any) -> None:
        raise AssertionError("it was opened")

    with pytest.raises(DeviceAbsent, match="cannot be reached"):
        play("http://127.0.0.1:9", deed)


@pytest.fixture
def specimens(node: str) -> dict[str, Specimen]:
    short = {"duration": 0.2}
    arguments = {"set_speed": {"speed": 500.0}, "mix": short, "hurry": short}
    return {"madsci": Specimen(dict, {"address": node}, arguments, content("mixer.yaml"))}


@pytest.mark.drivers("madsci")
def test_it_keeps(promise: Promise) -> None:
    promise.keep()
