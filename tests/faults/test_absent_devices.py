"""Devices that are not there when a campaign starts, or starts again."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults_night import ROOT, Night, new_night
from memory_night import memory_night, unsafe

from orchestrator.errors import Exit
from orchestrator.model.events import ActionDispatched, MadeSafe
from simulators.twins.faults import Fault

PORTS = ("gas", "gauge", "supply", "monitor", "modbus", "meter", "arm", "arm-registers")
BEHIND = {
    "gas": {"argon", "oxygen"},
    "modbus": {"heater", "valves"},
    "arm-registers": {"arm"},
}
"""Resources behind a port, where they are not called like it."""
STRIKE = 4
"""Number of the plasma's strike among the physical effects of the first trial."""


@pytest.mark.parametrize("how", ["hang", "unplug"])
@pytest.mark.parametrize("port", PORTS)
def test_an_absent_device_is_named_and_the_campaign_begins_later(
    tmp_path: Path, port: str, how: str
) -> None:
    night = memory_night(tmp_path, trials=1)
    night.wires[port].faults.fail(Fault(how))  # type: ignore[arg-type]
    ending = night.run()
    absent = BEHIND.get(port, {port})
    assert ending.exit_code in (Exit.ENVIRONMENT, Exit.PERSON)
    assert ending.sentence.split(":")[0] in absent
    assert ending.hint
    assert not night.state().trials
    assert set(unsafe(night.lab())) <= absent, "what could be reached was made safe"
    night.heal()
    assert night.run().exit_code is Exit.FINISHED


def hardware(night: Night) -> None:
    """The folder's lab becomes one on ports that do not exist."""
    text = (ROOT / "campaigns" / "niobium_titania" / "hardware.yaml").read_text()
    text = text.replace("/dev/ttyUSB", "/dev/ttyUSB-none")
    text = text.replace("192.0.2.10:29999", "127.0.0.1:9").replace("192.0.2.10:502", "127.0.0.1:9")
    (night.folder / "twins.yaml").unlink()
    (night.folder / "lab.yaml").write_text(text)


def test_a_lab_without_a_single_device_says_so_in_one_sentence(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1) as night:
        hardware(night)
        done = night.command("run", str(night.folder), "--json")
        assert done.returncode == Exit.ENVIRONMENT
        assert done.stderr == ""
        assert '"kind": "DeviceAbsent"' in done.stdout
        sentence = "argon: /dev/ttyUSB-none0 cannot be opened: No such file or directory"
        assert f'"error": "{sentence}"' in done.stdout
        assert "check the cable" in done.stdout
        assert "out of reach as well: oxygen, gauge, supply, monitor, heater" in done.stdout
        assert not night.state().engine_is_up


def test_what_can_be_reached_is_made_safe_although_a_device_is_absent(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, campaign={"20 min": "900 min"}) as night:
        night.kill_after(STRIKE)
        with night.control() as control:
            assert {"supply", "heater", "valves", "argon"} <= set(unsafe(control.state()))
            control.fail("gas", "unplug")
            done = night.command("run", str(night.folder))
            assert done.returncode == Exit.ENVIRONMENT
            assert "could not be made safe: oxygen, argon" in done.stderr
            assert set(unsafe(control.state())) == {"argon", "oxygen"}
            control.heal()
            assert night.command("run", str(night.folder)).returncode == Exit.PERSON
            assert unsafe(control.state()) == []
            assert len(night.state().doubts()) == 2


def test_a_lab_that_could_not_be_made_safe_is_made_safe_at_the_next_start(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=1)
    night.wires["modbus"].faults.fail(Fault("unplug", after=27))
    ending = night.run()
    assert ending.exit_code is Exit.PERSON
    assert ending.sentence.endswith("; could not be made safe: heater, valves")
    assert unsafe(night.lab()) == ["heater", "valves"]
    night.heal()
    n_before = night.state().n_events
    assert night.run().exit_code is Exit.FINISHED
    after = [r.event for r in night.stage.store.read(night.stage.campaign_id, n_before)]
    acts = [e for e in after if isinstance(e, MadeSafe | ActionDispatched)]
    assert isinstance(acts[0], MadeSafe)
    assert acts[0].why == "the engine before this one did not leave the lab in order"
