"""Arrays that are kept on disk, so that what one command computed the next one reads.

Nothing here is needed: what is lost, torn or cannot be written is computed anew. A file is put in
place at once by a rename, so any number of processes may share a folder.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]


def kept_in(name: str) -> Path | None:
    """The user's folder of that name, below `hagane` in $XDG_CACHE_HOME or in ~/.cache; None for a
    user without a home."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return cache / "hagane" / name


def recalled(file: Path) -> Arrays | None:
    """What was kept in a file, which counts as used now; None where it cannot be read."""
    import numpy as np

    try:
        with file.open("rb") as stream, np.load(stream) as kept:
            arrays = dict(kept)
        os.utime(file)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return arrays


def keep(file: Path, arrays: Arrays, among: Path, most: int) -> None:
    """Keeps arrays in a file, and of all files below `among` the `most` that were used last. Where
    that cannot be done, nothing is kept."""
    with contextlib.suppress(OSError):
        _put(file, arrays)
        files = sorted(among.rglob("*.npz"), key=lambda each: each.stat().st_mtime_ns)
        for old in files[:-most]:
            old.unlink(missing_ok=True)


def _put(file: Path, arrays: Arrays) -> None:
    """Raises OSError."""
    import numpy as np

    file.parent.mkdir(parents=True, exist_ok=True)
    handle, half = tempfile.mkstemp(dir=file.parent, suffix=".half")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)
        Path(half).replace(file)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise
