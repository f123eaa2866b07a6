"""The state is the fold of the events, whichever way they come."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model import events as ev
from orchestrator.model.state import State, fold
from orchestrator.model.trial import FailureCause, Proposal, TrialStatus

POINT = Proposal(point={"x": 1.0}, source="initial", why="a start")


def recorded(events: Sequence[ev.Event], every_s: float = 10.0) -> list[ev.Recorded]:
    return [
        ev.Recorded(seq=n, at=every_s * n, wall=1e9 + n, event=event)
        for n, event in enumerate(events, 1)
    ]


def opened() -> ev.CampaignOpened:
    return ev.CampaignOpened(
        name="c", campaign_file="c.yaml", campaign_text="", file_hash="h", seed=1, version="0"
    )


def started(token: int = 1) -> ev.EngineStarted:
    return ev.EngineStarted(
        token=token, host="h", pid=1, user="u", version="0", lab_name="l", lab_file="", lab_text=""
    )


def dispatched(
    ticket: str, trial: int | None = 1, step: str = "cook", **facts: object
) -> ev.ActionDispatched:
    known: dict[str, object] = {"resource": "oven", "action": "cook", "effect": "irreversible"}
    return ev.ActionDispatched.model_validate(
        known | {"ticket": ticket, "trial": trial, "step": step} | facts
    )


def failed(ticket: str, *, leaves_doubt: bool = False) -> ev.ActionFailed:
    return ev.ActionFailed(
        ticket=ticket, error="DeviceSilent", sentence="silent", leaves_doubt=leaves_doubt
    )


def paused(about: str, why: str = "") -> ev.Paused:
    return ev.Paused.model_validate({"why": why or about, "by": "u", "about": about})


class _Teller:
    """Draws a legal story, event by event."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._state = State()
        self.told: list[ev.Recorded] = []
        self._tell(opened())
        self._tell(started())

    def _tell(self, event: ev.Event) -> None:
        last = self.told[-1].at if self.told else 0.0
        at = last + self._draw(st.floats(0, 100))
        entry = ev.Recorded(seq=len(self.told) + 1, at=at, wall=1e9 + at, event=event)
        self.told.append(entry)
        self._state.apply(entry)

    def go_on(self) -> None:
        kinds = list(self._possible())
        self._tell(self._draw(st.sampled_from(kinds)))

    def _possible(self) -> Iterator[ev.Event]:
        state, n = self._state, len(self.told)
        yield ev.TrialProposed(trial=len(state.trials) + 1, proposal=POINT, after=n)
        yield ev.MadeSafe(resource="oven", ok=True, why="story")
        yield ev.InterlockFired(rule="r", reading="x")
        yield ev.RequestTaken(request=n, wish="pause")
        yield started(n) if not state.engine_is_up else ev.EngineStopped(reason="", is_safe=True)
        if state.paused is None:
            yield paused(self._draw(st.sampled_from(["wish", "failure", "doubt", "latch"])))
        else:
            yield ev.Resumed(by="u")
        for trial in list(state.trials.values()):
            yield from self._about(trial.number, n)
        for ticket in list(state.open_tickets):
            yield ev.ActionDone(ticket=ticket, results={"value": 1.5})
            yield failed(ticket)
            yield failed(ticket, leaves_doubt=True)
            yield ev.Doubted(ticket=ticket, known="little", needs_person=True)
            yield ev.ActionNotDone(ticket=ticket, evidence="asked")
            yield dispatched(f"inner-{n}", None, "", parent=ticket)

    def _about(self, number: int, n: int) -> Iterator[ev.Event]:
        trial = self._state.trials[number]
        if not trial.status.is_terminal:
            yield dispatched(f"t-{n}", number, sample=next(iter(trial.samples), None), target="bay")
            yield ev.TrialFailed(trial=number, cause=FailureCause.DEVICE, sentence="")
        if trial.status in (TrialStatus.RUNNING, TrialStatus.AWAITING):
            yield ev.TrialDone(trial=number)
        if trial.status is TrialStatus.RUNNING:
            yield ev.TrialAwaits(trial=number, metrics=("m",))
            yield ev.SampleMade(sample=f"s-{n}", trial=number, position="store")
        for sample in trial.samples:
            yield ev.SampleMoved(sample=sample, target="shelf", by="u")
        yield ev.Observed(trial=number, metric="m", value=float(n))
        for observation in trial.observations:
            yield ev.ObservationInvalidated(observation=observation.seq, reason="r", by="u")


