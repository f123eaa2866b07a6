"""The surrogate: one Gaussian process per metric, on standardised outcomes, float64.

BoTorch's current default model: an RBF kernel without output scale, one length scale per feature
with the dimension-scaled log-normal prior [Hvarfner et al. 2024, ICML], a constant mean, noise with
a log-normal prior. Two additions:

- Choices enter one-hot with one length scale for the whole choice, so that two different words are
  as far apart as the two ends of a range. BoTorch's MixedSingleTaskGP (a sum and a product of two
  kernels) has three times as many hyperparameters and took several times longer to fit.
- Where the noise of every outcome is known, it is given to the model as a floor, and the rest is
  inferred: the spread of three readings of one film is not the spread of three films.

Arrays are copied into tensors (`torch.tensor`), never shared: torch aligns its memory and numpy
does not, and the sums of a matrix product may come in another order, in their last bits, when
their operands are aligned differently. That would make a proposal depend on what a process did
before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from botorch.models.gp_regression import SingleTaskGP
from botorch.models.model_list_gp_regression import ModelListGP
from botorch.models.utils.gpytorch_modules import (
    MIN_INFERRED_NOISE_LEVEL,
    get_covar_module_with_dim_scaled_prior,
)
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import RBFKernel
from gpytorch.likelihoods import FixedNoiseGaussianLikelihood
from gpytorch.priors import LogNormalPrior
from torch import Tensor

from orchestrator.model.trial import Prediction
from orchestrator.planner.encoding import Encoding, Floats
from orchestrator.planner.measured import Measured

MIN_LENGTHSCALE = 2.5e-2


class WordKernel(RBFKernel):  # type: ignore[misc]
    """An RBF kernel for which some columns are words: equal or not.

    `words` maps such a column to its number of words; its entries are the middles of as many cells
    of [0, 1]. One length scale per column, as without words.
    """

    def __init__(self, width: int, words: dict[int, int]) -> None:
        prior = LogNormalPrior(loc=math.sqrt(2) + math.log(width) / 2, scale=math.sqrt(3))
        super().__init__(
            ard_num_dims=width,
            lengthscale_prior=prior,
            lengthscale_constraint=GreaterThan(
                MIN_LENGTHSCALE, transform=None, initial_value=prior.mode
            ),
        )
        self._words = words
        self._numbers = [i for i in range(width) if i not in words]

    def forward(self, x1: Tensor, x2: Tensor, diag: bool = False, **params: Any) -> Tensor:
        """Covariances (... x n x m) of features x1 (... x n x d) and x2 (... x m x d)."""
        squared = self.covar_dist(
            self._spread(x1), self._spread(x2), square_dist=True, diag=diag, **params
        )
        covariance: Tensor = squared.div(-2).exp()
        return covariance

    def _spread(self, x: Tensor) -> Tensor:
        """Scaled features with each word as a one-hot block, sqrt(1/2) high."""
        scale = self.lengthscale.squeeze(-2)
        blocks = [x[..., self._numbers] / scale[..., self._numbers]]
        for column, n in self._words.items():
            word = (x[..., column].detach() * n).floor().long().clamp(0, n - 1)
            one_hot = torch.nn.functional.one_hot(word, n).to(x) * math.sqrt(0.5)
            blocks.append(one_hot / scale[..., column : column + 1])
        return torch.cat(blocks, dim=-1)


@dataclass(frozen=True)
class Surrogate:
    """A fitted model of one metric. `note` says what went wrong with the fit, if anything."""

    measured: Measured
    model: SingleTaskGP
    note: str = ""

    def posterior(self, features: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation (n each) of the noise-free outcome, standardised."""
        with torch.no_grad():
            found = self.model.posterior(torch.tensor(features))
            mean = found.mean.squeeze(-1).numpy()
            sd = found.variance.clamp_min(0.0).sqrt().squeeze(-1).numpy()
        return mean, sd

    def predict(self, features: Floats) -> Prediction:
        """The noise-free outcome at one point (1 x d), in the metric's unit."""
        mean, sd = self.posterior(features)
        centre, spread = self.measured.centre, self.measured.spread
        value = float(mean[0]) * spread + centre
        on_log10 = self.measured.metric.scale == "log"
        if on_log10:
            value = 10.0 ** min(max(value, -300.0), 300.0)
        return Prediction(mean=value, sd=float(sd[0]) * spread, on_log10=on_log10)

    def leave_one_out(self) -> Floats:
        """Residuals (n), standardised: each outcome minus its prediction from all the others, with
        the hyperparameters of the full fit [Rasmussen & Williams 2006, eq. 5.12]."""
        with torch.no_grad():
            self.model.train()
            prior = self.model.likelihood(self.model(*self.model.train_inputs))
            covariance = prior.covariance_matrix.numpy()
            residual = (self.model.train_targets - prior.mean).numpy()
            self.model.eval()
        inverse = np.linalg.inv(covariance)
        return np.asarray(inverse @ residual / np.diag(inverse), dtype=np.float64)


def unfitted(encoding: Encoding, measured: Measured, features: Floats) -> SingleTaskGP:
    """A model of `measured` at `features` (n x d) with every hyperparameter at its prior's mode."""
    x = torch.tensor(features)
    y = torch.tensor(measured.y)[:, None]
    words = dict(zip(encoding.unordered, _word_counts(encoding), strict=True))
    width = encoding.width
    kernel = WordKernel(width, words) if words else get_covar_module_with_dim_scaled_prior(width)
    return SingleTaskGP(
        x, y, likelihood=_known_noise(measured), covar_module=kernel, outcome_transform=None
    )


def joint(surrogates: list[Surrogate]) -> ModelListGP:
    """The models as one with independent outputs, in the order given."""
    return ModelListGP(*(s.model for s in surrogates))


def _word_counts(encoding: Encoding) -> list[int]:
    starts = set(encoding.unordered)
    pairs = zip(encoding.cells, encoding.columns, strict=True)
    return [n for n, c in pairs if c.start in starts and n]


def _known_noise(measured: Measured) -> FixedNoiseGaussianLikelihood | None:
    if measured.variance is None:
        return None
    return FixedNoiseGaussianLikelihood(
        noise=torch.tensor(measured.variance).clamp_min(1e-6),
        learn_additional_noise=True,
        noise_prior=LogNormalPrior(loc=-4.0, scale=1.0),
        noise_constraint=GreaterThan(
            MIN_INFERRED_NOISE_LEVEL, transform=None, initial_value=math.exp(-5.0)
        ),
    )
