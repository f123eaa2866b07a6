"""Results of calculations that were made before, by a key that says exactly what was computed.

One file a result, `<root>/<two digits>/<key>.json`, that appears whole or not at all, so that many
processes may read and write at once. A key never stands for two results: whoever comes second finds
the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from orchestrator.errors import InputError

FORMAT = 1
HASH = "sha256"
"""Of the result, in its file; those of earlier versions have none."""


class KnownResults:
    """Keeps results below a folder; those that cannot be written, for as long as it is there.

    Raises:
        InputError: the folder was written by a version that keeps them in another way.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unwritten: dict[str, Mapping[str, Any]] = {}
        mark = root / "format"
        said = mark.read_text(errors="replace").strip() if mark.exists() else str(FORMAT)
        if said != str(FORMAT):
            raise InputError(
                f"the known results in {root} are kept in format {said[:20] or '(it says none)'}, "
                f"this version reads format {FORMAT}",
                hint="update hagane, or move that folder away: then all is computed anew",
            )

    def get(self, key: str) -> Mapping[str, Any] | None:
        """The result of a key, or None. A file that cannot be read, or holds another result than
        was written, or a number that is none, counts as none."""
        try:
            found = json.loads(self._path(key).read_text(), parse_constant=_refuse)
        except (OSError, ValueError):
            return self._unwritten.get(key)
        result = found.get("result") if isinstance(found, dict) else None
        if not isinstance(result, dict) or found.get(HASH, hash_of(result)) != hash_of(result):
            return self._unwritten.get(key)
        return result

    def put(self, key: str, request: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Keeps a result with what was asked. Raises OSError: for this object alone."""
        self._unwritten[key] = dict(result)
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        mark = self.root / "format"
        if not mark.exists():
            _write(mark, str(FORMAT))
        told = {"request": dict(request), "result": dict(result), HASH: hash_of(result)}
        _write(path, json.dumps(told))
        del self._unwritten[key]

    def request(self, key: str) -> Mapping[str, Any] | None:
        """What was asked under a key, or None."""
        try:
            found = json.loads(self._path(key).read_text())
        except (OSError, ValueError):
            return None
        asked: Mapping[str, Any] | None = found.get("request") if isinstance(found, dict) else None
        return asked

    def note(self, kind: str, key: str) -> None:
        """Remembers that a result is of a kind: a line of a file, appended at once. Raises
        OSError."""
        path = self._kinds(kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{kind} {key}\n")

    def noted(self, kind: str) -> list[str]:
        """The keys of the results of a kind."""
        try:
            lines = self._kinds(kind).read_text().splitlines()
        except OSError:
            return []
        pairs = [line.split(" ") for line in lines if line.startswith(f"{kind} ")]
        return list(dict.fromkeys(pair[1] for pair in pairs if len(pair) == 2))

    def _kinds(self, kind: str) -> Path:
        return self.root / "kinds" / f"{kind[:2]}.txt"

    def _path(self, key: str) -> Path:
        return self.root / key[:2] / f"{key}.json"


def hash_of(result: Mapping[str, Any]) -> str:
    """Of what a result says, however it is written down."""
    return hashlib.sha256(json.dumps(dict(result), sort_keys=True).encode()).hexdigest()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _write(path: Path, text: str) -> None:
    with part_in(path.parent) as (part, out):
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
        part.replace(path)


@contextmanager
def part_in(folder: Path) -> Iterator[tuple[Path, IO[str]]]:
    """A new file, with the rights that this user's files have, under a name that nobody looks for;
    it goes, unless it has got another one. Raises OSError."""
    part = folder / f".part-{secrets.token_hex(8)}"
    try:
        with part.open("x") as out:
            yield part, out
    finally:
        part.unlink(missing_ok=True)
