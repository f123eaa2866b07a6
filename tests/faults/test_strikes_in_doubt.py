"""The supply breaks at the strike, which is irreversible and which it cannot be asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from memory_night import MemoryNight, memory_night, person_tidies_up, unsafe

from orchestrator.engine.loop import Engine
from orchestrator.errors import Exit, InputError
from orchestrator.model.events import ActionDispatched, Recorded
from orchestrator.ports.resource import Wire
from orchestrator.runtime.resolving import resolution
from simulators.twins.faults import Fault, How


class Striking:
    """The supply's wire; fails from the moment at which the plasma is struck."""

    def __init__(self, wire: Wire, night: MemoryNight, how: How) -> None:
        self._wire, self._night = wire, night
        self._faults = [Fault(how)]

    async def receive(self, data: bytes) -> bytes:
        reply = await self._wire.receive(data)
        if data.startswith(b"A") and self._faults:
            self._night.wires["supply"].faults.fail(self._faults.pop())
        return reply


@pytest.mark.parametrize("how", ["hang", "unplug"])
def test_a_strike_that_nobody_can_confirm_is_a_doubt_and_never_repeated(
    tmp_path: Path, how: Any
) -> None:
    night = memory_night(tmp_path, trials=2)
    night.stage.wires["supply"] = Striking(night.wires["supply"], night, how)
    ending = night.run()
    assert ending.exit_code is Exit.PERSON
    assert "it is not known whether tool.deposit of trial 1 took place" in ending.sentence
    assert "supply.on is in doubt itself" in ending.sentence
    assert ending.sentence.endswith("; could not be made safe: supply")
    assert "hagane doubts" in ending.hint
    doubts = {d.event.action: d.doubt.known for d in night.state().doubts() if d.doubt}
    assert set(doubts) == {"deposit", "on"}
    assert "the device cannot say what it did" in doubts["on"]
    night.heal()
    again = night.run()
    assert again.exit_code is Exit.PERSON, "it still waits for a person"
    assert unsafe(night.lab()) == []
    assert night.world.counts()["strikes"] == 1
    person_tidies_up(night)
    assert night.run().exit_code is Exit.FINISHED
    assert [t.status for t in night.state().trials.values()] == ["failed", "done"]
    assert night.world.counts()["strikes"] == 2


def test_a_wrong_word_about_a_doubt_is_refused_before_it_waits_for_an_engine(
    tmp_path: Path,
) -> None:
    night = memory_night(tmp_path, trials=2)
    night.stage.wires["supply"] = Striking(night.wires["supply"], night, "hang")
    assert night.run().exit_code is Exit.PERSON
    state = night.state()
    ticket = next(d.event.ticket for d in state.doubts() if d.event.action == "deposit")
    for verdict, results, at, said in [
        ("done", {}, "", "gives results that a person must state"),
        ("done", {"thickness": "nan"}, "", "'nan', which is not a finite number"),
        ("done", {"thickness": "131,5"}, "", "'131,5', which is not a finite number"),
        ("done", {"thicknes": "131.5"}, "", "'thicknes' is not a result of tool.deposit"),
        ("failed", {"thickness": "131.5"}, "", "an action that is failed has no results"),
        ("failed", {}, "moon", "'moon' is not a position of this lab"),
    ]:
        with pytest.raises(InputError, match=said):
            resolution(state, ticket, verdict, results, at)
    for verdict, at in (("failed", "tray"), ("failed", "out"), ("not_done", "")):
        assert resolution(state, ticket, verdict, {}, at)["at"] == at


def test_of_two_verdicts_that_wait_the_last_one_counts(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=2)
    night.stage.wires["supply"] = Striking(night.wires["supply"], night, "hang")
    night.run()
    night.heal()
    night.run()
    (ticket,) = [d.event.ticket for d in night.state().doubts() if d.event.action == "deposit"]
    night.wish("resolve", ticket=ticket, verdict="not_done")
    night.wish("resolve", ticket=ticket, verdict="failed")
    assert night.run().exit_code is Exit.FINISHED
    assert night.world.counts()["strikes"] == 2, "the film was not grown again"
    assert night.stage.store.answer(1) == (
        "refused: a later verdict on the same ticket takes its place"
    )


def test_a_strike_whose_reply_is_lost_is_confirmed_by_reading_back(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=1)

    def lose(engine: Engine, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, ActionDispatched) and event.action == "on":
            night.wires["supply"].faults.fail(Fault("drop", after=1))

    assert night.run_with(lose).exit_code is Exit.FINISHED
    assert night.world.counts()["strikes"] == 1
