"""`isolate: true`: the driver of a device that does nothing dies, while another device acts."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from faults_night import WITHIN_S, Night, new_night
from isolated_night import ISOLATED, LONG, driver_of, unsafe_now
from processes import until
from test_kill_minus_nine import check_world

from orchestrator.errors import Exit
from orchestrator.model.events import DriverEnded, MadeSafe

METER = {'port: "twin:meter"\n': 'port: "twin:meter"\n    isolate: true\n'}
ALL = ISOLATED | METER
"""The meter runs alone as well: a deposition and a move have no need of it."""
LONG_LOOK = {"repeats: 3": "repeats: 1000"}
SLOW = {"speed: 1200": "speed: 20"}
"""A move of the arm takes a second of wall time, and is not over when it is seen."""
SHORT = {"duration: 20 min": "duration: 1 min"}
DIED = "the process of its driver was ended by signal 9 (SIGKILL)"


def started_until(night: Night, effect: str) -> subprocess.Popen[str]:
    """An engine whose twins outlive it, once a physical effect of that name has happened."""
    child = night.start(waits=True)
    with night.control() as control:
        child.send_signal(signal.SIGCONT)
        assert until(lambda: control.counts()[effect] > 0), child.poll()
    return child


def was_told(night: Night, resource: str) -> None:
    """The journal has the death, and everything made safe for it, in the lab's order."""
    events = [r.event for r in night.events()]
    (ended,) = [e for e in events if isinstance(e, DriverEnded)]
    assert (ended.resources, ended.why) == ((resource,), DIED)
    made = [e for e in events if isinstance(e, MadeSafe) and e.why == f"{resource}: {DIED}"]
    first = ["supply", "heater", "oxygen", "argon", "valves", "arm", "meter"]
    assert [m.resource for m in made][:7] == first
    assert all(m.ok for m in made)


def test_a_film_that_is_grown_meanwhile_is_scrap_and_the_campaign_goes_on_by_itself(
    tmp_path: Path,
) -> None:
    with new_night(tmp_path, trials=2, lab=ALL, campaign=LONG) as night:
        child = started_until(night, "films_begun")
        os.kill(driver_of(night, "meter"), signal.SIGKILL)
        out, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.FINISHED, out + err
        was_told(night, "meter")
        trials = night.state().trials
        assert [(t.status, t.cause) for t in trials.values()] == [
            ("failed", "interrupted"),
            ("done", None),
        ]
        assert trials[1].sentence == f"it was given up on the way: meter: {DIED}"
        with night.control() as control:
            assert unsafe_now(control) == []
            world = control.state()
        check_world(night, world)
        fates = [e["name"] for e in world["effects"] if e["name"].startswith("films_")]
        assert fates == ["films_begun", "films_partial", "films_begun", "films_finished"]


def test_a_measurement_meanwhile_has_spoilt_nothing_and_is_made_again(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, lab=ALL, campaign=LONG_LOOK) as night:
        child = night.begin_until("films_finished")
        assert until(lambda: measures(night) != []), "the film is never measured"
        os.kill(driver_of(night, "supply"), signal.SIGKILL)
        out, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.FINISHED, out + err
        was_told(night, "supply")
        assert measures(night) == [("failed", "Stopped"), ("done", "")]
        assert [t.status for t in night.state().trials.values()] == ["done"]


def measures(night: Night) -> list[tuple[str, str]]:
    """What became of the measurements, and by which error."""
    return [
        (d.outcome, d.failure.error if d.failure else "")
        for d in night.state().dispatches.values()
        if d.event.action == "sheet_resistance"
    ]


@pytest.mark.parametrize("verdict", [pytest.param("done", marks=pytest.mark.soak), "failed"])
def test_an_arm_under_way_stops_with_what_it_holds_and_a_person_says_where_that_is(
    tmp_path: Path, verdict: str
) -> None:
    with new_night(tmp_path, trials=1, lab=ALL | SLOW, campaign=SHORT) as night:
        child = night.begin_until("picked")
        os.kill(driver_of(night, "meter"), signal.SIGKILL)
        out, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.PERSON, out + err
        was_told(night, "meter")
        (doubt,) = night.state().doubts()
        assert doubt.doubt is not None
        assert doubt.doubt.known.endswith("the arm stopped on the way: look where the sample is")
        assert "meter: the process of its driver was ended by signal 9" in doubt.doubt.known
        with night.control() as control:
            (held,) = [s for s in control.state()["samples"] if s["position"] == "gripper"]
            control.hand(held["sample"], "chamber" if verdict == "done" else "tray")
        where = [] if verdict == "done" else ["--at", "tray"]
        answer = night.command("resolve", doubt.event.ticket, verdict, *where)
        assert answer.returncode == 0, answer.stderr
        again = night.command("run", str(night.folder))
        assert again.returncode == Exit.FINISHED, again.stdout + again.stderr
        assert [t.status for t in night.state().trials.values()] == [verdict]
