"""T&C Power Conversion's RF supplies of the AG series, for a sputter gun.

Protocol and source: `drivers.protocols.cxn`. Tried on hardware: no.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated

from drivers.instrument import Instrument, within
from drivers.protocols import cxn
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.capabilities.deposition import RfPower
from orchestrator.errors import (
    DeviceError,
    DeviceGarbled,
    DeviceGone,
    DeviceRefused,
    DeviceSilent,
    DeviceUnsure,
)
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity

_N_LOOKS, _LOOK_S = 5, 0.1


class TcRfSupply(Instrument):
    """A supply that goes off, and forgets its power, when it hears nothing for two seconds.

    From `set_power` to `off` the driver asks for the status every `feed` seconds of wall time. That
    takes its turn like any other exchange, so a stop goes ahead of it. When RF went off all the
    same, each reading and `health` say so until `off`: a film that lost its plasma is not taken for
    a good one. When the driver's process dies or stands still, RF is off two seconds later; that is
    wanted. Power is in whole watts: what is given is rounded. It states nothing by which it is
    recognised, since its packets begin with a letter that is an order to other supplies.
    """

    implements = ("RfSupply",)

    def __init__(
        self,
        bench: Bench,
        port: str,
        max_power: Annotated[float, Unit("W", low=1, high=4000)] = 300.0,
        timeout: Annotated[float, Unit("s", low=0.001, high=0.5)] = 0.4,
        feed: Annotated[float, Unit("s", low=0.001, high=0.6)] = 0.5,
    ) -> None:
        super().__init__(bench, port, Settings(baudrate=38400), timeout)
        self._max_power, self._feed_s = max_power, feed
        self._feeding: asyncio.Task[None] | None = None
        self._watts: int | None = None
        self._is_lit = False
        self._lost = ""

    def who(self) -> Dialogue[Identity]:
        """Type, serial number and firmware."""
        model, serial = (yield from cxn.name(1)), (yield from cxn.name(2))
        firmware = (yield from cxn.ask("Gf", 4))[:4]
        return Identity("T&C Power Conversion", model, serial, ".".join(str(b) for b in firmware))

    async def health(self) -> Health:
        """Fit unless RF went off by itself or something keeps it off. Raises DeviceError."""
        why = self._lost or _why(await self.link.read(cxn.status))
        return Health(not why, why)

    async def close(self) -> None:
        """Disconnects; the supply then goes off by itself."""
        await self._starve()
        await super().close()

    async def make_safe(self) -> None:
        """RF off, control given back. Raises DeviceError; RF is off two seconds later even then."""
        await self._off(urgent=True)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_power(self, power: Annotated[float, Unit("W", low=0, high=4000)]) -> None:
        """Takes control and sets the forward power. Raises LimitExceeded, DeviceError."""
        watts = round(within("power", power, 0.0, self._max_power, "W"))

        def tell() -> Dialogue[None]:
            if not (yield from cxn.control(True)):
                raise Refused("it does not give control")
            # what it does counts, not what it says: a spoilt '*' may be a '?'
            is_taken = yield from cxn.tell("SA", watts)
            if not (yield from _holds(watts)):
                said = "and reads back otherwise" if is_taken else "and is not taken"
                raise Refused(f"a power of {watts} W was sent, {said}")

        await self.link.write(tell, lambda: _holds(watts), what=f"a power of {watts} W")
        self._watts = watts
        if self._feeding is None or self._feeding.done():
            self._feeding = asyncio.create_task(self._feed())

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def on(self) -> None:
        """Strikes the plasma.

        Raises:
            DeviceRefused: no power is set, it is on already, or something keeps it off.
            DeviceUnsure: it was told to, and does not say that it is on.
            DeviceSilent, DeviceGarbled, DeviceGone: it was not told to.
        """
        is_told, is_taken = False, True

        def strike() -> Dialogue[bool]:
            nonlocal is_told
            yield from self._must_be_ready()
            is_told = True
            return (yield from cxn.switch(True))

        try:
            is_taken = await self.link.exchange(strike)
        except (DeviceSilent, DeviceGarbled, DeviceGone):
            if not is_told:
                raise
        try:
            self._is_lit = await self._comes_on()
        except DeviceError as error:
            raise self.link.unsure("the command to go on", error) from error
        if not is_taken and not self._is_lit:
            raise DeviceRefused(self.bench.name, "it does not take the command to go on")
        if not self._is_lit:
            raise DeviceUnsure(
                self.bench.name,
                "it was told to go on and says that it is off; it may have struck for a moment",
                hint="look at the matching network, target and pressure",
            )

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Ends the plasma and gives control back, by which the power is forgotten.

        Raises DeviceError.
        """
        await self._off()

    @reading
    async def power(self) -> RfPower:
        """Forward and reflected power, and self-bias. Raises DeviceError, also when RF is lost."""

        def talk() -> Dialogue[tuple[cxn.Status, RfPower]]:
            status = yield from cxn.status()
            forward, reflected = yield from cxn.tenths("GP", 2)
            bias = int.from_bytes((yield from cxn.ask("GT", 8))[6:8], "big")
            return status, RfPower(forward, reflected, float(bias))

        status, found = await self.link.read(talk)
        self._hear(status)
        if self._lost:
            raise DeviceError(self.bench.name, self._lost, hint="switch it off and begin again")
        return found

    def _must_be_ready(self) -> Dialogue[None]:
        if self._watts is None or self._lost:
            raise Refused(self._lost or "no power is set")
        status = yield from cxn.status()
        if status & cxn.Status.RF_ON:
            raise Refused("it is on already")
        if why := _why(status):
            raise Refused(why)
        if not (yield from _holds(self._watts)):
            raise Refused("the power that was set is forgotten; set it again")

    async def _comes_on(self) -> bool:
        for _ in range(_N_LOOKS):
            if await self.link.read(cxn.status) & cxn.Status.RF_ON:
                return True
            await asyncio.sleep(_LOOK_S)
        return False

    async def _feed(self) -> None:
        while not self._lost:
            await asyncio.sleep(self._feed_s)
            # what fails now is asked again in time, and a reading tells what keeps failing
            with contextlib.suppress(DeviceError):
                self._hear(await self.link.exchange(cxn.status))

    async def _starve(self) -> None:
        feeding, self._feeding = self._feeding, None
        if feeding is not None:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    def _hear(self, status: cxn.Status) -> None:
        if self._is_lit and not status & cxn.Status.RF_ON:
            why = _why(status) or "it heard nothing for two seconds, or somebody switched it off"
            self._lost = f"RF went off by itself: {why}"

    async def _off(self, *, urgent: bool = False) -> None:
        """Without food first: what cannot be told to go off then does so by itself."""
        await self._starve()

        def tell() -> Dialogue[None]:
            if (yield from cxn.control(True)):
                yield from cxn.switch(False)
                yield from cxn.control(False)
            if not (yield from _is_off()):
                raise Refused("it was told to go off, and says that it is on")

        await self.link.write(tell, _is_off, what="the command to go off", urgent=urgent)
        self._is_lit, self._watts, self._lost = False, None, ""


def _holds(watts: int) -> Dialogue[bool]:
    (setpoint,) = yield from cxn.tenths("GL", 1)
    return setpoint == watts


def _is_off() -> Dialogue[bool]:
    return not (yield from cxn.status()) & cxn.Status.RF_ON


def _why(status: cxn.Status) -> str:
    return ", ".join(words for bit, words in cxn.WHY.items() if status & bit)
