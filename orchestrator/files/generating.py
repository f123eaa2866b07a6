"""Reads how a pool grows: its generator, what that learns from, and its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.describing import BUILT_IN, Kinds, Reading, first_readable
from orchestrator.files.space_shapes import GenerateShape
from orchestrator.files.table import read_table
from orchestrator.model.space import Generation
from orchestrator.ports.options import check_options

if TYPE_CHECKING:
    from orchestrator.ports.descriptor import Descriptor

N_TRIED = 8
"""Materials with which a generator is made once, to see whether its options are right."""
N_SURE = 2000
"""Those with which it is made where it could not be made of the first few."""


def read_generation(
    shape: GenerateShape, reading: Reading, materials: Sequence[str], folder: Path, kinds: Kinds
) -> Generation:
    """How a pool of `materials` grows, which `reading` describes.

    Raises:
        UnknownName: there is no such generator, option, file or column.
        InputError: an option is wrong, or the generator can read nothing of what it learns from.
    """
    cls = kinds.generators(shape.kind)
    options = dict(shape.__pydantic_extra__ or {})
    check_options(f"generator '{shape.kind}'", cls, options, but=("corpus", "language"))
    column = reading.described[0].material
    corpus = _corpus(shape, cls, column, materials, folder)
    made = _try(shape.kind, cls, options, reading.makers[0], corpus or materials)
    getattr(made, "refuse_start", lambda _: None)(materials)
    return Generation(
        kind=shape.kind,
        target=_target(cls),
        # what only keeps vectors of a descriptor is made anew where the pool grows
        descriptors=tuple(_target(type(getattr(m, "remembers", m))) for m in reading.makers),
        material=column,
        every=shape.every,
        n=shape.candidates,
        options=options,
        corpus=tuple(corpus),
    )


def _try(
    kind: str, cls: type[Any], options: Mapping[str, Any], reader: Descriptor, corpus: Sequence[str]
) -> Any:
    """Makes the generator of a few materials, and of more where these alone may be what it cannot
    read."""
    few = first_readable(reader, corpus, N_TRIED)
    if not few:
        raise InputError(f"no material of the corpus of '{kind}' can be read")
    try:
        return cls(few, **options)
    except InputError:
        if len(few) < N_TRIED:
            raise
        return cls(first_readable(reader, corpus, N_SURE), **options)
    except (TypeError, ValueError) as error:
        raise InputError(f"the generator '{kind}' cannot be made so: {error}") from error


def _corpus(
    shape: GenerateShape, cls: type[Any], column: str, materials: Sequence[str], folder: Path
) -> Sequence[str]:
    if shape.corpus == BUILT_IN:
        if not hasattr(cls, "default_corpus"):
            raise InputError(f"the generator '{shape.kind}' has no corpus of its own")
        getattr(cls, "require_corpus", lambda: None)()
        return ()
    if shape.corpus is None:
        return materials
    table = read_table(folder / shape.corpus)
    if column not in table.columns:
        raise UnknownName(f"column of {table.source}", column, table.columns)
    return tuple(dict.fromkeys(cell for cell in table.texts(column) if cell))


def _target(cls: type[Any]) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"
