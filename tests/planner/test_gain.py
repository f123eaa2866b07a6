"""Expected gains: against sampling, against BoTorch, and their gradients against differences."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.space import Real, SearchSpace
from orchestrator.planner import gaussian
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gain import (
    CloserToBand,
    Gain,
    HypervolumeImprovement,
    Improvement,
    WithinLimits,
    open_boxes,
    undominated,
)
from orchestrator.planner.gaussian import GaussianProcess, belief, drawn_belief
from orchestrator.planner.improvement import log_expected_improvement, log_h, log_probability
from orchestrator.planner.kernel import Floats, Layout
from orchestrator.planner.survival import survival
from orchestrator.planner.weighing import by_differences
from orchestrator.planner.worth import Weight, Worth


def box(d: int) -> Encoding:
    """A unit cube, of which codes and features are the same."""
    axes = tuple(Real(name=f"x{i}", low=0.0, high=1.0) for i in range(d))
    return Encoding(SearchSpace(parameters=axes))


def process(seed: int, n: int = 8, d: int = 3) -> GaussianProcess:
    rng = np.random.default_rng(seed)
    x, n_terms = rng.random((n, d)), 0
    y = rng.normal(size=n)
    data = Data(x, y, Layout(np.arange(d)), np.ones(n), np.zeros(n), np.zeros((n_terms, n, n)))
    return fit(data, "matern", default_priors(d))


BAND = CloserToBand(0, -0.2, 0.3, np.array([0.5]))
FRONT = np.array([[0.2, 1.0], [0.8, 0.1], [0.5, 0.6]])
OFF = np.array([[0.0, -0.6], [-0.2, 0.1], [-0.7, 0.6]])
"""A front whose first merit is less the distance from a target: nothing beats the first row's."""
GAINS: dict[str, Gain] = {
    "improvement": Improvement(0, -1.0, np.array([0.4])),
    "limits": WithinLimits(Improvement(0, 1.0, np.array([0.1])), ((1, -1.0, 0.2), (0, 1.0, -1.0))),
    "band": BAND,
    "target": CloserToBand(0, 0.1, 0.1, np.array([0.4])),
    "half-line": CloserToBand(1, -np.inf, -0.8, np.array([0.4])),
    "two": HypervolumeImprovement(
        (0, 1), (1.0, -1.0), (None, None), (open_boxes(FRONT, np.array([-1.0, -1])),)
    ),
    "a target and the less": HypervolumeImprovement(
        (0, 1), (1.0, -1.0), ((-0.3, 0.0), None), (open_boxes(OFF, np.array([-1.0, -1])),)
    ),
}


@pytest.mark.torch
def test_the_logarithm_is_that_of_botorch_near_and_far() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # libraries that use torch.jit while they are imported
        import torch
        from botorch.acquisition.analytic import _log_ei_helper

    z = np.concatenate([np.linspace(-5000, 5, 999), np.linspace(-40, 3, 999)])
    expected = _log_ei_helper(torch.tensor(z)).numpy()
    np.testing.assert_allclose(log_h(z), expected, rtol=1e-10, atol=1e-12)


def test_slopes_far_out_are_those_of_the_nearer_ones() -> None:
    z, one = -np.array([999.0, 1001.0, 1e6, 1e12, 1e60]), np.ones(5)
    _, by_mean, by_sd = log_expected_improvement(z, one, np.zeros(5))
    np.testing.assert_allclose(by_mean, -z, rtol=1e-5)
    np.testing.assert_allclose(by_sd, z * z, rtol=1e-5)
    np.testing.assert_allclose(log_probability(z)[1], -z, rtol=1e-5)


def test_a_target_far_beyond_all_outcomes_is_approached() -> None:
    means, sds = [np.array([[0.1, 0.4]])], [np.array([[0.6]])]
    gain = CloserToBand(0, 1e6, 1e6, np.full(2, 1e6 - 0.2))
    value, by = gain(means, sds)
    plain, plain_by = Improvement(0, 1.0, np.full(2, 0.2))(means, sds)
    np.testing.assert_allclose(value, plain, rtol=1e-6)
    np.testing.assert_allclose(by[0], plain_by[0], rtol=1e-6)


