"""Vectors that are kept: in memory, and on disk if a directory is given."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.ports.descriptor import Content, Descriptor

Floats = NDArray[np.float64]

COMPUTED_BY = ("hagane", "rdkit", "ase", "numpy")
"""Distributions whose version changes what a vector may be."""


class Remembered:
    """A descriptor that computes the vector of each material once.

    A material is known by its canonical form, so all its spellings have the vector of the one that
    came first. On disk every vector is a file of its own, put in place at once by a rename: any
    number of processes may share a directory, and a torn file is computed anew. The folder's name
    is made of the descriptor's class and options (its repr) and of the versions of what computes.
    """

    def __init__(
        self, of: Descriptor, *, directory: Path | str | None = None, most: int = 10_000
    ) -> None:
        """`most`: how many vectors stay in memory; those that were not asked for longest go.

        Raises:
            InputError: vectors are to be put on disk, but the repr of the descriptor does not say
                its options.
        """
        self.of = of
        self._most = most
        self._kept: OrderedDict[str, Floats] = OrderedDict()
        self._folder = None if directory is None else Path(directory) / identity(of)

    @property
    def names(self) -> Sequence[str]:
        """Those of the descriptor."""
        return self.of.names

    @property
    def units(self) -> Sequence[str]:
        """Those of the descriptor."""
        return self.of.units

    @property
    def content(self) -> Content:
        """That of the descriptor."""
        return self.of.content

    @property
    def source(self) -> str:
        """That of the descriptor."""
        return self.of.source

    def canonical(self, material: str) -> str:
        """As the descriptor. Raises InputError."""
        return self.of.canonical(material)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n materials -> n x d numbers; those that are new are described together.

        Raises:
            InputError: a material cannot be read or described, or the directory not be written.
        """
        keys = [self.of.canonical(material) for material in materials]
        found: dict[str, Floats] = {}
        new: dict[str, str] = {}
        for key, material in zip(keys, materials, strict=True):
            if key not in found and key not in new:
                vector = self._recalled(key)
                if vector is None:
                    new[key] = material
                else:
                    found[key] = vector
        vectors = self.of.describe(list(new.values()))
        for key, vector in zip(new, vectors, strict=True):
            found[key] = vector.copy()
            self._write(key, vector)
        for key in found:
            self._keep(key, found[key])
        rows = [found[key] for key in keys]
        return np.array(rows, dtype=np.float64).reshape(len(rows), vectors.shape[1])

    def _keep(self, key: str, vector: Floats) -> None:
        self._kept[key] = vector
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def _recalled(self, key: str) -> Floats | None:
        if key in self._kept:
            return self._kept[key]
        if self._folder is None:
            return None
        try:
            with self._file(key).open("rb") as stream, np.load(stream) as file:
                vector: Floats = file["vector"]
                return vector if str(file["material"]) == key else None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def _write(self, key: str, vector: Floats) -> None:
        if self._folder is None:
            return
        try:
            _put(self._file(key), vector, key)
        except OSError as error:
            raise InputError(f"vectors cannot be kept in {self._folder}: {error}") from error

    def _file(self, key: str) -> Path:
        assert self._folder is not None
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._folder / name[:2] / f"{name[2:34]}.npz"


def _put(file: Path, vector: Floats, key: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, half = tempfile.mkstemp(dir=file.parent, suffix=".half")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, vector=vector, material=np.array(key))
        Path(half).replace(file)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise


def identity(of: Descriptor) -> str:
    """A name for the vectors of a descriptor: its class, and a digest of its options and versions.

    Raises:
        InputError: its repr does not say its options.
    """
    said = repr(of)
    if " at 0x" in said:
        raise InputError(
            f"vectors of {type(of).__name__} cannot be kept on disk: its repr hides its options",
            hint="make it a frozen dataclass, or give it a __repr__",
        )
    versions = [f"{name} {_version(name)}" for name in COMPUTED_BY]
    text = "\n".join((type(of).__module__, said, *versions))
    return f"{type(of).__name__}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "none"
