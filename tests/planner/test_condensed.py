"""Many outcomes are seen through a few of their points, as nearly as can be told."""

from __future__ import annotations

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.model.space import Real
from orchestrator.planner import fitting
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.condensed import CondensedProcess
from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import GaussianProcess, belief, drawn_belief
from orchestrator.planner.generalising import clusters, is_outside, left_out
from orchestrator.planner.kernel import Floats, Layout
from orchestrator.planner.likelihood import Hyper
from orchestrator.ports.planner import Evaluated, History, Outcome

LAYOUT = Layout(np.arange(2))
HYPER = Hyper(np.array([0.3, 0.5]), noise=0.01, variance=1.0, mean=0.1)


def outcomes(n: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(4)
    x = rng.random((n, 2))
    return x, np.sin(6 * x[:, 0]) + x[:, 1] ** 2 + rng.normal(0, 0.1, n)


def both(n: int, chosen: Floats) -> tuple[GaussianProcess, CondensedProcess]:
    x, y = outcomes(n)
    noise = np.full(n, 0.01)
    exact = GaussianProcess(x, y, noise, LAYOUT, "matern", HYPER)
    rows = np.asarray(chosen, dtype=np.intp)
    return exact, CondensedProcess(x, y, noise, LAYOUT, "matern", HYPER, chosen=rows)


def test_with_every_point_an_anchor_nothing_is_lost() -> None:
    exact, seen = both(40, np.arange(40))
    at = np.random.default_rng(0).random((30, 2))
    for a, b in zip(exact.posterior(at), seen.posterior(at), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    for a, b in zip(exact.joint(at), seen.joint(at), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    for a, b in zip(exact.leave_one_out(), seen.leave_one_out(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    labels = clusters(exact)
    for a, b in zip(
        left_out(exact, labels).__dict__.values(),
        left_out(seen, labels).__dict__.values(),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    normal = np.random.default_rng(1).normal(size=(3, 4))
    (one, drawn), (other, drawn_too) = (drawn_belief(p, at[:3], normal) for p in (exact, seen))
    np.testing.assert_allclose(drawn, drawn_too, atol=1e-5)
    for a, b in zip(one.moments(at), other.moments(at), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_through_a_tenth_of_the_points_nearly_the_same_is_believed_no_more_surely() -> None:
    exact, seen = both(1000, np.arange(0, 1000, 10))
    at = np.random.default_rng(0).random((200, 2))
    (mean, sd), (mean_seen, sd_seen) = exact.posterior(at), seen.posterior(at)
    assert np.abs(mean_seen - mean).max() < 0.1 * exact.y.std()
    assert (sd_seen > 0.9 * sd).all()
    assert np.corrcoef(exact.leave_one_out()[0], seen.leave_one_out()[0])[0, 1] > 0.99


def test_what_is_between_the_anchors_is_told_apart_from_noise() -> None:
    """Exact outcomes that a few anchors cannot follow are no reason to be sure."""
    x, _ = outcomes(400)
    y = np.sin(6 * x[:, 0]) + x[:, 1] ** 2
    hyper = Hyper(np.array([0.05, 0.05]), noise=1e-6, variance=1.0, mean=0.0)
    rows = np.arange(0, 400, 10)
    seen = CondensedProcess(x, y, np.full(400, 1e-6), LAYOUT, "matern", hyper, chosen=rows)
    at = np.random.default_rng(0).random((200, 2))
    mean, sd = seen.posterior(at)
    missed = np.abs(mean - (np.sin(6 * at[:, 0]) + at[:, 1] ** 2)) / sd
    assert np.mean(missed < 2.0) > 0.9


def test_further_outcomes_are_anchors_too() -> None:
    _, seen = both(100, np.arange(0, 100, 5))
    there = np.array([[2.0, 2.0]])
    more = seen.with_outcomes(there, np.array([3.0]), np.array([1e-4]))
    mean, sd = more.posterior(there)
    assert mean[0] == pytest.approx(3.0, abs=0.01)
    assert sd[0] < 0.02


def test_gradients_are_those_of_what_is_believed() -> None:
    _, seen = both(100, np.arange(0, 100, 5))
    held, at = belief(seen), np.array([[0.3, 0.6]])
    pulled = held.pull(at, np.ones((1, 1)), np.array([0.5]))[0]
    for column in range(2):
        step = np.zeros((1, 2))
        step[0, column] = 1e-5
        (up, more), (down, less) = held.moments(at + step), held.moments(at - step)
        slope = (up - down)[0, 0] / 2e-5 + 0.5 * (more - less)[0] / 2e-5
        assert pulled[column] == pytest.approx(slope, rel=1e-4)


def test_many_outcomes_are_fitted_through_anchors() -> None:
    x, y = outcomes(2100)
    n = len(y)
    data = Data(x, y, LAYOUT, np.ones(n), np.zeros(n), np.zeros((0, n, n)))
    model = fit(data, "matern", default_priors(2))
    assert isinstance(model, CondensedProcess)
    at = np.random.default_rng(0).random((500, 2))
    mean, _ = model.posterior(at)
    assert np.abs(mean - (np.sin(6 * at[:, 0]) + at[:, 1] ** 2)).max() < 0.15
    assert is_outside(model, np.array([[3.0, 3.0]]))
    assert not is_outside(model, np.array([[0.5, 0.5]]))


@pytest.mark.parametrize(
    ("most_exact", "anchors"),
    [(250, 125), pytest.param(fitting.MAX_EXACT, fitting.N_ANCHORS, marks=pytest.mark.soak)],
)
def test_after_many_trials_the_planner_goes_on_improving_and_says_what_it_believes(
    monkeypatch: pytest.MonkeyPatch, most_exact: int, anchors: int
) -> None:
    monkeypatch.setattr(fitting, "MAX_EXACT", most_exact)
    monkeypatch.setattr(fitting, "N_ANCHORS", anchors)
    rng = np.random.default_rng(0)
    known = []
    for trial in range(1, most_exact + most_exact // 10 + 1):
        a, b = rng.random(2)
        failed = a > 0.95
        value = Outcome(value=(a - 0.3) ** 2 + (b - 0.7) ** 2)
        known.append(
            Evaluated(
                trial=trial,
                point={"a": a, "b": b},
                outcomes={} if failed else {"thickness": value},
                failed=failed,
                blames_parameters=failed,
            )
        )
    task = samples.task(
        (Real(name="a", low=0.0, high=1.0), Real(name="b", low=0.0, high=1.0)),
        samples.FILM_METRICS[1:],
        (),
    )
    planner = BayesianPlanner(task)
    history = History(evaluated=tuple(known), n_proposed=len(known))
    (proposal,) = planner.propose(history, 1)
    assert proposal.point["a"] == pytest.approx(0.3, abs=0.02)
    assert proposal.point["b"] == pytest.approx(0.7, abs=0.02)
    (again,) = planner.propose(history, 1)
    assert again == proposal
