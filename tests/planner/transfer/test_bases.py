"""Surrogates without transfer: the planner's process, ridge regression, any estimator."""

from __future__ import annotations

import numpy as np
import pytest
from transfer_samples import Floats

from orchestrator.planner.transfer.bases import (
    EstimatorSurrogate,
    ProcessSurrogate,
    RidgeSurrogate,
    augmented,
    sources_alone,
)
from orchestrator.planner.transfer.surrogate import LeftOut, no_sources, scale_of


def _sample(n: int = 20, d: int = 3) -> tuple[Floats, Floats]:
    random = np.random.default_rng(8)
    x = random.random((n, d))
    return x, 5.0 + np.sin(4.0 * x[:, 0]) + x[:, 1] + 0.02 * random.normal(size=n)


@pytest.mark.parametrize("d", [2, 30])
def test_a_ridge_leaves_out_as_refitting_does(d: int) -> None:
    x, y = _sample(12, d)
    left = RidgeSurrogate(penalty=0.2).fit(x, y, no_sources(x)).left_out
    for row in range(len(y)):
        rest = np.arange(len(y)) != row
        fitted = RidgeSurrogate(penalty=0.2).fit(x[rest], y[rest], no_sources(x[rest]))
        mean, _ = fitted.predict(x[[row]], no_sources(x[[row]]))
        assert left.mean[row] == pytest.approx(mean[0], abs=1e-8)


def test_a_ridge_without_penalty_is_least_squares() -> None:
    x, y = _sample()
    mean, _ = RidgeSurrogate(penalty=0.0).fit(x, y, no_sources(x)).predict(x, no_sources(x))
    columns = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    np.testing.assert_allclose(mean, columns @ np.linalg.lstsq(columns, y)[0], atol=1e-8)


def test_a_ridge_finds_a_penalty_of_its_own() -> None:
    x, y = _sample(12, 30)
    found = RidgeSurrogate().fit(x, y, no_sources(x)).left_out.rmse
    assert found < RidgeSurrogate(penalty=1e-6).fit(x, y, no_sources(x)).left_out.rmse


def test_a_process_does_not_mind_units() -> None:
    x, y = _sample()
    mean, sd = ProcessSurrogate().fit(x, y, no_sources(x)).predict(x[:5] + 0.1, no_sources(x[:5]))
    scaled = ProcessSurrogate().fit(100.0 * x, 1e-3 * y, no_sources(x))
    other, wide = scaled.predict(100.0 * (x[:5] + 0.1), no_sources(x[:5]))
    np.testing.assert_allclose(other, 1e-3 * mean, rtol=1e-3)
    np.testing.assert_allclose(wide, 1e-3 * sd, rtol=2e-2)


def test_many_columns_share_one_length_scale() -> None:
    x, y = _sample(15, 40)
    process = ProcessSurrogate().fit(x, y, no_sources(x)).process
    assert len(process.hyper.scales) == 1


def test_sources_beside_the_features_have_a_length_scale_of_their_own() -> None:
    x, y = _sample(15, 40)
    f = np.stack([y, y**2], axis=1)
    assert len(augmented().fit(x, y, f).process.hyper.scales) == 2
    assert sources_alone().fit(x, y, f).process.x.shape == (15, 2)


def test_any_estimator_is_a_base_and_is_not_changed() -> None:
    from sklearn.tree import DecisionTreeRegressor

    x, y = _sample()
    tree = DecisionTreeRegressor(random_state=0)
    fitted = EstimatorSurrogate(tree).fit(x, y, no_sources(x))
    mean, sd = fitted.predict(x, no_sources(x))
    np.testing.assert_allclose(mean, y)  # a tree knows what it has seen ...
    assert float(sd[0]) == pytest.approx(fitted.left_out.rmse)  # ... and is judged by what not
    assert sd[0] > 0.05
    assert not hasattr(tree, "tree_")


def test_no_prediction_is_believed_to_be_exact() -> None:
    y = np.array([1.0, 2.0, 3.0])
    sure = LeftOut(y, y.copy(), np.zeros(3))
    assert np.isfinite(sure.log_densities).all()


def test_densities_are_as_broad_as_few_outcomes_make_them() -> None:
    from scipy.stats import t

    y, mean, sd = np.array([1.0, 2.0, 9.0]), np.array([1.5, 2.0, 3.0]), np.array([0.5, 0.1, 2.0])
    for n_known in (None, 3, 12):
        freedom = 11 if n_known == 12 else 10
        wanted = t.logpdf(y, freedom, mean, sd)
        np.testing.assert_allclose(LeftOut(y, mean, sd, n_known).log_densities, wanted)


def test_equal_outcomes_have_a_spread_of_one() -> None:
    assert scale_of(np.full(4, 3.0)).spread == 1.0
    assert scale_of(np.array([2.0])).spread == 1.0
