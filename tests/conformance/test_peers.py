"""Clients by other people talk to our twins: two readings of one manual must agree.

They run in an environment of their own, so that neither their licences nor their dependencies are
ours. Made by `make test`, or by hand:

    python -m venv .venv-peers
    .venv-peers/bin/pip install -r tests/conformance/requirements-peers.txt

Agreement of two is no proof of the hardware: nothing here was tried on a real instrument.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from drivers.protocols import zaber
from simulators.twins.control import Served

PEERS = Path(__file__).parent / "peers"
PYTHON = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
SPEED = 2000.0

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(
        not PYTHON.exists(), reason=".venv-peers is missing: make it as the module's text says"
    ),
]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, seed=7, speed=SPEED) as server:
        yield server


@pytest.fixture
def stages(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, seed=7, speed=20.0, world="zaber-stages") as server:
        yield server


def _peer(script: str, *words: str) -> dict[str, Any]:
    """What a peer's script found."""
    command = [str(PYTHON), str(PEERS / script), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _pump(served: Served) -> None:
    """By minimalmodbus, too: vent closed, gate open, heater to 350 degC."""
    found = _peer("modbus_client.py", served.ports["modbus"])
    assert (found["gate"], found["vent"]) == (1, 0)


def _host_and_port(served: Served, wire: str) -> tuple[str, str]:
    host, _, port = served.ports[wire].removeprefix("socket://").rpartition(":")
    return host, port


def test_alicat_sets_and_reads_both_gases(served: Served) -> None:
    argon = _peer("alicat_client.py", served.ports["gas"], "A", "21.5")
    oxygen = _peer("alicat_client.py", served.ports["gas"], "B", "0.42")
    assert (argon["setpoint"], argon["mass_flow"], argon["gas"]) == (21.5, 21.5, "Ar")
    assert argon["control_point"] == "mass flow"
    assert (oxygen["setpoint"], oxygen["gas"]) == (0.42, "O2")
    assert served.control.state()["flows_sccm"] == {"argon": 21.5, "oxygen": 0.42}


def test_labmcp_reads_the_pfeiffer_gauge(served: Served) -> None:
    found = _peer("tpg_client.py", served.ports["gauge"])
    assert (found["model"], found["unit"], found["ids"]) == ("TPG361", "hPa", ["PBR"])
    assert found["hectopascal"] == pytest.approx(1013.25, rel=1e-4)
    assert found["pascal"] == pytest.approx(101325, rel=1e-4)
    assert "syntax" in found["refused"]


def test_minimalmodbus_works_heater_and_valves(served: Served) -> None:
    found = _peer("modbus_client.py", served.ports["modbus"])
    assert (found["sp"], found["registers"]) == (350.0, [3500, 1])
    assert 19.9 <= found["pv"] <= 350.0
    assert "refused" in found
    state = served.control.state()
    assert (state["gate"], state["vent"], state["heater_target_c"]) == (True, False, 350.0)


def test_umodbus_works_heater_and_valves_and_is_refused_in_the_words_of_modbus(
    served: Served,
) -> None:
    found = _peer("umodbus_client.py", served.ports["modbus"])
    assert found["registers"][1:3] == [3500, 1]
    assert found["coils"] == [1, 0]
    assert (found["too_hot"], found["nowhere"]) == (
        "IllegalDataValueError",
        "IllegalDataAddressError",
    )
    assert (found["no_inputs"], found["too_many"]) == (
        "IllegalFunctionError",
        "IllegalDataAddressError",
    )
    state = served.control.state()
    assert (state["gate"], state["vent"], state["heater_target_c"]) == (True, False, 350.0)


def test_modbus_tk_works_heater_valves_and_the_registers_of_the_arm(served: Served) -> None:
    host, port = _host_and_port(served, "arm-registers")
    found = _peer("modbus_tk_client.py", served.ports["modbus"], host, port)
    assert (found["sp"], found["coils"], found["readings"]) == ([3500, 1], [1, 0], 50)
    assert (found["refused"], found["arm_refused"]) == ([1, 2, 3], 2)
    assert found["arm"] == [1, 2, 3, 4]


def test_pymeasure_strikes_a_plasma_with_the_supply(served: Served) -> None:
    _pump(served)
    _peer("alicat_client.py", served.ports["gas"], "A", "21.5")
    found = _peer("dcxs_client.py", served.ports["supply"])
    assert (found["id"], found["setpoint"], found["regulation_mode"]) == ("DCXS750-4", 150, "power")
    assert (found["deposition_time_min"], found["deposition_time_sec"]) == (900, 30)
    assert (found["power"], found["voltage"], found["current"]) == (150, 300, 500)
    assert (found["enabled"], found["enabled_after"]) == (True, False)
    assert found["shutter_state"] == [1, 0, 0, 0, 0]
    assert 0 < found["remaining_deposition_time_min"] <= 900
    counts = served.control.counts()
    assert (counts["strikes"], counts["bare_exposures"]) == (1, 1)


def test_pymeasure_reads_the_thickness_monitor(served: Served) -> None:
    _pump(served)
    _peer("alicat_client.py", served.ports["gas"], "A", "21.5")
    _peer("dcxs_client.py", served.ports["supply"])
    found = _peer("sqm_client.py", served.ports["monitor"])
    assert (found["version"], found["channels"]) == ("MON Ver 4.13", 1)
    assert found["thickness"] == found["average_thickness"] > 0
    assert (found["rate"], found["zeroed"]) == (0.0, 0.0)
    assert found["frequency"] < 5.99e6
    assert "Problem with data" in found["sensor_2"]


def test_pymeasure_measures_an_insulator_at_compliance(served: Served) -> None:
    host, port = _host_and_port(served, "arm")
    _peer("ur_client.py", host, port)
    served.control.hand(1, "probe")
    found = _peer("keithley_client.py", served.ports["meter"], "1e-4")
    assert found["id"].startswith("KEITHLEY INSTRUMENTS INC.,MODEL 2400")
    assert (found["mode"], found["current"], found["compliance"]) == ("current", 1e-4, 20.0)
    assert [r["voltage"] for r in found["readings"]] == [20.0, 20.0, 20.0]
    assert all(r["status"] & 8 for r in found["readings"])
    assert (found["on"], found["errors"]) == (False, [])


def test_keithley2400_measures_with_cr_at_the_ends_of_lines(served: Served) -> None:
    found = _peer("keithley2400_client.py", served.ports["meter"], "1e-4")
    assert (found["model"], found["on"], found["error"]) == ("2400", "0", '0,"No error"')
    assert found["id"].startswith("KEITHLEY INSTRUMENTS INC.,MODEL 2400")
    assert 0 < abs(found["volt"]) <= 20.0  # no sample: the sense leads float
    assert abs(found["ampere"]) < 1e-9


def test_ur_rtde_plays_a_program_of_the_arm(served: Served) -> None:
    host, port = _host_and_port(served, "arm")
    found = _peer("ur_client.py", host, port)
    assert "RUNNING" in found["mode"]
    assert "NORMAL" in found["safety"]
    assert (found["running_after"], found["remote"]) == (False, True)
    assert "blanks_to_chamber.urp" in found["loaded"]
    assert served.control.state()["samples"][0]["position"] == "chamber"


def test_universal_robots_clients_pauses_a_program_and_lets_it_go_on(served: Served) -> None:
    served.control.speed(20.0)
    host, port = _host_and_port(served, "arm")
    found = _peer("ur_dashboard_client.py", host, port)
    assert found["missing"] == "File not found: nowhere.urp"
    assert (found["nothing"], found["stopped"]) == (
        "Failed to execute: pause",
        "Failed to execute: stop",
    )
    assert (found["played"], found["paused"], found["again"]) == (
        "Starting program",
        "Pausing program",
        "Starting program",
    )
    assert (found["state"], found["end"]) == (
        "PAUSED blanks_to_chamber.urp",
        "STOPPED blanks_to_chamber.urp",
    )
    assert (found["raw"], found["unknown"]) == (
        "Robotmode: RUNNING",
        "could not understand: 'make coffee'",
    )
    assert served.control.state()["samples"][0]["position"] == "chamber"


def test_pymodbus_reads_and_writes_the_registers_of_the_arm(served: Served) -> None:
    host, port = _host_and_port(served, "arm-registers")
    with ModbusTcpClient(host, port=int(port)) as client:
        assert not client.write_registers(128, [1, 2, 3, 4]).isError()
        assert client.read_holding_registers(128, count=4).registers == [1, 2, 3, 4]
        assert client.read_holding_registers(300, count=1).isError()


def test_pymeasure_reads_the_power_meter(tmp_path: Path) -> None:
    with Served(tmp_path, seed=7, speed=SPEED, world="sputter-lab-metal") as server:
        found = _peer("pm100_client.py", server.ports["photometer"])
    assert found["id"] == "Thorlabs,PM100D,P0012345,2.4.0"
    assert (found["sensor"], found["is_power"], found["settable"]) == ("S120C", True, True)
    assert (found["low"], found["high"], found["wavelength"]) == (400.0, 1100.0, 550.0)
    assert found["power"] == pytest.approx(1e-3)


def test_thorlabspm100_says_long_words_to_the_power_meter(tmp_path: Path) -> None:
    with Served(tmp_path, seed=7, speed=SPEED, world="sputter-lab-metal") as server:
        found = _peer("pm100_thorlabs_client.py", server.ports["photometer"])
    assert (found["wavelengths"], found["ranges"]) == ([400.0, 1100.0], [5e-8, 5e-2])
    assert (found["wavelength"], found["averaging"], found["filter"]) == (550.0, 100, 1)
    assert found["powers"] == [pytest.approx(1e-3)]
    assert found["fetched"] == pytest.approx(1e-3)
    assert (found["events"], found["error"]) == ([0, 0], '+0,"No error"')
    assert ("Data out of range" in found["refused"], found["still"]) == (True, 550.0)


def test_labmcp_sets_up_the_power_meter_and_reads_it_in_either_unit(tmp_path: Path) -> None:
    with Served(tmp_path, seed=7, speed=SPEED, world="sputter-lab-metal") as server:
        found = _peer("pm100_labmcp_client.py", server.ports["photometer"])
    assert (found["sensor"], found["wavelengths"]) == ("S120C", [400.0, 1100.0])
    assert (found["wavelength"], found["averaging"], found["zero"]) == (550.0, 100, 0.0)
    assert (found["unit"], found["auto"], found["range"]) == ("W", True, 5e-3)
    assert found["power"] == found["in_dbm"] == pytest.approx(1e-3)
    assert "Data out of range" in found["refused"]


def test_zaber_motion_homes_and_moves_the_first_stage(stages: Served) -> None:
    found = _peer("zaber_motion_client.py", stages.ports["stages"])
    assert (found["before"], found["homed"]) == (["WH", "WR"], [])
    assert (found["serial"], found["moving"], found["pos"]) == ("73001", "BUSY", "2099738")
    assert "BADDATA" in found["rejected"]
    assert set(found["flags"]) >= set(zaber.WARNINGS)


def test_zaber_serial_homes_moves_and_stops_the_second_stage(stages: Served) -> None:
    found = _peer("zaber_serial_client.py", stages.ports["stages"])
    assert found["before"] == ["OK", "WH", True]
    assert (found["pos"], found["status"]) == (420_000, "IDLE")
    assert found["after"] == ["NI", True]
    assert found["refused"] == ["RJ", "BADCOMMAND"]


def test_what_one_peer_sets_another_reads(served: Served) -> None:
    _pump(served)
    _peer("alicat_client.py", served.ports["gas"], "A", "43.0")
    served.control.speed(SPEED * 10)
    for _ in range(20):
        pascal = _peer("tpg_client.py", served.ports["gauge"])["pascal"]
        if pascal < 1.1:
            break
    assert pascal == pytest.approx(1e-4 + 43.0 * 0.0231949, rel=1e-4)


def test_the_peers_are_not_installed_beside_us() -> None:
    done = subprocess.run([sys.executable, "-c", "import alicat"], capture_output=True, check=False)
    assert done.returncode != 0
