"""Which monomers a polymer can be made of, by rules of polymerisation read backwards.

The rules see the chain and not the unit it is written by, so it does not matter where a unit is cut
or in which direction it runs. The classes are smipoly's [Ohno et al. 2023,
doi:10.1021/acs.jcim.3c00329]: polymers of olefins and dienes, of cyclic olefins, epoxides, lactones
and lactams by opening the ring, polyesters, polycarbonates, polyamides, polyimides, polyurethanes,
and aromatic polyethers of sulfones and ketones. A monomer counts if smipoly recognises it, and if
the rule is not misled: a further group that would react, an enol, a ring that cannot be closed.

It says nothing of yield, solubility or the price of a monomer. Handedness is not looked at.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

from orchestrator.materials.chemistry import molecule, rdkit
from orchestrator.materials.descriptors.repeat_unit import (
    backbone_length,
    canonical_unit,
    oligomer,
    stars_of,
)
from orchestrator.materials.linkages import LINKAGES, pieces_between
from orchestrator.materials.recognition import OLEFINS, belongs

_LONGEST_LINKAGE = 20
_REACTIVE = "[$([OX2H]),$([SX2H]),$([NX3;H1,H2;!$(N[C,S]=*)])]"
_CARBONIC = "[NX3,OX2][CX3](=O)[OX2]"
"""Urethanes and carbonates are made last: a monomer of another linkage that holds one is none."""
_HALO = "[$([CX3H2]),$([CX3H1][F,Cl]),$([CX3H0]([F,Cl])[F,Cl])]"
_ANY_VINYL = f"[$([CX3H2]=[CX3H1]),$({_HALO}={_HALO})]"
"""Olefins with one substituent, or with halogens alone. smipoly's finer classes (1.1.2) miss vinyl
ketones, and all with two halogens on an atom."""
_TAUTOMER = f"{_REACTIVE}-[CX3]=[CX3]"
_RING_SIZES = {
    "epo": range(3, 4),
    "lactone": range(4, 10),
    "lactam": range(4, 14),  # laurolactam has 13
    "cycCH": (4, 5, 7, 8, 9, 10, 11, 12),  # cyclohexene does not open
}
_OPENING = {
    "epo": "[OX2;R]",
    "lactone": "[OX2;R][CX3;R](=O)",
    "lactam": "[NX3;R][CX3;R](=O)",
    "cycCH": "[CX3;R]=[CX3;R]",
}


def monomers_of(unit: str) -> tuple[str, ...]:
    """Canonical SMILES of the one monomer of a polymer, or of the two that react with each other,
    in alphabetical order; empty where no rule gives it.

    Raises:
        InputError: it is no repeat unit, or smipoly is not installed.
    """
    canonical = canonical_unit(unit)
    if "." in canonical:
        return ()
    if not set("@/\\") & set(canonical):
        return _monomers(canonical)
    flat = rdkit().Mol(molecule(canonical))
    rdkit().RemoveStereochemistry(flat)
    return _monomers(canonical_unit(str(rdkit().MolToSmiles(flat))))


@functools.lru_cache(maxsize=8192)
def _monomers(unit: str) -> tuple[str, ...]:
    single = _of_olefin(unit) or _of_diene(unit) or _of_ring(unit)
    return (single,) if single else _of_linkages(unit)


def _of_linkages(unit: str) -> tuple[str, ...]:
    n = 3 + _LONGEST_LINKAGE // backbone_length(unit)
    chain, _ = oligomer(unit, n)
    for linkage in LINKAGES:
        pieces = pieces_between(chain, linkage)
        if any(_are(pieces, kinds) for kinds in linkage.kinds):
            return pieces
    return ()


def _are(pieces: Sequence[str], kinds: Sequence[str]) -> bool:
    """Whether each piece is a monomer of a class of its own, without further reactive groups."""
    if len(pieces) != len(kinds):
        return False
    found = [molecule(piece) for piece in pieces]
    allowed = (1,) if tuple(kinds) == ("hindPhenol",) else (0, 2)
    if any(_n(one, _REACTIVE) not in allowed for one in found):
        return False
    if any(_n(one, pattern) for one in found for pattern in (_TAUTOMER, _CARBONIC)):
        return False
    return any(all(map(belongs, found, order)) for order in itertools.permutations(kinds))


def _backbone(chain: Any) -> list[int]:
    return list(rdkit().GetShortestPath(chain, *stars_of(chain)))[1:-1]


def _opened(chain: Any) -> tuple[Any, list[int]]:
    """A chain to be edited without its stars, and the atoms of its backbone."""
    edited = rdkit().RWMol(chain)
    for place, atom in enumerate(_backbone(chain)):
        edited.GetAtomWithIdx(atom).SetIntProp("along", place)
    rdkit().Kekulize(edited, clearAromaticFlags=True)
    for star in sorted(stars_of(edited), reverse=True):
        edited.RemoveAtom(star)
    along = [atom for atom in edited.GetAtoms() if atom.HasProp("along")]
    return edited, [a.GetIdx() for a in sorted(along, key=lambda a: a.GetIntProp("along"))]


def _n(found: Any, smarts: str) -> int:
    return len(found.GetSubstructMatches(_pattern(smarts)))


@functools.cache
def _pattern(smarts: str) -> Any:
    return rdkit().MolFromSmarts(smarts)


def _is_saturated_carbon(chain: Any, atoms: Sequence[int]) -> bool:
    single = rdkit().BondType.SINGLE
    found = [chain.GetAtomWithIdx(i) for i in atoms]
    return all(
        a.GetAtomicNum() == 6 and all(b.GetBondType() == single for b in a.GetBonds())
        for a in found
    )


def _of_olefin(unit: str) -> str | None:
    """Two atoms of a backbone of carbon, with a double bond between them."""
    length = backbone_length(unit)
    if length > 2:
        return None
    edited, path = _opened(oligomer(unit, 2 // length)[0])
    if not _is_saturated_carbon(edited, path):
        return None
    edited.GetBondBetweenAtoms(*path).SetBondType(rdkit().BondType.DOUBLE)
    return _olefin(edited)


def _of_diene(unit: str) -> str | None:
    """Four atoms of a backbone of carbon with a double bond in the middle."""
    if backbone_length(unit) != 4:
        return None
    chain, _ = oligomer(unit, 3)
    path = _backbone(chain)
    double, single = rdkit().BondType.DOUBLE, rdkit().BondType.SINGLE
    kinds = [chain.GetBondBetweenAtoms(a, b).GetBondType() for a, b in itertools.pairwise(path)]
    if kinds[4:8].count(double) != 1:
        return None
    first = 3 + kinds[4:8].index(double)
    four = path[first : first + 4]
    if not _is_saturated_carbon(chain, (four[0], four[3])):
        return None
    edited = rdkit().RWMol(chain)
    rdkit().Kekulize(edited, clearAromaticFlags=True)
    edited.RemoveBond(path[first - 1], four[0])
    edited.RemoveBond(four[3], path[first + 4])
    for (a, b), kind in zip(itertools.pairwise(four), (double, single, double), strict=True):
        edited.GetBondBetweenAtoms(a, b).SetBondType(kind)
    pieces = rdkit().GetMolFrags(edited, asMols=True, sanitizeFrags=False)
    inner = [piece for piece in pieces if not stars_of(piece)]
    return _olefin(inner[0]) if inner else None


def _olefin(edited: Any) -> str | None:
    """The SMILES of a monomer with one olefin, or one pair, that polymerises."""
    found = rdkit().MolFromSmiles(rdkit().MolToSmiles(edited))
    if found is None or _n(found, _TAUTOMER):
        return None
    n_double = _n(found, "[CX3]=[CX3]")
    is_diene = n_double == 2 and _n(found, "[CX3]=[CX3]-[CX3]=[CX3]") == 1
    kinds: tuple[str, ...] = ("conjdiene",) if is_diene else OLEFINS
    if _n(found, _ANY_VINYL):
        kinds = ("vinyl",)
    if n_double > 1 + is_diene or not any(belongs(found, kind) for kind in kinds):
        return None
    return str(rdkit().MolToSmiles(found))


def _of_ring(unit: str) -> str | None:
    """The unit as a ring: an epoxide, lactone, lactam or cyclic olefin."""
    length = backbone_length(unit)
    if not any(length in sizes for sizes in _RING_SIZES.values()):
        return None
    edited, path = _opened(oligomer(unit, 1)[0])
    if not _can_bend(oligomer(unit, 1)[0]):
        return None
    edited.AddBond(path[0], path[-1], rdkit().BondType.SINGLE)
    rdkit().SanitizeMol(edited)
    if _n(edited, _REACTIVE):
        return None
    kind = next((k for k in _RING_SIZES if _opens(edited, path, k)), None)
    return str(rdkit().MolToSmiles(edited)) if kind else None


def _can_bend(chain: Any) -> bool:
    """Whether the backbone goes through rings by neighbouring atoms only, or by the two beside one
    atom of a ring that is not aromatic, as in norbornene."""
    path = set(_backbone(chain))
    for ring in chain.GetRingInfo().AtomRings():
        is_aromatic = any(chain.GetAtomWithIdx(i).GetIsAromatic() for i in ring)
        if len(path & set(ring)) > (2 if is_aromatic else 3):
            return False
    return True


def _opens(ring: Any, path: Sequence[int], kind: str) -> bool:
    """Whether the ring that the backbone makes opens at one place, where alone it is no chain of
    saturated carbon and ether oxygen."""
    if len(path) not in _RING_SIZES[kind] or not belongs(ring, kind):
        return False
    along = set(path)
    matches = ring.GetSubstructMatches(_pattern(_OPENING[kind]))
    places = [m for m in matches if along.issuperset(m[:2])]
    if len(places) != 1:
        return False
    return all(_is_inert(ring.GetAtomWithIdx(i), kind) for i in along - set(places[0]))


def _is_inert(atom: Any, kind: str) -> bool:
    allowed = (6, 8) if kind in ("lactone", "lactam") else (6,)
    is_single = all(b.GetBondType() == rdkit().BondType.SINGLE for b in atom.GetBonds())
    return atom.GetAtomicNum() in allowed and (is_single or atom.GetIsAromatic())
