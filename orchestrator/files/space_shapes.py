"""What people write under `space:`, the shape of every kind of parameter."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field

from orchestrator.files.shape import (
    Finite,
    Formula,
    Name,
    OneDescriptor,
    Quantity,
    Shape,
    UnitText,
    Word,
)


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
    units: dict[Name, UnitText] = Field(default_factory=dict)


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


class RungsShape(Shape):
    """How exactly the question is answered: words in ascending exactness, whose costs are learnt
    from the seconds that trials take. The last one is the one that counts."""

    fidelity: Annotated[list[Word], Field(min_length=2, examples=[["sevennet", "gpaw"]])]


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
    """One row of a CSV file, relative to the campaign file; or one structure of a folder of CIF,
    POSCAR and XYZ files, of an ase.db, or of the frames of an extended XYZ file: these are in the
    column `structure`, and are described as crystals where nothing else is said.

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
    | RungsShape
    | ContextShape
)


def parameter_shape(kind: str, value: Any) -> type[Shape]:
    """The shape of a parameter of that kind; for some it depends on what is written below it."""
    if kind == "choice" and isinstance(value, dict):
        return DescribedChoiceShape
    if kind == "ordinal" and isinstance(value, list) and any(isinstance(v, str) for v in value):
        return OrderedWordsShape
    if kind == "fidelity" and isinstance(value, list):
        return RungsShape
    return PARAMETER_SHAPES[kind]
