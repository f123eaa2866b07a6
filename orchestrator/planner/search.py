"""Finds the point of the largest worth.

Spaces of integers, choices and pools alone are scored whole when they are small enough. Otherwise a
few hundred Sobol points and the neighbourhoods of the best measured points are scored, the best are
climbed by L-BFGS in their real parameters, and between climbs each integer, choice and pool is
moved to its best other value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from botorch.generation.gen import gen_candidates_scipy
from numpy.typing import NDArray

from orchestrator.errors import PoolExhausted
from orchestrator.planner.acquisition import Worth
from orchestrator.planner.encoding import Encoding, Floats
from orchestrator.planner.sobol import Sobol

MAX_SCORED_WHOLE = 1_000_000
MAX_MOVES = 512
N_ROUNDS = 3
MAX_CLIMB = 60
LOCAL_SHARE = 0.25
LOCAL_SD = 0.08

Places: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class Found:
    """The codes of a point (p) and its worth."""

    codes: Floats
    value: float


@dataclass(frozen=True)
class Search:
    """How to search. `seed` places the scored points."""

    encoding: Encoding
    raw_samples: int
    restarts: int
    seed: int

    def best(self, worth: Worth, incumbents: Floats, used: Floats) -> Found:
        """The point of the largest worth.

        `incumbents` are codes (k x p) whose neighbourhoods are looked at, best first; `used` codes
        (m x p) are not proposed again where the space is finite, while others are left.

        Raises:
            PoolExhausted: the space is a pool and all of it is used.
        """
        n_all = math.prod(self.encoding.cells)
        if 0 < n_all <= MAX_SCORED_WHOLE:
            return self._best_of_all(worth, used, n_all)
        rng = np.random.default_rng([self.seed, 0x5EA])
        codes = self._starts(incumbents, rng)
        values = worth.score(self.encoding.features(codes))
        top = np.argsort(-values, kind="stable")[: self.restarts]
        codes, values = self._climb(worth, codes[top], values[top])
        if any(self.encoding.cells):
            codes, values = self._alternate(worth, codes, values, rng)
        place = int(np.argmax(values))
        return Found(codes[place], float(values[place]))

    def _best_of_all(self, worth: Worth, used: Floats, n_all: int) -> Found:
        taken = np.zeros(n_all, dtype=bool)
        taken[self._places(used)] = True
        free = np.flatnonzero(~taken)
        if len(free) == 0:
            if self.encoding.sole_pool is not None:
                raise PoolExhausted(n_all)
            free = np.arange(n_all)  # every combination was tried: the best again
        codes = self._grid(free)
        values = worth.score(self.encoding.features(codes))
        place = int(np.argmax(values))
        return Found(codes[place], float(values[place]))

    def _grid(self, places: Places) -> Floats:
        """Codes (n x p) of the combinations with these numbers."""
        cells = np.unravel_index(places, self.encoding.cells)
        return np.stack(
            [(c + 0.5) / n for c, n in zip(cells, self.encoding.cells, strict=True)], axis=1
        )

    def _places(self, codes: Floats) -> Places:
        """Numbers of the combinations that codes (n x p) stand for; those outside are left out."""
        inside = codes[((codes >= 0) & (codes <= 1)).all(axis=1)]
        n = np.array(self.encoding.cells)
        cells = np.minimum(np.floor(inside * n).astype(int), n - 1)
        places = np.ravel_multi_index(tuple(cells.T), self.encoding.cells)
        return np.asarray(places, dtype=np.intp)

    def _starts(self, incumbents: Floats, rng: np.random.Generator) -> Floats:
        n_local = int(self.raw_samples * LOCAL_SHARE) if len(incumbents) else 0
        spread = Sobol(self.encoding.n_parameters, self.seed).points(0, self.raw_samples - n_local)
        centres = incumbents[np.arange(n_local) % max(1, len(incumbents))]
        near = centres + rng.normal(0.0, LOCAL_SD, size=centres.shape)
        # a word has no neighbourhood: it stays, or is drawn anew
        for column in self._wordlike:
            redrawn = rng.random(n_local) < 0.2
            near[:, column] = np.where(redrawn, rng.random(n_local), centres[:, column])
        return self.encoding.snap(np.concatenate([spread, near]))

    @property
    def _wordlike(self) -> list[int]:
        kinds = [p.kind for p in self.encoding.space.parameters]
        return [i for i, kind in enumerate(kinds) if kind in ("choice", "pool")]

    def _climb(self, worth: Worth, codes: Floats, values: Floats) -> tuple[Floats, Floats]:
        """L-BFGS in the real parameters, from each row of codes (n x p); never downhill."""
        if not self.encoding.continuous:
            return codes, values
        start = self.encoding.features(codes)
        low, high = start.min(axis=0) - 1.0, start.max(axis=0) + 1.0
        low[list(self.encoding.continuous)], high[list(self.encoding.continuous)] = 0.0, 1.0
        found, reached = gen_candidates_scipy(
            torch.tensor(start)[:, None, :],
            worth,
            lower_bounds=torch.tensor(low),
            upper_bounds=torch.tensor(high),
            options={"maxiter": MAX_CLIMB},
        )
        moved = self.encoding.with_continuous(codes, found.squeeze(1).detach().numpy())
        after = reached.detach().numpy()
        is_better = np.isfinite(after) & (after > values)
        return np.where(is_better[:, None], moved, codes), np.where(is_better, after, values)

    def _alternate(
        self, worth: Worth, codes: Floats, values: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Moves the best row's integers, choices and pools, and climbs again, while it helps."""
        for _ in range(N_ROUNDS):
            place = int(np.argmax(values))
            moves = np.concatenate([*self._moves(codes[place], rng)])
            worths = worth.score(self.encoding.features(moves))
            top = np.argsort(-worths, kind="stable")[:2]
            climbed, reached = self._climb(worth, moves[top], worths[top])
            best = int(np.argmax(reached))
            if not reached[best] > values[place] + 1e-6:
                break
            codes = np.concatenate([codes, climbed[best : best + 1]])
            values = np.append(values, reached[best])
        return codes, values

    def _moves(self, row: Floats, rng: np.random.Generator) -> Iterator[Floats]:
        """For each finite parameter, the row (p) with every other value, or a draw of many."""
        for column, n in enumerate(self.encoding.cells):
            if n == 0:
                continue
            cells = np.arange(n) if n <= MAX_MOVES else rng.choice(n, MAX_MOVES, replace=False)
            moved = np.repeat(row[None, :], len(cells), axis=0)
            moved[:, column] = (cells + 0.5) / n
            yield moved
