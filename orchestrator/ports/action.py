"""The declaration of an action: arguments with units and limits, results, effect, cancelling.

A driver, a composite, a simulator and a capability declare actions in the same way, as typed
`async def` methods:

    class FlowController:
        @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
        async def set_flow(self, flow: Annotated[float, Unit("sccm", low=0, high=500)]) -> None:
            '''Sets the flow.'''

        @reading
        async def flow(self) -> Annotated[float, Unit("sccm")]:
            '''The measured mass flow.'''

`actions_of(cls)` gives the declarations as data (`ActionSpec`). Argument names with a meaning of
their own, never given by a recipe but by the dispatcher: `ticket: Ticket` (the identity of this
dispatch, for devices that can hold it) and `dispatch: Dispatch` (for composites).
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from orchestrator.model.quantity import Bound as Bound


class Effect(StrEnum):
    """What a repetition of an action would do to the world.

    none: a reading; may be repeated.
    idempotent: a state to reach (set a flow); may be repeated within one connection.
    queryable: the device can say whether ticket T was done; it is asked.
    irreversible: dispense, deposit, move a sample; never repeated without evidence or a person.
    """

    NONE = "none"
    IDEMPOTENT = "idempotent"
    QUERYABLE = "queryable"
    IRREVERSIBLE = "irreversible"


class Cancel(StrEnum):
    """When a running action can be given up: at once, between its inner steps, or never."""

    AT_ONCE = "at_once"
    BETWEEN_STEPS = "between_steps"
    NEVER = "never"


@dataclass(frozen=True)
class Unit:
    """Annotation of a number that crosses a boundary. Limits are in the same unit, inclusive."""

    unit: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Slew:
    """Annotation of a set-point that may not jump: it moves at so many `unit` at most.

    `by` says who sees to that: the device, as it is set up itself, or the driver. With an `option`
    (a rate that the lab file gives, of that name, in this unit) the driver does where it is given.
    A driver that does walks with `instrument.ramp`; the action then lasts as long as its ramp.
    """

    unit: str
    by: Literal["device", "driver"] = "driver"
    most: float | None = None
    option: str = ""

    def __str__(self) -> str:
        most = f"at most {self.most:g} {self.unit}, " if self.most is not None else ""
        option = f"; with `{self.option}` ({self.unit}) by the driver" if self.option else ""
        return f"{most}ramped by the {self.by}{option}"


@dataclass(frozen=True)
class Choices:
    """Annotation of a text argument that must be one of a few words."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class FileArg:
    """Annotation of a text argument that is the path of a file. A campaign file names it relative
    to itself, and it must be there; the action gets the whole path. So does a constructor of its
    option (a file or a folder), which a lab file names relative to itself."""


@dataclass(frozen=True)
class SampleArg:
    """Annotation of an argument that names a sample; without a value it is the trial's sample."""


@dataclass(frozen=True)
class PositionArg:
    """Annotation of a position in the lab. `end` says whether the sample leaves it or comes to it.

    `source` positions are filled in from where the sample is believed to be.
    """

    end: Literal["source", "target"]


Ticket = typing.NewType("Ticket", str)
"""The identity of one dispatched action. 16 hexadecimal digits, a pure function of campaign,
trial, step, attempt and inner index."""

ArgKind = Literal["real", "integer", "text", "sample", "source", "target"]


@dataclass(frozen=True)
class ArgSpec:
    """One argument of an action."""

    name: str
    kind: ArgKind
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    required: bool = True
    default: float | int | str | None = None
    is_file: bool = False
    slew: Slew | None = None


@dataclass(frozen=True)
class ResultSpec:
    """One named value of a result. `series` values are lists of numbers in the same unit.

    `is_optional`: there may be none (`float | None`).
    """

    name: str
    kind: Literal["real", "integer", "text", "series"]
    unit: str = ""
    is_optional: bool = False


@dataclass(frozen=True)
class ActionSpec:
    """One action, as data: what is checked at load, at dispatch and in the driver."""

    name: str
    effect: Effect
    cancel: Cancel
    args: tuple[ArgSpec, ...] = ()
    results: tuple[ResultSpec, ...] = ()
    timeout_s: float | None = None
    is_composite: bool = False
    wants_ticket: bool = False
    doc: str = ""

    def arg(self, name: str) -> ArgSpec | None:
        """The argument of that name."""
        return next((a for a in self.args if a.name == name), None)


F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
_MARK = "__hagane_action__"


@dataclass(frozen=True)
class _Mark:
    effect: Effect
    cancel: Cancel
    timeout_s: float | None


def action(
    *, effect: Effect, cancel: Cancel = Cancel.NEVER, timeout_s: float | None = None
) -> Callable[[F], F]:
    """Declares an `async def` method as an action. `timeout_s` is campaign time, the default of
    a step that gives none."""

    def mark(method: F) -> F:
        setattr(method, _MARK, _Mark(effect, cancel, timeout_s))
        return method

    return mark


