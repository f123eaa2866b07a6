"""The search space: parameters with units, what binds them together, and points in it.

A point is a mapping from parameter name to a float (real, context), an int (integer), a str
(choice, fidelity) or one of the levels of an ordinal. A finite pool is one parameter whose value is
the candidate's name; its columns are parameters of the recipe under the name `<pool>.<column>`. The
components of a mixture are real parameters of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.model.counts import Counts
from orchestrator.model.rows import Rows
from orchestrator.model.syntax import TEXT

PREVIOUS = "previous"
"""`previous.<name>` is the value of a parameter in the trial before, in the cost of a trial."""

Value: TypeAlias = float | int | str
Point: TypeAlias = dict[str, Value]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Real(_Frozen):
    """A number in [low, high], in `unit`; on a log scale both bounds are positive.

    `setting_sd` says how exactly the lab holds the setting: a standard deviation in `unit` (on a
    log scale in decades). Above zero, an optimum is wanted that bears it.
    """

    kind: Literal["real"] = "real"
    name: str
    low: float
    high: float
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    setting_sd: float = Field(default=0.0, ge=0.0)


MOST_WHOLE = 10**15
"""Whole numbers up to this size are told apart by floating-point numbers, with room to spare."""


class Integer(_Frozen):
    """A whole number in [low, high], of the size `MOST_WHOLE` at most."""

    kind: Literal["integer"] = "integer"
    name: str
    low: int
    high: int
    unit: str = ""


class Ordinal(_Frozen):
    """One of a few levels with an order, ascending: numbers in `unit`, or words, equally spaced.

    With numbers on a log scale, it is their logarithms that lie as far apart as they do.
    """

    kind: Literal["ordinal"] = "ordinal"
    name: str
    levels: tuple[float, ...] | tuple[str, ...]
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"


class Choice(_Frozen):
    """One of a few words without an order."""

    kind: Literal["choice"] = "choice"
    name: str
    options: tuple[str, ...]


class Described(_Frozen):
    """What a descriptor says of the candidates of a pool (n), of which column `material` is read.

    `counts` (n x d) are compared by Tanimoto's similarity; `rows` (n x d, in `units`) are
    quantities with `names`, each standardised; more than a few share one length scale.
    """

    descriptor: str
    material: str
    options: dict[str, Any] = Field(default_factory=dict)
    counts: Counts | None = None
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    rows: Rows | None = None

    def only(self, candidates: Sequence[int]) -> Described:
        """What is said of some of the candidates."""
        counts = None if self.counts is None else self.counts.only(candidates)
        rows = None if self.rows is None else self.rows.only(candidates)
        return self.model_copy(update={"counts": counts, "rows": rows})


class Generation(_Frozen):
    """How a pool grows while a campaign runs: after every `every` results a generator makes up to
    `n` further materials, of which the planner may choose.

    `target` and `descriptors` are classes as "module:name", the latter in the order of the pool's
    `described`; a generated material is its own name, and the text of column `material`. `corpus`
    is what the generator learns from; of none it takes its own.
    """

    kind: str
    target: str
    descriptors: tuple[str, ...]
    material: str
    every: int = Field(default=5, gt=0)
    n: int = Field(default=200, gt=0)
    options: dict[str, Any] = Field(default_factory=dict)
    corpus: tuple[str, ...] = ()


class SetAside(_Frozen):
    """A row of a table that is no candidate, and why: a sentence with its line. `name` is what the
    row calls it, `same_as` the candidate that it is. A row that is a file of its own, or a frame of
    one, has a `place` that says which."""

    line: int
    why: str
    name: str = ""
    same_as: str = ""
    place: str = ""

    @property
    def where(self) -> str:
        """Its place, else its line."""
        return self.place or f"line {self.line}"


class Pool(_Frozen):
    """One of a finite list of candidates, each with numbers that describe it.

    `columns` name the d describing numbers, `rows` is n x d in the given units, `names` are n
    distinct candidate names, from the table's column `named_by`. `texts` are columns of words: they
    reach the recipe, not the model. `described` is what descriptors say of them: it reaches the
    model, not the recipe. `set_aside` are rows of the table that could not be described. With
    `generation` a candidate need not be one of `names`.
    """

    kind: Literal["pool"] = "pool"
    name: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    units: tuple[str, ...]
    rows: Rows
    texts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    described: tuple[Described, ...] = ()
    generation: Generation | None = None
    set_aside: tuple[SetAside, ...] = ()
    named_by: str = ""
    source: str = ""
    sha256: str = ""

    def numbers(self, candidate: str) -> tuple[float, ...]:
        """The describing numbers of a candidate, one per column. Raises ValueError."""
        return self.rows[self.names.index(candidate)] if self.columns else ()

    def words(self, candidate: str) -> dict[str, str]:
        """What the columns of words say of a candidate; one that was generated has its material
        alone.

        Raises:
            ValueError: there is no such candidate, and none is generated.
        """
        if self.generation is not None and candidate not in self.names:
            made = {self.generation.material: candidate}
            return {column: made.get(column, "") for column in self.texts}
        row = self.names.index(candidate)
        return {column: texts[row] for column, texts in self.texts.items()}

    def only(self, candidates: Sequence[int]) -> Pool:
        """The pool with some of its candidates."""
        return self.model_copy(
            update={
                "names": tuple(self.names[i] for i in candidates),
                "rows": self.rows.only(candidates),
                "texts": {c: tuple(t[i] for i in candidates) for c, t in self.texts.items()},
                "described": tuple(d.only(candidates) for d in self.described),
            }
        )


class Fidelity(_Frozen):
    """How exactly the question is answered: words (rungs) in ascending exactness, the last the one
    that counts, each with what a trial at it costs (any unit, all the same); without costs, these
    are learnt from the seconds that trials take."""

    kind: Literal["fidelity"] = "fidelity"
    name: str
    levels: tuple[str, ...]
    costs: tuple[float, ...] = ()

    @property
    def target(self) -> str:
        """The level that counts."""
        return self.levels[-1]


class Context(_Frozen):
    """Something that acts and is measured but cannot be chosen (humidity, wear of the target).

    Its value in a proposal is the newest known, at first `assumed`; in a history it is what was
    measured. [low, high] is the range expected, in `unit`.
    """

    kind: Literal["context"] = "context"
    name: str
    low: float
    high: float
    assumed: float
    unit: str = ""


Parameter: TypeAlias = Real | Integer | Ordinal | Choice | Pool | Fidelity | Context
AnyParameter = Annotated[Parameter, Field(discriminator="kind")]


def words_of(parameter: Parameter) -> tuple[str, ...] | None:
    """The words that a parameter may be; None where it is a number."""
    match parameter:
        case Choice(options=words) | Pool(names=words) | Fidelity(levels=words):
            return words
        case Ordinal(levels=levels) if isinstance(levels[0], str):
            return tuple(str(level) for level in levels)
        case _:
            return None


def fidelity_of(space: SearchSpace) -> Fidelity | None:
    """The fidelity of a space, if it has one."""
    return next((p for p in space.parameters if isinstance(p, Fidelity)), None)


def counts(space: SearchSpace, point: Point) -> bool:
    """Whether what is found at a point answers the question: it is at the fidelity that counts."""
    fidelity = fidelity_of(space)
    return fidelity is None or point.get(fidelity.name) == fidelity.target


def is_open(parameter: Parameter) -> bool:
    """Whether a parameter may have words that are not known yet."""
    return isinstance(parameter, Pool) and parameter.generation is not None


class Mixture(_Frozen):
    """Real parameters on a linear scale that sum to `total`, in their unit.

    `present` bounds how many of them are above zero; one that is present is at least `least`.
    """

    name: str
    components: tuple[str, ...]
    total: float = 1.0
    present: tuple[int, int]
    least: float = 0.0


class Condition(_Frozen):
    """A parameter that exists only where the choice `parent` has one of `values`; elsewhere a point
    gives it the value `otherwise`, which acts on nothing."""

    name: str
    parent: str
    values: tuple[str, ...]
    otherwise: Value


class KnownConstraint(_Frozen):
    """What is known not to be possible: `expression` (arithmetic on parameters and columns, in
    base units of its dimension, such as `oxygen + argon - 3`) must be at most zero.

    `text` is what the file says.
    """

    text: str
    expression: str
    unit: str = ""


class SearchSpace(_Frozen):
    """Everything that may be varied, and what is known to be possible."""

    parameters: tuple[AnyParameter, ...]
    mixtures: tuple[Mixture, ...] = ()
    conditions: tuple[Condition, ...] = ()
    constraints: tuple[KnownConstraint, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names in the order of the file."""
        return tuple(p.name for p in self.parameters)

    def __getitem__(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)


