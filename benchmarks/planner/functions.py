"""The formulas behind the problems: truth without noise, everything to be made small. numpy only.

Each takes the parameters in the order of the problem. What fails or breaks a limit is said by
functions of their own. Where nothing else is said, bounds and optima are those of Surjanovic and
Bingham's virtual library of simulation experiments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

Floats: TypeAlias = Sequence[float]
Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


def branin(x: Floats) -> float:
    """Three equal minima in [-5, 10] x [0, 15]."""
    a, b = x
    hollow = b - 5.1 / (4 * math.pi**2) * a * a + 5 / math.pi * a - 6
    return hollow**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10


HARTMANN_WEIGHTS = np.array([1, 1.2, 3, 3.2])
HARTMANN6_SCALES = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
HARTMANN6_CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)
HARTMANN3_SCALES = np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]])
HARTMANN3_CENTRES = 1e-4 * np.array(
    [[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]]
)


def hartmann6(x: Floats) -> float:
    """Six minima in the unit cube."""
    return _hartmann(x, HARTMANN6_SCALES, HARTMANN6_CENTRES)


def hartmann3(x: Floats) -> float:
    """Four minima in the unit cube."""
    return _hartmann(x, HARTMANN3_SCALES, HARTMANN3_CENTRES)


def _hartmann(x: Floats, scales: Array, centres: Array) -> float:
    exponents = np.sum(scales * (np.asarray(x) - centres) ** 2, axis=1)
    return float(-np.sum(HARTMANN_WEIGHTS * np.exp(-exponents)))


def ackley(x: Floats) -> float:
    """A funnel with ripples; 0 at the origin."""
    v = np.asarray(x)
    funnel = -20 * math.exp(-0.2 * math.sqrt(float(np.mean(v * v))))
    ripples = -math.exp(float(np.mean(np.cos(2 * math.pi * v))))
    return funnel + ripples + 20 + math.e


ACTIVE_AXES = (3, 17, 28, 41)


def ackley_of_four(x: Floats) -> float:
    """Ackley of four of the axes; the others act on nothing."""
    return ackley([x[i] for i in ACTIVE_AXES])


SOLVENT_TARGETS = {"A": 0.2, "B": 0.75, "C": 0.45, "D": 0.6}
SOLVENT_OFFSETS = {"A": 0.8, "B": 0.35, "C": 0.0, "D": 0.5}
CATALYST_TARGETS = {"P": 0.3, "Q": 0.85, "R": 0.55, "S": 0.15}
CATALYST_OFFSETS = {"P": 0.3, "Q": 0.7, "R": 0.45, "S": 0.0}


def mixed5(x: Floats, solvent: str, catalyst: str) -> float:
    """Each word moves the optimum of one continuous parameter and adds an offset."""
    u = x[0] - SOLVENT_TARGETS[solvent]
    v = x[1] - CATALYST_TARGETS[catalyst]
    w = x[2] - 0.35
    interaction = 0.0 if (solvent, catalyst) == ("C", "S") else 0.15
    bowl = 4 * u * u + 3 * v * v + 2 * w * w + 1.5 * abs(u * w)
    offsets = SOLVENT_OFFSETS[solvent] + CATALYST_OFFSETS[catalyst] + interaction
    return bowl + offsets + 0.15 * (1 - math.cos(4 * math.pi * w))


def mixture_interior(p: Floats) -> float:
    """A main peak where all four components are present, and a lower one elsewhere."""
    main = _peak(p, (0.4, 0.3, 0.2, 0.1), (0.28, 0.22, 0.22, 0.16))
    decoy = _peak(p, (0.1, 0.1, 0.25, 0.55), (0.3, 0.3, 0.3, 0.3))
    return 1.0 - main - 0.6 * decoy


def mixture_edge(p: Floats) -> float:
    """A Scheffé quadratic whose optimum lacks two components, and a lower peak inside."""
    a, b, c, d = p
    blend = 0.2 * a + 0.3 * b + 0.1 * c - 0.2 * d + 2.4 * a * b + 0.8 * a * c - 0.5 * b * d
    decoy = _peak(p, (0.2, 0.15, 0.35, 0.3), (0.2, 0.2, 0.2, 0.2))
    return 1.0 - blend - 0.5 * decoy


def _peak(p: Floats, centre: Floats, widths: Floats) -> float:
    return math.exp(-sum(((a - b) / w) ** 2 for a, b, w in zip(p, centre, widths, strict=True)))


def crash4(x: Floats) -> float:
    """A rippled bowl whose bottom lies where every trial fails."""
    u, v, w, z = (a - b for a, b in zip(x, (0.75, 0.65, 0.45, 0.7), strict=True))
    ripples = 2 - math.cos(4 * math.pi * u) - math.cos(4 * math.pi * w)
    return 3 * u * u + 2 * v * v + 4 * w * w + 2 * z * z + 0.1 * ripples


def crash4_fails(x: Floats) -> bool:
    """About half of the space, in three regions."""
    too_hot = x[0] + 0.8 * x[1] > 1.25
    phase_missed = (x[2] - 0.5) ** 2 + (x[3] - 0.5) ** 2 < 0.06
    never_lit = x[0] * x[2] < 0.06
    return too_hot or phase_missed or never_lit


RIM_PEAKS = (
    (1.4, (0.15, 0.7), (1.2, 4.5)),
    (1.0, (0.72, -0.1), (4.5, 1.2)),
    (1.0, (-0.2, -0.68), (1.2, 4.5)),
    (1.0, (-0.7, 0.05), (4.5, 1.2)),
)
"""Height, centre, and slopes along both axes of ridged peaks near the rim of the unit circle."""


def rim(x: Floats) -> float:
    """Ridged peaks near the rim, one higher than the others."""
    return 1.4 - sum(
        height * math.exp(-slopes[0] * abs(x[0] - centre[0]) - slopes[1] * abs(x[1] - centre[1]))
        for height, centre, slopes in RIM_PEAKS
    )


def rim_turned(x: Floats) -> float:
    """The same peaks, each ridge turned by 45 degrees."""
    total = 0.0
    for height, centre, slopes in RIM_PEAKS:
        along, across = x[0] - centre[0], x[1] - centre[1]
        first, second = (along + across) / math.sqrt(2), (along - across) / math.sqrt(2)
        total += height * math.exp(-slopes[0] * abs(first) - slopes[1] * abs(second))
    return 1.4 - total


def outside_circle(x: Floats) -> bool:
    """Nothing grows outside the unit circle."""
    return x[0] ** 2 + x[1] ** 2 > 1


def outside_ring(x: Floats) -> bool:
    """Nothing grows outside the unit circle, nor in a square hole in its middle."""
    return outside_circle(x) or max(abs(x[0]), abs(x[1])) < 0.5


def gramacy(x: Floats) -> float:
    """Gramacy et al. 2016: simple, but for its limits."""
    return x[0] + x[1]


def gramacy_limits(x: Floats) -> tuple[float, float]:
    """Both measured, both to be at most zero."""
    wave = 0.5 * math.sin(2 * math.pi * (x[0] ** 2 - 2 * x[1]))
    return 1.5 - x[0] - 2 * x[1] - wave, x[0] ** 2 + x[1] ** 2 - 1.5


def levy(x: Floats) -> float:
    """Waves in a valley; 0 at (1, ..., 1)."""
    w = 1 + (np.asarray(x) - 1) / 4
    middle = np.sum((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2))
    last = (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    return float(math.sin(math.pi * w[0]) ** 2 + middle + last)


def rosenbrock(x: Floats) -> float:
    """A bent valley; 0 at (1, ..., 1)."""
    v = np.asarray(x)
    return float(np.sum(100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2))


def griewank(x: Floats) -> float:
    """A bowl with ripples; 0 at the origin."""
    v = np.asarray(x)
    ripples = np.prod(np.cos(v / np.sqrt(np.arange(1, len(v) + 1))))
    return float(np.sum(v * v) / 4000 - ripples + 1)


def michalewicz(x: Floats) -> float:
    """Steep valleys in a plain (m = 10)."""
    v = np.asarray(x)
    return float(-np.sum(np.sin(v) * np.sin(np.arange(1, len(v) + 1) * v * v / math.pi) ** 20))


SOLVENT_RATES = {
    "toluene": (1.0, 0.6),
    "dioxane": (1.6, 1.0),
    "dmf": (2.2, 2.4),
    "ethanol": (0.5, 0.3),
}
"""How much faster the product is made, and lost, than in the reference."""


def reaction(
    temperature_c: float, minutes: float, loading: float, excess: float, solvent: str
) -> float:
    """Yield missing (%) of a consecutive reaction A -> B -> C with a catalyst that dies when hot.

    Made up for this benchmark: Arrhenius rates about 80 degrees Celsius, `loading` in mol% and
    `minutes` over two decades each, `excess` the equivalents of the second reagent.
    """
    made, lost = SOLVENT_RATES[solvent]
    per_kelvin = 1 / 8.314e-3 * (1 / 353.15 - 1 / (temperature_c + 273.15))
    alive = 1 / (1 + math.exp((temperature_c - 125) / 6))
    k1 = 0.03 * made * loading**0.7 * excess**0.5 * math.exp(60 * per_kelvin) * alive
    k2 = 0.002 * lost * (1 + 0.4 * loading) * math.exp(85 * per_kelvin)
    if math.isclose(k1, k2, rel_tol=1e-9):
        k1 *= 1 + 1e-6
    share = k1 / (k1 - k2) * (math.exp(-k2 * minutes) - math.exp(-k1 * minutes))
    side = 1 - 0.08 * (excess - 1) ** 2 - 0.05 * math.log10(loading) ** 2
    return 100 * (1 - share * side)


def dtlz2(x: Floats) -> tuple[float, float]:
    """Two objectives; the front is a quarter of the unit circle."""
    g = 1 + sum((a - 0.5) ** 2 for a in x[1:])
    return g * math.cos(x[0] * math.pi / 2), g * math.sin(x[0] * math.pi / 2)


def zdt1(x: Floats) -> tuple[float, float]:
    """Two objectives; the front is f2 = 1 - sqrt(f1), where all but the first are zero."""
    g = 1 + 9 * sum(x[1:]) / (len(x) - 1)
    return x[0], g * (1 - math.sqrt(x[0] / g))


def vlmop2(x: Floats) -> tuple[float, float]:
    """Two objectives, each a well; the front is curved inwards."""
    shift = 1 / math.sqrt(len(x))
    return (
        1 - math.exp(-sum((a - shift) ** 2 for a in x)),
        1 - math.exp(-sum((a + shift) ** 2 for a in x)),
    )
