"""What is wanted: a metric to minimise or maximise, subject to limits on metrics."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Metric(_Frozen):
    """A measured quantity. `expression` is over step results (`deposit.thickness`) and parameters.

    `low` and `high` are the result gate: a value outside is refused before it reaches the model.
    """

    name: str
    expression: str
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    low: float | None = None
    high: float | None = None


class OutcomeConstraint(_Frozen):
    """`metric >= bound` or `metric <= bound`, bound in the metric's unit."""

    metric: str
    sense: Literal[">=", "<="]
    bound: float


class Objective(_Frozen):
    """One metric with its direction, and constraints on measured metrics."""

    metric: str
    direction: Literal["minimise", "maximise"]
    constraints: tuple[OutcomeConstraint, ...] = ()
