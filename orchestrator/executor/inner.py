"""The dispatcher that a composite is given: nothing physical hides inside of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from orchestrator.errors import ExecutionError, StepTimeout, UnknownName
from orchestrator.executor.results import hash_of
from orchestrator.executor.running import Carrier, Running
from orchestrator.model.events import ActionDispatched, Kept, Settled


class InnerDispatch:
    """See `ports.dispatch`. Sub-tickets are a pure function of the parent and their order.

    `n_before` inner actions were dispatched by an engine before this one.
    """

    def __init__(
        self, runner: Carrier, parent: ActionDispatched, running: Running, n_before: int = 0
    ) -> None:
        self.clock = runner.clock
        self._runner = runner
        self._parent = parent
        self._running = running
        self._parts = runner.lab.resource(parent.resource).parts
        self._count = n_before

    async def __call__(self, part: str, action: str, /, **arguments: Any) -> Mapping[str, Any]:
        """See `ports.dispatch`."""
        resource = self._resource(part)
        spec = self._runner.actions[resource].get(action)
        if spec is None:
            raise UnknownName(f"action of {resource}", action, self._runner.actions[resource])
        self._count += 1
        text = f"{self._parent.ticket}|{self._count}"
        event = ActionDispatched(
            ticket=hashlib.sha256(text.encode()).hexdigest()[:16],
            parent=self._parent.ticket,
            trial=self._parent.trial,
            step=self._parent.step,
            attempt=self._parent.attempt,
            resource=resource,
            action=action,
            arguments=arguments,
            arguments_hash=hash_of(arguments),
            effect=spec.effect.value,
            sample=self._parent.sample,
        )
        return await self._runner.dispatch(event, self._running)

    def _resource(self, part: str) -> str:
        if part not in self._parts:
            raise UnknownName(f"part of {self._parent.resource}", part, self._parts)
        return self._parts[part]

    async def look(self, part: str, reading: str, /) -> Mapping[str, Any]:
        """See `ports.dispatch`."""
        return await self._runner.read(self._resource(part), reading)

    async def keep(self, name: str, text: str, /) -> None:
        """See `ports.dispatch`."""
        artifact = await self._runner.keep(name, text.encode())
        parent = self._parent
        kept = Kept(
            parent=parent.ticket,
            trial=parent.trial,
            sample=parent.sample,
            name=name,
            artifact=artifact,
        )
        await self._runner.record(kept)

    async def sleep(self, seconds: float) -> None:
        """See `ports.dispatch`."""
        self._running.refuse_when_stopping()
        await self.clock.sleep(seconds)

    async def until(
        self,
        part: str,
        reading: str,
        value: str,
        low: float,
        high: float,
        *,
        hold_s: float,
        timeout_s: float,
        every_s: float = 1.0,
    ) -> float:
        """See `ports.dispatch`."""
        resource = self._resource(part)
        start = self.clock.now()
        inside_since: float | None = None
        while True:
            now = self.clock.now()
            number = float((await self._runner.read(resource, reading))[value])
            if not low <= number <= high:
                inside_since = None
            elif inside_since is None:
                inside_since = now
            if inside_since is not None and now - inside_since >= hold_s:
                break
            if now - start > timeout_s:
                where = f"{resource}.{reading} to come to {low:g} ... {high:g} (now {number:g})"
                raise StepTimeout(f"waiting for {where}", timeout_s)
            await self.sleep(every_s)
        spec = self._runner.actions[resource][reading]
        unit = next((r.unit for r in spec.results if r.name == value), None)
        if unit is None:
            raise ExecutionError(f"{resource}.{reading} has no value '{value}'")
        await self._runner.record(
            Settled(
                parent=self._parent.ticket,
                resource=resource,
                reading=reading,
                value=number,
                unit=unit,
                low=low,
                high=high,
                waited_s=self.clock.now() - start,
            )
        )
        return number
