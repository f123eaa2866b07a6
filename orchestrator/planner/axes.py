"""One parameter as a number in [0, 1], and back.

A real parameter's code is its position between its bounds (of the logarithm, on a log scale); every
other kind is cut into cells of equal width, and the code of a value is the middle of its cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import assert_never

import numpy as np

from orchestrator.errors import InputError, UnknownName
from orchestrator.model.space import (
    Choice,
    Context,
    Fidelity,
    Integer,
    Ordinal,
    Parameter,
    Pool,
    Real,
    Value,
)
from orchestrator.planner.describing import array_of
from orchestrator.planner.kernel import Floats


def n_values(parameter: Parameter) -> int:
    """How many different values a parameter can take; 0 for one without steps."""
    match parameter:
        case Real() | Context():
            return 0
        case Integer():
            return parameter.high - parameter.low + 1
        case Choice() | Pool() | Fidelity() | Ordinal():
            return len(words_of(parameter))
        case _:
            assert_never(parameter)


def words_of(parameter: Parameter) -> Sequence[float | str]:
    """The values of a parameter that has them listed; of any other none."""
    match parameter:
        case Choice():
            return parameter.options
        case Pool():
            return parameter.names
        case Fidelity() | Ordinal():
            return parameter.levels
        case _:
            return ()


def check(parameter: Parameter) -> None:
    """Accepts a parameter that can be encoded. Raises InputError."""
    name = parameter.name
    match parameter:
        case Real() | Context():
            if not (math.isfinite(parameter.low) and math.isfinite(parameter.high)):
                raise InputError(f"the bounds of '{name}' are not finite")
            if isinstance(parameter, Real) and parameter.scale == "log" and parameter.low <= 0:
                raise InputError(
                    f"'{name}' is on a log scale, but its low bound is {parameter.low:g}"
                )
            _check_order(name, parameter.low, parameter.high)
        case Integer():
            _check_order(name, parameter.low, parameter.high)
        case _:
            if n_values(parameter) == 0:
                raise InputError(f"'{name}' has nothing to choose from")


def _check_order(name: str, low: float, high: float) -> None:
    if low > high:
        raise InputError(f"the low bound of '{name}' is above its high bound")


def code_of(parameter: Parameter, value: Value, positions: dict[str, int]) -> float:
    """The code of a value; of a real or whole number outside of the bounds outside of [0, 1].

    `positions` are the places of the words of a parameter that has them.

    Raises:
        InputError: it is not a finite number, or (UnknownName) none of the words.
    """
    match parameter:
        case Real() | Context():
            number = _number(parameter, value)
            low, high = _on_scale(parameter, parameter.low), _on_scale(parameter, parameter.high)
            return 0.5 if high == low else (_on_scale(parameter, number) - low) / (high - low)
        case Integer():
            return (_number(parameter, value) - parameter.low + 0.5) / n_values(parameter)
        case Choice() | Pool() | Fidelity() | Ordinal():
            place = positions.get(as_word(value))
            if place is None:
                raise UnknownName(f"value of '{parameter.name}'", as_word(value), positions)
            return (place + 0.5) / n_values(parameter)
        case _:
            assert_never(parameter)


def as_word(value: Value) -> str:
    """A listed value as a key: numbers that are equal have the same."""
    return value if isinstance(value, str) else repr(float(value))


def value_of(parameter: Parameter, code: float) -> Value:
    """The value of a code in [0, 1]."""
    match parameter:
        case Real() | Context():
            return _real(parameter, code)
        case Integer():
            return parameter.low + _cell(parameter, code)
        case Choice() | Pool() | Fidelity() | Ordinal():
            return words_of(parameter)[_cell(parameter, code)]
        case _:
            assert_never(parameter)


def numbers_of(parameter: Parameter, codes: Floats) -> dict[str, Floats]:
    """The numbers (n) that codes (n, in [0, 1]) stand for, by name; a pool's by its columns."""
    if isinstance(parameter, Real | Context):
        low, high = _on_scale(parameter, parameter.low), _on_scale(parameter, parameter.high)
        values = low * (1.0 - codes) + high * codes
        values = np.exp(values) if _is_log(parameter) else values
        return {parameter.name: np.clip(values, parameter.low, parameter.high)}
    cells = np.minimum((codes * n_values(parameter)).astype(int), n_values(parameter) - 1)
    if isinstance(parameter, Integer):
        return {parameter.name: (parameter.low + cells).astype(float)}
    if isinstance(parameter, Pool):
        if not parameter.columns:
            return {}
        rows = array_of(parameter.rows)[cells]
        return {f"{parameter.name}.{c}": rows[:, i] for i, c in enumerate(parameter.columns)}
    words = words_of(parameter)
    if isinstance(words[0], str):
        return {}
    return {parameter.name: np.array(words, dtype=float)[cells]}


def _cell(parameter: Parameter, code: float) -> int:
    return min(int(code * n_values(parameter)), n_values(parameter) - 1)


def _number(parameter: Real | Integer | Context, value: Value) -> float:
    number = float(value) if not isinstance(value, str) else math.nan
    if not math.isfinite(number):
        raise InputError(f"{parameter.name} = {value!r} is not a finite number")
    if isinstance(parameter, Real) and parameter.scale == "log" and number <= 0:
        raise InputError(f"{parameter.name} = {number:g} is not positive, but on a log scale")
    return number


def _is_log(parameter: Real | Context) -> bool:
    return isinstance(parameter, Real) and parameter.scale == "log"


def _on_scale(parameter: Real | Context, number: float) -> float:
    return math.log(number) if _is_log(parameter) else number


def _real(parameter: Real | Context, code: float) -> float:
    if code in (0.0, 1.0):  # the very bound, not its rounded logarithm
        return parameter.high if code else parameter.low
    low, high = _on_scale(parameter, parameter.low), _on_scale(parameter, parameter.high)
    number = low * (1.0 - code) + high * code
    if _is_log(parameter):
        number = math.exp(number)
    return min(max(number, parameter.low), parameter.high)


def positions_of_levels(parameter: Ordinal) -> list[float]:
    """Where the levels of an ordinal lie between its ends (0 to 1), by number or by rank."""
    levels = parameter.levels
    if isinstance(levels[0], str):
        numbers = [float(i) for i in range(len(levels))]
    else:
        scale = math.log if parameter.scale == "log" else float
        numbers = [scale(float(level)) for level in levels]
    span = numbers[-1] - numbers[0]
    return [(number - numbers[0]) / span if span else 0.5 for number in numbers]
