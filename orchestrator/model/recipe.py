"""What is done for a trial: named steps, each an action of a role."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.model.space import Point


class OnFailure(StrEnum):
    """What happens when a step has used up its retries."""

    FAIL_TRIAL = "fail_trial"
    PAUSE = "pause"
    MAKE_SAFE = "make_safe"


class Argument(BaseModel):
    """A value of a step's argument: a literal (number in the action's unit, or a word), or an
    expression over parameters and results of earlier steps. `sha256` is of a file that it names."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    literal: float | int | str | None = None
    expression: str | None = None
    sha256: str = ""


class Step(BaseModel):
    """One step. `timeout_s` is campaign time. Where `retries` or `on_failure` is None, the type of
    the error decides. With `rungs`, `role` is the name of a fidelity, whose level at a point is the
    role that the step is sent to; `rungs` are its levels."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    role: str
    rungs: tuple[str, ...] = ()
    action: str
    arguments: tuple[Argument, ...] = ()
    retries: int | None = Field(default=None, ge=0)
    timeout_s: float | None = None
    on_failure: OnFailure | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that it may be sent to; of rungs, the one that counts is the last."""
        return self.rungs or (self.role,)

    def role_at(self, point: Point) -> str:
        """The role that it is sent to at a point."""
        return str(point[self.role]) if self.rungs else self.role
