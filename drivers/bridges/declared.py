"""A class with typed actions, made of a declaration: what a bridge has in common with a driver.

A bridge's class derives from `Declared` and says how its kind of device is asked and told. What is
asked and told is in the file that a lab file names (`declared: psu.yaml`); `declared` makes of that
a class whose actions have units, limits, effects and docstrings, as if somebody had written them.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import make_dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from drivers.instrument import within
from drivers.protocols.framing import Garbled
from orchestrator.errors import (
    DeviceAbsent,
    DeviceError,
    DeviceGarbled,
    DeviceRefused,
    DeviceUnsure,
    InputError,
    WrongDevice,
)
from orchestrator.ports.action import (
    Choices,
    Effect,
    PositionArg,
    SampleArg,
    Ticket,
    Unit,
    action,
    reading,
)
from orchestrator.ports.declaration import (
    TICKET,
    ActionWords,
    ArgumentWords,
    ConditionWords,
    Declaration,
    ReadingWords,
    ValueWords,
    WaitWords,
    cancel_of,
    effect_of,
    seconds,
)
from orchestrator.ports.resource import Bench, Health, Identity, Verdict
from orchestrator.ports.template import filled

Q = TypeVar("Q")
S = TypeVar("S")
Values = Mapping[str, Any]
ACTS = (Effect.QUERYABLE, Effect.IRREVERSIBLE)
_EQUAL = 1e-9
"""Numbers that differ by less than this share are the same number, written twice."""


class Declared(Generic[Q, S]):
    """What every bridge does with a declaration. A bridge adds `_ask` and `_order`."""

    declaration: ClassVar[type[Declaration[Any, Any]]]
    said: ClassVar[Any] = None
    bench: Bench

    @classmethod
    def declared(cls, text: str) -> type:
        """The class that a declaration, checked before and given as JSON, describes."""
        said = cls.declaration.model_validate_json(text)
        members: dict[str, Any] = {
            "__doc__": f"{said.instrument}\n\n{said.source}\nTried on hardware: "
            f"{said.tried_on_hardware}.",
            "said": said,
            "implements": tuple(said.implements),
        }
        members |= {name: _reading(name, told) for name, told in said.readings.items()}
        members |= {name: _action(name, told) for name, told in said.actions.items()}
        return type(f"Declared{cls.__name__}", (cls,), members)

    async def health(self) -> Health:
        """Fit when all that the declaration says of it is so. Raises DeviceError."""
        await self.identify()
        for condition in self.said.fit:
            answer = await self._ask(condition.read, {})
            if not is_as_wanted(answer, condition, {}):
                return Health(False, f"{shown(condition.read)} is {answer!r}")
        return Health(True)

    async def identify(self) -> Identity:
        """Asks who is there. Raises DeviceError."""
        raise NotImplementedError

    async def make_safe(self) -> None:
        """Does what the declaration says under `make_safe`. Raises DeviceError."""
        safe = self.said.make_safe
        if safe.do:
            await self._order(
                safe.do, safe.confirm, {}, "what makes it safe", Effect.IDEMPOTENT, urgent=True
            )

    async def ask(self, ticket: Ticket) -> Verdict:
        """What the device says of a ticket, as the declaration reads it. Raises DeviceError."""
        words = self.said.ask_ticket
        if words is None:
            return Verdict("unknown", "the declaration does not say how it is asked")
        values = {TICKET: ticket}
        answer = await self._ask(words.read, values)
        evidence = f"{filled(shown(words.read), values)} is {answer!r}"
        for outcome in ("done", "running", "not_done"):
            if any(_same(answer, filled(w, values), 0.0) for w in getattr(words, outcome)):
                return Verdict(outcome, evidence)
        return Verdict("unknown", evidence)

    async def results_of(self, name: str, arguments: Values, ticket: Ticket) -> dict[str, Any]:
        """What an action that was done gives, read from the device by its ticket: what it shows
        now may be of something else. Raises DeviceError."""
        told = self.said.actions[name]
        for key, value in told.gives.items():
            if f"{{{TICKET}" not in shown(value.read):
                raise DeviceGarbled(
                    self.bench.name,
                    f"'{key}' of {name} is read without its ticket, and may be of another by now",
                    hint="resolve the trial by what the device's own record says",
                )
        defaults = {key: argument.default for key, argument in told.takes.items()}
        return await self._results(told, {**defaults, **arguments, TICKET: ticket})

    def _recognise(self, answer: Any) -> None:
        """Accepts what tells that the device is the declared one. Raises WrongDevice."""
        wanted = self.said.identify.wanted
        if wanted is not None and not _same(answer, wanted, 0.0):
            raise WrongDevice(
                self.bench.name,
                f"{shown(self.said.identify.read)} is {answer!r}, where a {self.said.maker} "
                f"{self.said.model} answers {wanted!r}",
                hint="look at the address, or declare another instrument",
            )

    async def _ask(self, question: Q, values: Values) -> Any:
        """The device's answer; may be repeated. Raises DeviceError."""
        raise NotImplementedError

    async def _order(
        self,
        orders: Sequence[S],
        confirm: Sequence[ConditionWords[Q]],
        values: Values,
        what: str,
        effect: Effect,
        *,
        state: str = "",
        urgent: bool = False,
    ) -> None:
        """Sends orders once, one after the other, and confirms that they took effect.

        Orders without an effect may be repeated. A `state` is held to until the next order of it.

        Raises:
            DeviceUnsure: they may have taken effect, and it cannot be told.
            DeviceError
        """
        raise NotImplementedError

    def _let_go(self) -> None:
        """Holds the device to no state any more."""

    async def _read(self, told: ReadingWords[Q]) -> dict[str, Any]:
        return {name: await self._value(value, {}) for name, value in told.values.items()}

    async def _act(self, name: str, told: ActionWords[Q, S], values: Values) -> dict[str, Any]:
        check_arguments(told, values)
        effect, state = effect_of(told), told.state or ""
        if told.resets:
            self._let_go()
        await self._order(told.do, told.confirm, values, name, effect, state=state)
        try:
            if told.wait is not None:
                await self._wait(name, told.wait, values)
            return await self._results(told, values)
        except (DeviceAbsent, DeviceRefused, WrongDevice) as error:
            # it was sent: that it cannot be asked any more does not mean that nothing happened
            if effect_of(told) in ACTS:
                raise unsure(self.bench.name, name, error) from error
            raise

    async def _results(self, told: ActionWords[Q, S], values: Values) -> dict[str, Any]:
        return {key: await self._value(value, values) for key, value in told.gives.items()}

    async def _wait(self, name: str, wait: WaitWords[Q], values: Values) -> None:
        every_s, left_s = seconds(wait.every), seconds(wait.at_most)
        while True:
            answers = [(c, await self._ask(c.read, values)) for c in wait.until]
            open_ones = [(c, a) for c, a in answers if not is_as_wanted(a, c, values)]
            if not open_ones:
                return
            if left_s <= 0:
                condition, answer = open_ones[0]
                raise DeviceUnsure(
                    self.bench.name,
                    f"{name} has not come to its end within {wait.at_most}: "
                    f"{filled(shown(condition.read), values)} is {answer!r}",
                    hint="look at the device before anything else is sent to it",
                )
            await self.bench.clock.sleep(min(every_s, left_s))
            left_s -= every_s

    async def _value(self, told: ValueWords[Q], values: Values) -> Any:
        try:
            return converted(await self._ask(told.read, values), told, values)
        except Garbled as error:
            raise DeviceGarbled(self.bench.name, str(error), hint=error.hint) from error


