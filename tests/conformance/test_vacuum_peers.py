"""Clients by other people talk to twins of vacuum instruments, and our drivers to a device.

See `test_peers`. Where they do not agree with our reading, the test says what they do.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import processes
import pytest
from waiting import until

from drivers.deposition.alicat import AlicatFlowController
from drivers.deposition.pfeiffer_tpg import PfeifferGauge
from drivers.deposition.tc_cxn import TcRfSupply
from drivers.instrument import Link
from drivers.protocols import pfeiffer_rs485
from drivers.protocols.framing import Dialogue
from drivers.transports import Settings
from orchestrator.clock import WallClock
from orchestrator.errors import DeviceRefused
from orchestrator.ports.resource import Bench, Identity
from orchestrator.ports.traffic import Passage
from simulators.twins.control import Served

PEERS = Path(__file__).parent / "peers"
PYTHON = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
SPEED = 2000.0

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(
        not PYTHON.exists(), reason=".venv-peers is missing: make it as test_peers says"
    ),
]


@pytest.fixture
def vacuum(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, seed=7, speed=SPEED, world="vacuum") as server:
        yield server


@pytest.fixture
def sputter(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, seed=7, speed=SPEED) as server:
        yield server


def _peer(script: str, *words: str) -> dict[str, Any]:
    """What a peer's script found."""
    command = [str(PYTHON), str(PEERS / script), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _device(kind: str) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """A device by other people: its port, and what it says at its end."""
    with subprocess.Popen(
        [str(PYTHON), str(PEERS / "device.py"), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def end() -> dict[str, Any]:
            found: dict[str, Any] = json.loads(process.communicate(timeout=30)[0])
            return found

        try:
            assert process.stdout
            yield f"socket://127.0.0.1:{int(process.stdout.readline())}", end
        finally:
            process.kill()


def test_pfeiffer_turbo_drives_two_pumps_on_one_line(vacuum: Served) -> None:
    found = _peer("turbo_client.py", vacuum.ports["turbos"])
    assert (found["name"], found["firmware"], found["error"]) == ("TC 110", "010300", "000000")
    assert (found["nominal_hz"], found["at_rest"]) == ([1500, 1000], [0, 0])
    assert (found["at_speed"], found["attained"]) == ([1500, 0], [True, False])
    assert (found["voltage"], found["station"]) == (24.0, False)
    assert 0 < found["coasted_to"] <= 100
    assert "_LOGIC" in found["refused"]


def test_a_client_of_scroll_pumps_reads_the_drive_unit(vacuum: Served) -> None:
    found = _peer("turbo_scroll_client.py", vacuum.ports["turbos"], "1")
    assert (found["gauge_type"], found["software_version"]) == ("TC 110", [1, 3, 0])
    assert (found["actual_rotation_hz"], found["actual_rotation_rpm"]) == (0, 0)
    assert (found["setpoint_rotation_rpm"], found["nominal_rotation_rpm"]) == (90000, 90000)
    assert (found["motor_voltage"], found["motor_current"], found["motor_power"]) == (24.0, 0.0, 0)
    assert (found["temp_electronic"], found["temp_motor"]) == (31, 35)
    assert (found["error"], found["no_gauge"]) == ("NO_ERROR", "undefined parameter number")


def test_pfeiffer_vacuum_protocol_reads_a_drive_unit_and_its_refusals(vacuum: Served) -> None:
    found = _peer("telegram_client.py", vacuum.ports["turbos"], "2")
    assert (found["error"], found["version"]) == ("NO_ERROR", [1, 3, 0])
    assert found["pressure"] == found["setpoint"] == "undefined parameter number"
    assert "too short" in found["nobody"]


def test_pymeasure_reads_the_mks_controller_and_switches_its_cold_cathode(vacuum: Served) -> None:
    found = _peer("mks_client.py", vacuum.ports["gauge"])
    assert (found["serial"], found["unit"]) == ("937B0412", "TORR")
    assert found["torr"] == found["pascal"] == "ATM"
    assert found["all"].split()[:3] == ["ATM", "NOGAUGE", "OFF"]
    # at atmosphere its own protection puts it off again
    assert (found["power"], found["cold_cathode"]) == (False, ["OFF", "Off"])
    assert found["no_ion_gauge"] == "NOT_IONGAUGE"


def test_pymeasure_reads_a_vacuum_in_two_units(vacuum: Served) -> None:
    _peer("modbus_client.py", vacuum.ports["modbus"])  # closes the vent, opens the gate
    vacuum.control.speed(SPEED * 10)
    assert processes.until(lambda: vacuum.control.state()["pressure_pa"] < 2e-4, 60.0)
    found = _peer("mks_client.py", vacuum.ports["gauge"])
    assert (found["power"], found["power_then"]) == (False, True)
    pascal, status = found["cold_cathode"]
    assert status == "Good"
    assert pascal == pytest.approx(vacuum.control.state()["pressure_pa"], rel=0.01)
    assert found["torr"] == "LO<E-04"


def test_pymeasure_strikes_an_rf_plasma_which_goes_out_when_nobody_asks(vacuum: Served) -> None:
    found = _peer("cxn_client.py", vacuum.ports["rf"], "100")
    assert (found["id"], found["firmware"]) == ("AG 0313 GTC", "UI 1.23, RF 2.7")
    assert (found["frequency"], found["power_limit"]) == (13_560_000, 300.0)
    assert "invalid reply" in found["without_control"]
    assert (found["setpoint"], found["on"], found["status"]) == (100.0, True, 1)
    assert (found["power"], found["bias"]) == ([100.0, 2.0, 98.0], 120)
    assert processes.until(lambda: vacuum.control.state()["rf"]["dropped"] == 1, 60.0)
    assert vacuum.control.state()["rf"] == {
        "is_on": False,
        "setpoint_w": 0,
        "strikes": 1,
        "dropped": 1,
    }


def test_pymeasure_cannot_set_a_power_with_a_byte_above_127(vacuum: Served) -> None:
    """It sends text as UTF-8, in which 200 W are two bytes: a packet too long, with another sum."""
    found = _peer("cxn_client.py", vacuum.ports["rf"], "200")
    assert "invalid reply" in found["misspelt"]
    assert (found["setpoint"], found["on"]) == (0.0, False)


def test_our_driver_keeps_rf_on_over_its_watchdog_and_lets_it_die_with_it(vacuum: Served) -> None:
    asked: list[bytes] = []

    def record(passage: Passage) -> None:
        if passage.way == "sent" and passage.data[2:4] == b"GS":
            asked.append(passage.data)

    async def main() -> None:
        bench = Bench("rf", WallClock(), record=record)
        supply = TcRfSupply(bench, vacuum.ports["rf"])
        await supply.open()
        assert (await supply.identify()).serial == "0313-1187"
        await supply.set_power(200.0)
        await supply.on()
        asked.clear()
        # six questions at least half a second apart: longer than the watchdog waits
        await until(lambda: len(asked) >= 6, seconds=60.0)
        power = await supply.power()
        assert (power.forward, power.reflected) == (200.0, 4.0)
        assert vacuum.control.state()["rf"]["dropped"] == 0
        await supply.close()

    asyncio.run(main())
    assert processes.until(lambda: vacuum.control.state()["rf"]["dropped"] == 1, 60.0)
    assert not vacuum.control.state()["rf"]["is_on"]


def test_pymeasure_drives_two_supplies_by_their_addresses(vacuum: Served) -> None:
    found = _peer("genesys_client.py", vacuum.ports["supplies"])
    assert (found["id"], found["serial"]) == (["LAMBDA", "GEN40-38"], "12A006")
    assert (found["voltage"], found["current"], found["mode"]) == (12.0, 6.0, "CV")
    assert found["limited"] == [4.0, 2.0, "CC"]
    assert found["display"] == [4.0, 12.0, 2.0, 2.0, 20.0, 0.0]
    assert found["status"][-1] == "FR(00)"
    assert found["too_high"] == ["Received error: E01"]
    assert (found["missing"], found["unknown"]) == (["Received error: C02"], "C01")
    assert found["other"] == [["LAMBDA", "GEN80-65"], False]
    assert (found["on"], found["off"]) == (True, False)


def test_labmcp_identifies_a_flow_controller_and_sets_its_flow(sputter: Served) -> None:
    found = _peer("alicat_labmcp_client.py", sputter.ports["gas"], "B", "0.42")
    assert (found["model"], found["firmware"]) == ("MC-10SCCM-D", "8v17.0-R23")
    assert (found["set"]["current"], found["set"]["requested"]) == (0.42, 0.42)
    assert (found["frame"]["setpoint"], found["frame"]["gas"]) == (0.42, "O2")
    assert sputter.control.state()["flows_sccm"]["oxygen"] == 0.42


def test_our_driver_reads_labmcp_s_flow_controller_and_is_refused_a_set_point() -> None:
    """It takes a set-point only with a space, `AS 12.5`. The maker's manuals print `as12.5` (MC
    series, page 43), which `alicat` sends too, so the driver keeps to that. Nor has the device the
    registers that `alicat` reads; the driver needs none."""
    with _device("alicat") as (port, end):

        async def main() -> None:
            argon = AlicatFlowController(Bench("argon", WallClock()), port, 200.0, gas="Ar")
            await argon.open()
            await argon.identify()
            assert (await argon.health()).is_fit
            assert abs(await argon.flow()) < 1.0
            with pytest.raises(DeviceRefused, match="does not know the command"):
                await argon.set_flow(12.5)
            await argon.close()

        asyncio.run(main())
        found = end()
    assert found == {"asked": ["A", "A", "A", "AS12.500"], "setpoint": 0.0}


def test_our_driver_reads_labmcp_s_gauge_although_it_talks_by_itself_at_first() -> None:
    with _device("tpg") as (port, end):

        async def main() -> None:
            gauge = PfeifferGauge(Bench("gauge", WallClock()), port, channel=2)
            await gauge.open()
            identity = await gauge.identify()
            assert (identity.model, identity.firmware) == ("TPG with PKR,TPR/PCR", "010400")
            assert (await gauge.health()).is_fit
            # 2.4e-2 mbar, told in hectopascal
            assert await gauge.pressure() == pytest.approx(2.4, rel=0.1)
            await gauge.close()

        asyncio.run(main())
        assert end()["asked"] == ["UNI", "TID", "PNR", "PR2", "PR2"]


def test_our_telegrams_are_answered_by_the_gauge_of_pfeiffer_vacuum_protocol() -> None:
    def who() -> Dialogue[Identity]:
        version = yield from pfeiffer_rs485.query(1, 312)
        return Identity("Pfeiffer Vacuum", "PPT 100", firmware=version)

    with _device("ppt") as (port, end):

        async def main() -> None:
            link = Link(Bench("gauge", WallClock()), port, Settings(), who, 1.0)
            await link.open()
            assert (await link.identify()).firmware == "010100"
            assert await link.read(lambda: pfeiffer_rs485.query(1, 303)) == "000000"
            assert await link.read(lambda: pfeiffer_rs485.query(1, 740)) == "100023"
            with pytest.raises(DeviceRefused, match="no such parameter"):
                await link.read(lambda: pfeiffer_rs485.query(1, 309))
            await link.exchange(lambda: pfeiffer_rs485.command(1, 742, "000100"))
            with pytest.raises(DeviceRefused, match="out of range"):
                await link.exchange(lambda: pfeiffer_rs485.command(1, 741, "007"))
            await link.close()

        asyncio.run(main())
        assert len(end()["asked"]) == 6


def test_pylablib_reads_the_pfeiffer_gauge_in_three_units(sputter: Served) -> None:
    found = subprocess.run([str(PYTHON), "-c", "import pylablib"], capture_output=True, check=False)
    if b"No module named 'pylablib'" in found.stderr:
        pytest.skip("pylablib has no wheel for this Python")
    said = _peer("tpg_pylablib_client.py", sputter.ports["gauge"])
    assert said["status"] == "ok"
    assert said["torr"] == pytest.approx(760.0, rel=1e-4)
    assert said["mbar"] == pytest.approx(1013.25, rel=1e-4)
    for unit in ("torr", "pa", "mbar"):
        assert said[f"{unit}_said"] == unit
        assert said[f"{unit}_in_pascal"] == pytest.approx(101325, rel=1e-3)


def test_labmcp_measures_without_contact_at_compliance(sputter: Served) -> None:
    found = _peer("keithley_labmcp_client.py", sputter.ports["meter"], "1e-4")
    assert (found["model"], found["source"], found["four_wire"]) == ("2400", "current", True)
    assert (found["level"], found["compliance"]) == (1e-4, 20.0)
    assert found["in_compliance"] is True
    assert abs(found["volt"]) < 20.0
    assert (found["on"], found["errors"]) == (False, [])