def reading(method: F) -> F:
    """Declares an `async def` method as a reading: effect none, can be given up at once."""
    setattr(method, _MARK, _Mark(Effect.NONE, Cancel.AT_ONCE, None))
    return method


def actions_of(cls: type) -> dict[str, ActionSpec]:
    """All actions that a class declares, by name.

    Raises:
        TypeError: a declaration has an argument or result without a unit or a known kind, or its
            method is not an `async def`.
    """
    specs: dict[str, ActionSpec] = {}
    for name, method in inspect.getmembers(cls, callable):
        mark = getattr(method, _MARK, None)
        if isinstance(mark, _Mark):
            specs[name] = _spec(name, method, mark)
    return specs


def _spec(name: str, method: Callable[..., Any], mark: _Mark) -> ActionSpec:
    if not inspect.iscoroutinefunction(method):
        raise TypeError(f"{name}: an action is an 'async def' method")
    hints = typing.get_type_hints(method, include_extras=True)
    args: list[ArgSpec] = []
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        if parameter.name in ("dispatch", "ticket"):
            continue
        args.append(_arg(name, parameter, hints.get(parameter.name)))
    parameters = inspect.signature(method).parameters
    return ActionSpec(
        name=name,
        effect=mark.effect,
        cancel=mark.cancel,
        args=tuple(args),
        results=_results(name, hints.get("return", type(None))),
        timeout_s=mark.timeout_s,
        is_composite="dispatch" in parameters,
        wants_ticket="ticket" in parameters,
        doc=inspect.getdoc(method) or "",
    )


def _arg(action_name: str, parameter: inspect.Parameter, hint: Any) -> ArgSpec:
    base, notes = _annotated(hint)
    required = parameter.default is inspect.Parameter.empty
    default = None if required else parameter.default
    unit = next((n for n in notes if isinstance(n, Unit)), None)
    name = parameter.name
    if any(isinstance(n, SampleArg) for n in notes):
        return ArgSpec(name, "sample", required=False)
    position = next((n for n in notes if isinstance(n, PositionArg)), None)
    if position is not None:
        return ArgSpec(name, position.end, required=position.end == "target")
    if base is str:
        words = next((n.words for n in notes if isinstance(n, Choices)), ())
        is_file = any(isinstance(n, FileArg) for n in notes)
        return ArgSpec(
            name, "text", choices=words, required=required, default=default, is_file=is_file
        )
    if base not in (float, int) or (base is float and unit is None):
        raise TypeError(f"{action_name}: argument '{name}' needs Annotated[float, Unit(...)]")
    kind: ArgKind = "real" if base is float else "integer"
    low, high, text = (unit.low, unit.high, unit.unit) if unit else (None, None, "")
    slew = next((n for n in notes if isinstance(n, Slew)), None)
    return ArgSpec(name, kind, text, low, high, (), required, default, slew=slew)


def _results(action_name: str, hint: Any) -> tuple[ResultSpec, ...]:
    if hint in (None, type(None)):
        return ()
    base, _ = _annotated(hint)
    if isinstance(base, type) and is_dataclass(base):
        inner = typing.get_type_hints(base, include_extras=True)
        return tuple(_result(action_name, f.name, inner[f.name]) for f in fields(base))
    return (_result(action_name, "value", hint),)


def _result(action_name: str, name: str, hint: Any) -> ResultSpec:
    base, notes = _annotated(hint)
    unit = next((n for n in notes if isinstance(n, Unit)), None)
    is_optional = type(None) in get_args(base)
    if get_origin(base) in (types.UnionType, typing.Union):
        base = next((a for a in get_args(base) if a is not Bound and a is not type(None)), float)
    if base is bool or base is int:
        return ResultSpec(name, "integer", unit.unit if unit else "", is_optional)
    if base is str:
        return ResultSpec(name, "text", is_optional=is_optional)
    if unit is None:
        raise TypeError(f"{action_name}: result '{name}' needs Annotated[float, Unit(...)]")
    series = get_origin(base) in (list, tuple)
    return ResultSpec(name, "series" if series else "real", unit.unit, is_optional)


def _annotated(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(hint) is Annotated:
        base, *notes = get_args(hint)
        return base, tuple(notes)
    return hint, ()


def result_values(spec: ActionSpec, returned: Any) -> dict[str, Any]:
    """What an action returned, as named plain values (float, int, str, list or `Bound`)."""
    if not spec.results:
        return {}
    if is_dataclass(returned) and not isinstance(returned, type | Bound):
        return {f.name: getattr(returned, f.name) for f in fields(returned)}
    if isinstance(returned, Mapping):
        return dict(returned)
    return {"value": returned}
