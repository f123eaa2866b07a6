"""Repeat units of polymers: a SMILES with two `*`, in one form for all its spellings.

A repeat unit may be written from either end, cut at any bond of the backbone, and several times
over: `*CCO*`, `*OCC*` and `*COC*` are one polymer, as are `*CC*` and `*CCCC*`. The two stars are
taken as one bond of an endless chain. All bonds of the backbone that could be that bond are cut;
the pieces between them, in canonical SMILES with a left and a right end, are the letters of a word
that repeats for ever. Its shortest period, in the rotation and direction that comes first by
alphabet, is the canonical unit. No ring is closed, so a short unit does not become aromatic
(`*C=C*` three times is not benzene). The idea of a form free of the cut is that of the psmiles
package [Kuenneth & Ramprasad 2023, doi:10.1038/s41467-023-39868-6].

Handedness and the geometry of double bonds are kept, that of an atom half-way between the stars
too: `*[C@H](F)*` is the chain of `*[C@H](F)[C@H](F)*`.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import Any

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import canonical_smiles, molecule, rdkit

LEFT, RIGHT = 1, 2
"""Isotopes that mark the stars at the two ends of a piece."""

_RING_BOND = re.compile(r"\[[^\]]*\]|%(\d\d)|(\d)")
_BEGINNING = re.compile(rf"\[{LEFT}\*\]([/\\=#]?)")
_STAR = re.compile(r"\[\*(?::\d+)?\]|(?<![\[\d])\*")
_SLASHES = ("/", "\\")
_FLIPPED = str.maketrans("/\\", "\\/")


def canonical_unit(psmiles: str) -> str:
    """The shortest repeat unit of a polymer in the one form that all its spellings have.

    Substances beside the chain (counter-ions) stay, and then the unit is not shortened.

    Raises:
        InputError: it is no molecule, or has not exactly two `*` at the ends of one chain.
    """
    return counted_unit(psmiles)[0]


@functools.lru_cache(maxsize=4096)  # copolymers share their units
def counted_unit(psmiles: str) -> tuple[str, float]:
    """The canonical unit, and how many of it the text holds: 4 for `*CCCC*`, one half where it
    takes two to tell handedness (`*[C@H](F)*`).

    Raises:
        InputError: as `canonical_unit`.
    """
    chain, beside = _chain_of(psmiles)
    chain = _cut_at_a_single_bond(chain)
    word = _pieces(chain)
    period = len(word) if beside else _period(word)
    text, n_words = _joined(_first(word, period))
    return ".".join([text, *sorted(beside * n_words)]), len(word) / period / n_words


def oligomer(unit: str, n: int) -> tuple[Any, list[list[int]]]:
    """`n` canonical units in a row as an rdkit molecule with a star at either end, and the atoms of
    each unit, stars not counted. Substances beside the chain are left out."""
    chain, _ = _chain_of(unit)
    found = _linked(_marked(chain), n)
    of_unit: list[list[int]] = [[] for _ in range(n)]
    for atom in found.GetAtoms():
        if atom.HasProp("piece") and atom.GetAtomicNum():
            of_unit[atom.GetIntProp("piece")].append(atom.GetIdx())
    return found, of_unit


def backbone_length(unit: str) -> int:
    """How many atoms lie on the shortest way between the stars."""
    chain, _ = _chain_of(unit)
    return len(_backbone(chain)) - 2


def stars_of(found: Any) -> list[int]:
    """The atoms of an rdkit molecule that are stars."""
    return sorted(match[0] for match in found.GetSubstructMatches(_star()))


@functools.cache
def _star() -> Any:
    return rdkit().MolFromSmarts("[#0]")


def _chain_of(psmiles: str) -> tuple[Any, list[str]]:
    """The chain with its two stars, and the SMILES of what lies beside it."""
    try:
        whole = molecule(_told_apart(psmiles))
    except InputError:
        molecule(psmiles)  # says it of the text as it is written
        raise
    pieces = rdkit().GetMolFrags(whole, asMols=True)
    chains = [piece for piece in pieces if stars_of(piece)]
    n_stars = sum(len(stars_of(piece)) for piece in chains)
    if n_stars != 2:
        raise InputError(
            f"'{psmiles}' has {n_stars} '*' where the repeat unit of a polymer has two",
            hint="write the two ends of the unit as '*', as in '*CC(c1ccccc1)*'",
        )
    if len(chains) != 1:
        raise InputError(f"the two '*' of '{psmiles}' are not ends of one chain")
    _check_ends(chains[0], psmiles)
    return chains[0], [rdkit().MolToSmiles(piece) for piece in pieces if not stars_of(piece)]


def _told_apart(psmiles: str) -> str:
    """The text with different stars, so that an atom half-way between them keeps its handedness
    when it is read."""
    ends = itertools.chain((f"[{LEFT}*]", f"[{RIGHT}*]"), itertools.repeat("*"))
    return _STAR.sub(lambda _: next(ends), psmiles)


def _check_ends(chain: Any, psmiles: str) -> None:
    ends = [chain.GetAtomWithIdx(index) for index in stars_of(chain)]
    for end in ends:
        if end.GetDegree() != 1 or end.GetFormalCharge() or end.GetTotalNumHs():
            raise InputError(
                f"a '*' of '{psmiles}' has not exactly one bond, to its neighbour alone"
            )
        end.SetIsotope(0)
    first, second = (end.GetBonds()[0] for end in ends)
    if first.GetIdx() == second.GetIdx():
        raise InputError(f"'{psmiles}' has no atom between its two '*'")
    if first.GetBondType() != second.GetBondType():
        raise InputError(
            f"the bonds of the two '*' of '{psmiles}' differ, so units cannot be joined"
        )


def _backbone(chain: Any) -> list[int]:
    """Atoms on the shortest way from star to star, both included."""
    return list(rdkit().GetShortestPath(chain, *stars_of(chain)))


def _cuts(chain: Any, kind: Any) -> list[tuple[int, int, int]]:
    """Bonds of the backbone that could be between two units: atom before, atom behind, bond."""
    path = _backbone(chain)[1:-1]
    bonds = [(a, b, chain.GetBondBetweenAtoms(a, b)) for a, b in itertools.pairwise(path)]
    return [
        (a, b, bond.GetIdx())
        for a, b, bond in bonds
        if bond.GetBondType() == kind and not bond.IsInRing()
    ]


def _cut_at_a_single_bond(chain: Any) -> Any:
    """`*=CC=*` as `*C=C*`: cut at a single bond wherever the backbone has one."""
    first, last = stars_of(chain)
    kind = chain.GetAtomWithIdx(first).GetBonds()[0].GetBondType()
    single = rdkit().BondType.SINGLE
    elsewhere = _cuts(chain, single)
    if kind == single or not elsewhere:
        return chain
    a, b, _ = elsewhere[0]
    ends = [chain.GetAtomWithIdx(star).GetNeighbors()[0].GetIdx() for star in (first, last)]
    turned = rdkit().RWMol(chain)
    turned.RemoveBond(a, b)
    for star, end, new in zip((first, last), ends, (a, b), strict=True):
        turned.RemoveBond(star, end)
        turned.AddBond(star, new, single)
    turned.AddBond(*ends, kind)
    rdkit().SanitizeMol(turned)
    return turned.GetMol()


def _pieces(chain: Any) -> list[str]:
    """The word: canonical SMILES of the pieces of the backbone in their order, ends marked."""
    marked = _marked(chain)
    first, _ = stars_of(marked)
    kind = marked.GetAtomWithIdx(first).GetBonds()[0].GetBondType()
    cuts = _cuts(marked, kind)
    if not cuts:
        return [rdkit().MolToSmiles(marked)]
    path = _backbone(marked)
    labels = []
    for before, _, bond in cuts:
        begins = marked.GetBondWithIdx(bond).GetBeginAtomIdx() == before
        labels.append((RIGHT, LEFT) if not begins else (LEFT, RIGHT))
    parts = rdkit().FragmentOnBonds(
        marked, [cut[2] for cut in cuts], dummyLabels=labels, bondTypes=[kind] * len(cuts)
    )
    members: list[Any] = []
    pieces = rdkit().GetMolFrags(parts, asMols=True, fragsMolAtomMapping=members)
    place = {atom: at for at, atom in enumerate(path)}
    where = [min(place[i] for i in atoms if i in place) for atoms in members]
    return [
        rdkit().MolToSmiles(pieces[i]) for i in sorted(range(len(pieces)), key=where.__getitem__)
    ]


def _marked(chain: Any) -> Any:
    """A copy whose first star is the left end and whose second is the right end."""
    copy = rdkit().Mol(chain)
    for star, end in zip(stars_of(copy), (LEFT, RIGHT), strict=True):
        copy.GetAtomWithIdx(star).SetIsotope(end)
    return copy


def _turned(piece: str) -> str:
    """The same piece seen from the other side."""
    found = molecule(piece)
    for star in stars_of(found):
        atom = found.GetAtomWithIdx(star)
        atom.SetIsotope(LEFT + RIGHT - atom.GetIsotope())
    return str(rdkit().MolToSmiles(found))


def _period(word: Sequence[str]) -> int:
    n = len(word)
    return next(
        p for p in range(1, n + 1) if n % p == 0 and list(word) == list(word[:p]) * (n // p)
    )


def _first(word: Sequence[str], period: int) -> list[str]:
    """Of all rotations of the period, in both directions, the first by alphabet."""
    forward = list(word[:period])
    backward = [_turned(piece) for piece in reversed(forward)]
    return min(way[i:] + way[:i] for way in (forward, backward) for i in range(period))


def _joined(word: Sequence[str]) -> tuple[str, int]:
    """The pieces as one unit, in RDKit's SMILES, and how often it holds the word: mostly once.

    They are joined as texts: written from its left star, a piece stands where the right star of the
    one before it stood. So handedness and slashes keep their meaning.
    """
    text = _from_the_left(word[0], 0)
    for number, piece in enumerate(word[1:], start=1):
        text = _put_behind(text, _from_the_left(piece, number))
    text = text.replace(f"[{LEFT}*]", "*").replace(f"[{RIGHT}*]", "*")
    again = canonical_smiles(text)
    if len(word) == 1 and "@" in word[0] and "@" not in again:
        return _joined([*word, *word])[0], 2  # an atom between equal ends has no handedness
    return again, 1


def _from_the_left(piece: str, number: int) -> str:
    """The SMILES of a piece from its left star on; its ring bonds have numbers of their own."""
    found = molecule(piece)
    left = next(i for i in stars_of(found) if found.GetAtomWithIdx(i).GetIsotope() == LEFT)
    written = rdkit().MolToSmiles(found, rootedAtAtom=left)

    def renumber(match: re.Match[str]) -> str:
        ring = match[1] or match[2]
        return f"%({100 * number + int(ring)})" if ring else match[0]

    return _RING_BOND.sub(renumber, written)


def _put_behind(text: str, piece: str) -> str:
    before, right, after = text.partition(f"[{RIGHT}*]")
    begins = _BEGINNING.match(piece)
    if not right or begins is None:
        raise ValueError(f"'{text}' and '{piece}' have no ends to be joined")
    bond, rest = begins[1], piece[begins.end() :]
    if before[-1:] in _SLASHES and bond in _SLASHES and before[-1] != bond:
        rest = rest.translate(_FLIPPED)  # a slash is relative: all of them turned mean the same
    if bond in _SLASHES and before[-1:] not in _SLASHES:
        before += bond
    return before + rest + after


def _linked(piece: Any, n: int) -> Any:
    """A marked piece `n` times in a row; a right star and the left star after it become a bond."""
    together = rdkit().Mol()
    for number in range(n):
        copy = rdkit().Mol(piece)
        for atom in copy.GetAtoms():
            atom.SetIntProp("piece", number)
            if atom.GetAtomicNum() == 0:
                link = number if atom.GetIsotope() == LEFT else number + 1
                atom.SetAtomMapNum(link if 0 < link < n else 0)
                atom.SetIsotope(0)
        together = rdkit().CombineMols(together, copy)
    linked = rdkit().molzip(together)
    rdkit().SanitizeMol(linked)
    return _read_again(linked) if _is_stereo(linked) else linked


def _is_stereo(found: Any) -> bool:
    return any(bond.GetStereoAtoms() for bond in found.GetBonds()) or any(
        int(atom.GetChiralTag()) for atom in found.GetAtoms()
    )


def _read_again(linked: Any) -> Any:
    """The chain as its SMILES says it, in the same order of atoms.

    The geometry of a double bond is kept by two of its neighbours and a letter that goes by their
    rank. Where stars became bonds, the neighbours and the ranks are still those of the lone unit.
    """
    written = rdkit().MolToSmiles(linked)
    order = list(linked.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    again = rdkit().RenumberAtoms(
        molecule(written), sorted(range(len(order)), key=order.__getitem__)
    )
    for atom, before in zip(again.GetAtoms(), linked.GetAtoms(), strict=True):
        if before.HasProp("piece"):
            atom.SetIntProp("piece", before.GetIntProp("piece"))
    return again
