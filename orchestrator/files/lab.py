"""Reads a lab file into the model, with every mistake at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.canonical import content_hash
from orchestrator.files.declared import KindOf, read_declaration
from orchestrator.files.document import Document, KeyPath, read_document, refuse_the_other
from orchestrator.files.findings import Findings
from orchestrator.files.interlocks import read_interlocks, read_limits
from orchestrator.files.isolation import check_isolation
from orchestrator.files.lab_shapes import (
    ClockShape,
    LabHeading,
    LabShape,
    PositionShape,
    ResourceShape,
    TwinsShape,
)
from orchestrator.files.recipe import positive_seconds
from orchestrator.files.shared_ports import check_addresses, check_line_settings
from orchestrator.files.site import read_site
from orchestrator.model.lab import (
    VIRTUAL,
    ClockChoice,
    Lab,
    Position,
    ResourceBinding,
    TwinChoice,
    TwinFault,
)
from orchestrator.model.quantity import quantity_in
from orchestrator.ports.resource import OptionSpec, ResourceKind

OPTIONS_OF_ALL = ("parts", "serial", "on_restart", "isolate", "declared")
"""What any resource may be given beside the options of its kind."""
_SORTS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "real": ((float, int), "a number"),
    "integer": ((int,), "a whole number"),
    "text": ((str,), "a text"),
    "boolean": ((bool,), "true or false"),
}


def load_lab(
    path: Path | str,
    kind: KindOf,
    kinds: Collection[str],
    twin_worlds: Collection[str],
) -> Lab:
    """Reads and checks a lab file; no resource is made or opened.

    Args:
        path: the YAML file.
        kind: gives what is known of an installed kind of resource, and of one that is declared.
        kinds: names of the installed kinds of resource.
        twin_worlds: names of the installed worlds of twins.

    Raises:
        FileProblems: with every mistake of the file and its place.
    """
    document = read_document(Path(path))
    sentence, hint = "it is a campaign file, not a lab file", "a lab file has 'lab' and 'resources'"
    refuse_the_other(document, "resources", "space", sentence, hint)
    return _Reading(document).lab(kind, kinds, twin_worlds)


class _Reading:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._findings = Findings(document)
        self._kinds: dict[str, ResourceKind | None] = {}

    def lab(
        self,
        kind: KindOf,
        kinds: Collection[str],
        twin_worlds: Collection[str],
    ) -> Lab:
        findings = self._findings
        findings.keys([], LabShape, "a key of a lab")
        heading = findings.shaped([], LabHeading, "a key of a lab", partly=True)
        poll_s = 1.0
        if heading is not None:
            with findings.at(["poll"]):
                poll_s = positive_seconds(heading.poll)
        on_restart = heading.on_restart if heading else "make_safe"
        resources = self._resources(kind, kinds, on_restart)
        self._check_parts(resources)
        twins, clock, site = self._twins(twin_worlds), self._clock(), read_site(findings)
        self._check_ports(resources, twins, clock)
        check_isolation(findings, resources, self._kinds)
        check_line_settings(findings, resources, self._kinds)
        check_addresses(findings, resources, self._kinds)
        limits = read_limits(findings, self._kinds)
        interlocks = read_interlocks(findings, self._kinds, poll_s)
        roles, order, positions = self._roles(), self._order(), self._positions()
        findings.raise_any()
        assert heading is not None, "or it was a finding"
        return Lab(
            name=heading.lab,
            resources=resources,
            roles=roles,
            positions=positions,
            limits=limits,
            interlocks=interlocks,
            make_safe_order=order,
            clock=clock,
            twins=twins,
            site=site,
            poll_s=poll_s,
            record=self._folder(heading.record),
            source=self._document.source,
            text=self._document.text,
            file_hash=content_hash(
                self._document.root.plain(),
                {r.name: r.declaration for r in resources if r.declaration},
            ),
        )

    def _folder(self, name: str | None) -> str:
        """A folder that the file names from where it is."""
        return str(Path(self._document.source).parent / name) if name else ""

    def _path(self, name: Any) -> str:
        """The whole path of what an option names from where the file is; '' where it names none."""
        beside = Path(self._document.source).parent
        return str((beside / Path(name).expanduser()).resolve()) if name else ""

    def _resources(
        self, kind: KindOf, kinds: Collection[str], on_restart: Any
    ) -> tuple[ResourceBinding, ...]:
        bindings = []
        if self._findings.plain(["resources"]) == {}:
            self._findings.add(["resources"], "a lab needs at least one resource")
        for name in self._findings.entries(["resources"], named=True):
            self._kinds[name] = None
            path = ["resources", name]
            shape = self._findings.shaped(path, ResourceShape, "a key of a resource")
            if shape is None:
                continue
            with self._findings.at([*path, "kind"]):
                if shape.kind not in kinds:
                    raise UnknownName("kind of resource that is installed", shape.kind, kinds)
                self._kinds[name] = kind(shape.kind)
            declaration = self._declaration(path, kind, shape)
            bindings.append(
                ResourceBinding(
                    name=name,
                    kind=shape.kind,
                    options=self._options(path, self._kinds[name], shape),
                    parts=shape.parts,
                    on_restart=shape.on_restart or on_restart,
                    serial=shape.serial,
                    isolate=shape.isolate,
                    declaration=declaration,
                )
            )
        return tuple(bindings)

    def _declaration(self, path: list[str], kind: KindOf, shape: ResourceShape) -> str:
        """The content of the file that declares a resource, which then is of a kind of its own."""
        name, found = path[-1], self._kinds[path[-1]]
        if found is None or (found.declaration is None and shape.declared is None):
            return ""
        self._kinds[name] = None
        if found.declaration is None:
            message = f"'{found.name}' is a driver, and cannot be declared"
            self._findings.add([*path, "declared"], message, "leave it away", key=True)
        elif shape.declared is None:
            message = f"'{name}' ({found.name}) needs 'declared: FILE', which says what it can do"
            self._findings.add(path, message, key=True)
        else:
            with self._findings.at([*path, "declared"]):
                file = Path(self._document.source).parent / shape.declared
                declaration = read_declaration(file, found)
                self._kinds[name] = kind(shape.kind, declaration)
                return declaration
        return ""

    def _options(
        self, path: list[str], kind: ResourceKind | None, shape: ResourceShape
    ) -> dict[str, float | int | str | bool]:
        if kind is None:
            return {}
        options: dict[str, float | int | str | bool] = {}
        given: Mapping[str, Any] = shape.__pydantic_extra__ or {}
        for name, value in given.items():
            if name not in kind.options:
                known = [*kind.options, *OPTIONS_OF_ALL]
                self._findings.unknown([*path, name], f"an option of '{kind.name}'", known)
                continue
            with self._findings.at([*path, name]):
                said = _option(kind.options[name], value)
                options[name] = self._path(said) if kind.options[name].is_path else said
        for name, option in kind.options.items():
            if option.required and name not in given:
                unit = f" in '{option.unit}'" if option.unit else ""
                message = f"'{path[-1]}' ({kind.name}) needs its option '{name}'{unit}"
                self._findings.add(path, message, key=True)
        return options

    def _check_parts(self, resources: tuple[ResourceBinding, ...]) -> None:
        """Every part of a composite is bound to a resource that states its capability."""
        for binding in resources:
            path = ["resources", binding.name]
            kind = self._kinds[binding.name]
            if kind is None:
                continue
            for part, resource in binding.parts.items():
                if part not in kind.parts:
                    what = f"a part of '{kind.name}'"
                    self._findings.unknown([*path, "parts", part], what, kind.parts)
                    continue
                with self._findings.at([*path, "parts", part]):
                    self._check_part(part, kind.parts[part], resource, binding.name)
            for part, capability in kind.parts.items():
                if part not in binding.parts:
                    message = f"'{binding.name}' needs its part '{part}' ({capability})"
                    self._findings.add(path, message, "bind it under 'parts:'", key=True)

    def _check_part(self, part: str, capability: str, resource: str, whole: str) -> None:
        if resource not in self._kinds:
            raise UnknownName("resource of this lab", resource, self._kinds)
        if resource == whole:
            raise InputError(f"'{whole}' cannot be a part of itself")
        kind = self._kinds[resource]
        if kind is not None and capability not in kind.implements:
            offers = ", ".join(kind.implements) or "none"
            raise InputError(
                f"the part '{part}' needs the capability {capability}, which "
                f"'{resource}' ({kind.name}) does not have",
                hint=f"it has: {offers}",
            )

    def _twins(self, worlds: Collection[str]) -> TwinChoice | None:
        if self._findings.plain(["twins"]) is None:
            return None
        shape = self._findings.shaped(["twins"], TwinsShape, "a key of the twins")
        if shape is None:
            return TwinChoice(world="")
        if shape.world not in worlds:
            with self._findings.at(["twins", "world"]):
                raise UnknownName("world of twins that is installed", shape.world, worlds)
        return TwinChoice(world=shape.world, seed=shape.seed, faults=self._faults(shape))

    def _faults(self, twins: TwinsShape) -> tuple[TwinFault, ...]:
        faults = []
        for index, shape in enumerate(twins.faults):
            path: KeyPath = ["twins", "faults", index]
            if (shape.at is None) == (shape.share is None):
                hint = "'at' is the number of a reply of the port, 'share' a probability for each"
                self._findings.add(path, "a fault needs either 'at' or 'share'", hint)
            with self._findings.at([*path, "lasts"]):
                seconds = positive_seconds(shape.lasts) if shape.lasts is not None else 0.0
                how = (shape.how,) if isinstance(shape.how, str) else tuple(shape.how)
                given = shape.model_dump(include={"wire", "at", "share", "times", "seed"})
                faults.append(TwinFault(how=how, seconds=seconds, **given))
        return tuple(faults)

    def _clock(self) -> ClockChoice:
        shape = self._findings.shaped(["clock"], ClockShape, "a key of the clock")
        if shape is None:
            return ClockChoice()
        if shape.kind == "wall" and shape.speed != 1.0:
            hint = "for twins, write 'kind: scaled'"
            self._findings.add(["clock", "speed"], "the wall clock has no speed", hint)
        return ClockChoice(kind=shape.kind, speed=shape.speed)

    def _check_ports(
        self, resources: tuple[ResourceBinding, ...], twins: TwinChoice | None, clock: ClockChoice
    ) -> None:
        """Twin ports need twins; a scaled clock bears nothing else."""
        if clock.kind == "scaled" and twins is None:
            self._findings.add(
                ["clock"], "a scaled clock would drive real devices too fast", "only with 'twins:'"
            )
        for binding in resources:
            for name, value in binding.options.items():
                path = ["resources", binding.name, name]
                if not isinstance(value, str):
                    continue
                if value.startswith("twin:") and twins is None:
                    self._findings.add(path, f"'{value}' needs 'twins:' in this file")
                if twins and clock.kind == "scaled" and _is_real_port(value, binding.places):
                    message = f"a scaled clock would drive '{binding.name}' at '{value}' too fast"
                    self._findings.add(path, message, "use the wall clock beside real devices")

    def _roles(self) -> dict[str, str]:
        return {
            role: resource
            for role in self._findings.entries(["roles"], named=True)
            if (resource := self._resource_at(["roles", role])) is not None
        }

    def _order(self) -> tuple[str, ...]:
        order: list[str] = []
        for index, _ in enumerate(self._findings.items(["make_safe"])):
            resource = self._resource_at(["make_safe", index])
            if resource in order:
                message = f"'{resource}' stands twice in the order"
                self._findings.add(["make_safe", index], message)
            elif resource is not None:
                order.append(resource)
        return tuple(order)

    def _resource_at(self, path: KeyPath) -> str | None:
        name = self._findings.plain(path)
        with self._findings.at(path):
            if not isinstance(name, str) or name not in self._kinds:
                raise UnknownName("resource of this lab", str(name), self._kinds)
            return name
        return None

    def _positions(self) -> tuple[Position, ...]:
        positions = []
        for name in self._findings.entries(["positions"], named=True):
            path = ["positions", name]
            shape = self._findings.shaped(path, PositionShape, "a key of a position")
            if shape is not None:
                positions.append(
                    Position(name=name, slots=shape.slots, stores_new=shape.stores_new)
                )
        return tuple(positions)


def _option(option: OptionSpec, value: Any) -> float | int | str | bool:
    """The value of an option, in the unit that the constructor takes."""
    given: Any = value
    if option.unit:
        if not isinstance(value, str):
            raise InputError(
                f"'{option.name}' needs a unit: it is taken in '{option.unit}'",
                hint=f"write '{value} {option.unit}'",
            )
        given = quantity_in(value, option.unit)
        if option.kind == "integer" and given.is_integer():
            given = int(given)
    allowed, wish = _SORTS[option.kind]
    is_fit = isinstance(given, allowed) and isinstance(given, bool) == (option.kind == "boolean")
    if not is_fit:
        is_bare = option.kind == "text" and isinstance(value, int | float)
        hint = f"quote it, as it is meant: '{value}'" if is_bare else ""
        raise InputError(f"'{option.name}' is {wish}, not {value!r}", hint=hint)
    if option.kind in ("real", "integer"):
        check_range(option, given)
    return float(given) if option.kind == "real" else given


def check_range(option: OptionSpec, value: float) -> None:
    """Accepts a finite number within the option's own bounds. Raises InputError."""
    low, high = option.low, option.high
    if math.isfinite(value) and (low is None or low <= value) and (high is None or value <= high):
        return
    bounds = [f"at least {low:g}"] if low is not None else []
    bounds += [f"at most {high:g}"] if high is not None else []
    wish = " and ".join(bounds) or "a finite number"
    raise InputError(f"'{option.name}' is {wish} {option.unit}".rstrip() + f", not {value:g}")


def _is_real_port(value: str, places: Collection[str]) -> bool:
    looks_real = value in places or "://" in value or value.startswith(("/dev/", "COM"))
    return looks_real and not value.startswith(VIRTUAL)