def unsure(resource: str, what: str, error: DeviceError) -> DeviceUnsure:
    """That something was sent, and what came of it is not known."""
    return DeviceUnsure(
        resource,
        f"{what} was sent, and what came of it is not known ({error})",
        hint="look at the device before anything else is sent to it",
    )


def is_as_wanted(answer: Any, condition: ConditionWords[Any], values: Values) -> bool:
    """Whether the device answers what a condition wants. Raises InputError."""
    return _same(answer, filled(condition.wanted, values), condition.within)


def converted(answer: Any, told: ValueWords[Any], values: Values) -> Any:
    """The value that an answer tells. Raises Garbled: it is none of the declared kind."""
    try:
        return _converted(answer, told)
    except (TypeError, ValueError) as error:
        raise Garbled(
            f"{filled(shown(told.read), values)} is {answer!r}, where a value of the kind "
            f"'{told.kind}' belongs",
            hint="say `kind: integer` of a flag, and true is 1"
            if isinstance(answer, bool)
            else "look at the declaration, and at the device's manual",
        ) from error


def shown(question: Any) -> str:
    """A question in words, as an error names it."""
    return str(getattr(question, "place", question))


def check_arguments(told: ActionWords[Any, Any], values: Values) -> None:
    """Accepts arguments within the declared limits, and declared words.

    Raises:
        LimitExceeded: one lies beyond.
        InputError: it is not a word that was declared.
    """
    for name, argument in told.takes.items():
        if argument.is_number:
            within(name, values[name], argument.low, argument.high, argument.unit)
        elif argument.choices and values[name] not in argument.choices:
            raise InputError(f"'{values[name]}' is not one of {', '.join(argument.choices)}")


