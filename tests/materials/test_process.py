"""Process parameters as numbers in fixed units."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InputError, UnitMismatch, UnknownName
from orchestrator.materials.descriptors.process import Process
from orchestrator.ports.descriptor import Descriptor

ANNEAL = Process(
    parameters={"temperature": "degC", "time": "h", "ratio": "", "atmosphere": ["N2", "air"]}
)


def test_quantities_are_converted_and_words_become_ones_and_zeros() -> None:
    text = "time=30 min; atmosphere=air; ratio=0.5; temperature=723.15 K"
    assert isinstance(ANNEAL, Descriptor)
    assert list(ANNEAL.names) == [
        *("temperature", "time", "ratio", "atmosphere=N2", "atmosphere=air")
    ]
    assert list(ANNEAL.units) == ["degC", "h", "", "", ""]
    assert ANNEAL.describe([text])[0].tolist() == pytest.approx([450, 0.5, 0.5, 0, 1])


def test_spellings_of_one_process_have_one_canonical_form() -> None:
    spellings = [
        "time=30 min; atmosphere=air; ratio=0.5; temperature=723.15 K",
        "temperature = 450 degC\ntime = 0.5 h\nratio = 5e-1\natmosphere = air\n",
    ]
    canonical = {ANNEAL.canonical(each) for each in spellings}
    assert canonical == {"temperature=450 degC; time=0.5 h; ratio=0.5; atmosphere=air"}


@given(st.floats(-200, 2000), st.floats(1e-6, 1e6))
def test_a_canonical_process_is_its_own_canonical_form(celsius: float, hours: float) -> None:
    written = Process().canonical(f"temperature={celsius!r} degC; time={hours!r} h")
    assert Process().canonical(written) == written
    assert Process().describe([written])[0].tolist() == pytest.approx(
        [celsius, hours], rel=1e-9, abs=1e-9
    )


def test_no_process_gives_no_row() -> None:
    assert Process().describe([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        ("temperature=450 degC", InputError, "does not say its time"),
        ("temperature=450 degC; time=2 h; time=3 h", InputError, "says its time twice"),
        ("temperature=450 degC; time=2 h; pressure=1 Pa", UnknownName, "'pressure' is not a param"),
        ("temperature=450 kg; time=2 h", UnitMismatch, "'450 kg' is in 'kg'"),
        ("temperature=450; time=2 h", UnitMismatch, "has no unit"),
        ("temperature=hot; time=2 h", InputError, "'hot' is not a quantity"),
        ("temperature 450", InputError, "is not NAME=VALUE"),
        ("temperature=; time=2 h", InputError, "is not NAME=VALUE"),
        ("", InputError, "does not say its temperature"),
    ],
)
def test_what_is_no_process_is_refused_with_its_reason(
    text: str, kind: type[Exception], why: str
) -> None:
    with pytest.raises(kind, match=why):
        Process().describe([text])


def test_an_unknown_word_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnknownName, match="'argon' is not a word for atmosphere") as caught:
        ANNEAL.describe(["temperature=1 degC; time=1 h; ratio=1; atmosphere=argon"])
    assert "N2, air" in caught.value.hint


@pytest.mark.parametrize(
    "parameters",
    [{}, {"t": "fortnite"}, {"a": []}, {"a": ["x", "x"]}, {"a=b": "h"}, {" ": "h"}, {"a": [" "]}],
)
def test_parameters_that_cannot_be_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Process(parameters=parameters)


IMPOSSIBLE = Process(parameters={"anneal": "degC", "time": "h", "pressure": "mbar", "step": "K"})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("anneal", "-500 degC", "anneal=-500 degC is below absolute zero"),
        ("step", "-1 K", "below absolute zero"),
        ("time", "-30 min", "time=-30 min is a duration below zero"),
        ("pressure", "-0.1 bar", "pressure=-0.1 bar is a pressure below zero"),
    ],
)
def test_what_cannot_be_is_refused(name: str, text: str, said: str) -> None:
    can_be = {"anneal": "-273.15 degC", "time": "0 h", "pressure": "0 Pa", "step": "0 K"}
    IMPOSSIBLE.canonical("; ".join(f"{key}={value}" for key, value in can_be.items()))
    can_be[name] = text
    with pytest.raises(InputError, match=said):
        IMPOSSIBLE.canonical("; ".join(f"{key}={value}" for key, value in can_be.items()))


def test_a_difference_is_not_taken_for_a_temperature() -> None:
    process = Process(parameters={"anneal": "degC", "drop": "delta_degC"})
    assert process.describe(["anneal=283.15 K; drop=5 K"])[0] == pytest.approx([10, 5])
    with pytest.raises(InputError, match="anneal=10 delta_degC is a difference"):
        process.canonical("anneal=10 delta_degC; drop=5 K")
    with pytest.raises(InputError, match="drop=5 degC is no difference"):
        process.canonical("anneal=10 degC; drop=5 degC")


def test_a_difference_of_temperatures_may_be_negative() -> None:
    ramp = Process(parameters={"drop": "delta_degC", "rate": "K/min"})
    assert ramp.describe(["drop=-500 delta_degC; rate=-20 K/min"])[0].tolist() == [-500, -20]
