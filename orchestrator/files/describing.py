"""What descriptors say of the candidates of a table; rows that cannot be described stand aside."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from orchestrator.errors import FileProblems, InputError, Problem, UnknownName
from orchestrator.files.space_shapes import PoolShape
from orchestrator.files.table import Table
from orchestrator.model.counts import LARGEST, Counts
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, SetAside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from orchestrator.ports.descriptor import Descriptor

Options: TypeAlias = Mapping[str, Any]
Descriptors: TypeAlias = "Callable[[str, Options], Descriptor]"
"""Makes an installed descriptor. Raises UnknownName, InputError."""
Generators: TypeAlias = "Callable[[str], type[Any]]"
"""The class of an installed generator. Raises UnknownName, InputError."""
BUILT_IN = "built_in"
MATERIAL_KEYS = ("smiles", "formula", "structure", "material")


def no_descriptors(name: str, options: Options) -> Descriptor:
    """Where none is installed. Raises UnknownName."""
    raise UnknownName("descriptor that is installed", name, ())


def no_generators(name: str) -> type[Any]:
    """Where none is installed. Raises UnknownName."""
    raise UnknownName("generator that is installed", name, ())


@dataclass(frozen=True)
class Kinds:
    """What is installed to describe and to make materials."""

    descriptors: Descriptors = no_descriptors
    generators: Generators = no_generators


@dataclass(frozen=True)
class Reading:
    """Rows (places in the table) that are candidates, what is said of them, and the others."""

    rows: tuple[int, ...]
    described: tuple[Described, ...]
    set_aside: tuple[SetAside, ...]
    makers: tuple[Descriptor, ...] = ()


def describe(table: Table, shape: PoolShape, descriptors: Descriptors) -> Reading:
    """Describes the materials of a table as its shape wants.

    Raises:
        UnknownName: there is no such column or descriptor.
        InputError: an option is wrong, or no row can be described.
    """
    wanted = _wanted(shape.descriptor)
    column = _material_column(table, shape)
    makers = [(name, options, descriptors(name, options)) for name, options in wanted]
    texts = table.texts(column)
    once = shape.smiles is not None  # elsewhere one text may be several materials
    canonical, aside = _canonical(table, texts, makers[0][2], once=once)
    rows = [row for row, text in enumerate(canonical) if text is not None]
    found: list[tuple[str, Options, Descriptor, NDArray[np.float64]]] = []
    for name, options, maker in makers:
        values, bad = _values(maker, [texts[row] for row in rows])
        aside |= {rows[place]: why for place, why in bad.items()}
        found.append((name, options, maker, values))
    kept = [place for place, row in enumerate(rows) if row not in aside]
    if not kept:
        first = min(aside)
        raise FileProblems(table.source, [Problem(aside[first], "", table.lines[first])])
    return Reading(
        rows=tuple(rows[place] for place in kept),
        described=tuple(
            _described(name, options, column, maker, values[kept])
            for name, options, maker, values in found
        ),
        set_aside=tuple(SetAside(line=table.lines[r], why=aside[r]) for r in sorted(aside)),
        makers=tuple(maker for _, _, maker in makers),
    )


def _wanted(given: Any) -> list[tuple[str, Options]]:
    """Names and options: of `morgan`, `{morgan: {radius: 3}}`, or a list of these."""
    if isinstance(given, str):
        return [(given, {})]
    if isinstance(given, dict):
        return [(name, options or {}) for name, options in given.items()]
    return [pair for one in given for pair in _wanted(one)]


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


def _canonical(
    table: Table, texts: Sequence[str], reader: Descriptor, *, once: bool
) -> tuple[list[str | None], dict[int, str]]:
    """Materials in canonical form (None where one cannot be read), and why rows are set aside."""
    canonical: list[str | None] = []
    aside: dict[int, str] = {}
    first: dict[str, int] = {}
    for row, text in enumerate(texts):
        try:
            form = reader.canonical(text)
        except InputError as error:
            if error.hint.startswith("pip install"):
                raise  # what is not installed is no fault of the row
            canonical.append(None)
            aside[row] = str(error)
            continue
        if once and form in first:
            canonical.append(None)
            aside[row] = f"'{text}' is the material of line {table.lines[first[form]]} again"
            continue
        first.setdefault(form, row)
        canonical.append(form)
    return canonical, aside


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


def _described(
    name: str, options: Options, column: str, maker: Descriptor, values: NDArray[np.float64]
) -> Described:
    said = Described(descriptor=name, material=column, options=dict(options))
    if maker.content != "dense":
        return said.model_copy(update={"counts": Counts.of(values)})
    return said.model_copy(
        update={
            "names": tuple(maker.names),
            "units": tuple(maker.units),
            "rows": Rows.of(values.copy(order="C")),
        }
    )
