"""Events about safety: what was made safe, by whom and why."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from orchestrator.model.said import Said


class _Event(BaseModel):
    # as in `events`
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class MadeSafe(_Event):
    """make_safe was asked of a resource; `why` says who wanted it."""

    kind: Literal["made_safe"] = "made_safe"
    resource: str
    ok: bool
    why: Said
    note: Said = ""


class DriverEnded(_Event):
    """The process in which drivers run alone ended or hung, and the lab was made safe for it."""

    kind: Literal["driver_ended"] = "driver_ended"
    resources: tuple[str, ...]
    why: Said


class GuardianActed(_Event):
    """A guardian made isolated devices safe in place of an engine (by its process id) that was
    gone, from `began` on (wall time), in so many `seconds`. `record` names the file it wrote.

    `safe` answered; the `made_safe` that follow say more.
    """

    kind: Literal["guardian_acted"] = "guardian_acted"
    record: str
    engine: int
    why: Said
    began: float
    seconds: float
    safe: tuple[str, ...] = ()


class InterlockFired(_Event):
    """A rule forbade an action, or its condition came true while it was guarded."""

    kind: Literal["interlock_fired"] = "interlock_fired"
    rule: str
    reading: Said
    ticket: str = ""
