"""The choice shows its reasons, and bounds what a useless source costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import t
from transfer_samples import Floats, gain, related, unrelated

from orchestrator.planner.transfer.affine import AffineSurrogate, additive, prior_mean
from orchestrator.planner.transfer.bases import ProcessSurrogate, augmented
from orchestrator.planner.transfer.choosing import (
    BeyondTheKnown,
    Choice,
    Judge,
    among_the_known,
    choose,
    weights_of,
)
from orchestrator.planner.transfer.surrogate import Fitted, Surrogate

WAYS = (prior_mean(), AffineSurrogate(), additive(), augmented())


@dataclass(frozen=True)
class Chosen:
    """A choice, as a surrogate."""

    ways: Sequence[Surrogate] = WAYS
    judge: Judge = among_the_known
    name: str = "choice"

    def fit(self, x: Floats, y: Floats, f: Floats) -> Choice:
        return choose(ProcessSurrogate(), self.ways, x, y, f, judge=self.judge)


class Broken:
    """A surrogate that cannot be fitted."""

    name = "broken"

    def fit(self, x: Floats, y: Floats, f: Floats) -> Fitted:
        raise np.linalg.LinAlgError("a covariance is not positive definite")


def test_no_transfer_stands_first_and_weights_add_up_to_one() -> None:
    x, y, f = related(0)
    choice = Chosen().fit(x[:10], y[:10], f[:10])
    assert choice.entries[0].name == "no transfer"
    assert sum(entry.weight for entry in choice.entries) == pytest.approx(1.0)


def test_a_related_source_is_used_and_the_sentence_says_so() -> None:
    x, y, f = related(0)
    choice = Chosen().fit(x[:10], y[:10], f[:10])
    assert choice.entries[0].weight < 0.2
    assert choice.sentence().startswith(f"{choice.best.name}: 0.")


def test_with_three_outcomes_there_is_no_transfer() -> None:
    x, y, f = related(0)
    choice = Chosen().fit(x[:3], y[:3], f[:3])
    assert choice.best.name == "no transfer"
    assert choice.best.weight == 1.0


def test_what_cannot_be_fitted_is_left_out() -> None:
    x, y, f = related(0)
    choice = Chosen((Broken(), prior_mean())).fit(x[:10], y[:10], f[:10])
    assert [entry.name for entry in choice.entries] == ["no transfer", "prior mean"]


def test_an_equal_candidate_has_the_odds_of_the_margin() -> None:
    scores = np.tile(np.random.default_rng(0).normal(size=(20, 1)), (1, 2))
    weights = weights_of(scores, margin=3.0, seed=0)
    np.testing.assert_allclose(weights, [1.0 / (1.0 + np.exp(-3.0)), 1.0 / (1.0 + np.exp(3.0))])


def test_what_has_next_to_no_weight_has_none() -> None:
    scores = np.tile(np.random.default_rng(0).normal(size=(20, 1)), (1, 5))
    assert weights_of(scores, margin=3.0, seed=0).tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_twice_the_same_candidates_do_not_outvote_no_transfer() -> None:
    random = np.random.default_rng(1)
    scores = np.stack([np.zeros(20), random.normal(0.1, 0.3, size=20)], axis=1)
    once = weights_of(scores, margin=1.0, seed=0)
    twice = weights_of(scores[:, [0, 1, 1, 1]], margin=1.0, seed=0)
    assert twice[0] == pytest.approx(once[0], abs=1e-9)


def test_a_mixture_has_the_deviation_of_its_parts_and_of_their_disagreement() -> None:
    x, y, f = related(3)
    choice = Chosen().fit(x[:10], y[:10], f[:10])
    mean, sd = choice.predict(x[10:30], f[10:30])
    parts = [fitted.predict(x[10:30], f[10:30]) for fitted in choice.fitted]
    weights = np.array([entry.weight for entry in choice.entries])
    means, sds = (np.stack(column) for column in zip(*parts, strict=True))
    np.testing.assert_allclose(mean, weights @ means)
    np.testing.assert_allclose(sd**2, weights @ (sds**2 + means**2) - mean**2, atol=1e-9)


def test_a_related_source_saves_two_fifths_of_the_error_with_ten_outcomes() -> None:
    assert gain(Chosen(), related, seeds=range(6)) >= 0.4


def test_an_unrelated_source_costs_three_per_cent_at_most() -> None:
    assert gain(Chosen(), unrelated, seeds=range(20)) >= -0.03


def _rising(n: int) -> tuple[Floats, Floats, Floats]:
    """The best outcomes lie where features say nothing, and the source says all."""
    random = np.random.default_rng(5)
    x = random.random((n, 4))
    f = np.sort(random.exponential(size=(n, 1)), axis=0)
    return x, 2.0 * f[:, 0] + 0.1 * random.normal(size=n), f


def test_beyond_the_known_every_one_of_the_better_half_is_judged_by_the_worse() -> None:
    x, y, f = _rising(21)
    plain = ProcessSurrogate()
    judged = BeyondTheKnown()(plain, plain.fit(x, y, f), x, y, f)
    assert judged.shape == (11,)
    last = np.argsort(y)[-2:]  # eleven in four blocks: 3, 3, 3, 2
    known = np.setdiff1d(np.arange(21), last)
    fitted = plain.fit(x[known], y[known], f[known])
    mean, sd = fitted.predict(x[last], f[last])
    wide = sd**2 + fitted.noise_sd**2 + (1e-3 * y.std()) ** 2
    np.testing.assert_allclose(judged[-2:], t.logpdf(y[last], 18, mean, np.sqrt(wide)))


def test_beyond_the_known_a_source_that_extrapolates_is_chosen() -> None:
    x, y, f = _rising(21)
    assert Chosen(judge=BeyondTheKnown()).fit(x, y, f).entries[0].weight < 0.2
    assert Chosen(judge=BeyondTheKnown(sign=-1.0)).fit(x, -y, f).entries[0].weight < 0.2
