"""BoFire: SoboStrategy, or MoboStrategy with the reference point.

Real and words natively, log scales as their logarithm; a mixture as a linear equality; measured
limits as outputs with a steep sigmoid objective, as its documentation has it for output
constraints. Not expressible: a pool (asked for its columns as reals, the nearest untried candidate
is told instead); a failed trial (it is told the worst value seen; its own `valid_y = 0` leaves the
row out of the fit, which was not tried here). Recommends the allowed trial with the best
prediction.
"""

from __future__ import annotations

from typing import Any

import bofire.strategies.api as strategies
import numpy as np
import pandas as pd
import torch
from bofire.data_models.constraints.api import LinearEqualityConstraint
from bofire.data_models.domain.api import Constraints, Domain, Inputs, Outputs
from bofire.data_models.features.api import CategoricalInput, ContinuousInput, ContinuousOutput
from bofire.data_models.objectives.api import MinimizeObjective, MinimizeSigmoidObjective
from bofire.data_models.strategies.api import MoboStrategy, SoboStrategy

from benchmarks.planner.peers.play import BestSeen, Unable, is_allowed, main
from benchmarks.planner.peers.spaces import (
    code,
    line_bounds,
    nearest_candidate,
    off_line,
    on_line,
)
from benchmarks.planner.problems import Point, Problem, Variable

STEEPNESS = 1000.0


class BoFire(BestSeen):
    """A strategy; trials are handed over when the next is asked for."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem)
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self._goals = [f"y{i}" for i in range(problem.n_objectives)]
        self._limits = [f"limit{i}" for i in range(problem.n_limits)]
        domain = self._domain()
        if problem.n_objectives == 1:
            said: Any = SoboStrategy(domain=domain, seed=seed)
        else:
            worst = dict(zip(self._goals, problem.reference, strict=True))
            said = MoboStrategy(domain=domain, seed=seed, ref_point=worst)
        self._strategy = strategies.map(said)

    def ask(self) -> Point:
        """The next point."""
        return self.ask_many(1)[0]

    def ask_many(self, n: int) -> list[Point]:
        """The next `n` points."""
        self._hand_over()
        if n > 1 and self.problem.candidates is not None:
            raise Unable("no batches of a pool")
        return [self._point(row) for _, row in self._strategy.ask(n).iterrows()]

    def _point(self, row: pd.Series) -> Point:
        if self.problem.candidates is not None:
            numbers = [float(row[c]) for c in self.problem.candidates.columns]
            return nearest_candidate(self.problem, numbers, self.points)
        return {v.name: _value(v, row[v.name]) for v in self.problem.variables}

    def recommend(self) -> int | None:
        """By the strategy's predictions."""
        allowed = [i for i, m in enumerate(self.measured) if m and is_allowed(m)]
        if not allowed or self.problem.n_objectives > 1:
            return None
        rows = pd.DataFrame([self._row(self.points[i]) for i in allowed])
        mean = self._strategy.predict(rows)[f"{self._goals[0]}_pred"].to_numpy()
        return allowed[int(np.argmin(mean))]

    def _hand_over(self) -> None:
        padded = self.padded() if self.problem.fails is not None else []
        rows = []
        for number in self.fresh():
            measured = self.measured[number]
            if padded:
                outcomes = {self._goals[0]: padded[number]}
            else:
                assert measured is not None
                values = (*measured.objectives, *measured.limits)
                outcomes = dict(zip([*self._goals, *self._limits], values, strict=True))
            valid = {f"valid_{name}": 1 for name in outcomes}
            rows.append({**self._row(self.points[number]), **outcomes, **valid})
        if rows:
            self._strategy.tell(pd.DataFrame(rows))

    def _row(self, point: Point) -> dict[str, float | str]:
        pool = self.problem.candidates
        if pool is not None:
            return dict(zip(pool.columns, code(self.problem, point), strict=True))
        return {
            v.name: on_line(v, float(point[v.name])) if v.kind == "real" else point[v.name]
            for v in self.problem.variables
        }

    def _domain(self) -> Domain:
        pool = self.problem.candidates
        if pool is not None:
            inputs = [ContinuousInput(key=c, bounds=(0, 1)) for c in pool.columns]
        else:
            inputs = [_input(v) for v in self.problem.variables]
        limit = MinimizeSigmoidObjective(tp=0.0, steepness=STEEPNESS, w=1.0)
        outputs = [ContinuousOutput(key=k, objective=MinimizeObjective(w=1.0)) for k in self._goals]
        outputs += [ContinuousOutput(key=k, objective=limit) for k in self._limits]
        constraints = []
        if self.problem.is_mixture:
            names = list(self.problem.names)
            ones = [1.0] * len(names)
            constraints.append(LinearEqualityConstraint(features=names, coefficients=ones, rhs=1.0))
        return Domain(
            inputs=Inputs(features=inputs),
            outputs=Outputs(features=outputs),
            constraints=Constraints(constraints=constraints),
        )


def _input(variable: Variable) -> Any:
    if variable.kind == "choice":
        return CategoricalInput(key=variable.name, categories=list(variable.levels))
    return ContinuousInput(key=variable.name, bounds=line_bounds(variable))


def _value(variable: Variable, found: Any) -> float | str:
    return off_line(variable, float(found)) if variable.kind == "real" else str(found)


if __name__ == "__main__":
    main("bofire", BoFire, ("bofire", "botorch", "torch"))