@pytest.mark.parametrize("name", list(GAINS))
def test_the_gain_is_what_sampling_finds(name: str) -> None:
    means, sds = [np.array([[0.1]]), np.array([[-0.3]])], [np.array([[0.6]]), np.array([[0.5]])]
    value, _ = GAINS[name](means, sds)
    rng = np.random.default_rng(0)
    pairs = zip(means, sds, strict=True)
    y = np.stack([m[0, 0] + s[0, 0] * rng.normal(size=400_000) for m, s in pairs])
    if name == "improvement":
        gain = np.maximum(-y[0] - 0.4, 0)
    elif name == "limits":
        gain = np.maximum(y[0] - 0.1, 0).mean() * (-y[1] >= -0.2).mean() * (y[0] >= -1).mean()
    elif isinstance(gain_of := GAINS[name], CloserToBand):
        outcome = y[gain_of.column]
        distance = np.maximum(np.maximum(gain_of.low - outcome, outcome - gain_of.high), 0)
        gain = np.maximum(gain_of.best - distance, 0)
    elif name == "two":
        gain = _volume_gain(FRONT, np.stack([y[0], -y[1]], axis=1)[:4000])
    else:
        off = -np.maximum(np.maximum(-0.3 - y[0], y[0]), 0)
        gain = _volume_gain(OFF, np.stack([off, -y[1]], axis=1)[:20_000])
    assert float(np.exp(value[0, 0])) == pytest.approx(float(np.mean(gain)), rel=0.05)


def _volume_gain(front: Floats, points: Floats) -> Floats:
    def volume(points: Floats) -> float:
        total, edge = 0.0, -1.0
        for a, b in sorted(map(tuple, points), reverse=True):
            if a > -1 and b > edge:
                total += (a + 1) * (b - edge)
                edge = b
        return total

    before = volume(front)
    return np.array([volume(np.vstack([front, p])) - before for p in points])


def weights(seed: int) -> Sequence[tuple[Weight, ...]]:
    rng = np.random.default_rng(seed)
    return [(), (survival(box(3), rng.random((5, 3)), rng.random((4, 3)), "matern"),)]


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(sorted(GAINS)), st.integers(0, 1000), st.booleans(), st.booleans())
def test_the_gradient_of_the_worth_agrees_with_finite_differences(
    name: str, seed: int, drawn: bool, weighed: bool
) -> None:
    processes = (process(seed), process(seed + 1))
    rng = np.random.default_rng(seed)
    at, normal = rng.random((3, 3)), rng.normal(size=(3, 4))
    beliefs = tuple(drawn_belief(p, at, normal)[0] if drawn else belief(p) for p in processes)
    gain = GAINS[name]
    if isinstance(gain, HypervolumeImprovement) and drawn:
        gain = replace(gain, boxes=gain.boxes * 4)
    worth = Worth(box(3), beliefs, gain, weights(seed)[int(weighed)])
    x, step = rng.random((2, 3)), 1e-6
    value, gradient = worth.pull(x)
    np.testing.assert_allclose(value, worth.score(x), rtol=1e-12)
    for i in range(3):
        move = step * np.eye(3)[i]
        slope = (worth.score(x + move) - worth.score(x - move)) / (2 * step)
        np.testing.assert_allclose(gradient[:, i], slope, rtol=2e-4, atol=2e-4)


def test_a_belief_with_drawn_outcomes_goes_through_them() -> None:
    base = process(5)
    rng = np.random.default_rng(1)
    at, normal = rng.random((4, 3)), rng.normal(size=(4, 6))
    found, outcomes = drawn_belief(base, at, normal)
    mean, variance = found.moments(at)
    np.testing.assert_allclose(mean, outcomes, atol=1e-4)
    assert variance.max() < 1e-6


def test_drawn_outcomes_have_the_posteriors_mean_and_covariance() -> None:
    base = process(6)
    at = np.random.default_rng(1).random((3, 3))
    _, outcomes = drawn_belief(base, at, np.random.default_rng(3).normal(size=(3, 200_000)))
    mean, covariance = base.joint(at)
    np.testing.assert_allclose(outcomes.mean(axis=1), mean, atol=0.01)
    np.testing.assert_allclose(np.cov(outcomes), covariance, atol=0.01)


