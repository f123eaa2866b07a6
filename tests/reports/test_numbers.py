"""Numbers as a scientist writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.reports.numbers import (
    duration,
    measured,
    moment,
    number,
    plain,
    pretty_unit,
    printed,
    titled,
)


@pytest.mark.parametrize(
    ("value", "sd", "unit", "text"),
    [
        (1.0692e-3, 2.37e-5, "ohm*cm", "(1.069 ± 0.024) × 10⁻³ Ω·cm"),
        (323.607, 3.236, "nm", "323.6 ± 3.2 nm"),
        (131.52, 0.0996, "nm", "131.52 ± 0.10 nm"),
        (1234.5, 210.0, "ohm/sq", "1230 ± 210 Ω/sq"),
        (2.5e6, 4e4, "", "(2.500 ± 0.040) × 10⁶"),
        (0.0, 0.002, "V", "0.0 ± 2.0 × 10⁻³ V"),
        (131.5237, None, "nm", "131.5 nm"),
        (131.5237, 0.0, "nm", "131.5 nm"),
    ],
)
def test_the_last_digit_is_the_second_one_of_the_standard_deviation(
    value: float, sd: float | None, unit: str, text: str
) -> None:
    shown = measured(value, sd, unit)
    assert shown.replace("(", "").replace(")", "") == text.replace("(", "").replace(")", "")


def test_a_censored_value_is_shown_as_a_bound() -> None:
    assert measured(1.0, None, "ohm*cm", censored="above") == "> 1 Ω·cm"
    assert measured(2e-7, 1e-9, "A", censored="below") == "< 2 × 10⁻⁷ A"


def test_small_and_large_numbers_get_a_power_of_ten() -> None:
    assert [number(v) for v in (0, 0.05, 0.00995, 98765.0, 123456.0, -4.2e-9)] == [
        "0", "0.05", "9.95 × 10⁻³", "98765", "1.235 × 10⁵", "-4.2 × 10⁻⁹",
    ]  # fmt: skip


def test_a_number_that_is_none_says_so() -> None:
    assert number(float("nan")) == "not a number"
    assert number(float("inf")) == "infinite"


def test_units_are_shown_as_printed_ones() -> None:
    shown = [pretty_unit(u) for u in ("ohm*cm", "degC", "ohm/sq", "cm**-3", "um", "sccm", "at.%")]
    assert shown == ["Ω·cm", "°C", "Ω/sq", "cm⁻³", "µm", "sccm", "at.%"]
    assert titled("oxygen", "sccm") == "oxygen [sccm]"
    assert titled("ratio", "") == "ratio"


def test_times_are_given_in_their_two_largest_units() -> None:
    assert [duration(s) for s in (0.42, 12, 2100, 3600, 136800, -1)] == [
        "0.42 s", "12 s", "35 min", "1 h", "1 d 14 h", "0 s",
    ]  # fmt: skip
    assert moment(7512) == "02:05"
    assert moment(100_000) == "1 d 03:46"
    assert moment(136, fine=True) == "00:02:16"


@given(
    st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda v: v == 0 or abs(v) > 1e-12),
    st.integers(2, 6),
)
def test_a_shown_number_reads_back_to_its_digits(value: float, digits: int) -> None:
    text = plain(number(value, digits))
    assert float(text) == pytest.approx(value, rel=0.5 * 10 ** (1 - digits) * 1.01)


@given(st.floats(1e-12, 1e12), st.floats(1e-4, 1.0))
def test_a_shown_uncertainty_keeps_two_digits(value: float, relative: float) -> None:
    sd = value * relative
    text = plain(measured(value, sd)).replace("(", "").replace(")", "")
    pair, _, power = text.partition("e")
    shown_value, _, shown_sd = pair.partition(" +/- ")
    scale = float(f"1e{power or 0}")
    assert float(shown_sd) * scale == pytest.approx(sd, rel=0.051)
    assert float(shown_value) * scale == pytest.approx(value, abs=0.06 * sd)


def test_plain_texts_are_ascii() -> None:
    text = plain("(1.07 ± 0.02) × 10⁻³ Ω·cm at 300 °C, ≥ 2 µm ★ █")
    assert text.isascii()
    assert "1.07 +/- 0.02)e-3 ohm*cm at 300 degC, >= 2 um" in text
    assert plain("0.04 J/m² at 3 × 10⁻² m⁻¹") == "0.04 J/m^2 at 3e-2 m^-1"


def test_fewer_digits_than_a_number_has_places_are_not_padded_with_made_up_ones() -> None:
    assert number(52106.3, 2) == "52000"
    assert number(521.06, 2) == "520"
    assert number(52106.3) == "52106"


def test_a_whole_number_is_shown_as_it_is() -> None:
    assert number(1234567) == "1234567"
    assert number(1234567.0) == "1.235 × 10⁶"


def test_a_sentence_of_the_journal_is_printed_with_its_signs_and_units() -> None:
    said = "expected rho 1.003e+06 +- 1.5e+04 A/cm**2, 96 % likely thickness >= 120 nm; near 7"
    assert printed(said, ["A/cm**2", "", "nm"]) == (
        "expected rho 1.003 × 10⁶ ± 1.5 × 10⁴ A/cm², 96 % likely thickness ≥ 120 nm; near 7"
    )
    assert printed("sample x1e-5") == "sample x1e-5"
