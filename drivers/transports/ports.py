"""A real port: one thread, one connection, one dialogue at a time, an urgent lane.

Everything that touches the connection happens in the port's own thread, so a caller that is
cancelled cannot leave half a reply on the wire: the exchange comes to its end without it.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import functools
import itertools
import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from drivers.protocols.framing import Dialogue, Frame, Garbled
from drivers.transports.channels import SLICE_S, Channel, open_channel, read_until_quiet
from drivers.transports.locks import PortLock
from drivers.transports.wires import (
    Absent,
    Lost,
    Settings,
    Silent,
    Terms,
    missing,
    next_ask,
    refuse_surplus,
    superseded,
    whole_reply,
)
from orchestrator.errors import HaganeError, WrongDevice
from orchestrator.ports.addresses import port_itself
from orchestrator.ports.traffic import Way

T = TypeVar("T")

_BACKOFF_S = (0.01, 0.05)
_RECONNECT_S = 2.0
_DRAIN_S = 0.5
_OWED_S = 0.2
"""Quiet that is waited for where a stop broke into an exchange whose reply was still to come."""
_LATEST = 4.0
"""So many time-outs after its question an answer may come, and is not taken for another's."""
_N_WAITS = 8
"""So many of the newest replies tell how long the device takes."""
_URGENT, _QUEUED, _LAST = 0, 1, 2


