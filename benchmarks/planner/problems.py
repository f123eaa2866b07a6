"""The problems that every planner is put to: same spaces, start points, noise and scores.

numpy only (scipy for the start points), since each planner runs in an environment of its own.
Everything is to be made small. A point is a dictionary by parameter name.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from benchmarks.planner import datasets, functions
from benchmarks.planner.steep import STEEP
from benchmarks.planner.worded import WORDED, WORDS, Worded

Point: TypeAlias = dict[str, "float | str"]
TUNED = frozenset(
    (
        "branin",
        "mixed5",
        "ackley10",
        "mixture_interior",
        "zdt1",
        "failure_circle",
        "crossed_barrel",
    )
)
"""Problems on which choices of our planner may be made. The others are only ever reported on."""


@dataclass(frozen=True)
class Variable:
    """A real number in [low, high], perhaps on a log scale; one of some words; or a candidate."""

    name: str
    kind: Literal["real", "choice", "pool"] = "real"
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    levels: tuple[str, ...] = ()

    def at(self, u: float) -> float | str:
        """The value at u in [0, 1)."""
        if self.kind != "real":
            return self.levels[min(int(u * len(self.levels)), len(self.levels) - 1)]
        if self.log:
            return float(self.low * (self.high / self.low) ** u)
        return float(self.low + u * (self.high - self.low))


@dataclass(frozen=True)
class Measured:
    """What a trial gave: noisy objectives, and noisy limits that are to be at most zero."""

    objectives: tuple[float, ...]
    limits: tuple[float, ...] = ()


@dataclass(frozen=True)
class Problem:
    """A question whose answer is known.

    `objectives` gives the true values at a point; `limits` those of measured constraints, at most
    zero where a point is allowed; where it `fails`, a trial gives no value at all (nobody is told
    beforehand where). `optimum` is the least true value, with several objectives the greatest
    hypervolume below `reference`. `ceiling` is the gap as long as nothing allowed was found.
    """

    name: str
    variables: tuple[Variable, ...]
    objectives: Callable[[Point], tuple[float, ...]]
    optimum: float
    n_objectives: int = 1
    noise_sd: float = 0.0
    reference: tuple[float, ...] = ()
    limits: Callable[[Point], tuple[float, ...]] | None = None
    n_limits: int = 0
    fails: Callable[[Point], bool] | None = None
    ceiling: float = math.inf
    is_mixture: bool = False
    candidates: datasets.Candidates | None = None

    @property
    def tuned(self) -> bool:
        """Whether choices of our planner may have been made on it."""
        return self.name in TUNED

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(v.name for v in self.variables)

    def allowed(self, point: Point) -> bool:
        """Whether a trial there gives a value and breaks no limit."""
        if self.fails is not None and self.fails(point):
            return False
        return self.limits is None or max(self.limits(point)) <= 0

    def measure(self, point: Point, rng: np.random.Generator, seed: int) -> Measured | None:
        """One noisy measurement, None for a trial that fails. `rng` is that of the run."""
        errors = self.noise_sd * rng.standard_normal(self.n_objectives)
        if self.fails is not None and self.fails(point):
            return None
        if self.candidates is not None:
            return Measured((self.candidates.draw(str(point["candidate"]), seed),))
        values = tuple(float(v + e) for v, e in zip(self.objectives(point), errors, strict=True))
        return Measured(values, self.limits(point) if self.limits else ())

    def gap(self, point: Point) -> float | None:
        """How far one point's true value lies above the optimum; None where it is not allowed."""
        if not self.allowed(point) or self.n_objectives > 1:
            return None
        return self.objectives(point)[0] - self.optimum

    def gaps(self, points: Sequence[Point]) -> list[float]:
        """After each trial: the least gap so far, or the share of hypervolume still missing."""
        least, found, out = self.ceiling, [], []
        for point in points:
            if self.n_objectives > 1:
                found.append(self.objectives(point))
                least = 1 - hypervolume(found, self.reference) / self.optimum
            else:
                gap = self.gap(point)
                least = least if gap is None else min(least, gap)
            out.append(least)
        return out


def hypervolume(values: Iterable[Sequence[float]], reference: Sequence[float]) -> float:
    """The area that two objectives dominate below the reference."""
    area, edge = 0.0, reference[1]
    for first, second in sorted(tuple(v) for v in values):
        if first < reference[0] and second < edge:
            area += (reference[0] - first) * (edge - second)
            edge = second
    return area


def starts(problem: Problem, n: int, seed: int) -> list[Point]:
    """The first `n` points of a run, the same for every planner: scrambled Sobol.

    Of a pool, candidates at random; in a mixture the uniform distribution on the simplex.
    """
    if problem.candidates is not None:
        rng = np.random.default_rng([seed, 1])
        chosen = rng.choice(len(problem.candidates.names), n, replace=False)
        return [{"candidate": problem.candidates.names[i]} for i in chosen]
    return [point_at(problem, row) for row in sobol(len(problem.variables), n, 1000 + seed)]


