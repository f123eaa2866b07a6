"""Sheets for people: a picture in its row, texts as they are, structures with their properties."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree import ElementTree

from rdkit import Chem

from orchestrator.materials.drawing import Molecules
from orchestrator.materials.sheet import Column, write_sdf, write_xlsx

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
COLUMNS = [Column("name"), Column("drawing"), Column("vote", choices=("+1", "-1"))]


def written(tmp_path: Path) -> zipfile.ZipFile:
    path = tmp_path / "deep" / "sheet.xlsx"
    pictures = [Molecules().png("CCO"), None]
    rows = [["=2+2", None, None], ["http://b", None, 1.5]]
    assert write_xlsx(path, COLUMNS, rows, pictures, ["a note"]) == path
    return zipfile.ZipFile(path)


def test_a_picture_lies_in_the_cell_of_its_row(tmp_path: Path) -> None:
    with written(tmp_path) as book:
        drawing = ElementTree.fromstring(book.read("xl/drawings/drawing1.xml"))
        (at,) = drawing.iter(f"{DRAWN}from")
        (to,) = drawing.iter(f"{DRAWN}to")
        assert (at.findtext(f"{DRAWN}row"), at.findtext(f"{DRAWN}col")) == ("1", "1")
        assert to.findtext(f"{DRAWN}row") == "1"


def test_a_text_is_never_taken_for_a_formula_or_a_link(tmp_path: Path) -> None:
    with written(tmp_path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet
        assert "=2+2" in book.read("xl/sharedStrings.xml").decode()


def test_the_header_stays_in_sight_and_a_vote_is_chosen_from_a_list(tmp_path: Path) -> None:
    with written(tmp_path) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
        (pane,) = sheet.iter(f"{MAIN}pane")
        assert (pane.get("state"), pane.get("ySplit")) == ("frozen", "1")
        (rule,) = sheet.iter(f"{MAIN}dataValidation")
        assert rule.get("sqref") == "C2:C3"


def test_an_sdf_has_flat_structures_with_their_properties(tmp_path: Path) -> None:
    path = tmp_path / "some.sdf"
    rows = [
        ("PE", "*CC*", {"rank": 1, "empty": None}),
        ("mixed", "0.3 CCO | 0.7 O", {"rank": 2}),
        ("none", "C(C", {"rank": 3}),
    ]
    assert write_sdf(path, rows) == 1
    unit, mixed = Chem.SDMolSupplier(str(path))
    assert (unit.GetProp("_Name"), unit.GetPropsAsDict()) == ("PE", {"rank": 1})
    assert unit.GetNumAtoms() == 4
    assert not unit.GetConformer().Is3D()
    assert len(Chem.GetMolFrags(mixed)) == 2


def test_what_an_sdf_has_no_room_for_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = [("long", "C" * 1000, {}), ("short", "CCO", {})]
    assert write_sdf(tmp_path / "s.sdf", rows) == 1
    assert (tmp_path / "s.sdf").read_text().startswith("short\n")
