"""Weighted parts in one line of text: `0.3 CCO | 0.7 O`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import starmap

from orchestrator.errors import InputError

_PART = re.compile(
    r"\s*([0-9.,]+(?:[eE][+-]?\d+)?)(?:\s*(%)\s*|\s+)(\S.*?)\s*",
    re.DOTALL,
)
_OF = re.compile(r"(?:wt|mol|vol|at|w|m)\.?[ -]?%\s")
EXACT = 1e-7
"""Within this of one, a sum of fractions is one."""
ROUNDED = 0.01
"""Within this, the fractions were rounded: `0.333 A | 0.333 B | 0.333 C`."""


def parts_of(text: str) -> list[tuple[float, str]]:
    """Fraction and material of each part, in their order; a text without `|` and without a number
    in front is one part with the fraction 1.

    Percentages, `30 % CCO | 70 % O` or numbers that sum to 100, are fractions too, and a comma is
    a decimal point. What sums to one or 100 within one in a hundred is divided by its sum.

    Raises:
        InputError: a part has no fraction, a fraction is not in (0, 1], or they do not sum to one.
    """
    pieces = text.split("|")
    if len(pieces) == 1 and not _PART.fullmatch(text):
        return [(1.0, text.strip())]
    parts = [_part(piece, text) for piece in pieces]
    whole = _whole(parts, text)
    fractions = [number / whole for number, _, _ in parts]
    total = math.fsum(fractions)
    if abs(total - 1) > ROUNDED:
        much = f"{100 * total:g} %, not to 100 %" if whole > 1 else f"{total:g}, not to 1"
        raise InputError(f"the fractions of '{text}' sum to {much}")
    if abs(total - 1) > EXACT:
        fractions = [fraction / total for fraction in fractions]
    return [(f, material) for f, (_, _, material) in zip(fractions, parts, strict=True)]


def _whole(parts: Sequence[tuple[float, bool, str]], text: str) -> float:
    """What the numbers sum to that are meant: 1, or 100 of percentages. Raises InputError."""
    said = {is_percent for _, is_percent, _ in parts}
    if len(said) > 1:
        raise InputError(f"some parts of '{text}' are in %, and some are not")
    total = math.fsum(number for number, _, _ in parts)
    if said == {True} or (len(parts) > 1 and abs(total - 100) <= 100 * ROUNDED):
        return 100.0
    for number, _, material in parts:
        if number > 1 + ROUNDED:
            raise _wrong(f"{number:g} {material}", text)
    return 1.0


def _part(piece: str, text: str) -> tuple[float, bool, str]:
    """Number, whether it is in per cent, and material."""
    match = _PART.fullmatch(piece)
    if match is not None and (of := _OF.match(match[3])):
        raise InputError(
            f"'{piece.strip()}' in '{text}' has a fraction in {of[0].strip()}",
            hint="write '30 % CCO | 70 % O'; the fractions of a copolymer count its units",
        )
    try:
        number = float(match[1].replace(",", ".")) if match else math.nan
    except ValueError:
        number = math.nan
    if match is None or not 0 < number < math.inf:
        raise _wrong(piece.strip(), text)
    return number, match[2] is not None, match[3]


def _wrong(piece: str, text: str) -> InputError:
    return InputError(
        f"'{piece}' in '{text}' is not a fraction in (0, 1] and a material",
        hint="write parts as '0.3 CCO | 0.7 O', or '30 % CCO | 70 % O'",
    )


def joined(parts: Iterable[tuple[float, str]]) -> str:
    """The text of parts: equal materials put together, sorted, eight digits; a single one alone."""
    fractions: dict[str, float] = {}
    for fraction, material in parts:
        fractions[material] = fractions.get(material, 0.0) + fraction
    if len(fractions) == 1:
        return next(iter(fractions))
    pairs = sorted((material, fraction) for material, fraction in fractions.items())
    return " | ".join(starmap("{1:.8g} {0}".format, pairs))
