"""Nodes of an OPC UA server, declared in a file.

    pump: {kind: opcua, declared: pump.yaml, address: "opc.tcp://10.0.0.9:4840/"}

A point is the id of a node, `nsu=urn:acme:pump;s=Flow` (by the namespace's name, which stays) or
`ns=2;s=Flow` (by its number, which a server may change), or a path of browse names below Objects,
`/Pump/Flow`. A `call` is a method's; its arguments go by their names. A value whose status is not
good is no value. Messages are neither signed nor encrypted: give the server a network of its own.

The client is asyncua (LGPL-3; the extra `opcua`). Source: OPC 10000-4, "Services", 5.11 and 5.12.
Tried against an asyncua server; not against one of the LADS companion specification (OPC 30500), of
which none could be had. Tried on hardware: no.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from drivers.bridges.points import Client, DeclaredClient
from drivers.protocols.framing import Garbled, Refused
from drivers.transports import Absent, Lost, Silent
from orchestrator.errors import InputError, MissingExtra
from orchestrator.ports.action import Unit
from orchestrator.ports.resource import Bench

_BROKEN = ("BadConnectionClosed", "BadSecureChannelClosed", "BadSessionIdInvalid", "BadShutdown")
_LATE = ("BadTimeout", "BadRequestTimeout")
_IN_DOUBT = ("BadInternalError", "BadUnexpectedError", "BadDeviceFailure", "BadCommunicationError")
"""What a server says when it failed on the way, so that something may have been done."""


class OpcUaInstrument(DeclaredClient):
    """Nodes of an OPC UA server, declared in a file."""

    def __init__(
        self,
        bench: Bench,
        address: str,
        timeout: Annotated[float, Unit("s", low=0.001)] = 4.0,
    ) -> None:
        if urlsplit(address).scheme != "opc.tcp":
            raise InputError(
                f"'{address}' is no address of OPC UA", hint="write opc.tcp://host:4840/"
            )
        super().__init__(bench, address, timeout)

    async def _connected(self) -> Client:
        asyncua = _asyncua()
        client = asyncua.Client(self._port, timeout=self._timeout_s)
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.connect()
        except (OSError, TimeoutError, asyncua.ua.UaError) as error:
            client.disconnect_socket()
            await asyncio.sleep(0)  # or its transport is never told
            said = str(error) or type(error).__name__
            raise Absent(f"{self._port} cannot be reached: {said}") from error
        return _Nodes(client, asyncua.ua)


class _Nodes:
    """A session. One that breaks is dropped, and a new one is identified before it is used."""

    is_connected = True

    def __init__(self, client: Any, ua: Any) -> None:
        self._client, self._ua = client, ua
        self._transport: Any = getattr(client.uaclient.protocol, "transport", None)
        self._found: dict[str, Any] = {}

    async def read(self, point: str, limit_s: float) -> Any:
        """The value of a node. Raises Silent, Lost, Garbled, Refused."""
        with self._faults(point):
            node = await self._node(point)
            read = await node.read_data_value(raise_on_bad_status=False)
            status = read.StatusCode
            if status is not None and not status.is_good():
                raise Refused(f"{point} is {status.name}, so it has no value")
            return read.Value.Value

    async def write(self, point: str, value: Any, limit_s: float) -> None:
        """Writes a node, in its own type. Raises Silent, Lost, Garbled, Refused."""
        with self._faults(point):
            node = await self._node(point)
            kind = await node.read_data_type_as_variant_type()
            await node.write_value(self._ua.DataValue(self._variant(point, value, kind)))

    async def call(
        self, name: str, arguments: Mapping[str, Any], limit_s: float, noted: str = ""
    ) -> Any:
        """Calls a method; gives its output by name. Raises Silent, Lost, Garbled, Refused."""
        with self._faults(name):
            method = await self._node(name)
            wanted = await self._declared(method, "InputArguments")
            takes_names = _names(wanted)
            if set(arguments) != set(takes_names):
                takes = ", ".join(takes_names) or "nothing"
                raise Refused(f"{name} takes {takes}, not {', '.join(arguments) or 'nothing'}")
            given = [
                self._variant(name, arguments[n], self._ua.VariantType(a.DataType.Identifier))
                for n, a in zip(takes_names, wanted, strict=True)
            ]
            parent = await method.get_parent()
            output = await parent.call_method(method, *given)
            names = _names(await self._declared(method, "OutputArguments"))
        values = output if isinstance(output, list) else [output]
        return dict(zip(names, values, strict=False))

    async def close(self) -> None:
        """Ends the session."""
        with contextlib.suppress(OSError, TimeoutError, self._ua.UaError, asyncio.CancelledError):
            async with asyncio.timeout(2.0):
                await self._client.disconnect()
        if self._transport is not None:
            # asyncua forgets the transport of a connection that broke
            self._transport.close()
            await asyncio.sleep(0)

    def _variant(self, name: str, value: Any, kind: Any) -> Any:
        number = self._ua.VariantType
        if kind in (number.Float, number.Double):
            return self._ua.Variant(float(value), kind)
        if kind is number.Boolean:
            return self._ua.Variant(bool(value), kind)
        if isinstance(value, float) and not value.is_integer():
            raise Refused(f"{name} takes whole numbers, not {value:g}")
        return self._ua.Variant(int(value) if isinstance(value, float) else value, kind)

    async def _declared(self, method: Any, which: str) -> list[Any]:
        for child in await method.get_properties():
            if (await child.read_browse_name()).Name == which:
                return list(await child.read_value())
        return []

    async def _node(self, point: str) -> Any:
        if point not in self._found:
            self._found[point] = await self._looked_up(point)
        return self._found[point]

    async def _looked_up(self, point: str) -> Any:
        if point.startswith("/"):
            node = self._client.nodes.objects
            for step in point.strip("/").split("/"):
                node = await self._child(node, step, point)
            return node
        if point.startswith("nsu="):
            uri, _, rest = point.removeprefix("nsu=").partition(";")
            try:
                index = await self._client.get_namespace_index(uri)
            except ValueError as error:
                raise Refused(f"the server has no namespace '{uri}'") from error
            return self._client.get_node(f"ns={index};{rest}")
        return self._client.get_node(point)

    async def _child(self, node: Any, name: str, point: str) -> Any:
        found = [
            child
            for child in await node.get_children()
            if (await child.read_browse_name()).Name == name
        ]
        if len(found) != 1:
            raise Refused(f"'{point}' leads to {len(found)} nodes at '{name}'")
        return found[0]

    @contextlib.contextmanager
    def _faults(self, point: str) -> Iterator[None]:
        try:
            yield
        except self._ua.UaStatusCodeError as error:
            name = self._ua.StatusCode(error.code).name
            said = f"{point}: {name}"
            if name in _BROKEN:
                raise Lost(said) from error
            if name in _LATE:
                raise Silent(said) from error
            raise (Garbled(said) if name in _IN_DOUBT else Refused(said)) from error
        except self._ua.UaStringParsingError as error:
            raise Refused(f"'{point}' is no id of a node") from error
        except (OSError, ConnectionError) as error:
            raise Lost(f"{point}: {error or type(error).__name__}") from error
        except self._ua.UaError as error:
            raise Garbled(f"{point}: {error or type(error).__name__}") from error


def _asyncua() -> Any:
    try:
        import asyncua
        import asyncua.ua
    except ImportError as error:
        raise MissingExtra("asyncua", "pip install 'hagane[opcua]'") from error
    return asyncua


def _names(arguments: Sequence[Any]) -> list[str]:
    """The names of a method's arguments; `arg1`, by its place, of one that has none."""
    return [argument.Name or f"arg{place}" for place, argument in enumerate(arguments, 1)]
