"""The door of rdkit: SMILES read, in one canonical form, and every complaint in a sentence."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any

from orchestrator.errors import InputError, MissingExtra

LONGEST = 5000
"""Characters of a SMILES."""
INSTALL = "pip install 'hagane[materials]'"


@functools.cache
def rdkit(name: str = "Chem") -> ModuleType:
    """A module of rdkit, whose own complaints on the terminal are silenced.

    Raises:
        MissingExtra: rdkit is not installed.
    """
    try:
        from rdkit import RDLogger
    except ImportError as error:
        raise MissingExtra("rdkit, which molecules need,", INSTALL) from error
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    return importlib.import_module(f"rdkit.{name}")


def molecule(smiles: str) -> Any:
    """The rdkit molecule of a SMILES, without the numbers by which a reaction maps its atoms.

    Raises:
        InputError: it cannot be read, or is longer than any that is meant (and rdkit, which
            descends from atom to atom, might not survive it); the sentence says why.
        MissingExtra: rdkit is not installed.
    """
    if len(smiles) > LONGEST:
        raise InputError(
            f"'{smiles[:20]}...' has {len(smiles):,} characters, and a SMILES at most {LONGEST:,}",
            hint="write a polymer as its repeat unit",
        )
    first, rest = (*smiles.split(maxsplit=1), "", "")[:2]
    if rest and not rest.startswith("|"):  # what rdkit takes for a name, it passes over
        raise InputError(
            f"'{smiles}' is not a molecule: a SMILES ends at the first space",
            hint=f"write '{first}' if '{rest.strip()}' is its name, '{first}.{rest.strip()}' if "
            "both are there",
        )
    found = rdkit().MolFromSmiles(smiles) if smiles.strip() else None
    if found is None or found.GetNumAtoms() == 0:
        raise InputError(f"'{smiles}' is not a molecule: {_why(smiles)}")
    return _unmapped(found) if ":" in smiles else found


def _unmapped(found: Any) -> Any:
    """Read again, since a number keeps a hydrogen apart and makes equal neighbours differ."""
    mapped = [atom for atom in found.GetAtoms() if atom.GetAtomMapNum()]
    for atom in mapped:
        atom.SetAtomMapNum(0)
    return rdkit().MolFromSmiles(rdkit().MolToSmiles(found)) if mapped else found


def _why(smiles: str) -> str:
    if not smiles.strip():
        return "it is empty"
    raw = rdkit().MolFromSmiles(smiles, sanitize=False)
    if raw is None:
        return "the SMILES cannot be parsed"
    problems = [p.Message() for p in rdkit().DetectChemistryProblems(raw)]
    return problems[0] if problems else "it holds no atom"


def canonical_smiles(smiles: str) -> str:
    """The one SMILES that rdkit writes for a molecule. Raises InputError."""
    return str(rdkit().MolToSmiles(molecule(smiles)))
