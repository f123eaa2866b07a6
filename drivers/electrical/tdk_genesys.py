"""TDK-Lambda Genesys DC supplies.

Protocol and source: `drivers.protocols.genesys`. Tried on hardware: no.
"""

from __future__ import annotations

from typing import Annotated

from drivers.instrument import Instrument, Talk, within
from drivers.protocols import genesys
from drivers.protocols.framing import Dialogue, Garbled, Refused, T, number
from drivers.transports import Settings
from orchestrator.capabilities.deposition import Output
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity


class GenesysSupply(Instrument):
    """One supply of several on an RS-232 or RS-485 line, by its `address`.

    `max_voltage` and `max_current` are the supply's ratings or less; a set-point must read back
    within 0.05 % of them. A supply that loses its mains comes back with its output off: `on` sees
    to that. What was set may be lost then too, and it does not go on before that is set again. The
    100 ms before a supply is addressed are kept for a stop too. It states nothing by which it is
    recognised, since `ADR` begins with a letter that switches others on.
    """

    implements = ("PowerSupply",)

    def __init__(
        self,
        bench: Bench,
        port: str,
        max_voltage: Annotated[float, Unit("V", low=0, high=600)],
        max_current: Annotated[float, Unit("A", low=0, high=1000)],
        address: Annotated[int, Unit("", low=0, high=30)] = 6,
        baudrate: Annotated[int, Unit("", low=1)] = 9600,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        settings = Settings(baudrate=baudrate, gap_s=genesys.GAP_S)
        super().__init__(bench, port, settings, timeout)
        self._address = address
        self._max_voltage, self._max_current = max_voltage, max_current
        self._was_set: dict[str, Talk[bool]] = {}

    def who(self) -> Dialogue[Identity]:
        """Model, serial number and firmware."""
        yield from genesys.address(self._address)
        maker, comma, model = (yield from genesys.ask("IDN?")).partition(",")
        if not comma or "LAMBDA" not in maker.upper():
            raise Garbled(f"'{maker}{comma}{model}' is not the identity of a Genesys")
        serial, firmware = (yield from genesys.ask("SN?")), (yield from genesys.ask("REV?"))
        return Identity("TDK-Lambda", f"{model} at address {self._address}", serial, firmware)

    async def health(self) -> Health:
        """Fit unless the fault register says what is wrong. Raises DeviceError."""
        faults = await self._read(genesys.faults)
        return Health(not faults, ", ".join(faults))

    async def make_safe(self) -> None:
        """Output off. Raises DeviceError."""
        await self._switch(False, urgent=True)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_voltage(self, voltage: Annotated[float, Unit("V", low=0, high=600)]) -> None:
        """Sets the voltage that the output does not exceed. Raises LimitExceeded, DeviceError."""
        within("voltage", voltage, 0.0, self._max_voltage, "V")
        await self._set("PV", voltage, self._max_voltage, f"a voltage of {voltage:g} V")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_current(self, current: Annotated[float, Unit("A", low=0, high=1000)]) -> None:
        """Sets the current that the output does not exceed. Raises LimitExceeded, DeviceError."""
        within("current", current, 0.0, self._max_current, "A")
        await self._set("PC", current, self._max_current, f"a current of {current:g} A")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def on(self) -> None:
        """Connects the output.

        Raises:
            DeviceRefused: a fault keeps it off, or it has lost what was set.
            DeviceError
        """
        await self._switch(True)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Disconnects the output. Raises DeviceError."""
        await self._switch(False)

    @reading
    async def output(self) -> Output:
        """Voltage and current at the output. Raises DeviceError."""

        def talk() -> Dialogue[Output]:
            voltage = number((yield from genesys.ask("MV?")))
            return Output(voltage, number((yield from genesys.ask("MC?"))))

        return await self._read(talk)

    async def _read(self, talk: Talk[T]) -> T:
        return await self.link.read(lambda: self._to_it(talk))

    def _to_it(self, talk: Talk[T]) -> Dialogue[T]:
        yield from genesys.address(self._address)
        return (yield from talk())

    async def _set(self, command: str, value: float, rating: float, what: str) -> None:
        def confirm() -> Dialogue[bool]:
            found = number((yield from genesys.ask(f"{command}?")))
            return abs(found - value) <= 0.0005 * rating + 0.0005

        self._was_set.pop(command, None)
        await self._settle((f"{command} {value:.3f}",), confirm, what, command)
        self._was_set[command] = confirm

    async def _switch(self, is_on: bool, *, urgent: bool = False) -> None:
        word = "ON" if is_on else "OFF"

        def confirm() -> Dialogue[bool]:
            return (yield from genesys.ask("OUT?")) == word

        commands = ("AST OFF", "OUT ON") if is_on else ("OUT OFF",)
        what = f"the output {word.lower()}"
        await self._settle(commands, confirm, what, "OUT", is_on=is_on, urgent=urgent)

    async def _settle(
        self,
        commands: tuple[str, ...],
        confirm: Talk[bool],
        what: str,
        state: str,
        *,
        is_on: bool = False,
        urgent: bool = False,
    ) -> None:
        """Takes it from its front panel, sends commands, and reads back."""

        def tell() -> Dialogue[None]:
            for holds in self._was_set.values() if is_on else ():
                if not (yield from holds()):
                    raise Refused("what was set is forgotten; set voltage and current again")
            yield from genesys.tell("RMT REM")
            for command in commands:
                yield from genesys.tell(command)
            if not (yield from confirm()):
                raise Refused(f"{what} was sent, and reads back otherwise")

        await self.link.write(
            lambda: self._to_it(tell),
            lambda: self._to_it(confirm),
            what=what,
            state=state,
            urgent=urgent,
        )
