"""Two valves on a relay board that speaks Modbus RTU.

Generic: any board whose relays are coils will do. Framing and source: `drivers.protocols.modbus`.
Tried on hardware: no.
"""

from __future__ import annotations

from typing import Annotated

from drivers.instrument import Instrument
from drivers.protocols import modbus
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.capabilities.deposition import ValveStates
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Identity


class ModbusValves(Instrument):
    """The gate to the pump and the vent, both closed without power; never both open.

    The board may share its line with a heater. Its relays do not say where the valves really are:
    `valves` reads the coils.
    """

    implements = ("ChamberValves",)

    def __init__(
        self,
        bench: Bench,
        port: str,
        unit_id: Annotated[int, Unit("", low=1, high=247)] = 2,
        coil_gate: Annotated[int, Unit("", low=0, high=65535)] = 0,
        coil_vent: Annotated[int, Unit("", low=0, high=65535)] = 1,
        baudrate: Annotated[int, Unit("", low=1)] = 9600,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        settings = Settings(baudrate=baudrate, gap_s=modbus.gap_s(baudrate))
        super().__init__(bench, port, settings, timeout)
        self._unit_id, self._gate, self._vent = unit_id, coil_gate, coil_vent

    def who(self) -> Dialogue[Identity]:
        """Whether somebody answers: a relay board has no identity."""
        yield from self._read(self._gate)
        return Identity("generic", f"Modbus relay board {self._unit_id}")

    async def make_safe(self) -> None:
        """Both closed. Raises DeviceError."""
        await self._set({self._vent: False, self._gate: False}, "closing both", urgent=True)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def pump(self) -> None:
        """Closes the vent, then opens the gate to the pump. Raises DeviceError."""
        await self._set({self._vent: False, self._gate: True}, "pumping")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def vent(self) -> None:
        """Closes the gate to the pump, then opens the vent. Raises DeviceError."""
        await self._set({self._gate: False, self._vent: True}, "venting")

    @reading
    async def valves(self) -> ValveStates:
        """Which of the two is open. Raises DeviceError."""

        def talk() -> Dialogue[ValveStates]:
            gate = yield from self._read(self._gate)
            vent = yield from self._read(self._vent)
            return ValveStates(int(gate), int(vent))

        return await self.link.read(talk)

    def _read(self, coil: int) -> Dialogue[bool]:
        pdu = yield from modbus.ask_rtu(self._unit_id, modbus.read_coils(coil, 1))
        return modbus.coils(pdu, 1)[0]

    async def _set(self, states: dict[int, bool], what: str, *, urgent: bool = False) -> None:
        """Sets coils in order, each read back before the next, in one go: no stop in between."""

        def set_one(coil: int, is_open: bool) -> Dialogue[None]:
            yield from modbus.ask_rtu(self._unit_id, modbus.write_coil(coil, is_open))
            if (yield from self._read(coil)) != is_open:
                raise Refused(f"{what} was sent, and coil {coil} reads back otherwise")

        def tell() -> Dialogue[None]:
            for coil, is_open in states.items():
                yield from set_one(coil, is_open)

        def confirm() -> Dialogue[bool]:
            for coil, is_open in states.items():
                if (yield from self._read(coil)) != is_open:
                    return False
            return True

        await self.link.write(tell, confirm, what=what, state="valves", urgent=urgent)
