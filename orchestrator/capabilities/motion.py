"""Carrying something along a line."""

from __future__ import annotations

from typing import Annotated

from orchestrator.ports.action import Cancel, Effect, Unit, action, reading


class LinearStage:
    """One axis that is driven to positions, once it knows where it is."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def home(self) -> None:
        """Finds its reference, and stands there."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def move_to(self, position: Annotated[float, Unit("mm")]) -> None:
        """Stands at a position. One that has no reference refuses."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def stop(self) -> None:
        """Comes to rest where it is."""
        raise NotImplementedError

    @reading
    async def position(self) -> Annotated[float, Unit("mm")]:
        """Where it is."""
        raise NotImplementedError
