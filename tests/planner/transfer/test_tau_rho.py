"""Tau-rho transfer holds its special cases exactly, and gains where there is something to gain."""

from __future__ import annotations

import numpy as np
import pytest
from transfer_samples import Floats, coverage_90, gain, related, unrelated

from orchestrator.planner.transfer.bases import ProcessSurrogate, RidgeSurrogate
from orchestrator.planner.transfer.surrogate import no_sources
from orchestrator.planner.transfer.tau_rho import TauRhoSurrogate, TunedTauRho


def _sample(n: int = 15, d: int = 3) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    random = np.random.default_rng(4)
    x, at = random.normal(size=(n, d)), random.normal(size=(20, d))
    return x, np.sin(x[:, 0]) + x[:, 1], np.cos(x[:, [0]]), at, np.cos(at[:, [0]])


def test_tau_and_rho_of_zero_are_the_base_itself() -> None:
    x, y, f, at, f_at = _sample()
    for base in (ProcessSurrogate(), RidgeSurrogate(penalty=0.3)):
        mean, sd = TauRhoSurrogate(base, 0.0, 0.0).fit(x, y, f).predict(at, f_at)
        expected, expected_sd = base.fit(x, y, no_sources(x)).predict(at, no_sources(at))
        np.testing.assert_allclose(mean, expected, atol=1e-12)
        np.testing.assert_allclose(sd, expected_sd, atol=1e-12)


@pytest.mark.parametrize("tau", [-2.0, 0.0, 0.7])
def test_a_rho_of_one_is_the_source_as_it_is(tau: float) -> None:
    x, y, f, at, f_at = _sample()
    mean, sd = TauRhoSurrogate(ProcessSurrogate(), tau, 1.0).fit(x, y, f).predict(at, f_at)
    np.testing.assert_allclose(mean, f_at[:, 0], atol=1e-12)
    np.testing.assert_allclose(sd, 0.0, atol=1e-12)


def test_a_negative_tau_shrinks_towards_the_source_as_the_closed_form_does() -> None:
    """Least squares of |y - Xw|^2 + l |f - Xw|^2 + p (1 + l) |w|^2, with centred columns."""
    x, y, f, at, f_at = _sample()
    weight, penalty = 0.8, 0.3
    fitted = TauRhoSurrogate(RidgeSurrogate(penalty=penalty), -weight, 0.0).fit(x, y, f)
    centre = x.mean(axis=0)
    stacked = np.concatenate([x - centre, np.sqrt(weight) * (x - centre)])
    level = (y.mean() + weight * f.mean()) / (1.0 + weight)
    wanted = np.concatenate([y - level, np.sqrt(weight) * (f[:, 0] - level)])
    gram = stacked.T @ stacked + penalty * (1.0 + weight) * np.eye(x.shape[1])
    slopes = np.linalg.solve(gram, stacked.T @ wanted)
    mean, _ = fitted.predict(at, f_at)
    np.testing.assert_allclose(mean, level + (at - centre) @ slopes, atol=1e-8)


@pytest.mark.parametrize("both", [0.25, 0.5, 0.9])
def test_equal_tau_and_rho_with_a_linear_base_fit_the_residual(both: float) -> None:
    x, y, f, at, f_at = _sample()
    base = RidgeSurrogate(penalty=0.3)
    mean, _ = TauRhoSurrogate(base, both, both).fit(x, y, f).predict(at, f_at)
    of_rest, _ = base.fit(x, y - both * f[:, 0], no_sources(x)).predict(at, no_sources(at))
    np.testing.assert_allclose(mean, both * f_at[:, 0] + of_rest, atol=1e-8)


def test_the_deviation_is_scaled_by_what_is_not_the_sources() -> None:
    x, y, f, at, f_at = _sample()
    _, whole = TauRhoSurrogate(ProcessSurrogate(), 0.4, 0.0).fit(x, y, f).predict(at, f_at)
    _, part = TauRhoSurrogate(ProcessSurrogate(), 0.4, 0.75).fit(x, y, f).predict(at, f_at)
    np.testing.assert_allclose(part, 0.25 * whole, atol=1e-12)


@pytest.mark.parametrize(("tau", "rho"), [(1.0, 0.0), (0.0, 1.5), (0.0, -0.1)])
def test_numbers_outside_the_family_are_refused(tau: float, rho: float) -> None:
    with pytest.raises(ValueError, match="tau must be below 1"):
        TauRhoSurrogate(ProcessSurrogate(), tau, rho)


def test_a_shifted_source_saves_two_fifths_of_the_error_with_ten_outcomes() -> None:
    assert gain(TunedTauRho(ProcessSurrogate()), related, seeds=range(8)) >= 0.4


def test_an_unrelated_source_costs_next_to_nothing() -> None:
    assert gain(TunedTauRho(ProcessSurrogate()), unrelated, seeds=range(8)) >= -0.03


def test_intervals_are_calibrated() -> None:
    assert 0.85 <= coverage_90(TunedTauRho(ProcessSurrogate()), related, range(8)) <= 0.97
