"""Wanted ranges of properties as a score: how likely a material is to lie in all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError, PlanningError

Floats = NDArray[np.float64]
_NARROW = 1e-9


@runtime_checkable
class Model(Protocol):
    """Predicts properties."""

    def predict(self, materials: Sequence[str], /) -> tuple[Floats, Floats]:
        """n materials -> the means and the standard deviations of p properties, n x p each; n each
        where there is one property."""
        ...


@dataclass(frozen=True)
class Interval:
    """The wanted range of a property, in the unit of its model; one side may be left open.

    `weight` multiplies its log likelihood: 2 counts as if it were wanted twice.
    """

    low: float = -math.inf
    high: float = math.inf
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise InputError(f"nothing is wanted of a property between {self.low} and {self.high}")
        if not (math.isfinite(self.weight) and self.weight > 0.0):
            raise InputError(f"a property cannot be wanted with the weight {self.weight}")


class Targets:
    """A score: the sum over properties of log P(low < y < high), y normal as the model says.

    The properties are taken as independent (Ikebata et al. 2017). Given several models, their
    properties count one after the other.
    """

    def __init__(self, models: Model | Sequence[Model], intervals: Sequence[Interval]) -> None:
        self._models = (models,) if isinstance(models, Model) else tuple(models)
        self._intervals = tuple(intervals)
        if not (self._models and self._intervals):
            raise InputError("a target needs a model and an interval at least")

    def __call__(self, materials: Sequence[str]) -> Floats:
        """n materials -> n log likelihoods."""
        return np.asarray(self.terms(materials).sum(axis=1))

    def terms(self, materials: Sequence[str]) -> Floats:
        """n materials -> n x p weighted log likelihoods, one for each property.

        Raises:
            PlanningError: a model has no finite mean or no positive deviation of a material, or
                predicts another number of properties than there are intervals.
        """
        mean, sd = self.predict(materials)
        low, high, weight = np.array([(i.low, i.high, i.weight) for i in self._intervals]).T
        return np.asarray(weight * log_interval(mean, sd, low, high))

    def predict(self, materials: Sequence[str]) -> tuple[Floats, Floats]:
        """Means and standard deviations, n x p each. Raises PlanningError."""
        if not materials:
            return np.empty((0, len(self._intervals))), np.empty((0, len(self._intervals)))
        found = [model.predict(materials) for model in self._models]
        mean, sd = (
            np.hstack([np.asarray(one[k], float).reshape(len(materials), -1) for one in found])
            for k in (0, 1)
        )
        if mean.shape[1] != len(self._intervals) or sd.shape != mean.shape:
            raise PlanningError(
                f"the models predict {mean.shape[1]} properties, {len(self._intervals)} are wanted"
            )
        bad = ~(np.isfinite(mean) & np.isfinite(sd) & (sd > 0.0)).all(axis=1)
        if bad.any():
            raise PlanningError(
                f"a model has no finite mean with a deviation above 0 of"
                f" '{materials[int(np.argmax(bad))]}'"
            )
        return mean, sd


def log_interval(mean: Floats, sd: Floats, low: Floats, high: Floats) -> Floats:
    """log(Phi((high - mean) / sd) - Phi((low - mean) / sd)), elementwise; finite however far away.

    Above the mean it is taken at its mirror image, where Phi is small and no digit is lost. An
    interval too narrow for a difference gets the density at its middle, times its width.
    """
    from scipy.special import log_ndtr

    a, b = (low - mean) / sd, (high - mean) / sd
    mirrored = a > 0.0
    a, b = np.where(mirrored, -b, a), np.where(mirrored, -a, b)
    top = log_ndtr(b)
    gap = log_ndtr(a) - top
    is_narrow = gap > -_NARROW
    apart = top + np.log(-np.expm1(np.where(is_narrow, -1.0, gap)))
    middle, width = np.where(is_narrow, (a + b) / 2.0, 0.0), np.where(is_narrow, b - a, 1.0)
    density = -0.5 * (middle**2 + math.log(2.0 * math.pi)) + np.log(width)
    return np.asarray(np.where(is_narrow, density, apart))
