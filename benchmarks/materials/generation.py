"""Generated molecules: how many are what was wanted, by the guide and in truth.

    python -m benchmarks.materials.generation speed
    python -m benchmarks.materials.generation qspr --runs iqspr:process:3,ga:process:0,iqspr:ridge:0
    python -m benchmarks.materials.generation zinc --runs iqspr:process:3,ga:process:0 --seeds 0

One JSON line a round goes to `benchmarks/results/materials/generation.jsonl`, or to `--out FILE`;
runs that have one there are skipped. A hit is a molecule that the guide's mean puts into the
target. Before each later round, 30 molecules are labelled by the truth, and the guide is fitted
again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import rdFingerprintGenerator

from benchmarks.materials.guides import GUIDES
from benchmarks.materials.problems import Floats, Problem, absent, corpus_of, inside, posed
from benchmarks.record import machine
from orchestrator.materials.generators.constraints import synthetic_accessibility
from orchestrator.materials.generators.iqspr import Iqspr
from orchestrator.materials.generators.language import LanguageModel
from orchestrator.materials.generators.regrowth import Regrowth
from orchestrator.materials.generators.targets import Interval, Targets
from orchestrator.materials.generators.tokens import smiles_of, tokens_of

RESULTS = Path(__file__).parents[1] / "results" / "materials"
OUT = RESULTS / "generation.jsonl"
PARTICLES, STEPS, N_LABELS = 300, 50, 30
MOST_CHECKED = 400
"""Of how many hits at most, drawn by chance, the truth is asked."""


@dataclass(frozen=True)
class Made:
    """The last population, and all that was scored with its log likelihood."""

    population: Sequence[str]
    scored: dict[str, float]


class Asked(Targets):
    """Targets that remember the mean of all that they were asked for."""

    def __init__(self, model: Any, intervals: Sequence[Interval]) -> None:
        super().__init__(model, intervals)
        self.means: dict[str, Floats] = {}

    def predict(self, materials: Sequence[str]) -> tuple[Floats, Floats]:
        """Means and deviations, n x p each."""
        mean, sd = super().predict(materials)
        self.means.update(zip(materials, mean, strict=True))
        return mean, sd


def by_iqspr(problem: Problem, targets: Asked, start: Sequence[str], seed: int) -> Made:
    """300 particles, 50 steps."""
    return _iqspr(problem, targets, start, seed, 0.0)


def by_both(problem: Problem, targets: Asked, start: Sequence[str], seed: int) -> Made:
    """The same with a fifth of graph moves."""
    return _iqspr(problem, targets, start, seed, 0.2)


def _iqspr(
    problem: Problem, targets: Asked, start: Sequence[str], seed: int, graph_share: float
) -> Made:
    model = Iqspr(problem.corpus, particles=PARTICLES, steps=STEPS, graph_share=graph_share)
    sampler = model.sampler(start, targets, seed)
    sampler.run()
    found = sampler.archive.best(10**9, without=())
    return Made(sampler.population, {c.material: c.score for c in found})


def by_ga(problem: Problem, targets: Asked, start: Sequence[str], seed: int) -> Made:
    """mol_ga's graph genetic algorithm with as many scorings."""
    from mol_ga import default_ga

    done = default_ga(
        starting_population_smiles=sorted(set(start)),
        scoring_function=lambda names: targets(names).tolist(),
        max_generations=STEPS,
        offspring_size=PARTICLES,
        population_size=PARTICLES,
        rng=random.Random(seed),
    )
    return Made([name for _, name in done.population], dict(done.scoring_func_evals))


METHODS: dict[str, Callable[[Problem, Asked, Sequence[str], int], Made]] = {
    "iqspr": by_iqspr,
    "iqspr+graph": by_both,
    "ga": by_ga,
}


def play(problem: Problem, method: str, guide: str, seed: int, rounds: int, out: Path) -> None:
    """All rounds of one run, a line each."""
    names, values = list(problem.labelled), problem.values
    start = list(problem.start)
    for number in range(rounds + 1):
        clock = time.perf_counter(), time.process_time()
        targets = Asked(GUIDES[guide](names, values), problem.intervals)
        fitted = time.perf_counter(), time.process_time()
        made = METHODS[method](problem, targets, start, 1000 * seed + number)
        ended = time.perf_counter(), time.process_time()
        line = measured(problem, targets, made, seed)
        line |= {"fit_s": fitted[0] - clock[0], "fit_cpu_s": fitted[1] - clock[1]}
        line |= {"made_s": ended[0] - fitted[0], "made_cpu_s": ended[1] - fitted[1]}
        new = chosen(made, set(names))
        truth = problem.truth(new)
        line["labels_confirmed"] = float(inside(truth, problem.confirmed).mean())
        keep({"method": method, "guide": guide, "seed": seed, "round": number, **line}, out)
        names, values = names + new, np.vstack([values, truth])
        good = [name for name, ok in zip(new, inside(truth, problem.confirmed), strict=True) if ok]
        start = [*good, *start]


