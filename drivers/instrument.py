"""What a driver author writes against.

A driver is one plain class over `Instrument`: it says how to ask who is there (`who`, a dialogue),
states what it `implements`, and declares its actions. Its `link` gives the two ways to talk:

    flow = await self.link.read(lambda: alicat.ask("A", alicat.request("A")))
    await self.link.write(tell, confirm, what="the flow")

Locking per port, reconnection, recognition, traffic and time-outs come from the link. An action
checks its arguments with `within` before anything else: the last line of defence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from drivers.protocols.framing import Dialogue
from drivers.transports import Settings, Transport, open_transport
from orchestrator.errors import (
    DeviceAbsent,
    DeviceError,
    DeviceGarbled,
    DeviceGone,
    DeviceSilent,
    DeviceUnsure,
    LimitExceeded,
    WrongDevice,
)
from orchestrator.ports.resource import Bench, Health, Identity

T = TypeVar("T")
Talk: TypeAlias = Callable[[], Dialogue[T]]
"""Makes a fresh dialogue: one that was played cannot be played again."""

_N_READS = 3


def within(what: str, value: float, low: float | None, high: float | None, unit: str) -> float:
    """The value, when it is finite and low <= value <= high.

    Raises:
        LimitExceeded: it is not; no byte has left.
    """
    is_low = low is not None and value < low
    is_high = high is not None and value > high
    if not math.isfinite(value) or is_low or is_high:
        raise LimitExceeded(what, value, low, high, unit)
    return value


class Link:
    """A device on a port: recognised before it is used, read with retries, written with care."""

    def __init__(
        self,
        bench: Bench,
        port: str,
        settings: Settings,
        who: Talk[Identity],
        timeout_s: float,
    ) -> None:
        self.bench = bench
        self.port = port
        self._settings = settings
        self._who = who
        self._timeout_s = timeout_s
        self._transport: Transport | None = None
        self._recognised = 0
        self._identity: Identity | None = None

    async def open(self) -> None:
        """Connects; may be repeated. Raises DeviceAbsent, PortTaken, InputError."""
        if self._transport is None:
            self._transport = await open_transport(self.port, self.bench, self._settings)
            self._recognised = 0

    async def close(self) -> None:
        """Lets go of the port; may be repeated."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    async def identify(self, *, urgent: bool = False) -> Identity:
        """Asks who is there, and compares with who was there before.

        Raises:
            DeviceAbsent: nothing answers.
            WrongDevice: it is another one.
            DeviceError
        """
        transport = self._open_transport()
        if not transport.is_current:
            await transport.connect(urgent=urgent)
        connection = transport.connection
        try:
            identity = await self._repeat(transport, self._who, urgent, self._timeout_s)
        except DeviceSilent as silence:
            if self._identity is not None:
                raise
            name = self.bench.name
            raise DeviceAbsent(
                name, f"nothing answers on {self.port}", hint=silence.hint
            ) from silence
        self._compare(identity)
        self._identity = identity
        self._recognised = connection
        return identity

    async def read(
        self, talk: Talk[T], *, urgent: bool = False, timeout_s: float | None = None
    ) -> T:
        """Plays a dialogue that may be repeated, and repeats it when it is silent or garbled.

        Raises:
            DeviceGone: the connection broke; the next use reconnects and identifies.
            DeviceSilent, DeviceGarbled, DeviceRefused, DeviceAbsent, WrongDevice.
        """
        transport = await self._ready(urgent)
        return await self._repeat(transport, talk, urgent, timeout_s or self._timeout_s)

    async def exchange(
        self, talk: Talk[T], *, urgent: bool = False, timeout_s: float | None = None
    ) -> T:
        """Plays a dialogue once. Raises as `read`."""
        transport = await self._ready(urgent)
        return await transport.exchange(
            talk(), timeout_s=timeout_s or self._timeout_s, urgent=urgent
        )

    async def write(
        self,
        tell: Talk[None],
        confirm: Talk[bool],
        *,
        what: str,
        urgent: bool = False,
        timeout_s: float | None = None,
    ) -> None:
        """Plays a dialogue that changes something, once.

        When its outcome is unknown, `confirm` reads back whether it took effect. `tell` itself
        must raise Refused or Garbled when the device says something else than was asked.

        Raises:
            DeviceUnsure: it could not be read back either.
            DeviceSilent, DeviceGarbled, DeviceGone: it was read back and did not take effect.
            DeviceRefused, DeviceAbsent, WrongDevice.
        """
        try:
            await self.exchange(tell, urgent=urgent, timeout_s=timeout_s)
        except (DeviceSilent, DeviceGarbled, DeviceGone) as doubt:
            try:
                took_effect = await self.read(confirm, urgent=urgent, timeout_s=timeout_s)
            except DeviceError as error:
                raise self.unsure(what, error) from error
            if not took_effect:
                raise doubt

    def unsure(self, what: str, error: DeviceError) -> DeviceUnsure:
        """That a write of `what` was sent and cannot be read back."""
        return DeviceUnsure(
            self.bench.name,
            f"{what} was sent, and reading back failed ({error})",
            hint="look at the device before anything else is sent to it",
        )

    async def _ready(self, urgent: bool) -> Transport:
        transport = self._open_transport()
        if not transport.is_current or transport.connection != self._recognised:
            await self.identify(urgent=urgent)
        return transport

    def _open_transport(self) -> Transport:
        if self._transport is None:
            raise DeviceAbsent(self.bench.name, "is not open", hint="open the resource first")
        return self._transport

    async def _repeat(
        self, transport: Transport, talk: Talk[T], urgent: bool, timeout_s: float
    ) -> T:
        for _ in range(_N_READS - 1):
            try:
                return await transport.exchange(talk(), timeout_s=timeout_s, urgent=urgent)
            except (DeviceSilent, DeviceGarbled):
                continue
        return await transport.exchange(talk(), timeout_s=timeout_s, urgent=urgent)

    def _compare(self, found: Identity) -> None:
        known = self._identity
        if known is None or known == found:
            return
        if known.serial and known.serial == found.serial and known.model == found.model:
            return
        raise WrongDevice(
            self.bench.name,
            f"{_named(found)} answers on {self.port}, where {_named(known)} was",
            hint="put the cables back, or start again with the new device",
        )


def _named(identity: Identity) -> str:
    serial = f" no. {identity.serial}" if identity.serial else ""
    return f"{identity.maker} {identity.model}{serial}"


class Instrument:
    """A device with one link. A driver adds `who`, `make_safe`, its actions, often `health`."""

    implements: tuple[str, ...] = ()

    def __init__(self, bench: Bench, port: str, settings: Settings, timeout_s: float) -> None:
        self.bench = bench
        self.link = Link(bench, port, settings, self.who, timeout_s)

    def who(self) -> Dialogue[Identity]:
        """Asks the device who it is."""
        raise NotImplementedError

    async def open(self) -> None:
        """Connects. Raises DeviceAbsent, PortTaken."""
        await self.link.open()

    async def close(self) -> None:
        """Disconnects; never raises."""
        await self.link.close()

    async def identify(self) -> Identity:
        """Asks who is there. Raises DeviceError."""
        return await self.link.identify()

    async def health(self) -> Health:
        """Fit when it answers. Raises DeviceError."""
        await self.link.identify()
        return Health(is_fit=True)

    async def make_safe(self) -> None:
        """Nothing to make safe, unless a driver says otherwise."""
