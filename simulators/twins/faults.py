"""A wire that can be told to fail, so that what a client suffers can be played at will."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from orchestrator.ports.resource import Wire

How = Literal["drop", "delay", "garble", "twice", "hang", "unplug"]
HOWS: tuple[str, ...] = get_args(How)


@dataclass
class Fault:
    """What goes wrong after `after` more replies, `times` times.

    drop: the request is obeyed, its reply is lost. delay: the reply comes `seconds` (wall time)
    late. garble: bits of the reply are turned. twice: the reply is sent twice. hang: requests are
    neither obeyed nor answered, for `seconds` or (0) until healed. unplug: the connection breaks
    and stays away for `seconds` or (0) until healed; `times` does not matter for the last two.
    """

    how: How
    after: int = 0
    times: int = 1
    seconds: float = 0.0


class Faults:
    """What happens to the bytes of one port, over however many connections they come."""

    def __init__(self, wall: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._fault: Fault | None = None
        self._until: float | None = None

    def fail(self, fault: Fault) -> None:
        """The next fault; it replaces one that has not come to its end."""
        self._fault, self._until = fault, None

    def heal(self) -> None:
        """No fault any more."""
        self._fault = self._until = None

    @property
    def unplugged(self) -> Fault | None:
        """The fault that keeps the connection broken, if there is one."""
        fault = self._fault
        return fault if fault and fault.how == "unplug" and fault.after <= 0 else None

    async def carry(self, wire: Wire, data: bytes) -> bytes:
        """What the wire replies to the data, or what the fault makes of it.

        Raises:
            ConnectionError: the port is unplugged.
        """
        fault = self._fault
        if fault is None:
            return await wire.receive(data)
        if fault.how in ("hang", "unplug") and fault.after <= 0:
            return await self._absent(fault, wire, data)
        reply = await wire.receive(data)
        if not reply:
            return reply
        if fault.after > 0:
            fault.after -= 1
            return reply
        fault.times -= 1
        if fault.times <= 0 and self._fault is fault:
            self.heal()
        return await _spoilt(reply, fault)

    async def _absent(self, fault: Fault, wire: Wire, data: bytes) -> bytes:
        now = self._wall()
        if self._until is None:
            self._until = now + fault.seconds if fault.seconds else float("inf")
        if now >= self._until:
            self.heal()
            return await wire.receive(data)
        if fault.how == "unplug":
            raise ConnectionError("the wire is unplugged")
        return b""


class FaultyWire:
    """A wire in memory with `faults` on the way."""

    def __init__(self, wire: Wire, wall: Callable[[], float] = time.monotonic) -> None:
        self._wire = wire
        self.faults = Faults(wall)

    async def receive(self, data: bytes) -> bytes:
        """As the wire behind, or as the fault has it. Raises ConnectionError."""
        return await self.faults.carry(self._wire, data)


async def _spoilt(reply: bytes, fault: Fault) -> bytes:
    if fault.how == "delay":
        await asyncio.sleep(fault.seconds)
        return reply
    if fault.how == "twice":
        return reply + reply
    if fault.how == "garble":
        middle = len(reply) // 2
        return reply[:middle] + bytes((reply[middle] ^ 0x15,)) + reply[middle + 1 :]
    return b""
