"""An instrument declared in a file: its actions, readings, limits and effects as data.

A kind of resource that can be declared (SCPI, Modbus, HTTP and others) states `declaration`, its
own shape over `Declaration`: what one question to the device (`Q`) and one order to it (`S`) look
like there. `declared` then makes of a declaration a class like any driver's, so that all that is
known of a driver before anything opens is known of it too.

    readings:
      voltage: {says: The voltage., read: "MEAS:VOLT?", unit: V}
    actions:
      set_voltage:
        says: Sets the voltage.
        effect: idempotent
        takes: {voltage: {unit: V, low: 0, high: 30}}
        do: ["VOLT {voltage:.3f}"]
        confirm: [{read: "VOLT?", is: "{voltage:.3f}"}]
    make_safe: {do: ["OUTP OFF"], confirm: [{read: "OUTP?", is: 0}]}
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.errors import InputError
from orchestrator.model.quantity import check_unit, quantity_in
from orchestrator.ports.action import ArgKind, Cancel, Effect
from orchestrator.ports.template import check_template

Q = TypeVar("Q")
S = TypeVar("S")
W = TypeVar("W")
Step: TypeAlias = tuple[str | int, ...]
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Value: TypeAlias = bool | int | Finite | str
Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Sentence: TypeAlias = Annotated[str, Field(min_length=1, max_length=500)]
Seconds: TypeAlias = Annotated[str, Field(description="a duration", examples=["20 s", "5 min"])]

RESERVED = frozenset(
    {
        "open",
        "close",
        "identify",
        "health",
        "make_safe",
        "ask",
        "results_of",
        "check",
        "bench",
        "link",
        "said",
    }
)
"""What every resource has beside its actions."""
TICKET = "ticket"


class Words(BaseModel):
    """Strict: a text is not a number, and a key that is not known is refused. `as_written` are keys
    whose texts may have braces of their own."""

    as_written: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True)
class Mistake:
    """What is wrong in a declaration, at the keys that lead there."""

    path: Step
    message: str
    hint: str = ""


class ArgumentWords(Words):
    """One argument of an action. A number says its limits, in `unit`, inclusive."""

    kind: ArgKind = "real"
    unit: str = ""
    low: Finite | None = None
    high: Finite | None = None
    choices: list[str] = Field(default_factory=list)
    default: Finite | int | str | None = None

    @property
    def is_number(self) -> bool:
        """Whether it has a unit and limits."""
        return self.kind in ("real", "integer")


class ValueWords(Words, Generic[Q]):
    """One value that the device is asked for: `scale * answer + offset`, in `unit`."""

    read: Q
    unit: str = ""
    kind: Literal["real", "integer", "text", "series"] = "real"
    scale: Finite = 1.0
    offset: Finite = 0.0


class ConditionWords(Words, Generic[Q]):
    """That the device answers `is` when it is asked `read`; numbers may differ by `within`."""

    read: Q
    wanted: Value = Field(alias="is")
    within: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class WaitWords(Words, Generic[Q]):
    """For what an action waits, and at most how long; asked `every` so often (campaign time)."""

    until: Annotated[list[ConditionWords[Q]], Field(min_length=1)]
    at_most: Seconds
    every: Seconds = "1 s"


class ReadingWords(Words, Generic[Q]):
    """A reading: one value (`read`, `unit`), or several by name (`gives`)."""

    says: Sentence
    read: Q | None = None
    unit: str = ""
    kind: Literal["real", "integer", "text", "series"] = "real"
    scale: Finite = 1.0
    offset: Finite = 0.0
    gives: dict[Name, ValueWords[Q]] = Field(default_factory=dict)

    @property
    def values(self) -> dict[str, ValueWords[Q]]:
        """What it gives, by name."""
        if self.read is None:
            return dict(self.gives)
        words = ("read", "unit", "kind", "scale", "offset")
        shape = ValueWords[Any]
        return {"value": shape.model_construct(**{w: getattr(self, w) for w in words})}


class ActionWords(Words, Generic[Q, S]):
    """An action: what is sent, how it is known to have taken effect, what it waits for and gives.

    `effect` has no default, since no protocol says whether a repetition is harmful. `state` names
    what it brings about, where that has to hold until the next action on the same state: what
    confirmed it is then read back now and again. What `resets` takes back all states at once.
    """

    says: Sentence
    effect: Literal["none", "idempotent", "queryable", "irreversible"]
    cancel: Literal["at_once", "between_steps", "never"] = "never"
    takes: dict[Name, ArgumentWords] = Field(default_factory=dict)
    do: Annotated[list[S], Field(min_length=1)]
    confirm: list[ConditionWords[Q]] = Field(default_factory=list)
    state: Name | None = None
    resets: bool = False
    wait: WaitWords[Q] | None = None
    gives: dict[Name, ValueWords[Q]] = Field(default_factory=dict)
    timeout: Seconds | None = None


class SafeWords(Words, Generic[Q, S]):
    """How the device is made safe; or why there is nothing to be made safe."""

    do: list[S] = Field(default_factory=list)
    confirm: list[ConditionWords[Q]] = Field(default_factory=list)
    none_because: str = ""


class TicketWords(Words, Generic[Q]):
    """How the device is asked about a ticket, and which answers mean what; others: unknown."""

    read: Q
    done: list[Value]
    running: list[Value] = Field(default_factory=list)
    not_done: list[Value] = Field(default_factory=list)


class Declaration(Words, Generic[Q, S]):
    """A declared instrument. `maker` and `model` are what identification has to find.

    A kind of resource whose actions a file declares has such a class as `declaration`, and a class
    method `declared(text)` that makes of one, checked before and given as JSON, a class of its own.
    """

    holds_states: ClassVar[bool] = False
    """Whether instruments of this kind can be held to what they were set to."""

    instrument: Sentence
    source: Sentence
    tried_on_hardware: str = "no"
    maker: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    serial: Q | None = None
    implements: list[str] = Field(default_factory=list)
    fit: list[ConditionWords[Q]] = Field(default_factory=list)
    readings: dict[Name, ReadingWords[Q]] = Field(default_factory=dict)
    actions: dict[Name, ActionWords[Q, S]] = Field(default_factory=dict)
    make_safe: SafeWords[Q, S]
    ask_ticket: TicketWords[Q] | None = None

    def mistakes(self) -> Iterator[Mistake]:
        """What is wrong although every key has its shape."""
        yield from self._safety()
        if not self.readings and not self.actions:
            yield Mistake((), "it declares no action and no reading")
        for name, told in self.readings.items():
            yield from _name_mistakes(("readings", name), name)
            yield from _reading_mistakes(("readings", name), told)
        for name, action in self.actions.items():
            path = ("actions", name)
            yield from _name_mistakes(path, name)
            if name in self.readings:
                yield Mistake(path, f"'{name}' is a reading already")
            yield from self._action(path, action)
        yield from _templates(("fit",), self.fit, ())
        yield from _templates(("make_safe", "do"), self.make_safe.do, ())
        yield from _templates(("make_safe", "confirm"), self.make_safe.confirm, ())
        yield from _templates(("ask_ticket",), self.ask_ticket, [TICKET])
        yield from _templates(("serial",), self.serial, ())

    def _safety(self) -> Iterator[Mistake]:
        safe = self.make_safe
        if bool(safe.do) == bool(safe.none_because):
            hint = "say what is sent under 'do', or 'none_because: it only measures'"
            yield Mistake(
                ("make_safe",), "make_safe needs either 'do' or a reason 'none_because'", hint
            )
        if safe.do and not safe.confirm:
            hint = "an answer that tells that it is safe: {read: ..., is: ...}"
            yield Mistake(("make_safe",), "make_safe needs to 'confirm' what it did", hint)

    def _action(self, path: Step, action: ActionWords[Q, S]) -> Iterator[Mistake]:
        names = [*action.takes]
        if action.effect == "queryable":
            names.append(TICKET)
            yield from self._ticket(path, action)
        for name, argument in action.takes.items():
            yield from _argument_mistakes((*path, "takes", name), name, argument)
        for name, value in action.gives.items():
            yield from _unit_mistakes((*path, "gives", name), value)
            yield from _templates((*path, "gives", name, "read"), value.read, names)
        yield from self._state(path, action)
        for key in ("do", "confirm", "wait"):
            yield from _templates((*path, key), getattr(action, key), names)
        yield from duration_mistakes((*path, "timeout"), action.timeout)
        if action.wait is not None:
            yield from duration_mistakes((*path, "wait", "at_most"), action.wait.at_most)
            yield from duration_mistakes((*path, "wait", "every"), action.wait.every)

    def _state(self, path: Step, action: ActionWords[Q, S]) -> Iterator[Mistake]:
        if action.resets and not self.holds_states:
            yield Mistake(
                (*path, "resets"), "'resets' takes back states, of which this kind has none"
            )
        if action.state is None:
            return
        if not self.holds_states:
            yield Mistake((*path, "state"), "this kind looks after no state")
        elif action.effect != "idempotent" or not action.confirm:
            hint = "an idempotent action, with the answer that tells it: {read: ..., is: ...}"
            yield Mistake((*path, "state"), "a state has to be confirmed", hint)

    def _ticket(self, path: Step, action: ActionWords[Q, S]) -> Iterator[Mistake]:
        if self.ask_ticket is None:
            hint = "say how under 'ask_ticket', or declare it irreversible"
            yield Mistake(path, "a queryable action needs a device that can be asked", hint)
        elif not any(f"{{{TICKET}" in text for text, _ in found(action.do, str)):
            hint = "write '{ticket}' where it is sent"
            yield Mistake((*path, "do"), "a queryable action has to hand over its ticket", hint)


class AnswerWords(Words, Generic[Q]):
    """What tells that the device is there, and perhaps (`is`) what it has to answer."""

    read: Q
    wanted: Value | None = Field(default=None, alias="is")


class ProbedDeclaration(Declaration[Q, S], Generic[Q, S]):
    """A declared instrument whose protocol has no question for maker and model of its own."""

    identify: AnswerWords[Q]


def found(told: object, kind: type[W], path: Step = ()) -> Iterator[tuple[W, Step]]:
    """All parts of a declaration that are of one kind, with the keys that lead there."""
    if isinstance(told, kind):
        yield told, path
    if isinstance(told, BaseModel):
        for name, field in type(told).model_fields.items():
            yield from found(getattr(told, name), kind, (*path, field.alias or name))
    elif isinstance(told, dict):
        for key, value in told.items():
            yield from found(value, kind, (*path, key))
    elif isinstance(told, list):
        for index, value in enumerate(told):
            yield from found(value, kind, (*path, index))


def seconds(text: str) -> float:
    """A duration of a declaration. Raises InputError."""
    return quantity_in(text, "s")


def effect_of(action: ActionWords[Any, Any]) -> Effect:
    """What a repetition would do."""
    return Effect(action.effect)


def cancel_of(action: ActionWords[Any, Any]) -> Cancel:
    """When it can be given up."""
    return Cancel(action.cancel)


def _name_mistakes(path: Step, name: str) -> Iterator[Mistake]:
    if name in RESERVED or keyword.iskeyword(name):
        yield Mistake(path, f"'{name}' is a word of its own and cannot be a name here")


def _reading_mistakes(path: Step, told: ReadingWords[Any]) -> Iterator[Mistake]:
    if (told.read is None) == (not told.gives):
        yield Mistake(path, "a reading needs either 'read' or 'gives'")
    if told.read is not None:
        yield from _unit_mistakes(path, told)
        yield from _templates((*path, "read"), told.read, ())
    for name, value in told.gives.items():
        yield from _unit_mistakes((*path, "gives", name), value)
        yield from _templates((*path, "gives", name, "read"), value.read, ())


def _unit_mistakes(
    path: Step, told: ArgumentWords | ValueWords[Any] | ReadingWords[Any]
) -> Iterator[Mistake]:
    if told.kind in ("real", "series") and "unit" not in told.model_fields_set:
        hint = "write it, or `unit: ''` where it has none"
        yield Mistake(path, f"the number '{path[-1]}' needs its unit", hint)
    try:
        check_unit(told.unit)
    except InputError as error:
        yield Mistake((*path, "unit"), str(error), error.hint)


def duration_mistakes(path: Step, text: str | None) -> Iterator[Mistake]:
    """What is wrong with a duration, where there is one."""
    try:
        if text is not None and seconds(text) <= 0:
            yield Mistake(path, "a duration is longer than nothing")
    except InputError as error:
        yield Mistake(path, str(error), error.hint)


def _argument_mistakes(path: Step, name: str, argument: ArgumentWords) -> Iterator[Mistake]:
    yield from _name_mistakes(path, name)
    if name == TICKET:
        yield Mistake(path, "the ticket is given by the engine, and by nobody else")
    yield from _unit_mistakes(path, argument)
    low, high, default = argument.low, argument.high, argument.default
    if low is not None and high is not None:
        if low > high:
            message = f"the lower limit {low:g} is above the upper one, {high:g}"
            yield Mistake((*path, "low"), message)
        elif isinstance(default, int | float) and not low <= default <= high:
            message = f"the default {default:g} of '{name}' is beyond its limits"
            yield Mistake((*path, "default"), message)
    elif argument.is_number:
        hint = "write 'low' and 'high': nothing beyond them will ever be sent"
        yield Mistake(path, f"the number '{name}' needs its limits", hint)
    if argument.choices and argument.kind != "text":
        yield Mistake((*path, "choices"), "only a text has choices")
    if argument.kind == "text" and not argument.choices:
        hint = "nothing else will ever be sent"
        yield Mistake(path, f"the text '{name}' needs its 'choices'", hint)


def _templates(path: Step, told: object, names: tuple[str, ...] | list[str]) -> Iterator[Mistake]:
    as_written = {(*p, key) for words, p in found(told, Words, path) for key in words.as_written}
    for text, inner in found(told, str, path):
        if inner in as_written:
            continue
        try:
            check_template(text, names)
        except InputError as error:
            yield Mistake(inner, str(error), error.hint)
