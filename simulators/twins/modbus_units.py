"""The units that speak Modbus: a heater's PID controller, a relay board for valves, arm registers.

Register maps are this lab's own; a real controller's manual gives others.
"""

from __future__ import annotations

from simulators.lab.approach import RESOLUTION_K
from simulators.lab.chamber import Chamber

PV, SP, RUN, STATUS = range(4)
GATE, VENT = range(2)
_MOST_TENTHS = 6000
RUNNING, AT_SETPOINT = 1, 2


class HeaterUnit:
    """0: measured temperature, 1: set-point (both 0.1 degC, signed), 2: run (0 or 1), 3: status.

    Status bit 0: running; bit 1: within 0.1 K of the set-point. The set-point goes to 600 degC.
    """

    def __init__(self, chamber: Chamber) -> None:
        self._chamber = chamber
        self._setpoint, self._run = 0, 0

    def register(self, address: int) -> int:
        """The content of a register. Raises KeyError."""
        tenths = round(10 * self._chamber.temperature())
        near = abs(tenths - self._setpoint) <= 10 * RESOLUTION_K
        status = RUNNING * self._run + AT_SETPOINT * (near and self._run)
        return {PV: tenths & 0xFFFF, SP: self._setpoint, RUN: self._run, STATUS: status}[address]

    def set_register(self, address: int, value: int) -> None:
        """Sets set-point or run; the others cannot be written. Raises KeyError, ValueError."""
        if address not in (SP, RUN):
            raise KeyError(address)
        if value > (_MOST_TENTHS if address == SP else 1):
            raise ValueError(value)
        if address == SP:
            self._setpoint = value
        else:
            self._run = value
        self._chamber.heat(self._setpoint / 10 if self._run else None)

    def restart(self) -> None:
        """After a power cut: not running, no set-point."""
        self._setpoint = self._run = 0
        self._chamber.heat(None)

    def coil(self, address: int) -> bool:
        """There are none. Raises KeyError."""
        raise KeyError(address)

    def set_coil(self, address: int, is_on: bool) -> None:
        """There are none. Raises KeyError."""
        raise KeyError(address)


class RelayUnit:
    """Coil 0 opens the gate valve to the pump, coil 1 the vent valve; both close without power."""

    def __init__(self, chamber: Chamber) -> None:
        self._chamber = chamber

    def restart(self) -> None:
        """After a power cut: both valves are closed."""
        self._chamber.set_valves(gate=False, vent=False)

    def coil(self, address: int) -> bool:
        """Whether a valve is open. Raises KeyError."""
        self._chamber.advance()
        return {GATE: self._chamber.vessel.gate, VENT: self._chamber.vessel.vent}[address]

    def set_coil(self, address: int, is_on: bool) -> None:
        """Opens or closes a valve. Raises KeyError."""
        if address == GATE:
            self._chamber.set_valves(gate=is_on)
        elif address == VENT:
            self._chamber.set_valves(vent=is_on)
        else:
            raise KeyError(address)

    def register(self, address: int) -> int:
        """There are none. Raises KeyError."""
        raise KeyError(address)

    def set_register(self, address: int, value: int) -> None:
        """There are none. Raises KeyError."""
        raise KeyError(address)


class ArmRegisters:
    """General purpose registers of the arm's controller, from 128 on; see `lab.transfer`."""

    def __init__(self, chamber: Chamber) -> None:
        self._chamber = chamber

    def register(self, address: int) -> int:
        """The content of a register. Raises KeyError."""
        self._chamber.advance()
        return self._chamber.transfer.registers[address]

    def set_register(self, address: int, value: int) -> None:
        """Writes a register. Raises KeyError."""
        self._chamber.advance()
        if address not in self._chamber.transfer.registers:
            raise KeyError(address)
        self._chamber.transfer.registers[address] = value

    def coil(self, address: int) -> bool:
        """There are none. Raises KeyError."""
        raise KeyError(address)

    def set_coil(self, address: int, is_on: bool) -> None:
        """There are none. Raises KeyError."""
        raise KeyError(address)
