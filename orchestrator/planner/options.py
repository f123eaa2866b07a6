"""What a campaign file may say under `planner: {options: ...}`."""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import InputError, UnknownName
from orchestrator.model.campaign import PlannerChoice

MAX_TOP = 10
MAX_GOALS = 4
"""Of so many goals at most the hypervolume is used; of more a trade, another for each point."""


class DrawOptions(BaseModel):
    """Options of the planners without a model: none. `true` is no number, and 1 is not true."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ModelOptions(DrawOptions):
    """Options of the planner with a model.

    `threads` are journaled and part of what makes a proposal reproducible; `raw_samples` points
    are scored and the best `restarts` of them climbed; `draws` sets of possible noise-free outcomes
    are averaged over; `kernel` is how smooth outcomes are thought to be; with `drift` outcomes may
    wander with time, whatever the point, which repeated points (controls) tell apart; with `widen`
    predictions are less sure far from what was measured, as much less as clusters that are left
    out ask for; so many of the best as `top` says are looked for (with one goal), in place of the
    best alone. Without `repeat` nothing is measured again because outcomes scatter, or because one
    is too good to be believed, while other points are left: where a sample is used up.
    """

    threads: int = Field(default=1, ge=1, le=256)
    restarts: int = Field(default=4, ge=1, le=64)
    raw_samples: int = Field(default=512, ge=8, le=65536)
    draws: int = Field(default=16, ge=1, le=4096)
    kernel: Literal["matern", "gauss"] = "matern"
    drift: bool = False
    widen: bool = False
    top: int = Field(default=1, ge=1, le=MAX_TOP)
    repeat: bool = True


OptionsT = TypeVar("OptionsT", bound=DrawOptions)


def options_of(choice: PlannerChoice, shape: type[OptionsT]) -> OptionsT:
    """The options of the file, checked.

    Raises:
        UnknownName: there is no such option.
        InputError: a value does not fit.
    """
    for name in choice.options:
        if name not in shape.model_fields:
            raise UnknownName(f"option of the planner '{choice.kind}'", name, shape.model_fields)
    try:
        return shape(**choice.options)
    except ValidationError as error:
        first = error.errors()[0]
        said = f"planner option '{first['loc'][0]}' = {first['input']!r} does not fit"
        if first["type"] == "bool_type":
            raise InputError(said, hint="say yes or no") from error
        raise InputError(f"{said}: {first['msg']}") from error
