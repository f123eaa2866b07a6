"""What the formulas of the ceramic target promise."""

from __future__ import annotations

import math
import random

import pytest

from simulators.lab.ceramic import Conditions, Film, film, partial_pressure, rate_nm_per_min, stack
from simulators.lab.noise import normal, uniform
from simulators.lab.probing import SQUARE_FACTOR


def _anywhere(rng: random.Random) -> Conditions:
    """A point of the campaign's space: flows and pressure logarithmic, the rest linear."""
    oxygen = math.exp(rng.uniform(math.log(0.05), math.log(5.0)))
    argon = math.exp(rng.uniform(math.log(0.2), math.log(2.0)))
    return Conditions(
        partial_pressure(oxygen), argon, rng.uniform(25.0, 450.0), rng.uniform(50.0, 200.0)
    )


def _space(n: int) -> list[Film]:
    rng = random.Random(1)
    return [film(_anywhere(rng), 20.0) for _ in range(n)]


def test_one_sccm_gives_23_millipascal() -> None:
    assert partial_pressure(1.0) == pytest.approx(0.0232, rel=2e-3)


def test_the_rate_is_6_nm_a_minute_at_100_watt_without_scattering() -> None:
    gentle = Conditions(0.01, 1e-9, 300.0, 100.0)
    assert rate_nm_per_min(gentle) == pytest.approx(6.0)
    assert rate_nm_per_min(gentle, erosion=0.1) == pytest.approx(5.4)


def test_a_film_agrees_with_the_formula_worked_by_hand() -> None:
    p, t, power, argon = 0.01, 340.0, 100.0, 0.5
    rate = 6.0 * math.exp(-0.125)
    n = 1.6e27 / (1 + (p / (0.012 * rate / 6)) ** 1.5)
    low = 0.006 * rate / 6 * math.exp(-10 / 90)
    mobility = 1e-4 * (0.01 + 14 / (1 + math.exp(-40 / 15)) / (1 + (low / p) ** 2.5))
    grown = film(Conditions(p, argon, t, power), 20.0)
    assert grown.thickness_nm == pytest.approx(20 * rate)
    assert grown.resistivity_ohm_cm == pytest.approx(100 / (1.602176634e-19 * n * mobility))


def test_the_best_film_of_the_space_is_near_minus_3_2() -> None:
    thick = [f.resistivity_ohm_cm for f in _space(60_000) if f.thickness_nm >= 120]
    assert -3.25 < math.log10(min(thick)) < -3.12


def test_half_of_the_space_reaches_120_nm_in_20_minutes() -> None:
    films = _space(20_000)
    assert sum(f.thickness_nm >= 120 for f in films) / len(films) == pytest.approx(0.52, abs=0.02)


def test_films_on_top_of_each_other_conduct_side_by_side() -> None:
    both = stack([Film(100.0, 1e-3), Film(50.0, math.inf), Film(0.0, math.inf)])
    assert both.thickness_nm == 150.0
    assert both.sheet_resistance == pytest.approx(1e-3 / 100e-7)


def test_no_power_grows_nothing() -> None:
    assert film(Conditions(0.01, 0.5, 300.0, 0.0), 20.0).sheet_resistance == math.inf


def square_factor(side_mm: float, spacing_mm: float, images: int = 200) -> float:
    """Rs = factor * V/I on an insulated square, by `images` mirror images on each side."""
    side = side_mm / spacing_mm
    total = 0.0
    for m in range(-images, images + 1):
        parity = 1.0 if m % 2 == 0 else -1.0
        for n in range(-images, images + 1):
            total += _drop(m * side, parity, n * side)
    return 2.0 * math.pi / total


def _drop(shift: float, parity: float, across: float) -> float:
    """Potential between the inner probes that one image pair of the outer two gives."""

    def log_distance(x: float, source: float) -> float:
        return 0.5 * math.log((x - shift - parity * source) ** 2 + across**2)

    return (log_distance(-0.5, 1.5) - log_distance(-0.5, -1.5)) - (
        log_distance(0.5, 1.5) - log_distance(0.5, -1.5)
    )


def test_the_geometric_factor_of_the_square_sample_is_the_one_of_smits() -> None:
    assert square_factor(10.0, 1.0) == pytest.approx(SQUARE_FACTOR, rel=2e-4)
    assert square_factor(2000.0, 1.0, images=3) == pytest.approx(math.pi / math.log(2), rel=1e-3)


def test_draws_depend_on_their_key_only_and_are_spread_as_they_should() -> None:
    assert uniform(7, "a", 1) == uniform(7, "a", 1) != uniform(7, "a", 2)
    draws = [normal("spread", i) for i in range(4000)]
    mean = sum(draws) / len(draws)
    assert abs(mean) < 0.06
    assert sum((d - mean) ** 2 for d in draws) / len(draws) == pytest.approx(1.0, abs=0.08)
