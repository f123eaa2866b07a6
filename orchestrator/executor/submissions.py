"""Submit, and a future (`ports.compute.Compute`): what all places have in common.

A result that is known is taken; a worker that is lost is told of and another attempt is begun, a
few times; and whatever became of whoever was to report it, what counts is what the directory holds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from orchestrator.errors import CalculationFailed, CalculationFault
from orchestrator.executor.attempts import LONGEST_NAME, Attempts, answer_in
from orchestrator.executor.child import DISK_FULL
from orchestrator.executor.claims import Claims
from orchestrator.executor.known import KnownResults
from orchestrator.executor.remote import seems_to_run
from orchestrator.model.attempts import AttemptLost, CalculationAwaited, OnItsWay
from orchestrator.ports.clock import Clock
from orchestrator.ports.compute import Before

ATTEMPTS = 3
"""So often a calculation is begun whose worker is lost."""
KEY = "key"
"""In a request that is kept in its directory: under what its result is kept for others."""
LOOK_S, LONGEST_LOOK_S = 0.05, 2.0
"""How soon it is looked again what became of another engine's calculation: at first, and later."""
Tell = Callable[[OnItsWay], Awaitable[None]]


@dataclass(frozen=True)
class End:
    """How the process of an attempt ended, as far as anybody saw it.

    `is_lost`: not by itself, so that the calculation may be begun again. `why` in words.
    """

    why: str
    is_lost: bool = False


def end_of(code: int) -> End:
    """From an exit code, negative for a signal as in `subprocess`."""
    if code == DISK_FULL:
        return End("could not write its result: the disk is full")
    return End(f"ended with code {code}", is_lost=code < 0)


class Place(Protocol):
    """Somewhere to run the request of a directory.

    Attributes:
        is_far: what runs there may outlive this process for a moment.
    """

    is_far: bool

    async def run(self, directory: Path, before: Before | None) -> End:
        """Runs it; when it is cancelled, nothing of it goes on.

        Raises:
            ExecutionError: there is nowhere to run it.
        """
        ...

    def close(self) -> None:
        """Ends all that still runs."""
        ...