def parameter_units(space: SearchSpace) -> dict[str, str]:
    """The unit of every name that an expression over parameters may use, as `compile_expression`
    takes them: '' of a plain number, `TEXT` of a word; a pool's columns as `<pool>.<column>`."""
    units: dict[str, str] = {}
    for parameter in space.parameters:
        if isinstance(parameter, Pool):
            pairs = zip(parameter.columns, parameter.units, strict=True)
            units |= {f"{parameter.name}.{column}": unit for column, unit in pairs}
            units |= dict.fromkeys((f"{parameter.name}.{c}" for c in parameter.texts), TEXT)
        is_word = words_of(parameter) is not None
        units[parameter.name] = TEXT if is_word else getattr(parameter, "unit", "")
    return units


def point_values(space: SearchSpace, point: Point) -> dict[str, Value]:
    """A point as names for expressions; a pool's columns as `<pool>.<column>`."""
    values: dict[str, Value] = dict(point)
    for parameter in space.parameters:
        if isinstance(parameter, Pool):
            candidate = str(point[parameter.name])
            for column, value in zip(parameter.columns, parameter.numbers(candidate), strict=True):
                values[f"{parameter.name}.{column}"] = value
            for column, word in parameter.words(candidate).items():
                values[f"{parameter.name}.{column}"] = word
    return values
