"""What a trial costs on each rung: as the file says, or learnt from the seconds that trials took.

The logarithm of the seconds is constant on a rung (their geometric mean), or where that shows,
linear in the one feature that explains it best, such as the number of atoms. What trials took that
failed by their parameters is paid for as well: it raises (or lowers) the mean. numpy only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from orchestrator.model.space import Fidelity
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import CARRIED, Floats
from orchestrator.planner.measured import Evidence
from orchestrator.planner.rungs import Rungs

LEAST_S = 1e-6
MIN_TO_SLOPE = 6
EXACT_SD = 0.02
"""A relative error of seconds below which a line does not fit better."""


@dataclass(frozen=True)
class Line:
    """log(cost) = level + slope (feature - centre), the feature kept within [low, high]."""

    level: float
    feature: int = 0
    slope: float = 0.0
    centre: float = 0.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class Costs:
    """Costs in the file's unit, or in seconds (`is_learnt`). `n` is how many trials told (r);
    `means` is what these took on average, as a multiple of what the lines say (r)."""

    rungs: Rungs
    lines: tuple[Line, ...]
    n: tuple[int, ...]
    is_learnt: bool
    counted: tuple[slice, ...] = ()
    means: tuple[float, ...] = ()

    def expected(self, x: Floats) -> Floats:
        """Mean costs (m) of trials at features (m x d), where many of them are to be added up: a
        typical cost is the geometric mean, and less [smearing estimate, Duan 1983]."""
        found = self(x)
        return found * np.array(self.means)[self.rungs.of(x)] if self.means else found

    def __call__(self, x: Floats) -> Floats:
        """Costs (m) of trials at features (m x d)."""
        rung = self.rungs.of(x)
        logs = np.empty(len(x))
        for r, line in enumerate(self.lines):
            here = rung == r
            logs[here] = line.level
            if line.slope and here.any():
                value = explaining(x[here], self.counted)[:, line.feature]
                logs[here] += line.slope * (np.clip(value, line.low, line.high) - line.centre)
        return np.exp(logs)

    @property
    def typical(self) -> Floats:
        """The cost of a typical trial on each rung (r)."""
        return np.exp([line.level for line in self.lines])


def explaining(x: Floats, counted: tuple[slice, ...]) -> Floats:
    """What may explain costs (m x k): the features (m x d), then the logarithms of sums of counts,
    which are the sizes of molecules."""
    sizes = [np.log1p(x[:, block].sum(axis=1)) for block in counted]
    return np.column_stack([x, *sizes]) if sizes else x


def costs(encoding: Encoding, fidelity: Fidelity, seen: Evidence) -> Costs:
    """What is known about costs after a history. A rung that nobody has tried is taken to cost what
    the dearest known one does."""
    rungs = encoding.rungs
    assert rungs is not None, "a space with a fidelity has rungs"
    if fidelity.costs:
        given = tuple(Line(math.log(cost)) for cost in fidelity.costs)
        return Costs(rungs, given, (0,) * rungs.n, is_learnt=False)
    known = [row for row, s in enumerate(seen.seconds) if s is not None]
    logs = np.log([max(seen.seconds[row] or 0.0, LEAST_S) for row in known])
    failed = np.isin(known, seen.blamed)
    rung, counted = rungs.of(seen.features[known]), encoding.layout.blocks
    wide = explaining(seen.features[known], counted)
    wide[:, np.flatnonzero(encoding.layout.groups == CARRIED)] = 0.0  # names, and the rung
    found: list[Line | None] = []
    for r in range(rungs.n):
        here = rung == r
        found.append(_with_failures(wide[here], logs[here], failed[here]) if here.any() else None)
    dearest = max((line.level for line in found if line is not None), default=0.0)
    lines = tuple(Line(dearest) if line is None else line for line in found)
    n = tuple(int((rung == r).sum()) for r in range(rungs.n))
    found_so = Costs(rungs, lines, n, is_learnt=True, counted=counted)
    beside = np.exp(logs) / found_so(seen.features[known])
    means = (float(beside[rung == r].mean()) if n[r] else 1.0 for r in range(rungs.n))
    return replace(found_so, means=tuple(means))


def _with_failures(x: Floats, y: Floats, failed: NDArray[np.bool_]) -> Line:
    """The line of trials that gave data, raised by what all took beside what these did: a trial
    costs what it takes, whether it fails or not."""
    if failed.all():
        return _line(x, y)
    line, given = _line(x[~failed], y[~failed]), np.exp(y[~failed])
    return replace(line, level=line.level + math.log(np.exp(y).mean() / given.mean()))


def _line(x: Floats, y: Floats) -> Line:
    """The line over the feature that predicts left-out values best; flat unless it clearly gains on
    the mean [a slope and the choice of one of d features, counted as in the BIC]."""
    n, level = len(y), float(y.mean())
    if n < MIN_TO_SLOPE:
        return Line(level)
    centred, off = x - x.mean(axis=0), y - level
    square = (centred * centred).sum(axis=0)
    varied = square > 1e-9 * n
    if not varied.any():
        return Line(level)
    safe = np.where(varied, square, 1.0)
    slopes = off @ centred / safe
    share = centred**2 / safe + 1.0 / n
    missed = (off[:, None] - slopes * centred) / np.maximum(1.0 - share, 1e-9)
    errors = np.where(varied, (missed**2).sum(axis=0), np.inf) + n * EXACT_SD**2
    best = int(np.argmin(errors))
    plain = float((off**2).sum()) * (n / (n - 1.0)) ** 2 + n * EXACT_SD**2
    if 0.5 * n * math.log(plain / errors[best]) < math.log(n) + math.log(varied.sum()) + 1.0:
        return Line(level)
    low, high = float(x[:, best].min()), float(x[:, best].max())
    reach = 0.5 * (high - low)
    centre = float(x[:, best].mean())
    return Line(level, best, float(slopes[best]), centre, low - reach, high + reach)
