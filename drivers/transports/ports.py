"""A real port: one thread, one connection, one dialogue at a time, an urgent lane.

Everything that touches the connection happens in the port's own thread, so a caller that is
cancelled cannot leave half a reply on the wire: the exchange comes to its end without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from drivers.protocols.framing import Dialogue, Frame, Garbled
from drivers.transports.channels import Channel, open_channel, read_until_quiet
from drivers.transports.locks import PortLock, resolve
from drivers.transports.wires import (
    Absent,
    Lost,
    Settings,
    Silent,
    Terms,
    missing,
    superseded,
    whole_reply,
)

T = TypeVar("T")

_BACKOFF_S = (0.01, 0.25)
_RECONNECT_S = 2.0
_DRAIN_S = 0.5
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
        self._last_byte_at = 0.0
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
        reply: that one is then as silent as if its time were up.

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
        self._is_suspect = 1 if self.connection > 1 else 0

    def _take_lock(self) -> None:
        port = resolve(self.address)
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
        if terms.is_void():
            raise superseded()
        channel = self._channel
        if channel is None or terms.connection != self.connection:
            raise Lost("the connection broke")
        try:
            self._drain(channel)
            return self._play(channel, dialogue, terms)
        except Lost:
            self._drop()
            raise
        except (Silent, Garbled):
            self._is_suspect = 2
            raise
        finally:
            self._last_byte_at = time.monotonic()

    def _drain(self, channel: Channel) -> None:
        """After a silence or a garbled reply its rest may still come: wait until all is quiet,
        and once more before the exchange that follows."""
        if self._is_suspect:
            self._is_suspect = 2 if read_until_quiet(channel, _DRAIN_S) else self._is_suspect - 1

    def _play(self, channel: Channel, dialogue: Dialogue[T], terms: Terms) -> T:
        gap_s = self.settings.gap_s - (time.monotonic() - self._last_byte_at)
        if gap_s > 0:
            time.sleep(gap_s)
        buffer = b""
        ask = next(dialogue)
        while True:
            if ask.data:
                # what is left of the reply before, a second copy of it, answers nothing
                buffer = b""
                channel.discard()
                terms.traffic.append(("tx", ask.data))
                channel.write(ask.data)
            if ask.drains:
                read_until_quiet(channel, _DRAIN_S)
            n, buffer = self._collect(channel, buffer, ask.frame, terms)
            try:
                ask = dialogue.send(buffer[:n])
            except StopIteration as done:
                # a device that answered twice may not be through yet
                self._is_suspect = max(self._is_suspect, int(len(buffer) > n))
                return done.value  # type: ignore[no-any-return]
            buffer = buffer[n:]

    def _collect(
        self, channel: Channel, buffer: bytes, frame: Frame | None, terms: Terms
    ) -> tuple[int, bytes]:
        """Reads until the buffer starts with a whole reply; gives its length, and the buffer."""
        end = time.monotonic() + terms.timeout_s
        while (n := whole_reply(buffer, frame)) is None:
            if time.monotonic() > end:
                raise missing(buffer, terms.timeout_s)
            if not terms.is_urgent and self._is_wanted_urgently():
                raise Silent("the wait for a reply was ended by a stop")
            if data := channel.read():
                terms.traffic.append(("rx", data))
                buffer += data
        return n, buffer


def _give(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
