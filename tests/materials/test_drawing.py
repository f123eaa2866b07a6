"""Drawings of materials: whole SVG documents without a ground, the same again."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import pytest
from ase.build import bulk
from ase.io import write

from orchestrator.materials.drawing import Crystals, Molecules, depiction_of

SVG = "{http://www.w3.org/2000/svg}"


def text_of(name: str, **lattice: object) -> str:
    file = io.StringIO()
    write(file, bulk(name, **lattice), format="extxyz")
    return file.getvalue()


@pytest.mark.parametrize("smiles", ["CCO", "*CC(c1ccccc1)*", "[Na+].[Cl-]", "C"])
def test_a_molecule_or_a_repeat_unit_is_drawn_on_no_ground_and_the_same_again(smiles: str) -> None:
    svg = Molecules().svg(smiles)
    assert svg is not None
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"
    assert "<rect" not in svg
    assert Molecules().svg(smiles) == svg


def test_the_parts_of_a_mixture_stand_side_by_side() -> None:
    one, two = Molecules().svg("CCO"), Molecules().svg("0.3 CCO | 0.7 O")
    assert one is not None
    assert two is not None
    widths = [int(ElementTree.fromstring(svg).attrib["width"]) for svg in (one, two)]
    assert widths[1] == 2 * widths[0]


def test_a_picture_of_a_molecule_is_a_png() -> None:
    found = Molecules().png("CCO")
    assert found is not None
    assert found.startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize("text", ["C(C", "", "not a material"])
def test_what_cannot_be_read_is_not_drawn(text: str) -> None:
    assert Molecules().svg(text) is None
    assert Molecules().png(text) is None
    assert Crystals().svg(text) is None


def test_a_crystal_is_drawn_with_the_atoms_on_its_faces_twice() -> None:
    svg = Crystals().svg(text_of("NaCl", crystalstructure="rocksalt", a=5.64, cubic=True))
    assert svg is not None
    balls = ElementTree.fromstring(svg).findall(f"{SVG}circle")
    names = [ball.findtext(f"{SVG}title") for ball in balls]
    assert (names.count("Na"), names.count("Cl")) == (14, 13)  # 8/8 + 6/2 = 12/4 + 1 = 4 each
    assert len(ElementTree.fromstring(svg).findall(f"{SVG}line")) == 12


def test_a_crystal_is_drawn_as_a_picture_too() -> None:
    found = Crystals().png(text_of("Cu", crystalstructure="fcc", a=3.6))
    assert found is not None
    assert found.startswith(b"\x89PNG\r\n")


def test_a_cell_of_more_atoms_than_can_be_told_apart_is_not_drawn() -> None:
    file = io.StringIO()
    write(file, bulk("Cu", cubic=True).repeat((5, 5, 5)), format="extxyz")
    assert Crystals().svg(file.getvalue()) is None
    assert Crystals().png(file.getvalue()) is None


def test_what_has_no_shape_is_not_taken_for_a_molecule() -> None:
    assert depiction_of("composition") is None  # CO is not methanol
    assert isinstance(depiction_of("crystal"), Crystals)
    assert isinstance(depiction_of("polymer-morgan"), Molecules)


def test_a_molecule_of_too_many_atoms_is_not_drawn() -> None:
    assert Molecules().svg("C" * 300) is not None
    assert Molecules().svg("C" * 301) is None
    assert Molecules().png("C" * 301) is None
