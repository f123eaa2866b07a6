"""Uniform random points: in the unit cube, on the simplex of a mixture, of a pool without repeats.

Says everything that a problem needs; learns nothing.
"""

from __future__ import annotations

import numpy as np

from benchmarks.planner.peers.play import BestSeen, main
from benchmarks.planner.problems import Point, Problem, point_at


class Random(BestSeen):
    """Draws."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem)
        self._rng = np.random.default_rng(10_000 + seed)

    def ask(self) -> Point:
        """The next draw."""
        while self.problem.candidates is not None:
            name = str(self._rng.choice(self.problem.candidates.names))
            if {"candidate": name} not in self.points:
                return {"candidate": name}
        return point_at(self.problem, self._rng.random(len(self.problem.variables)).tolist())

    def ask_many(self, n: int) -> list[Point]:
        """The next `n` draws."""
        return [self.ask() for _ in range(n)]


if __name__ == "__main__":
    main("random", Random, ())
