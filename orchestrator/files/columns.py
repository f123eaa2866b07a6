"""Columns of a table of results: found by name, read in the unit that is wanted."""

from __future__ import annotations

import contextlib
import re

from orchestrator.errors import FileProblems, InputError, Problem, UnitMismatch, UnknownName
from orchestrator.files.table import Table, number
from orchestrator.model.quantity import check_unit, scale_offset

IN_PARENTHESES = re.compile(r"\(([^()]+)\)\s*$")
"""What may be a unit, and may be a remark."""
DEGREES = {"C": "degC", "F": "degF"}
"""How temperatures are written where nobody thinks of coulombs and farads."""


def split_header(column: str) -> tuple[str, str]:
    """`temperature [degC]` -> name and unit."""
    name, bracket, unit = column.partition("[")
    return name.strip(), unit.rstrip("] ").strip() if bracket else ""


def column_of(table: Table, name: str) -> str:
    """The table's column of a name, with or without its unit.

    Raises:
        UnknownName: there is none.
        InputError: there are several that differ in their unit only.
    """
    if name in table.columns:
        return name
    found = [c for c in table.columns if split_header(c)[0] == name]
    if len(found) > 1:
        raise InputError(f"{table.source} has two columns named '{name}': {', '.join(found)}")
    if not found:
        error = UnknownName(f"column of {table.source}", name, table.columns)
        error.hint = _in_brackets(table, name) or error.hint
        raise error
    return found[0]


def _in_brackets(table: Table, name: str) -> str:
    """Where the unit belongs, if a column is of that name with its unit in parentheses."""
    for column in table.columns:
        found = IN_PARENTHESES.search(column)
        if found is None or column[: found.start()].strip() != name:
            continue
        with contextlib.suppress(InputError):
            check_unit(found[1].strip())
            return f"write the unit in brackets: '{name} [{found[1].strip()}]'"
    return ""


def scale_of(column: str, unit: str, written: str = "") -> tuple[float, float]:
    """(a, b) with `a * cell + b` in `unit`; a column without a unit is in `written`, if that is
    said, else in `unit` already.

    Raises:
        UnitMismatch: its unit cannot be converted.
        InputError: its unit does not exist, or another one stands in parentheses.
    """
    written = split_header(column)[1] or written
    if not written:
        _refuse_other_unit(column, unit)
    if written in ("", unit):
        return 1.0, 0.0
    try:
        return scale_offset(written, unit)
    except UnitMismatch as error:
        raise UnitMismatch(f"column '{column}'", written, unit) from error
    except UnknownName as error:
        hint = f"{error.hint.rstrip('?')}; what is no unit stands without brackets"
        raise InputError(f"column '{column}': {error}", hint=hint) from error


def _refuse_other_unit(column: str, unit: str) -> None:
    """Accepts a heading without a unit, or with that which is wanted: `T (°C)` is no name of
    something in kelvin. Raises InputError."""
    found = IN_PARENTHESES.search(column)
    if found is None or not unit:
        return
    said = found[1].strip()
    for written in {said, DEGREES.get(said, said)}:
        try:
            is_other = scale_offset(written, unit) != (1.0, 0.0)
        except InputError:  # what stands there is no unit, or none of this
            continue
        if is_other:
            raise InputError(
                f"column '{column}' may be in '{said}', and is to be in '{unit}'",
                hint=f"write '{column[: found.start()].strip()} [{written}]', or without a unit",
            )


def difference_scale(column: str, unit: str) -> float:
    """What a difference (a standard deviation) in a column is multiplied with to be in `unit`.
    Raises as `scale_of`."""
    return scale_of(column, unit)[0]


def numbers_in(
    table: Table, column: str, unit: str, *, is_log: bool = False, written: str = ""
) -> tuple[float, ...]:
    """The numbers of a column in `unit`; `written` as in `scale_of`.

    Raises:
        FileProblems: a cell is no finite number (on a log scale: not above zero), with its line.
        UnitMismatch, InputError: as `scale_of`.
    """
    slope, offset = scale_of(column, unit, written)
    values = tuple(slope * v + offset for v in table.numbers(column))
    problems = [
        Problem(f"column '{column}' has {cell} where the scale is logarithmic", line=line)
        for line, value, cell in zip(table.lines, values, table.texts(column), strict=True)
        if is_log and value <= 0
    ]
    if problems:
        raise FileProblems(table.source, problems)
    return values


def number_in(cell: str, column: str, unit: str) -> float | None:
    """The number of a cell in `unit`; None where it is no finite number. Raises as `scale_of`."""
    slope, offset = scale_of(column, unit)
    value = number(cell)
    return None if value is None else slope * value + offset
