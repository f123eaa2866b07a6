"""A library of source models for any target [shotgun transfer learning, Yamada et al. 2019].

Each source set trains several small fully connected networks of random widths. What transfers is
what they predict anywhere, and their last hidden layer, frozen: the few numbers per material that
the source's property was found to depend on. All sets have the features of the target.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from orchestrator.errors import MissingExtra
from orchestrator.planner.kernel import Floats
from orchestrator.planner.transfer.affine import AffineSurrogate, additive, prior_mean
from orchestrator.planner.transfer.bases import ProcessSurrogate, augmented
from orchestrator.planner.transfer.choosing import Choice, Judge, among_the_known, choose
from orchestrator.planner.transfer.surrogate import Fitted, LeftOut, Scale, Surrogate, scale_of

N_NETS = 3
MAX_PASSES = 300
PATIENCE = 15
WIDTHS = (16, 64)
"""Least and largest width of a hidden layer."""
HELD_OUT = 0.15


@dataclass(frozen=True)
class SourceSet:
    """Outcomes y (n, some dozens at least) of another property at features x (n x d)."""

    name: str
    x: Floats
    y: Floats


@dataclass(frozen=True)
class Net:
    """A trained network: rectified layers and a linear end, on standardised features and outcomes.

    Attributes:
        layers: weights (in x out) and offsets (out) of each layer.
        held_out_r2: share of the variance of held-out outcomes that it explains.
    """

    inputs: Scale
    outcome: Scale
    layers: tuple[tuple[Floats, Floats], ...]
    hidden_scale: Scale
    held_out_r2: float

    def hidden(self, x: Floats) -> Floats:
        """Last hidden layer (m x h) at features (m x d), standardised as on the source's set."""
        return self.hidden_scale.standardised(self._rectified(x))

    def predict(self, x: Floats) -> Floats:
        """The source's property (m) at features (m x d), in its unit."""
        weights, offsets = self.layers[-1]
        return self.outcome.in_unit((self._rectified(x) @ weights + offsets)[:, 0])

    def _rectified(self, x: Floats) -> Floats:
        return _rectified(self.inputs.standardised(x), self.layers[:-1])


def _rectified(values: Floats, layers: Sequence[tuple[Floats, Floats]]) -> Floats:
    for weights, offsets in layers:
        values = np.maximum(values @ weights + offsets, 0.0)
    return values


@dataclass(frozen=True)
class SourceModel:
    """The networks of one source set."""

    name: str
    nets: tuple[Net, ...]

    def predict(self, x: Floats) -> Floats:
        """Mean (m) of the networks' predictions, in the source's unit."""
        return np.asarray(np.mean([net.predict(x) for net in self.nets], axis=0))

    @property
    def best(self) -> Net:
        """The network that predicts held-out outcomes best."""
        return max(self.nets, key=lambda net: net.held_out_r2)


