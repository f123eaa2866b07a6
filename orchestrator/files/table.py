"""Tables of text: CSV with a header, its delimiter found out, every row with its line."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.errors import FileProblems, InputError, Problem, UnknownName
from orchestrator.files.cells import Cells
from orchestrator.files.document import read_text
from orchestrator.model.quantity import check_unit

MAX_BYTES = 200_000_000
LARGEST = 1e150
"""Numbers are squared and summed."""
LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
"""A line with its end: these are no copy of the text, as those of a stream are."""
NAMED_DELIMITER = re.compile(
    r"""\s*"?sep=([^\r\n"\w\s]|\t)"?[ ;,\t]*(?:\r\n|\n|\r)""", re.IGNORECASE
)
"""The first line of some spreadsheets, perhaps filled up with empty cells."""
NO_INDEX = "name it, or leave it out (numbers of rows, which pandas omits with index=False)"
TITLE = "the first line has the headings: take away what stands above them"
GAP = re.compile(r"[\s'\u2019]")
GROUPED = re.compile(rf"[+-]?\d{{1,3}}(?:{GAP.pattern}\d{{3}})+(?:[.,]\d+)?")
"""A number in groups of three digits."""
BY_MARKS = re.compile(r"[+-]?\d{1,3}(?:(?:\.\d{3})+,|(?:,\d{3})+\.)\d+")
"""A number whose thousands a point or a comma sets apart, and the other one its decimals."""
WITH_UNIT = re.compile(r"([+-]?[\d.,]+(?:[eE][+-]?\d+)?)(?:\s+(?=\S)|(?=[%°]))(.+)")
WITH_COMMA = re.compile(r"[<>]?\s*[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
WITH_POINT = re.compile(r"[<>]?\s*[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Table:
    """n rows of texts under d distinct column names.

    `lines` are the n line numbers of the rows in the file; `sha256` is of its text. Rows that are
    files, or frames of one, have `places` that say which.
    """

    source: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    lines: tuple[int, ...]
    sha256: str
    places: tuple[str, ...] = ()

    def where(self, row: int) -> str:
        """Where a row stands, for a sentence."""
        return self.places[row] if self.places else f"line {self.lines[row]}"

    def only(self, places: Sequence[int]) -> Table:
        """The table with some of its rows."""
        rows: Sequence[tuple[str, ...]]
        if isinstance(self.rows, Cells):
            rows = self.rows.only(places)
        else:
            rows = tuple(self.rows[i] for i in places)
        lines = tuple(self.lines[i] for i in places)
        where = tuple(self.places[i] for i in places) if self.places else ()
        return replace(self, rows=rows, lines=lines, places=where)

    def texts(self, column: str) -> tuple[str, ...]:
        """The cells of a column. Raises UnknownName."""
        return tuple(self._cells(column))

    def _cells(self, column: str) -> Iterator[str]:
        if column not in self.columns:
            raise UnknownName(f"column of {self.source}", column, self.columns)
        index = self.columns.index(column)
        if isinstance(self.rows, Cells):
            return self.rows.column(index)
        return (row[index] for row in self.rows)

    def is_numeric(self, column: str) -> bool:
        """Whether every cell of the column is a finite number. Raises UnknownName."""
        return _all_numbers(self.texts(column)) is not None

    def numbers(self, column: str) -> tuple[float, ...]:
        """The cells of a column as numbers.

        Raises:
            UnknownName: there is no such column.
            FileProblems: a cell is not a finite number; each with its line.
        """
        cells = self.texts(column)
        values = _all_numbers(cells)
        if values is not None:
            return values
        problems = []
        for line, cell in zip(self.lines, cells, strict=True):
            if number(cell) is None:
                found = f"'{cell}'" if cell else "an empty cell"
                message = f"column '{column}' has {found} where a finite number is expected"
                problems.append(Problem(message, no_number_hint(cell), line))
        raise FileProblems(self.source, problems)


def _all_numbers(cells: tuple[str, ...]) -> tuple[float, ...] | None:
    """As `number` of each cell, if each is one: a column has a million at times."""
    try:
        values = tuple(map(float, cells))
    except ValueError:
        return None
    is_small = all(map(LARGEST.__ge__, map(abs, values)))
    return values if is_small and not any("_" in cell for cell in cells) else None


def number(cell: str) -> float | None:
    """A cell as a finite number, of `LARGEST` at most; None where it is not one."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if abs(value) <= LARGEST and "_" not in cell else None


def is_quantity(cell: str) -> bool:
    """Whether a cell that is no number means one: `1,5`, `1 000`, `10%`, `100 degC`."""
    if number(cell.replace(",", ".")) is not None or GROUPED.fullmatch(cell):
        return True
    unit = _number_and_unit(cell)[1]
    with contextlib.suppress(InputError):
        check_unit(unit)
        return bool(unit)
    return False


def _number_and_unit(cell: str) -> tuple[str, str]:
    """A number and what is written behind it, apart or with a sign of its own; else nothing."""
    found = WITH_UNIT.fullmatch(cell)
    if found is None or number(found[1].replace(",", ".")) is None:
        return "", ""
    return found[1], found[2]


def no_number_hint(cell: str) -> str:
    """What to do with a cell that is not a number, where that can be told."""
    if cell.startswith("="):
        return "it is a formula whose value the file does not have: save it from the spreadsheet"
    if GROUPED.fullmatch(cell):
        return f"write '{GAP.sub('', cell).replace(',', '.')}'"
    if cell[:1] in ("<", ">") and number(cell[1:]) is not None:
        return "a bound is no number here: leave the row out"
    if BY_MARKS.fullmatch(cell):
        return "write it without marks between thousands"
    if number(cell.replace(",", ".")) is not None:
        return "write a decimal point"
    unit = _number_and_unit(cell)[1]
    if unit:
        with contextlib.suppress(InputError):
            check_unit(unit)
            return f"write the number alone, and the unit in the heading: '[{unit}]'"
    with contextlib.suppress(ValueError):
        if LARGEST < abs(float(cell)) < math.inf:
            return f"numbers are {LARGEST:g} at most, so that their squares are finite"
    return ""


def read_table(path: Path) -> Table:
    """Reads a CSV file (UTF-8; comma, semicolon or tab; quoted cells; the first row is the header).

    A first line `sep=;`, as Excel writes it, names the delimiter. Blank lines are skipped, and so
    are empty columns at the end; spaces around cells do not count. Where commas do not separate
    cells, and no number has a decimal point, a comma is one: `3,5` is read as `3.5`.

    Raises:
        FileProblems: it cannot be read, has no header or no rows, or rows of another length.
    """
    text = read_text(path, MAX_BYTES)
    named = NAMED_DELIMITER.match(text)
    delimiter = named[1] if named else _delimiter(text)
    records = _records(text, delimiter, str(path))
    if named:
        next(records, None)
    first, header = next(records, (0, []))
    if not header:
        raise FileProblems(str(path), [Problem("the table is empty")])
    width = max(place for place, name in enumerate(header, start=1) if name)
    problems = _header_problems(header[:width], first)
    lines: list[int] = []
    filled: set[int] = set()

    def rows() -> Iterator[list[str]]:
        for line, cells in records:
            if len(cells) == len(header):
                lines.append(line)
                filled.update(n for n in range(width, len(cells)) if cells[n])
                yield cells[:width]
                continue
            message = f"the row has {len(cells)} cells where the header has {len(header)}"
            hint = "quote a cell that contains the delimiter" if len(cells) > len(header) else ""
            problems.append(
                Problem(message, hint or "an empty cell has its delimiter, too", line, 1)
            )

    body = Cells(rows(), width)
    problems += [Problem(f"column {n + 1} has no name", "", first, 1) for n in sorted(filled)]
    if not body and not problems:
        problems.append(Problem("the table has a header but no rows"))
    if problems:
        raise FileProblems(str(path), problems)
    return Table(
        source=str(path),
        columns=tuple(header[:width]),
        rows=body if delimiter == "," else _with_points(body),
        lines=tuple(lines),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _records(text: str, delimiter: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line on which each begins."""
    line, lines = 1, (found[0] for found in LINE.finditer(text))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileProblems(source, [Problem(f"it is not a table: {error}", "", line, 1)]) from None


def _with_points(body: Cells) -> Cells:
    """Rows with decimal points, where the numbers have commas and none has a point."""
    if any(WITH_POINT.fullmatch(cell) for row in body for cell in row):
        return body
    if not any(WITH_COMMA.fullmatch(cell) for row in body for cell in row):
        return body
    with_points = (
        [c.replace(",", ".") if WITH_COMMA.fullmatch(c) else c for c in row] for row in body
    )
    return Cells(with_points, body.width)


def _delimiter(text: str) -> str:
    """The one that stands most often in the first line, outside of quotes."""
    lines = (found[0] for found in LINE.finditer(text))
    header = next((line for line in lines if line.strip()), "")
    unquoted = "".join(header.split('"')[::2])
    return max(",;\t", key=unquoted.count)


def _header_problems(header: list[str], line: int) -> list[Problem]:
    problems = []
    for index, name in enumerate(header):
        if not name:
            hint = NO_INDEX if index == 0 else TITLE if header.count("") > 1 else ""
            problems.append(Problem(f"column {index + 1} has no name", hint, line, 1))
        elif name in header[:index]:
            problems.append(Problem(f"two columns are named '{name}'", "", line, 1))
    return problems
