"""The open end of a wire, blocking: a serial port, or a TCP connection."""

from __future__ import annotations

import contextlib
import io
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol
from urllib.parse import urlsplit

from drivers.transports.visa import PREFIX as VISA
from drivers.transports.visa import VisaChannel
from drivers.transports.web import WebChannel
from drivers.transports.wires import Absent, Lost, Settings, Silent
from orchestrator.errors import HaganeError, InputError

SLICE_S = 0.05
"""The longest a single read blocks."""
_CONNECT_S = 3.0
_WRITE_S = 1.0
_CHUNK = 4096


class Channel(Protocol):
    """Used by one thread only, but for `wake`. Every method raises Lost when the connection breaks,
    but for `wake` and `close`."""

    def write(self, data: bytes) -> None:
        """Writes all. Raises Silent when the other end takes no bytes."""
        ...

    def read(self) -> bytes:
        """What has arrived; waits at most SLICE_S for something, then gives nothing."""
        ...

    def wake(self) -> None:
        """Has the `read` that waits now, or the next one, end early; from any thread."""
        ...

    def discard(self) -> None:
        """Throws away what has arrived."""
        ...

    def close(self) -> None:
        """Never raises."""
        ...


def open_channel(port: str, settings: Settings) -> Channel:
    """Opens a port: `/dev/ttyUSB0`, `COM3`, `socket://host:port`, `http://host:port`,
    `visa:GPIB0::8::INSTR`, any pyserial URL.

    Raises:
        Absent: there is nothing to open.
        InputError: the address is not one.
        MissingExtra: PyVISA is needed and not installed.
    """
    if port.startswith("socket://"):
        return SocketChannel(port)
    if port.startswith(("http://", "https://")):
        return WebChannel(port)
    if port.startswith(VISA):
        return VisaChannel(port, settings)
    return SerialChannel(port, settings)


class SerialChannel:
    """A serial port behind pyserial."""

    def __init__(self, port: str, settings: Settings) -> None:
        import serial

        self._silent = serial.SerialTimeoutException
        # a pseudo-terminal passes eight bits, and refuses others (EINVAL) at the second opening
        is_pseudo = os.path.realpath(port).startswith("/dev/pts/")
        try:
            self._serial: Any = serial.serial_for_url(
                port,
                baudrate=settings.baudrate,
                bytesize=8 if is_pseudo else settings.bytesize,
                parity="N" if is_pseudo else settings.parity,
                stopbits=settings.stopbits,
                timeout=SLICE_S,
                write_timeout=_WRITE_S,
            )
            self._eye = _eye(self._serial)
        except ValueError as error:
            raise InputError(
                f"'{port}' is not a port: {error}",
                hint="give a device (/dev/ttyUSB0, COM3) or a URL (socket://host:port)",
            ) from error
        except _breaks() as error:
            raise Absent(f"{port} cannot be opened: {_no_port(port) or _reason(error)}") from error

    def write(self, data: bytes) -> None:
        """Writes all. Raises Silent, Lost."""
        with _losses():
            try:
                self._serial.write(data)
            except self._silent as error:
                raise Silent(f"the port took no bytes within {_WRITE_S:g} s") from error

    def read(self) -> bytes:
        """What has arrived within SLICE_S. Raises Lost."""
        with _losses():
            if self._eye is not None:
                return self._eye.read(SLICE_S)
            data = bytes(self._serial.read(1))
            if data and (waiting := self._serial.in_waiting):
                data += bytes(self._serial.read(waiting))
            return data

    def wake(self) -> None:
        """Ends a wait; a port without a descriptor (Windows, rfc2217) waits its slice."""
        if self._eye is not None:
            self._eye.wake()

    def discard(self) -> None:
        """Throws away what has arrived. Raises Lost."""
        with _losses():
            self._serial.reset_input_buffer()

    def close(self) -> None:
        """Closes; an already broken port is no error."""
        if self._eye is not None:
            self._eye.close()
        with contextlib.suppress(*_breaks()):
            self._serial.close()


