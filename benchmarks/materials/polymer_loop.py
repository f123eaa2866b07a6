"""How many of the polymers that conduct heat best are found in thirty evaluations.

A campaign is played against a table of molecular dynamics (1,077 polymers) as `hagane replay` does,
with and without what is known of the same polymers: heat capacity, density, refractive index of the
table, or what rdkit computes, as in `campaigns/polymer_conductivity`.
Run it as `python -m benchmarks.materials.polymer_loop`; the table is looked for as in `polymers`.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

from benchmarks.materials.polymer_conductivity_tables import VOLUMES, refraction, rigid
from benchmarks.materials.polymers import CONDUCTIVITY, FOLDER, POLYMERS, absent
from benchmarks.record import RESULTS, keep, machine
from orchestrator.files.table import read_table
from orchestrator.model.campaign import Campaign
from orchestrator.runtime.load import read_campaign
from orchestrator.runtime.replay import play
from orchestrator.runtime.replay_table import Settings, settings_of
from orchestrator.runtime.replay_truth import OneGoal, truth_of

TRIALS, SEEDS, TOP_SHARE = 30, 10, 0.01
SOURCES = ("Cp", "density", "refractive_index")
COMPUTED = ("refraction", "rigid")
WAYS: dict[str, tuple[str, tuple[str, ...]]] = {
    "no transfer": ("polymer-morgan", ()),
    "transfer": ("polymer-morgan", SOURCES),
    "computed": ("polymer-morgan", COMPUTED),
    "transfer and computed": ("polymer-morgan", (*SOURCES, *COMPUTED)),
    "backbone": ("polymer-backbone", ()),
    "backbone and transfer": ("polymer-backbone", SOURCES),
}
"""The descriptor, and what is known of the same polymers."""
CAMPAIGN = """
name: polymer-loop
goal: the polymer that conducts heat best
space:
  polymer: {{pool: {table}, name: monomer_ID, smiles: smiles, descriptor: {descriptor}}}
metrics:
  {value}: {{unit: W/m/K}}
objective: {{maximise: {value}}}
planner: {{kind: bayesian, initial: 8}}
budget: {{trials: {trials}}}
{transfer}
"""


def loop_row(
    seeds: int = SEEDS, trials: int = TRIALS, ways: Sequence[str] = tuple(WAYS)
) -> dict[str, Any]:
    """Counts of the top share found per way and seed, the mean of random order, and seconds."""
    found: dict[str, list[int]] = {}
    seconds: dict[str, float] = {}
    n_top = n = 0
    for way in ways:
        study, settings = _read(*WAYS[way], trials)
        n = len(settings.means)
        n_top = max(1, round(TOP_SHARE * n))
        truth = truth_of(settings, study)
        assert isinstance(truth, OneGoal)
        top = set(truth.ranked[:n_top])
        began = time.monotonic()
        found[way] = []
        for seed in range(seeds):
            order = play(settings, study, seed, trials)
            found[way].append(len(top & set(order)))
            print(f"{way}, seed {seed}: {found[way][-1]} of {n_top}", flush=True)
        seconds[way] = round((time.monotonic() - began) / seeds, 1)
    return {
        "found": found,
        "top": n_top,
        "polymers": n,
        "trials": trials,
        "random": round(trials * n_top / n, 3),
        "seconds_per_run": seconds,
    }


def _read(descriptor: str, sources: Sequence[str], trials: int) -> tuple[Campaign, Settings]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "campaign.yaml"
        computed = Path(folder) / "computed.csv"
        if set(sources) & set(COMPUTED):
            _compute(computed)
        tables = {s: computed if s in COMPUTED else FOLDER / POLYMERS for s in sources}
        listed = "".join(
            f"\n  - {{table: {t}, smiles: smiles, column: {s}}}" for s, t in tables.items()
        )
        text = CAMPAIGN.format(
            table=FOLDER / POLYMERS,
            value=CONDUCTIVITY,
            descriptor=descriptor,
            trials=trials,
            transfer=f"transfer:{listed}" if sources else "",
        )
        path.write_text(text)
        study = read_campaign(path)
    return study, settings_of(_measured(study), study, {"polymer": "monomer_ID"})


def _compute(path: Path) -> None:
    """What the campaign's script computes, of the polymers of the table."""
    with (FOLDER / POLYMERS).open(newline="") as file:
        smiles = [row["smiles"] for row in csv.DictReader(file)]
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["smiles", *COMPUTED])
        for one in smiles:
            unit = Chem.MolFromSmiles(one)
            if unit is not None and all(
                a.GetSymbol() in VOLUMES or not a.GetAtomicNum() for a in unit.GetAtoms()
            ):
                writer.writerow([one, refraction(unit), rigid(unit)])


def _measured(study: Campaign) -> Any:
    """The table's rows whose polymers are in the pool."""
    table = read_table(FOLDER / POLYMERS)
    names = set(study.space.parameters[0].names)  # type: ignore[union-attr]
    cells = table.texts("monomer_ID")
    return table.only([row for row, cell in enumerate(cells) if cell in names])


def main() -> None:
    """Prints the counts and keeps them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    asked = parser.parse_args()
    why = absent(POLYMERS)
    if why:
        print(why)
        return
    row = loop_row(asked.seeds, asked.trials, asked.ways)
    for way, counts in row["found"].items():
        mean, sd = np.mean(counts), np.std(counts)
        print(f"{way}: {mean:.2f} of {row['top']} (sd {sd:.2f}), {row['seconds_per_run'][way]} s")
    print(f"random order: {row['random']}")
    (RESULTS / "materials").mkdir(parents=True, exist_ok=True)
    keep("materials/polymer_loop", {"machine": machine("rdkit", "numpy"), **row})


if __name__ == "__main__":
    main()
