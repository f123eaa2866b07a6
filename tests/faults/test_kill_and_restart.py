"""kill -9 in the middle of a deposition: nobody is there, and then somebody comes."""

from __future__ import annotations

from pathlib import Path

from faults_night import new_night
from memory_night import unsafe

from orchestrator.errors import Exit
from orchestrator.model.events import MadeSafe

STRIKE, SHUTTER = 4, 5
"""Numbers of the plasma's strike and the shutter's opening among the effects of a first trial."""
LONG = {"20 min": "900 min"}
"""At the nights' speed the plasma burns for 9 s of wall time."""


def test_the_plasma_burns_on_after_kill_minus_nine_until_a_restart_makes_it_safe(
    tmp_path: Path,
) -> None:
    with new_night(tmp_path, trials=1, campaign=LONG) as night:
        night.kill_after(SHUTTER)
        with night.control() as control:
            world = control.state()
            assert world["plasma"]
            assert world["shutter"]
            assert world["heater_target_c"] is not None
            again = night.command("run", str(night.folder))
            assert again.returncode == Exit.PERSON
            assert unsafe(control.state()) == []
        assert "tool.deposit of trial 1 took place: supply.on was done" in again.stdout


def test_what_the_lab_file_leaves_at_a_restart_is_left_until_the_engine_acts(
    tmp_path: Path,
) -> None:
    left = {"unit_id: 1}": "unit_id: 1, on_restart: leave}"}
    with new_night(tmp_path, trials=1, campaign=LONG, lab=left) as night:
        night.kill_after(STRIKE)
        again = night.command("run", str(night.folder))
        assert again.returncode == Exit.PERSON
        with night.control() as control:
            assert unsafe(control.state()) == ["heater"]
        made_safe = [r.event.resource for r in night.events() if isinstance(r.event, MadeSafe)]
        assert "supply" in made_safe
        assert "heater" not in made_safe
