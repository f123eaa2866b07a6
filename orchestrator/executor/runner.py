"""Carries out orders on the opened resources of a lab: check, record, act, record.

Before anything is sent its dispatch is committed; its result is committed before it is judged.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import (
    DeviceError,
    HaganeError,
    InterlockTripped,
    JournalError,
    StepTimeout,
    Stopped,
    WrongDevice,
)
from orchestrator.executor.failures import failure_of
from orchestrator.executor.inner import InnerDispatch
from orchestrator.executor.interlocks import Interlocks
from orchestrator.executor.limits import check_arguments
from orchestrator.model.events import (
    ActionDispatched,
    ActionDone,
    InterlockFired,
    MadeSafe,
    ResourceFound,
)
from orchestrator.model.lab import Lab
from orchestrator.ports.action import ActionSpec, Cancel, Effect, result_values
from orchestrator.ports.clock import Clock
from orchestrator.ports.execution import Order, Record
from orchestrator.ports.resource import Queryable, Resource, Verdict

SAFE_WITHIN_S = 5.0
"""Wall time for one resource's make_safe before the next one is asked; it is not given up."""

Actions = Mapping[str, Mapping[str, ActionSpec]]


@dataclass
class Running:
    """An order on its way, and what its inner actions came to."""

    task: asyncio.Task[Any] | None
    cancel: Cancel
    is_spoiled: bool = False
    leaves_doubt: bool = False
    stops: bool = field(default=False)


