"""Daemons of yaq, declared in a file.

    stage: {kind: yaq, declared: stage.yaml, address: "yaq://10.0.0.6:39000"}

A point is a method without arguments, `get_position`; a `call` is a method with arguments by name,
`set_position`. Methods of yaq answer at once and the daemon goes on: say `wait` until `busy` is
false for what takes its time. What a daemon raises is in doubt, since yaq does not say whether it
had begun.

The client is yaqc (LGPL-3; the extra `yaq`). Its own `send` repeats a message over a new connection
when the old one breaks, whatever the message does; here it is never used. Source: yaq's own
documents, YEP-107 ("Avro RPC") and YEP-111 ("is-daemon"). Tried on hardware: no.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from drivers.bridges.objects import plain
from drivers.bridges.points import Client, DeclaredClient
from drivers.protocols.framing import Garbled, Refused
from drivers.transports import Absent, Lost, Silent
from orchestrator.errors import InputError, MissingExtra
from orchestrator.ports.action import Unit
from orchestrator.ports.resource import Bench


class YaqInstrument(DeclaredClient):
    """A daemon of yaq, declared in a file."""

    def __init__(
        self,
        bench: Bench,
        address: str,
        timeout: Annotated[float, Unit("s", low=0.001)] = 2.0,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme != "yaq" or not parts.hostname or not parts.port:
            raise InputError(f"'{address}' is no address of yaq", hint="write yaq://host:port")
        super().__init__(bench, address, timeout)
        self._host, self._number = parts.hostname, parts.port

    async def _connected(self) -> Client:
        yaqc = _yaqc()
        try:
            client = await asyncio.to_thread(self._made, yaqc)
        except (OSError, struct.error) as error:
            raise Absent(f"{self._port} cannot be reached: {error}") from error
        return _Daemon(client, yaqc)

    def _made(self, yaqc: Any) -> Any:
        # yaqc leaves the socket of a connection open that could not be made
        socket.create_connection((self._host, self._number), timeout=self._timeout_s).close()
        return yaqc.Client(self._number, host=self._host, timeout=self._timeout_s)


class _Daemon:
    """A connected client. After a silence its replies are out of step, so it is not used again."""

    def __init__(self, client: Any, yaqc: Any) -> None:
        self._client, self._yaqc = client, yaqc
        self.is_connected = True

    async def read(self, point: str, limit_s: float) -> Any:
        """What a method without arguments gives. Raises Silent, Lost, Garbled, Refused."""
        return plain(await self.call(point, {}, limit_s))

    async def write(self, point: str, value: Any, limit_s: float) -> None:
        """Nothing is set but by methods. Raises Refused."""
        raise Refused(f"'{point}' cannot be set: call the method that does")

    async def call(
        self, name: str, arguments: Mapping[str, Any], limit_s: float, noted: str = ""
    ) -> Any:
        """Calls a method once. Raises Silent, Lost, Garbled, Refused."""
        given = self._ordered(name, arguments)
        try:
            return await asyncio.to_thread(self._sent_once, name, given)
        except TimeoutError as error:
            self.is_connected = False
            raise Silent(f"{name} was not answered within {limit_s:g} s") from error
        except self._yaqc.YaqDaemonException as error:
            raise Garbled(f"{name}: the daemon says {error}") from error
        except (OSError, struct.error) as error:
            raise Lost(f"{name}: {error or 'the daemon closed the connection'}") from error
        except asyncio.CancelledError:
            self.is_connected = False
            raise

    async def close(self) -> None:
        """Closes the connection."""
        with contextlib.suppress(OSError):
            self._client._socket._socket.close()

    def _sent_once(self, name: str, given: list[Any]) -> Any:
        # what is wrapped is the message itself, without the repetition around it
        return type(self._client).send.__wrapped__(self._client, name, *given)

    def _ordered(self, name: str, arguments: Mapping[str, Any]) -> list[Any]:
        messages = self._client._protocol.get("messages", {})
        if name not in messages:
            raise Refused(f"the daemon has no method '{name}'")
        wanted = messages[name].get("request", [])
        unknown = set(arguments) - {one["name"] for one in wanted}
        missing = [one["name"] for one in wanted if "default" not in one]
        lacking = [one for one in missing if one not in arguments]
        if unknown or lacking:
            takes = ", ".join(one["name"] for one in wanted) or "nothing"
            raise Refused(f"{name} takes {takes}, not {', '.join(arguments) or 'nothing'}")
        return [arguments.get(one["name"], one.get("default")) for one in wanted]


def _yaqc() -> Any:
    try:
        import yaqc
    except ImportError as error:
        raise MissingExtra("yaqc", "pip install 'hagane[yaq]'") from error
    return yaqc
