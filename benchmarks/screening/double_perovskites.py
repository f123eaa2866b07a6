"""A sample of the double perovskites with SevenNet as the truth: the planner against random order.

    hagane new pool doubles.csv --prototype double-perovskite
    python -m benchmarks.screening.double_perovskites doubles.csv --sample 2000 --seeds 10

The sample is drawn with seed 0 from the candidates whose elements SevenNet-0 knows and of which
there is a reference structure; the others are counted. Its energies of formation (eV per atom, from
the elements, all relaxed with SevenNet-0; cells and sites at rest in the symmetry of the start) go
into `benchmarks/results/screening/double_perovskites.csv`, about a second of CPU time each; then
the planner is played against the table. Needs the extras `screening` and `potentials`.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
from pathlib import Path

from benchmarks.screening.race import Race, race
from benchmarks.screening.truth import (
    RESULTS,
    complete,
    element_energy,
    elsewhere,
    formation,
    read_pool,
)
from orchestrator.errors import InputError

TABLE = RESULTS / "double_perovskites.csv"
METRICS = ("formation_energy",)
SEVENNET = "simulators.atomistic.methods:sevennet"
MODEL = {"model": "7net-0"}
CAMPAIGN = """\
name: double-perovskites
goal: the most stable double perovskite of a sample, from its elements
space:
  p:
    pool: sample.csv
    formula: formula
    descriptor: composition
    columns: {tolerance_factor: "", octahedral_factor: "", octahedral_mismatch: ""}
metrics: {formation_energy: {unit: eV}}
objective: {minimise: formation_energy}
planner: {kind: bayesian, initial: 8}
budget: {trials: 200}
"""


def sampled(pool: Path, n: int, folder: Path) -> Path:
    """The campaign about `n` rows of a pool, drawn with seed 0."""
    with pool.open(newline="") as file:
        rows = _computable(list(csv.DictReader(file)))
    chosen = random.Random(0).sample(rows, min(n, len(rows)))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "sample.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(chosen)
    campaign = folder / "campaign.yaml"
    campaign.write_text(CAMPAIGN)
    return campaign


def _computable(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    elements = [set(re.findall("[A-Z][a-z]?", row["formula"])) for row in rows]
    without = set()
    with elsewhere():
        for element in sorted(set().union(*elements)):
            try:
                element_energy(element, SEVENNET, tuple(MODEL.items()))
            except (InputError, RuntimeError, ValueError):
                without.add(element)
    kept = [row for row, names in zip(rows, elements, strict=True) if not names & without]
    print(f"{len(kept)} of {len(rows)} candidates have none of {', '.join(sorted(without))}")
    return kept


def main() -> None:
    """Computes and plays what is missing, and tells all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pool", type=Path)
    parser.add_argument("--sample", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--limit", type=int, default=200)
    said = parser.parse_args()
    campaign = sampled(said.pool, said.sample, Path("out/double_perovskites"))
    structures = read_pool(campaign.parent / "sample.csv")
    complete(
        TABLE,
        structures,
        METRICS,
        lambda structure: (formation(structure, SEVENNET, MODEL)[1],),
    )
    race(Race(campaign, TABLE, METRICS), range(said.seeds), said.limit)


if __name__ == "__main__":
    main()
