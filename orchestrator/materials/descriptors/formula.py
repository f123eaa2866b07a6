"""Chemical formulas: text to the number of atoms of each element, and back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from orchestrator.errors import InputError

Counts = dict[str, float]

_TOKEN = re.compile(r"([A-Z][a-z]?)|([(\[{])|([)\]}])|(\d+\.?\d*|\.\d+)|\s+")
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_HYDRATE = re.compile(r"[·•⋅*]")  # never the full stop: CuSO4.5H2O might be 4.5 or 4 and 5
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
DEEPEST = 20
"""How many brackets may stand in each other."""


def formula_counts(formula: str) -> Counts:
    """Atoms of each element: `Ca(OH)2` is 1 Ca, 2 O, 2 H. Elements are not looked up.

    Brackets of three kinds, decimals and hydrates (`CuSO4·5H2O`, `CuSO4*5H2O`) are read.

    Raises:
        InputError: it is no formula; the sentence says why.
    """
    total: Counts = {}
    for part in _HYDRATE.split(formula.translate(_SUBSCRIPTS)):
        match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)?(.*?)\s*", part, re.DOTALL)
        factor, rest = (match[1], match[2]) if match else (None, "")
        if not rest.strip():
            raise _wrong(formula, "it is empty" if not formula.strip() else "a part of it is empty")
        _add(total, _counted(rest, formula), float(factor or 1))
    if not math.isfinite(math.fsum(total.values())):
        raise _wrong(formula, "a number in it is too large")
    return {element: n for element, n in _not_nothing(total, formula).items() if n > 0}


def _counted(text: str, formula: str) -> Counts:
    """One part without a dot, by a stack of open brackets."""
    open_: list[tuple[str, Counts]] = [("", {})]
    last: Counts | None = None
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _wrong(formula, f"'{text[position]}' has no meaning in it")
        position = match.end()
        last = _take(match, open_, last, formula)
    if len(open_) > 1:
        raise _wrong(formula, f"'{open_[-1][0]}' is not closed")
    if last is not None:
        _add(open_[-1][1], last, 1.0)
    return _not_nothing(open_[0][1], formula)


def _take(
    match: re.Match[str], open_: list[tuple[str, Counts]], last: Counts | None, formula: str
) -> Counts | None:
    """Takes one token in; `last` is what a number after it would multiply."""
    element, opens, closes, number = match.groups()
    if number is not None:
        if last is None:
            raise _wrong(formula, f"the number {number} stands behind nothing")
        _add(open_[-1][1], last, float(number))
        return None
    if not (element or opens or closes):
        return last
    if last is not None:
        _add(open_[-1][1], last, 1.0)
    if element:
        return {element: 1.0}
    return _bracket(opens, closes, open_, formula)


def _bracket(
    opens: str | None, closes: str | None, open_: list[tuple[str, Counts]], formula: str
) -> Counts | None:
    if opens:
        if len(open_) > DEEPEST:
            raise _wrong(formula, f"more than {DEEPEST} brackets stand in each other")
        open_.append((opens, {}))
        return None
    bracket, inside = open_.pop() if len(open_) > 1 else ("", {})
    if _CLOSES.get(bracket) != closes:
        raise _wrong(formula, f"'{closes}' closes nothing")
    return _not_nothing(inside, formula)


def _not_nothing(counts: Counts, formula: str) -> Counts:
    if not any(n > 0 for n in counts.values()):
        raise _wrong(formula, "it, or a bracket of it, holds no atom")
    return counts


def _add(total: Counts, counts: Mapping[str, float], factor: float) -> None:
    for element, n in counts.items():
        total[element] = total.get(element, 0.0) + n * factor


def _wrong(formula: str, why: str) -> InputError:
    return InputError(
        f"'{formula}' is not a formula: {why}",
        hint="write it as 'Ba0.5Sr0.5TiO3', 'Ca(OH)2' or 'CuSO4·5H2O'",
    )


def formula_text(counts: Mapping[str, float]) -> str:
    """The formula in the order of Hill's system [Hill 1900]: carbon, hydrogen, then by alphabet."""

    def place(element: str) -> tuple[int, str]:
        if "C" in counts and element in ("C", "H"):
            return (0, element)
        return (1, element)

    parts = (
        f"{e}{'' if counts[e] == 1 else f'{counts[e]:.10g}'}" for e in sorted(counts, key=place)
    )
    return "".join(parts)
