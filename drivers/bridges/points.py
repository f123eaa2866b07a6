"""Declared instruments behind another layer's client: points that are read, set and called.

EPICS has process variables, ophyd signals, OPC UA nodes, SiLA 2 properties and commands, yaq has
methods. None says what a repetition does, few say limits; a declaration does, in one shape for all:

    readings: {pressure: {says: ..., read: "XF:PT1", unit: Pa}}
    actions:  {open: {says: ..., effect: idempotent, do: [{set: "XF:V1", to: 1}], ...}}

A bridge says how its client connects, reads, sets and calls (`Client`). One order at a time; a stop
waits for none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Protocol, TypeAlias, TypeVar

from pydantic import Field

from drivers.bridges.declared import ACTS, Declared, Values, is_as_wanted, shown, unsure
from drivers.protocols.framing import Garbled, Refused
from drivers.transports import Lost, Silent, named
from orchestrator.errors import (
    DeviceAbsent,
    DeviceGarbled,
    DeviceGone,
    DeviceRefused,
    DeviceSilent,
    HaganeError,
    WrongDevice,
)
from orchestrator.ports.action import Effect
from orchestrator.ports.declaration import (
    ConditionWords,
    Mistake,
    ProbedDeclaration,
    Seconds,
    Value,
    Words,
    duration_mistakes,
    found,
    seconds,
)
from orchestrator.ports.resource import Bench, Identity
from orchestrator.ports.template import filled

T = TypeVar("T")
_N_READS = 3


class Call(Words):
    """A call that only asks: its name, what goes `with` it, and where in its reply the value is."""

    call: Annotated[str, Field(min_length=1)]
    arguments: dict[str, Any] = Field(default_factory=dict, alias="with")
    value: str = ""

    @property
    def place(self) -> str:
        """What is called."""
        return self.call


class PointOrder(Words):
    """One order: a point that is `set` `to` a value, or a `call` `with` arguments.

    `within` is how long it may take to be answered, where that is longer than usual. `as` is the
    name under which the execution of a call is noted, for bridges that can look it up again.
    """

    point: str | None = Field(default=None, alias="set")
    to: Value | list[Value] | None = None
    call: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict, alias="with")
    within: Seconds | None = None
    noted: str = Field(default="", alias="as")


PointQuestion: TypeAlias = str | Call


class PointDeclaration(ProbedDeclaration[PointQuestion, PointOrder]):
    """A declared instrument that has points."""

    notes_executions: ClassVar[bool] = False

    def mistakes(self) -> Iterator[Mistake]:
        """What is wrong although every key has its shape."""
        yield from super().mistakes()
        for order, path in found(self, PointOrder):
            if (order.point is None) == (order.call is None):
                yield Mistake(path, "an order is either 'set: POINT, to: VALUE' or 'call: NAME'")
            elif order.point is not None and order.to is None:
                yield Mistake(path, f"'{order.point}' needs a value", "say it under 'to'")
            if order.noted and (order.call is None or not self.notes_executions):
                yield Mistake((*path, "as"), "this kind cannot look an execution up again")
            yield from duration_mistakes((*path, "within"), order.within)


class Client(Protocol):
    """A connected client. Each method raises Silent, Lost, Garbled or Refused.

    `limit_s` is wall time, for clients that have to be told; the bridge waits no longer.
    """

    @property
    def is_connected(self) -> bool:
        """Whether the connection has stood all the time, as far as is known without using it."""
        ...

    async def read(self, point: str, limit_s: float) -> Any:
        """The value of a point."""
        ...

    async def write(self, point: str, value: Any, limit_s: float) -> None:
        """Sets a point, and waits until the other side has taken it."""
        ...

    async def call(
        self, name: str, arguments: Mapping[str, Any], limit_s: float, noted: str = ""
    ) -> Any:
        """Calls, and waits for the end; gives the reply. `noted`: the name to find it by again."""
        ...

    async def close(self) -> None:
        """Lets go; never raises."""
        ...


class DeclaredClient(Declared[PointQuestion, PointOrder]):
    """A declared instrument behind a client. A bridge adds `_connected`."""

    declaration: ClassVar[type[Any]] = PointDeclaration

    def __init__(self, bench: Bench, port: str, timeout: float) -> None:
        self.bench = bench
        self._port, self._timeout_s = port, timeout
        self._client: Client | None = None
        self._is_open = False
        self._identity: Identity | None = None
        self._turn = asyncio.Lock()

    async def _connected(self) -> Client:
        """A client that is connected. Raises Absent, InputError, MissingExtra."""
        raise NotImplementedError

    async def open(self) -> None:
        """Connects; may be repeated. Raises DeviceAbsent, InputError, MissingExtra."""
        if self._client is None:
            try:
                with self.bench.clock.work():
                    self._client = await self._connected()
            except HaganeError as fault:
                raise named(self.bench.name, fault) from fault
        self._is_open = True

    async def close(self) -> None:
        """Disconnects; never raises."""
        self._is_open = False
        await self._drop()

    async def identify(self) -> Identity:
        """Whether it answers as declared, and as before; maker and model are as declared.

        Raises:
            WrongDevice: it answers otherwise, or with another serial number than before.
            DeviceAbsent, DeviceError.
        """
        said = self.said
        await self._reconnect()
        self._recognise(await self._asked(said.identify.read, {}))
        serial = "" if said.serial is None else str(await self._asked(said.serial, {}))
        identity = Identity(said.maker, said.model, serial)
        if self._identity not in (None, identity):
            raise WrongDevice(
                self.bench.name,
                f"number {serial} answers on {self._port}, where another one was",
                hint="look at the address, or start again with the new device",
            )
        self._identity = identity
        return identity

    async def _ask(self, question: PointQuestion, values: Values) -> Any:
        await self._ready()
        return await self._asked(question, values)

    async def _asked(self, question: PointQuestion, values: Values) -> Any:
        for _ in range(_N_READS - 1):
            try:
                return await self._asked_once(question, values)
            except (DeviceSilent, DeviceGarbled):
                continue
        return await self._asked_once(question, values)

    async def _asked_once(self, question: PointQuestion, values: Values) -> Any:
        client = self._open_client()
        if isinstance(question, Call):
            arguments = filled(question.arguments, values)
            name = str(filled(question.call, values))
            reply = await self._within(client.call(name, arguments, self._timeout_s))
            return self._at(reply, question)
        point = str(filled(question, values))
        return await self._within(client.read(point, self._timeout_s))

    def _at(self, reply: Any, question: Call) -> Any:
        for step in question.value.split(".") if question.value else []:
            try:
                if isinstance(reply, list | tuple) and step.isdigit():
                    reply = reply[int(step)]
                else:
                    reply = reply[step] if isinstance(reply, Mapping) else getattr(reply, step)
            except (KeyError, IndexError, AttributeError) as error:
                fault = Garbled(f"the reply to {question.call} has no '{question.value}'")
                raise named(self.bench.name, fault) from error
        return reply

    async def _order(
        self,
        orders: Sequence[PointOrder],
        confirm: Sequence[ConditionWords[PointQuestion]],
        values: Values,
        what: str,
        effect: Effect,
        *,
        state: str = "",
        urgent: bool = False,
    ) -> None:
        if urgent:
            await self._obey(orders, confirm, values, what, effect)
            return
        async with self._turn:
            await self._obey(orders, confirm, values, what, effect)

    async def _obey(
        self,
        orders: Sequence[PointOrder],
        confirm: Sequence[ConditionWords[PointQuestion]],
        values: Values,
        what: str,
        effect: Effect,
    ) -> None:
        await self._ready()
        n_sent = 0
        try:
            for order in orders:
                await self._send(order, values)
                n_sent += 1
            fault = await self._faults(confirm, values)
        except (DeviceSilent, DeviceGarbled, DeviceGone) as doubt:
            if effect is Effect.NONE or (effect is Effect.IDEMPOTENT and not confirm):
                raise  # nothing is lost by repeating it
            await self._settle(confirm, values, what, doubt)
            return
        except (DeviceRefused, DeviceAbsent) as refusal:
            # of several orders a part was obeyed, or all were and it cannot be seen
            if n_sent and effect in ACTS:
                raise unsure(self.bench.name, what, refusal) from refusal
            raise
        if fault:
            refused = DeviceRefused(self.bench.name, f"{what} was sent, and {fault} afterwards")
            raise unsure(self.bench.name, what, refused) if effect in ACTS else refused

    async def _send(self, order: PointOrder, values: Values) -> None:
        client = self._open_client()
        limit_s = self._timeout_s if order.within is None else seconds(order.within)
        if order.point is not None:
            point, value = str(filled(order.point, values)), filled(order.to, values)
            await self._within(client.write(point, value, limit_s), limit_s)
            return
        name, arguments = str(filled(order.call, values)), filled(order.arguments, values)
        noted = str(filled(order.noted, values))
        await self._within(client.call(name, arguments, limit_s, noted), limit_s)

    async def _settle(
        self,
        confirm: Sequence[ConditionWords[PointQuestion]],
        values: Values,
        what: str,
        doubt: HaganeError,
    ) -> None:
        """Finds out whether orders took effect whose outcome is unknown."""
        try:
            await self._ready()
            fault = await self._faults(confirm, values) if confirm else "it cannot be read back"
        except HaganeError as error:
            raise unsure(self.bench.name, what, error) from doubt  # type: ignore[arg-type]
        if fault:
            raise unsure(self.bench.name, what, doubt) from doubt  # type: ignore[arg-type]

    async def _faults(
        self, confirm: Sequence[ConditionWords[PointQuestion]], values: Values
    ) -> str:
        """What is not as it should be; '' when all is."""
        for condition in confirm:
            answer = await self._asked(condition.read, values)
            if not is_as_wanted(answer, condition, values):
                return f"{filled(shown(condition.read), values)} is {answer!r}"
        return ""

    async def _within(self, deed: Awaitable[T], limit_s: float | None = None) -> T:
        limit_s = limit_s or self._timeout_s
        try:
            with self.bench.clock.work():
                async with asyncio.timeout(limit_s):
                    return await deed
        except TimeoutError as error:
            raise named(self.bench.name, Silent(f"no reply within {limit_s:g} s")) from error
        except Lost as fault:
            await self._drop()
            raise named(self.bench.name, fault) from fault
        except (Silent, Garbled, Refused) as fault:
            raise named(self.bench.name, fault) from fault

    async def _ready(self) -> None:
        if self._client is not None and not self._client.is_connected:
            await self._drop()
        if self._client is None or self._identity is None:
            await self.identify()

    async def _reconnect(self) -> None:
        if not self._is_open:
            raise DeviceAbsent(self.bench.name, "is not open", hint="open the resource first")
        await self.open()

    def _open_client(self) -> Client:
        if self._client is None:
            raise DeviceGone(self.bench.name, "the connection broke", hint="check the server")
        return self._client

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()
