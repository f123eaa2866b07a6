"""What people write: the shape of campaign files, before names and units are looked at.

The JSON Schema for editors is derived from these models, and the reader validates with them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.files.shape import (
    FORMULA,
    ROLE_ACTION,
    TITLE,
    Finite,
    Formula,
    Name,
    Quantity,
    Shape,
    UnitText,
    Word,
)
from orchestrator.files.space_shapes import AnyParameterShape
from orchestrator.model.reduction import Take


class StepShape(BaseModel):
    """An action of a role, or of the role that a fidelity names; all further keys are arguments."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    __pydantic_extra__: dict[str, int | Finite | str] = Field(init=False)

    do: Annotated[str, Field(pattern=ROLE_ACTION, examples=["chamber.deposit", "=rung.energy"])]
    retries: Annotated[int, Field(ge=0)] | None = None
    timeout: Quantity | None = None
    on_failure: Literal["fail_trial", "pause", "make_safe"] | None = None


class ReduceShape(Shape):
    """What is taken of an instrument's file: of the column `of`, over the column `over`, between
    two places; `file` is the step that brings it, without which a person does. `to` is a table
    with the same two columns; `units` are those of columns, whatever
    the file says."""

    take: Take
    of: Word
    over: Word | None = None
    between: Annotated[list[Finite | Quantity], Field(min_length=2, max_length=2)] | None = None
    at: Finite | Quantity | None = None
    to: Word | None = None
    file: Name | None = None
    format: Word | None = None
    units: dict[Word, UnitText] = Field(default_factory=dict)


class MetricShape(Shape):
    """A measured quantity: a `value`, or what is `reduce`d of a file. Without either it is observed
    later (`hagane observe`).

    A value outside `min` and `max` (numbers in `unit`, or quantities) is refused.
    """

    value: Formula | None = None
    reduce: ReduceShape | None = None
    unit: UnitText = ""
    scale: Literal["linear", "log"] = "linear"
    min: Finite | Quantity | None = None
    max: Finite | Quantity | None = None


class TargetShape(Shape):
    """A value to be met (`to`), or a range to be in (`between`)."""

    match: str | None = None
    to: Finite | Quantity | None = None
    between: Annotated[list[Finite | Quantity], Field(min_length=2, max_length=2)] | None = None


class GoalShape(TargetShape):
    """Exactly one of `minimise`, `maximise` and `match`; `worst` is where it stops to be of
    interest, among several goals."""

    minimise: str | None = None
    maximise: str | None = None
    worst: Finite | Quantity | None = None


class ObjectiveShape(TargetShape):
    """What is wanted: one or several metrics to `minimise` and to `maximise`, one to `match`; or
    `goals` one by one; or what people `prefer` of two trials. And what a trial costs."""

    minimise: str | list[str] | None = None
    maximise: str | list[str] | None = None
    goals: Annotated[
        list[GoalShape] | None,
        Field(examples=[[{"maximise": "strength", "worst": "100 MPa"}, {"minimise": "mass"}]]),
    ] = None
    prefer: Literal[True] | None = None
    subject_to: list[
        Annotated[str, Field(examples=["thickness >= 120 nm", "pressure <= 5 Pa with 95 %"])]
    ] = Field(default_factory=list)
    cost: Annotated[
        str | None,
        Field(
            pattern=FORMULA,
            description="what a trial takes, of parameters and previous.<parameter>",
            examples=["=20 min + abs(temperature - previous.temperature) / '5 K/min'"],
        ),
    ] = None


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
    little_to_gain: Annotated[
        Quantity | int | Finite | None,
        Field(description="in the goal's unit; a share (2 %) where its metric is on a log scale"),
    ] = None
    no_progress: Annotated[int, Field(gt=0)] | None = None
    failures_in_a_row: Annotated[int, Field(gt=0)] | None = None


class StartShape(Shape):
    """What is known before the first trial: exactly one of a `table` of results (a CSV file beside
    the campaign file; `columns` maps names to columns where they differ) and a `campaign` of the
    store."""

    table: Word | None = None
    columns: dict[Name, Word] = Field(default_factory=dict)
    campaign: Word | None = None


class TransferShape(Shape):
    """A source of related values: exactly one of a `table` (a CSV file beside the campaign file,
    with the `column` of the values), a `campaign` of the store, and a `simulator`: a lab file on
    whose twins `trials` of this campaign are played first.

    A table is read by the names of the parameters (`columns` maps where they differ), or by its
    column of materials. `helps` is the metric that it may help to predict, else the first goal's;
    `metric` the one of the campaign or the twins whose values are taken, else the same. With
    `model: multitask` a Gaussian process of the metric and the source together is tried too; with
    `model: networks` small neural networks learn it in place of a Gaussian process: for hundreds of
    values of the materials of a pool.
    """

    table: Word | None = None
    campaign: Word | None = None
    simulator: Word | None = None
    column: Word | None = None
    unit: UnitText | None = None
    scale: Literal["linear", "log"] = "linear"
    columns: dict[Name, Word] = Field(default_factory=dict)
    smiles: Word | None = None
    formula: Word | None = None
    structure: Word | None = None
    material: Word | None = None
    metric: Word | None = None
    helps: Word | None = None
    trials: Annotated[int, Field(ge=2, le=2000)] = 64
    model: Literal["process", "multitask", "networks"] = "process"


class ControlsShape(Shape):
    """A trial at the same point first, and again after `every` so many others."""

    every: Annotated[int, Field(gt=0)]
    point: Annotated[dict[Name, int | Finite | Word], Field(min_length=1)]


class BlockShape(Shape):
    """What a block of trials is, exactly one of: `every` so many; from one of the `controls` to the
    next; with the same value of a `metric` (the number of a lot)."""

    every: Annotated[int, Field(gt=0)] | None = None
    controls: Literal[True] | None = None
    metric: str | None = None


class ConfirmShape(Shape):
    """Fresh replicates at the end: of the best point found, and of a control in turn with them."""

    replicates: Annotated[int, Field(gt=0)] = 3
    control: Annotated[int, Field(ge=0)] = 3


class CampaignHeading(Shape):
    """The plain values of a campaign file."""

    name: Annotated[str, Field(pattern=TITLE)]
    goal: str = ""
    in_flight: Annotated[int, Field(gt=0)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0


class CampaignShape(CampaignHeading):
    """A campaign file: a question to a lab, without the lab."""

    space: Annotated[dict[Name, AnyParameterShape], Field(min_length=1)]
    constraints: Annotated[
        list[Word],
        Field(
            description="what is known not to be possible, on parameters alone",
            examples=[["oxygen + argon <= 3 Pa", "width + 2 * height <= 40 mm"]],
        ),
    ] = Field(default_factory=list)
    roles: Annotated[dict[Name, str], Field(description="role: capability")] = Field(
        default_factory=dict
    )
    recipe: list[Annotated[dict[Name, StepShape], Field(min_length=1, max_length=1)]] = Field(
        default_factory=list
    )
    metrics: dict[Name, MetricShape] = Field(default_factory=dict)
    objective: ObjectiveShape
    planner: PlannerShape = PlannerShape()
    start: StartShape | None = None
    transfer: list[TransferShape] = Field(default_factory=list)
    controls: ControlsShape | None = None
    confirm: ConfirmShape | None = None
    block: BlockShape | None = None
    budget: BudgetShape
    stop: StopShape = StopShape()
