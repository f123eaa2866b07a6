"""Interpolation and extrapolation are told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.model.objective import Goal, Objective
from orchestrator.model.space import Real
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import GaussianProcess, belief, drawn_belief
from orchestrator.planner.generalising import clusters, excess, generalisation, is_outside, left_out
from orchestrator.planner.kernel import Floats, Layout
from orchestrator.planner.likelihood import Hyper
from orchestrator.ports.planner import History


def doubled(y: Floats, others: Floats) -> float:
    return 2.0 * float(np.sqrt(np.mean((y - others) ** 2)))


def three_islands(seed: int = 0) -> tuple[Floats, Floats]:
    """Outcomes in three tight groups, whose levels nothing explains from outside."""
    rng = np.random.default_rng(seed)
    centres, levels = np.array([[0.1, 0.1], [0.9, 0.2], [0.4, 0.9]]), np.array([0.0, 3.0, -2.0])
    x = np.repeat(centres, 8, axis=0) + rng.normal(0, 0.02, (24, 2))
    y = np.repeat(levels, 8) + 5.0 * x[:, 0] + rng.normal(0, 0.05, 24)
    return x, (y - y.mean()) / y.std(ddof=1)


def process(x: Floats, y: Floats) -> GaussianProcess:
    n, d = x.shape
    layout = Layout(np.arange(d))
    data = Data(x, y, layout, np.ones(n), np.zeros(n), np.zeros((0, n, n)))
    return fit(data, "matern", default_priors(d))


def test_what_is_left_out_in_closed_form_is_what_a_model_without_it_predicts() -> None:
    model = process(*three_islands())
    labels = clusters(model)
    found = left_out(model, labels)
    for label in np.unique(labels):
        out = labels == label
        rest = GaussianProcess(
            model.x[~out], model.y[~out], model.noise[~out], model.layout, "matern", model.hyper
        )
        precision = rest.root @ rest.root.T
        level = float((precision @ rest.y).sum() / precision.sum())
        rest = replace(rest, hyper=replace(rest.hyper, mean=level))
        mean, sd = rest.posterior(model.x[out])
        np.testing.assert_allclose(found.mean[out], mean, atol=1e-8)
        np.testing.assert_allclose(found.variance[out], sd**2 + model.noise[out], rtol=1e-6)


@pytest.mark.parametrize("n_groups", [5, 20])
def test_a_model_that_explains_nothing_predicts_no_better_than_the_mean(n_groups: int) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.random((20, 2)), rng.normal(size=20)
    layout = Layout(np.arange(2))
    hyper = Hyper(np.array([1e6, 1e6]), 0.5, 0.5, float(y.mean()))
    blind = GaussianProcess(x, y, np.full(20, 0.5), layout, "matern", hyper)
    found = left_out(blind, np.arange(20) % n_groups)
    np.testing.assert_allclose(found.mean, found.constant, atol=1e-12)


def test_clusters_are_the_islands() -> None:
    labels = clusters(process(*three_islands()))
    islands = [set(labels[8 * i : 8 * i + 8]) for i in range(3)]
    assert all(not a & b for i, a in enumerate(islands) for b in islands[:i])


def test_islands_are_predicted_well_from_within_and_badly_from_without() -> None:
    found = generalisation(process(*three_islands()), doubled, seed=0)
    assert found is not None
    inside, outside = found.interpolating, found.extrapolating
    assert inside.rmse < 0.3 * inside.constant_rmse
    assert outside.rmse > 3.0 * inside.rmse
    assert generalisation(process(*three_islands()), doubled, seed=0) is not None
    few = process(three_islands()[0][:7], three_islands()[1][:7])
    assert generalisation(few, doubled, 0) is None


def test_a_point_far_from_all_is_outside_and_one_among_them_is_not() -> None:
    model = process(*three_islands())
    assert is_outside(model, np.array([[0.55, 0.5]])) is True
    assert is_outside(model, np.array([[0.1, 0.1]])) is False


def test_a_point_among_those_measured_is_not_outside_because_they_were_repeated() -> None:
    x, y = three_islands()
    twice = process(np.concatenate([x, x]), np.concatenate([y, y]))
    assert is_outside(twice, np.array([[0.55, 0.5]])) is True
    assert is_outside(twice, np.array([[0.1, 0.1]])) is False
    assert is_outside(process(x[[0] * 8], y[[0] * 8]), np.array([[0.5, 0.5]])) is None


def test_variances_grow_where_nothing_is_known_and_stay_at_what_was_measured() -> None:
    x, y = three_islands()
    plain = process(x, y)
    wide = GaussianProcess(x, y, plain.noise, plain.layout, "matern", plain.hyper, excess=4.0)
    far, near = np.array([[0.6, 0.5]]), x[:1]
    assert wide.posterior(far)[1] > 1.2 * plain.posterior(far)[1]
    assert wide.posterior(near)[1] == pytest.approx(plain.posterior(near)[1], rel=0.1)
    assert wide.posterior(far)[0] == plain.posterior(far)[0]
    assert excess(plain) >= 1.0


@pytest.mark.parametrize("is_drawn", [False, True])
def test_the_gradient_of_a_widened_variance_is_exact(is_drawn: bool) -> None:
    x, y = three_islands()
    plain = process(x, y)
    wide = GaussianProcess(x, y, plain.noise, plain.layout, "matern", plain.hyper, excess=3.0)
    at = np.array([[0.3, 0.4], [0.7, 0.6]])
    found = belief(wide)
    if is_drawn:
        found, _ = drawn_belief(wide, x[:2], np.zeros((2, 1)))
    assert found.moments(at)[1] == pytest.approx(found.moments(at.astype(np.float32))[1], rel=1e-2)
    pull = found.pull(at, np.zeros((2, 1)), np.ones(2))
    for i in range(2):
        for j in range(2):
            step = np.zeros_like(at)
            step[i, j] = 1e-5
            change = found.moments(at + step)[1] - found.moments(at - step)[1]
            assert pull[i, j] == pytest.approx(change[i] / 2e-5, rel=1e-4, abs=1e-7)


def test_a_proposal_beyond_what_was_measured_says_so() -> None:
    space = (Real(name="a", low=0.0, high=1.0), Real(name="b", low=0.0, high=1.0))
    question = samples.task(
        space,
        samples.FILM_METRICS[1:],
        (),
        direction="maximise",
        initial=0,
        options={"widen": True},
    )
    corner = np.random.default_rng(2).random((12, 2)) * 0.1
    points = [{"a": float(a), "b": float(b)} for a, b in corner]
    ended = samples.evaluated(points, lambda p: {"thickness": 10.0 * float(p["a"]) + float(p["b"])})  # type: ignore[arg-type]
    planner = BayesianPlanner(question)
    history = History(evaluated=ended, n_proposed=12)
    proposal = planner.propose(history, 1)[0]
    assert proposal.notes["domain"] == "outside"
    assert "farther than those measured are from each other" in proposal.why
    believed = planner.belief(history)
    assert believed is not None
    assert believed.metrics[0].generalisation is not None


def test_a_value_beyond_everything_measured_is_said() -> None:
    space = (Real(name="a", low=0.0, high=1.0),)
    goal = Goal(metric="thickness", direction="match", low=50.0, high=60.0)
    question = samples.task(space, samples.FILM_METRICS[1:], (), direction="maximise", initial=0)
    points = [{"a": i / 10.0} for i in range(10)]
    ended = samples.evaluated(points, lambda p: {"thickness": 10.0 * float(p["a"])})  # type: ignore[arg-type]
    history = History(evaluated=ended, n_proposed=10)
    wanted = question.model_copy(update={"objective": Objective(goals=(goal,))})
    proposal = BayesianPlanner(wanted).propose(history, 1)[0]
    said = "the wanted thickness lies outside of all that was measured (0 to 9 nm)"
    assert proposal.notes["target"] == said
    assert said in proposal.why
    near = goal.model_copy(update={"low": 4.0, "high": 5.0})
    wanted = question.model_copy(update={"objective": Objective(goals=(near,))})
    assert "target" not in BayesianPlanner(wanted).propose(history, 1)[0].notes
