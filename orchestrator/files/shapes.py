"""What people write: the shape of campaign files, before names and units are looked at.

The JSON Schema for editors is derived from these models, and the reader validates with them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

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
OneDescriptor: TypeAlias = Word | dict[Word, dict[Word, Any] | None]
Name: TypeAlias = Annotated[str, Field(pattern=NAME)]
UnitText: TypeAlias = Annotated[
    str, Field(description="a unit; none for a plain number", examples=["sccm", "ohm*cm", "at.%"])
]


class Shape(BaseModel):
    """Strict: a text is not a number, and a key that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ConditionalShape(Shape):
    """A parameter may exist only for some words of a choice; elsewhere it is `otherwise` (else its
    least or first value)."""

    when: Annotated[
        dict[Name, Word | list[Word]] | None,
        Field(description="CHOICE: the words for which this parameter exists"),
    ] = None
    otherwise: int | Finite | Word | None = None


class RealShape(ConditionalShape):
    """A number between two bounds.

    `noise` is the standard deviation with which the lab holds the setting: a quantity, or on a log
    scale a share (`5 %`).
    """

    real: Annotated[list[Finite], Field(min_length=2, max_length=2)]
    unit: UnitText = ""
    scale: Literal["linear", "log"] = "linear"
    noise: Finite | Quantity | None = None


class IntegerShape(ConditionalShape):
    """A whole number between two bounds."""

    integer: Annotated[list[int], Field(min_length=2, max_length=2)]
    unit: UnitText = ""


class OrdinalShape(ConditionalShape):
    """One of a few numbers, in ascending order."""

    ordinal: Annotated[list[Finite], Field(min_length=2)]
    unit: UnitText = ""
    scale: Literal["linear", "log"] = "linear"


class OrderedWordsShape(ConditionalShape):
    """One of a few words with an order."""

    ordinal: Annotated[list[Word], Field(min_length=2)]


class ChoiceShape(ConditionalShape):
    """One of a few words without an order."""

    choice: Annotated[list[Word], Field(min_length=1)]


class DescribedChoiceShape(ConditionalShape):
    """One of a few words, each described by the same numbers; `units` are those of the numbers."""

    choice: Annotated[
        dict[Word, Annotated[dict[Name, Finite | Quantity], Field(min_length=1)]],
        Field(min_length=1, examples=[{"water": {"polarity": 10.2}, "ethanol": {"polarity": 5.2}}]),
    ]
    units: dict[Name, UnitText] = {}


class MixtureShape(Shape):
    """Components that sum to `total`, each between its bounds.

    `present` is how many of them are above zero: between the two numbers. One that is present is
    at least `least`.
    """

    mixture: Annotated[
        dict[Name, Annotated[list[Finite], Field(min_length=2, max_length=2)]],
        Field(min_length=2, examples=[{"Cu": [0, 50], "Ni": [10, 100], "Zn": [0, 100]}]),
    ]
    total: Finite | Quantity = 1.0
    unit: UnitText = ""
    present: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None
    least: Finite | Quantity = 0.0


class FidelityShape(Shape):
    """How exactly the question is answered: words in ascending exactness with the cost of a trial.
    The last one is the one that counts."""

    fidelity: Annotated[
        dict[Word, Annotated[float, Field(gt=0, allow_inf_nan=False)]],
        Field(min_length=2, examples=[{"emt": 1, "dft": 100}]),
    ]


class ContextShape(Shape):
    """What acts and is measured but cannot be chosen; the two numbers are the range expected.

    `assumed` stands for it until it is measured (else the middle of the range). Without `value` it
    is observed by a person (`hagane observe`), or not at all.
    """

    context: Annotated[list[Finite], Field(min_length=2, max_length=2)]
    unit: UnitText = ""
    assumed: Finite | Quantity | None = None
    value: Formula | None = None


