"""Tecan Cavro syringe pumps (XP 3000, XCalibur, XL 3000, XLP 6000, XMP 6000), several on one line.

Protocol and source: `drivers.protocols.cavro`. Plunger speeds are 6000 pulses a stroke in the modes
N0 and N1, of 3000 increments as of 6000 (so `labmcp-cavro` reads the manuals). Tried on hardware:
no.

What can be known of a move afterwards. Every move is sent as an absolute position, so the plunger's
position says whether it took place, also when the answer to the command was lost. Two things make
the position worthless: a stop that interrupted a move (increments may be lost, XLP manual, `T`),
and a loss of power, after which the pump counts from anywhere. The first the driver remembers; the
second shows by the top speed, which `initialise` sets and power-off resets. In both cases nothing
moves until `initialise`. (That power-off resets it, on every model, is assumed; no page at hand
says so. Behind it stands the pump's own refusal of a move, error 7.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from drivers.instrument import Instrument, Talk, within
from drivers.protocols import cavro
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.capabilities.liquids import NO_TICKET, Dispensed
from orchestrator.errors import (
    DeviceError,
    DeviceGarbled,
    DeviceGone,
    DeviceRefused,
    DeviceSilent,
    InputError,
)
from orchestrator.ports.action import Cancel, Effect, Ticket, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity, Verdict

_PULSES_A_STROKE = 6000
_SLOWEST, _FASTEST, _DEFAULT = 5, 5800, 1400
_FINE = 8
"""Microsteps of an increment, in mode N1."""
_POLL_S = 0.2
_GRACE_S = 20.0
_VALVE_S = 2.0
"""Of a valve, that a stop does not interrupt."""
_INITIALISING_S = 60.0
_LETTERS = {"input": "I", "output": "O", "bypass": "B"}
_OF_AN_EARLIER_STATE = (1, cavro.NOT_INITIALISED, cavro.OVERLOADED, 10)
"""Errors that an initialisation is there to end."""


@dataclass(frozen=True)
class _Look:
    """The pump as it is; `is_as_set` when it has not lost what `initialise` set."""

    is_ready: bool
    complaint: str
    position: int
    is_as_set: bool


@dataclass(frozen=True)
class _Move:
    """The last dispense: under which ticket, from where to where."""

    ticket: Ticket
    start: int
    target: int


class CavroPump(Instrument):
    """A pump with one syringe, for one liquid.

    `inlet`, `outlet` and `waste` are ports of its valve: `1`, `2`, ... of a distribution valve, or
    `input` and `output` of a three-port valve. `initialise` and `empty` give what the syringe holds
    to `waste`; a three-port valve has no port for it, so a waste vessel must be at its output
    then. `steps` is the full stroke in increments (3000, or 6000 for XLP and XMP); `fine` divides
    each by eight. A volume is rounded to the nearest step. `force` is that of the initialisation:
    0 for syringes from 1 mL on, 1 from 250 uL, 2 below.
    """

    implements = ("LiquidPump", "SyringePump")

    def __init__(
        self,
        bench: Bench,
        port: str,
        syringe: Annotated[float, Unit("uL", low=1, high=50000)],
        address: str = "1",
        inlet: str = "1",
        outlet: str = "2",
        waste: str = "3",
        rate: Annotated[float, Unit("uL/s", low=0)] = 100.0,
        steps: Annotated[int, Unit("", low=1, high=6000)] = 3000,
        fine: bool = False,
        force: Annotated[int, Unit("", low=0, high=2)] = 0,
        baudrate: Annotated[int, Unit("", low=1)] = 9600,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        if len(address) != 1 or address not in cavro.ADDRESSES:
            raise InputError(
                f"{bench.name}: address '{address}' is no address of a Cavro pump",
                hint="the address switch's 0 is 1, its 1 is 2, ...",
            )
        within(f"{bench.name}.syringe", syringe, 1.0, 50000.0, "uL")
        slowest, fastest = (syringe * v / _PULSES_A_STROKE for v in (_SLOWEST, _FASTEST))
        within(f"{bench.name}.rate", rate, slowest, fastest, "uL/s")
        super().__init__(bench, port, Settings(baudrate=baudrate), timeout)
        self._address, self._syringe, self._mode, self._force = address, syringe, int(fine), force
        self._inlet, self._outlet, self._waste = map(self._valve, (inlet, outlet, waste))
        if len({port.isalpha() for port in (inlet, outlet, waste)}) > 1:
            raise InputError(
                f"{bench.name}: inlet, outlet and waste are not of one valve",
                hint="three numbers, or words such as input, output and output",
            )
        self._stroke = steps * (_FINE if fine else 1)
        # not the default, by which a pump is known that has lost its power
        pulses = round(rate / syringe * _PULSES_A_STROKE)
        self._pulses = pulses + (pulses == _DEFAULT)
        self._is_moving: bool | None = None
        """None: nobody has asked yet."""
        self._is_lost = False
        self._last: _Move | None = None

    def who(self) -> Dialogue[Identity]:
        """The firmware; the pump tells neither its model nor a serial number."""
        firmware = (yield from cavro.ask(self._address, "&")).data
        return Identity("Tecan Cavro", f"syringe pump {self._address}", firmware=firmware)

    async def health(self) -> Health:
        """Fit unless it reports an error. Raises DeviceError.

        That it must be initialised first is told and forbids nothing: every move refuses by it.
        """
        look = await self.link.read(self._look)
        return Health(not look.complaint, self._hindrance(look) or self._where(look))

    async def make_safe(self) -> None:
        """Stops the plunger where it is; a valve comes to its end.

        A driver that has just been started asks first whether the pump moves: what it interrupts
        has to be known.

        Raises:
            DeviceRefused: it goes on.
            DeviceError
        """

        def confirm() -> Dialogue[bool]:
            return (yield from self._status()).is_ready

        def tell() -> Dialogue[None]:
            if self._is_moving is None:
                yield from self._status()
            self._is_lost = self._is_lost or bool(self._is_moving)
            yield from cavro.ask(self._address, "T")

        await self.link.write(tell, confirm, what="the command to stop", urgent=True)
        waited_s = 0.0
        while not await self.link.read(confirm, urgent=True):
            if waited_s > _VALVE_S:
                raise DeviceRefused(self.bench.name, "it goes on after having been told to stop")
            await self.bench.clock.sleep(_POLL_S)
            waited_s += _POLL_S

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.NEVER)
    async def initialise(self) -> None:
        """Gives what the syringe holds to `waste`, and finds the plunger's zero.

        Raises:
            DeviceRefused: it is busy, or cannot be initialised.
            DeviceError
        """
        ports = f",{self._inlet[1:]},{self._waste[1:]}" if self._waste[1:] else ""
        command = f"Z{self._force}{ports}R"

        def begin() -> Dialogue[None]:
            if not (yield from self._status()).is_ready:
                raise Refused("the pump is busy")
            answer = yield from cavro.ask(self._address, command)
            if answer.error and answer.error not in _OF_AN_EARLIER_STATE:
                raise Refused(f"the pump refuses: {answer.complaint}")

        self._last = None
        await self._start(begin, "the initialisation")
        await self._until_ready(0.0, _INITIALISING_S)
        settings = f"N{self._mode}V{self._pulses}R"
        await self.link.read(lambda: cavro.tell(self._address, settings))
        self._is_lost = False
        look = await self.link.read(self._look)
        if self._hindrance(look) or look.position != 0:
            what = self._hindrance(look) or f"the plunger is at {look.position}, not at its zero"
            raise DeviceRefused(self.bench.name, f"after the initialisation: {what}")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.NEVER)
    async def load(self, volume: Annotated[float, Unit("uL", low=0)]) -> None:
        """Has the syringe hold at least so much, drawn from `inlet`.

        Raises:
            LimitExceeded: more than the syringe takes.
            DeviceRefused: it must be initialised first, or is busy.
            DeviceError: it stopped on the way.
        """
        target = self._steps(within("volume", volume, 0.0, self._syringe, "uL"))
        start = await self._position()
        if start < target:
            await self._go(start, target, self._inlet)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.NEVER)
    async def empty(self) -> None:
        """Gives all that the syringe holds to `waste`. Raises DeviceError."""
        start = await self._position()
        if start > 0:
            await self._go(start, 0, self._waste)

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def dispense(
        self, volume: Annotated[float, Unit("uL", low=0)], ticket: Ticket = NO_TICKET
    ) -> Dispensed:
        """Gives so much to `outlet`; the result is in whole steps.

        Raises:
            LimitExceeded: more than the syringe takes.
            DeviceRefused: it holds less, must be initialised first, or is busy. Nothing moved.
            DeviceUnsure: it cannot be heard.
            DeviceError: it stopped on the way.
        """
        n_steps = self._steps(within("volume", volume, 0.0, self._syringe, "uL"))
        start = await self._position()
        if n_steps > start:
            raise DeviceRefused(
                self.bench.name,
                f"the syringe holds {self._volume(start):g} uL, less than {volume:g} uL",
                hint="load it first",
            )
        self._last = _Move(ticket, start, start - n_steps)
        if n_steps:
            await self._go(start, start - n_steps, self._outlet)
        return Dispensed(self._volume(n_steps))

    @reading
    async def held(self) -> Annotated[float, Unit("uL")]:
        """How much the syringe holds, by its plunger.

        Raises:
            DeviceRefused: the position is worthless until it has been initialised.
            DeviceError
        """
        look = await self.link.read(self._look)
        if self._is_lost or not look.is_as_set:
            raise DeviceRefused(self.bench.name, self._hindrance(look), hint="initialise it")
        return self._volume(look.position)

    async def ask(self, ticket: Ticket) -> Verdict:
        """What the plunger's position says of a dispense.

        The pump holds no ticket: from where to where the last one went, only the driver that gave
        the command knows. Another driver, after a restart, tells where the plunger is, and leaves
        the rest to a person. Raises DeviceError.
        """
        look = await self.link.read(self._look)
        found, move = self._where(look), self._last
        if not look.is_ready:
            return Verdict("running", found)
        if move is None or move.ticket != ticket or ticket == NO_TICKET:
            return Verdict("unknown", f"{found}; from where it started is not known any more")
        if hindrance := self._hindrance(look):
            return Verdict("unknown", f"{found}, and {hindrance}")
        if look.position == move.target:
            volume = self._volume(move.start - move.target)
            return Verdict("done", found, {"volume": volume})
        if look.position == move.start:
            return Verdict("not_done", f"{found}, as before")
        given = self._volume(move.start - look.position)
        return Verdict("unknown", f"{found}: {given:g} uL were given, and it stopped on the way")

    async def _position(self) -> int:
        """Where the plunger is, of a pump that can move. Raises DeviceRefused, DeviceError."""
        look = await self.link.read(self._look)
        hindrance = self._hindrance(look) or ("" if look.is_ready else "it is busy")
        if hindrance:
            raise DeviceRefused(self.bench.name, hindrance, hint="initialise it, or wait")
        return look.position

    async def _go(self, start: int, target: int, valve: str) -> None:
        def begin() -> Dialogue[None]:
            yield from cavro.tell(self._address, f"{valve}A{target}R")

        await self._start(begin, "a move of the plunger", start)
        pulses = abs(target - start) / self._stroke * _PULSES_A_STROKE
        await self._until_ready(pulses / self._pulses, _GRACE_S, start)
        look = await self.link.read(self._look)
        if not look.is_as_set:
            raise DeviceError(
                self.bench.name,
                "it was switched off on the way: how much has moved is not known",
                hint="look at what came, then initialise it",
            )
        if look.position != target:
            raise DeviceError(
                self.bench.name,
                f"the plunger stopped at {self._volume(look.position):g} uL on its way from "
                f"{self._volume(start):g} uL to {self._volume(target):g} uL",
            )

    async def _start(self, begin: Talk[None], what: str, start: int | None = None) -> None:
        """Sends a command once. When its answer is lost, the pump's state says whether it acts."""
        self._is_moving = True
        try:
            await self.link.exchange(begin)
        except DeviceRefused:
            self._is_moving = False
            raise
        except (DeviceSilent, DeviceGarbled, DeviceGone) as doubt:
            try:
                look = await self.link.read(self._look)
            except DeviceError as error:
                raise self.link.unsure(what, error) from doubt
            if look.is_ready and (start is None or look.position == start):
                raise

    async def _until_ready(self, shortest_s: float, grace_s: float, start: int = -1) -> None:
        """Waits for the end of a move. Raises DeviceRefused, DeviceError."""
        await self.bench.clock.sleep(shortest_s)
        waited_s = 0.0
        while True:
            answer = await self.link.read(self._status)
            if answer.error:
                await self._complain(answer, start)
            if answer.is_ready:
                return
            if waited_s > grace_s:
                raise DeviceError(self.bench.name, "the pump is busy longer than the move takes")
            await self.bench.clock.sleep(_POLL_S)
            waited_s += _POLL_S

    async def _complain(self, answer: cavro.Answer, start: int) -> None:
        look = await self.link.read(self._look)
        if look.position == start:
            raise DeviceRefused(self.bench.name, f"nothing moved: {answer.complaint}")
        self._is_lost = True
        raise DeviceError(
            self.bench.name,
            f"{answer.complaint}; {self._where(look)}",
            hint="look at tubing and valve, then initialise it",
        )

    def _status(self) -> Dialogue[cavro.Answer]:
        answer = yield from cavro.ask(self._address, "Q")
        self._is_moving = self._is_moving is not False and not answer.is_ready
        return answer

    def _look(self) -> Dialogue[_Look]:
        status = yield from self._status()
        position = yield from cavro.ask_number(self._address, "?")
        speed = yield from cavro.ask_number(self._address, "?2")
        return _Look(status.is_ready, status.complaint, position, speed == self._pulses)

    def _hindrance(self, look: _Look) -> str:
        """Why it must not move; '' when it may."""
        if self._is_lost:
            return "a move was interrupted, and where the plunger is is not sure: initialise it"
        if not look.is_as_set:
            return "it has not been initialised since it was switched on: initialise it"
        return look.complaint

    def _where(self, look: _Look) -> str:
        return f"the plunger is at {self._volume(look.position):g} uL"

    def _steps(self, volume: float) -> int:
        return round(volume / self._syringe * self._stroke)

    def _volume(self, steps: int) -> float:
        return steps / self._stroke * self._syringe

    def _valve(self, port: str) -> str:
        """The command that turns the valve to a port. Raises InputError."""
        if port in _LETTERS:
            return _LETTERS[port]
        if re.fullmatch(r"[1-9]|1\d", port):
            return f"I{port}"
        raise InputError(
            f"{self.bench.name}: '{port}' is no port of a Cavro valve",
            hint="1, 2, ... of a distribution valve; input or output of a three-port valve",
        )
