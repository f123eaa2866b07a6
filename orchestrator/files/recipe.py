"""Reads the `recipe:` of a campaign file against the capabilities of its roles."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import InputError, did_you_mean
from orchestrator.files.findings import Findings
from orchestrator.files.scope import Scope
from orchestrator.files.shapes import StepShape
from orchestrator.model.expression import SERIES, TEXT
from orchestrator.model.quantity import convert, quantity_in
from orchestrator.model.recipe import Argument, OnFailure, Step
from orchestrator.model.space import Fidelity
from orchestrator.ports.action import ActionSpec, ArgSpec

Roles = Mapping[str, Mapping[str, ActionSpec] | None]
"""The actions of each role; None for a role whose capability could not be read."""


def read_recipe(
    findings: Findings, scope: Scope, roles: Roles, fidelity: Fidelity | None = None
) -> tuple[Step, ...]:
    """The steps that could be read; the results of each are declared for those after it. A step may
    be sent to the role that the `fidelity` names."""
    steps = []
    for index, node in enumerate(findings.items(["recipe"])):
        path: list[str | int] = ["recipe", index]
        if not isinstance(node.value, dict) or len(node.value) != 1 or "do" in node.value:
            message = "a step is one name with its action below it"
            findings.add(path, message, "such as `- deposit: {do: chamber.deposit}`")
            continue
        name = next(iter(node.value))
        with findings.at([*path, name], key=True):
            scope.check_new(name)
            scope.steps.add(name)
        step = _read_step(findings, scope, roles, fidelity, [*path, name])
        if step is None:
            scope.broken.add(name)
        else:
            steps.append(step)
    return tuple(steps)


def _read_step(
    findings: Findings,
    scope: Scope,
    roles: Roles,
    fidelity: Fidelity | None,
    path: list[str | int],
) -> Step | None:
    name = str(path[-1])
    shape = findings.shaped(path, StepShape, "a key of a step")
    if shape is None:
        return None
    role, action = shape.do.removeprefix("=").split(".")
    rungs: tuple[str, ...] = ()
    if shape.do.startswith("="):
        rungs = _rungs(findings, scope, roles, fidelity, [*path, "do"], role)
        if not rungs:
            return None
    spec = _find_action(findings, roles, fidelity, [*path, "do"], (role, action), rungs)
    if spec is None:
        return None
    arguments = _read_arguments(findings, scope, path, spec, shape)
    _follow_sample(findings, scope, path, spec, shape)
    timeout_s = None
    if shape.timeout is not None:
        with findings.at([*path, "timeout"]):
            timeout_s = positive_seconds(shape.timeout)
    for result in spec.results:
        unit = {"text": TEXT, "series": SERIES}.get(result.kind, result.unit)
        scope.units[f"{name}.{result.name}"] = unit
        if result.kind == "integer":
            scope.whole.add(f"{name}.{result.name}")
    return Step(
        name=name,
        role=role,
        rungs=rungs,
        action=action,
        arguments=arguments,
        retries=shape.retries,
        timeout_s=timeout_s,
        on_failure=OnFailure(shape.on_failure) if shape.on_failure else None,
    )


def positive_seconds(text: str) -> float:
    """A time in seconds. Raises InputError: it is no time, or not above zero."""
    seconds = quantity_in(text, "s")
    if seconds <= 0:
        raise InputError(f"'{text}' is not a time above zero")
    return seconds


def _rungs(
    findings: Findings,
    scope: Scope,
    roles: Roles,
    fidelity: Fidelity | None,
    path: list[str | int],
    name: str,
) -> tuple[str, ...]:
    """The levels of the fidelity `name`, which are roles of one capability; () if they are not."""
    if fidelity is None or fidelity.name != name:
        if name not in scope.broken:
            known = [] if fidelity is None else [fidelity.name]
            hint = did_you_mean(name, known) or f"without '=', '{name}' is a role"
            findings.add(path, f"'{name}' is not a fidelity of this campaign", hint)
        return ()
    is_right = True
    written = findings.plain(["space", name, "fidelity"])
    for index, level in enumerate(fidelity.levels):
        if level not in roles:
            place = index if isinstance(written, list) else level
            hint = did_you_mean(level, roles)
            hint = hint if hint.startswith("did") else f"write 'roles: {{{level}: CAPABILITY}}'"
            message = f"the level '{level}' of '{name}' is not a role of this campaign"
            findings.add(["space", name, "fidelity", place], message, hint, key=place == level)
            is_right = False
    if not is_right:
        return ()
    first, capability = fidelity.levels[0], findings.plain(["roles", fidelity.levels[0]])
    for level in fidelity.levels[1:]:
        other = findings.plain(["roles", level])
        if other != capability:
            message = f"'{level}' is {other}, but '{first}', a level of '{name}' too, {capability}"
            findings.add(["roles", level], message, "the levels of a fidelity can do the same")
            is_right = False
    return fidelity.levels if is_right else ()


def _find_action(
    findings: Findings,
    roles: Roles,
    fidelity: Fidelity | None,
    path: list[str | int],
    asked: tuple[str, str],
    rungs: tuple[str, ...],
) -> ActionSpec | None:
    """The action of a role (`asked` are both), or of all `rungs`."""
    name, action = asked
    role = rungs[-1] if rungs else name
    if role not in roles:
        is_level = fidelity is not None and fidelity.name == role
        hint = f"write '={role}.{action}'" if is_level else did_you_mean(role, roles)
        findings.add(path, f"'{role}' is not a role of this campaign", hint)
        return None
    actions = roles[role]
    if actions is None:
        return None
    if action not in actions:
        hint = did_you_mean(action, actions)
        findings.add(path, f"'{action}' is not an action of the role '{role}'", hint)
        return None
    return actions[action]


def _read_arguments(
    findings: Findings, scope: Scope, path: list[str | int], spec: ActionSpec, shape: StepShape
) -> tuple[Argument, ...]:
    given = shape.__pydantic_extra__ or {}
    known = {arg.name: arg for arg in spec.args}
    arguments = []
    for name, value in given.items():
        if name not in known:
            settings = [*known, "retries", "timeout", "on_failure"]
            findings.unknown([*path, name], f"an argument of {shape.do}", settings)
            continue
        with findings.at([*path, name]):
            arguments.append(_argument(scope, known[name], value, findings.document.source))
    for arg in spec.args:
        if arg.required and arg.name not in given:
            unit = f" in '{arg.unit}'" if arg.unit else ""
            findings.add(path, f"{shape.do} needs its argument '{arg.name}'{unit}", key=True)
    return tuple(arguments)


def _follow_sample(
    findings: Findings, scope: Scope, path: list[str | int], spec: ActionSpec, shape: StepShape
) -> None:
    """A trial has one sample, which is taken once, and before it is moved."""
    name, names = str(path[-1]), {arg.kind: arg.name for arg in spec.args}
    if "sample" not in names:
        return
    is_taken = names["sample"] in (shape.__pydantic_extra__ or {})
    if is_taken and scope.sample_from:
        message = f"'{scope.sample_from}' has taken the sample of the trial, which has one"
        findings.add([*path, names["sample"]], message, "without it, the step has that sample")
    elif is_taken:
        scope.sample_from = name
    elif "target" in names and not scope.sample_from and not scope.broken & scope.steps:
        message = f"'{name}' moves a sample, but no step before it takes one"
        findings.add(
            path, message, f"write '{names['sample']}: new' in the first of them", key=True
        )


def _argument(scope: Scope, arg: ArgSpec, value: Any, source: str) -> Argument:
    if isinstance(value, str) and value.lstrip().startswith("="):
        return _computed(scope, arg, value)
    match arg.kind:
        case "real" | "integer":
            return Argument(name=arg.name, literal=literal_number(arg, value))
        case "source":
            hint = "leave it away: a new one comes from a position that 'stores_new'"
            raise InputError("a sample is taken from where it is", hint=hint)
        case "sample":
            if value != "new":
                hint = "without it, the step has the sample of its trial"
                raise InputError(f"'{arg.name}' takes the word 'new', or is left away", hint=hint)
        case _:
            if not isinstance(value, str):
                raise InputError(f"'{arg.name}' takes a word, not {value!r}", hint="quote it")
            _check_words(arg, (value,))
            if arg.is_file:
                path = _file(value, source)
                return Argument(name=arg.name, literal=str(path), sha256=_sha256(path))
    return Argument(name=arg.name, literal=value)


def _file(value: str, source: str) -> Path:
    """The whole path of a file that stands beside the campaign file. Raises InputError."""
    path = (Path(source).parent / value).resolve()
    if not path.is_file():
        raise InputError(
            f"there is no file '{value}'", hint="its path is relative to the campaign file"
        )
    return path


def _sha256(path: Path) -> str:
    """Of what a file holds. Raises InputError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"'{path.name}' cannot be read: {error.strerror}") from error


