"""Any Modbus device, declared in a file: registers and coils with type, scale and limits.

    lab file:      furnace: {kind: modbus, declared: instruments/furnace.yaml, port: /dev/ttyUSB0}
    furnace.yaml:  actions, readings, units, limits, effects; see docs/bridges.md

Framing, functions and their source: `drivers.protocols.modbus`. How numbers of 32 and 64 bits lie
in registers differs from maker to maker (`words`, and seldom `bytes`: `high_first` or `low_first`).
Addresses are those of the wire, from 0: a manual's register 40001 is address 0. Tried on hardware:
no.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from drivers.bridges.declared import Values
from drivers.bridges.lines import DeclaredInstrument
from drivers.protocols import modbus
from drivers.protocols.framing import Dialogue
from drivers.transports import Settings
from orchestrator.errors import InputError
from orchestrator.ports.action import Unit
from orchestrator.ports.declaration import Mistake, ProbedDeclaration, Step, Value, Words, found
from orchestrator.ports.resource import Bench, Identity
from orchestrator.ports.template import filled

Address: TypeAlias = Annotated[int, Field(ge=0, le=0xFFFF)]
Type: TypeAlias = Literal[
    "int16", "uint16", "int32", "uint32", "float32", "int64", "uint64", "float64"
]
First: TypeAlias = Literal["high_first", "low_first"]
_FORMATS: dict[str, str] = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "float32": ">f",
    "int64": ">q",
    "uint64": ">Q",
    "float64": ">d",
}


class _Number(Words):
    """How a number lies in registers: it is `scale * what is in them + offset`."""

    type: Type = "uint16"
    scale: float = 1.0
    offset: float = 0.0
    words: First = "high_first"
    bytes_: First = Field(default="high_first", alias="bytes")

    @property
    def n_registers(self) -> int:
        """How many registers it takes."""
        return struct.calcsize(_FORMATS[self.type]) // 2


class Place(_Number):
    """Where a value is read: exactly one of a holding `register`, an `input` register, a `coil`, a
    `discrete` input. Of a register `bit` is one bit, from 0, the lowest."""

    register_: Address | None = Field(default=None, alias="register")
    input: Address | None = None
    coil: Address | None = None
    discrete: Address | None = None
    bit: Annotated[int, Field(ge=0, le=15)] | None = None

    @property
    def place(self) -> str:
        """The address in words."""
        kinds = ("register_", "input", "coil", "discrete")
        said = [
            f"{k.rstrip('_')} {getattr(self, k)}" for k in kinds if getattr(self, k) is not None
        ]
        return said[0] if len(said) == 1 else ""


class Order(_Number):
    """What is written: a `value` to exactly one holding `register` (more for 32 bits and 64), or
    `coil`."""

    register_: Address | None = Field(default=None, alias="register")
    coil: Address | None = None
    value: Value


class ModbusDeclaration(ProbedDeclaration[Place, Order]):
    """A declared Modbus device."""

    holds_states: ClassVar[bool] = True

    def mistakes(self) -> Iterator[Mistake]:
        """What is wrong although every key has its shape."""
        yield from super().mistakes()
        for place, path in found(self, Place):
            if not place.place:
                message = "one place is needed: a register, an input, a coil or a discrete"
                yield Mistake(path, message)
            yield from _bit_mistakes(place, path)
        for order, path in found(self, Order):
            yield from _order_mistakes(order, path)
        for number, path in found(self, _Number):
            if number.scale == 0:
                yield Mistake((*path, "scale"), "a scale of 0 makes every value the same")


class ModbusInstrument(DeclaredInstrument[Place, Order]):
    """A Modbus device on a serial line (`framing: rtu`) or on TCP (`framing: tcp`), declared in a
    file. Several devices share a line, each with its `unit_id`."""

    declaration = ModbusDeclaration
    said: ClassVar[ModbusDeclaration]

    def __init__(
        self,
        bench: Bench,
        port: str,
        unit_id: Annotated[int, Unit("", low=0, high=255)] = 1,
        framing: str = "rtu",
        baudrate: Annotated[int, Unit("", low=1)] = 9600,
        parity: str = "N",
        stopbits: Annotated[float, Unit("", low=1, high=2)] = 1.0,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        if framing not in ("rtu", "tcp"):
            raise InputError(f"'{framing}' is not a framing of Modbus", hint="'rtu' or 'tcp'")
        gap_s = modbus.gap_s(baudrate) if framing == "rtu" else 0.0
        settings = Settings(baudrate, parity=parity, stopbits=stopbits, gap_s=gap_s)
        super().__init__(bench, port, settings, timeout)
        self._unit_id, self._is_tcp = unit_id, framing == "tcp"
        self._transactions = itertools.count(1)

    def who(self) -> Dialogue[Identity]:
        """Whether it answers as declared; maker and model are taken from the declaration."""
        said = self.said
        answer = yield from self._question(said.identify.read, {})
        self._recognise(answer)
        serial = "" if said.serial is None else f"{(yield from self._question(said.serial, {})):g}"
        return Identity(said.maker, said.model, serial)

    def _question(self, question: Place, values: Values) -> Dialogue[float]:
        if question.coil is not None:
            pdu = yield from self._talk(modbus.read_coils(question.coil, 1))
            return float(modbus.coils(pdu, 1)[0])
        if question.discrete is not None:
            pdu = yield from self._talk(modbus.read_discretes(question.discrete, 1))
            return float(modbus.coils(pdu, 1)[0])
        n = question.n_registers
        if question.input is not None:
            request = modbus.read_inputs(question.input, n)
        else:
            assert question.register_ is not None, "held against its shape before"
            request = modbus.read_registers(question.register_, n)
        pdu = yield from self._talk(request)
        return decoded(modbus.registers(pdu, n), question)

    def _sent(self, order: Order, values: Values) -> Dialogue[None]:
        value = filled(order.value, values)
        if order.coil is not None:
            if isinstance(value, str):
                raise InputError(
                    f"'{value}' is no value of a coil",
                    hint="let the action take an integer from 0 to 1",
                )
            yield from self._talk(modbus.write_coil(order.coil, bool(value)))
            return
        assert order.register_ is not None, "held against its shape before"
        words = encoded(float(value), order)
        if len(words) == 1:
            yield from self._talk(modbus.write_register(order.register_, words[0]))
        else:
            yield from self._talk(modbus.write_registers(order.register_, words))

    def _talk(self, pdu: bytes) -> Dialogue[bytes]:
        if self._is_tcp:
            return modbus.ask_tcp(next(self._transactions), self._unit_id, pdu)
        return modbus.ask_rtu(self._unit_id, pdu)


def decoded(words: tuple[int, ...], told: Place) -> float:
    """The number in one to four registers, or one bit of a register."""
    if told.bit is not None:
        place = told.bit if told.bytes_ == "high_first" else told.bit ^ 8
        return float(words[0] >> place & 1)
    if told.words == "low_first":
        words = words[::-1]
    raw = struct.unpack(_FORMATS[told.type], struct.pack(f"{_end(told)}{len(words)}H", *words))[0]
    return told.scale * float(raw) + told.offset


def encoded(value: float, told: Order) -> tuple[int, ...]:
    """The registers of a number, rounded to what they hold. Raises InputError: it does not fit."""
    raw = (value - told.offset) / told.scale
    try:
        is_float = told.type.startswith("float")
        data = struct.pack(_FORMATS[told.type], raw if is_float else round(raw))
    except (struct.error, OverflowError, ValueError) as error:
        raise InputError(
            f"{value:g} does not fit into {told.type} with a scale of {told.scale:g}",
            hint="look at 'type' and 'scale' of the declaration",
        ) from error
    words = struct.unpack(f"{_end(told)}{len(data) // 2}H", data)
    return words if told.words == "high_first" else words[::-1]


def _end(told: _Number) -> str:
    """How the two bytes of each register stand, in the words of `struct`."""
    return ">" if told.bytes_ == "high_first" else "<"


def _bit_mistakes(place: Place, path: Step) -> Iterator[Mistake]:
    """A key that would say nothing, since one bit is read."""
    is_coil = place.coil is not None or place.discrete is not None
    if not is_coil and place.bit is None:
        return
    idle = {"type", "scale", "offset", "words", *({"bit", "bytes_"} if is_coil else ())}
    for key in sorted(idle & place.model_fields_set):
        name = key.rstrip("_")
        yield Mistake((*path, name), f"'{name}' says nothing of a single bit", "leave it out")


def _order_mistakes(order: Order, path: Step) -> Iterator[Mistake]:
    if (order.register_ is None) == (order.coil is None):
        yield Mistake(path, "one place is needed: a register or a coil")
    if isinstance(order.value, str) and "{" not in order.value:
        hint = "a number, true or false, or '{argument}'"
        yield Mistake((*path, "value"), f"'{order.value}' is no value of a register", hint)
