"""Vectors that are kept are those that would be computed."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.files.describing import describe
from orchestrator.files.space_shapes import PoolShape
from orchestrator.files.table import read_table
from orchestrator.materials.descriptors import remembered as kept
from orchestrator.materials.descriptors.crystal import Crystal
from orchestrator.materials.descriptors.mixture import Mixture
from orchestrator.materials.descriptors.molecule import Maccs, Morgan, RdkitQuantities
from orchestrator.materials.descriptors.process import Process
from orchestrator.materials.descriptors.remembered import Remembered, identity
from orchestrator.ports.descriptor import Content, Descriptor, canonical_forms
from orchestrator.runtime.load import KINDS

ALCOHOLS = ["C" * n + "O" for n in range(1, kept.LEAST + 1)]


@dataclass(frozen=True)
class Length:
    """The length of a text, and a note of how many it was asked for; as if it were one of ours."""

    asked: list[int] = field(default_factory=list, repr=False)

    names: ClassVar[Sequence[str]] = ("length",)
    units: ClassVar[Sequence[str]] = ("",)
    content: ClassVar[Content] = "dense"
    source: ClassVar[str] = ""

    def canonical(self, material: str) -> str:
        if " " in material:
            raise InputError(f"'{material}' is no word")
        return material

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        self.asked.append(len(materials))
        return np.array([[len(m) + 0.5] for m in materials], float).reshape(-1, 1)


Length.__module__ = "orchestrator.materials.descriptors.length"


@pytest.mark.parametrize("of", [Morgan(size=64), Maccs(), RdkitQuantities()], ids=repr)
def test_what_is_recalled_is_what_is_described(of: Descriptor, tmp_path: Path) -> None:
    expected = of.describe(ALCOHOLS)
    assert isinstance(Remembered(of, tmp_path), Descriptor)
    for _ in range(2):
        found = Remembered(of, tmp_path).describe(ALCOHOLS)
        assert (found == expected).all()
        assert found.dtype == np.float64
    assert len(list(tmp_path.rglob("*.npz"))) == 1


def test_materials_that_are_read_again_are_not_described_again(tmp_path: Path) -> None:
    for asked in ([100], []):
        of = Length()
        assert Remembered(of, tmp_path).describe(ALCOHOLS)[0, 0] == 2.5
        assert of.asked == asked


def test_other_materials_orders_spellings_and_options_are_described(tmp_path: Path) -> None:
    Remembered(Morgan(), tmp_path).describe(ALCOHOLS)
    for of, materials in (
        (Morgan(), ALCOHOLS[::-1]),
        (Morgan(), ["OC", *ALCOHOLS[1:]]),
        (Morgan(radius=3), ALCOHOLS),
    ):
        assert (Remembered(of, tmp_path).describe(materials) == of.describe(materials)).all()
    assert len(list(tmp_path.rglob("*.npz"))) == 4
    nested = {identity(Mixture(of=Morgan(size=size))) for size in (64, 128)}
    assert len({identity(Morgan()), identity(Morgan(radius=3)), *nested}) == 4


def test_few_materials_are_not_put_on_disk(tmp_path: Path) -> None:
    Remembered(Morgan(), tmp_path).describe(ALCOHOLS[1:])
    assert list(tmp_path.iterdir()) == []


def test_a_torn_file_is_computed_anew(tmp_path: Path) -> None:
    of = Maccs()
    expected = Remembered(of, tmp_path).describe(ALCOHOLS)
    (file,) = tmp_path.rglob("*.npz")
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]
    for torn in (b"", whole[:40], b"PK\x03\x04", flipped):
        file.write_bytes(torn)
        assert (Remembered(of, tmp_path).describe(ALCOHOLS) == expected).all()
        assert file.read_bytes() != torn


def _written(directory: Path) -> bool:
    found = Remembered(Maccs(), directory).describe(ALCOHOLS)
    return bool((found == Maccs().describe(ALCOHOLS)).all())


def test_processes_share_a_directory(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert all(pool.map(_written, [tmp_path] * 4, chunksize=1))
    assert len(list(tmp_path.rglob("*.npz"))) == 1
    assert list(tmp_path.rglob("*.half")) == []


def test_where_nothing_can_be_written_it_is_computed_each_time(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    assert len(Remembered(Morgan(), file).describe(ALCOHOLS)) == len(ALCOHOLS)


def test_the_files_that_were_not_asked_for_longest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_FILES", 2)
    of = Remembered(Morgan(size=64), tmp_path)
    tables = [["N" * (n + 1), *ALCOHOLS] for n in range(3)]
    of.describe(tables[0])
    (first,) = tmp_path.rglob("*.npz")
    os.utime(first, (1, 1))
    of.describe(tables[1])
    of.describe(tables[0])  # asked for again
    assert first.stat().st_mtime > 1
    (second,) = [file for file in tmp_path.rglob("*.npz") if file != first]
    os.utime(second, (1, 1))
    of.describe(tables[2])
    assert first.exists()
    assert not second.exists()


def test_a_descriptor_of_which_nobody_knows_when_it_changes_is_not_kept(tmp_path: Path) -> None:
    class Silent(Morgan):
        __repr__ = object.__repr__

    class Theirs(Morgan):
        pass

    Theirs.__module__ = "their.package"
    for of in (Silent(), Theirs(), Mixture(of=Theirs())):
        assert identity(of) is None
        Remembered(of, tmp_path).describe(ALCOHOLS)
    assert list(tmp_path.iterdir()) == []


def test_what_else_a_descriptor_has_is_still_there(tmp_path: Path) -> None:
    process = Process(parameters={"time": "h"})
    assert Remembered(process, tmp_path).identifies is False
    assert hasattr(Remembered(Crystal(), tmp_path), "first_of_each")
    assert not hasattr(Remembered(Morgan(), tmp_path), "first_of_each")


def test_canonical_forms_are_found_once_and_so_is_why_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [*ALCOHOLS[:-1], "C1CC"]
    forms, unread = canonical_forms(Remembered(Morgan(), tmp_path), texts)
    assert forms == [*ALCOHOLS[:-1], ""]
    assert [place for place, _ in unread] == [len(texts) - 1]
    assert "'C1CC' is not a molecule" in unread[0][1]
    monkeypatch.setattr(Morgan, "canonical", lambda *_: pytest.fail("it is read again"))
    assert canonical_forms(Remembered(Morgan(), tmp_path), texts) == (forms, unread)


def test_what_is_not_installed_is_no_fault_of_a_material(tmp_path: Path) -> None:
    class NotInstalled(Morgan):
        def canonical(self, material: str) -> str:
            raise InputError("rdkit is not installed", hint="pip install rdkit")

    with pytest.raises(InputError, match="not installed"):
        canonical_forms(Remembered(NotInstalled(), tmp_path), ALCOHOLS)


def test_which_crystals_are_the_same_is_found_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [f"1\nLattice='{a} 0 0 0 {a} 0 0 0 {a}' pbc='T T T'\nCu 0 0 0\n" for a in (3.6, 3.7)]
    texts = [cells[k % 2] for k in range(kept.LEAST)]
    vectors = Crystal().describe(texts)
    expected = [k % 2 for k in range(kept.LEAST)]
    assert Remembered(Crystal(), tmp_path).first_of_each(texts, vectors) == expected
    monkeypatch.setattr(Crystal, "first_of_each", lambda *_: pytest.fail("they are compared again"))
    assert Remembered(Crystal(), tmp_path).first_of_each(texts, vectors) == expected
    with pytest.raises(pytest.fail.Exception):
        Remembered(Crystal(), tmp_path).first_of_each(texts[1:], vectors[1:])


def test_a_pool_is_described_once(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("\n".join(["smiles", "no word", *ALCOHOLS]) + "\n")
    table, of = read_table(tmp_path / "pool.csv"), Length()
    shape = PoolShape(pool="pool.csv", smiles="smiles", descriptor="length")
    first, again = (
        describe(table, shape, lambda name, options: Remembered(of, tmp_path)) for _ in range(2)
    )
    assert of.asked == [100]
    assert again.described == first.described
    assert [row.line for row in again.set_aside] == [2]


def test_campaigns_keep_vectors_in_the_cache_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    KINDS.descriptors("maccs", {}).describe(ALCOHOLS)
    (file,) = (tmp_path / "hagane" / "vectors").rglob("*.npz")
    assert file.parent.name == identity(Maccs())
