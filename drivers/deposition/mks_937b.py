"""MKS 937B vacuum gauge controller.

Protocol and source: `drivers.protocols.mks`. Tried on hardware: no.
"""

from __future__ import annotations

from typing import Annotated

from drivers.instrument import Instrument
from drivers.protocols import mks
from drivers.protocols.framing import Dialogue, Garbled
from drivers.transports import Settings
from orchestrator.errors import DeviceError
from orchestrator.ports.action import Unit, reading
from orchestrator.ports.resource import Bench, Health, Identity, Recognition

_OUT_OF_RANGE = ("ATM", "LO<", ">")


class MksGauge(Instrument):
    """One channel of a controller, 1 to 6; several controllers may share an RS-485 line.

    The unit that the display is set to is read with every pressure. A channel that does not measure
    says so in a word, which is told as it is. It never switches a gauge on or off.
    """

    implements = ("PressureGauge",)
    recognised_by = Recognition(maker="MKS", model="937B.*", options={"address": 253})

    def __init__(
        self,
        bench: Bench,
        port: str,
        channel: Annotated[int, Unit("", low=1, high=6)] = 1,
        address: Annotated[int, Unit("", low=1, high=253)] = 253,
        baudrate: Annotated[int, Unit("", low=1)] = 9600,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        super().__init__(bench, port, Settings(baudrate=baudrate), timeout)
        self._channel, self._address = channel, address

    def who(self) -> Dialogue[Identity]:
        """Asks for the serial number."""
        serial = yield from mks.ask(self._address, "SN?")
        return Identity("MKS", f"937B at address {self._address}", serial=serial)

    async def health(self) -> Health:
        """Fit when the channel measures, or would if the pressure were in its range.

        Raises DeviceError.
        """
        found = await self.link.read(self._measure)
        if isinstance(found, float):
            return Health(True)
        return Health(found.startswith(_OUT_OF_RANGE), found)

    @reading
    async def pressure(self) -> Annotated[float, Unit("Pa")]:
        """The measured pressure. Raises DeviceError when the channel does not measure."""
        found = await self.link.read(self._measure)
        if isinstance(found, str):
            raise DeviceError(
                self.bench.name,
                f"channel {self._channel} says '{found}' in place of a pressure",
                hint="look at the gauge head, its cable and whether it is switched on",
            )
        return found

    def _measure(self) -> Dialogue[float | str]:
        """The pressure in pascal, or the word in its place."""
        found = mks.pressure((yield from mks.ask(self._address, f"PR{self._channel}?")))
        if isinstance(found, str):
            return found
        unit = (yield from mks.ask(self._address, "U?")).upper()
        if unit not in mks.PASCAL_PER_UNIT:
            raise Garbled(f"'{unit}' is not a pressure unit")
        return found * mks.PASCAL_PER_UNIT[unit]
