"""Formulas of crystals and alloys: read, written in one form, and tested for neutrality."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from orchestrator.materials.descriptors.formula import formula_amounts, number_text
from orchestrator.materials.generators.elements import element

Amounts = Mapping[str, Fraction]
_ROUNDING = Fraction(1, 2000)
_PAIRING = ("S", "Se", "Te")


def amounts_of(formula: str) -> dict[str, Fraction]:
    """How much of each element is in a formula such as `LiFePO4`, `Ca(OH)2`, `La0.7Sr0.3MnO3`.

    Raises:
        InputError: it cannot be read (`descriptors.formula`).
        UnknownName: an element has no common oxidation states.
    """
    return {element(s).symbol: amount for s, amount in formula_amounts(formula).items()}


def formula_of(amounts: Amounts) -> str:
    """The one form of a formula: the smallest whole numbers, the least electronegative first."""
    shared = math.lcm(*(amount.denominator for amount in amounts.values()))
    whole = {symbol: int(amount * shared) for symbol, amount in amounts.items()}
    divisor = math.gcd(*whole.values())
    order = sorted(whole, key=lambda symbol: (element(symbol).order, symbol))
    return "".join(s + (str(whole[s] // divisor) if whole[s] != divisor else "") for s in order)


def canonical_formula(formula: str) -> str:
    """The same material in the one form. Raises InputError."""
    return formula_of(amounts_of(formula))


def rounded_formula(formula: str, most: int) -> str:
    """The same in numbers that sum to `most` at most, where there are such within the rounding of
    three digits: `Fe0.333Ni0.667` is `FeNi2`. Raises InputError."""
    amounts = amounts_of(formula)
    if sum(amounts_of(formula_of(amounts)).values()) <= most:
        return formula_of(amounts)
    total = sum(amounts.values())
    shares = {symbol: amount / total for symbol, amount in amounts.items()}
    for n in range(1, most + 1):
        whole = {symbol: Fraction(round(share * n)) for symbol, share in shares.items()}
        is_near = all(abs(whole[s] / n - share) <= _ROUNDING for s, share in shares.items())
        if is_near and all(whole.values()) and sum(whole.values()) == n:
            return formula_of(whole)
    return formula_of(amounts)


def common_total(formulas: Sequence[str]) -> Fraction | None:
    """The sum of the numbers that all formulas have, to one in a hundred (100 of alloys in at.%, 5
    of perovskites); None where they differ. Raises InputError."""
    totals = Counter(sum(amounts_of(formula).values(), Fraction(0)) for formula in formulas)
    if not totals:
        return None
    common = totals.most_common(1)[0][0]
    return common if all(abs(total - common) * 100 <= common for total in totals) else None


def with_total(formula: str, total: Fraction | None) -> str:
    """A formula with numbers that sum to `total`; as it is without. Raises InputError."""
    if total is None:
        return formula
    amounts = amounts_of(formula)
    factor = total / sum(amounts.values())
    return "".join(f"{s}{number_text(float(n * factor))}" for s, n in amounts.items())


def is_neutral(amounts: Amounts) -> bool:
    """Whether common oxidation states can sum to zero: `cations_of` finds some."""
    return bool(cations_of(amounts))


def cations_of(amounts: Amounts) -> frozenset[str]:
    """The elements that are cations where common oxidation states sum to zero, no cation being more
    electronegative than an anion (Davies et al. 2016, doi:10.1016/j.chempr.2016.09.010); none where
    they cannot.

    An element may have several states of one sign at once, as iron has in Fe3O4. Where they cannot
    sum to zero otherwise, S, Se and Te may be in pairs of charge -2 beside a metal of groups 4 to
    11, as in pyrite and TiS3 (Greenwood & Earnshaw 1997, chapter 15). Other bonds between anions
    are not thought of: BaO2, CaC2 and CoSb3 count as not neutral.
    """
    order = sorted(amounts, key=lambda symbol: element(symbol).order)
    for is_paired in (False, True):
        for n_cations in range(1, len(order)):
            cations, anions = order[:n_cations], order[n_cations:]
            if is_paired and not any(4 <= element(symbol).group <= 11 for symbol in cations):
                continue
            states = {symbol: [s for s in element(symbol).states if s > 0] for symbol in cations}
            states |= {symbol: _anionic(symbol, is_paired) for symbol in anions}
            if not all(states.values()):
                continue
            low, high = (
                sum((amounts[symbol] * end(of) for symbol, of in states.items()), Fraction(0))
                for end in (min, max)
            )
            if low <= 0 <= high:
                return frozenset(cations)
    return frozenset()


def _anionic(symbol: str, is_paired: bool) -> list[int]:
    pairs = [-1] if is_paired and symbol in _PAIRING else []
    return [state for state in element(symbol).states if state < 0] + pairs
