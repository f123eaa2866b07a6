"""The search space as numbers, and back.

Two forms, both float64 arrays with one row per point:

- **codes** (n x p, in [0, 1], one column per parameter): where points are drawn. A real parameter
  is its position between its bounds (of the logarithm, on a log scale); an integer, a choice or a
  pool is cut into cells of equal width, and the code of a value is the middle of its cell.
- **features** (n x d): what the surrogate's kernel sees. The same columns, except that a pool
  becomes its describing columns, each standardised to the mean and spread of a uniform variable on
  [0, 1] (so that the priors, made for the unit cube, fit, and one outlier does not squeeze the
  rest). Choices stay one column of codes, of which the kernel asks only "equal or not"
  (`unordered`); that is one-hot coding with one length scale for the whole choice.

numpy only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError, UnknownName
from orchestrator.model.space import Choice, Integer, Point, Pool, Real, SearchSpace, Value

Floats: TypeAlias = NDArray[np.float64]
UNIFORM_SD = math.sqrt(1 / 12)


class Encoding:
    """Turns points of a space into codes and features, and codes into points.

    Raises:
        InputError: a bound or a pool's number is not finite, or a log scale reaches zero.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        for parameter in space.parameters:
            _check(parameter)
        self._positions: dict[str, Mapping[str, int]] = {}
        self._tables: dict[str, Floats] = {}
        self.columns: list[slice] = []
        for parameter in space.parameters:
            if isinstance(parameter, Pool):
                self._positions[parameter.name] = {n: i for i, n in enumerate(parameter.names)}
                self._tables[parameter.name] = standardised(parameter)
            elif isinstance(parameter, Choice):
                self._positions[parameter.name] = {n: i for i, n in enumerate(parameter.options)}
            start = self.columns[-1].stop if self.columns else 0
            width = len(parameter.columns) if isinstance(parameter, Pool) else 1
            self.columns.append(slice(start, start + width))

    @property
    def n_parameters(self) -> int:
        """p, the width of codes."""
        return len(self.space.parameters)

    @property
    def width(self) -> int:
        """d, the width of features."""
        return self.columns[-1].stop if self.columns else 0

    @property
    def unordered(self) -> tuple[int, ...]:
        """Feature columns of which only equality means something (choices)."""
        return self._feature_columns(Choice)

    @property
    def continuous(self) -> tuple[int, ...]:
        """Feature columns that may take any value in [0, 1] (reals)."""
        return self._feature_columns(Real)

    def _feature_columns(self, kind: type) -> tuple[int, ...]:
        pairs = zip(self.space.parameters, self.columns, strict=True)
        return tuple(c.start for p, c in pairs if isinstance(p, kind))

    @property
    def cells(self) -> tuple[int, ...]:
        """Number of different values per parameter; 0 for a real one."""
        return tuple(n_values(p) for p in self.space.parameters)

    @property
    def sole_pool(self) -> Pool | None:
        """The pool, when it is the whole space: then no candidate is proposed twice."""
        first = self.space.parameters[0] if self.n_parameters == 1 else None
        return first if isinstance(first, Pool) else None

    def index(self, pool: str, candidate: Value) -> int:
        """The row of a candidate, or the place of a choice's word. Raises UnknownName."""
        position = self._positions[pool].get(str(candidate))
        if position is None:
            raise UnknownName(f"value of '{pool}'", str(candidate), self._positions[pool])
        return position

    def encode(self, points: Sequence[Point]) -> Floats:
        """Codes of points (n x p). A measured point outside of the bounds gets a code outside
        of [0, 1].

        Raises:
            InputError: a parameter is missing or not a finite number, or (UnknownName) a word is
                none of the choice's or the pool's.
        """
        codes = np.empty((len(points), self.n_parameters))
        for row, point in enumerate(points):
            for column, parameter in enumerate(self.space.parameters):
                if parameter.name not in point:
                    raise InputError(f"a point has no value of '{parameter.name}': {point}")
                codes[row, column] = self._code(parameter, point[parameter.name])
        return codes

    def _code(self, parameter: Real | Integer | Choice | Pool, value: Value) -> float:
        match parameter:
            case Real():
                number = _number(parameter, value)
                low, high = (
                    _on_scale(parameter, parameter.low),
                    _on_scale(parameter, parameter.high),
                )
                return 0.5 if high == low else (_on_scale(parameter, number) - low) / (high - low)
            case Integer():
                return (_number(parameter, value) - parameter.low + 0.5) / n_values(parameter)
            case Choice() | Pool():
                return (self.index(parameter.name, value) + 0.5) / n_values(parameter)
            case _:
                assert_never(parameter)

    def decode(self, codes: Floats) -> list[Point]:
        """Points of codes (n x p); codes outside of [0, 1] are brought to its edge."""
        clipped = np.clip(codes, 0.0, 1.0)
        return [
            {p.name: _value(p, float(c)) for p, c in zip(self.space.parameters, row, strict=True)}
            for row in clipped
        ]

    def snap(self, codes: Floats) -> Floats:
        """Codes (n x p) with every integer, choice and pool in the middle of its cell, and
        everything within [0, 1]."""
        snapped = np.clip(codes, 0.0, 1.0)
        for column, n in enumerate(self.cells):
            if n:
                cell = np.minimum(np.floor(snapped[:, column] * n), n - 1)
                snapped[:, column] = (cell + 0.5) / n
        return snapped

    def features(self, codes: Floats) -> Floats:
        """Features (n x d) of codes (n x p) that are snapped, or encoded from points."""
        out = np.empty((len(codes), self.width))
        for column, (parameter, place) in enumerate(
            zip(self.space.parameters, self.columns, strict=True)
        ):
            if isinstance(parameter, Pool):
                rows = np.floor(codes[:, column] * n_values(parameter)).astype(int)
                out[:, place] = self._tables[parameter.name][rows]
            else:
                out[:, place.start] = codes[:, column]
        return out

    def with_continuous(self, codes: Floats, features: Floats) -> Floats:
        """Codes (n x p) whose real parameters are taken from features (n x d)."""
        moved = codes.copy()
        for column, (parameter, place) in enumerate(
            zip(self.space.parameters, self.columns, strict=True)
        ):
            if isinstance(parameter, Real):
                moved[:, column] = np.clip(features[:, place.start], 0.0, 1.0)
        return moved


