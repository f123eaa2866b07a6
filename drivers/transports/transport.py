"""A resource's hold on a port, and the registry through which resources share one."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import TypeAlias, TypeVar

from drivers.protocols.framing import Dialogue, Garbled, Refused
from drivers.transports.memory import MemoryPort
from drivers.transports.ports import Port
from drivers.transports.replaying import ReplayPort, replay_of
from drivers.transports.wires import Absent, Lost, Settings, Silent, Taken, Terms
from orchestrator.errors import (
    DeviceAbsent,
    DeviceGarbled,
    DeviceGone,
    DeviceRefused,
    DeviceSilent,
    HaganeError,
    InputError,
    PortTaken,
)
from orchestrator.ports.addresses import port_itself
from orchestrator.ports.resource import Bench
from orchestrator.ports.traffic import Mark, Passage, Way

T = TypeVar("T")
Table: TypeAlias = MutableMapping[object, Port | MemoryPort]

_ports: dict[object, Port | MemoryPort] = {}
# a port in memory has nothing to close: it lives as long as somebody holds it
_memory_ports: weakref.WeakValueDictionary[object, Port | MemoryPort]
_memory_ports = weakref.WeakValueDictionary()
_guard = threading.Lock()
_REPLAY = "replay:"
_MARKS: Mapping[type[HaganeError], Mark]
_UNSENT: Mapping[type[HaganeError], Mark] = {Silent: "unsent", Lost: "found_gone"}
_MARKS = {Silent: "silent", Garbled: "garbled", Lost: "gone", Refused: "refused"}


class Transport:
    """What one resource sees of its port. Made by `open_transport`."""

    def __init__(
        self, bench: Bench, address: str, table: Table, key: object, port: Port | MemoryPort
    ) -> None:
        self._bench = bench
        self._address = address
        self._table = table
        self._key = key
        self._port = port
        self._is_closed = False
        self._n_stops = 0
        self.connection = 0

    @property
    def is_current(self) -> bool:
        """Whether the connection that this resource knows still stands."""
        return self._port.is_connected and self._port.connection == self.connection

    async def connect(self, *, urgent: bool = False) -> int:
        """Connects where needed; gives the number of the connection.

        A number that the resource has not seen means: identify before anything else.

        Raises:
            DeviceAbsent: the port is not there.
            PortTaken: another process holds it.
        """
        before = self.connection
        try:
            with self._bench.clock.work():
                self.connection = await self._port.connect(urgent=urgent)
        except HaganeError as fault:
            said = "taken" if isinstance(fault, Taken) else "absent"
            self._note("mark", said=said, why=str(fault))
            raise named(self._bench.name, fault) from fault
        if self.connection != before:
            self._bench.figures.n_reconnects += before > 0
            self._note("mark", said="connected")
        return self.connection

    async def exchange(self, dialogue: Dialogue[T], *, timeout_s: float, urgent: bool = False) -> T:
        """Plays a dialogue, alone on the port from its first to its last byte.

        `timeout_s` is wall time per reply. The urgent go ahead of all that is queued, and what
        this resource has queued until then is never sent: it is silent.

        Raises:
            DeviceGone, DeviceSilent, DeviceGarbled, DeviceRefused.
        """
        self._n_stops += urgent
        n_stops, passed = self._n_stops, [0]

        def note(way: Way, data: bytes) -> None:
            passed[0] += 1
            self._note(way, data)

        def ended(fault: HaganeError | None) -> None:
            if fault is not None:
                marks = _MARKS if passed[0] else _UNSENT
                self._note("mark", said=marks.get(type(fault), "refused"), why=str(fault))

        terms = Terms(
            self.connection,
            timeout_s,
            is_urgent=urgent,
            is_void=lambda: not urgent and self._n_stops != n_stops,
            note=note,
            ended=ended,
        )
        # a real device takes wall time, for which virtual time must stand still; an in-memory one
        # may wait on campaign time itself
        clock = self._bench.clock.work() if self._port.is_real else contextlib.nullcontext()
        began = time.perf_counter()
        figures = self._bench.figures
        figures.n_exchanges += 1
        try:
            with clock:
                outcome = await self._port.exchange(dialogue, terms)
        except HaganeError as fault:
            figures.n_silences += isinstance(fault, Silent)
            figures.n_garbled += isinstance(fault, Garbled)
            raise named(self._bench.name, fault) from fault
        figures.latencies_s.append(time.perf_counter() - began)
        return outcome

    def _note(self, way: Way, data: bytes = b"", said: str = "", why: str = "") -> None:
        if self._bench.record is not None:
            passage = Passage(way, data, time.time(), self.connection, self._address, said, why)
            self._bench.record(passage)

    async def close(self) -> None:
        """Lets go of the port; the last to leave closes it. May be repeated."""
        if self._is_closed:
            return
        self._is_closed = True
        with _guard:
            self._port.n_users -= 1
        if self._port.n_users == 0:
            await self._port.disconnect()
            with _guard:
                # somebody else may have come in while it was being closed
                if self._port.n_users == 0 and self._table.get(self._key) is self._port:
                    del self._table[self._key]
                    self._port.end()


def named(resource: str, fault: HaganeError) -> HaganeError:
    """What went wrong on a wire, as an error of the resource that it happened to."""
    sentence = str(fault)
    match fault:
        case Absent():
            return DeviceAbsent(
                resource,
                sentence,
                hint=fault.hint or "check the cable, the power and the port's name",
            )
        case Taken():
            return PortTaken(resource, sentence, hint="end that process, or use another port")
        case Lost():
            return DeviceGone(
                resource,
                sentence,
                hint="check the cable and the power, and that no other program is connected to it",
            )
        case Silent():
            return DeviceSilent(
                resource,
                sentence,
                hint="check the power, the address and the line settings; a slow device needs a "
                "longer `timeout`",
            )
        case Garbled():
            return DeviceGarbled(
                resource,
                sentence,
                hint=fault.hint or "check the line settings, and that nobody else listens",
            )
        case Refused():
            return DeviceRefused(resource, sentence, hint=fault.hint)
        case _:
            return fault


async def open_transport(port: str, bench: Bench, settings: Settings) -> Transport:
    """Opens a port, or joins those who have it open.

    `port` is a device (`/dev/ttyUSB0`), a pyserial URL (`socket://host:port`), a server
    (`http://host:port`), a resource of VISA (`visa:GPIB0::22::INSTR`), `memory:NAME` for the peer
    `bench.wires[NAME]`, or `replay:FILE` for a record (`replaying`).

    Raises:
        DeviceAbsent: it is not there.
        PortTaken: another process holds it.
        InputError: it is open with other settings, or is no port.
    """
    is_real = not port.startswith(("memory:", _REPLAY))
    table: Table = _ports if is_real else _memory_ports
    with _guard:
        key, make = _key_and_maker(port, bench, settings)
        held = table.get(key) or make()
        table[key] = held
        held.n_users += 1
    transport = Transport(bench, port, table, key, held)
    try:
        if held.settings != settings:
            raise InputError(
                f"{bench.name}: {port} is already open at {held.settings}, and this driver wants "
                f"{settings}",
                hint="all resources on one port need the same line settings: those that a driver "
                "leaves open are in the lab file, beside 'port'",
            )
        await transport.connect()
    except BaseException:
        await transport.close()
        raise
    return transport


def _key_of(port: str) -> object:
    """That of those who have it open, though the device may have come back under another name."""
    device = port_itself(port)
    for key, held in _ports.items():
        if isinstance(held, Port) and port_itself(held.address) == device:
            return key
    # where the old name of one that came back elsewhere is another device's by now
    return device if device not in _ports else (device, port)


def _key_and_maker(
    port: str, bench: Bench, settings: Settings
) -> tuple[object, Callable[[], Port | MemoryPort]]:
    if port.startswith(_REPLAY):
        replay = replay_of(bench, Path(port.removeprefix(_REPLAY)))
        return id(replay), lambda: ReplayPort(replay, settings)
    if not port.startswith("memory:"):
        return _key_of(port), lambda: Port(port, settings)
    wire = bench.wires.get(port.removeprefix("memory:"))
    if wire is None:
        raise DeviceAbsent(
            bench.name,
            f"there is no in-memory peer '{port}'",
            hint=f"known: {', '.join(sorted(bench.wires)) or 'none'}",
        )
    return id(wire), lambda: MemoryPort(wire, settings)
