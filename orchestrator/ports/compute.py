"""Work that is computed, not measured: submit, and a future.

The local pool (`orchestrator.executor.local`) is one place, the nodes of a cluster
(`orchestrator.executor.cluster`) are another; `orchestrator.executor.detached` waits for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Before:
    """A function that loads what calculations need (libraries, weights), and keeps it."""

    function: str
    arguments: Mapping[str, Any]


class Compute(Protocol):
    """Runs calculations in processes of their own.

    Attributes:
        goes_on: whether a calculation goes on when whoever asked for it has ended. The same
            submission, made again with its ticket, then takes up what was begun.
    """

    goes_on: bool

    async def submit(
        self,
        function: str,
        arguments: Mapping[str, Any],
        *,
        ticket: str = "",
        key: str = "",
        before: Before | None = None,
    ) -> Mapping[str, Any]:
        """Runs `function` ("package.module:name") with JSON arguments in a child process.

        A `key` (hexadecimal) says exactly what is computed: a result that is known under it, of
        whatever campaign, is given in place of a child's. With a key the result says so, as
        `reused` (1 or 0). What `before` loads may be loaded once for many calculations.

        Gives its JSON result. The child has a process group of its own, dies with the worker,
        and writes `result.json` into the directory of its ticket, so that a result survives
        whoever asked for it.

        Raises:
            ExecutionError: the function raised, or the child died; the text says which.
            StillRunning: it was begun (`goes_on`), and its result is to be asked for later.
        """
        ...

    async def known(self, ticket: str) -> Mapping[str, Any] | None:
        """The result of an earlier submission with that ticket, if it came to its end."""
        ...

    async def is_running(self, ticket: str) -> bool:
        """Whether an earlier submission with that ticket may still come to its end by itself."""
        ...
