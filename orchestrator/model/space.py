"""The search space: parameters with units, and points in it.

A point is a mapping from parameter name to a float (real), an int (integer) or a str (choice). A
finite pool is one parameter whose value is the candidate's name; its columns are parameters of the
recipe under the name `<pool>.<column>`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Value: TypeAlias = float | int | str
Point: TypeAlias = dict[str, Value]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Real(_Frozen):
    """A number in [low, high], in `unit`; on a log scale both bounds are positive."""

    kind: Literal["real"] = "real"
    name: str
    low: float
    high: float
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"


class Integer(_Frozen):
    """A whole number in [low, high]."""

    kind: Literal["integer"] = "integer"
    name: str
    low: int
    high: int
    unit: str = ""


class Choice(_Frozen):
    """One of a few words without an order."""

    kind: Literal["choice"] = "choice"
    name: str
    options: tuple[str, ...]


class Pool(_Frozen):
    """One of a finite list of candidates, each with numbers that describe it.

    `columns` name the d describing numbers, `rows` is n x d in the given units, `names` are n
    distinct candidate names. `texts` are columns of words: they reach the recipe, not the model.
    """

    kind: Literal["pool"] = "pool"
    name: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    texts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    source: str = ""
    sha256: str = ""


Parameter = Annotated[Real | Integer | Choice | Pool, Field(discriminator="kind")]


class SearchSpace(_Frozen):
    """Everything that may be varied."""

    parameters: tuple[Parameter, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names in the order of the file."""
        return tuple(p.name for p in self.parameters)

    def __getitem__(self, name: str) -> Real | Integer | Choice | Pool:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)
