"""A source as the prior mean of a campaign's process, as the search sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from transfer_samples import Floats

from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import GaussianProcess, belief, drawn_belief
from orchestrator.planner.kernel import Layout
from orchestrator.planner.transfer.campaign import (
    ColumnSource,
    FunctionSource,
    Informed,
    LinearTrend,
    ProcessSource,
    Source,
    informed,
)

D = 2


def _wave(x: Floats) -> Floats:
    return np.asarray(np.sin(7.0 * x[:, 0]) * np.cos(5.0 * x[:, 1]))


def _data(y: Floats, x: Floats) -> Data:
    n = len(y)
    z = (y - y.mean()) / y.std(ddof=1)
    return Data(x, z, Layout(np.arange(D)), np.ones(n), np.zeros(n), np.zeros((0, n, n)))


def _points(n: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random((n, D))


def _informed(n: int = 10, seed: int = 0, **sources: Source) -> Informed:
    x = _points(n, seed)
    y = 30.0 - 4.0 * _wave(x) + x[:, 0]
    return informed(_data(y, x), sources, "matern", default_priors(D))


def _process() -> GaussianProcess:
    found = _informed(wave=FunctionSource(lambda x: 100.0 * _wave(x))).process
    assert found.trend is not None
    return found


def test_a_source_of_any_unit_and_sign_becomes_the_trend() -> None:
    found = _informed(wave=FunctionSource(lambda x: 100.0 * _wave(x) + 7.0))
    x = _points(10)
    y = 30.0 - 4.0 * _wave(x) + x[:, 0]
    at = _points(200, 5)
    truth = (30.0 - 4.0 * _wave(at) + at[:, 0] - y.mean()) / y.std(ddof=1)
    plain = fit(_data(y, x), "matern", default_priors(D))
    ours, theirs = (
        float(np.sqrt(np.mean((p.posterior(at)[0] - truth) ** 2))) for p in (found.process, plain)
    )
    assert ours < 0.4 * theirs
    assert [entry.name for entry in found.entries] == ["no transfer", "wave"]
    assert found.entries[1].weight > 0.8


def test_a_useless_source_leaves_the_process_as_it_was() -> None:
    kept = 0
    for seed in range(10):
        random = np.random.default_rng([seed, 1])
        a, b = random.normal(size=2) * 8.0
        found = _informed(
            12, seed, noise=FunctionSource(lambda x, a=a, b=b: np.sin(a * x[:, 0] + b * x[:, 1]))
        )
        kept += found.process.trend is None
    assert kept >= 9


@pytest.mark.parametrize(("share", "least"), [(0.01, 15), (0.03, 11)])
def test_a_source_that_is_right_but_for_a_trifle_is_taken(share: float, least: int) -> None:
    taken = []
    for seed in range(16):
        x = _points(10, seed)
        y = _wave(x) + x[:, 0] ** 2 + share * np.random.default_rng([seed, 2]).normal(size=10)
        source = FunctionSource(lambda x: _wave(x) + x[:, 0] ** 2)
        found = informed(_data(y, x), {"wave": source}, "matern", default_priors(D), sign=1.0)
        taken.append(found.process.trend is not None)
    assert sum(taken) >= least, taken  # by the normal density 13 and 9 are


def test_constant_sources_and_few_outcomes_have_no_trend() -> None:
    assert _informed(flat=FunctionSource(lambda x: np.ones(len(x)))).process.trend is None
    few = _informed(3, wave=FunctionSource(_wave))
    assert few.process.trend is None
    assert len(few.entries) == 1


def test_several_sources_are_tried_alone_and_together() -> None:
    found = _informed(wave=FunctionSource(_wave), column=ColumnSource(1))
    names = [entry.name for entry in found.entries]
    assert names == ["no transfer", "wave", "column", "wave and column"]


def test_a_source_that_is_given_twice_counts_once() -> None:
    once = _informed(wave=FunctionSource(_wave), column=ColumnSource(1))
    twice = _informed(
        wave=FunctionSource(_wave), again=FunctionSource(_wave), column=ColumnSource(1)
    )
    names = [entry.name for entry in twice.entries]
    assert names == ["no transfer", "wave or again", "column", "wave or again and column"]
    assert [e.weight for e in twice.entries] == [e.weight for e in once.entries]
    at = _points(20, 3)
    np.testing.assert_array_equal(twice.process.posterior(at), once.process.posterior(at))


def test_a_process_with_a_trend_is_one_of_the_rest_and_the_trend() -> None:
    process = _process()
    assert process.trend is not None
    rest = replace(process, y=process.y - process.trend(process.x), trend=None)
    at = _points(20, 3)
    mean, sd = process.posterior(at)
    mean_of_rest, sd_of_rest = rest.posterior(at)
    np.testing.assert_allclose(mean, mean_of_rest + process.trend(at), atol=1e-10)
    np.testing.assert_allclose(sd, sd_of_rest)
    np.testing.assert_allclose(process.joint(at)[0], mean, atol=1e-10)
    left, _ = process.leave_one_out()
    np.testing.assert_allclose(left, rest.leave_one_out()[0] + process.trend(process.x), atol=1e-10)


@pytest.mark.parametrize("moved", [False, True])
def test_a_belief_has_the_trend_in_its_means_and_gradients(moved: bool) -> None:
    process = _process()
    shifts = np.array([[0.05, -0.02], [-0.05, 0.02]]) if moved else None
    held, at = belief(process, shifts), _points(6, 4)
    if not moved:
        np.testing.assert_allclose(held.moments(at)[0][:, 0], process.posterior(at)[0], atol=1e-10)
    by_mean, by_variance = np.ones((6, 1)), np.full(6, 0.3)
    gradient = held.pull(at, by_mean, by_variance)
    for column in range(D):
        step = np.zeros(D)
        step[column] = 1e-6
        above, below = held.moments(at + step), held.moments(at - step)
        numeric = above[0][:, 0] - below[0][:, 0] + 0.3 * (above[1] - below[1])
        np.testing.assert_allclose(gradient[:, column], numeric / 2e-6, atol=1e-4)


def test_single_precision_has_the_trend_too() -> None:
    held, at = belief(_process()), _points(6, 4)
    single, _ = held.moments(at.astype(np.float32))
    np.testing.assert_allclose(single, held.moments(at)[0], atol=1e-4)


def test_drawn_outcomes_lie_around_the_trend() -> None:
    process, at = _process(), _points(3, 6)
    random = np.random.default_rng(0)
    held, drawn = drawn_belief(process, at, random.normal(size=(3, 4000)))
    np.testing.assert_allclose(drawn.mean(axis=1), process.posterior(at)[0], atol=0.05)
    means, variance = held.moments(at)
    np.testing.assert_allclose(means, drawn, atol=1e-3)
    assert (variance < 1e-4).all()


def test_further_outcomes_as_expected_change_no_mean() -> None:
    process, told_at, at = _process(), _points(2, 8), _points(20, 3)
    expected, _ = process.posterior(told_at)
    told = process.with_outcomes(told_at, expected, np.full(2, 0.1))
    np.testing.assert_allclose(told.posterior(at)[0], process.posterior(at)[0], atol=1e-6)


def test_what_a_process_believes_is_its_posterior_mean() -> None:
    process, at = _process(), _points(20, 3)
    np.testing.assert_allclose(ProcessSource(process)(at), process.posterior(at)[0])


@pytest.mark.parametrize("kind", ["process", "column", "function"])
def test_a_source_knows_its_gradient(kind: str) -> None:
    source = {
        "process": ProcessSource(_informed(12).process),
        "column": ColumnSource(1),
        "function": FunctionSource(_wave),
    }[kind]
    trend = LinearTrend((source,), np.array([0.3]), np.array([2.0]))
    at, by_mean = _points(5, 9), np.arange(1.0, 6.0)
    gradient = trend.pull(at, by_mean)
    for column in range(D):
        step = np.zeros(D)
        step[column] = 1e-6
        numeric = by_mean * (trend(at + step) - trend(at - step)) / 2e-6
        np.testing.assert_allclose(gradient[:, column], numeric, atol=1e-4)


def test_drift_stays_beside_the_trend() -> None:
    x = _points(12)
    y = 30.0 - 4.0 * _wave(x) + np.linspace(0.0, 2.0, 12)
    plain = _data(y, x)
    apart = np.abs(np.arange(12)[:, None] - np.arange(12)[None, :]) / 12.0
    data = Data(x, plain.y, plain.layout, plain.shares, plain.known, np.exp(-3.0 * apart)[None])
    found = informed(data, {"wave": FunctionSource(_wave)}, "matern", default_priors(D))
    assert found.process.trend is not None
    assert found.process.extra is not None
    assert found.process.hyper.terms.shape == (1,)


def test_judged_beyond_the_known_a_source_of_the_best_is_used() -> None:
    """The best outcomes lie along a column that varies little among the others."""
    random = np.random.default_rng(3)
    x = random.random((20, D))
    y = 5.0 * x[:, 1] ** 4 + 0.05 * random.normal(size=20)
    source = FunctionSource(lambda at: at[:, 1] ** 4)
    found = informed(_data(y, x), {"power": source}, "matern", default_priors(D), sign=1.0)
    assert found.process.trend is not None
    assert found.entries[1].score > found.entries[0].score
