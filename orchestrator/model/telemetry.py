"""What a composite read beside its actions, and what it kept of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Settled(BaseModel):
    """A composite waited for a reading to come to rest (its polls are telemetry)."""

    # "constants": without it NaN and the infinities become null and cannot be read back
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    kind: Literal["settled"] = "settled"
    parent: str
    resource: str
    reading: str
    value: float
    unit: str = ""
    low: float
    high: float
    waited_s: float


class Kept(BaseModel):
    """A text that an action left, such as the trace of a process: an artifact of the campaign.

    `name` is as of a file, `artifact` its sha256 in the store.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["kept"] = "kept"
    parent: str
    trial: int | None = None
    sample: str | None = None
    name: str
    artifact: str
