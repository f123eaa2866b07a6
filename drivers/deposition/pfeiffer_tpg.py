"""Pfeiffer Vacuum TPG 36x and 26x gauges.

Protocol and source: `drivers.protocols.pfeiffer`. Tried on hardware: no.
"""

from __future__ import annotations

from typing import Annotated

from drivers.instrument import Instrument
from drivers.protocols import pfeiffer
from drivers.protocols.framing import Dialogue, Garbled, whole
from drivers.transports import Settings
from orchestrator.errors import DeviceError, InputError
from orchestrator.ports.action import Unit, reading
from orchestrator.ports.resource import Bench, Health, Identity, Recognition


class PfeifferGauge(Instrument):
    """One channel of a TPG. The unit that the display is set to is read at identify.

    It is read only then: do not change the unit on the front panel during a campaign.
    """

    implements = ("PressureGauge",)
    recognised_by = Recognition(maker="Pfeiffer Vacuum", model="TPG with .*")

    def __init__(
        self,
        bench: Bench,
        port: str,
        channel: Annotated[int, Unit("", low=1, high=2)] = 1,
        baudrate: Annotated[int, Unit("", low=1)] = 9600,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        if channel not in (1, 2):
            raise InputError(f"{bench.name}: channel {channel} is not 1 or 2")
        super().__init__(bench, port, Settings(baudrate=baudrate), timeout)
        self._channel = channel
        self._pascal = 1.0

    def who(self) -> Dialogue[Identity]:
        """Ends the continuous output, then asks for unit, gauges and firmware."""
        yield from pfeiffer.clear()
        unit = whole((yield from pfeiffer.query("UNI")))
        if unit not in pfeiffer.PASCAL_PER_UNIT:
            raise Garbled(f"{unit} is not the number of a pressure unit")
        self._pascal = pfeiffer.PASCAL_PER_UNIT[unit]
        gauges = yield from pfeiffer.query("TID")
        firmware = yield from pfeiffer.query("PNR")
        return Identity("Pfeiffer Vacuum", f"TPG with {gauges}", firmware=firmware)

    async def health(self) -> Health:
        """Fit when the channel measures. Raises DeviceError."""
        status, _ = await self.link.read(self._measure)
        return Health(status == 0, pfeiffer.STATUS[status])

    @reading
    async def pressure(self) -> Annotated[float, Unit("Pa")]:
        """The measured pressure. Raises DeviceError when the channel does not measure."""
        status, value = await self.link.read(self._measure)
        if status != 0:
            raise DeviceError(
                self.bench.name,
                f"channel {self._channel} says {pfeiffer.STATUS[status]}",
                hint="look at the gauge head and its cable",
            )
        return value * self._pascal

    def _measure(self) -> Dialogue[tuple[int, float]]:
        line = yield from pfeiffer.query(f"PR{self._channel}")
        return pfeiffer.decode_reading(line)
