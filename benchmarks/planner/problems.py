"""Test problems with known optima, as planning tasks. numpy only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective, OutcomeConstraint
from orchestrator.model.space import Choice, Parameter, Point, Pool, Real, SearchSpace
from orchestrator.ports.planner import MetricScale, PlanningTask


@dataclass(frozen=True)
class Problem:
    """A task whose answer is known.

    `truth` gives every metric without noise; `noise` is the standard deviation that a measurement
    adds (on the logarithm, for a metric on a log scale). `optimum` is on the modelled scale.
    """

    name: str
    parameters: tuple[Parameter, ...]
    truth: Callable[[Point], dict[str, float]]
    optimum: float
    metrics: tuple[MetricScale, ...] = (MetricScale(name="y", unit=""),)
    constraints: tuple[OutcomeConstraint, ...] = ()
    noise: float = 0.0

    def task(self, kind: str, seed: int, initial: int = 8) -> PlanningTask:
        """The question put to a planner of that kind."""
        return PlanningTask(
            space=SearchSpace(parameters=self.parameters),
            metrics=self.metrics,
            objective=Objective(
                goals=(Goal(metric=self.metrics[0].name, direction="minimise"),),
                constraints=self.constraints,
            ),
            planner=PlannerChoice(kind=kind, initial=initial),
            seed=seed,
        )

    def measure(self, point: Point, rng: np.random.Generator) -> dict[str, float]:
        """The metrics at a point, with noise."""
        out = {}
        for metric in self.metrics:
            value, error = self.truth(point)[metric.name], self.noise * rng.standard_normal()
            out[metric.name] = value * 10**error if metric.scale == "log" else value + error
        return out

    def regret(self, point: Point) -> float:
        """How far the true objective is above the optimum; infinite where a limit is broken."""
        values = self.truth(point)
        for constraint in self.constraints:
            sign = 1.0 if constraint.sense == ">=" else -1.0
            if sign * values[constraint.metric] < sign * constraint.bound:
                return math.inf
        objective = self.metrics[0]
        value = values[objective.name]
        return (math.log10(value) if objective.scale == "log" else value) - self.optimum


def _reals(n: int) -> tuple[Real, ...]:
    return tuple(Real(name=f"x{i + 1}", low=0.0, high=1.0) for i in range(n))


def _vector(point: Point, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([float(point[f"x{i + 1}"]) for i in range(n)])


def _branin(point: Point) -> dict[str, float]:
    a, b = 15.0 * float(point["x1"]) - 5.0, 15.0 * float(point["x2"])
    bowl = (b - 5.1 / (4 * math.pi**2) * a * a + 5 / math.pi * a - 6) ** 2
    return {"y": bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10}


_WEIGHTS = np.array([1, 1.2, 3, 3.2])
_SHAPES = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def _hartmann6(point: Point) -> dict[str, float]:
    x = _vector(point, 6)
    return {"y": float(-np.sum(_WEIGHTS * np.exp(-np.sum(_SHAPES * (x - _CENTRES) ** 2, axis=1))))}


def _film(point: Point) -> dict[str, float]:
    """A made-up film: its resistivity spans decades with a valley in oxygen and temperature, and
    falls with power and argon, which is where it gets too thin."""
    oxygen, heat, power, argon = _vector(point, 4)
    decades = 6.0 * (oxygen - 0.25 - 0.3 * heat) ** 2 + 2.5 * (heat - 0.7) ** 2 - 0.5 * argon
    thickness = 40.0 + 160.0 * power * (1.0 - 0.6 * argon) * (1.0 - 0.5 * oxygen)
    return {"resistivity": 10.0 ** (decades - 3.0), "thickness": thickness}


def _film_optimum() -> float:
    """On the limit at full power: argon follows from oxygen, and a fine grid is left."""
    grid = np.linspace(0.0, 1.0, 2001)
    oxygen, heat = np.meshgrid(grid, grid, indexing="ij")
    argon = np.clip((1.0 - 0.5 / (1.0 - 0.5 * oxygen)) / 0.6, 0.0, 1.0)
    decades = 6.0 * (oxygen - 0.25 - 0.3 * heat) ** 2 + 2.5 * (heat - 0.7) ** 2 - 0.5 * argon
    return float(decades.min()) - 3.0


_SOLVENTS = {
    "water": (0.2, 0.8),
    "ethanol": (0.75, 0.35),
    "toluene": (0.45, 0.0),
    "dmf": (0.6, 0.5),
}
_CATALYSTS = {"p": (0.3, 0.3), "q": (0.85, 0.7), "r": (0.55, 0.45), "s": (0.15, 0.0)}


def _reaction(point: Point) -> dict[str, float]:
    """Each word moves the optimum of one real parameter and adds an offset."""
    x = _vector(point, 3)
    (at1, plus1), (at2, plus2) = (
        _SOLVENTS[str(point["solvent"])],
        _CATALYSTS[str(point["catalyst"])],
    )
    ripple = 0.15 * (1 - math.cos(4 * math.pi * (x[2] - 0.35)))
    bowl = 4 * (x[0] - at1) ** 2 + 3 * (x[1] - at2) ** 2 + 2 * (x[2] - 0.35) ** 2
    return {"y": bowl + plus1 + plus2 + ripple}


def _pool(n: int = 2000, width: int = 6, seed: int = 7) -> Problem:
    rng = np.random.default_rng(seed)
    rows = rng.random((n, width)) ** 2
    y = np.array([_hartmann6(_named(row))["y"] for row in rows])
    names = tuple(f"c{i}" for i in range(n))
    by_name = dict(zip(names, y.tolist(), strict=True))
    pool = Pool(
        name="candidate",
        names=names,
        columns=tuple(f"x{i + 1}" for i in range(width)),
        units=("",) * width,
        rows=tuple(map(tuple, rows.tolist())),
    )
    return Problem(
        name="pool",
        parameters=(pool,),
        truth=lambda point: {"y": by_name[str(point["candidate"])]},
        optimum=float(y.min()),
    )


def _named(row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Point:
    return {f"x{i + 1}": float(v) for i, v in enumerate(row)}


def problems() -> dict[str, Problem]:
    """All of them, by name."""
    found = [
        Problem("branin", _reals(2), _branin, optimum=0.397887),
        Problem("hartmann6", _reals(6), _hartmann6, optimum=-3.32237),
        Problem(
            "film",
            _reals(4),
            _film,
            optimum=_film_optimum(),
            metrics=(
                MetricScale(name="resistivity", unit="ohm*cm", scale="log"),
                MetricScale(name="thickness", unit="nm"),
            ),
            constraints=(OutcomeConstraint(metric="thickness", sense=">=", bound=120.0),),
            noise=0.02,
        ),
        Problem(
            "reaction",
            (
                *_reals(3),
                Choice(name="solvent", options=tuple(_SOLVENTS)),
                Choice(name="catalyst", options=tuple(_CATALYSTS)),
            ),
            _reaction,
            optimum=0.0,
            noise=0.05,
        ),
        _pool(),
    ]
    return {p.name: p for p in found}
