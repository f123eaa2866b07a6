"""The table of a solid-state ladder: EMT, then SevenNet, over ordered binary alloys of fcc metals.

    python -m benchmarks.planner.alloy_ladder /tmp/alloys.csv
    python -m benchmarks.planner.ladders --table /tmp/alloys.csv --methods learnt,single,prior,both

Formation energies per atom of L1_0, L1_1, L1_2, D0_22 and B2, each relaxed by each method; seconds
are CPU seconds of the relaxation, the elements apart. Candidates are described by the shares of
metals, by the kind of order, and by differences of radius and electronegativity. Needs sevenn.
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

METALS = ("Ag", "Au", "Cu", "Ni", "Pd", "Pt", "Al")
LENGTH = {"Ag": 4.09, "Au": 4.08, "Cu": 3.61, "Ni": 3.52, "Pd": 3.89, "Pt": 3.92, "Al": 4.05}
NEGATIVITY = {"Ag": 1.93, "Au": 2.54, "Cu": 1.90, "Ni": 1.91, "Pd": 2.20, "Pt": 2.28, "Al": 1.61}
FACES = ((0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))
RUNGS: dict[str, tuple[str, dict[str, str]]] = {
    "EMT": ("simulators.atomistic.methods:emt", {}),
    "SevenNet": ("simulators.atomistic.methods:sevennet", {"model": "7net-0"}),
}


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


def main() -> None:
    """Writes the table."""
    from ase.build import bulk

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("table", type=Path)
    table_path = parser.parse_args().table.absolute()
    os.chdir(tempfile.mkdtemp())  # relaxations leave their logs where they run
    elements = {
        rung: {m: run("relax", text_of(bulk(m)), *made)["energy"] for m in METALS}
        for rung, made in RUNGS.items()
    }
    kinds = ("L1_2", "D0_22", "L1_0", "B2", "L1_1")
    columns = [*(f"x:{m}" for m in METALS), *(f"x:{k}" for k in kinds), "x:radius", "x:negativity"]
    columns = ["name", *columns, "atoms", *(f"{k}:{r}" for r in RUNGS for k in "ys")]
    known = set()
    if table_path.exists():
        known = {row["name"] for row in csv.DictReader(table_path.open())}
    with table_path.open("a", newline="") as file:
        table = csv.DictWriter(file, columns, restval=0.0)
        if not known:
            table.writeheader()
        for a, b in itertools.permutations(METALS, 2):
            for kind, atoms in orders(a, b).items():
                name = f"{a}-{b} {kind}"
                if name in known:
                    continue
                symbols = list(atoms.symbols)
                share = symbols.count(a) / len(symbols)
                row: dict[str, Any] = {"name": name, f"x:{kind}": 1.0, "atoms": len(symbols)}
                row |= {f"x:{a}": share, f"x:{b}": 1.0 - share}
                row["x:radius"] = abs(LENGTH[a] - LENGTH[b])
                row["x:negativity"] = abs(NEGATIVITY[a] - NEGATIVITY[b])
                try:
                    for rung, made in RUNGS.items():
                        found = run("relax", text_of(atoms), *made)
                        apart = share * elements[rung][a] + (1.0 - share) * elements[rung][b]
                        row[f"y:{rung}"] = found["energy"] - apart
                        row[f"s:{rung}"] = found["seconds"]
                except (RuntimeError, ValueError) as error:
                    print(f"{name}: {error}", flush=True)
                    continue
                table.writerow(row)
                file.flush()


if __name__ == "__main__":
    main()
