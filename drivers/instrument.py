"""What a driver author writes against.

A driver is one plain class over `Instrument`: it says how to ask who is there (`who`, a dialogue),
states what it `implements`, and declares its actions. Its `link` gives the two ways to talk:

    flow = await self.link.read(lambda: alicat.ask("A", alicat.request("A")))
    await self.link.write(tell, confirm, what="the flow")

Locking per port, reconnection, recognition, traffic and time-outs come from the link. An action
checks its arguments with `within` before anything else: the last line of defence.

A write that names a `state` is held to: after a new connection, after a silence, after two seconds
in which nothing was said, and every minute, the link reads back with `confirm` before it gives
anything else that it reads; after a write it reads back the other states. It raises DeviceReset
when the device has lost one. It never sets it again by itself.
"""

from __future__ import annotations

import asyncio
import math
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from drivers.protocols.framing import Dialogue
from drivers.transports import Settings, Transport, open_transport
from orchestrator.errors import (
    DeviceAbsent,
    DeviceError,
    DeviceGarbled,
    DeviceGone,
    DeviceRefused,
    DeviceReset,
    DeviceSilent,
    DeviceUnsure,
    LimitExceeded,
    PortTaken,
    WrongDevice,
)
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Bench, Health, Identity

T = TypeVar("T")
Talk: TypeAlias = Callable[[], Dialogue[T]]
"""Makes a fresh dialogue: one that was played cannot be played again."""

_N_READS = 3
LOOK_AGAIN_S = 60.0
"""Campaign time after which a state that was set is read back again."""
QUIET_S = 2.0
"""So long without a word (campaign time), and a device may have started anew without a silence."""
RAMP_STEP_S = 5.0
"""Campaign time between two steps of a ramp."""


@dataclass
class _Held:
    """A state that a write has brought about, and when it was last seen (campaign time)."""

    what: str
    confirm: Talk[bool]
    seen_at: float


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


