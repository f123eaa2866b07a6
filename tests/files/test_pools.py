"""Pools: a finite list of candidates from a CSV file beside the campaign."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_campaign_file import loaded, problems_of

from orchestrator.model.space import Pool

TABLE = "alloy,ordering,mass,price\nAu,L1_0,197,60\nCu,L1_2,63.5,0.009\nNi,L1_0,58.7,0.02\n"
CAMPAIGN = """\
name: pool
space:
  candidate: {pool: alloys.csv, columns: {mass: g, price: ''}}
roles: {calculator: AlloyCalculation, probe: FourPointProbe}
recipe:
  - relax: {do: calculator.relax, a: =candidate, b: Pt, ordering: =candidate.ordering}
metrics:
  weight: {value: =candidate.mass * 2, unit: kg}
objective: {minimise: weight}
budget: {trials: 3}
"""


def with_table(folder: Path, table: str = TABLE) -> Path:
    (folder / "alloys.csv").write_text(table)
    return folder


def test_a_pool_has_names_numbers_and_texts(tmp_path: Path) -> None:
    pool = loaded(CAMPAIGN, with_table(tmp_path)).space["candidate"]
    assert isinstance(pool, Pool)
    assert pool.names == ("Au", "Cu", "Ni")
    assert (pool.columns, pool.units) == (("mass", "price"), ("g", ""))
    assert pool.rows == ((197.0, 60.0), (63.5, 0.009), (58.7, 0.02))
    assert pool.texts == {"ordering": ("L1_0", "L1_2", "L1_0")}
    assert len(pool.sha256) == 64


def test_without_columns_every_numeric_column_describes(tmp_path: Path) -> None:
    text = CAMPAIGN.replace(", columns: {mass: g, price: ''}", "").replace("unit: kg", "unit: ''")
    pool = loaded(text, with_table(tmp_path)).space["candidate"]
    assert isinstance(pool, Pool)
    assert (pool.columns, pool.units) == (("mass", "price"), ("", ""))


def test_the_column_of_a_metric_describes_no_candidate_unless_it_is_named(tmp_path: Path) -> None:
    text = CAMPAIGN.replace(", columns: {mass: g, price: ''}", "").replace("unit: kg", "unit: ''")
    with_weight = TABLE.replace("mass,price", "mass,weight [kg]")
    pool = loaded(text, with_table(tmp_path, with_weight)).space["candidate"]
    assert isinstance(pool, Pool)
    assert pool.columns == ("mass",)
    assert pool.texts["weight [kg]"] == ("60", "0.009", "0.02")
    named = CAMPAIGN.replace("price: ''", "weight: kg")
    pool = loaded(named, with_table(tmp_path, with_weight)).space["candidate"]
    assert isinstance(pool, Pool)
    assert pool.columns == ("mass", "weight")


def test_the_unit_in_the_header_of_a_column_is_converted(tmp_path: Path) -> None:
    table = TABLE.replace("mass", "mass [kg]")
    pool = loaded(CAMPAIGN, with_table(tmp_path, table)).space["candidate"]
    assert isinstance(pool, Pool)
    assert (pool.columns, pool.units) == (("mass", "price"), ("g", ""))
    assert pool.rows[0] == (197000.0, 60.0)
    (problem,) = problems_of(CAMPAIGN, with_table(tmp_path, TABLE.replace("mass", "mass [nm]")))
    assert "column 'mass [nm]' is in 'nm', which cannot be converted to 'g'" in problem.message


def test_without_columns_a_unit_in_a_header_is_no_mistake(tmp_path: Path) -> None:
    table = TABLE.replace("mass,price", "mass [kg],price")
    pool = loaded(WITHOUT_COLUMNS.replace("mass", "price"), with_table(tmp_path, table))
    (found,) = pool.space.parameters
    assert isinstance(found, Pool)
    assert (found.columns, found.units) == (("mass [kg]", "price"), ("", ""))
    assert found.rows[0] == (197.0, 60.0)


def test_what_stands_beside_a_metric_describes_no_candidate_either(tmp_path: Path) -> None:
    table = TABLE.replace("mass,price", "mass,weight sd [kg]")
    pool = loaded(WITHOUT_COLUMNS, with_table(tmp_path, table)).space["candidate"]
    assert isinstance(pool, Pool)
    assert pool.columns == ("mass",)


@pytest.mark.parametrize(
    "read", ["=candidate.price * 2", "=2 * candidate.price", "=candidate.mass"]
)
def test_the_column_of_a_metric_that_the_file_itself_reads_describes(
    tmp_path: Path, read: str
) -> None:
    text = WITHOUT_COLUMNS.replace("weight:", "price:").replace(
        "minimise: weight", "minimise: price"
    )
    text = text.replace("=candidate.mass * 2", read)
    pool = loaded(text, with_table(tmp_path)).space["candidate"]
    assert isinstance(pool, Pool)
    assert pool.columns == (("mass",) if read == "=candidate.mass" else ("mass", "price"))


def test_the_column_in_which_the_start_has_a_metric_describes_no_candidate(tmp_path: Path) -> None:
    table = TABLE.replace("mass,price", "mass,found weight")
    start = "start: {table: alloys.csv, columns: {candidate: alloy, weight: found weight}}\n"
    pool = loaded(WITHOUT_COLUMNS + start, with_table(tmp_path, table)).space["candidate"]
    assert isinstance(pool, Pool)
    assert pool.columns == ("mass",)


WITHOUT_COLUMNS = CAMPAIGN.replace(", columns: {mass: g, price: ''}", "").replace("kg", "''")


@pytest.mark.parametrize(
    ("cell", "said"), [("", "an empty cell"), ("nan", "'nan'"), ("n/a", "'n/a'")]
)
def test_a_column_of_numbers_with_a_gap_is_refused_with_its_line(
    cell: str, said: str, tmp_path: Path
) -> None:
    table = TABLE.replace("0.009", cell)
    (problem,) = problems_of(WITHOUT_COLUMNS, with_table(tmp_path, table))
    assert f"alloys.csv line 3: column 'price' has {said}" in problem.message
    assert "'columns:'" in problem.hint


def test_a_column_of_few_numbers_is_one_of_words(tmp_path: Path) -> None:
    table = TABLE.replace("0.009", "").replace("0.02", "cheap")
    pool = loaded(WITHOUT_COLUMNS, with_table(tmp_path, table)).space["candidate"]
    assert isinstance(pool, Pool)
    assert (pool.columns, set(pool.texts)) == (("mass",), {"ordering", "price"})


def test_the_column_of_names_can_be_chosen(tmp_path: Path) -> None:
    text = CAMPAIGN.replace("columns:", "name: price, columns:").replace(", price: ''", "")
    pool = loaded(text, with_table(tmp_path)).space["candidate"]
    assert isinstance(pool, Pool)
    assert pool.names == ("60", "0.009", "0.02")
    assert set(pool.texts) == {"alloy", "ordering"}


def test_a_changed_table_changes_the_hash_of_the_campaign(tmp_path: Path) -> None:
    first = loaded(CAMPAIGN, with_table(tmp_path)).file_hash
    assert loaded(CAMPAIGN, with_table(tmp_path, TABLE.replace("197", "196"))).file_hash != first


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mass", "weight", "'mass' is not a column of"),
        ("63.5", "heavy", "alloys.csv line 3: column 'mass' has 'heavy'"),
        ("63.5", "", "alloys.csv line 3: column 'mass' has an empty cell"),
        ("63.5", "nan", "alloys.csv line 3: column 'mass' has 'nan'"),
        ("Cu,", "Au,", "alloys.csv line 3: the candidate 'Au' stands in line 2 already"),
        ("Cu,", ",", "alloys.csv line 3: the candidate has no name"),
        (",60\n", "\n", "alloys.csv line 2: the row has 3 cells"),
        (TABLE, "alloy,mass\n", "a header but no rows"),
        (TABLE, "", "the table is empty"),
    ],
)
def test_a_bad_table_is_a_mistake_with_the_line_of_the_table(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    (problem,) = problems_of(CAMPAIGN, with_table(tmp_path, TABLE.replace(old, new, 1)))
    assert message in problem.message
    assert problem.line == 3


def test_a_name_that_stands_twice_is_told_with_a_column_of_distinct_ones(tmp_path: Path) -> None:
    table = "alloy,ordering,mass,price,code\nAu,L1_0,197,60,a\nAu,L1_2,63,1,b\n"
    (problem,) = problems_of(CAMPAIGN, with_table(tmp_path, table))
    assert "the candidate 'Au' stands in line 2 already" in problem.message
    assert problem.hint.endswith("for instance 'name: ordering'")


def test_an_absent_table_is_a_mistake(tmp_path: Path) -> None:
    (problem,) = problems_of(CAMPAIGN, tmp_path)
    assert "alloys.csv: it cannot be read: no such file" in problem.message


def test_a_pool_of_words_alone_is_refused(tmp_path: Path) -> None:
    text = CAMPAIGN.replace(", columns: {mass: g, price: ''}", "")
    folder = with_table(tmp_path, "alloy,ordering\nAu,L1_0\n")
    (problem,) = problems_of(text, folder)
    assert "no column of numbers" in problem.message


def test_the_whole_range_of_a_column_is_held_against_a_limit(tmp_path: Path) -> None:
    text = CAMPAIGN.replace(
        "metrics:", "  - measure: {do: probe.sheet_resistance, repeats: =candidate.mass}\nmetrics:"
    )
    (problem,) = problems_of(text, with_table(tmp_path))
    assert "is in 'g' where a number without unit is needed" in problem.message


def test_columns_are_names_with_units_in_the_recipe(tmp_path: Path) -> None:
    bad = CAMPAIGN.replace("=candidate.ordering", "=candidate.mass")
    (problem,) = problems_of(bad, with_table(tmp_path))
    assert "is a number where a text is needed" in problem.message
    misspelt = CAMPAIGN.replace("=candidate.mass", "=candidate.mas")
    (problem,) = problems_of(misspelt, with_table(tmp_path))
    assert problem.hint == "did you mean 'candidate.mass'?"