def _same(answer: Any, wanted: Any, tolerance: float) -> bool:
    first, second = _number(answer), _number(wanted)
    if first is not None and second is not None:
        return abs(first - second) <= max(tolerance, _EQUAL * abs(second))
    return str(answer).strip() == str(wanted).strip()


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _converted(answer: Any, told: ValueWords[Any]) -> Any:
    if told.kind == "text":
        return str(answer)
    if told.kind == "series":
        words = answer.split(",") if isinstance(answer, str) else answer
        return [told.scale * _real(word) + told.offset for word in words]
    # of a coil or a flag, true and false are 1 and 0
    number = told.scale * (float if told.kind == "integer" else _real)(answer) + told.offset
    if told.kind == "integer":
        if not number.is_integer():
            raise ValueError("it is not a whole number")
        return int(number)
    return number


def _real(answer: Any) -> float:
    if isinstance(answer, bool):
        raise ValueError("it is no number")
    return float(answer)


def _reading(name: str, told: ReadingWords[Any]) -> Callable[..., Awaitable[Any]]:
    async def read(self: Declared[Any, Any]) -> Any:
        return _given(told.read is not None, await self._read(told))

    return reading(_dressed(read, name, told.says, [], _returned(name, told.values)))


def _action(name: str, told: ActionWords[Any, Any]) -> Callable[..., Awaitable[Any]]:
    parameters = [_parameter(n, argument) for n, argument in told.takes.items()]
    effect = effect_of(told)
    if effect is Effect.QUERYABLE:
        parameters.append(inspect.Parameter(TICKET, _KEYWORD, annotation=Ticket))
    parameters.sort(key=lambda p: p.default is not inspect.Parameter.empty)
    signature = inspect.Signature([_SELF, *parameters])

    async def act(self: Declared[Any, Any], *args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        values = {key: value for key, value in bound.arguments.items() if key != "self"}
        return await self._act(name, told, values) or None

    doc = f"{told.says}\n\nRaises LimitExceeded, DeviceError."
    dressed = _dressed(act, name, doc, parameters, _returned(name, told.gives))
    timeout_s = None if told.timeout is None else seconds(told.timeout)
    return action(effect=effect, cancel=cancel_of(told), timeout_s=timeout_s)(dressed)


_KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD
_SELF = inspect.Parameter("self", _KEYWORD)


def _dressed(
    method: Callable[..., Awaitable[Any]],
    name: str,
    doc: str,
    parameters: Sequence[inspect.Parameter],
    returned: Any,
) -> Callable[..., Awaitable[Any]]:
    """The method with the name, the signature and the annotations that a person would write."""
    dressed: Any = method
    dressed.__name__ = dressed.__qualname__ = name
    dressed.__doc__ = doc
    dressed.__signature__ = inspect.Signature([_SELF, *parameters], return_annotation=returned)
    dressed.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": returned}
    return method


def _parameter(name: str, told: ArgumentWords) -> inspect.Parameter:
    default = inspect.Parameter.empty if told.default is None else told.default
    if told.kind in ("sample", "source"):
        default = ""
    return inspect.Parameter(name, _KEYWORD, annotation=_annotation(told), default=default)


def _annotation(told: ArgumentWords) -> Any:
    match told.kind:
        case "sample":
            return Annotated[str, SampleArg()]
        case "source" | "target":
            return Annotated[str, PositionArg(told.kind)]
        case "text":
            return Annotated[str, Choices(tuple(told.choices))]
        case "integer":
            return Annotated[int, Unit(told.unit, told.low, told.high)]
        case _:
            return Annotated[float, Unit(told.unit, told.low, told.high)]


_RESULTS: Mapping[str, Any] = {"real": float, "integer": int, "text": str, "series": list[float]}


def _returned(name: str, values: Mapping[str, ValueWords[Any]]) -> Any:
    """What a method gives, as an annotation: nothing, one value, or several by name."""
    hints = {n: Annotated[_RESULTS[v.kind], Unit(v.unit)] for n, v in values.items()}
    if not hints:
        return type(None)
    if list(hints) == ["value"]:
        return hints["value"]
    return make_dataclass(name.title().replace("_", ""), list(hints.items()))


def _given(is_single: bool, values: dict[str, Any]) -> Any:
    return values["value"] if is_single else values
