"""What descriptors say of the candidates of a table; rows that cannot be described stand aside."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from orchestrator.errors import FileProblems, InputError, Problem, UnknownName
from orchestrator.files.space_shapes import PoolShape
from orchestrator.files.table import Table
from orchestrator.model.counts import LARGEST, Counts
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, SetAside
from orchestrator.ports.descriptor import Descriptor, canonical_forms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from orchestrator.ports.structures import StructureFiles

Options: TypeAlias = Mapping[str, Any]
Descriptors: TypeAlias = "Callable[[str, Options], Descriptor]"
"""Makes an installed descriptor. Raises UnknownName, InputError."""
Generators: TypeAlias = "Callable[[str], type[Any]]"
"""The class of an installed generator. Raises UnknownName, InputError."""
Blocks: TypeAlias = "list[NDArray[np.float64] | Counts]"
BLOCK = 2048
"""So many materials are described at a time."""
BUILT_IN = "built_in"
MOST_SHOWN = 60
"""Characters of a material in a sentence."""
MATERIAL_KEYS = ("smiles", "formula", "structure", "material")


def no_descriptors(name: str, options: Options) -> Descriptor:
    """Where none is installed. Raises UnknownName."""
    raise UnknownName("descriptor that is installed", name, ())


def no_generators(name: str) -> type[Any]:
    """Where none is installed. Raises UnknownName."""
    raise UnknownName("generator that is installed", name, ())


def no_structures(path: Path) -> StructureFiles:
    """Where nothing reads them. Raises InputError."""
    raise InputError(f"nothing that is installed reads the structures of {path}")


@dataclass(frozen=True)
class Kinds:
    """What is installed to describe and to make materials, and to read structures."""

    descriptors: Descriptors = no_descriptors
    generators: Generators = no_generators
    is_of_structures: Callable[[Path], bool] = Path.is_dir
    structures: Callable[[Path], StructureFiles] = no_structures


@dataclass(frozen=True)
class Reading:
    """Rows (n places in the table) that are candidates, what is said of them, and the others;
    `forms` are the n canonical materials."""

    rows: tuple[int, ...]
    described: tuple[Described, ...]
    set_aside: tuple[SetAside, ...]
    makers: tuple[Descriptor, ...] = ()
    forms: tuple[str, ...] = ()


def describe(
    table: Table,
    shape: PoolShape,
    descriptors: Descriptors,
    *,
    once: bool = True,
    unreadable: Mapping[int, str] | None = None,
) -> Reading:
    """Describes the materials of a table as its shape wants; with `once`, each candidate that
    stands there again is set aside. Rows that are `unreadable` are known to be, with the reason.

    Raises:
        UnknownName: there is no such column or descriptor.
        InputError: an option is wrong, or no row can be described.
    """
    wanted = named_descriptors(shape.descriptor)
    if not wanted:
        raise InputError("no descriptor is named", hint="for instance descriptor: morgan")
    column = _material_column(table, shape)
    makers = [(name, options, descriptors(name, options)) for name, options in wanted]
    texts = table.texts(column)
    reader = makers[0][2]
    sees_itself = once and hasattr(reader, "first_of_each")
    canonical, aside = [""] * len(texts), dict(unreadable or {})
    if not sees_itself:
        canonical = _canonical(texts, reader, aside)
    again = _again(table, shape, column, reader, canonical) if once else {}
    aside |= {row: _said_again(table, texts[row], first) for row, first in again.items()}
    rows = [row for row in range(len(texts)) if row not in aside]
    found: list[tuple[Described, Blocks]] = []
    for name, options, maker in makers:
        blocks, bad = _in_blocks(maker, [texts[row] for row in rows])
        aside |= {rows[place]: why for place, why in bad.items()}
        said = Described(descriptor=name, material=column, options=dict(options))
        if maker.content == "dense":
            names, units = tuple(maker.names), tuple(maker.units)
            said = said.model_copy(update={"names": names, "units": units})
        found.append((said, blocks))
    kept = [place for place, row in enumerate(rows) if row not in aside]
    if sees_itself:
        forms = _seen(reader, [texts[rows[place]] for place in kept], found[0][1], kept)
        for place, form in zip(kept, forms, strict=True):
            canonical[rows[place]] = form
        again = _again(table, shape, column, reader, canonical)
        aside |= {row: _said_again(table, texts[row], first) for row, first in again.items()}
        kept = [place for place in kept if rows[place] not in again]
    if not kept:
        raise FileProblems(
            table.source, [_problem(table, row, aside[row]) for row in sorted(aside)]
        )
    return Reading(
        rows=tuple(rows[place] for place in kept),
        described=tuple(_described(said, blocks, kept) for said, blocks in found),
        set_aside=_set_aside(table, shape, aside, again),
        makers=tuple(maker for _, _, maker in makers),
        forms=tuple(canonical[rows[place]] for place in kept),
    )


def _set_aside(
    table: Table, shape: PoolShape, aside: Mapping[int, str], again: Mapping[int, int]
) -> tuple[SetAside, ...]:
    column = name_column(table, shape.name)
    names = table.texts(column) if column in table.columns else [""] * len(table.rows)
    same = {row: names[first] for row, first in again.items() if first not in aside}
    return tuple(
        SetAside(
            line=table.lines[row],
            why=aside[row],
            name=names[row],
            same_as=same.get(row, ""),
            place=table.places[row] if table.places else "",
        )
        for row in sorted(aside)
    )


def _problem(table: Table, row: int, why: str) -> Problem:
    if table.places:
        return Problem(f"{table.places[row]}: {why}")
    return Problem(why, "", table.lines[row])


def name_column(table: Table, wanted: str | None) -> str:
    """The column that names the candidates: the one that is wanted, else `name`, else the first."""
    return wanted or ("name" if "name" in table.columns else table.columns[0])


def named_descriptors(given: Any) -> list[tuple[str, Options]]:
    """Names and options: of `morgan`, `{morgan: {radius: 3}}`, or a list of these."""
    if isinstance(given, str):
        return [(given, {})]
    if isinstance(given, dict):
        return [(name, options or {}) for name, options in given.items()]
    return [pair for one in given for pair in named_descriptors(one)]


def _material_column(table: Table, shape: PoolShape) -> str:
    said = [key for key in MATERIAL_KEYS if getattr(shape, key) is not None]
    if len(said) != 1:
        texts = [c for c in table.columns if not table.is_numeric(c)]
        raise InputError(
            "a descriptor needs the one column of materials that it reads",
            hint=f"smiles: COLUMN or formula: COLUMN; columns of words: {', '.join(texts)}",
        )
    column = str(getattr(shape, said[0]))
    if column not in table.columns:
        raise UnknownName(f"column of {table.source}", column, table.columns)
    return column


def _seen(reader: Any, materials: Sequence[str], blocks: Blocks, kept: Sequence[int]) -> list[str]:
    """A name for each material that those have too which are the same, by the reader's own look at
    them and at what it said of them."""
    import numpy as np

    vectors = np.concatenate([block for block in blocks if not isinstance(block, Counts)])
    return [str(first) for first in reader.first_of_each(materials, vectors[list(kept)])]


def _canonical(texts: Sequence[str], reader: Descriptor, aside: dict[int, str]) -> list[str]:
    """Materials in canonical form ('' where one cannot be read); why such rows are set aside is
    added to `aside`."""
    rows = [row for row in range(len(texts)) if row not in aside]
    forms, unread = canonical_forms(reader, [texts[row] for row in rows])
    aside |= {rows[place]: why for place, why in unread}
    canonical = [""] * len(texts)
    for row, form in zip(rows, forms, strict=True):
        canonical[row] = form
    return canonical


def _again(
    table: Table, shape: PoolShape, column: str, reader: Descriptor, canonical: Sequence[str]
) -> dict[int, int]:
    """Rows that are the candidate of an earlier row, and that row.

    One material is one candidate, unless columns that describe it differ. Where its form does not
    say which material it is (a formula may be that of several), all else has to be equal, the
    names too.
    """
    apart = [c for c in shape.columns or () if c in table.columns]
    if shape.formula is not None or not getattr(reader, "identifies", True):
        apart = [c for c in table.columns if c != column]
    cells = [table.texts(c) for c in apart]
    first: dict[tuple[str, ...], int] = {}
    again: dict[int, int] = {}
    for row, form in enumerate(canonical):
        if form:
            key = (form, *(texts[row] for texts in cells))
            if first.setdefault(key, row) != row:
                again[row] = first[key]
    return again


def _said_again(table: Table, text: str, first: int) -> str:
    if table.places:
        return f"it is the material of {table.where(first)} again"
    shown = f"'{text if len(text) <= MOST_SHOWN else f'{text[:MOST_SHOWN]}...'}'"
    if "\n" in text:  # of a structure, whose first line says nothing
        shown = "it"
    return f"{shown} is the material of line {table.lines[first]} again"


def first_readable(reader: Descriptor, materials: Sequence[str], n: int) -> list[str]:
    """The first `n` materials that can be read."""
    found: list[str] = []
    for material in materials:
        try:
            found.append(reader.canonical(material))
        except InputError:
            continue
        if len(found) == n:
            break
    return found


def _values(
    maker: Descriptor, materials: Sequence[str]
) -> tuple[NDArray[np.float64], dict[int, str]]:
    """Vectors (n x d), and why some rows of them, which are zero, cannot be made."""
    import numpy as np

    if not materials:
        return np.zeros((0, len(maker.names))), {}
    try:
        return _finite(maker, materials), {}
    except InputError as error:
        if len(materials) == 1:
            return np.zeros((1, len(maker.names))), {0: str(error)}
    half = len(materials) // 2  # until the bad ones are alone
    first, bad = _values(maker, materials[:half])
    second, worse = _values(maker, materials[half:])
    return np.concatenate([first, second]), bad | {half + i: why for i, why in worse.items()}


def _finite(maker: Descriptor, materials: Sequence[str]) -> NDArray[np.float64]:
    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a library's own remarks on a single material
        values = np.asarray(maker.describe(materials), dtype=np.float64)
    if values.shape != (len(materials), len(maker.names)):
        raise InputError(f"the descriptor gives {values.shape}, but has {len(maker.names)} names")
    places = np.argwhere(~np.isfinite(values))
    if len(places):
        row, column = places[0]
        name, value = maker.names[column], values[row, column]
        raise InputError(f"'{name}' of '{materials[row]}' is {value}")
    if maker.content != "dense":
        _refuse_no_counts(maker, materials, values)
    return values


def _refuse_no_counts(
    maker: Descriptor, materials: Sequence[str], values: NDArray[np.float64]
) -> None:
    import numpy as np

    places = np.argwhere((values < 0) | (values > LARGEST))
    if len(places):
        row, column = places[0]
        name, value = maker.names[column], values[row, column]
        raise InputError(f"'{name}' of '{materials[row]}' is {value:g}, which is no count")


def _described(said: Described, blocks: Blocks, kept: Sequence[int]) -> Described:
    """What is said of the places that are kept."""
    import numpy as np

    counted = [block for block in blocks if isinstance(block, Counts)]
    if counted:
        return said.model_copy(update={"counts": Counts.joined(counted).only(kept)})
    values = np.concatenate([block for block in blocks if not isinstance(block, Counts)])
    return said.model_copy(update={"rows": Rows.of(values[list(kept)])})


def _in_blocks(maker: Descriptor, materials: Sequence[str]) -> tuple[Blocks, dict[int, str]]:
    """What a descriptor says, and of which materials it can say nothing. Counts are kept as such
    block by block: as an array those of a large table would take gigabytes."""
    blocks: Blocks = []
    bad: dict[int, str] = {}
    for start in range(0, max(len(materials), 1), BLOCK):
        values, worse = _values(maker, materials[start : start + BLOCK])
        bad |= {start + place: why for place, why in worse.items()}
        blocks.append(values if maker.content == "dense" else Counts.of(values))
    return blocks, bad
