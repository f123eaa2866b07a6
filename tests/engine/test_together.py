"""Points that are asked for together, where many places are free; and the history they go by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar

import pytest
from small_works import LIGHTEST, MASS, MINUTE, Device, Works, weigh

from orchestrator.engine.history import Past, history_of, task_of
from orchestrator.errors import Exit
from orchestrator.model import events as ev
from orchestrator.model.campaign import Blocks, Budget, Controls, PlannerChoice, StopRules
from orchestrator.model.objective import Goal, Metric, Objective
from orchestrator.model.recipe import Argument
from orchestrator.model.start import KnownOutcome, KnownTrial
from orchestrator.model.state import State, fold
from orchestrator.model.trial import Proposal
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.initial import RandomPlanner
from orchestrator.ports.action import Unit, reading
from orchestrator.ports.planner import History, Planner

STEP = weigh().model_copy(update={"arguments": (Argument(name="x", expression="x"),)})
TWICE = (STEP, STEP.model_copy(update={"name": "later"}))
LATER = Metric(name="later", expression="later.value * (2 - x / 900 degC)", unit="g")


class ManyBalances(Device):
    """Six balances in one."""

    concurrent: ClassVar[int] = 6

    @reading
    async def weigh(self, x: Annotated[float, Unit("degC")]) -> Annotated[float, Unit("g")]:
        """The weight of something at x."""
        await self.meet("weigh")
        await self.clock.sleep(MINUTE)
        return 2.0 + (x / 900.0 - 0.3) ** 2


class Asked:
    """A planner of ours as the engine sees it."""

    def __init__(self, planner: Planner) -> None:
        self.planner = planner
        self.histories: list[tuple[History, int]] = []

    async def start(self) -> None: ...

    async def propose(self, history: History, n: int) -> Sequence[Proposal]:
        self.histories.append((history, n))
        return self.planner.propose(history, n)

    async def recommend(self, history: History) -> int | None:
        return None

    async def close(self) -> None: ...


NAMES: dict[Any, str] = {RandomPlanner: "random", BayesianPlanner: "bayesian"}


def works(kind: Callable[..., Planner], *, trials: int = 14, **settings: Any) -> Works:
    metric = MASS.model_copy(update={"expression": "weigh.value"})
    objective = settings.pop("objective", LIGHTEST)
    made = Works(
        recipe=settings.pop("recipe", (STEP,)),
        metrics=settings.pop("metrics", (metric,)),
        objective=objective,
        trials=trials,
        classes={"balance": ManyBalances},
        settings={"planner": PlannerChoice(kind=NAMES[kind], initial=4), **settings},
    )
    made.planner = Asked(kind(task_of(made.study.campaign)))  # type: ignore[assignment]
    return made


def asked(works: Works) -> Asked:
    assert isinstance(works.planner, Asked)
    return works.planner


def test_as_many_points_are_asked_for_at_once_as_there_are_free_places() -> None:
    place = works(RandomPlanner)
    assert place.run().exit_code is Exit.FINISHED
    assert asked(place).histories[0][1] == 6
    assert len(place.state.trials) == 14
    assert all(n <= 6 for _, n in asked(place).histories)
    first = place.events(ev.TrialProposed)[:6]
    assert {(e.after, e.asked) for e in first} == {(first[0].after, 6)}


@pytest.mark.parametrize("n_goals", [1, 5])
def test_every_point_that_was_asked_for_with_others_is_found_again_bit_for_bit(
    n_goals: int,
) -> None:
    who = [(k, f"m{k}") for k in range(n_goals)]
    metrics = tuple(
        Metric(name=name, expression=f"weigh.value * (1 + {k} * x / 900 degC)", unit="g")
        for k, name in who
    )
    goals = tuple(Goal(metric=name, direction="minimise") for _, name in who)
    objective = Objective(goals=goals)
    start = tuple(
        KnownTrial(
            point={"x": 150.0 * k},
            outcomes={name: KnownOutcome(value=2.0 + (k - 2) ** 2 / (1 + m)) for m, name in who},
        )
        for k in range(5)
    )
    place = works(BayesianPlanner, metrics=metrics, objective=objective, start=start)
    assert place.run().exit_code is Exit.FINISHED
    events = place.events(ev.TrialProposed)
    assert max(e.asked for e in events if e.proposal.source == "model") > 1
    refuse_other_points(place)


def refuse_other_points(place: Works) -> list[History]:
    """Accepts a campaign whose points are found again from what was known; gives that of each."""
    story = list(place.store.read(place.row.id))
    events = place.events(ev.TrialProposed)
    task, histories = task_of(place.study.campaign), []
    for event in events:
        history = history_of(place.study, fold(story[: event.after]), event.now_s)
        number = event.trial - min(e.trial for e in events if e.after == event.after)
        again = BayesianPlanner(task).propose(history, event.asked)[number]
        assert again == event.proposal
        histories.append(history)
    return histories


def of_two_metrics() -> dict[str, Any]:
    mass = MASS.model_copy(update={"expression": "weigh.value"})
    goals = tuple(Goal(metric=name, direction="minimise") for name in ("mass", "later"))
    return {"recipe": TWICE, "metrics": (mass, LATER), "objective": Objective(goals=goals)}


def test_points_chosen_while_a_metric_was_awaited_are_found_again_bit_for_bit() -> None:
    place = works(BayesianPlanner, **of_two_metrics())
    assert place.run().exit_code is Exit.FINISHED
    proposals = [e.proposal for e in place.events(ev.TrialProposed)]
    pairs = zip(proposals, refuse_other_points(place), strict=True)
    assert any(p.source == "model" and history.begun for p, history in pairs)


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({"budget": Budget(trials=4)}, 4),
        ({"controls": Controls(point={"x": 450.0}, every=3)}, 3),
        ({"in_flight": 2}, 2),
        ({"stop": StopRules(little_to_gain=0.1)}, 1),
    ],
)
def test_no_more_are_asked_for_than_can_be_begun(settings: dict[str, Any], most: int) -> None:
    place = works(RandomPlanner, **settings)
    assert place.run().exit_code is Exit.FINISHED
    assert max(n for _, n in asked(place).histories) == most
    assert sum(t.proposal.source != "control" for t in place.state.trials.values()) <= 14
    if "controls" in settings:
        sources = [t.proposal.source for t in place.state.trials.values()]
        assert [k for k, s in enumerate(sources) if s == "control"] == [0, 4, 8, 12]


def test_what_was_chosen_beside_a_point_that_people_refuse_meanwhile_is_asked_for_again() -> None:
    place = works(RandomPlanner)

    class Slow(Asked):
        async def propose(self, history: History, n: int) -> Sequence[Proposal]:
            if self.histories:
                history = history.model_copy(update={"n_proposed": history.n_proposed + 1})
            chosen = await super().propose(history, n)
            if len(self.histories) == 1:
                place.state.refused["x", chosen[2].point["x"]] = None  # type: ignore[index]
            return chosen

    place.planner = Slow(asked(place).planner)  # type: ignore[assignment]
    assert place.run().exit_code is Exit.FINISHED
    assert len(place.state.trials) == 14
    second = asked(place).histories[1][0]
    assert (len(second.pending), second.n_proposed) == (2, 3)
    refused = {value for _, value in place.state.refused}
    points = [t.proposal.point["x"] for t in place.state.trials.values()]
    assert refused.isdisjoint(points)


@pytest.mark.parametrize("settings", [{}, of_two_metrics()])
def test_a_history_that_is_kept_up_to_date_is_the_one_that_is_read_anew(
    settings: dict[str, Any],
) -> None:
    blocks = Blocks(controls=True)
    controls = Controls(point={"x": 450.0}, every=3)
    place = works(RandomPlanner, controls=controls, block=blocks, **settings)
    past = Past(place.study.campaign)
    n_compared, n_begun = 0, 0

    def compare(recorded: ev.Recorded, state: State) -> None:
        nonlocal n_compared, n_begun
        if recorded.seq % 3 == 0:
            told = past.history(state)
            assert told == history_of(place.study, state)
            n_compared += 1
            n_begun += len(told.begun)
        if isinstance(recorded.event, ev.Observed) and recorded.event.trial in (2, 5):
            place.wish("invalidate", observation=recorded.seq, reason="a draught")

    place.on_event = compare
    assert place.run().exit_code is Exit.FINISHED
    assert n_compared > 20
    assert bool(n_begun) is bool(settings)
    told = past.history(place.state)
    assert told == history_of(place.study, place.state)
    assert [e.trial for e in told.evaluated] == sorted(e.trial for e in told.evaluated)
