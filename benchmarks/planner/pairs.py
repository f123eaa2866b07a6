"""Medians of each problem, and how often one planner's gap is smaller than another's.

    python -m benchmarks.planner.pairs benchmarks/results/planner/batches.jsonl

Of the lines of `run`, all planners in one file; the one named by `--ours` is compared with each of
the others on the problems and seeds that both have.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

Runs: TypeAlias = dict[tuple[str, int], dict[str, Any]]
AT = ("20", "40")


def read(file: Path) -> dict[str, Runs]:
    """The complete runs of each planner, by problem and seed."""
    found: dict[str, Runs] = {}
    for line in map(json.loads, file.read_text().splitlines()):
        if line["error"] is None:
            found.setdefault(line["planner"], {})[line["problem"], line["seed"]] = line
    return found


def gap(run: dict[str, Any], at: str, kind: str) -> float | None:
    """The gap of the best point tried, or of the one recommended, after so many trials."""
    value = run["recommended"].get(at) if kind == "recommended" else run["best"][int(at) - 1]
    return None if value is None else float(value)


def share(ours: Runs, theirs: Runs, at: str, kind: str) -> tuple[float, float, int]:
    """In which share of the pairs ours is the smaller gap, ties counting half; its standard error;
    and of how many pairs."""
    both = [
        (gap(ours[k], at, kind), gap(theirs[k], at, kind)) for k in sorted(ours.keys() & theirs)
    ]
    won = [0.5 * ((a < b) + (a <= b)) for a, b in both if a is not None and b is not None]
    if not won:
        return float("nan"), float("nan"), 0
    return float(np.mean(won)), float(np.std(won) / np.sqrt(len(won))), len(won)


def medians(runs: Runs, problem: str) -> str:
    """Of the best point tried and of the one recommended after 40 trials, and how many runs."""
    own = [run for (name, _), run in runs.items() if name == problem]
    if not own:
        return ""
    tried, named = (
        [g for run in own if (g := gap(run, AT[-1], kind)) is not None]
        for kind in ("best", "recommended")
    )
    words = [f"{np.median(tried):.2g}", *([f"{np.median(named):.2g}"] if named else [])]
    return ", ".join(words) + f" ({len(own)})"


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--ours", default="hagane")
    said = parser.parse_args()
    found = read(said.file)
    print("| problem |", " | ".join(found), "|")
    print("|---" * (len(found) + 1) + "|")
    for problem in dict.fromkeys(name for runs in found.values() for name, _ in runs):
        print(f"| {problem} |", " | ".join(medians(runs, problem) for runs in found.values()), "|")
    for name, runs in found.items():
        for at, kind in ((at, kind) for at in AT for kind in ("best", "recommended")):
            mean, error, n = share(found[said.ours], runs, at, kind)
            if name != said.ours and n:
                print(f"{name}, {kind} after {at}: {mean:.2f} +- {error:.2f} of {n} pairs")


if __name__ == "__main__":
    main()
