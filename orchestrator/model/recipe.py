"""What is done for a trial: named steps, each an action of a role."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class OnFailure(StrEnum):
    """What happens when a step has used up its retries."""

    FAIL_TRIAL = "fail_trial"
    PAUSE = "pause"
    MAKE_SAFE = "make_safe"


class Argument(BaseModel):
    """A value of a step's argument: a literal (number in the action's unit, or a word), or an
    expression over parameters and results of earlier steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    literal: float | int | str | None = None
    expression: str | None = None


class Step(BaseModel):
    """One step. `timeout_s` and times are campaign time; `on_failure` None: by the error's type."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    role: str
    action: str
    arguments: tuple[Argument, ...] = ()
    retries: int = Field(default=0, ge=0)
    timeout_s: float | None = None
    on_failure: OnFailure | None = None
