"""The dye-mixing campaign beside random mixtures: `python -m benchmarks.dyes [FIRST LAST]` (seeds).

The figure is the area that the measured front dominates, of the rectangle below the goals' `worst`.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace

from orchestrator.model.front import hypervolume
from orchestrator.runtime.load import load
from orchestrator.runtime.run import run_in_memory

WORST = (0.3, 600.0)
KINDS = ("bayesian", "random")
Found = tuple[float, float]
"""Distance and mg of dye."""


def main(first: int = 1, last: int = 8) -> None:
    """Prints a line a run, then median and range of each planner."""
    figures: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in KINDS}
    for seed in range(first, last + 1):
        for kind in KINDS:
            found = _played(kind, seed)
            figure = (dominated(found[:20]), dominated(found), min(f[0] for f in found))
            figures[kind].append(figure)
            print(f"seed {seed} {kind:<9}", *(f"{v:.4f}" for v in figure), flush=True)
    for kind, runs in figures.items():
        for what, values in zip(("20", "40", "distance"), zip(*runs, strict=True), strict=True):
            middle = statistics.median(values)
            print(f"{kind:<9} {what:<9} {middle:.4f} ({min(values):.4f} to {max(values):.4f})")


def dominated(found: Sequence[Found]) -> float:
    """The share of the rectangle that somebody beats in both goals."""
    return hypervolume(found, WORST) / math.prod(WORST)


def _played(kind: str, seed: int) -> list[Found]:
    loaded = load("dye_mixing")
    campaign, lab = loaded.campaign, loaded.lab
    assert lab.twins is not None
    twins = lab.twins.model_copy(update={"seed": seed})
    planner = campaign.planner.model_copy(update={"kind": kind, "options": {}})
    campaign = campaign.model_copy(update={"seed": seed, "planner": planner})
    lab = lab.model_copy(update={"twins": twins})
    state = run_in_memory(replace(loaded, campaign=campaign, lab=lab)).state
    pairs = [(t.observed("distance"), t.observed("dye")) for t in state.trials.values()]
    return [(a.event.value, b.event.value) for a, b in pairs if a is not None and b is not None]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
