"""What was known before the first trial: rows of a table, or trials of another campaign."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.model.space import Point
from orchestrator.model.trial import ReplicatedLevel


class _Frozen(BaseModel):
    # "constants": these are parts of events, whose floats must be read back as they were
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class KnownOutcome(_Frozen):
    """A metric as it was measured, in the metric's unit. `sd` is the noise of `value`, if known;
    `n_samples` how many samples it is the mean of, or runs or blocks, as `level` says."""

    value: float
    sd: float | None = None
    n_samples: int = Field(default=1, gt=0)
    level: ReplicatedLevel = "sample"
    censored: Literal["above", "below"] | None = None


class KnownTrial(_Frozen):
    """A trial that was made elsewhere. `source` says where; a failed one blames its parameters or
    does not. `block` is the one that it belongs to, if that is known."""

    point: Point
    outcomes: dict[str, KnownOutcome] = Field(default_factory=dict)
    failed: bool = False
    blames_parameters: bool = False
    source: str = ""
    block: str = ""
