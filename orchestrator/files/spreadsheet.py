"""Reads a sheet of an XLSX file as a table of texts [ECMA-376, part 1, 18].

Enough of the format for what spreadsheets write; nothing in it is run or followed.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from orchestrator.errors import FileProblems, Problem
from orchestrator.files.columns import split_header
from orchestrator.files.table import TITLE, Table, number, read_table

MAX_BYTES = 100_000_000
"""Of one part of the file, unpacked."""
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_PLACE = re.compile(r"([A-Z]+)(\d+)")
_NO_CODE = re.compile(r'"[^"]*"|[\\_*].|\[[^]]*\]')
"""What a number format shows as it is or leaves room for, and its colours and conditions."""
_OWN_FORMATS = {9: "%", 10: "%"} | dict.fromkeys([*range(14, 23), 45, 46, 47], "d")
"""Formats that are known by their number alone: shares and dates."""
_UNREADABLE = (zipfile.BadZipFile, KeyError, ValueError, IndexError, ElementTree.ParseError)
_DAY_ZERO = {"d": datetime.datetime(1899, 12, 30), "D": datetime.datetime(1904, 1, 1)}
"""Of a sheet, which has no zone; the second one where the book says `date1904`."""


def table_in(path: Path, wanted: Sequence[str] = ()) -> Table:
    """The table of a CSV file, or a sheet of an XLSX file. Raises as the one that reads it."""
    is_book = path.suffix.lower() == ".xlsx"
    return read_spreadsheet(path, wanted) if is_book else read_table(path)


def read_spreadsheet(path: Path, wanted: Sequence[str] = ()) -> Table:
    """The first sheet that has the columns that are wanted, or else the first one; its first row is
    the header, cells are as they were typed, numbers with all their digits, shares (`30.5%`, under
    a heading in [%] without the sign) and dates as they are shown. Columns without a heading and
    rows without a cell are skipped. A formula whose value the file does not have is that formula.

    Raises:
        FileProblems: it cannot be read, is no XLSX file, or has no header, or one beneath a title.
    """
    try:
        raw = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(raw)) as book:
            cells = _fitting(book, wanted)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FileProblems(str(path), [Problem(f"it cannot be read: {reason}")]) from error
    except _UNREADABLE as error:
        problem = Problem("it is no XLSX file that can be read", "save it as .xlsx or .csv")
        raise FileProblems(str(path), [problem]) from error
    header = {column: text for (row, column), text in cells.items() if row == 1 and text}
    problems = _problems(list(header.values())) or _of_a_title(cells, header)
    if problems:
        raise FileProblems(str(path), problems)
    shares = {column for column, text in header.items() if split_header(text)[1] == "%"}
    cells |= {at: text.removesuffix("%") for at, text in cells.items() if at[1] in shares}
    lines = sorted({row for (row, _), text in cells.items() if row > 1 and text})
    return Table(
        source=str(path),
        columns=tuple(header.values()),
        rows=tuple(tuple(cells.get((line, c), "") for c in header) for line in lines),
        lines=tuple(lines),
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def _problems(header: list[str]) -> list[Problem]:
    if not header:
        return [Problem("the first row has no headings")]
    twice = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    return [Problem(f"two columns are named '{name}'", "", 1) for name in twice]


def _of_a_title(cells: dict[tuple[int, int], str], header: dict[int, str]) -> list[Problem]:
    """The mistake that headings stand in the second row: over numbers, where the first has none."""
    for (row, column), text in cells.items():
        is_heading = row == 2 and column not in header and text and number(text) is None
        if is_heading and number(cells.get((3, column), "")) is not None:
            return [Problem(f"'{text}' has no heading above it, and numbers beneath", TITLE, 2)]
    return []


def _fitting(book: zipfile.ZipFile, wanted: Sequence[str]) -> dict[tuple[int, int], str]:
    """The cells of the first sheet with the columns that are wanted, or else of the first one."""
    sheets = _sheets(book)
    for name in sheets if wanted else ():
        cells = _cells(book, name)
        if {*wanted} <= {text for (row, _), text in cells.items() if row == 1}:
            return cells
    return _cells(book, sheets[0])


def _sheets(book: zipfile.ZipFile) -> list[str]:
    """The parts of the file that are sheets. Raises ValueError where there is none."""
    found = [n for n in book.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", n)]
    if not found:
        raise ValueError("no sheet")
    return sorted(found, key=lambda n: int(n[len("xl/worksheets/sheet") : -len(".xml")]))


def _cells(book: zipfile.ZipFile, sheet: str) -> dict[tuple[int, int], str]:
    """Texts by row (from 1) and column (from 1), in this order."""
    shared = [_text(item) for item in _part(book, "xl/sharedStrings.xml", "si")]
    formats = _formats(book)
    found: dict[tuple[int, int], str] = {}
    for cell in _part(book, sheet, "c"):
        place = _PLACE.fullmatch(cell.get("r", ""))
        if place is None:
            raise ValueError("a cell without a place")
        found[int(place[2]), _column(place[1])] = _value(cell, shared, formats).strip()
    return dict(sorted(found.items()))


def _part(book: zipfile.ZipFile, name: str, tag: str) -> Iterator[ElementTree.Element]:
    """The elements of a kind in a part of the file; none where there is no such part."""
    if name not in book.namelist():
        return iter(())
    if book.getinfo(name).file_size > MAX_BYTES:
        raise ValueError("too large")
    return ElementTree.fromstring(book.read(name)).iter(f"{_MAIN}{tag}")


def _formats(book: zipfile.ZipFile) -> list[str]:
    """Of each style what its numbers are shown as: `%` a share, `d` a date or time (`D` one since
    1904), else ''."""
    codes = dict(_OWN_FORMATS)
    for one in _part(book, "xl/styles.xml", "numFmt"):
        code = _NO_CODE.sub("", one.get("formatCode", "")).lower()
        codes[int(one.get("numFmtId", "0"))] = (
            "%" if "%" in code else "d" if re.search("[dmyhs]", code) else ""
        )
    styles = next(_part(book, "xl/styles.xml", "cellXfs"), ())
    shown = [codes.get(int(style.get("numFmtId", "0")), "") for style in styles]
    since = [one.get("date1904") for one in _part(book, "xl/workbook.xml", "workbookPr")]
    is_of_1904 = since and since[0] in ("1", "true")
    return [code.replace("d", "D") for code in shown] if is_of_1904 else shown


def _value(cell: ElementTree.Element, shared: list[str], formats: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    text = cell.findtext(f"{_MAIN}v") or ""
    if not text:
        formula = cell.findtext(f"{_MAIN}f")
        return f"={formula}" if formula else ""
    if kind == "b":
        return "TRUE" if text == "1" else "FALSE"
    if kind == "s":
        return shared[int(text)]
    style = int(cell.get("s", "0"))
    return _shown(text, formats[style]) if kind == "n" and style < len(formats) else text


def _shown(number: str, shown_as: str) -> str:
    if shown_as == "%":
        return f"{float(number) * 100:.12g}%"
    if shown_as in _DAY_ZERO:
        with contextlib.suppress(OverflowError):  # of no calendar
            at = _DAY_ZERO[shown_as] + datetime.timedelta(seconds=round(float(number) * 86400))
            return str(at).removesuffix(" 00:00:00")
    return number


def _text(element: ElementTree.Element) -> str:
    """All runs of a rich text, without phonetic ones."""
    aside = {run for part in element.iter(f"{_MAIN}rPh") for run in part}
    return "".join(t.text or "" for t in element.iter(f"{_MAIN}t") if t not in aside)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
