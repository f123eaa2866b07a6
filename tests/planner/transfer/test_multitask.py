"""Two outputs as one process."""

from __future__ import annotations

import numpy as np
import pytest
from transfer_samples import Floats

from orchestrator.planner.transfer.bases import ProcessSurrogate
from orchestrator.planner.transfer.multitask import (
    MAX_SOURCE,
    MultiTaskSurrogate,
    _Covariance,
    nearest_rows,
)
from orchestrator.planner.transfer.surrogate import no_sources


def _wave(x: Floats) -> Floats:
    return np.asarray(np.sin(7.0 * x[:, 0]) * np.cos(5.0 * x[:, 1]))


def _sample(n_source: int = 60, sign: float = 1.0) -> tuple[MultiTaskSurrogate, Floats, Floats]:
    random = np.random.default_rng(3)
    source = random.random((n_source, 2))
    x = random.random((60, 2))
    return MultiTaskSurrogate(source, 4.0 + sign * _wave(source)), x, 10.0 * _wave(x) + 1.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_observations_of_the_source_at_other_places_help_whichever_way_it_points(
    sign: float,
) -> None:
    surrogate, x, y = _sample(sign=sign)
    known, rest = slice(0, 8), slice(8, None)
    nothing = no_sources(x)
    fitted = surrogate.fit(x[known], y[known], nothing[known])
    plain = ProcessSurrogate().fit(x[known], y[known], nothing[known])
    ours, theirs = (
        np.sqrt(np.mean((one.predict(x[rest], nothing[rest])[0] - y[rest]) ** 2))
        for one in (fitted, plain)
    )
    assert ours < 0.6 * theirs
    assert sign * fitted.agreement > 0.7


def test_the_slopes_agree_with_finite_differences() -> None:
    surrogate, x, y = _sample(12)
    fitted = surrogate.fit(x[:5], y[:5], no_sources(x[:5]))
    covariance, theta = _Covariance(fitted.terms, fitted.x), fitted.theta + 0.1
    _, slopes = covariance(theta)
    for element, slope in enumerate(slopes):
        step = np.zeros_like(theta)
        step[element] = 1e-6
        numeric = (covariance(theta + step)[0] - covariance(theta - step)[0]) / 2e-6
        np.testing.assert_allclose(slope, numeric, atol=1e-7)


def test_of_a_large_source_the_nearest_observations_are_kept() -> None:
    surrogate, x, y = _sample(400)
    fitted = surrogate.fit(x[:6], y[:6], no_sources(x[:6]))
    assert len(fitted.x) == 6 + MAX_SOURCE


def test_each_target_has_its_nearest_rows() -> None:
    source = np.arange(10.0)[:, None]
    assert nearest_rows(source, np.array([[2.1], [7.9]]), 2).tolist() == [2, 8]
    assert nearest_rows(source, np.array([[2.1]]), 20).tolist() == list(range(10))


def test_the_target_alone_is_left_out() -> None:
    surrogate, x, y = _sample(12)
    left = surrogate.fit(x[:5], y[:5], no_sources(x[:5])).left_out
    np.testing.assert_allclose(left.y, y[:5])
