from __future__ import annotations

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.planner.bayesian import load_model_rooms
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.measured import Evidence, evidence
from orchestrator.ports.planner import History, MetricScale, Outcome, PlanningTask

pytestmark = pytest.mark.torch
Y = (MetricScale(name="y", unit="V"),)
LINE = samples.FILM[1:2]


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    load_model_rooms()


def seen(question: PlanningTask, history: History) -> tuple[Encoding, Evidence]:
    encoding = Encoding(question.space)
    return encoding, evidence(question, encoding, history)


def with_sd(history: History, sd: float | None) -> History:
    noisy = tuple(
        e.model_copy(
            update={"outcomes": {k: Outcome(value=o.value, sd=sd) for k, o in e.outcomes.items()}}
        )
        for e in history.evaluated
    )
    return history.model_copy(update={"evaluated": noisy})


@pytest.mark.parametrize("sd", [None, 3.0])
def test_leave_one_out_equals_predicting_each_trial_from_the_others(sd: float | None) -> None:
    import torch
    from botorch.models import SingleTaskGP

    from orchestrator.planner.fitting import fit

    question = samples.task(metrics=samples.FILM_METRICS[1:], constraints=())
    history = samples.measured(question, lambda p: {"thickness": samples.film(p)["thickness"]}, 9)
    encoding, known = seen(question, with_sd(history, sd))
    surrogate = fit(encoding, known)["thickness"]
    residuals = surrogate.leave_one_out()
    model = surrogate.model
    for i in range(9):
        rest = [j for j in range(9) if j != i]
        x, y = torch.from_numpy(known.features), torch.from_numpy(known.measured["thickness"].y)
        with torch.no_grad():
            noise = torch.diagonal(
                model.likelihood(model.train()(x)).covariance_matrix - model(x).covariance_matrix
            )
            other = SingleTaskGP(
                x[rest],
                y[rest, None],
                noise[rest, None],
                covar_module=model.covar_module,
                mean_module=model.mean_module,
                outcome_transform=None,
            )
            predicted = float(other.posterior(x[i : i + 1]).mean)
            model.eval()
        assert residuals[i] == pytest.approx(float(y[i]) - predicted, abs=1e-6)


def test_a_known_noise_is_a_floor_under_the_inferred_one() -> None:
    from orchestrator.planner.fitting import fit

    question = samples.task(LINE, Y, (), direction="maximise")
    history = samples.measured(question, lambda p: {"y": float(p["temperature"])}, 8)
    exact = fit(*seen(question, with_sd(history, 0.0)))["y"]
    rough = fit(*seen(question, with_sd(history, 100.0)))["y"]
    at = np.array([[0.5]])
    assert exact.predict(at).sd < 10
    assert rough.predict(at).sd > 2 * exact.predict(at).sd
    floor = (100.0 / rough.measured.spread) ** 2
    assert float(rough.model.likelihood.noise.detach().min()) >= floor


def test_one_outcome_without_a_known_noise_means_that_all_is_inferred() -> None:
    question = samples.task(LINE, Y, ())
    history = with_sd(samples.measured(question, lambda p: {"y": 1.0}, 3), 0.1)
    first = history.evaluated[0].model_copy(update={"outcomes": {"y": Outcome(value=1.0)}})
    mixed = history.model_copy(update={"evaluated": (first, *history.evaluated[1:])})
    assert seen(question, history)[1].measured["y"].variance is not None
    assert seen(question, mixed)[1].measured["y"].variance is None


def test_noise_in_the_metrics_unit_becomes_decades_on_a_log_scale() -> None:
    question = samples.task(constraints=())
    history = samples.measured(question, lambda p: {"resistivity": 2.0}, 3)
    known = seen(question, with_sd(history, 0.2))[1].measured["resistivity"]
    assert known.variance is not None
    assert np.sqrt(known.variance) * known.spread == pytest.approx(0.1 / np.log(10))


@pytest.mark.parametrize("failure", [RuntimeError, ValueError])
def test_a_fit_that_fails_falls_back_to_the_prior_and_says_so(failure: type[Exception]) -> None:
    from botorch.exceptions.errors import ModelFittingError

    from orchestrator.planner.fitting import fit

    def failing(*arguments: object, **options: object) -> None:
        raise ModelFittingError("all attempts failed") if failure is RuntimeError else failure

    question = samples.task(LINE, Y, ())
    known = seen(question, samples.measured(question, lambda p: {"y": float(p["temperature"])}, 5))
    if failure is ValueError:  # a fault of ours is not hidden
        with pytest.raises(ValueError):  # noqa: PT011
            fit(*known, optimise=failing)
        return
    surrogate = fit(*known, optimise=failing)["y"]
    assert surrogate.note == "y: the fit failed (ModelFittingError), so the model is the prior's"
    assert np.isfinite(surrogate.predict(np.array([[0.5]])).mean)


def test_one_measurement_is_modelled_by_the_prior() -> None:
    from orchestrator.planner.fitting import fit

    question = samples.task(LINE, Y, ())
    known = seen(question, samples.measured(question, lambda p: {"y": 7.0}, 1))
    surrogate = fit(*known)["y"]
    assert "one measurement" in surrogate.note
    assert surrogate.predict(known[1].features).mean == pytest.approx(7.0, rel=0.2)


def test_the_word_kernel_knows_only_equal_or_not() -> None:
    import torch

    from orchestrator.planner.surrogate import WordKernel

    kernel = WordKernel(2, {1: 3}).double()
    kernel.lengthscale = torch.tensor([[1.0, 0.5]], dtype=torch.float64)
    x = torch.tensor([[0.2, 1 / 6], [0.2, 3 / 6], [0.2, 5 / 6], [0.7, 1 / 6]], dtype=torch.float64)
    with torch.no_grad():
        k = kernel(x).to_dense().numpy()
    unlike = np.exp(-0.5 / 0.5**2)
    assert k[0, 1] == pytest.approx(unlike)
    assert k[0, 2] == pytest.approx(unlike)
    assert k[0, 3] == pytest.approx(np.exp(-0.5 * 0.25))
    assert k[1, 3] == pytest.approx(unlike * np.exp(-0.5 * 0.25))
