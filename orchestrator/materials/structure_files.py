"""Structures from where users have them: a folder of files, an ase.db, frames of one file.

Nothing is converted: what stands in a CIF, POSCAR or extended XYZ file is the candidate's text.
Whether it is a structure is seen when it is described.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import FileProblems, Problem
from orchestrator.ports.structures import StructureFiles

ENDINGS = (".cif", ".mcif", ".vasp", ".poscar", ".xyz", ".extxyz")
OTHERS = (".sdf", ".mol", ".mol2", ".pdb", ".traj", ".xsf", ".gen")
"""Of structures, too, and not read: in a folder they are set aside."""
FRAMES = (".xyz", ".extxyz")
DATABASE = ".db"
_IN_CIF = re.compile(r"^\s*(data_|_cell_)", re.MULTILINE)
_VASP = re.compile(r"(POSCAR|CONTCAR)", re.IGNORECASE)
_SAID = {"FixAtoms", "FixCartesian"}
"""Constraints of ASE's that an extended XYZ has words for."""
_OF_NOTHING = {"FixCom"}
"""Alone it leaves every result what it is, wherever the whole structure stands."""
_NAMED = re.compile(r"(?:^|\s)name=(\S+)")
_OF_THE_CELL = ("Lattice", "Properties", "pbc")
LARGEST = 20_000_000
"""Bytes of one structure's file."""


def is_of_structures(path: Path) -> bool:
    """Whether a pool's source is a folder, an ase.db or a file of structures, and no table."""
    return path.is_dir() or path.suffix.lower() in (DATABASE, *ENDINGS)


def read_structures(path: Path) -> StructureFiles:
    """The structures of a folder (all CIF, POSCAR and XYZ files below it, named as they are), of
    an ase.db (with its key-value pairs as columns), or of a file of many frames (with what stands
    in their second lines).

    Raises:
        FileProblems: it cannot be read, or holds no structure.
    """
    try:
        if path.is_dir():
            return _of_folder(path)
        if path.suffix.lower() == DATABASE:
            return _of_database(path)
        if path.suffix.lower() in FRAMES:
            return _of_frames(path)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise _fault(path, f"it cannot be read: {reason}") from error
    raise _fault(path, "it is one structure", f"name the folder of structures: {path.parent}/")


def _fault(path: Path, message: str, hint: str = "") -> FileProblems:
    return FileProblems(str(path), [Problem(message, hint)])


def _of_folder(folder: Path) -> StructureFiles:
    files = [f for f in sorted(folder.rglob("*")) if _is_one(f) and not _is_hidden(f, folder)]
    others = [f for f in files if f.suffix.lower() in OTHERS and not _VASP.match(f.name)]
    files = [f for f in files if f.suffix.lower() in ENDINGS or _VASP.match(f.name)]
    if not files:
        known = ", ".join(ENDINGS)
        raise _fault(folder, "it holds no structure", f"files of {known}, POSCAR or CONTCAR")
    digest, rows, unreadable = hashlib.sha256(), [], {}
    names = _names([f.relative_to(folder) for f in files])
    for row, (file, name) in enumerate(zip(files, names, strict=True)):
        content, why = _content(file)
        place = file.relative_to(folder).as_posix()
        digest.update(f"{place} {hashlib.sha256(content).hexdigest()}\n".encode())
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text, unreadable[row] = "", "it is not a text in UTF-8"
        if why:
            unreadable[row] = why
        elif file.suffix.lower() == ".cif" and not _IN_CIF.search(text):
            unreadable.setdefault(row, "it is no CIF: it holds no data block")
        elif file.suffix.lower() in FRAMES and row not in unreadable:
            unreadable |= _several(row, text, folder.name, place)
        rows.append((name, text))
    for file in others:
        unreadable[len(rows)] = f"files of {file.suffix} are not read: save it as .cif or .extxyz"
        rows.append((file.relative_to(folder).as_posix(), ""))
    places = tuple(f.relative_to(folder).as_posix() for f in (*files, *others))
    columns = ("name", "structure")
    return StructureFiles(columns, tuple(rows), places, digest.hexdigest(), unreadable)


def _content(file: Path) -> tuple[bytes, str]:
    """What a file holds, or why it is no candidate."""
    try:
        if file.stat().st_size > LARGEST:
            return b"", f"it is larger than {LARGEST:,} bytes"
        content = file.read_bytes()
    except OSError as error:  # a link to nothing, or somebody else's
        return b"", f"it cannot be read: {(error.strerror or 'unknown reason').lower()}"
    return content, "" if content else "it is empty"


def _is_one(file: Path) -> bool:
    return file.is_file() or (file.is_symlink() and not file.exists())


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _several(row: int, text: str, folder: str, place: str) -> dict[int, str]:
    """Of a file in a folder that holds more than one frame: which would be the candidate?"""
    n = sum(1 for _ in _frames(text))
    said = f"it holds {n} frames, and a file of a folder is one candidate: {folder}/{place} may be "
    return {row: said + "a pool of its own"} if n > 1 else {}


