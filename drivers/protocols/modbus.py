"""Modbus: functions 1 to 6 and 16, over serial lines (RTU) and over TCP.

Source: "MODBUS Application Protocol Specification V1.1b3" (2012), sections 6.1 to 6.6,
6.12 and 7; "MODBUS over Serial Line V1.02" (2006), section 2.5.1 and appendix B for the CRC. A
protocol data unit (`pdu`) is the function and its data; RTU puts the unit's address in front and
the CRC, low byte first, behind; TCP puts a header of 7 bytes in front.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused

READ_COILS, READ_DISCRETES, READ_REGISTERS, READ_INPUTS = 1, 2, 3, 4
WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS = 5, 6, 16
EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge, still working",
    6: "server device busy",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}


def crc16(data: bytes) -> bytes:
    """The CRC of a frame, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def gap_s(baudrate: int) -> float:
    """The silence before a serial frame: 3.5 characters of 11 bits, at least 1.75 ms."""
    return max(3.5 * 11 / baudrate, 0.00175)


def read_coils(first: int, n: int) -> bytes:
    """Asks for `n` coils from address `first`."""
    return struct.pack(">BHH", READ_COILS, first, n)


def read_registers(first: int, n: int) -> bytes:
    """Asks for `n` holding registers from address `first`."""
    return struct.pack(">BHH", READ_REGISTERS, first, n)


def read_discretes(first: int, n: int) -> bytes:
    """Asks for `n` discrete inputs from address `first`; answered as coils are."""
    return struct.pack(">BHH", READ_DISCRETES, first, n)


def read_inputs(first: int, n: int) -> bytes:
    """Asks for `n` input registers from address `first`; answered as registers are."""
    return struct.pack(">BHH", READ_INPUTS, first, n)


def write_coil(address: int, is_on: bool) -> bytes:
    """Sets one coil; the reply echoes it."""
    return struct.pack(">BHH", WRITE_COIL, address, 0xFF00 if is_on else 0)


def write_register(address: int, value: int) -> bytes:
    """Sets one register (0 to 65535); the reply echoes it."""
    return struct.pack(">BHH", WRITE_REGISTER, address, value)


def write_registers(first: int, values: Sequence[int]) -> bytes:
    """Sets consecutive registers; the reply repeats address and number."""
    n = len(values)
    return struct.pack(f">BHHB{n}H", WRITE_REGISTERS, first, n, 2 * n, *values)


def signed(register: int) -> int:
    """A register read as a two's complement number of 16 bits."""
    return register - 0x10000 if register & 0x8000 else register


def registers(pdu: bytes, n: int) -> tuple[int, ...]:
    """The `n` registers of a reply to `read_registers`. Raises Garbled."""
    if len(pdu) != 2 + 2 * n or pdu[1] != 2 * n:
        raise Garbled(f"the reply {pdu.hex()} does not hold {n} registers")
    return struct.unpack(f">{n}H", pdu[2:])


def coils(pdu: bytes, n: int) -> tuple[bool, ...]:
    """The `n` coils of a reply to `read_coils`. Raises Garbled."""
    n_bytes = (n + 7) // 8
    if len(pdu) != 2 + n_bytes or pdu[1] != n_bytes:
        raise Garbled(f"the reply {pdu.hex()} does not hold {n} coils")
    return tuple(bool(pdu[2 + i // 8] >> (i % 8) & 1) for i in range(n))


def checked(request: bytes, reply: bytes) -> bytes:
    """The reply's pdu, once it is known to answer the request's.

    Raises:
        Refused: the reply is an exception.
        Garbled: it answers another function, or a write is not echoed.
    """
    if len(reply) >= 2 and reply[0] == request[0] | 0x80:
        why = EXCEPTIONS.get(reply[1], f"exception {reply[1]}")
        raise Refused(f"function {request[0]} is refused: {why}")
    if not reply or reply[0] != request[0]:
        raise Garbled(f"the reply {reply.hex()} does not answer function {request[0]}")
    if request[0] in (WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS) and reply != request[:5]:
        raise Garbled(f"the reply {reply.hex()} does not echo {request[:5].hex()}")
    return reply


def rtu(unit: int, pdu: bytes) -> bytes:
    """A serial frame."""
    body = bytes((unit,)) + pdu
    return body + crc16(body)


def rtu_length(data: bytes) -> int:
    """Length of the serial reply at the start of `data`, 0 while it cannot be told."""
    if len(data) < 2:
        return 0
    function = data[1]
    if function & 0x80:
        return 5
    if function in (READ_COILS, READ_DISCRETES, READ_REGISTERS, READ_INPUTS):
        return 5 + data[2] if len(data) > 2 else 0
    if function in (WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS):
        return 8
    raise Garbled(f"the reply {data.hex()} has an unknown function {function}")


def open_rtu(frame: bytes, unit: int) -> bytes:
    """The pdu of a serial frame. Raises Garbled."""
    if len(frame) < 4 or crc16(frame[:-2]) != frame[-2:]:
        raise Garbled(f"the frame {frame.hex()} fails its CRC")
    if frame[0] != unit:
        raise Garbled(f"unit {frame[0]} answered instead of {unit}")
    return frame[1:-2]


def ask_rtu(unit: int, pdu: bytes) -> Dialogue[bytes]:
    """Sends a pdu to a unit on a serial line and gives the pdu of the checked reply."""
    frame = yield Ask(rtu(unit, pdu), rtu_length)
    return checked(pdu, open_rtu(frame, unit))


def tcp(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A TCP message."""
    return struct.pack(">HHHB", transaction & 0xFFFF, 0, len(pdu) + 1, unit) + pdu


def tcp_length(data: bytes) -> int:
    """Length of the TCP message at the start of `data`, 0 while it cannot be told."""
    if len(data) < 6:
        return 0
    _, protocol, rest = struct.unpack(">HHH", data[:6])
    if protocol != 0 or not 2 <= rest <= 254:
        raise Garbled(f"the message {data.hex()} has no Modbus header")
    return 6 + int(rest)


def open_tcp(message: bytes, transaction: int, unit: int) -> bytes:
    """The pdu of a TCP message. Raises Garbled."""
    answered, _, _, who = struct.unpack(">HHHB", message[:7])
    if answered != transaction & 0xFFFF or who != unit:
        raise Garbled(f"transaction {answered} of unit {who} answers {transaction} of {unit}")
    return message[7:]


def ask_tcp(transaction: int, unit: int, pdu: bytes) -> Dialogue[bytes]:
    """Sends a pdu over TCP and gives the pdu of the checked reply."""
    message = yield Ask(tcp(transaction, unit, pdu), tcp_length)
    return checked(pdu, open_tcp(message, transaction, unit))
