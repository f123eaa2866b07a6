"""The table of a solid-state ladder over ordered binary alloys of fcc metals.

    python -m benchmarks.planner.alloy_ladder /tmp/alloys.csv                    (EMT, SevenNet)
    python -m benchmarks.planner.alloy_ladder /tmp/alloys_dft.csv --ladder dft   (SevenNet, GPAW)
    python -m benchmarks.planner.ladders --table /tmp/alloys.csv --methods learnt,single,prior,both

Formation energies per atom of L1_0, L1_1, L1_2, D0_22 and B2, each relaxed by each method; seconds
are CPU seconds of the calculation, the elements apart. By GPAW (PBE, 400 eV, k-points of one
density for all) it is the energy of what SevenNet relaxed, of cells of up to four atoms without
nickel. Candidates are described by the shares of metals, by the kind of order, and by differences
of radius and electronegativity. Needs sevenn, and gpaw where it is asked for.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import os
import tempfile
from pathlib import Path
from typing import Any

from simulators.atomistic.computing import run
from simulators.atomistic.dft_settings import dft_settings

METALS = ("Ag", "Au", "Cu", "Ni", "Pd", "Pt", "Al")
LENGTH = {"Ag": 4.09, "Au": 4.08, "Cu": 3.61, "Ni": 3.52, "Pd": 3.89, "Pt": 3.92, "Al": 4.05}
NEGATIVITY = {"Ag": 1.93, "Au": 2.54, "Cu": 1.90, "Ni": 1.91, "Pd": 2.20, "Pt": 2.28, "Al": 1.61}
FACES = ((0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))
SEVENNET = ("relax", "simulators.atomistic.methods:sevennet", {"model": "7net-0"})
GPAW_SETTINGS = {
    "cutoff": 400.0,
    "xc": "PBE",
    "cures": "safe",
    "max_iterations": 200,
    **dft_settings(3.5, "fermi-dirac", 0.1, "", "ferromagnetic", "").plain(),
}
GPAW = ("energy", "simulators.atomistic.gpaw_scf:gpaw", GPAW_SETTINGS)
LADDERS: dict[str, dict[str, tuple[str, str, dict[str, Any]]]] = {
    "learned": {"EMT": ("relax", "simulators.atomistic.methods:emt", {}), "SevenNet": SEVENNET},
    "dft": {"SevenNet": SEVENNET, "GPAW": GPAW},
}
"""Of each rung what is computed, by what, with which settings."""


def orders(a: str, b: str) -> dict[str, Any]:
    """Ordered alloys of two metals, a in the lead."""
    from ase import Atoms
    from ase.build import make_supercell

    cell = (LENGTH[a] + LENGTH[b]) / 2.0
    places = [tuple(c * cell for c in face) for face in FACES]

    def cubic(symbols: list[str]) -> Any:
        return Atoms(symbols, places, cell=[cell] * 3, pbc=True)

    double = make_supercell(cubic([b] * 4), [[1, 0, 0], [0, 1, 0], [0, 0, 2]])
    heights = double.get_scaled_positions()[:, 2]
    for z, corner in ((0.0, 0), (0.5, 1)):
        layer = [i for i in range(8) if abs(heights[i] - z) < 0.1]
        double.symbols[layer[corner]] = a
    half = cell * 0.5
    found = {"L1_2": cubic([a, b, b, b]), "D0_22": double}
    if a < b:
        found["L1_0"] = cubic([a, a, b, b])
        found["B2"] = Atoms(
            [a, b],
            scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5)],
            cell=[cell * 2.0 ** (-1 / 3)] * 3,
            pbc=True,
        )
        found["L1_1"] = Atoms(
            [a, b],
            [(0, 0, 0), (cell, half, half)],
            cell=[(2 * half, half, half), (half, 2 * half, half), (half, half, 2 * half)],
            pbc=True,
        )
        found["L1_1"].set_scaled_positions([(0, 0, 0), (0.5, 0.5, 0.5)])
    return found


def text_of(atoms: Any) -> str:
    """As extended XYZ."""
    from ase.io import write

    text = io.StringIO()
    write(text, atoms, "extxyz")
    return text.getvalue()


def computed(atoms: Any, ladder: str) -> dict[str, dict[str, Any]]:
    """What each rung gives; an energy is that of what the rung before it has relaxed."""
    found: dict[str, dict[str, Any]] = {}
    given = relaxed = text_of(atoms)
    for rung, (task, *made) in LADDERS[ladder].items():
        found[rung] = run(task, relaxed if task == "energy" else given, *made)
        relaxed = found[rung]["structure"]
    return found


def main() -> None:
    """Writes the table."""
    from ase.build import bulk

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("table", type=Path)
    parser.add_argument("--ladder", choices=LADDERS, default="learned")
    said = parser.parse_args()
    table_path = said.table.absolute()
    rungs = LADDERS[said.ladder]
    metals = METALS if said.ladder == "learned" else [m for m in METALS if m != "Ni"]
    os.chdir(tempfile.mkdtemp())  # relaxations leave their logs where they run
    pure = {m: computed(bulk(m), said.ladder) for m in metals}
    kinds = ("L1_2", "D0_22", "L1_0", "B2", "L1_1")
    columns = [*(f"x:{m}" for m in METALS), *(f"x:{k}" for k in kinds), "x:radius", "x:negativity"]
    columns = ["name", *columns, "atoms", *(f"{k}:{r}" for r in rungs for k in "ys")]
    known = set()
    if table_path.exists():
        known = {row["name"] for row in csv.DictReader(table_path.open())}
    with table_path.open("a", newline="") as file:
        table = csv.DictWriter(file, columns, restval=0.0)
        if not known:
            table.writeheader()
        for a, b in itertools.permutations(metals, 2):
            for kind, atoms in orders(a, b).items():
                name = f"{a}-{b} {kind}"
                if name in known or (said.ladder == "dft" and len(atoms) > 4):
                    continue
                symbols = list(atoms.symbols)
                share = symbols.count(a) / len(symbols)
                row: dict[str, Any] = {"name": name, f"x:{kind}": 1.0, "atoms": len(symbols)}
                row |= {f"x:{a}": share, f"x:{b}": 1.0 - share}
                row["x:radius"] = abs(LENGTH[a] - LENGTH[b])
                row["x:negativity"] = abs(NEGATIVITY[a] - NEGATIVITY[b])
                try:
                    for rung, found in computed(atoms, said.ladder).items():
                        of_a, of_b = (pure[m][rung]["energy"] for m in (a, b))
                        row[f"y:{rung}"] = found["energy"] - share * of_a - (1.0 - share) * of_b
                        row[f"s:{rung}"] = found["seconds"]
                except (RuntimeError, ValueError) as error:
                    print(f"{name}: {error}", flush=True)
                    continue
                table.writerow(row)
                file.flush()


if __name__ == "__main__":
    main()
