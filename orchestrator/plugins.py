"""Finds what is installed: resources, capabilities, planners, descriptors, twins.

Ours are found by the same entry points as anyone's; nothing here imports them by name.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import inspect
import itertools
import re
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from orchestrator.errors import InputError, NameClash, UnknownName
from orchestrator.model.lab import Lab
from orchestrator.ports.action import ActionSpec, FileArg, Unit, actions_of
from orchestrator.ports.descriptor import Descriptor
from orchestrator.ports.options import check_options
from orchestrator.ports.resource import OptionSpec, PassesOn, ResourceKind

TOP_LEVEL = ("orchestrator", "drivers", "simulators", "campaigns")
_OPTION_KINDS: Mapping[type, Literal["real", "integer", "text", "boolean"]] = {
    float: "real",
    int: "integer",
    str: "text",
    bool: "boolean",
}


def installed(group: str) -> dict[str, importlib.metadata.EntryPoint]:
    """Entry points of `hagane.<group>` by name; nothing is imported."""
    found = _entry_points(tuple(sys.path)).select(group=f"hagane.{group}")
    return {entry.name: entry for entry in found}


@functools.cache
def _entry_points(path: tuple[str, ...]) -> importlib.metadata.EntryPoints:
    """Everything that is installed on `path`, which is `sys.path`; read once, it takes 10 ms."""
    everything: Any = importlib.metadata.entry_points()  # of another type before Python 3.12
    return typing.cast(importlib.metadata.EntryPoints, everything)


def load(group: str, name: str) -> Any:
    """The object behind an entry point.

    Raises:
        UnknownName: there is none of that name.
        InputError: it cannot be imported.
    """
    found = installed(group)
    if name not in found:
        raise UnknownName(f"{group.rstrip('s')} kind that is installed", name, found)
    try:
        return found[name].load()
    except Exception as error:  # whatever a stranger's module raises when it is imported
        raise InputError(
            f"the {group.rstrip('s')} '{name}' cannot be loaded: {error}",
            hint="reinstall the distribution that provides it",
        ) from error


@functools.cache
def capability(name: str) -> Mapping[str, ActionSpec]:
    """The actions of a capability. Raises UnknownName, InputError."""
    return _actions(name, load("capabilities", name))


@functools.cache
def resource_kind(name: str, declaration: str = "") -> ResourceKind:
    """A resource class and what its signature says; with a declaration (JSON), the declared one.

    Raises:
        UnknownName: there is none of that name.
        InputError: it cannot be imported, or declares something wrongly.
    """
    cls = load("resources", name)
    if declaration:
        cls = cls.declared(declaration)
    return ResourceKind(
        name=name,
        cls=cls,
        actions=_actions(name, cls),
        options=_options(name, cls),
        implements=tuple(getattr(cls, "implements", ())),
        parts=dict(getattr(cls, "parts", {})),
        passes_on=_passes_on(name, cls),
        doc=inspect.getdoc(cls) or "",
        on_hardware=_on_hardware(cls),
        declaration=getattr(cls, "declaration", None),
    )


def _passes_on(name: str, cls: type) -> PassesOn:
    """What a composite passes on as it is. Raises InputError: a place is none of its parts'."""
    found: PassesOn = getattr(cls, "passes_on", {})
    parts = getattr(cls, "parts", {})
    given = [places for arguments in found.values() for places in arguments.values()]
    for place in itertools.chain.from_iterable(given):
        part, *inner = place.split(".")
        if part not in parts or len(inner) != 2:
            raise InputError(
                f"the resource kind '{name}' passes on to '{place}', no argument of a part",
                hint=f"write PART.ACTION.ARGUMENT; its parts are {', '.join(parts) or 'none'}",
            )
    return found


def _on_hardware(cls: type) -> str:
    """What is said of a class after `Tried on hardware:`, by itself or else by its module."""
    for doc in (cls.__doc__, inspect.getdoc(sys.modules[cls.__module__])):
        said = re.search(r"Tried on hardware:\s+(.+?)(?:[.;]\s|\.?$)", doc or "", re.DOTALL)
        if said:
            return " ".join(said[1].split())
    return ""


