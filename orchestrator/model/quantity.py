"""Quantities: a number and its unit, converted at the edges and nowhere else.

Inside, values travel as bare floats in a declared unit. pint knows the units; it is imported and
its registry made when a unit is first looked up that is not a familiar one.
"""

from __future__ import annotations

import difflib
import functools
import math
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.errors import InputError, UnitMismatch, UnknownName
from orchestrator.model.familiar import FAMILIAR, Dimension

DEFINITIONS = (
    # the flow that carries 1 cm³/min of ideal gas at 0 °C and 101325 Pa: 4.478e17 molecules/s
    "sccm = 101325 * pascal * centimeter**3 / minute / (273.15 * kelvin * molar_gas_constant)",
    "slm = 1000 * sccm",
    "sq = 1",  # a square of film: a number without dimension
    *(f"{kind}_percent = 0.01" for kind in ("at", "wt", "mol", "vol")),
)
"""Our own units, in pint's notation. An amount flow is counted in mol/s."""

COMMON = tuple(FAMILIAR)
"""Units that are suggested when one is misspelt."""

_WORDS = {"·": "*", "⋅": "*", "∙": "*", "^": "**", "℃": "°C"}
_SHARE = re.compile(r"\b(at|wt|mol|vol)\.?\s?%")
_RAISED = re.compile(r"(?<=[^\W\d_])(?:(⁻?)([¹²³⁴-⁹])|[-−](\d)(?![\d.]))")
"""A power as papers print it: `cm⁻¹`, `m²`, `cm-1`."""
_SUPERSCRIPTS = str.maketrans("⁻¹²³⁴⁵⁶⁷⁸⁹", "-123456789")
_RUN_TOGETHER = re.compile(r"\b(\w{0,2}?)(Pas|Nm)(?:(?:\*\*)?(3))?\b")
"""What pint takes for several pascals and for the fineness of a yarn; with a 3 it is a norm cubic
metre."""
_AS_PRINTED = {r"W\s*/\s*\(?\s*mK\b": "W/m/K", r"\bms(-|−|⁻)[1¹]": "m/s' or '1/ms"}
"""What papers print and what pint takes for millikelvins and milliseconds, and how it is meant."""
_POWER = r"\*\*\s*-?\d(?:\.\d)?(?![\d.]|\s*\*\*)"  # one digit, never a tower
# a name is taken whole (`*+`): split in every way, a wrong unit of 40 letters took for ever
_FORM = re.compile(rf"(?:[^\W\d]\w*+|[%Ω]|°[CF]|1(?=\s*/)|[()*/\s]|{_POWER})+")
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*", re.DOTALL)
# what pint raises over a text that is no unit; the assertion over `nm*`
_UNREADABLE = (
    *(ValueError, TypeError, KeyError, SyntaxError, AssertionError, tokenize.TokenError),
)


@dataclass(frozen=True)
class Bound:
    """A censored value: all that is known is that it lies `above` or `below` `value`."""

    value: float
    side: Literal["above", "below"]


def parse_quantity(text: str) -> tuple[float, str]:
    """Number and unit of `"20 min"`, `"120 nm"`, `"1e-6"` ('' where there is no unit).

    The unit is not looked up.

    Raises:
        InputError: the text does not begin with a finite number.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or not math.isfinite(float(match[1])):
        raise InputError(
            f"'{shortened(text)}' is not a quantity",
            hint="write a number and a unit, such as '20 min'",
        )
    if re.match(r",\d", match[2] or ""):
        raise InputError(f"'{shortened(text)}' has a decimal comma", hint="write a decimal point")
    return float(match[1]), match[2] or ""


def quantity_in(text: str, target: str) -> float:
    """The number of a quantity in the unit `target`: `quantity_in("20 min", "s")` is 1200.0.

    Raises:
        InputError: the text is not a quantity, or a unit does not exist (`UnknownName`).
        UnitMismatch: it has another dimension, or no unit where that would change it: a bare 90 is
            neither 90 radians, nor 9000 %.
    """
    value, unit = _with_unit(text, target)
    a, b = _affine(unit, target, f"'{text}'")
    return value if unit == target else a * value + b


def difference_in(text: str, target: str) -> float:
    """A difference in the unit `target`, which has no zero point: `difference_in("2 K", "degC")` is
    2.0. Raises as `quantity_in`."""
    value, unit = _with_unit(text, target)
    return value * _affine(unit, target, f"'{text}'")[0]


def _with_unit(text: str, target: str) -> tuple[float, str]:
    value, unit = parse_quantity(text)
    if value and target and not unit and to_base_units(target)[0] != 1.0:
        raise UnitMismatch(f"'{text}'", unit, target)
    return value, unit


def convert(value: float, source: str, target: str) -> float:
    """`value` in the unit `source`, expressed in `target`; the very same float if they are equal.

    Raises:
        UnknownName: a unit does not exist.
        UnitMismatch: the units have different dimensions.
    """
    if source == target:
        return value
    a, b = scale_offset(source, target)
    return a * value + b


def scale_offset(source: str, target: str) -> tuple[float, float]:
    """(a, b) with `a * source + b = target`, for repeated use. (1.0, 0.0) for the same unit.

    Factors that are short decimals, or one over such a number, are exactly that.

    Raises:
        UnknownName: a unit does not exist.
        UnitMismatch: the units have different dimensions.
    """
    return _affine(source, target, "the value")


def to_base_units(unit: str) -> tuple[float, float]:
    """(a, b) with `a * unit + b` in base units (kelvin for temperatures). Raises UnknownName."""
    return (1.0, 0.0) if unit == "" else _to_base(unit)


def check_unit(unit: str) -> None:
    """Accepts a unit that exists.

    Raises:
        UnknownName: it does not, or a part of it does not; with the nearest that does.
        InputError: it is not written as a unit, or is a logarithmic one (dBm).
    """
    if unit and unit not in FAMILIAR:
        _unit(unit)


def same_dimension(first: str, second: str) -> bool:
    """Whether quantities in the two units can be converted into each other.

    Percent of atoms, weight, moles and volume are never taken for each other. Raises UnknownName.
    """
    if first == second:
        return True
    kinds, others = (set(_SHARE.findall(unit)) for unit in (first, second))
    mixed = kinds and others and kinds != others
    return not mixed and dimension(first) == dimension(second)


@functools.cache
def dimension(unit: str) -> Dimension:
    """Exponents of the base dimensions, sorted by name: `(("[length]", 1.0),)`; empty for none.

    Raises:
        UnknownName: the unit does not exist.
    """
    if unit == "":
        return ()
    if unit in FAMILIAR:
        return FAMILIAR[unit].dimension
    powers = _registry().get_dimensionality(_unit(unit))
    return tuple(sorted((name, round(float(power), 9)) for name, power in powers.items() if power))


def has_offset(unit: str) -> bool:
    """Whether zero of this unit is not zero of the quantity (degC). Raises UnknownName."""
    return to_base_units(unit)[1] != 0.0


def _affine(source: str, target: str, what: str) -> tuple[float, float]:
    if source == target:
        return 1.0, 0.0
    if not same_dimension(source, target):
        raise UnitMismatch(what, source, target)
    return _between(source, target)


@functools.cache
def _between(source: str, target: str) -> tuple[float, float]:
    (a, b), (c, d) = to_base_units(source), to_base_units(target)
    return _tidied(a / c), round((b - d) / c, 12)


@functools.cache
def _to_base(unit: str) -> tuple[float, float]:
    if unit in FAMILIAR:
        return FAMILIAR[unit].slope, FAMILIAR[unit].offset
    registry = _registry()
    zero = registry.Quantity(0.0, _unit(unit)).to_root_units().magnitude
    step = f"delta_{_unit(unit)}" if zero else _unit(unit)
    slope = registry.Quantity(1.0, step).to_root_units().magnitude
    return _tidied(slope), round(float(zero), 12)


def _tidied(number: float) -> float:
    """Without the rounding that pint's chain of factors adds: 0.001 m, 1/60 min."""
    for candidate in (float(f"{number:.12g}"), 1 / float(f"{1 / number:.12g}")):
        if abs(candidate - number) <= 2e-15 * abs(number):
            return candidate
    return float(number)


