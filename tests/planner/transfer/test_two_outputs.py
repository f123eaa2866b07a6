"""A metric beside the values of a source, as the search sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from transfer_samples import Floats

from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import belief, drawn_belief
from orchestrator.planner.kernel import Layout
from orchestrator.planner.transfer.affine import LEVEL_VARIANCE
from orchestrator.planner.transfer.campaign import FunctionSource, informed
from orchestrator.planner.transfer.two_outputs import (
    Observed,
    TwoOutputProcess,
    _Covariance,
    fit_beside,
)

D = 2


def _wave(x: Floats) -> Floats:
    return np.asarray(np.sin(7.0 * x[:, 0]) * np.cos(5.0 * x[:, 1]))


def _points(n: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random((n, D))


def _data(x: Floats, y: Floats, terms: Floats | None = None) -> Data:
    n = len(y)
    z = (y - y.mean()) / y.std(ddof=1)
    terms = np.zeros((0, n, n)) if terms is None else terms
    return Data(x, z, Layout(np.arange(D)), np.ones(n), np.zeros(n), terms)


def _seen(n: int = 40, sign: float = 1.0) -> Observed:
    x = _points(n, 7)
    y = sign * _wave(x)
    return Observed(x, (y - y.mean()) / y.std())


def _process(sign: float = 1.0, n: int = 9) -> TwoOutputProcess:
    x = _points(n)
    return fit_beside(_data(x, 30.0 - 4.0 * _wave(x) + x[:, 0]), _seen(sign=sign), "matern")


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_values_of_the_source_elsewhere_help_whichever_way_they_point(sign: float) -> None:
    x, at = _points(9), _points(200, 5)
    y = 30.0 - 4.0 * _wave(x) + x[:, 0]
    truth = (30.0 - 4.0 * _wave(at) + at[:, 0] - y.mean()) / y.std(ddof=1)
    plain, ours = fit(_data(x, y), "matern", default_priors(D)), _process(sign)
    errors = [float(np.sqrt(np.mean((p.posterior(at)[0] - truth) ** 2))) for p in (ours, plain)]
    assert errors[0] < 0.5 * errors[1]
    assert sign * ours.partner.agreement < -0.7


def test_it_is_the_posterior_of_the_process_of_two_outputs() -> None:
    """By the covariance of all observations at once, in place of one after the other."""
    ours, at = _process(), _points(6, 3)
    hyper, partner = ours.hyper, ours.partner
    c, points = partner.agreement * np.sqrt(hyper.variance), partner.seen.x
    k = ours.kernel
    across = c * k(ours.x, points) / hyper.variance
    of_source = k(points, points) / hyper.variance + partner.noise * np.eye(len(points))
    whole = np.block([[k(ours.x, ours.x) + np.diag(ours.noise), across], [across.T, of_source]])
    cross = np.concatenate([k(at, ours.x), c * k(at, points) / hyper.variance], axis=1)
    residual = np.concatenate([ours.y - hyper.mean, partner.seen.y])
    mean, covariance = ours.joint(at)
    solved = np.linalg.solve(whole, np.column_stack([residual, cross.T]))
    np.testing.assert_allclose(mean, hyper.mean + cross @ solved[:, 0], atol=1e-8)
    np.testing.assert_allclose(covariance, k(at, at) - cross @ solved[:, 1:], atol=1e-8)
    np.testing.assert_allclose(ours.posterior(at)[1] ** 2, covariance.diagonal(), atol=1e-8)
    inverse = np.linalg.inv(whole)
    left, variance = ours.leave_one_out()
    n = len(ours.y)
    np.testing.assert_allclose(variance, 1.0 / inverse.diagonal()[:n])
    np.testing.assert_allclose(left, ours.y - (inverse @ residual)[:n] * variance, atol=1e-8)


def test_what_was_drawn_is_believed_and_gradients_are_right() -> None:
    process, at = _process(), _points(3, 6)
    random = np.random.default_rng(0)
    held, drawn = drawn_belief(process, at, random.normal(size=(3, 4000)))
    np.testing.assert_allclose(drawn.mean(axis=1), process.posterior(at)[0], atol=0.05)
    means, variance = held.moments(at)
    np.testing.assert_allclose(means, drawn, atol=1e-3)
    assert (variance < 1e-4).all()
    one, far = belief(process), _points(6, 4)
    np.testing.assert_allclose(one.moments(far)[0][:, 0], process.posterior(far)[0], atol=1e-10)
    gradient = one.pull(far, np.ones((6, 1)), np.full(6, 0.3))
    for column in range(D):
        step = np.zeros(D)
        step[column] = 1e-6
        above, below = one.moments(far + step), one.moments(far - step)
        numeric = above[0][:, 0] - below[0][:, 0] + 0.3 * (above[1] - below[1])
        np.testing.assert_allclose(gradient[:, column], numeric / 2e-6, atol=1e-4)


def test_further_outcomes_as_expected_change_no_mean() -> None:
    process, told_at, at = _process(), _points(2, 8), _points(20, 3)
    told = process.with_outcomes(told_at, process.posterior(told_at)[0], np.full(2, 0.1))
    np.testing.assert_allclose(told.posterior(at)[0], process.posterior(at)[0], atol=1e-6)
    assert (told.posterior(told_at)[1] < process.posterior(told_at)[1]).all()


def test_a_source_that_does_not_agree_leaves_the_process_as_it_was() -> None:
    ours, at = _process(), _points(20, 3)
    apart = replace(ours, partner=replace(ours.partner, agreement=0.0))
    plain = fit(_data(ours.x, ours.y), "matern", default_priors(D))
    same = replace(plain, hyper=apart.hyper, noise=apart.noise, y=apart.y)
    np.testing.assert_allclose(apart.posterior(at), same.posterior(at), atol=1e-8)


def test_the_slopes_of_the_covariance_agree_with_finite_differences() -> None:
    x, drift = _points(5), np.exp(-np.abs(np.subtract.outer(np.arange(5), np.arange(5))))
    data = _data(x, _wave(x), drift[None])
    covariance = _Covariance(data, _seen(12), "matern")
    theta = np.array([0.2, -2.0, -1.5, 0.7, 0.1, -0.3, -1.0])
    total, slopes = covariance(theta)
    assert total[0, 1] > LEVEL_VARIANCE * 0.5
    for element, slope in enumerate(slopes):
        step = np.zeros_like(theta)
        step[element] = 1e-6
        numeric = (covariance(theta + step)[0] - covariance(theta - step)[0]) / 2e-6
        np.testing.assert_allclose(slope, numeric, atol=1e-7)


def test_it_is_one_of_the_choices_with_no_transfer_among_them() -> None:
    x = _points(10)
    data = _data(x, 30.0 - 4.0 * _wave(x) + x[:, 0])
    few = FunctionSource(lambda at: at[:, 1])
    sources = {"wave": few, "wave, multi-task": _seen()}
    found = informed(data, sources, "matern", default_priors(D), sign=1.0)
    weights = {entry.name: entry.weight for entry in found.entries}
    assert list(weights) == ["no transfer", "wave", "wave, multi-task"]
    assert weights["wave, multi-task"] > 0.8
    assert isinstance(found.process, TwoOutputProcess)


def test_values_that_say_nothing_leave_the_choice_at_no_transfer() -> None:
    kept = 0
    for seed in range(5):
        random, x = np.random.default_rng([seed, 1]), _points(12, seed)
        noise = Observed(_points(40, seed + 50), random.normal(size=40))
        data = _data(x, 30.0 - 4.0 * _wave(x) + x[:, 0])
        found = informed(data, {"noise": noise}, "matern", default_priors(D))
        kept += not isinstance(found.process, TwoOutputProcess)
    assert kept == 5
