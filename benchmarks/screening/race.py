"""A planner against a table that brute force made of a campaign whose space is one pool.

Counted are the calculations until the best candidate is found, until one of the top 1 % is, and
until half of these are. In random order it takes j (N + 1) / (k + 1) on average until j of k among
N are found. Results are added to a `.jsonl` beside the table as they come; seeds that are there are
not played again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.screening.truth import read_truth
from orchestrator import plugins
from orchestrator.engine.history import task_of
from orchestrator.model.campaign import Campaign
from orchestrator.model.objective import OutcomeConstraint
from orchestrator.model.space import Pool, SearchSpace
from orchestrator.ports.planner import Evaluated, History, Outcome
from orchestrator.runtime.load import read_campaign

TOP_SHARE = 0.01


@dataclass(frozen=True)
class Race:
    """A campaign, and the table of its metrics by candidate."""

    campaign: Path
    table: Path
    metrics: tuple[str, ...]

    @cached_property
    def study(self) -> Campaign:
        """The campaign, its pool being the candidates of the table."""
        study = read_campaign(self.campaign)
        (pool,) = study.space.parameters
        assert isinstance(pool, Pool)
        kept = pool.only([row for row, name in enumerate(pool.names) if name in self.known])
        return study.model_copy(update={"space": SearchSpace(parameters=(kept,))})

    @cached_property
    def known(self) -> dict[str, dict[str, float] | None]:
        """The metrics of each candidate; None where its calculation failed."""
        return {
            name: None if found is None else dict(zip(self.metrics, found, strict=True))
            for name, found in read_truth(self.table, self.metrics).items()
        }

    @cached_property
    def ranked(self) -> list[str]:
        """The candidates that keep all limits, the best first."""
        objective = self.study.objective
        kept = {
            name: objective.loss(found[objective.metric])
            for name, found in self.known.items()
            if found is not None and all(_keeps(found, limit) for limit in objective.constraints)
        }
        return sorted(kept, key=lambda name: kept[name])

    @cached_property
    def top(self) -> frozenset[str]:
        """The best 1 %."""
        return frozenset(self.ranked[: max(1, round(TOP_SHARE * len(self.known)))])

    @property
    def half(self) -> int:
        """How many are half of these."""
        return (len(self.top) + 1) // 2

    def play(self, seed: int, limit: int) -> list[str]:
        """Candidates in the order in which they are proposed, until the best one and half of the
        top 1 % are among them, or `limit`."""
        question = task_of(self.study.model_copy(update={"seed": seed}))
        planner = plugins.load("planners", question.planner.kind)(question)
        order, evaluated = list[str](), list[Evaluated]()
        (pool,) = question.space.names
        while len(order) < min(limit, len(self.known)):
            if self.ranked[0] in order and len(self.top.intersection(order)) >= self.half:
                break
            history = History(evaluated=tuple(evaluated), n_proposed=len(order))
            point = planner.propose(history, 1)[0].point
            order.append(str(point[pool]))
            evaluated.append(_evaluated(len(order), point, self.known[order[-1]]))
        return order


def _keeps(found: dict[str, float], limit: OutcomeConstraint) -> bool:
    value = found[limit.metric]
    return value >= limit.bound if limit.sense == ">=" else value <= limit.bound


def _evaluated(trial: int, point: Any, found: dict[str, float] | None) -> Evaluated:
    if found is None:
        return Evaluated(trial=trial, point=point, failed=True, blames_parameters=True)
    outcomes = {name: Outcome(value=value) for name, value in found.items()}
    return Evaluated(trial=trial, point=point, outcomes=outcomes)


def race(one: Race, seeds: Iterable[int], limit: int) -> None:
    """Plays the seeds that are missing, and tells all."""
    file = one.table.with_suffix(".jsonl")
    done = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = [row for row in done if row["candidates"] == len(one.known)]
    for seed in sorted(set(seeds) - {row["seed"] for row in done}):
        begun = time.process_time()
        order = one.play(seed, limit)
        hits = [place for place, name in enumerate(order, 1) if name in one.top]
        row = {
            "seed": seed,
            "candidates": len(one.known),
            "best": order.index(one.ranked[0]) + 1 if one.ranked[0] in order else None,
            "top": hits[0] if hits else None,
            "half": hits[one.half - 1] if len(hits) >= one.half else None,
            "planner_s": round(time.process_time() - begun, 1),
            "order": order,
        }
        done.append(row)
        with file.open("a") as out:
            out.write(json.dumps(row) + "\n")
    _tell(one, done)


def _tell(one: Race, done: list[dict[str, Any]]) -> None:
    n, n_top = len(one.known), len(one.top)
    failed = sum(found is None for found in one.known.values())
    print(f"{n} candidates, {failed} failed, {len(one.ranked)} keep all limits")
    for name in one.ranked[:5]:
        print(f"  {name}: {one.known[name]}")
    for goal, j, k, key in (
        ("the best", 1, 1, "best"),
        (f"one of the top {n_top}", 1, n_top, "top"),
        (f"{one.half} of the top {n_top}", one.half, n_top, "half"),
    ):
        counts = [row[key] for row in sorted(done, key=lambda row: row["seed"]) if key in row]
        if counts:
            median = float(np.median([np.inf if count is None else count for count in counts]))
            chance = j * (n + 1) / (k + 1)
            print(f"{goal}: random {chance:.1f}, planner {counts}, median {median:g}")
    seconds = [row["planner_s"] for row in done]
    print(f"planner: {np.median(seconds):.0f} s of CPU time a seed (median)")
