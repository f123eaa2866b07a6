"""The laws of `decide`, on random recipes, labs, failures, kills and persons."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paper_lab import PaperLab, studies

from orchestrator.engine import commands as do
from orchestrator.engine.admission import blanks_left, room_at
from orchestrator.engine.decide import decide, in_flight, n_in_flight
from orchestrator.engine.study import Study
from orchestrator.model import events as ev
from orchestrator.model.outages import is_away
from orchestrator.model.state import DispatchState, State, TrialState
from orchestrator.model.trial import TrialStatus

LONGEST = 1500


def check_pure(lab: PaperLab, commands: list[do.Command]) -> None:
    assert decide(lab.study, lab.state, lab.now()) == commands
    assert lab.state == lab.refold()


def check_may_start(study: Study, state: State, command: do.StartStep) -> None:
    bound, trial = study.step(command.step), state.trials[command.trial]
    busy = Counter(
        d.event.resource
        for t in state.open_tickets
        if (d := state.dispatches[t]).event.parent is None
    )
    for other in busy:
        if other == bound.resource:
            assert busy[other] < study.capacity[other], "a busy resource is given another step"
        else:
            assert not study.holds[other] & study.holds[bound.resource], "a shared part is busy"
    if bound.moves_sample:
        assert room_at(study, state, bound.target) >= 1, "a position is overfilled"
    if bound.makes_sample:
        assert blanks_left(study, state) >= 1
    earlier = [state.dispatches[t] for t in trial.attempts.get(command.step, [])]
    assert command.attempt == len(earlier) + 1
    assert not any(state.dispatches[t].is_open for ts in trial.attempts.values() for t in ts)
    for dispatch in earlier:
        if dispatch.outcome == "done":
            check_may_be_set_again(study, state, dispatch)
        is_carried_off = trial.status is TrialStatus.FAILED
        is_spoiled = dispatch.failure is not None and dispatch.failure.spoils_sample
        assert is_carried_off or not is_spoiled, "a step is repeated on a spoiled sample"


def check_may_be_set_again(study: Study, state: State, setting: DispatchState) -> None:
    """What was done is done once more where that changes nothing but what the device has lost."""
    order = setting.event
    assert order.effect == "idempotent", "a step is repeated after it was done"
    assert not order.target, "a move is repeated after it was done"
    whole = [d for d in state.dispatches.values() if d.event.parent is None]
    away = {
        d.event.resource
        for d in whole
        if d.failed_seq > setting.seq and d.failure is not None and is_away(d.failure)
    }
    made_safe = {made.resource for at, made in state.made_safe if at > setting.at}
    undone, here = away | made_safe, study.holds[order.resource]
    assert any(study.holds[name] & here for name in undone), "what is still there is set again"
    for later in whole:
        if later.event.trial == order.trial and later.seq > setting.seq:
            is_act = later.event.effect in ("queryable", "irreversible") or later.event.target
            assert not (is_act and later.outcome == "done"), "it is set again after an act"


def check_state(study: Study, state: State) -> None:
    assert n_in_flight(state) == len(in_flight(state)) <= study.in_flight
    check_indices(state)
    for position in study.lab.positions:
        if not position.stores_new:
            assert len(state.at_position(position.name)) <= position.slots
    stores = sum(p.slots for p in study.lab.positions if p.stores_new)
    assert len(state.samples) <= stores
    assert len(state.trials) <= study.campaign.budget.trials


def check_indices(state: State) -> None:
    """What is kept so that a decision need not count is what one would count."""
    assert not state.busy.keys() & state.idle.keys()
    assert state.busy.keys() | state.idle.keys() == state.live.keys()
    open_ones = [state.dispatches[t] for t in state.open_tickets]
    counted = Counter(d.event.resource for d in open_ones if d.event.parent is None)
    assert counted == Counter({name: n for name, n in state.open_at.items() if n})
    assert state.unsure.keys() == {d.event.ticket for d in open_ones if d.failure is not None}
    for number in state.busy:
        last = [ts[-1] for ts in state.trials[number].attempts.values()]
        assert any(state.dispatches[t].is_open for t in last)


def check_transitions(story: list[ev.Recorded]) -> None:
    state, before = State(), dict[int, TrialStatus]()
    for entry in story:
        state.apply(entry)
        for number, trial in state.trials.items():
            was = before.get(number, TrialStatus.PROPOSED)
            assert trial.status is was or was.may_become(trial.status)
            before[number] = trial.status


def waits_for_room(lab: PaperLab) -> bool:
    """Whether some sample's next place is full, or the blanks are used up."""
    full = any(room_at(lab.study, lab.state, p.name) < 1 for p in lab.study.lab.positions)
    return full or blanks_left(lab.study, lab.state) < 1


def deadlocked(lab: PaperLab) -> set[int]:
    """Trials that wait in a circle for each other's places: no person put anything there."""
    study, state = lab.study, lab.state
    holders: dict[int, set[int]] = {}
    for trial in in_flight(state):
        way = next_moves(study, state, trial)
        if way and room_at(study, state, way[0]) < 1:
            holders[trial.number] = {s.trial for s in state.at_position(way[0])}
    while True:
        stuck = {n for n, by in holders.items() if by <= set(holders)}
        if stuck == set(holders):
            return stuck
        holders = {n: holders[n] for n in stuck}


def next_moves(study: Study, state: State, trial: TrialState) -> list[str]:
    done = {
        step for step, ts in trial.attempts.items() if state.dispatches[ts[-1]].outcome == "done"
    }
    return [b.target for b in study.steps if b.moves_sample and b.step.name not in done]


def run_to_the_end(lab: PaperLab) -> str:
    """Plays until the campaign has ended, or waits for room that only a person can make."""
    for _ in range(LONGEST):
        commands = decide(lab.study, lab.state, lab.now())
        check_pure(lab, commands)
        check_state(lab.study, lab.state)
        if lab.state.finished is not None:
            assert commands == []
            return "finished"
        carry_out_all(lab, commands)
        if lab.goes_wrong():
            lab.crash_and_recover()
        elif lab.under_way() and (not commands or lab.draw(st.booleans())):
            lab.end_one(lab.pick(lab.under_way()))
        elif not commands:
            assert lab.state.paused is not None, "nothing is done, and nobody is asked for anything"
            if is_about_room(lab.state.paused.why):
                assert waits_for_room(lab)
                assert not deadlocked(lab)
                return "no room"
            lab.a_person_comes()
    raise AssertionError(f"it does not end: {[e.event.kind for e in lab.story[-30:]]}")


def is_about_room(why: str) -> bool:
    return "taken by" in why or "no new sample" in why


def carry_out_all(lab: PaperLab, commands: list[do.Command]) -> None:
    was_paused = lab.state.paused is not None
    for command in _in_any_order(lab, commands):
        if isinstance(command, do.StartStep):
            assert not was_paused
            check_may_start(lab.study, lab.state, command)
        lab.carry_out(command)


def _in_any_order(lab: PaperLab, commands: list[do.Command]) -> list[do.Command]:
    return commands if len(commands) < 2 else lab.draw(st.permutations(commands))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(study=studies(), data=st.data(), troubles=st.integers(0, 12))
def test_every_campaign_ends_and_nothing_is_done_that_must_not_be(
    study: Study, data: st.DataObject, troubles: int
) -> None:
    lab = PaperLab(study, data.draw, troubles)
    run_to_the_end(lab)
    check_transitions(lab.story)
    assert len(lab.started) == len(set(lab.started)), "a ticket was given twice"
