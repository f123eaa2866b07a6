"""Our own planner through its public port: `BayesianPlanner(task).propose(history, n)`.

Everything is said in its own words: mixtures, pools, several goals with the value at which each
stops to be of interest, limits on measured metrics, trials that failed because of their
parameters. Recommends the allowed trial that its own diagnosis holds for the best. For ablations
`--options` goes to `planner: {options: ...}` of a campaign file; with `--padded` it is told the
worst value seen of a trial that failed, as most peers are, so that it learns no classifier;
`--vary` puts one of `benchmarks.planner.variants` in the planner's place, and `--own-start N` lets
the planner choose its N first points itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from typing import Any

from benchmarks.planner.peers.play import N_START, BestSeen, Measured, main
from benchmarks.planner.problems import Point, Problem, Variable
from benchmarks.record import revision
from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective, OutcomeConstraint
from orchestrator.model.space import Choice, Mixture, Parameter, Pool, Real, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask


class Hagane(BestSeen):
    """A history, and the planner that is asked anew each time."""

    def __init__(
        self,
        problem: Problem,
        seed: int,
        options: dict[str, Any] | None = None,
        *,
        pads: bool = False,
        own_start: int | None = None,
    ) -> None:
        super().__init__(problem)
        self._task = task(problem, seed, options or {})
        self.n_given = N_START
        if own_start is not None:
            choice = self._task.planner.model_copy(update={"initial": own_start})
            self._task = self._task.model_copy(update={"planner": choice})
            self.n_given = 0
        self._planner = BayesianPlanner(self._task)
        self._pads = pads
        self._evaluated: list[Evaluated] = []

    def tell(self, point: Point, measured: Measured | None) -> None:
        """Adds a trial to the history."""
        super().tell(point, measured)
        trial = len(self.points)
        if measured is None:
            ended = Evaluated(trial=trial, point=point, failed=True, blames_parameters=True)
        else:
            values = (*measured.objectives, *measured.limits)
            names = metric_names(self.problem)
            outcomes = {n: Outcome(value=v) for n, v in zip(names, values, strict=True)}
            ended = Evaluated(trial=trial, point=point, outcomes=outcomes)
        self._evaluated.append(ended)

    def ask(self) -> Point:
        """The next point."""
        return self.ask_many(1)[0]

    def ask_many(self, n: int) -> list[Point]:
        """The next `n` points."""
        return [dict(p.point) for p in self._planner.propose(self._history(), n)]

    def recommend(self) -> int | None:
        """The allowed trial that the model thinks best."""
        trial = self._planner.recommend(self._history())
        return None if trial is None else trial - 1

    def _history(self) -> History:
        told = self._evaluated
        if self._pads:
            worst = (Outcome(value=value) for value in self.padded())
            told = [
                Evaluated(trial=e.trial, point=e.point, outcomes={"y1": w}) if e.failed else e
                for e, w in zip(told, worst, strict=True)
            ]
        return History(evaluated=tuple(told), n_proposed=len(told))


def metric_names(problem: Problem) -> tuple[str, ...]:
    """Objectives first, then the limits."""
    goals = (f"y{i + 1}" for i in range(problem.n_objectives))
    return (*goals, *(f"limit{i + 1}" for i in range(problem.n_limits)))


def task(problem: Problem, seed: int, options: dict[str, Any]) -> PlanningTask:
    """The problem in the words of a campaign."""
    metrics = metric_names(problem)
    worst = problem.reference or (None,) * problem.n_objectives
    goals = tuple(
        Goal(metric=m, direction="minimise", worst=w) for m, w in zip(metrics, worst, strict=False)
    )
    limits = tuple(
        OutcomeConstraint(metric=m, sense="<=", bound=0.0) for m in metrics[len(goals) :]
    )
    return PlanningTask(
        space=space(problem),
        metrics=tuple(MetricScale(name=m, unit="") for m in metrics),
        objective=Objective(goals=goals, constraints=limits),
        planner=PlannerChoice(kind="bayesian", initial=8, options=options),
        seed=seed,
    )


def space(problem: Problem) -> SearchSpace:
    """The search space, with its mixture."""
    mixtures: tuple[Mixture, ...] = ()
    if problem.is_mixture:
        every = len(problem.names)
        mixtures = (Mixture(name="blend", components=problem.names, present=(1, every)),)
    parameters = tuple(_parameter(problem, v) for v in problem.variables)
    return SearchSpace(parameters=parameters, mixtures=mixtures)


def _parameter(problem: Problem, variable: Variable) -> Parameter:
    if variable.kind == "choice":
        return Choice(name=variable.name, options=variable.levels)
    if problem.candidates is not None:
        pool = problem.candidates
        units = ("",) * len(pool.columns)
        return Pool(
            name=variable.name, names=pool.names, columns=pool.columns, units=units, rows=pool.rows
        )
    scale = "log" if variable.log else "linear"
    return Real(name=variable.name, low=variable.low, high=variable.high, scale=scale)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--padded", action="store_true")
    parser.add_argument("--vary")
    parser.add_argument("--own-start", type=int)
    chosen, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    if chosen.vary:
        from benchmarks.planner.variants import VARIANTS

        VARIANTS[chosen.vary]()
    make = partial(Hagane, options=chosen.options, pads=chosen.padded, own_start=chosen.own_start)
    main("hagane", make, ("hagane", "scipy"), revision=revision())
