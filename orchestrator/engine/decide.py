"""What to do next: a pure function of the study, the state and the time.

`decide` never looks at a clock, a device or a planner, and remembers nothing: the loop carries the
commands out, records what came of it, and asks again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from orchestrator import errors
from orchestrator.engine import policy
from orchestrator.engine.admission import (
    blanks_left,
    may_start,
    position_of,
    resource_is_free,
    room_at,
    sample_of,
)
from orchestrator.engine.commands import (
    PREFER,
    AskPerson,
    Await,
    CloseTrial,
    Command,
    End,
    Examine,
    GiveUp,
    Judge,
    Pause,
    Propose,
    StartStep,
    TryLater,
)
from orchestrator.engine.given import Source, is_confirming, source_of_next, uncompared
from orchestrator.engine.stopping import Reason, reason_to_end
from orchestrator.engine.study import BoundStep, Study
from orchestrator.engine.together import n_together
from orchestrator.engine.undone import undone
from orchestrator.engine.waits import in_turn, is_set_for, kept_by, tries_under_way
from orchestrator.model.outages import is_away
from orchestrator.model.patience import has_failed, is_stop
from orchestrator.model.recipe import OnFailure
from orchestrator.model.state import DispatchState, State, TrialState
from orchestrator.model.trial import TrialStatus


def decide(
    study: Study, state: State, now: float, *, exhausted: str | None = None
) -> list[Command]:
    """The commands for this moment, in order of urgency; empty: wait for something to happen.

    `exhausted`: the planner has no candidate left; of a pool that grows, why it does not.
    """
    if state.finished is not None:
        return []
    examine: list[Command] = [
        Examine(t)
        for t in state.unsure
        if (d := state.dispatches[t]).event.parent is None and d.doubt is None
    ]
    settle = list(_settle(study, state))
    if settle:
        return [*examine, *settle]
    end = reason_to_end(study, state, now)
    if end is None and exhausted is not None:
        refused, more = " or refused" if state.refused else "", f"; {exhausted}" * bool(exhausted)
        end = Reason(f"every candidate has been tried{refused}{more}", "exhausted")
    confirms = is_confirming(study, state, end)
    if end and not confirms and not _unsettled(study, state):
        return [End(end.why, end.rule)]
    if state.paused is not None:
        return examine
    to_compare = uncompared(study, state)
    may_propose = confirms or (end is None and (not to_compare or bool(state.wished)))
    next_one = source_of_next(study, state, confirms=confirms) if may_propose else None
    acts = [*examine, *_act(study, state, next_one, now)]
    if acts or may_propose or n_in_flight(state) or state.open_tickets:
        return acts
    return list(_asks(state, to_compare))


def _asks(state: State, to_compare: Sequence[int]) -> Iterator[Command]:
    """What only a person can bring, when nothing else is left to do."""
    awaiting = [t.number for t in state.live_trials() if t.status is TrialStatus.AWAITING]
    if awaiting:
        shown = ", ".join(map(str, awaiting))
        yield AskPerson(f"observations of trial {shown} are still missing")
    elif to_compare:
        shown = ", ".join(map(str, to_compare))
        yield AskPerson(f"nobody has said yet how trial {shown} compares with others", PREFER)


_USES_THE_LAB = (TrialStatus.PROPOSED, TrialStatus.RUNNING)


def in_flight(state: State) -> list[TrialState]:
    """Trials that use the lab: proposed or running."""
    return [t for t in state.live_trials() if t.status in _USES_THE_LAB]


def n_in_flight(state: State) -> int:
    """How many they are; all that are busy are among them."""
    return len(state.busy) + sum(t.status in _USES_THE_LAB for t in state.idle_trials())


def _unsettled(study: Study, state: State) -> bool:
    """Something is still under way: a trial, a late result, a sample to be carried off."""
    idle = state.idle_trials()
    if state.open_tickets or state.busy or any(not t.status.is_terminal for t in idle):
        return True
    return any(_carry_off(study, state, t) for t in idle)


def _settle(study: Study, state: State) -> Iterator[Command]:
    """What follows from results without touching the lab."""
    for trial in state.idle_trials():
        if trial.status is TrialStatus.FAILED:
            yield from _failed_carrying(study, state, trial)
        if trial.status.is_terminal or not trial.attempts:
            continue  # nothing can follow from a trial of which no step was begun
        due = tuple(_due_metrics(study, state, trial))
        is_over = _next_step(study, state, trial) is None
        missing = _missing(study, trial) if is_over else ()
        if due:
            yield Judge(trial.number, due, closes=is_over and set(missing) <= set(due))
        elif is_over:
            if not missing:
                yield CloseTrial(trial.number)
            elif trial.status is not TrialStatus.AWAITING:
                yield Await(trial.number, missing)
        else:
            yield from _lost_for_good(study, state, trial)
            yield from _failed_step(study, state, trial)


def _missing(study: Study, trial: TrialState) -> tuple[str, ...]:
    """The metrics without which the trial is not done."""
    return tuple(m.name for m in study.campaign.awaited if not trial.was_observed(m.name))


def _due_metrics(study: Study, state: State, trial: TrialState) -> Iterator[str]:
    done = {
        step
        for step, tickets in trial.attempts.items()
        if state.dispatches[tickets[-1]].outcome == "done"
    }
    steps = {bound.step.name for bound in study.steps}
    for name, expression in study.metrics.items():
        if expression is None or trial.was_observed(name):
            continue
        needed = {n.split(".")[0] for n in expression.names} & steps
        if needed <= done and done:
            yield name


def _next_step(study: Study, state: State, trial: TrialState) -> BoundStep | None:
    for bound in study.steps:
        last = _last(state, trial, bound)
        if last is None or last.outcome != "done":
            return bound.at(trial.proposal.point)
    return None


def _last(state: State, trial: TrialState, bound: BoundStep) -> DispatchState | None:
    tickets = trial.attempts.get(bound.step.name)
    return state.dispatches[tickets[-1]] if tickets else None


def _lost_for_good(study: Study, state: State, trial: TrialState) -> Iterator[Command]:
    """A pause where the lab was made safe for a driver that ended, and what a trial had set cannot
    be set again: what it gives next may be wrong."""
    ended = state.outages.driver_ended
    if not ended or state.paused is not None:
        return
    lost, _ = undone(state, trial, study.holds, amounts=study.amounts)
    if setting := next((d.event for d in lost if d.seq < ended), None):
        yield Pause(
            f"what step '{setting.step}' of trial {trial.number} set on {setting.resource} was "
            "lost as the lab was made safe, and is not set again after what was done since"
        )


def _failed_step(study: Study, state: State, trial: TrialState) -> Iterator[Command]:
    bound = _next_step(study, state, trial)
    last = _last(state, trial, bound) if bound else None
    if bound is None or last is None or last.failure is None or not has_failed(last):
        return
    failure = last.failure
    if is_stop(failure) or policy.may_retry(study, bound, state, trial):
        return
    follows = policy.policy(bound, failure)
    fails = failure.spoils_sample or follows is OnFailure.FAIL_TRIAL
    is_enough = fails and (follows is OnFailure.FAIL_TRIAL or failure.error == "Stopped")
    was_resumed = state.resumed_seq > last.failed_seq
    if not is_enough and not was_resumed and state.paused is None:
        is_safety = issubclass(policy.kind_of(failure), errors.SafetyStop)
        said = failure.sentence
        if is_away(failure) and (lost := policy.set_for_good(study, bound, state, trial)):
            said += f"; what step '{lost}' set there may be lost"
        yield Pause(
            f"step '{bound.step.name}' of trial {trial.number} failed: {said}",
            is_safety=is_safety,
            make_safe=is_safety or follows is OnFailure.MAKE_SAFE,
        )
    if fails:
        cause = policy.cause(failure)
        blames = failure.blames_parameters
        yield GiveUp(trial.number, bound.step.name, cause, failure.sentence, blames)


def _failed_carrying(study: Study, state: State, trial: TrialState) -> Iterator[Command]:
    bound = _carry_off(study, state, trial)
    last = _last(state, trial, bound) if bound else None
    if bound is None or last is None or last.failure is None or not has_failed(last):
        return
    if is_stop(last.failure) or policy.may_retry(study, bound, state, trial):
        return
    if state.resumed_seq < last.failed_seq and state.paused is None:
        sample = sample_of(state, trial)
        yield Pause(f"sample {sample} could not be carried off: {last.failure.sentence}")


def _act(study: Study, state: State, source: Source | None, now: float) -> Iterator[Command]:
    """The next step; a new trial if there is room for it, and a `source` of its point; or a pause
    when nothing is under way that could make the room that somebody waits for."""
    remaining = _ways(study, state)
    step, later, waiting, kept = _next_of(study, state, now, remaining)
    if step is not None:
        yield step
        return
    room = study.in_flight - n_in_flight(state)
    if source and room > 0 and not _is_kept(study, kept):
        first = study.steps[0]
        number = state.last_number + 1
        way = {**remaining, number: [b.target for b in study.steps if b.moves_sample]}
        if may_start(study, state, first, None, way):
            n = n_together(study, state, room) if source == "planner" else 1
            yield Propose(number, source, n)
            return
        waiting.append(first)
    yield from later
    if waiting and not later and not state.open_tickets:
        stuck = next((b for b in waiting if _has_no_room(study, state, b)), waiting[0])
        yield Pause(_stuck_sentence(study, state, stuck))


def _next_of(
    study: Study, state: State, now: float, remaining: Mapping[int, Sequence[str]]
) -> tuple[StartStep | None, list[TryLater], list[BoundStep], set[str]]:
    """The next step of a trial; else what is tried later, what waits for room or for a resource,
    and the devices waited for."""
    waiting: list[BoundStep] = []
    later, kept = tries_under_way(study, state, now)
    idle = (state.trials[n] for n in state.outages.set_by.values() if n in state.idle)
    ready = {trial.number: trial for trial in idle if _goes_on(study, state, trial)}
    for trial in (*ready.values(), *(t for t in in_turn(state) if t.number not in ready)):
        others = kept if trial.number not in ready else set()
        if others and not others.isdisjoint(kept_by(study, state, trial.number)):
            continue  # of many that wait for the same device only the first is looked at
        bound = _startable(study, state, trial)
        if bound is None or not others.isdisjoint(study.holds[bound.resource]):
            continue
        at = _not_before(study, state, trial, bound)
        if at <= now and may_start(study, state, bound, trial, remaining):
            attempt = len(trial.attempts.get(bound.step.name, ())) + 1
            return StartStep(trial.number, bound.step.name, attempt), later, waiting, kept
        if at > now:
            later.append(TryLater(trial.number, bound.step.name, at))
        else:
            waiting.append(bound)
        if at > now or not resource_is_free(study, state, bound.resource):
            kept |= kept_by(study, state, trial.number)
    return None, later, waiting, kept


def _goes_on(study: Study, state: State, trial: TrialState) -> bool:
    """Whether a device that takes a step at a time was just set for the trial's next step: no other
    trial, an older one that was held up, may set it in between."""
    bound = _startable(study, state, trial)
    return bound is not None and is_set_for(study, state, bound, trial)


def _not_before(study: Study, state: State, trial: TrialState, bound: BoundStep) -> float:
    """When a step may start: what is set again before one that failed waits as that one does."""
    at = policy.not_before(study, bound, state, trial)
    failed = state.outages.failed.get(trial.number)
    if failed is None or failed == bound.step.name:
        return at
    then = study.step(failed).at(trial.proposal.point)
    return max(at, policy.not_before(study, then, state, trial))


def _is_kept(study: Study, kept: Collection[str]) -> bool:
    """Whether no trial can be begun since the device of the first step is waited for."""
    first = study.steps[0]
    return all(not study.holds[name].isdisjoint(kept) for name in first.resources)


def _ways(study: Study, state: State) -> dict[int, Sequence[str]]:
    """Of each trial in flight, where its sample still has to go; nobody asks where none moves."""
    if not any(bound.moves_sample for bound in study.steps):
        return {}
    return {t.number: _way(study, state, t) for t in in_flight(state)}


def _startable(study: Study, state: State, trial: TrialState) -> BoundStep | None:
    """The step that a trial waits to start: its next one, or carrying off a failed sample."""
    if any(state.dispatches[t].is_open for ts in trial.attempts.values() for t in ts):
        return None
    if trial.status is TrialStatus.FAILED:
        return _carry_off(study, state, trial)
    if trial.status.is_terminal:
        return None
    bound = _next_step(study, state, trial)
    if bound is None or not state.outages.lost:
        return bound
    lost = {d.event.step for d in undone(state, trial, study.holds, amounts=study.amounts)[1]}
    first = next(b for b in study.steps if b.step.name in {*lost, bound.step.name})
    return first.at(trial.proposal.point)


def _carry_off(study: Study, state: State, trial: TrialState) -> BoundStep | None:
    """A failed trial's sample is still taken to where the recipe would have left it; the tool that
    holds it is brought to release it first."""
    if trial.status is not TrialStatus.FAILED or sample_of(state, trial) is None:
        return None
    moves = [b for b in study.steps if b.moves_sample and not b.makes_sample]
    places = {p.name for p in study.lab.positions if not p.stores_new}
    here = position_of(state, trial)
    # a person may have taken it out of the lab
    if not moves or here == moves[-1].target or here not in places:
        return None
    release = study.releases.get(here)
    if release is not None:
        last = _last(state, trial, release)
        if last is None or last.outcome != "done":
            return release
    return moves[-1].at(trial.proposal.point)


def _way(study: Study, state: State, trial: TrialState) -> Sequence[str]:
    way: list[str] = []
    for bound in study.steps:
        last = _last(state, trial, bound)
        if bound.moves_sample and (last is None or last.outcome != "done"):
            way.append(bound.target)
    return way


def _has_no_room(study: Study, state: State, bound: BoundStep) -> bool:
    return bound.moves_sample and (
        room_at(study, state, bound.target) < 1
        or (bound.makes_sample and blanks_left(study, state) < 1)
    )


def _stuck_sentence(study: Study, state: State, bound: BoundStep) -> str:
    if bound.makes_sample and blanks_left(study, state) < 1:
        return "no new sample is left in the store"
    there = ", ".join(s.name for s in state.at_position(bound.target))
    return f"step '{bound.step.name}' cannot start: position '{bound.target}' is taken by {there}"
