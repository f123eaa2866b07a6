"""What is wanted: goals on metrics, subject to limits on metrics."""

from __future__ import annotations

import math
from typing import Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.model.reduction import Reduction

PREFERENCE = "preference"
"""The metric of a goal that nothing measures: people say which of two trials is the better one."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Metric(_Frozen):
    """A measured quantity. `expression` is over step results (`deposit.thickness`) and parameters.

    `low` and `high` are the result gate: a value outside is refused before it reaches the model.
    With a `reduction` the expression is the name of the file's hash among the results of a step,
    or '' where a person brings the file.
    """

    name: str
    expression: str
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    low: float | None = None
    high: float | None = None
    reduction: Reduction | None = None


class OutcomeConstraint(_Frozen):
    """`metric >= bound` or `metric <= bound`, bound in the metric's unit.

    With a `confidence` (say 0.95) a point is tried only where the model expects the bound to hold
    with at least that probability: for limits that may not be crossed on the way.
    """

    metric: str
    sense: Literal[">=", "<="]
    bound: float
    confidence: float | None = Field(default=None, gt=0.5, lt=1.0)


class Goal(_Frozen):
    """A metric to make small, large, or to bring between `low` and `high` (equal for a target).

    `worst` is the value at which it stops to be of interest, among several goals.
    """

    metric: str
    direction: Literal["minimise", "maximise", "match"]
    low: float | None = None
    high: float | None = None
    worst: float | None = None

    def loss(self, value: float) -> float:
        """What is to be made small, in the metric's unit: for a band the distance to it."""
        match self.direction:
            case "minimise":
                return value
            case "maximise":
                return -value
            case "match":
                low, high = self.band
                return max(low - value, value - high, 0.0)
            case _:
                assert_never(self.direction)

    def may_be_worse(self, censored: Literal["above", "below"] | None) -> bool:
        """Whether the true value behind a bound may be worse than the bound itself."""
        match self.direction:
            case "minimise":
                return censored == "above"
            case "maximise":
                return censored == "below"
            case "match":
                return censored is not None
            case _:
                assert_never(self.direction)

    @property
    def band(self) -> tuple[float, float]:
        """The bounds of the target; a side that is not given is infinite."""
        return (
            -math.inf if self.low is None else self.low,
            math.inf if self.high is None else self.high,
        )


class Objective(_Frozen):
    """One or several goals, the first the one to be shown alone; constraints on measured metrics;
    and what a trial costs.

    `cost` is an expression over parameters, and over `previous.<parameter>` for what it takes to
    come from the last point (a slow change of temperature), always above zero; '' for equal costs.
    """

    goals: tuple[Goal, ...] = Field(min_length=1)
    constraints: tuple[OutcomeConstraint, ...] = ()
    cost: str = ""
    cost_unit: str = ""

    @property
    def metric(self) -> str:
        """The metric of the first goal."""
        return self.goals[0].metric

    @property
    def direction(self) -> Literal["minimise", "maximise", "match"]:
        """The direction of the first goal."""
        return self.goals[0].direction

    @property
    def by_preference(self) -> bool:
        """Whether people say which trials are better, instead of a measurement."""
        return self.metric == PREFERENCE

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that the objective speaks of, goals first, each once."""
        names = [*(g.metric for g in self.goals), *(c.metric for c in self.constraints)]
        return tuple(dict.fromkeys(names))

    def loss(self, value: float) -> float:
        """What the first goal wants to be small."""
        return self.goals[0].loss(value)
