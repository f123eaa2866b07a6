"""A port in memory: the peer is an object that takes bytes and gives bytes. No thread, no wait."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TypeVar

from drivers.protocols.framing import Dialogue
from drivers.transports.wires import (
    Lost,
    Settings,
    Terms,
    missing,
    next_ask,
    refuse_surplus,
    superseded,
    whole_reply,
)
from orchestrator.errors import HaganeError
from orchestrator.ports.resource import Wire

T = TypeVar("T")


class MemoryPort:
    """The same actor as `ports.Port`, for a `Wire`. A wire that raises ConnectionError is cut;
    the next use is a new connection."""

    is_real = False

    def __init__(self, wire: Wire, settings: Settings) -> None:
        self.settings = settings
        self.connection = 0
        self.n_users = 0
        self.is_connected = False
        self._wire = wire
        self._turns = _Turnstile()

    async def connect(self, *, urgent: bool = False) -> int:
        """Counts a new connection where the last one was cut."""
        if not self.is_connected:
            self.is_connected = True
            self.connection += 1
        return self.connection

    async def exchange(self, dialogue: Dialogue[T], terms: Terms) -> T:
        """Plays a dialogue. Raises Lost, Silent, Garbled, Refused."""
        await self._turns.enter(terms.is_urgent)
        try:
            outcome = await self._play_once(dialogue, terms)
        except HaganeError as fault:
            terms.ended(fault)
            raise
        finally:
            self._turns.leave()
        terms.ended(None)
        return outcome

    async def _play_once(self, dialogue: Dialogue[T], terms: Terms) -> T:
        if terms.is_void():
            raise superseded()
        if not self.is_connected or terms.connection != self.connection:
            raise Lost("the connection broke")
        try:
            async with asyncio.timeout(terms.timeout_s):
                return await self._play(dialogue, terms)
        except TimeoutError as error:
            raise missing(b"", terms.timeout_s) from error
        except ConnectionError as error:
            self.is_connected = False
            raise Lost(str(error) or "the connection broke") from error

    async def _play(self, dialogue: Dialogue[T], terms: Terms) -> T:
        try:
            ask, buffer, reply = next(dialogue), b"", b""
        except StopIteration as done:  # nothing is asked
            return done.value  # type: ignore[no-any-return]
        while True:
            if ask.data:
                refuse_surplus(reply, buffer)
                terms.note("sent", ask.data)
                buffer = await self._wire.receive(ask.data)
                if buffer:
                    terms.note("stray" if ask.drains else "came", buffer)
            if ask.drains:
                buffer = b""
            n = whole_reply(buffer, ask.frame)
            if n is None:
                raise missing(buffer, terms.timeout_s)
            reply, buffer = buffer[:n], buffer[n:]
            try:
                ask = next_ask(dialogue, reply)
            except StopIteration as done:
                refuse_surplus(reply, buffer)
                return done.value  # type: ignore[no-any-return]

    async def disconnect(self) -> None:
        """Forgets the connection."""
        self.is_connected = False

    def end(self) -> None:
        """Nothing to end."""


class _Turnstile:
    """One at a time; the urgent go first, each lane in its order."""

    def __init__(self) -> None:
        self._is_taken = False
        self._lanes: tuple[deque[asyncio.Future[None]], deque[asyncio.Future[None]]]
        self._lanes = (deque(), deque())

    async def enter(self, urgent: bool) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lanes[0 if urgent else 1].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        for lane in self._lanes:
            while lane:
                turn = lane.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._is_taken = False
