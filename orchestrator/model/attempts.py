"""What happens to calculations on their way."""

from __future__ import annotations

from typing import Literal

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
