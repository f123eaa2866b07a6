"""What is known to be possible before anything is tried: mixtures, known constraints, and what
people did not refuse.

Points are drawn so that mixtures add up, and kept where every constraint holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import PlanningError
from orchestrator.model.space import SearchSpace
from orchestrator.planner.blend import Blend, blend
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats
from orchestrator.planner.refused import Refused, agrees
from orchestrator.planner.sobol import Sobol

BLOCK = 512
MAX_BLOCKS = 400
N_APPROACHED = 64
N_CHILDREN = 16
MAX_APPROACHES = 150
SMALLEST_STEP = -9.0
"""As a power of ten, of a parameter's range."""


@dataclass(frozen=True)
class Possible:
    """The points of a space that may be tried; with `context` (codes, p), while what cannot be
    chosen is as it is there; without the `refused` candidates of pools.

    Raises:
        InputError: a constraint cannot be compiled.
    """

    encoding: Encoding
    context: Floats | None = None
    refused: Refused = field(default_factory=dict)
    blends: tuple[Blend, ...] = field(init=False)
    expressions: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        space = self.encoding.space
        object.__setattr__(self, "blends", tuple(blend(self.encoding, m) for m in space.mixtures))
        object.__setattr__(self, "expressions", _expressions(space))

    @property
    def is_tied(self) -> bool:
        """Whether real parameters are tied to anything but their bounds."""
        return bool(self.blends or self.expressions)

    @property
    def is_bound(self) -> bool:
        """Whether not every point of the space may be tried."""
        return self.is_tied or bool(self.refused)

    def holds(self, codes: Floats) -> NDArray[np.bool_]:
        """Which codes (n x p), snapped, may be tried."""
        good = np.ones(len(codes), dtype=bool)
        for one in self.blends:
            good &= one.holds(codes)
        if self.refused:
            good &= ~agrees(self.encoding, self.refused, codes)
        if self.expressions and len(codes):
            good &= (self.excess(codes) <= 0.0).all(axis=1)
        return good

    def excess(self, codes: Floats) -> Floats:
        """How far each known constraint is passed (n x c); above zero where it is broken."""
        columns = self.encoding.columns_of(codes)
        found = [np.broadcast_to(e.over(columns), len(codes)) for e in self.expressions]
        return np.asarray(np.nan_to_num(np.stack(found, axis=1), nan=np.inf))

    def only(self, codes: Floats) -> Floats:
        """The codes that may be tried."""
        return codes[self.holds(codes)] if self.is_bound else codes

    def refuse_none(self, n: int) -> None:
        """Raises PlanningError when no point was found."""
        if n == 0:
            texts = [c.text for c in self.encoding.space.constraints]
            texts += [f"the mixture '{m.name}'" for m in self.encoding.space.mixtures]
            texts += ["what people refused"] if self.refused else []
            raise PlanningError(
                f"no point was found that is possible under {', '.join(texts)}",
                hint="loosen one of them, or the bounds of the parameters",
            )

    def repaired(self, codes: Floats) -> Floats:
        """Those of codes (n x p) that can be made possible by adding up mixtures."""
        if not self.is_bound:
            return codes
        snapped = self.encoding.snap(codes)
        for one in self.blends:
            snapped = one.fitted(snapped)
        return self.only(self._in_context(snapped))

    def _in_context(self, codes: Floats) -> Floats:
        return codes if self.context is None else self.encoding.with_context(codes, self.context)

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
            for one in self.blends:
                drawn = one.drawn(drawn, rng)
            drawn = self.only(self._in_context(drawn))
            kept.append(drawn)
            n_kept += len(drawn)
            if n_kept >= start + n:
                break
        if n_kept < start + n and self.expressions:
            kept.append(self._approached(seed))
        codes = np.concatenate(kept)
        self.refuse_none(len(codes))
        return codes[np.arange(start, start + n) % len(codes)]

    def _approached(self, seed: int) -> Floats:
        """Codes (n x p) where chance finds next to none, as in a thin band: each from a point of
        its own, by steps of all sizes, as long as they break the known constraints less."""
        rng = np.random.default_rng([seed % 2**63, 0xA99])
        sobol, p = Sobol(self.encoding.n_parameters, seed), self.encoding.n_parameters
        codes = self._near(sobol.points(0, N_APPROACHED))
        scale = np.median(np.abs(self.excess(codes)), axis=0)
        scale[~np.isfinite(scale) | (scale == 0.0)] = 1.0
        lacking = self._lacking(codes, scale)
        for _ in range(MAX_APPROACHES):
            if not lacking.any():
                break
            shape = (N_CHILDREN, N_APPROACHED, 1)
            sizes = 10.0 ** rng.uniform(SMALLEST_STEP, 0.0, shape)
            moves = rng.random((*shape[:2], p)) < rng.random(shape)
            steps = sizes * np.where(moves, rng.standard_normal((*shape[:2], p)), 0.0)
            children = self._near((codes + steps).reshape(-1, p)).reshape(*shape[:2], p)
            found = self._lacking(children.reshape(-1, p), scale).reshape(shape[:2])
            best = found.argmin(axis=0)
            place = np.arange(N_APPROACHED)
            better = found[best, place] < lacking
            codes[better] = children[best, place][better]
            lacking[better] = found[best, place][better]
        return self.only(codes)

    def _near(self, codes: Floats) -> Floats:
        """Codes (n x p) as near as mixtures and context let them be."""
        codes = self.encoding.snap(np.clip(codes, 0.0, 1.0))
        for one in self.blends:
            codes = one.fitted(codes)
        return self._in_context(codes)

    def _lacking(self, codes: Floats, scale: Floats) -> Floats:
        """How far codes (n x p) are from holding, in scales (c) of the constraints."""
        return np.asarray((np.maximum(self.excess(codes), 0.0) / scale).sum(axis=1))


def _expressions(space: SearchSpace) -> tuple[Any, ...]:
    if not space.constraints:
        return ()
    from orchestrator.model.expression import compile_expression
    from orchestrator.model.space import parameter_units

    units = parameter_units(space)
    return tuple(compile_expression(c.expression, units, c.unit) for c in space.constraints)
