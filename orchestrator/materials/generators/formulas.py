"""Formulas of crystals and alloys: read, written in one form, and tested for neutrality."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction

from orchestrator.errors import InputError
from orchestrator.materials.generators.elements import element

Amounts = Mapping[str, Fraction]
_PART = re.compile(r"([A-Z][a-z]?)|(\()|(\))|(\d+(?:\.\d+)?|\.\d+)")


def amounts_of(formula: str) -> dict[str, Fraction]:
    """How much of each element is in a formula such as `LiFePO4`, `Ca(OH)2`, `La0.7Sr0.3MnO3`.

    Raises:
        InputError: it cannot be read, or holds nothing.
        UnknownName: an element has no common oxidation states.
    """
    levels: list[dict[str, Fraction]] = [{}]
    last: dict[str, Fraction] = {}
    end = 0
    for match in _PART.finditer(formula):
        symbol, opening, closing, number = match.groups()
        if match.start() != end or (closing and len(levels) == 1) or (number and not last):
            raise InputError(f"'{formula}' is not a formula: see place {end + 1}")
        end = match.end()
        if number:
            _add(levels[-1], last, Fraction(number) - 1)
            last = {}
        elif opening:
            levels.append({})
            last = {}
        else:
            last = levels.pop() if closing else {element(symbol).symbol: Fraction(1)}
            _add(levels[-1], last, Fraction(1))
    if end != len(formula) or len(levels) > 1:
        raise InputError(f"'{formula}' is not a formula: it cannot be read to its end")
    found = {symbol: amount for symbol, amount in levels[0].items() if amount > 0}
    if not found:
        raise InputError(f"'{formula}' is not a formula: it holds nothing")
    return found


def _add(whole: dict[str, Fraction], part: Amounts, times: Fraction) -> None:
    for symbol, amount in part.items():
        whole[symbol] = whole.get(symbol, Fraction(0)) + times * amount


def formula_of(amounts: Amounts) -> str:
    """The one form of a formula: the smallest whole numbers, the least electronegative first."""
    shared = math.lcm(*(amount.denominator for amount in amounts.values()))
    whole = {symbol: int(amount * shared) for symbol, amount in amounts.items()}
    divisor = math.gcd(*whole.values())
    order = sorted(whole, key=lambda symbol: (element(symbol).electronegativity, symbol))
    return "".join(s + (str(whole[s] // divisor) if whole[s] != divisor else "") for s in order)


def canonical_formula(formula: str) -> str:
    """The same material in the one form. Raises InputError."""
    return formula_of(amounts_of(formula))


def is_neutral(amounts: Amounts) -> bool:
    """Whether common oxidation states can sum to zero, no cation being more electronegative than an
    anion (Davies et al. 2016, doi:10.1016/j.chempr.2016.09.010).

    An element may have several states of one sign at once, as iron has in Fe3O4.
    """
    order = sorted(amounts, key=lambda symbol: element(symbol).electronegativity)
    for n_cations in range(1, len(order)):
        low = high = Fraction(0)
        for place, symbol in enumerate(order):
            is_cation = place < n_cations
            states = [s for s in element(symbol).states if (s > 0) == is_cation]
            if not states:
                break
            low += amounts[symbol] * min(states)
            high += amounts[symbol] * max(states)
        else:
            if low <= 0 <= high:
                return True
    return False
