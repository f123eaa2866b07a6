"""Mettler Toledo balances with MT-SICS.

Protocol and source: `drivers.protocols.sics`. Tried on hardware: no.

What peers make of the manual differs: `mt-sics-emulator` answers `SI` by `SI S ...` and `I2` by its
serial number, `labmcp-mettler-toledo` by `S S ...` and the type. The manual has the latter.

It states no `recognised_by`: the question for its serial number, `I4`, is a set-point to the unit I
of Alicat's flow controllers.
"""

from __future__ import annotations

import contextlib
from typing import Annotated

from drivers.instrument import Instrument, within
from drivers.protocols import sics
from drivers.protocols.framing import Dialogue, Garbled, Refused
from drivers.transports import Settings
from orchestrator.capabilities.liquids import Momentary
from orchestrator.errors import DeviceError, NoReading
from orchestrator.ports.action import Bound, Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Identity

_TARE = "tare"
_STEADY, _MOVING, _OVER, _UNDER, _NOT_NOW = "S", "D", "+", "-", "I"


class MettlerBalance(Instrument):
    """A balance. It may be set to any unit of mass; weights are in g all the same.

    With more than `capacity` on it, it says that it is overloaded and no more: that is a bound. A
    load under its range is mostly a pan that is missing, or one that was taken off after a tare:
    nobody knows a bound for it, so it is no reading. `settling` is the longest that it may take to
    come to rest; the balance has a limit of its own, by its settings. Every answer has to come in
    its turn: the weight of a balance that is a reply behind would be that of a moment ago.
    """

    implements = ("Balance",)

    def __init__(
        self,
        bench: Bench,
        port: str,
        capacity: Annotated[float, Unit("g", low=0.001)],
        readability: Annotated[float, Unit("g", low=1e-7)] = 1e-4,
        settling: Annotated[float, Unit("s", low=0.1)] = 30.0,
        baudrate: Annotated[int, Unit("", low=1)] = 9600,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        within(f"{bench.name}.capacity", capacity, 0.001, None, "g")
        within(f"{bench.name}.readability", readability, 1e-7, None, "g")
        super().__init__(bench, port, Settings(baudrate=baudrate), timeout)
        self._capacity, self._readability, self._settling = capacity, readability, settling

    def who(self) -> Dialogue[Identity]:
        """Serial number, type and software."""
        serial = yield from sics.ask_text("I4")
        model = yield from sics.ask_text("I2")
        software = yield from sics.ask_text("I3")
        return Identity("Mettler Toledo", model or "balance", serial, software)

    @reading
    async def weight(self) -> Annotated[float | Bound, Unit("g")]:
        """The net weight once it is at rest; a bound when the balance is overloaded.

        Raises:
            NoReading: it did not come to rest in time, or is under its range.
            DeviceError
        """
        mass, _ = await self.link.read(lambda: self._weigh("S"), timeout_s=self._settling)
        return mass

    @reading
    async def momentary_weight(self) -> Momentary:
        """The net weight as it is now. Raises as `weight`."""
        mass, is_stable = await self.link.read(lambda: self._weigh("SI"))
        return Momentary(mass, int(is_stable))

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def tare(self) -> None:
        """Has what lies on the pan now weigh nothing, once it is at rest.

        Raises:
            DeviceRefused: it did not come to rest in time, or is over or under its range.
            DeviceError
        """
        await self._settle("T", "a tare")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def zero(self) -> None:
        """Sets the zero point, once it is at rest; a tare is forgotten. Raises as `tare`."""
        await self._settle("Z", "a zero point")

    def _weigh(self, command: str) -> Dialogue[tuple[float | Bound, bool]]:
        response = yield from sics.ask_in_turn(command)
        if command == "S" and response.status == _MOVING:
            # S waits for rest: this is what SI was asked before, and comes late
            raise Garbled("S was answered by a weight that is not at rest")
        match response.status:
            case "S" | "D":
                return sics.grams(response), response.status == _STEADY
            case "+":
                return Bound(self._capacity, "above"), True
            case "-":
                raise NoReading(
                    self.bench.name,
                    "the load is under the range of the balance",
                    hint="look whether its pan is on it; zero it when it is empty",
                )
            case "I":
                raise NoReading(
                    self.bench.name,
                    "the balance is busy, or did not come to rest in time",
                    hint="look for draughts and vibration, and at the doors",
                )
        raise Garbled(f"{command} was answered by the status {response.status}")

    async def _settle(self, command: str, what: str) -> None:
        def tell() -> Dialogue[None]:
            response = yield from sics.ask_in_turn(command)
            if response.status in (_OVER, _UNDER):
                raise Refused(f"{what} is out of the range of the balance")
            if response.status == _NOT_NOW:
                raise Refused("the balance is busy, or did not come to rest in time")
            if response.status not in ("A", _STEADY, _MOVING):
                raise Garbled(f"{command} was answered by the status {response.status}")
            if command == "T" and response.status in (_STEADY, _MOVING):
                yield from self._check_tare(response)

        def confirm() -> Dialogue[bool]:
            response = yield from sics.ask_in_turn("S")
            weighs = sics.grams(response) if response.status == _STEADY else None
            # the last digit may have moved meanwhile
            return weighs is not None and abs(weighs) <= 3 * self._readability

        self.link.release(_TARE)
        await self.link.write(tell, confirm, what=what, timeout_s=self._settling)
        await self._remember(what)

    def _check_tare(self, told: sics.Response) -> Dialogue[None]:
        """The answer to `T` names the tare; a balance that holds none has not done it."""
        try:
            held = yield from sics.ask("TA")
        except Refused:
            return
        if held.status == "A" and sics.grams(held) == 0.0 != sics.grams(told):
            raise Refused("a tare was acknowledged, and the balance holds none")

    async def _remember(self, what: str) -> None:
        """Has the balance answer for the tare that it has now: one that was switched off and on has
        none. One that does not know the question (`TA` is of level 1) is not held to it."""

        def ask() -> Dialogue[str]:
            return (yield from sics.ask_in_turn("TA")).rest

        def holds() -> Dialogue[bool]:
            return (yield from ask()) == tare

        with contextlib.suppress(DeviceError):
            tare = await self.link.exchange(ask)
            self.link.hold(_TARE, holds, what=what)