@st.composite
def stories(draw: st.DrawFn) -> list[ev.Recorded]:
    teller = _Teller(draw)
    for _ in range(draw(st.integers(0, 40))):
        teller.go_on()
    return teller.told


@settings(max_examples=60, deadline=None)
@given(story=stories(), data=st.data())
def test_all_at_once_and_one_by_one_give_the_same_state(
    story: list[ev.Recorded], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(story)))
    incremental = fold(story[:cut])
    for entry in story[cut:]:
        incremental.apply(entry)
    assert incremental == fold(story)


@settings(max_examples=30, deadline=None)
@given(story=stories())
def test_what_went_through_json_folds_to_the_same_state(story: list[ev.Recorded]) -> None:
    read_back = [ev.Recorded.model_validate_json(entry.model_dump_json()) for entry in story]
    assert fold(read_back) == fold(story)


@settings(max_examples=60, deadline=None)
@given(story=stories())
def test_the_short_lists_agree_with_the_long_ones(story: list[ev.Recorded]) -> None:
    state = fold(story)
    assert list(state.open_tickets) == [t for t, d in state.dispatches.items() if d.is_open]
    unended = {n for n, t in state.trials.items() if not t.status.is_terminal}
    assert unended <= set(state.live)
    assert all(state.trials[n].samples for n in set(state.live) - unended)
    assert [d.event.ticket for d in state.doubts()] == [
        t for t, d in state.dispatches.items() if d.is_open and d.doubt is not None
    ]
    assert state.n_events == len(story)


def test_while_a_calculation_goes_on_from_turn_to_turn_time_runs() -> None:
    stopped = ev.EngineStopped(reason="", is_safe=True)
    asked = ev.ActionDispatched(ticket="t", resource="r", action="a", effect="queryable")
    turns = [opened(), started(), asked, stopped, started(2)]
    assert fold(recorded(turns)).running_s == 30.0
    done = [*turns[:3], ev.ActionDone(ticket="t", results={}), *turns[3:]]
    assert fold(recorded(done)).running_s == 30.0, "nothing went on after the third"
    doubt = ev.Doubted(ticket="t", known="", needs_person=True)
    doubted = [*turns[:3], doubt, *turns[3:]]
    assert fold(recorded(doubted)).running_s == 30.0, "nor did what a person is waited for"


def test_time_without_an_engine_is_not_running_time() -> None:
    story = recorded(
        [opened(), started(), paused("wish"), ev.EngineStopped(reason="", is_safe=True), started(2)]
    )
    assert fold(story).running_s == 20.0
    # killed between its last event and the next start
    assert fold([*story[:3], ev.Recorded(seq=4, at=1e6, wall=0, event=started(2))]).running_s == 10


def test_a_sample_is_believed_at_the_target_once_its_move_is_done() -> None:
    story: list[ev.Event] = [
        ev.TrialProposed(trial=1, proposal=POINT, after=0),
        ev.SampleMade(sample="s", trial=1, position="store"),
        dispatched("a", sample="s", source="store", target="bay"),
    ]
    assert fold(recorded(story)).samples["s"].position == "store"
    assert fold(recorded([*story, failed("a")])).samples["s"].position == "store"
    state = fold(recorded([*story, ev.ActionDone(ticket="a")]))
    assert [s.name for s in state.at_position("bay")] == ["s"]
    assert state.at_position("store") == []
    moved = ev.SampleMoved(sample="s", target="shelf", by="a person")
    assert fold(recorded([*story, moved])).samples["s"].position == "shelf"


