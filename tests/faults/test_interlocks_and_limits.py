"""Interlocks that trip, limits that are exceeded, steps that take too long: in a whole campaign."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from memory_night import MemoryNight, memory_night, unsafe

from orchestrator.engine.loop import Engine
from orchestrator.errors import Exit
from orchestrator.model.events import (
    ActionDispatched,
    ActionDone,
    ActionFailed,
    ActionNotDone,
    InterlockFired,
    Paused,
    Recorded,
    TrialProposed,
)
from simulators.twins.faults import Fault

RULE = "never supply.on while gauge.pressure > 5 Pa"
LATCHED = "when the lab is in order: `hagane resume`, then run it again"


def when_striking(act: Callable[[], Any]) -> Callable[[Engine, Recorded], None]:
    """Does something at the moment at which the first plasma has been struck."""
    struck: list[str] = []

    def meddle(engine: Engine, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, ActionDispatched) and event.action == "on":
            struck.append(event.ticket)
        if isinstance(event, ActionDone) and event.ticket in struck[:1]:
            act()

    return meddle


def events(night: MemoryNight) -> list[Any]:
    return [r.event for r in night.stage.store.read(night.stage.campaign_id)]


def check_latched(night: MemoryNight, said: str) -> None:
    """It refuses to run, touches nothing, and goes on after `hagane resume`."""
    assert unsafe(night.lab()) == []
    effects = night.world.counts()["effects"]
    refused = night.run()
    assert refused.exit_code is Exit.SAFETY
    assert refused.sentence == f"the campaign is latched: {said}"
    assert refused.hint == LATCHED
    assert night.world.counts()["effects"] == effects
    night.heal()
    night.wish("resume")
    assert night.run().exit_code is Exit.FINISHED
    assert [t.status for t in night.state().trials.values()] == ["failed", "done"]


def test_an_interlock_that_trips_before_the_strike_strikes_nothing(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=1, lab={RULE: RULE.replace("5 Pa", "0.6 Pa")})
    ending = night.run()
    assert ending.exit_code is Exit.SAFETY
    assert RULE.replace("5 Pa", "0.6 Pa") in ending.sentence
    assert "gauge.pressure is 0.8" in ending.sentence
    assert ending.hint == LATCHED
    assert unsafe(night.lab()) == []
    assert night.world.counts()["strikes"] == 0
    assert sum(isinstance(e, InterlockFired) for e in events(night)) == 1


def test_an_interlock_that_trips_during_a_deposition_ends_it(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=2)
    leak = when_striking(lambda: night.world.chamber.set_flow("argon", 300.0))
    ending = night.run_with(leak)
    assert ending.exit_code is Exit.SAFETY
    assert ending.sentence.startswith(f"interlock '{RULE}': gauge.pressure is ")
    assert night.world.counts()["films_finished"] == 0
    check_latched(night, ending.sentence)
    assert night.state().trials[1].sentence == f"it was given up on the way: {ending.sentence}"


@pytest.mark.parametrize("how", ["hang", "unplug"])
def test_a_gauge_that_falls_silent_counts_as_unsafe(tmp_path: Path, how: Any) -> None:
    night = memory_night(tmp_path, trials=2)
    ending = night.run_with(when_striking(lambda: night.wires["gauge"].faults.fail(Fault(how))))
    assert ending.exit_code is Exit.SAFETY
    assert "gauge.pressure could not be read (gauge: " in ending.sentence
    assert ending.sentence.endswith("which counts as unsafe")
    check_latched(night, ending.sentence)


def test_nothing_new_begins_while_the_lab_is_being_made_safe(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=2, campaign={"seed: 1": "seed: 1"})
    night.run_with(when_striking(lambda: night.world.chamber.set_flow("argon", 300.0)))
    story = events(night)
    [latch] = [n for n, e in enumerate(story) if isinstance(e, Paused) and e.about == "latch"]
    [cut] = [n for n, e in enumerate(story) if isinstance(e, ActionFailed) and e.spoils_sample]
    assert cut < latch
    between = [e for e in story[cut:latch] if isinstance(e, ActionDispatched | TrialProposed)]
    assert between == []


def test_a_limit_narrower_than_an_expression_fails_the_trial_and_is_no_stop(
    tmp_path: Path,
) -> None:
    night = memory_night(
        tmp_path,
        trials=2,
        campaign={"power: =power\n": "power: =power * 1.0\n"},
        lab={"{max: 250 W}": "{max: 100 W}"},
    )
    assert night.run().exit_code is Exit.FINISHED
    trials = night.state().trials
    assert trials[1].status == "done"
    assert (trials[2].status, trials[2].cause) == ("failed", "parameters")
    assert trials[2].blames_parameters
    said = "supply.set_power power = 175.14 W is outside its limits (value <= 100 W)"
    assert trials[2].sentence == said
    assert night.world.counts()["strikes"] == 1
    assert [s["position"] for s in night.world.snapshot()["samples"]] == ["tray", "tray"]
    assert unsafe(night.lab()) == []


def deposit_with(setting: str) -> dict[str, str]:
    return {"duration: 20 min": f"duration: 20 min\n      {setting}"}


def test_a_step_that_takes_too_long_pauses_the_campaign_with_everything_off(
    tmp_path: Path,
) -> None:
    night = memory_night(tmp_path, trials=1, campaign=deposit_with("timeout: 22 min"))
    ending = night.run()
    assert ending.exit_code is Exit.PERSON
    said = "step 'deposit' did not end within 1320 s of campaign time"
    assert ending.sentence == f"step 'deposit' of trial 1 failed: {said}"
    assert unsafe(night.lab()) == []
    counts = night.world.counts()
    assert (counts["strikes"], counts["films_partial"]) == (1, 1), "a spoilt film is not repeated"
    story = events(night)
    [paused] = [n for n, e in enumerate(story) if isinstance(e, Paused)]
    ticket = {e.ticket: e for e in story if isinstance(e, ActionDispatched)}
    done = [ticket[e.ticket] for e in story[:paused] if isinstance(e, ActionDone)]
    assert [(e.resource, e.action) for e in done[-4:]] == [
        ("supply", "off"),
        ("oxygen", "set_flow"),
        ("argon", "set_flow"),
        ("heater", "off"),
    ]


def test_a_step_that_takes_too_long_before_it_did_anything_is_tried_again(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=1, campaign=deposit_with("timeout: 3 min"))
    assert night.run().exit_code is Exit.PERSON
    assert len(night.state().trials[1].attempts["deposit"]) == 3
    assert night.world.counts()["strikes"] == 0
    assert unsafe(night.lab()) == []


def test_a_step_whose_file_says_so_fails_its_trial(tmp_path: Path) -> None:
    setting = deposit_with("timeout: 30 min\n      on_failure: fail_trial")
    night = memory_night(tmp_path, trials=2, campaign=setting)
    assert night.run().exit_code is Exit.FINISHED
    assert [t.cause for t in night.state().trials.values()] == ["device", "device"]
    assert [s["position"] for s in night.world.snapshot()["samples"]] == ["tray", "tray"]


def test_a_move_that_takes_too_long_is_asked_after_and_not_repeated(tmp_path: Path) -> None:
    words = {"{do: arm.move, to: probe}": "{do: arm.move, to: probe, timeout: 5 s}"}
    night = memory_night(tmp_path, trials=1, campaign=words)
    assert night.run().exit_code is Exit.FINISHED
    [failed] = [e for e in events(night) if isinstance(e, ActionFailed)]
    assert failed.sentence == "step 'move' did not end within 5 s of campaign time"
    [asked] = [e for e in events(night) if isinstance(e, ActionDone) and e.ticket == failed.ticket]
    assert asked.evidence == "asked"
    assert not [e for e in events(night) if isinstance(e, ActionNotDone)]
    assert night.world.counts()["sample_moves"] == 3
