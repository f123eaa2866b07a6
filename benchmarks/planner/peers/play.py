"""The loop that every planner is put through: 8 given start points, then 32 points of its choice.

    python -m benchmarks.planner.peers.random_ --runs branin:0,mixed5:3 --out lines.jsonl

One JSON line a run: `true` is the gap of each point tried (with two objectives their values; null
where it failed or broke a limit), `best` the least gap so far, `recommended` the gap of the point
that the planner would name after 20 and 40 trials, `cpu_s` the CPU seconds of each suggestion
(with `--at-once 4`, of each four).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.planner.problems import Measured, Point, Problem, absent, problem, starts

N_START, N_CHOSEN = 8, 32
RECOMMEND_AT = (20, 40)


class Player(Protocol):
    """A planner as the loop sees it: constructed with a problem and a seed."""

    def tell(self, point: Point, measured: Measured | None) -> None:
        """Learns of a trial; None is one that gave no value."""
        ...

    def ask(self) -> Point:
        """The next point."""
        ...

    def ask_many(self, n: int) -> list[Point]:
        """The next `n` points, all to be tried before the first outcome of them is told."""
        ...

    def recommend(self) -> int | None:
        """Which of the trials so far its model holds for the best; None: the best one seen."""
        ...


class Unable(Exception):
    """A planner cannot be put to this problem, and why."""


class BestSeen:
    """What a planner without a model recommends; keeps the trials told so far."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.points: list[Point] = []
        self.measured: list[Measured | None] = []
        self._n_handed_over = 0

    def tell(self, point: Point, measured: Measured | None) -> None:
        """Keeps a trial."""
        self.points.append(point)
        self.measured.append(measured)

    def ask(self) -> Point:
        """The next point."""
        raise NotImplementedError

    def ask_many(self, n: int) -> list[Point]:
        """The next `n` points of a planner that offers batches."""
        if n > 1:
            raise Unable("no batches")
        return [self.ask()]

    def recommend(self) -> int | None:
        """The best one seen."""
        return None

    def fresh(self) -> range:
        """The numbers of the trials that were told since this was called last."""
        news = range(self._n_handed_over, len(self.points))
        self._n_handed_over = len(self.points)
        return news

    def padded(self) -> list[float]:
        """The objective of each trial, where one that failed or broke a limit is given the worst
        value of any trial that did not fail ('floor padding', Wakabayashi et al. 2022)."""
        known = [m.objectives[0] for m in self.measured if m is not None]
        floor = max(known, default=0.0)
        return [m.objectives[0] if m and is_allowed(m) else floor for m in self.measured]


def is_allowed(measured: Measured) -> bool:
    """Whether a trial was measured to break no limit."""
    return max(measured.limits, default=0.0) <= 0


def best_seen(measured: Sequence[Measured | None]) -> int | None:
    """The trial with the lowest measured objective among those that break no limit."""
    seen = [(m.objectives[0], i) for i, m in enumerate(measured) if m and is_allowed(m)]
    return min(seen)[1] if seen else None


def play(make: Any, question: Problem, seed: int, cap_s: float, at_once: int = 1) -> dict[str, Any]:
    """One run of a planner that is asked for `at_once` points a time, stopped after `cap_s` of CPU
    time."""
    rng = np.random.default_rng(seed)
    begun = time.process_time()
    points: list[Point] = []
    measured: list[Measured | None] = []
    cpu_s: list[float] = []
    recommended: dict[str, float | None] = {}
    error = None
    try:
        player: Player = make(question, seed)
        points += starts(question, getattr(player, "n_given", N_START), seed)
        measured += [question.measure(point, rng, seed) for point in points]
        _tell(player, points, measured)
        while len(points) < N_START + N_CHOSEN:
            before = time.process_time()
            asked = player.ask_many(min(at_once, N_START + N_CHOSEN - len(points)))
            spent = time.process_time() - before
            found = [question.measure(point, rng, seed) for point in asked]
            before = time.process_time()
            _tell(player, asked, found)
            cpu_s.append(spent + time.process_time() - before)
            points += asked
            measured += found
            if len(points) in RECOMMEND_AT and question.n_objectives == 1:
                number = player.recommend()
                chosen = best_seen(measured) if number is None else number
                gap = None if chosen is None else question.gap(points[chosen])
                recommended[str(len(points))] = None if gap is None else shortened(gap)
            if time.process_time() - begun > cap_s:
                error = f"stopped after {cap_s:g} CPU s"
                break
    except Unable as reason:
        error = f"unable: {reason}"
    except Exception as failure:  # noqa: BLE001 (a peer may raise anything; the run is kept)
        traceback.print_exc()
        error = repr(failure)[:200]
    if question.n_objectives > 1:
        true: list[Any] = [[shortened(v) for v in question.objectives(p)] for p in points]
    else:
        true = [None if (g := question.gap(p)) is None else shortened(g) for p in points]
    return {
        "problem": question.name,
        "seed": seed,
        "true": true,
        "best": [shortened(g, 4) for g in question.gaps(points)],
        "recommended": recommended,
        "cpu_s": [shortened(s, 3) for s in cpu_s],
        "error": error,
    }


def _tell(player: Player, points: Sequence[Point], found: Sequence[Measured | None]) -> None:
    for point, one in zip(points, found, strict=True):
        player.tell(point, one)


def shortened(value: float, digits: int = 6) -> float:
    """Rounded to significant digits."""
    return float(f"{value:.{digits}g}")


def main(name: str, make: Any, distributions: Sequence[str], **versions: str) -> None:
    """Plays the runs that the command line asks for, and appends a line for each."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--runs", required=True, help="problem:seed, separated by commas")
    parser.add_argument("--out", type=Path, help="append the lines here, not to the screen")
    parser.add_argument("--label", default=name, help="the planner's name in the lines")
    parser.add_argument("--cap", type=float, default=600.0, help="CPU seconds a run may take")
    parser.add_argument("--at-once", type=int, default=1, help="points asked for at a time")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    about: dict[str, Any] = {
        "planner": arguments.label,
        "versions": {**{d: version(d) for d in ("numpy", *distributions)}, **versions},
    }
    if arguments.at_once > 1:
        about["at_once"] = arguments.at_once
    for words in arguments.runs.split(","):
        problem_name, _, seed = words.partition(":")
        if reason := absent(problem_name):
            print(f"{problem_name}: {reason}", file=sys.stderr)
            continue
        run = play(make, problem(problem_name), int(seed), arguments.cap, arguments.at_once)
        load = round(os.getloadavg()[0], 1)
        line = json.dumps({**about, **run, "load": load}, separators=(",", ":"))
        if arguments.out:
            with arguments.out.open("a") as lines:
                lines.write(line + "\n")
        else:
            print(line, flush=True)