def _names(files: Sequence[Path]) -> list[str]:
    """Files without their endings, POSCARs by their folders; whole where that is not enough."""
    short = []
    for file in files:
        is_plain = _VASP.fullmatch(file.name) and len(file.parts) > 1
        short.append((file.parent if is_plain else _without_ending(file)).as_posix())
    counts = Counter(short)
    return [
        name if counts[name] == 1 else file.as_posix()
        for name, file in zip(short, files, strict=True)
    ]


def _without_ending(file: Path) -> Path:
    return file.with_suffix("") if file.suffix.lower() in ENDINGS else file


def _of_frames(path: Path) -> StructureFiles:
    from ase.io.extxyz import key_val_str_to_dict

    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _fault(path, "it is not text in UTF-8") from None
    frames, said, unreadable = [], [], dict[int, str]()
    for row, (frame, second) in enumerate(_frames(text)):
        frames.append(frame)
        try:
            found = key_val_str_to_dict(second)
        except Exception as error:  # noqa: BLE001 - ASE raises whatever its parser stumbles over
            found, unreadable[row] = {}, f"its second line cannot be read: {error}"
        said.append({k: v for k, v in found.items() if k not in _OF_THE_CELL})
        written = _NAMED.search(second)
        if written and not isinstance(found.get("name", ""), str):  # 007 is no 7, and F not false
            said[-1]["name"] = written[1]
    if not frames:
        raise _fault(path, "it holds no structure", "frames as in an extended XYZ file")
    names = [f"{path.stem}-{number}" for number in range(1, len(frames) + 1)]
    places = tuple(f"frame {number}" for number in range(1, len(frames) + 1))
    return _table(names, frames, said, places, content, unreadable)


def _frames(text: str) -> Iterator[tuple[str, str]]:
    """Frames and their second lines. What is left after the last whole one is a frame too: it is
    refused when it is read."""
    lines = text.splitlines(keepends=True)
    at = 0
    while at < len(lines):
        first = lines[at].strip()
        if not first:
            at += 1
            continue
        n = int(first) + 2 if first.isdigit() else len(lines) - at
        frame = lines[at : at + n]
        yield "".join(frame), frame[1].strip() if len(frame) > 1 else ""
        at += n


def _of_database(path: Path) -> StructureFiles:
    from ase.db import connect
    from ase.io import write

    content = path.read_bytes()  # of a file that is absent, before ASE makes one
    names, texts, said, places = list[str](), list[str](), list[dict[str, Any]](), list[str]()
    unreadable = dict[int, str]()
    try:
        for row in connect(path, append=True).select():
            out, atoms = io.StringIO(), _plain(row.toatoms())
            write(out, atoms, format="extxyz")
            kinds = {type(c).__name__ for c in atoms.constraints}
            if kinds != _OF_NOTHING and (unsaid := sorted(kinds - _SAID)):
                unreadable[len(texts)] = (
                    f"it holds atoms by {' and '.join(unsaid)}, which would be left away; "
                    f"{' and '.join(sorted(_SAID))} are known"
                )
            names.append(str(row.id))
            texts.append(out.getvalue())
            said.append(dict(row.key_value_pairs))
            places.append(f"row {row.id}")
    except Exception as error:  # whatever ASE and SQLite raise of a file that is none
        raise _fault(path, f"it cannot be read as an ase.db: {error}") from error
    if not texts:
        raise _fault(path, "it holds no structure")
    return _table(names, texts, said, tuple(places), content, unreadable)


def _plain(atoms: Any) -> Any:
    """Without results that somebody else computed."""
    atoms.calc = None
    return atoms


def _table(
    names: Sequence[str],
    texts: Sequence[str],
    said: Sequence[Mapping[str, Any]],
    places: tuple[str, ...],
    content: bytes,
    unreadable: Mapping[int, str],
) -> StructureFiles:
    """With a column for all that is said of some structure by a word or a number; `name`, where
    all have one, is their name."""
    keys = dict.fromkeys(k for one in said for k, v in one.items() if _is_scalar(v))
    if all(_is_scalar(one.get("name")) for one in said):
        names = [str(one["name"]) for one in said]
    columns = [k for k in keys if k not in ("name", "structure")]
    rows = tuple(
        (name, text, *(_cell(one.get(column)) for column in columns))
        for name, text, one in zip(names, texts, said, strict=True)
    )
    digest = hashlib.sha256(content).hexdigest()
    return StructureFiles(("name", "structure", *columns), rows, places, digest, unreadable)


def _is_scalar(value: Any) -> bool:
    value = value.item() if getattr(value, "ndim", None) == 0 else value
    return isinstance(value, str | int | float)


def _cell(value: Any) -> str:
    if value is None or not _is_scalar(value):
        return ""
    value = value.item() if hasattr(value, "item") else value
    return repr(value) if isinstance(value, float) else str(value)
