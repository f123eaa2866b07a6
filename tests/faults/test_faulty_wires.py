"""Every wire fails in every way, in the middle of a campaign; the device comes back later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from memory_night import MemoryNight, memory_night, person_tidies_up, unsafe

from orchestrator.errors import Exit
from simulators.twins.faults import Fault, How

REPLIES = {
    "gas": 24,
    "gauge": 305,
    "supply": 215,
    "monitor": 21,
    "modbus": 120,
    "meter": 16,
    "arm": 128,
    "arm-registers": 104,
}
"""How many replies a port gives in a campaign of two trials, or some less."""
BEHIND = {
    "gas": {"argon", "oxygen"},
    "modbus": {"heater", "valves"},
    "arm-registers": {"arm"},
}
WAYS: tuple[tuple[How, int], ...] = (
    ("drop", 1),
    ("drop", 3),
    ("garble", 1),
    ("garble", 3),
    ("twice", 3),
    ("hang", 1),
    ("unplug", 1),
)
HARMLESS = {("drop", 1), ("garble", 1), ("twice", 3)}
"""One lost or spoilt reply is asked for again, or read back; a second copy is thrown away."""
BARE = {"meter", "supply"}
"""Their replies have neither a checksum nor a form that every spoilt bit breaks."""


def play(night: MemoryNight, port: str, fault: Fault) -> list[str]:
    """Runs to the end, a person repairing and tidying up in between; gives what was said."""
    said: list[str] = []
    night.wires[port].faults.fail(fault)
    for _ in range(8):
        ending = night.run()
        said.append(ending.sentence)
        is_away = not said[1:] and fault.how in ("hang", "unplug") and fault.after <= 0
        out_of_reach = BEHIND.get(port, {port}) if is_away else set()
        left = set(unsafe(night.lab()))
        assert left <= out_of_reach, said
        assert all(name in ending.sentence + ending.hint for name in left), "it is said"
        night.heal()
        if ending.exit_code is Exit.FINISHED:
            return said
        assert ending.exit_code in (Exit.PERSON, Exit.SAFETY, Exit.ENVIRONMENT)
        assert ending.hint
        person_tidies_up(night)
    raise AssertionError(f"the campaign does not end: {said}")


def check(tmp_path: Path, port: str, how: How, times: int, after: int) -> None:
    night = memory_night(tmp_path, trials=2)
    said = play(night, port, Fault(how, after=after, times=times))
    world = night.world.snapshot()
    assert max(len(s["films"]) for s in world["samples"]) == 1, "a film was grown on a film"
    counts = night.world.counts()
    assert counts["bare_exposures"] == counts["protective_stops"] == 0
    state = night.state()
    done = [d for d in state.dispatches.values() if d.event.target and d.outcome == "done"]
    assert counts["sample_moves"] == len(done)
    assert all(t.cause not in ("parameters", "person") for t in state.trials.values())
    if (how, times) in HARMLESS and not (how == "garble" and port in BARE):
        assert said == ["the budget of 2 trials is used"], said
        assert [t.status for t in state.trials.values()] == ["done", "done"]


@pytest.mark.parametrize(("how", "times"), WAYS)
@pytest.mark.parametrize("port", REPLIES)
def test_a_wire_that_fails_costs_a_trial_at_most(
    tmp_path: Path, port: str, how: How, times: int
) -> None:
    # other moments for each, in the first trial and in the second by turns
    n, turn = REPLIES[port], list(REPLIES).index(port) + WAYS.index((how, times))
    after = (5 * times + 7 * len(port) + 11 * len(how)) % (n // 2) + n // 2 * (turn % 2)
    check(tmp_path, port, how, times, after)


@pytest.mark.soak
@pytest.mark.parametrize(("how", "times"), WAYS)
@pytest.mark.parametrize("port", REPLIES)
def test_a_wire_may_fail_at_any_reply(tmp_path: Path, port: str, how: How, times: int) -> None:
    for after in range(REPLIES[port]):
        check(tmp_path / str(after), port, how, times, after)


def test_a_wire_that_is_never_repaired_is_named_again_and_again(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=1)
    night.wires["monitor"].faults.fail(Fault("unplug", after=5))
    first: Any = night.run()
    assert first.exit_code is Exit.PERSON
    for _ in range(3):
        ending = night.run()
        assert ending.exit_code is not Exit.FINISHED
        assert "monitor: the wire is unplugged" in ending.sentence
        assert unsafe(night.lab()) == []


@pytest.mark.parametrize("how", ["drop", "garble"])
def test_a_wire_that_recovers_while_the_lab_is_made_safe_leaves_it_safe(
    tmp_path: Path, how: How
) -> None:
    night = memory_night(tmp_path, trials=1)
    # the heater is on, and its line loses what it needs to be given up and some more
    night.wires["modbus"].faults.fail(Fault(how, after=25, times=14))
    ending = night.run()
    assert ending.exit_code is Exit.PERSON
    assert "heater" in ending.sentence or "valves" in ending.sentence
    assert "could not be made safe" not in ending.sentence
    assert unsafe(night.lab()) == []
