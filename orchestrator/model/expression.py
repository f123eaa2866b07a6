"""Expressions of a campaign file: arithmetic on named quantities, with their units.

Names are parameters (`oxygen`), columns of a pool (`pool.column`) and results of earlier steps
(`deposit.thickness`); quantities stand in quotes (`'5 K/min'`, or `20 min` without). All is checked
when the file is loaded: names, safety and dimension. At run time inputs are scaled to base units
(kelvin for temperatures) by factors computed beforehand, evaluated by `simpleeval` (never by
Python's eval) and scaled to the target unit.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias

from orchestrator.errors import InputError, ResultRefused, UnitMismatch
from orchestrator.model.quantity import (
    Bound,
    check_unit,
    convert,
    dimension,
    has_offset,
    to_base_units,
)
from orchestrator.model.syntax import ARITY, SERIES, TEXT, Kind, constant, names_in, read, unit_of

if TYPE_CHECKING:
    from orchestrator.model.vectors import Floats

__all__ = ["FUNCTIONS", "SERIES", "TEXT", "Expression", "compile_expression", "kind_of"]

FUNCTIONS = tuple(ARITY)
"""What an expression may call; no parameter or step may have one of these names."""

Input: TypeAlias = float | int | str | list[Any] | Bound
Result: TypeAlias = float | int | str | Bound


DECIMALS = 9
"""Of a value in a unit with a zero of its own: the difference to absolute zero leaves no more, and
900 degC would be 900.0000000000001, above a limit of 900 degC."""


class _OutOfDomain(ArithmeticError):
    """A function was given a number for which it has no value."""


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    def logarithm(x: float) -> float:
        if x <= 0:
            raise _OutOfDomain("a logarithm needs a number above zero")
        return function(x)

    return logarithm


def _sqrt(x: float) -> float:
    if x < 0:
        raise _OutOfDomain("a square root needs a number that is not below zero")
    return math.sqrt(x)


def _power(base: float, exponent: float) -> float:
    if base < 0 and not float(exponent).is_integer():
        raise _OutOfDomain("a number below zero has no fractional power")
    return float(base**exponent)


_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "log": _logarithm(math.log),
    "log10": _logarithm(math.log10),
    "exp": math.exp,
    "sqrt": _sqrt,
    "abs": abs,
    "min": min,
    "max": max,
}
_OPERATORS: Mapping[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Gt: lambda a, b: float(a > b),
    ast.Lt: lambda a, b: float(a < b),
    ast.GtE: lambda a, b: float(a >= b),
    ast.LtE: lambda a, b: float(a <= b),
}


@dataclass(frozen=True)
class Expression:
    """A checked expression. `names` are those it uses; `unit` is that of its value (or `TEXT`)."""

    text: str
    unit: str
    names: tuple[str, ...]
    units: Mapping[str, str]
    _tree: ast.expr = field(repr=False, compare=False)

    @property
    def bare_name(self) -> str | None:
        """The name, if the expression is nothing but a name."""
        return self.names[0] if isinstance(self._tree, ast.Name) else None

    def evaluate(self, values: Mapping[str, Input]) -> Result:
        """The value in `unit`. A bare name of the same unit gives its value as it is.

        A `Bound` among the inputs gives a `Bound`: on which side follows from whether the
        expression rises or falls from there on.

        Raises:
            ResultRefused: an input is missing or no finite number, or the value is none, or a
                `Bound` among the inputs leaves its side open.
        """
        inputs = {name: self._checked(name, values.get(name)) for name in self.names}
        name = self.bare_name
        if name is not None and self.units[name] == self.unit:
            return inputs[name]
        bounds = {n: v for n, v in inputs.items() if isinstance(v, Bound)}
        numbers = {n: v.value if isinstance(v, Bound) else v for n, v in inputs.items()}
        value = self._number(numbers)
        sides = {self._side(n, bound, numbers, value) for n, bound in bounds.items()} - {None}
        if not sides:
            return value
        if len(sides) == 2:
            self._refuse(value, f"{' and '.join(bounds)} are bounds that pull it both ways")
        return Bound(value, "above" if "above" in sides else "below")

    def over(self, columns: Mapping[str, Floats]) -> Floats:
        """The values in `unit` for many inputs at once; NaN where `evaluate` would refuse.

        Args:
            columns: of each of `names` the n values, in the unit that it was compiled with
                (`parameter_units` for the names of a space). Nothing is raised for bad numbers.
        """
        from orchestrator.model.vectors import values_of  # numpy, where columns are

        scaled = {}
        for name in self.names:
            slope, offset = to_base_units(self.units[name])
            scaled[name] = slope * columns[name] + offset
        slope, offset = to_base_units(self.unit)
        found = (values_of(self._tree, scaled) - offset) / slope
        return found.round(DECIMALS) if offset else found

    def magnitude(self, values: Mapping[str, Any]) -> float:
        """How large the terms are that are added or subtracted, in `unit`: rounding is a share of
        this, however small their sum is. Raises ResultRefused."""
        slope = to_base_units(self.unit)[0]
        scaled = {n: _in_base_units(values[n], self.units[n]) for n in self.names}
        return _magnitude(self._tree, scaled) / slope

    def _checked(self, name: str, value: Input | None) -> float | int | str | Bound:
        if value is None:
            raise ResultRefused(name, value, "nothing gave it")
        is_text = self.units[name] == TEXT
        if is_text and isinstance(value, str):
            return value
        number = value.value if isinstance(value, Bound) else value
        if is_text or isinstance(number, bool) or not isinstance(number, int | float):
            raise ResultRefused(name, value, f"it is not a {'text' if is_text else 'number'}")
        if not _is_finite(number):
            shown = value if isinstance(number, float) else math.inf
            raise ResultRefused(name, shown, "it is not a finite number")
        return value if isinstance(value, Bound) else number

    def _number(self, values: Mapping[str, Any]) -> float:
        if self.bare_name is not None:
            return convert(values[self.bare_name], self.units[self.bare_name], self.unit)
        try:
            scaled = {n: _in_base_units(v, self.units[n]) for n, v in values.items()}
            slope, offset = to_base_units(self.unit)
            result = float((_plain_value(self._tree, scaled) - offset) / slope)
            result = round(result, DECIMALS) if offset and math.isfinite(result) else result
        except ZeroDivisionError:
            self._refuse(math.nan, "it divides by zero", values)
        except OverflowError:
            self._refuse(math.inf, "the number is too large", values)
        except _OutOfDomain as error:
            self._refuse(math.nan, str(error), values)
        if not math.isfinite(result):
            self._refuse(result, "it is not a finite number", values)
        return result

    def _side(
        self, name: str, bound: Bound, values: Mapping[str, Any], start: float
    ) -> Literal["above", "below"] | None:
        """Follows the expression from a bound outwards; None where it does not move."""
        previous, rises, falls = start, False, False
        for x in _outwards(bound):
            try:
                here = self._number({**values, name: x})
            except ResultRefused:
                break
            rises, falls = rises or here > previous, falls or here < previous
            previous = here
        if rises and falls:
            self._refuse(start, f"{name} is only known to lie {bound.side} {bound.value:g}")
        if not (rises or falls):
            return None
        return "above" if rises else "below"

    def _refuse(self, value: float, why: str, inputs: Mapping[str, Any] | None = None) -> NoReturn:
        given = ", ".join(
            f"{n} = {v:g} {self.units[n]}".rstrip() for n, v in (inputs or {}).items()
        )
        raise ResultRefused(f"'{self.text}'", value, why + (f" ({given})" if given else ""))


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number of more than 308 digits
        return False


def _plain_value(tree: ast.expr, scaled: Mapping[str, float]) -> float:
    from simpleeval import SimpleEval

    evaluator = SimpleEval(operators=_OPERATORS, functions=_FUNCTIONS, names=dict(scaled))
    return float(evaluator.eval("", tree))


def _magnitude(tree: ast.expr, scaled: Mapping[str, float]) -> float:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub):
        return _magnitude(tree.left, scaled) + _magnitude(tree.right, scaled)
    return abs(_plain_value(tree, scaled))


def _in_base_units(value: float, unit: str) -> float:
    slope, offset = to_base_units(unit)
    return slope * value + offset


def _outwards(bound: Bound) -> Iterator[float]:
    """From a bound into what it leaves open; a positive upper bound is followed towards zero."""
    steps = (1e-6, 1e-3, 0.5, 10.0, 1e3, 1e6)
    value = bound.value
    if bound.side == "above":
        yield from (value + (abs(value) or 1.0) * s for s in steps)
    elif value > 0:
        yield from (value * r for r in (1 - 1e-6, 1 - 1e-3, 0.5, 0.1, 1e-3, 1e-6))
    else:
        yield from (value - (abs(value) or 1.0) * s for s in steps)


def kind_of(text: str, units: Mapping[str, str]) -> Kind:
    """The dimension of an expression, before it is known in which unit its value is wanted.

    Raises:
        InputError: as `compile_expression`.
    """
    return unit_of(read(text, units), text, units)


def compile_expression(text: str, units: Mapping[str, str], target_unit: str) -> Expression:
    """Checks an expression once, so that it can be evaluated often.

    Args:
        text: the expression, without the `=` that marks it in a file.
        units: the unit of every name that may be used ('' dimensionless, `TEXT`, `SERIES`).
        target_unit: the unit of the value, or `TEXT`.

    Raises:
        UnsafeExpression: it does more than arithmetic.
        UnknownName: a name or a unit does not exist.
        UnitMismatch: units do not fit together, or not the target.
        InputError: it is not an expression, or computes with a text or a list.
    """
    tree = read(text, units)
    used = {name: units[name] for name in names_in(tree)}
    expression = Expression(text, target_unit, tuple(used), used, tree)
    if expression.bare_name is not None and used[expression.bare_name] == target_unit == TEXT:
        return expression
    kind = unit_of(tree, text, used)
    if target_unit == TEXT:
        raise InputError(f"'{text}' is a number where a text is needed")
    check_unit(target_unit)
    is_scaled = not kind.powers and to_base_units(target_unit)[0] != 1
    if kind.powers != dimension(target_unit) or (is_scaled and constant(tree)):
        raise UnitMismatch(f"'{text}'", kind.unit, target_unit)
    has_zero = any(has_offset(unit) for unit in used.values())
    if has_zero and kind.zeros != 1.0 and has_offset(target_unit):
        raise InputError(
            f"'{text}' is no temperature on the scale of '{target_unit}'",
            hint="a difference of temperatures is in K",
        )
    return expression
