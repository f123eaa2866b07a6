"""The search space as numbers, and back.

Two forms, both float64 arrays with one row per point:

- **codes** (n x p, in [0, 1], one column per parameter, see `axes`): where points are drawn.
- **features** (n x d): what the surrogate's kernel sees. A number stays its code; an ordinal lies
  where its levels do; a choice becomes a one-hot block, sqrt(1/2) high, whose columns share a
  length scale (`groups`), so that two words are one apart; a pool becomes its describing columns,
  each standardised to the mean and spread of a uniform variable on [0, 1] (so that the priors, made
  for the unit cube, fit, and one outlier does not squeeze the rest), and what descriptors say of
  its candidates (see `described`). A parameter that does not exist at a point (`conditions`) is
  1/2 there.

numpy only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError, UnknownName
from orchestrator.model.candidates import described_again
from orchestrator.model.space import (
    Choice,
    Context,
    Fidelity,
    Ordinal,
    Parameter,
    Point,
    Pool,
    Real,
    SearchSpace,
    Value,
)
from orchestrator.planner.axes import (
    as_word,
    check,
    code_of,
    n_values,
    numbers_of,
    positions_of_levels,
    value_of,
    words_of,
)
from orchestrator.planner.describing import Part, described, layout_of, standardised
from orchestrator.planner.kernel import Floats
from orchestrator.planner.rungs import Rungs

ONE_HOT = math.sqrt(0.5)


class Encoding:
    """Turns points of a space into codes and features, and codes into points.

    Attributes:
        columns: which feature columns each parameter has.
        layout: what the feature columns are.
        cells: number of different values per parameter; 0 for one without steps.
        beside: features of further materials that are described as the candidates of a pool are
            (all columns of that pool but carried ones; those of its table are 1/2), in the order
            in which pools of them were given under its name.

    `carried` are columns (n x k) of a pool's candidates that come last, and make no difference to
    the kernel. In a space with a fidelity the numbers of candidates are carried behind all else.

    Raises:
        InputError: a bound or a pool's number is not finite, or a log scale reaches zero.
    """

    def __init__(
        self,
        space: SearchSpace,
        materials: Mapping[str, Sequence[Pool]] | None = None,
        carried: Mapping[str, Floats] | None = None,
    ) -> None:
        self.space = space
        self.beside: dict[str, list[Floats]] = {}
        self._positions: list[dict[str, int]] = []
        self._tables: list[Floats | None] = []
        self.columns: list[slice] = []
        parts: list[Part] = []
        for parameter in space.parameters:
            check(parameter)
            words = words_of(parameter)
            self._positions.append({as_word(w): i for i, w in enumerate(words)})
            more = (materials or {}).get(parameter.name, ())
            own = _parts(parameter, more)
            tables = [part.table for part in own if part.table is not None]
            table = _beside_each_other(tables) if tables else None
            if table is not None and more:
                ends = np.cumsum([n_values(parameter), *(len(p.names) for p in more)])
                table, *self.beside[parameter.name] = np.split(table, ends[:-1])
            if table is not None and carried and parameter.name in carried:
                own.append(Part(carried[parameter.name].astype(table.dtype), carried=True))
                table = np.concatenate([table, carried[parameter.name].astype(table.dtype)], axis=1)
            self._tables.append(table)
            start = sum(part.width for part in parts)
            self.columns.append(slice(start, start + sum(part.width for part in own)))
            parts += own
        # on rungs, candidates that are described alike are places of their own all the same
        self._numbered = self.places(Pool) if self.places(Fidelity) else []
        self.layout = layout_of([*parts, *(Part(None, carried=True) for _ in self._numbered)])
        self.cells = tuple(n_values(p) for p in space.parameters)
        self._places = {p.name: i for i, p in enumerate(space.parameters)}
        self._conditions = [
            (self._places[c.name], self._places[c.parent], self._allowed(c.parent, c.values), c)
            for c in space.conditions
        ]

    def _allowed(self, parent: str, values: Sequence[str]) -> Floats:
        positions = self._positions[self._places[parent]]
        return np.array([(positions[as_word(v)] + 0.5) / len(positions) for v in values])

    @property
    def n_parameters(self) -> int:
        """p, the width of codes."""
        return len(self.space.parameters)

    @property
    def width(self) -> int:
        """d, the width of features."""
        return len(self.layout.groups)

    def place(self, name: str) -> int:
        """The column of codes of a parameter."""
        return self._places[name]

    def places(self, *kinds: type) -> list[int]:
        """The columns of codes of the parameters of some kinds."""
        return [i for i, p in enumerate(self.space.parameters) if isinstance(p, kinds)]

    @property
    def sole_pool(self) -> Pool | None:
        """The pool, when it is the whole space: then it ends when all of it has been tried."""
        first = self.space.parameters[0] if self.n_parameters == 1 else None
        return first if isinstance(first, Pool) else None

    def table(self, name: str) -> Floats:
        """Features of each candidate of a pool, or of each word (rows).

        Raises:
            KeyError: the parameter's features are its code.
        """
        found = self._tables[self._places[name]]
        if found is None:
            raise KeyError(name)
        return found

    def index(self, name: str, value: Value) -> int:
        """The row of a candidate, or the place of a choice's word. Raises UnknownName."""
        positions = self._positions[self._places[name]]
        place = positions.get(as_word(value))
        if place is None:
            raise UnknownName(f"value of '{name}'", str(value), positions)
        return place

    def encode(self, points: Sequence[Point]) -> Floats:
        """Codes of points (n x p). A measured point outside of the bounds gets a code outside
        of [0, 1]; what does not exist at a point gets 1/2.

        Raises:
            InputError: a parameter is missing or not a finite number, or (UnknownName) a word is
                none of the choice's or the pool's.
        """
        codes = np.empty((len(points), self.n_parameters))
        for row, point in enumerate(points):
            absent = {c.name for c in self.space.conditions if point.get(c.parent) not in c.values}
            for column, parameter in enumerate(self.space.parameters):
                if parameter.name in absent:
                    codes[row, column] = 0.5
                    continue
                if parameter.name not in point:
                    raise InputError(f"a point has no value of '{parameter.name}': {point}")
                value = point[parameter.name]
                codes[row, column] = code_of(parameter, value, self._positions[column])
        return codes

    def decode(self, codes: Floats) -> list[Point]:
        """Points of codes (n x p); codes outside of [0, 1] are brought to its edge."""
        clipped = np.clip(codes, 0.0, 1.0)
        absent = self.absent(clipped)
        points = []
        for row, missing in zip(clipped, absent, strict=True):
            point = {
                p.name: value_of(p, float(c))
                for p, c in zip(self.space.parameters, row, strict=True)
            }
            for place, _, _, condition in self._conditions:
                if missing[place]:
                    point[condition.name] = condition.otherwise
            points.append(point)
        return points

    def absent(self, codes: Floats) -> NDArray[np.bool_]:
        """Which parameters do not exist at codes that are snapped (n x p)."""
        missing = np.zeros(codes.shape, dtype=bool)
        for place, parent, allowed, _ in self._conditions:
            n = self.cells[parent]
            cell = (np.minimum(np.floor(codes[:, parent] * n), n - 1) + 0.5) / n
            missing[:, place] = (np.abs(cell[:, None] - allowed) > 1e-9).all(axis=1)
        return missing

    def snap(self, codes: Floats) -> Floats:
        """Codes (n x p) with every stepped parameter in the middle of its cell, everything within
        [0, 1], and what does not exist at 1/2."""
        snapped = np.clip(codes, 0.0, 1.0)
        for column, n in enumerate(self.cells):
            if n:
                cell = np.minimum(np.floor(snapped[:, column] * n), n - 1)
                snapped[:, column] = (cell + 0.5) / n
        if self._conditions:
            snapped[self.absent(snapped)] = 0.5
        return snapped

    def features(self, codes: Floats) -> Floats:
        """Features (n x d) of codes (n x p) that are snapped, or encoded from points."""
        out = np.empty((len(codes), self.width))
        for column, (table, place) in enumerate(zip(self._tables, self.columns, strict=True)):
            if table is None:
                out[:, place.start] = codes[:, column]
            else:
                rows = np.floor(codes[:, column] * len(table)).astype(int)
                out[:, place] = table[rows]
        for column, pool in enumerate(self._numbered, self.width - len(self._numbered)):
            out[:, column] = np.floor(codes[:, pool] * self.cells[pool])
        if self._conditions:
            for column, is_absent in enumerate(self.absent(codes).T):
                out[is_absent, self.columns[column]] = 0.5
        return out

    def columns_of(self, codes: Floats) -> dict[str, Floats]:
        """Codes that are snapped (n x p) as columns of numbers by name, in the parameters' units; a
        pool's describing columns as `<pool>.<column>`. Words have none."""
        out: dict[str, Floats] = {}
        absent = self.absent(codes)
        for place, parameter in enumerate(self.space.parameters):
            out |= numbers_of(parameter, np.clip(codes[:, place], 0.0, 1.0))
        for place, _, _, condition in self._conditions:
            if condition.name in out and not isinstance(condition.otherwise, str):
                out[condition.name] = np.where(
                    absent[:, place], float(condition.otherwise), out[condition.name]
                )
        return out

    @property
    def movable(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Columns of codes and of features that are real, and so may be moved along a gradient."""
        codes = self.places(Real)
        return np.array(codes, dtype=np.intp), np.array(
            [self.columns[i].start for i in codes], dtype=np.intp
        )

    @property
    def setting_sds(self) -> Floats:
        """How exactly each parameter is held (p): standard deviations in codes, 0 for exactly."""
        sds = np.zeros(self.n_parameters)
        for place in self.places(Real):
            parameter = self.space.parameters[place]
            assert isinstance(parameter, Real)
            if parameter.setting_sd > 0 and parameter.high > parameter.low:
                span = parameter.high - parameter.low
                if parameter.scale == "log":
                    span = math.log10(parameter.high / parameter.low)
                sds[place] = parameter.setting_sd / span
        return sds

    @property
    def rungs(self) -> Rungs | None:
        """Where features say which rung a point is on, in a space with a fidelity."""
        found = self.places(Fidelity)
        return Rungs(self.columns[found[0]]) if found else None

    def at_highest_fidelity(self, codes: Floats) -> Floats:
        """The same points (n x p) at the fidelity that counts."""
        for place in self.places(Fidelity):
            codes = codes.copy()
            codes[:, place] = 1.0 - 0.5 / self.cells[place]
        return codes

    def with_context(self, codes: Floats, context: Floats) -> Floats:
        """Codes (n x p) with the parameters that cannot be chosen at those of `context` (p)."""
        fixed = self.places(Context)
        if fixed:
            codes = codes.copy()
            codes[:, fixed] = context[fixed]
        return codes


def _beside_each_other(tables: Sequence[Floats]) -> Floats:
    """Tables (n x d each) as one; a single one is not copied, since it may fill half the memory."""
    return tables[0] if len(tables) == 1 else np.concatenate(tables, axis=1)


def _parts(parameter: Parameter, more: Sequence[Pool]) -> list[Part]:
    """The features of a parameter, and after its candidates those of further materials; without a
    table they are its code."""
    match parameter:
        case Pool():
            parts = []
            if parameter.columns:
                own = standardised(parameter)
                if more:
                    n_more = sum(len(pool.names) for pool in more)
                    unknown = np.full((n_more, own.shape[1]), 0.5, dtype=own.dtype)
                    own = np.concatenate([own, unknown])
                parts.append(Part(own))
            again = described_again(parameter)
            for said in zip(parameter.described, *(pool.described for pool in more), strict=True):
                parts.append(described(*said, again=again))
            return parts
        case Choice():
            return [Part(ONE_HOT * np.eye(n_values(parameter)), is_one=True, chosen=True)]
        case Fidelity():
            return [Part(ONE_HOT * np.eye(n_values(parameter)), carried=True)]
        case Ordinal():
            return [Part(np.array(positions_of_levels(parameter))[:, None])]
        case _:
            return [Part(None)]
