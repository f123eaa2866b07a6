"""The directories of a campaign's calculations, one for each attempt: `<root>/<name>/<number>`.

An attempt has `request.json`, `output.txt` (what was printed) and, in the end, `result.json`, which
appears whole or not at all. So that a campaign of 10^5 calculations does not cost 10^6 inodes,
those that are done are packed, `PACKED_AT_A_TIME` to a file in `<root>/finished`: the file gets its
name when it is whole and on disk, and only then the directories go.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator.errors import CalculationFailed, CalculationFault
from orchestrator.executor.child import FULL_BELOW

BEGUN = ".begun-"
GONE = ".gone-"
LONGEST_NAME = 40
"""Letters of a key by which what a turn began is named."""
PACKED_AT_A_TIME = 500
LARGEST_PACKED = 64 << 20
"""Bytes; a calculation that left more (wave functions) keeps its directory."""
PACKS = "finished"


class Attempts:
    """What lies below `root`. One process at a time makes attempts there; a thread of it may pack
    meanwhile."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: set[str] = set()
        self._n_done = 0
        self._packed: dict[str, Path] | None = None
        self._removing = threading.Lock()
        self._packing = threading.Lock()

    def begin(self, name: str, request: Mapping[str, Any]) -> Path:
        """The directory of another attempt, which appears with its request in it.

        Raises:
            CalculationFault: the disk is full.
            OSError: it cannot be made for another reason.
        """
        with room_in(self._root):
            self._root.mkdir(parents=True, exist_ok=True)
            with self._removing:
                self._open.add(name)
            parent = self._root / name
            parent.mkdir(exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=BEGUN, dir=parent))
            part.chmod(0o755)
            try:
                (part / "request.json").write_text(json.dumps(request, indent=1))
            except OSError:
                shutil.rmtree(part, ignore_errors=True)
                raise
            number = f"{self.n_begun(name) + 1:03d}"
            return part.rename(parent / (number if name else part.name.removeprefix(BEGUN)))

    def asked(self, name: str) -> Mapping[str, Any]:
        """The request of the last attempt of a name; empty where there is none, or it is packed."""
        latest = self.latest(name) if name else None
        try:
            found: dict[str, Any] = json.loads(
                (latest / "request.json").read_text() if latest else "{}"
            )
        except OSError:
            return {}
        return found

    def n_begun(self, name: str) -> int:
        """How many attempts there were, those that are packed left out."""
        numbers = (p.name for p in (self._root / name).glob("[0-9]*") if p.is_dir())
        return max((int(number) for number in numbers if number.isdigit()), default=0)

    def latest(self, name: str) -> Path | None:
        """The directory of the last attempt; None where there is none, or it is packed."""
        number = self.n_begun(name)
        return self._root / name / f"{number:03d}" if number else None

    def known(self, name: str) -> Mapping[str, Any] | None:
        """The newest result among the attempts of a name."""
        for answer in self._answers(name):
            if "result" in answer:
                result: Mapping[str, Any] = answer["result"]
                return result
        return None

    def settled(self, name: str) -> Mapping[str, Any] | None:
        """What the newest attempt of a name came to. Raises as `answer_in`."""
        answer = next(iter(self._answers(name)), None)
        return None if answer is None else _judged(answer, self._root / name)

    def is_packed(self, name: str) -> bool:
        """Whether what a name came to is in a pack."""
        return name in self._index()

    def _answers(self, name: str) -> Iterable[Mapping[str, Any]]:
        if not name:
            return
        for path in sorted((self._root / name).glob("*/result.json"), reverse=True):
            yield json.loads(path.read_text())
        pack = self._index().get(name)
        if pack is not None:
            with zipfile.ZipFile(pack) as file:
                members = [n for n in file.namelist() if n.startswith(f"{name}/")]
                for member in sorted(members, reverse=True):
                    if member.endswith("/result.json"):
                        yield json.loads(file.read(member))

    def _index(self) -> dict[str, Path]:
        if self._packed is None:
            self._packed = {}
            for pack in sorted((self._root / PACKS).glob("*.zip")):
                with zipfile.ZipFile(pack) as file:
                    names = {name.partition("/")[0] for name in file.namelist()}
                self._packed.update(dict.fromkeys(names, pack))
        return self._packed

    def done(self, name: str) -> bool:
        """Nobody works on this name any more. Whether there is enough to be packed by now."""
        self._open.discard(name)
        self._n_done += 1
        return self._n_done >= PACKED_AT_A_TIME

    def pack(self, *, at_least: int = 0) -> None:
        """Packs what is done, if it is enough for a file (`PACKED_AT_A_TIME` unless it is said).
        Raises OSError; nothing is lost then."""
        with self._packing:
            self._n_done = 0
            self._pack(at_least or PACKED_AT_A_TIME)

    def _pack(self, at_least: int) -> None:
        if not self._root.is_dir():
            return
        for folder in self._root.glob(f"{GONE}*"):
            shutil.rmtree(folder)
        folders = [p for p in self._root.iterdir() if p.is_dir() and p.name != PACKS]
        closed = [p for p in folders if p.name not in self._open and _may_be_packed(p)]
        for folder in [p for p in closed if self._is_packed(p)]:
            self._remove(folder)  # a predecessor died between packing and this
            closed.remove(folder)
        for first in range(0, len(closed), PACKED_AT_A_TIME):
            some = closed[first : first + PACKED_AT_A_TIME]
            if len(some) >= at_least:
                self._write_pack(some)

    def _is_packed(self, folder: Path) -> bool:
        """Whether all its answers are in a pack; a calculation may have been begun again since."""
        pack = self._index().get(folder.name)
        if pack is None:
            return False
        with zipfile.ZipFile(pack) as file:
            members = set(file.namelist())
            for path in folder.glob("*/result.json"):
                name = path.relative_to(self._root).as_posix()
                if name not in members or file.read(name) != path.read_bytes():
                    return False
        return True

    def _write_pack(self, folders: list[Path]) -> None:
        packs = self._root / PACKS
        packs.mkdir(exist_ok=True)
        numbers = [int(p.stem) for p in packs.glob("*.zip")]
        pack = packs / f"{max(numbers, default=0) + 1:04d}.zip"
        part = pack.with_suffix(".part")
        with part.open("wb") as out:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
                for folder in folders:
                    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                        file.write(path, path.relative_to(self._root))
            out.flush()
            os.fsync(out.fileno())
        part.rename(pack)
        _flush_names(packs)
        self._index().update({folder.name: pack for folder in folders})
        for folder in folders:
            self._remove(folder)

    def _remove(self, folder: Path) -> None:
        """Under another name first: what is left of it is no calculation that was begun again."""
        gone = folder.with_name(f"{GONE}{folder.name}")
        with self._removing:
            if folder.name in self._open:
                return
            folder.rename(gone)
        shutil.rmtree(gone)


