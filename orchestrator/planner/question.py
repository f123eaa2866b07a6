"""The task in standardised outcomes: which metrics, which way, within which limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from orchestrator.errors import PlanningError
from orchestrator.model.objective import Goal, OutcomeConstraint
from orchestrator.planner.kernel import Floats
from orchestrator.planner.measured import Evidence, Measured
from orchestrator.ports.planner import PlanningTask


@dataclass(frozen=True)
class Aim:
    """A goal, standardised: make `sign * y[column]` large, or bring it between `low` and `high`.

    `worst` is the merit at which an outcome stops to be of interest, if that was said. `bent` are
    the outcomes, where they are bent.
    """

    goal: Goal
    column: int
    sign: float
    low: float = -math.inf
    high: float = math.inf
    worst: float | None = None
    bent: Measured | None = None

    @property
    def is_band(self) -> bool:
        """Whether a value is to be hit."""
        return self.low > -math.inf or self.high < math.inf

    def merit(self, y: Floats) -> Floats:
        """What is to be large, of standardised outcomes."""
        if not self.is_band:
            return self.sign * y
        return -np.maximum(np.maximum(self.low - y, y - self.high), 0.0)

    def straight(self, merit: Floats) -> Floats:
        """Merits (n) as they would be of outcomes that are standardised as they were measured."""
        if self.bent is None:
            return merit
        centre, spread = self.bent.unbent()
        return np.asarray(self.sign * (self.bent.on_scale(self.sign * merit) - centre) / spread)

    def crooked(self, merit: float) -> float:
        """The inverse of `straight`."""
        if self.bent is None:
            return merit
        centre, spread = self.bent.unbent()
        return self.sign * self.bent.standardised(centre + self.sign * merit * spread)

    def doublings(self, least: float, most: float) -> list[float]:
        """Merits between two at which straight ones grow 2, 4, 8, ... times as much as at the end
        about which outcomes are bent."""
        if self.bent is None:
            return []
        far = max(abs(self.bent.spread * at + self.sign * self.bent.centre) for at in (least, most))
        steps = math.log(2.0) * np.arange(1, int(far / math.log(2.0)) + 1)
        merits = (np.concatenate([-steps, steps]) - self.sign * self.bent.centre) / self.bent.spread
        return [at for at in merits.tolist() if least < at < most]

    def log_steepness(self, merit: Floats) -> Floats:
        """The logarithm of how much straight merits grow with merits (n)."""
        if self.bent is None or self.bent.bend is None:
            return np.zeros_like(merit)
        away = np.abs(self.bent.spread * merit + self.sign * self.bent.centre)
        one = self.bent.spread * self.bent.bend.size / self.bent.unbent()[1]
        return np.asarray(away + math.log(one))


@dataclass(frozen=True)
class Limit:
    """A constraint, standardised: `sign * y[column] >= sign * bound`."""

    constraint: OutcomeConstraint
    column: int
    sign: float
    bound: float


@dataclass(frozen=True)
class Question:
    """What is asked of the models.

    `names` are the metrics in the order of the columns; `unmodelled` are those of which nothing was
    measured yet.
    """

    names: tuple[str, ...]
    aims: tuple[Aim, ...]
    limits: tuple[Limit, ...]
    unmodelled: tuple[str, ...]

    def merit(self, outcomes: list[Floats]) -> Floats:
        """One number per point that is large where the first goal is, less what breaks limits."""
        merit = self.aims[0].merit(outcomes[self.aims[0].column])
        for limit in self.limits:
            lack = limit.sign * (limit.bound - outcomes[limit.column])
            merit = merit - 2.0 * np.maximum(0.0, lack)
        return merit


def question(task: PlanningTask, evidence: Evidence) -> Question:
    """The task in terms of what was measured; the first goal must have been.

    Raises:
        PlanningError: a constraint cannot be met by any value.
    """
    known = evidence.measured
    names = [n for n in task.objective.metrics if n in known]
    unmodelled = [n for n in task.objective.metrics if n not in known]
    goals = [g for g in task.objective.goals if g.metric in known]
    aims = [_aim(goal, names.index(goal.metric), known[goal.metric]) for goal in goals]
    limits = []
    for constraint in task.objective.constraints:
        measured = evidence.measured.get(constraint.metric)
        if measured is not None and _is_real(constraint, measured):
            column = names.index(constraint.metric)
            sign = 1.0 if constraint.sense == ">=" else -1.0
            limits.append(Limit(constraint, column, sign, measured.standardised(constraint.bound)))
    return Question(tuple(names), tuple(aims), tuple(limits), tuple(unmodelled))


def _aim(goal: Goal, column: int, measured: Measured) -> Aim:
    bent = measured if measured.bend is not None else None
    aim = Aim(goal, column, 1.0 if goal.direction == "maximise" else -1.0, bent=bent)
    if goal.direction == "match":
        low, high = goal.band
        if measured.metric.scale == "log" and high <= 0:
            raise PlanningError(
                f"{goal.metric} cannot be brought to {high:g} or below: it is on a log scale"
            )
        band = (_standardised(measured, low), _standardised(measured, high))
        aim = replace(aim, low=band[0], high=band[1])
    if goal.worst is None:
        return aim
    return replace(aim, worst=float(aim.merit(np.array(measured.standardised(goal.worst)))))


def _standardised(measured: Measured, bound: float) -> float:
    if math.isinf(bound):
        return bound
    if measured.metric.scale == "log" and bound <= 0:
        return -math.inf
    return measured.standardised(bound)


def _is_real(constraint: OutcomeConstraint, measured: Measured) -> bool:
    """Whether a constraint says anything; on a log scale every value is above zero."""
    if measured.metric.scale == "linear" or constraint.bound > 0:
        return True
    if constraint.sense == "<=":
        raise PlanningError(
            f"{constraint.metric} <= {constraint.bound:g} cannot be met: "
            "the metric is on a log scale, so it is always positive"
        )
    return False
