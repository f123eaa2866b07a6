"""Other choices than the planner's own, for the ablations of `docs/decisions/0011`.

    python -m benchmarks.planner.run --planners hagane --vary upper_bound --label upper_bound \
        --problems branin --seeds 20 --out lines.jsonl

Each takes the place of a few functions of the planner, for the process in which it is put there.
None of them is offered to a campaign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.planner import warped
from orchestrator.planner import asking, initial, modelled, models, preference, survival
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gain import Gain, Improvement
from orchestrator.planner.gaussian import GaussianProcess, belief, drawn_belief
from orchestrator.planner.kernel import Floats, Shape
from orchestrator.planner.likelihood import Hyper, Likelihood, LogNormal, Priors
from orchestrator.planner.sobol import Sobol
from orchestrator.planner.worth import Worth
from orchestrator.ports.planner import History, PlanningTask

SHAPES: tuple[Shape, ...] = ("matern", "gauss")
SOFTNESS = 0.1
N_DRAWN_AT = 256
POWERS = (0.0, 0.5, 1.0, 1.5, 2.0)


def least(data: Data, shape: Shape, hyper: Hyper, priors: tuple[Priors, ...]) -> float:
    """Minus the log posterior of hyperparameters, under the prior that likes them best."""
    said = (data.shares, data.known, data.terms)
    ways = [Likelihood(data.x, data.y, data.layout, one, shape, *said) for one in priors]
    return min(way(way.theta(hyper))[0] for way in ways)


def _kernel_by_evidence() -> None:
    """Matern 5/2 or the squared exponential, whichever explains the outcomes better."""

    def fitted(data: Data, shape: Shape, priors: tuple[Priors, ...]) -> GaussianProcess:
        tried = [fit(data, each, priors) for each in SHAPES]
        return min(tried, key=lambda one: least(data, one.shape, one.hyper, priors))

    models.fit = fitted


def _outcomes(make: Callable[[Any, Floats, Any], Any]) -> None:
    """Outcomes on another scale, of problems with one goal."""
    known = modelled.evidence

    def evidence(task: PlanningTask, encoding: Encoding, history: History) -> Any:
        seen = known(task, encoding, history)
        if len(task.objective.goals) > 1:
            return seen
        found = {
            name: make(m, seen.features[list(m.rows)], encoding.layout) if len(m.rows) > 3 else m
            for name, m in seen.measured.items()
        }
        return replace(seen, measured=found)

    modelled.evidence = evidence


def _by_evidence(measured: Any, x: Floats, layout: Any) -> Any:
    """The power that explains the outcomes best, the change of scale taken into account."""
    n = len(measured.y)
    priors = models.default_priors(layout.n_groups)

    def badness(power: float) -> float:
        one = warped.powered(measured, power)
        terms = np.zeros((0, n, n))
        data = Data(x, one.y, layout, measured.shares, measured.known, terms)
        value = least(data, "matern", fit(data, "matern", priors).hyper, priors)
        return value - float(np.log(one.slope(measured.y)).sum())

    return warped.powered(measured, min(POWERS, key=badness))


def _inputs() -> None:
    """A warping of each real parameter, fitted with the length scales."""
    process = models._process

    def here(informing: Any, *said: Any) -> GaussianProcess:
        warped.columns = informing.encoding.movable[1]
        return process(informing, *said)

    models._process = here
    models.fit = warped.fit_inputs


@dataclass(frozen=True)
class UpperBound:
    """Mean and `k` standard deviations, over `best` (s); softly cut off at zero, so that what
    weighs on the worth can weigh on it."""

    column: int
    sign: float
    best: Floats
    k: float

    def __call__(self, means: Any, sds: Any) -> Any:
        """As a `Gain`."""
        mean, sd = self.sign * means[self.column], sds[self.column]
        u = (mean + self.k * sd - self.best) / SOFTNESS
        far = u < -30.0
        near = np.where(far, 0.0, u)
        soft = np.logaddexp(0.0, near)
        slope = np.where(far, 1.0, np.exp(near - soft) / soft) / SOFTNESS
        value = np.where(far, u, np.log(soft))
        return value, {self.column: (self.sign * slope, self.k * slope)}


def _instead(k: float) -> None:
    one = asking._one

    def bound(*said: Any) -> Gain:
        found = one(*said)
        if isinstance(found, Improvement):
            return UpperBound(found.column, found.sign, found.best, k)
        return found

    asking._one = bound


def _without_draws() -> None:
    """What was measured is what the model expects there."""

    def ask(processes: Any, anchors: Floats, in_flight: Floats, *_: Any) -> asking.Asked:
        at = np.concatenate([anchors, in_flight])
        outcomes = tuple(process.posterior(at)[0][:, None] for process in processes)
        return asking.Asked(tuple(belief(process) for process in processes), outcomes)

    asking._ask = ask


def _upper_bound() -> None:
    """Mean and two standard deviations."""
    _without_draws()
    _instead(2.0)


def _thompson() -> None:
    """The largest value of one draw from the posterior, at points that fill the space."""
    worth = modelled.Modelled._worth
    points: list[Floats] = []

    def prepared(self: Any, in_flight: Floats, newest: Floats, seed: int) -> Worth:
        pool = self.encoding.sole_pool
        if pool is None:
            codes = self.possible.spread(N_DRAWN_AT, seed + 1)
        else:
            codes = (np.arange(len(pool.names))[:, None] + 0.5) / len(pool.names)
        points[:] = [self.encoding.features(codes)]
        return worth(self, in_flight, newest, seed)

    def ask(processes: Any, anchors: Floats, flying: Floats, _: int, seed: int, *__: Any) -> Any:
        shown = len(anchors) + len(flying)
        at = np.concatenate([anchors, flying, points[0]])
        rng = np.random.default_rng([seed, 0x750])
        beliefs, outcomes = [], []
        for process in processes:
            drawn, values = drawn_belief(process, at, rng.normal(size=(len(at), 1)))
            beliefs.append(drawn)
            outcomes.append(values[:shown])
        return asking.Asked(tuple(beliefs), tuple(outcomes))

    modelled.Modelled._worth = prepared
    asking._ask = ask
    _instead(0.0)


def _scales(alike: float, spread: float = 1.0, longer: float = 0.0) -> None:
    """Length scales that are more or less alike, spread and long beforehand."""

    def priors(n_groups: int, counted: Sequence[int] = ()) -> tuple[Priors, ...]:
        known = default_priors(n_groups, counted)
        loc = known[0].width.loc + longer
        width = LogNormal(loc, spread, of_log=True, alike=alike)
        return tuple(replace(one, width=width) for one in known)

    for module in (models, preference, survival):
        module.default_priors = priors  # type: ignore[attr-defined]


def _product_alone() -> None:
    """No main effects beside choices."""
    models.with_mains = lambda priors, layout: tuple(priors)


def _goals_straight() -> None:
    """Goals as they were measured, however far they go."""
    modelled.goals_bent = lambda task, encoding, seen, *_: seen


def _caution(power: float) -> None:
    """The power by which the probability to give data counts."""
    survival.CAUTION = power


def _start(kind: str) -> None:
    """The first points otherwise: a Latin hypercube, or the centre before Sobol points. Of spaces
    where every point is possible."""

    def spread(self: Any, n: int, seed: int, start: int = 0) -> Floats:
        width = self.encoding.n_parameters
        if kind == "centre":
            rest = Sobol(width, seed).points(max(0, start - 1), n)
            codes = np.concatenate([np.full((1, width), 0.5), rest])[:n] if not start else rest
        else:
            rng = np.random.default_rng([seed, 0x1A7])
            cells = np.array([rng.permutation(count[0]) for _ in range(width)]).T
            codes = ((cells + rng.random(cells.shape)) / count[0])[start : start + n]
        return np.asarray(self.encoding.snap(codes))

    propose, plain = initial.SpaceFilling.propose, initial.Possible.spread
    count: list[int] = [8]

    def proposed(self: Any, history: History, n: int, caption: Any) -> Any:
        if self.encoding.sole_pool is not None or self.possible.is_bound:
            return propose(self, history, n, caption)
        initial.Possible.spread = spread
        try:
            return propose(self, history, n, caption)
        finally:
            initial.Possible.spread = plain

    initial.SpaceFilling.propose = proposed


VARIANTS: dict[str, Callable[[], None]] = {
    "kernel_by_evidence": _kernel_by_evidence,
    "outcomes_normal": lambda: _outcomes(lambda m, x, layout: warped.made_normal(m)),
    "outcomes_by_evidence": lambda: _outcomes(_by_evidence),
    "inputs_warped": _inputs,
    "product_alone": _product_alone,
    "goals_straight": _goals_straight,
    "scales_apart": lambda: _scales(0.0),
    "not_squared": lambda: _caution(1.0),
    "alike_0.8": lambda: _scales(0.8),
    "alike_0.7_spread_1.4": lambda: _scales(0.7, spread=1.4),
    "alike_0.5_shorter": lambda: _scales(0.5, longer=-0.3),
    "expected_improvement": _without_draws,
    "upper_bound": _upper_bound,
    "thompson": _thompson,
    "start_latin": lambda: _start("latin"),
    "start_centre": lambda: _start("centre"),
}
