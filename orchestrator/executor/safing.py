"""How often a resource is asked to make itself safe, and how it is let go."""

from __future__ import annotations

import contextlib

from orchestrator.errors import (
    DeviceGarbled,
    DeviceGone,
    DeviceSilent,
    DeviceUnsure,
    DriverLost,
)
from orchestrator.executor.faults import faults_of_the_driver
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


async def insist_on(name: str, resource: Resource) -> None:
    """As `insist`; what is a fault of the driver becomes an error of the device, too."""
    with faults_of_the_driver(name, "make_safe"):
        await insist(resource)


async def let_go(name: str, resource: Resource) -> None:
    """close. Raises DeviceError."""
    with faults_of_the_driver(name, "close"):
        await resource.close()
