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


class FaultyWire:
    """Another wire with faults on the way. A cut one raises ConnectionError."""

    def __init__(self, wire: Wire, wall: Callable[[], float] = time.monotonic) -> None:
        self._wire, self._wall = wire, wall
        self._fault: Fault | None = None
        self._until: float | None = None

    def fail(self, fault: Fault) -> None:
        """The next fault; it replaces one that has not come to its end."""
        self._fault, self._until = fault, None

    def heal(self) -> None:
        """No fault any more."""
        self._fault = self._until = None

    @property
    def is_away(self) -> bool:
        """Whether the connection is broken now."""
        return self._lasts("unplug")

    async def receive(self, data: bytes) -> bytes:
        """As the wire behind, or as the fault has it. Raises ConnectionError."""
        fault = self._fault
        if fault is not None and fault.how in ("hang", "unplug") and fault.after <= 0:
            return self._absent(fault)
        reply = await self._wire.receive(data)
        if not reply or fault is None:
            return reply
        if fault.after > 0:
            fault.after -= 1
            return reply
        if fault.how in ("hang", "unplug"):
            return reply
        fault.times -= 1
        if fault.times <= 0:
            self._fault = None
        return await _spoilt(reply, fault)

    def _absent(self, fault: Fault) -> bytes:
        if self._until is None:
            self._until = self._wall() + fault.seconds if fault.seconds else float("inf")
        if not self._lasts(fault.how):
            return b""
        if fault.how == "unplug":
            raise ConnectionError("the wire is unplugged")
        return b""

    def _lasts(self, how: str) -> bool:
        fault = self._fault
        if fault is None or fault.how != how or self._until is None:
            return False
        if self._wall() >= self._until:
            self.heal()
            return False
        return True


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
