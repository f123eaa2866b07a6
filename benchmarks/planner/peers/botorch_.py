"""Plain BoTorch as its tutorials use it: default models, `optimize_acqf` with 10 restarts of 512.

LogEI without noise, qLogNEI with noise or measured limits (a model each), qLogNEHVI with the
reference point; a mixture as an equality constraint; pools and spaces of words by enumeration
(without those tried). A failed trial is not expressible: it is told the worst value seen.
Recommends the allowed trial with the best posterior mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from botorch.acquisition import (
    LogExpectedImprovement,
    qLogExpectedImprovement,
    qLogNoisyExpectedImprovement,
)
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.acquisition.objective import GenericMCObjective
from botorch.fit import fit_gpytorch_mll
from botorch.models import MixedSingleTaskGP, ModelListGP, SingleTaskGP
from botorch.optim import optimize_acqf
from botorch.optim.optimize_mixed import optimize_acqf_mixed_alternating
from gpytorch.mlls import ExactMarginalLogLikelihood

from benchmarks.planner.peers.play import BestSeen, best_seen, is_allowed, main
from benchmarks.planner.peers.spaces import (
    at_code,
    code,
    every_choice,
    is_words_only,
    stand_ins,
    unit,
)
from benchmarks.planner.problems import Point, Problem

SEARCH = {"num_restarts": 10, "raw_samples": 512, "sequential": True}


class BoTorch(BestSeen):
    """Models made of all trials each time."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem)
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self._words = [i for i, v in enumerate(problem.variables) if v.kind == "choice"]
        self._rows: list[list[float]] = []
        self._model: Any = None

    def ask(self) -> Point:
        """The next point."""
        return self.ask_many(1)[0]

    def ask_many(self, n: int) -> list[Point]:
        """The next `n` points, each with those before it pending."""
        self._rows += [self._row(self.points[i]) for i in self.fresh()]
        x = torch.tensor(self._rows, dtype=torch.double)
        y = self._outcomes()
        models = [self._fitted(x, y[:, [j]]) for j in range(y.shape[1])]
        self._model = models[0] if len(models) == 1 else ModelListGP(*models)
        return self._best(self._acquisition(x, y, n), n)

    def recommend(self) -> int | None:
        """The allowed trial with the best posterior mean, by the model last fitted."""
        if self._model is None or self.problem.n_objectives > 1:
            return None
        with torch.no_grad():
            x = torch.tensor(self._rows, dtype=torch.double)
            mean = self._model.posterior(x).mean[:, 0].tolist()
        named = [(-m, i) for i, m in enumerate(mean) if self._may_be_named(i)]
        return min(named)[1] if named else best_seen(self.measured)

    def _may_be_named(self, number: int) -> bool:
        measured = self.measured[number]
        return measured is not None and is_allowed(measured)

    def _row(self, point: Point) -> list[float]:
        if not self._words:
            return code(self.problem, point)
        row = []
        for variable in self.problem.variables:
            if variable.kind == "choice":
                row.append(float(variable.levels.index(str(point[variable.name]))))
            else:
                row.append(unit(variable, float(point[variable.name])))
        return row

    def _outcomes(self) -> torch.Tensor:
        if self.problem.fails is not None:
            return -torch.tensor(self.padded(), dtype=torch.double)[:, None]
        told = [(*m.objectives, *m.limits) for m in self.measured if m]
        return -torch.tensor(told, dtype=torch.double)

    def _fitted(self, x: torch.Tensor, y: torch.Tensor) -> Any:
        words = self._words
        model = MixedSingleTaskGP(x, y, cat_dims=words) if words else SingleTaskGP(x, y)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        return model

    def _acquisition(self, x: torch.Tensor, y: torch.Tensor, n: int) -> Any:
        problem = self.problem
        if problem.n_objectives > 1:
            worst = [-r for r in problem.reference]
            return qLogNoisyExpectedHypervolumeImprovement(
                self._model, ref_point=worst, X_baseline=x, prune_baseline=True
            )
        if problem.n_limits:
            return qLogNoisyExpectedImprovement(
                self._model,
                X_baseline=x,
                prune_baseline=True,
                objective=GenericMCObjective(lambda s, X=None: s[..., 0]),  # noqa: N803 (BoTorch's)
                constraints=[_limit(1 + i) for i in range(problem.n_limits)],
            )
        if problem.noise_sd or problem.candidates is not None:
            return qLogNoisyExpectedImprovement(self._model, X_baseline=x, prune_baseline=True)
        if n > 1:
            return qLogExpectedImprovement(self._model, best_f=y.max())
        return LogExpectedImprovement(self._model, best_f=y.max())

    def _best(self, acquisition: Any, n: int) -> list[Point]:
        problem = self.problem
        if problem.candidates is not None or is_words_only(problem):
            return self._best_listed(acquisition, n)
        d = len(problem.variables)
        bounds = torch.zeros(2, d, dtype=torch.double)
        bounds[1] = 1.0
        if self._words:
            levels = {i: [float(k) for k in range(self._n_levels(i))] for i in self._words}
            for i in self._words:
                bounds[1, i] = self._n_levels(i) - 1.0
            found, _ = optimize_acqf_mixed_alternating(
                acquisition, bounds, cat_dims=levels, q=n, **SEARCH
            )
            return [self._point(row) for row in found.tolist()]
        sums = (torch.arange(d), torch.ones(d, dtype=torch.double), 1.0)
        equal = [sums] if problem.is_mixture else None
        found, _ = optimize_acqf(acquisition, bounds, equality_constraints=equal, q=n, **SEARCH)
        return [at_code(problem, row) for row in found.tolist()]

    def _best_listed(self, acquisition: Any, n: int) -> list[Point]:
        listed = every_choice(self.problem) if self._words else stand_ins(self.problem, 0)
        free = [p for p in listed if p not in self.points]
        rows = torch.tensor([self._row(p) for p in free], dtype=torch.double)
        chosen: list[int] = []
        for _ in range(n):
            if chosen:
                acquisition.set_X_pending(rows[chosen])
            with torch.no_grad():
                values = torch.cat([acquisition(part[:, None, :]) for part in rows.split(200)])
            values[chosen] = -torch.inf
            chosen.append(int(values.argmax()))
        return [free[i] for i in chosen]

    def _n_levels(self, number: int) -> int:
        return len(self.problem.variables[number].levels)

    def _point(self, row: list[float]) -> Point:
        return {
            v.name: v.levels[round(u)] if v.kind == "choice" else v.at(min(max(u, 0.0), 1.0))
            for v, u in zip(self.problem.variables, row, strict=True)
        }


def _limit(column: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda samples: -samples[..., column]


if __name__ == "__main__":
    main("botorch", BoTorch, ("botorch", "gpytorch", "torch"))
