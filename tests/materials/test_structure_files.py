"""Pools of structures from folders, databases and files of frames, as users have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from ase.constraints import FixAtoms, FixBondLength, FixCartesian, FixCom, FixedLine
from ase.db import connect
from ase.io import write

from orchestrator.errors import FileProblems, InputError
from orchestrator.files.describing import Kinds
from orchestrator.files.pools import read_pool
from orchestrator.files.space_shapes import PoolShape
from orchestrator.materials.structure_files import is_of_structures, read_structures
from orchestrator.model.space import Pool
from orchestrator.plugins import descriptor

KINDS = Kinds(descriptors=descriptor, is_of_structures=is_of_structures, structures=read_structures)


def ordered(a: str, b: str) -> Any:
    sites = [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    return Atoms([a, b, b, b], scaled_positions=sites, cell=[3.9] * 3, pbc=True)


def another_cell(atoms: Any) -> Any:
    """The same crystal: doubled, its atoms in another order, turned."""
    doubled = (atoms * (1, 2, 1))[[7, 3, 1, 0, 2, 4, 5, 6]]
    doubled.rotate(30, "z", rotate_cell=True)
    return doubled


def pool_of(folder: Path, source: str) -> Pool:
    return read_pool("crystal", PoolShape(pool=source), folder, KINDS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    below = tmp_path / "structures"
    (below / "CuPt3").mkdir(parents=True)
    write(below / "AgAu3.cif", ordered("Ag", "Au"))
    write(below / "CuPt3" / "POSCAR", ordered("Cu", "Pt"), format="vasp")
    write(below / "NiPd3.xyz", ordered("Ni", "Pd"), format="extxyz")
    (below / "README.md").write_text("where they are from")
    (below / ".hidden.cif").write_text("what an editor left")
    return tmp_path


def test_files_of_structures_that_are_not_read_are_set_aside_in_a_sentence(folder: Path) -> None:
    known = pool_of(folder, "structures/")
    (folder / "structures" / "mine.sdf").write_text("a molecule")
    pool = pool_of(folder, "structures/")
    assert pool.names == known.names
    assert pool.sha256 == known.sha256
    (aside,) = pool.set_aside
    assert aside.name == "mine.sdf"
    assert aside.why == "files of .sdf are not read: save it as .cif or .extxyz"


def test_a_folder_is_a_pool_whose_candidates_are_named_as_its_files(folder: Path) -> None:
    pool = pool_of(folder, "structures/")
    assert pool.names == ("AgAu3", "CuPt3", "NiPd3")
    assert pool.described[0].descriptor == "crystal"
    assert pool.words("CuPt3")["structure"] == (folder / "structures/CuPt3/POSCAR").read_text()
    assert pool.set_aside == ()


def test_files_of_one_name_have_their_whole_names(folder: Path) -> None:
    write(folder / "structures" / "AgAu3.vasp", ordered("Pd", "Au"))
    assert pool_of(folder, "structures").names == ("AgAu3.cif", "AgAu3.vasp", "CuPt3", "NiPd3")


def test_a_changed_folder_is_another_pool(folder: Path) -> None:
    before = pool_of(folder, "structures").sha256
    assert pool_of(folder, "structures").sha256 == before
    (folder / "structures" / "NiPd3.xyz").rename(folder / "structures" / "NiPd4.xyz")
    renamed = pool_of(folder, "structures").sha256
    write(folder / "structures" / "NiPd4.xyz", ordered("Ni", "Pt"), format="extxyz")
    assert len({before, renamed, pool_of(folder, "structures").sha256}) == 3


def test_every_file_that_is_no_candidate_is_named_at_once(folder: Path) -> None:
    below = folder / "structures"
    (below / "bad.cif").write_text("data_x\n_cell_length_a 3\n")
    (below / "empty.cif").touch()
    (below / "letter.cif").write_text("Dear Ada,\n")
    (below / "latin.cif").write_bytes(b"data_x \xe9\xff\n")
    text = (below / "NiPd3.xyz").read_text()
    (below / "unknown.xyz").write_text(text.replace("Ni ", "Zz "))
    (below / "two.xyz").write_text(text + text)
    write(below / "turned.vasp", another_cell(ordered("Cu", "Pt")))
    (below / "cut.vasp").write_text("Cu\n1.0\n3 0 0\n0 3 0\n")
    (below / "gone.cif").symlink_to(folder / "nowhere.cif")
    pool = pool_of(folder, "structures")
    assert pool.names == ("AgAu3", "CuPt3", "NiPd3")
    said = {row.place: row.why for row in pool.set_aside}
    assert said["bad.cif"].endswith("cannot be read as CIF: it is incomplete")
    assert said["empty.cif"] == "it is empty"
    assert said["letter.cif"] == "it is no CIF: it holds no data block"
    assert said["latin.cif"] == "it is not a text in UTF-8"
    assert said["two.xyz"].startswith("it holds 2 frames")
    assert said["unknown.xyz"].endswith("has 'Zz', which is not an element")
    assert said["cut.vasp"].endswith("cannot be read as POSCAR: it is incomplete")
    assert said["gone.cif"] == "it cannot be read: no such file or directory"
    assert said["turned.vasp"] == "it is the material of CuPt3/POSCAR again"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nothing/", "it holds no structure"),
        ("absent.db", "it cannot be read: no such file"),
        ("some.db", "it cannot be read as an ase.db"),
        ("one.cif", "it is one structure"),
        ("none.extxyz", "it holds no structure"),
        ("broken.extxyz", "frame 1: .*cannot be read(.|\n)*frame 2: "),
    ],
)
def test_a_source_without_structures_is_refused(source: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "some.db").write_text("no database")
    (tmp_path / "one.cif").write_text("data_x")
    (tmp_path / "none.extxyz").write_text("\n\n")
    (tmp_path / "broken.extxyz").write_text("1\n\nCu 0 0 zero\n2\n\nCu 0 0 0\n")
    with pytest.raises(FileProblems, match=said):
        pool_of(tmp_path, source)
    assert not (tmp_path / "absent.db").exists()


def test_frames_have_what_stands_in_their_second_lines_as_columns(tmp_path: Path) -> None:
    frames = [ordered("Ag", "Au"), ordered("Cu", "Pt"), another_cell(ordered("Ag", "Au"))]
    for frame, share in zip(frames, (0.25, 0.5, 0.75), strict=True):
        frame.info.update(share=share, origin="a paper", moments=[1, 2])
    write(tmp_path / "many.extxyz", frames)
    pool = pool_of(tmp_path, "many.extxyz")
    assert pool.names == ("many-1", "many-2")
    assert pool.texts["share"] == ("0.25", "0.5")
    assert pool.texts["origin"] == ("a paper", "a paper")
    assert "moments" not in pool.texts
    (again,) = pool.set_aside
    assert (again.place, again.name, again.same_as) == ("frame 3", "many-3", "many-1")


def test_frames_are_named_as_it_is_written(tmp_path: Path) -> None:
    frames = [ordered("Ag", "Au"), ordered("Cu", "Pt"), ordered("Pd", "Pt")]
    write(tmp_path / "many.extxyz", frames)
    text = (tmp_path / "many.extxyz").read_text()
    for name in ("007", "F", '"a b"'):
        text = text.replace(' pbc="T', f' name={name} pbc="t', 1)
    (tmp_path / "many.extxyz").write_text(text.replace('pbc="t', 'pbc="T'))
    assert pool_of(tmp_path, "many.extxyz").names == ("007", "F", "a b")


def test_a_database_has_its_key_value_pairs_as_columns(tmp_path: Path) -> None:
    with connect(tmp_path / "file.db") as database:
        for a, b, share in (("Ag", "Au", 0.25), ("Cu", "Pt", 0.5)):
            database.write(ordered(a, b), name=f"{a}{b}3", share=share, checked=True)
    pool = pool_of(tmp_path, "file.db")
    assert pool.names == ("AgAu3", "CuPt3")
    assert pool.texts["share"] == ("0.25", "0.5")
    assert pool.words("AgAu3")["structure"].startswith("4\nLattice=")


def test_a_constraint_that_would_be_left_away_sets_its_structure_aside(tmp_path: Path) -> None:
    held = {
        "atom": FixAtoms([0]),
        "along x": FixCartesian(0, (True, False, False)),
        "centre": FixCom(),
        "line": FixedLine(0, (0, 0, 1)),
        "bond": FixBondLength(0, 1),
    }
    with connect(tmp_path / "file.db") as database:
        for element, (name, constraint) in zip(
            ("Ag", "Al", "Au", "Ni", "Pt"), held.items(), strict=True
        ):
            crystal = ordered(element, "Cu")
            crystal.set_constraint(constraint)
            database.write(crystal, name=name)
    pool = pool_of(tmp_path, "file.db")
    assert pool.names == ("atom", "along x", "centre")
    assert [again.name for again in pool.set_aside] == ["line", "bond"]
    assert "holds atoms by FixedLine, which would be left away" in pool.set_aside[0].why


def test_a_crystal_stands_once_also_where_no_descriptor_reads_it(tmp_path: Path) -> None:
    frames = [ordered("Ag", "Au"), ordered("Cu", "Pt"), another_cell(ordered("Ag", "Au"))]
    water = Atoms("OH2", [[0, 0, 0], [0.76, 0.59, 0], [-0.76, 0.59, 0]])
    for frame, share in zip([*frames, water], (0.25, 0.5, 0.25, 0.1), strict=True):
        frame.info.update(share=share)
    write(tmp_path / "many.extxyz", [*frames, water])
    by_numbers = PoolShape(pool="many.extxyz", columns={"share": ""})
    pool = read_pool("crystal", by_numbers, tmp_path, KINDS)
    assert pool.names == ("many-1", "many-2", "many-4"), "a molecule is none of its business"
    assert pool.rows == ((0.25,), (0.5,), (0.1,))
    (again,) = pool.set_aside
    assert (again.place, again.same_as) == ("frame 3", "many-1")
    assert again.why == "it is the material of frame 1 again"
    # numbers that differ say that they are two
    frames[2].info["share"] = 0.3
    write(tmp_path / "many.extxyz", frames)
    assert len(read_pool("crystal", by_numbers, tmp_path, KINDS).names) == 3


def test_a_column_of_structures_without_a_descriptor_is_told_which_one_reads_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "pool.csv").write_text("name,structure\na,x\nb,y\n")
    with pytest.raises(InputError, match="needs a descriptor") as caught:
        read_pool("crystal", PoolShape(pool="pool.csv", structure="structure"), tmp_path, KINDS)
    assert caught.value.hint == "descriptor: crystal"
