"""What a method has met among the candidates, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.atomistic.contents import Contents
from simulators.atomistic.options import idle_of, odd_of, unspun_of
from simulators.atomistic.vacuum import VACUUM, kept_words


@dataclass
class Met:
    """The elements, those that came without moments, cells with a vacuum that are relaxed, and
    molecules without moments that have an odd number of electrons, with their elements."""

    elements: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    gapped: set[str] = field(default_factory=set)
    odd: dict[str, set[str]] = field(default_factory=dict)

    def add(self, action: str, held: Contents) -> None:
        """A structure, and what is to be done with it."""
        self.elements.update(held.symbols)
        if not held.is_magnetic:
            self.bare.update(held.symbols)
            if not any(held.pbc) and (sum(held.numbers) - round(held.charge)) % 2:
                self.odd[held.formula] = set(held.symbols)
        if all(held.pbc) and held.gap > VACUUM and action != "energy":
            self.gapped.add(held.formula)

    def remarks(self, resource: str, settings: Mapping[str, Any]) -> list[str]:
        """Sentences on options of elements that none has, on spins, and on cells."""
        idle, unspun = (
            idle_of(resource, settings, self.elements),
            unspun_of(resource, settings, self.bare),
        )
        odd = odd_of(resource, settings, self.odd)
        return [*idle, *unspun, *odd, *kept_words(self.gapped)]
