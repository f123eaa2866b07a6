"""Mixtures: amounts of components that add up, of which some may be absent.

Amounts are in the mixture's unit; codes are positions between a component's bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.model.space import Mixture
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats

CLOSE = 1e-9
"""A component is present above this share of the total."""
SLACK = 1e-6
"""A sum may be off by this share of the total."""
N_STIRS = 12
"""How often each component shares anew with another one."""


@dataclass(frozen=True)
class Blend:
    """A mixture in codes.

    Attributes:
        places: the columns of codes of its components (k).
        low, span: bounds of the components (k), in the mixture's unit.
    """

    mixture: Mixture
    places: NDArray[np.intp]
    low: Floats
    span: Floats

    def amounts(self, codes: Floats) -> Floats:
        """Amounts (n x k) at codes (n x p)."""
        return np.asarray(self.low + codes[:, self.places] * self.span)

    def present(self, amounts: Floats) -> NDArray[np.bool_]:
        """Which components are there (n x k)."""
        return np.asarray(amounts > CLOSE * self.mixture.total)

    @property
    def must(self) -> NDArray[np.bool_]:
        """Which components cannot be absent (k)."""
        return np.asarray(self.low > 0.0)

    def holds(self, codes: Floats) -> NDArray[np.bool_]:
        """At which codes (n x p) the mixture is as it must be."""
        amounts, mixture, slack = self.amounts(codes), self.mixture, SLACK * self.mixture.total
        present = self.present(amounts)
        n_present = present.sum(axis=1)
        own = codes[:, self.places]
        return np.asarray(
            (np.abs(amounts.sum(axis=1) - mixture.total) <= slack)
            & (n_present >= mixture.present[0])
            & (n_present <= mixture.present[1])
            & (~present | (amounts >= mixture.least - slack)).all(axis=1)
            & (own >= -CLOSE).all(axis=1)
            & (own <= 1.0 + CLOSE).all(axis=1)
        )

    def limits(self, present: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Least and greatest amounts (n x k) where some components are present (n x k)."""
        least = np.where(self.must, self.low, self.mixture.least)
        return np.where(present, least, 0.0), np.where(present, self.low + self.span, 0.0)

    def fitted(self, codes: Floats) -> Floats:
        """Codes (n x p) with the nearest amounts that add up; the largest components stay."""
        fewest, most = self.mixture.present
        raw = np.maximum(self.amounts(np.clip(codes, 0.0, 1.0)), 0.0)
        first = np.argsort(
            -(raw + self.must * 2.0 * (self.low + self.span).sum()), axis=1, kind="stable"
        )
        rank = np.argsort(first, axis=1, kind="stable")
        wanted = np.clip(self.present(raw).sum(axis=1), fewest, most)
        return self.filled(codes, raw, rank < wanted[:, None])

    def drawn(self, codes: Floats, rng: np.random.Generator) -> Floats:
        """Codes (n x p) whose uniform numbers became amounts that are uniform over what the bounds
        leave of the simplex, of as many components as are drawn evenly between the fewest and the
        most."""
        fewest, most = self.mixture.present
        counts = rng.integers(fewest, most + 1, size=len(codes))
        first = np.argsort(rng.random((len(codes), len(self.places))) - self.must, axis=1)
        present = np.argsort(first, axis=1) < np.maximum(counts, self.must.sum())[:, None]
        uniform = np.clip(codes[:, self.places], 1e-12, 1.0 - 1e-12)
        floor, ceiling = self.limits(present)
        parts = np.where(present, -np.log(uniform), 0.0)
        rest = self.mixture.total - floor.sum(axis=1, keepdims=True)
        simplex = floor + rest * parts / parts.sum(axis=1, keepdims=True)
        box = self._rest_to_the_widest(floor, ceiling, uniform)
        # either is uniform where it fits: free blends, and alloys of which one metal is the rest
        amounts = max((simplex, box), key=lambda one: int(_fits(one, floor, ceiling).sum()))
        out = self.filled(codes, amounts, present)
        if (off := ~_fits(amounts, floor, ceiling)).any():
            stirred = _stirred(self.amounts(out[off]), floor[off], ceiling[off], rng)
            out[off] = self.filled(out[off], stirred, present[off])
        return out

    def _rest_to_the_widest(self, floor: Floats, ceiling: Floats, uniform: Floats) -> Floats:
        """Amounts (n x k) anywhere between floor and ceiling, but for that of the component with
        most room, which is what the others leave."""
        amounts = floor + uniform * (ceiling - floor)
        rows, widest = np.arange(len(amounts)), np.argmax(ceiling - floor, axis=1)
        amounts[rows, widest] += self.mixture.total - amounts.sum(axis=1)
        return amounts

    def filled(self, codes: Floats, amounts: Floats, present: NDArray[np.bool_]) -> Floats:
        """Codes (n x p) with the amounts (n x k) brought within limits and to the total."""
        floor, ceiling = self.limits(present)
        amounts = water_fill(np.clip(amounts, floor, ceiling), floor, ceiling, self.mixture.total)
        out = codes.copy()
        out[:, self.places] = (amounts - self.low) / np.where(self.span > 0, self.span, 1.0)
        return out


def _fits(amounts: Floats, floor: Floats, ceiling: Floats) -> NDArray[np.bool_]:
    """Which rows (n) of amounts (n x k) keep their bounds."""
    return np.asarray(((amounts >= floor) & (amounts <= ceiling)).all(axis=1))


def _stirred(amounts: Floats, floor: Floats, ceiling: Floats, rng: np.random.Generator) -> Floats:
    """Amounts (n x k) after pairs of components have shared anew what they have together, time and
    again: in the end uniform over what is possible, wherever they began (Gibbs sampling)."""
    found = amounts.copy()
    rows, k = np.arange(len(found)), found.shape[1]
    for one in np.tile(np.arange(k), N_STIRS if k > 1 else 0):
        other = (one + rng.integers(1, k, size=len(found))) % k
        both = found[:, one] + found[rows, other]
        least = np.maximum(floor[:, one], both - ceiling[rows, other])
        most = np.minimum(ceiling[:, one], both - floor[rows, other])
        found[:, one] = least + rng.random(len(found)) * np.maximum(most - least, 0.0)
        found[rows, other] = both - found[:, one]
    return found


def water_fill(start: Floats, floor: Floats, ceiling: Floats, total: float) -> Floats:
    """The nearest amounts (n x k) within floor and ceiling that add up to `total`: a common shift,
    found by bisection. Where that cannot be, as near as may be."""
    width = float((ceiling - floor).max(initial=0.0)) + abs(total)
    low, high = np.full(len(start), -width), np.full(len(start), width)
    for _ in range(60):
        middle = 0.5 * (low + high)
        is_short = np.clip(start + middle[:, None], floor, ceiling).sum(axis=1) < total
        low, high = np.where(is_short, middle, low), np.where(is_short, high, middle)
    return np.asarray(np.clip(start + high[:, None], floor, ceiling))


def blend(encoding: Encoding, mixture: Mixture) -> Blend:
    """The mixture in the codes of an encoding."""
    places = np.array([encoding.place(name) for name in mixture.components], dtype=np.intp)
    parts = [encoding.space[name] for name in mixture.components]
    low = np.array([float(getattr(p, "low", 0.0)) for p in parts])
    high = np.array([float(getattr(p, "high", 0.0)) for p in parts])
    return Blend(mixture, places, low, high - low)