def literal_number(arg: ArgSpec, value: Any) -> float | int:
    """A literal in the unit of the argument and within its limits. Raises InputError."""
    if isinstance(value, str):
        number = quantity_in(value, arg.unit)
    elif arg.unit:
        hint = f"write '{value:g} {arg.unit}'"
        raise InputError(f"'{arg.name}' needs a unit: it is taken in '{arg.unit}'", hint=hint)
    else:
        number = value
    if arg.kind == "integer":
        if not float(number).is_integer():
            raise InputError(f"'{arg.name}' takes a whole number, not {number:g}")
        number = int(number)
    else:
        number = float(number)
    check_limits("the value", arg, number, number, arg.unit)
    return number


def _computed(scope: Scope, arg: ArgSpec, value: str) -> Argument:
    if arg.kind in ("sample", "source", "target"):
        raise InputError(f"'{arg.name}' takes a word, not an expression")
    expression = scope.compile(value, TEXT if arg.kind == "text" else arg.unit)
    if expression is None:
        return Argument(name=arg.name, expression=value)
    name = expression.bare_name
    if arg.kind == "integer" and (name not in scope.whole or scope.units[name] != arg.unit):
        raise InputError(
            f"'{arg.name}' takes a whole number, which '{value}' need not be",
            hint=f"a parameter `integer` or a whole result, in '{arg.unit}'".removesuffix(
                ", in ''"
            ),
        )
    if name in scope.words:
        _check_words(arg, scope.words[name])
    if name in scope.ranges:
        low, high = scope.ranges[name]
        check_limits(f"the space of '{name}'", arg, low, high, scope.units[name])
    return Argument(name=arg.name, expression=expression.text)