async def ramp(
    clock: Clock,
    start: float,
    target: float,
    per_min: float,
    set_to: Callable[[float], Awaitable[None]],
) -> None:
    """Walks a set-point from `start` to `target`, at every moment at most at `per_min`.

    `set_to` writes one; it is called every few seconds of campaign time, and last with the target.
    What a write takes is walked afterwards, never before. Given up on the way, it stays there.
    """
    began, way = clock.now(), abs(target - start)
    sign = math.copysign(1.0, target - start)
    while (walked := per_min * (clock.now() - began) / 60.0) < way:
        await set_to(start + sign * walked)
        await clock.sleep(min(RAMP_STEP_S, 60.0 * (way - walked) / per_min))
    await set_to(target)


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
        self._held: dict[str, _Held] = {}
        self._is_doubtful = False
        self._spoke_at = -math.inf
        self._told_in: weakref.WeakSet[asyncio.Task[object]] = weakref.WeakSet()

    async def open(self) -> None:
        """Connects; may be repeated. Raises DeviceAbsent, PortTaken, InputError."""
        if self._transport is None:
            self._transport = await open_transport(self.port, self.bench, self._settings)
            self._recognised = 0

    async def close(self) -> None:
        """Lets go of the port; may be repeated. What is set meanwhile is nobody's to answer for."""
        self._held.clear()
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
        identity: Identity | None
        try:
            identity = await self._repeat(transport, self._who, urgent, self._timeout_s)
        except DeviceSilent as silence:
            if self._identity is not None:
                raise
            name = self.bench.name
            raise DeviceAbsent(
                name, f"nothing answers on {self.port}", hint=silence.hint
            ) from silence
        except WrongDevice:
            identity = None
        if identity is None or not self._is_known(identity):
            # a turned bit is no other device: it says the same twice
            identity = await self._repeat(transport, self._who, urgent, self._timeout_s)
        self._compare(identity)
        self._is_doubtful = self._is_doubtful or self._recognised not in (0, connection)
        self._identity = identity
        self._recognised = connection
        return identity

    async def read(
        self, talk: Talk[T], *, urgent: bool = False, timeout_s: float | None = None
    ) -> T:
        """Plays a dialogue that may be repeated, and repeats it when it is silent or garbled.

        Raises:
            DeviceGone: the connection broke; the next use reconnects and identifies.
            DeviceReset: the device has lost a state that it was set to.
            DeviceSilent, DeviceGarbled, DeviceRefused, DeviceAbsent, WrongDevice.
        """
        transport = await self._ready(urgent)
        value = await self._repeat(transport, talk, urgent, timeout_s or self._timeout_s)
        if self._is_doubtful and not urgent:
            # it was silent at first: what answers now may have been switched off and on
            await self._look_after(transport)
        return value

    async def look_again(self) -> None:
        """Reads back at once what must hold; for an answer that a device which has just been
        switched on would give too. Raises DeviceReset, DeviceError."""
        self._is_doubtful = True
        await self._ready(urgent=False)

    async def look_before_acting(self) -> None:
        """As `look_again`, before what cannot be taken back.

        Raises:
            DeviceRefused: the device has lost a state that it was set to; nothing was sent.
            DeviceError
        """
        try:
            await self.look_again()
        except DeviceReset as reset:
            said = str(reset).removeprefix(f"{self.bench.name}: ")
            raise DeviceRefused(
                self.bench.name, f"{said}, so nothing was sent", hint=reset.hint or ""
            ) from reset

    async def exchange(
        self, talk: Talk[T], *, urgent: bool = False, timeout_s: float | None = None
    ) -> T:
        """Plays a dialogue once. Raises as `read`."""
        transport = await self._ready(urgent)
        self._note_order()
        return await self._once(transport, talk, urgent, timeout_s or self._timeout_s)

    async def write(
        self,
        tell: Talk[None],
        confirm: Talk[bool],
        *,
        what: str,
        state: str = "",
        urgent: bool = False,
        timeout_s: float | None = None,
    ) -> None:
        """Plays a dialogue that changes something, once.

        When its outcome is unknown, `confirm` reads back whether it took effect. `tell` itself
        must raise Refused or Garbled when the device says something else than was asked. With a
        `state`, the device must hold it until the next write of that state. Afterwards it must
        still hold the others: an order to a device that was switched off and on is no success.

        Raises:
            DeviceReset: it was done, and the device has lost another state that it was set to.
            DeviceUnsure: it could not be read back either.
            DeviceSilent, DeviceGarbled, DeviceGone: it was read back and did not take effect.
            DeviceRefused, DeviceAbsent, WrongDevice.
        """
        # what is replaced need not hold, nor anything of what is made safe: that is never held up
        self._held.pop(state, None)
        if urgent:
            self._held.clear()
        wait_s, is_sent = timeout_s or self._timeout_s, False
        try:
            transport = await self._ready(urgent, looks=False)
            is_sent = True
            await self._once(transport, tell, urgent, wait_s)
        except (DeviceSilent, DeviceGarbled, DeviceGone) as doubt:
            try:
                transport = await self._ready(urgent, looks=False)
                took_effect = await self._repeat(transport, confirm, urgent, wait_s)
            except DeviceError as error:
                raise (self.unsure(what, error) if is_sent else doubt) from error
            if not took_effect:
                raise doubt
        self._note_order()
        if self._held:
            self._is_doubtful = True
            await self._look_after(transport)
        if state:
            self.hold(state, confirm, what=what)

    def hold(self, state: str, confirm: Talk[bool], *, what: str) -> None:
        """Has the device answer for a state from now on, as after a `write` that names it."""
        self._held[state] = _Held(what, confirm, self.bench.clock.now())

    def release(self, state: str) -> None:
        """Has it answer for a state no more: it is about to be changed."""
        self._held.pop(state, None)

    def let_go(self) -> None:
        """What was set need not hold any more."""
        self._held.clear()

    def unsure(self, what: str, error: DeviceError) -> DeviceUnsure:
        """That a write of `what` was sent and cannot be read back."""
        return DeviceUnsure(
            self.bench.name,
            f"{what} was sent, and reading back failed ({error})",
            hint="look at the device before anything else is sent to it",
        )

    def _note_order(self) -> None:
        if (action := asyncio.current_task()) is not None:
            self._told_in.add(action)

    async def _ready(self, urgent: bool, *, looks: bool = True) -> Transport:
        transport = self._open_transport()
        if not transport.is_current or transport.connection != self._recognised:
            try:
                await self.identify(urgent=urgent)
            except (DeviceAbsent, PortTaken, WrongDevice) as error:
                if asyncio.current_task() not in self._told_in:
                    raise
                # somebody else found the break, and this action (a task) had sent an order
                said = str(error).removeprefix(f"{self.bench.name}: ")
                raise DeviceGone(self.bench.name, said, hint=error.hint or "") from error
        if looks and self._held and not urgent:
            await self._look_after(transport)
        return transport

    async def _look_after(self, transport: Transport) -> None:
        """Reads back what must hold, where there is a reason to. Raises DeviceReset."""
        now = self.bench.clock.now()
        was_heard = not self._is_doubtful and now - self._spoke_at < QUIET_S
        for state, held in list(self._held.items()):
            if was_heard and now - held.seen_at < LOOK_AGAIN_S:
                continue
            held.seen_at = now
            holds = await self._repeat(transport, held.confirm, False, self._timeout_s)
            if not holds and self._held.get(state) is held:
                self._held.clear()
                raise DeviceReset(
                    self.bench.name,
                    f"{held.what} was set and is no longer so",
                    hint="it was without power, or somebody was at its panel: look at it, and "
                    "begin anew from a known state",
                )
        self._is_doubtful = False

    async def _once(self, transport: Transport, talk: Talk[T], urgent: bool, timeout_s: float) -> T:
        try:
            said = await transport.exchange(talk(), timeout_s=timeout_s, urgent=urgent)
        except DeviceSilent:
            self._is_doubtful = True
            raise
        self._spoke_at = self.bench.clock.now()
        return said

    def _open_transport(self) -> Transport:
        if self._transport is None:
            raise DeviceAbsent(self.bench.name, "is not open", hint="open the resource first")
        return self._transport

    async def _repeat(
        self, transport: Transport, talk: Talk[T], urgent: bool, timeout_s: float
    ) -> T:
        for _ in range(_N_READS - 1):
            try:
                return await self._once(transport, talk, urgent, timeout_s)
            except (DeviceSilent, DeviceGarbled):
                self.bench.figures.n_retries += 1
        return await self._once(transport, talk, urgent, timeout_s)

    def _is_known(self, found: Identity) -> bool:
        """Whether it is who was there before. A device without a serial number must be the same in
        all that it says; with one, its firmware may be another."""
        known = self._identity
        if known is None or known == found:
            return True
        return bool(known.serial) and (known.serial, known.model) == (found.serial, found.model)

    def _compare(self, found: Identity) -> None:
        known = self._identity
        if known is None or self._is_known(found):
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
