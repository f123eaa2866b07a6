"""Compares planners on problems with known optima: regret, and CPU seconds per proposal.

    .venv/bin/python benchmarks/planner/run.py --problems branin,film --seeds 3

Every planner gets the same 8 space-filling start points, except `random`. Regret is of the best
point tried whose true values keep the limits, on the modelled scale (decades on a log scale).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import math
import os
import platform
import statistics
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from problems import Problem, problems

from orchestrator.ports.planner import Evaluated, History, Outcome

PLANNERS = {
    "hagane": "orchestrator.planner.bayesian:BayesianPlanner",
    "botorch": "reference:BoTorchReference",
    "sobol": "orchestrator.planner.initial:SobolPlanner",
    "random": "orchestrator.planner.initial:RandomPlanner",
}


def play(problem: Problem, planner_name: str, seed: int, n_trials: int) -> dict[str, Any]:
    """One campaign: the regret after each trial, and CPU seconds of each proposal by a model."""
    module, _, name = PLANNERS[planner_name].partition(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cls = getattr(importlib.import_module(module), name)
    planner = cls(problem.task(planner_name, seed))
    rng = np.random.default_rng([seed, 99])
    evaluated: list[Evaluated] = []
    trace, seconds, best = [], [], math.inf
    for trial in range(1, n_trials + 1):
        history = History(evaluated=tuple(evaluated), n_proposed=len(evaluated))
        before = time.process_time()
        proposal = planner.propose(history, 1)[0]
        spent = time.process_time() - before
        if proposal.source in ("model", "pool"):
            seconds.append(spent)
        values = problem.measure(proposal.point, rng)
        outcomes = {k: Outcome(value=v) for k, v in values.items()}
        evaluated.append(Evaluated(trial=trial, point=proposal.point, outcomes=outcomes))
        best = min(best, problem.regret(proposal.point))
        trace.append(best)
    return {
        "problem": problem.name,
        "planner": planner_name,
        "seed": seed,
        "trace": trace,
        "cpu_s": statistics.median(seconds[1:]) if len(seconds) > 1 else None,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", default="branin,film,reaction,pool")
    parser.add_argument("--planners", default="hagane,botorch,sobol,random")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--out", type=Path, help="append every run as a JSON line")
    return parser.parse_args()


def _machine() -> str:
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("torch", "botorch", "numpy")
    )
    return (
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {versions}; one thread"
    )


def main() -> None:
    """Plays and prints a table."""
    arguments = _arguments()
    print(_machine())
    at = sorted({min(20, arguments.trials), arguments.trials})
    heads = "".join(f"{f'regret at {n}':>16}" for n in at)
    print(f"{'problem':<12}{'planner':<10}{heads}{'worst':>12}{'CPU s/proposal':>16}")
    for problem_name in arguments.problems.split(","):
        problem = problems()[problem_name]
        for planner_name in arguments.planners.split(","):
            if planner_name == "botorch" and problem_name == "pool":
                continue
            runs = [
                play(problem, planner_name, seed, arguments.trials)
                for seed in range(arguments.seeds)
            ]
            if arguments.out:
                with arguments.out.open("a") as lines:
                    lines.writelines(json.dumps(run) + "\n" for run in runs)
            medians = "".join(
                f"{statistics.median(run['trace'][n - 1] for run in runs):>16.4g}" for n in at
            )
            worst = max(run["trace"][-1] for run in runs)
            spent = [run["cpu_s"] for run in runs if run["cpu_s"] is not None]
            cpu = f"{statistics.median(spent):.3f}" if spent else "-"
            print(
                f"{problem_name:<12}{planner_name:<10}{medians}{worst:>12.4g}{cpu:>16}", flush=True
            )


if __name__ == "__main__":
    main()
