"""Pools whose candidates are described by a descriptor, with one of our own that needs no rdkit."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_kinds import CAPABILITIES, PLANNERS, capability
from numpy.typing import NDArray

from orchestrator.errors import FileProblems, InputError, UnknownName
from orchestrator.files.campaign import load_campaign
from orchestrator.files.describing import Kinds
from orchestrator.files.rows import rows_of
from orchestrator.files.table import read_table
from orchestrator.model.objective import Metric
from orchestrator.model.space import Pool, SearchSpace
from orchestrator.ports.descriptor import Content, Descriptor

CAMPAIGN = """\
name: letters
space:
  word: {pool: words.csv, name: id, smiles: text, descriptor: letters}
metrics: {length: {}}
objective: {maximise: length}
budget: {trials: 5}
"""
LENGTH = Metric(name="length", unit="", expression="")
TABLE = "id,text,length\na,ab,2\nb,aab,3\nc,b a,2\nd,b!,2\n"


class Letters:
    """How often the first letters of the alphabet occur; order does not matter."""

    content: Content = "counts"
    source = "this test"

    def __init__(self, *, n: int = 3) -> None:
        if n < 1:
            raise InputError("at least one letter")
        self.names: Sequence[str] = "abcdefghij"[:n]
        self.units: Sequence[str] = [""] * n

    def canonical(self, material: str) -> str:
        if "!" in material:
            raise InputError(f"'{material}' is not a word")
        return "".join(sorted(material.replace(" ", "")))

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        return np.array([[float(m.count(c)) for c in self.names] for m in materials])


class Lengths(Letters):
    """A quantity, which is not defined of some words."""

    content: Content = "dense"

    def __init__(self) -> None:
        self.names, self.units = ["length"], ["nm"]

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        return np.array([[np.nan if m == "aab" else float(len(m))] for m in materials])


def descriptors(name: str, options: Mapping[str, Any]) -> Descriptor:
    kinds: dict[str, type[Any]] = {"letters": Letters, "lengths": Lengths}
    if name not in kinds:
        raise UnknownName("descriptor that is installed", name, kinds)
    made: Descriptor = kinds[name](**options)
    return made


def pool_of(folder: Path, text: str = CAMPAIGN, table: str = TABLE) -> Pool:
    (folder / "words.csv").write_text(table)
    (folder / "campaign.yaml").write_text(text)
    campaign = load_campaign(
        folder / "campaign.yaml", capability, tuple(CAPABILITIES), PLANNERS, Kinds(descriptors)
    )
    pool = campaign.space["word"]
    assert isinstance(pool, Pool)
    return pool


def sentence_of(folder: Path, text: str, table: str = TABLE) -> str:
    with pytest.raises(FileProblems) as caught:
        pool_of(folder, text, table)
    return "\n".join(f"{p.message} | {p.hint}" for p in caught.value.problems)


def test_a_descriptor_describes_the_candidates_and_the_measured_column_does_not(
    tmp_path: Path,
) -> None:
    pool = pool_of(tmp_path)
    assert pool.columns == ()
    assert pool.texts == {"text": ("ab", "aab"), "length": ("2", "3")}
    (said,) = pool.described
    assert (said.descriptor, said.material, len(said.counts or ())) == ("letters", "text", 2)
    assert said.counts is not None
    assert (list(said.counts.places), list(said.counts.values)) == ([0, 1, 0, 1], [1, 1, 2, 1])


def test_rows_that_cannot_be_read_or_stand_twice_are_set_aside_by_line(tmp_path: Path) -> None:
    aside = [(row.line, row.why) for row in pool_of(tmp_path).set_aside]
    assert aside == [(4, "'b a' is the material of line 2 again"), (5, "'b!' is not a word")]


def test_a_formula_may_stand_twice_since_it_may_be_two_materials(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, CAMPAIGN.replace("smiles: text", "formula: text"))
    assert pool.described


def test_a_formula_that_is_its_own_name_and_differs_in_nothing_else_stands_once(
    tmp_path: Path,
) -> None:
    text = CAMPAIGN.replace("name: id, smiles: text", "name: text, formula: text")
    table = "text,length,phase\nab,2,rutile\nba,2,rutile\nb a,2,anatase\n"
    assert pool_of(tmp_path, text, table).names == ("ab", "b a")


@pytest.mark.parametrize("key", ["smiles", "structure", "material"])
def test_a_material_whose_form_is_known_stands_once_whatever_it_is_called(
    tmp_path: Path, key: str
) -> None:
    pool = pool_of(tmp_path, CAMPAIGN.replace("smiles: text", f"{key}: text"))
    assert pool.names == ("a", "b")
    assert [(row.name, row.same_as) for row in pool.set_aside] == [("c", "a"), ("d", "")]


def test_a_descriptor_may_say_that_its_form_is_that_of_several_materials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Letters, "identifies", False, raising=False)
    assert pool_of(tmp_path, CAMPAIGN).names == ("a", "b", "c")


def test_one_material_with_other_describing_numbers_is_another_candidate(tmp_path: Path) -> None:
    text = CAMPAIGN.replace("descriptor:", "columns: {dose: mg}, descriptor:")
    table = "id,text,dose\na,ab,1\nb,ba,2\nc,b a,1\n"
    assert pool_of(tmp_path, text, table).names == ("a", "b")


def test_a_long_material_is_shown_by_its_beginning(tmp_path: Path) -> None:
    table = f"id,text,length\na,{'ab' * 40},2\nb,{'ba' * 40},3\n"
    (row,) = pool_of(tmp_path, CAMPAIGN, table).set_aside
    assert row.why == f"'{'ba' * 30}...' is the material of line 2 again"


def test_a_number_that_is_not_finite_sets_its_row_aside(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, CAMPAIGN.replace("descriptor: letters", "descriptor: lengths"))
    assert pool.names == ("a",)
    assert pool.set_aside[0].line == 3
    assert pool.set_aside[0].why == "'length' of 'aab' is nan"


class Means(Letters):
    """Letters of words, or of two halves `ab/c`, of which the mean is taken."""

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        halves = [m.split("/") for m in materials]
        return np.array([np.mean([[h.count(c) for c in "abc"] for h in hs], 0) for hs in halves])


def test_means_of_counts_are_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "Letters", Means)
    pool = pool_of(tmp_path, table="id,text,length\na,abb,1\nb,ab/a,2\n")
    assert pool.names == ("a", "b")
    assert pool.described[0].counts is not None
    assert list(pool.described[0].counts.values) == [1, 2, 1, 0.5]


class Debts(Letters):
    """A wrong descriptor."""

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        return np.array([[-1.0 if "aa" in m else 1.0] * 3 for m in materials])


def test_a_count_below_zero_sets_its_row_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "Letters", Debts)
    aside = [(row.line, row.why) for row in pool_of(tmp_path).set_aside]
    assert aside[0] == (3, "'a' of 'aab' is -1, which is no count")


def test_no_columns_beside_a_descriptor_are_none(tmp_path: Path) -> None:
    text = CAMPAIGN.replace("descriptor: letters", "descriptor: letters, columns: {}")
    pool = pool_of(tmp_path, text)
    assert pool.columns == ()
    assert pool.described


def test_several_descriptors_with_options_and_columns_beside_them(tmp_path: Path) -> None:
    text = CAMPAIGN.replace(
        "descriptor: letters",
        "columns: {length: nm}, descriptor: [{letters: {n: 2}}, lengths]",
    )
    pool = pool_of(tmp_path, text)
    assert (pool.columns, pool.units) == (("length",), ("nm",))
    assert [d.descriptor for d in pool.described] == ["letters", "lengths"]
    assert pool.described[0].options == {"n": 2}
    assert (pool.described[1].names, pool.described[1].units) == (("length",), ("nm",))
    assert [len(pool.rows), len(pool.described[1].rows or ())] == [len(pool.names)] * 2


def test_a_pool_without_a_single_readable_material_says_why(tmp_path: Path) -> None:
    said = sentence_of(tmp_path, CAMPAIGN, "id,text,length\na,b!,1\n")
    assert "'b!' is not a word" in said


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("descriptor: letters", "descriptor: leters", "did you mean 'letters'"),
        ("smiles: text", "smiles: txt", "did you mean 'text'"),
        ("smiles: text, ", "", "needs the one column of materials"),
        ("smiles: text", "smiles: text, formula: text", "needs the one column of materials"),
        (", descriptor: letters", "", "needs a descriptor"),
        ("descriptor: letters", "descriptor: {letters: {n: 0}}", "at least one letter"),
        ("descriptor: letters", "descriptor: []", "no descriptor is named"),
        ("descriptor: letters", "descriptor: {}", "no descriptor is named"),
        ("descriptor: letters", "descriptor: [{}]", "no descriptor is named"),
    ],
)
def test_mistakes_are_told_in_a_sentence(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert expected in sentence_of(tmp_path, CAMPAIGN.replace(old, new))


RESULTS = "word,length\nc,5\nb,3\n"


def test_a_result_of_a_candidate_that_stands_twice_is_one_of_the_first(tmp_path: Path) -> None:
    pool = pool_of(tmp_path)
    (tmp_path / "results.csv").write_text(RESULTS)
    rows = rows_of(read_table(tmp_path / "results.csv"), SearchSpace(parameters=(pool,)), [LENGTH])
    assert [row.trial.point for row in rows] == [{"word": "a"}, {"word": "b"}]


def test_a_result_of_a_row_that_was_set_aside_says_why(tmp_path: Path) -> None:
    pool = pool_of(tmp_path)
    (tmp_path / "results.csv").write_text(RESULTS.replace("c,5", "d,5"))
    table = read_table(tmp_path / "results.csv")
    with pytest.raises(FileProblems) as caught:
        rows_of(table, SearchSpace(parameters=(pool,)), [LENGTH])
    (problem,) = caught.value.problems
    assert problem.message == "'d' is no candidate: line 5 of words.csv is set aside"
    assert problem.hint == "'b!' is not a word"


def test_a_result_of_what_the_pool_has_under_another_name_tells_the_name(tmp_path: Path) -> None:
    pool = pool_of(tmp_path)
    spelt = pool.texts["text"][1]
    (tmp_path / "results.csv").write_text(f"word,length\n{spelt},5\nzzz,3\n")
    table = read_table(tmp_path / "results.csv")
    with pytest.raises(FileProblems) as caught:
        rows_of(table, SearchSpace(parameters=(pool,)), [LENGTH])
    one, other = caught.value.problems
    assert one.message == f"'{spelt}' is no candidate of 'word' that words.csv has"
    assert one.hint == f"write its name: '{pool.names[1]}'"
    assert other.hint.startswith("known: ")


class NotInstalled(Letters):
    def canonical(self, material: str) -> str:
        raise InputError("words need a dictionary", hint="pip install words")


def test_what_is_not_installed_is_said_once_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "Letters", NotInstalled)
    said = sentence_of(tmp_path, CAMPAIGN)
    assert said == "words need a dictionary | pip install words"
