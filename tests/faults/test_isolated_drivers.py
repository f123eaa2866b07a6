"""`isolate: true`: drivers in processes of their own that die, hang, or lose their engine."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from faults_night import WITHIN_S, Night, new_night
from isolated_night import (
    ISOLATED,
    LONG,
    LONGER,
    SLOWLY,
    acted,
    becomes_safe,
    driver_of,
    guardian_of,
    processes_of,
    records_left,
    unsafe_now,
)
from processes import is_running, until
from test_kill_minus_nine import check_world

from orchestrator.errors import Exit
from orchestrator.model.events import DriverEnded, MadeSafe

SHUTTER = 5
"""Number of the shutter's opening among the physical effects of a first trial."""
VENTED = 7
"""Of the chamber's venting, when the film has come to its end."""
SAFE_WITHIN_S = 5.0


def goes_on_to_its_end(night: Night, then: int = 0) -> None:
    """What was begun is scrap and not repeated; the trials after it, if any, are done."""
    code, _, said = night.run()
    assert code == Exit.FINISHED, (said, night.events()[-4:])
    assert [t.status for t in night.state().trials.values()] == ["failed", *["done"] * then]
    with night.control() as control:
        world = control.state()
    check_world(night, world)
    fates = [e["name"] for e in world["effects"] if e["name"].startswith("films_")]
    assert fates == ["films_begun", "films_partial", *["films_begun", "films_finished"] * then]


def test_a_night_on_isolated_drivers_ends_well_and_leaves_no_process(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=2, lab=ISOLATED) as night:
        child = night.begin_until("films_begun")
        lines = list(processes_of(night).values())
        assert sum("driver_process" in line for line in lines) == 3, lines
        assert driver_of(night, "modbus") != driver_of(night, "gas")
        out, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.FINISHED, out + err
        assert err == ""
        assert [t.status for t in night.state().trials.values()] == ["done", "done"]
        assert processes_of(night) == {}
        assert records_left(night) == []
        assert list(night.runtime.rglob("*.sock")) == []
        assert list((night.folder / "drivers").rglob("*.txt")) == [], "nothing was printed"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_driver_that_dies_during_a_deposition_has_the_lab_made_safe(
    tmp_path: Path, number: signal.Signals
) -> None:
    with new_night(tmp_path, trials=2, lab=ISOLATED, campaign=LONG) as night:
        child = night.begin_until("films_begun")
        os.kill(driver_of(night, "supply"), number)
        out, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.PERSON, out + err
        died = f"the process of its driver was ended by signal {number} ({number.name})"
        assert f"step 'deposit' of trial 1 failed: supply: {died}" in out
        with night.control() as control:
            assert unsafe_now(control) == []
        state = night.state()
        assert state.trials[1].sentence.startswith(f"supply: {died}")
        assert state.trials[1].cause == "device"
        (ended,) = [r.event for r in night.events() if isinstance(r.event, DriverEnded)]
        assert ended.resources == ("supply",)
        made = [r.event for r in night.events() if isinstance(r.event, MadeSafe)]
        assert [m.resource for m in made[:5]] == ["supply", "heater", "oxygen", "argon", "valves"]
        # on a busy machine a driver may take longer to begin anew; that the supply is off was seen
        waited = {m.resource for m in made if m.note.startswith("no answer in")}
        assert waited <= {"supply"}
        assert [m for m in made if not m.ok and m.resource not in waited] == []
        goes_on_to_its_end(night, then=1)


def test_a_driver_that_hangs_is_ended_and_the_rest_is_as_if_it_had_died(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, lab=ISOLATED | SLOWLY, campaign=LONGER) as night:
        child = night.begin_until("films_begun")
        hung = driver_of(night, "supply")
        os.kill(hung, signal.SIGSTOP)
        out, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.PERSON, out + err
        assert "gave no sign of life for 5 s and was ended" in out
        assert not is_running(hung)
        with night.control() as control:
            assert unsafe_now(control) == []


def test_of_two_devices_on_one_port_both_are_brought_back(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, lab=ISOLATED, campaign=LONG) as night:
        child = night.begin_until("films_begun")
        os.kill(driver_of(night, "modbus"), signal.SIGKILL)
        out, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.PERSON, out + err
        (ended,) = [r.event for r in night.events() if isinstance(r.event, DriverEnded)]
        assert set(ended.resources) == {"heater", "valves"}
        with night.control() as control:
            assert unsafe_now(control) == []
        goes_on_to_its_end(night)


