"""Finds the point of the largest worth.

Spaces of stepped parameters alone are scored whole when they are small enough. Otherwise a few
hundred Sobol points and the neighbourhoods of the best measured points are scored, the best are
climbed by L-BFGS in their real parameters, and between climbs each integer, ordinal, choice and
pool is moved to its best other value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import PoolExhausted
from orchestrator.model.space import Choice, Context, Fidelity, Pool
from orchestrator.planner.climbing import climb
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats
from orchestrator.planner.possible import Possible
from orchestrator.planner.weighing import Safety
from orchestrator.planner.worth import Worth

MAX_SCORED_WHOLE = 1_000_000
MAX_POOL = 50_000_000
MAX_LEFT = 4_000
"""What is left of a space is listed up to so many points."""
MAX_MOVES = 512
N_ROUNDS = 3
LOCAL_SHARE = 0.33
LOCAL_SDS = (0.02, 0.1, 0.3)
N_ON_THE_WAY = 24
MOVED_AT_ONCE = 12
"""In many dimensions a neighbour differs in about so many of them."""

Places: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class Found:
    """The codes of a point (p), its worth, and why it, if not for its worth alone."""

    codes: Floats
    value: float
    why: str = ""


@dataclass(frozen=True)
class Search:
    """How to search.

    `seed` places the scored points; `context` are codes (p) of what cannot be chosen; only what is
    safe is proposed, as long as anything is.
    """

    encoding: Encoding
    possible: Possible
    safety: Safety | None
    context: Floats
    raw_samples: int
    restarts: int
    seed: int

    def best(self, worth: Worth, incumbents: Floats, used: Floats) -> Found:
        """The point of the largest worth.

        `incumbents` are codes (k x p) whose neighbourhoods are looked at, best first; `used` codes
        (m x p) are not proposed again where the space is finite, while others are left.

        Raises:
            PoolExhausted: the space is a pool and all of it is used.
            PlanningError: no point is known to be possible.
        """
        n_all = math.prod(self.encoding.cells)
        most = MAX_SCORED_WHOLE if self.encoding.sole_pool is None else MAX_POOL
        if 0 < n_all <= most:
            return self._best_of_all(worth, incumbents, used, n_all)
        rng = np.random.default_rng([self.seed, 0x5EA])
        codes = self._starts(incumbents, rng)
        values = worth.score(codes)
        starts, top = codes, self._apart(codes, values)
        codes, values = climb(self.possible, worth, codes[top], values[top])
        if any(self.encoding.cells):
            codes, values = self._alternate(worth, codes, values, rng)
        if self.safety is not None:
            tried = self.inside(np.concatenate([incumbents, used]))
            others = np.concatenate([starts, tried])
            codes, values = self._safest(self.safety, worth, codes, others)
        place = int(np.argmax(values))
        return Found(codes[place], float(values[place]))

    def left(self, used: Floats) -> Floats:
        """Codes (k x p) of all points that may still be tried, of a space of so few that they can
        be listed; else none."""
        n_all = math.prod(self.encoding.cells)
        if not 0 < n_all <= MAX_LEFT:
            return np.zeros((0, self.encoding.n_parameters))
        taken = np.zeros(n_all, dtype=bool)
        taken[self._places(used)] = True
        return self._allowed(np.flatnonzero(~taken))

    def ranked(self, worth: Worth, base: Floats, used: Floats, name: str, n: int) -> list[Found]:
        """The up to `n` candidates of the pool `name` that are worth most, the best first, with all
        other parameters as in `base` (codes, p); none of those `used` (codes, m x p) where the pool
        is the whole space.

        Raises:
            PoolExhausted: none is left.
        """
        place = self.encoding.place(name)
        n_all = self.encoding.cells[place]
        taken = np.zeros(n_all, dtype=bool)
        if self.encoding.sole_pool is not None:
            taken[self._places(used)] = True
        free = np.flatnonzero(~taken)

        def candidates(a: int, b: int) -> Floats:
            codes = np.repeat(base[None, :], b - a, axis=0)
            codes[:, place] = (free[a:b] + 0.5) / n_all
            return self.possible.only(codes)

        codes, values = worth.best_of(candidates, len(free))
        if not len(codes):
            raise PoolExhausted(n_all)
        order = np.argsort(-values, kind="stable")[:n]
        return [Found(codes[i], float(values[i])) for i in order]

    def _safest(
        self, safety: Safety, worth: Worth, codes: Floats, others: Floats
    ) -> tuple[Floats, Floats]:
        """Those that are safe, of `codes`, of `others`, and on the way from the best of them to
        what is not; or else the one that is likeliest to be."""
        every = np.concatenate([codes, others])
        safe = safety.holds(every)
        if not safe.any():
            likeliest = every[np.argmax(safety.chance(every), keepdims=True)]
            return likeliest, worth.score(likeliest)
        found = every[safe]
        values = worth.score(found)
        way = self._way(found[np.argmax(values)], codes[~safe[: len(codes)]])
        way = way[safety.holds(way)]
        return np.concatenate([found, way]), np.concatenate([values, worth.score(way)])

    def _way(self, start: Floats, ends: Floats) -> Floats:
        """Possible codes on the way from one (p) to others (k x p), in the real parameters."""
        places, _ = self.encoding.movable
        shares = np.tile(np.arange(1, N_ON_THE_WAY + 1) / (N_ON_THE_WAY + 1), len(ends))
        way = np.repeat(start[None, :], len(shares), axis=0)
        steps = np.repeat(ends - start, N_ON_THE_WAY, axis=0) * shares[:, None]
        way[:, places] += steps[:, places]
        return self.possible.only(self.encoding.snap(way))

    def inside(self, codes: Floats) -> Floats:
        """Those of measured points (codes, m x p) that may be tried again, in today's context."""
        inside = codes[((codes >= 0) & (codes <= 1)).all(axis=1)]
        again = self.encoding.with_context(self.encoding.snap(inside), self.context)
        return self.possible.only(again)

    def _apart(self, codes: Floats, values: Floats) -> Places:
        """The best rows of which no two are neighbours, so that climbs do not meet."""
        order = np.argsort(-values, kind="stable")[: 8 * self.restarts]
        radius = 0.1 * math.sqrt(self.encoding.n_parameters)
        kept: list[int] = []
        for row in order:
            apart = np.sqrt(((codes[kept] - codes[row]) ** 2).sum(axis=1)) if kept else None
            if apart is None or apart.min() > radius:
                kept.append(int(row))
            if len(kept) == self.restarts:
                break
        return np.array(kept, dtype=np.intp)

    def _best_of_all(self, worth: Worth, incumbents: Floats, used: Floats, n_all: int) -> Found:
        taken = np.zeros(n_all, dtype=bool)
        taken[self._places(used)] = True
        free = np.flatnonzero(~taken)
        if self._is_settled(taken):
            raise PoolExhausted(max(self.encoding.cells))
        if len(free) == 0:
            if self.encoding.sole_pool is not None:
                raise PoolExhausted(n_all)
            free = np.arange(n_all)  # every combination was tried: the best again
        codes, values = worth.best_of(lambda a, b: self._safe(free[a:b]), len(free))
        if len(codes) == 0:
            codes, values = worth.best_of(lambda a, b: self._allowed(free[a:b]), len(free))
        if len(codes) == 0:
            everything = np.arange(n_all)
            codes, values = worth.best_of(lambda a, b: self._allowed(everything[a:b]), n_all)
            self.possible.refuse_none(len(codes))
        if self.safety is not None:
            # what was tried is tried again only where nothing else is safe, a candidate never
            is_new = self.encoding.sole_pool is not None or self.safety.holds(codes).any()
            again = self.inside(incumbents[:0] if is_new else incumbents)
            codes, values = self._safest(self.safety, worth, codes, again)
        place = int(np.argmax(values))
        return Found(codes[place], float(values[place]))

    def _is_settled(self, taken: NDArray[np.bool_]) -> bool:
        """Whether the space is a pool on rungs, and every candidate was tried on the last one."""
        kinds = [type(parameter) for parameter in self.encoding.space.parameters]
        if sorted(kinds, key=str) != sorted([Fidelity, Pool], key=str):
            return False
        each = np.moveaxis(taken.reshape(self.encoding.cells), kinds.index(Fidelity), 0)
        return bool(each[-1].all())

    def _allowed(self, places: Places) -> Floats:
        codes = self._grid(places)
        # of a parameter that does not exist there, the first cell stands for all
        in_first = codes * np.array(self.encoding.cells) < 1.0
        once = ~(self.encoding.absent(codes) & ~in_first).any(axis=1)
        return self.possible.only(self.encoding.snap(codes[once]))

    def _safe(self, places: Places) -> Floats:
        codes = self._allowed(places)
        return codes if self.safety is None else codes[self.safety.holds(codes)]

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
        cells[self.encoding.absent(inside)] = 0
        places = np.ravel_multi_index(tuple(cells.T), self.encoding.cells)
        return np.asarray(places, dtype=np.intp)

    def _starts(self, incumbents: Floats, rng: np.random.Generator) -> Floats:
        n_local = int(self.raw_samples * LOCAL_SHARE) if len(incumbents) else 0
        spread = self.possible.spread(self.raw_samples - n_local, self.seed)
        centres = incumbents[np.arange(n_local) % max(1, len(incumbents))]
        sds = np.resize(np.repeat(LOCAL_SDS, max(1, len(incumbents))), n_local)[:, None]
        step = rng.normal(0.0, 1.0, size=centres.shape) * sds
        width = self.encoding.n_parameters
        if width > MOVED_AT_ONCE:
            step[rng.random(step.shape) > MOVED_AT_ONCE / width] = 0.0
        near = centres + step
        # a word has no neighbourhood: it stays, or is drawn anew
        for column in self.encoding.places(Choice, Fidelity, Pool):
            redrawn = rng.random(n_local) < 0.2
            near[:, column] = np.where(redrawn, rng.random(n_local), centres[:, column])
        near = self.possible.repaired(near)
        codes = self.encoding.snap(np.concatenate([spread, near]))
        return self.encoding.with_context(codes, self.context)

    def _alternate(
        self, worth: Worth, codes: Floats, values: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Moves the best row's stepped parameters, and climbs again, while it helps."""
        for _ in range(N_ROUNDS):
            place = int(np.argmax(values))
            moves = self.possible.only(np.concatenate([*self._moves(codes[place], rng)]))
            if not len(moves):
                break
            worths = worth.score(moves)
            top = np.argsort(-worths, kind="stable")[:2]
            climbed, reached = climb(self.possible, worth, moves[top], worths[top])
            best = int(np.argmax(reached))
            if not reached[best] > values[place] + 1e-6:
                break
            codes = np.concatenate([codes, climbed[best : best + 1]])
            values = np.append(values, reached[best])
        return codes, values

    def _moves(self, row: Floats, rng: np.random.Generator) -> Iterator[Floats]:
        """For each stepped parameter, the row (p) with every other value, or a draw of many."""
        fixed = set(self.encoding.places(Context))
        for column, n in enumerate(self.encoding.cells):
            if n == 0 or column in fixed:
                continue
            cells = np.arange(n) if n <= MAX_MOVES else rng.choice(n, MAX_MOVES, replace=False)
            moved = np.repeat(row[None, :], len(cells), axis=0)
            moved[:, column] = (cells + 0.5) / n
            yield self.encoding.snap(moved)
