"""The sputtering campaigns beside random points: `python -m benchmarks.targets [FIRST LAST]`.

Both targets, and the composition spread, by the seeds FIRST to LAST: the best trial that keeps the
limits, as measured, in decades. `--keep` appends a line a campaign to `results/targets.jsonl`.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from dataclasses import replace

from benchmarks.record import core_share, describe, keep, machine, spread
from orchestrator.model.lab import Lab
from orchestrator.reports.summary import Standing, best_trial, standing
from orchestrator.runtime.load import Loaded, load
from orchestrator.runtime.run import run_in_memory

CAMPAIGNS = ("niobium_titania", "niobium_titania_metal", "composition_spread")
KINDS = ("bayesian", "random")
Figure = tuple[float, float]
"""log10 of the best resistivity in ohm cm, and the share of the trials that keep the limits."""


def main() -> None:
    """Prints a line a run, then median and range of each planner on each campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int, nargs="?", default=1)
    parser.add_argument("last", type=int, nargs="?", default=5, help="seed of planner and twins")
    parser.add_argument("--campaign", choices=CAMPAIGNS, action="append", help="only these")
    parser.add_argument("--keep", action="store_true", help="append to results")
    options = parser.parse_args()
    where = machine("scipy")
    print(describe(where), flush=True)
    for name in options.campaign or CAMPAIGNS:
        began = time.monotonic()
        seeds = range(options.first, options.last + 1)
        found = {kind: [_played(name, kind, seed) for seed in seeds] for kind in KINDS}
        took_s = round(time.monotonic() - began, 1)
        for kind, runs in found.items():
            best, within = zip(*runs, strict=True)
            print(f"{name:<22} {kind:<9} {spread(best)}, {statistics.mean(within):.0%} within")
        if options.keep:
            entry = {"machine": where, "core_share": round(core_share(), 2), "took_s": took_s}
            keep("targets", {**entry, "campaign": name, "seeds": [*seeds], "found": found})


def _played(name: str, kind: str, seed: int) -> Figure:
    """One seed of planner and twins alike, without a trace of the process."""
    loaded = load(name)
    planner = loaded.campaign.planner
    planner = (
        planner
        if planner.kind == kind
        else planner.model_copy(update={"kind": kind, "options": {}})
    )
    campaign = loaded.campaign.model_copy(update={"seed": seed, "planner": planner})
    loaded = replace(loaded, campaign=campaign, lab=_lab(loaded, seed))
    state = run_in_memory(loaded).state
    standings = [standing(campaign, trial) for trial in state.trials.values()]
    best = best_trial(campaign, state)
    observed = best.observed(campaign.objective.metric) if best else None
    value = math.log10(observed.event.value) if observed else math.nan
    share = standings.count(Standing.FEASIBLE) / len(standings)
    print(f"{name} seed {seed} {kind:<9} {value:.2f} {share:.0%}", flush=True)
    return value, share


def _lab(loaded: Loaded, seed: int) -> Lab:
    lab = loaded.lab
    assert lab.twins is not None
    resources = tuple(
        one.model_copy(update={"options": {**one.options, "trace": 0.0}})
        if "trace" in one.options
        else one
        for one in lab.resources
    )
    twins = lab.twins.model_copy(update={"seed": seed})
    return lab.model_copy(update={"twins": twins, "resources": resources})


if __name__ == "__main__":
    main()