def test_a_failure_that_leaves_a_doubt_keeps_its_ticket_open_until_there_is_evidence() -> None:
    story: list[ev.Event] = [
        ev.TrialProposed(trial=1, proposal=POINT, after=0),
        dispatched("a"),
        failed("a", leaves_doubt=True),
    ]
    state = fold(recorded(story))
    assert state.dispatches["a"].is_open
    assert state.doubts() == []
    story.append(ev.Doubted(ticket="a", known="little", needs_person=True))
    assert [d.event.ticket for d in fold(recorded(story)).doubts()] == ["a"]
    for end, outcome in (
        (ev.ActionDone(ticket="a"), "done"),
        (ev.ActionNotDone(ticket="a", evidence="person"), "not_done"),
        (failed("a"), "failed"),
    ):
        ended = fold(recorded([*story, end]))
        assert ended.dispatches["a"].outcome == outcome
        assert (ended.doubts(), ended.open_tickets) == ([], {})


def test_the_newest_observation_that_still_counts_is_the_one() -> None:
    story: list[ev.Event] = [
        ev.TrialProposed(trial=1, proposal=POINT, after=0),
        ev.Observed(trial=1, metric="m", value=1.0),
        ev.Observed(trial=1, metric="m", value=2.0),
    ]
    state = fold(recorded(story))
    seen = state.trials[1].observed("m")
    assert seen is not None
    assert (seen.event.value, seen.seq) == (2.0, 3)
    story.append(ev.ObservationInvalidated(observation=3, reason="typed wrongly", by="u"))
    seen = fold(recorded(story)).trials[1].observed("m")
    assert seen is not None
    assert seen.event.value == 1.0
    story.append(ev.ObservationInvalidated(observation=2, reason="this too", by="u"))
    trial = fold(recorded(story)).trials[1]
    assert trial.observed("m") is None
    assert trial.was_observed("m")


RANKED = ("wish", "failure", "doubt", "latch")


@pytest.mark.parametrize("first", RANKED)
@pytest.mark.parametrize("second", RANKED)
def test_a_weaker_reason_to_pause_does_not_replace_a_stronger_one(first: str, second: str) -> None:
    """Otherwise a person's `pause` would clear the latch of a stop."""
    state = fold(recorded([paused(first, "first"), paused(second, "second")]))
    assert state.paused is not None
    stronger = RANKED.index(second) > RANKED.index(first)
    assert state.paused.why == ("second" if stronger else "first")
    assert fold(recorded([paused(first), paused(second), ev.Resumed(by="u")])).paused is None


def test_carrying_off_a_failed_trials_sample_does_not_revive_the_trial() -> None:
    story: list[ev.Event] = [
        ev.TrialProposed(trial=1, proposal=POINT, after=0),
        ev.TrialFailed(trial=1, cause=FailureCause.DEVICE, sentence=""),
        dispatched("a"),
    ]
    assert fold(recorded(story)).trials[1].status is TrialStatus.FAILED


@pytest.mark.parametrize("status", list(TrialStatus))
def test_nothing_follows_an_end_and_something_follows_all_the_rest(status: TrialStatus) -> None:
    follows = {other for other in TrialStatus if status.may_become(other)}
    assert status.is_terminal is (not follows)
    assert status not in follows
    assert TrialStatus.PROPOSED not in follows
    if not status.is_terminal:
        assert TrialStatus.FAILED in follows


def test_folding_does_not_touch_the_events() -> None:
    story = recorded(
        [
            ev.TrialProposed(trial=1, proposal=POINT, after=0),
            dispatched("a"),
            ev.ActionDone(ticket="a", results={"readings": [1.0, 2.0]}),
        ]
    )
    before = copy.deepcopy(story)
    state = fold(story)
    state.dispatches["a"].results["more"] = 1
    assert story == before
