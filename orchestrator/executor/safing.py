"""How often a resource is asked to make itself safe."""

from __future__ import annotations

import contextlib

from orchestrator.errors import (
    DeviceGarbled,
    DeviceGone,
    DeviceSilent,
    DeviceUnsure,
    DriverLost,
)
from orchestrator.ports.resource import Resource

MAKE_SAFE_TIMES = 3


async def insist(resource: Resource) -> None:
    """make_safe, more than once where the line fails it: nobody else will do it.

    Raises:
        DeviceError: it failed for good.
    """
    for _ in range(MAKE_SAFE_TIMES - 1):
        with contextlib.suppress(DeviceSilent, DeviceGarbled, DeviceGone, DeviceUnsure, DriverLost):
            return await resource.make_safe()
    return await resource.make_safe()
