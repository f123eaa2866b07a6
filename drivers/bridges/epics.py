"""Process variables of EPICS, declared in a file, over Channel Access.

    lab file:   gate: {kind: epics, declared: instruments/gate.yaml, address: "ca://"}

A point is the name of a process variable. It is set with a put that waits for its completion, so a
record that moves something answers when it has moved; say `within` where that takes its time. A
value in INVALID alarm is no value. An enumeration (`bo`, `mbbo`) is set by its word or its index,
and its value is either. Servers are found as EPICS_CA_ADDR_LIST says. The client is
caproto (BSD, pure Python; the extra `epics`). Source: "Channel Access Protocol Specification",
CA_PROTO_READ_NOTIFY and CA_PROTO_WRITE_NOTIFY. Tried on hardware: no.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Annotated, Any

from drivers.bridges.points import Client, DeclaredClient
from drivers.protocols.framing import Garbled, Refused
from drivers.transports import Absent, Lost, Silent
from orchestrator.errors import InputError, MissingExtra
from orchestrator.ports.action import Unit
from orchestrator.ports.resource import Bench

_INVALID = 3
"""Severity of a value that its record does not believe itself."""


class EpicsInstrument(DeclaredClient):
    """Process variables of EPICS, declared in a file.

    `address` is `ca://` and what stands before every name: `ca://XF:31ID-` makes `gate` of the
    declaration `XF:31ID-gate`, so that one declaration is good for all that are alike.
    """

    def __init__(
        self,
        bench: Bench,
        address: str,
        timeout: Annotated[float, Unit("s", low=0.001)] = 5.0,
    ) -> None:
        super().__init__(bench, address, timeout)
        self._prefix = prefix_of(address)

    async def _connected(self) -> Client:
        variables = _Variables(self._prefix)
        point = self.said.identify.read
        try:
            await variables.read(str(point), self._timeout_s)
        except (Silent, Lost) as error:
            await variables.close()
            raise Absent(f"no server has '{self._prefix}{point}'") from error
        return variables


class _Word(int):
    """An index of an enumeration that is equal to its word where a text is asked for."""

    def __new__(cls, index: int, word: str) -> _Word:
        made = super().__new__(cls, index)
        made._word = word
        return made

    _word: str

    def __repr__(self) -> str:
        return repr(self._word)

    def __str__(self) -> str:
        return self._word


def _told(value: Any, words: tuple[str, ...]) -> Any:
    return _Word(value, words[value]) if 0 <= value < len(words) else value


def prefix_of(address: str) -> str:
    """What stands before every name, of `ca://PREFIX`. Raises InputError."""
    if not address.startswith("ca://"):
        raise InputError(
            f"'{address}' is no address of EPICS",
            hint="write ca://PREFIX, and set EPICS_CA_ADDR_LIST to the servers",
        )
    return address.removeprefix("ca://")


class _Variables:
    """The channels of one client. One that breaks and comes back is a new connection for us."""

    def __init__(self, prefix: str) -> None:
        """Raises MissingExtra."""
        try:
            import caproto
            from caproto.threading.client import Context, SharedBroadcaster
        except ImportError as error:
            raise MissingExtra("caproto", "pip install 'hagane[epics]'") from error

        class Searching(SharedBroadcaster):  # type: ignore[misc]
            """A search that could not be sent is as one that got lost: it is sent again.

            Raised in caproto's own thread, it would end all searching: when the network is gone
            for a moment, and when `disconnect` closes the socket under a search.
            """

            def send(self, *commands: Any) -> None:
                with contextlib.suppress(caproto.CaprotoNetworkError):
                    super().send(*commands)

        self._caproto: Any = caproto
        self._context: Any = Context(broadcaster=Searching())
        self._prefix = prefix
        self._channels: dict[str, Any] = {}
        self._enumerations: dict[str, tuple[str, ...]] = {}
        self._has_broken = False

    @property
    def is_connected(self) -> bool:
        """Whether no channel has broken."""
        return not self._has_broken

    async def read(self, point: str, limit_s: float) -> Any:
        """The value: a number, a text, a list of numbers. Raises Silent, Lost, Refused."""
        return await asyncio.to_thread(self._read, point, limit_s)

    async def write(self, point: str, value: Any, limit_s: float) -> None:
        """Puts and waits for the completion. Raises Silent, Lost, Refused."""
        await asyncio.to_thread(self._write, point, value, limit_s)

    async def call(
        self, name: str, arguments: Mapping[str, Any], limit_s: float, noted: str = ""
    ) -> Any:
        """There is nothing to be called. Raises Refused."""
        raise Refused(f"EPICS has no calls: '{name}' cannot be called, only set")

    async def close(self) -> None:
        """Closes the channels."""
        with contextlib.suppress(self._caproto.CaprotoError, OSError):
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._context.disconnect()
        self._context.broadcaster.disconnect()

    def _read(self, point: str, limit_s: float) -> Any:
        channel = self._channel(point, limit_s)
        with self._faults(point, limit_s):
            reply = channel.read(timeout=limit_s, data_type="time")
        self._check(reply, point)
        if reply.metadata.severity == _INVALID:
            raise Refused(f"{point} is in INVALID alarm, so it has no value")
        values = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in reply.data]
        if not values:
            raise Garbled(f"{point} came without a value")
        words = self._words(channel, limit_s)
        plain = [v if isinstance(v, str) else _told(v.item(), words) for v in values]
        return plain[0] if len(plain) == 1 else plain

    def _write(self, point: str, value: Any, limit_s: float) -> None:
        channel = self._channel(point, limit_s)
        with self._faults(point, limit_s):
            told = self._index(point, value, self._words(channel, limit_s))
            reply = channel.write(told, wait=True, notify=True, timeout=limit_s)
        self._check(reply, point)

    def _words(self, channel: Any, limit_s: float) -> tuple[str, ...]:
        """The words of an enumeration by their index; none of any other variable."""
        kind = self._caproto.ChannelType.ENUM
        if channel.channel.native_data_type != kind:
            return ()
        if channel.name not in self._enumerations:
            said = channel.read(timeout=limit_s, data_type="control").metadata.enum_strings
            self._enumerations[channel.name] = tuple(w.decode("latin-1") for w in said)
        return self._enumerations[channel.name]

    def _index(self, point: str, value: Any, words: tuple[str, ...]) -> Any:
        if isinstance(value, str) and words and not value.isdecimal():
            if value not in words:
                raise Refused(f"{point} takes {', '.join(words)}, not '{value}'")
            return words.index(value)
        return int(value) if isinstance(value, bool) else value

    def _channel(self, point: str, limit_s: float) -> Any:
        channel = self._channels.get(point)
        if channel is None:
            (channel,) = self._context.get_pvs(
                self._prefix + point, connection_state_callback=self._changed
            )
            with self._faults(point, limit_s):
                channel.wait_for_connection(timeout=limit_s)
            self._channels[point] = channel
        if self._has_broken or not channel.connected:
            raise Lost(f"the server of {point} went away")
        return channel

    def _changed(self, channel: Any, state: str) -> None:
        self._has_broken = self._has_broken or state == "disconnected"

    def _check(self, reply: Any, point: str) -> None:
        if not reply.status.success:
            raise Refused(f"{point} is refused: {reply.status.description}")

    @contextlib.contextmanager
    def _faults(self, point: str, limit_s: float) -> Any:
        try:
            yield
        except self._caproto.CaprotoTimeoutError as error:
            raise Silent(f"{point} did not answer within {limit_s:g} s") from error
        except self._caproto.ErrorResponseReceived as error:
            raise Refused(f"{point} is refused: {error}") from error
        except (ValueError, TypeError) as error:  # before anything is sent
            raise Refused(f"{point} does not take that: {error}") from error
        except (self._caproto.CaprotoError, OSError) as error:
            raise Lost(f"{point}: {error or type(error).__name__}") from error
