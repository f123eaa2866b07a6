"""A PID temperature controller on Modbus RTU.

Generic: controllers agree on the idea (process value, set-point, run) and differ in the register
numbers, which are options here. Take them from the controller's manual. Framing and source:
`drivers.protocols.modbus`. Tried on hardware: no.
"""

from __future__ import annotations

from typing import Annotated

from drivers.instrument import Instrument, ramp, within
from drivers.protocols import modbus
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.ports.action import Cancel, Effect, Slew, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity


class ModbusHeater(Instrument):
    """A heater under closed-loop control; temperatures are in tenths of a degree on the wire.

    Registers: process value (signed), set-point (signed), run (0 or 1), status (bits). Which bits
    of the status mean a fault differs too: `fault_bits` is their mask, 0 when none is known.

    How fast the heater may be driven is a setting of the controller. With `max_slew` above nought
    the driver walks the set-point itself, from where the heater is, and `set_temperature` lasts as
    long: give its steps that time.
    """

    implements = ("Heater",)

    def __init__(
        self,
        bench: Bench,
        port: str,
        unit_id: Annotated[int, Unit("", low=1, high=247)] = 1,
        max_temperature: Annotated[float, Unit("degC")] = 500.0,
        register_value: Annotated[int, Unit("", low=0, high=65535)] = 0,
        register_setpoint: Annotated[int, Unit("", low=0, high=65535)] = 1,
        register_run: Annotated[int, Unit("", low=0, high=65535)] = 2,
        register_status: Annotated[int, Unit("", low=0, high=65535)] = 3,
        fault_bits: Annotated[int, Unit("", low=0, high=65535)] = 0,
        max_slew: Annotated[float, Unit("K/min", low=0)] = 0.0,
        baudrate: Annotated[int, Unit("", low=1)] = 9600,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        settings = Settings(baudrate=baudrate, gap_s=modbus.gap_s(baudrate))
        super().__init__(bench, port, settings, timeout)
        self._unit_id, self._max_temperature = unit_id, max_temperature
        self._value, self._setpoint = register_value, register_setpoint
        self._run, self._status, self._faults = register_run, register_status, fault_bits
        self._max_slew = max_slew

    def who(self) -> Dialogue[Identity]:
        """Whether somebody answers: the controller has no identity that all makers share."""
        yield from self._read(self._value)
        return Identity("generic", f"Modbus temperature controller {self._unit_id}")

    async def health(self) -> Health:
        """Fit unless the status register shows a fault. Raises DeviceError."""
        status = await self.link.read(lambda: self._read(self._status))
        return Health(not status & self._faults, f"status {status:#06x}")

    async def make_safe(self) -> None:
        """Not heating. Raises DeviceError."""
        await self._write({self._run: 0}, "the command to stop heating", urgent=True)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_temperature(
        self,
        temperature: Annotated[
            float,
            Unit("degC", low=-200, high=2000),
            Slew("K/min", by="device", option="max_slew"),
        ],
    ) -> None:
        """Heats to this temperature, in tenths of a degree. Raises LimitExceeded, DeviceError."""
        within("temperature", temperature, -200.0, self._max_temperature, "degC")
        if self._max_slew:
            start = await self.link.read(self._begun)
            await ramp(self.bench.clock, start, temperature, self._max_slew, self._heat)
        else:
            await self._heat(temperature)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Stops heating. Raises DeviceError."""
        await self._write({self._run: 0}, "the command to stop heating")

    @reading
    async def temperature(self) -> Annotated[float, Unit("degC")]:
        """The measured temperature. Raises DeviceError."""
        return modbus.signed(await self.link.read(lambda: self._read(self._value))) / 10

    async def _heat(self, temperature: float) -> None:
        tenths = round(10 * temperature) & 0xFFFF
        what = f"a temperature of {temperature:g} degC"
        await self._write({self._setpoint: tenths, self._run: 1}, what)

    def _begun(self) -> Dialogue[float]:
        """Where a ramp begins: at the set-point of a heater that runs, else where it is."""
        register = self._setpoint if (yield from self._read(self._run)) else self._value
        return modbus.signed((yield from self._read(register))) / 10

    def _read(self, register: int) -> Dialogue[int]:
        pdu = yield from modbus.ask_rtu(self._unit_id, modbus.read_registers(register, 1))
        return modbus.registers(pdu, 1)[0]

    async def _write(self, values: dict[int, int], what: str, *, urgent: bool = False) -> None:
        """Writes registers in one go, so that no stop comes in between, and reads them back."""

        def confirm() -> Dialogue[bool]:
            for register, value in values.items():
                if (yield from self._read(register)) != value:
                    return False
            return True

        def tell() -> Dialogue[None]:
            for register, value in values.items():
                yield from modbus.ask_rtu(self._unit_id, modbus.write_register(register, value))
            if not (yield from confirm()):
                raise Refused(f"{what} was sent, and reads back otherwise")

        await self.link.write(tell, confirm, what=what, state="heating", urgent=urgent)
