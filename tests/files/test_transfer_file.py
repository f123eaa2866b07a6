"""The sources that a campaign file names."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_kinds import CAPABILITIES, PLANNERS, capability
from test_described_pools import TABLE, descriptors

from orchestrator.errors import FileProblems
from orchestrator.files.campaign import load_campaign
from orchestrator.files.describing import Kinds
from orchestrator.model.campaign import Campaign
from orchestrator.model.transfer import SourceWanted

FILM = """\
name: film
space:
  power: {real: [0.1, 5], unit: W, scale: log}
  gas: {choice: [argon, neon]}
metrics: {resistivity: {unit: ohm*cm, scale: log}, thickness: {unit: nm}}
objective: {minimise: resistivity, subject_to: [thickness >= 100 nm]}
transfer:
  - table: old.csv
    column: resistivity
    scale: log
  - {campaign: earlier, metric: rho, helps: thickness}
  - {simulator: twins.yaml, trials: 20}
budget: {trials: 5}
"""
OLD = "power [mW],gas,resistivity [mohm*cm]\n1000,argon,2\n2000,neon,\n3000,argon,5\n"
WORDS = """\
name: letters
space:
  word: {pool: words.csv, name: id, smiles: text, descriptor: letters}
metrics: {length: {}}
objective: {maximise: length}
transfer: [{table: more.csv, column: weight, unit: kg, smiles: spelt}]
budget: {trials: 5}
"""
MORE = "spelt,weight [g]\nabc,1000\nc!,2000\ncab,3000\nbb,4000\n"


def loaded(folder: Path, text: str, **tables: str) -> Campaign:
    for name, table in tables.items():
        (folder / f"{name}.csv").write_text(table)
    (folder / "campaign.yaml").write_text(text)
    path = folder / "campaign.yaml"
    return load_campaign(path, capability, tuple(CAPABILITIES), PLANNERS, Kinds(descriptors))


def test_a_table_by_the_names_of_parameters_is_converted_and_its_gaps_are_left_out(
    tmp_path: Path,
) -> None:
    (source,) = loaded(tmp_path, FILM, old=OLD).sources
    assert (source.helps, source.quantity, source.unit) == ("resistivity", "resistivity", "ohm*cm")
    assert source.values == pytest.approx((0.002, 0.005))
    assert source.points[1]["gas"] == "argon"
    assert [(row.line, row.why) for row in source.left_out] == [(3, "it has no value")]


def test_equal_materials_count_once_with_their_mean_which_is_geometric_on_a_log_scale(
    tmp_path: Path,
) -> None:
    text = WORDS.replace("unit: kg,", "scale: log,")
    (source,) = loaded(tmp_path, text, words=TABLE, more=MORE.replace("3000", "9000")).sources
    assert source.values == pytest.approx((3000.0, 4000.0))


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("", "it has no value"),
        ("n/a", "'n/a' is no value"),
        ("NaN", "'NaN' is no value"),
        ("-", "'-' is no value"),
        (">400", "'>400' is a bound, not a value"),
        ("< 0.5", "'< 0.5' is a bound, not a value"),
        ("failed", "'failed' is no value"),
    ],
)
def test_a_row_without_a_value_is_left_out_and_told(tmp_path: Path, cell: str, why: str) -> None:
    table = f"spelt,weight [g]\nabc,1000\na,{cell}\nbb,4000\n"
    (source,) = loaded(tmp_path, WORDS, words=TABLE, more=table).sources
    assert source.values == (1.0, 4.0)
    assert [(row.line, row.why) for row in source.left_out] == [(3, why)]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("heavy", "line 3: 'heavy' is not a number in column 'weight [g]' (an empty cell, or n/a"),
        ('"2,5"', "line 3: '2,5' is not a number in column 'weight [g]' (write a decimal point"),
        ("1e308", "line 3: '1e308' is not a number in column 'weight [g]' (numbers are 1e+150 at"),
    ],
)
def test_a_word_among_values_is_refused_with_its_line(tmp_path: Path, cell: str, said: str) -> None:
    table = f"spelt,weight [g]\nabc,1000\na,{cell}\nbb,4000\n"
    with pytest.raises(FileProblems) as caught:
        loaded(tmp_path, WORDS, words=TABLE, more=table)
    assert said in str(caught.value)


def test_decimal_commas_of_a_source_are_read(tmp_path: Path) -> None:
    table = "spelt;weight [kg]\nabc;1,5\na;2,5\n"
    (source,) = loaded(tmp_path, WORDS, words=TABLE, more=table).sources
    assert (source.values, source.left_out) == ((1.5, 2.5), ())


LENGTH = WORDS.replace("length: {}", "length: {unit: nm}").replace(
    "column: weight", "column: length"
)


@pytest.mark.parametrize(
    ("header", "unit", "values"),
    [
        ("length", "unit: um, ", (1000.0, 2000.0)),
        ("length", "", (1.0, 2.0)),
        ("length [um]", "", (1000.0, 2000.0)),
        ("length [um]", "unit: nm, ", (1000.0, 2000.0)),
        ("length [um]", "unit: mm, ", (1000.0, 2000.0)),
    ],
)
def test_the_same_quantity_is_converted_to_the_unit_of_the_metric(
    tmp_path: Path, header: str, unit: str, values: tuple[float, ...]
) -> None:
    text = LENGTH.replace("unit: kg, ", unit)
    more = f"spelt,{header}\nabc,1\nbb,2\n"
    (source,) = loaded(tmp_path, text, words=TABLE, more=more).sources
    assert source.unit == "nm"
    assert source.values == pytest.approx(values)


@pytest.mark.parametrize("header", ["length", "length [um]"])
def test_the_same_quantity_in_another_dimension_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(FileProblems) as caught:
        loaded(tmp_path, LENGTH, words=TABLE, more=f"spelt,{header}\nabc,1\nbb,2\n")
    assert "kg" in caught.value.problems[0].message


def test_another_quantity_may_have_any_unit(tmp_path: Path) -> None:
    text = WORDS.replace("length: {}", "length: {unit: nm}")
    (source,) = loaded(tmp_path, text, words=TABLE, more=MORE).sources
    assert source.unit == "kg"


def test_campaigns_and_simulators_are_wanted_until_the_campaign_is_opened(tmp_path: Path) -> None:
    wanted = loaded(tmp_path, FILM, old=OLD).sources_wanted
    assert wanted == (
        SourceWanted(kind="campaign", name="earlier", helps="thickness", metric="rho"),
        SourceWanted(
            kind="simulator",
            name="twins.yaml",
            helps="resistivity",
            metric="resistivity",
            n_trials=20,
        ),
    )


def test_a_source_whose_column_of_materials_is_not_named_is_told_how(tmp_path: Path) -> None:
    text = WORDS.replace(", smiles: spelt", "")
    with pytest.raises(FileProblems) as caught:
        loaded(tmp_path, text, words=TABLE, more=MORE.replace("spelt", "text"))
    (problem,) = caught.value.problems
    assert "'word' is not a column" in problem.message
    assert problem.hint.endswith("or name the column of materials, for instance smiles: COLUMN")


def test_a_table_of_materials_is_described_as_the_pool_is(tmp_path: Path) -> None:
    (source,) = loaded(tmp_path, WORDS, words=TABLE, more=MORE).sources
    assert source.materials is not None
    assert source.parameter == "word"
    assert source.values == (2.0, 4.0)
    assert source.table == "more.csv"
    assert [(row.line, row.why) for row in source.left_out] == [
        (3, "'c!' is not a word"),
        (4, "it is the material of line 2 again: their mean is taken"),
    ]
    assert source.materials.described[0].counts is not None
    assert len(source.materials.described[0].counts) == 2


def test_a_changed_source_is_another_campaign(tmp_path: Path) -> None:
    one = loaded(tmp_path, FILM, old=OLD).file_hash
    assert loaded(tmp_path, FILM, old=OLD + "4000,neon,6\n").file_hash != one


def test_a_table_without_a_column_for_a_parameter_is_told_to_add_it(tmp_path: Path) -> None:
    with pytest.raises(FileProblems) as caught:
        loaded(tmp_path, FILM, old="power [mW],resistivity [mohm*cm]\n1000,2\n2000,3\n")
    (problem,) = caught.value.problems
    assert "if 'gas' was one and the same, add a column that says so" in problem.hint


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("table: old.csv", "table: old.csv\n    campaign: other", "exactly one of"),
        ("    column: resistivity\n", "", "needs the column of its values"),
        ("column: resistivity", "column: resistance", "known: gas, power [mW]"),
        ("campaign: earlier", "campaign: earlier, column: x", "'column' is of a table"),
        ("campaign: earlier", "campaign: earlier, trials: 9", "'trials' is of a simulator"),
        ("helps: thickness", "helps: thicknes", "did you mean 'thickness'"),
        ("table: old.csv", "table: none.csv", "none.csv"),
        ("scale: log\n  - {c", "unit: kg\n  - {c", "kg"),
        ("scale: log\n  - {c", "smiles: gas\n  - {c", "needs one pool"),
        ("campaign: earlier", "campaign: earlier, model: networks", "candidates of one pool"),
        ("campaign: earlier", "campaign: earlier, model: forest", "expected process, multitask or"),
    ],
)
def test_mistakes_are_told_at_their_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert FILM.count(old) == 1
    with pytest.raises(FileProblems) as caught:
        loaded(tmp_path, FILM.replace(old, new), old=OLD)
    (problem,) = caught.value.problems
    assert said in f"{problem.message} {problem.hint}"
    assert problem.line >= 7


def test_networks_learn_of_many_values_of_the_materials_of_a_pool(tmp_path: Path) -> None:
    text = WORDS.replace("smiles: spelt", "smiles: spelt, model: networks")
    with pytest.raises(FileProblems, match="has 2 values, networks need 30"):
        loaded(tmp_path, text, words=TABLE, more=MORE)
    letters = [f"{'abc'[i % 3] * (i + 1)},{i}" for i in range(40)]
    more = "spelt,weight\n" + "\n".join(letters) + "\n"
    (source,) = loaded(tmp_path, text, words=TABLE, more=more).sources
    assert source.model == "networks"


def test_a_source_may_stand_beside_the_metric_where_it_is_known_over_the_whole_space(
    tmp_path: Path,
) -> None:
    together = FILM.replace("scale: log\n  - {c", "scale: log\n    model: multitask\n  - {c")
    (source,) = loaded(tmp_path, together, old=OLD).sources
    assert source.model == "multitask"
    text = WORDS.replace("smiles: spelt", "smiles: spelt, model: multitask")
    (source,) = loaded(tmp_path, text, words=TABLE, more=MORE).sources
    assert source.model == "multitask"
    wider = text.replace("letters}\n", "letters}\n  heat: {real: [0, 1]}\n", 1)
    with pytest.raises(FileProblems, match="of the whole space, not of materials alone"):
        loaded(tmp_path, wider, words=TABLE, more=MORE)


def test_the_same_quantity_in_a_unit_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblems) as caught:
        loaded(tmp_path, FILM, old=OLD.replace("[mohm*cm]", "[kg]"))
    assert "kg" in caught.value.problems[0].message
