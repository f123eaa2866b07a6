"""What a measurement at a point is worth: the expected improvement, its logarithm.

qLogNEI [Ament et al. 2023, NeurIPS]: noisy observations, points in flight, and constraints on
measured metrics are taken into account by sampling the joint posterior. While nothing measured is
feasible, it improves on a bound below everything, which makes it favour what is likely feasible.
Constraints act on the modelled scale (the logarithm, where the metric is on one).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.objective import GenericMCObjective
from botorch.sampling.normal import SobolQMCNormalSampler
from torch import Tensor

from orchestrator.errors import PlanningError
from orchestrator.model.objective import OutcomeConstraint
from orchestrator.planner.encoding import Encoding, Floats
from orchestrator.planner.measured import Evidence
from orchestrator.planner.surrogate import Surrogate, joint
from orchestrator.ports.planner import PlanningTask

CHUNK = 2048
SURVIVAL_WIDTH = 0.1
SURVIVAL_PRIOR = 0.1


@dataclass(frozen=True)
class Limit:
    """A constraint, standardised: `sign * y[column] >= sign * bound`."""

    constraint: OutcomeConstraint
    column: int
    sign: float
    bound: float


@dataclass(frozen=True)
class Goal:
    """The question on standardised outcomes: make `sign * y[0]` large, within limits.

    `names` are the metrics in the order of the columns; `unmodelled` are constraints on metrics
    of which nothing was measured yet.
    """

    names: tuple[str, ...]
    sign: float
    limits: tuple[Limit, ...]
    unmodelled: tuple[str, ...]


def goal(task: PlanningTask, evidence: Evidence) -> Goal:
    """The task in terms of what was measured; the objective must have been.

    Raises:
        PlanningError: a constraint cannot be met by any value.
    """
    names = [task.objective.metric]
    limits, unmodelled = [], []
    for constraint in task.objective.constraints:
        measured = evidence.measured.get(constraint.metric)
        if measured is None:
            unmodelled.append(constraint.metric)
            continue
        if measured.metric.scale == "log" and constraint.bound <= 0:
            if constraint.sense == "<=":
                raise PlanningError(
                    f"{constraint.metric} <= {constraint.bound:g} cannot be met: "
                    "the metric is on a log scale, so it is always positive"
                )
            continue
        if constraint.metric not in names:
            names.append(constraint.metric)
        limits.append(
            Limit(
                constraint=constraint,
                column=names.index(constraint.metric),
                sign=1.0 if constraint.sense == ">=" else -1.0,
                bound=measured.standardised(constraint.bound),
            )
        )
    sign = -1.0 if task.objective.direction == "minimise" else 1.0
    return Goal(tuple(names), sign, tuple(limits), tuple(unmodelled))


class Worth(AcquisitionFunction):
    """Logarithm of the expected improvement at single points, weighed by survival.

    Where trials failed because of their parameters, the value is lowered by the log of a kernel
    estimate of the probability that a trial gives data. A gradient moves only real parameters.
    """

    def __init__(
        self,
        improvement: qLogNoisyExpectedImprovement,
        encoding: Encoding,
        evidence: Evidence,
    ) -> None:
        super().__init__(model=improvement.model)
        self._improvement = improvement
        movable = torch.zeros(encoding.width, dtype=torch.bool)
        movable[list(encoding.continuous)] = True
        self._movable = movable
        self._blamed = torch.tensor(evidence.blamed)
        gave_data = sorted({r for m in evidence.measured.values() for r in m.rows})
        self._survived = torch.tensor(evidence.features[gave_data])
        self._width = SURVIVAL_WIDTH * math.sqrt(encoding.width)

    def forward(self, X: Tensor) -> Tensor:  # noqa: N803 (BoTorch names it in its calls)
        """Values (b) at features X (b x 1 x d)."""
        x = torch.where(self._movable, X, X.detach())
        value: Tensor = self._improvement(x)
        if len(self._blamed):
            value = value + self._log_survival(x.squeeze(-2))
        return value

    def score(self, features: Floats) -> Floats:
        """Values (n) at features (n x d), in chunks, without gradients."""
        x = torch.tensor(features)[:, None, :]
        with torch.no_grad():
            parts = [self(chunk) for chunk in torch.split(x, CHUNK)]
        return np.asarray(torch.cat(parts).numpy(), dtype=np.float64)

    def _log_survival(self, x: Tensor) -> Tensor:
        good = self._near(x, self._survived) + SURVIVAL_PRIOR
        return good.log() - (good + self._near(x, self._blamed)).log()

    def _near(self, x: Tensor, others: Tensor) -> Tensor:
        squared = ((x[..., None, :] - others) / self._width).square().sum(-1)
        return squared.div(-2).exp().sum(-1)


def worth(
    question: Goal,
    surrogates: dict[str, Surrogate],
    encoding: Encoding,
    evidence: Evidence,
    pending: Floats,
    *,
    mc_samples: int,
    seed: int,
) -> Worth:
    """The acquisition, given features of the points in flight (m x d)."""
    baseline = np.unique(evidence.features_of(question.names[0]), axis=0)
    chosen = [surrogates[name] for name in question.names]
    improvement = qLogNoisyExpectedImprovement(
        model=joint(chosen),
        X_baseline=torch.tensor(baseline),
        sampler=SobolQMCNormalSampler(torch.Size([mc_samples]), seed=seed),
        objective=GenericMCObjective(functools.partial(_objective, question.sign)),
        constraints=_callables(question.limits) or None,
        X_pending=torch.tensor(pending) if len(pending) else None,
        prune_baseline=True,
    )
    return Worth(improvement, encoding, evidence)


def _objective(sign: float, samples: Tensor, X: Tensor | None = None) -> Tensor:  # noqa: N803
    return sign * samples[..., 0]


def _callables(limits: Sequence[Limit]) -> list[Callable[[Tensor], Tensor]]:
    """BoTorch's form of constraints: feasible where negative."""
    return [functools.partial(_violation, limit) for limit in limits]


def _violation(limit: Limit, samples: Tensor) -> Tensor:
    return limit.sign * (limit.bound - samples[..., limit.column])
