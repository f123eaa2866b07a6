"""What is known to be possible before anything is tried: mixtures and known constraints.

Points are drawn so that mixtures add up, and kept where every constraint holds; a climb is made by
sequential quadratic programming with the constraints.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import PlanningError
from orchestrator.model.space import Mixture, Point, Pool, SearchSpace
from orchestrator.planner.encoding import Encoding, Floats
from orchestrator.planner.sobol import Sobol

if TYPE_CHECKING:
    from orchestrator.planner.worth import Worth

BLOCK = 512
MAX_BLOCKS = 400
MAX_STEPS = 30
CLOSE = 1e-9
"""A mixture's sum may be off by this share of its total."""


@dataclass(frozen=True)
class _Blend:
    """A mixture in codes: places of its components, their lows and spans in its unit."""

    mixture: Mixture
    places: NDArray[np.intp]
    low: Floats
    span: Floats

    def amounts(self, codes: Floats) -> Floats:
        return self.low + codes[:, self.places] * self.span

    def holds(self, codes: Floats) -> NDArray[np.bool_]:
        amounts, mixture = self.amounts(codes), self.mixture
        present = amounts > CLOSE * mixture.total
        n_present = present.sum(axis=1)
        return np.asarray(
            (np.abs(amounts.sum(axis=1) - mixture.total) <= 1e-6 * mixture.total)
            & (n_present >= mixture.present[0])
            & (n_present <= mixture.present[1])
            & (~present | (amounts >= mixture.least - 1e-6 * mixture.total)).all(axis=1)
            & (codes[:, self.places] >= -1e-9).all(axis=1)
            & (codes[:, self.places] <= 1.0 + 1e-9).all(axis=1)
        )

    def fitted(self, codes: Floats, rng: np.random.Generator) -> Floats:
        """Codes whose components add up: which are present is kept as far as it may be, the amounts
        become shares of what is left above the least ones."""
        high = self.low + self.span
        raw = np.maximum(self.low + np.clip(codes[:, self.places], 0.0, 1.0) * self.span, 0.0)
        fewest, most = self.mixture.present
        must = self.low > 0.0
        # ranks with a little chance, so that equal amounts do not always favour the first
        rank = np.argsort(
            np.argsort(-(raw + 1e-9 * rng.random(raw.shape) + must * high.sum()), axis=1), axis=1
        )
        wanted = np.maximum((raw > CLOSE * self.mixture.total).sum(axis=1), fewest)
        present = rank < np.minimum(wanted, most)[:, None]
        floor = np.where(
            present, np.maximum(self.low, np.where(must, self.low, self.mixture.least)), 0.0
        )
        ceiling = np.where(present, high, 0.0)
        out = codes.copy()
        amounts = _water_fill(np.clip(raw, floor, ceiling), floor, ceiling, self.mixture.total)
        out[:, self.places] = (amounts - self.low) / np.where(self.span > 0, self.span, 1.0)
        return out


def _water_fill(start: Floats, floor: Floats, ceiling: Floats, total: float) -> Floats:
    """The nearest amounts (n x k) within floor and ceiling that add up to `total`: a common shift,
    found by bisection. Where that cannot be, as near as may be."""
    width = float((ceiling - floor).max(initial=0.0)) + abs(total)
    low, high = np.full(len(start), -width), np.full(len(start), width)
    for _ in range(60):
        middle = 0.5 * (low + high)
        is_short = np.clip(start + middle[:, None], floor, ceiling).sum(axis=1) < total
        low, high = np.where(is_short, middle, low), np.where(is_short, high, middle)
    return np.clip(start + high[:, None], floor, ceiling)


