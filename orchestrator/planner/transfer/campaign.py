"""What other campaigns and tables say, as the prior mean of a campaign's process.

The outcome is modelled as a + sum_j b_j f_j(x) + a process of x. The slopes b_j are normal with a
variance each, fitted with the other hyperparameters, so that a source that says nothing is shrunk
away; their expected values make the trend of a `GaussianProcess`, which the search can use as any
other. The slopes' own uncertainty is in the choice, not in the search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from orchestrator.planner.fitting import Data, fit
from orchestrator.planner.gaussian import GaussianProcess, belief
from orchestrator.planner.kernel import Floats, Shape
from orchestrator.planner.likelihood import Priors
from orchestrator.planner.transfer.choosing import (
    MARGIN,
    MIN_OUTCOMES,
    Entry,
    blocks_ahead,
    weights_of,
)
from orchestrator.planner.transfer.surrogate import MIN_SHARE, LeftOut, scale_of
from orchestrator.planner.transfer.two_outputs import MAX_OUTCOMES, Observed, fit_beside

DIFFERENCE = 1e-5
SAME = 1e-9
"""Predictions that differ by less, as such and by their size, are those of one source."""


class Source(Protocol):
    """A prediction that can be made at any features of the campaign; of any unit and sign."""

    def __call__(self, x: Floats) -> Floats:
        """Predictions (m) at features (m x d)."""
        ...

    def pull(self, x: Floats, by_mean: Floats) -> Floats:
        """Gradient (m x d) of a function with the given derivatives (m) by the predictions."""
        ...


@dataclass(frozen=True)
class ProcessSource:
    """What a process of the same features believes; far from its data that is its mean."""

    process: GaussianProcess

    def __call__(self, x: Floats) -> Floats:
        """As `Source`."""
        process = self.process
        return np.asarray(process.level(x) + process.kernel(x, process.anchors) @ process.solved)

    def pull(self, x: Floats, by_mean: Floats) -> Floats:
        """As `Source`, exact."""
        return belief(self.process).pull(x, by_mean[:, None], np.zeros(len(x)))


@dataclass(frozen=True)
class ColumnSource:
    """A column of the features: in a pool, a prediction for each of its candidates."""

    column: int

    def __call__(self, x: Floats) -> Floats:
        """As `Source`."""
        return x[:, self.column]

    def pull(self, x: Floats, by_mean: Floats) -> Floats:
        """As `Source`."""
        out = np.zeros_like(x)
        out[:, self.column] = by_mean
        return out


@dataclass(frozen=True)
class FunctionSource:
    """Any function of features (m x d) that gives predictions (m); its slopes by differences."""

    function: Callable[[Floats], Floats]

    def __call__(self, x: Floats) -> Floats:
        """As `Source`."""
        return self.function(x)

    def pull(self, x: Floats, by_mean: Floats) -> Floats:
        """As `Source`."""
        out = np.empty_like(x)
        for column in range(x.shape[1]):
            step = np.zeros(x.shape[1])
            step[column] = DIFFERENCE
            apart = self.function(x + step) - self.function(x - step)
            out[:, column] = by_mean * apart / (2.0 * DIFFERENCE)
        return out


@dataclass(frozen=True)
class Columns:
    """Neighbouring columns of the features that say one thing together, such as a network's last
    hidden layer: their slopes have one variance."""

    first: int
    n: int

    @property
    def parts(self) -> tuple[Source, ...]:
        """Each column."""
        return tuple(ColumnSource(self.first + place) for place in range(self.n))


@dataclass(frozen=True)
class LinearTrend:
    """sum_j slope_j (f_j(x) - centre_j)."""

    sources: tuple[Source, ...]
    centres: Floats
    slopes: Floats

    def __call__(self, x: Floats) -> Floats:
        """As `gaussian.Trend`."""
        predicted = np.stack([source(x) for source in self.sources], axis=1)
        return np.asarray((predicted - self.centres) @ self.slopes)

    def pull(self, x: Floats, by_mean: Floats) -> Floats:
        """As `gaussian.Trend`."""
        pairs = zip(self.sources, self.slopes, strict=True)
        return np.asarray(sum(source.pull(x, slope * by_mean) for source, slope in pairs))


@dataclass(frozen=True)
class Informed:
    """A process for the search, and how it was chosen. `entries` begin with no transfer; the weight
    of each is how probable it is to predict best."""

    process: GaussianProcess
    entries: tuple[Entry, ...]


def informed(
    data: Data,
    sources: Mapping[str, Source | Columns | Observed],
    shape: Shape,
    priors: Sequence[Priors],
    *,
    sign: float | None = None,
    margin: float = MARGIN,
    seed: int = 0,
) -> Informed:
    """The process that predicts outcomes it has not seen best, with a trend or beside a source's
    values; without either, unless one is more probable than not to be better by a margin.

    With fewer than `MIN_OUTCOMES` outcomes, or where all sources are constant, there is neither.

    Args:
        sign: +1 where large outcomes are looked for, -1 where small ones are: then the better half
            of the outcomes is predicted from the worse, else each from all others.
    """
    ways = [_Way({}, shape, priors), *_with_sources(data, sources, shape, priors)]
    fitted = [way.fit(data) for way in ways]
    left = [_left_out(whole) for whole, _ in fitted]
    if sign is None or len(data.y) < 2 * MIN_OUTCOMES:
        judged = [one.log_densities for one in left]
    else:
        judged = [_beyond(way, data, sign) for way in ways]
    scores = np.stack(judged, axis=1)
    n = max(len(data.y), MIN_OUTCOMES)
    weights = weights_of(scores, margin * n / (n - 2), seed)
    best = 0 if weights[0] >= 0.5 else 1 + int(np.argmax(weights[1:]))
    lines = zip(ways, left, scores.mean(axis=0), weights, strict=True)
    entries = tuple(Entry(w.name, float(s), o.rmse, float(share)) for w, o, s, share in lines)
    return Informed(fitted[best][1], entries)


def _with_sources(
    data: Data,
    sources: Mapping[str, Source | Columns | Observed],
    shape: Shape,
    priors: Sequence[Priors],
) -> list[_Way | _BesideWay]:
    """What is tried beside no transfer: each source alone, and the trends together."""
    if len(data.y) < MIN_OUTCOMES:
        return []
    sources = _each_once(sources, data.x)
    trends = {n: s for n, s in sources.items() if not isinstance(s, Observed)}
    values = {name: _values(_parts(source), data.x) for name, source in trends.items()}
    kept = [name for name in trends if np.ptp(values[name], axis=0).max() > 0.0]
    groups = [[name] for name in kept] + ([kept] if len(kept) > 1 else [])
    lines = [_Way({name: trends[name] for name in names}, shape, priors) for names in groups]
    if len(data.y) > MAX_OUTCOMES or data.rungs is not None:
        return [*lines]
    seen = [(n, s) for n, s in sources.items() if isinstance(s, Observed) and np.ptp(s.y) > 0.0]
    return [*lines, *(_BesideWay(name, observed, shape) for name, observed in seen)]


def _each_once(
    sources: Mapping[str, Source | Columns | Observed], x: Floats
) -> dict[str, Source | Columns | Observed]:
    """The sources without those that say of features (n x d) what an earlier one says, which is
    then named `this or that`: twice among the choices, or in one trend, it would be believed for
    being there twice."""
    first: dict[str, list[str]] = {}
    said: dict[str, Floats] = {}
    for name, source in sources.items():
        own = _said(source, x)
        alike = (
            other
            for other, values in said.items()
            if isinstance(sources[other], Observed) is isinstance(source, Observed)
            and values.shape == own.shape
            and np.allclose(values, own, rtol=SAME, atol=SAME)
        )
        other = next(alike, name)
        first.setdefault(other, []).append(name)
        said.setdefault(other, own)
    return {" or ".join(names): sources[name] for name, names in first.items()}


def _said(source: Source | Columns | Observed, x: Floats) -> Floats:
    if isinstance(source, Observed):
        return np.column_stack([source.x, source.y])
    return _values(_parts(source), x)


def _parts(source: Source | Columns) -> tuple[Source, ...]:
    return source.parts if isinstance(source, Columns) else (source,)


def _values(sources: Sequence[Source], x: Floats) -> Floats:
    """Predictions of sources (n x s) at features (n x d)."""
    return np.stack([source(x) for source in sources], axis=1)


def _left_out(process: GaussianProcess) -> LeftOut:
    mean, variance = process.leave_one_out()
    return LeftOut(process.y, mean, np.sqrt(variance))


@dataclass(frozen=True)
class _Way:
    """A process around a linear function of some sources, or of none."""

    sources: Mapping[str, Source | Columns]
    shape: Shape
    priors: Sequence[Priors]

    @property
    def name(self) -> str:
        return " and ".join(self.sources) or "no transfer"

    def fit(self, data: Data) -> tuple[GaussianProcess, GaussianProcess]:
        """The process whose covariance has the slopes' uncertainty, for judging by left-out
        outcomes; and that with the slopes' expected values, for searching."""
        if not self.sources:
            plain = fit(data, self.shape, self.priors)
            return plain, plain
        together = [_parts(source) for source in self.sources.values()]
        every_part = tuple(part for parts in together for part in parts)
        sizes = np.array([len(parts) for parts in together])
        values = _values(every_part, data.x)
        scale = scale_of(values)
        f = scale.standardised(values)
        blocks = np.split(f, np.cumsum(sizes)[:-1], axis=1)
        lines = np.stack([block @ block.T / block.shape[1] for block in blocks])
        every = replace(data, terms=np.concatenate([data.terms, lines]))
        whole = fit(every, self.shape, self.priors)
        n_own = len(data.terms)
        own, variances = whole.hyper.terms[:n_own], whole.hyper.terms[n_own:] / sizes
        slopes = np.repeat(variances, sizes) * (f.T @ whole.solved)
        trend = LinearTrend(every_part, scale.centre, slopes / scale.spread)
        extra = np.tensordot(own, data.terms, axes=1) if n_own else None
        hyper = replace(whole.hyper, terms=own)
        return whole, replace(whole, extra=extra, hyper=hyper, trend=trend)


@dataclass(frozen=True)
class _BesideWay:
    """A process of two outputs, the other being what a source was seen to be."""

    name: str
    seen: Observed
    shape: Shape

    def fit(self, data: Data) -> tuple[GaussianProcess, GaussianProcess]:
        """As `_Way.fit`; one process serves both."""
        found = fit_beside(data, self.seen, self.shape)
        return found, found


def _beyond(way: _Way | _BesideWay, data: Data, sign: float) -> Floats:
    """Log densities of the better half, block by block, each predicted from all that are worse."""
    found = []
    for known, ahead in blocks_ahead(sign * data.y):
        _, process = way.fit(data.rows(known))
        mean, sd = process.posterior(data.x[ahead])
        noise = process.hyper.noise * data.shares[ahead] + data.known[ahead]
        least = MIN_SHARE * float(data.y.std())
        wide = np.sqrt(sd**2 + noise + least**2)
        found.append(LeftOut(data.y[ahead], mean, wide, len(known)).log_densities)
    return np.concatenate(found)
