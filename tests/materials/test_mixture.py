"""Mixtures and the text of weighted parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InputError, UnknownName
from orchestrator.materials.descriptors.mixture import MIXED, Mixture
from orchestrator.materials.descriptors.molecule import Morgan
from orchestrator.materials.descriptors.polymer import PolymerMorgan
from orchestrator.materials.descriptors.weighted import joined, parts_of
from orchestrator.ports.descriptor import Descriptor

words = st.sampled_from(["CCO", "O", "c1ccccc1", "CC(=O)O", "C"])
weights = st.lists(st.integers(1, 1000), min_size=1, max_size=5)


@given(weights, st.data())
def test_parts_that_are_written_are_read_back(numbers: list[int], data: st.DataObject) -> None:
    materials = [f"M{i}" for i in range(len(numbers))]
    parts = [(n / sum(numbers), m) for n, m in zip(numbers, materials, strict=True)]
    text = joined(data.draw(st.permutations(parts)))
    read = dict((material, fraction) for fraction, material in parts_of(text))
    assert read == pytest.approx({m: f for f, m in parts}, abs=1e-7)
    assert joined(parts_of(text)) == text


@pytest.mark.parametrize("of", sorted(MIXED))
def test_a_mixture_is_the_weighted_mean_of_its_parts(of: str) -> None:
    mixture, alone = Mixture(of=of), MIXED[of]()
    parts = ["FeO", "LiCl"] if of == "composition" else ["CCO", "O"]
    a, b = alone.describe(parts)
    text = f"0.3 {parts[0]} | 0.7 {parts[1]}"
    np.testing.assert_allclose(mixture.describe([text, text])[1], 0.3 * a + 0.7 * b, rtol=1e-12)
    assert isinstance(mixture, Descriptor)
    assert mixture.content == "dense"
    assert list(mixture.names) == list(alone.names)
    assert list(mixture.units) == list(alone.units)


def test_a_pure_material_needs_no_fraction() -> None:
    mixture = Mixture(of=Morgan(size=64))
    assert (mixture.describe(["CCO"]) == mixture.describe(["1 OCC"])).all()
    assert mixture.canonical("0.5 OCC | 0.5 C(O)C") == "CCO"


def test_the_order_and_the_spelling_of_parts_change_nothing() -> None:
    mixture = Mixture(of="morgan")
    spellings = ["0.3 CCO | 0.7 O", "0.7 [OH2] | 0.3 OCC", "0.1 OCC | 0.7 O | 0.2 C(O)C"]
    assert {mixture.canonical(each) for each in spellings} == {"0.3 CCO | 0.7 O"}
    vectors = mixture.describe(spellings)
    np.testing.assert_allclose(vectors, np.tile(vectors[0], (3, 1)), rtol=1e-12)


def test_any_descriptor_can_be_mixed() -> None:
    of = PolymerMorgan(size=128)
    assert Mixture(of=of).describe(["*CC*", "*CCO*"]).shape == (2, 128)


@pytest.mark.parametrize(
    ("text", "fractions"),
    [
        ("0.333 A | 0.333 B | 0.333 C", [1 / 3] * 3),
        ("0.333333 A | 0.333333 B | 0.333333 C", [1 / 3] * 3),
        ("50 A | 50 B", [0.5, 0.5]),
        ("33.3 A | 66.6 B", [1 / 3, 2 / 3]),
        ("30 % A | 70 % B", [0.3, 0.7]),
        ("30% A | 70%B", [0.3, 0.7]),
        ("100 % A", [1.0]),
        ("0.5 A | 99.5 B", [0.005, 0.995]),
        ("0.3 A | 0.7 B", [0.3, 0.7]),
        ("0,3 A | 0,7 B", [0.3, 0.7]),
        ("12,5 % A | 87,5 % B", [0.125, 0.875]),
    ],
)
def test_rounded_fractions_and_percentages_are_read(text: str, fractions: list[float]) -> None:
    assert [fraction for fraction, _ in parts_of(text)] == pytest.approx(fractions, abs=1e-12)
    assert [material for _, material in parts_of(text)] == list("ABC"[: len(fractions)])


@pytest.mark.parametrize(
    ("material", "why"),
    [
        ("30 % CCO | 0.7 O", "are in %, and some are not"),
        ("30 % CCO | 60 % O", "sum to 90 %, not to 100 %"),
        ("50 CCO | 40 O", "'50 CCO' in"),
        ("0.3 CCO | 0.68 O", "sum to 0.98, not to 1"),
        ("0.3 CCO | 0.6 O", "sum to 0.9, not to 1"),
        ("CCO | O", "'CCO' in 'CCO | O' is not a fraction"),
        ("0 CCO | 1 O", "'0 CCO' in"),
        ("0.5 CCO | 0.5 Q", "'Q' is not a molecule"),
        ("2 CCO", "'2 CCO' in"),
        ("0.5.1 CCO | 0.5 O", "is not a fraction"),
        ("0,5.1 CCO | 0.5 O", "is not a fraction"),
        ("25 wt% CCO | 75 wt% O", "'25 wt% CCO' in '25 wt% CCO | 75 wt% O' has a fraction in wt%"),
        ("", "it is empty"),
    ],
)
def test_what_is_no_mixture_is_refused_with_its_reason(material: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Mixture().describe([material])


def test_an_unknown_descriptor_of_parts_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        Mixture(of="morgen")
    assert caught.value.hint == "did you mean 'morgan'?"
