"""GPAW's equations of state beside WIEN2k's: the delta test [Lejaeghere et al. 2016,
doi:10.1126/science.aad3000], on crystals and reference values of ASE's collection `dcdft`.

    python -m benchmarks.screening.delta Si Al Cu

Delta is the root of the mean square difference of two equations of state from -6 % to +6 % of the
volume, both set to zero at their minimum. Between codes of high precision it is about 1 meV/atom.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from ase.build import bulk
from ase.collections import dcdft
from ase.units import GPa
from ase.utils.deltacodesdft import delta

from benchmarks.record import describe, keep, machine
from simulators.atomistic.computing import run
from simulators.atomistic.structures import text_of

SETTINGS: dict[str, Any] = {
    "cutoff": 600.0,
    "xc": "PBE",
    "k_density": 5.0,
    "smearing": "fermi-dirac",
    "width_ev": 0.1,
    "moments": {},
    "magnetic_order": "ferromagnetic",
    "hubbard_u": {},
    "max_iterations": 200,
    "cures": "safe",
}
MAKER = "simulators.atomistic.gpaw_scf:gpaw"
USUAL = ("Si", "Al", "Cu")
LATTICES = {"Al": "fcc", "Ca": "fcc", "Cu": "fcc", "Ge": "diamond", "Si": "diamond"}
"""Those whose cubes of four or eight atoms are computed in the primitive cell."""


def measured(name: str) -> dict[str, Any]:
    """Our equation of state, WIEN2k's, and their delta in meV per atom."""
    crystal = dcdft[name]
    if name in LATTICES:
        crystal = bulk(name, LATTICES[name], a=float(crystal.cell.lengths()[0]))
    found = run("equation_of_state", text_of(crystal), MAKER, SETTINGS)
    theirs = dcdft.data[name]
    volume, modulus = theirs["wien2k_volume"], theirs["wien2k_B"]
    ours = found["volume"], found["bulk_modulus"] * GPa, found["derivative"]
    apart = delta(*ours, volume, modulus * GPa, theirs["wien2k_Bp"])
    return {
        "element": name,
        "volume": [found["volume"], volume],
        "bulk_modulus": [found["bulk_modulus"], modulus],
        "derivative": [found["derivative"], theirs["wien2k_Bp"]],
        "delta_mev": 1e3 * apart,
        "cpu_seconds": found["seconds"],
    }


def main() -> None:
    """Prints a line an element, and keeps it."""
    where = machine("gpaw", "gpaw-data", "ase")
    print(describe(where))
    here = Path.cwd()
    for name in sys.argv[1:] or USUAL:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            row = measured(name)
            os.chdir(here)
        keep("screening/delta", {**where, "settings": SETTINGS, **row})
        volumes = " ".join(f"{v:8.3f}" for v in row["volume"])
        moduli = " ".join(f"{b:6.1f}" for b in row["bulk_modulus"])
        seconds = row["cpu_seconds"]
        print(
            f"{name:3} volume {volumes}  B {moduli}  delta {row['delta_mev']:.2f}, {seconds:.0f} s"
        )


if __name__ == "__main__":
    main()
