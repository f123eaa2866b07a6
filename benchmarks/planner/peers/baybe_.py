"""BayBE with its default recommender, words one-hot.

Real and words natively, log scales as their logarithm; a mixture as a linear equality; a pool as
a table of discrete numbers; two objectives by a Pareto objective with qLogNEHVI and the reference
point. Not expressible: measured limits and failed trials (such a trial is told the worst value
seen). Recommends the allowed trial with the best posterior mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from baybe import Campaign
from baybe.acquisition import qLogNoisyExpectedHypervolumeImprovement
from baybe.constraints import ContinuousLinearConstraint
from baybe.objectives import ParetoObjective, SingleTargetObjective
from baybe.parameters import (
    CategoricalParameter,
    NumericalContinuousParameter,
    NumericalDiscreteParameter,
)
from baybe.recommenders import BotorchRecommender, TwoPhaseMetaRecommender
from baybe.searchspace import SearchSpace
from baybe.targets import NumericalTarget

from benchmarks.planner.peers.play import BestSeen, is_allowed, main
from benchmarks.planner.peers.spaces import line_bounds, off_line, on_line
from benchmarks.planner.problems import Point, Problem, Variable


class BayBe(BestSeen):
    """A campaign; trials are handed over when the next is asked for."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem)
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        np.random.seed(seed)
        self._goals = [f"y{i}" for i in range(problem.n_objectives)]
        targets = [NumericalTarget(name, minimize=True) for name in self._goals]
        if problem.n_objectives == 1:
            self._campaign = Campaign(self._space(), SingleTargetObjective(targets[0]))
            return
        # of the targets as BayBE maximises them
        worst = tuple(-r for r in problem.reference)
        value = qLogNoisyExpectedHypervolumeImprovement(reference_point=worst)
        recommender = TwoPhaseMetaRecommender(
            recommender=BotorchRecommender(acquisition_function=value)
        )
        self._campaign = Campaign(self._space(), ParetoObjective(targets), recommender)

    def ask(self) -> Point:
        """The next point."""
        return self.ask_many(1)[0]

    def ask_many(self, n: int) -> list[Point]:
        """The next `n` points."""
        self._hand_over()
        return [self._point(row) for _, row in self._campaign.recommend(n).iterrows()]

    def _point(self, row: pd.Series) -> Point:
        if self.problem.candidates is not None:
            rows = np.asarray(self.problem.candidates.rows)
            found = row[list(self.problem.candidates.columns)].to_numpy(dtype=float)
            number = int(np.argmin(np.sum((rows - found) ** 2, axis=1)))
            return {"candidate": self.problem.candidates.names[number]}
        return {v.name: _value(v, row[v.name]) for v in self.problem.variables}

    def recommend(self) -> int | None:
        """By posterior statistics of the measurements."""
        allowed = [i for i, m in enumerate(self.measured) if m and is_allowed(m)]
        if not allowed or self.problem.n_objectives > 1:
            return None
        rows = pd.DataFrame([self._row(self.points[i]) for i in allowed])
        mean = self._campaign.posterior_stats(rows)[f"{self._goals[0]}_mean"].to_numpy()
        return allowed[int(np.argmin(mean))]

    def _hand_over(self) -> None:
        padded = self.padded() if self.problem.n_objectives == 1 else []
        rows = []
        for number in self.fresh():
            measured = self.measured[number]
            values = measured.objectives if padded == [] and measured else (padded[number],)
            outcomes = dict(zip(self._goals, map(float, values), strict=True))
            rows.append({**self._row(self.points[number]), **outcomes})
        if rows:
            self._campaign.add_measurements(pd.DataFrame(rows))

    def _row(self, point: Point) -> dict[str, float | str]:
        pool = self.problem.candidates
        if pool is not None:
            row = pool.rows[pool.names.index(str(point["candidate"]))]
            return dict(zip(pool.columns, row, strict=True))
        return {
            v.name: on_line(v, float(point[v.name])) if v.kind == "real" else point[v.name]
            for v in self.problem.variables
        }

    def _space(self) -> SearchSpace:
        pool = self.problem.candidates
        if pool is not None:
            table = pd.DataFrame(pool.rows, columns=list(pool.columns))
            columns = [NumericalDiscreteParameter(c, np.unique(table[c])) for c in pool.columns]
            return SearchSpace.from_dataframe(table, parameters=columns)
        constraints = []
        if self.problem.is_mixture:
            constraints.append(ContinuousLinearConstraint(list(self.problem.names), "=", rhs=1.0))
        parameters = [_parameter(v) for v in self.problem.variables]
        return SearchSpace.from_product(parameters, constraints=constraints)


def _parameter(variable: Variable) -> Any:
    if variable.kind == "choice":
        return CategoricalParameter(variable.name, values=variable.levels, encoding="OHE")
    return NumericalContinuousParameter(variable.name, line_bounds(variable))


def _value(variable: Variable, found: Any) -> float | str:
    return off_line(variable, float(found)) if variable.kind == "real" else str(found)


if __name__ == "__main__":
    main("baybe", BayBe, ("baybe", "botorch", "torch"))
