"""The gate of `gate_ioc.py` as a beamline has it in ophyd-async."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from ophyd_async.core import Array1D, SignalR, SignalRW
from ophyd_async.epics.core import EpicsDevice, PvSuffix


class Gate(EpicsDevice):  # type: ignore[misc]
    """Valve, pressure, sample position."""

    model: Annotated[SignalR[str], PvSuffix("model")]
    valve: Annotated[SignalRW[int], PvSuffix("valve")]
    pressure: Annotated[SignalR[float], PvSuffix("pressure")]
    trace: Annotated[SignalR[Array1D[np.float64]], PvSuffix("trace")]
    sample: Annotated[SignalRW[float], PvSuffix("sample")]
    count: Annotated[SignalR[int], PvSuffix("count")]
    broken: Annotated[SignalR[float], PvSuffix("broken")]
