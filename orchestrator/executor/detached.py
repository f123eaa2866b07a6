"""Calculations that nobody waits for: each turn of an engine looks what became of them.

Nothing stays running between the turns but the calculations themselves, each a batch job of the
scheduler (or a process of this machine) that runs our child in the attempt's directory. What an
attempt came to is read there. An attempt is named by its key where it has one, so that two trials
that need the same share it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import CalculationFailed, CalculationFault, ExecutionError, StillRunning
from orchestrator.executor.attempts import (
    LONGEST_NAME,
    Attempts,
    answer_in,
    full_disk,
    has_room,
)
from orchestrator.executor.batches import Batches
from orchestrator.executor.claims import Claims
from orchestrator.executor.known import KnownResults
from orchestrator.executor.submissions import ATTEMPTS, Tell, given_up
from orchestrator.model.attempts import AttemptLost
from orchestrator.ports.compute import Before

FAULT = "fault.json"
"""What an attempt left that nobody's input is to blame for; after it another one is begun."""
GIVEN_UP = "given-up"
"""A file in the directory of an attempt that was the last one of so many."""


class DetachedCompute:
    """Submits below `root`, which is named as the campaign, and collects (`ports.compute.Compute`).
    What was submitted in a turn goes to the scheduler with `flush`, as one array. `awaited` says of
    what is not submitted who computes it."""

    goes_on = True

    def __init__(
        self,
        root: Path,
        batches: Batches,
        *,
        results: KnownResults | None = None,
        attempts: int = ATTEMPTS,
        tell: Tell | None = None,
    ) -> None:
        self._batches = batches
        self._results = results
        self._most = attempts
        self._tell = tell
        self.awaited: dict[str, str] = {}
        self._attempts = Attempts(root)
        self._claims = Claims(results.root, root.name, is_in_turns=True) if results else None
        self._given_up: set[str] = set()
        self._under_way: set[str] = set()

    async def submit(
        self,
        function: str,
        arguments: Mapping[str, Any],
        *,
        ticket: str = "",
        key: str = "",
        before: Before | None = None,
    ) -> Mapping[str, Any]:
        """See `ports.compute`; never waits."""
        request = {"function": function, "arguments": dict(arguments)}
        if self._results is None or self._claims is None or not key:
            found = await self._collected(key[:LONGEST_NAME] or ticket, ticket, request)
            return {**found, "reused": 0} if key else found
        known = self._results.get(key)
        if known is None and not self._is_begun(key[:LONGEST_NAME]):
            self._refuse_claimed(key, self._claims)
            known = self._results.get(key)  # after the claim: it may have been given back with it
        if known is not None:
            self._claims.release(key)
            return {**known, "reused": 1}
        try:
            found = await self._collected(key[:LONGEST_NAME], ticket, request)
        except StillRunning:
            self._claims.take(key)  # shows that it still counts
            self._under_way.add(key)
            raise
        except BaseException:
            self._claims.release(key)
            raise
        with contextlib.suppress(OSError):
            self._results.put(key, request, found)
        self._claims.release(key)
        return {**found, "reused": 0}

    def _is_begun(self, name: str) -> bool:
        """Whether nothing is to be begun: an attempt is on its way, or has come to something."""
        latest = self._attempts.latest(name)
        if latest is None:
            return self._attempts.is_packed(name)
        return not (latest / FAULT).exists()

    def _refuse_claimed(self, key: str, claims: Claims) -> None:
        """Raises StillRunning: another campaign computes it."""
        other = claims.take(key)
        if other is not None:
            self.awaited[key] = other.campaign
            raise StillRunning(f"{other} computes the same", hint="look again later")

    async def _collected(
        self, name: str, ticket: str, request: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        found = self._found(name)
        if found is None:
            await self._begin_or_wait(name, ticket or name, request)
            raise StillRunning("the calculation was submitted", hint="look again later")
        return found

    def _found(self, name: str) -> Mapping[str, Any] | None:
        latest = self._attempts.latest(name)
        if latest is None:
            return self._attempts.settled(name)
        try:
            return answer_in(latest)
        except CalculationFailed:
            raise
        except ExecutionError:
            # told once; whoever puts it right and goes on has it computed again
            (latest / "result.json").rename(latest / FAULT)
            raise

    async def _begin_or_wait(self, name: str, ticket: str, request: Mapping[str, Any]) -> None:
        latest = self._attempts.latest(name)
        if latest is None or (latest / FAULT).exists():
            self._batches.add(self._attempts.begin(name, request))
            return
        standing = self._batches.standing(latest)
        if standing is None:  # its engine died before it was submitted
            self._batches.add(latest)
        elif not standing.is_alive and not (latest / "result.json").exists():
            await self._lost(name, ticket, request, latest)

    async def _lost(self, name: str, ticket: str, request: Mapping[str, Any], latest: Path) -> None:
        """Begins another attempt, a few times. What several trials share is given up for those of
        one turn: a later one tries it again, since it may have been the machine."""
        self._refuse_faults(latest)
        number, why = self._attempts.n_begun(name), self._batches.why(latest)
        mark = latest / GIVEN_UP
        if mark.exists() and name != ticket and name not in self._given_up:
            self._batches.add(self._attempts.begin(name, request))
            return
        if not mark.exists() and self._tell is not None:
            await self._tell(AttemptLost(ticket=ticket, attempt=number, why=why))
        marks = (GIVEN_UP, FAULT)
        before = [int(m.parent.name) for one in marks for m in latest.parent.glob(f"*/{one}")]
        tried = self._most if mark.exists() else number - max(before, default=0)
        if tried >= self._most:
            mark.touch()
            self._given_up.add(name)
            raise given_up(tried, why, latest)
        self._batches.add(self._attempts.begin(name, request))

    def _refuse_faults(self, latest: Path) -> None:
        """Raises CalculationFault, once: it was no loss, and no input is to blame."""
        is_full, fault = not has_room(latest), self._batches.fault(latest)
        if is_full or fault:
            with contextlib.suppress(OSError):  # else it is told once more
                (latest / FAULT).touch()
        if is_full:
            raise full_disk(latest)
        if fault:
            hint = f"see {latest / 'output.txt'}"
            raise CalculationFault(f"the calculation {fault}, without a result", hint=hint)

    async def known(self, ticket: str) -> Mapping[str, Any] | None:
        """See `ports.compute`: of those without a key."""
        return self._attempts.known(ticket)

    async def is_running(self, ticket: str) -> bool:
        """See `ports.compute`: of those without a key."""
        latest = self._attempts.latest(ticket) if ticket else None
        standing = self._batches.standing(latest) if latest is not None else None
        return standing is not None and standing.is_alive

    def flush(self) -> int:
        """Submits what came together in this turn; how many calculations that is.

        Raises:
            ExecutionError: the scheduler does not take them; the next turn tries again, unless
                another campaign, for which nothing is claimed meanwhile, computes the same.
        """
        try:
            return self._batches.flush()
        except ExecutionError:
            for key in self._under_way:
                if self._attempts.latest(key[:LONGEST_NAME]) in self._batches.waiting:
                    assert self._claims is not None, "nothing else has keys that are claimed"
                    self._claims.release(key)
            raise

    def close(self) -> None:
        """Packs what is done."""
        with contextlib.suppress(OSError):
            self._attempts.pack()
