"""Climbs to larger worth in the real parameters, within what is possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import fmin_l_bfgs_b, minimize

from orchestrator.planner.blend import Blend
from orchestrator.planner.kernel import Floats
from orchestrator.planner.possible import Possible
from orchestrator.planner.worth import Worth

MAX_CLIMB = 50
MAX_STEPS = 30
DIFFERENCE = 1e-6


def climb(possible: Possible, worth: Worth, codes: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Climbs from each row of codes (n x p) with its worth (n); never downhill, never outside.

    L-BFGS on all rows at once where there are only bounds; sequential quadratic programming row by
    row where mixtures or known constraints tie parameters together.
    """
    encoding = possible.encoding
    if not len(encoding.movable[0]) or not len(codes):
        return codes, values
    if possible.is_tied:
        moved = np.stack([_Tied(possible, worth, row).end() for row in codes])
    else:
        moved = _free(possible, worth, codes)
    after = worth.score(moved)
    is_better = np.isfinite(after) & (after > values)
    return np.where(is_better[:, None], moved, codes), np.where(is_better, after, values)


def _free(possible: Possible, worth: Worth, codes: Floats) -> Floats:
    places, _ = possible.encoding.movable
    current = codes.copy()
    shape = (len(codes), len(places))

    def cost(moved: Floats) -> tuple[float, Floats]:
        current[:, places] = moved.reshape(shape)
        value, gradient = worth.pull(current)
        return -float(value.sum()), -gradient.reshape(-1)

    start = codes[:, places].reshape(-1)
    bounds = [(0.0, 1.0)] * len(start)
    end, _, _ = fmin_l_bfgs_b(cost, start, bounds=bounds, maxiter=MAX_CLIMB, factr=1e9, pgtol=1e-4)
    moved = codes.copy()
    moved[:, places] = np.clip(end.reshape(shape), 0.0, 1.0)
    return possible.encoding.snap(moved)


@dataclass(frozen=True)
class _Tied:
    """One climb, from the codes of `row` (p)."""

    possible: Possible
    worth: Worth
    row: Floats

    def end(self) -> Floats:
        """Codes (p) that are possible."""
        places, _ = self.possible.encoding.movable

        def cost(moved: Floats) -> tuple[float, Floats]:
            value, gradient = self.worth.pull(self._full(moved))
            return -float(value[0]), -gradient[0]

        bounds = self._bounds(places)
        found = minimize(
            cost,
            self.row[places],
            jac=True,
            bounds=bounds,
            method="SLSQP",
            constraints=self._ties(places),
            options={"maxiter": MAX_STEPS, "ftol": 1e-7},
        )
        moved = self.row.copy()
        if np.isfinite(found.x).all():
            low, high = np.array(bounds).T
            moved[places] = np.clip(found.x, low, high)
        return self._farthest(moved)

    def _bounds(self, places: NDArray[np.intp]) -> list[tuple[float, float]]:
        """Of the real parameters; a component that is absent stays so, a present one present."""
        bounds = {int(place): (0.0, 1.0) for place in places}
        for one in self.possible.blends:
            present = one.present(one.amounts(self.row[None, :]))
            floor, _ = one.limits(present)
            for k, place in enumerate(one.places):
                here = float(self.row[place])
                if not present[0, k] or one.span[k] <= 0:
                    bounds[int(place)] = (here, here)
                else:
                    least = float((floor[0, k] - one.low[k]) / one.span[k])
                    bounds[int(place)] = (min(max(0.0, least), here), 1.0)
        return [bounds[int(place)] for place in places]

    def _ties(self, places: NDArray[np.intp]) -> list[dict[str, Any]]:
        ties = [_sum_rule(one, places) for one in self.possible.blends]
        if self.possible.expressions:
            rule = {"type": "ineq", "fun": self._room, "jac": self._slopes}
            ties.append(rule)
        return ties

    def _full(self, moved: Floats) -> Floats:
        moved = np.atleast_2d(moved)
        full = np.repeat(self.row[None, :], len(moved), axis=0)
        full[:, self.possible.encoding.movable[0]] = moved
        return full

    def _room(self, moved: Floats) -> Floats:
        return np.asarray(np.nan_to_num(-self.possible.excess(self._full(moved))[0], neginf=-1e6))

    def _slopes(self, moved: Floats) -> Floats:
        """Derivatives (c x k) of the room, by differences that stay inside the bounds."""
        step = np.where(moved > 0.5, -DIFFERENCE, DIFFERENCE)
        around = np.concatenate([moved[None, :], moved + np.diag(step)])
        excess = np.nan_to_num(self.possible.excess(self._full(around)), posinf=1e6)
        return np.asarray(-(excess[1:] - excess[0]).T / step)

    def _farthest(self, end: Floats) -> Floats:
        """The farthest point towards an end that is possible."""
        for share in (1.0, 0.999, 0.99, 0.9, 0.7, 0.4):
            tried = (self.row + share * (end - self.row))[None, :]
            for one in self.possible.blends:
                amounts = one.amounts(tried)
                tried = one.filled(tried, amounts, one.present(amounts))
            tried = self.possible.encoding.snap(tried)
            if self.possible.holds(tried)[0]:
                return np.asarray(tried[0])
        return self.row


def _sum_rule(one: Blend, places: NDArray[np.intp]) -> dict[str, Any]:
    weights = np.zeros(len(places))
    for place, span in zip(one.places, one.span, strict=True):
        weights[np.flatnonzero(places == place)] = span / one.mixture.total
    rest = 1.0 - float(one.low.sum()) / one.mixture.total
    return {"type": "eq", "fun": lambda v: v @ weights - rest, "jac": lambda v: weights}