def sobol(d: int, n: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """`n` scrambled Sobol points in d dimensions."""
    from scipy.stats import qmc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that `n` is not a power of two
        return np.asarray(qmc.Sobol(d, scramble=True, seed=seed).random(n))


def point_at(problem: Problem, u: Sequence[float]) -> Point:
    """The point at u in the unit cube."""
    if problem.is_mixture:
        parts = -np.log(np.clip(np.asarray(u, dtype=float), 1e-12, 1.0))
        return dict(zip(problem.names, map(float, parts / parts.sum()), strict=True))
    return {v.name: v.at(a) for v, a in zip(problem.variables, u, strict=True)}


def _reals(d: int, low: float = 0.0, high: float = 1.0) -> tuple[Variable, ...]:
    return tuple(Variable(f"x{i + 1}", low=low, high=high) for i in range(d))


def _numbers(point: Point) -> list[float]:
    return [v for v in point.values() if isinstance(v, float)]


def _single(function: Callable[[list[float]], float], point: Point) -> tuple[float, ...]:
    return (float(function(_numbers(point))),)


def _over(function: Callable, point: Point):  # type: ignore[no-untyped-def, type-arg]
    return function(_numbers(point))


def _plain(
    name: str, d: int, bounds: tuple[float, float], function: Callable[[list[float]], float],
    optimum: float, noise_sd: float = 0.0,
) -> Problem:  # fmt: skip
    return Problem(name, _reals(d, *bounds), partial(_single, function), optimum, noise_sd=noise_sd)


def _branin() -> Problem:
    space = (Variable("x1", low=-5.0, high=10.0), Variable("x2", low=0.0, high=15.0))
    return Problem("branin", space, partial(_single, functions.branin), 0.397887)


def _mixed5() -> Problem:
    space = (
        *_reals(3),
        Variable("solvent", "choice", levels=("A", "B", "C", "D")),
        Variable("catalyst", "choice", levels=("P", "Q", "R", "S")),
    )

    def truth(point: Point) -> tuple[float, ...]:
        words = str(point["solvent"]), str(point["catalyst"])
        return (functions.mixed5(_numbers(point), *words),)

    return Problem("mixed5", space, truth, 0.0, noise_sd=0.1)


def _mixture(name: str, function: Callable[[list[float]], float], optimum: float) -> Problem:
    truth = partial(_single, function)
    space = tuple(Variable(letter) for letter in "abcd")
    return Problem(name, space, truth, optimum, is_mixture=True)


def _failing(
    name: str, space: tuple[Variable, ...], function: Callable[[list[float]], float],
    fails: Callable[[list[float]], bool], optimum: float, ceiling: float,
) -> Problem:  # fmt: skip
    truth = partial(_single, function)
    return Problem(name, space, truth, optimum, fails=partial(_over, fails), ceiling=ceiling)


def _gramacy() -> Problem:
    return Problem(
        "gramacy",
        _reals(2),
        partial(_single, functions.gramacy),
        0.599788,
        limits=partial(_over, functions.gramacy_limits),
        n_limits=2,
        ceiling=1.4,
    )


def _two(
    name: str, space: tuple[Variable, ...], function: Callable[[list[float]], tuple[float, float]],
    reference: tuple[float, float], greatest: float,
) -> Problem:  # fmt: skip
    truth = partial(_over, function)
    return Problem(name, space, truth, greatest, n_objectives=2, reference=reference)


def _reaction() -> Problem:
    space = (
        Variable("temperature", low=40.0, high=140.0),
        Variable("minutes", low=1.0, high=100.0, log=True),
        Variable("loading", low=0.1, high=10.0, log=True),
        Variable("excess", low=1.0, high=3.0),
        Variable("solvent", "choice", levels=tuple(functions.SOLVENT_RATES)),
    )

    def truth(point: Point) -> tuple[float, ...]:
        t, minutes, loading, excess = _numbers(point)
        return (functions.reaction(t, minutes, loading, excess, str(point["solvent"])),)

    return Problem("reaction", space, truth, 10.10008, noise_sd=1.0)


def _pool(name: str) -> Problem:
    return _of_candidates(name, getattr(datasets, name)())


def _held(name: str) -> Problem:
    return _of_candidates(name, datasets.held(name))


def _of_candidates(name: str, candidates: datasets.Candidates) -> Problem:
    def truth(point: Point) -> tuple[float, ...]:
        return (candidates.mean(str(point["candidate"])),)

    space = (Variable("candidate", "pool", levels=candidates.names),)
    return Problem(name, space, truth, candidates.best, candidates=candidates)


def _perovskites() -> Problem:
    table = datasets.perovskites()
    kinds = [tuple(dict.fromkeys(column)) for column in zip(*table, strict=True)]
    space = tuple(
        Variable(name, "choice", levels=levels)
        for name, levels in zip(("organic", "cation", "anion"), kinds, strict=True)
    )

    def truth(point: Point) -> tuple[float, ...]:
        return (table[str(point["organic"]), str(point["cation"]), str(point["anion"])],)

    return Problem("perovskites", space, truth, min(table.values()))


def _worded(name: str, made: Worded) -> Problem:
    words = tuple(WORDS[: made.n_words])
    choices = tuple(Variable(f"c{i + 1}", "choice", levels=words) for i in range(made.n_choices))

    def truth(point: Point) -> tuple[float, ...]:
        places = [words.index(str(point[choice.name])) for choice in choices]
        return (made.value(places, np.array(_numbers(point))),)

    space = (*choices, *_reals(made.n_reals))
    return Problem(name, space, truth, made.optimum, noise_sd=made.noise_sd)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "branin": _branin,
    "mixed5": _mixed5,
    "ackley10": partial(_plain, "ackley10", 10, (-5.0, 10.0), functions.ackley, 0.0),
    "mixture_interior": partial(
        _mixture, "mixture_interior", functions.mixture_interior, -0.014845
    ),
    "zdt1": partial(_two, "zdt1", _reals(6), functions.zdt1, (1.1, 6.0), 5.6 + 2 / 3),
    "failure_circle": partial(
        _failing,
        "failure_circle",
        _reals(2, -1.0),
        functions.rim,
        functions.outside_circle,
        -0.040774,
        1.4,
    ),
    "crossed_barrel": partial(_pool, "crossed_barrel"),
    "hartmann6": partial(_plain, "hartmann6", 6, (0.0, 1.0), functions.hartmann6, -3.32237),
    "mixture_edge": partial(_mixture, "mixture_edge", functions.mixture_edge, 0.148947),
    "crash4": partial(
        _failing,
        "crash4",
        _reals(4),
        functions.crash4,
        functions.crash4_fails,
        0.004115,
        4.0,
    ),
    "failure_hole": partial(
        _failing,
        "failure_hole",
        _reals(2, -1.0),
        functions.rim_turned,
        functions.outside_ring,
        -0.166245,
        1.4,
    ),
    "gramacy": _gramacy,
    "dtlz2": partial(_two, "dtlz2", _reals(6), functions.dtlz2, (1.1, 1.1), 1.21 - math.pi / 4),
    "ackley50": partial(_plain, "ackley50", 50, (-5.0, 10.0), functions.ackley_of_four, 0.0),
    "agnp": partial(_pool, "agnp"),
    "perovskites": _perovskites,
    "levy6": partial(_plain, "levy6", 6, (-10.0, 10.0), functions.levy, 0.0),
    "rosenbrock4": partial(_plain, "rosenbrock4", 4, (-2.048, 2.048), functions.rosenbrock, 0.0),
    "griewank5": partial(_plain, "griewank5", 5, (-50.0, 70.0), functions.griewank, 0.0),
    "michalewicz5": partial(
        _plain, "michalewicz5", 5, (0.0, math.pi), functions.michalewicz, -4.687658
    ),
    "hartmann3": partial(_plain, "hartmann3", 3, (0.0, 1.0), functions.hartmann3, -3.86278, 0.1),
    "reaction": _reaction,
    "vlmop2": partial(_two, "vlmop2", _reals(2, -2.0, 2.0), functions.vlmop2, (1.1, 1.1), 0.552113),
}
"""In the order of report, those tuned on first. Optima that have no closed form were found by 150
to 600 climbs from random points and a polish, to six digits."""
HELD: dict[str, Callable[[], Problem]] = {name: partial(_held, name) for name in datasets.HELD}
"""Measured tables that no choice of our planner was ever made by."""
OTHERS = HELD | {name: partial(_worded, name, made) for name, made in WORDED.items()}
OTHERS |= {
    name: partial(_plain, name, one.d, one.bounds, one.value, one.optimum)
    for name, one in STEEP.items()
}
"""What is not in the report's tables: those; `worded` and `steep`, by which choices were made."""
SCATTERED = ("branin", "hartmann6", "levy6", "rosenbrock4", "griewank5", "michalewicz5", "gramacy")
SCATTER = 0.3


def _noisy(name: str) -> Problem:
    """A problem whose outcomes scatter by a share of their own spread over the space."""
    plain = PROBLEMS[name]()
    values = [plain.objectives(p)[0] for p in starts(plain, 1024, 0)]
    return replace(plain, name=f"noisy_{name}", noise_sd=SCATTER * float(np.std(values)))


NOISY = {f"noisy_{name}": partial(_noisy, name) for name in SCATTERED}
OTHERS |= NOISY
DATA_FILES = {name: f"{name}.csv" for name in ("crossed_barrel", "agnp", "perovskites")}


def absent(name: str) -> str:
    """Why a problem cannot be had here, or ''."""
    if name in HELD:
        return datasets.absent_held(name)
    return datasets.absent(DATA_FILES[name]) if name in DATA_FILES else ""


def problem(name: str) -> Problem:
    """The problem of that name."""
    return (PROBLEMS | OTHERS)[name]()
