"""Functions that go over decades, by which it was decided how goals are bent. numpy only.

The first eight are of the virtual library of simulation experiments (Surjanovic and Bingham); the
last two are made up after what is measured: a conductivity, and a current through a film.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from benchmarks.planner import functions

Floats: TypeAlias = Sequence[float]
BOLTZMANN_EV = 8.617e-5


@dataclass(frozen=True)
class Steep:
    """A function of d numbers between two bounds, to be made small, and its least value (that of
    `leakage` by 200 climbs)."""

    d: int
    bounds: tuple[float, float]
    value: Callable[[Floats], float]
    optimum: float = 0.0


def goldstein(x: Floats) -> float:
    a, b = x
    first = 19 - 14 * a + 3 * a * a - 14 * b + 6 * a * b + 3 * b * b
    second = 18 - 32 * a + 12 * a * a + 48 * b - 36 * a * b + 27 * b * b
    return (1 + (a + b + 1) ** 2 * first) * (30 + (2 * a - 3 * b) ** 2 * second)


def beale(x: Floats) -> float:
    a, b = x
    return sum((c - a + a * b**k) ** 2 for k, c in ((1, 1.5), (2, 2.25), (3, 2.625)))


def camel(x: Floats) -> float:
    a, b = x
    return 2 * a * a - 1.05 * a**4 + a**6 / 6 + a * b + b * b


def colville(x: Floats) -> float:
    a, b, c, d = x
    far = 100 * (a * a - b) ** 2 + (a - 1) ** 2 + (c - 1) ** 2 + 90 * (c * c - d) ** 2
    return far + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1)


def powell(x: Floats) -> float:
    a, b, c, d = x
    return (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4


def dixon(x: Floats) -> float:
    rest = sum((i + 1) * (2 * x[i] ** 2 - x[i - 1]) ** 2 for i in range(1, len(x)))
    return (x[0] - 1) ** 2 + rest


def zakharov(x: Floats) -> float:
    half = sum(0.5 * (i + 1) * v for i, v in enumerate(x))
    return sum(v * v for v in x) + half**2 + half**4


def conductivity(x: Floats) -> float:
    """Less a conductivity: activated by heat, with a best composition and thickness."""
    heat, dopant, thickness = x
    activated = math.exp(-0.6 / (BOLTZMANN_EV * (300.0 + 500.0 * heat)))
    hill = math.exp(-(((dopant - 0.3) / 0.12) ** 2) - ((thickness - 0.6) / 0.2) ** 2)
    return -1e3 * activated * hill - 1e-4


def leakage(x: Floats) -> float:
    """A current of 1 nA to 10 A."""
    away = (np.array(x) - [0.31, 0.62, 0.45, 0.7]) ** 2 @ [1.0, 0.5, 2.0, 0.2]
    return float(10.0 ** (-9.0 + 10.0 * away + 0.5 * math.sin(5.0 * x[0]) * x[1]))


STEEP = {
    "goldstein2": Steep(2, (-2.0, 2.0), goldstein, 3.0),
    "beale2": Steep(2, (-4.5, 4.5), beale),
    "camel2": Steep(2, (-5.0, 5.0), camel),
    "colville4": Steep(4, (-10.0, 10.0), colville),
    "powell4": Steep(4, (-4.0, 5.0), powell),
    "dixon5": Steep(5, (-10.0, 10.0), dixon),
    "zakharov4": Steep(4, (-5.0, 10.0), zakharov),
    "rosenbrock6": Steep(6, (-2.048, 2.048), functions.rosenbrock),
    "conductivity3": Steep(3, (0.0, 1.0), conductivity, conductivity((1.0, 0.3, 0.6))),
    "leakage4": Steep(4, (0.0, 1.0), leakage, 1.983372e-9),
}
