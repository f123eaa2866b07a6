"""Which rungs are worth their cost: what an outcome tells about the rung that counts, per cost.

An outcome of a rung of correlation rho tells p = rho^2 / (1 - rho^2) about the outcome that counts,
in units of what is known before (precisions add up, since errors of rungs are independent). What it
tells beyond the rungs that tell more per cost, of precision P, is the share p / (1 + P + p) of what
is left to know; an exact outcome tells all of it. A rung buys nothing if even at the upper end of
the interval of rho that share, per cost, is below that of the rung that counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.model.space import Fidelity
from orchestrator.planner.costs import Costs
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats
from orchestrator.planner.ladder import LadderProcess
from orchestrator.planner.weighing import by_differences

Z_90 = 1.6448536269514722
MIN_OUTCOMES = 4
"""A rung is judged by no fewer outcomes, on itself and on the one that counts."""
CERTAIN = 1.0 - 1e-9


@dataclass(frozen=True)
class Judged:
    """A rung below the one that counts.

    Attributes:
        rho: its correlation with that one; `low` and `high` are the ends of the 90 % interval.
        cost, target_cost: of a typical trial on it, and on the one that counts.
        gain: what it tells per cost beyond better rungs, as a multiple of what the one that counts
            tells; `most` is the same at the better end of the interval.
    """

    level: str
    rho: float
    low: float
    high: float
    cost: float
    target_cost: float
    gain: float
    most: float
    n: int
    buys: bool


def judged(process: LadderProcess, costs: Costs, fidelity: Fidelity) -> tuple[Judged, ...]:
    """The rungs below the one that counts, in the order of the file."""
    typical, rung = costs.typical, process.rungs.of(process.x)
    n = np.bincount(rung, minlength=process.rungs.n)
    z, sd = np.arctanh(np.clip(process.hyper.rho[:-1], -CERTAIN, CERTAIN)), process.hyper.rho_sd
    low, high = np.tanh(z - Z_90 * sd), np.tanh(z + Z_90 * sd)
    own = _precision(process.hyper.rho[:-1])
    best = _precision(np.maximum(np.abs(low), np.abs(high)))
    cheaper = typical[:-1] / typical[-1]
    order = np.argsort(-own / (1.0 + own) / cheaper, kind="stable")
    found: dict[int, Judged] = {}
    known = 0.0
    for r in order:
        gain, most = (p / (1.0 + known + p) / cheaper[r] for p in (own[r], best[r]))
        is_judged = n[r] >= MIN_OUTCOMES and n[-1] >= MIN_OUTCOMES
        buys = bool(most >= 1.0 or not is_judged)
        found[int(r)] = Judged(
            fidelity.levels[r],
            float(process.hyper.rho[r]),
            float(low[r]),
            float(high[r]),
            float(typical[r]),
            float(typical[-1]),
            float(gain),
            float(most),
            int(n[r]),
            buys,
        )
        known += float(own[r]) if buys else 0.0
    return tuple(found[r] for r in range(process.rungs.n - 1))


def _precision(rho: Floats) -> Floats:
    square = np.minimum(np.asarray(rho) ** 2, CERTAIN)
    return np.asarray(square / (1.0 - square))


def sentence(one: Judged, target: str, *, in_seconds: bool) -> str:
    """What is to be said of a rung, with its numbers."""
    unit = " s" if in_seconds else ""
    words = (
        f"{one.level}: correlation with {target} {one.rho:.2f} "
        f"(90 %: {one.low:.2f} to {one.high:.2f}), "
        f"{one.cost:.2g}{unit} a trial against {one.target_cost:.2g}{unit}"
    )
    if one.buys:
        return words
    return f"{words}; no longer bought: per cost it adds {one.gain:.2g} times what {target} tells"


@dataclass(frozen=True)
class Informativeness:
    """What a trial on a rung tells about the outcome that counts at the same point, per cost.

    The square of the correlation of the two outcomes, noise included, in what is not known yet
    [augmented expected improvement, Huang et al. 2006]; of rungs that buy nothing, nothing.
    """

    encoding: Encoding
    process: LadderProcess
    costs: Costs
    refused: tuple[int, ...] = ()

    def __call__(self, codes: Floats, x: Floats) -> Floats:
        """Logarithms (m) at codes (m x p)."""
        return self._log(codes)

    def _log(self, codes: Floats) -> Floats:
        here = self.encoding.features(codes)
        there = self.encoding.features(self.encoding.at_highest_fidelity(codes))
        told = np.log(self.process.shared(here, there)) - np.log(self.costs(here))
        return np.where(self._is_refused(here), -1e3, told)

    def _is_refused(self, x: Floats) -> NDArray[np.bool_]:
        return np.asarray(np.isin(self.process.rungs.of(x), self.refused))

    def pull(self, codes: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Logarithms (m), and their gradient (m x k) by the real parameters."""
        return self._log(codes), by_differences(self._log, self.encoding, codes)