@functools.cache
def _registry() -> Any:
    import pint  # 0.3 s with its registry

    registry: Any = pint.UnitRegistry()
    for line in DEFINITIONS:
        registry.define(line)
    return registry


@functools.cache
def _unit(unit: str) -> Any:
    if unit == "":
        return _registry().Unit("")
    text = _SHARE.sub(r"\1_percent", _RAISED.sub(_power, unit))
    for ours, theirs in _WORDS.items():
        text = text.replace(ours, theirs)
    if len(unit) > 60 or "//" in text or not _FORM.fullmatch(text):
        raise _not_written(unit)
    for printed, meant in _AS_PRINTED.items():
        if seen := re.search(printed, unit):
            raise InputError(f"'{seen[0]}' is not written as a unit", hint=f"write '{meant}'")
    if found := _RUN_TOGETHER.search(text):
        raise _run_together(found)
    return _parsed(unit, text)


def _run_together(found: re.Match[str]) -> InputError:
    hint = f"write '{found[1]}{found[2][:-1]}*{found[2][-1]}'"
    if found[2] == "Nm" and found[3]:
        hint = "of a gas at 0 °C and 1 atm write 'mol', or 'slm' for a flow"
    return InputError(f"'{found[1]}{found[2]}' is not written as a unit", hint=hint)


def _power(found: re.Match[str]) -> str:
    raised = f"{found[1]}{found[2]}".translate(_SUPERSCRIPTS) if found[2] else f"-{found[3]}"
    return f"**{raised}"


def _not_written(unit: str) -> InputError:
    return InputError(
        f"'{shortened(unit)}' is not written as a unit", hint="such as 'ohm*cm' or 'nm/min'"
    )


def shortened(text: str) -> str:
    """A text in at most 60 characters, for a sentence about it."""
    return text if len(text) <= 60 else text[:56] + " ..."


def _parsed(unit: str, text: str) -> Any:
    import pint

    registry = _registry()
    try:
        parsed = registry.parse_units(text)
        logarithmic = any(registry._units[name].is_logarithmic for name in dict(parsed._units))
    except pint.UndefinedUnitError as error:
        names = error.unit_names
        raise _unknown(names if isinstance(names, str) else names[0], registry) from None
    except (*_UNREADABLE, pint.PintError):
        raise _not_written(unit) from None
    if logarithmic:
        raise InputError(f"'{unit}' is a logarithmic unit", hint="give the plain quantity, as W")
    return parsed


def _unknown(name: str, registry: Any) -> UnknownName:
    parts = set(re.findall(r"[^\W\d]\w*", " ".join(COMMON)))
    alike = [part for part in sorted(parts) if part.lower() == name.lower()]
    near = alike or _near(name, parts) or _near(name, registry._units)
    error = UnknownName("known unit", name, COMMON)
    raised = re.fullmatch(r"([^\W\d]+)([2-4])", name)
    if raised and raised[1] in registry:
        error.hint = f"write '{raised[1]}^{raised[2]}'"
    elif near:
        error.hint = f"did you mean '{near[0]}'?"
    return error


def _near(name: str, known: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
