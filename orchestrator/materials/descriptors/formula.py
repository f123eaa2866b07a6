"""Chemical formulas: text to the number of atoms of each element, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from orchestrator.errors import InputError
from orchestrator.materials.descriptors.elements import element_table

Counts = dict[str, float]
Amounts = dict[str, Fraction]

_TOKEN = re.compile(r"([A-Z][a-z]?)|([(\[{])|([)\]}])|(\d+(?:\.\d+)?|\.\d+)|\s+")
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_HYDRATE = re.compile(r"[·•⋅*]")
_FULL_STOP = re.compile(r"\.\s*(\d+(?:\.\d+)?)\s*(\(H2O\)|H2O|\(NH3\)|NH3)\s*$")
"""The end of `CuSO4.5H2O`: a full stop that may be the dot of a hydrate or an ammoniate."""
_DECIMAL = re.compile(r"(?<![\d.])[1-9]\d*\.\d+\s*[A-Z(\[{]")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_COMMA = re.compile(r"(?<=\d),(?=\d)")
"""Of decimals, or in place of a full stop."""
_NUMBERS_BEFORE = re.compile(r"\s*[\d.]+\s*(?:[A-Z][a-z]?\s*[\d.]+\s*)+[A-Z][a-z]?\s*")
"""`60Cu40Ni`, in which each number may belong to the element behind it."""
_MASS_BEFORE = re.compile(r"\s*(\d+)\s*([A-Z][a-z]?)")
_PER_PROTON = (1.8, 2.7)
"""The mass numbers of what is found of an element are between these times its atomic number."""
_ALLOY = re.compile(r"\s*([A-Z][a-z]?)((?:\s*[-‐–]\s*(?:\d+\.?\d*|\.\d+)\s*%?\s*[A-Z][a-z]?)+)\s*")
"""`Ti-6Al-4V`: a base metal, and per cent of each of the others."""
DEEPEST = 20
"""How many brackets may stand in each other."""
LONGEST = 2000
"""Characters of a formula."""
MOST_WATER = 24
"""Molecules of water, or ammonia, beyond which a full stop is a decimal point."""


def formula_counts(formula: str) -> Counts:
    """Atoms of each element: `Ca(OH)2` is 1 Ca, 2 O, 2 H. Elements are not looked up.

    Raises:
        InputError: as `formula_amounts`.
    """
    try:
        found = {element: float(n) for element, n in formula_amounts(formula).items()}
    except OverflowError:
        raise _wrong(formula, "a number in it is too large") from None
    return found


def formula_amounts(formula: str) -> Amounts:
    """The same, exactly.

    Brackets of three kinds, decimals (`Fe0.5`, `Fe0,5`) and hydrates (`CuSO4·5H2O`,
    `CuSO4*5H2O`) are read; the dot of a hydrate may be a full stop (`CuSO4.5H2O`) where it cannot
    be meant as a decimal point.

    Raises:
        InputError: it is no formula, or may be two; the sentence says why.
    """
    if len(formula) > LONGEST:
        raise _wrong(f"{formula[:20]}...", f"it has more than {LONGEST} characters")
    text = _COMMA.sub(".", formula.translate(_SUBSCRIPTS))
    if _NUMBERS_BEFORE.fullmatch(text):
        raise InputError(
            f"'{formula}' may be two formulas: its numbers stand before the elements, or the first "
            "of them before the whole",
            hint="write numbers behind the elements, as in 'Cu60Ni40'",
        )
    if _is_isotope(formula):
        raise InputError(
            f"'{formula}' may be two formulas: its number counts the whole, or names an isotope",
            hint="write numbers behind, as in '(CO2)13'; isotopes are not told apart",
        )
    if alloy := _ALLOY.fullmatch(text):
        raise _per_cent(formula, alloy[1], re.findall(r"([\d.]+)\s*%?\s*([A-Z][a-z]?)", alloy[2]))
    total: Amounts = {}
    for part in _HYDRATE.split(_with_dot(text, formula)):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?|\.\d+)?(.*?)\s*", part, re.DOTALL)
        factor, rest = (match[1], match[2]) if match else (None, "")
        if not rest.strip():
            raise _wrong(formula, "it is empty" if not formula.strip() else "a part of it is empty")
        _add(total, _counted(rest, formula), Fraction(factor or 1))
    return {element: n for element, n in _not_nothing(total, formula).items() if n > 0}


def _is_isotope(formula: str) -> bool:
    """Whether the number in front may be the mass number of the first element: `13CO2`."""
    match = _MASS_BEFORE.match(formula)
    table = element_table()
    if match is None or match[2] not in table.rows:
        return False
    mass, protons = int(match[1]), float(table.column("atomic_number")[table.rows[match[2]]])
    least, most = (2.0, 3.0) if protons == 1 else (each * protons for each in _PER_PROTON)
    return least <= mass <= most


def _with_dot(text: str, formula: str) -> str:
    """`CuSO4.5H2O` as `CuSO4·5H2O`: water at the end behind a full stop. `Fe0.5H2O` stays as it is.

    Raises:
        InputError: the full stop may be a decimal point as well.
    """
    match = _FULL_STOP.search(text)
    if match is None:
        return text
    before, n = text[: match.start()], match[1]
    digits = re.search(r"(?<![\d.])\d+$", before)
    is_small = n.startswith("0") and not n.startswith("0.")
    if (digits is not None and digits[0] == "0") or is_small:
        return text
    if (digits is not None and digits[0] == "1") or float(n) > MOST_WATER:
        raise _unclear(formula, match[0])
    other = _DECIMAL.search(before)
    if other is not None:
        raise _unclear(formula, other[0])
    return f"{before}·{n}{match[2]}"


def _unclear(formula: str, where: str) -> InputError:
    return InputError(
        f"'{formula}' may be two formulas: in '{where.strip()}' the full stop may be a decimal"
        " point or the dot of a hydrate",
        hint="write the dot of a hydrate as '·' or '*'",
    )


def _per_cent(formula: str, base: str, others: Sequence[tuple[str, str]]) -> InputError:
    """What is said of an alloy's name, with the formulas that it may mean."""
    weights = {base: 0.0}
    for share, element in others:
        weights[element] = weights.get(element, 0.0) + float(share)
    weights[base] += 100.0 - sum(weights.values())
    table = element_table()
    if not weights.keys() <= table.rows.keys() or min(weights.values()) <= 0.0:
        return _wrong(formula, "'-' has no meaning in it")
    mass = table.column("atomic_weight")
    moles = {e: weight / mass[table.rows[e]] for e, weight in weights.items()}
    whole = sum(moles.values())
    by_weight = "".join(f"{e}{100.0 * n / whole:.4g}" for e, n in moles.items())
    by_atoms = "".join(f"{e}{weight:g}" for e, weight in weights.items())
    return InputError(
        f"'{formula}' names an alloy by per cent, and is not a formula",
        hint=f"write '{by_weight}' if per cent of weight are meant, '{by_atoms}' if of atoms",
    )


