"""How the time of a proposal grows with trials and with candidates, against theory.

    python -m benchmarks.planner.growth

CPU seconds of one proposal, the lesser of two, one thread (the planner pins it). In theory a
posterior takes n^3 (a factor and its inverse) up to 2,000 trials, once that outweighs the fit,
which is of 300 trials at most, and the search, which takes n^2 a point; more are seen through
1,000 anchors, in time proportional to n, and their distances from each other take n^2. A pool
takes time in proportion to its rows.
Appends a line to `benchmarks/results/planner/growth.jsonl` and draws `growth.svg` beside it.
"""

from __future__ import annotations

import argparse
import resource
import time
from array import array
from typing import Any

import numpy as np

from benchmarks.planner.peers.hagane_ import task
from benchmarks.planner.peers.pools import synthetic
from benchmarks.planner.problems import problem, starts
from benchmarks.record import RESULTS, describe, keep, machine
from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.rows import Rows
from orchestrator.model.space import Pool, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask

TRIALS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)
CANDIDATES = (10_000, 100_000, 1_000_000, 10_000_000)


def after_trials(n: int) -> float:
    """CPU seconds of a proposal after n trials of hartmann6."""
    question = problem("hartmann6")
    points, rng = starts(question, n, 0), np.random.default_rng(0)
    evaluated = []
    for trial, point in enumerate(points, 1):
        measured = question.measure(point, rng, 0)
        assert measured is not None, "this problem never fails"
        outcome = Outcome(value=measured.objectives[0])
        evaluated.append(Evaluated(trial=trial, point=point, outcomes={"y1": outcome}))
    planner = BayesianPlanner(task(question, 0, {}))
    return _least(planner, History(evaluated=tuple(evaluated), n_proposed=n))


def among_candidates(n: int) -> float:
    """CPU seconds of a proposal from n rows of ten columns, 20 of them measured."""
    rows, values = synthetic(n)
    flat = array("d")
    flat.frombytes(np.ascontiguousarray(rows, dtype=np.float64).tobytes())
    width = rows.shape[1]
    names = tuple(map(str, range(n)))
    columns = tuple(f"d{i}" for i in range(width))
    # not validated: 10^7 names are known to be texts
    pool = Pool.model_construct(
        kind="pool", name="p", names=names, columns=columns, units=("",) * width,
        rows=Rows(flat, width), texts={}, source="", sha256="",
    )  # fmt: skip
    space = SearchSpace.model_construct(
        parameters=(pool,), mixtures=(), conditions=(), constraints=()
    )
    question = PlanningTask.model_construct(
        space=space,
        metrics=(MetricScale(name="y", unit=""),),
        objective=Objective(goals=(Goal(metric="y", direction="maximise"),)),
        planner=PlannerChoice(initial=0),
        seed=0,
    )
    chosen = np.random.default_rng(0).choice(n, 20, replace=False)
    evaluated = tuple(
        Evaluated(trial=k + 1, point={"p": names[i]}, outcomes={"y": Outcome(value=values[i])})
        for k, i in enumerate(chosen)
    )
    return _least(BayesianPlanner(question), History(evaluated=evaluated, n_proposed=20))


def _least(planner: BayesianPlanner, history: History) -> float:
    spent = []
    for _ in range(2):
        before = time.process_time()
        planner.propose(history, 1)
        spent.append(time.process_time() - before)
    return min(spent)


def slopes(sizes: list[int], seconds: list[float]) -> list[float]:
    """Exponents between neighbouring sizes."""
    return [round(float(s), 2) for s in np.diff(np.log(seconds)) / np.diff(np.log(sizes))]


def draw(curves: dict[str, tuple[list[int], list[float], float]]) -> None:
    """Both curves, each with a line of its theoretical exponent through its end."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(curves), figsize=(9, 3.5))
    for axis, (title, (sizes, seconds, power)) in zip(axes, curves.items(), strict=True):
        ends = np.array(sizes, dtype=float)
        axis.loglog(sizes, seconds, "o-", label="measured")
        axis.loglog(ends, seconds[-1] * (ends / ends[-1]) ** power, ":", label=f"power {power:g}")
        axis.set(title=title, ylabel="CPU s per proposal", ylim=(min(seconds) / 3, None))
        axis.legend()
    figure.tight_layout()
    figure.savefig(RESULTS / "planner" / "growth.svg")


def main() -> None:
    """Measures, prints, keeps and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most-trials", type=int, default=TRIALS[-1])
    parser.add_argument("--most-candidates", type=int, default=CANDIDATES[-1])
    arguments = parser.parse_args()
    where = machine("numpy", "scipy")
    print(describe(where))
    entry: dict[str, Any] = {"machine": where}
    curves = {}
    works = (
        ("trials", TRIALS, arguments.most_trials, after_trials, 2.0),
        ("candidates", CANDIDATES, arguments.most_candidates, among_candidates, 1.0),
    )
    for name, sizes, most, measure, power in works:
        taken = [n for n in sizes if n <= most]
        seconds = [measure(n) for n in taken]
        entry[name] = {"n": taken, "cpu_s": seconds, "slopes": slopes(taken, seconds)}
        curves[name] = (taken, seconds, power)
        for n, spent in zip(taken, seconds, strict=True):
            print(f"{n:>10} {name}: {spent:.3f} CPU s")
        print(f"{'':>10} exponents {entry[name]['slopes']}, in the end {power:g} in theory")
    entry["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    keep("planner/growth", entry)
    draw(curves)


if __name__ == "__main__":
    main()