class Runner:
    """The executor of one lab (`ports.execution.Executor`)."""

    def __init__(
        self,
        lab: Lab,
        resources: Mapping[str, Resource],
        actions: Actions,
        clock: Clock,
        record: Record,
    ) -> None:
        self.actions = actions
        self.clock = clock
        self.record = record
        self.lab = lab
        self.interlocks = Interlocks(lab.interlocks, self.read)
        self.known: dict[str, ResourceFound] = {}
        self.on_trip: Callable[[InterlockTripped], None] = lambda tripped: None
        self._resources = resources
        self._running: dict[str, Running] = {}

    async def open(self) -> None:
        """See `ports.execution`."""
        found = []
        for name, resource in self._resources.items():
            await resource.open()
            identity = await resource.identify()
            event = ResourceFound(resource=name, **identity.__dict__)
            self._same_as_before(name, event)
            found.append(event)
        await self.record(*found)

    def _same_as_before(self, name: str, found: ResourceFound) -> None:
        binding, before = self.lab.resource(name), self.known.get(name)
        expected = binding.serial or (before.serial if before else "")
        if expected and found.serial and expected != found.serial:
            raise WrongDevice(
                name,
                f"the device with serial number {found.serial} answers, not {expected}",
                hint="check the cabling, or change `serial` in the lab file",
            )

    async def unfit(self) -> list[str]:
        """See `ports.execution`."""
        sentences = []
        for name, resource in self._resources.items():
            try:
                health = await resource.health()
            except DeviceError as error:
                sentences.append(str(error))
                continue
            if not health.is_fit:
                sentences.append(f"{name}: not fit for work: {health.note}")
        return sentences

    async def read(self, resource: str, reading: str) -> Mapping[str, Any]:
        """A reading as telemetry: no ticket, no event."""
        spec = self.actions[resource][reading]
        method: Callable[[], Awaitable[Any]] = getattr(self._resources[resource], reading)
        return result_values(spec, await method())

    async def carry_out(self, order: Order) -> None:
        """See `ports.execution`."""
        spec = self.actions[order.resource][order.action]
        event = ActionDispatched(
            ticket=order.ticket,
            trial=order.trial,
            step=order.step,
            attempt=order.attempt,
            resource=order.resource,
            action=order.action,
            arguments=dict(order.arguments),
            arguments_hash=hash_of(order.arguments),
            effect=spec.effect.value,
            sample=order.sample,
            source=order.source,
            target=order.target,
        )
        running = Running(asyncio.current_task(), spec.cancel)
        self._running[order.ticket] = running
        try:
            await self.dispatch(event, running, order.before, order.timeout_s)
        except JournalError:
            raise
        except HaganeError:
            pass  # it is in the journal, and decide() reads it there
        finally:
            del self._running[order.ticket]

    async def dispatch(
        self,
        event: ActionDispatched,
        running: Running,
        before: tuple[Any, ...] = (),
        timeout_s: float | None = None,
    ) -> Mapping[str, Any]:
        """One action, of a step or inside of a composite. Raises what went wrong."""
        spec = self.actions[event.resource][event.action]
        try:
            check_arguments(event.resource, spec, event.arguments, self.lab.limits)
            if running.stops:
                raise Stopped("the campaign is being stopped")
            await self.interlocks.check(event.resource, event.action)
        except HaganeError as error:
            refusal = failure_of(event, spec, error, running, was_sent=False)
            await self.record(*before, event, *_fired(event.ticket, error), refusal)
            raise
        was_sent = False
        try:
            await self.record(*before, event)
            was_sent = True
            returned = await self._act(event, spec, running, timeout_s)
        except (HaganeError, asyncio.CancelledError) as error:
            if isinstance(error, JournalError):
                raise
            stopped = Stopped("it was given up on the way: the campaign is being stopped")
            known = error if isinstance(error, HaganeError) else stopped
            failed = failure_of(event, spec, known, running, was_sent=was_sent)
            if not failed.leaves_doubt:
                self.interlocks.forget(event.resource, event.action)
            await self.record(*_fired(event.ticket, known), failed)
            raise known from error
        results = result_values(spec, returned)
        if event.parent and spec.effect in (Effect.QUERYABLE, Effect.IRREVERSIBLE):
            running.is_spoiled = True
        await self.record(ActionDone(ticket=event.ticket, results=plain(results)))
        self.interlocks.released(event.resource, event.action)
        return results

    async def _act(
        self, event: ActionDispatched, spec: ActionSpec, running: Running, timeout_s: float | None
    ) -> Any:
        arguments = dict(event.arguments)
        if spec.wants_ticket:
            arguments["ticket"] = event.ticket
        if spec.is_composite:
            arguments["dispatch"] = InnerDispatch(self, event, running)
        method = getattr(self._resources[event.resource], event.action)
        limit_s = timeout_s if timeout_s is not None else spec.timeout_s
        try:
            if limit_s is None:
                return await method(**arguments)
            return await self._within(limit_s, event, method(**arguments))
        except (HaganeError, asyncio.CancelledError):
            raise
        except Exception as error:
            # a driver's bug must not take the engine down
            raise DeviceError(
                event.resource,
                f"{event.action} raised {type(error).__name__}: {error}",
                hint="this is a fault of the driver",
            ) from error

    async def _within(self, limit_s: float, event: ActionDispatched, action: Awaitable[Any]) -> Any:
        acting = asyncio.ensure_future(action)
        timer = asyncio.ensure_future(self.clock.sleep(limit_s))
        try:
            await asyncio.wait({acting, timer}, return_when=asyncio.FIRST_COMPLETED)
            if acting.done():
                return acting.result()
            raise StepTimeout(event.step or f"{event.resource}.{event.action}", limit_s)
        finally:
            timer.cancel()
            if not acting.done():
                acting.cancel()
                await asyncio.gather(acting, return_exceptions=True)

    async def ask(self, resource: str, ticket: str) -> Verdict:
        """See `ports.execution`."""
        device = self._resources[resource]
        if not isinstance(device, Queryable):
            return Verdict("unknown", "the device cannot be asked")
        while True:
            try:
                verdict = await device.ask(ticket)  # type: ignore[arg-type]
            except DeviceError as error:
                return Verdict("unknown", f"it was asked, but {error}")
            if verdict.outcome != "running":
                return verdict
            await self.clock.sleep(1.0)

    async def watch(self) -> None:
        """Looks at the interlocks whose guarded state lasts; tells `on_trip`."""
        try:
            await self.interlocks.watch()
        except InterlockTripped as tripped:
            self.on_trip(tripped)

    async def make_safe(self, why: str, *, skip: frozenset[str] = frozenset()) -> bool:
        """See `ports.execution`."""
        simple = [b.name for b in self.lab.resources if not b.parts]
        order = [*self.lab.make_safe_order, *simple]
        events = []
        for name in dict.fromkeys(n for n in order if n in self._resources and n not in skip):
            note = await self._safe(name)
            self.interlocks.released(name)
            events.append(MadeSafe(resource=name, ok=not note, why=why, note=note))
        # a full disk must not keep the lab from being made safe
        with contextlib.suppress(JournalError):
            await self.record(*events)
        return all(e.ok for e in events)

    async def _safe(self, name: str) -> str:
        asking = asyncio.ensure_future(self._resources[name].make_safe())
        done, _ = await asyncio.wait({asking}, timeout=SAFE_WITHIN_S)
        if not done:
            return f"no answer in {SAFE_WITHIN_S:g} s"
        error = asking.exception()
        return "" if error is None else str(error)

    def interrupt(self, *, at_once: bool) -> None:
        """See `ports.execution`."""
        for running in self._running.values():
            running.stops = True
            if running.task and (at_once or running.cancel is not Cancel.NEVER):
                running.task.cancel()

    async def close(self) -> None:
        """See `ports.execution`."""
        await asyncio.gather(*(r.close() for r in self._resources.values()), return_exceptions=True)


def _fired(ticket: str, error: HaganeError) -> tuple[InterlockFired, ...]:
    if isinstance(error, InterlockTripped):
        return (InterlockFired(rule=error.rule, reading=error.reading, ticket=ticket),)
    return ()


def plain(results: Mapping[str, Any]) -> dict[str, Any]:
    """Results as JSON can hold them: a `Bound` becomes {"value", "side"}."""
    return {
        name: {"value": v.value, "side": v.side} if hasattr(v, "side") else v
        for name, v in results.items()
    }


def hash_of(arguments: Mapping[str, Any]) -> str:
    """sha256 of the arguments' canonical JSON, 16 digits."""
    text = json.dumps(dict(arguments), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
