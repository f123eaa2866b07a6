"""Process variables, declared, against an IOC of caproto in a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge_fakes import DECLARATIONS, content, declared
from driver_fakes import bench
from peer_process import peer

from drivers.conformance.specimens import Promise, Specimen
from orchestrator.errors import (
    DeviceAbsent,
    DeviceError,
    DeviceRefused,
    DeviceUnsure,
    LimitExceeded,
)

pytest.importorskip("caproto", reason="caproto is not installed (hagane[epics])")
LAYERS = {
    "epics": ("caproto", {}),
    "ophyd": ("ophyd", {"device": "beamline_ophyd:Gate"}),
    "ophyd-async": ("ophyd_async", {"device": "beamline_async:Gate"}),
}


def free_ports(n: int) -> list[int]:
    held = [socket.socket() for _ in range(n)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@pytest.fixture(scope="module")
def channel_access() -> Iterator[None]:
    """Ports of its own; libraries keep what the environment says when they are first used."""
    server, repeater = free_ports(2)
    told = {
        "EPICS_CA_ADDR_LIST": "127.0.0.1",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": str(server),
        "EPICS_CA_REPEATER_PORT": str(repeater),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        # whoever needs a repeater and finds none starts one that nobody ends
        repeater = subprocess.Popen(
            [sys.executable, "-m", "caproto.commandline.repeater", "--quiet"]
        )
        try:
            yield
        finally:
            repeater.terminate()
            repeater.wait()


@pytest.fixture(params=sorted(LAYERS))
def layer(request: pytest.FixtureRequest) -> str:
    module, _ = LAYERS[request.param]
    pytest.importorskip(module, reason=f"{module} is not installed (hagane[{request.param}])")
    return str(request.param)


@pytest.fixture(scope="module")
def ioc(channel_access: None) -> Iterator[None]:
    with peer("gate_ioc.py", "GATE", environment=os.environ):
        yield


def made(layer: str, **options: Any) -> Any:
    cls = declared(layer, "gate.yaml").cls
    told = {"address": "ca://GATE:", **LAYERS[layer][1], **options}
    return cls(bench("gate"), **told)


def play(deed: Callable[[Any], Awaitable[None]], layer: str, **options: Any) -> None:
    async def main() -> None:
        gate = made(layer, **options)
        try:
            await gate.open()
            await deed(gate)
        finally:
            await gate.close()
            _forget_channels()

    asyncio.run(main())


def _forget_channels() -> None:
    """Those of aioca are of one event loop, and each of our tests has its own."""
    if "aioca" in sys.modules:
        sys.modules["aioca"].purge_channel_caches()


def test_variables_are_read_set_moved_and_made_safe(ioc: None, layer: str) -> None:
    async def deed(gate: Any) -> None:
        assert (await gate.identify()).model == "GV-1"
        assert await gate.pressure() == 2.5e-4
        assert await gate.trace() == [1.0, 2.0, 3.0]
        await gate.open_valve()
        n_moves = await gate.count()
        await gate.move(2.5)
        assert await gate.count() == n_moves + 1
        with pytest.raises(LimitExceeded):
            await gate.move(10.5)
        with pytest.raises(DeviceRefused, match="INVALID alarm"):
            await gate.broken()
        assert await gate.count() == n_moves + 1
        await gate.make_safe()
        assert (await gate.health()).is_fit

    play(deed, layer)


MODES = """\
  set_mode:
    says: Sets a mode by its word.
    effect: idempotent
    takes: {mode: {kind: text, choices: ["ON", "OFF", "HALF"]}}
    do: [{set: mode, to: "{mode}"}]
    confirm: [{read: mode, is: "{mode}"}]
    gives: {word: {read: mode, kind: text}, index: {read: mode, kind: integer}}
  spoil:
    says: Sets a number to a word.
    effect: idempotent
    do: [{set: pressure, to: high}]
