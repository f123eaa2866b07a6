"""How the linkages of a chain are undone: polyesters, polyamides, polyimides, polyurethanes ...

A linkage is found by its SMARTS on the backbone, and what made it is put back: the hydroxyl of an
acid, the oxygen of an anhydride, the double bond of an isocyanate.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.materials.chemistry import rdkit
from orchestrator.materials.descriptors.repeat_unit import stars_of


@dataclass(frozen=True)
class Linkage:
    """What one rule of polymerisation makes. Atoms are numbered as in its SMARTS.

    Attributes:
        along: atoms that lie on the backbone.
        cuts: bonds that are taken away.
        kinds: the classes of the monomers, in smipoly's words; alternatives of one or two.
        caps: elements that are put on an atom.
        bridge: two atoms between which oxygen is put.
        doubled: a bond that becomes double.
    """

    smarts: str
    along: tuple[int, ...]
    cuts: tuple[tuple[int, int], ...]
    kinds: tuple[tuple[str, ...], ...]
    caps: tuple[tuple[int, str], ...] = ()
    bridge: tuple[int, int] | None = None
    doubled: tuple[int, int] | None = None


_RING = "c1ccc(cc1)"
POLYIMIDE = Linkage(
    "[#6;!$([#6]=O)]!@[#7X3;R]1[#6;R](=O)~[#6]~[#6]~[#6;R]1=O",
    along=(0, 1),
    cuts=((1, 2), (1, 6)),
    bridge=(2, 6),
    kinds=(("dicAnhyd", "diamin"),),
)
POLYIMIDE_OF_SIX = Linkage(
    "[#6;!$([#6]=O)]!@[#7X3;R]1[#6;R](=O)~[#6]~[#6]~[#6]~[#6;R]1=O",
    along=(0, 1),
    cuts=((1, 2), (1, 7)),
    bridge=(2, 7),
    kinds=(("dicAnhyd", "diamin"),),
)
POLYURETHANE = Linkage(
    "[NX3;H1;!R][CX3;!R](=O)[OX2;!R][#6;!$([#6]=O)]",
    along=(0, 1, 3),
    cuts=((1, 3),),
    doubled=(0, 1),
    kinds=(("diNCO", "diol"),),
)
POLYCARBONATE = Linkage(
    "[#6;!$([#6]=O)][OX2;!R][CX3;!R](=O)[OX2;!R][#6;!$([#6]=O)]",
    along=(1, 2, 4),
    cuts=((1, 2), (2, 4)),
    kinds=(("CO", "diol"),),
)
POLYESTER = Linkage(
    "[#6][CX3;!R](=O)[OX2,SX2;!R][#6;!$([#6]=O)]",
    along=(1, 3),
    cuts=((1, 3),),
    caps=((1, "O"),),
    kinds=(("hydCOOH",), ("diCOOH", "diol")),
)
POLYAMIDE = Linkage(
    "[#6][CX3](=O)!@[NX3;!$(N(C=O)C=O)][#6]",
    along=(1, 3),
    cuts=((1, 3),),
    caps=((1, "O"),),
    kinds=(("aminCOOH",), ("diCOOH", "diamin")),
)
POLYSULFONE = Linkage(
    f"[OX2;!R]-{_RING}S(=O)(=O){_RING.replace('1', '2')}-[OX2;!R]",
    along=(0, 7, 16),
    cuts=((0, 1), (13, 16)),
    caps=((1, "F"), (13, "F")),
    kinds=(("sfonediX", "diol_b"),),
)
POLYKETONE = Linkage(
    f"[OX2;!R]-{_RING}C(=O){_RING.replace('1', '2')}-[OX2;!R]",
    along=(0, 7, 15),
    cuts=((0, 1), (12, 15)),
    caps=((1, "F"), (12, "F")),
    kinds=(("BzodiF", "diol_b"),),
)
POLYPHENYLENE_OXIDE = Linkage(
    "c!@[OX2]c1c([CX4])cccc1[CX4]",
    along=(0, 1, 2),
    cuts=((0, 1),),
    kinds=(("hindPhenol",),),
)
LINKAGES = (
    *(POLYIMIDE, POLYIMIDE_OF_SIX, POLYURETHANE, POLYCARBONATE, POLYESTER, POLYAMIDE),
    *(POLYSULFONE, POLYKETONE, POLYPHENYLENE_OXIDE),
)


def pieces_between(chain: Any, linkage: Linkage) -> tuple[str, ...]:
    """The different molecules between the linkages of a chain with a star at either end, as
    canonical SMILES in alphabetical order; empty where there are fewer than two linkages, or a
    piece is no molecule."""
    places = _places(chain, linkage)
    if len(places) < 2:
        return ()
    edited = rdkit().RWMol(chain)
    rdkit().Kekulize(edited, clearAromaticFlags=True)
    for place in places:
        _undo(edited, place, linkage)
    edited.UpdatePropertyCache(strict=False)
    found = set()
    for piece in rdkit().GetMolFrags(edited, asMols=True, sanitizeFrags=False):
        if not stars_of(piece):
            again = rdkit().MolFromSmiles(rdkit().MolToSmiles(piece))
            if again is None:
                return ()
            found.add(_spelled(again))
    return tuple(sorted(found))


def _places(chain: Any, linkage: Linkage) -> list[tuple[int, ...]]:
    """The atoms of each linkage on the backbone. Matches that cut the same bonds are one."""
    path = set(rdkit().GetShortestPath(chain, *stars_of(chain)))
    found = {}
    for match in chain.GetSubstructMatches(_pattern(linkage.smarts)):
        if all(match[atom] in path for atom in linkage.along):
            found[frozenset((match[a], match[b]) for a, b in linkage.cuts)] = match
    return list(found.values())


def _spelled(found: Any) -> str:
    """Carbonyl that was cut off on both sides came from carbon monoxide, as smipoly has it."""
    text = str(rdkit().MolToSmiles(found))
    return "[C-]#[O+]" if text == "C=O" else text


def _undo(edited: Any, place: Sequence[int], linkage: Linkage) -> None:
    for a, b in linkage.cuts:
        edited.RemoveBond(place[a], place[b])
    for atom, element in linkage.caps:
        _put(edited, element, [place[atom]])
    if linkage.bridge:
        _put(edited, "O", [place[atom] for atom in linkage.bridge])
    if linkage.doubled:
        a, b = (place[atom] for atom in linkage.doubled)
        edited.GetBondBetweenAtoms(a, b).SetBondType(rdkit().BondType.DOUBLE)
        edited.GetAtomWithIdx(a).SetNumExplicitHs(0)


def _put(edited: Any, element: str, onto: Sequence[int]) -> None:
    new = edited.AddAtom(rdkit().Atom(element))
    for atom in onto:
        edited.AddBond(atom, new, rdkit().BondType.SINGLE)


@functools.cache
def _pattern(smarts: str) -> Any:
    return rdkit().MolFromSmarts(smarts)
