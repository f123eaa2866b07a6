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


def extended(
    front: Sequence[tuple[float, ...]], row: tuple[float, ...]
) -> list[tuple[float, ...]] | None:
    """A front with another row, less the rows that it equals or beats; None where the row is itself
    equalled or beaten."""
    if any(_is_as_good(other, row) for other in front):
        return None
    return [other for other in front if not _is_as_good(row, other)] + [row]


def _is_as_good(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


def _beats(a: Sequence[float], b: Sequence[float]) -> bool:
    return a != b and _is_as_good(a, b)


def hypervolume(losses: Sequence[Sequence[float]], corner: Sequence[float]) -> float:
    """The volume between rows of losses (n x k) and the `corner` (k) that is worse than they are;
    rows that are no better than the corner somewhere add nothing.

    By slices along the last goal; meant for fronts of some dozen rows and up to four goals.
    """
    inside = [tuple(r) for r in losses if all(x < c for x, c in zip(r, corner, strict=True))]
    if not inside:
        return 0.0
    if len(corner) == 1:
        return corner[0] - min(row[0] for row in inside)
    inside.sort(key=lambda row: row[-1])
    total = 0.0
    kept: list[tuple[float, ...]] = []
    for place, row in enumerate(inside):
        kept = [r for r in kept if not _beats(row[:-1], r)] + [row[:-1]]
        top = inside[place + 1][-1] if place + 1 < len(inside) else corner[-1]
        if top > row[-1]:
            total += (top - row[-1]) * hypervolume(kept, corner[:-1])
    return total
