"""Keithley 2400 SourceMeter as the meter of a collinear four-point probe.

Source: Series 2400 SourceMeter user's manual (2400S-900-01 Rev. K), section 18, SCPI command
reference: `:READ?` gives voltage, current, resistance, time, status; in the status word bit 0 is
over-range and bit 3 compliance; +9.91E37 is not-a-number. Framing: `drivers.protocols.scpi`.
Tried on hardware: no.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Annotated

from drivers.electrical.four_point import INFINITE, sample_factor
from drivers.instrument import Instrument, within
from drivers.protocols import scpi
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.capabilities.samples import SheetResistance
from orchestrator.errors import InputError, NoReading
from orchestrator.ports.action import Bound, Cancel, Effect, Unit, action
from orchestrator.ports.resource import Bench, Identity, Recognition

_OVER_RANGE, _COMPLIANCE = 1 << 0, 1 << 3
_STANDS = 0.95
"""Share of the compliance voltage above which a sense lead counts as standing at it."""
_N_CONTACT_READINGS = 2
_READ_S = 5.0
"""A reading at 10 power-line cycles with automatic range takes its time."""


@dataclass(frozen=True)
class _Reading:
    volt: float
    ampere: float
    status: int


class Keithley2400(Instrument):
    """Sources a current through the outer probes and reads the voltage between the inner ones.

    V/I becomes a sheet resistance by pi/ln 2, for a film that is large against the probe. For a
    small one give `spacing` of the tips with `length` (along them) and `width`, or `diameter`, of
    the sample (`electrical.four_point`), or a `factor` of your own.

    With `reverse` each reading is taken with the current in both directions, and half of the
    difference counts: thermal voltages fall out.
    """

    implements = ("FourPointProbe",)
    recognised_by = Recognition(maker="KEITHLEY.*", model="2400.*")

    def __init__(
        self,
        bench: Bench,
        port: str,
        current: Annotated[float, Unit("A", low=1e-9, high=1)] = 1e-3,
        lowest_current: Annotated[float, Unit("A", low=1e-12, high=1)] = 1e-8,
        compliance: Annotated[float, Unit("V", low=1e-3, high=210)] = 20.0,
        factor: Annotated[float, Unit("", low=0)] = 0.0,
        spacing: Annotated[float, Unit("mm", low=0)] = 0.0,
        length: Annotated[float, Unit("mm", low=0)] = 0.0,
        width: Annotated[float, Unit("mm", low=0)] = 0.0,
        diameter: Annotated[float, Unit("mm", low=0)] = 0.0,
        reverse: bool = True,
        baudrate: Annotated[int, Unit("", low=1)] = 9600,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        within(f"{bench.name}.current", current, 1e-9, 1.0, "A")
        within(f"{bench.name}.compliance", compliance, 1e-3, 210.0, "V")
        if not 0 < lowest_current <= current:
            raise InputError(f"{bench.name}: lowest_current must be positive, and at most current")
        super().__init__(bench, port, Settings(baudrate=baudrate), timeout)
        self._current, self._lowest, self._compliance = current, lowest_current, compliance
        self._factor = _factor(bench.name, factor, spacing, (length, width, diameter))
        self._reverse = reverse

    def who(self) -> Dialogue[Identity]:
        """The four fields of `*IDN?`."""
        fields = [f.strip() for f in (yield from scpi.ask("*IDN?")).split(",", 3)]
        maker, model, serial, firmware = (*fields, "", "", "", "")[:4]
        return Identity(maker, model.removeprefix("MODEL "), serial, firmware)

    async def make_safe(self) -> None:
        """Output off. Raises DeviceError."""
        await self._off(urgent=True)

    @action(effect=Effect.NONE, cancel=Cancel.AT_ONCE)
    async def sheet_resistance(
        self, repeats: Annotated[int, Unit("", low=1, high=1000)] = 3
    ) -> SheetResistance:
        """Measures at the highest decade of current that stays below the voltage compliance.

        When even the lowest current is in compliance, `mean` is a lower bound, `readings` is empty
        and `sd` is 0. An open contact is in compliance too, but its sense leads float: they do not
        stay at the compliance voltage. The output is off afterwards, whatever happened.

        Raises:
            NoReading: the probes do not touch a film.
            LimitExceeded, DeviceError.
        """
        within("repeats", repeats, 1, 1000, "")
        # every setting is absolute: what is sent twice is set once
        await self.link.read(self._configure)
        try:
            return await self._measure(repeats)
        finally:
            await self._off()

    async def _measure(self, repeats: int) -> SheetResistance:
        current = self._current
        first = await self._read_at(current)
        while self._is_limited(first):
            if current <= self._lowest:
                return await self._bound(current, first)
            current = max(current / 10, self._lowest)
            first = await self._read_at(current)
        readings = [await self._sheet(current, first)]
        for _ in range(repeats - 1):
            readings.append(await self._sheet(current, await self._read_at(current)))
        sd = statistics.stdev(readings) if len(readings) > 1 else 0.0
        return SheetResistance(statistics.fmean(readings), sd, readings)

    async def _bound(self, current: float, first: _Reading) -> SheetResistance:
        found = [first] + [await self._read_at(current) for _ in range(_N_CONTACT_READINGS)]
        volts = [f.volt for f in found if abs(f.volt) < scpi.OVERFLOW]
        if any(v < _STANDS * self._compliance for v in volts):
            raise NoReading(
                self.bench.name,
                f"the sense leads float ({', '.join(f'{v:.3g}' for v in volts)} V at "
                f"{self._compliance:g} V compliance)",
                hint="look at the contacts of the probe, and whether there is a sample",
            )
        bound = self._factor * self._compliance / current
        return SheetResistance(Bound(bound, "above"), 0.0, [])

    async def _read_at(self, ampere: float) -> _Reading:
        def talk() -> Dialogue[_Reading]:
            yield from scpi.tell(f":SOUR:CURR:LEV {ampere:.6E}")
            volt, current, _, _, status = yield from scpi.ask_numbers(":READ?", 5)
            return _Reading(volt, current, int(status))

        return await self.link.read(talk, timeout_s=_READ_S)

    async def _sheet(self, current: float, forth: _Reading) -> float:
        """One reading, of the current forth and back."""
        if not self._reverse:
            return self._factor * self._ratio(forth.volt, forth.ampere, forth)
        back = await self._read_at(-current)
        volt, ampere = (forth.volt - back.volt) / 2, (forth.ampere - back.ampere) / 2
        return self._factor * self._ratio(volt, ampere, forth, back)

    def _ratio(self, volt: float, ampere: float, *found: _Reading) -> float:
        is_limited = any(self._is_limited(f) for f in found)
        if not 0 < abs(ampere) < scpi.OVERFLOW or is_limited or volt / ampere <= 0:
            raise NoReading(
                self.bench.name,
                f"reads {volt:g} V at {ampere:g} A",
                hint="look at the contacts of the probe",
            )
        return volt / ampere

    def _is_limited(self, found: _Reading) -> bool:
        has_overflown = abs(found.volt) >= scpi.OVERFLOW
        return bool(found.status & (_COMPLIANCE | _OVER_RANGE)) or has_overflown

    def _configure(self) -> Dialogue[None]:
        yield from scpi.tell(
            "*CLS",
            ":OUTP OFF",
            ":SOUR:FUNC CURR",
            ":SOUR:CURR:MODE FIX",
            ":SOUR:CURR:RANG:AUTO ON",
            f":SOUR:CURR:LEV {self._current:.6E}",
            ":SYST:RSEN ON",
            ':SENS:FUNC "VOLT"',
            f":SENS:VOLT:PROT {self._compliance:g}",
            ":SENS:VOLT:RANG:AUTO ON",
            ":FORM:ELEM VOLT,CURR,RES,TIME,STAT",
        )
        yield from scpi.check_errors()
        yield from scpi.tell(":OUTP ON")

    async def _off(self, *, urgent: bool = False) -> None:
        def confirm() -> Dialogue[bool]:
            return (yield from scpi.ask(":OUTP?")) == "0"

        def tell() -> Dialogue[None]:
            yield from scpi.tell(":OUTP OFF")
            # not the error queue: it may still hold what a broken dialogue left there
            if not (yield from confirm()):
                raise Refused("it was told to switch off, and says that its output is on")

        await self.link.write(tell, confirm, what="the command to switch off", urgent=urgent)


def _factor(name: str, factor: float, spacing: float, sample: tuple[float, float, float]) -> float:
    """The factor that is given, or that of the sample. Raises InputError."""
    if not spacing and not any(sample):
        return factor or INFINITE
    try:
        found = sample_factor(spacing, *sample)
    except ValueError as error:
        raise InputError(f"{name}: {error}") from error
    if factor:
        raise InputError(
            f"{name}: factor {factor:g} is given, and a sample whose factor is {found:.5g}",
            hint="keep one of them",
        )
    return found
