"""Metrics that come late: what it is worth to learn from the known ones of trials in flight.

    python -m benchmarks.planner.late play [--seeds 0-10] [--cases gramacy/goal ...] >> lines.jsonl
    python -m benchmarks.planner.late table benchmarks/results/planner/late.jsonl

Points are chosen one after the other. Some metrics of a trial are known before the next one; those
that are late only when `LAG` further trials have begun. A trial whose late ones are missing is
`known` in part, or a point `in flight` and nothing else; beside these nothing is late. A line has
the gap (with two goals the share of hypervolume that is missing) after 20 and 32 trials.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.planner.peers.hagane_ import metric_names, task
from benchmarks.planner.problems import PROBLEMS, Point, Problem, starts
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.ports.planner import Evaluated, History, Outcome

N_START, N_TRIALS, LAG = 8, 32, 8
AT = (20, 32)
WAYS = ("known", "in flight", "nothing late")
N_RESAMPLES = 4000


def _norm(point: Point) -> tuple[float, ...]:
    return (sum(float(v) ** 2 for v in point.values()) - 1.0,)


def _disc(point: Point) -> tuple[float, ...]:
    return ((float(point["x1"]) - 2.5) ** 2 + (float(point["x2"]) - 7.5) ** 2 - 50.0,)


def problems() -> tuple[Problem, ...]:
    """Two of `problems.py` without a limit get one: Hartmann-6 within the unit sphere [Letham et
    al. 2019], Branin within a disc [Gelbart et al. 2014]. The optimum of either keeps it."""
    branin, hartmann = PROBLEMS["branin"](), PROBLEMS["hartmann6"]()
    return (
        PROBLEMS["gramacy"](),
        replace(branin, name="branin_disc", limits=_disc, n_limits=1, ceiling=100.0),
        replace(hartmann, name="hartmann6_sphere", limits=_norm, n_limits=1, ceiling=3.4),
        PROBLEMS["zdt1"](),
        PROBLEMS["dtlz2"](),
    )


def cases() -> dict[str, tuple[Problem, frozenset[str]]]:
    """Each problem, and which of its metrics are late."""
    found: dict[str, tuple[Problem, frozenset[str]]] = {}
    for problem in problems():
        names = metric_names(problem)
        goals, limits = names[: problem.n_objectives], names[problem.n_objectives :]
        parts = {"goal": goals, "limits": limits} if limits else {name: (name,) for name in goals}
        for word, late in parts.items():
            found[f"{problem.name}/{word}"] = problem, frozenset(late)
    return found


def play(problem: Problem, late: frozenset[str], way: str, seed: int) -> dict[str, Any]:
    """One run."""
    rng = np.random.default_rng(seed)
    planner = BayesianPlanner(task(problem, seed, {}))
    trials: list[Evaluated] = []
    begun = time.process_time()
    for point in starts(problem, N_START, seed):
        trials.append(_tried(problem, point, len(trials) + 1, rng, seed))
    while len(trials) < N_TRIALS:
        point = planner.propose(_history(trials, late, way), 1)[0].point
        trials.append(_tried(problem, point, len(trials) + 1, rng, seed))
    gaps = problem.gaps([trial.point for trial in trials])
    return {
        "best": [gaps[n - 1] for n in AT],
        "cpu_s": round(time.process_time() - begun, 2),
    }


def _tried(
    problem: Problem, point: Point, number: int, rng: np.random.Generator, seed: int
) -> Evaluated:
    measured = problem.measure(point, rng, seed)
    assert measured is not None, "no trial fails"
    values = (*measured.objectives, *measured.limits)
    pairs = zip(metric_names(problem), values, strict=True)
    outcomes = {name: Outcome(value=value) for name, value in pairs}
    return Evaluated(trial=number, point=point, outcomes=outcomes)


def _history(trials: Sequence[Evaluated], late: frozenset[str], way: str) -> History:
    """What is known when the next trial is chosen; the start is known whole."""
    n_whole = len(trials) if way == "nothing late" else max(N_START, len(trials) - LAG)
    waiting = trials[n_whole:]
    early = [
        one.model_copy(
            update={"outcomes": {n: o for n, o in one.outcomes.items() if n not in late}}
        )
        for one in waiting
    ]
    return History(
        evaluated=tuple(trials[:n_whole]),
        pending=tuple(one.point for one in waiting),
        begun=tuple(early) if way == "known" else (),
        n_proposed=len(trials),
    )


def table(lines: Iterable[Mapping[str, Any]]) -> None:
    """Medians of each way; and how many times as large the gap is without what is known (median of
    the pairs, its 95 % bootstrap interval), and in which share of pairs it is the larger one."""
    runs: dict[tuple[str, str], dict[int, list[float]]] = {}
    for line in lines:
        case, way = line["case"], line["way"]
        name = case if way == "known" else case.partition("/")[0]
        runs.setdefault((name, way), {})[line["seed"]] = line["best"]
    print("| late | trials | known | in flight | nothing late | times | larger |")
    print("|---|---|---|---|---|---|---|")
    for case in [name for name, way in runs if way == "known"]:
        ways = [runs[case if way == "known" else case.partition("/")[0], way] for way in WAYS]
        seeds = sorted(set.intersection(*map(set, ways)))
        for place, n in enumerate(AT):
            reached = [np.array([by_seed[seed][place] for seed in seeds]) for by_seed in ways]
            medians = " | ".join(f"{statistics.median(one):.2g}" for one in reached)
            times, share = _beside(reached[1], reached[0])
            print(f"| {case} ({len(seeds)} seeds) | {n} | {medians} | {times} | {share} |")


def _beside(without: Any, known: Any) -> tuple[str, str]:
    ratios = np.maximum(without, 1e-9) / np.maximum(known, 1e-9)
    smaller = (known < without) + 0.5 * (known == without)
    drawn = np.random.default_rng(0).integers(len(ratios), size=(N_RESAMPLES, len(ratios)))
    low, high = np.exp(np.quantile(np.median(np.log(ratios)[drawn], axis=1), [0.025, 0.975]))
    least, most = np.quantile(smaller[drawn].mean(axis=1), [0.025, 0.975])
    middle = math.exp(float(np.median(np.log(ratios))))
    times = f"{middle:.2g} [{low:.2g}, {high:.2g}]"
    return times, f"{smaller.mean():.2f} [{least:.2f}, {most:.2f}]"


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planner.late")
    parts = parser.add_subparsers(dest="what", required=True)
    playing = parts.add_parser("play")
    playing.add_argument("--seeds", default="0-10", help="first and last")
    playing.add_argument("--cases", nargs="*", default=[*cases()])
    playing.add_argument("--ways", nargs="*", default=WAYS)
    parts.add_parser("table").add_argument("lines", type=Path)
    chosen = parser.parse_args()
    if chosen.what == "table":
        table(json.loads(line) for line in chosen.lines.read_text().splitlines())
        return
    first, last = map(int, chosen.seeds.split("-"))
    for seed in range(first, last + 1):
        for case in chosen.cases:
            problem, late = cases()[case]
            # to the other ways it makes no difference which metric is late
            is_first = case == next(c for c, one in cases().items() if one[0].name == problem.name)
            for way in chosen.ways if is_first else ["known"]:
                found = play(problem, late, way, seed)
                print(json.dumps({"case": case, "way": way, "seed": seed, **found}), flush=True)


if __name__ == "__main__":
    main()
