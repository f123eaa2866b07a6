"""Which rungs are worth their cost: what an outcome tells about the rung that counts, per cost.

An outcome of a rung of correlation rho tells p = rho^2 / (1 - rho^2) about the outcome that counts,
in units of what is known before (precisions add up, since errors of rungs are independent). What it
tells beyond the rungs that tell more per cost, of precision P, is the share p / (1 + P + p) of what
is left to know; an exact outcome tells all of it. A trial that may fail tells that share as often
as trials on its rung give data. A rung buys nothing if even at the upper ends of the intervals of
rho, and of how often it gives data, that share per cost is below that of the rung that counts; nor
if all trials on it failed. One that costs as much as the rung that counts buys nothing by itself.

A trial that costs more than all that is left to try on a lower rung waits for that, if the lower
rung is relied on: a model that is wrong about one candidate costs more than to ask about all. For
each lower rung that takes, in all, no more than the dearest of these trials costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from orchestrator.model.space import Fidelity
from orchestrator.planner.costs import Costs
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats
from orchestrator.planner.ladder import LadderProcess
from orchestrator.planner.weighing import by_differences

Z_90 = 1.6448536269514722
MIN_OUTCOMES = 4
"""A rung is judged by no fewer outcomes, on itself and on the one that counts."""
MIN_COSTS = 2
"""What a rung costs is known by no fewer trials."""
MIN_FAILURES = 8
"""A rung is given up after no fewer failures, where no trial on it gave data."""
MIN_TO_RELY, MAX_FAILING = 0.5, 0.2
"""No trial waits for a rung whose correlation with the one that counts is smaller, or of whose
trials a larger share failed."""
CERTAIN = 1.0 - 1e-9
REFUSED, WAITING = -1e7, -1e6
"""What is added to the logarithm of the worth, which may be some thousands below zero where nothing
is hoped for; what waits still comes before what is refused."""


@dataclass(frozen=True)
class Judged:
    """A rung below the one that counts.

    Attributes:
        rho: its correlation with that one; `low` and `high` are the ends of the 90 % interval.
        cost, target_cost: of a typical trial on it, and on the one that counts.
        gain: what it tells per cost beyond better rungs, as a multiple of what the one that counts
            tells; `most` is the same at the better end of the intervals.
        n, n_failed: trials that gave an outcome, and that failed because of their parameters.
        waits: whether it is not bought before the rung that counts has outcomes enough to judge it.
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
    n_failed: int
    buys: bool
    waits: bool = False

    @property
    def is_broken(self) -> bool:
        """Whether nothing but failures came of it, and enough of them."""
        return self.n == 0 and self.n_failed >= MIN_FAILURES

    @property
    def is_worth_it(self) -> bool:
        """Whether it is worth its cost, as it looks so far."""
        return self.buys and self.gain >= 1.0

    @property
    def is_relied_on(self) -> bool:
        """Whether it agrees well enough, and seldom fails, so that dearer trials wait for it."""
        fails = self.n_failed > MAX_FAILING * (self.n + self.n_failed)
        return self.is_worth_it and abs(self.rho) >= MIN_TO_RELY and not fails


def judged(
    process: LadderProcess, costs: Costs, fidelity: Fidelity, failed: Floats
) -> tuple[Judged, ...]:
    """The rungs below the one that counts, in the order of the file; `failed` are features (m x d)
    of trials that failed because of their parameters."""
    typical, rungs = costs.typical, process.rungs
    n = np.bincount(rungs.of(process.x), minlength=rungs.n)
    n_failed = np.bincount(rungs.of(failed), minlength=rungs.n)
    share, best_share = _giving_data(n, n_failed)
    z, sd = np.arctanh(np.clip(process.hyper.rho[:-1], -CERTAIN, CERTAIN)), process.hyper.rho_sd
    low, high = np.tanh(z - Z_90 * sd), np.tanh(z + Z_90 * sd)
    own = _precision(process.hyper.rho[:-1])
    best = _precision(np.maximum(np.abs(low), np.abs(high)))
    cheaper = typical[:-1] / typical[-1]
    order = np.argsort(-own / (1.0 + own) / cheaper, kind="stable")
    found: dict[int, Judged] = {}
    known = 0.0
    for r in order:
        gain = share[r] * own[r] / (1.0 + known + own[r]) / cheaper[r]
        most = best_share[r] * best[r] / (1.0 + known + best[r]) / cheaper[r]
        lacking = max(0, MIN_OUTCOMES - int(n[-1]))
        is_judged = n[r] >= MIN_OUTCOMES and not lacking
        is_dear = _is_dear(costs, r)
        # to find out what it tells costs less than what was spent on it already; the least exact
        # one is asked about all candidates where that costs little (`waiting`)
        waits = bool(r and lacking and gain < 1.0 and n[r] * cheaper[r] >= lacking)
        one = Judged(
            fidelity.levels[r],
            float(process.hyper.rho[r]),
            float(low[r]),
            float(high[r]),
            float(typical[r]),
            float(typical[-1]),
            float(gain),
            float(most),
            int(n[r]),
            int(n_failed[r]),
            bool(most >= 1.0 or not (is_judged or is_dear)) and not waits,
            waits,
        )
        found[int(r)] = one = replace(one, buys=one.buys and not one.is_broken)
        known += float(own[r]) if one.buys else 0.0
    return tuple(found[r] for r in range(rungs.n - 1))


