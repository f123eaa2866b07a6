"""Spreadsheets are read as what was typed into them."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from orchestrator.errors import FileProblems
from orchestrator.files.spreadsheet import read_spreadsheet, table_in

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def book(path: Path, *rows: tuple[object, ...]) -> Path:
    made = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False})
    sheet = made.add_worksheet()
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            if cell is not None:
                sheet.write(number, place, cell)
    made.add_worksheet("notes").write(0, 0, "nothing to read")
    made.close()
    return path


def by_hand(path: Path, sheet: str, **parts: str) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        text = f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>'
        made.writestr("xl/worksheets/sheet1.xml", text)
        for name, part in parts.items():
            made.writestr(f"xl/{name}.xml", part)
    return path


def test_the_first_sheet_is_a_table_of_what_was_typed(tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx", ("name", "vote", "x [K]"), ("µ-1 ", -1, 300.5), (None,), ("=b", "+1")
    )
    table = read_spreadsheet(path)
    assert table.columns == ("name", "vote", "x [K]")
    assert table.rows == (("µ-1", "-1", "300.5"), ("=b", "+1", ""))
    assert table.lines == (2, 4)


def test_columns_far_to_the_right_and_without_heading_keep_their_places(tmp_path: Path) -> None:
    row: list[object] = [None] * 30
    row[0], row[28] = "name", "vote"
    path = book(tmp_path / "a.xlsx", tuple(row), ("a", "no heading", *[None] * 26, 1))
    table = read_spreadsheet(path)
    assert table.columns == ("name", "vote")
    assert table.rows == (("a", "1"),)


def test_the_sheet_with_the_columns_that_are_wanted_is_read_wherever_it_stands(
    tmp_path: Path,
) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    made.add_worksheet("before").write_row(0, 0, ["name", "price"])
    for number, row in enumerate([("name", "vote"), ("iron", True), ("tin", False)]):
        made.get_worksheet_by_name("votes") or made.add_worksheet("votes")
        made.get_worksheet_by_name("votes").write_row(number, 0, row)
    made.close()
    table = read_spreadsheet(tmp_path / "a.xlsx", ("name", "vote"))
    assert table.rows == (("iron", "TRUE"), ("tin", "FALSE"))
    assert read_spreadsheet(tmp_path / "a.xlsx", ("name", "x")).columns == ("name", "price")


def test_rich_texts_and_texts_within_cells_are_read_whole(tmp_path: Path) -> None:
    strings = (
        f'<sst xmlns="{MAIN}"><si><r><t>na</t></r><r><t>me</t></r><rPh><t>x</t></rPh></si></sst>'
    )
    sheet = (
        '<row><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>vote</t></is></c></row>'
        '<row><c r="A2" t="str"><v>iron</v></c><c r="B2"><v>1</v></c><c r="C2"/></row>'
    )
    table = read_spreadsheet(by_hand(tmp_path / "a.xlsx", sheet, sharedStrings=strings))
    assert table.columns == ("name", "vote")
    assert table.rows == (("iron", "1"),)


@pytest.mark.parametrize("raw", [b"", b"name,vote\n", b"PK\x03\x04 torn"])
def test_what_is_no_spreadsheet_is_refused_in_words(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(raw)
    with pytest.raises(FileProblems, match="no XLSX file that can be read"):
        read_spreadsheet(path)


def test_a_torn_or_missing_part_is_refused_in_words(tmp_path: Path) -> None:
    torn = by_hand(tmp_path / "torn.xlsx", '<row><c r="A1" t="s"><v>7</v></c></row>')
    with pytest.raises(FileProblems, match="no XLSX file"):
        read_spreadsheet(torn)
    with zipfile.ZipFile(tmp_path / "empty.xlsx", "w"):
        pass
    with pytest.raises(FileProblems, match="no XLSX file"):
        read_spreadsheet(tmp_path / "empty.xlsx")
    with pytest.raises(FileProblems, match="cannot be read: no such file"):
        read_spreadsheet(tmp_path / "none.xlsx")


@pytest.mark.parametrize(
    ("header", "said"), [((None, None), "no headings"), (("a", "a"), "two columns are named 'a'")]
)
def test_a_header_that_names_no_column_is_refused(
    tmp_path: Path, header: tuple[object, ...], said: str
) -> None:
    with pytest.raises(FileProblems, match=said):
        read_spreadsheet(book(tmp_path / "a.xlsx", header, (1, 2)))


def test_a_table_may_be_a_spreadsheet(tmp_path: Path) -> None:
    path = book(tmp_path / "a.XLSX", ("x [K]", "y"), (300.25, 1e-7), (301, None))
    assert table_in(path) == read_spreadsheet(path)
    assert table_in(path).numbers("x [K]") == (300.25, 301.0)


def test_shares_and_dates_are_what_the_sheet_shows(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, ["share", "part", "day", "minute", "plain", "with unit", "mark", "never"])
    shown = ["0.0%", '0.00" per "%', "yyyy-mm-dd", "d.m.yyyy hh:mm", "0.00", '0.0" days"']
    shown += [r"#,##0.00\ _D_M_-", "d.m."]
    numbers = [0.305, 0.07, 46235, 46235.5, 0.305, 3.5, 3.5, 1e9]
    for place, (code, number) in enumerate(zip(shown, numbers, strict=True)):
        sheet.write_number(1, place, number, made.add_format({"num_format": code}))
    made.close()
    (row,) = read_spreadsheet(tmp_path / "a.xlsx").rows
    days = ("2026-08-01", "2026-08-01 12:00:00")
    assert row == ("30.5%", "7%", *days, "0.305", "3.5", "3.5", "1000000000")


def test_headings_beneath_a_title_are_told(tmp_path: Path) -> None:
    above, names = ("run", "parameters", None, "result"), (None, "T [K]", "t [s]", "yield")
    path = book(tmp_path / "a.xlsx", above, names, (1, 300, 5, 0.4), (2, 310, 6, 0.5))
    with pytest.raises(FileProblems, match=r"2: 't \[s\]' has no heading above it") as caught:
        read_spreadsheet(path)
    assert "take away what stands above" in caught.value.problems[0].hint
    remark = book(tmp_path / "b.xlsx", ("T [K]", None), (300, "warm"), (310, "cold"))
    assert read_spreadsheet(remark).columns == ("T [K]",)


def test_a_share_is_a_number_under_a_heading_in_per_cent(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, ["yield [%]", "name"])
    sheet.write_number(1, 0, 0.452, made.add_format({"num_format": "0.0%"}))
    sheet.write(1, 1, "5 %")
    made.close()
    found = read_spreadsheet(tmp_path / "a.xlsx")
    assert found.numbers("yield [%]") == (45.2,)
    assert found.texts("name") == ("5 %",)


def test_a_formula_that_nothing_worked_out_is_no_empty_cell(tmp_path: Path) -> None:
    sheet = (
        '<row><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'
        '<row><c r="A2"><f>2*3</f><v>6</v></c></row><row><c r="A3"><f>2*4</f></c></row>'
    )
    assert read_spreadsheet(by_hand(tmp_path / "a.xlsx", sheet)).rows == (("6",), ("=2*4",))
    with pytest.raises(FileProblems, match="save it from the spreadsheet"):
        read_spreadsheet(tmp_path / "a.xlsx").numbers("a")


def test_dates_of_a_book_that_counts_from_1904_are_what_it_shows(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"), {"date_1904": True})
    sheet = made.add_worksheet()
    sheet.write(0, 0, "made")
    shown = made.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_datetime(1, 0, datetime.datetime(2026, 3, 2), shown)
    sheet.write(2, 0, 0.305, made.add_format({"num_format": "0.0%"}))
    made.close()
    assert read_spreadsheet(tmp_path / "a.xlsx").rows == (("2026-03-02",), ("30.5%",))
