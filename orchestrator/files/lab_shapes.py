"""What people write: the shape of lab files, before names and units are looked at."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.files.shape import Finite, Name, Quantity, Shape
from orchestrator.files.site import SiteShape

OnRestart: TypeAlias = Literal["make_safe", "leave"]


class ResourceShape(BaseModel):
    """A resource; all further keys are options of its kind."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    __pydantic_extra__: dict[str, int | Finite | bool | str] = Field(init=False)

    kind: str
    parts: dict[str, str] = Field(default_factory=dict)
    serial: str | None = None
    declared: Annotated[
        str | None,
        Field(description="the file that declares it", examples=["instruments/psu.yaml"]),
    ] = None
    on_restart: OnRestart | None = None
    isolate: Annotated[
        bool, Field(description="its driver runs in a process of its own, under a guardian")
    ] = False


class RangeShape(Shape):
    """Bounds as quantities; a plain number only where the argument has no unit."""

    min: Finite | Quantity | None = None
    max: Finite | Quantity | None = None


class PositionShape(Shape):
    """A place for samples."""

    slots: Annotated[int, Field(gt=0)] = 1
    stores_new: bool = False


class ClockShape(Shape):
    """Campaign time: wall time, or `speed` times faster (twins only)."""

    kind: Literal["wall", "scaled"] = "wall"
    speed: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


class FaultShape(Shape):
    """A fault of the twins, to rehearse a night that fails: `at` a reply, or by `share` at each."""

    wire: Annotated[str, Field(description="a port of the twins, or *")] = "*"
    how: Annotated[str | list[str], Field(examples=["drop", ["drop", "flip"]])]
    at: Annotated[int, Field(gt=0)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    times: Annotated[int, Field(gt=0)] = 1
    lasts: Quantity | None = None
    seed: Annotated[int, Field(ge=0)] = 0


class TwinsShape(Shape):
    """A world of virtual instruments behind the ports `twin:NAME`."""

    world: str
    seed: Annotated[int, Field(ge=0)] = 0
    faults: list[FaultShape] = Field(default_factory=list)


class LabHeading(Shape):
    """The plain values of a lab file."""

    lab: Annotated[str, Field(min_length=1, max_length=200)]
    on_restart: OnRestart = "make_safe"
    poll: Quantity = "1 s"
    record: Annotated[
        str | None, Field(min_length=1, description="folder for the traffic of the devices")
    ] = None


class LabShape(LabHeading):
    """A lab file: which resource plays which role, and what is forbidden."""

    twins: TwinsShape | None = None
    clock: ClockShape = ClockShape()
    site: SiteShape | None = None
    resources: Annotated[dict[Name, ResourceShape], Field(min_length=1)]
    roles: Annotated[dict[Name, str], Field(description="role: resource")] = Field(
        default_factory=dict
    )
    positions: dict[Name, PositionShape] = Field(default_factory=dict)
    limits: Annotated[
        dict[str, dict[str, RangeShape]],
        Field(examples=[{"heater.set_temperature": {"temperature": {"max": "500 degC"}}}]),
    ] = Field(default_factory=dict)
    interlocks: list[
        Annotated[str, Field(examples=["never supply.on while gauge.pressure > 5 Pa"])]
    ] = Field(default_factory=list)
    make_safe: Annotated[list[str], Field(description="resources, the most urgent first")] = Field(
        default_factory=list
    )
