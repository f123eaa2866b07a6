"""Writes the tables of campaigns/thermal_crystals: compounds of eight valence electrons.

The phase space is `simulators.atomistic.slack`'s, times a factor between 0.84 and 1.19 of its own
for each compound, since a harmonic calculation does not follow the conductivity exactly. Known are
sixteen conductivities, all of them below 100 W/m/K.
"""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

GROUPS = {
    1: ("Li", "Na", "K", "Rb", "Cs", "Cu", "Ag"),
    2: ("Be", "Mg", "Ca", "Sr", "Ba", "Zn", "Cd"),
    3: ("B", "Al", "Ga", "In"),
    4: ("C", "Si", "Ge", "Sn"),
    5: ("N", "P", "As", "Sb"),
    6: ("O", "S", "Se", "Te"),
    7: ("F", "Cl", "Br", "I"),
}


def main() -> None:
    """Elements of group IV, and pairs whose groups add up to eight."""
    from simulators.atomistic.slack import conductivity

    formulas = list(GROUPS[4])
    formulas += [a + b for i, a in enumerate(GROUPS[4]) for b in GROUPS[4][:i]]
    formulas += [a + b for group in (1, 2, 3) for a in GROUPS[group] for b in GROUPS[8 - group]]
    folder = Path(__file__).parents[2] / "campaigns" / "thermal_crystals"
    rng = Random(0)
    with (folder / "compounds.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["formula"], *([f] for f in formulas)])
    kappa = {formula: conductivity(formula)["thermal_conductivity"] for formula in formulas}
    poor = Random(1).sample([f for f in formulas if kappa[f] < 100.0], 16)
    with (folder / "known.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["crystal", "thermal_conductivity"])
        writer.writerows([f, f"{kappa[f]:.4g}"] for f in poor)
    with (folder / "phase_space.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["formula", "phase_space"])
        for formula in formulas:
            value = conductivity(formula)["phase_space"] * 2.0 ** rng.uniform(-0.25, 0.25)
            writer.writerow([formula, f"{value:.5g}"])


if __name__ == "__main__":
    main()
