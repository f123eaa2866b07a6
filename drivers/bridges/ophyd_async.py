"""A Device of ophyd-async that a beamline has already, declared in a file.

    gate: {kind: ophyd-async, declared: gate.yaml, device: "beamline:Gate", address: "ca://XF:31ID-"}

A point is a dotted name of one of its signals, set by `set`, whose Status is awaited; a `call` is
one of its methods (`trigger`, `stop`). It is never connected in mock mode: it never falls back to a
simulation. Tried on hardware: no.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Annotated, Any

from drivers.bridges.epics import prefix_of
from drivers.bridges.objects import done, found_class, part_of, plain
from drivers.bridges.points import Client, DeclaredClient
from drivers.protocols.framing import Garbled, Refused
from drivers.transports import Absent, Silent
from orchestrator.errors import InputError, MissingExtra
from orchestrator.ports.action import Unit
from orchestrator.ports.resource import Bench

_INVALID = -1
"""Severity of a value that its record does not believe itself, in the words of event-model."""


class OphydAsyncInstrument(DeclaredClient):
    """A Device of ophyd-async, declared in a file: `device` is `module:Class`, made with the prefix
    that `address` says (`ca://PREFIX`)."""

    def __init__(
        self,
        bench: Bench,
        device: str,
        address: str,
        timeout: Annotated[float, Unit("s", low=0.001)] = 5.0,
    ) -> None:
        super().__init__(bench, address, timeout)
        self._device, self._prefix = device, prefix_of(address)

    async def _connected(self) -> Client:
        core = _core()
        make = found_class(self.bench.name, self._device)
        if not (isinstance(make, type) and issubclass(make, core.Device)):
            raise InputError(f"{self.bench.name}: '{self._device}' is no Device of ophyd-async")
        device: Any = make(self._prefix, name=self.bench.name)
        try:
            await device.connect(mock=False, timeout=self._timeout_s, force_reconnect=True)
        except core.NotConnectedError as error:
            raise Absent(f"{self._prefix}: {' '.join(str(error).split())}") from error
        return _Device(device)


class _Device:
    """A Device: its signals are awaited in our own loop."""

    is_connected = True

    def __init__(self, device: Any) -> None:
        self._device = device

    async def read(self, point: str, limit_s: float) -> Any:
        """The value of a signal, from the server. Raises Silent, Garbled, Refused."""
        signal = part_of(self._device, point)
        (found,) = (await self._limited(signal.read(cached=False), limit_s)).values()
        if found.get("alarm_severity", 0) == _INVALID:
            raise Refused(f"{point} is in INVALID alarm, so it has no value")
        return plain(found["value"])

    async def write(self, point: str, value: Any, limit_s: float) -> None:
        """Sets a signal and awaits its Status. Raises Silent, Garbled, Refused."""
        signal = part_of(self._device, point)
        try:
            status = signal.set(value, timeout=limit_s)
        except (TypeError, ValueError, AttributeError) as error:
            raise Refused(f"{point} does not take {value!r}: {error}") from error
        await self._limited(status, limit_s)

    async def call(
        self, name: str, arguments: Mapping[str, Any], limit_s: float, noted: str = ""
    ) -> Any:
        """Calls a method and awaits what it gives. Raises Silent, Garbled, Refused."""
        method = part_of(self._device, name)
        return plain(await self._limited(done(method(**arguments)), limit_s))

    async def close(self) -> None:
        """Its channels belong to the whole process: there is nothing to close."""

    async def _limited(self, deed: Awaitable[Any], limit_s: float) -> Any:
        try:
            return await asyncio.wait_for(deed, limit_s)
        except TimeoutError as error:
            raise Silent(f"no end within {limit_s:g} s") from error
        except (TypeError, ValueError) as error:
            raise Garbled(f"{type(error).__name__}: {error}") from error


def _core() -> Any:
    try:
        from ophyd_async import core
    except ImportError as error:
        raise MissingExtra("ophyd-async", "pip install 'hagane[ophyd-async]'") from error
    return core