class Submissions:
    """Has calculations done at a place, below `root`, which is named as the campaign; `tell` is
    told of lost workers, and of what is waited for. Results with a key are kept in `results`, if it
    is given, and taken from there; what another engine computes there is waited for."""

    goes_on = False

    def __init__(
        self,
        root: Path,
        place: Place,
        clock: Clock,
        *,
        results: KnownResults | None = None,
        attempts: int = ATTEMPTS,
        tell: Tell | None = None,
    ) -> None:
        self._root = root
        self._place = place
        self._clock = clock
        self._results = results
        self._most = attempts
        self._tell = tell
        self._attempts = Attempts(root)
        self._claims = Claims(results.root, root.name) if results is not None else None
        self._one_by_one: dict[str, asyncio.Lock] = {}
        self._n_waiting: dict[str, int] = {}
        self._packing: asyncio.Future[None] | None = None

    async def submit(
        self,
        function: str,
        arguments: Mapping[str, Any],
        *,
        ticket: str = "",
        key: str = "",
        before: Before | None = None,
    ) -> Mapping[str, Any]:
        """See `ports.compute`."""
        request = {"function": function, "arguments": dict(arguments)}
        if self._results is None or self._claims is None or not key:
            found = await self._computed(request, ticket, before)
            return {**found, "reused": 0} if key else found
        async with self._alone(key):
            known = self._results.get(key)
            if known is not None:
                return {**known, "reused": 1}
            left = self._attempts.known(key[:LONGEST_NAME])  # what a turn (`tick`) began
            if left is None and self._attempts.asked(ticket).get(KEY) == key:
                left = self._attempts.known(ticket)  # an engine died before it took it
            if left is None:
                known = await self._awaited(key, ticket, self._results, self._claims)
                if known is not None:
                    return {**known, "reused": 1}
            async with self._claims.held(key):
                found = left or await self._computed({**request, KEY: key}, ticket, before)
                self._keep(key, request, found)
            return {**found, "reused": 0}

    async def _awaited(
        self, key: str, ticket: str, results: KnownResults, claims: Claims
    ) -> Mapping[str, Any] | None:
        """What another engine has come to meanwhile, or None: then this one has the claim. No
        worker is held up."""
        told, look_s = "", LOOK_S
        with self._clock.work():
            while True:
                other = claims.take(key)
                known = results.get(key)  # after the claim: it may have been given back with it
                if known is not None:
                    claims.release(key)
                    return known
                if other is None:
                    return None
                if self._tell is not None and told != str(other):
                    told = str(other)
                    await self._tell(CalculationAwaited(ticket=ticket, of=told))
                await asyncio.sleep(look_s)
                look_s = min(1.5 * look_s, LONGEST_LOOK_S)

    def _keep(self, key: str, request: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):  # it has its directory, and goes into the journal
            if self._results is not None:
                self._results.put(key, request, found)

    @contextlib.asynccontextmanager
    async def _alone(self, key: str) -> Any:
        """Nobody else computes this key meanwhile; a lock lasts while somebody wants it."""
        lock = self._one_by_one.setdefault(key, asyncio.Lock())
        self._n_waiting[key] = self._n_waiting.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._n_waiting[key] -= 1
            if not self._n_waiting[key]:
                del self._n_waiting[key], self._one_by_one[key]

    async def _computed(
        self, request: Mapping[str, Any], ticket: str, before: Before | None
    ) -> Mapping[str, Any]:
        with self._clock.work():
            try:
                for number in range(1, self._most + 1):
                    directory = self._attempts.begin(ticket, request)
                    end = await self._place.run(directory, before)
                    found = answer_in(directory)
                    if found is not None:
                        return found
                    if not end.is_lost:
                        hint = f"see {directory / 'output.txt'}"
                        said = f"the calculation {end.why}, without a result"
                        raise CalculationFault(said, hint=hint)
                    if self._tell is not None:
                        await self._tell(AttemptLost(ticket=ticket, attempt=number, why=end.why))
            finally:
                if self._attempts.done(ticket):
                    self._packing = asyncio.ensure_future(self._pack())
        raise given_up(self._most, end.why, directory)

    async def _pack(self) -> None:
        """Thousands of files: no stop and no interlock may wait for them."""
        with contextlib.suppress(OSError):  # what is not packed stays as it is
            await asyncio.to_thread(self._attempts.pack)

    def close(self) -> None:
        """Ends what still runs, and what was kept for it."""
        self._place.close()

    async def known(self, ticket: str) -> Mapping[str, Any] | None:
        """See `ports.compute`; a result that nobody had taken is kept for others too."""
        found = self._attempts.known(ticket)
        asked = dict(self._attempts.asked(ticket))
        key = asked.pop(KEY, "")
        is_lacking = key and self._results is not None and self._results.get(key) is None
        if found is not None and is_lacking:
            self._keep(key, asked, found)
        return found

    async def is_running(self, ticket: str) -> bool:
        """See `ports.compute`; a pilot lives on for some seconds when it hears nothing more."""
        if not ticket or not self._place.is_far:
            return False
        # an action of several calculations has them under its ticket and a '-'
        names = [p.name for p in self._root.glob(f"{ticket}*")]
        latest = [found for name in names if (found := self._attempts.latest(name)) is not None]
        return any(map(seems_to_run, latest))


def given_up(n: int, why: str, directory: Path) -> CalculationFailed:
    """A calculation that takes its worker along each time."""
    return CalculationFailed(
        f"the calculation lost its worker {n} times; the last one {why}",
        hint=f"see {directory / 'output.txt'}; perhaps it needs more memory or more time",
    )
