"""Inficon SQM-160 quartz-crystal monitor.

Protocol and source: `drivers.protocols.sqm160`. Tried on hardware: no.
"""

from __future__ import annotations

from typing import Annotated

from drivers.instrument import Instrument
from drivers.protocols import sqm160
from drivers.protocols.framing import Dialogue, number
from drivers.transports import Settings
from orchestrator.capabilities.deposition import Growth
from orchestrator.errors import InputError
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Identity, Recognition

_NM_PER_ANGSTROM = 0.1
_S_PER_MIN = 60.0


class InficonMonitor(Instrument):
    """One sensor of the monitor. It tells angstrom and angstrom per second.

    Density, z-ratio and tooling are the film's that is selected on the front panel.
    """

    implements = ("ThicknessMonitor",)
    recognised_by = Recognition(maker="Inficon", model="SQM-160")

    def __init__(
        self,
        bench: Bench,
        port: str,
        sensor: int = 1,
        baudrate: Annotated[int, Unit("", low=1)] = 19200,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        if not 1 <= sensor <= 6:
            raise InputError(f"{bench.name}: sensor {sensor} is not one of 1 to 6")
        super().__init__(bench, port, Settings(baudrate=baudrate), timeout)
        self._sensor = sensor

    def who(self) -> Dialogue[Identity]:
        """Asks for the version; the monitor tells no serial number."""
        return Identity("Inficon", "SQM-160", firmware=(yield from sqm160.ask("@")))

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def zero(self) -> None:
        """Sets thickness and rate of all sensors to zero.

        A zero whose answer is lost is sent again: the film has not begun, and zero twice is zero.

        Raises:
            DeviceError
        """
        await self.link.read(lambda: sqm160.ask("S"))

    @reading
    async def growth(self) -> Growth:
        """Thickness since zero, and the present rate. Raises DeviceError."""

        def talk() -> Dialogue[Growth]:
            rate = number((yield from sqm160.ask(f"L{self._sensor}?")).strip())
            thickness = number((yield from sqm160.ask(f"N{self._sensor}")).strip())
            return Growth(thickness * _NM_PER_ANGSTROM, rate * _NM_PER_ANGSTROM * _S_PER_MIN)

        return await self.link.read(talk)