def standardised(pool: Pool) -> Floats:
    """The rows of a pool (n x d), each column with mean 1/2 and the spread of a uniform variable
    on [0, 1]; a column without spread is 1/2 throughout."""
    rows = np.asarray(pool.rows, dtype=np.float64).reshape(len(pool.names), len(pool.columns))
    # divided first: the square of 1e200 is not a float
    size = np.abs(rows).max(axis=0, initial=0.0)
    rows = rows / np.where(size > 0, size, 1.0)
    centred = rows - rows.mean(axis=0)
    spread = centred.std(axis=0)
    flat = spread <= 1e-12
    scaled = 0.5 + UNIFORM_SD * centred / np.where(flat, 1.0, spread)
    return np.where(flat, 0.5, scaled)


def distances(a: Floats, b: Floats, unordered: Iterable[int]) -> Floats:
    """Distances (n x m) between features a (n x d) and b (m x d); two words are 1 apart."""
    words = list(unordered)
    numbers = [i for i in range(a.shape[1]) if i not in words]
    squared = np.zeros((len(a), len(b)))
    for i in numbers:
        squared += (a[:, i, None] - b[None, :, i]) ** 2
    for i in words:
        squared += np.abs(a[:, i, None] - b[None, :, i]) > 1e-9
    return np.sqrt(squared)


def n_values(parameter: Real | Integer | Choice | Pool) -> int:
    """How many different values a parameter can take; 0 for a real one."""
    match parameter:
        case Real():
            return 0
        case Integer():
            return parameter.high - parameter.low + 1
        case Choice():
            return len(parameter.options)
        case Pool():
            return len(parameter.names)
        case _:
            assert_never(parameter)


def _check(parameter: Real | Integer | Choice | Pool) -> None:
    name = parameter.name
    if isinstance(parameter, Real):
        if not (math.isfinite(parameter.low) and math.isfinite(parameter.high)):
            raise InputError(f"the bounds of '{name}' are not finite")
        if parameter.scale == "log" and parameter.low <= 0:
            raise InputError(f"'{name}' is on a log scale, but its low bound is {parameter.low:g}")
    if not isinstance(parameter, Pool) and isinstance(parameter, Real | Integer):
        if parameter.low > parameter.high:
            raise InputError(f"the low bound of '{name}' is above its high bound")
    elif n_values(parameter) == 0:
        raise InputError(f"'{name}' has nothing to choose from")
    if isinstance(parameter, Pool) and not np.isfinite(np.asarray(parameter.rows)).all():
        raise InputError(f"the pool '{name}' has a number that is not finite")


def _number(parameter: Real | Integer, value: Value) -> float:
    number = float(value) if not isinstance(value, str) else math.nan
    if not math.isfinite(number):
        raise InputError(f"{parameter.name} = {value!r} is not a finite number")
    if isinstance(parameter, Real) and parameter.scale == "log" and number <= 0:
        raise InputError(f"{parameter.name} = {number:g} is not positive, but on a log scale")
    return number


def _on_scale(parameter: Real, number: float) -> float:
    return math.log(number) if parameter.scale == "log" else number


def _value(parameter: Real | Integer | Choice | Pool, code: float) -> Value:
    if isinstance(parameter, Real):
        return _real(parameter, code)
    cell = min(int(code * n_values(parameter)), n_values(parameter) - 1)
    match parameter:
        case Integer():
            return parameter.low + cell
        case Choice():
            return parameter.options[cell]
        case Pool():
            return parameter.names[cell]
        case _:
            assert_never(parameter)


def _real(parameter: Real, code: float) -> float:
    if code in (0.0, 1.0):  # the very bound, not its rounded logarithm
        return parameter.high if code else parameter.low
    low, high = _on_scale(parameter, parameter.low), _on_scale(parameter, parameter.high)
    number = low * (1.0 - code) + high * code
    if parameter.scale == "log":
        number = math.exp(number)
    return min(max(number, parameter.low), parameter.high)