@dataclass(frozen=True)
class Possible:
    """The points of a space that may be tried.

    Raises:
        InputError: a constraint cannot be compiled.
    """

    encoding: Encoding
    blends: tuple[_Blend, ...] = field(init=False)
    expressions: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        space = self.encoding.space
        object.__setattr__(self, "blends", tuple(_blend(self.encoding, m) for m in space.mixtures))
        object.__setattr__(self, "expressions", _expressions(space))

    @property
    def is_bound(self) -> bool:
        """Whether real parameters are tied to anything but their bounds."""
        return bool(self.blends or self.expressions)

    def holds(self, codes: Floats) -> NDArray[np.bool_]:
        """Which codes (n x p), snapped, may be tried."""
        good = np.ones(len(codes), dtype=bool)
        for blend in self.blends:
            good &= blend.holds(codes)
        if self.expressions and len(codes):
            good &= (self.excess(codes) <= 0.0).all(axis=1)
        return good

    def excess(self, codes: Floats) -> Floats:
        """How far each known constraint is passed (n x c); above zero where it is broken."""
        columns = columns_of(self.encoding.space, self.encoding.decode(codes))
        found = [np.broadcast_to(e.over(columns), len(codes)) for e in self.expressions]
        return np.nan_to_num(np.stack(found, axis=1), nan=np.inf)

    def only(self, codes: Floats) -> Floats:
        """The codes that may be tried."""
        return codes[self.holds(codes)] if self.is_bound else codes

    def refuse_none(self, n: int) -> None:
        """Raises PlanningError when no point was found."""
        if n == 0:
            texts = [c.text for c in self.encoding.space.constraints]
            texts += [f"the mixture '{m.name}'" for m in self.encoding.space.mixtures]
            raise PlanningError(
                f"no point was found that is possible under {', '.join(texts)}",
                hint="loosen one of them, or the bounds of the parameters",
            )

    def repaired(self, codes: Floats) -> Floats:
        """Those of codes (n x p) that can be made possible by adding up mixtures."""
        if not self.is_bound:
            return codes
        rng = np.random.default_rng(0)
        snapped = self.encoding.snap(codes)
        for blend in self.blends:
            snapped = blend.fitted(snapped, rng)
        return self.only(snapped)

    def spread(self, n: int, seed: int, start: int = 0) -> Floats:
        """Codes (n x p) that are possible and fill the space: numbers `start` and on of a sequence
        that depends on the seed alone.

        Raises:
            PlanningError: too few points are possible.
        """
        sobol = Sobol(self.encoding.n_parameters, seed)
        if not self.is_bound:
            return self.encoding.snap(sobol.points(start, n))
        kept: list[Floats] = []
        n_kept = 0
        for block in range(MAX_BLOCKS):
            drawn = self.encoding.snap(sobol.points(block * BLOCK, BLOCK))
            rng = np.random.default_rng([seed % 2**63, block, 0xB1E])
            for blend in self.blends:
                drawn = _as_mixture(blend, drawn, rng)
            drawn = self.only(drawn)
            kept.append(drawn)
            n_kept += len(drawn)
            if n_kept >= start + n:
                break
        codes = np.concatenate(kept)
        self.refuse_none(len(codes))
        return codes[np.arange(start, start + n) % len(codes)]

    def climb(self, worth: Worth, codes: Floats, values: Floats) -> tuple[Floats, Floats]:
        """Sequential quadratic programming in the real parameters, from each row of codes."""
        codes, values = codes.copy(), values.copy()
        for row in range(len(codes)):
            moved = self._climbed(worth, codes[row])
            if not self.holds(moved[None, :])[0]:
                continue
            value = float(worth.score(self.encoding.features(moved[None, :]))[0])
            if np.isfinite(value) and value > values[row]:
                codes[row], values[row] = moved, value
        return codes, values

    def _climbed(self, worth: Worth, row: Floats) -> Floats:
        from scipy.optimize import minimize

        places, columns = self.encoding.movable
        features = self.encoding.features(row[None, :])

        def cost(moved: Floats) -> tuple[float, Floats]:
            features[0, columns] = moved
            value, gradient = worth.pull(features)
            return -float(value[0]), -gradient[0, columns]

        def all_codes(moved: Floats) -> Floats:
            full = np.repeat(row[None, :], len(np.atleast_2d(moved)), axis=0)
            full[:, places] = moved
            return full

        bounds = self._bounds(row, places)
        low, high = np.array(bounds).T
        constraints = [self._sum_rule(b, places) for b in self.blends]
        if self.expressions:
            constraints.append(
                {
                    "type": "ineq",
                    "fun": lambda v: -self.excess(all_codes(v))[0],
                    "jac": lambda v: self._slopes(v, all_codes),
                }
            )
        found = minimize(
            cost,
            row[places],
            jac=True,
            bounds=bounds,
            method="SLSQP",
            constraints=constraints,
            options={"maxiter": MAX_STEPS, "ftol": 1e-7},
        )
        moved = row.copy()
        if np.isfinite(found.x).all():
            moved[places] = np.clip(found.x, low, high)
        moved = self._inside(row, moved)
        return self.encoding.snap(moved)

    def _bounds(self, row: Floats, places: NDArray[np.intp]) -> list[tuple[float, float]]:
        """Of the real parameters; a component that is absent stays so, a present one present."""
        bounds = {int(p): (0.0, 1.0) for p in places}
        for blend in self.blends:
            amounts = blend.amounts(row[None, :])[0]
            for place, amount, low, span in zip(
                blend.places, amounts, blend.low, blend.span, strict=True
            ):
                if amount <= CLOSE * blend.mixture.total and low <= 0.0:
                    bounds[int(place)] = (float(row[place]), float(row[place]))
                elif span > 0 and blend.mixture.least > low:
                    bounds[int(place)] = ((blend.mixture.least - low) / span, 1.0)
        return [bounds[int(p)] for p in places]

    @staticmethod
    def _sum_rule(blend: _Blend, places: NDArray[np.intp]) -> dict[str, Any]:
        weights = np.zeros(len(places))
        for place, span in zip(blend.places, blend.span, strict=True):
            weights[np.flatnonzero(places == place)] = span / blend.mixture.total
        rest = 1.0 - float(blend.low.sum()) / blend.mixture.total
        return {"type": "eq", "fun": lambda v: v @ weights - rest, "jac": lambda v: weights}

    def _slopes(self, moved: Floats, all_codes: Any) -> Floats:
        """Derivatives (c x k) of minus the excess, by differences."""
        step = 1e-6
        points = np.concatenate([moved[None, :], moved + step * np.eye(len(moved))])
        excess = self.excess(np.clip(all_codes(points), -1.0, 2.0))
        return np.nan_to_num(-(excess[1:] - excess[0]).T / step)

    def _inside(self, start: Floats, end: Floats) -> Floats:
        """The farthest point from a possible start towards an end that is possible."""
        for share in (1.0, 0.999, 0.99, 0.9, 0.7, 0.4):
            tried = start + share * (end - start)
            for blend in self.blends:
                tried = _settled(blend, tried)
            if self.holds(self.encoding.snap(tried[None, :]))[0]:
                return tried
        return start


