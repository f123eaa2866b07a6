"""Reads the rules of a lab file: `limits:` and `interlocks:`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.findings import Findings
from orchestrator.files.lab_shapes import RangeShape
from orchestrator.model.lab import Interlock, Limit
from orchestrator.model.quantity import quantity_in
from orchestrator.ports.action import ActionSpec, ArgSpec, Effect, ResultSpec
from orchestrator.ports.resource import ResourceKind

Kinds = Mapping[str, ResourceKind | None]
"""The kind of each resource; None where it could not be read."""

_RULE = re.compile(
    r"\s*never\s+(?P<resource>\w+)\.(?P<action>\w+)"
    r"\s+while\s+(?P<sensor>\w+)\.(?P<reading>\w+)(?:\.(?P<value>\w+))?"
    r"\s*(?P<sense>>=|<=|>|<)\s*(?P<threshold>\S.*?)"
    r"(?:\s+until\s+(?P<until>\w+\.\w+))?\s*"
)
_SENSES: Mapping[str, Literal[">", "<", ">=", "<="]] = {">": ">", "<": "<", ">=": ">=", "<=": "<="}
_GRAMMAR = "never RESOURCE.ACTION while RESOURCE.READING[.VALUE] > QUANTITY [until RESOURCE.ACTION]"


def read_limits(findings: Findings, kinds: Kinds) -> tuple[Limit, ...]:
    """The limits that could be read, in the units of their arguments."""
    limits = []
    for name in findings.entries(["limits"]):
        spec = None
        with findings.at(["limits", name], key=True):
            spec = _action_of(name, kinds)
        for argument in findings.entries(["limits", name]):
            path = ["limits", name, argument]
            shape = findings.shaped(path, RangeShape, "a key of a limit")
            if shape is None or spec is None:
                continue
            with findings.at(path, key=True):
                limits.append(_limit(findings, path, spec, shape))
    return tuple(limits)


def _limit(findings: Findings, path: list[str], spec: ActionSpec, shape: RangeShape) -> Limit:
    _, name, argument = path
    arg = spec.arg(argument)
    numeric = [a.name for a in spec.args if a.kind in ("real", "integer")]
    if arg is None or argument not in numeric:
        raise UnknownName(f"argument of {name} with a number", argument, numeric)
    if shape.min is None and shape.max is None:
        raise InputError("a limit needs 'min' or 'max'")
    bounds: dict[str, float | None] = {"min": None, "max": None}
    for side, given in (("min", shape.min), ("max", shape.max)):
        if given is not None:
            with findings.at([*path, side]):
                bounds[side] = _in_unit_of(arg, given)
    low, high = bounds["min"], bounds["max"]
    if low is not None and high is not None and low > high:
        raise InputError(f"'min' is above 'max' in the limit of '{argument}'")
    resource, action = name.split(".")
    return Limit(resource=resource, action=action, argument=argument, low=low, high=high)


def _in_unit_of(arg: ArgSpec, given: float | str) -> float:
    if isinstance(given, str):
        return quantity_in(given, arg.unit)
    if arg.unit:
        raise InputError(
            f"the limit needs a unit: '{arg.name}' is taken in '{arg.unit}'",
            hint=f"write '{given:g} {arg.unit}'",
        )
    return float(given)


def _action_of(name: str, kinds: Kinds) -> ActionSpec | None:
    """The action that `RESOURCE.ACTION` names; None where its resource could not be read."""
    resource, _, action = name.partition(".")
    if resource not in kinds:
        raise UnknownName("resource of this lab", resource, kinds)
    kind = kinds[resource]
    if kind is None:
        return None
    if action not in kind.actions:
        raise UnknownName(f"action of '{resource}' ({kind.name})", action, kind.actions)
    return kind.actions[action]


def read_interlocks(findings: Findings, kinds: Kinds, poll_s: float) -> tuple[Interlock, ...]:
    """The interlocks that could be read.

    A reading may be as old as three polls, and 5 s at least, before it counts as unsafe.
    """
    rules = []
    for index, node in enumerate(findings.items(["interlocks"])):
        path: list[str | int] = ["interlocks", index]
        with findings.at(path):
            if not isinstance(node.value, str):
                raise InputError("an interlock is a sentence", hint=_GRAMMAR)
            rule = _interlock(node.value, kinds, max(5.0, 3 * poll_s))
            if rule is not None:
                rules.append(rule)
    return tuple(rules)


def _interlock(text: str, kinds: Kinds, max_age_s: float) -> Interlock | None:
    match = _RULE.fullmatch(text)
    if match is None:
        raise InputError(f"'{text}' is not an interlock", hint=_GRAMMAR)
    resource, action, sensor, reading = match.group("resource", "action", "sensor", "reading")
    guarded = _action_of(f"{resource}.{action}", kinds)
    measured = _action_of(f"{sensor}.{reading}", kinds)
    if guarded is None or measured is None:
        return None
    if measured.effect is not Effect.NONE:
        raise InputError(f"'{sensor}.{reading}' is no reading: it acts on the world")
    value = _value_of(measured, f"{sensor}.{reading}", match["value"])
    return Interlock(
        rule=" ".join(text.split()),
        resource=resource,
        action=action,
        sensor=sensor,
        reading=reading,
        value=value.name,
        sense=_SENSES[match["sense"]],
        threshold=quantity_in(match["threshold"], value.unit),
        unit=value.unit,
        released_by=_released_by(resource, action, match["until"], kinds),
        max_age_s=max_age_s,
    )


def _value_of(measured: ActionSpec, name: str, wanted: str | None) -> ResultSpec:
    numeric = {r.name: r for r in measured.results if r.kind in ("real", "integer")}
    if wanted is None and len(numeric) == 1:
        return next(iter(numeric.values()))
    if wanted is None:
        raise InputError(
            f"'{name}' reads {len(numeric)} values",
            hint=f"say which: {name}.VALUE, one of {', '.join(numeric)}",
        )
    if wanted not in numeric:
        raise UnknownName(f"value that '{name}' reads", wanted, numeric)
    return numeric[wanted]


def _released_by(resource: str, action: str, until: str | None, kinds: Kinds) -> str | None:
    """The action that ends the guarded state: the rule's own, else `off` where there is one."""
    kind = kinds[resource]
    if until is None:
        has_off = kind is not None and "off" in kind.actions and action != "off"
        return "off" if has_off else None
    _action_of(until, kinds)
    other, _, released_by = until.partition(".")
    if other != resource:
        raise InputError(
            f"'{until}' is an action of another resource", hint=f"name an action of '{resource}'"
        )
    return released_by
