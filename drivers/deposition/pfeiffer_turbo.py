"""Pfeiffer Vacuum turbo pumps with a drive unit TC 110, TC 400 or TM 700.

Protocol and source: `drivers.protocols.pfeiffer_rs485`; parameters and error codes as the operating
instructions of the TC 110 list them. Tried on hardware: no.
"""

from __future__ import annotations

from typing import Annotated

from drivers.instrument import Instrument, Talk
from drivers.protocols import pfeiffer_rs485 as pfeiffer
from drivers.protocols.framing import Dialogue, Garbled, Refused, whole
from drivers.protocols.pfeiffer_errors import in_words
from drivers.transports import Settings
from orchestrator.errors import DeviceError
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity, Recognition

_STATION, _MOTOR, _ERROR, _ATTAINED, _SPEED = 10, 23, 303, 306, 309
_NAME, _FIRMWARE = 349, 312
_LOOK_S = 2.0


class PfeifferTurbo(Instrument):
    """One pump of several on an RS-485 line, by its `address`.

    **What is safe.** No command takes the energy out of a rotor: switched off, it coasts for many
    minutes, while it no longer pumps what is still hot, or still has gas in it. So `make_safe`
    leaves the pump as it is, and only makes sure that it can be reached; its drive unit watches
    temperature and current itself. A lab that decides otherwise says `off_when_safe: true`. The
    driver never brakes and never vents.
    """

    implements = ("TurboPump",)
    recognised_by = Recognition(maker="Pfeiffer Vacuum", model="T[CM] ?[0-9]+.*")

    def __init__(
        self,
        bench: Bench,
        port: str,
        address: Annotated[int, Unit("", low=1, high=255)] = 1,
        off_when_safe: bool = False,
        rest_speed: Annotated[float, Unit("Hz", low=0)] = 5.0,
        patience: Annotated[float, Unit("s", low=1)] = 3600.0,
        timeout: Annotated[float, Unit("s", low=0.001)] = 0.5,
    ) -> None:
        super().__init__(bench, port, Settings(), timeout)
        self._address, self._off_when_safe = address, off_when_safe
        self._rest_speed, self._patience = rest_speed, patience

    def who(self) -> Dialogue[Identity]:
        """Name and firmware of the drive unit; it tells no serial number."""
        name = (yield from pfeiffer.query(self._address, _NAME)).strip().replace("_", " ")
        firmware = yield from pfeiffer.query(self._address, _FIRMWARE)
        return Identity("Pfeiffer Vacuum", f"{name} at address {self._address}", firmware=firmware)

    async def health(self) -> Health:
        """Fit unless the drive unit reports an error; a warning is told. Raises DeviceError."""
        code = await self.link.read(self._error)
        return Health(not code.startswith("Err"), in_words(code))

    async def make_safe(self) -> None:
        """Leaves it spinning or coasting, as the class says. Raises DeviceError."""
        if self._off_when_safe:
            await self._switch(False, urgent=True)
        else:
            await self.link.read(self._get_speed, urgent=True)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def spin_up(self) -> None:
        """Switches on, and waits until the set speed is attained.

        Given up, it goes on accelerating: only `stop` switches it off.

        Raises:
            DeviceRefused: the drive unit reports an error, now or on the way.
            DeviceError: the speed is not attained in `patience`.
        """

        def is_at_speed() -> Dialogue[bool]:
            if (code := (yield from self._error())).startswith("Err"):
                raise Refused(f"it reports {in_words(code)}")
            return (yield from pfeiffer.query_flag(self._address, _ATTAINED))

        await self._switch(True)
        await self._wait(is_at_speed, "its speed")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def stop(self) -> None:
        """Switches off, and waits until it has coasted down to `rest_speed`.

        Given up, it goes on coasting. Raises DeviceError.
        """

        def rests() -> Dialogue[bool]:
            return (yield from self._get_speed()) <= self._rest_speed

        await self._switch(False)
        await self._wait(rests, "rest")

    @reading
    async def speed(self) -> Annotated[float, Unit("Hz")]:
        """The speed of the rotor, also while it coasts. Raises DeviceError."""
        return await self.link.read(self._get_speed)

    def _get_speed(self) -> Dialogue[float]:
        return float(whole((yield from pfeiffer.query(self._address, _SPEED))))

    def _error(self) -> Dialogue[str]:
        code = yield from pfeiffer.query(self._address, _ERROR)
        if code[:3] not in ("000", "Err", "Wrn"):
            raise Garbled(f"'{code}' is not an error code")
        return code

    async def _switch(self, is_on: bool, *, urgent: bool = False) -> None:
        """The station and, to spin, the motor too: both must be on."""
        parameters = (_MOTOR, _STATION) if is_on else (_STATION,)
        what = f"the command to {'spin up' if is_on else 'stop'}"

        def confirm() -> Dialogue[bool]:
            for parameter in parameters:
                if (yield from pfeiffer.query_flag(self._address, parameter)) != is_on:
                    return False
            return True

        def tell() -> Dialogue[None]:
            if is_on and (code := (yield from self._error())).startswith("Err"):
                raise Refused(f"it reports {in_words(code)}")
            for parameter in parameters:
                data = pfeiffer.ON if is_on else pfeiffer.OFF
                yield from pfeiffer.command(self._address, parameter, data)
            if not (yield from confirm()):
                raise Refused(f"{what} was sent, and reads back otherwise")

        await self.link.write(tell, confirm, what=what, state="station", urgent=urgent)

    async def _wait(self, is_there: Talk[bool], what: str) -> None:
        """Looks every two seconds of campaign time."""
        end = self.bench.clock.now() + self._patience
        while not await self.link.read(is_there):
            if self.bench.clock.now() >= end:
                raise DeviceError(self.bench.name, f"it has not come to {what} in time")
            await self.bench.clock.sleep(_LOOK_S)