def _giving_data(n: NDArray[np.intp], n_failed: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """How often trials on each rung give data, and the upper end of the 90 % interval (both r)
    [Clopper & Pearson 1934]; those on the last one always, since its failures cost likewise."""
    tried = np.maximum(n + n_failed, 1)
    share = np.where(n_failed > 0, n / tried, 1.0)
    most = np.where(n_failed > 0, betaincinv(n + 1.0, np.maximum(n_failed, 1), 0.95), 1.0)
    return share, most


def _is_dear(costs: Costs, r: int) -> bool:
    """Whether a rung is known to cost no less than the one that counts."""
    is_known = not costs.is_learnt or min(costs.n[r], costs.n[-1]) >= MIN_COSTS
    return bool(is_known and costs.typical[r] >= costs.typical[-1])


def _precision(rho: Floats) -> Floats:
    square = np.minimum(np.asarray(rho) ** 2, CERTAIN)
    return np.asarray(square / (1.0 - square))


def two_digits(cost: float) -> str:
    """A cost in words: 3600, and not 3.6e+03."""
    return f"{float(f'{cost:.2g}'):g}"


def sentence(one: Judged, target: str, *, in_seconds: bool) -> str:
    """What is to be said of a rung, with its numbers."""
    if one.is_broken:
        return f"{one.level}: all {one.n_failed} trials on it failed; no longer bought"
    unit = " s" if in_seconds else ""
    words = (
        f"{one.level}: correlation with {target} {one.rho:.2f} "
        f"(90 %: {one.low:.2f} to {one.high:.2f}), "
        f"{two_digits(one.cost)}{unit} a trial against {two_digits(one.target_cost)}{unit}"
    )
    if one.is_worth_it:
        return words
    what = "not bought as it looks so far" if one.buys else "no longer bought"
    if one.waits:
        what = f"not bought before {MIN_OUTCOMES} trials on {target} gave data"
    return f"{words}; {what}: per cost it adds {one.gain:.2g} times what {target} tells"


def waiting(rungs: Sequence[Judged], costs: Costs, left: Floats, most: float) -> Floats:
    """The cost above which a trial waits for a lower rung, for each rung (r): that of all that is
    left to try there, features `left` (k x d). Infinite where it waits for none: because there is
    nothing left, or more than `most` trials, or the rung is not relied on."""
    found = np.full(len(rungs) + 1, np.inf)
    on, expected = costs.rungs.of(left), costs.expected(left)
    for r, one in enumerate(rungs):
        here = on == r
        if one.is_relied_on and 0 < here.sum() <= most:
            found[r + 1 :] = np.minimum(found[r + 1 :], expected[here].sum())
    return found


def waits_for(
    levels: Sequence[str], costs: Costs, left: Floats, waits: Floats, chosen: Floats
) -> str:
    """That dearer trials wait for what is left on the rung of a chosen one (features, d), in words;
    '' where none does. `waits` (r) is what `waiting` gave of the same `left` (k x d)."""
    on, expected = costs.rungs.of(left), costs.expected(left)
    lower = int(costs.rungs.of(chosen[None, :])[0])
    total = float(expected[on == lower].sum())
    waiting_on = on[(expected > waits[on]) & np.isclose(waits[on], total) & (on > lower)]
    if not len(waiting_on):
        return ""
    dear, unit, n = int(waiting_on.max()), " s" if costs.is_learnt else "", (on == lower).sum()
    return (
        f"trials on {levels[dear]} ({two_digits(costs.typical[dear])}{unit} each) wait for the "
        f"{n if n > 1 else 'last one'} left on {levels[lower]} ({two_digits(total)}{unit} in all)"
    )


@dataclass(frozen=True)
class Informativeness:
    """What a trial on a rung tells about the outcome that counts at the same point, per cost.

    The square of the correlation of the two outcomes, noise included, in what is not known yet
    [augmented expected improvement, Huang et al. 2006]; of rungs that buy nothing, nothing. Trials
    of a higher cost than `waits` (r) says of their rung come after all others.
    """

    encoding: Encoding
    process: LadderProcess
    costs: Costs
    refused: tuple[int, ...] = ()
    waits: Floats = field(default_factory=lambda: np.zeros(0))

    def __call__(self, codes: Floats, x: Floats) -> Floats:
        """Logarithms (m) at codes (m x p)."""
        return self._log(codes)

    def _log(self, codes: Floats) -> Floats:
        here = self.encoding.features(codes)
        there = self.encoding.features(self.encoding.at_highest_fidelity(codes))
        told = np.log(self.process.shared(here, there)) - np.log(self.costs(here))
        if np.isfinite(self.waits).any():
            waits = self.costs.expected(here) > self.waits[self.process.rungs.of(here)]
            told = np.where(waits, told + WAITING, told)
        return np.where(self._is_refused(here), REFUSED, told)

    def _is_refused(self, x: Floats) -> NDArray[np.bool_]:
        return np.asarray(np.isin(self.process.rungs.of(x), self.refused))

    def pull(self, codes: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Logarithms (m), and their gradient (m x k) by the real parameters."""
        return by_differences(self._log, self.encoding, codes)
