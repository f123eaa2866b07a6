"""Quantities: units that exist, dimensions that fit, conversions that come back."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InputError, UnitMismatch, UnknownName
from orchestrator.model.quantity import (
    COMMON,
    Bound,
    check_unit,
    convert,
    difference_in,
    dimension,
    has_offset,
    parse_quantity,
    quantity_in,
    same_dimension,
    scale_offset,
    to_base_units,
)

AVOGADRO = 6.02214076e23
PAIRS = [
    ("nm", "um"),
    ("min", "s"),
    ("degC", "K"),
    ("degF", "degC"),
    ("torr", "Pa"),
    ("sccm", "mol/s"),
    ("ohm/sq*nm", "ohm*cm"),
    ("at.%", ""),
    ("degC/min", "K/s"),
    ("eV", "kJ"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20 min", (20.0, "min")),
        ("1e-6", (1e-6, "")),
        ("5", (5.0, "")),
        ("2 d", (2.0, "d")),
        ("120 nm", (120.0, "nm")),
        ("30 degC", (30.0, "degC")),
        (" -3.5e2ohm*cm ", (-350.0, "ohm*cm")),
        ("5 at.%", (5.0, "at.%")),
        (".5 V", (0.5, "V")),
    ],
)
def test_a_quantity_is_a_number_and_its_unit(text: str, expected: tuple[float, str]) -> None:
    assert parse_quantity(text) == expected


@pytest.mark.parametrize("text", ["", "min", "abc", "1e999 s", "nan V", "inf", "--5 V"])
def test_what_does_not_begin_with_a_finite_number_is_no_quantity(text: str) -> None:
    with pytest.raises(InputError, match="is not a quantity"):
        parse_quantity(text)


def test_times_are_exact() -> None:
    assert quantity_in("20 min", "s") == 1200.0
    assert quantity_in("2 d", "s") == 172800.0
    assert quantity_in("60 s", "min") == 1.0


@pytest.mark.parametrize("unit", ["deg", "%", "at.%", "ppm", "nm"])
def test_a_bare_number_is_not_taken_in_a_unit(unit: str) -> None:
    for read in (quantity_in, difference_in):
        with pytest.raises(UnitMismatch, match=r"'0\.2' has no unit where one like"):
            read("0.2", unit)
    assert [quantity_in("0.2", unit) for unit in ("", "rad", "count")] == [0.2] * 3


def test_one_sccm_is_4_478e17_molecules_a_second() -> None:
    assert convert(1.0, "sccm", "mol/s") * AVOGADRO == pytest.approx(4.478e17, rel=1e-4)
    ideal_gas = 101325 * 1e-6 / 60 / (8.31446261815324 * 273.15)
    assert convert(1.0, "sccm", "mol/s") == pytest.approx(ideal_gas, rel=1e-12)


def test_a_square_of_film_has_no_dimension() -> None:
    assert dimension("ohm/sq") == dimension("ohm")
    assert scale_offset("ohm/sq*nm", "ohm*cm") == (1e-7, 0.0)


def test_percents_are_hundredths_and_atoms_are_not_weight() -> None:
    assert [convert(50.0, unit, "") for unit in ("%", "at.%", "wt.%")] == [0.5, 0.5, 0.5]
    assert not same_dimension("at.%", "wt.%")
    assert not same_dimension("vol%", "wt%")
    with pytest.raises(UnitMismatch):
        convert(1.0, "wt.%", "at.%")


def test_the_zero_of_celsius_is_not_zero() -> None:
    assert convert(25.0, "degC", "K") == pytest.approx(298.15, abs=1e-12)
    assert convert(212.0, "degF", "degC") == pytest.approx(100.0, abs=1e-9)
    assert to_base_units("degC") == (1.0, 273.15)
    assert has_offset("degC")
    assert not has_offset("K")
    assert not has_offset("degC/min")


def test_decimal_prefixes_are_exact() -> None:
    assert scale_offset("nm", "um") == (0.001, 0.0)
    assert scale_offset("nm", "angstrom") == (10.0, 0.0)


def test_a_misspelt_unit_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(UnknownName, match="'sscm' is not a known unit") as caught:
        check_unit("sscm")
    assert caught.value.hint == "did you mean 'sccm'?"
    with pytest.raises(UnknownName, match="'dgeC'"):
        check_unit("W/dgeC")
    with pytest.raises(UnknownName) as caught:
        check_unit("OHM*cm")
    assert caught.value.hint == "did you mean 'ohm'?"


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "5 nm",
            "9**9**9",
            "cm**9**9",
            "(m",
            "m(m",
            "cm**99",
            "__import__('os')",
            "a.b",
            "m" * 90,
        ),
        *("m" * 58 + ".", "at.%" * 9 + "."),  # a pattern that backtracks would never end
        *("m" * 90, "nm*", "*nm", "nm/", "nm**", "/", "()", "nm//s", "nm*" * 2000 + "nm"),
    ],
)
def test_what_is_not_written_as_a_unit_is_refused(unit: str) -> None:
    with pytest.raises(InputError) as caught:
        check_unit(unit)
    assert len(str(caught.value)) < 120


def test_a_decimal_comma_is_called_one() -> None:
    with pytest.raises(InputError, match="'20,5 min' has a decimal comma") as caught:
        parse_quantity("20,5 min")
    assert caught.value.hint == "write a decimal point"


@given(st.text("nmsPa*/()° 1%Ω-2.", max_size=20))
def test_any_text_is_a_unit_or_refused(unit: str) -> None:
    with contextlib.suppress(InputError):
        check_unit(unit)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("mS·cm⁻¹", "mS/cm"),
        ("mS cm-1", "mS/cm"),
        ("J mol\u22121 K\u22121", "J/mol/K"),
        ("kg m⁻³", "kg/m**3"),
        ("mPa⋅s", "mPa*s"),
        ("℃", "degC"),
        ("wt%", "wt.%"),
        ("wt %", "wt.%"),
        ("mol%", "at.%"),
        ("vol.%", "%"),
    ],
)
def test_units_are_read_as_papers_print_them(written: str, same: str) -> None:
    assert to_base_units(written) == to_base_units(same)
    assert dimension(written) == dimension(same)


@pytest.mark.parametrize(
    ("unit", "meant"),
    [
        *(("mPas", "mPa*s"), ("Nm", "N*m"), ("kNm/deg", "kN*m"), ("daNm", "daN*m"), ("Nm²", "N*m")),
        *(("W/mK", "W/m/K"), ("mW/(mK)", "W/m/K"), ("ms-1", "m/s' or '1/ms")),
    ],
)
def test_a_product_without_its_sign_is_no_other_unit(unit: str, meant: str) -> None:
    with pytest.raises(InputError) as error:
        check_unit(unit)
    assert error.value.hint == f"write '{meant}'"


@pytest.mark.parametrize("unit", ["Nm³/h", "Nm3/h", "Nm^3/h"])
def test_a_norm_cubic_metre_is_no_other_unit(unit: str) -> None:
    with pytest.raises(InputError, match="'Nm' is not written as a unit") as error:
        check_unit(unit)
    assert "'slm' for a flow" in error.value.hint


@pytest.mark.parametrize(("unit", "meant"), [("mA/cm2", "cm^2"), ("m2/g", "m^2"), ("dm3", "dm^3")])
def test_of_a_power_without_its_sign_it_is_said_how_it_is_written(unit: str, meant: str) -> None:
    with pytest.raises(UnknownName) as error:
        check_unit(unit)
    assert error.value.hint == f"write '{meant}'"


def test_a_logarithmic_unit_is_refused() -> None:
    with pytest.raises(InputError, match="logarithmic"):
        check_unit("dBm")


def test_a_wrong_dimension_names_both_units() -> None:
    with pytest.raises(UnitMismatch, match=r"'5 nm' is in 'nm'.*'V'"):
        quantity_in("5 nm", "V")


def in_brackets(unit: str) -> str:
    """The same unit in a spelling that is not in the table of familiar ones."""
    return f"({unit})"


@pytest.mark.parametrize("unit", COMMON)
def test_a_familiar_unit_is_what_pint_says(unit: str) -> None:
    assert to_base_units(unit) == to_base_units(in_brackets(unit))
    assert dimension(unit) == dimension(in_brackets(unit))


def test_a_conversion_is_the_same_whoever_worked_it_out() -> None:
    pairs = [(a, b) for a in COMMON for b in COMMON if a != b and same_dimension(a, b)]
    assert len(pairs) > 100
    for first, second in pairs:
        by_pint = scale_offset(in_brackets(first), in_brackets(second))
        assert scale_offset(first, second) == by_pint, (first, second)


def test_the_same_unit_gives_the_same_float_without_pint() -> None:
    code = (
        "import sys; from orchestrator.model.quantity import convert, quantity_in\n"
        "x = 0.1 + 0.2\n"
        "assert convert(x, 'sccm', 'sccm') is x and quantity_in('20 min', 'min') == 20.0\n"
        "assert 'pint' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@given(value=st.floats(-1e12, 1e12), pair=st.sampled_from(PAIRS))
def test_a_conversion_and_its_inverse_give_the_value_back(
    value: float, pair: tuple[str, str]
) -> None:
    first, second = pair
    there = convert(value, first, second)
    back = convert(there, second, first)
    assert math.isclose(back, value, rel_tol=1e-12, abs_tol=1e-9)


@given(value=st.floats(allow_nan=False, allow_infinity=False), unit=st.sampled_from(COMMON))
def test_a_printed_quantity_is_read_back_exactly(value: float, unit: str) -> None:
    assert parse_quantity(f"{value!r} {unit}") == (value, unit)
    assert quantity_in(f"{value!r} {unit}", unit) == value


@given(value=st.floats(-1e6, 1e6), pair=st.sampled_from(PAIRS))
def test_scale_and_offset_are_the_conversion(value: float, pair: tuple[str, str]) -> None:
    a, b = scale_offset(*pair)
    assert a * value + b == convert(value, *pair)


def test_both_imports_of_bound_are_one_class() -> None:
    from orchestrator.ports.action import Bound as PortsBound

    assert PortsBound is Bound
