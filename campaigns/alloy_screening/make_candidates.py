"""Writes candidates.csv: ordered fcc alloys of two of six metals, with numbers known beforehand.

    python campaigns/alloy_screening/make_candidates.py

90 compounds A3B (L1_2, D0_22) and A2B (MoPt2), where the order of the metals matters, and 30
compounds AB (L1_0, L1_1), where it does not. What describes a candidate is known without any
calculation: composition, metallic radii for 12 neighbours and melting points [Greenwood and
Earnshaw, Chemistry of the Elements, 2nd ed. 1997], Pauling electronegativities, and how many of the
nearest and next-nearest neighbours are of the other metal.
"""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Metal:
    """Radius in angstrom, electronegativity (Pauling), melting point in K, group."""

    radius: float
    electronegativity: float
    melting: float
    group: int


@dataclass(frozen=True)
class Order:
    """Share of b atoms; unlike neighbours in the first and second shell, as a fraction."""

    share_b: float
    unlike_first: float
    unlike_second: float
    swaps: bool = False


METALS = {
    "Ag": Metal(1.44, 1.93, 1234.9, 11),
    "Au": Metal(1.44, 2.54, 1337.3, 11),
    "Cu": Metal(1.28, 1.90, 1357.8, 11),
    "Ni": Metal(1.24, 1.91, 1728.0, 10),
    "Pd": Metal(1.37, 2.20, 1828.1, 10),
    "Pt": Metal(1.39, 2.28, 2041.4, 10),
}
ORDERS = {
    "L1_2": Order(1 / 4, 1 / 2, 0.0),
    "D0_22": Order(1 / 4, 1 / 2, 1 / 6),
    "MoPt2": Order(1 / 3, 5 / 9, 4 / 9),
    "L1_0": Order(1 / 2, 2 / 3, 0.0, swaps=True),
    "L1_1": Order(1 / 2, 1 / 2, 1.0, swaps=True),
}
_SUBSCRIPTS = {1 / 4: "3", 1 / 3: "2", 1 / 2: ""}


def rows() -> list[dict[str, str]]:
    """One row per candidate."""
    return [
        row(a, b, ordering)
        for ordering, order in ORDERS.items()
        for a, b in (itertools.combinations if order.swaps else itertools.permutations)(METALS, 2)
    ]


def row(a: str, b: str, ordering: str) -> dict[str, str]:
    """The numbers of one candidate."""
    first, second, order = METALS[a], METALS[b], ORDERS[ordering]
    share = order.share_b

    def mean(of_a: float, of_b: float) -> str:
        return f"{(1 - share) * of_a + share * of_b:.4f}"

    return {
        "name": f"{a}{_SUBSCRIPTS[share]}{b}-{ordering}",
        "a": a,
        "b": b,
        "ordering": ordering,
        "share_b": f"{share:.4f}",
        "unlike_first": f"{order.unlike_first:.4f}",
        "unlike_second": f"{order.unlike_second:.4f}",
        "radius": mean(first.radius, second.radius),
        "radius_difference": f"{second.radius - first.radius:.4f}",
        "electronegativity": mean(first.electronegativity, second.electronegativity),
        "electronegativity_difference": f"{second.electronegativity - first.electronegativity:.4f}",
        "melting": mean(first.melting, second.melting),
        "group": mean(first.group, second.group),
    }


def main() -> None:
    """Writes the table beside this file."""
    table = rows()
    with (Path(__file__).parent / "candidates.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


if __name__ == "__main__":
    main()
