"""A wire whose replies can be spoilt, and how a driver's actions are tried on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.ports.action import ActionSpec, Effect, actions_of
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Resource, Wire

Spoil = Callable[[bytes], bytes]
TICKET = "0123456789abcdef"
Arguments = Mapping[str, Mapping[str, Any]]


def lost(reply: bytes) -> bytes:
    """The reply does not come."""
    return b""


def cut_short(reply: bytes) -> bytes:
    """The first half of the reply."""
    return reply[: len(reply) // 2]


def twice(reply: bytes) -> bytes:
    """The reply comes twice."""
    return reply + reply


class Spoilable:
    """A wire whose next replies can be spoilt, and which keeps what is written to it.

    `clock` is the driver's, `fresh` makes another device in the state of delivery, `another` a
    driver on one. From the piece `lost_from` on no reply comes.
    """

    def __init__(
        self,
        wire: Wire,
        clock: Clock,
        fresh: Callable[[], Wire],
        another: Callable[[], tuple[Resource, Spoilable]],
    ) -> None:
        self.written: list[bytes] = []
        self.is_cut = False
        self.spoils: deque[Spoil] = deque()
        self.always: Spoil | None = None
        self.lost_from: bytes | None = None
        self.clock, self.fresh, self.another = clock, fresh, another
        self._wire = wire

    @property
    def n_written(self) -> int:
        """How many bytes were written."""
        return sum(map(len, self.written))

    def cut_power(self) -> None:
        """The device is in the state of delivery again."""
        self._wire = self.fresh()

    async def receive(self, data: bytes) -> bytes:
        """See `ports.resource.Wire`."""
        self.written.append(data)
        if self.is_cut:
            raise ConnectionError("the wire is cut")
        if data == self.lost_from:
            self.always = lost
        reply = await self._wire.receive(data)
        if reply and self.always is not None:
            return self.always(reply)
        return self.spoils.popleft()(reply) if reply and self.spoils else reply


def given_to(spec: ActionSpec, arguments: Arguments) -> dict[str, Any]:
    """What an action is tried with."""
    ticket = {"ticket": TICKET} if spec.wants_ticket else {}
    return {**arguments.get(spec.name, {}), **ticket}


def readings_of(device: Resource) -> list[tuple[str, Callable[[], Any]]]:
    """The readings that need no argument, by name."""
    return [
        (name, getattr(device, name))
        for name, spec in actions_of(type(device)).items()
        if spec.effect is Effect.NONE and not any(arg.required for arg in spec.args)
    ]
