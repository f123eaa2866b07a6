"""Several samples of one trial as one observation."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.events import Observed
from orchestrator.model.samples import mean_of_samples

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=6)


def seen(value: float, **facts: object) -> Observed:
    given = {"trial": 1, "metric": "y", "value": value, **facts}
    return Observed.model_validate(given)


def group(values: list[float]) -> Observed:
    """Some samples that were already averaged elsewhere."""
    sd = statistics.stdev(values) / len(values) ** 0.5
    return seen(statistics.fmean(values), sd=sd, n_samples=len(values))


@given(VALUES, VALUES)
def test_groups_of_samples_give_the_mean_and_noise_of_all_of_them(
    one: list[float], other: list[float]
) -> None:
    both, apart = group([*one, *other]), mean_of_samples([group(one), group(other)])
    assert apart.n_samples == both.n_samples
    assert apart.value == pytest.approx(both.value, abs=1e-9)
    assert apart.sd == pytest.approx(both.sd, abs=1e-9)


@pytest.mark.parametrize(
    ("levels", "together"),
    [
        (("run", "run"), "run"),
        (("block", "run"), "run"),
        (("run", "sample"), "sample"),
        (("reading", "reading"), "sample"),
    ],
)
def test_a_mean_says_no_more_of_other_trials_than_any_part_of_it(
    levels: tuple[str, str], together: str
) -> None:
    both = [seen(1.0, sample=name, level=level) for name, level in zip("ab", levels, strict=True)]
    assert mean_of_samples(both).level == together


def test_single_values_do_not_pretend_to_know_their_scatter() -> None:
    assert mean_of_samples([seen(3.0), seen(3.0)]).sd is None


def test_a_mean_with_a_bound_in_it_is_a_bound() -> None:
    mean = mean_of_samples([seen(3.0), seen(5.0, censored="above")])
    assert (mean.value, mean.censored) == (4.0, "above")


def test_bounds_on_both_sides_say_nothing_together() -> None:
    newest = seen(5.0, censored="above")
    assert mean_of_samples([seen(3.0, censored="below"), newest]) == newest
