"""What the loop's commands come to: each one done, and what came of it recorded."""

from __future__ import annotations

import contextlib
from typing import TypeAlias, assert_never

from orchestrator.engine import commands as do
from orchestrator.engine.admission import next_store, position_of, sample_of
from orchestrator.engine.given import given_proposal, recommended
from orchestrator.engine.history import Past, in_context
from orchestrator.engine.judging import judge, known_values, scans_of
from orchestrator.engine.ledger import Ledger
from orchestrator.engine.points import refuse_outside, refuse_refused
from orchestrator.engine.recovery import examine
from orchestrator.engine.study import BoundStep, Study
from orchestrator.errors import InputError, PlanningError, PoolExhausted, ResultRefused
from orchestrator.model import events as ev
from orchestrator.model.state import State
from orchestrator.model.trial import FailureCause, Proposal
from orchestrator.ports.execution import Executor, Order
from orchestrator.ports.planner import AskingPlanner, History

WARM_UP_TRIALS = 3
"""So many trials before the first one that needs a model, the planner gets ready."""

_Told: TypeAlias = do.CloseTrial | do.Await | do.GiveUp | do.Pause | do.End
"""What only the journal is told of."""


class Deeds:
    """Carries out commands."""

    def __init__(
        self, study: Study, ledger: Ledger, planner: AskingPlanner, executor: Executor
    ) -> None:
        self._exhausted: tuple[int, PoolExhausted] | None = None
        self._study = study
        self._ledger = ledger
        self._planner = planner
        self._executor = executor
        self._past = Past(study.campaign)

    @property
    def exhausted(self) -> str | None:
        """None while the planner may have candidates; else why a pool that grows does not ('' of
        another one). With a further result it may grow."""
        if self._exhausted is None:
            return None
        n_ended, error = self._exhausted
        if error.why_no_more and _n_ended(self._ledger.state) > n_ended:
            return None
        return error.why_no_more

    async def carry_out(self, command: do.Command) -> None:
        """Does what a command says and records what came of it. Raises JournalError."""
        state, record = self._ledger.state, self._ledger.record
        match command:
            case do.Propose():
                await self._propose(command)
            case do.StartStep():
                await self._step(command)
            case do.TakeUp():
                await self._take_up(command)
            case do.Examine():
                await examine(command.ticket, state, self._executor, record)
            case do.Judge():
                trial = state.trials[command.trial]
                names, closes = command.metrics, command.closes
                scans = await scans_of(self._study, state, trial, names)
                await record(*judge(self._study, state, trial, names, scans, closes=closes))
            case do.TryLater():
                await self._ledger.clock.sleep(command.at - self._ledger.clock.now())
            case do.AskPerson():
                pass  # the loop ends the run
            case _:
                await self._tell(command)

    async def _propose(self, command: do.Propose) -> None:
        if command.source != "planner":
            await self._give(command)
            return
        clock, state = self._ledger.clock, self._ledger.state
        after, start = state.n_events, clock.now()
        now_s = start - state.started_at
        try:
            chosen = await self._chosen(self._past.history(state, now_s), command.n)
        except PoolExhausted as error:
            self._exhausted = _n_ended(state), error
            return
        except (PlanningError, InputError) as error:
            why = f"no proposal could be made: {error}"
            await self._ledger.record(ev.Paused(why=why, by="engine", about="failure"))
            return
        # what people refused meanwhile, and what was chosen with it in flight, is asked for again
        refused = (not state.refused.keys().isdisjoint(p.point.items()) for p in chosen)
        chosen = chosen[: next((place for place, no in enumerate(refused) if no), len(chosen))]
        seconds = (clock.now() - start) / max(1, len(chosen))
        await self._ledger.record(
            *(
                ev.TrialProposed(
                    trial=number,
                    proposal=proposal,
                    after=after,
                    now_s=now_s,
                    seconds=seconds,
                    asked=command.n,
                )
                for number, proposal in enumerate(chosen, command.trial)
            )
        )
        for number in range(command.trial, command.trial + len(chosen)):
            await self._warm_up(number)

    async def _chosen(self, history: History, n: int) -> list[Proposal]:
        """The planner's next points, of `n` at most. Raises PlanningError (`PoolExhausted`: there
        is no candidate left) and InputError."""
        space = self._study.campaign.space
        proposals = await self._planner.propose(history, n)
        if not proposals:
            raise PlanningError("the planner gave none")
        chosen = [in_context(space, proposal, history) for proposal in proposals[:n]]
        for proposal in chosen:
            refuse_outside(space, proposal.point)
            refuse_refused(history, proposal.point)
        return chosen

    async def _recommend(self) -> None:
        """Settles, once, which trial is to be confirmed."""
        state = self._ledger.state
        now_s = self._ledger.clock.now() - state.started_at
        found, note = None, ""
        try:
            found = await self._planner.recommend(self._past.history(state, now_s))
        except (PlanningError, InputError) as error:
            note = str(error)
        await self._ledger.record(recommended(self._study, state, found, note))

    async def _give(self, command: do.Propose) -> None:
        """The trial of a point that the planner is not asked for."""
        state = self._ledger.state
        if command.source == "confirm" and state.recommended is None:
            await self._recommend()
        proposal = given_proposal(self._study, state, command.source)
        now_s = self._ledger.clock.now() - state.started_at
        await self._ledger.record(
            ev.TrialProposed(
                trial=command.trial, proposal=proposal, after=state.n_events, now_s=now_s
            )
        )

    async def _warm_up(self, number: int) -> None:
        """Lets the model's libraries load while the last trials of the initial design run."""
        campaign, opened = self._study.campaign, self._ledger.state.opened
        n_before = len(campaign.start) + len(opened.start if opened else ())
        model_from = max(0, campaign.planner.initial - n_before) + 1
        if model_from - WARM_UP_TRIALS <= number < model_from <= campaign.budget.trials:
            # if it cannot start, the proposal that needs it says so
            with contextlib.suppress(PlanningError):
                await self._planner.start()

    async def _step(self, command: do.StartStep) -> None:
        bound = self._study.step(command.step)
        bound = bound.at(self._ledger.state.trials[command.trial].proposal.point)
        try:
            order = self._order(command, bound)
        except ResultRefused as refused:
            await self._ledger.record(
                ev.TrialFailed(
                    trial=command.trial,
                    step=command.step,
                    cause=FailureCause.MEASUREMENT,
                    sentence=str(refused),
                )
            )
            return
        await self._executor.carry_out(order)

    async def _take_up(self, command: do.TakeUp) -> None:
        event = self._ledger.state.dispatches[command.ticket].event
        timeout_s = self._study.step(event.step).step.timeout_s
        await self._executor.take_up(event, timeout_s)

    def _order(self, command: do.StartStep, bound: BoundStep) -> Order:
        study, state = self._study, self._ledger.state
        trial = state.trials[command.trial]
        values = known_values(study, state, trial)
        arguments = dict(bound.constants)
        for name, expression in bound.computed.items():
            arguments[name] = expression.evaluate(values)
        sample, source = sample_of(state, trial), position_of(state, trial)
        before: tuple[ev.Event, ...] = ()
        if bound.makes_sample and sample is None:
            source = next_store(study, state)
            sample = f"{study.campaign.name}-{trial.number}"
            before = (ev.SampleMade(sample=sample, trial=trial.number, position=source),)
        by_kind = {"sample": sample, "source": source, "target": bound.target}
        for declared in bound.action.args:
            if by_kind.get(declared.kind):
                arguments[declared.name] = by_kind[declared.kind]
        return Order(
            ticket=study.ticket(command.trial, command.step, command.attempt),
            resource=bound.resource,
            action=bound.action.name,
            arguments=arguments,
            trial=command.trial,
            step=command.step,
            attempt=command.attempt,
            timeout_s=bound.step.timeout_s,
            sample=sample,
            source=source if bound.moves_sample else "",
            target=bound.target,
            before=before,
        )

    async def _tell(
        self, command: do.CloseTrial | do.Await | do.GiveUp | do.Pause | do.End
    ) -> None:
        await self._ledger.record(_plain_event(command))
        if isinstance(command, do.Pause) and command.make_safe:
            await self._executor.make_safe(command.why)


def _n_ended(state: State) -> int:
    return sum(1 for trial in state.trials.values() if trial.status.is_terminal)


def _plain_event(command: _Told) -> ev.Event:
    match command:
        case do.CloseTrial():
            return ev.TrialDone(trial=command.trial)
        case do.Await():
            return ev.TrialAwaits(trial=command.trial, metrics=command.metrics)
        case do.GiveUp():
            return ev.TrialFailed(**command.__dict__)
        case do.Pause():
            is_safety, about = command.is_safety, "latch" if command.is_safety else "failure"
            return ev.Paused(why=command.why, by="engine", about=about, is_safety=is_safety)
        case do.End():
            return ev.Finished(why=command.why, rule=command.rule)
        case _:
            assert_never(command)
