"""Calculating structures: crystals and molecules that are given as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from orchestrator.ports.action import Cancel, Effect, Unit, action


@dataclass(frozen=True)
class StructureResult:
    """A structure as it was computed. `energy` and `volume` are per atom; `volume` and `pressure`
    are 0 where there is no cell, `max_force` where the method gives no forces. `structure` is an
    extended XYZ with the forces. `seconds` is the CPU time that it took when it was computed;
    `reused` is 1 if that was not now. `cures` says what failed and what was done about it, and
    `altered` is 1 if that made the energy another quantity (a wider smearing)."""

    energy: Annotated[float, Unit("eV")]
    volume: Annotated[float, Unit("angstrom**3")]
    pressure: Annotated[float, Unit("GPa")]
    max_force: Annotated[float, Unit("eV/angstrom")]
    atoms: Annotated[int, Unit("")]
    structure: str
    seconds: Annotated[float, Unit("s")]
    reused: Annotated[int, Unit("")]
    cures: str = ""
    altered: Annotated[int, Unit("")] = 0


@dataclass(frozen=True)
class EquationOfState:
    """Of a crystal whose shape is kept: `energy` and `volume` per atom at the minimum, the bulk
    modulus there and its derivative by pressure. `structure`, `seconds` and all else as above."""

    energy: Annotated[float, Unit("eV")]
    volume: Annotated[float, Unit("angstrom**3")]
    bulk_modulus: Annotated[float, Unit("GPa")]
    derivative: Annotated[float, Unit("")]
    structure: str
    seconds: Annotated[float, Unit("s")]
    reused: Annotated[int, Unit("")]
    cures: str = ""
    altered: Annotated[int, Unit("")] = 0


@dataclass(frozen=True)
class FormationEnergy:
    """A relaxed structure beside its elements, relaxed with the same method and settings; all per
    atom. `seconds` counts the elements too; `reused` is 1 if nothing was computed now."""

    formation_energy: Annotated[float, Unit("eV")]
    energy: Annotated[float, Unit("eV")]
    volume: Annotated[float, Unit("angstrom**3")]
    structure: str
    seconds: Annotated[float, Unit("s")]
    reused: Annotated[int, Unit("")]
    cures: str = ""
    altered: Annotated[int, Unit("")] = 0


class StructureCalculation:
    """Computes a structure that is given as the text of a CIF, POSCAR or (extended) XYZ file."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def energy(self, structure: str) -> StructureResult:
        """As it is given."""
        raise NotImplementedError

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def relax(self, structure: str) -> StructureResult:
        """Atoms, and the cell where there is one, at rest."""
        raise NotImplementedError

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def equation_of_state(self, structure: str) -> EquationOfState:
        """Of a crystal, around the volume that is given."""
        raise NotImplementedError

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def formation_energy(self, structure: str) -> FormationEnergy:
        """Of a crystal, from its elements."""
        raise NotImplementedError
