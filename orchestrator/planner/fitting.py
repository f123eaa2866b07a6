"""Fits the surrogates, and gets a usable model out of any history."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botorch.exceptions.errors import ModelFittingError
from botorch.exceptions.warnings import BotorchWarning
from botorch.fit import fit_gpytorch_mll
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.utils.warnings import GPInputWarning, NumericalWarning
from linear_operator.utils.errors import NanError, NotPSDError
from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from orchestrator.planner.encoding import Encoding
from orchestrator.planner.measured import Evidence
from orchestrator.planner.surrogate import Surrogate, unfitted

N_ATTEMPTS = 3
MIN_TO_FIT = 2
FIT_TOLERANCE = 1e-6
"""Of the log-likelihood per measurement: what is gained below it takes two thirds of the time and
only drives the length scales of inert parameters further out."""
EXPECTED = (NumericalWarning, GPInputWarning, BotorchWarning)


def fit(
    encoding: Encoding,
    evidence: Evidence,
    *,
    optimise: Callable[..., object] = fit_gpytorch_mll,
) -> dict[str, Surrogate]:
    """One surrogate per measured metric, by name.

    `optimise` maximises a marginal likelihood in place. Its random restarts, when it fails, draw
    from torch's global generator: the caller seeds it.
    """
    return {name: _fitted(encoding, evidence, name, optimise) for name in evidence.measured}


@contextmanager
def expected_warnings() -> Iterator[None]:
    """Silences what a fit or an acquisition says about histories that are hard but legitimate:
    jitter added for repeated points, a line search that stopped at rounding error, a posterior
    at the measured points themselves."""
    with warnings.catch_warnings(record=True) as said:
        for category in EXPECTED:
            warnings.simplefilter("ignore", category)
        yield
    # BoTorch shows some of its own whatever the filters say, so they are sorted out here
    for warning in said:
        if not issubclass(warning.category, EXPECTED):
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


def _fitted(
    encoding: Encoding, evidence: Evidence, name: str, optimise: Callable[..., object]
) -> Surrogate:
    """Retries from other starts; falls back to the priors' modes, with a note."""
    measured, features = evidence.measured[name], evidence.features_of(name)
    model = unfitted(encoding, measured, features)
    note = ""
    if len(measured.y) < MIN_TO_FIT:
        note = f"{name}: one measurement, so the model is the prior's"
    else:
        likelihood = ExactMarginalLogLikelihood(model.likelihood, model)
        try:
            with expected_warnings():
                optimise(
                    likelihood,
                    max_attempts=N_ATTEMPTS,
                    optimizer_kwargs={"options": {"ftol": FIT_TOLERANCE}},
                )
        except (ModelFittingError, NotPSDError, NanError, LinAlgError) as error:
            model = unfitted(encoding, measured, features)
            note = f"{name}: the fit failed ({type(error).__name__}), so the model is the prior's"
    model.eval()
    return Surrogate(measured=measured, model=model, note=note)
