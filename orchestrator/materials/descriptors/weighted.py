"""Weighted parts in one line of text: `0.3 CCO | 0.7 O`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import starmap

from orchestrator.errors import InputError

_PART = re.compile(r"\s*([0-9.]+(?:[eE][+-]?\d+)?)\s+(\S.*?)\s*", re.DOTALL)
TOLERANCE = 1e-6
"""How far a sum of fractions may be from one."""


def parts_of(text: str) -> list[tuple[float, str]]:
    """Fraction and material of each part, in their order; a text without `|` and without a number
    in front is one part with the fraction 1.

    Raises:
        InputError: a part has no fraction, a fraction is not in (0, 1], or they do not sum to one.
    """
    pieces = text.split("|")
    if len(pieces) == 1 and not _PART.fullmatch(text):
        return [(1.0, text.strip())]
    parts = [_part(piece, text) for piece in pieces]
    total = math.fsum(fraction for fraction, _ in parts)
    if abs(total - 1) > TOLERANCE:
        raise InputError(f"the fractions of '{text}' sum to {total:g}, not to 1")
    return parts


def _part(piece: str, text: str) -> tuple[float, str]:
    match = _PART.fullmatch(piece)
    try:
        fraction = float(match[1]) if match else math.nan
    except ValueError:
        fraction = math.nan
    if match is None or not 0 < fraction <= 1 + TOLERANCE:
        raise InputError(
            f"'{piece.strip()}' in '{text}' is not a fraction in (0, 1] and a material",
            hint="write parts as '0.3 CCO | 0.7 O'",
        )
    return fraction, match[2]


def joined(parts: Iterable[tuple[float, str]]) -> str:
    """The text of parts: equal materials put together, sorted, eight digits; a single one alone."""
    fractions: dict[str, float] = {}
    for fraction, material in parts:
        fractions[material] = fractions.get(material, 0.0) + fraction
    if len(fractions) == 1:
        return next(iter(fractions))
    pairs = sorted((material, fraction) for material, fraction in fractions.items())
    return " | ".join(starmap("{1:.8g} {0}".format, pairs))
