"""The open end of an instrument behind VISA: GPIB, USB-TMC, VXI-11, HiSLIP. The door to PyVISA.

`visa:GPIB0::22::INSTR` opens a resource with the VISA library that PyVISA finds, or with the one
that follows `@`: `visa:TCPIP::10.0.0.5::INSTR@py`, `visa:GPIB0::8::INSTR@bench.yaml@sim`.

A bus that carries messages is not read before the instrument says that a message is available (bit
4 of the status byte, IEEE 488.2-1992, section 11.2.1.2), where the library can read its status: a
read that comes too early makes some instruments refuse the query. Serial lines and sockets behind
VISA are read as they come.
Tried on hardware: no; GPIB and USB-TMC were tried on PyVISA-sim only.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from drivers.transports.wires import Absent, Lost, Settings
from orchestrator.errors import HaganeError, InputError, MissingExtra

PREFIX = "visa:"
_SLICE_S = 0.05
_POLL_S = 0.002
_WRITE_MS = 1000
_MESSAGE_MS = 5000
_MESSAGE_AVAILABLE = 1 << 4


class VisaChannel:
    """A session of PyVISA. Used by one thread only."""

    def __init__(
        self, port: str, settings: Settings, open_resource: Callable[[str], Any] | None = None
    ) -> None:
        """Opens a resource.

        Raises:
            Absent: it is not there, or the library cannot open it.
            InputError: the name is none of VISA's.
            HaganeError: there is no such library, or it wants something that is not installed.
            MissingExtra: PyVISA is not installed.
        """
        self._visa = visa = _pyvisa()
        self._errors = (visa.errors.VisaIOError, visa.errors.InvalidSession, OSError)
        try:
            self._session: Any = (open_resource or _open)(port)
        except visa.rname.InvalidResourceName as error:
            raise InputError(
                f"VISA cannot use '{port}': {error.msg}", hint="such as visa:GPIB0::22::INSTR"
            ) from error
        except ValueError as error:  # PyVISA's own error where a library is missing
            raise HaganeError(
                f"VISA cannot use '{port}': {str(error).splitlines()[0]}",
                hint="`pyvisa-info` lists the libraries, and what each of them can use",
            ) from error
        except self._errors as error:
            raise Absent(f"{port} cannot be opened: {error}") from error
        is_line = self._session.interface_type is visa.constants.InterfaceType.asrl
        is_message = not is_line and "SOCKET" not in port.upper()
        if is_line:
            self._set_line(settings)
        self._tells = is_message and self._tells_what_is_available()

    def _tells_what_is_available(self) -> bool:
        """Whether the library can read the status byte: not every one can."""
        try:
            self._session.read_stb()
        except NotImplementedError:
            return False
        except self._visa.errors.VisaIOError as error:
            if error.error_code == self._visa.constants.StatusCode.error_nonsupported_operation:
                return False
            self.close()
            raise Absent(f"it does not tell its status: {error}") from error
        return True

    def write(self, data: bytes) -> None:
        """Writes all. Raises Lost."""
        with self._losses():
            self._session.timeout = _WRITE_MS
            self._session.write_raw(data)

    def read(self) -> bytes:
        """What has arrived within a slice of time. Raises Lost."""
        with self._losses():
            return self._message() if self._tells else self._stream()

    def _message(self) -> bytes:
        end = time.monotonic() + _SLICE_S
        while not self._is_available():
            if time.monotonic() > end:
                return b""
            time.sleep(_POLL_S)
        self._session.timeout = _MESSAGE_MS
        return bytes(self._session.read_raw())

    def _is_available(self) -> bool:
        return bool(self._session.read_stb() & _MESSAGE_AVAILABLE)

    def _stream(self) -> bytes:
        """What comes until a line or a message ends, or nothing comes for a slice of time.

        Byte by byte: what a longer read has got when its time is up is lost.
        """
        self._session.timeout = _SLICE_S * 1000
        there_is_more = self._visa.constants.StatusCode.success_max_count_read
        data, status = b"", there_is_more
        try:
            with self._session.ignore_warning(there_is_more):
                while status == there_is_more and not data.endswith(b"\n"):
                    part, status = self._session.visalib.read(self._session.session, 1)
                    data += bytes(part)
        except self._visa.errors.VisaIOError as error:
            if error.error_code != self._visa.constants.StatusCode.error_timeout:
                raise
        return data

    def wake(self) -> None:
        """A library's wait is not ended: it lasts a slice."""

    def discard(self) -> None:
        """Throws away what has arrived, where that can be known. Raises Lost."""
        with self._losses():
            while self._tells and self._is_available():
                self._session.read_raw()

    def close(self) -> None:
        """Never raises."""
        with contextlib.suppress(*self._errors):
            self._session.close()

    def _set_line(self, settings: Settings) -> None:
        constants = self._visa.constants
        self._session.baud_rate = settings.baudrate
        self._session.data_bits = settings.bytesize
        self._session.parity = {
            "N": constants.Parity.none,
            "E": constants.Parity.even,
            "O": constants.Parity.odd,
        }[settings.parity]
        self._session.stop_bits = {
            1: constants.StopBits.one,
            1.5: constants.StopBits.one_and_a_half,
            2: constants.StopBits.two,
        }[settings.stopbits]

    @contextlib.contextmanager
    def _losses(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise Lost(str(error)) from error


def _open(port: str) -> Any:
    name, _, library = port.removeprefix(PREFIX).partition("@")
    # all sessions of a library share its manager, so nobody closes it
    manager = _pyvisa().ResourceManager(
        f"@{library}" if library and "@" not in library else library
    )
    return manager.open_resource(name, open_timeout=3000)


def _pyvisa() -> Any:
    try:
        import pyvisa
    except ImportError as error:
        raise MissingExtra("PyVISA", "pip install 'hagane[visa]'") from error
    return pyvisa
