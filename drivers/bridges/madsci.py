"""Nodes of MADSci, declared in a file, over their REST interface.

    arm: {kind: madsci, declared: arm.yaml, address: "http://10.0.0.8:2000", notebook: runs.txt}

A point is a path into what the node says of itself, `state.temperature`, `status.errored`,
`info.node_name`. A `call` is one of its actions, with its arguments by name, or an admin command,
`admin.safety_stop`. An action is created first, which does nothing and gives it an identity, noted
under the ticket (`as: "{ticket}"`); then it is started, once, and waited for. So it can be asked
about: the point `@{ticket}` is its status (running, succeeded, failed, ...),
`@{ticket}.json_result` what it gave. With `notebook` the notes are in a file, for an engine after
this one.

Nothing of MADSci is needed here: its client would bring 148 MB. Source: madsci.client 0.8.1,
`rest_node_client.py`, and madsci.node_module 0.8.1, `rest_node_module.py`. Tried on hardware: no.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urlsplit

from drivers.bridges.notes import Notes
from drivers.bridges.points import Client, DeclaredClient, PointDeclaration
from drivers.protocols import http
from drivers.protocols.framing import Garbled, Refused
from drivers.transports import Absent, Lost
from orchestrator.errors import InputError
from orchestrator.ports.action import Unit
from orchestrator.ports.resource import Bench

_POLL_S = 0.1
_ABOUT = ("state", "status", "info")
_ENDED_BADLY = ("failed", "cancelled", "not_ready")


class MadsciDeclaration(PointDeclaration):
    """A declared node of MADSci."""

    notes_executions: ClassVar[bool] = True


class MadsciInstrument(DeclaredClient):
    """A node of MADSci, declared in a file."""

    declaration = MadsciDeclaration

    def __init__(
        self,
        bench: Bench,
        address: str,
        notebook: str = "",
        timeout: Annotated[float, Unit("s", low=0.001)] = 10.0,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.hostname:
            raise InputError(f"'{address}' is no address of a node", hint="write http://host:2000")
        super().__init__(bench, address, timeout)
        self._host, self._number = parts.hostname, parts.port or 80
        self._notes = Notes(Path(notebook).expanduser() if notebook else None)

    async def _connected(self) -> Client:
        node = _Node(self._host, self._number, self._notes)
        try:
            async with asyncio.timeout(self._timeout_s):
                await node.read("info.node_name", self._timeout_s)
        except (Lost, TimeoutError) as error:
            raise Absent(f"{self._port} cannot be reached: {error}") from error
        return node


class _Node:
    """A node: one connection for each request, and none is ever sent twice."""

    is_connected = True

    def __init__(self, host: str, port: int, notes: Notes) -> None:
        self._host, self._port, self._notes = host, port, notes

    async def read(self, point: str, limit_s: float) -> Any:
        """What the node says of itself, or of an action. Raises Lost, Garbled, Refused."""
        if point.startswith("@"):
            ticket, _, field = point[1:].partition(".")
            return await self._execution(ticket, field)
        first, _, path = point.partition(".")
        if first not in _ABOUT:
            raise Refused(f"'{point}' begins with none of {', '.join(_ABOUT)}")
        return _at(await self._answer("GET", f"/{first}"), path, point)

    async def write(self, point: str, value: Any, limit_s: float) -> None:
        """Nothing is set but by actions. Raises Refused."""
        raise Refused(f"'{point}' cannot be set: call the action that does")

    async def call(
        self, name: str, arguments: Mapping[str, Any], limit_s: float, noted: str = ""
    ) -> Any:
        """Starts an action once, and waits for its end. Raises Lost, Garbled, Refused."""
        if name.startswith("admin."):
            reply = await self._answer("POST", f"/admin/{quote(name.removeprefix('admin.'))}", {})
            if not reply.get("success"):
                raise Refused(f"{name} is refused: {_errors(reply)}")
            return reply
        action = f"/action/{quote(name)}"
        created = await self._answer("POST", action, {"args": dict(arguments)})
        execution = str(created["action_id"])
        if noted:
            self._note(noted, name, execution)
        result = await self._answer("POST", f"{action}/{execution}/start", {})
        while result.get("status") not in ("succeeded", *_ENDED_BADLY):
            await asyncio.sleep(_POLL_S)
            result = await self._answer("GET", f"/action/{execution}/result")
        if result["status"] == "not_ready":
            raise Refused(f"the node is not ready for {name}: {_errors(result)}")
        if result["status"] != "succeeded":
            raise Garbled(f"{name} {result['status']}: {_errors(result)}")
        return result

    async def close(self) -> None:
        """There is no connection that lasts."""

    def _note(self, ticket: str, name: str, execution: str) -> None:
        try:
            self._notes.add(ticket, name, execution)
        except OSError as error:
            raise Refused(f"{name} was not started: it cannot be noted ({error})") from error

    async def _execution(self, ticket: str, field: str) -> Any:
        noted = self._notes.find(ticket)
        if noted is None:
            return "unknown"
        if not field:
            return await self._answer("GET", f"/action/{noted[1]}/status")
        return _at(await self._answer("GET", f"/action/{noted[1]}/result"), field, f"@{ticket}")

    async def _answer(self, method: str, path: str, content: Any = None) -> Any:
        reply = http.parse(await self._exchanged(method, path, content))
        said = f"{method} {path} is answered with {reply.status} {reply.reason}"
        if reply.status >= 500:
            raise Garbled(f"{said} ({reply.body[:200].decode('utf-8', 'replace')})")
        if not 200 <= reply.status < 300:
            raise Refused(f"{said} ({reply.body[:200].decode('utf-8', 'replace')})")
        return reply.content()

    async def _exchanged(self, method: str, path: str, content: Any) -> bytes:
        """The whole reply to one request. Raises Lost, Garbled."""
        host = f"{self._host}:{self._port}"
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            raise Lost(f"{host}: {error.strerror or error}") from error
        data = b""
        try:
            writer.write(http.request(method, host, path, {}, content))
            await writer.drain()
            while not (n := http.length(data)) or n > len(data):
                part = await reader.read(65536)
                if not part:
                    raise Lost(f"{host} closed the connection before its reply was whole")
                data += part
            return data[:n]
        except OSError as error:
            raise Lost(f"{host}: {error.strerror or error}") from error
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _at(content: Any, path: str, point: str) -> Any:
    for step in path.split(".") if path else []:
        try:
            content = content[int(step)] if isinstance(content, list) else content[step]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise Refused(f"the node says nothing of '{point}'") from error
    return content


def _errors(reply: Mapping[str, Any]) -> str:
    said = [str(one.get("message", one)) for one in reply.get("errors") or []]
    return "; ".join(said) or "it does not say why"
