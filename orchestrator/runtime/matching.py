"""Which candidate of a campaign a candidate of another campaign is.

Where both pools are of materials, it is the one of the same material, whatever it is called there.
Elsewhere a name is all there is to go by, unless the numbers that describe it say otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.errors import InputError, UnitMismatch
from orchestrator.model.campaign import Campaign
from orchestrator.model.quantity import convert
from orchestrator.model.space import Parameter, Pool, is_open
from orchestrator.runtime.settling import naming_of

if TYPE_CHECKING:
    from orchestrator.planner.naming import Naming

SAME = 1e-6
"""Describing numbers that differ by less, as a share, were rounded."""


@dataclass(frozen=True)
class Matching:
    """Candidates of `theirs`, a parameter of the campaign `other`, as candidates of `pool`."""

    pool: Pool
    theirs: Parameter
    other: str

    @property
    def is_of_materials(self) -> bool:
        """Whether it is known of both what material a candidate is."""
        return bool(self._column)

    def material(self, word: str) -> str:
        """The material of a candidate of theirs; where it is known of both."""
        assert isinstance(self.theirs, Pool)
        return self.theirs.words(word).get(self._column, word)

    def candidate(self, word: str) -> str | None:
        """The candidate that one of theirs is; None where it is none. Of a pool that grows it may
        be a material that its table does not have.

        Raises:
            InputError: a name stands for other numbers in the two campaigns.
        """
        if not self.is_of_materials:
            return self._by_name(word)
        material = self.material(word)
        if word in self._naming.names and self._naming.material_of(word) == material:
            return word
        try:
            found = self._naming.of_material(material)
        except InputError as error:
            if error.hint.startswith("pip install"):
                raise
            return None  # the descriptor of this pool cannot read it
        return self._one_of(found, word, material)

    def _one_of(self, found: Sequence[str], word: str, material: str) -> str | None:
        if word in found:
            return word
        if found:
            # of several alike (polymorphs of one formula) it is not known which one
            return found[0] if len(found) == 1 else None
        return self._naming.candidate(material) if is_open(self.pool) else None

    @cached_property
    def _naming(self) -> Naming:
        return naming_of(self.pool)

    @cached_property
    def _column(self) -> str:
        """Their column of materials; '' where the candidates are not known to be materials."""
        if not self.pool.described or not isinstance(self.theirs, Pool):
            return ""
        if self.theirs.described:
            return self.theirs.described[0].material
        own = self.pool.described[0].material
        return own if own in self.theirs.texts else ""

    def _by_name(self, word: str) -> str | None:
        if word not in self.pool.names:
            return None
        if isinstance(self.theirs, Pool) and word in self.theirs.names:
            pairs = zip(
                self.theirs.columns, self.theirs.units, self.theirs.numbers(word), strict=True
            )
            for column, unit, value in pairs:
                self._refuse_other(word, column, unit, value)
        return word

    def _refuse_other(self, word: str, column: str, unit: str, value: float) -> None:
        if column not in self.pool.columns:
            return
        place = self.pool.columns.index(column)
        own, own_unit = self.pool.numbers(word)[place], self.pool.units[place]
        try:
            there = convert(value, unit, own_unit)
        except UnitMismatch:
            return
        if not math.isclose(own, there, rel_tol=SAME):
            raise InputError(
                f"'{word}' of '{self.pool.name}' is another one in campaign '{self.other}': its "
                f"{column} is {there:g} {own_unit}".rstrip()
                + f" there, {own:g} {own_unit}".rstrip()
                + " here",
                hint="give candidates that differ different names",
            )


def matchings(campaign: Campaign, other: Campaign) -> Mapping[str, Matching]:
    """How the candidates of every pool of a campaign are found among those of another one."""
    return {
        parameter.name: Matching(parameter, other.space[parameter.name], other.name)
        for parameter in campaign.space.parameters
        if isinstance(parameter, Pool) and parameter.name in other.space.names
    }
