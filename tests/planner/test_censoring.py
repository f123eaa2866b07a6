from __future__ import annotations

import numpy as np
import pytest

from orchestrator.planner.censoring import with_bounds
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats, Layout
from orchestrator.planner.likelihood import Hyper


def process(y: Floats, noise: float = 0.01) -> GaussianProcess:
    x = np.linspace(0, 1, len(y))[:, None]
    hyper = Hyper(np.array([0.4]), noise, 1.0, 0.0)
    return GaussianProcess(
        x, y, np.full(len(y), noise), Layout(np.zeros(1, np.intp)), "matern", hyper
    )


def test_bounds_that_the_others_imply_anyway_say_nothing() -> None:
    y = np.array([1.0, 1.0, -3.0, 1.0, 1.0])
    bounded = with_bounds(process(y), np.array([0, 0, 1.0, 0, 0]))
    without = process(y)
    kept = np.array([0, 1, 3, 4])
    rest = GaussianProcess(
        without.x[kept], y[kept], without.noise[kept], without.layout, "matern", without.hyper
    )
    at = np.array([[0.5]])
    assert bounded.posterior(at)[0][0] == pytest.approx(rest.posterior(at)[0][0], abs=0.02)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_one_bound_gives_the_moments_of_a_truncated_normal(side: float) -> None:
    bounded = with_bounds(process(np.array([0.5]), noise=1e-4), np.array([side]))
    mean, sd = bounded.posterior(np.array([[0.0]]))
    drawn = np.random.default_rng(0).normal(size=2_000_000)
    kept = drawn[side * (drawn - 0.5) > 0]
    assert mean[0] == pytest.approx(kept.mean(), abs=0.01)
    assert sd[0] == pytest.approx(kept.std(), abs=0.01)


def test_the_model_passes_a_bound_where_the_trend_does() -> None:
    x = np.linspace(0, 1, 6)
    y = 4 * x
    y[3:] = 2.0  # the meter ends at 2
    bounded = with_bounds(process(y), np.array([0, 0, 0, 1.0, 1.0, 1.0]))
    end = np.array([[1.0]])
    assert bounded.posterior(end)[0][0] > process(y).posterior(end)[0][0] + 0.3
