"""A lab on paper: `decide` is driven by a simulator without devices, clock or event loop.

The simulator keeps a journal of its own, carries commands out in any order, ends actions as
hypothesis draws it, kills the engine between any two events, and plays the person.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from hypothesis import strategies as st

from orchestrator import errors
from orchestrator.engine import commands as do
from orchestrator.engine.admission import position_of, sample_of
from orchestrator.engine.judging import judge
from orchestrator.engine.recovery import examine, recover
from orchestrator.engine.study import Study, prepare
from orchestrator.model import events as ev
from orchestrator.model.campaign import Budget, Campaign, StopRules
from orchestrator.model.lab import Lab, Position, ResourceBinding
from orchestrator.model.objective import Goal, Metric, Objective
from orchestrator.model.recipe import Argument, OnFailure, Step
from orchestrator.model.space import Real, SearchSpace
from orchestrator.model.state import State, fold
from orchestrator.model.trial import Proposal
from orchestrator.ports.action import (
    Cancel,
    Effect,
    PositionArg,
    SampleArg,
    Unit,
    action,
    actions_of,
    reading,
)
from orchestrator.ports.resource import Inner, ResourceKind, Verdict


class Mover:
    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def place(
        self,
        at: Annotated[str, PositionArg("target")],
        sample: Annotated[str, SampleArg()] = "",
        source: Annotated[str, PositionArg("source")] = "",
    ) -> None:
        """Takes a blank."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def move(
        self,
        to: Annotated[str, PositionArg("target")],
        sample: Annotated[str, SampleArg()] = "",
        source: Annotated[str, PositionArg("source")] = "",
    ) -> None:
        """Moves."""


class Tool:
    @reading
    async def measure(self) -> Annotated[float, Unit("nm")]:
        """Measures."""
        return 0.0

    @action(effect=Effect.IDEMPOTENT)
    async def heat(self) -> None:
        """Heats."""

    @action(effect=Effect.IRREVERSIBLE)
    async def grow(self) -> None:
        """Grows."""

    @action(effect=Effect.QUERYABLE)
    async def etch(self) -> None:
        """Etches."""


class ReleasingTool(Tool):
    @action(effect=Effect.IDEMPOTENT)
    async def release(self) -> None:
        """Lets go."""


def kind_of(cls: type) -> ResourceKind:
    return ResourceKind(name=cls.__name__, cls=cls, actions=actions_of(cls), options={})


class PaperStudy(Study):
    """Says in a failing test what matters."""

    def __repr__(self) -> str:
        steps = [f"{b.step.name}>{b.target}" if b.target else b.step.name for b in self.steps]
        places = {p.name: p.slots for p in self.lab.positions}
        held = {n: set(h) for n, h in self.holds.items() if len(h) > 1}
        return f"<{steps} at {places}, {held}, {self.in_flight} in flight, {self.campaign.stop}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@st.composite
def studies(draw: st.DrawFn) -> Study:
    """Random recipes over random positions, tools and shared parts."""
    n_tools = draw(st.integers(1, 3))
    tools = [f"tool{i}" for i in range(n_tools)]
    slots = {t: draw(st.sampled_from([1, 1, 1, 2])) for t in tools}
    walk = draw(st.lists(st.sampled_from(tools), min_size=1, max_size=4))
    recipe = list(_steps(draw, walk))
    recipe.append(Step(name="measure", role=walk[-1], action="measure"))
    if draw(st.booleans()):
        recipe.append(_move(draw, "store", "shelf"))
    budget = draw(st.integers(1, 5))
    classes: dict[str, type] = {t: draw(st.sampled_from([Tool, ReleasingTool])) for t in tools} | {
        "mover": Mover,
        "mover2": Mover,
        "part": Tool,
    }
    shared = draw(st.sets(st.sampled_from(tools)))
    lab = Lab(
        name="paper",
        resources=tuple(
            ResourceBinding(name=n, kind=n, parts={"p": "part"} if n in shared else {})
            for n in classes
        ),
        roles={n: n for n in classes},
        positions=(
            Position(name="blanks", slots=draw(st.integers(1, 8)), stores_new=True),
            *(Position(name=t, slots=n) for t, n in slots.items()),
            Position(name="shelf", slots=draw(st.integers(1, 8))),
        ),
    )
    campaign = Campaign(
        name="paper",
        goal="",
        space=SearchSpace(parameters=(Real(name="x", low=0.0, high=1.0),)),
        roles={n: n for n in classes},
        recipe=tuple(recipe),
        metrics=(
            Metric(name="size", expression="measure.value", unit="nm", low=0.0),
            *([Metric(name="later", expression="", unit="nm")] if draw(st.booleans()) else []),
        ),
        objective=Objective(goals=(Goal(metric="size", direction="minimise"),)),
        budget=Budget(trials=budget),
        stop=StopRules(
            failures_in_a_row=draw(st.sampled_from([None, 2])),
            no_progress=draw(st.sampled_from([None, 2])),
        ),
        in_flight=draw(st.sampled_from([None, 1, 3])),
    )
    kinds = {n: kind_of(c) for n, c in classes.items()}
    study = prepare(campaign, lab, "paper", kinds, {n: k.actions for n, k in kinds.items()})
    return PaperStudy(**study.__dict__)


