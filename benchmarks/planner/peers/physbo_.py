"""PHYSBO: exact Gaussian process, EI, or HVPI for two objectives; learnt anew for each suggestion.

Continuous spaces through `search.range`, pools through `search.discrete`. Not expressible: words
beside reals, and mixtures (a pool of 8192 Sobol points stands for the space, words one-hot); a
reference point for two objectives; measured limits and failed trials (such a trial is told the
worst value seen). Log scales are given as their logarithm.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import physbo

from benchmarks.planner.peers.play import BestSeen, best_seen, is_allowed, main
from benchmarks.planner.peers.spaces import at_code, code, stand_ins
from benchmarks.planner.problems import Point, Problem


class Physbo(BestSeen):
    """A policy made of all trials each time."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem)
        self._seed = seed
        self._is_continuous = not problem.is_mixture and all(
            v.kind == "real" for v in problem.variables
        )
        self._pool = [] if self._is_continuous else stand_ins(problem, seed)
        self._pool_codes = [code(problem, p) for p in self._pool]
        self._codes: list[list[float]] = []
        self._policy: Any = None

    def ask(self) -> Point:
        """The next point."""
        self._codes += [code(self.problem, self.points[i]) for i in self.fresh()]
        with contextlib.redirect_stdout(io.StringIO()):
            return self._continuous() if self._is_continuous else self._discrete()

    def recommend(self) -> int | None:
        """The allowed trial with the best posterior mean."""
        if self._policy is None or self.problem.n_objectives > 1:
            return None
        told = np.array(self._codes)
        if self._is_continuous:
            mean = np.asarray(self._policy.get_post_fmean(told)).ravel()
        else:
            mean = np.asarray(self._policy.get_post_fmean(physbo.Variable(X=told))).ravel()
        merits = [(-m, i) for i, m in enumerate(mean) if self._may_be_named(i)]
        return min(merits)[1] if merits else best_seen(self.measured)

    def _may_be_named(self, number: int) -> bool:
        measured = self.measured[number]
        return measured is not None and is_allowed(measured)

    def _values(self) -> Any:
        if self.problem.n_objectives == 1:
            return -np.array(self.padded())
        return -np.array([m.objectives for m in self.measured if m])

    def _continuous(self) -> Point:
        x, d = np.array(self._codes), len(self._codes[0])
        box = {"min_X": np.zeros(d), "max_X": np.ones(d), "initial_data": [x, self._values()]}
        if self.problem.n_objectives == 1:
            self._policy, score = physbo.search.range.Policy(**box), "EI"
        else:
            n = self.problem.n_objectives
            self._policy = physbo.search.range_multi.Policy(num_objectives=n, **box)
            score = "HVPI"
        found = self._search(score)
        return at_code(self.problem, np.asarray(found, dtype=float).ravel()[:d].tolist())

    def _discrete(self) -> Point:
        n = len(self._codes)
        free = [i for i, p in enumerate(self._pool) if p not in self.points]
        rows = np.array(self._codes + [self._pool_codes[i] for i in free])
        data = [np.arange(n), self._values()]
        self._policy = physbo.search.discrete.Policy(test_X=rows, initial_data=data)
        return self._pool[free[int(self._search("EI")[0]) - n]]

    def _search(self, score: str) -> Any:
        self._policy.set_seed(self._seed * 1000 + len(self.points))
        return self._policy.bayes_search(
            max_num_probes=1, simulator=None, score=score, interval=0, num_rand_basis=0
        )


if __name__ == "__main__":
    main("physbo", Physbo, ("physbo", "scipy"))
