"""What people write: the shape of campaign and lab files, before names and units are looked at.

The JSON Schema for editors is derived from these models, and the reader validates with them.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
TITLE = r"^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,78}[A-Za-z0-9_-])?$"
FORMULA = r"^\s*="
ROLE_ACTION = r"^\w+\.\w+$"
IN_WORDS = {
    NAME: "a name of letters, digits and '_'",
    TITLE: "a name of letters, digits, spaces and '._-', at most 80 long, no space at its ends",
    FORMULA: "an expression after '='",
    ROLE_ACTION: "ROLE.ACTION",
}
"""What the patterns of this module ask for."""

Quantity: TypeAlias = Annotated[
    str, Field(description="a number and its unit", examples=["20 min", "120 nm", "1e-3 ohm*cm"])
]
Formula: TypeAlias = Annotated[
    str,
    Field(
        pattern=FORMULA,
        description="arithmetic on parameters and results of earlier steps, after '='",
        examples=["=oxygen", "=measure.mean * deposit.thickness"],
    ),
]
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Name: TypeAlias = Annotated[str, Field(pattern=NAME)]
UnitText: TypeAlias = Annotated[
    str, Field(description="a unit; none for a plain number", examples=["sccm", "ohm*cm", "at.%"])
]
OnRestart: TypeAlias = Literal["make_safe", "leave"]


class Shape(BaseModel):
    """Strict: a text is not a number, and a key that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RealShape(Shape):
    """A number between two bounds."""

    real: Annotated[list[Finite], Field(min_length=2, max_length=2)]
    unit: UnitText = ""
    scale: Literal["linear", "log"] = "linear"


class IntegerShape(Shape):
    """A whole number between two bounds."""

    integer: Annotated[list[int], Field(min_length=2, max_length=2)]
    unit: UnitText = ""


class ChoiceShape(Shape):
    """One of a few words."""

    choice: Annotated[list[Word], Field(min_length=1)]


class PoolShape(Shape):
    """One row of a CSV file, relative to the campaign file.

    `name` is the column that names the candidates (else the column `name`, else the first);
    `columns` are the describing numbers with their units (else every numeric column, without).
    """

    pool: Word
    name: Word | None = None
    columns: dict[str, UnitText] | None = None


PARAMETER_SHAPES: dict[str, type[Shape]] = {
    "real": RealShape,
    "integer": IntegerShape,
    "choice": ChoiceShape,
    "pool": PoolShape,
}


class StepShape(BaseModel):
    """An action of a role; all further keys are its arguments."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    __pydantic_extra__: dict[str, int | Finite | str] = Field(init=False)

    do: Annotated[str, Field(pattern=ROLE_ACTION, examples=["chamber.deposit"])]
    retries: Annotated[int, Field(ge=0)] | None = None
    timeout: Quantity | None = None
    on_failure: Literal["fail_trial", "pause", "make_safe"] | None = None


class MetricShape(Shape):
    """A measured quantity. Without `value` it is observed later (`hagane observe`).

    A value outside `min` and `max` (numbers in `unit`, or quantities) is refused.
    """

    value: Formula | None = None
    unit: UnitText = ""
    scale: Literal["linear", "log"] = "linear"
    min: Finite | Quantity | None = None
    max: Finite | Quantity | None = None


class ObjectiveShape(Shape):
    """Exactly one of `minimise` and `maximise`."""

    minimise: str | None = None
    maximise: str | None = None
    subject_to: list[Annotated[str, Field(examples=["thickness >= 120 nm"])]] = []


class PlannerShape(BaseModel):
    """All further keys are options of that kind of planner."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    __pydantic_extra__: dict[str, int | Finite | bool | str] = Field(init=False)

    kind: str = "bayesian"
    initial: Annotated[int, Field(ge=0)] = 8


class BudgetShape(Shape):
    """The campaign ends after so many trials, or after so much campaign time."""

    trials: Annotated[int, Field(gt=0)]
    time: Quantity | None = None


class StopShape(Shape):
    """Reasons to end earlier."""

    target: Quantity | int | Finite | None = None
    no_progress: Annotated[int, Field(gt=0)] | None = None
    failures_in_a_row: Annotated[int, Field(gt=0)] | None = None


class CampaignHeading(Shape):
    """The plain values of a campaign file."""

    name: Annotated[str, Field(pattern=TITLE)]
    goal: str = ""
    in_flight: Annotated[int, Field(gt=0)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0


class CampaignShape(CampaignHeading):
    """A campaign file: a question to a lab, without the lab."""

    space: Annotated[
        dict[Name, RealShape | IntegerShape | ChoiceShape | PoolShape], Field(min_length=1)
    ]
    roles: Annotated[dict[Name, str], Field(description="role: capability")] = {}
    recipe: list[Annotated[dict[Name, StepShape], Field(min_length=1, max_length=1)]] = []
    metrics: Annotated[dict[Name, MetricShape], Field(min_length=1)]
    objective: ObjectiveShape
    planner: PlannerShape = PlannerShape()
    budget: BudgetShape
    stop: StopShape = StopShape()


class ResourceShape(BaseModel):
    """A resource; all further keys are options of its kind."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    __pydantic_extra__: dict[str, int | Finite | bool | str] = Field(init=False)

    kind: str
    parts: dict[str, str] = {}
    serial: str | None = None
    on_restart: OnRestart | None = None


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


class TwinsShape(Shape):
    """A world of virtual instruments behind the ports `twin:NAME`."""

    world: str
    seed: Annotated[int, Field(ge=0)] = 0


class LabHeading(Shape):
    """The plain values of a lab file."""

    lab: Annotated[str, Field(min_length=1, max_length=200)]
    on_restart: OnRestart = "make_safe"
    poll: Quantity = "1 s"


class LabShape(LabHeading):
    """A lab file: which resource plays which role, and what is forbidden."""

    twins: TwinsShape | None = None
    clock: ClockShape = ClockShape()
    resources: Annotated[dict[Name, ResourceShape], Field(min_length=1)]
    roles: Annotated[dict[Name, str], Field(description="role: resource")] = {}
    positions: dict[Name, PositionShape] = {}
    limits: Annotated[
        dict[str, dict[str, RangeShape]],
        Field(examples=[{"heater.set_temperature": {"temperature": {"max": "500 degC"}}}]),
    ] = {}
    interlocks: list[
        Annotated[str, Field(examples=["never supply.on while gauge.pressure > 5 Pa"])]
    ] = []
    make_safe: Annotated[list[str], Field(description="resources, the most urgent first")] = []