def _counted(text: str, formula: str) -> Amounts:
    """One part without a dot, by a stack of open brackets."""
    open_: list[tuple[str, Amounts]] = [("", {})]
    last: Amounts | None = None
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
        _add(open_[-1][1], last, Fraction(1))
    return _not_nothing(open_[0][1], formula)


def _take(
    match: re.Match[str], open_: list[tuple[str, Amounts]], last: Amounts | None, formula: str
) -> Amounts | None:
    """Takes one token in; `last` is what a number after it would multiply."""
    element, opens, closes, number = match.groups()
    if number is not None:
        if last is None:
            raise _wrong(formula, f"the number {number} stands behind nothing")
        _add(open_[-1][1], last, Fraction(number))
        return None
    if not (element or opens or closes):
        return last
    if last is not None:
        _add(open_[-1][1], last, Fraction(1))
    if element:
        return {element: Fraction(1)}
    return _bracket(opens, closes, open_, formula)


def _bracket(
    opens: str | None, closes: str | None, open_: list[tuple[str, Amounts]], formula: str
) -> Amounts | None:
    if opens:
        if len(open_) > DEEPEST:
            raise _wrong(formula, f"more than {DEEPEST} brackets stand in each other")
        open_.append((opens, {}))
        return None
    bracket, inside = open_.pop() if len(open_) > 1 else ("", {})
    if _CLOSES.get(bracket) != closes:
        raise _wrong(formula, f"'{closes}' closes nothing")
    return _not_nothing(inside, formula)


def _not_nothing(counts: Amounts, formula: str) -> Amounts:
    if not any(n > 0 for n in counts.values()):
        raise _wrong(formula, "it, or a bracket of it, holds no atom")
    return counts


def _add(total: Amounts, counts: Amounts, factor: Fraction) -> None:
    for element, n in counts.items():
        total[element] = total.get(element, Fraction(0)) + n * factor


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

    return "".join(f"{e}{number_text(counts[e])}" for e in sorted(counts, key=place))


def number_text(n: float) -> str:
    """How a formula holds a number: to ten digits, 1 not at all, never as 1e-05."""
    return "" if n == 1 else format(Decimal(f"{n:.10g}"), "f")
