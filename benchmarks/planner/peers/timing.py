"""How long one planner takes for one kind of work: one JSON line, made in its own environment.

    python -m benchmarks.planner.peers.timing --planner optuna --work hartmann6

`hartmann6`, `mixed5`, `dtlz2`: the suggestions of one run from 8 to 40 trials. `n1000`: the
suggestion after 1000 trials of hartmann6, told at once. `cold`: nothing but what it takes to tell
20 trials of hartmann6 and to ask once (to be timed from outside). `pool:100000`: three suggestions
from that many rows of ten columns, after 20 are known.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import resource
import statistics
import time
import warnings
from typing import Any

import numpy as np

from benchmarks.planner.peers.play import play
from benchmarks.planner.peers.pools import POOLS, synthetic
from benchmarks.planner.problems import problem, starts

CLASSES = {
    "hagane": "Hagane",
    "random": "Random",
    "optuna": "Optuna",
    "botorch": "BoTorch",
    "physbo": "Physbo",
    "baybe": "BayBe",
    "ax": "Ax",
    "bofire": "BoFire",
}
CAP_S = 600.0


def main() -> None:
    """Does the work, prints the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planner", required=True)
    parser.add_argument("--work", required=True)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    kind, _, count = arguments.work.partition(":")
    if kind == "pool":
        said = pool(arguments.planner, int(count))
    elif kind in ("n1000", "cold"):
        said = after(player(arguments.planner), 1000 if kind == "n1000" else 20, kind == "cold")
    else:
        said = run(player(arguments.planner), kind)
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"planner": arguments.planner, "work": arguments.work, **said, "mb": mb}))


def player(name: str) -> Any:
    """The planner's class."""
    return getattr(importlib.import_module(f"benchmarks.planner.peers.{name}_"), CLASSES[name])


def run(make: Any, name: str) -> dict[str, Any]:
    """A run of 32 suggestions; the median of their CPU seconds."""
    line = play(make, problem(name), 0, CAP_S)
    spent = line["cpu_s"]
    return {"cpu_s": statistics.median(spent) if spent else None, "error": line["error"]}


def after(make: Any, n: int, is_cold: bool) -> dict[str, Any]:
    """One suggestion after `n` trials; warmed up by another one, unless it is to be cold."""
    question, rng = problem("hartmann6"), np.random.default_rng(0)
    if not is_cold:
        small = make(question, 0)
        for point in starts(question, 8, 0):
            small.tell(point, question.measure(point, rng, 0))
        small.ask()
    begun = time.process_time()
    large = make(question, 0)
    for point in starts(question, n, 0):
        large.tell(point, question.measure(point, rng, 0))
    told = time.process_time()
    large.ask()
    return {"cpu_s": time.process_time() - told, "load_cpu_s": told - begun, "error": None}


def pool(name: str, n: int) -> dict[str, Any]:
    """Three suggestions from a pool; the median of their CPU seconds, and what making it takes."""
    rows, target = synthetic(n)
    begun = time.process_time()
    asked = POOLS[name](rows, 0)
    for row in np.random.default_rng(0).choice(n, 20, replace=False):
        asked.tell(int(row), float(target[row]))
    made, spent = time.process_time() - begun, []
    for _ in range(3):
        before = time.process_time()
        row = asked.ask()
        spent.append(time.process_time() - before)
        asked.tell(row, float(target[row]))
    return {"cpu_s": statistics.median(spent), "load_cpu_s": made, "error": None}


if __name__ == "__main__":
    main()