def test_averaging_over_shifts_is_the_mean_of_the_process_over_them() -> None:
    base = process(7)
    shifts = 0.1 * np.random.default_rng(0).normal(size=(5, 3))
    x = np.random.default_rng(1).random((2, 3))
    found = belief(base, shifts)
    mean, variance = found.moments(x)
    for i in range(2):
        each, covariance = base.joint(x[i] + shifts)
        assert mean[i, 0] == pytest.approx(float(each.mean()))
        assert variance[i] == pytest.approx(float(covariance.mean()), abs=1e-9)
    step = 1e-6
    by = np.ones((2, 1)), np.ones(2)
    gradient = found.pull(x, *by)
    for i in range(3):
        move = step * np.eye(3)[i]
        up, down = found.moments(x + move), found.moments(x - move)
        slope = ((up[0] - down[0])[:, 0] + up[1] - down[1]) / (2 * step)
        np.testing.assert_allclose(gradient[:, i], slope, atol=1e-5)


def test_averaging_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shifts = 0.1 * np.random.default_rng(0).normal(size=(4, 3))
    found, x = belief(process(7), shifts), np.random.default_rng(1).random((5, 3))
    whole = found.moments(x)
    monkeypatch.setattr(gaussian, "MAX_NUMBERS", 2 * 4 * 8)  # two points at a time
    for part, all_ in zip(found.moments(x), whole, strict=True):
        np.testing.assert_allclose(part, all_, rtol=1e-12)
    assert found.moments(x[:0])[0].shape == (0, 1)


def test_differences_are_a_gradient_row_by_row_and_never_outside() -> None:
    asked = []

    def value(codes: Floats) -> Floats:
        asked.append(codes)
        return np.asarray(np.sin(codes[:, 0]) * codes[:, 1] ** 2)

    codes = np.array([[0.0, 1.0], [0.3, 0.7], [1.0, 0.0]])
    here, gradient = by_differences(value, box(2), codes)
    np.testing.assert_array_equal(here, value(codes))
    exact = np.stack([np.cos(codes[:, 0]) * codes[:, 1] ** 2, 2 * np.sin(codes).T[0] * codes.T[1]])
    np.testing.assert_allclose(gradient, exact.T, atol=1e-5)
    assert len(asked) == 2
    assert (asked[0] >= 0.0).all()
    assert (asked[0] <= 1.0).all()


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_boxes_are_disjoint_and_fill_what_a_front_leaves(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    front, reference = rng.random((n, k)), np.zeros(k)
    boxes = open_boxes(front, reference)
    points = rng.random((200, k)) * 1.2
    inside = (points[:, None, :] > boxes.lower) & (points[:, None, :] <= boxes.upper)
    dominated = (points[:, None, :] <= front).all(axis=2).any(axis=1)
    np.testing.assert_array_equal(inside.all(axis=2).sum(axis=1), (~dominated).astype(int))


def test_a_front_keeps_what_nothing_dominates() -> None:
    points = np.array([[1.0, 0], [0, 1], [0.5, 0.5], [0.4, 0.4], [1, 0]])
    assert undominated(points).tolist() == [[0, 1], [0.5, 0.5], [1, 0]]


def test_a_classifier_of_failures_is_sure_where_it_has_seen_and_humble_elsewhere() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((40, 2))
    good = x[:, 0] < 0.5
    found = survival(box(2), x[good], x[~good], "matern")
    sure = found.probability(np.array([[0.1, 0.5], [0.95, 0.5]]))
    assert sure[0] > 0.8
    assert sure[1] < 0.2
    far = found.probability(np.array([[30.0, 30.0]]))[0]
    assert 0.25 < far < 0.75


def test_a_band_far_away_still_pulls() -> None:
    means, sds = [np.array([[-40.0], [40.0], [0.0]])], [np.array([[0.5]])]
    value, by = CloserToBand(0, -0.2, 0.3, np.array([0.5]))(means, sds)
    assert np.isfinite(value).all()
    assert value[2] > value.max() - 1e-9
    assert by[0][0][0, 0] > 1
    assert by[0][0][1, 0] < -1
