"""Extended SMILES and the language model of them."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import canonical_smiles, molecule
from orchestrator.materials.generators.iqspr import Iqspr
from orchestrator.materials.generators.language import LanguageModel, Smoothing
from orchestrator.materials.generators.tokens import smiles_of, tokens_of
from orchestrator.materials.generators.writing import smiles_from

MOLECULES = [
    "CCO",
    "CC(=O)Nc1ccc(O)cc1",
    "C1CC2CCC1CC2",
    "c1ccc2c(c1)[nH]c1ccccc12",
    "C[C@H](N)C(=O)[O-].[Na+]",
    "F/C=C/Cl",
    "*CC(*)c1ccccc1",
    "C1CC2(C1)CCN(CC2)C(=O)c1cc2ccccc2s1",
]
SMOOTHINGS: list[Smoothing] = ["backoff", "kneser-ney"]


@pytest.mark.parametrize("smiles", MOLECULES)
def test_tokens_spell_the_molecule_that_they_were_taken_from(smiles: str) -> None:
    assert canonical_smiles(smiles_of(tokens_of(smiles))) == canonical_smiles(smiles)


@given(smiles=st.sampled_from(MOLECULES), place=st.integers(0, 40))
def test_tokens_spell_a_molecule_from_whichever_atom_it_is_written(smiles: str, place: int) -> None:
    found = molecule(smiles)
    text = smiles_from(found, place % found.GetNumAtoms())
    assert tokens_of(smiles_of(tokens_of(text))) == tokens_of(text)
    assert canonical_smiles(smiles_of(tokens_of(text))) == canonical_smiles(smiles)


def test_a_ring_is_closed_by_its_place_among_the_open_ones() -> None:
    assert tokens_of("C1CC2CC1CC2") == ["C", "&", "C", "C", "&", "C", "C", "1", "C", "C", "0"]
    assert tokens_of("C%11=CCC=%11") == ["C", "&", "=C", "C", "C", "=0"]


def test_what_is_open_at_the_end_is_closed_or_left_away() -> None:
    assert smiles_of(["C", "&", "C", "(", "=O"]) == "CC(=O)"


@pytest.mark.parametrize("text", ["", "CC?", "C1CC", "Xy"])
def test_a_text_that_is_no_smiles_is_named(text: str) -> None:
    with pytest.raises(InputError, match="is not a SMILES"):
        tokens_of(text)


def test_a_closed_branch_counts_as_one_token_with_its_first() -> None:
    model = LanguageModel.fit(["CC(=O)N"], order=4)
    assert ("N", "(=O)", "C", "C", "0") in model.counts()


def test_probabilities_are_the_frequencies_of_the_longest_context_that_was_seen() -> None:
    model = LanguageModel.fit(["CCO", "CCN", "CCN", "CN"], order=3)
    assert model.following(["C", "C"]) == {"O": 1 / 3, "N": 2 / 3}
    assert model.following(["O", "C", "C"]) == {"O": 1 / 3, "N": 2 / 3}
    unseen = model.following(["N", "O"])
    assert unseen == {"!": 1.0}
    assert model.log_probability(["C", "N"]) == pytest.approx(math.log(1 / 4))
    assert model.log_probability(["O"]) == -math.inf


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_probabilities_of_what_may_follow_sum_to_one(smoothing: Smoothing) -> None:
    model = LanguageModel.fit(MOLECULES, order=5, smoothing=smoothing)
    for smiles in MOLECULES:
        tokens = tokens_of(smiles)
        for end in range(len(tokens)):
            assert math.fsum(model.following(tokens[:end]).values()) == pytest.approx(1.0)


def test_kneser_ney_lets_follow_what_was_never_seen_after_this_context() -> None:
    corpus = ["CCO", "CCN", "CSO", "CSN", "CCF"]
    assert "F" not in LanguageModel.fit(corpus, order=3).following(["C", "S"])
    smooth = LanguageModel.fit(corpus, order=3, smoothing="kneser-ney").following(["C", "S"])
    assert 0.0 < smooth["F"] < smooth["O"]


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_what_is_written_follows_the_probabilities(smoothing: Smoothing) -> None:
    model = LanguageModel.fit(["CCO", "CCN", "CCN", "CN", "CCCN"], order=3, smoothing=smoothing)
    rng, n = Random(1), 4000
    written = [tuple(model.grow((), rng, longest=12) or ()) for _ in range(n)]
    for text in sorted(set(written) - {()}):
        expected = math.exp(model.log_probability(text))
        if n * expected < 20:
            continue  # too rare for the width of a normal distribution
        assert written.count(text) / n == pytest.approx(expected, abs=4 * math.sqrt(expected / n))


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_merging_two_models_equals_fitting_both_corpora(smoothing: Smoothing) -> None:
    one = LanguageModel.fit(MOLECULES[:4], order=6, smoothing=smoothing)
    two = LanguageModel.fit(MOLECULES[3:], order=6, smoothing=smoothing)
    both = LanguageModel.fit(MOLECULES[:4] + MOLECULES[3:], order=6, smoothing=smoothing)
    merged = one.merged(two)
    assert merged.counts() == both.counts()
    for seed in range(50):
        assert merged.grow((), Random(seed)) == both.grow((), Random(seed))


def test_a_token_that_was_never_seen_is_a_context_like_no_other() -> None:
    model = LanguageModel.fit(MOLECULES, order=6)
    before = model.counts()
    assert model.grow(tokens_of("[Fe]([Si])[Ge]C"), Random(1)) is not None
    assert model.following(["[Fe]", "C"]) == model.following(["[Ge]", "C"])
    assert model.log_probability(["[Fe]"]) == -math.inf
    assert model.counts() == before


def test_models_of_different_orders_are_not_merged() -> None:
    with pytest.raises(InputError, match="order 3"):
        LanguageModel.fit(["CC"], order=4).merged(LanguageModel.fit(["CC"], order=3))


def test_every_text_ends_with_all_rings_and_branches_closed() -> None:
    model = LanguageModel.fit(MOLECULES, order=2)
    for seed in range(200):
        tokens = model.grow((), Random(seed))
        if tokens is not None:
            assert tokens.count("(") == tokens.count(")")
            opened = sum(token.endswith("&") for token in tokens)
            assert opened == sum(token[-1].isdigit() for token in tokens)


def test_a_text_that_does_not_come_to_an_end_is_given_up() -> None:
    model = LanguageModel.fit(["CCCCCCCCCC"], order=2)
    assert model.grow(["C"] * 10, Random(0), longest=9) is None


@pytest.mark.parametrize(("order", "corpus"), [(1, ["CC"]), (10, [])])
def test_a_model_needs_something_to_learn_and_a_context(order: int, corpus: list[str]) -> None:
    with pytest.raises(InputError):
        LanguageModel.fit(corpus, order=order)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_a_table_that_is_written_and_read_is_the_table(
    tmp_path: Path, smoothing: Smoothing
) -> None:
    model = LanguageModel.fit(MOLECULES, order=5, smoothing=smoothing)
    model.write(tmp_path / "table.json")
    again = LanguageModel.read(tmp_path / "table.json")
    assert again.counts() == model.counts()
    for seed in range(10):
        assert again.grow((), Random(seed)) == model.grow((), Random(seed))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"n-grams": 2}', "CCO", '{"n-grams": 1}'])
def test_what_is_no_table_of_n_grams_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "table.json").write_text(text)
    with pytest.raises(InputError, match="is no table of n-grams"):
        LanguageModel.read(tmp_path / "table.json")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        LanguageModel.read(tmp_path / "other.json")


@pytest.mark.parametrize("is_file", [False, True])
def test_iqspr_with_a_merged_table_makes_what_it_makes_of_both_corpora(
    tmp_path: Path, is_file: bool
) -> None:
    texts, half = [canonical_smiles(smiles) for smiles in MOLECULES], len(MOLECULES) // 2
    first, second = LanguageModel.fit(texts[:half]), LanguageModel.fit(texts[half:])
    first.merged(second).write(tmp_path / "table.json")
    both = tmp_path / "table.json" if is_file else first.merged(second)
    made = [
        Iqspr(corpus, language=language, particles=20, steps=5).generate(
            ["CCO"], lambda names: -np.array([*map(len, names)], float), 5, seed=0
        )
        for corpus, language in ((texts, None), ([], both), (texts[half:], first))
    ]
    assert made[0] == made[1] == made[2]


def test_iqspr_refuses_a_table_of_another_order() -> None:
    with pytest.raises(InputError, match=r"of order 4 \(backoff\), not of 10"):
        Iqspr(MOLECULES, language=LanguageModel.fit(MOLECULES, order=4))
    with pytest.raises(InputError):
        Iqspr([])
