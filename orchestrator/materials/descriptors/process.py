"""Process parameters: `temperature=450 degC; time=2 h; atmosphere=N2` as numbers in fixed units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError, UnknownName
from orchestrator.model.quantity import (
    check_unit,
    dimension,
    parse_quantity,
    quantity_in,
    to_base_units,
)
from orchestrator.ports.descriptor import Content

Kind = str | Sequence[str]

NEVER_NEGATIVE = {
    dimension("K"): ("below absolute zero", "a difference of temperatures is in delta_degC"),
    dimension("s"): ("a duration below zero", "check the sign"),
    dimension("Pa"): ("a pressure below zero", "give the absolute pressure, not the gauge's"),
}
"""What is said of quantities that are below zero in base units, by their dimension."""
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Process:
    """Typed parameters: a quantity is one number in its unit, a word is one of its words.

    `parameters` maps names to a unit ('' for a plain number) or to a list of words. A word
    becomes as many components as there are words, 1 for the one that is said and 0 for others.

    Raises:
        InputError: there is no parameter, a unit does not exist, or words are empty or repeated.
    """

    parameters: Mapping[str, Kind] = field(
        default_factory=lambda: {"temperature": "degC", "time": "h"}
    )

    content: ClassVar[Content] = "dense"
    source: ClassVar[str] = "one-hot words beside quantities; no paper"
    identifies: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.parameters:
            raise InputError("a process needs at least one parameter")
        for name, kind in self.parameters.items():
            _check(name, kind)

    @property
    def names(self) -> Sequence[str]:
        """`temperature`, and `atmosphere=N2` for each word."""
        return [
            each
            for name, kind in self.parameters.items()
            for each in ([name] if isinstance(kind, str) else [f"{name}={word}" for word in kind])
        ]

    @property
    def units(self) -> Sequence[str]:
        """Those that were declared; words have none."""
        return [
            unit
            for kind in self.parameters.values()
            for unit in ([kind] if isinstance(kind, str) else [""] * len(kind))
        ]

    def canonical(self, material: str) -> str:
        """All parameters in the declared order and units, numbers to twelve digits.

        Raises:
            InputError: a parameter is missing, unknown, said twice, or not of its kind; or a value
                cannot be (below absolute zero, a duration or a pressure below zero).
        """
        values = self._values(material)
        written = (
            f"{name}={value}" if isinstance(value, str) else _written(name, value, str(kind))
            for (name, kind), value in zip(self.parameters.items(), values, strict=True)
        )
        return "; ".join(written)

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        """n processes -> n x d numbers. Raises InputError as `canonical`."""
        rows = [self._row(material) for material in materials]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.names))

    def _row(self, material: str) -> list[float]:
        row: list[float] = []
        values = self._values(material)
        for kind, value in zip(self.parameters.values(), values, strict=True):
            if isinstance(value, str):
                row.extend(float(word == value) for word in kind)
            else:
                row.append(value)
        return row

    def _values(self, material: str) -> list[float | str]:
        """One value per parameter: a number in its unit, or a word."""
        said = self._said(material)
        missing = [name for name in self.parameters if name not in said]
        if missing:
            raise InputError(f"the process '{material}' does not say its {missing[0]}")
        return [_value(name, kind, said[name]) for name, kind in self.parameters.items()]

    def _said(self, material: str) -> dict[str, str]:
        said: dict[str, str] = {}
        for part in material.replace("\n", ";").split(";"):
            if not part.strip():
                continue
            name, equals, value = (word.strip() for word in part.partition("="))
            if not equals or not value:
                raise InputError(
                    f"'{part.strip()}' in the process '{material}' is not NAME=VALUE",
                    hint="write 'temperature=450 degC; time=2 h'",
                )
            if name not in self.parameters:
                raise UnknownName("parameter of the process", name, self.parameters)
            if name in said:
                raise InputError(f"the process '{material}' says its {name} twice")
            said[name] = value
        return said


def _check(name: str, kind: Kind) -> None:
    if not name.strip() or set(name) & set("=;\n") or name != name.strip():
        raise InputError(f"'{name}' cannot be the name of a parameter")
    if isinstance(kind, str):
        check_unit(kind)
    elif not kind or len(set(kind)) < len(kind) or not all(str(word).strip() for word in kind):
        raise InputError(f"the words of '{name}' must be at least one, and differ")


def _value(name: str, kind: Kind, text: str) -> float | str:
    if not isinstance(kind, str):
        if text not in kind:
            raise UnknownName(f"word for {name}", text, kind)
        return text

    value = quantity_in(text, kind)
    _refuse_difference(name, text, kind)
    _refuse_impossible(name, text, value, kind)
    return value


def _refuse_difference(name: str, text: str, unit: str) -> None:
    """Raises InputError: a difference of temperatures for a temperature, or the reverse."""
    _, said = parse_quantity(text)
    pairs = ((said, unit), (unit, said))
    if any(one.startswith("delta_") and to_base_units(other)[1] for one, other in pairs):
        what = "a difference" if said.startswith("delta_") else "no difference"
        raise InputError(
            f"{name}={text} is {what} of temperatures, and {name} is in {unit}",
            hint=f"write it in {unit} or in K",
        )


def _refuse_impossible(name: str, text: str, value: float, unit: str) -> None:
    """Raises InputError: below absolute zero, or a duration or a pressure below zero."""
    slope, offset = to_base_units(unit)
    kind = NEVER_NEGATIVE.get(dimension(unit))
    if kind is None or unit.startswith("delta_") or slope * value + offset >= -ROUNDING:
        return
    what, hint = kind
    raise InputError(f"{name}={text} is {what}", hint=hint)


def _written(name: str, value: float, unit: str) -> str:
    return f"{name}={value + 0.0:.12g} {unit}".rstrip()
