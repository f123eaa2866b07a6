"""The affine process is the Gaussian process that its formula says."""

from __future__ import annotations

import numpy as np
import pytest
from transfer_samples import Floats, coverage_90, gain, related

from orchestrator.planner.kernel import Kernel, Layout
from orchestrator.planner.transfer.affine import (
    AffineSurrogate,
    FittedAffine,
    Kind,
    additive,
    prior_mean,
)


def _sample(n_sources: int = 1, n: int = 14) -> tuple[Floats, Floats, Floats]:
    random = np.random.default_rng(2)
    x, f = random.random((n, 2)), random.normal(size=(n, n_sources))
    return x, 3.0 + 2.0 * f[:, 0] + (1.0 + f[:, 0]) * np.sin(5.0 * x[:, 0]), f


def _fitted(kind: Kind = "affine", n_sources: int = 1) -> FittedAffine:
    return AffineSurrogate(kind=kind).fit(*_sample(n_sources))


def test_the_covariance_is_that_of_the_formula() -> None:
    fitted = _fitted()
    at, points = fitted.terms.split(fitted.theta), fitted.points
    f = points.f[:, 0]
    g = Kernel(at.widths_g, 1.0, "matern", Layout(np.arange(len(at.widths_g))))(points.g, points.g)
    h = Kernel(at.widths, 1.0, "matern", Layout(np.arange(len(at.widths))))(points.h, points.h)
    modulation = np.outer(at.c + at.d * f, at.c + at.d * f)
    expected = 1.0 + at.slope * np.outer(f, f) + modulation * g + at.variance * h
    np.testing.assert_allclose(fitted.terms.between(fitted.theta, points, points), expected)
    np.testing.assert_allclose(fitted.terms.variances(fitted.theta, points.f), expected.diagonal())


@pytest.mark.parametrize("n_sources", [1, 3])
@pytest.mark.parametrize("kind", ["linear", "affine", "additive"])
def test_a_prediction_is_that_of_the_joint_normal(kind: Kind, n_sources: int) -> None:
    x, y, f = _sample(n_sources)
    fitted = AffineSurrogate(kind=kind).fit(x[:10], y[:10], f[:10])
    mean, sd = fitted.predict(x, f)
    points = type(fitted.points)(
        fitted.view_h(x, f), fitted.view_g(x, f), fitted.view_h.sources.standardised(f)
    )
    total = fitted.terms.between(fitted.theta, points, points)
    noise = fitted.terms.split(fitted.theta).noise
    inner = total[:10, :10] + noise * np.eye(10)
    gain_ = np.linalg.solve(inner, total[:10, 10:]).T
    z = fitted.scale.standardised(y[:10])
    np.testing.assert_allclose(mean[10:], fitted.scale.in_unit(gain_ @ z), atol=1e-7)
    rest = total[10:, 10:] - gain_ @ total[:10, 10:]
    np.testing.assert_allclose(sd[10:], np.sqrt(rest.diagonal()) * fitted.scale.spread, rtol=1e-5)


@pytest.mark.parametrize("n_sources", [1, 3])
@pytest.mark.parametrize("kind", ["linear", "affine", "additive"])
def test_the_slopes_agree_with_finite_differences(kind: Kind, n_sources: int) -> None:
    from orchestrator.planner.transfer.affine import _Covariance

    fitted = _fitted(kind, n_sources)
    covariance = _Covariance(fitted.terms, fitted.points)
    theta = fitted.theta + 0.1
    _, slopes = covariance(theta)
    for element, slope in enumerate(slopes):
        step = np.zeros_like(theta)
        step[element] = 1e-6
        numeric = (covariance(theta + step)[0] - covariance(theta - step)[0]) / 2e-6
        np.testing.assert_allclose(slope, numeric, atol=1e-7)


def test_every_element_of_theta_has_a_prior() -> None:
    for kind in ("linear", "affine", "additive"):
        fitted = _fitted(kind, 2)
        assert len(fitted.terms.priors) == len(fitted.theta)


def test_leaving_one_out_is_predicting_it_from_the_others() -> None:
    from orchestrator.planner.transfer.exact import solve

    fitted = _fitted()
    total = fitted.terms.between(fitted.theta, fitted.points, fitted.points)
    noise = fitted.terms.split(fitted.theta).noise
    kept = np.arange(1, len(total))
    solution, _ = solve(total[1:, 1:] + noise * np.eye(len(kept)), fitted.solution.y[1:])
    mean, sd = solution.posterior(total[:1, 1:], total[:1, 0])
    left = fitted.left_out
    assert left.mean[0] == pytest.approx(float(fitted.scale.in_unit(mean)[0]), abs=1e-7)
    wide = np.sqrt(sd[0] ** 2 + noise) * fitted.scale.spread
    assert left.sd[0] == pytest.approx(float(wide), rel=1e-6)


def test_units_of_outcomes_and_sources_change_nothing() -> None:
    x, y, f = _sample()
    mean, sd = AffineSurrogate().fit(x, y, f).predict(x + 0.1, f)
    moved, wide = (
        AffineSurrogate().fit(x, 1e3 * y - 7.0, -5.0 * f + 2.0).predict(x + 0.1, -5.0 * f + 2.0)
    )
    np.testing.assert_allclose(moved, 1e3 * mean - 7.0, rtol=1e-4)
    np.testing.assert_allclose(wide, 1e3 * sd, rtol=1e-2)


@pytest.mark.parametrize("surrogate", [AffineSurrogate(), prior_mean(), additive()])
def test_a_related_source_saves_two_fifths_of_the_error(surrogate: AffineSurrogate) -> None:
    assert gain(surrogate, related, seeds=range(6)) >= 0.4


def test_intervals_are_calibrated() -> None:
    assert 0.85 <= coverage_90(AffineSurrogate(), related, range(8)) <= 0.97
