"""Plain BoTorch as its tutorials use it, to compare with: default model, optimize_acqf."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.objective import GenericMCObjective
from botorch.fit import fit_gpytorch_mll
from botorch.models import MixedSingleTaskGP, ModelListGP, SingleTaskGP
from botorch.optim import optimize_acqf
from botorch.optim.optimize_mixed import optimize_acqf_mixed_alternating
from gpytorch.mlls import ExactMarginalLogLikelihood, SumMarginalLogLikelihood

from orchestrator.model.trial import Proposal
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.initial import SpaceFilling
from orchestrator.planner.measured import on_scale
from orchestrator.ports.planner import History, PlanningTask

N_RESTARTS, N_RAW = 10, 512


class BoTorchReference:
    """Continuous and mixed spaces; the same space-filling start as ours. Not for pools."""

    def __init__(self, task: PlanningTask) -> None:
        torch.set_num_threads(1)
        self._task = task
        self._start = SpaceFilling(task)
        self._encoding = Encoding(task.space)

    def propose(self, history: History, n: int) -> Sequence[Proposal]:
        """One point (`n` must be 1)."""
        if history.n_proposed < self._task.planner.initial:
            return self._start.propose(history, n, lambda k: f"start {k}")
        torch.manual_seed(self._task.seed * 1000 + history.n_proposed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            codes = self._candidate(history)
        point = self._encoding.decode(self._encoding.snap(codes.numpy()))[0]
        return [Proposal(point=point, source="model", why="plain BoTorch")]

    def _candidate(self, history: History) -> torch.Tensor:
        x = torch.from_numpy(self._encoding.encode([e.point for e in history.evaluated]))
        words = list(self._encoding.unordered)
        models = []
        for metric in self._task.metrics:
            values = [on_scale(metric, e.outcomes[metric.name].value) for e in history.evaluated]
            y = torch.tensor(values, dtype=torch.float64)[:, None]
            models.append(MixedSingleTaskGP(x, y, cat_dims=words) if words else SingleTaskGP(x, y))
        if len(models) == 1:
            model = models[0]
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        else:
            model = ModelListGP(*models)
            fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
        names = [m.name for m in self._task.metrics]
        constraints = [
            lambda s, c=c: (
                (1.0 if c.sense == ">=" else -1.0) * (c.bound - s[..., names.index(c.metric)])
            )
            for c in self._task.objective.constraints
        ]
        value = qLogNoisyExpectedImprovement(
            model,
            X_baseline=x,
            objective=GenericMCObjective(lambda s, **_: -s[..., 0]),
            constraints=constraints or None,
        )
        bounds = torch.zeros(2, x.shape[1], dtype=torch.float64)
        bounds[1] = 1.0
        if words:
            cells = self._encoding.cells
            levels = {i: [(k + 0.5) / cells[i] for k in range(cells[i])] for i in words}
            found, _ = optimize_acqf_mixed_alternating(
                value, bounds, cat_dims=levels, q=1, num_restarts=N_RESTARTS, raw_samples=N_RAW
            )
        else:
            found, _ = optimize_acqf(value, bounds, q=1, num_restarts=N_RESTARTS, raw_samples=N_RAW)
        return found
