"""Numbers as a scientist writes them: digits by the uncertainty, units always.

Texts are Unicode; `plain` turns one into ASCII for terminals that cannot show it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN_RANGE = range(-2, 5)
_UNIT_WORDS = {
    "ohm": "Ω",
    "degC": "°C",
    "delta_degC": "°C",
    "degree": "°",
    "deg": "°",
    "um": "µm",
    "us": "µs",
    "uL": "µL",
    "uA": "µA",
    "angstrom": "Å",
    "percent": "%",
}
_RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_ASCII = str.maketrans(
    {
        "Ω": "ohm",
        "°": "deg",
        "µ": "u",
        "Å": "angstrom",
        "·": "*",
        "×": "x",
        "±": "+/-",
        "≥": ">=",
        "≤": "<=",
        "–": "-",
        "…": "...",
        "★": "*",
        "✓": "+",
        "✗": "x",
        "█": "#",
        "▓": "%",
        "░": ".",
        "›": ">",
    }
)


def pretty_unit(unit: str) -> str:
    """`ohm*cm` as Ω·cm, `degC` as °C, `cm**-3` as cm⁻³."""
    text = re.sub(r"[A-Za-z_]+", lambda m: _UNIT_WORDS.get(m.group(), m.group()), unit)
    text = re.sub(r"(?:\*\*|\^)\s*(-?\d+)", lambda m: m.group(1).translate(_SUPERSCRIPTS), text)
    return re.sub(r"\s*\*\s*", "·", text)


def titled(name: str, unit: str) -> str:
    """A column or axis title: `oxygen [sccm]`."""
    return f"{name} [{pretty_unit(unit)}]" if unit else name


def number(value: float, digits: int = 4) -> str:
    """`value` to so many significant digits, without trailing zeros; a whole number as it is."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    if value == 0:
        return "0"
    exponent = _exponent(float(f"{value:.{digits - 1}e}"))
    if exponent in _PLAIN_RANGE:
        decimals = digits - 1 - exponent
        if decimals < 0 and digits < 4:  # else it may be a setting, which is exact
            value = round(value, decimals)
        text = f"{value:.{max(0, decimals)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa = f"{value / 10.0**exponent:.{digits - 1}f}".rstrip("0").rstrip(".")
    return f"{mantissa} × {_power(exponent)}"


def measured(value: float, sd: float | None = None, unit: str = "", *, censored: str = "") -> str:
    """A measured value with its standard deviation (both in `unit`) and the unit.

    The last digit is the second one of the standard deviation; without one, four digits are given.
    `censored` is 'above' or 'below' when all that is known is that it lies there.
    """
    bound = {"above": "> ", "below": "< "}.get(censored, "")
    shown = pretty_unit(unit)
    if bound or not sd or not math.isfinite(sd) or sd < 0 or not math.isfinite(value):
        return f"{bound}{number(value)} {shown}".rstrip()
    exponent = max(_exponent(value), _exponent(sd))
    last = _exponent(float(f"{sd:.1e}")) - 1
    if exponent in _PLAIN_RANGE:
        decimals = max(0, -last)
        value, sd = round(value, -last), round(sd, -last)
        return f"{value:.{decimals}f} ± {sd:.{decimals}f} {shown}".rstrip()
    decimals, scale = max(0, exponent - last), 10.0**exponent
    pair = f"{value / scale:.{decimals}f} ± {sd / scale:.{decimals}f}"
    return f"({pair}) × {_power(exponent)} {shown}".rstrip()


def printed(sentence: str, units: Iterable[str] = ()) -> str:
    """A sentence of the journal, which is ASCII, as the texts of a page are.

    >>> printed("expected rho 1.3e-05 +- 2e-07 ohm*cm", ["ohm*cm"])
    'expected rho 1.3 × 10⁻⁵ ± 2 × 10⁻⁷ Ω·cm'
    """
    for unit in filter(None, units):
        pattern = rf"(?<=\d ){re.escape(unit)}(?![\w*/])"
        sentence = re.sub(pattern, pretty_unit(unit), sentence)
    powers = r"(?<![\w.])(-?\d+(?:\.\d+)?)e([+-]\d+)"
    sentence = re.sub(powers, lambda m: f"{m[1]} × {_power(int(m[2]))}", sentence)
    return sentence.replace(" +- ", " ± ").replace(" >= ", " ≥ ").replace(" <= ", " ≤ ")


def duration(seconds: float) -> str:
    """A span of time in its two largest units: `1 d 14 h`, `35 min`, `12 s`."""
    seconds = max(0.0, seconds)
    if seconds < 10:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    parts = []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
    return " ".join(parts[:2])


def moment(seconds: float, *, fine: bool = False) -> str:
    """Campaign time since the start: `14:05`, `1 d 02:13`, and `00:02:16` when `fine`."""
    whole = int(max(0.0, seconds))
    days, whole = divmod(whole, 86400)
    clock = f"{whole // 3600:02d}:{whole // 60 % 60:02d}" + (f":{whole % 60:02d}" if fine else "")
    return f"{days} d {clock}" if days else clock


def plain(text: str) -> str:
    """ASCII for what the texts of this module use beyond it."""
    text = re.sub(
        f"(10)?([{_RAISED}]+)",
        lambda m: ("1e" if m[1] else "^") + m[2].translate(str.maketrans(_RAISED, "-0123456789")),
        text,
    )
    text = re.sub(" × 1e", "e", text)
    return text.translate(_ASCII).encode("ascii", "replace").decode()


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else -300


def _power(exponent: int) -> str:
    return "10" + str(exponent).translate(_SUPERSCRIPTS)
