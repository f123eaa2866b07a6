"""What the backbone of a polymer is like, beside what hangs on it: stiffness, mass, polarity."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.materials.chemistry import rdkit
from orchestrator.materials.descriptors.persistence import persistence
from orchestrator.materials.descriptors.polymer import canonical_polymer, over_units
from orchestrator.materials.descriptors.repeat_unit import oligomer, stars_of
from orchestrator.ports.descriptor import Content

Floats = NDArray[np.float64]

QUANTITIES = {
    "rotatable": "",
    "in rings": "",
    "tetrahedral": "",
    "side mass": "",
    "mass per atom": "g/mol",
    "donors": "",
    "acceptors": "",
    "halogens": "",
    "aromatic": "",
    "log length": "",
    "refraction": "cm^3/g",
    "log persistence": "",
}
HALOGENS = (9, 17, 35, 53)
LEAST_PERSISTENCE = 0.1
"""Bonds; a chain that goes back on itself has less than none."""
DOUBLE_ENOUGH = 1.2
"""A bond of this order does not turn at room temperature; one of an amide, drawn single, counts as
turning."""


@dataclass(frozen=True)
class Backbone:
    """Twelve numbers of a repeat unit within an endless chain.

    Of the bonds on the shortest way along the chain the share that turn (single, in no ring); of
    the atoms on it the shares in rings and with four neighbours. The backbone is this way and all
    rings that it runs along; what hangs on it is the side mass, as a share. Mass of the unit per
    atom on the way; donors and acceptors of hydrogen bonds, halogens and aromatic atoms per heavy
    atom; the decimal logarithm of the number of atoms on the way; molar refraction per mass
    [Wildman & Crippen 1999]; the decimal logarithm of the persistence length in bonds, by
    `persistence` [Flory 1969]. Those of a copolymer are weighted by the fractions. Of a polymer's
    conduction of heat these are what theory names first: stiff, unbranched chains of light atoms,
    held together [Henry 2014].
    """

    content: ClassVar[Content] = "dense"
    source: ClassVar[str] = (
        "Wildman & Crippen 1999, doi:10.1021/ci990307l; Henry 2014, "
        "doi:10.1615/AnnualRevHeatTransfer.2013006949; Flory 1969, Statistical Mechanics of Chain "
        "Molecules, chapter 1"
    )

    @property
    def names(self) -> Sequence[str]:
        """As in the docstring, in its order."""
        return list(QUANTITIES)

    @property
    def units(self) -> Sequence[str]:
        """Shares have none."""
        return list(QUANTITIES.values())

    def canonical(self, material: str) -> str:
        """As `canonical_polymer`. Raises InputError."""
        return canonical_polymer(material)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n polymers -> n x 12 numbers. Raises InputError."""
        return over_units(materials, _of_unit, len(QUANTITIES))


def _of_unit(unit: str) -> Floats:
    """Of the middle one of three units, so that the ends and the place of the cut do not matter."""
    chain, units = oligomer(unit, 3)
    here = set(units[1])
    way = rdkit().GetShortestPath(chain, *stars_of(chain))
    atoms = [chain.GetAtomWithIdx(i) for i in way if i in here]
    bonds = [chain.GetBondBetweenAtoms(a, b) for a, b in itertools.pairwise(way) if b in here]
    heavy = [chain.GetAtomWithIdx(i) for i in here if chain.GetAtomWithIdx(i).GetAtomicNum() > 1]
    mass, on_way = sum(map(_mass, heavy)), len(atoms)
    backbone = _backbone(chain, way)
    side = sum(_mass(atom) for atom in heavy if atom.GetIdx() not in backbone)
    tetrahedral = rdkit().HybridizationType.SP3
    return np.array(
        [
            sum(map(_turns, bonds)) / len(bonds),
            sum(atom.IsInRing() for atom in atoms) / on_way,
            sum(atom.GetHybridization() == tetrahedral for atom in atoms) / on_way,
            side / mass,
            mass / on_way,
            _n_matching(chain, "HDonorSmarts", here) / len(heavy),
            _n_matching(chain, "HAcceptorSmarts", here) / len(heavy),
            sum(atom.GetAtomicNum() in HALOGENS for atom in heavy) / len(heavy),
            sum(atom.GetIsAromatic() for atom in heavy) / len(heavy),
            math.log10(on_way),
            _refraction(chain, here) / mass,
            math.log10(max(persistence(unit, _turns), LEAST_PERSISTENCE)),
        ]
    )


def _mass(atom: Any) -> float:
    """g/mol, with its hydrogen."""
    return float(atom.GetMass() + atom.GetTotalNumHs() * 1.008)


def _turns(bond: Any) -> bool:
    return not bond.IsInRing() and bond.GetBondTypeAsDouble() < DOUBLE_ENOUGH


def _backbone(chain: Any, way: Sequence[int]) -> set[int]:
    """The atoms on the way, and those of rings that share a bond with what is found so far."""
    found, rings = set(way), [set(ring) for ring in chain.GetRingInfo().AtomRings()]
    while beside := [ring for ring in rings if len(ring & found) > 1 and not ring <= found]:
        found.update(*beside)
    return found


def _n_matching(chain: Any, pattern: str, here: set[int]) -> int:
    """How many atoms of a unit one of rdkit's patterns finds."""
    smarts = getattr(rdkit("Chem.Lipinski"), pattern)
    return sum(match[0] in here for match in chain.GetSubstructMatches(smarts))


def _refraction(chain: Any, here: set[int]) -> float:
    """cm^3/mol of a unit, with its hydrogen."""
    whole = rdkit().AddHs(chain)
    shares = rdkit("Chem.rdMolDescriptors")._CalcCrippenContribs(whole)
    total = 0.0
    for atom, (_, refraction) in zip(whole.GetAtoms(), shares, strict=True):
        bearer = atom.GetNeighbors()[0] if atom.GetAtomicNum() == 1 else atom
        total += refraction if bearer.GetIdx() in here else 0.0
    return float(total)