def _settled(blend: _Blend, row: Floats) -> Floats:
    """A row whose components add up to rounding error: what is missing goes to those that have
    room, in proportion."""
    amounts = blend.amounts(row[None, :])[0]
    present = amounts > CLOSE * blend.mixture.total
    least = np.maximum(blend.low, np.where(blend.low > 0, blend.low, blend.mixture.least))
    floor = np.where(present, least, amounts)[None, :]
    ceiling = np.where(present, blend.low + blend.span, amounts)[None, :]
    amounts = _water_fill(amounts[None, :], floor, ceiling, blend.mixture.total)[0]
    out = row.copy()
    out[blend.places] = (amounts - blend.low) / np.where(blend.span > 0, blend.span, 1.0)
    return out


def _as_mixture(blend: _Blend, codes: Floats, rng: np.random.Generator) -> Floats:
    """Uniform codes turned into amounts that are uniform over the simplex, of as many components
    as are drawn evenly between the fewest and the most."""
    mixture = blend.mixture
    k = len(blend.places)
    must = blend.low > 0.0
    counts = rng.integers(mixture.present[0], mixture.present[1] + 1, size=len(codes))
    order = np.argsort(np.argsort(rng.random((len(codes), k)) - must, axis=1), axis=1)
    present = order < np.maximum(counts, must.sum())[:, None]
    uniform = np.clip(codes[:, blend.places], 1e-12, 1.0 - 1e-12)
    parts = np.where(present, -np.log(uniform), 0.0)
    floor = np.where(present, np.where(must, blend.low, mixture.least), 0.0)
    rest = mixture.total - floor.sum(axis=1, keepdims=True)
    amounts = floor + rest * parts / parts.sum(axis=1, keepdims=True)
    ceiling = np.where(present, blend.low + blend.span, 0.0)
    amounts = _water_fill(np.clip(amounts, floor, ceiling), floor, ceiling, mixture.total)
    out = codes.copy()
    out[:, blend.places] = (amounts - blend.low) / np.where(blend.span > 0, blend.span, 1.0)
    return out


def _blend(encoding: Encoding, mixture: Mixture) -> _Blend:
    places = np.array([encoding.place(name) for name in mixture.components], dtype=np.intp)
    parts = [encoding.space[name] for name in mixture.components]
    low = np.array([float(getattr(p, "low", 0.0)) for p in parts])
    high = np.array([float(getattr(p, "high", 0.0)) for p in parts])
    return _Blend(mixture, places, low, high - low)


def _expressions(space: SearchSpace) -> tuple[Any, ...]:
    if not space.constraints:
        return ()
    from orchestrator.model.expression import compile_expression
    from orchestrator.model.space import parameter_units

    units = parameter_units(space)
    return tuple(compile_expression(c.expression, units, c.unit) for c in space.constraints)


def columns_of(space: SearchSpace, points: list[Point]) -> dict[str, NDArray[Any]]:
    """Points as columns of numbers by name; a pool's as `<pool>.<column>`."""
    columns: dict[str, NDArray[Any]] = {}
    for parameter in space.parameters:
        values = [point[parameter.name] for point in points]
        if isinstance(parameter, Pool):
            places = {name: i for i, name in enumerate(parameter.names)}
            rows = np.asarray(parameter.rows, dtype=float)[[places[str(v)] for v in values]]
            for index, name in enumerate(parameter.columns):
                columns[f"{parameter.name}.{name}"] = rows[:, index]
        elif not any(isinstance(v, str) for v in values):
            columns[parameter.name] = np.array(values, dtype=float)
    return columns
