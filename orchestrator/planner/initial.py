"""Proposals that need no model: a space-filling start, Sobol points, random points.

No scipy: the first trial of a campaign must not wait for their import. In a
continuous space a proposal depends on the seed and `n_proposed` alone; in a finite one also on what
is used up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import PoolExhausted, UnknownName
from orchestrator.model.space import Context, Fidelity, Point, Pool, fidelity_of
from orchestrator.model.trial import Proposal
from orchestrator.planner.axes import code_of
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats
from orchestrator.planner.lifting import best_below, place_and_rung
from orchestrator.planner.options import DrawOptions, options_of
from orchestrator.planner.possible import Possible
from orchestrator.planner.refused import refused
from orchestrator.planner.walk import cheap_order, depends_on_previous
from orchestrator.ports.planner import History, PlanningTask

Caption: TypeAlias = Callable[[int], str]
N_TRIED_FOR_SPREAD = 64
N_LOOKED_AHEAD = 512
"""Of a finite space so many points of the sequence are looked at for one that is new."""


class SobolPlanner:
    """Planner kind `sobol`: a space-filling design without end."""

    def __init__(self, task: PlanningTask) -> None:
        options_of(task.planner, DrawOptions)
        self._start = SpaceFilling(task, lifts=False)

    def propose(self, history: History, n: int) -> Sequence[Proposal]:
        """The next `n` points, or as many as a pool has left. Raises PoolExhausted."""
        return self._start.propose(history, n, lambda k: f"space-filling point {k + 1}")

    def opening(self, history: History, n: int) -> Sequence[Proposal]:
        """As `propose`: nothing here needs a process of its own."""
        return self.propose(history, n)


class RandomPlanner:
    """Planner kind `random`: uniform over what is possible, each proposal from its own seeded
    stream."""

    def __init__(self, task: PlanningTask) -> None:
        options_of(task.planner, DrawOptions)
        self._seed = task.seed
        self._encoding = Encoding(task.space)
        self._possible = Possible(self._encoding)

    def propose(self, history: History, n: int) -> Sequence[Proposal]:
        """The next `n` points, or as many as a pool has left.

        Raises:
            PoolExhausted: a pool has none left.
            PlanningError: no point is possible.
        """
        first = history.n_proposed
        pool = self._encoding.sole_pool
        if pool is None:
            possible = replace(self._possible, refused=refused(self._encoding, history))
            codes = np.array([_drawn(possible, self._stream(first + i)) for i in range(n)])
            points = self._encoding.decode(codes.reshape(n, self._encoding.n_parameters))
        else:
            free = untried(self._encoding, pool, history)
            points = []
            for i in range(min(n, len(free))):
                row = free[int(self._stream(first + i).integers(len(free)))]
                free = free[free != row]
                points.append({pool.name: pool.names[row]})
        return [_proposal(p, f"random point {first + i + 1}") for i, p in enumerate(points)]

    def opening(self, history: History, n: int) -> Sequence[Proposal]:
        """As `propose`: nothing here needs a process of its own."""
        return self.propose(history, n)

    def _stream(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self._seed % 2**63, number])


def _drawn(possible: Possible, stream: np.random.Generator) -> Floats:
    """Codes (p) of one point; where not every point is possible the first one that is of a
    scrambled sequence of its own."""
    if not possible.is_bound:
        return stream.random(possible.encoding.n_parameters)
    return np.asarray(possible.spread(1, seed=int(stream.integers(2**62)))[0])


class SpaceFilling:
    """The start of every campaign: scrambled Sobol points, or well spread candidates of a pool.

    Dear rungs of a fidelity begin where the least exact one looks best, if it `lifts`.
    """

    def __init__(self, task: PlanningTask, *, lifts: bool = True) -> None:
        self._task, self._seed = task, task.seed
        self.encoding = Encoding(task.space)
        self.possible = Possible(self.encoding)
        pool = self.encoding.sole_pool
        self._rows = None if pool is None else self.encoding.table(pool.name)
        self._ladder, self._lifts = fidelity_of(task.space), lifts
        self._n_start = task.planner.initial

    def propose(self, history: History, n: int, caption: Caption) -> Sequence[Proposal]:
        """The next `n` points, or as many as a pool has left; `caption` says why, given a
        proposal's number from 0. Raises PoolExhausted."""
        first = history.n_proposed
        pool = self.encoding.sole_pool
        if self._ladder is not None:
            return self._on_ladder(self._ladder, history, n, caption)
        if pool is None:
            barred = refused(self.encoding, history)
            possible = replace(self.possible, context=self._context(history), refused=barred)
            points = self._filling(possible, history, n)
        else:
            points = self._spread(pool, history, n)
        return [_proposal(p, caption(first + i)) for i, p in enumerate(points)]

    def _filling(self, possible: Possible, history: History, n: int) -> list[Point]:
        """The next points of a sequence; of a finite space those that are new, if there are any."""
        first = history.n_proposed
        if not all(self.encoding.cells):
            return self.encoding.decode(self._in_order(possible, n, first))
        known = [*(e.point for e in history.evaluated), *history.pending]
        used = {self._named(point) for point in known}
        ahead, new = list[Point](), list[int]()
        for n_ahead in (n, n + N_LOOKED_AHEAD):
            ahead = self.encoding.decode(possible.spread(n_ahead, self._seed, first))
            places = {self._named(ahead[i]): i for i in reversed(range(n_ahead))}
            new = sorted(i for named, i in places.items() if named not in used)[:n]
            if len(new) == n:
                break
        again = [i for i in range(len(ahead)) if i not in new]
        return [ahead[i] for i in [*new, *again][:n]]

    def _in_order(self, possible: Possible, n: int, first: int) -> Floats:
        """Codes (n x p) of points `first` and on. Those of the start are in an order in which they
        cost little, if it matters which trial was before; not where a context may come between."""
        is_plain = not depends_on_previous(self._task.objective) or self.encoding.places(Context)
        if is_plain or possible.refused or first >= self._n_start:
            return possible.spread(n, self._seed, first)
        start = possible.spread(self._n_start, self._seed)
        start = start[cheap_order(self._task.objective, self.encoding, start)]
        after = max(0, first + n - self._n_start)
        rest = possible.spread(after, self._seed, self._n_start)
        return np.concatenate([start, rest])[first : first + n]

    def _named(self, point: Point) -> tuple[object, ...]:
        return tuple(point.get(name) for name in self.encoding.space.names)

    def _on_ladder(
        self, fidelity: Fidelity, history: History, n: int, caption: Caption
    ) -> list[Proposal]:
        """The start of a space with a fidelity: places that fill it on the least exact rung, then
        on each further one the best of them, or where none is known yet, the first. A mere design
        has each place on every rung."""
        made: list[Proposal] = []
        begun = max(history.n_proposed, len(history.evaluated))
        for number in range(begun, begun + n):
            n_start = self._n_start if self._lifts else 0
            place, rung = place_and_rung(number, n_start, len(fidelity.levels))
            point, why = None, caption(number)
            if rung and self._lifts:
                point = best_below(self._task, fidelity, history, place, fidelity.levels[rung])
            if point is None:
                point = self._filling_place(fidelity, history, place, rung)
            else:
                why = f"{why}: the best so far on {fidelity.levels[0]}"
            made.append(_proposal(point, why))
            pending = (*history.pending, point)
            history = history.model_copy(update={"pending": pending})
        return made

    def _filling_place(self, fidelity: Fidelity, history: History, place: int, rung: int) -> Point:
        barred = refused(self.encoding, history)
        possible = replace(self.possible, context=self._context(history), refused=barred)
        codes = possible.spread(1, self._seed, place)
        pools = self.encoding.places(Pool)
        if self.encoding.n_parameters == 2 and len(pools) == 1:
            codes[0, pools[0]] = self._candidate(pools[0], place, barred.get(pools[0], []))
        codes[0, self.encoding.place(fidelity.name)] = (rung + 0.5) / len(fidelity.levels)
        return self.encoding.decode(codes)[0]

    def _candidate(
        self, place: int, number: int, barred: Sequence[int] | NDArray[np.intp]
    ) -> float:
        """The code of the candidate of a pool that the start has as its place `number`."""
        pool = self.encoding.space.parameters[place]
        assert isinstance(pool, Pool)
        free = np.setdiff1d(np.arange(len(pool.names)), np.asarray(barred, dtype=np.intp))
        codes = np.full((len(pool.names), self.encoding.n_parameters), 0.5)
        codes[:, place] = (np.arange(len(pool.names)) + 0.5) / len(pool.names)

        def features(rows: Any) -> Floats:
            return self.encoding.features(codes[rows])

        chosen: list[int] = []
        for i in range(min(number, len(free) - 1) + 1):
            rng = np.random.default_rng([self._seed % 2**63, 0x9001, i])
            drawn = free[rng.permutation(len(free))[:N_TRIED_FOR_SPREAD]]
            chosen.append(int(drawn[self._farthest(features(drawn), features(chosen))]))
            free = free[free != chosen[-1]]
        return (chosen[-1] + 0.5) / len(pool.names)

    def _context(self, history: History) -> Floats | None:
        """Codes (p) with what cannot be chosen as it was measured last, or as it is assumed."""
        found = self.encoding.places(Context)
        if not found:
            return None
        codes = np.full(self.encoding.n_parameters, 0.5)
        for place in found:
            parameter = self.encoding.space.parameters[place]
            assert isinstance(parameter, Context)
            value = history.context.get(parameter.name, parameter.assumed)
            codes[place] = code_of(parameter, value, {})
        return codes

    def _spread(self, pool: Pool, history: History, n: int) -> list[Point]:
        """Best-candidate sampling [Mitchell 1991]: of a few dozen seeded draws, the one farthest
        from all that are used. It spreads out, yet follows where candidates are dense; plain
        maximin would collect the outliers of a large table first."""
        assert self._rows is not None
        free = untried(self.encoding, pool, history)
        chosen = [*_used(self.encoding, pool, history)]
        points: list[Point] = []
        for i in range(min(n, len(free))):
            rng = np.random.default_rng([self._seed % 2**63, 0x9001, history.n_proposed + i])
            drawn = free[rng.permutation(len(free))[:N_TRIED_FOR_SPREAD]]
            row = int(drawn[self._farthest(self._rows[drawn], self._rows[chosen])])
            chosen.append(row)
            free = free[free != row]
            points.append({pool.name: pool.names[row]})
        return points

    def _farthest(self, drawn: Floats, chosen: Floats) -> int:
        """Which of the features `drawn` has the largest distance to its nearest of `chosen`."""
        if not len(chosen):
            return 0
        apart = self.encoding.layout.distances(drawn, chosen)
        return int(np.argmax(apart.min(axis=1)))


def untried(encoding: Encoding, pool: Pool, history: History) -> NDArray[np.intp]:
    """Rows of the candidates that are neither tried nor in flight nor refused, ascending.

    A candidate whose trial failed counts as tried, whatever the cause.

    Raises:
        PoolExhausted: none is left.
    """
    free = np.ones(len(pool.names), dtype=bool)
    free[list(_used(encoding, pool, history))] = False
    free[refused(encoding, history).get(0, [])] = False
    rows = np.flatnonzero(free)
    if len(rows) == 0:
        raise PoolExhausted(len(pool.names))
    return rows


def _used(encoding: Encoding, pool: Pool, history: History) -> dict[int, None]:
    """Rows of what is tried or in flight. Of a pool that grows a person may have tried a material
    that its table does not have: it uses none of them up."""
    points = [e.point for e in history.evaluated] + list(history.pending)
    used: dict[int, None] = {}
    for point in points:
        try:
            used[encoding.index(pool.name, point[pool.name])] = None
        except UnknownName:
            if pool.generation is None:
                raise
    return used


def _proposal(point: Point, why: str) -> Proposal:
    return Proposal(point=point, source="initial", why=why, intent="design")
