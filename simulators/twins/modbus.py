"""Modbus, the answering side: functions 1, 3, 5, 6, 15, 16, on a serial bus and over TCP.

MODBUS Application Protocol V1.1b3, section 6; MODBUS over Serial Line V1.02, section 2.5 (frames
end after a silence; here their length follows from the function, and a frame with a wrong CRC takes
along all that has arrived).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Protocol

from simulators.twins.wire import FramedWire, Manners

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4
BROADCAST = 0
_WRITES = {5: 6, 6: 6, 15: 6, 16: 6}
_MOST_REGISTERS, _MOST_COILS = 125, 2000


class Cells(Protocol):
    """What a unit has: registers and coils by address.

    Each method raises KeyError for an address that there is not, ValueError for a value that the
    unit does not take.
    """

    def register(self, address: int) -> int: ...

    def set_register(self, address: int, value: int) -> None: ...

    def coil(self, address: int) -> bool: ...

    def set_coil(self, address: int, is_on: bool) -> None: ...


class Unit(Cells, Protocol):
    """A unit that can lose its power."""

    def restart(self) -> None: ...


def crc(body: bytes) -> bytes:
    """CRC-16 of a serial frame, low byte first."""
    register = 0xFFFF
    for byte in body:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return struct.pack("<H", register)


def serial_bus(units: Mapping[int, Unit]) -> FramedWire:
    """Units on one RS-485 line, and on one supply; other addresses stay silent.

    Address 0 is all of them: each does what it can of a write, none answers (MODBUS over Serial
    Line V1.02, section 2.1).
    """

    def restart() -> None:
        for unit in units.values():
            unit.restart()

    def reply(frame: bytes) -> bytes:
        if len(frame) < 4 or crc(frame[:-2]) != frame[-2:]:
            return b""
        _tell_all(units, frame)
        unit = units.get(frame[0])
        if unit is None:
            return b""
        return _sealed(frame[:1] + answer(unit, frame[1:-2]))

    def refusal(frame: bytes) -> bytes | None:
        if frame[0] not in units:
            return None
        return _sealed(bytes((frame[0], frame[1] | 0x80, DEVICE_FAILURE)))

    manners = Manners(refusal, _elsewhere, _skewed, _unheeded, restart)
    return FramedWire(_split_serial, reply, manners=manners)


def _tell_all(units: Mapping[int, Unit], frame: bytes) -> None:
    if frame[0] == BROADCAST and frame[1] in _WRITES:
        for unit in units.values():
            answer(unit, frame[1:-2])


def tcp_server(unit: Cells, restart: Callable[[], None]) -> FramedWire:
    """One unit behind TCP, whatever number is asked for; `restart` is what a power cut does."""

    def reply(message: bytes) -> bytes:
        pdu = answer(unit, message[7:])
        return message[:4] + struct.pack(">HB", len(pdu) + 1, message[6]) + pdu

    def refusal(message: bytes) -> bytes:
        pdu = bytes((message[7] | 0x80, DEVICE_FAILURE))
        return message[:4] + struct.pack(">HB", len(pdu) + 1, message[6]) + pdu

    def elsewhere(message: bytes) -> bytes:
        return message[:6] + bytes((message[6] ^ 1,)) + message[7:]

    manners = Manners(refusal, elsewhere, restart=restart)
    return FramedWire(_split_tcp, reply, manners=manners)


def _sealed(body: bytes) -> bytes:
    return body + crc(body)


def _elsewhere(reply: bytes) -> bytes:
    return _sealed(bytes((reply[0] + 1,)) + reply[1:-2])


def _unheeded(frame: bytes) -> bytes | None:
    """A write is acknowledged by address and value, or address and number."""
    n = _WRITES.get(frame[1])
    return None if n is None else _sealed(frame[:n])


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    """The first of the registers that were read."""
    if reply[1] != 3:
        return None
    (value,) = struct.unpack(">h", reply[3:5])
    changed = max(-0x8000, min(0x7FFF, round(value * (1 + share))))
    return _sealed(reply[:3] + struct.pack(">h", changed) + reply[5:-2])


def answer(unit: Cells, pdu: bytes) -> bytes:
    """The reply to a protocol data unit, an exception where it must be."""
    function = pdu[0]
    act = {1: _read_coils, 3: _read, 5: _write_coil, 6: _write, 15: _write_coils, 16: _write_many}
    if function not in act:
        return bytes((function | 0x80, ILLEGAL_FUNCTION))
    try:
        return bytes((function,)) + act[function](unit, pdu[1:])
    except KeyError:
        return bytes((function | 0x80, ILLEGAL_ADDRESS))
    except (ValueError, struct.error):
        return bytes((function | 0x80, ILLEGAL_VALUE))


def _read(unit: Cells, data: bytes) -> bytes:
    first, n = struct.unpack(">HH", data)
    if not 1 <= n <= _MOST_REGISTERS:
        raise ValueError(n)
    values = [unit.register(first + i) for i in range(n)]
    return struct.pack(f">B{n}H", 2 * n, *values)


def _write(unit: Cells, data: bytes) -> bytes:
    unit.set_register(*struct.unpack(">HH", data))
    return data


def _write_many(unit: Cells, data: bytes) -> bytes:
    first, n, n_bytes = struct.unpack(">HHB", data[:5])
    values = struct.unpack(f">{n}H", data[5:])
    if n_bytes != 2 * n:
        raise ValueError(n)
    for i in range(n):
        unit.register(first + i)
    for i, value in enumerate(values):
        unit.set_register(first + i, value)
    return data[:4]


def _read_coils(unit: Cells, data: bytes) -> bytes:
    first, n = struct.unpack(">HH", data)
    if not 1 <= n <= _MOST_COILS:
        raise ValueError(n)
    packed = bytearray((n + 7) // 8)
    for i in range(n):
        packed[i // 8] |= unit.coil(first + i) << (i % 8)
    return bytes((len(packed),)) + bytes(packed)


def _write_coil(unit: Cells, data: bytes) -> bytes:
    address, value = struct.unpack(">HH", data)
    if value not in (0x0000, 0xFF00):
        raise ValueError(value)
    unit.set_coil(address, value == 0xFF00)
    return data


def _write_coils(unit: Cells, data: bytes) -> bytes:
    first, n, n_bytes = struct.unpack(">HHB", data[:5])
    bits = data[5:]
    if n_bytes != len(bits) or n_bytes != (n + 7) // 8:
        raise ValueError(n)
    for i in range(n):
        unit.coil(first + i)
    for i in range(n):
        unit.set_coil(first + i, bool(bits[i // 8] >> (i % 8) & 1))
    return data[:4]


def _split_serial(data: bytes) -> tuple[bytes | None, bytes]:
    if len(data) < 2:
        return None, data
    length = len(data)
    if data[1] in (1, 2, 3, 4, 5, 6):
        length = 8
    elif data[1] in (15, 16):
        length = 9 + data[6] if len(data) > 6 else 9
    if len(data) < length:
        return None, data
    frame = data[:length]
    return (frame, data[length:]) if crc(frame[:-2]) == frame[-2:] else (None, b"")


def _split_tcp(data: bytes) -> tuple[bytes | None, bytes]:
    if len(data) < 8:
        return None, data
    protocol, length = struct.unpack(">HH", data[2:6])
    if protocol != 0 or not 2 <= length <= 254:
        return None, b""
    end = 6 + length
    return (data[:end], data[end:]) if len(data) >= end else (None, data)
