"""The fast likelihood: exact gradients, and the same numbers as an independent implementation."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats, Layout, Shape
from orchestrator.planner.likelihood import Likelihood, LogNormal, Priors

VARIED = Priors(LogNormal(0.5, 1.0), LogNormal(-4.0, 1.0), variance=LogNormal(0.0, 1.0))


def data(n: int = 12, d: int = 3, *, blocks: bool = False, seed: int = 0) -> Data:
    rng = np.random.default_rng(seed)
    x = rng.random((n, d))
    y = np.sin(5 * x[:, 0]) + x[:, -1] ** 2 + 0.1 * rng.normal(size=n)
    same = (np.arange(n)[:, None] // 4 == np.arange(n)[None, :] // 4).astype(float)
    terms = same[None] if blocks else np.zeros((0, n, n))
    shares = rng.choice([1.0, 0.5], n)
    layout = Layout(np.minimum(np.arange(d), 1))  # the last columns share a length scale
    return Data(x, (y - y.mean()) / y.std(), layout, shares, 0.01 * rng.random(n), terms)


def likelihood(given: Data, shape: Shape, priors: Priors) -> Likelihood:
    return Likelihood(
        given.x, given.y, given.layout, priors, shape, given.shares, given.known, given.terms
    )


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["matern", "gauss"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 10_000),
)
def test_the_gradient_agrees_with_finite_differences(
    shape: Shape, varied: bool, blocks: bool, seed: int
) -> None:
    priors = VARIED if varied else default_priors(2)[0]
    value = likelihood(data(blocks=blocks, seed=seed), shape, priors)
    theta = value.start + 0.3 * np.random.default_rng(seed).normal(size=len(value.start))
    _, gradient = value(theta)
    step = 1e-5
    differences = [
        (value(theta + step * e)[0] - value(theta - step * e)[0]) / (2 * step)
        for e in np.eye(len(theta))
    ]
    np.testing.assert_allclose(gradient, differences, atol=1e-5, rtol=1e-5)


@pytest.mark.torch
@pytest.mark.parametrize("shape", ["matern", "gauss"])
def test_likelihood_and_gradient_are_those_of_gpytorch(shape: Shape) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # libraries that use torch.jit while they are imported
        import gpytorch
        import torch

    rng = np.random.default_rng(3)
    x, y = rng.random((15, 4)), rng.normal(size=15)
    prior = default_priors(4)[0]
    plain = Data(x, y, Layout(np.arange(4)), np.ones(15), np.zeros(15), np.zeros((0, 15, 15)))
    value = likelihood(plain, shape, prior)
    theta = np.append(value.start[:4] + 0.5 * rng.normal(size=4), math.log(0.02))
    found, gradient = value(theta)
    hyper = value.hyper(theta)

    class Exact(gpytorch.models.ExactGP):  # type: ignore[misc]
        def __init__(self) -> None:
            noise = gpytorch.likelihoods.GaussianLikelihood(
                noise_constraint=gpytorch.constraints.GreaterThan(1e-9)
            )
            super().__init__(torch.tensor(x), torch.tensor(y), noise)
            self.mean_module = gpytorch.means.ConstantMean()
            kernel = gpytorch.kernels.RBFKernel
            if shape == "matern":
                kernel = gpytorch.kernels.MaternKernel
            self.covar_module = kernel(ard_num_dims=4)

        def forward(self, points: torch.Tensor) -> object:
            return gpytorch.distributions.MultivariateNormal(
                self.mean_module(points), self.covar_module(points)
            )

    model = Exact().double()
    model.likelihood.noise = torch.tensor(hyper.noise, dtype=torch.float64)
    model.mean_module.constant.data.fill_(hyper.mean)
    scales = torch.tensor(np.log(hyper.scales), requires_grad=True)
    model.covar_module.lengthscale = torch.tensor(hyper.scales)
    total = gpytorch.distributions.MultivariateNormal(
        torch.full((15,), hyper.mean, dtype=torch.float64),
        _dense(model, scales, x, shape) + hyper.noise * torch.eye(15, dtype=torch.float64),
    )
    log_p = total.log_prob(torch.tensor(y))
    own = gpytorch.mlls.ExactMarginalLogLikelihood(model.likelihood, model)
    model.train()
    by_module = float(own(model(*model.train_inputs), model.train_targets).detach()) * 15
    assert by_module == pytest.approx(float(log_p.detach()), abs=1e-8)
    log_prior, _ = value._log_prior(theta)
    assert -(found + log_prior) == pytest.approx(float(log_p.detach()), abs=1e-8)
    (slopes,) = torch.autograd.grad(log_p, scales)
    _, prior_slopes = prior.width.log_density(theta[:4])
    np.testing.assert_allclose(-gradient[:4] - prior_slopes, slopes.numpy(), atol=1e-8)


def _dense(model: object, scales: object, x: Floats, shape: Shape) -> object:
    import torch

    scaled = torch.tensor(x) / torch.exp(scales)  # type: ignore[call-overload]
    difference = scaled[:, None, :] - scaled[None, :, :]
    squared = (difference**2).sum(-1)
    if shape == "gauss":
        return torch.exp(-0.5 * squared)
    r = torch.sqrt(5.0 * squared + 1e-300)
    return (1 + r + r**2 / 3) * torch.exp(-r)


def test_the_prior_of_a_log_normal_is_that_of_the_textbook() -> None:
    prior = LogNormal(-4.0, 1.5)
    at = np.log(np.array([0.01, 0.1]))
    density, _ = prior.log_density(at)
    textbook = -at - (at + 4.0) ** 2 / (2 * 1.5**2)
    np.testing.assert_allclose(density - density[0], textbook - textbook[0])
    assert prior.log_mode == pytest.approx(-4.0 - 1.5**2)


@pytest.mark.parametrize("alike", [0.0, 0.4, 0.9])
@pytest.mark.parametrize("n", [1, 5])
def test_logarithms_that_are_alike_have_the_density_of_the_textbook(n: int, alike: float) -> None:
    prior = LogNormal(0.3, 1.2, of_log=True, alike=alike)
    at = np.random.default_rng(n).normal(size=n)
    density, slope = prior.log_density(at)
    covariance = 1.2**2 * ((1.0 - alike) * np.eye(n) + alike)
    assert density.sum() == pytest.approx(multivariate_normal([0.3] * n, covariance).logpdf(at))
    np.testing.assert_allclose(slope, -np.linalg.solve(covariance, at - 0.3))


def process(n: int = 12, shape: Shape = "matern", *, blocks: bool = False) -> GaussianProcess:
    return fit(data(n, blocks=blocks), shape, default_priors(2))


def rest(whole: GaussianProcess, i: int) -> GaussianProcess:
    keep = np.arange(len(whole.y)) != i
    extra = None if whole.extra is None else whole.extra[keep][:, keep]
    return GaussianProcess(
        whole.x[keep],
        whole.y[keep],
        whole.noise[keep],
        whole.layout,
        whole.shape,
        whole.hyper,
        extra,
    )


@pytest.mark.parametrize("shape", ["matern", "gauss"])
def test_leave_one_out_equals_predicting_each_outcome_from_the_others(shape: Shape) -> None:
    whole = process(shape=shape)
    mean, variance = whole.leave_one_out()
    for i in range(len(whole.y)):
        found, sd = rest(whole, i).posterior(whole.x[i : i + 1])
        assert mean[i] == pytest.approx(float(found[0]), abs=1e-7)
        assert variance[i] == pytest.approx(float(sd[0]) ** 2 + whole.noise[i], abs=1e-7)


def test_a_fit_explains_what_it_was_made_of_and_is_unsure_elsewhere() -> None:
    fitted = process(30)
    mean, _ = fitted.posterior(fitted.x)
    assert np.sqrt(np.mean((mean - fitted.y) ** 2)) < 0.25
    _, near = fitted.posterior(fitted.x[:1])
    _, far = fitted.posterior(fitted.x[:1] + 50.0)
    assert near[0] < 0.3
    assert far[0] == pytest.approx(1.0, abs=0.01)


def test_a_shift_between_blocks_is_not_taken_for_an_effect_of_the_parameters() -> None:
    rng = np.random.default_rng(1)
    x = rng.random((24, 1))
    block = np.repeat(np.arange(6), 4)
    shift = rng.normal(size=6)[block]
    y = np.sin(4 * x[:, 0]) + shift + 0.01 * rng.normal(size=24)
    same = (block[:, None] == block[None, :]).astype(float)
    layout = Layout(np.zeros(1, dtype=np.intp))

    def error(terms: Floats) -> float:
        made = Data(x, y - y.mean(), layout, np.ones(24), np.zeros(24), terms)
        at = np.linspace(0.05, 0.95, 30)[:, None]
        mean, _ = fit(made, "matern", default_priors(1)).posterior(at)
        wanted = np.sin(4 * at[:, 0])
        return float(np.std(mean - wanted))

    assert error(same[None]) < 0.3 * error(np.zeros((0, 24, 24)))


def test_a_known_noise_is_a_floor_under_the_inferred_one() -> None:
    given = data(10, 1)
    rough = Data(given.x, given.y, given.layout, np.ones(10), np.full(10, 0.5), given.terms)
    fitted = fit(rough, "matern", default_priors(1))
    assert (fitted.noise >= 0.5).all()


def test_one_measurement_is_modelled_by_the_prior() -> None:
    x, terms = np.array([[0.3, 0.6]]), np.zeros((0, 1, 1))
    single = Data(x, np.array([0.7]), Layout(np.arange(2)), np.ones(1), np.zeros(1), terms)
    fitted = fit(single, "matern", default_priors(2))
    assert "one measurement" in fitted.note
    assert fitted.posterior(x)[0][0] == pytest.approx(0.7)


def test_many_outcomes_are_fitted_on_a_part_of_them_and_predicted_from_all() -> None:
    fitted = process(900)
    mean, _ = fitted.posterior(fitted.x)
    assert len(fitted.y) == 900
    assert np.sqrt(np.mean((mean - fitted.y) ** 2)) < 0.25


def test_repeated_points_and_equal_outcomes_do_not_break_the_fit() -> None:
    x = np.repeat(np.random.default_rng(0).random((3, 2)), 5, axis=0)
    same = Data(
        x, np.zeros(15), Layout(np.arange(2)), np.ones(15), np.zeros(15), np.zeros((0, 15, 15))
    )
    fitted = fit(same, "gauss", default_priors(2))
    assert np.isfinite(fitted.posterior(x)[0]).all()
