"""SMILES read and written as often as it needs until a molecule has one text, and no oftener.

RDKit tells valences, rings and aromaticity of a molecule anew whenever it reads one. That is most
of what a proposal costs, so it is left out where it can tell nothing that is not known.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from orchestrator.materials.chemistry import molecule, rdkit

_REWRITINGS = 3
_MANY_AROMATIC = 16
_LARGE = 7
_MAY_BE_RADICAL = re.compile(r"\[(?!nH\])[A-Za-z]+[0-9]*\]")
_CHARGE = re.compile(r"([+-])(\d*)(?::\d+)?\]")
_WITH_SENSE = re.compile(r"[@/\\]|\[[0-9]*(?:H|#)")
"""Directions, of which those without a sense are taken away; hydrogens, which become implicit."""
_PLAIN = re.compile(r"(?:[BCNOPSFIbcnoslr*()=#\-0-9%]|\[(?:nH|O-|N\+)\])++")


def as_written(smiles: str) -> Any:
    """The molecule of a canonical SMILES with the atoms and bonds that are written, for its number
    of atoms, its open ends and its other SMILES; not for what RDKit computes of molecules.

    Raises:
        InputError: it cannot be read.
    """
    if _MAY_BE_RADICAL.search(smiles):  # an unpaired electron is computed, and then written
        return molecule(smiles)
    found = rdkit().MolFromSmiles(smiles, _bare())
    return molecule(smiles) if found is None or not found.GetNumAtoms() else found


def as_told(text: str) -> Any:
    """The molecule of any text; None where it has none."""
    if _WITH_SENSE.search(text):
        return rdkit().MolFromSmiles(text)
    found = rdkit().MolFromSmiles(text, _bare())
    if found is None or rdkit().SanitizeMol(found, catchErrors=True):
        return None
    return found


@functools.cache
def _bare() -> Any:
    how = rdkit().SmilesParserParams()
    how.sanitize = how.removeHs = False
    return how


def smiles_from(found: Any, root: int = -1) -> str:
    """The SMILES of a molecule from an atom on (-1: from where RDKit begins)."""
    return str(rdkit().MolToSmiles(found, rootedAtAtom=root))


def settled_smiles(found: Any) -> str | None:
    """The SMILES of a molecule that was read from a text, such that RDKit reads it and writes it
    again as it is; None if there is none.

    What was read from an odd text may be written so that it cannot be read again, or is then
    written otherwise: charges are moved, centres lose their sense, radicals come and go. Nothing of
    the kind is in a text of plain atoms and bonds, with `[nH]` and nitro groups. It may have rings
    that are aromatic, and which double bonds RDKit puts there is of no account to it: each of their
    atoms has one or none in all ways, unless a double bond leads from it to another part. So plain
    texts without such a bond are not read again, but for those with many aromatic atoms or a large
    ring: where rings are fused to one, RDKit gives up before it has found a way.
    """
    written = smiles_from(found)
    is_plain = _PLAIN.fullmatch(written) and ("*" not in written or n_open_ends(found) >= 0)
    is_plain = is_plain and sum(map(written.count, "cnosp")) <= _MANY_AROMATIC
    is_plain = is_plain and max(map(len, found.GetRingInfo().AtomRings()), default=0) <= _LARGE
    if is_plain and not found.HasSubstructMatch(_leading_out()):
        return written
    return resettled(written)


@functools.cache
def _leading_out() -> Any:
    """A double bond from an aromatic atom to one that has other neighbours."""
    return rdkit().MolFromSmarts("a=[!D1]")


def resettled(written: str) -> str | None:
    """What becomes of a SMILES that RDKit wrote when it is read and written until it stays as it
    is; None if it never stays."""
    for _ in range(_REWRITINGS):
        again = rdkit().MolFromSmiles(written)
        if again is None:
            return None
        before, written = written, smiles_from(again)
        if before == written:
            return written
    return None


def net_charge(smiles: str) -> int:
    """The sum of the charges in a canonical SMILES."""
    signs = ((sign, number) for sign, number in _CHARGE.findall(smiles))
    return sum(int(f"{sign}{number or 1}") for sign, number in signs)


def is_radical(smiles: str) -> bool:
    """Whether a canonical SMILES has an unpaired electron. Raises InputError."""
    if not _MAY_BE_RADICAL.search(smiles):
        return False
    return any(atom.GetNumRadicalElectrons() for atom in molecule(smiles).GetAtoms())


def n_open_ends(found: Any) -> int:
    """How many `*` a molecule has, each at the end of one bond; -1 where one is elsewhere."""
    ends = [atom for atom in found.GetAtoms() if atom.GetAtomicNum() == 0]
    return len(ends) if all(end.GetDegree() == 1 for end in ends) else -1
