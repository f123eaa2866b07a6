"""What structures hold is kept of those that were read, and is never taken for another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import InputError
from simulators.atomistic import contents
from simulators.atomistic.contents import Contents, Seen
from simulators.atomistic.structures import atoms_of

CELL = '2\nLattice="0 {a} {a} {a} 0 {a} {a} {a} 0" Properties=species:S:1:pos:R:3 pbc="T T T"\n'
NONE = "2\n\nCu 0 0 0\n"


def salt(length: float) -> str:
    """Rock salt, with a cell that makes it another text."""
    return CELL.format(a=length) + f"Na 0 0 0\nCl {length} {length} {length}\n"


SALTS = [salt(2.8 + 0.001 * i) for i in range(contents.LEAST)]


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are read from now on."""
    seen: list[str] = []
    read = contents.atoms_of

    def counted(text: str) -> object:
        seen.append(text)
        return read(text)

    monkeypatch.setattr(contents, "atoms_of", counted)
    return seen


def test_what_one_process_read_another_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    molecule = "3\n\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n"
    texts = [*SALTS, molecule]
    Seen(tmp_path).learn(texts)
    seen, again = reads(monkeypatch), Seen(tmp_path)
    again.learn(texts)
    assert again.contents(SALTS[-1]) == Contents.of(atoms_of(SALTS[-1]))
    assert again.contents(SALTS[-1]).volume == pytest.approx(2 * 2.899**3)
    assert again.contents(molecule).symbols == ["O", "H", "H"]
    assert again.contents(molecule).pbc == (False, False, False)
    assert again.contents(molecule).formula == "H2O"
    assert seen == []


def test_what_is_no_structure_says_why_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        seen = Seen(tmp_path)
        seen.learn([*SALTS[:50], NONE, *SALTS[50:]])
        with pytest.raises(InputError, match="cannot be read as extxyz"):
            seen.contents(NONE)
        assert len(seen.contents(SALTS[50])) == 2


def test_other_texts_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Seen(tmp_path).learn(SALTS)
    seen, again = reads(monkeypatch), Seen(tmp_path)
    again.learn([*SALTS[1:], SALTS[0]])
    assert len(seen) == len(SALTS)
    assert again.contents(salt(3.5)).symbols == ["Na", "Cl"]


@pytest.mark.parametrize("torn", [b"", b"PK\x03\x04 and then nothing"])
def test_a_torn_file_is_made_anew(tmp_path: Path, torn: bytes) -> None:
    Seen(tmp_path).learn(SALTS)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(torn)
    seen = Seen(tmp_path)
    seen.learn(SALTS)
    assert len(seen.contents(SALTS[0])) == 2
    assert len(file.read_bytes()) == len(whole)


def test_where_nothing_can_be_kept_it_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    for folder in (None, file):
        seen = Seen(folder)
        seen.learn(SALTS)
        assert len(seen.contents(SALTS[0])) == 2


def test_few_structures_leave_no_file(tmp_path: Path) -> None:
    Seen(tmp_path).learn(SALTS[1:])
    assert not list(tmp_path.iterdir())
