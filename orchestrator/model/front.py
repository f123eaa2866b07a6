"""Which of several outcomes no other one beats."""

from __future__ import annotations

from collections.abc import Sequence


def undominated(losses: Sequence[Sequence[float]]) -> tuple[bool, ...]:
    """Of each row, whether no other one is at least as good everywhere and better somewhere.

    A row holds what is to be small, one number per goal. Equal rows do not beat each other.
    """
    rows = [tuple(row) for row in losses]
    # whoever beats a row comes before it in this order
    front: list[tuple[float, ...]] = []
    for row in sorted(set(rows)):
        if not any(_beats(other, row) for other in front):
            front.append(row)
    best = set(front)
    return tuple(row in best for row in rows)


def _beats(a: Sequence[float], b: Sequence[float]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))
