"""Thorlabs PM100 power meter, of the light that comes through a sample.

Source: PM100D operation manual (17654-D02), SCPI command reference: `SENS:CORR:WAV`, `MEAS:POW?`,
`SYST:SENS:IDN?`, `SENS:POW:UNIT` (readings come in dBm where somebody set it so); known here
through pymeasure's driver of the PM100USB. The meter is reached over a line that carries its SCPI
as text (its own USB class is not spoken). Framing: `drivers.protocols.scpi`. Tried on hardware: no.
"""

from __future__ import annotations

import statistics
from typing import Annotated

from drivers.instrument import Instrument, within
from drivers.protocols import scpi
from drivers.protocols.framing import Dialogue, Garbled, Refused
from drivers.transports import Settings
from orchestrator.capabilities.samples import Transmittance
from orchestrator.errors import NoReading
from orchestrator.ports.action import Cancel, Effect, Unit, action
from orchestrator.ports.resource import Bench, Health, Identity, Recognition

_SAME_NM = 0.5


class ThorlabsPowerMeter(Instrument):
    """Reads the power of a lamp or laser of known wavelength; the light is switched by hand.

    `reference` is what it reads without a sample: read it again whenever the light was off.
    """

    implements = ("Photometer",)
    recognised_by = Recognition(
        maker="(?i)thorlabs", model="PM100.*", options={"reference": 1e-3, "wavelength": 550.0}
    )

    def __init__(
        self,
        bench: Bench,
        port: str,
        reference: Annotated[float, Unit("W", low=1e-12)],
        wavelength: Annotated[float, Unit("nm", low=185, high=25000)],
        baudrate: Annotated[int, Unit("", low=1)] = 115200,
        timeout: Annotated[float, Unit("s", low=0.001)] = 2.0,
    ) -> None:
        within(f"{bench.name}.reference", reference, 1e-12, None, "W")
        within(f"{bench.name}.wavelength", wavelength, 185.0, 25000.0, "nm")
        super().__init__(bench, port, Settings(baudrate=baudrate), timeout)
        self._reference, self._wavelength = reference, wavelength

    def who(self) -> Dialogue[Identity]:
        """The four fields of `*IDN?`."""
        fields = [f.strip() for f in (yield from scpi.ask("*IDN?")).split(",", 3)]
        if len(fields) != 4:
            raise Garbled(f"'{','.join(fields)}' is no identity")
        return Identity(*fields)

    async def health(self) -> Health:
        """Fit when a sensor is connected. Raises DeviceError."""
        sensor = await self.link.read(lambda: scpi.ask("SYST:SENS:IDN?"))
        name = sensor.split(",")[0].strip().strip('"')
        return Health(name != "no sensor", name)

    @action(effect=Effect.NONE, cancel=Cancel.AT_ONCE)
    async def transmittance(
        self, repeats: Annotated[int, Unit("", low=1, high=1000)] = 3
    ) -> Transmittance:
        """The power as a part of the reference, at the wavelength of the light.

        Raises:
            NoReading: the sensor is over its range.
            LimitExceeded, DeviceError.
        """
        within("repeats", repeats, 1, 1000, "")
        # wavelength and unit are absolute: what is sent twice is set once
        await self.link.read(self._configure)
        readings = [await self._power() / self._reference for _ in range(repeats)]
        sd = statistics.stdev(readings) if len(readings) > 1 else 0.0
        return Transmittance(statistics.fmean(readings), sd, readings)

    async def _power(self) -> float:
        def talk() -> Dialogue[float]:
            (power,) = yield from scpi.ask_numbers("MEAS:POW?", 1)
            return power

        power = await self.link.read(talk)
        if abs(power) >= scpi.OVERFLOW:
            raise NoReading(self.bench.name, "is over its range", hint="attenuate the light")
        return power

    def _configure(self) -> Dialogue[None]:
        yield from scpi.tell(f"SENS:CORR:WAV {self._wavelength:g}", "SENS:POW:UNIT W")
        (found,) = yield from scpi.ask_numbers("SENS:CORR:WAV?", 1)
        if abs(found - self._wavelength) > _SAME_NM:
            # an old entry of the error queue says nothing of a wavelength that was taken
            yield from scpi.check_errors()
            raise Refused(f"it stays at {found:g} nm, where {self._wavelength:g} nm was set")
        unit = (yield from scpi.ask("SENS:POW:UNIT?")).strip().upper()
        if unit != "W":
            raise Refused(f"it reads in '{unit}', where W was set")
