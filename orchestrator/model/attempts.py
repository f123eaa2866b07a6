"""What happens to calculations on their way."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict


class AttemptLost(BaseModel):
    """A calculation was begun, and its worker was lost: killed, out of walltime, cancelled.

    `ticket` is the action's, or a part of it after a '-'; `attempt` counts from 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["attempt_lost"] = "attempt_lost"
    ticket: str
    attempt: int
    why: str


class CalculationAwaited(BaseModel):
    """A calculation is not begun, since another campaign is making the same one, whose result is
    taken when it is there. `ticket` as above; `of` says who computes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["calculation_awaited"] = "calculation_awaited"
    ticket: str
    of: str


OnItsWay: TypeAlias = AttemptLost | CalculationAwaited
