"""Alicat mass-flow controller.

Protocol and source: `drivers.protocols.alicat`. Tried on hardware: no.
"""

from __future__ import annotations

from typing import Annotated

from drivers.instrument import Instrument, within
from drivers.protocols import alicat
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.errors import InputError, WrongDevice
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity

_FAULTS = {
    "ADC": "communication fault inside the unit",
    "OVR": "over range",
    "HLD": "its valve is held where it is, whatever is set",
}


class AlicatFlowController(Instrument):
    """A mass-flow controller whose flow unit is set to sccm; several may share one RS-485 line.

    The set-point has a resolution of 0.001 sccm, or of the unit's display if that is coarser.
    With `gas`, a unit that is set to another gas is refused: the unit converts for its gas.
    """

    implements = ("FlowControl",)

    def __init__(
        self,
        bench: Bench,
        port: str,
        full_scale: Annotated[float, Unit("sccm", low=0.001)],
        unit_id: str = "A",
        gas: str = "",
        baudrate: Annotated[int, Unit("", low=1)] = 19200,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        if len(unit_id) != 1 or not ("A" <= unit_id <= "Z"):
            raise InputError(
                f"{bench.name}: unit_id '{unit_id}' is no Alicat unit", hint="a letter from A to Z"
            )
        super().__init__(bench, port, Settings(baudrate=baudrate), timeout)
        self._unit_id, self._full_scale, self._gas = unit_id, full_scale, gas
        self._flow: float | None = None

    def who(self) -> Dialogue[Identity]:
        """The unit's gas stands for its identity: its frame has no serial number."""
        frame = yield from self._poll()
        if self._gas and frame.gas != self._gas:
            raise WrongDevice(
                self.bench.name,
                f"unit {self._unit_id} is set to {frame.gas} instead of {self._gas}",
                hint="set the gas on the unit, or correct the lab file",
            )
        return Identity("Alicat", f"mass-flow controller {self._unit_id} for {frame.gas}")

    async def health(self) -> Health:
        """Fit unless the unit reports a fault among its status words. Raises DeviceError."""
        flags = (await self.link.read(self._poll)).flags
        faults = [_FAULTS[f] for f in flags if f in _FAULTS]
        return Health(not faults, ", ".join(faults) or " ".join(flags))

    async def make_safe(self) -> None:
        """No flow. Raises DeviceError."""
        await self._set(0.0, urgent=True)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_flow(self, flow: Annotated[float, Unit("sccm", low=0)]) -> None:
        """Sets the flow to be held, at most the full scale.

        Raises:
            LimitExceeded, DeviceError.
        """
        await self._set(within("flow", flow, 0.0, self._full_scale, "sccm"))

    @reading
    async def flow(self) -> Annotated[float, Unit("sccm")]:
        """The measured mass flow. Raises DeviceError, also where the set-point is another one."""
        frame = await self.link.read(self._poll)
        if self._flow is not None and not _holds(frame, self._flow):
            await self.link.look_again()
        return frame.mass

    async def _set(self, flow: float, *, urgent: bool = False) -> None:
        def tell() -> Dialogue[None]:
            data = alicat.set_point(self._unit_id, flow)
            frame = yield from alicat.ask(self._unit_id, data)
            if _is_held(frame):
                raise Refused(f"its valve is held (HLD) at {frame.mass:g} sccm, whatever is set")
            if not _holds(frame, flow):
                raise Refused(f"the set-point reads {frame.setpoint:g} sccm after {flow:g} sccm")

        def confirm() -> Dialogue[bool]:
            return _holds((yield from self._poll()), flow)

        what = f"a flow of {flow:g} sccm"
        self._flow = None
        await self.link.write(tell, confirm, what=what, state="flow", urgent=urgent)
        self._flow = flow

    def _poll(self) -> Dialogue[alicat.DataFrame]:
        return alicat.ask(self._unit_id, alicat.request(self._unit_id))


def _holds(frame: alicat.DataFrame, flow: float) -> bool:
    is_set = abs(frame.setpoint - flow) <= 0.00051 + 0.51 * frame.resolution
    return is_set and not _is_held(frame)


def _is_held(frame: alicat.DataFrame) -> bool:
    """Whether somebody has the valve held where a set-point does nothing; shut, it serves for 0."""
    return "HLD" in frame.flags and (frame.setpoint > 0 or frame.mass > frame.resolution)
