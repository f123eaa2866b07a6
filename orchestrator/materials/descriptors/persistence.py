"""How far a polymer's chain goes straight on, from how its repeat unit turns the way."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestrator.materials.chemistry import rdkit
from orchestrator.materials.descriptors.repeat_unit import oligomer, stars_of

Floats = NDArray[np.float64]
Turns = Callable[[Any], bool]
"""Whether a bond of the backbone turns."""

KEPT = 0.95
"""What heat leaves of the direction over a stiff piece: without it a rod would be endless."""
BY_NEIGHBOURS = {"SP": 1.0, "SP2": 0.5, "SP3": 1.0 / 3.0}
_BOND = 1.5


class _Piece(NamedTuple):
    """What lies between two bonds that turn. `cosine`: of the angle between the way in and the way
    out; `length`: from one end to the other with the bond to the next one, in bonds."""

    cosine: float
    length: float


def persistence(unit: str, turns: Turns) -> float:
    """The persistence length of an endless freely rotating chain of the unit, in bonds.

    It is the sum over all bonds to come of their length times what is left of the direction: the
    product of the cosines of all pieces between [Flory 1969]; the mean over where in the unit one
    begins. A single atom turns the way by its hybridisation; a piece of several, such as rings or a
    double bond, as it is drawn in the plane, where rings are regular polygons. Rings that are not
    flat are taken as if they were.

    Raises:
        InputError: it is no repeat unit.
    """
    pieces = _pieces(unit, turns)
    if not pieces:
        return 1.0 / (1.0 - KEPT)
    kept = math.prod(KEPT * piece.cosine for piece in pieces)
    sums = [_once(pieces[at:] + pieces[:at]) for at in range(len(pieces))]
    return sum(sums) / len(sums) / (1.0 - kept)


def _once(pieces: Sequence[_Piece]) -> float:
    """The sum over the pieces of one unit."""
    kept, total = 1.0, 0.0
    for piece in pieces:
        total += kept * piece.length
        kept *= KEPT * piece.cosine
    return total


def _pieces(unit: str, turns: Turns) -> list[_Piece]:
    """The pieces along the unit, the stars standing for the units beside it."""
    chain, _ = oligomer(unit, 1)
    rdkit("Chem.rdDepictor").Compute2DCoords(chain)
    drawn = chain.GetConformer().GetPositions()[:, :2]
    way = list(rdkit().GetShortestPath(chain, *stars_of(chain)))
    groups = [[way[0]]]
    for before, here in itertools.pairwise(way):
        if turns(chain.GetBondBetweenAtoms(before, here)):
            groups.append([])
        groups[-1].append(here)
    beside = zip(groups, groups[1:], groups[2:], strict=False)
    return [_piece(chain, drawn, (one[-1], *group, other[0])) for one, group, other in beside]


def _piece(chain: Any, drawn: Floats, way: Sequence[int]) -> _Piece:
    """Of the atoms on the way through a piece, with the one before and the one behind it."""
    first, last = way[1], way[-2]
    length = 1.0 + float(np.linalg.norm(drawn[last] - drawn[first])) / _BOND
    atom = chain.GetAtomWithIdx(first)
    if first == last and not atom.IsInRing():
        return _Piece(BY_NEIGHBOURS.get(str(atom.GetHybridization()), BY_NEIGHBOURS["SP3"]), length)
    into, out = drawn[first] - drawn[way[0]], drawn[way[-1]] - drawn[last]
    return _Piece(float(into @ out / np.linalg.norm(into) / np.linalg.norm(out)), length)