def train(sources: Sequence[SourceSet], *, seed: int, n_nets: int = N_NETS) -> Library:
    """Trains `n_nets` random networks on each source set.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    models = []
    for number, source in enumerate(sources):
        seeds = np.random.default_rng([seed, number]).integers(2**31, size=n_nets)
        nets = tuple(_net(source, int(one)) for one in seeds)
        models.append(SourceModel(source.name, nets))
    return Library(tuple(models))


def _net(source: SourceSet, seed: int) -> Net:
    inputs, outcome = scale_of(source.x), scale_of(source.y)
    x, y = inputs.standardised(source.x), outcome.standardised(source.y)
    random = np.random.default_rng(seed)
    n_layers = int(random.integers(1, 4))
    widths = sorted(random.integers(WIDTHS[0], WIDTHS[1] + 1, size=n_layers).tolist(), reverse=True)
    order = random.permutation(len(y))
    held, rest = np.split(order, [int(HELD_OUT * len(y))])
    estimator = _regressor(tuple(widths), float(10.0 ** random.uniform(-4, -1)), seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it may be trained further is known
        estimator.fit(x[rest], y[rest])
    layers = tuple(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    missed = y[held] - estimator.predict(x[held]) if len(held) else np.zeros(1)
    variance = max(float(y[held].var()), 1e-12) if len(held) else 1.0
    hidden = scale_of(_rectified(x, layers[:-1]))
    return Net(inputs, outcome, layers, hidden, 1.0 - float(np.mean(missed**2)) / variance)


def _regressor(widths: tuple[int, ...], penalty: float, seed: int) -> Any:
    try:
        from sklearn.neural_network import MLPRegressor
    except ImportError as error:
        raise MissingExtra("scikit-learn", "pip install 'hagane[materials]'") from error
    return MLPRegressor(
        hidden_layer_sizes=widths,
        alpha=penalty,
        learning_rate_init=3e-3,
        max_iter=MAX_PASSES,
        early_stopping=True,
        n_iter_no_change=PATIENCE,
        random_state=seed,
    )


@dataclass(frozen=True)
class Library:
    """Source models over the same features."""

    models: tuple[SourceModel, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the sources."""
        return tuple(model.name for model in self.models)

    def predictions(self, x: Floats) -> Floats:
        """What each source predicts (m x s) at features (m x d), in standard deviations of its
        set from its mean."""
        columns = [m.nets[0].outcome.standardised(m.predict(x)) for m in self.models]
        return np.stack(columns, axis=1)

    def candidates(self) -> list[Surrogate]:
        """Ways to learn a target with one source, or with all: see `choose`. Source predictions
        are expected in the order of `names`."""
        of_all = Scale(np.zeros(len(self.models)), np.ones(len(self.models)))
        found: list[Surrogate] = [
            prior_mean("all, linear", of_all),
            additive("all, additive", of_all),
            augmented("all, as features", of_all),
        ]
        for place, model in enumerate(self.models):
            found.append(from_source(prior_mean(f"{model.name}, linear"), place))
            found.append(from_source(AffineSurrogate(f"{model.name}, affine"), place))
            found.append(from_layer(ProcessSurrogate(f"{model.name}, layer"), model.best))
        return found

    def choose(
        self,
        plain: Surrogate,
        x: Floats,
        y: Floats,
        *,
        judge: Judge = among_the_known,
        seed: int = 0,
    ) -> Choice:
        """Fits no transfer and all candidates to outcomes y (n) at features x (n x d), and weighs
        them."""
        f = self.predictions(x)
        return choose(plain, self.candidates(), x, y, f, judge=judge, seed=seed)


@dataclass(frozen=True)
class Through:
    """A surrogate that sees other features or sources than it is given: one of the sources, or a
    network's last hidden layer.

    Attributes:
        seen: features (n x d) and sources (n x s) as the inner one sees them.
    """

    inner: Surrogate
    seen: Callable[[Floats, Floats], tuple[Floats, Floats]]

    @property
    def name(self) -> str:
        """The inner one's."""
        return self.inner.name

    def fit(self, x: Floats, y: Floats, f: Floats) -> Fitted:
        """The inner one, on what it sees."""
        own_x, own_f = self.seen(x, f)
        return _FittedThrough(self.inner.fit(own_x, y, own_f), self.seen)


@dataclass(frozen=True)
class _FittedThrough:
    inner: Fitted
    seen: Callable[[Floats, Floats], tuple[Floats, Floats]]

    @property
    def noise_sd(self) -> float:
        return self.inner.noise_sd

    @property
    def left_out(self) -> LeftOut:
        return self.inner.left_out

    def predict(self, x: Floats, f: Floats) -> tuple[Floats, Floats]:
        return self.inner.predict(*self.seen(x, f))


def from_source(inner: Surrogate, place: int) -> Through:
    """A surrogate that sees one of the sources."""
    return Through(inner, lambda x, f: (x, f[:, [place]]))


def from_layer(inner: Surrogate, net: Net) -> Through:
    """A surrogate that sees a network's last hidden layer in place of the features."""
    return Through(inner, lambda x, f: (net.hidden(x), f))
