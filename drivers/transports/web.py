"""The open end of an HTTP server: one connection for each request, so that none goes stale."""

from __future__ import annotations

import contextlib
import socket
import ssl
from urllib.parse import urlsplit

from drivers.protocols import http
from drivers.protocols.framing import Garbled
from drivers.transports.wires import Absent, Lost, Silent
from orchestrator.errors import InputError

_SLICE_S = 0.05
_CONNECT_S = 3.0
_WRITE_S = 5.0
_PORTS = {"http": 80, "https": 443}


class WebChannel:
    """Connects when a request is written, and closes when the next one is."""

    def __init__(self, url: str) -> None:
        """Looks whether somebody listens. Raises Absent, InputError."""
        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            host = None
        if host is None:
            raise InputError(f"'{url}' is not an address", hint="give http://host:port")
        self._url, self._address = url, (host, port)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._socket: socket.socket | None = None
        self._come = b""
        self._connect()
        self.close()

    def write(self, data: bytes) -> None:
        """Sends a request. Raises Absent: nobody listens, and nothing was sent; Silent, Lost."""
        self.close()
        self._come = b""
        connection = self._connect()
        connection.settimeout(_WRITE_S)
        try:
            connection.sendall(data)
        except TimeoutError as error:
            raise Silent(f"the server took no bytes within {_WRITE_S:g} s") from error
        except OSError as error:
            raise Lost(error.strerror or str(error)) from error

    def read(self) -> bytes:
        """What has arrived; waits for at most a slice of time. Raises Lost.

        Without a connection nothing comes.
        """
        if self._socket is None:
            return b""
        self._socket.settimeout(_SLICE_S)
        try:
            data = self._socket.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return b""
        except OSError as error:
            raise Lost(error.strerror or str(error)) from error
        if not data:
            self.close()
            if not self._is_whole():
                raise Lost("the server closed the connection before its reply was whole")
        self._come += data
        return data

    def _is_whole(self) -> bool:
        try:
            return 0 < http.length(self._come) <= len(self._come)
        except Garbled:
            return True

    def wake(self) -> None:
        """A wait is not ended: it lasts a slice."""

    def discard(self) -> None:
        """Closes: what still comes answers a request that nobody waits for any more."""
        self.close()

    def close(self) -> None:
        """Never raises."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        try:
            plain = socket.create_connection(self._address, timeout=_CONNECT_S)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = plain
            if self._tls is not None:
                self._socket = self._tls.wrap_socket(plain, server_hostname=self._address[0])
        except OSError as error:
            self.close()
            said, hint = _reason(error)
            raise Absent(f"{self._url} cannot be reached: {said}", hint=hint) from error
        return self._socket


def _reason(error: OSError) -> tuple[str, str]:
    """Why there is no connection, and what may help."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = f"its certificate is not trusted ({error.verify_message})"
        return said, "name a file with the certificates to be trusted in SSL_CERT_FILE"
    if isinstance(error, ssl.SSLError):
        return f"it does not speak TLS ({error.reason})", "give http:// where it has no https://"
    return error.strerror or str(error), ""