def _steps(draw: st.DrawFn, walk: Sequence[str]) -> Iterator[Step]:
    policies = st.sampled_from([None, None, *OnFailure])
    for index, tool in enumerate(walk):
        if index == 0:
            new = Argument(name="sample", literal="new")
            at = Argument(name="at", literal=tool)
            yield Step(name="take", role="mover", action="place", arguments=(new, at))
        elif tool != walk[index - 1]:
            yield _move(draw, f"move{index}", tool)
        for n, act in enumerate(draw(st.lists(st.sampled_from(WORK), max_size=2))):
            yield Step(name=f"{act}{index}{n}", role=tool, action=act, on_failure=draw(policies))


WORK = ("measure", "heat", "grow", "etch")


def _move(draw: st.DrawFn, name: str, to: str) -> Step:
    mover = draw(st.sampled_from(["mover", "mover2"]))
    return Step(name=name, role=mover, action="move", arguments=(Argument(name="to", literal=to),))


ENDS: dict[str, errors.HaganeError] = {
    "refused": errors.DeviceRefused("it", "no"),
    "silent": errors.DeviceSilent("it", "silent"),
    "absent": errors.DeviceAbsent("it", "nowhere"),
    "no reading": errors.NoReading("it", "none"),
    "blamed": errors.CalculationFailed("no minimum"),
    "interlock": errors.InterlockTripped("rule", "5 Pa"),
    "stopped": errors.Stopped("stopped"),
    "time-out": errors.StepTimeout("step", 5.0),
}


