"""`campaigns/alloy_screening`: brute force, random order and the planner side by side.

    python -m benchmarks.screening.alloys --seeds 10

Brute force computes every candidate as the campaign does, by the same functions in one process,
into `benchmarks/results/screening/alloys.csv`; the planner is then played against that table.
"""

from __future__ import annotations

import argparse

from benchmarks.screening.race import Race, race
from benchmarks.screening.truth import RESULTS, ROOT, complete, formation, read_pool
from simulators.atomistic.computing import run

FOLDER = ROOT / "campaigns" / "alloy_screening"
TABLE = RESULTS / "alloys.csv"
METRICS = ("bulk_modulus", "formation_energy")
EMT = "simulators.atomistic.methods:emt"


def computed(structure: str) -> tuple[float, float]:
    """Bulk modulus (GPa) and formation energy (eV per atom) of a structure at rest."""
    relaxed, energy = formation(structure, EMT, {})
    return run("equation_of_state", relaxed, EMT, {})["bulk_modulus"], energy


def main() -> None:
    """Computes and plays what is missing, and tells all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--limit", type=int, default=200)
    said = parser.parse_args()
    complete(TABLE, read_pool(FOLDER / "candidates.csv"), METRICS, computed)
    race(Race(FOLDER / "campaign.yaml", TABLE, METRICS), range(said.seeds), said.limit)


if __name__ == "__main__":
    main()
