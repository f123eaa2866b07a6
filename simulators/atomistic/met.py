"""What a method has met among the candidates, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.atomistic.contents import Contents
from simulators.atomistic.options import idle_of, odd_of, unspun_of
from simulators.atomistic.requests import said_of_cell
from simulators.atomistic.structures import atoms_of
from simulators.atomistic.symmetric import primitive_text
from simulators.atomistic.vacuum import VACUUM, kept_words

MOST_LOOKED_AT = 100
"""Candidates of which it is seen whether their cells are primitive, which takes milliseconds."""


@dataclass
class Met:
    """The elements, those that came without moments, cells with a vacuum that are relaxed,
    molecules without moments that have an odd number of electrons, with their elements, and texts
    of crystals without moments, the first of them, but for those whose facets are asked for."""

    elements: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    gapped: set[str] = field(default_factory=set)
    odd: dict[str, set[str]] = field(default_factory=dict)
    crystals: dict[str, Contents] = field(default_factory=dict)

    def add(self, action: str, held: Contents, structure: str) -> None:
        """A structure, and what is to be done with it."""
        self.elements.update(held.symbols)
        if not held.is_magnetic:
            self.bare.update(held.symbols)
            if not any(held.pbc) and (sum(held.numbers) - round(held.charge)) % 2:
                self.odd[held.formula] = set(held.symbols)
        if all(held.pbc) and held.gap > VACUUM and action != "energy":
            self.gapped.add(held.formula)
        is_bare = all(held.pbc) and not held.is_magnetic and action != "adsorption_energy"
        if is_bare and len(self.crystals) < MOST_LOOKED_AT:
            self.crystals[structure] = held

    def remarks(self, resource: str, settings: Mapping[str, Any], cell: str) -> list[str]:
        """Sentences on options of elements that none has, on spins, and on cells."""
        idle, unspun = (
            idle_of(resource, settings, self.elements),
            unspun_of(resource, settings, self.bare),
        )
        odd = odd_of(resource, settings, self.odd)
        is_dft = "k_density" in settings and not said_of_cell(settings)
        wide = self._wide(resource) if is_dft and cell == "given" else []
        return [*idle, *unspun, *odd, *wide, *kept_words(self.gapped)]

    def _wide(self, resource: str) -> list[str]:
        """A sentence on cells of several primitive ones."""
        times = [
            (held.formula, len(held) // n)
            for text, held in self.crystals.items()
            if (n := len(atoms_of(primitive_text(text)))) < len(held)
        ]
        if not times:
            return []
        (first, n), *others = times
        of_first = f" of the first {MOST_LOOKED_AT}"
        among = of_first if len(self.crystals) == MOST_LOOKED_AT else ""
        also = f" (and {len(others)} more{among} likewise)" if others else ""
        return [
            f"'{resource}' computes {first} in a cell of {n} primitive ones{also}, "
            "which costs several times more; `cell: primitive` computes each crystal in its "
            "primitive cell"
        ]
