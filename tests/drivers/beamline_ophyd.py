"""The gate of `gate_ioc.py` as a beamline has it in ophyd."""

from __future__ import annotations

from ophyd import Component, Device, EpicsSignal, EpicsSignalRO


class Gate(Device):  # type: ignore[misc]
    """Valve, pressure, sample position; a put waits for its completion."""

    model = Component(EpicsSignalRO, "model", string=True)
    valve = Component(EpicsSignal, "valve", put_complete=True)
    pressure = Component(EpicsSignalRO, "pressure")
    trace = Component(EpicsSignalRO, "trace")
    sample = Component(EpicsSignal, "sample", put_complete=True)
    count = Component(EpicsSignalRO, "count")
    broken = Component(EpicsSignalRO, "broken")
