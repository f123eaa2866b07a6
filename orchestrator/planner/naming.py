"""Which candidate of a pool of materials a word is: by name, or by its material in any spelling.

A campaign's own notation is the table's name, and the canonical form of what the table does not
have; so one material is never two candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from orchestrator.errors import InputError, did_you_mean
from orchestrator.model.counts import Counts
from orchestrator.model.space import Pool
from orchestrator.planner.spellings import Spellings

if TYPE_CHECKING:
    from orchestrator.ports.descriptor import Descriptor


@dataclass
class Naming:
    """The names of a pool that has a descriptor; `makers` are its descriptors, in their order."""

    pool: Pool
    makers: Sequence[Descriptor]
    _canonical: dict[str, str] = field(default_factory=dict)
    _named: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def candidate(self, word: str) -> str:
        """The candidate of the table that a word names or spells, the first of several; else the
        material in canonical form.

        Raises:
            InputError: it is no candidate of the table, and no material that can be described.
        """
        if word in self.names:
            return word
        found = self.of_material(word)
        return found[0] if found else self._canonical[word]

    def of_material(self, material: str) -> tuple[str, ...]:
        """The candidates of the table that are a material, in any spelling.

        Raises:
            InputError: it cannot be described.
        """
        if material not in self._named:
            canonical = self._read(material)
            rows = self._spellings.rows(canonical)
            self._canonical[material] = canonical
            self._named[material] = tuple(self.pool.names[row] for row in rows)
        return self._named[material]

    def unknown(self, made: Sequence[str]) -> list[str]:
        """Those of canonical materials that the table does not have. Raises InputError."""
        return self._spellings.unknown(made)

    def material_of(self, candidate: str) -> str:
        """The material of a candidate of the table. Raises KeyError."""
        return self._materials[self.names[candidate]]

    @cached_property
    def names(self) -> dict[str, int]:
        """The rows of the candidates of the table."""
        return {name: row for row, name in enumerate(self.pool.names)}

    @cached_property
    def _materials(self) -> Sequence[str]:
        return self.pool.texts.get(self.pool.described[0].material, self.pool.names)

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self._materials, self.pool.described[0], self.makers[0])

    def _read(self, material: str) -> str:
        try:
            canonical = self.makers[0].canonical(material)
            for maker in self.makers:
                _refuse_unlike(maker, canonical)
        except InputError as error:
            if error.hint.startswith("pip install"):
                raise
            where = self.pool.source or "the table"
            raise InputError(
                f"'{material}' is no candidate of '{self.pool.name}' that {where} has, "
                f"and cannot be read as a material: {error}",
                hint=did_you_mean(material, self.pool.names),
            ) from error
        return canonical


def _refuse_unlike(maker: Descriptor, material: str) -> None:
    """Accepts a material whose numbers are such as those of a table are. Raises InputError."""
    values = maker.describe([material])
    if not np.isfinite(values).all():
        raise InputError(f"not all that describes '{material}' is finite")
    if maker.content != "dense":
        try:
            Counts.of(values)
        except ValueError as error:
            raise InputError(f"'{material}' cannot be counted: {error}") from error
