"""A campaign whose last rung is Quantum ESPRESSO: silicon, germanium and carbon, as diamond.

    python -m benchmarks.screening.group_four FOLDER
    hagane run FOLDER/campaign.yaml --lab FOLDER/lab.yaml
    hagane export FOLDER/group_four.csv

Written are a pool of all ordered decorations of diamond's lattice of up to four atoms, each once
(cells by Vegard's rule, left to relax), a campaign for the lowest energy of formation by the rungs
SevenNet-0 and pw.x (PBE), and its lab. Needs spglib and the extra `potentials`. The run is made
once; its record is `benchmarks/results/screening/group_four.csv`.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ELEMENTS = {"C": 3.567, "Si": 5.431, "Ge": 5.658}
"""Lattice constants, angstrom."""
SUPERLATTICES = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((1, 0, 0), (0, 1, 0), (0, 0, 2)),
    ((1, 0, 0), (0, 1, 1), (0, 0, 2)),
)
"""Of the fcc lattice, one of each kind of up to two cells: the trigonal and the tetragonal one."""
CAMPAIGN = """\
name: group-four
goal: the most stable compound of silicon, germanium and carbon on diamond's lattice
space:
  crystal: {pool: pool.csv, name: name, structure: structure, descriptor: crystal}
  rung: {fidelity: [learned, dft]}
roles: {learned: StructureCalculation, dft: StructureCalculation}
recipe:
  - form: {do: =rung.formation_energy, structure: =crystal.structure}
metrics:
  stability: {value: =form.formation_energy, unit: eV}
objective: {minimise: stability}
planner: {initial: 4}
budget: {trials: 40}
seed: 1
"""
LAB = """\
lab: one computer
resources:
  potential: {kind: sevennet}
  pw: {kind: espresso, ecutwfc: 40 Ry, k_density: 3 angstrom, smearing: none, cures: safe}
roles: {learned: potential, dft: pw}
"""


def decorations() -> Iterator[Any]:
    """The ordered decorations (ASE atoms), each once."""
    from ase import Atoms
    from ase.build import bulk, make_supercell
    from ase.utils.structure_comparator import SymmetryEquivalenceCheck

    same, kept = SymmetryEquivalenceCheck(to_primitive=True), list[Atoms]()
    for superlattice in SUPERLATTICES:
        empty = make_supercell(bulk("Si", "diamond", a=1.0), superlattice)
        for symbols in itertools.product(ELEMENTS, repeat=len(empty)):
            atoms = empty.copy()
            atoms.set_chemical_symbols(symbols)
            edge = sum(ELEMENTS[symbol] for symbol in symbols) / len(symbols)
            atoms.set_cell(atoms.cell * edge, scale_atoms=True)
            if not any(same.compare(atoms, other) for other in kept):
                kept.append(atoms)
                yield atoms


def main() -> None:
    """Writes pool, campaign and lab."""
    from ase.io import write

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    found = list(decorations())  # before anything is written
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "campaign.yaml").write_text(CAMPAIGN)
    (folder / "lab.yaml").write_text(LAB)
    with (folder / "pool.csv").open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "structure"])
        for number, atoms in enumerate(found, 1):
            text = io.StringIO()
            write(text, atoms, "extxyz")
            name = f"{atoms.get_chemical_formula('hill')}-{number}"
            table.writerow([name, text.getvalue()])
    print(f"{number} candidates")


if __name__ == "__main__":
    main()
