"""Changes of a molecule's graph: an atom, a bond or a ring, or halves of two molecules joined.

The changes are those of Jensen 2019 (doi:10.1039/C8SC05372C) as mol_ga makes them. It may give
nothing, two molecules in one, a radical, or a ring of more than six atoms never: what is no single
molecule without new radicals and with the open ends of its parent is not taken.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from random import Random
from typing import Any

from orchestrator.errors import InputError, MissingExtra
from orchestrator.materials.chemistry import INSTALL, molecule, rdkit
from orchestrator.materials.generators.writing import n_open_ends, settled_smiles


class GraphMoves:
    """Each parent is crossed with another one with probability `crossover`, else mutated."""

    def __init__(self, *, crossover: float = 0.5) -> None:
        if not 0.0 <= crossover <= 1.0:
            raise InputError(f"{crossover:g} is no probability of a crossover", hint="0 to 1")
        self._crossover = crossover

    def propose(self, parents: Sequence[str], rng: Random) -> Sequence[str]:
        """One canonical SMILES for each; the parent where no molecule was made."""
        moves = _moves()
        children = []
        for parent in parents:
            if rng.random() < self._crossover:
                made = moves.reproduce(parent, rng.choice(parents), 0.0, rng)
            else:
                made = moves.mutate(parent, rng)
            children.append(_taken(made, parent) if made else parent)
        return children


def _taken(made: str, parent: str) -> str:
    """The canonical SMILES of a child; the parent's where the child is not to be taken."""
    before, after = molecule(parent), rdkit().MolFromSmiles(made)
    is_sound = (
        after is not None
        and ("." not in made or "." in parent)
        and n_open_ends(after) == n_open_ends(before)
        and _n_unpaired(after) <= _n_unpaired(before)
    )
    return (is_sound and settled_smiles(after)) or parent


def _n_unpaired(found: Any) -> int:
    return sum(atom.GetNumRadicalElectrons() for atom in found.GetAtoms())


def require_moves() -> None:
    """Raises MissingExtra where mol_ga is not installed."""
    _moves()


@functools.cache
def _moves() -> Any:
    rdkit()  # silences its complaints, and says how to install it
    try:
        from mol_ga.graph_ga import gen_candidates
    except ImportError as error:
        raise MissingExtra("mol_ga, which graph moves need,", INSTALL) from error
    return gen_candidates
