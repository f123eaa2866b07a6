"""A wire that can be told to fail, so that what a client suffers can be played at will.

Every fault strikes at an exchange that is known beforehand, and whatever is drawn in it (where a
reply is cut, which bit is turned) is a function of its seed: a night that failed fails again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, TypeAlias, get_args

from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Wire
from simulators.twins.wire import FramedWire, Manners

How = Literal[
    "drop",
    "delay",
    "truncate",
    "flip",
    "garble",
    "twice",
    "echo",
    "split",
    "merge",
    "address",
    "nak",
    "hang",
    "unplug",
    "reboot",
    "stuck",
    "drift",
    "ignore",
]
HOWS: tuple[str, ...] = get_args(How)
LASTING = frozenset({"hang", "unplug", "reboot", "stuck", "drift"})
_NEEDS = {
    "address": "elsewhere",
    "nak": "refusal",
    "reboot": "restart",
    "drift": "skewed",
    "ignore": "unheeded",
}
_SPLIT_S = 0.02
_DRIFT = 0.01
"""By so much of itself a drifting value moves with each reading."""

Pieces: TypeAlias = list[tuple[float, bytes]]
"""What is sent: each piece after a pause (wall time) in seconds."""


@dataclass
class Fault:
    """What goes wrong after `after` more replies, `times` times.

    drop: the request is obeyed, its reply is lost. delay: the reply comes `seconds` (wall time)
    late. truncate: the reply breaks off. flip: one bit of it is turned. garble: several are. twice:
    it is sent twice. echo: the request comes back ahead of the reply, as from an adapter that hears
    itself. split: the reply comes in two pieces, `seconds` apart. merge: it is held back, and comes
    in one piece with the next one. address: it bears the address of another device. nak: the device
    refuses what it was asked. ignore: a setting is acknowledged and not done.

    Five last, for `seconds` or (0) until healed, and `times` does not matter. hang: requests are
    neither obeyed nor answered. unplug: the connection breaks. reboot: as hang, and the device
    comes back with its power-on defaults (with 0 at once). stuck: the same request gets the same
    reply as before, though it is obeyed. drift: the measured value moves away, 1 % with each
    reading.
    """

    how: How
    after: int = 0
    times: int = 1
    seconds: float = 0.0
    seed: int = 0


Plan: TypeAlias = Callable[[int], Fault | None]
"""The fault that begins at a reply, by the number of that reply on its port, from 1."""


def lacking(how: str, manners: Manners) -> bool:
    """Whether an instrument of such manners cannot fail like this."""
    return how in _NEEDS and getattr(manners, _NEEDS[how]) is None


def possible(how: str, wire: Wire) -> None:
    """Accepts a fault that the instrument behind a wire can have. Raises ValueError."""
    manners = wire.manners if isinstance(wire, FramedWire) else Manners()
    if lacking(how, manners):
        raise ValueError(f"this instrument has no way to fail by '{how}'")


class Faults:
    """What happens to the bytes of one port, over however many connections they come.

    `n_replies` counts the replies, `n_struck` the faults that struck.
    """

    def __init__(self, wall: Callable[[], float] = time.monotonic) -> None:
        self.n_replies = 0
        self.n_struck = 0
        self._wall = wall
        self._fault: Fault | None = None
        self._plans: list[Plan] = []
        self._until: float | None = None
        self._is_begun = False
        self._held = b""
        self._said: dict[bytes, bytes] = {}
        self._n_skewed = 0

    def fail(self, fault: Fault) -> None:
        """The next fault; it replaces one that has not come to its end."""
        self._fault, self._until, self._is_begun = fault, None, False
        self._n_skewed = 0
        self._said.clear()

    def plan(self, plan: Plan) -> None:
        """Faults by the number of the reply; several plans may be made."""
        self._plans.append(plan)

    def heal(self) -> None:
        """No fault any more, nor planned."""
        self._end()
        self._plans.clear()
        self._held = b""

    def begin(self, manners: Manners) -> None:
        """Lets a power cut happen now, and not with the next request."""
        if self._fault is not None and self._fault.how == "reboot":
            self._is_absent(manners)

    @property
    def unplugged(self) -> Fault | None:
        """The fault that keeps the connection broken, if there is one."""
        fault = self._fault
        return fault if fault and fault.how == "unplug" and fault.after <= 0 else None

    def connected(self) -> None:
        """A new connection (TCP): what was held back for an older one is lost with it."""
        self._held = b""

    def plugged(self) -> None:
        """The connection was broken as the fault had it: there is none any more."""
        self._end()

    async def carry(self, wire: Wire, data: bytes) -> AsyncIterator[bytes]:
        """What the wire replies to the data, or what the fault makes of it, piece by piece.

        Raises:
            ConnectionError: the port is unplugged.
        """
        if isinstance(wire, FramedWire):
            for frame, raw in wire.frames(data):
                for piece in self._exchange(wire, frame, raw):
                    yield await _late(piece)
        elif not self._is_absent():
            reply = await wire.receive(data)
            for piece in self._spoilt(reply, data, data, Manners()):
                yield await _late(piece)

    def _exchange(self, wire: FramedWire, frame: bytes, raw: bytes) -> Pieces:
        if self._is_away(wire):
            return []
        fault, manners = self._striking(), wire.manners
        if fault is not None and fault.how in ("nak", "ignore"):
            instead = manners.refusal if fault.how == "nak" else manners.unheeded
            answer = instead(frame) if instead else None
            if answer is not None:
                self._count()
                self._strike(fault)
                return [(0.0, answer)] if answer else []
        return self._spoilt(wire.answer(frame), frame, raw, manners)

    def _spoilt(self, reply: bytes, frame: bytes, raw: bytes, manners: Manners) -> Pieces:
        if not reply:
            return []
        self._begin_planned(manners)
        fault = self._striking()
        self._count()
        if fault is None:
            if self._fault is not None and self._fault.how == "stuck":
                self._said[frame] = reply
            reply, self._held = self._held + reply, b""
            return [(0.0, reply)]
        reply, self._held = self._held + reply, b""
        if fault.how in ("stuck", "drift"):
            return [(0.0, self._false(fault, frame, reply, manners))]
        if fault.how in ("nak", "ignore"):
            return [(0.0, reply)]
        if fault.how == "merge":
            self._held = reply
        self._strike(fault)
        return _pieces(fault, reply, raw, manners)

    def _false(self, fault: Fault, frame: bytes, reply: bytes, manners: Manners) -> bytes:
        """What is said in place of the truth by a sensor that is stuck, or drifts."""
        if fault.how == "stuck":
            return self._said.setdefault(frame, reply)
        off = _DRIFT * (self._n_skewed + 1)
        skewed = manners.skewed(frame, reply, off) if manners.skewed else None
        self._n_skewed += skewed is not None
        return reply if skewed is None else skewed

    def _begin_planned(self, manners: Manners) -> None:
        if self._fault is not None:
            return
        for plan in self._plans:
            fault = plan(self.n_replies + 1)
            if fault is not None and not lacking(fault.how, manners):
                # what keeps a device away begins with what follows this reply
                self.fail(replace(fault, after=int(fault.how in ("hang", "unplug", "reboot"))))
                return

    def _striking(self) -> Fault | None:
        """The fault that strikes now; one that lasts may just have ended."""
        fault = self._fault
        if fault is None or fault.after > 0:
            return None
        return None if fault.how in LASTING and self._has_passed(fault) else fault

    def _count(self) -> None:
        self.n_replies += 1
        if self._fault is not None and self._fault.after > 0:
            self._fault.after -= 1

    def _strike(self, fault: Fault) -> None:
        self.n_struck += 1
        fault.times -= 1
        if fault.times <= 0 and self._fault is fault:
            self._end()

    def _is_away(self, wire: FramedWire) -> bool:
        """As `_is_absent`; what else had arrived is lost then."""
        try:
            is_absent = self._is_absent(wire.manners)
        except ConnectionError:
            wire.forget()
            raise
        if is_absent:
            wire.forget()
        return is_absent

    def _is_absent(self, manners: Manners | None = None) -> bool:
        """Whether nobody is there. Raises ConnectionError when the port is unplugged."""
        fault = self._striking()
        if fault is None or fault.how not in ("hang", "unplug", "reboot"):
            return False
        if fault.how == "unplug":
            raise ConnectionError("the wire is unplugged")
        if fault.how == "reboot" and not self._is_begun:
            self._is_begun, self._held = True, b""
            if manners is not None and manners.restart is not None:
                manners.restart()
            if not fault.seconds:
                self._end()
                return False
        return True

    def _has_passed(self, fault: Fault) -> bool:
        now = self._wall()
        if self._until is None:
            self.n_struck += 1
            self._until = now + fault.seconds if fault.seconds else float("inf")
        if now < self._until:
            return False
        self._end()
        return True

    def _end(self) -> None:
        self._fault = self._until = None


class FaultyWire:
    """A wire in memory with `faults` on the way.

    `wall` is the time by which faults end. The pauses that a fault makes are wall time, for which a
    virtual `clock` stands still.
    """

    def __init__(
        self,
        wire: Wire,
        wall: Callable[[], float] = time.monotonic,
        clock: Clock | None = None,
    ) -> None:
        self._wire, self._clock = wire, clock
        self.faults = Faults(wall)

    async def receive(self, data: bytes) -> bytes:
        """As the wire behind, or as the fault has it. Raises ConnectionError."""
        if isinstance(self._wire, FramedWire):
            await self._wire.patience(data)
        with self._clock.work() if self._clock else contextlib.nullcontext():
            return b"".join([piece async for piece in self.faults.carry(self._wire, data)])


async def _late(piece: tuple[float, bytes]) -> bytes:
    pause_s, data = piece
    if pause_s > 0:
        await asyncio.sleep(pause_s)
    return data


def _pieces(fault: Fault, reply: bytes, raw: bytes, manners: Manners) -> Pieces:
    chance = Random(f"{fault.seed} {fault.how} {fault.times} {len(reply)}")
    cut = chance.randrange(1, len(reply)) if len(reply) > 1 else 0
    match fault.how:
        case "delay":
            return [(fault.seconds, reply)]
        case "split":
            return [(0.0, reply[:cut]), (fault.seconds or _SPLIT_S, reply[cut:])]
        case "drop" | "merge":
            return []
        case "truncate":
            return [(0.0, reply[:cut])]
        case "twice":
            return [(0.0, reply + reply)]
        case "echo":
            return [(0.0, raw + reply)]
        case _:
            return [(0.0, _turned(fault, reply, chance, manners))]


def _turned(fault: Fault, reply: bytes, chance: Random, manners: Manners) -> bytes:
    if fault.how == "address":
        return manners.elsewhere(reply) if manners.elsewhere else reply
    at, mask = len(reply) // 2, 0x15
    if fault.how == "flip":
        at, mask = chance.randrange(len(reply)), 1 << chance.randrange(8)
    return reply[:at] + bytes((reply[at] ^ mask,)) + reply[at + 1 :]
