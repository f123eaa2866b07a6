"""What chemists ask of a candidate first: how heavy it is, and how hard to make."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from orchestrator.errors import InputError, MissingExtra
from orchestrator.materials.chemistry import molecule, rdkit
from orchestrator.materials.descriptors.weighted import parts_of


def molecular_weight(material: str) -> float | None:
    """g/mol of a molecule or of a repeat unit, of a mixture the mean by its fractions; None where
    the material cannot be read."""
    try:
        parts = [(fraction, molecule(part)) for fraction, part in parts_of(material)]
    except (InputError, MissingExtra):
        return None
    weigh = rdkit("Chem.Descriptors").MolWt
    return float(sum(fraction * weigh(found) for fraction, found in parts))


def synthetic_accessibility(material: str) -> float | None:
    """From 1, easy to make, to 10 [Ertl & Schuffenhauer 2009, doi:10.1186/1758-2946-1-8]; of a
    repeat unit with its ends closed by hydrogen, of a mixture that of its hardest part. None where
    the material cannot be read, or RDKit came without its contributed score."""
    scorer = _scorer()
    try:
        parts = [_closed(molecule(part)) for _, part in parts_of(material)]
    except InputError:
        return None
    return max(float(scorer.calculateScore(part)) for part in parts) if scorer else None


def is_accessibility_known() -> bool:
    """Whether RDKit came with the score of synthetic accessibility. Raises MissingExtra."""
    return _scorer() is not None


@functools.cache
def _scorer() -> ModuleType | None:
    """RDKit's contributed module, which lies beside the package and not in it."""
    file = Path(rdkit("RDConfig").RDContribDir) / "SA_Score" / "sascorer.py"
    if not file.is_file():
        return None
    spec = importlib.util.spec_from_file_location("rdkit_sascorer", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _closed(found: Any) -> Any:
    """The molecule whose stars are hydrogen."""
    if all(atom.GetAtomicNum() for atom in found.GetAtoms()):
        return found
    closed = rdkit().RWMol(found)
    for atom in closed.GetAtoms():
        if atom.GetAtomicNum() == 0:
            atom.SetAtomicNum(1)
            for bond in atom.GetBonds():
                bond.SetBondType(rdkit().BondType.SINGLE)
    rdkit().SanitizeMol(closed)
    return rdkit().RemoveHs(closed)
