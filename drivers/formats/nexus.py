"""NeXus, HDF5 with a default plot (needs h5py: `pip install 'hagane[data]'`).

Columns: the signal and the axis of the default plot, further signals, and the errors that belong to
them, as the file names them. The way to the default plot is that of the NeXus manual ("Find the
plottable data"): the attributes `default` from the root to an NXdata group, else the only NXdata
group; then `signal` and `axes`, or the older attribute `signal=1` of a field.

The HDF5 library is not proof against damaged files: one flipped byte can end its process with a
segmentation fault (seen with h5py 3.16). So a file is read in a process of its own.

Never tried on a file of a real instrument.
"""

from __future__ import annotations

import importlib.util
import io
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from drivers.formats.spelling import unit_of
from orchestrator.errors import InputError, MissingExtra
from orchestrator.model.scan import Column, Scan

WITHIN_S = 120.0
_AGAIN = "export it again, or wait until it is written"


def parse(data: bytes) -> Scan:
    """The default plot of a file.

    Raises:
        InputError: it is cut off or no HDF5, or has no plot along one axis.
        MissingExtra: h5py is not installed.
    """
    if importlib.util.find_spec("h5py") is None:
        raise MissingExtra("h5py, which reads NeXus files,", "pip install 'hagane[data]'")
    command = [sys.executable, "-m", "drivers.formats.nexus"]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=WITHIN_S, check=True
        )
    except subprocess.SubprocessError as error:
        raise InputError(f"the HDF5 library failed over it ({error})", hint=_AGAIN) from error
    said = json.loads(done.stdout)
    if "error" in said:
        raise InputError(said["error"], hint=said["hint"])
    columns = (Column(name, tuple(values), unit) for name, values, unit in said["columns"])
    return Scan(tuple(columns), said["facts"])


def main() -> None:
    """Reads a file from the standard input; says in JSON what it holds, or what is wrong."""
    said: dict[str, Any]
    try:
        scan = _read(sys.stdin.buffer.read())
    except InputError as error:
        said = {"error": str(error), "hint": error.hint}
    else:
        columns = [(c.name, c.values, c.unit) for c in scan.columns]
        said = {"columns": columns, "facts": dict(scan.facts)}
    print(json.dumps(said))


def _read(data: bytes) -> Scan:
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return _scan(file)
    except InputError:
        raise
    except Exception as error:  # of whatever kind: the library is given bytes of any kind
        raise InputError(f"it is cut off, or no HDF5 file: {error}", hint=_AGAIN) from error


def _scan(file: Any) -> Scan:
    group = _plot(file)
    signal = _signal(group)
    values = _values(group, signal)
    axes = [name for name in _words(group.attrs.get("axes")) if name != "."]
    axes = axes or [n for n in _words(group[signal].attrs.get("axes")) if n in group]
    if len(axes) > 1:
        raise InputError(f"its default plot has {len(axes)} axes", hint="export a curve")
    others = _words(group.attrs.get("auxiliary_signals"))
    errors = [n for n in (f"{signal}_errors", "errors") if n in group]
    columns = [
        Column(name, _values(group, name), unit_of(_text(group[name].attrs.get("units"))))
        for name in (*axes, *others, *errors)
    ]
    unit = unit_of(_text(group[signal].attrs.get("units")))
    columns.insert(len(axes), Column(signal, values, unit))
    wrong = next((c for c in columns if len(c.values) != len(values)), None)
    if wrong is not None:
        n = len(wrong.values)
        raise InputError(f"its '{wrong.name}' has {n} values for {len(values)} of '{signal}'")
    return Scan(tuple(columns), dict(_facts(group)))


def _plot(file: Any) -> Any:
    """The NXdata group of the default plot."""
    group = file
    while "default" in group.attrs:
        name = _text(group.attrs["default"])
        if name not in group:
            raise InputError(f"its default '{name}' is not in the file")
        group = group[name]
    if _text(group.attrs.get("NX_class")) == "NXdata":
        return group
    found: list[Any] = []
    group.visititems(
        lambda _, one: found.append(one) if _text(one.attrs.get("NX_class")) == "NXdata" else None
    )
    if len(found) != 1:
        raise InputError(
            f"it names no default plot and has {len(found)} groups of data",
            hint="set the attribute `default` of the file and its entry",
        )
    return found[0]


def _signal(group: Any) -> str:
    named = _text(group.attrs.get("signal"))
    if named:
        if named not in group:
            raise InputError(f"its signal '{named}' is not in the file")
        return named
    marked = [n for n in group if _text(group[n].attrs.get("signal")) == "1"]
    if len(marked) != 1:
        raise InputError(f"its plot '{group.name}' names no signal")
    return str(marked[0])


def _values(group: Any, name: str) -> tuple[float, ...]:
    if name not in group:
        raise InputError(f"its '{name}' is not in the file")
    data = group[name][()]
    squeezed = data.squeeze() if hasattr(data, "squeeze") else data
    if getattr(squeezed, "ndim", 0) != 1:
        raise InputError(f"its '{name}' is no curve: it has the shape {getattr(data, 'shape', ())}")
    values = tuple(float(v) for v in squeezed)
    if not all(map(math.isfinite, values)):
        raise InputError(f"its '{name}' has values that are no numbers")
    return values


def _text(value: Any) -> str:
    """An attribute as a text; its first word where it is a list."""
    return next(iter(_words(value)), "")


def _words(value: Any) -> list[str]:
    if value is None:
        return []
    items = value.tolist() if hasattr(value, "tolist") else value
    items = items if isinstance(items, list | tuple) else [items]
    words = [i.decode("utf-8", "replace") if isinstance(i, bytes) else str(i) for i in items]
    # older files have the axes in one text, with colons
    return [w for word in words for w in word.split(":") if w]


def _facts(group: Any) -> Iterator[tuple[str, str]]:
    entry = group.parent
    for name in ("title", "start_time", "end_time", "experiment_identifier"):
        if name in entry and getattr(entry[name], "shape", None) in ((), (1,)):
            yield name, _text(entry[name][()])


if __name__ == "__main__":
    main()
