"""Calculating molecules and polymers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from orchestrator.ports.action import Cancel, Effect, Unit, action


@dataclass(frozen=True)
class MoleculeEnergies:
    """A molecule in its own equilibrium. `atomisation_energy` is what it takes to part its atoms,
    per atom; `gap` is between the highest occupied and the lowest empty orbital."""

    gap: Annotated[float, Unit("eV")]
    homo: Annotated[float, Unit("eV")]
    lumo: Annotated[float, Unit("eV")]
    atomisation_energy: Annotated[float, Unit("eV")]
    dipole: Annotated[float, Unit("debye")]


class MoleculeCalculation:
    """Computes a molecule that is given as a SMILES."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def compute(self, smiles: str) -> MoleculeEnergies:
        """Finds the molecule's shape, and computes its electrons."""
        raise NotImplementedError


@dataclass(frozen=True)
class PolymerConductivity:
    """An amorphous polymer at room temperature. `similarity` is that of the nearest polymer whose
    value is known (Tanimoto, 1 for itself, 0 where none is): below 1 the value is a model's."""

    thermal_conductivity: Annotated[float, Unit("W/m/K")]
    similarity: Annotated[float, Unit("")]


class PolymerCalculation:
    """Gives the thermal conductivity of a polymer that is given as its repeat unit."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def thermal_conductivity(self, smiles: str) -> PolymerConductivity:
        """Of the amorphous polymer; the repeat unit has two `*`, `*CC*`."""
        raise NotImplementedError
