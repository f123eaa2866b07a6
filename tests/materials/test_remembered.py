"""Vectors that are kept are those that would be computed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.materials.descriptors.mixture import Mixture
from orchestrator.materials.descriptors.molecule import Morgan
from orchestrator.materials.descriptors.remembered import Remembered, identity
from orchestrator.ports.descriptor import Content, Descriptor


@dataclass(frozen=True)
class Length:
    """The length of a text, and a note of all that it was asked for."""

    power: int = 1
    asked: list[str] = field(default_factory=list, repr=False)

    names: ClassVar[Sequence[str]] = ("length",)
    units: ClassVar[Sequence[str]] = ("",)
    content: ClassVar[Content] = "dense"
    source: ClassVar[str] = ""

    def canonical(self, material: str) -> str:
        if "!" in material:
            raise InputError(f"'{material}' is loud")
        return material.lower()

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        self.asked.extend(self.canonical(material) for material in materials)
        return np.array([[len(m) ** self.power] for m in materials], float).reshape(-1, 1)


@given(st.lists(st.lists(st.sampled_from(["CCO", "OCC", "C", "O", "CC"]))), st.integers(0, 3))
def test_what_is_remembered_is_what_is_described(batches: list[list[str]], most: int) -> None:
    morgan = Morgan(size=64)
    remembered = Remembered(morgan, most=most)
    for batch in batches:
        assert (remembered.describe(batch) == morgan.describe(batch)).all()


def test_each_material_is_described_once() -> None:
    length = Length()
    remembered = Remembered(length)
    assert isinstance(remembered, Descriptor)
    assert remembered.describe(["ab", "AB", "abc"]).tolist() == [[2], [2], [3]]
    assert remembered.describe(["abc", "Ab"]).tolist() == [[3], [2]]
    assert length.asked == ["ab", "abc"]


def test_a_change_of_a_row_does_not_change_what_is_remembered() -> None:
    remembered = Remembered(Length())
    remembered.describe(["ab"])[0, 0] = 7
    assert remembered.describe(["ab"]).tolist() == [[2]]


def test_memory_is_bounded_and_the_oldest_goes() -> None:
    length = Length()
    remembered = Remembered(length, most=2)
    for text in ("a", "bb", "a", "ccc", "a", "bb"):
        remembered.describe([text])
    assert length.asked == ["a", "bb", "ccc", "bb"]


def test_another_process_finds_what_is_on_disk(tmp_path: Path) -> None:
    Remembered(Length(), directory=tmp_path).describe(["ab", "abc"])
    length = Length()
    assert Remembered(length, directory=tmp_path).describe(["ABC", "ab"]).tolist() == [[3], [2]]
    assert length.asked == []


def test_a_torn_file_is_computed_anew(tmp_path: Path) -> None:
    Remembered(Length(), directory=tmp_path).describe(["ab"])
    (file,) = tmp_path.rglob("*.npz")
    for torn in (b"", file.read_bytes()[:40], b"PK\x03\x04"):
        file.write_bytes(torn)
        length = Length()
        assert Remembered(length, directory=tmp_path).describe(["ab"]).tolist() == [[2]]
        assert length.asked == ["ab"]


def test_other_options_have_a_place_of_their_own(tmp_path: Path) -> None:
    Remembered(Length(), directory=tmp_path).describe(["ab"])
    assert Remembered(Length(power=2), directory=tmp_path).describe(["ab"]).tolist() == [[4]]
    nested = {identity(Mixture(of=Morgan(size=size))) for size in (64, 128)}
    assert len({identity(Morgan()), identity(Morgan(radius=3)), *nested}) == 4


def test_several_writers_share_a_directory(tmp_path: Path) -> None:
    texts = ["x" * n for n in range(1, 30)]
    wrong: list[object] = []

    def work() -> None:
        found = Remembered(Length(), directory=tmp_path, most=0).describe(texts)
        if found[:, 0].tolist() != [len(text) for text in texts]:
            wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(list(tmp_path.rglob("*.npz"))) == len(texts)
    assert list(tmp_path.rglob("*.half")) == []


def test_a_descriptor_that_does_not_say_its_options_is_not_put_on_disk(tmp_path: Path) -> None:
    class Silent(Length):
        __repr__ = object.__repr__

    Remembered(Silent()).describe(["ab"])
    with pytest.raises(InputError, match="vectors of Silent cannot be kept on disk"):
        Remembered(Silent(), directory=tmp_path)


def test_what_cannot_be_read_is_refused_as_by_the_descriptor() -> None:
    with pytest.raises(InputError, match="'a!' is loud"):
        Remembered(Length()).describe(["a", "a!"])


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    with pytest.raises(InputError, match=r"vectors cannot be kept in .*file"):
        Remembered(Length(), directory=file).describe(["ab"])
