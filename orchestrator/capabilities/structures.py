"""Calculating structures: crystals and molecules that are given as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from orchestrator.ports.action import Cancel, Choices, Effect, FileArg, Unit, action

SITES = ("ontop", "bridge", "hollow")
"""Where an adsorbate begins."""


@dataclass(frozen=True, kw_only=True)
class Computed:
    """What every answer says of itself. `structure` is an extended XYZ, after what was done with
    it. `seconds` is the CPU time that it took when it was computed, of all its MPI ranks and parts;
    `reused` is 1 if nothing was computed now. `matched` is the key of a known result of the same
    crystal in another cell, which was taken if `reused` is 1. `cures` says what failed and what was
    done about it, and `altered` is 1 if that made the energy another quantity (a wider
    smearing)."""

    structure: str
    seconds: Annotated[float, Unit("s")]
    reused: Annotated[int, Unit("")]
    matched: str = ""
    cures: str = ""
    altered: Annotated[int, Unit("")] = 0


@dataclass(frozen=True)
class StructureResult(Computed):
    """A structure as it was computed. `energy` and `volume` are per atom; `volume` and `pressure`
    are 0 where there is no cell, `max_force` where the method gives no forces. `structure` has the
    forces."""

    energy: Annotated[float, Unit("eV")]
    volume: Annotated[float, Unit("angstrom**3")]
    pressure: Annotated[float, Unit("GPa")]
    max_force: Annotated[float, Unit("eV/angstrom")]
    atoms: Annotated[int, Unit("")]


@dataclass(frozen=True)
class EquationOfState(Computed):
    """Of a crystal whose shape is kept: `energy` and `volume` per atom at the minimum, the bulk
    modulus there and its derivative by pressure."""

    energy: Annotated[float, Unit("eV")]
    volume: Annotated[float, Unit("angstrom**3")]
    bulk_modulus: Annotated[float, Unit("GPa")]
    derivative: Annotated[float, Unit("")]


@dataclass(frozen=True)
class FormationEnergy(Computed):
    """A relaxed structure beside its elements, relaxed with the same method and settings; all per
    atom. `matched` is of the compound."""

    formation_energy: Annotated[float, Unit("eV")]
    energy: Annotated[float, Unit("eV")]
    volume: Annotated[float, Unit("angstrom**3")]


@dataclass(frozen=True)
class HullEnergy(Computed):
    """A relaxed structure beside the best mixture of reference structures at its composition, all
    relaxed with the same method and settings; energies per atom. `energy_above_hull` is negative
    where the structure is more stable than any mixture of them. `decomposition` is that mixture,
    with the share of the atoms that each takes. `method` stands for method, settings and versions;
    an entry that has it beside its energy is not computed again."""

    energy_above_hull: Annotated[float, Unit("eV")]
    energy: Annotated[float, Unit("eV")]
    volume: Annotated[float, Unit("angstrom**3")]
    decomposition: str
    method: str


@dataclass(frozen=True)
class ElasticConstants(Computed):
    """Of a crystal at rest, its axes as given. `stiffness` is the 6 x 6 matrix, row by row, in
    Voigt's order xx, yy, zz, yz, xz, xy and with engineering shears. Moduli are of a polycrystal:
    the mean [Hill 1952, doi:10.1088/0370-1298/65/5/307] of Voigt's and Reuss's bounds, which stand
    beside it. `is_stable` is 1 if no strain lowers the energy: `least_eigenvalue` > 0."""

    bulk_modulus: Annotated[float, Unit("GPa")]
    shear_modulus: Annotated[float, Unit("GPa")]
    young_modulus: Annotated[float, Unit("GPa")]
    poisson_ratio: Annotated[float, Unit("")]
    bulk_voigt: Annotated[float, Unit("GPa")]
    bulk_reuss: Annotated[float, Unit("GPa")]
    shear_voigt: Annotated[float, Unit("GPa")]
    shear_reuss: Annotated[float, Unit("GPa")]
    c11: Annotated[float, Unit("GPa")]
    c12: Annotated[float, Unit("GPa")]
    c44: Annotated[float, Unit("GPa")]
    stiffness: Annotated[list[float], Unit("GPa")]
    least_eigenvalue: Annotated[float, Unit("GPa")]
    is_stable: Annotated[int, Unit("")]


@dataclass(frozen=True)
class AdsorptionEnergy(Computed):
    """Of one adsorbate on a slab: negative where it is bound. `height` is that of its lowest atom
    above the highest atom of the slab, after both came to rest; `atoms` of slab and adsorbate."""

    adsorption_energy: Annotated[float, Unit("eV")]
    height: Annotated[float, Unit("angstrom")]
    atoms: Annotated[int, Unit("")]


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

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def energy_above_hull(
        self, structure: str, entries: Annotated[str, FileArg()]
    ) -> HullEnergy:
        """Of a crystal, above the convex hull of the reference structures in a file."""
        raise NotImplementedError

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def elastic_constants(self, structure: str) -> ElasticConstants:
        """Of a crystal, which is brought to rest first."""
        raise NotImplementedError

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def adsorption_energy(
        self,
        structure: str,
        adsorbate: str,
        facet: str,
        site: Annotated[str, Choices(SITES)] = "ontop",
        layers: Annotated[int, Unit("", low=1, high=20)] = 4,
        height: Annotated[float, Unit("angstrom", low=0.5, high=6.0)] = 2.0,
        separation: Annotated[float, Unit("angstrom", low=0.0, high=40.0)] = 5.0,
    ) -> AdsorptionEnergy:
        """Of a molecule, or of an atom from its element, on a facet (hkl) of a crystal."""
        raise NotImplementedError