def kinds_of(lab: Lab) -> dict[str, ResourceKind]:
    """What is known of each resource of a lab, by its name. Raises as `resource_kind`."""
    return {b.name: resource_kind(b.kind, b.declaration) for b in lab.resources}


def descriptor(name: str, options: Mapping[str, Any]) -> Descriptor:
    """An installed descriptor with its options.

    Raises:
        UnknownName: there is none of that name, or it has no such option.
        InputError: it cannot be imported, or an option is wrong.
    """
    cls = load("descriptors", name)
    check_options(f"descriptor '{name}'", cls, options)
    try:
        made: Descriptor = cls(**options)
    except (TypeError, ValueError) as error:
        raise InputError(f"the descriptor '{name}' cannot be made like this: {error}") from error
    return made


def generator(name: str) -> type[Any]:
    """The class of an installed generator. Raises UnknownName, InputError."""
    found = load("generators", name)
    assert isinstance(found, type), "an entry point of `hagane.generators` is a class"
    return found


def _actions(name: str, cls: type) -> Mapping[str, ActionSpec]:
    try:
        return actions_of(cls)
    except TypeError as error:
        raise InputError(f"'{name}' declares an action wrongly: {error}") from error


def _options(name: str, cls: type) -> dict[str, OptionSpec]:
    init = inspect.getattr_static(cls, "__init__")
    hints = typing.get_type_hints(init, include_extras=True)
    options = {}
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.name == "bench":
            continue
        base, note = _base_and_unit(hints.get(parameter.name))
        if base not in _OPTION_KINDS:
            raise InputError(
                f"the kind '{name}' has an option '{parameter.name}' that no lab file could give",
                hint="annotate it as float, int, str or bool",
            )
        required = parameter.default is inspect.Parameter.empty
        default = None if required else parameter.default
        kind = _OPTION_KINDS[base]
        is_path = any(isinstance(n, FileArg) for n in _notes(hints.get(parameter.name)))
        options[parameter.name] = OptionSpec(
            parameter.name, kind, required, default, note.unit, note.low, note.high, is_path
        )
    return options


def _notes(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()


def _base_and_unit(hint: Any) -> tuple[Any, Unit]:
    unit = Unit("")
    if typing.get_origin(hint) is typing.Annotated:
        hint, *notes = typing.get_args(hint)
        unit = next((n for n in notes if isinstance(n, Unit)), unit)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        hint = next((a for a in typing.get_args(hint) if a in _OPTION_KINDS), hint)
    return hint, unit


def refuse_name_clash(packages: Iterable[str] = TOP_LEVEL) -> None:
    """Refuses to work when somebody else owns one of our import names.

    Two distributions may have put their files into one folder; or another folder, installed or
    not, comes before ours on the path (an editable installation owns no files, so only this is
    seen of it).

    Raises:
        NameClash: naming the guilty distribution, or the folder that stands before ours.
    """
    packages = tuple(packages)
    owners = _owners(packages)
    ours = Path(__file__).resolve().parents[1]
    for package in packages:
        others = sorted(owners[package] - {"hagane"})
        others = others or [str(f) for f in _folders(package) if f.parent != ours]
        if others:
            raise NameClash(package, others)


def _owners(packages: Iterable[str]) -> dict[str, set[str]]:
    """The distributions that installed something under these names.

    What `importlib.metadata.packages_distributions` says of them, without its parsing of every
    list of installed files, which takes longer than the import of numpy.
    """
    owners: dict[str, set[str]] = {package: set() for package in packages}
    for distribution in importlib.metadata.distributions():
        declared = (distribution.read_text("top_level.txt") or "").split()
        files = "" if declared else "\n" + (distribution.read_text("RECORD") or "")
        for package, names in owners.items():
            listed = f"\n{package}/" in files or f"\n{package}.py," in files
            if listed or package in declared:
                names.add(distribution.metadata["Name"])
    return owners


def _folders(package: str) -> list[Path]:
    """Where a package would be imported from; nothing is imported."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        return []
    places = spec.submodule_search_locations or [spec.origin or ""]
    return [Path(place).resolve() for place in places]
