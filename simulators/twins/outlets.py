"""Where a twin's wire meets the outside: a pseudo-terminal for a serial port, or a TCP port.

A serial outlet keeps the far side of its terminal open itself, so that clients come and go and the
path stays; a symbolic link with a stable name points at it. A pseudo-terminal emulates neither baud
rate nor parity: whatever a client sets, eight bits pass.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
import tty
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from simulators.twins.faults import Fault, Faults, Plan, possible
from simulators.twins.wire import FramedWire

HALF_FRAME_S = 1.0
"""After so much wall time without a byte, half a frame is forgotten."""
_CHUNK = 4096
_LOG = logging.getLogger(__name__)
Touched = Callable[[], None]


class _Line:
    """The bytes of one connection on their way through faults to the instrument."""

    def __init__(self, wire: FramedWire, faults: Faults, touched: Touched) -> None:
        self._wire, self._faults, self._touched = wire, faults, touched
        self._last = time.monotonic()

    async def carry(self, data: bytes) -> AsyncIterator[bytes]:
        """The reply, in pieces. Raises ConnectionError when the port is unplugged."""
        now = time.monotonic()
        if now - self._last > HALF_FRAME_S:
            self._wire.forget()
        await self._wire.patience(data)
        self._last = time.monotonic()
        try:
            async for piece in self._faults.carry(self._wire, data):
                yield piece
        finally:
            self._touched()


class SerialOutlet:
    """A wire on a pseudo-terminal; `path` is the stable link to it. `heard`, where somebody has set
    it, is told of bytes as they arrive, whatever the instrument is doing."""

    def __init__(self, wire: FramedWire, path: Path, touched: Touched) -> None:
        self.path = path
        self._wire, self._touched = wire, touched
        self.faults = Faults()
        self.heard: Callable[[bytes], None] | None = None
        self._line = _Line(wire, self.faults, touched)
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()
        self._ends: tuple[int, int] | None = None
        self._replug: asyncio.TimerHandle | None = None
        self._worker: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """What a client opens."""
        return str(self.path)

    async def open(self) -> None:
        """Makes the terminal and starts to answer."""
        self._plug()
        self._worker = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Takes it away."""
        self._unplug(0.0)
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    async def fail(self, fault: Fault) -> None:
        """The next fault of this port. Raises ValueError: the instrument cannot fail so."""
        possible(fault.how, self._wire)
        if fault.how == "unplug" and fault.after <= 0:
            self._unplug(fault.seconds)
        else:
            self.faults.fail(fault)
            self.faults.begin(self._wire.manners)

    def plan(self, plan: Plan) -> None:
        """Faults by the number of the reply."""
        self.faults.plan(plan)

    async def heal(self) -> None:
        """No fault any more; plugged in."""
        self.faults.heal()
        self._plug()

    def speak(self) -> None:
        """Sends what the instrument says by itself."""
        if self._ends is not None and (said := self._wire.unprompted()):
            self._send(said)

    async def _work(self) -> None:
        while True:
            data = await self._arrived.get()
            try:
                async for piece in self._line.carry(data):
                    self._send(piece)
            except ConnectionError:
                fault = self.faults.unplugged
                self.faults.plugged()
                self._unplug(fault.seconds if fault else 0.0)
            except Exception:  # noqa: BLE001 - whatever a client sends, the port answers the next
                _LOG.exception("no answer to %r", data)
                self._wire.forget()

    def _plug(self) -> None:
        if self._replug is not None:
            self._replug.cancel()
            self._replug = None
        if self._ends is not None:
            return
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._ends = ours, theirs
        asyncio.get_running_loop().add_reader(ours, self._read, ours)
        aside = self.path.with_name(self.path.name + ".new")
        aside.unlink(missing_ok=True)
        aside.symlink_to(os.ttyname(theirs))
        aside.replace(self.path)

    def _unplug(self, seconds: float) -> None:
        if self._ends is None:
            return
        self.faults.n_struck += 1
        self.path.unlink(missing_ok=True)
        asyncio.get_running_loop().remove_reader(self._ends[0])
        for end in self._ends:
            os.close(end)
        self._ends = None
        self._wire.forget()
        if seconds > 0:
            self._replug = asyncio.get_running_loop().call_later(seconds, self._plug)

    def _read(self, ours: int) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(ours, _CHUNK)
            if self.heard is not None:
                self.heard(data)
            self._arrived.put_nowait(data)

    def _send(self, data: bytes) -> None:
        """A terminal whose client does not read takes no more bytes: the rest is lost, as on a
        line without handshake."""
        if data and self._ends is not None:
            with contextlib.suppress(BlockingIOError):
                os.write(self._ends[0], data)


