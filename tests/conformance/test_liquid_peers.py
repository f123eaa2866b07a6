"""Clients by other people talk to our twins of a wet bench, and our drivers to their simulators.

See `test_peers` for how the peers are installed, and what their agreement is worth.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from processes import until

from drivers.liquids.cavro import CavroPump
from drivers.liquids.new_era import NewEraPump
from drivers.optics.thorlabs_pm100 import ThorlabsPowerMeter
from drivers.thermal.ika import IkaHotPlate
from drivers.weighing.mt_sics import MettlerBalance
from orchestrator.capabilities.liquids import Dispensed
from orchestrator.clock import ScaledClock
from orchestrator.errors import DeviceGarbled, DeviceRefused
from orchestrator.ports.action import Bound, Ticket
from orchestrator.ports.resource import Bench
from simulators.twins.control import Served

PEERS = Path(__file__).parent / "peers"
PYTHON = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
SPEED = 100.0

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(
        not PYTHON.exists(), reason=".venv-peers is missing: make it as test_peers says"
    ),
]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, seed=7, speed=SPEED, world="wet-lab") as server:
        yield server


def _peer(script: str, *words: str) -> dict[str, Any]:
    """What a peer's script found. One that hangs is killed."""
    command = [str(PYTHON), str(PEERS / script), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _simulated(kind: str) -> Iterator[str]:
    """The address of a simulator by other people, in a process of its own."""
    command = [str(PYTHON), str(PEERS / "simulator.py"), kind]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    try:
        assert port, process.communicate()[1]
        yield f"socket://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_labmcp_draws_and_gives_with_a_pump(served: Served) -> None:
    found = _peer("cavro_client.py", served.ports["pumps"], "1")
    assert found["firmware"].startswith("XP3000")
    assert found["refused"] == 7
    assert (found["after_init"], found["drawn"], found["given"]) == (0, 1500, 600)
    assert (found["inlet"], found["outlet"]) == ("1", "2")
    assert (found["speed"], found["mode"], found["too_far"]) == (1400, 0, 3)
    assert found["ready"]
    state = served.control.state()
    assert state["volumes_ul"]["vessel"] == {"cyan": pytest.approx(300.0, rel=0.02)}
    assert state["syringes_ul"]["1"] == {"cyan": pytest.approx(200.0, rel=0.02)}


def test_matterlab_sets_up_a_pump_draws_and_gives(served: Served) -> None:
    found = _peer("matterlab_pump_client.py", served.ports["pumps"])
    assert (found["backlash"], found["home"]) == (12, 122)
    assert (found["drawn"], found["left"], found["port"]) == (0.5, 0.2, 2)
    assert found["moves"] == 2
    vessel = served.control.state()["volumes_ul"]["vessel"]
    assert vessel == {"cyan": pytest.approx(300.0, rel=0.02)}


def test_matterlab_heats_and_stirs_the_plate(served: Served) -> None:
    served.control.speed(1000.0)
    found = _peer("matterlab_plate_client.py", served.ports["plate"])
    assert (found["cold"], found["rpm"], found["rpm_after"]) == (21.0, 300, 0)
    assert found["warm"] == pytest.approx(60.0, abs=1.0)
    assert "out of range" in found["refused"]


def test_labmcp_weighs_what_was_dispensed(served: Served) -> None:
    _peer("cavro_client.py", served.ports["pumps"], "4")
    found = _peer("sics_client.py", served.ports["balance"])
    assert (found["serial"], found["model"]) == ("B021002593", "XS205DU")
    given = served.control.state()["volumes_ul"]["vessel"]["water"]
    assert found["gram"] == pytest.approx(0.998e-3 * given, abs=6e-4)
    assert (found["unit"], found["stable"], found["zeroed"]) == ("g", True, True)
    assert found["at_once"] == pytest.approx(found["gram"], abs=6e-4)
    assert found["tare"] == pytest.approx(found["gram"], abs=6e-4)
    assert found["net"] == pytest.approx(0.0, abs=6e-4)
    assert found["preset"] == 1.5
    assert found["serial_after_reset"] == "B021002593"
    assert "syntax" in found["refused"]


def test_pylabrobot_weighs_and_tares_in_grams(served: Served) -> None:
    _peer("cavro_client.py", served.ports["pumps"], "1")
    found = _peer("sics_pylabrobot_client.py", served.ports["balance"])
    assert found["serial"] == "B021002593"
    given = served.control.state()["volumes_ul"]["vessel"]["cyan"]
    for reading in ("gram", "at_once", "after", "tare"):
        assert found[reading] == pytest.approx(1.012e-3 * given, abs=6e-4)
    assert (found["tared"], found["cleared"]) == (["T", "S"], ["TAC", "A"])
    assert found["net"] == pytest.approx(0.0, abs=6e-4)
    assert (found["shown"], found["back"], found["many"]) == (["D", "A"], ["DW", "A"], 50)
    assert (found["zero"], "yntax" in found["refused"]) == ("done", True)


@pytest.mark.parametrize("silence", ["0", "30"])
def test_nesp_lib_infuses_in_basic_and_in_safe_mode(served: Served, silence: str) -> None:
    found = _peer("nesp_client.py", served.ports["infuser"], silence)
    assert (found["model"], found["firmware"], found["silence"]) == (1000, [3, 923], int(silence))
    assert (found["diameter"], found["direction"]) == (14.43, "INFUSE")
    assert (found["volume"], found["rate"]) == (0.5, pytest.approx(1.5))
    assert (found["before"], found["infused"]) == (0.0, 0.5)
    assert found["running"] == [True, False]
    volumes = served.control.state()["volumes_ul"]["vessel"]
    assert volumes == {"ethanol": pytest.approx(500.0, rel=0.02)}


def test_labmcp_infuses_with_the_pump_and_stops_it(served: Served) -> None:
    served.control.speed(20.0)
    found = _peer("new_era_client.py", served.ports["infuser"])
    assert (found["model"], found["firmware"]) == ("NE-1000", "3.923")
    assert found["plan"] == ["500.0UL", "1.000MM"]
    assert 0 < found["infused"] < 500
    assert (found["stopped"], found["refused"]) == ("stopped", True)
    assert served.control.counts()["stops"] == 1


def test_our_driver_infuses_with_the_pump_that_labmcp_simulates() -> None:
    ticket = Ticket("00000000000000a1")
    clock = ScaledClock(20.0)

    async def main(address: str) -> None:
        pump = NewEraPump(Bench("pump", clock), address, 14.43, 10000.0, safe=False)
        await pump.open()
        try:
            assert (await pump.identify()).model == "NE1000"
            assert await pump.dispense(250.0, ticket) == Dispensed(250.0)
            assert (await pump.ask(ticket)).outcome == "done"
            await pump.make_safe()
        finally:
            await pump.close()
        fast = NewEraPump(Bench("fast", clock), address, 14.43, 10000.0, rate=50.0, safe=False)
        await fast.open()
        try:
            with pytest.raises(DeviceRefused, match="out of its range"):
                await fast.dispense(10.0)
        finally:
            await fast.close()

    with _simulated("infuser") as address:
        clock.run(main(address))


def test_ika_heats_and_stirs_with_the_plate(served: Served) -> None:
    found = _peer("ika_client.py", served.ports["plate"])
    assert found["name"] == "RCT digital"
    assert (found["target"], found["speed_target"], found["safety"]) == (80.0, 400.0, 360.0)
    assert 21.0 <= found["before"] < found["after"] <= 80.0
    assert found["speed"] == 400.0
    assert found["watchdog"] == 60.0
    assert served.control.state()["plate"] == {"heats": False, "shows": ""}


def test_labmcp_arms_the_watchdog_of_the_plate_and_lets_it_bite(served: Served) -> None:
    found = _peer("labmcp_ika_client.py", served.ports["plate"])
    assert (found["model"], found["setpoint"], found["speed"]) == ("RCT digital", 80.0, 400.0)
    assert found["watchdog"] == {"mode": 1, "timeout_s": 20, "last_error": None}
    assert served.control.state()["plate"] == {"heats": True, "shows": ""}
    # the watchdog counts wall time, of which the twin's clock makes as much as it is told
    served.control.speed(1.0)
    assert until(lambda: not served.control.state()["plate"]["heats"], 60.0)
    assert served.control.state()["plate"]["shows"] == "Er 2"


@pytest.mark.parametrize("mode", [1, 2])
def test_our_driver_works_the_plate_that_labmcp_simulates(mode: int) -> None:
    clock = ScaledClock(1.0)

    async def main(address: str) -> None:
        plate = IkaHotPlate(Bench("plate", clock), address, frame="8N1", watchdog_mode=mode)
        await plate.open()
        try:
            assert (await plate.identify()).model
            before = await plate.temperature()
            await plate.set_temperature(80.0)
            await plate.set_speed(400.0)
            async with asyncio.timeout(60.0):
                while await plate.temperature() < before + 5.0 or await plate.speed() < 300.0:
                    await asyncio.sleep(0.05)
            await plate.off()
            await plate.make_safe()
        finally:
            await plate.close()

    with _simulated("plate") as address:
        clock.run(main(address))


def test_our_driver_works_the_pump_that_labmcp_simulates() -> None:
    ticket = Ticket("00000000000000a1")
    clock = ScaledClock(20.0)

    async def main(address: str) -> None:
        pump = CavroPump(Bench("pump", clock), address, 1000.0, outlet="2", waste="4")
        await pump.open()
        try:
            assert (await pump.identify()).firmware == "XLP6000 V1.2.3 sim"
            with pytest.raises(DeviceRefused, match="initialise it"):
                await pump.load(500.0)
            await pump.initialise()
            await pump.load(500.0)
            assert await pump.dispense(200.0, ticket) == Dispensed(200.0)
            assert (await pump.ask(ticket)).outcome == "done"
            assert await pump.held() == 300.0
            await pump.make_safe()
            await pump.empty()
            assert await pump.held() == 0.0
            assert (await pump.health()).is_fit
        finally:
            await pump.close()

    with _simulated("cavro") as address:
        clock.run(main(address))


def test_our_driver_reads_the_balance_that_labmcp_simulates() -> None:
    clock = ScaledClock(1.0)

    async def main(address: str) -> None:
        balance = MettlerBalance(Bench("balance", clock), address, 220.0)
        await balance.open()
        try:
            assert (await balance.identify()).serial == "B123456789"
            assert await balance.weight() == pytest.approx(52.1873)
            momentary = await balance.momentary_weight()
            assert (momentary.mass, momentary.is_stable) == (pytest.approx(52.187, abs=0.001), 0)
            await balance.tare()
            assert await balance.weight() == pytest.approx(0.0, abs=1e-3)
            await balance.zero()
            assert await balance.weight() == pytest.approx(0.0, abs=1e-3)
        finally:
            await balance.close()

    with _simulated("balance") as address:
        clock.run(main(address))


def test_our_driver_reads_another_scale_and_the_manual_decides_where_they_differ() -> None:
    """`mt-sics-emulator` answers SI by `SI S ...`, where the manual has `S S ...`."""
    clock = ScaledClock(1.0)

    async def main(address: str) -> None:
        balance = MettlerBalance(Bench("scale", clock), address, 220.0)
        await balance.open()
        try:
            assert (await balance.identify()).serial == "B246813579"
            assert await balance.weight() == 0.0
            await _put(balance, 52.1873)
            assert await balance.weight() == pytest.approx(52.1873)
            await balance.tare()
            assert await balance.weight() == 0.0
            with pytest.raises(DeviceGarbled, match="no response to SI"):
                await balance.momentary_weight()
            await _put(balance, 230.0)
            assert await balance.weight() == Bound(220.0, "above")
            with pytest.raises(DeviceRefused, match="out of the range"):
                await balance.zero()
        finally:
            await balance.close()

    with _simulated("scale") as address:
        clock.run(main(address))


async def _put(balance: MettlerBalance, grams: float) -> None:
    """A load on the emulated scale, by a word of the peer's script."""
    from drivers.protocols import sics

    await balance.link.read(lambda: sics.ask(f"LOAD {grams}"))


def test_our_driver_reads_the_power_meter_that_labmcp_simulates_in_watts() -> None:
    async def main(address: str) -> None:
        # the laser of that meter is one of 1.234 mW, and it was left in dBm
        meter = ThorlabsPowerMeter(Bench("meter", ScaledClock(1.0)), address, 1.234e-3, 633.0)
        await meter.open()
        try:
            assert (await meter.identify()).model == "PM100D"
            assert (await meter.health()).is_fit
            assert (await meter.transmittance(5)).mean == pytest.approx(1.0, abs=0.02)
        finally:
            await meter.close()

    with _simulated("photometer") as address:
        asyncio.run(main(address))
