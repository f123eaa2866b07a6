"""Any instrument that speaks lines of ASCII, SCPI or nearly so, declared in a file.

    lab file:    psu: {kind: scpi, declared: instruments/psu.yaml, port: /dev/ttyUSB0}
    psu.yaml:    actions, readings, units, limits, effects; see docs/bridges.md

The port is a serial line, `socket://host:5025`, or `visa:GPIB0::22::INSTR` with PyVISA. Source of
the common part: IEEE 488.2-1992, section 10.14 (`*IDN?`), and "Standard Commands for Programmable
Instruments", 1999, volume 2, section 21.8 (the error queue). Tried on hardware: no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from drivers.bridges.declared import Values
from drivers.bridges.lines import DeclaredInstrument, of_pattern, part_of
from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, number, text, until
from drivers.protocols.scpi import OVERFLOW, not_echoed
from drivers.transports import Settings
from orchestrator.errors import NoReading, WrongDevice
from orchestrator.ports.action import Unit
from orchestrator.ports.declaration import Declaration, Mistake, Value, Words, found
from orchestrator.ports.resource import Bench, Identity
from orchestrator.ports.template import filled

_MOST_ERRORS = 30
"""An error queue that is not empty after so many entries answers something else."""
_TERMINATORS = {"lf": b"\n", "cr": b"\r", "crlf": b"\r\n"}


class Line(Words):
    """A query whose reply is taken apart: `finds` a group of a regular expression, or the `item`
    at a place between commas, counted from 0."""

    ask: Annotated[str, Field(min_length=1)]
    as_written = frozenset({"finds"})

    finds: str = ""
    item: Annotated[int, Field(ge=0)] | None = None

    @property
    def place(self) -> str:
        """The query."""
        return self.ask


class Errors(Words):
    """The query of the error queue, and with what the reply begins when there is none."""

    ask: str = ":SYST:ERR?"
    none: Value = 0


Question: TypeAlias = str | Line


class ScpiDeclaration(Declaration[Question, str]):
    """A declared instrument that speaks lines. `maker` and `model` are regular expressions that the
    whole of the first two fields of the reply to `identify` have to match; where it is '' they are
    taken as they are, and `serial` has to be asked. Of a device that `echoes`, each line comes back
    before its reply. `acknowledges` is a regular expression that the whole reply to an order has to
    match. One that matches `refuses` (`BUSY`) says that it was not done; after any other reply it
    is not known."""

    holds_states: ClassVar[bool] = True

    identify: str = "*IDN?"
    errors: Errors | Literal["none"] = Errors()
    terminator: Literal["lf", "cr", "crlf"] = "lf"
    replies_end_with: Literal["lf", "cr", "crlf"] | None = None
    echoes: bool = False
    acknowledges: str = ""
    refuses: str = ""

    def mistakes(self) -> Iterator[Mistake]:
        """What is wrong although every key has its shape."""
        yield from super().mistakes()
        yield from (m for line, path in found(self, Line) for m in of_pattern(path, line.finds))
        yield from of_pattern(("acknowledges",), self.acknowledges)
        yield from of_pattern(("refuses",), self.refuses)
        if self.refuses and not self.acknowledges:
            hint = "`acknowledges: OK`, or `acknowledges: ()` for an empty line"
            yield Mistake(("refuses",), "what an order is answered with when it is done?", hint)
        if self.identify:
            yield from of_pattern(("maker",), self.maker)
            yield from of_pattern(("model",), self.model)
        elif self.serial is None:
            hint = "a query that the device answers always, under 'serial'"
            yield Mistake(("identify",), "without a query nobody knows whether it is there", hint)


class ScpiInstrument(DeclaredInstrument[Question, str]):
    """An instrument that speaks SCPI, or other lines of ASCII, declared in a file.

    Every order is followed by a look into the error queue, in one exchange with it.
    """

    declaration = ScpiDeclaration
    said: ClassVar[ScpiDeclaration]

    def __init__(
        self,
        bench: Bench,
        port: str,
        baudrate: Annotated[int, Unit("", low=1)] = 9600,
        bytesize: Annotated[int, Unit("", low=7, high=8)] = 8,
        parity: str = "N",
        stopbits: Annotated[float, Unit("", low=1, high=2)] = 1.0,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        settings = Settings(baudrate, bytesize, parity, stopbits)
        super().__init__(bench, port, settings, timeout)

    def who(self) -> Dialogue[Identity]:
        """Maker, model, serial number, firmware; another maker or model is a WrongDevice."""
        said = self.said
        serial = "" if said.serial is None else str((yield from self._question(said.serial, {})))
        if not said.identify:
            return Identity(said.maker, said.model, serial)
        reply = yield from self._line(said.identify)
        fields = [field.strip().strip('"') for field in reply.split(",", 3)]
        maker, model, number_, firmware = (*fields, "", "", "", "")[:4]
        for wanted, given in ((said.maker, maker), (said.model, model)):
            if not re.fullmatch(wanted, given):
                raise WrongDevice(
                    self.bench.name,
                    f"'{reply}' answers on {self.link.port}, where {said.maker} {said.model} is "
                    "declared",
                    hint="put the cables back, or declare another instrument",
                )
        return Identity(maker, model, serial or number_, firmware)

    def _question(self, question: Question, values: Values) -> Dialogue[Any]:
        line = question if isinstance(question, Line) else Line(ask=question)
        reply = yield from self._line(filled(line.ask, values))
        if line.finds:
            reply = part_of(reply, line.finds)
        if line.item is not None:
            items = reply.split(",")
            if line.item >= len(items):
                raise Garbled(f"'{reply}' has no item {line.item}")
            reply = items[line.item]
        reply = reply.strip().strip('"')
        self._refuse_overflow(line.ask, reply)
        return reply

    def _sent(self, order: str, values: Values) -> Dialogue[None]:
        line = str(filled(order, values))
        reply = yield from self._told(line)
        if not re.fullmatch(self.said.acknowledges, reply):
            is_refusal = self.said.refuses and re.fullmatch(self.said.refuses, reply)
            raise (Refused if is_refusal else Garbled)(f"it answers '{line}' with '{reply}'")
        error = yield from self._error()
        if error:
            raise Refused(f"it answers '{order}' with the error {error}")

    def _stopped(self, order: str, values: Values) -> Dialogue[None]:
        # what is in the error queue may be older; that it is safe is read back, whatever it says
        yield from self._told(str(filled(order, values)))

    def _told(self, line: str) -> Dialogue[str]:
        """Sends an order; gives what it is acknowledged with, '' where nothing is answered."""
        if self.said.acknowledges:
            return (yield from self._line(line))
        if self.said.echoes:
            yield from self._echoed(line)
        else:
            yield Ask(self._bytes(line))
        return ""

    def _echoed(self, line: str) -> Dialogue[None]:
        """Sends a line, and takes its echo. Raises Garbled: something else came."""
        data = self._bytes(line)
        echo = text((yield Ask(data, until(_TERMINATORS[self.said.terminator]))))
        if echo != line.strip():
            raise Garbled(f"'{echo}' came, where the echo of '{line}' belongs")

    def _begun(self) -> Dialogue[None]:
        # what stands in the queue already, from the front panel, is not about the next order
        if self.said.errors != "none":
            for _ in range(_MOST_ERRORS):
                if not (yield from self._error()):
                    return
            raise Garbled("its error queue does not become empty")

    def _error(self) -> Dialogue[str]:
        errors = self.said.errors
        if errors == "none":
            return ""
        reply = yield from self._line(errors.ask)
        first = reply.partition(",")[0].strip()
        none = str(errors.none)
        is_number = none.lstrip("+-").isdigit()
        is_none = number(first) == float(none) if is_number else reply.startswith(none)
        return "" if is_none else reply

    def _line(self, query: str) -> Dialogue[str]:
        end = until(_TERMINATORS[self.said.replies_end_with or self.said.terminator])
        if not self.said.echoes:
            return not_echoed(query, text((yield Ask(self._bytes(query), end))))
        yield from self._echoed(query)
        # an echo of CR may have come as CR LF
        reply = text((yield Ask(b"", end)))
        return reply or text((yield Ask(b"", end)))

    def _bytes(self, line: str) -> bytes:
        return line.encode("ascii", "replace") + _TERMINATORS[self.said.terminator]

    def _refuse_overflow(self, query: str, reply: str) -> None:
        try:
            is_overflow = abs(float(reply)) >= OVERFLOW
        except ValueError:
            return
        if is_overflow:
            raise NoReading(
                self.bench.name,
                f"'{query}' is over range ({reply})",
                hint="look at the range, and at what is connected",
            )
