"""Main effects beside choices: what outcomes with one word say of another."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from orchestrator.model.space import Choice, Real, SearchSpace
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data, default_priors, fit, with_mains
from orchestrator.planner.gaussian import belief, drawn_belief
from orchestrator.planner.kernel import Floats, Kernel, Layout
from orchestrator.planner.likelihood import Likelihood

WORDS = ("a", "b", "c", "d")
SPACE = SearchSpace(
    parameters=(
        Choice(name="first", options=WORDS),
        Choice(name="second", options=WORDS),
        Real(name="x", low=0.0, high=1.0),
    )
)


def cells() -> list[tuple[str, str, float]]:
    return [(a, b, x) for a, b in itertools.product(WORDS, WORDS) for x in (0.1, 0.5, 0.9)]


def outcomes(seed: int) -> Floats:
    """Both choices and x each add something of their own (48)."""
    rng = np.random.default_rng(seed)
    of_first, of_second = rng.normal(size=4), rng.normal(size=4)
    places = {word: i for i, word in enumerate(WORDS)}
    found = [of_first[places[a]] + of_second[places[b]] + 2 * (x - 0.4) ** 2 for a, b, x in cells()]
    return np.array(found)


def features() -> tuple[Encoding, Floats]:
    encoding = Encoding(SPACE)
    points = [{"first": a, "second": b, "x": x} for a, b, x in cells()]
    return encoding, encoding.features(encoding.encode(points))


def data(layout: Layout, x: Floats, y: Floats) -> Data:
    n = len(y)
    return Data(x, (y - y.mean()) / y.std(), layout, np.ones(n), np.zeros(n), np.zeros((0, n, n)))


def test_a_choice_is_a_part_of_its_own_and_all_else_is_one() -> None:
    encoding, _ = features()
    assert [part.tolist() for part in encoding.layout.parts] == [[2], [0], [1]]
    assert encoding.layout.stretches.tolist() == [3.0, 3.0, 3.0]
    alone = Encoding(SearchSpace(parameters=SPACE.parameters[2:])).layout
    assert [part.tolist() for part in alone.parts] == [[0]]
    plain = default_priors(1)
    assert with_mains(plain, alone) == plain


def test_words_that_were_tried_tell_of_combinations_that_were_not() -> None:
    encoding, x = features()
    layout, gains = encoding.layout, []
    for seed in range(8):
        y = outcomes(seed)
        known = np.random.default_rng([seed, 1]).permutation(len(y))[:14]
        rest = np.setdiff1d(np.arange(len(y)), known)
        errors = []
        for priors in (default_priors(3), with_mains(default_priors(3), layout)):
            process = fit(data(layout, x[known], y[known]), "matern", priors)
            mean = y[known].mean() + y[known].std() * process.posterior(x[rest])[0]
            errors.append(float(np.sqrt(np.mean((mean - y[rest]) ** 2))))
        gains.append(errors[1] / errors[0])
    assert np.median(gains) < 0.8
    assert max(gains) < 1.1


@pytest.mark.parametrize("shape", ["matern", "gauss"])
def test_gradients_agree_with_finite_differences(shape: str) -> None:
    encoding, x = features()
    rng = np.random.default_rng(2)
    some = rng.permutation(len(x))[:12]
    given = data(encoding.layout, x[some], outcomes(0)[some])
    prior = with_mains(default_priors(3), encoding.layout)[0]
    value = Likelihood(
        given.x,
        given.y,
        given.layout,
        prior,
        shape,  # type: ignore[arg-type]
        given.shares,
        given.known,
        given.terms,
    )
    theta = value.start + 0.3 * rng.normal(size=len(value.start))
    np.testing.assert_allclose(value.theta(value.split(theta)), theta)
    _, gradient = value(theta)
    differences = [
        (value(theta + 1e-5 * e)[0] - value(theta - 1e-5 * e)[0]) / 2e-5 for e in np.eye(len(theta))
    ]
    np.testing.assert_allclose(gradient, differences, atol=1e-5, rtol=1e-5)


def test_a_belief_pulls_as_finite_differences_say() -> None:
    """Also over inexact settings, and after draws."""
    encoding, x = features()
    rng = np.random.default_rng(4)
    some = rng.permutation(len(x))[:14]
    priors = with_mains(default_priors(3), encoding.layout)
    process = fit(data(encoding.layout, x[some], outcomes(1)[some]), "matern", priors)
    assert process.hyper.mains > 0.05
    column = x.shape[1] - 1
    shifts = np.zeros((3, x.shape[1]))
    shifts[:, column] = (-0.1, 0.0, 0.1)
    at = x[40:43] + 0.0
    at[:, column] = (0.23, 0.61, 0.77)
    normal = rng.normal(size=(2, 3))
    for found in (
        belief(process),
        belief(process, shifts),
        drawn_belief(process, x[[3, 30]], normal)[0],
    ):
        by_mean = np.ones((3, found.weights.shape[1]))
        pulled = found.pull(at, by_mean, np.full(3, 0.4))[:, column]
        step = np.zeros_like(at)
        step[:, column] = 1e-5
        above, below = found.moments(at + step), found.moments(at - step)
        by_step = (above[0] - below[0]).sum(axis=1) + 0.4 * (above[1] - below[1])
        np.testing.assert_allclose(pulled, by_step / 2e-5, atol=1e-5, rtol=1e-4)
        single = found.moments(at.astype(np.float32))
        np.testing.assert_allclose(single[0], found.moments(at)[0], atol=1e-3)


@pytest.mark.parametrize("counted", [False, True])
def test_without_main_effects_it_is_the_product_alone(counted: bool) -> None:
    encoding, x = features()
    layout = encoding.layout
    if counted:  # a described material, two numbers that are carried along, and the same choices
        counts = np.random.default_rng(5).integers(0, 3, size=(len(x), 6)).astype(float)
        x = np.hstack([counts, x, x[:, :2]])
        groups = np.concatenate([np.zeros(6, np.intp), layout.groups + 1, [-1, -1]])
        layout = Layout(groups, (0,), tuple(group + 1 for group in layout.choices))
    widths = np.full(x.shape[1], 0.7)
    plain = Kernel(widths, 1.3, "matern", layout)
    tiny = Kernel(widths, 1.3, "matern", layout, mains=1e-12)
    np.testing.assert_allclose(plain(x, x), tiny(x, x), atol=1e-10)
    np.testing.assert_allclose(np.diag(tiny(x, x)), 1.3, atol=1e-10)
    assert np.linalg.eigvalsh(Kernel(widths, 1.0, "matern", layout, 0.5)(x, x)).min() > 0
