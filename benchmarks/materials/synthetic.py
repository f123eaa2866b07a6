"""Made-up targets with sources that have to do with them, or have not. Noise included."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Sample = tuple[Floats, Floats, Floats]
"""Features (n x 2), outcomes (n), source predictions (n x s)."""
NOISE_SD = 0.05


def _wave(x: Floats, random: np.random.Generator, steepness: float) -> Floats:
    return np.asarray(np.sin(x @ (random.normal(size=2) * steepness) + random.uniform(0.0, 6.28)))


def shifted(x: Floats, random: np.random.Generator) -> Sample:
    """The target is the source, shifted by something smooth."""
    f = np.sin(7.0 * x[:, 0]) * np.cos(5.0 * x[:, 1])
    return x, f + 0.5 + 0.4 * x[:, 0], f[:, None]


def bent(x: Floats, random: np.random.Generator) -> Sample:
    """The target is the source times something smooth, in another unit and of the other sign."""
    f = np.sin(7.0 * x[:, 0]) * np.cos(5.0 * x[:, 1])
    return x, -3.0 * f * (1.0 + 0.3 * x[:, 1]) + 10.0, f[:, None]


def other_waves(x: Floats, random: np.random.Generator) -> Sample:
    """Target and source are two waves in random directions."""
    f = _wave(x, random, 5.0)
    return x, _wave(x, random, 5.0), f[:, None]


def other_surface(x: Floats, random: np.random.Generator) -> Sample:
    """A smooth target and a source with other ups and downs."""
    a, b = random.uniform(4.0, 8.0, size=2)
    f = np.cos(a * x[:, 1] + 1.0) + np.sin(b * x[:, 0] * x[:, 1])
    return x, np.sin(3.0 * x[:, 0]) + x[:, 1] ** 2, f[:, None]


def three_others(x: Floats, random: np.random.Generator) -> Sample:
    """An easy target and three waves in random directions."""
    f = np.stack([_wave(x, random, 6.0) for _ in range(3)], axis=1)
    return x, x[:, 0] + 0.5 * x[:, 1] ** 2, f


def pure_noise(x: Floats, random: np.random.Generator) -> Sample:
    """A smooth target and a source that is noise."""
    f = random.normal(size=(len(x), 1))
    return x, np.sin(4.0 * x[:, 0]) + x[:, 1], f


RELATED: dict[str, Callable[..., Sample]] = {"shifted": shifted, "bent": bent}
UNRELATED: dict[str, Callable[..., Sample]] = {
    "other waves": other_waves,
    "other surface": other_surface,
    "three others": three_others,
    "pure noise": pure_noise,
}


def sample(draw: Callable[..., Sample], n: int, seed: int) -> Sample:
    """`n` points of a task."""
    random = np.random.default_rng([seed, 11])
    x, y, f = draw(random.random((n, 2)), random)
    return x, y + NOISE_SD * random.normal(size=n), f
