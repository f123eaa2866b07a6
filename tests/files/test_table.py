"""Tables: CSV as people have it, every mistake with its line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import FileProblems, UnknownName
from orchestrator.files.table import Table, number, read_table


def table(folder: Path, content: str | bytes) -> Table:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(delimiter: str, tmp_path: Path) -> None:
    read = table(tmp_path, "a,b\n1,x y\n2,z\n".replace(",", delimiter))
    assert read.columns == ("a", "b")
    assert read.rows == (("1", "x y"), ("2", "z"))
    assert read.numbers("a") == (1.0, 2.0)


def test_decimal_commas_are_read_where_they_cannot_be_anything_else(tmp_path: Path) -> None:
    read = table(tmp_path, "name;dose;gap\n1,2-diol;3,5;-1,5e-3\nb;4;2\n")
    assert read.rows == (("1,2-diol", "3.5", "-1.5e-3"), ("b", "4", "2"))
    mixed = table(tmp_path, "dose;gap\n3,500;1.25\n")
    assert mixed.rows == (("3,500", "1.25"),)


def test_a_quoted_header_may_contain_delimiters(tmp_path: Path) -> None:
    read = table(tmp_path, '"flow, oxygen; or, other";b\n"1;2";3\n')
    assert read.columns == ("flow, oxygen; or, other", "b")
    assert read.rows == (("1;2", "3"),)


def test_byte_order_mark_windows_lines_and_blank_lines_do_not_count(tmp_path: Path) -> None:
    read = table(tmp_path, b"\xef\xbb\xbfa,b\r\n\r\n1,2\r\n , \r\n3,4\r\n")
    assert read.columns == ("a", "b")
    assert read.rows == (("1", "2"), ("3", "4"))
    assert read.lines == (3, 5)


def test_empty_columns_at_the_end_are_skipped(tmp_path: Path) -> None:
    read = table(tmp_path, "a;b;;\n1,5;2;;\n3;;;\n")
    assert read.columns == ("a", "b")
    assert read.rows == (("1.5", "2"), ("3", ""))
    with pytest.raises(FileProblems, match="column 4 has no name"):
        table(tmp_path, "a;b;;\n1;2;;3\n")


def test_a_quoted_cell_over_two_lines_keeps_the_count(tmp_path: Path) -> None:
    read = table(tmp_path, 'a,b\n"one\ntwo",2\n3,4\n')
    assert read.lines == (2, 4)


def test_a_cell_that_is_no_number_is_named_with_its_line(tmp_path: Path) -> None:
    read = table(tmp_path, "a;b\n1.0;2\n1,5;\nnan;x\n")
    with pytest.raises(FileProblems) as caught:
        read.numbers("a")
    assert [p.line for p in caught.value.problems] == [3, 4]
    assert caught.value.problems[0].hint == "write a decimal point"
    with pytest.raises(FileProblems, match="an empty cell"):
        read.numbers("b")
    assert not read.is_numeric("a")


def test_an_absent_column_comes_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UnknownName) as caught:
        table(tmp_path, "thickness,b\n1,2\n").numbers("thicknes")
    assert caught.value.hint == "did you mean 'thickness'?"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the table is empty"),
        ("a,b\n", "a header but no rows"),
        ("a,b\n1,2,3\n", "3 cells where the header has 2"),
        ("a,b\n1\n", "an empty cell has its delimiter, too"),
        ("a title,,,more\na,b,c,d\n1,2,3,4\n", "take away what stands above"),
        ("a,a\n1,2\n", "two columns are named 'a'"),
        ("a,\n1,2\n", "column 2 has no name"),
        (",a\n0,2\n", "pandas omits with index=False"),
        ('a,b\n"1,2\n', "not a table"),
        (b"a,b\n\x00,2\n", "not a text file"),
    ],
)
def test_what_is_no_table_is_refused(content: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match=message):
        table(tmp_path, content)


def test_a_bound_where_a_number_is_wanted_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(FileProblems) as caught:
        table(tmp_path, "a\n1\n< -70\n").numbers("a")
    (problem,) = caught.value.problems
    assert problem.hint == "a bound is no number here: leave the row out"


def test_all_rows_of_a_wrong_length_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileProblems) as caught:
        table(tmp_path, "a,b\n1\n1,2\n1,2,3\n")
    assert [p.line for p in caught.value.problems] == [2, 4]


_CELLS = st.text("ab,;\t\"'é 0.", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(rows=st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=6))
def test_a_written_table_is_read_back(
    rows: list[tuple[str, str]], tmp_path_factory: object
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("first", "second"), *rows])
    folder = tmp_path_factory.mktemp("tables")  # type: ignore[attr-defined]
    assert table(folder, text.getvalue()).rows == tuple(rows)


@given(st.lists(st.sampled_from(["1", "-2.5e3", "nan", "inf", "1_0", "1e151", "", "x", " 7 "])))
def test_a_column_is_numeric_where_each_of_its_cells_is_a_number(cells: list[str]) -> None:
    lines = tuple(range(2, 2 + len(cells)))
    read = Table("t", ("a",), tuple((cell,) for cell in cells), lines, "")
    of_each = [number(cell) for cell in cells]
    assert read.is_numeric("a") is (None not in of_each)
    if None in of_each:
        with pytest.raises(FileProblems) as refused:
            read.numbers("a")
        assert len(refused.value.problems) == of_each.count(None)
    else:
        assert list(read.numbers("a")) == of_each


@pytest.mark.parametrize("named", ["sep=;", '"sep=;"', "SEP=;;", "sep=|", "sep=\t"])
def test_a_first_line_may_name_the_delimiter(named: str, tmp_path: Path) -> None:
    path, mark = tmp_path / "t.csv", named.strip('"')[4]
    path.write_text(f"{named}\nx,y{mark}z\n1,5{mark}2\n".replace("x,y", "'x, y'"))
    table = read_table(path)
    assert table.columns == ("'x, y'", "z")
    assert (tuple(table.rows), table.lines) == ((("1.5", "2"),), (3,))


def test_a_header_below_the_delimiter_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sep=;\nx;x\n1;2\n")
    with pytest.raises(FileProblems) as refused:
        read_table(path)
    assert refused.value.problems[0].line == 2