def measured(problem: Problem, targets: Asked, made: Made, seed: int) -> dict[str, Any]:
    """What came out, by the guide and in truth."""
    names = [name for name in made.scored if name not in set(problem.start)]
    mean = np.array([targets.means[name] for name in names])
    hits = [n for n, ok in zip(names, inside(mean, problem.intervals), strict=True) if ok]
    seen = set(problem.corpus) | set(problem.labelled)
    checked = random.Random(seed).sample(hits, min(MOST_CHECKED, len(hits)))
    truth = problem.truth(checked)
    final = inside(np.array([targets.means[n] for n in made.population]), problem.intervals)
    return {
        "problem": problem.name,
        **problem.quality,
        "scored": len(made.scored),
        "in_target": float(final.mean()),
        "hits": len(hits),
        "novel": float(np.mean([name not in seen for name in hits])) if hits else None,
        "sa": float(np.mean([synthetic_accessibility(n) for n in made.population])),
        "checked": len(checked),
        "examples": checked[:60],
        "confirmed": float(inside(truth, problem.confirmed).mean()) if checked else None,
        "truth_mean": truth.mean(axis=0).tolist() if checked else None,
    }


def chosen(made: Made, known: set[str]) -> list[str]:
    """The most probable, none of which is more alike to another than 0.7 (Tanimoto, ECFP4)."""
    maker = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    found: dict[str, Any] = {}
    for name in sorted(made.scored, key=lambda n: (-made.scored[n], n)):
        if name in known:
            continue
        print_ = maker.GetFingerprint(Chem.MolFromSmiles(name))
        alike = DataStructs.BulkTanimotoSimilarity(print_, list(found.values()))
        if max(alike, default=0.0) <= 0.7:
            found[name] = print_
        if len(found) == N_LABELS:
            break
    return list(found)


def speed(name: str, corpus: Sequence[str], out: Path) -> None:
    """SMILES fitted and proposals made a second of one core, and how many are molecules."""
    begin = time.process_time()
    model = LanguageModel.fit(corpus)
    fitted = time.process_time()
    model.grow((), random.Random(0))  # sorts what was seen
    ready = time.process_time()
    rng, regrowth = random.Random(1), Regrowth(model)
    drawn = [rng.choice(corpus) for _ in range(5000)]
    texts = [tokens_of(parent) for parent in drawn]
    cut = time.process_time()
    written = [regrowth.rewritten(text, rng) for text in texts]
    grown = time.process_time()
    children = [regrowth.grown(parent, rng) for parent in drawn]
    done = time.process_time()
    taken = [text for text in written if text]
    molecules = [text for text in taken if Chem.MolFromSmiles(smiles_of(text)) is not None]
    seen = set(corpus)
    keep(
        {
            "problem": name,
            "method": "speed",
            "guide": "",
            "seed": 0,
            "round": 0,
            "corpus": len(corpus),
            "fit_per_s": len(corpus) / (fitted - begin),
            "fit_and_sort_per_s": len(corpus) / (ready - begin),
            "written_per_s": len(texts) / (grown - cut),
            "proposals_per_s": len(drawn) / (done - grown),
            "taken": len(taken) / len(texts),
            "valid": len(molecules) / len(taken),
            "novel_of_valid": float(np.mean([child not in seen for child in children if child])),
        },
        out,
    )


def keep(line: dict[str, Any], out: Path) -> None:
    """Appends a line, and says it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    where = machine("rdkit", "mol_ga", "scikit-learn", "lightgbm")
    with out.open("a") as lines:
        lines.write(json.dumps({**line, "machine": where}) + "\n")
    print(
        {k: round(v, 3) if isinstance(v, float) else v for k, v in line.items() if k != "examples"},
        flush=True,
    )


def had(out: Path, problem: str, method: str, guide: str, seed: int, rounds: int) -> bool:
    """Whether a run has a line of its last round."""
    lines = map(json.loads, out.read_text().splitlines()) if out.exists() else ()
    wanted = {"problem": problem, "method": method, "guide": guide, "seed": seed, "round": rounds}
    return any(all(line[k] == v for k, v in wanted.items()) for line in lines)


def main() -> None:
    """Runs what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("speed", "qspr", "zinc"))
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--runs", default="iqspr:process:3", help="METHOD:GUIDE:ROUNDS,...")
    parser.add_argument("--out", type=Path, default=OUT)
    said = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    name = "qspr" if said.what == "speed" and not absent("qspr") else said.what
    name = "zinc" if name == "speed" else name
    if reason := absent(name):
        sys.exit(f"{name} is skipped: {reason}")
    if said.what == "speed":
        speed(name, corpus_of(name, 0), said.out)
        return
    for seed in map(int, said.seeds.split(",")):
        problem = None
        for run in said.runs.split(","):
            method, guide, rounds = run.split(":")
            if not had(said.out, name, method, guide, seed, int(rounds)):
                problem = problem or posed(name, seed)
                play(problem, method, guide, seed, int(rounds), said.out)


if __name__ == "__main__":
    main()
