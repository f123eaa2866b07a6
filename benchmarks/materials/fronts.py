"""Two goals on a pool that grows: hypervolume beside a random pool and a genetic algorithm.

Molecules are to have a large QED and a large topological polar surface (as a share of 140 square
angstrom, at most 1): the two pull apart. The truth is rdkit's own number, so nothing is guessed.
All begin with the same 20 molecules of ZINC250k and may ask for 60 values in all. `random` draws
from it; `ga` mutates and crosses the members of its non-dominated fronts (mol_ga's moves, NSGA's
ranking); `ours` is the planner with a pool of 100 that iQSPR lets grow after every five values.

Run it as `python -m benchmarks.materials.fronts --seeds 10`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.record import machine
from orchestrator.errors import InputError
from orchestrator.materials.chemistry import canonical_smiles, molecule, rdkit
from orchestrator.materials.descriptors.molecule import Morgan
from orchestrator.materials.generators.zinc import zinc250k
from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.counts import Counts
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, Generation, Pool, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask

N_START, N_POOL, N_ALL = 20, 100, 60
GOALS = ("qed", "tpsa")
RESULTS = Path(__file__).parents[1] / "results" / "materials" / "fronts.jsonl"


def truth(smiles: str) -> tuple[float, float]:
    """QED, and the polar surface in square angstrom over 140, at most 1."""
    found = molecule(smiles)
    surface = float(rdkit("Chem.rdMolDescriptors").CalcTPSA(found))
    return float(rdkit("Chem.QED").qed(found)), min(1.0, surface / 140.0)


def front_volume(values: Sequence[tuple[float, float]]) -> float:
    """The area that the best of them dominate, from (0, 0)."""
    ordered = sorted(set(values), reverse=True)
    area, reached = 0.0, 0.0
    for first, second in ordered:
        if second > reached:
            area += first * (second - reached)
            reached = second
    return area


def ours(start: Sequence[str], pool: Sequence[str], seed: int) -> list[tuple[float, float]]:
    """The planner on a pool that grows."""
    counts = Counts.of(Morgan().describe(pool))
    target = "orchestrator.materials.{}"
    space = Pool(
        name="molecule",
        names=tuple(pool),
        columns=(),
        units=(),
        rows=Rows.of(()),
        texts={"smiles": tuple(pool)},
        described=(Described(descriptor="morgan", material="smiles", counts=counts),),
        generation=Generation(
            kind="iqspr",
            target=target.format("generators.iqspr:Iqspr"),
            descriptors=(target.format("descriptors.molecule:Morgan"),),
            material="smiles",
            every=5,
            n=200,
            options={"particles": 100, "steps": 25},
        ),
    )
    task = PlanningTask(
        space=SearchSpace(parameters=(space,)),
        metrics=tuple(MetricScale(name=name, unit="") for name in GOALS),
        objective=Objective(goals=tuple(Goal(metric=n, direction="maximise") for n in GOALS)),
        planner=PlannerChoice(initial=0),
        seed=seed,
    )
    planner = BayesianPlanner(task)
    ended: list[Evaluated] = []

    def evaluate(smiles: str) -> None:
        outcomes = {n: Outcome(value=v) for n, v in zip(GOALS, truth(smiles), strict=True)}
        trial = len(ended) + 1
        ended.append(Evaluated(trial=trial, point={"molecule": smiles}, outcomes=outcomes))

    for smiles in start:
        evaluate(smiles)
    while len(ended) < N_ALL:
        history = History(evaluated=tuple(ended), n_proposed=len(ended))
        evaluate(str(planner.propose(history, 1)[0].point["molecule"]))
    return [truth(str(e.point["molecule"])) for e in ended]


def by_chance(start: Sequence[str], pool: Sequence[str], seed: int) -> list[tuple[float, float]]:
    """More of ZINC250k."""
    return [truth(s) for s in [*start, *zinc250k(N_ALL - N_START, 10_000 + seed)]]


def by_genes(start: Sequence[str], pool: Sequence[str], seed: int) -> list[tuple[float, float]]:
    """Generations of ten, from parents of the best fronts."""
    from mol_ga.graph_ga.crossover import crossover
    from mol_ga.graph_ga.mutate import mutate

    rng = random.Random(seed)
    known = {s: truth(s) for s in start}
    while len(known) < N_ALL:
        parents = _fittest(known)[:20]
        for _ in range(10_000):
            a, b = rng.sample(parents, 2)
            made = mutate(molecule(a), rng)
            if rng.random() < 0.5:
                made = crossover(molecule(a), molecule(b), rng)
            try:
                child = canonical_smiles(rdkit().MolToSmiles(made)) if made else ""
            except InputError:
                continue
            if child and child not in known and "." not in child:
                known[child] = truth(child)
                break
    return list(known.values())[:N_ALL]


def _fittest(known: dict[str, tuple[float, float]]) -> list[str]:
    """Non-dominated fronts, one after the other."""
    left, out = dict(known), []
    while left:
        front = [
            s
            for s, v in left.items()
            if not any(w != v and w[0] >= v[0] and w[1] >= v[1] for w in left.values())
        ]
        out += front
        for smiles in front:
            del left[smiles]
    return out


WAYS: dict[str, Callable[[Sequence[str], Sequence[str], int], list[tuple[float, float]]]] = {
    "ours": ours,
    "random": by_chance,
    "ga": by_genes,
}


def main() -> None:
    """Plays every way on every seed, and keeps each line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    won = 0
    for seed in range(options.seeds):
        pool = zinc250k(N_POOL, 500 + seed)
        start = pool[:N_START]
        line: dict[str, object] = {"seed": seed, "machine": machine("numpy", "rdkit")}
        volumes = {}
        for name, way in WAYS.items():
            before = time.process_time()
            volumes[name] = front_volume(way(start, pool, seed))
            line[f"{name} cpu_s"] = round(time.process_time() - before, 1)
        won += volumes["ours"] >= max(volumes["random"], volumes["ga"])
        with RESULTS.open("a") as file:
            file.write(json.dumps(line | volumes) + "\n")
        shown = "  ".join(f"{name} {value:.3f}" for name, value in volumes.items())
        print(f"seed {seed}: {shown}", flush=True)
    print(f"ours is at least the better of the others in {won} of {options.seeds} seeds")


if __name__ == "__main__":
    main()
