"""A line breaks while liquid is given into a vessel: it is given at most once."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from faults_night import WITHIN_S, new_night
from memory_night import MemoryNight
from wet_night import CAMPAIGN, LAB, wet_night

from orchestrator.errors import Exit
from orchestrator.model.state import State
from orchestrator.ports.resource import Wire
from simulators.twins.faults import Fault, How

INTO_THE_VESSEL = b"I2A"


class Giving:
    """The pumps' wire; fails from the `n`-th move into the vessel on, or from just before it."""

    def __init__(self, wire: Wire, night: MemoryNight, how: How, n: int, *, heard: bool) -> None:
        self._wire, self._night, self._how = wire, night, how
        self._n, self._heard = n, heard

    async def receive(self, data: bytes) -> bytes:
        if INTO_THE_VESSEL not in data:
            return await self._wire.receive(data)
        self._n -= 1
        if self._n == 0 and not self._heard:
            self._night.wires["pumps"].faults.fail(Fault(self._how))
        reply = await self._wire.receive(data)
        if self._n == 0 and self._heard:
            self._night.wires["pumps"].faults.fail(Fault(self._how))
        return reply


def broken(tmp_path: Path, how: Any, n: int, *, heard: bool) -> MemoryNight:
    night = wet_night(tmp_path)
    wire = night.wires["pumps"]
    night.stage.wires["pumps"] = Giving(wire, night, how, n, heard=heard)  # type: ignore[index]
    return night


def portions(state: State) -> list[dict[str, Any]]:
    """What came of every portion of a trial that is done."""
    return [
        {"liquid": step, **state.dispatches[trial.attempts[step][-1]].results}
        for trial in state.trials.values()
        if trial.status == "done"
        for step in ("add_cyan", "add_water")
    ]


def test_a_campaign_on_the_wet_bench_weighs_what_it_mixes(tmp_path: Path) -> None:
    night = wet_night(tmp_path)
    ending = night.run()
    assert ending.exit_code is Exit.FINISHED, ending
    state = night.state()
    found = portions(state)
    assert len(found) == 6
    for portion in found:
        density = 1.012e-3 if portion["liquid"] == "add_cyan" else 0.998e-3
        assert portion["mass"] == pytest.approx(density * portion["volume"], rel=0.02, abs=0.002)
    counts = night.world.counts()
    assert counts["initialisations"] == 2 + 3
    strokes = [d for d in state.dispatches.values() if d.event.action == "dispense"]
    assert counts["dispenses"] == sum(bool(d.event.parent) for d in strokes)


def test_a_line_that_comes_back_needs_no_person(tmp_path: Path) -> None:
    """The answer to the command is lost, and the three questions after it."""
    night = wet_night(tmp_path)
    wire = night.wires["pumps"]

    class Losing(Giving):
        async def receive(self, data: bytes) -> bytes:
            self._n -= INTO_THE_VESSEL in data
            if INTO_THE_VESSEL in data and self._n == 0:
                wire.faults.fail(Fault("drop", times=4))
            return await wire.receive(data)

    night.stage.wires["pumps"] = Losing(wire, night, "drop", 2, heard=True)  # type: ignore[index]
    ending = night.run()
    assert ending.exit_code is Exit.FINISHED, ending
    state = night.state()
    unsure = [d for d in state.dispatches.values() if d.failure is not None]
    assert {d.failure.error for d in unsure if d.failure} >= {"DeviceUnsure"}
    assert {d.outcome for d in unsure if d.event.action == "dispense"} == {"done"}
    assert [t.status for t in state.trials.values()] == ["done"] * 3
    strokes = [d for d in state.dispatches.values() if d.event.action == "dispense"]
    assert night.world.counts()["dispenses"] == sum(bool(d.event.parent) for d in strokes)


@pytest.mark.parametrize("how", ["hang", "unplug"])
@pytest.mark.parametrize("heard", [True, False], ids=["heard", "not heard"])
def test_the_balance_answers_for_a_dispense_that_the_pump_cannot_answer_for(
    tmp_path: Path, how: str, heard: bool
) -> None:
    """The pump's driver is another one after the restart, and knows of no move."""
    night = broken(tmp_path, how, 1, heard=heard)
    ending = night.run()
    assert ending.exit_code is Exit.PERSON, "while the line is broken nobody can tell"
    assert "cyan.dispense of trial 1" in ending.sentence
    assert night.lab()["volumes_ul"]["vessel"].keys() == ({"cyan"} if heard else set())
    night.heal()
    again = night.run()
    assert again.exit_code is Exit.FINISHED, again
    state = night.state()
    assert [t.status for t in state.trials.values()] == ["done"] * 3
    assert not state.open_tickets
    first = state.dispatches[state.trials[1].attempts["add_cyan"][0]]
    assert first.outcome == ("done" if heard else "not_done")
    counted = night.world.counts()["dispenses"]
    given = [p for p in portions(state) if p["volume"] > 0]
    assert counted == sum(-(-int(p["volume"] * 1e3) // 1000000) for p in given)


def test_a_dispense_that_stopped_on_the_way_waits_for_a_person_who_is_told_how_much_came(
    tmp_path: Path,
) -> None:
    night = wet_night(tmp_path)
    pump = night.world.pumps["1"]  # type: ignore[attr-defined]

    class Blocking(Giving):
        async def receive(self, data: bytes) -> bytes:
            pump.blocks = pump.blocks or INTO_THE_VESSEL in data
            return await self._wire.receive(data)

    wire = Blocking(night.wires["pumps"], night, "drop", 0, heard=True)
    night.stage.wires["pumps"] = wire  # type: ignore[index]
    ending = night.run()
    assert ending.exit_code is Exit.PERSON
    known = next(d.doubt.known for d in night.state().doubts() if d.doubt and not d.event.parent)
    assert "g have come" in known
    assert night.world.counts()["dispenses"] == 1


EFFECTS = ["draws", "wastes", "draws", "dispenses", "draws", "dispenses"]
"""Of a trial, after the three initialisations: the drain's, then a draw and a dispense each."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("effect", "when"), [(6, "after"), (7, "before"), (7, "after"), (9, "after")]
)
def test_kill_minus_nine_while_a_pump_moves_gives_nothing_twice(
    tmp_path: Path, effect: int, when: str
) -> None:
    with new_night(tmp_path, trials=1) as night:
        for file in night.folder.iterdir():
            file.unlink()
        text = CAMPAIGN.replace("trials: 3", "trials: 1")
        (night.folder / "campaign.yaml").write_text(text)
        (night.folder / "lab.yaml").write_text(LAB)
        child = night.start(waits=True)
        with night.control() as control:
            control.kill(child.pid, effect, when)  # type: ignore[arg-type]
        child.send_signal(signal.SIGCONT)
        _, said = child.communicate(timeout=WITHIN_S)
        assert child.returncode == -signal.SIGKILL, said
        code, _, said = night.run()
        assert code == Exit.FINISHED, said
        (trial,) = night.state().trials.values()
        assert trial.status == "done", trial.sentence
        with night.control() as control:
            state = control.state()
    names = [e["name"] for e in state["effects"]]
    # nothing has been given yet: what the stop made safe is set again, the drain too
    again = ["initialisations", "draws", "wastes"] if (effect, when) == (6, "after") else []
    assert names[3:] == [*EFFECTS[:3], *again, *EFFECTS[3:]]
    assert names.count("dispenses") == 2
    wanted = trial.proposal.point
    for liquid in ("cyan", "water"):
        found = state["volumes_ul"]["vessel"][liquid]
        assert found == pytest.approx(float(wanted[liquid]), rel=0.02)