class Port:
    """The actor of one port, shared by every resource behind it.

    `connection` counts the connections made so far; an exchange that was meant for an earlier one
    is refused, so that nobody talks to a device that came back before it has been identified.
    """

    is_real = True

    def __init__(self, address: str, settings: Settings) -> None:
        self.address = address
        self.settings = settings
        self.connection = 0
        self.n_users = 0
        self._channel: Channel | None = None
        self._lock: PortLock | None = None
        self._is_suspect = 0
        self._is_owed = False
        self._is_fresh = True
        self._asked_at = 0.0
        self._owed_since: float | None = None
        self._last_byte_at = 0.0
        self._waits: collections.deque[float] = collections.deque(maxlen=_N_WAITS)
        self._count = itertools.count()
        self._queue: queue.PriorityQueue[tuple[int, int, Callable[[], None] | None]]
        self._queue = queue.PriorityQueue()
        self._thread = threading.Thread(target=self._work, name=f"port {address}", daemon=True)
        self._thread.start()

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands, as far as is known without using it."""
        return self._channel is not None

    async def connect(self, *, urgent: bool = False) -> int:
        """Opens the port where it is not open; gives the number of the connection.

        Raises:
            Absent: it cannot be opened, or did not come back in time.
            Taken: another process holds it.
        """
        return await self._submit(self._connect, urgent)

    async def exchange(self, dialogue: Dialogue[T], terms: Terms) -> T:
        """Plays a dialogue from first to last byte.

        An urgent one goes ahead of the others, and ends the wait of the one that is waiting for a
        reply: that one is then as silent as if its time were up. On a line that is not known to be
        quiet its first bytes are sent twice, at once and in their turn.

        Raises:
            Lost, Silent, Garbled, Refused.
        """
        deed = functools.partial(self._exchange, dialogue, terms)
        return await self._submit(deed, terms.is_urgent)

    async def disconnect(self) -> None:
        """Closes the connection and gives up the lock."""
        await self._submit(self._disconnect, False)

    def end(self) -> None:
        """Ends the thread, after what is queued."""
        self._queue.put((_LAST, next(self._count), None))

    async def _submit(self, deed: Callable[[], T], urgent: bool) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def turn() -> None:
            if future.cancelled():
                return
            try:
                settle = functools.partial(_give, future, deed())
            except Exception as error:  # noqa: BLE001 - it is raised again where it belongs
                settle = functools.partial(_fail, future, error)
            with contextlib.suppress(RuntimeError):  # the loop that asked is closed
                loop.call_soon_threadsafe(settle)

        self._queue.put((_URGENT if urgent else _QUEUED, next(self._count), turn))
        channel = self._channel
        if urgent and channel is not None:
            channel.wake()
        return await future

    def _work(self) -> None:
        while (turn := self._queue.get()[2]) is not None:
            turn()

    def _is_wanted_urgently(self) -> bool:
        with self._queue.mutex:
            waiting = self._queue.queue
            return bool(waiting) and waiting[0][0] == _URGENT

    def _connect(self) -> int:
        if self._channel is None:
            self._open(patience_s=_RECONNECT_S if self.connection else 0.0)
        return self.connection

    def _open(self, patience_s: float) -> None:
        pause_s, longest_s = _BACKOFF_S
        end = time.monotonic() + patience_s
        while True:
            try:
                self._take_lock()
                self._channel = open_channel(self.address, self.settings)
                break
            except Absent:
                if time.monotonic() + pause_s > end:
                    self._release_lock()
                    raise
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)
        self.connection += 1
        # what the device still had to say when the connection broke may come first
        self._is_suspect, self._is_fresh, self._owed_since = int(self.connection > 1), True, None

    def _take_lock(self) -> None:
        port = port_itself(self.address)
        if self._lock is None or self._lock.port != port:
            self._release_lock()
            self._lock = PortLock(port)

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _drop(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _disconnect(self) -> None:
        self._drop()
        self._release_lock()

    def _exchange(self, dialogue: Dialogue[T], terms: Terms) -> T:
        try:
            outcome = self._play_once(dialogue, terms)
        except HaganeError as fault:
            terms.ended(fault)
            raise
        terms.ended(None)
        return outcome

    def _play_once(self, dialogue: Dialogue[T], terms: Terms) -> T:
        if terms.is_void():
            raise superseded()
        channel = self._channel
        if channel is None or terms.connection != self.connection:
            raise Lost("the connection broke")
        try:
            return self._play(channel, dialogue, terms)
        except StopIteration as done:  # it asks nothing
            return done.value  # type: ignore[no-any-return]
        except Lost:
            # with its lock: the name may be another device's when this one comes back
            self._disconnect()
            raise
        except (Silent, Garbled, WrongDevice) as fault:
            self._is_suspect = 2
            if isinstance(fault, Silent) and self._owed_since is None:
                self._owed_since = self._asked_at
            raise
        finally:
            self._last_byte_at = time.monotonic()

    def _play(self, channel: Channel, dialogue: Dialogue[T], terms: Terms) -> T:
        ask, buffer, reply = next(dialogue), b"", b""
        must_prove = self._must_prove(terms)
        if self._is_suspect:
            if terms.is_urgent and ask.data:
                # a stop does not wait for the line to be quiet: its first bytes leave now, and
                # again below, where their reply is known from what else comes
                self._write(channel, ask.data, terms, "ahead")
            self._drain(channel, terms)
        while True:
            if ask.data:
                refuse_surplus(reply, buffer, self._late_s(terms))
                buffer = b""
                channel.discard()
                self._write(channel, ask.data, terms, "sent")
                self._asked_at = self._last_byte_at
            if ask.drains:
                self._read_stray(channel, terms)
            n, buffer = self._collect(channel, buffer, ask.frame, terms)
            reply, buffer = buffer[:n], buffer[n:]
            if must_prove and ask.frame is not None:
                buffer += self._second(channel, terms)
                self._settle(buffer, terms, of=reply)
            try:
                ask = next_ask(dialogue, reply)
            except StopIteration as done:
                refuse_surplus(reply, buffer, self._late_s(terms))
                self._settle(buffer, terms, of=reply)
                # a device that answered twice may not be through yet
                self._is_suspect = max(self._is_suspect, int(bool(buffer)))
                return done.value  # type: ignore[no-any-return]

    def _write(self, channel: Channel, data: bytes, terms: Terms, way: Way) -> None:
        gap_s = self.settings.gap_s - (time.monotonic() - self._last_byte_at)
        if gap_s > 0:
            time.sleep(gap_s)
        terms.note(way, data)
        channel.write(data)
        self._last_byte_at = time.monotonic()

    def _drain(self, channel: Channel, terms: Terms) -> None:
        """After a silence or a garbled reply its rest may still come: wait until all is quiet,
        and once more before the exchange that follows. A second answer in such an exchange spoils
        it: nobody can tell which question it belongs to."""
        quiet_s, self._is_owed = _OWED_S if self._is_owed else SLICE_S, False
        stray = self._read_stray(channel, terms, quiet_s=max(quiet_s, self._quiet_s(terms)))
        self._is_suspect = 2 if stray else self._is_suspect - 1

    def _quiet_s(self, terms: Terms) -> float:
        """How long nothing must come for the line to be quiet: an answer that is late is followed
        by that to the next question as soon as the device has worked it out."""
        most_s = min(_DRAIN_S, terms.timeout_s) if terms.is_urgent else terms.timeout_s
        return max(SLICE_S, min(2 * max(self._waits, default=0.0), most_s))

    def _must_prove(self, terms: Terms) -> bool:
        """Whether a reply may be that to a question before."""
        if time.monotonic() - self._asked_at > _LATEST * terms.timeout_s:
            self._owed_since = None
        was_fresh, self._is_fresh = self._is_fresh, False
        return not was_fresh and (self._is_suspect > 0 or self._owed_since is not None)

    def _second(self, channel: Channel, terms: Terms) -> bytes:
        """What comes behind a reply that may be a late one, the answer to a question before: then
        that to the present one is no later than the first that is still owed would be by now."""
        quiet_s = self._quiet_s(terms)
        if self._owed_since is not None and not terms.is_urgent:
            passed_s = time.monotonic() - self._owed_since
            quiet_s = max(quiet_s, min(1.2 * passed_s + SLICE_S, _LATEST * terms.timeout_s))
        return self._read_stray(channel, terms, "came", quiet_s)

    def _settle(self, rest: bytes, terms: Terms, *, of: bytes) -> None:
        """Where nothing came behind a reply, no other one is owed."""
        if of and not rest and not terms.is_urgent:
            self._owed_since = None

    def _late_s(self, terms: Terms) -> float:
        return 0.0 if self._owed_since is None else terms.timeout_s

    def _read_stray(
        self, channel: Channel, terms: Terms, way: Way = "stray", quiet_s: float = SLICE_S
    ) -> bytes:
        def is_over() -> bool:
            return not terms.is_urgent and self._is_wanted_urgently()

        stray = read_until_quiet(channel, _DRAIN_S + quiet_s, is_over, quiet_s)
        if stray:
            terms.note(way, stray)
        if is_over():
            raise Silent("the wait for a quiet line was ended by a stop")
        return stray

    def _collect(
        self, channel: Channel, buffer: bytes, frame: Frame | None, terms: Terms
    ) -> tuple[int, bytes]:
        """Reads until the buffer starts with a whole reply; gives its length, and the buffer."""
        begun = time.monotonic()
        end = begun + terms.timeout_s
        while (n := whole_reply(buffer, frame)) is None:
            if time.monotonic() > end:
                raise missing(buffer, terms.timeout_s)
            if not terms.is_urgent and self._is_wanted_urgently():
                self._is_owed = True
                raise Silent("the wait for a reply was ended by a stop")
            if data := channel.read():
                terms.note("came", data)
                buffer += data
                self._last_byte_at = time.monotonic()
        if frame is not None and not self._is_suspect:
            self._waits.append(time.monotonic() - begun)
        return n, buffer


def _give(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