def _check_words(arg: ArgSpec, words: tuple[str, ...]) -> None:
    wrong = [word for word in words if arg.choices and word not in arg.choices]
    if wrong:
        raise InputError(
            f"'{arg.name}' does not take '{wrong[0]}'", hint=did_you_mean(wrong[0], arg.choices)
        )


def check_limits(
    what: str, arg: ArgSpec, low: float, high: float, unit: str, *, by: str = ""
) -> None:
    """Accepts a range that lies within the limits of an argument, in any fitting unit.

    Raises:
        InputError: it reaches beyond a limit, which is named in the unit of the argument; `by`
            says whose limit it is ("'power' takes" if nothing is said).
        UnitMismatch: the units do not fit.
    """
    ends = sorted((convert(low, unit, arg.unit), convert(high, unit, arg.unit)))
    for end, limit, side in ((ends[0], arg.low, "least"), (ends[1], arg.high, "most")):
        if limit is None or abs(end - limit) <= 1e-9 * abs(limit):
            continue  # the same bound, converted
        if (end < limit) if side == "least" else (end > limit):
            verb = "is" if low == high else "reaches"
            whose = by or f"'{arg.name}' takes"
            reached, allowed = f"{end:g} {arg.unit}".rstrip(), f"{limit:g} {arg.unit}".rstrip()
            raise InputError(
                f"{what} {verb} {reached}, but {whose} at {side} {allowed}",
                hint="narrow it, or widen the limit if that is safe",
            )
