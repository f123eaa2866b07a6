"""A daemon of yaq, declared: that of yaqd-fakes, in a process and an environment of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from bridge_fakes import content, declared
from driver_fakes import bench
from peer_process import OF_PEERS, peer

from drivers.conformance.specimens import Promise, Specimen
from orchestrator.errors import DeviceAbsent, DeviceRefused, DeviceUnsure, LimitExceeded

pytest.importorskip("yaqc", reason="yaqc is not installed (hagane[yaq], test)")
pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not OF_PEERS.exists(), reason="yaqd-fakes is missing: no .venv-peers"),
]


@pytest.fixture
def daemon() -> Iterator[str]:
    with peer("yaq_daemon.py", python=OF_PEERS) as said:
        yield f"yaq://127.0.0.1:{said['port']}"


def play(address: str, deed: Callable[[Any], Awaitable[None]]) -> None:
    async def main() -> None:
        stage = declared("yaq", "stage.yaml").cls(bench("stage"), address)
        try:
            await stage.open()
            await deed(stage)
        finally:
            await stage.close()

    asyncio.run(main())


def test_a_stage_is_moved_to_its_end_and_read(daemon: str) -> None:
    async def deed(stage: Any) -> None:
        identity = await stage.identify()
        assert (identity.maker, identity.model, identity.serial) == ("Fakes", "ST-1", "77")
        await stage.move(10.0)
        assert await stage.position() == 10.0
        with pytest.raises(LimitExceeded):
            await stage.move(201.0)
        await stage.make_safe()

    play(daemon, deed)


def test_a_daemon_that_takes_another_value_than_it_was_told_is_found_out(daemon: str) -> None:
    async def deed(stage: Any) -> None:
        with pytest.raises(DeviceRefused, match=r"get_destination is 100\.0 afterwards"):
            await stage.move(150.0)

    play(daemon, deed)


def test_an_order_over_a_connection_that_broke_is_not_sent_again(daemon: str) -> None:
    async def deed(stage: Any) -> None:
        await stage.move(10.0)
        stage._client._client._socket._socket.close()
        with pytest.raises(DeviceUnsure, match="step was sent"):
            await stage.step(way=5.0)
        assert await stage.position() == 10.0

    play(daemon, deed)


def test_a_daemon_that_is_not_there_is_absent() -> None:
    async def deed(stage: Any) -> None:
        raise AssertionError("it was opened")

    with pytest.raises(DeviceAbsent, match="cannot be reached"):
        play("yaq://127.0.0.1:9", deed)


@pytest.fixture
def specimens(daemon: str) -> dict[str, Specimen]:
    arguments = {"move": {"position": 10.0}, "step": {"way": 1.0}}
    return {"yaq": Specimen(dict, {"address": daemon}, arguments, content("stage.yaml"))}


@pytest.mark.drivers("yaq")
def test_it_keeps(promise: Promise) -> None:
    promise.keep()