class TcpOutlet:
    """A wire on a TCP port of the loopback, for any number of connections; `heard` as above. While
    it is unplugged nobody listens at the port, but no other process can have it."""

    def __init__(self, wire: FramedWire, touched: Touched) -> None:
        self._wire, self._touched = wire, touched
        self.faults = Faults()
        self.heard: Callable[[bytes], None] | None = None
        self._server: asyncio.Server | None = None
        self._place: socket.socket | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._replug: asyncio.TimerHandle | None = None
        self._plugging: asyncio.Task[None] | None = None
        self._port = 0

    @property
    def address(self) -> str:
        """What a client opens."""
        return f"{self._wire.scheme or 'socket'}://127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Listens, always at the same port."""
        if self._replug is not None:
            self._replug.cancel()
            self._replug = None
        if self._server is None:
            place, self._place = self._place or self._bound(), None
            self._server = await asyncio.start_server(self._serve, sock=place)

    async def close(self) -> None:
        """Cuts all connections and listens no more."""
        if self._replug is not None:
            self._replug.cancel()
            self._replug = None
        self._unplug(0.0)
        if self._place is not None:
            self._place.close()
            self._place = None

    async def fail(self, fault: Fault) -> None:
        """The next fault of this port. Raises ValueError: the instrument cannot fail so."""
        possible(fault.how, self._wire)
        if fault.how == "unplug" and fault.after <= 0:
            self._unplug(fault.seconds)
        else:
            self.faults.fail(fault)
            self.faults.begin(self._wire.manners)

    def plan(self, plan: Plan) -> None:
        """Faults by the number of the reply, over all connections."""
        self.faults.plan(plan)

    async def heal(self) -> None:
        """No fault any more; listening."""
        self.faults.heal()
        await self.open()

    def speak(self) -> None:
        """TCP instruments here say nothing by themselves."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.faults.connected()
        wire = self._wire.fresh()
        arrived: asyncio.Queue[bytes] = asyncio.Queue()
        answering = asyncio.create_task(self._answer(wire, arrived, writer))
        try:
            await self._listen(reader, writer, wire, arrived)
            arrived.put_nowait(b"")
            await answering
        finally:
            answering.cancel()
            self._writers.discard(writer)
            writer.close()

    async def _listen(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        wire: FramedWire,
        arrived: asyncio.Queue[bytes],
    ) -> None:
        """Takes what arrives, until the client goes away."""
        with contextlib.suppress(ConnectionError):
            writer.write(wire.greeting)
            while data := await reader.read(_CHUNK):
                if self.heard is not None:
                    self.heard(data)
                arrived.put_nowait(data)

    async def _answer(
        self, wire: FramedWire, arrived: asyncio.Queue[bytes], writer: asyncio.StreamWriter
    ) -> None:
        """Obeys all that arrived, also when its client has gone away without the answers."""
        line = _Line(wire, self.faults, self._touched)
        try:
            while (data := await arrived.get()) and not wire.is_ended:
                async for piece in line.carry(data):
                    if writer.is_closing():
                        continue
                    writer.write(piece)
                    with contextlib.suppress(ConnectionError):
                        await writer.drain()
                if wire.is_ended:
                    writer.close()
        except ConnectionError:
            if fault := self.faults.unplugged:
                self.faults.plugged()
                self._unplug(fault.seconds)

    def _unplug(self, seconds: float) -> None:
        if self._server is None:
            return
        self.faults.n_struck += 1
        self._server.close()
        self._server = None
        self._place = self._bound()
        for writer in self._writers:
            writer.transport.abort()
        if seconds > 0:
            self._replug = asyncio.get_running_loop().call_later(seconds, self._plug_again)

    def _bound(self) -> socket.socket:
        """A socket at the port, which is chosen the first time."""
        place = socket.socket()
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(("127.0.0.1", self._port))
        self._port = place.getsockname()[1]
        return place

    def _plug_again(self) -> None:
        self._plugging = asyncio.create_task(self.open())
