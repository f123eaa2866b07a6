"""Writes campaigns/polymer_conductivity/sources.csv: what rdkit computes of each polymer there."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[2] / "campaigns" / "polymer_conductivity"
# Contributions to the van der Waals volume, A^3 (Zhao et al. 2003, doi:10.1021/jo034808o, table 2)
VOLUMES = {
    **{"H": 7.24, "C": 20.58, "N": 15.60, "O": 14.71, "F": 13.31, "Cl": 22.45, "S": 24.43},
    **{"Si": 38.79, "Br": 26.52, "P": 24.43},
}
PER_BOND, PER_AROMATIC_RING, PER_OTHER_RING = 5.92, 14.7, 3.8


def main() -> None:
    """One row for each polymer, in the order of the table."""
    from rdkit import Chem

    with (HERE / "polymers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (HERE / "sources.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["name", "smiles", "refraction [cm^3/mol/angstrom^3]", "rigid"])
        for row in rows:
            unit = Chem.MolFromSmiles(row["smiles"])
            numbers = (f"{refraction(unit):.4f}", f"{rigid(unit):.3f}")
            writer.writerow([row["name"], row["smiles"], *numbers])


def refraction(unit: Any) -> float:
    """Molar refractivity (Wildman & Crippen 1999) per van der Waals volume, the two ends of the
    unit closed by hydrogen. It grows with the refractive index."""
    from rdkit import Chem
    from rdkit.Chem.rdMolDescriptors import CalcCrippenDescriptors

    closed = Chem.RWMol(unit)
    for atom in closed.GetAtoms():
        if atom.GetAtomicNum() == 0:
            atom.SetAtomicNum(1)
    Chem.SanitizeMol(closed)
    _, refractivity = CalcCrippenDescriptors(Chem.RemoveHs(closed))
    return float(refractivity / volume(Chem.AddHs(closed)))


def volume(found: Any) -> float:
    """Van der Waals volume, A^3, of a molecule that has its hydrogen."""
    rings = found.GetRingInfo()
    n_aromatic = sum(
        all(found.GetAtomWithIdx(i).GetIsAromatic() for i in r) for r in rings.AtomRings()
    )
    n_other = rings.NumRings() - n_aromatic
    atoms = sum(VOLUMES[atom.GetSymbol()] for atom in found.GetAtoms())
    return float(
        atoms
        - PER_BOND * found.GetNumBonds()
        - PER_AROMATIC_RING * n_aromatic
        - PER_OTHER_RING * n_other
    )


def rigid(unit: Any) -> float:
    """The share of the backbone's atoms (with the rings it passes) that lie in a ring or at a
    double or triple bond of the backbone."""
    from rdkit import Chem

    ends = [atom.GetIdx() for atom in unit.GetAtoms() if atom.GetAtomicNum() == 0]
    backbone = set(Chem.GetShortestPath(unit, *ends)) - set(ends)
    for ring in unit.GetRingInfo().AtomRings():
        if len(backbone & set(ring)) >= 2:
            backbone |= set(ring)
    stiff = {i for i in backbone if unit.GetAtomWithIdx(i).IsInRing()}
    for bond in unit.GetBonds():
        pair = {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}
        if pair <= backbone and bond.GetBondTypeAsDouble() > 1.0:
            stiff |= pair
    return len(stiff) / len(backbone)


if __name__ == "__main__":
    main()