@dataclass
class PaperLab:
    """Carries commands out on paper. `troubles` is how many things may still go wrong."""

    study: Study
    draw: Any
    troubles: int
    story: list[ev.Recorded] = field(default_factory=list)
    state: State = field(default_factory=State)
    started: list[str] = field(default_factory=list)
    passed_s: float = 0.0

    @property
    def actions(self) -> dict[str, Any]:
        return {r.name: actions_of(_class_of(self.study, r.name)) for r in self.study.lab.resources}

    def now(self) -> float:
        return len(self.story) + self.passed_s

    def record(self, *events: ev.Event) -> None:
        for event in events:
            entry = ev.Recorded(seq=len(self.story) + 1, at=self.now(), wall=0.0, event=event)
            self.story.append(entry)
            self.state.apply(entry)

    def refold(self) -> State:
        return fold(self.story)

    def pick(self, among: Sequence[Any]) -> Any:
        return among[0] if len(among) == 1 else self.draw(st.sampled_from(list(among)))

    def goes_wrong(self) -> bool:
        if self.troubles > 0 and self.draw(st.integers(0, 2)) == 0:
            self.troubles -= 1
            return True
        return False

    def carry_out(self, command: do.Command) -> None:  # noqa: C901 - a flat match over commands
        match command:
            case do.Propose():
                point = Proposal(point={"x": 0.5}, source="initial", why="")
                after = len(self.story)
                self.record(ev.TrialProposed(trial=command.trial, proposal=point, after=after))
            case do.StartStep():
                self._start(command)
            case do.Examine():
                play(examine(command.ticket, self.state, self, self._record))  # type: ignore[arg-type]
            case do.Judge():
                trial = self.state.trials[command.trial]
                closes = command.closes
                self.record(*judge(self.study, self.state, trial, command.metrics, closes=closes))
            case do.CloseTrial():
                self.record(ev.TrialDone(trial=command.trial))
            case do.Await():
                self.record(ev.TrialAwaits(trial=command.trial, metrics=command.metrics))
            case do.GiveUp():
                self.record(ev.TrialFailed(**command.__dict__))
            case do.Pause():
                about = "latch" if command.is_safety else "failure"
                self.record(ev.Paused(why=command.why, by="engine", about=about))
            case do.End():
                self.record(ev.Finished(why=command.why, rule=command.rule))
            case do.TryLater():
                self.passed_s += max(0.0, command.at - self.now())
            case do.AskPerson():
                self._observe_what_is_missing()

    def _start(self, command: do.StartStep) -> None:
        bound, state = self.study.step(command.step), self.state
        trial = state.trials[command.trial]
        sample, source = sample_of(state, trial), position_of(state, trial)
        if bound.makes_sample and sample is None:
            sample, source = f"s{trial.number}", "blanks"
            self.record(ev.SampleMade(sample=sample, trial=trial.number, position=source))
        ticket = self.study.ticket(command.trial, command.step, command.attempt)
        self.started.append(ticket)
        self.record(
            ev.ActionDispatched(
                ticket=ticket,
                trial=command.trial,
                step=command.step,
                attempt=command.attempt,
                resource=bound.resource,
                action=bound.action.name,
                effect=bound.action.effect.value,
                sample=sample,
                source=source if bound.moves_sample else "",
                target=bound.target,
            )
        )

    def under_way(self) -> list[str]:
        """Actions that are still to end (those in doubt have ended)."""
        return [
            t
            for t in self.state.open_tickets
            if (d := self.state.dispatches[t]).failure is None and d.doubt is None
        ]

    def end_one(self, ticket: str) -> None:
        event = self.state.dispatches[ticket].event
        acts = event.effect in ("irreversible", "queryable")
        if not self.goes_wrong():
            value = self.draw(st.sampled_from([1.0, 2.0, -1.0 if self.goes_wrong() else 3.0]))
            self.record(ev.ActionDone(ticket=ticket, results={"value": value}))
            return
        name = self.pick(sorted(ENDS))
        error = ENDS[name]
        leaves_doubt = acts and name in ("silent", "stopped", "time-out")
        spoils = event.effect == "irreversible" and not leaves_doubt and self.pick([False, True])
        self.record(
            ev.ActionFailed(
                ticket=ticket,
                error=type(error).__name__,
                sentence=str(error),
                may_retry=error.may_retry and not leaves_doubt and not spoils,
                blames_parameters=error.blames_parameters,
                leaves_doubt=leaves_doubt,
                spoils_sample=spoils,
            )
        )

    def crash_and_recover(self) -> None:
        play(recover(self.study, self.state, self, self._record, "killed"))  # type: ignore[arg-type]
        paused = self.state.paused
        if paused is not None and paused.about in ("wish", "failure"):
            self.record(ev.Resumed(by="run"))

    def a_person_comes(self) -> None:
        """Resolves every doubt and lets the campaign go on."""
        for dispatch in self.state.doubts():
            ticket = dispatch.event.ticket
            match self.pick(["done", "not_done", "failed"]):
                case "done":
                    self.record(
                        ev.ActionDone(ticket=ticket, results={"value": 1.0}, evidence="person")
                    )
                case "not_done":
                    self.record(ev.ActionNotDone(ticket=ticket, evidence="person"))
                case "failed":
                    self.record(
                        ev.ActionFailed(
                            ticket=ticket, error="Stopped", sentence="no", spoils_sample=True
                        )
                    )
        self.record(ev.Resumed(by="a person"))

    def _observe_what_is_missing(self) -> None:
        for trial in self.state.trials.values():
            if trial.status == "awaiting":
                for metric in self.study.campaign.metrics:
                    if not trial.was_observed(metric.name):
                        self.record(ev.Observed(trial=trial.number, metric=metric.name, value=1.0))

    async def _record(self, *events: ev.Event) -> None:
        self.record(*events)

    async def make_safe(self, why: str, *, skip: frozenset[str] = frozenset()) -> bool:
        for name in sorted({r.name for r in self.study.lab.resources} - skip):
            self.record(ev.MadeSafe(resource=name, ok=True, why=why))
        return True

    async def ask(self, dispatched: ev.ActionDispatched) -> Verdict:
        del dispatched
        return Verdict(self.pick(["done", "not_done", "unknown"]), "as drawn", {"value": 1.0})

    async def judge(self, dispatched: ev.ActionDispatched, inner: Sequence[Inner]) -> Verdict:
        del dispatched, inner
        return Verdict(self.pick(["done", "not_done", "unknown"]), "as drawn", {"value": 1.0})


def play(coroutine: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for something")


def _class_of(study: Study, resource: str) -> type:
    if resource.startswith("mover"):
        return Mover
    return ReleasingTool if resource in study.releases else Tool
