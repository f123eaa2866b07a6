"""Ax through its `Client`, generation method 'fast', the given points attached as trials.

Real (log too) and words natively; measured limits as outcome constraints; the reference point as
thresholds on two objectives; a mixture as three reals whose sum is at most one, the fourth being
the rest; a failed trial is marked abandoned, as its documentation has it for points that must not
be asked for again (marked failed, they may be); padding was not tried. Not expressible: a pool
(asked for its columns as reals, the nearest untried candidate is attached instead and the asked
one abandoned). Recommends `get_best_parameterization`, by model predictions.
"""

from __future__ import annotations

import logging
from typing import Any

import torch
from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.utils.common.logger import set_ax_logger_levels

from benchmarks.planner.peers.play import BestSeen, Unable, main
from benchmarks.planner.peers.spaces import code, nearest_candidate
from benchmarks.planner.problems import Measured, Point, Problem, Variable


class Ax(BestSeen):
    """A client; `_trials` are its numbers of the trials told."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem)
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        set_ax_logger_levels(logging.ERROR)
        self._goals = [f"y{i}" for i in range(problem.n_objectives)]
        self._limits = [f"limit{i}" for i in range(problem.n_limits)]
        self._trials: list[int] = []
        self._asked: list[int] = []
        self._client = Client(random_seed=seed)
        rest = [" + ".join(problem.names[:-1]) + " <= 1"] if problem.is_mixture else []
        self._client.configure_experiment(
            name="benchmark", parameters=self._parameters(), parameter_constraints=rest
        )
        bounds = [f"{m} <= 0" for m in self._limits]
        bounds += [f"{m} <= {r}" for m, r in zip(self._goals, problem.reference, strict=False)]
        self._client.configure_optimization(
            objective=", ".join(f"-{m}" for m in self._goals), outcome_constraints=bounds
        )
        self._client.configure_generation_strategy(
            method="fast",
            initialization_budget=8,
            initialize_with_center=False,
            initialization_random_seed=seed,
        )

    def tell(self, point: Point, measured: Measured | None) -> None:
        """Completes the trial that was asked for, or attaches one."""
        super().tell(point, measured)
        if self._asked:
            number = self._asked.pop(0)
        else:
            number = self._client.attach_trial(parameters=self._words(point))
        self._trials.append(number)
        if measured is None:
            self._client.mark_trial_abandoned(number)
            return
        values = (*measured.objectives, *measured.limits)
        outcomes = dict(zip([*self._goals, *self._limits], map(float, values), strict=True))
        self._client.complete_trial(trial_index=number, raw_data=outcomes)

    def ask(self) -> Point:
        """The next point."""
        return self.ask_many(1)[0]

    def ask_many(self, n: int) -> list[Point]:
        """The next `n` points; perhaps fewer."""
        if n > 1 and self.problem.candidates is not None:
            raise Unable("no batches of a pool")
        found = self._client.get_next_trials(max_trials=n)
        return [self._point(number, words) for number, words in found.items()]

    def _point(self, number: int, words: dict[str, Any]) -> Point:
        if self.problem.candidates is not None:
            self._client.mark_trial_abandoned(number)
            return nearest_candidate(self.problem, list(words.values()), self.points)
        self._asked.append(number)
        if self.problem.is_mixture:
            parts = {name: max(float(p), 0.0) for name, p in words.items()}
            return {**parts, self.problem.names[-1]: max(1 - sum(parts.values()), 0.0)}
        return dict(words)

    def recommend(self) -> int | None:
        """The trial that ran the best parameterisation last."""
        if not any(self.measured):
            return None
        _, _, number, _ = self._client.get_best_parameterization()
        return self._trials.index(number)

    def _parameters(self) -> list[Any]:
        if self.problem.candidates is not None:
            names = self.problem.candidates.columns
            return [RangeParameterConfig(n, (0.0, 1.0), "float") for n in names]
        free = self.problem.variables[:-1] if self.problem.is_mixture else self.problem.variables
        return [_parameter(v) for v in free]

    def _words(self, point: Point) -> dict[str, float | str]:
        if self.problem.candidates is not None:
            names = self.problem.candidates.columns
            return dict(zip(names, code(self.problem, point), strict=True))
        if self.problem.is_mixture:
            return {name: point[name] for name in self.problem.names[:-1]}
        return dict(point)


def _parameter(variable: Variable) -> Any:
    if variable.kind == "choice":
        levels = list(variable.levels)
        return ChoiceParameterConfig(variable.name, levels, "str", is_ordered=False)
    scaling = "log" if variable.log else "linear"
    bounds = (variable.low, variable.high)
    return RangeParameterConfig(variable.name, bounds, "float", scaling=scaling)


if __name__ == "__main__":
    main("ax", Ax, ("ax-platform", "botorch", "torch"))