class GenerateShape(Shape):
    """New candidates while the campaign runs: after `every` results a generator of the `kind` makes
    up to `candidates` of them. It learns from the materials of `corpus` (a CSV file with the column
    of the pool's materials), else from those of the pool; `built_in` is its own. All further keys
    are options of the kind."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    kind: Word
    every: Annotated[int, Field(gt=0)] = 5
    candidates: Annotated[int, Field(gt=0, le=100_000)] = 200
    corpus: Word | None = None


class PoolShape(ConditionalShape):
    """One row of a CSV file, relative to the campaign file.

    `name` is the column that names the candidates (else the column `name`, else the first);
    `columns` are the describing numbers with their units (else every numeric column, without; with
    a descriptor none). `descriptor` describes the materials of the column `smiles`, `formula`,
    `structure` or `material`; candidates that are one molecule twice count once.
    """

    pool: Word
    name: Word | None = None
    columns: dict[str, UnitText] | None = None
    descriptor: Annotated[
        OneDescriptor | list[OneDescriptor] | None,
        Field(
            description="what describes the materials, with its options",
            examples=["morgan", {"morgan": {"radius": 3}}],
        ),
    ] = None
    smiles: Word | None = None
    formula: Word | None = None
    structure: Word | None = None
    material: Word | None = None
    generate: GenerateShape | None = None


PARAMETER_SHAPES: dict[str, type[Shape]] = {
    "real": RealShape,
    "integer": IntegerShape,
    "ordinal": OrdinalShape,
    "choice": ChoiceShape,
    "pool": PoolShape,
    "mixture": MixtureShape,
    "fidelity": FidelityShape,
    "context": ContextShape,
}
AnyParameterShape: TypeAlias = (
    RealShape
    | IntegerShape
    | OrdinalShape
    | OrderedWordsShape
    | ChoiceShape
    | DescribedChoiceShape
    | PoolShape
    | MixtureShape
    | FidelityShape
    | ContextShape
)


def parameter_shape(kind: str, value: Any) -> type[Shape]:
    """The shape of a parameter of that kind; for some it depends on what is written below it."""
    if kind == "choice" and isinstance(value, dict):
        return DescribedChoiceShape
    if kind == "ordinal" and isinstance(value, list) and any(isinstance(v, str) for v in value):
        return OrderedWordsShape
    return PARAMETER_SHAPES[kind]


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
    ] = []
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
    columns: dict[Name, Word] = {}
    campaign: Word | None = None


class TransferShape(Shape):
    """A source of related values: exactly one of a `table` (a CSV file beside the campaign file,
    with the `column` of the values), a `campaign` of the store, and a `simulator`: a lab file on
    whose twins `trials` of this campaign are played first.

    A table is read by the names of the parameters (`columns` maps where they differ), or by its
    column of materials. `helps` is the metric that it may help to predict, else the first goal's;
    `metric` the one of the campaign or the twins whose values are taken, else the same.
    """

    table: Word | None = None
    campaign: Word | None = None
    simulator: Word | None = None
    column: Word | None = None
    unit: UnitText | None = None
    scale: Literal["linear", "log"] = "linear"
    columns: dict[Name, Word] = {}
    smiles: Word | None = None
    formula: Word | None = None
    structure: Word | None = None
    material: Word | None = None
    metric: Word | None = None
    helps: Word | None = None
    trials: Annotated[int, Field(ge=2, le=2000)] = 64


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
    ] = []
    roles: Annotated[dict[Name, str], Field(description="role: capability")] = {}
    recipe: list[Annotated[dict[Name, StepShape], Field(min_length=1, max_length=1)]] = []
    metrics: dict[Name, MetricShape] = {}
    objective: ObjectiveShape
    planner: PlannerShape = PlannerShape()
    start: StartShape | None = None
    transfer: list[TransferShape] = []
    controls: ControlsShape | None = None
    confirm: ConfirmShape | None = None
    block: BlockShape | None = None
    budget: BudgetShape
    stop: StopShape = StopShape()
