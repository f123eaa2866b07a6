"""AJA DCXS-750 and -1500 DC sputter supplies.

Protocol and source: `drivers.protocols.dcxs`. Tried on hardware: no.
"""

from __future__ import annotations

from typing import Annotated

from drivers.instrument import Instrument, Talk, within
from drivers.protocols import dcxs
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.capabilities.deposition import Exposure, Plasma
from orchestrator.errors import (
    DeviceError,
    DeviceGarbled,
    DeviceGone,
    DeviceSilent,
    DeviceUnsure,
    InputError,
)
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity, Recognition

_MAX_POWER_W = 1000
_MAX_PRESPUTTER_S = 99
_MAX_DURATION_S = 999 * 60 + 59


class AjaSupply(Instrument):
    """A supply that moves the shutter of `gun` and times the exposure itself.

    Set-points are whole watts and times whole seconds: what is given is rounded to the nearest.
    The gun itself is chosen on the front panel.
    """

    implements = ("SputterSupply",)
    recognised_by = Recognition(maker="AJA", model="DCXS.*")

    def __init__(
        self,
        bench: Bench,
        port: str,
        gun: Annotated[int, Unit("", low=1, high=5)] = 1,
        max_power: Annotated[float, Unit("W", low=1)] = 750.0,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        if not 1 <= gun <= 5:
            raise InputError(f"{bench.name}: gun {gun} is not one of 1 to 5")
        super().__init__(bench, port, Settings(baudrate=38400), timeout)
        self._gun, self._is_open = gun, False
        self._max_power = min(max_power, _MAX_POWER_W)

    def who(self) -> Dialogue[Identity]:
        """Type and software; the supply tells no serial number."""
        model = yield from dcxs.ask("?")
        software = yield from dcxs.ask("z")
        return Identity("AJA", model, firmware=software)

    async def health(self) -> Health:
        """Fit when it answers. Raises DeviceError.

        The fault code says why the last plasma did not strike or went out. Nothing but the next
        strike is known to clear it, so it is told and forbids nothing; `on` refuses by it.
        """
        fault = await self.link.read(lambda: dcxs.ask("o"))
        return Health(is_fit=True, note="" if fault == "0" else f"fault code {fault}")

    async def make_safe(self) -> None:
        """Off. Raises DeviceError."""
        await self._off(urgent=True)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_power(self, power: Annotated[float, Unit("W", low=0, high=1000)]) -> None:
        """Regulates power, at this many whole watts. Raises LimitExceeded, DeviceError."""
        watts = round(within("power", power, 0.0, self._max_power, "W"))

        def confirm() -> Dialogue[bool]:
            mode = yield from dcxs.ask("c")
            return mode == "0" and (yield from dcxs.ask_number("b")) == watts

        await self._settle(("D0", f"C{watts:04d}"), confirm, f"a power of {watts} W", state="power")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_exposure(
        self,
        presputter: Annotated[float, Unit("s", low=0, high=99)],
        duration: Annotated[float, Unit("s", low=0, high=59999)],
    ) -> None:
        """Sets shutter delay and deposition time, in whole seconds.

        Raises:
            DeviceRefused: the supply is on.
            LimitExceeded, DeviceError.
        """
        delay = round(within("presputter", presputter, 0.0, _MAX_PRESPUTTER_S, "s"))
        whole_s = round(within("duration", duration, 0.0, _MAX_DURATION_S, "s"))
        minutes, seconds = divmod(whole_s, 60)

        def confirm() -> Dialogue[bool]:
            found = []
            for query in "hij":
                found.append((yield from dcxs.ask_number(query)))
            return found == [delay, minutes, seconds]

        await self.link.read(_must_be_off)
        commands = (f"F{delay:02d}", f"G{minutes:03d}", f"H{seconds:02d}")
        what = f"an exposure of {whole_s} s"
        await self._settle(commands, confirm, what, state="exposure")

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def on(self) -> None:
        """Strikes the plasma.

        Raises:
            DeviceRefused: it is on already, it has lost what was set, or it did not strike and
                reports a fault at once.
            DeviceUnsure: it was told to, and does not say that it is on.
        """
        await self.link.look_before_acting()
        await self.link.read(_must_be_off)
        try:
            burns = await self._strike()
        except (DeviceSilent, DeviceGarbled, DeviceGone) as error:
            burns = await self._still_burns(error)
        if not burns:
            raise DeviceUnsure(
                self.bench.name,
                "it was told to go on and says that it is off; it may have struck for a moment",
                hint="look at fault code, target and pressure",
            )

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Ends the plasma and closes the shutter. Raises DeviceError."""
        await self._off()

    @reading
    async def plasma(self) -> Plasma:
        """Power, voltage and current at the target. Raises DeviceError."""

        def talk() -> Dialogue[Plasma]:
            power = yield from dcxs.ask_number("d")
            voltage = yield from dcxs.ask_number("e")
            current = yield from dcxs.ask_number("f")
            return Plasma(float(power), float(voltage), float(current))

        return await self.link.read(talk)

    @reading
    async def exposure(self) -> Exposure:
        """The gun's shutter and what remains of the deposition.

        A supply whose time is over and one that has lost its power both say that the shutter is
        closed; the second one has lost its settings too.

        Raises:
            DeviceReset: it was switched off and on.
            DeviceError
        """

        def talk() -> Dialogue[Exposure]:
            mask = yield from dcxs.shutters()
            remaining = yield from dcxs.remaining_s()
            return Exposure(mask >> (self._gun - 1) & 1, float(remaining))

        found = await self.link.read(talk)
        has_closed, self._is_open = self._is_open and not found.shutter, bool(found.shutter)
        if has_closed:
            await self.link.look_again()
        return found

    async def _strike(self) -> bool:
        def talk() -> Dialogue[bool]:
            yield from dcxs.tell("A")
            if (yield from dcxs.is_on()):
                return True
            # read in the same breath: the shutter cannot have opened yet
            fault = yield from dcxs.ask("o")
            if fault != "0":
                raise Refused(f"the plasma does not strike (fault code {fault})")
            return False

        return await self.link.exchange(talk)

    async def _still_burns(self, doubt: DeviceError) -> bool:
        try:
            return await self.link.read(dcxs.is_on)
        except DeviceError as error:
            raise self.link.unsure("the command to go on", error) from doubt

    async def _off(self, *, urgent: bool = False) -> None:
        def confirm() -> Dialogue[bool]:
            return not (yield from dcxs.is_on())

        await self._settle(("B",), confirm, "the command to go off", urgent=urgent)

    async def _settle(
        self,
        commands: tuple[str, ...],
        confirm: Talk[bool],
        what: str,
        *,
        state: str = "",
        urgent: bool = False,
    ) -> None:
        """Sends commands, which are not answered, and reads back."""

        def tell() -> Dialogue[None]:
            for command in commands:
                yield from dcxs.tell(command)
            if not (yield from confirm()):
                raise Refused(f"{what} was sent, and reads back otherwise")

        await self.link.write(tell, confirm, what=what, state=state, urgent=urgent)


def _must_be_off() -> Dialogue[None]:
    if (yield from dcxs.is_on()):
        raise Refused("the supply is on")
