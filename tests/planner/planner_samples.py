"""Small tasks and histories for the planner's tests, and planners that misbehave."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective, OutcomeConstraint
from orchestrator.model.space import Choice, Integer, Parameter, Point, Pool, Real, SearchSpace
from orchestrator.model.trial import Proposal
from orchestrator.ports.planner import (
    Evaluated,
    History,
    MetricScale,
    Outcome,
    Planner,
    PlanningTask,
)

BAYESIAN = "orchestrator.planner.bayesian:BayesianPlanner"
FILM = (
    Real(name="oxygen", low=0.05, high=5.0, unit="sccm", scale="log"),
    Real(name="temperature", low=25.0, high=450.0, unit="degC"),
    Real(name="power", low=50.0, high=200.0, unit="W"),
)
FILM_METRICS = (
    MetricScale(name="resistivity", unit="ohm*cm", scale="log"),
    MetricScale(name="thickness", unit="nm"),
)
THICK = OutcomeConstraint(metric="thickness", sense=">=", bound=120.0)
MIXED = (
    Real(name="x", low=0.0, high=1.0),
    Integer(name="layers", low=1, high=6),
    Choice(name="gas", options=("argon", "neon", "xenon")),
)


def task(
    parameters: Sequence[Parameter] = FILM,
    metrics: Sequence[MetricScale] = FILM_METRICS,
    constraints: Sequence[OutcomeConstraint] = (THICK,),
    *,
    direction: str = "minimise",
    kind: str = "bayesian",
    initial: int = 5,
    seed: int = 1,
    options: dict[str, float | int | str | bool] | None = None,
) -> PlanningTask:
    return PlanningTask(
        space=SearchSpace(parameters=tuple(parameters)),
        metrics=tuple(metrics),
        objective=Objective(
            goals=(Goal(metric=metrics[0].name, direction=direction),),
            constraints=tuple(constraints),
        ),
        planner=PlannerChoice(kind=kind, initial=initial, options=options or {}),
        seed=seed,
    )


def pool(n: int, width: int = 3, seed: int = 0) -> Pool:
    rows = np.random.default_rng(seed).random((n, width))
    return Pool(
        name="alloy",
        names=tuple(f"alloy-{i}" for i in range(n)),
        columns=tuple(f"c{i}" for i in range(width)),
        units=("",) * width,
        rows=tuple(map(tuple, rows.tolist())),
    )


def film(point: Point) -> dict[str, float]:
    """Best at oxygen 0.5 sccm and 350 degC; thick enough only above half of the power."""
    oxygen = np.log10(float(point["oxygen"])) - np.log10(0.5)
    heat = (float(point["temperature"]) - 350.0) / 200.0
    power = float(point["power"]) / 200.0
    decades = 1.5 * oxygen**2 + heat**2 + 0.4 * power - 3.0
    return {"resistivity": float(10**decades), "thickness": 20.0 + 180.0 * power}


def measured(
    question: PlanningTask, truth: Callable[[Point], dict[str, float]], n: int, seed: int = 0
) -> History:
    """A history of `n` random points of the space, measured without noise."""
    from orchestrator.planner.encoding import Encoding

    encoding = Encoding(question.space)
    codes = np.random.default_rng(seed).random((n, encoding.n_parameters))
    points = encoding.decode(encoding.snap(codes))
    return History(evaluated=evaluated(points, truth), n_proposed=n)


def evaluated(
    points: Sequence[Point], truth: Callable[[Point], dict[str, float]], first: int = 1
) -> tuple[Evaluated, ...]:
    return tuple(
        Evaluated(
            trial=first + i,
            point=point,
            outcomes={k: Outcome(value=v) for k, v in truth(point).items()},
        )
        for i, point in enumerate(points)
    )


def play(
    planner: Planner, truth: Callable[[Point], dict[str, float]], n_trials: int
) -> list[Proposal]:
    """A campaign with one trial in flight."""
    history, proposals = History(), []
    for trial in range(1, n_trials + 1):
        proposal = planner.propose(history, 1)[0]
        proposals.append(proposal)
        ended = evaluated([proposal.point], truth, first=trial)
        history = History(evaluated=(*history.evaluated, *ended), n_proposed=trial)
    return proposals


class DiesOnce:
    """Kills its process at the first request; `mark` is a file that remembers it."""

    def __init__(self, question: PlanningTask) -> None:
        self._mark = Path(str(question.planner.options["mark"]))

    def propose(self, history: History, n: int) -> Sequence[Proposal]:
        if not self._mark.exists():
            self._mark.write_text("died")
            os._exit(9)
        print("a library's chatter on standard output")
        return [Proposal(point={"x": 0.5}, source="model", why="the second life")] * n


class DiesAlways:
    """Says something and dies at every request."""

    def __init__(self, question: PlanningTask) -> None:
        pass

    def propose(self, history: History, n: int) -> Sequence[Proposal]:
        os.write(2, b"out of luck\n")
        os._exit(9)


class Sleeps:
    """Never answers a request for two points; answers others at once."""

    def __init__(self, question: PlanningTask) -> None:
        pass

    def propose(self, history: History, n: int) -> Sequence[Proposal]:
        import time

        if n == 2:
            time.sleep(3600)
        return [Proposal(point={"x": 0.5}, source="model", why=f"{n}")] * n


class Raises:
    """Has a fault."""

    def __init__(self, question: PlanningTask) -> None:
        pass

    def propose(self, history: History, n: int) -> Sequence[Proposal]:
        return [Proposal(point={"x": [][0]}, source="model", why="")]
