"""A Device of ophyd that a beamline has already, declared in a file.

    gate: {kind: ophyd, declared: gate.yaml, device: "beamline:Gate", address: "ca://XF:31ID-"}

A point is a dotted name of one of its signals (`motor.user_readback`), set by `set`, whose Status
is waited for; a `call` is one of its methods (`trigger`, `stop`). The control layer is ophyd's own
(pyepics or caproto). Tried on hardware: no.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from drivers.bridges.epics import prefix_of
from drivers.bridges.objects import found_class, part_of, plain
from drivers.bridges.points import Client, DeclaredClient
from drivers.protocols.framing import Garbled, Refused
from drivers.transports import Absent, Lost, Silent
from orchestrator.errors import InputError, MissingExtra
from orchestrator.ports.action import Unit
from orchestrator.ports.resource import Bench

T = TypeVar("T")
_INVALID = 3
"""Severity of a value that its record does not believe itself."""


class OphydInstrument(DeclaredClient):
    """A Device of ophyd, declared in a file: `device` is `module:Class`, made with the prefix that
    `address` says (`ca://PREFIX`)."""

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
        ophyd = _ophyd()
        make = found_class(self.bench.name, self._device)
        if not (isinstance(make, type) and issubclass(make, ophyd.Device)):
            raise InputError(f"{self.bench.name}: '{self._device}' is no Device of ophyd")
        device = make(self._prefix, name=self.bench.name)
        try:
            await asyncio.to_thread(device.wait_for_connection, timeout=self._timeout_s)
        except TimeoutError as error:
            device.destroy()
            raise Absent(f"{self._prefix}: {error}") from error
        return _Device(device, ophyd)


class _Device:
    """A Device: its calls block, so each runs in a thread."""

    def __init__(self, device: Any, ophyd: Any) -> None:
        self._device = device
        self._lost = ophyd.utils.DisconnectedError
        self._refused = (ophyd.utils.ReadOnlyError, ophyd.utils.LimitError, ValueError, TypeError)
        self._failed = ophyd.utils.StatusTimeoutError, ophyd.utils.UnknownStatusFailure

    @property
    def is_connected(self) -> bool:
        """Whether every signal is there."""
        return bool(self._device.connected)

    async def read(self, point: str, limit_s: float) -> Any:
        """The value of a signal, from the server. Raises Silent, Lost, Garbled, Refused."""

        def get() -> Any:
            signal = part_of(self._device, point)
            value = signal.get()
            if getattr(signal, "alarm_severity", None) == _INVALID:
                raise Refused(f"{point} is in INVALID alarm, so it has no value")
            return value

        return plain(await self._in_thread(get, limit_s))

    async def write(self, point: str, value: Any, limit_s: float) -> None:
        """Sets a signal and waits for its Status. Raises Silent, Lost, Garbled, Refused."""
        await self._in_thread(
            lambda: part_of(self._device, point).set(value).wait(timeout=limit_s), limit_s
        )

    async def call(
        self, name: str, arguments: Mapping[str, Any], limit_s: float, noted: str = ""
    ) -> Any:
        """Calls a method and waits for its Status. Raises Silent, Lost, Garbled, Refused."""

        def call() -> Any:
            outcome = part_of(self._device, name)(**arguments)
            return outcome.wait(timeout=limit_s) if hasattr(outcome, "wait") else outcome

        return plain(await self._in_thread(call, limit_s))

    async def close(self) -> None:
        """Destroys the Device."""
        await asyncio.to_thread(self._device.destroy)

    async def _in_thread(self, deed: Callable[[], T], limit_s: float) -> T:
        try:
            return await asyncio.to_thread(deed)
        except self._lost as error:
            raise Lost(str(error)) from error
        except self._refused as error:
            raise Refused(f"{type(error).__name__}: {error}") from error
        except TimeoutError as error:
            raise Silent(f"no end within {limit_s:g} s: {error}") from error
        except self._failed as error:
            raise Garbled(f"it failed on the way: {error}") from error


def _ophyd() -> Any:
    try:
        import ophyd
        import ophyd.utils
    except ImportError as error:
        raise MissingExtra("ophyd", "pip install 'hagane[ophyd]'") from error
    return ophyd
