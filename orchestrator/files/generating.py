"""Reads how a pool grows: its generator, what that learns from, and its options."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.describing import BUILT_IN, Kinds, Reading, first_readable
from orchestrator.files.space_shapes import GenerateShape
from orchestrator.files.table import read_table
from orchestrator.model.space import Generation

N_TRIED = 8
"""Materials with which a generator is made once, to see whether its options are right."""


def read_generation(
    shape: GenerateShape, reading: Reading, materials: Sequence[str], folder: Path, kinds: Kinds
) -> Generation:
    """How a pool of `materials` grows, which `reading` describes.

    Raises:
        UnknownName: there is no such generator, option, file or column.
        InputError: an option is wrong.
    """
    cls = kinds.generators(shape.kind)
    options = dict(shape.__pydantic_extra__ or {})
    known = [p.name for p in inspect.signature(cls).parameters.values() if p.name != "corpus"]
    for option in options:
        if option not in known:
            raise UnknownName(f"option of the generator '{shape.kind}'", option, known)
    column = reading.described[0].material
    corpus = _corpus(shape, cls, column, materials, folder)
    readable = first_readable(reading.makers[0], corpus or materials, N_TRIED)
    if not readable:
        raise InputError(f"no material of the corpus of '{shape.kind}' can be read")
    try:
        cls(readable, **options)
    except (TypeError, ValueError) as error:
        raise InputError(f"the generator '{shape.kind}' cannot be made so: {error}") from error
    return Generation(
        kind=shape.kind,
        target=_target(cls),
        descriptors=tuple(_target(type(maker)) for maker in reading.makers),
        material=column,
        every=shape.every,
        n=shape.candidates,
        options=options,
        corpus=tuple(corpus),
    )


def _corpus(
    shape: GenerateShape, cls: type[Any], column: str, materials: Sequence[str], folder: Path
) -> Sequence[str]:
    if shape.corpus == BUILT_IN:
        if not hasattr(cls, "default_corpus"):
            raise InputError(f"the generator '{shape.kind}' has no corpus of its own")
        return ()
    if shape.corpus is None:
        return materials
    table = read_table(folder / shape.corpus)
    if column not in table.columns:
        raise UnknownName(f"column of {table.source}", column, table.columns)
    return tuple(dict.fromkeys(cell for cell in table.texts(column) if cell))


def _target(cls: type[Any]) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"
