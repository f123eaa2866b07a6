"""What weighs on the worth of a trial beside its gain: cost, safety."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from orchestrator.planner.encoding import Encoding
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.improvement import log_probability
from orchestrator.planner.kernel import Floats
from orchestrator.planner.question import Limit, Question

DIFFERENCE = 1e-6
STEEPNESS = 50.0
MARGIN = 0.05
"""The penalty of an unsafe point begins so many standard deviations before the limit, so that a
climb ends on the safe side."""


def by_differences(value: Any, encoding: Encoding, codes: Floats) -> tuple[Floats, Floats]:
    """A function of codes (m x p), and its gradient (m x k) by the real parameters, by differences
    that stay inside the bounds; all are asked for at once."""
    places, _ = encoding.movable
    m = len(codes)
    asked = np.tile(codes, (len(places) + 1, 1))
    steps = np.empty((len(places), m))
    for k, place in enumerate(places):
        steps[k] = np.where(codes[:, place] > 0.5, -DIFFERENCE, DIFFERENCE)
        asked[(k + 1) * m : (k + 2) * m, place] += steps[k]
    here, *moved = value(asked).reshape(len(places) + 1, m)
    return here, (np.reshape(moved, steps.shape) - here).T / steps.T


@dataclass(frozen=True)
class Cheapness:
    """Minus the log of what a trial costs: the gain is looked for per unit of cost.

    `expression` is compiled; `previous` has the last point's values as `previous.<name>`.
    """

    encoding: Encoding
    expression: Any
    previous: dict[str, float]

    def __call__(self, codes: Floats, x: Floats) -> Floats:
        """Logarithms (m) at codes (m x p)."""
        return self._log(codes)

    def cost(self, codes: Floats) -> Floats:
        """What trials cost (m); NaN where the expression has no value."""
        columns = self.encoding.columns_of(codes)
        fixed = {name: np.full(len(codes), value) for name, value in self.previous.items()}
        return np.asarray(np.broadcast_to(self.expression.over({**columns, **fixed}), len(codes)))

    def _log(self, codes: Floats) -> Floats:
        cost = self.cost(codes)
        usable = np.isfinite(cost) & (cost > 0)
        return np.where(usable, -np.log(np.where(usable, cost, 1.0)), -1e3)

    def pull(self, codes: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Logarithms (m), and their gradient (m x k) by the real parameters."""
        return by_differences(self._log, self.encoding, codes)


@dataclass(frozen=True)
class Safety:
    """Zero where limits that may not be crossed hold with the confidence asked for, and steeply
    falling outside; `holds` is the rule itself. It is about what will be measured, its scatter
    included."""

    encoding: Encoding
    limits: tuple[tuple[Limit, GaussianProcess, float], ...]

    def lack(self, x: Floats) -> Floats:
        """By how many standard deviations (m) the most endangered limit lacks its confidence."""
        worst = np.full(len(x), -np.inf)
        for limit, process, quantile in self.limits:
            worst = np.maximum(worst, quantile - room(limit, process, x))
        return worst

    def holds(self, codes: Floats) -> Any:
        """Which codes (m x p) are safe enough."""
        return self.lack(self.encoding.features(codes)) <= 0.0

    def chance(self, codes: Floats) -> Floats:
        """Log of the product of the probabilities (m) that the limits hold."""
        x = self.encoding.features(codes)
        total = np.zeros(len(x))
        for limit, process, _ in self.limits:
            total += log_probability(room(limit, process, x))[0]
        return total

    def __call__(self, codes: Floats, x: Floats) -> Floats:
        """Penalties (m) at features (m x d)."""
        return np.asarray(-STEEPNESS * np.maximum(0.0, self.lack(x) + MARGIN) ** 2)

    def pull(self, codes: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Penalties (m), and their gradient (m x k) by the real parameters."""

        def value(moved: Floats) -> Floats:
            return self(moved, self.encoding.features(moved))

        return by_differences(value, self.encoding, codes)


def room(limit: Limit, process: GaussianProcess, x: Floats) -> Floats:
    """By how many standard deviations (m) of what would be measured at features (m x d) a limit is
    expected to be kept."""
    mean, sd = process.outcome(x)
    return np.asarray(limit.sign * (mean - limit.bound) / np.hypot(sd, process.scatter))


def degrees(process: GaussianProcess) -> int:
    """Of freedom: the deviations come from as few outcomes as there are, so that `room` follows
    Student's distribution rather than a normal one."""
    return max(1, len(process.y) - 1)


def safety(
    encoding: Encoding, question: Question, processes: tuple[GaussianProcess, ...]
) -> Safety | None:
    """The limits that may not be crossed on the way, if there are any."""
    limits = []
    for limit in question.limits:
        if limit.constraint.confidence is not None:
            process = processes[limit.column]
            quantile = float(stdtrit(degrees(process), limit.constraint.confidence))
            limits.append((limit, process, quantile))
    return Safety(encoding, tuple(limits)) if limits else None
