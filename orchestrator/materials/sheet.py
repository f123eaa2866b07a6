"""A sheet of materials for people: XLSX with a picture in each row, and SDF."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import INSTALL, molecule, rdkit
from orchestrator.materials.descriptors.weighted import parts_of

Cell: TypeAlias = float | int | str | None
PICTURE = (152, 98)
"""Pixels, width and height, that a picture has in its cell at most."""
ROW_HEIGHT = 76.0
"""Points: a picture, and a little air."""
MOST_ATOMS = 999
"""That a V2000 table has room for; more would take minutes to be laid out."""
N_FROZEN = 3
"""Columns that stay in sight."""


@dataclass(frozen=True)
class Column:
    """A column: its heading, its width in characters, how its numbers are shown, and the words that
    may be chosen in its cells."""

    title: str
    width: float = 12.0
    shown: str = "0.000"
    choices: tuple[str, ...] = ()


def write_xlsx(
    path: Path,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    pictures: Sequence[bytes | None] = (),
    notes: Sequence[str] = (),
    *,
    sheet_name: str = "trials",
) -> Path:
    """Writes `rows` under `columns`, perhaps with a picture (PNG, or None) of each row in the
    second one, and `notes` on a sheet of their own. Texts stay texts, whatever they look like.

    Raises:
        InputError: XlsxWriter is not installed, or the file cannot be written.
    """
    book = _workbook(path)
    sheet = book.add_worksheet(sheet_name)
    sheet.set_row(0, 48)
    for place, column in enumerate(columns):
        _fill(book, sheet, place, column, [row[place] for row in rows])
    for number, picture in enumerate(pictures, 1):
        if picture is not None:
            sheet.set_row(number, ROW_HEIGHT)
            sheet.insert_image(number, 1, "", _placed(picture))
    sheet.freeze_panes(1, N_FROZEN)
    sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    if notes:
        said = book.add_worksheet("notes")
        said.set_column(0, 0, 100, book.add_format({"text_wrap": True}))
        for number, note in enumerate(notes):
            said.write_string(number, 0, note)
    return _closed(book, path)


def _workbook(path: Path) -> Any:
    try:
        import xlsxwriter
    except ImportError as error:
        raise InputError(
            "XLSX is written by XlsxWriter, which is not installed",
            hint=f"{INSTALL}, or give a name that ends in .csv",
        ) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    return xlsxwriter.Workbook(str(path), {"nan_inf_to_errors": True})


def _closed(book: Any, path: Path) -> Path:
    from xlsxwriter.exceptions import FileCreateError

    try:
        book.close()
    except FileCreateError as error:
        raise InputError(
            f"'{path}' cannot be written: {error}", hint="close it, or choose another path"
        ) from error
    return path


def _fill(book: Any, sheet: Any, place: int, column: Column, cells: Sequence[Cell]) -> None:
    heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    form = book.add_format({"valign": "vcenter", "text_wrap": True, "num_format": column.shown})
    sheet.set_column(place, place, column.width, form)
    sheet.write_string(0, place, column.title, heading)
    if column.choices:
        allowed = {"validate": "list", "source": list(column.choices)}
        sheet.data_validation(1, place, max(len(cells), 1), place, allowed)
    for row, cell in enumerate(cells, 1):
        _write(sheet, row, place, cell, form)


def _write(sheet: Any, row: int, place: int, cell: Cell, form: Any) -> None:
    if isinstance(cell, str) and cell:
        sheet.write_string(row, place, cell, form)
    elif isinstance(cell, int | float):
        sheet.write_number(row, place, cell, form)


def _placed(picture: bytes) -> Mapping[str, Any]:
    # where a PNG's header has them
    sides = (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big"))
    scale = min(most / side for most, side in zip(PICTURE, sides, strict=True))
    return {
        "image_data": io.BytesIO(picture),
        "x_scale": scale,
        "y_scale": scale,
        "x_offset": 2,
        "y_offset": 2,
        "object_position": 1,
    }


def write_sdf(path: Path, rows: Sequence[tuple[str, str, Mapping[str, Cell]]]) -> int:
    """Writes name, material and properties of each row that is a molecule, a repeat unit or a
    mixture of these, with coordinates in the plane. Gives how many were left out.

    Raises:
        MissingExtra: rdkit is not installed.
    """
    left_out, written = 0, []
    for name, material, properties in rows:
        found = _flat(material)
        if found is None:
            left_out += 1
            continue
        found.SetProp("_Name", name.replace("\n", " ")[:80])
        for title, cell in properties.items():
            if cell is not None and cell != "":
                found.SetProp(title, str(cell))
        written.append(found)
    file = io.StringIO()
    writer = rdkit().SDWriter(file)
    for found in written:
        writer.write(found)
    writer.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file.getvalue(), encoding="utf-8")
    return left_out


def _flat(material: str) -> Any:
    """The rdkit molecule of all parts, laid out; None where it cannot be read or has no room."""
    try:
        parts = [molecule(part) for _, part in parts_of(material)]
    except InputError:
        return None
    whole = parts[0]
    for part in parts[1:]:
        whole = rdkit().CombineMols(whole, part)
    if whole.GetNumAtoms() > MOST_ATOMS:
        return None
    rdkit("Chem.AllChem").Compute2DCoords(whole)
    return whole
