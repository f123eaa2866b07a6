"""Cis and trans of rings.

The ends of 1,4-dimethylcyclohexane are neither R nor S, which is all that RDKit's fingerprints look
at. (The rules of Cahn, Ingold and Prelog have r and s for them, which take RDKit a time that grows
exponentially with the number of such rings in a chain.) On which side of a ring a substituent
stands is told by the order of the bonds alone.
"""

from __future__ import annotations

import itertools
import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from orchestrator.materials.chemistry import rdkit


def sides(found: Any) -> dict[int, int]:
    """Of each centre that shares a ring with another, a number of 32 bits: how large its rings are,
    how many bonds along them the others are, and which of these have their heavier substituent on
    the same side."""
    tags = {atom.GetIdx(): _is_clockwise(atom) for atom in found.GetAtoms()}
    if sum(tag is not None for tag in tags.values()) < 2:
        return {}
    ranks = list(rdkit().CanonicalRankAtoms(found, breakTies=False, includeChirality=False))
    seen: dict[int, list[tuple[int, int, bool]]] = defaultdict(list)
    for ring in map(list, rdkit().GetSymmSSSR(found)):
        ways = [None if tags[i] is None else _is_up(found, ring, i, ranks) for i in ring]
        up = {i: way == tags[i] for i, way in zip(ring, ways, strict=True) if way is not None}
        for one, other in itertools.permutations(up, 2):
            apart = abs(ring.index(one) - ring.index(other))
            away = min(apart, len(ring) - apart)
            seen[one].append((len(ring), away, up[one] == up[other]))
    return {i: zlib.crc32(repr(sorted(of)).encode()) for i, of in seen.items()}


def _is_clockwise(atom: Any) -> bool | None:
    """Whether the bonds after the first turn to the right as they are listed; None of no centre."""
    tag, chiral = atom.GetChiralTag(), rdkit().ChiralType
    if tag not in (chiral.CHI_TETRAHEDRAL_CW, chiral.CHI_TETRAHEDRAL_CCW):
        return None
    return bool(tag == chiral.CHI_TETRAHEDRAL_CW)


def _is_up(found: Any, ring: Sequence[int], place: int, ranks: Sequence[int]) -> bool | None:
    """Whether a clockwise centre has its heavier substituent above the ring, as that is listed;
    None where both are alike. A hydrogen, or a lone pair, counts as the last neighbour."""
    at = ring.index(place)
    around = [each.GetIdx() for each in found.GetAtomWithIdx(place).GetNeighbors()]
    within = [ring[at - 1], ring[(at + 1) % len(ring)]]
    beside = [each for each in around if each not in within]

    def weight(each: int) -> tuple[int, int]:
        return found.GetAtomWithIdx(each).GetAtomicNum(), ranks[each]

    if not beside or len({weight(each) for each in beside}) < len(beside):
        return None
    told = [*within, *sorted(beside, key=weight, reverse=True)]
    order = [around.index(each) for each in told]
    turned = sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
    return turned % 2 == 0