class SocketChannel:
    """A TCP connection: a serial server, a gateway, or an instrument with its own network."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            host, number = parts.hostname, parts.port
        except ValueError:
            host = number = None
        if host is None or number is None:
            raise InputError(f"'{url}' is not a port", hint="give socket://host:port")
        try:
            self._socket = socket.create_connection((host, number), timeout=_CONNECT_S)
        except OSError as error:
            raise Absent(f"{url} cannot be reached: {_reason(error)}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._eye = _eye(self._socket)

    def write(self, data: bytes) -> None:
        """Writes all. Raises Silent, Lost."""
        self._socket.settimeout(_WRITE_S)
        with _losses():
            try:
                self._socket.sendall(data)
            except TimeoutError as error:
                raise Silent(f"the peer took no bytes within {_WRITE_S:g} s") from error

    def read(self) -> bytes:
        """What has arrived within SLICE_S. Raises Lost."""
        if self._eye is None:
            return self._receive(SLICE_S)
        with _losses():
            return self._eye.read(SLICE_S)

    def wake(self) -> None:
        """Ends a wait."""
        if self._eye is not None:
            self._eye.wake()

    def discard(self) -> None:
        """Throws away what has arrived. Raises Lost."""
        while self._receive(0.0):
            pass

    def _receive(self, seconds: float) -> bytes:
        self._socket.settimeout(seconds)
        with _losses():
            try:
                data = self._socket.recv(4096)
            except (TimeoutError, BlockingIOError):
                return b""
            if not data:
                raise Lost("the peer closed the connection")
            return data

    def close(self) -> None:
        """Closes; an already broken connection is no error."""
        if self._eye is not None:
            self._eye.close()
        with contextlib.suppress(OSError):
            self._socket.close()


class _Eye:
    """Waits for bytes on a descriptor, or for somebody to wake it: no slice is slept to its end
    while a stop wants the port."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)
        self._guard = threading.Lock()
        self._is_closed = False

    def read(self, seconds: float) -> bytes:
        """What has arrived. Raises OSError, Lost."""
        ready = [descriptor for descriptor, _ in self._poll.poll(1e3 * seconds)]
        if self._woken in ready:
            os.read(self._woken, _CHUNK)
        if self._descriptor not in ready:
            return b""
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            raise Lost("the other end closed the connection")
        return data

    def wake(self) -> None:
        """Ends a wait."""
        with self._guard, contextlib.suppress(BlockingIOError):
            if not self._is_closed:
                os.write(self._waker, b"!")

    def close(self) -> None:
        """May be repeated."""
        with self._guard:
            if not self._is_closed:
                self._is_closed = True
                os.close(self._woken)
                os.close(self._waker)


def _eye(port: Any) -> _Eye | None:
    """None where the system cannot wait for a descriptor of this port."""
    if not hasattr(select, "poll"):
        return None
    try:
        descriptor = port.fileno()
    except (OSError, AttributeError, io.UnsupportedOperation):
        return None
    return _Eye(descriptor) if isinstance(descriptor, int) and descriptor >= 0 else None


def read_until_quiet(
    channel: Channel,
    most_s: float,
    is_over: Callable[[], bool] = lambda: False,
    quiet_s: float = SLICE_S,
) -> bytes:
    """Reads what arrives until nothing came for `quiet_s`, or `is_over`; gives what had come."""
    come = b""
    now = time.monotonic()
    last, end = now, now + most_s
    while now < end and now - last < 0.99 * quiet_s and not is_over():
        data = channel.read()
        now = time.monotonic()
        if data:
            come, last = come + data, now
    return come


def _breaks() -> tuple[type[Exception], ...]:
    import serial

    try:
        import termios
    except ImportError:
        return (serial.SerialException, OSError)
    # termios.error, raised when a vanished port is configured, is neither of the other two
    return (serial.SerialException, OSError, termios.error)


@contextlib.contextmanager
def _losses() -> Iterator[None]:
    try:
        yield
    except HaganeError:
        raise
    except _breaks() as error:
        raise Lost(_reason(error)) from error


def _no_port(path: str) -> str:
    """What stands there that can be no port."""
    kinds = {os.path.isdir: "a folder", os.path.isfile: "a file"}
    found = next((kind for is_it, kind in kinds.items() if is_it(path)), "")
    return found and f"it is {found}, not a serial port"


def _reason(error: Exception) -> str:
    """The system's own words: pyserial's repeat the port, and themselves."""
    # a termios.error has its number as its first argument only
    number = getattr(error, "errno", None) or next(iter(error.args), 0)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    return getattr(error, "strerror", None) or str(error)