make_safe:
"""


def test_an_enumeration_is_set_by_its_word_and_read_as_word_or_index(
    ioc: None, tmp_path: Path
) -> None:
    pytest.importorskip("caproto", reason="caproto is not installed (hagane[epics])")
    (tmp_path / "gate.yaml").write_text(
        (DECLARATIONS / "gate.yaml").read_text().replace("make_safe:\n", MODES)
    )
    cls = declared("epics", str(tmp_path / "gate.yaml")).cls

    async def main() -> None:
        gate = cls(bench("gate"), address="ca://GATE:")
        try:
            await gate.open()
            assert await gate.set_mode("ON") == {"word": "ON", "index": 1}
            with pytest.raises(DeviceRefused, match="mode takes OFF, ON, not 'HALF'"):
                await gate.set_mode("HALF")
            with pytest.raises(DeviceRefused, match="pressure does not take that"):
                await gate.spoil()
            await gate.make_safe()
        finally:
            await gate.close()

    asyncio.run(main())


def test_a_move_that_does_not_complete_in_time_is_in_doubt_and_not_repeated(
    ioc: None, layer: str
) -> None:
    async def deed(gate: Any) -> None:
        n_moves = await gate.count()
        with pytest.raises(DeviceUnsure, match="hurry was sent"):
            await gate.hurry(1.0)
        assert await gate.count() == n_moves + 1
        async with asyncio.timeout(60.0):
            while await gate.position() != 1.0:
                await asyncio.sleep(0.05)

    play(deed, layer)


def test_a_server_that_is_not_there_is_absent(ioc: None, layer: str) -> None:
    async def deed(gate: Any) -> None:
        raise AssertionError("it was opened")

    with pytest.raises(DeviceAbsent, match="NONE:"):
        play(deed, layer, address="ca://NONE:", timeout=0.5)


def test_a_server_that_went_away_and_came_back_is_identified_before_anything_is_sent(
    channel_access: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # two servers of one port hide each other
    monkeypatch.setenv("EPICS_CA_SERVER_PORT", str(free_ports(1)[0]))

    async def main() -> None:
        gate = made("epics", address="ca://OTHER:", timeout=3.0)
        with peer("gate_ioc.py", "OTHER", environment=os.environ):
            await gate.open()
            await gate.open_valve()
        with pytest.raises(DeviceError):
            await gate.pressure()
        with peer("gate_ioc.py", "OTHER", environment=os.environ):
            assert await gate.pressure() == 2.5e-4
            await gate.make_safe()
        await gate.close()

    asyncio.run(main())


def test_a_network_that_went_away_for_a_moment_does_not_end_the_searching(
    ioc: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = pytest.importorskip("caproto.threading.client")
    send = client.SharedBroadcaster.send
    refused: list[Any] = []

    def unreachable(self: Any, *commands: Any) -> None:
        # ophyd's own, which goes on searching for devices of other tests, is not meant
        if type(self) is not client.SharedBroadcaster and len(refused) < 3:
            refused.append(commands)
            raise client.CaprotoNetworkError("network is unreachable")
        send(self, *commands)

    monkeypatch.setattr(client.SharedBroadcaster, "send", unreachable)
    monkeypatch.setattr(client.common, "MAX_RETRY_SEARCHES_INTERVAL", 0.2)

    async def deed(gate: Any) -> None:
        assert await gate.pressure() == 2.5e-4

    play(deed, "epics", timeout=20.0)
    assert len(refused) == 3


@pytest.fixture
def specimens(ioc: None) -> dict[str, Specimen]:
    arguments = {"move": {"position": 2.5}, "hurry": {"position": 2.5}}
    return {
        name: Specimen(dict, {"address": "ca://GATE:", **options}, arguments, content("gate.yaml"))
        for name, (_, options) in LAYERS.items()
    }


@pytest.mark.drivers(*LAYERS)
def test_it_keeps(promise: Promise, monkeypatch: pytest.MonkeyPatch) -> None:
    driver: Any = promise.driver
    close = driver.close

    async def close_and_forget(self: Any) -> None:
        await close(self)
        _forget_channels()

    monkeypatch.setattr(driver, "close", close_and_forget)
    promise.keep()
