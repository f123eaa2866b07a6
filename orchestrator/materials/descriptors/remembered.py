"""Vectors that are kept on disk, so that a table that is read again is not described again."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.keeping import keep, recalled
from orchestrator.ports.descriptor import Content, Descriptor, canonical_forms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COMPUTED_BY = ("hagane", "rdkit", "ase", "numpy")
"""Distributions whose version changes what a vector may be."""
LEAST = 100
"""Fewer materials at once are computed sooner than a file is written."""
MOST_FILES = 500
"""Those that were not asked for longest go. A block of 2,048 materials with 200 numbers each has
about 2 MB."""


class Remembered:
    """A descriptor that computes the vectors of the same materials, in the same order, once.

    They are known by their texts as written and not by their canonical form, since of two spellings
    the last digits may differ, and what a campaign proposes shall not depend on what was read
    before.
    """

    def __init__(self, of: Descriptor, directory: Path | None) -> None:
        self.remembers = of
        kept = identity(of)
        self._folder = None if kept is None or directory is None else directory / kept

    @property
    def names(self) -> Sequence[str]:
        """Those of the descriptor."""
        return self.remembers.names

    @property
    def units(self) -> Sequence[str]:
        """Those of the descriptor."""
        return self.remembers.units

    @property
    def content(self) -> Content:
        """That of the descriptor."""
        return self.remembers.content

    @property
    def source(self) -> str:
        """That of the descriptor."""
        return self.remembers.source

    def __getattr__(self, name: str) -> Any:
        """What a descriptor may have besides (`identifies`, `first_of_each`)."""
        found = getattr(self.__dict__["remembers"], name)
        return functools.partial(self._first_of_each, found) if name == "first_of_each" else found

    def canonical(self, material: str) -> str:
        """As the descriptor. Raises InputError."""
        return self.remembers.canonical(material)

    def canonical_forms(self, materials: Sequence[str]) -> tuple[list[str], list[tuple[int, str]]]:
        """See `orchestrator.ports.descriptor.canonical_forms`. Raises InputError."""
        import numpy as np

        def compute() -> NDArray[Any]:
            found = canonical_forms(self.remembers, materials)
            return np.frombuffer(json.dumps(found).encode(), np.uint8)

        said = self._kept("-forms", materials, compute).astype(np.uint8).tobytes()
        forms, unread = json.loads(said)
        return forms, [(place, why) for place, why in unread]

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        """As the descriptor. Raises InputError."""
        import numpy as np

        vectors = self._kept("", materials, lambda: self.remembers.describe(materials))
        return vectors.astype(np.float64, copy=False)

    def _first_of_each(
        self,
        compute: Callable[[Sequence[str], NDArray[np.float64]], list[int]],
        materials: Sequence[str],
        vectors: NDArray[np.float64],
    ) -> list[int]:
        """Vectors tell nothing that the materials do not."""
        import numpy as np

        places = self._kept("-first", materials, lambda: np.array(compute(materials, vectors)))
        return [int(place) for place in places]

    def _kept(
        self, what: str, materials: Sequence[str], compute: Callable[[], NDArray[Any]]
    ) -> NDArray[Any]:
        if self._folder is None or len(materials) < LEAST:
            return compute()
        file = self._folder / f"{_digest(json.dumps(list(materials)))[:40]}{what}.npz"
        known = recalled(file)
        if known is not None and "vectors" in known:
            return known["vectors"]
        vectors = compute()
        keep(file, {"vectors": _small(vectors)}, self._folder.parent, MOST_FILES)
        return vectors


def identity(of: Descriptor) -> str | None:
    """A name for the vectors of a descriptor: its class, and a digest of its options, its code and
    the versions of what computes. None where these cannot be told: of a descriptor that is not ours
    the code may change unseen."""
    said = repr(of)
    if not _is_ours(of) or " at 0x" in said:
        return None
    versions = [f"{name} {_version(name)}" for name in COMPUTED_BY]
    text = "\n".join((type(of).__module__, said, _code(), *versions))
    return f"{type(of).__name__}-{_digest(text)[:16]}"


def _is_ours(of: object) -> bool:
    """Whether a descriptor, and any that it is made of, is one of this package."""
    parts = [part for part in vars(of).values() if isinstance(part, Descriptor)]
    package = __name__.rpartition(".")[0]
    return type(of).__module__.startswith(f"{package}.") and all(map(_is_ours, parts))


@functools.cache
def _code() -> str:
    here = Path(__file__).parent
    files = sorted(
        p for f in (here, here.parent) for p in f.iterdir() if p.suffix in (".py", ".csv")
    )
    return _digest("\n".join(_digest(p.read_text(encoding="utf-8")) for p in files))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _small(vectors: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers that fit are kept in two bytes each."""
    import numpy as np

    small = vectors.astype(np.uint16)
    return small if (small == vectors).all() else vectors