def _may_be_packed(folder: Path) -> bool:
    """It has a result, or an error that is one, and is not too large."""
    if not any(folder.glob("*/result.json")):
        return False
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) <= LARGEST_PACKED


@contextmanager
def room_in(root: Path) -> Iterator[None]:
    """Writing below `root`. Raises CalculationFault: its disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise full_disk(root) from error
        raise


def full_disk(root: Path) -> CalculationFault:
    """What to say."""
    return CalculationFault(
        f"the disk of {root} is full", hint="make room, then `hagane resume`: nothing was lost"
    )


def has_room(root: Path) -> bool:
    """Whether there is more than a calculation's own files need."""
    left = os.statvfs(root)
    return not left.f_blocks or left.f_bavail * left.f_frsize >= FULL_BELOW


def _flush_names(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def answer_in(directory: Path) -> Mapping[str, Any] | None:
    """The result that an attempt left; None where there is none.

    Raises:
        CalculationFailed: it came to its end without a result.
        CalculationFault: the program or the machine failed it.
    """
    path = directory / "result.json"
    if not path.exists():
        return None
    return _judged(json.loads(path.read_text()), directory)


def _judged(answer: Mapping[str, Any], directory: Path) -> Mapping[str, Any]:
    if "fault" in answer:
        raise CalculationFault(answer["fault"], hint=f"see {directory}")
    if "error" in answer:
        raise CalculationFailed(
            answer["error"],
            hint=f"see {directory}",
            seconds=answer.get("seconds"),
        )
    result: Mapping[str, Any] = answer["result"]
    return result