def test_kill_minus_nine_of_the_engine_leaves_a_safe_lab_and_the_campaign_goes_on(
    tmp_path: Path,
) -> None:
    with new_night(tmp_path, trials=2, lab=ISOLATED, campaign=LONG) as night:
        night.kill_after(SHUTTER)
        with night.control() as control:
            assert becomes_safe(control, SAFE_WITHIN_S), unsafe_now(control)
        assert until(lambda: processes_of(night) == {}, WITHIN_S)
        (record,) = records_left(night)
        assert '"resource": "supply", "note": ""' in record.read_text()
        goes_on_to_its_end(night, then=1)
        assert records_left(night) == [], "it is in the journal, and the campaign has ended"
        (done,) = acted(night)
        assert done.safe == ("supply", "heater", "oxygen", "argon", "valves")
        assert done.seconds < SAFE_WITHIN_S
        assert done.why == f"the engine (process {done.engine}) was gone"
        failed = night.state().trials[1]
        assert failed.cause == "interrupted"
        assert "the guardian made supply safe" in failed.sentence
        assert failed.sentence.endswith("scrap, or partial")
        assert night.command("run", str(night.folder)).returncode == Exit.FINISHED
        assert len(acted(night)) == 1, "it is journaled once"


def test_a_film_that_had_come_to_its_end_is_for_a_person_to_judge(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, lab=ISOLATED) as night:
        night.kill_after(VENTED)
        code, _, said = night.run()
        assert code == Exit.PERSON, said
        assert len(acted(night)) == 1
        (doubt,) = [d for d in night.state().doubts() if d.event.action == "deposit"]
        assert doubt.doubt is not None
        assert "supply.on was done" in doubt.doubt.known


def test_an_engine_that_starts_at_once_lets_the_guardian_finish(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, lab=ISOLATED, campaign=LONG) as night:
        night.kill_after(SHUTTER)
        goes_on_to_its_end(night)
        assert len(acted(night)) == 1


def test_without_a_guardian_each_process_makes_its_own_devices_safe(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, lab=ISOLATED, campaign=LONG) as night:
        child = night.begin_until("films_begun")
        os.kill(guardian_of(night), signal.SIGSTOP)
        child.kill()
        with night.control() as control:
            assert becomes_safe(control, SAFE_WITHIN_S), unsafe_now(control)
        child.communicate(timeout=WITHIN_S)
        os.kill(guardian_of(night), signal.SIGKILL)
        goes_on_to_its_end(night)
        assert {name for one in acted(night) for name in one.safe} >= {"supply", "heater", "valves"}
        assert {one.why for one in acted(night)} == {"the engine and its guardian were gone"}


def test_a_guardian_that_is_killed_is_replaced_and_nothing_else_happens(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, lab=ISOLATED, campaign=LONG) as night:
        child = night.begin_until("films_begun")
        first = guardian_of(night)
        os.kill(first, signal.SIGKILL)
        assert until(lambda: any("guardian" in v for v in processes_of(night).values()))
        out, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.FINISHED, out + err
        assert processes_of(night) == {}


def test_a_device_that_does_not_answer_keeps_no_other_from_being_made_safe(
    tmp_path: Path,
) -> None:
    with new_night(tmp_path, trials=1, lab=ISOLATED, campaign=LONG) as night:
        child = night.begin_until("films_begun")
        with night.control() as control:
            control.fail("gas", "hang")
            child.kill()
            assert becomes_safe(control, SAFE_WITHIN_S, but=("oxygen", "argon"))
            child.communicate(timeout=WITHIN_S)
            assert until(lambda: processes_of(night) == {}, WITHIN_S)
            control.heal()
            assert set(unsafe_now(control)) == {"oxygen", "argon"}
        goes_on_to_its_end(night)
        (done,) = acted(night)
        assert done.safe == ("supply", "heater", "valves")
        told = {r.event.resource: r.event for r in night.events() if isinstance(r.event, MadeSafe)}
        assert told["argon"].ok, "the engine did what the guardian could not"


def test_a_process_that_hangs_when_the_engine_dies_is_replaced(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, lab=ISOLATED, campaign=LONG) as night:
        child = night.begin_until("films_begun")
        hung = driver_of(night, "supply")
        os.kill(hung, signal.SIGSTOP)
        child.kill()
        with night.control() as control:
            assert becomes_safe(control, SAFE_WITHIN_S), unsafe_now(control)
        child.communicate(timeout=WITHIN_S)
        assert until(lambda: processes_of(night) == {}, WITHIN_S)
        goes_on_to_its_end(night)


def test_an_engine_that_is_stopped_loses_the_lab_to_its_guardian_and_says_so_when_it_wakes(
    tmp_path: Path,
) -> None:
    # of an interlock a reading may be under way, which would be too old when the engine wakes
    slow = ISOLATED | SLOWLY | {"  - never supply.on while gauge.pressure > 5 Pa\n": ""}
    with new_night(tmp_path, trials=1, lab=slow, campaign=LONGER) as night:
        child = night.begin_until("films_begun")
        child.send_signal(signal.SIGSTOP)
        with night.control() as control:
            assert unsafe_now(control) != []
            assert becomes_safe(control, 10.0 + SAFE_WITHIN_S), unsafe_now(control)
            assert control.counts()["films_finished"] == 0
        time.sleep(0.5)
        child.send_signal(signal.SIGCONT)
        out, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.PERSON, out + err
        (done,) = acted(night)
        assert done.why.endswith("gave no sign of life for 10 s")
        assert "was ended by the guardian, which had made it safe" in out
        assert night.state().trials[1].status == "failed"
