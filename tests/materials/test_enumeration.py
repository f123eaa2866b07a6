"""Pools that are counted out: as many as the literature counts, each once, symmetry and all."""

from __future__ import annotations

import csv
import importlib.util
import io
import itertools
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from ase.neighborlist import neighbor_list
from typer.testing import CliRunner

from orchestrator.cli.app import app
from orchestrator.errors import InputError, UnknownName
from orchestrator.materials.descriptors.crystal import Crystal
from orchestrator.materials.descriptors.structure_text import crystal_of
from orchestrator.materials.enumeration.decorations import LATTICES, decorated, decorations
from orchestrator.materials.enumeration.perovskites import double_perovskites, perovskites

POOL = Path(__file__).parents[2] / "campaigns" / "alloy_screening" / "candidates.csv"


def group_of(text: str) -> str:
    """The space group of a structure; skips where nothing can tell."""
    spglib = pytest.importorskip("spglib", reason="needs spglib")
    atoms = crystal_of(text)
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it means to change
        return str(spglib.get_spacegroup(cell, symprec=1e-3)).partition(" ")[0]


@pytest.mark.parametrize("lattice", ["fcc", "bcc"])
def test_there_are_as_many_binary_decorations_as_hart_and_forcade_count(lattice: str) -> None:
    """Table IV of doi:10.1103/PhysRevB.77.224115 takes A3B and AB3 for one. Of an odd number of
    sites no decoration is its own exchange, so that ours are twice as many."""
    found = Counter(len(one.kinds) for one in decorations(LATTICES[lattice], 2, 7))
    assert found[2] == 2
    assert [found[n] / 2 for n in (3, 5, 7)] == [3, 14, 52]
    of_four = [sum(one.kinds) for one in decorations(LATTICES[lattice], 2, 4) if len(one.kinds) > 3]
    assert of_four.count(1) == of_four.count(3)
    assert of_four.count(1) + of_four.count(2) == 12


def test_no_two_decorations_are_one_crystal_in_another_cell() -> None:
    rows = decorated("fcc", ["Ag", "Cu"], 5, 2)
    texts = [row["structure"] for row in rows]
    reader = Crystal()
    assert len(rows) == 55
    assert len({row["name"] for row in rows}) == len(rows)
    assert reader.first_of_each(texts, reader.describe(texts)) == list(range(len(texts)))


def test_the_named_orderings_are_among_them() -> None:
    """L1_0, L1_1, L1_2 and D0_22 by their space groups."""
    found = {
        (row["formula"], group_of(row["structure"])) for row in decorated("fcc", ["Cu", "Au"], 4, 2)
    }
    for formula, group in (("CuAu", "P4/mmm"), ("CuAu", "R-3m"), ("Cu3Au", "Pm-3m")):
        assert (formula, group) in found
    assert ("CuAu3", "I4/mmm") in found


@pytest.mark.parametrize(
    ("lattice", "elements", "atoms", "kinds", "said"),
    [
        ("fcc", "Cu Xx", 3, 2, "'Xx' in 'Xx' is not an element"),
        ("fcc", "Cu", 3, 2, "2 of 1 elements make no ordered alloy"),
        ("fcc", "Cu Ni", 30, 2, "a cell has 2 to 10 atoms"),
        ("hcp", "Cu Ni", 3, 2, "'hcp' is not a lattice"),
    ],
)
def test_what_cannot_be_decorated_is_said(
    lattice: str, elements: str, atoms: int, kinds: int, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        decorated(lattice, elements.split(), atoms, kinds)


def test_the_pool_of_the_campaign_is_what_its_command_writes(tmp_path: Path) -> None:
    file = tmp_path / "candidates.csv"
    words = "--lattice fcc --elements Ag,Au,Cu,Ni,Pd,Pt --atoms 6"
    answer = CliRunner().invoke(app, ["new", "pool", str(file), *words.split()])
    assert answer.exit_code == 0, answer.output
    assert "wrote 2025 candidates" in answer.output
    texts = file.read_text(), POOL.read_text()
    written, kept = (list(csv.DictReader(io.StringIO(text, newline=""))) for text in texts)
    assert [row["name"] for row in written] == [row["name"] for row in kept]
    for one, other in zip(written[::20], kept[::20], strict=True):
        # which of two equal vectors spans a cell is the processor's rounding
        assert _distances(one["structure"]) == pytest.approx(
            _distances(other["structure"]), abs=2e-4
        )


def _distances(text: str) -> list[float]:
    """Of each atom from all that are near it, in angstrom, shortest first."""
    atoms = read(io.StringIO(text), format="extxyz")
    return [*sorted(neighbor_list("d", atoms, 6.0).tolist()), float(atoms.get_volume())]


MANY = ("Sr", "Ba", "Ca", "Ti", "Zr", "La", "Al", "O", "F", "K", "Mg")
needs_smact = pytest.mark.skipif(
    importlib.util.find_spec("smact") is None, reason="needs smact (the extra 'screening')"
)


@needs_smact
def test_perovskites_are_neutral_and_their_ions_touch() -> None:
    rows = {row["name"]: row for row in perovskites(MANY)}
    assert {"SrTiO3", "LaAlO3", "KMgF3"} <= set(rows)
    assert "SrAlO3" not in rows
    titanate = rows["SrTiO3"]
    assert titanate["ions"] == "Sr2+ Ti4+ O2-"
    assert float(titanate["tolerance_factor"]) == pytest.approx(1.002, abs=0.001)
    atoms = crystal_of(titanate["structure"])
    assert group_of(titanate["structure"]) == "Pm-3m"
    assert atoms.get_distance(1, 2, mic=True) == pytest.approx(0.605 + 1.40)


@needs_smact
def test_double_perovskites_have_the_cell_of_the_elpasolite() -> None:
    rows = double_perovskites(["Sr", "Fe", "Mo", "O", "Ti", "Nb"])
    names = {row["name"] for row in rows}
    assert "Sr2FeMoO6" in names
    assert len(names) == len(rows)
    row = next(row for row in rows if row["name"] == "Sr2FeMoO6")
    assert group_of(row["structure"]) == "Fm-3m"
    narrow = double_perovskites(["Sr", "Fe", "Mo", "O", "Ti", "Nb"], (0.98, 1.0))
    assert 0 < len(narrow) < len(rows)
    assert all(0.98 <= float(row["tolerance_factor"]) <= 1 for row in narrow)


@needs_smact
def test_an_element_without_radii_is_named() -> None:
    with pytest.raises(UnknownName, match="'Zz' is not an element whose ions"):
        perovskites(["Zz", "O"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("x.csv", "a pool is of a prototype or of a lattice"),
        ("x.csv --lattice fcc", "which elements"),
        ("x.txt --lattice fcc --elements Cu,Ni", "no name of a table"),
        ("x.csv --prototype spinel", "'spinel' is not a prototype"),
        ("x.csv --prototype perovskite --tolerance 1,0.8", "no two bounds"),
    ],
)
def test_the_command_says_what_it_needs(words: str, said: str, tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["new", "pool", *f"{tmp_path}/{words}".split()])
    assert answer.exit_code == 2
    assert said in answer.output


def test_the_rows_are_a_table_whose_structures_are_last(tmp_path: Path) -> None:
    with POOL.open(newline="") as file:
        table = csv.DictReader(file)
        first = list(itertools.islice(table, 3))
    assert table.fieldnames == ["name", "formula", "atoms", "structure"]
    volumes = [crystal_of(row["structure"]).cell.volume for row in first]
    assert all(np.isfinite(volumes))
