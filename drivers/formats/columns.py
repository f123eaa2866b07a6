"""Columns of text: CSV, TXT, XY, DAT and what else instruments export for spreadsheets.

What separates cells (tab, semicolon, comma, blanks) and whether a comma is a decimal one is found
out: by whichever reading most lines are numbers. Lines before the numbers are a heading: facts
(`Integration time: 100 ms`), and in the last line names with units (`Wavelength [nm]`), or names
above units. Without names the columns are `x`, `y`, `c3`, `c4` ...; a single one is `y`. Lines that
begin with #, !, % or ' are comments. What can be read in two ways is refused: commas that may set
thousands apart, and several scans below each other. So is what was cut off, as far as it can be
told: fewer rows than its heading announces, or a last line without a line break whose last number
has fewer decimals than that of all others. A whole number, or one of decimals that vary, may be cut
unseen.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from drivers.formats.spelling import name_and_unit, unit_of
from orchestrator.errors import InputError
from orchestrator.model.quantity import check_unit
from orchestrator.model.scan import Column, Scan

_COMMENT = "#!%'"
_FACT = re.compile(r"\s*([^:=\t;]{1,60}?)\s*[:=\t;]\s*(\S.*)")
_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_ANNOUNCED = re.compile(r"(number of|no\. of|#) ?(data ?)?(points|pixels|rows)( in .*)?", re.I)
_N_ALIKE = 10
"""So many numbers of as many decimals are no chance."""
_N_SAMPLE = 2000

Cut = Callable[[str], list[str]]


@dataclass(frozen=True)
class _Reading:
    """One way to read a line: how it is cut, and what its decimal mark is."""

    cut: Cut
    mark: str

    def cells(self, line: str) -> list[str]:
        cells = [cell.strip().strip('"') for cell in self.cut(line)]
        while cells and not cells[-1]:  # a separator at the end of each line
            cells.pop()
        return cells

    def row(self, line: str) -> list[float] | None:
        """The numbers of a line; None where a cell is none."""
        row = [self._number(cell) for cell in self.cells(line)]
        return [v for v in row if v is not None] if row and None not in row else None

    def starts(self, line: str) -> bool:
        """Whether the first cell is a number."""
        cells = self.cells(line)
        return bool(cells) and self._number(cells[0]) is not None

    def _number(self, cell: str) -> float | None:
        if self.mark == ",":
            if "." in cell:
                return None
            cell = cell.replace(",", ".")
        try:
            value = float(cell.replace("\N{MINUS SIGN}", "-"))
        except ValueError:
            return None
        return value if math.isfinite(value) and "_" not in cell else None


def _cut_at(sign: str) -> Cut:
    """Cuts a line at a sign, save where that stands between quotation marks."""

    def cut(line: str) -> list[str]:
        if '"' not in line:
            return line.split(sign)
        try:
            return next(csv.reader([line], delimiter=sign, skipinitialspace=True), [])
        except csv.Error:
            return line.split(sign)

    return cut


_SIGNS = (*map(_cut_at, "\t;,"), str.split)
_READINGS = tuple(_Reading(cut, mark) for mark in ".," for cut in _SIGNS)


def parse(data: bytes) -> Scan:
    """The columns of a text.

    Raises:
        InputError: it has no rows of numbers, a row that breaks off, several scans, or commas
            that can be read in two ways, or it was cut off.
    """
    text = _text(data).replace("\r\r\n", "\n")
    lines = text.splitlines()
    reading = max(_READINGS, key=lambda r: _score(r, lines))
    first = next((i for i, line in enumerate(lines) if _is_row(reading, line)), None)
    if first is None:
        raise InputError("it has no rows of numbers")
    rows = _rows(reading, lines, first)
    n = len(rows[0])
    heading = [line for line in lines[:first] if line.strip()]
    _refuse_doubt(reading, heading, lines[first:], n)
    names, n_used = _names(reading, heading, n)
    columns = tuple(
        Column(name, tuple(row[i] for row in rows), unit) for i, (name, unit) in enumerate(names)
    )
    found = (_FACT.fullmatch(_bare(line)) for line in heading[: len(heading) - n_used])
    facts = {m[1].strip('" '): m[2].strip('" ') for m in found if m}
    _refuse_fewer(len(rows), facts)
    if not text.endswith(("\n", "\r")):
        _refuse_cut(reading, [line for line in lines[first:] if _is_row(reading, line)], lines[-1])
    return Scan(columns, facts)


def _refuse_fewer(n_rows: int, facts: Mapping[str, str]) -> None:
    for name, value in facts.items():
        if _ANNOUNCED.fullmatch(name) and value.isdecimal() and n_rows < int(value):
            raise InputError(
                f"its heading says '{name}: {value}', and it has {n_rows} rows",
                hint="the file may be cut off",
            )


def _refuse_cut(reading: _Reading, rows: Sequence[str], last: str) -> None:
    """Accepts a last row, which no line break ends."""
    *before, end = (_decimals(reading.cells(row)[-1], reading.mark) for row in rows)
    alike = set(before)
    if rows[-1] == last and len(before) >= _N_ALIKE and len(alike) == 1 and end < alike.pop():
        raise InputError(
            f"its last line breaks off: '{last.strip()[:60]}'",
            hint="no line break ends it, and its last number has fewer digits than all others",
        )


def _decimals(cell: str, mark: str) -> tuple[int, int]:
    """How many digits a number has in its exponent and after its mark."""
    mantissa, _, exponent = cell.lower().partition("e")
    return len(exponent.lstrip("+-")), len(mantissa.partition(mark)[2])


def _text(data: bytes) -> str:
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\x00" in text:
        raise InputError("it is no text")
    return text


def _score(reading: _Reading, lines: Sequence[str]) -> tuple[int, int]:
    """How many lines are numbers, and how many columns they have."""
    widths = [len(row) for line in lines[:_N_SAMPLE] if (row := reading.row(line))]
    return len(widths), min(max(widths, default=0), 2)


def _is_row(reading: _Reading, line: str) -> bool:
    return reading.row(line) is not None


def _refuse_doubt(reading: _Reading, heading: Sequence[str], below: Sequence[str], n: int) -> None:
    """Raises InputError: the row above the first has no numbers, or commas may be of two kinds."""
    last = heading[-1].strip() if heading else ""
    if n > 1 and last and last[0] not in _COMMENT:
        cells = reading.cells(last)
        is_longer = len(cells) > n and reading.cut is not str.split  # a row with a remark
        if (len(cells) == n or is_longer) and _starts_like_a_number(reading, last):
            raise InputError(f"the line above its first row is no row of numbers: '{last[:60]}'")
        rows = [line.strip() for line in below if reading.row(line)]
        if len(cells) < n <= 2 * len(cells) and _may_be_decimal(rows, n - len(cells)):
            what = "one number or two" if n == 2 else f"{len(cells)} numbers or {n}"
            sentence = f"'{below[0].strip()[:60]}' may be {what}"
            raise InputError(sentence, hint="export it with decimal points, or with semicolons")
    if reading.mark == ",":
        table = [reading.cells(line) for line in below if reading.row(line)]
        if not all(_may_be_thousands(cell) for row in table for cell in row):
            return  # one decimal comma shows what the others are
        for column in zip(*table, strict=False):
            with_comma = [cell for cell in column if "," in cell]
            if 0 < len(with_comma) < len(column):
                sentence = f"the comma of '{with_comma[0]}' may set thousands apart"
                raise InputError(sentence, hint="export it without marks between thousands")


def _starts_like_a_number(reading: _Reading, line: str) -> bool:
    return reading.starts(line) or reading.cells(line)[0].lower() in ("nan", "inf", "-inf", "")


def _may_be_decimal(rows: Sequence[str], n_marks: int) -> bool:
    """Whether each row is digits and commas, so many of which, without a blank behind them, that
    they may be decimal ones."""
    one = r"[+-]?\d+(?:[eE][+-]?\d+)?"
    form, mark = re.compile(rf"{one}(?:,\s*{one})+"), re.compile(r"(?<=\d),(?=\d)")
    return all(form.fullmatch(row) and len(mark.findall(row)) >= n_marks for row in rows)


def _may_be_thousands(cell: str) -> bool:
    return "," not in cell or _THOUSANDS.fullmatch(cell) is not None


def _rows(reading: _Reading, lines: Sequence[str], first: int) -> list[list[float]]:
    rows: list[list[float]] = []
    has_gap = False
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip() or line.lstrip()[0] in _COMMENT:
            has_gap = True
            continue
        row = reading.row(line)
        if row is None:
            rest = [r for r in lines[number - 1 :] if r.strip()]
            if any(reading.starts(r) for r in rest):
                raise InputError(f"line {number} is no row of numbers: '{line.strip()[:60]}'")
            break  # words after the last row
        if rows and len(row) != len(rows[0]):
            raise InputError(
                f"line {number} has {len(row)} numbers where those before have {len(rows[0])}",
                hint="the file may be cut off",
            )
        if has_gap and _turns_back(rows, row):
            raise InputError(f"a second scan begins at line {number}", hint="one scan a file")
        has_gap = False
        rows.append(row)
    return rows


def _turns_back(rows: Sequence[Sequence[float]], row: Sequence[float]) -> bool:
    """Whether the first column goes, with this row, against the direction it began with."""
    if len(rows) < 2 or len(row) < 2:
        return False
    return (rows[1][0] - rows[0][0]) * (row[0] - rows[-1][0]) <= 0 and rows[1][0] != rows[0][0]


def _bare(line: str) -> str:
    return line.strip().lstrip(_COMMENT).strip()


def _names(reading: _Reading, heading: Sequence[str], n: int) -> tuple[list[tuple[str, str]], int]:
    """Name and unit of each column, and how many lines of the heading said so."""
    cells = [reading.cells(_bare(line)) for line in heading[-2:]]
    if cells and len(cells[-1]) == n and n > 1 and len(cells) == 2 and len(cells[0]) == n:
        units = [unit_of(cell.strip("[]() ")) for cell in cells[-1]]
        if all(map(_exists, units)):
            return _distinct(list(zip(cells[0], units, strict=True))), 2
    if cells and len(cells[-1]) == n and (n > 1 or not _FACT.fullmatch(_bare(heading[-1]))):
        return _distinct([name_and_unit(cell) for cell in cells[-1]]), 1
    usual = ["y"] if n == 1 else ["x", "y", *(f"c{i}" for i in range(3, n + 1))]
    return [(name, "") for name in usual], 0


def _exists(unit: str) -> bool:
    try:
        check_unit(unit)
    except InputError:
        return False
    return True


def _distinct(names: list[tuple[str, str]]) -> list[tuple[str, str]]:
    seen: set[str] = set()
    for name, _ in names:
        if name in seen:
            raise InputError(f"two of its columns are named '{name}'")
        seen.add(name)
    return names
