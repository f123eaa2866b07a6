"""Optuna's GPSampler.

Real (log too) and words natively; noise-free problems are declared deterministic; measured limits
by `Trial.set_constraint`. Not expressible: a reference point for two objectives (it takes its
own); a pool (asked for its columns as reals, the nearest untried candidate is taken and told
instead); a mixture (the FAQ's way: each component is -log of a uniform number, then all are
divided by their sum); a failed trial (it is told the worst value seen: a failed state is ignored
by the sampler, which then asks for much the same again, and in five runs each of failure_circle
and crash4 23 to 31 of 32 suggestions failed, against 9 to 15). Offers no model: recommends the
best seen.
"""

from __future__ import annotations

import math

import optuna
import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from benchmarks.planner.peers.play import BestSeen, Unable, main
from benchmarks.planner.peers.spaces import code, nearest_candidate
from benchmarks.planner.problems import Point, Problem

SUM_OF_LOGS = 4.0
"""The sum that -log of four uniform numbers has on average."""


class Optuna(BestSeen):
    """A study; trials are handed over when the next is asked for."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem)
        torch.set_num_threads(1)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        is_exact = not problem.noise_sd and problem.candidates is None
        sampler = optuna.samplers.GPSampler(
            seed=seed, n_startup_trials=8, deterministic_objective=is_exact
        )
        self._study = optuna.create_study(
            directions=["minimize"] * problem.n_objectives, sampler=sampler
        )
        self._distributions = self._space()
        self._asked: dict[int, optuna.Trial] = {}

    def ask(self) -> Point:
        """The next point."""
        return self.ask_many(1)[0]

    def ask_many(self, n: int) -> list[Point]:
        """The next `n` points, the sampler knowing that those before are running."""
        self._hand_over()
        if n > 1 and self.problem.candidates is not None:
            raise Unable("no batches of a pool")
        return [self._next(len(self.points) + i) for i in range(n)]

    def _next(self, number: int) -> Point:
        trial = self._study.ask(self._distributions)
        self._asked[number] = trial
        params = trial.params
        if self.problem.candidates is not None:
            return nearest_candidate(self.problem, list(params.values()), self.points)
        if self.problem.is_mixture:
            parts = {name: -math.log(u) for name, u in params.items()}
            return {name: part / sum(parts.values()) for name, part in parts.items()}
        return dict(params)

    def _hand_over(self) -> None:
        padded = self.padded() if self.problem.n_objectives == 1 else []
        for number in self.fresh():
            measured = self.measured[number]
            values = list(measured.objectives) if measured else [padded[number]]
            limits = {f"c{i}": v for i, v in enumerate(measured.limits if measured else ())}
            trial = self._asked.get(number)
            if trial is not None and self.problem.candidates is None:
                for key, value in limits.items():
                    trial.set_constraint(key, value)
                self._study.tell(trial, values)
                continue
            if trial is not None:
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            self._study.add_trial(
                optuna.trial.create_trial(
                    params=self._params(self.points[number]),
                    distributions=self._distributions,
                    values=values,
                    constraints=limits or None,
                )
            )

    def _space(self) -> dict[str, BaseDistribution]:
        if self.problem.candidates is not None:
            return {name: FloatDistribution(0, 1) for name in self.problem.candidates.columns}
        if self.problem.is_mixture:
            return {name: FloatDistribution(1e-6, 1 - 1e-6) for name in self.problem.names}
        return {
            v.name: FloatDistribution(v.low, v.high, log=v.log)
            if v.kind == "real"
            else CategoricalDistribution(v.levels)
            for v in self.problem.variables
        }

    def _params(self, point: Point) -> dict[str, float | str]:
        if self.problem.candidates is not None:
            columns = self.problem.candidates.columns
            return dict(zip(columns, code(self.problem, point), strict=True))
        if self.problem.is_mixture:
            raw = {name: math.exp(-float(p) * SUM_OF_LOGS) for name, p in point.items()}
            return {name: min(max(u, 1e-6), 1 - 1e-6) for name, u in raw.items()}
        return dict(point)


if __name__ == "__main__":
    main("optuna", Optuna, ("optuna", "torch", "scipy"))
