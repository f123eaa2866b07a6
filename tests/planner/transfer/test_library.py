"""Source networks: what they predict, and the layer that transfers."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from transfer_samples import Floats

from orchestrator.planner.transfer.bases import ProcessSurrogate
from orchestrator.planner.transfer.heads import NOISES, WIDTHS, heads
from orchestrator.planner.transfer.library import Library, SourceSet, train


def _hidden_cause(x: Floats) -> Floats:
    """What all properties depend on, hard to see among the other columns."""
    return np.asarray(np.tanh(x[:, 0] + x[:, 1] - x[:, 2]))


def _features(n: int, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=(n, 12))


@functools.cache
def _library() -> Library:
    x = _features(300, 0)
    sets = [
        SourceSet("near", x, 3.0 * _hidden_cause(x) + 20.0),
        SourceSet("far", x, np.random.default_rng(9).normal(size=300)),
    ]
    return train(sets, seed=1, n_nets=2)


def test_a_network_predicts_as_the_estimator_it_was_taken_from() -> None:
    """By hand from the layers, against scikit-learn's own forward pass."""
    from sklearn.neural_network import MLPRegressor

    net = _library().models[0].nets[0]
    sizes = tuple(weights.shape[1] for weights, _ in net.layers[:-1])
    same = MLPRegressor(hidden_layer_sizes=sizes, max_iter=1)
    x = _features(40, 5)
    with pytest.warns(UserWarning, match=r"[Mm]aximum"):
        same.fit(x, x[:, 0])
    same.coefs_ = [weights for weights, _ in net.layers]
    same.intercepts_ = [offsets for _, offsets in net.layers]
    expected = net.outcome.in_unit(same.predict(net.inputs.standardised(x)))
    np.testing.assert_allclose(net.predict(x), expected, atol=1e-9)


def test_a_source_that_can_be_learnt_is_learnt_and_noise_is_not() -> None:
    near, far = _library().models
    assert near.best.held_out_r2 > 0.7
    assert far.best.held_out_r2 < 0.2


def test_predictions_are_in_standard_deviations_of_the_source() -> None:
    x = _features(200, 2)
    predicted = _library().predictions(x)
    assert predicted.shape == (200, 2)
    cause = _hidden_cause(_features(300, 0))
    expected = (_hidden_cause(x) - cause.mean()) / cause.std()
    assert np.corrcoef(predicted[:, 0], expected)[0, 1] > 0.9
    assert abs(float(predicted[:, 0].std()) - 1.0) < 0.2


def test_the_layer_is_standardised_on_the_source() -> None:
    net = _library().models[0].nets[0]
    hidden = net.hidden(_features(300, 0))
    assert hidden.shape[1] == net.layers[-2][0].shape[1]
    assert np.abs(hidden.mean(axis=0)).max() < 1e-9


def test_the_same_seed_trains_the_same_networks() -> None:
    x = _features(80, 3)
    first, again, other = (
        train([SourceSet("a", x, x[:, 0])], seed=seed, n_nets=1).predictions(x)
        for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_target_gains_from_the_library_and_the_useless_source_has_no_say() -> None:
    library = _library()
    x = _features(230, 7)
    y = -2.0 * _hidden_cause(x) + 0.05 * np.random.default_rng(0).normal(size=230)
    choice = library.choose(ProcessSurrogate(), x[:15], y[:15])
    f = library.predictions(x[15:])
    ours, plain = (
        float(np.sqrt(np.mean((one.predict(x[15:], f)[0] - y[15:]) ** 2)))
        for one in (choice, choice.fitted[0])
    )
    assert ours < 0.7 * plain
    assert sum(e.weight for e in choice.entries if e.name.startswith("far")) < 0.1


def test_five_outcomes_are_enough_to_ask() -> None:
    x = _features(25, 7)
    choice = _library().choose(ProcessSurrogate(), x[:5], _hidden_cause(x)[:5])
    mean, sd = choice.predict(x[5:], _library().predictions(x[5:]))
    assert np.isfinite(mean).all()
    assert (sd > 0.0).all()


def test_heads_are_the_processes_that_their_formula_says() -> None:
    from orchestrator.planner.kernel import Kernel, Layout

    x = _features(60, 1)
    y = np.stack([_hidden_cause(x), x[:, 3] + 2.0], axis=1)
    found = heads(("cause", "column"), x, y)
    at = _features(10, 6)
    predicted = found.predictions(at)
    z = found.scale.standardised(y)
    fits = []
    for width in WIDTHS:
        kernel = Kernel(
            np.full(12, width), 1.0, "matern", Layout(np.arange(len(np.full(12, width))))
        )
        inner, cross = kernel(found.x, found.x), kernel(found.spacing(at), found.x)
        for noise in NOISES:
            total = inner + noise * np.eye(60)
            solved = np.linalg.solve(total, z[:, 0])
            value = np.linalg.slogdet(total)[1] / 2.0 + 30.0 * np.log(z[:, 0] @ solved)
            fits.append((value, cross @ solved))
    best = min(fits, key=lambda fit: fit[0])[1]
    np.testing.assert_allclose(predicted[:, 0], best, atol=1e-7)
