"""Carries out orders on the opened resources of a lab: check, record, act, record.

Before anything is sent its dispatch is committed; its result is committed before it is judged.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.errors import (
    DeviceAbsent,
    DriverLost,
    HaganeError,
    InterlockTripped,
    JournalError,
    StepTimeout,
    StillRunning,
    WrongDevice,
)
from orchestrator.executor.asking import asked, believed
from orchestrator.executor.failures import failure_of, may_have_acted
from orchestrator.executor.faults import faults_of_the_driver
from orchestrator.executor.inner import InnerDispatch
from orchestrator.executor.interlocks import Interlocks
from orchestrator.executor.limits import check_arguments
from orchestrator.executor.results import hash_of, plain
from orchestrator.executor.running import Actions, Running
from orchestrator.executor.safing import insist_on, let_go
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
from orchestrator.ports.execution import Keep, Order, Record
from orchestrator.ports.resource import Inner, Resource, Verdict, Witness
from orchestrator.ports.results import named_results

ANSWER_WITHIN_S = 2.0
"""Wall time that an interrupt gives the answers to what was sent and cannot be taken back."""
SAFE_WITHIN_S = 5.0
"""Wall time for one resource's make_safe before the next one is asked; it is not given up."""


class Runner:
    """The executor of one lab (`ports.execution.Executor`)."""

    def __init__(
        self,
        lab: Lab,
        resources: Mapping[str, Resource],
        actions: Actions,
        clock: Clock,
        record: Record,
        *,
        safe_within_s: float = SAFE_WITHIN_S,
    ) -> None:
        self.actions = actions
        self.clock = clock
        self.record = record
        self.lab = lab
        self.interlocks = Interlocks(lab.interlocks, self.read)
        self.known: dict[str, ResourceFound] = {}
        self.models: Mapping[str, tuple[str, str]] = {}
        self.keep: Keep = _nowhere
        self.on_trip: Callable[[InterlockTripped], None] = lambda tripped: None
        self._resources = resources
        self._safe_within_s = safe_within_s
        self.answer_within_s = ANSWER_WITHIN_S
        self._running: dict[str, Running] = {}
        self._waits: set[asyncio.Task[None]] = set()
        self._unopened: Mapping[str, str] = {}

    async def open(self) -> None:
        """See `ports.execution`."""
        names = list(self._resources)
        # all at once, so that one that takes its time does not keep the others waiting; and all of
        # them, so that the others can be made safe when one is absent
        outcomes = await asyncio.gather(*(self._find_or_fail(name) for name in names))
        by_name = zip(names, outcomes, strict=True)
        failed = {name: outcome for name, outcome in by_name if isinstance(outcome, HaganeError)}
        self._unopened = {name: str(error) for name, error in failed.items()}
        if failed:
            raise _first_of(failed)
        await self.record(*(found for found in outcomes if isinstance(found, ResourceFound)))

    async def _find_or_fail(self, name: str) -> ResourceFound | HaganeError:
        try:
            return await self._find(name, self._resources[name])
        except HaganeError as error:
            if isinstance(error, WrongDevice):
                await self._resources[name].close()
            return error

    async def _find(self, name: str, resource: Resource) -> ResourceFound:
        with faults_of_the_driver(name, "open or identify"):
            await resource.open()
            identity = await resource.identify()
            found = ResourceFound(resource=name, **identity.__dict__)
        self._same_as_before(name, found)
        return found

    def _same_as_before(self, name: str, found: ResourceFound) -> None:
        binding, before = self.lab.resource(name), self.known.get(name)
        expected = binding.serial or (before.serial if before and found.serial else "")
        if expected and expected != found.serial:
            number = f"with serial number {found.serial}" if found.serial else "without a number"
            key = f'say `serial: "{found.serial}"`' if found.serial else "change `serial`"
            raise WrongDevice(
                name,
                f"the device {number} answers, not {expected}",
                hint=f"check the cabling; if it is meant, {key} in the lab file",
            )
        said = found.maker, found.model
        if binding.places and not expected and self.models.get(name, said) != said:
            raise WrongDevice(
                name,
                f"{' '.join(said)} answers, where {' '.join(self.models[name])} was in the last "
                "run",
                hint="check the cabling; if it is meant, name the resource otherwise in the lab "
                "file, or start another campaign with --new",
            )

    async def unfit(self) -> list[str]:
        """See `ports.execution`."""
        complaints = await asyncio.gather(*map(self._complaint, self._resources))
        return [complaint for complaint in complaints if complaint]

    async def _complaint(self, name: str) -> str:
        try:
            with faults_of_the_driver(name, "health"):
                health = await self._resources[name].health()
                return "" if health.is_fit else f"{name}: not fit for work: {health.note}"
        except HaganeError as error:
            return str(error)

    async def read(self, resource: str, reading: str) -> Mapping[str, Any]:
        """A reading as telemetry: no ticket, no event."""
        spec = self.actions[resource][reading]
        method: Callable[[], Awaitable[Any]] = getattr(self._resources[resource], reading)
        with faults_of_the_driver(resource, reading):
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
        running = self._run(order.resource, spec)
        await self._follow(running, self.dispatch(event, running, order.before, order.timeout_s))

    async def take_up(self, dispatched: ActionDispatched, timeout_s: float | None) -> None:
        """See `ports.execution`."""
        spec = self.actions[dispatched.resource][dispatched.action]
        running = self._run(dispatched.resource, spec, is_sent=True)
        outcome = self._outcome(dispatched, spec, running, (), timeout_s, was_sent=True)
        await self._follow(running, outcome)

    def _run(self, resource: str, spec: ActionSpec, *, is_sent: bool = False) -> Running:
        uses = frozenset((resource, *self.lab.resource(resource).parts.values()))
        return Running(asyncio.current_task(), spec.cancel, is_sent=is_sent, uses=uses)

    async def _follow(self, running: Running, outcome: Awaitable[Any]) -> None:
        name = str(id(running))
        self._running[name] = running
        try:
            await outcome
        except JournalError:
            raise
        except HaganeError:
            pass  # it is in the journal, and decide() reads it there
        finally:
            del self._running[name]

    async def dispatch(
        self,
        event: ActionDispatched,
        running: Running,
        before: tuple[Any, ...] = (),
        timeout_s: float | None = None,
    ) -> Mapping[str, Any]:
        """One action, of a step or inside of a composite. Raises what went wrong."""
        spec = self.actions[event.resource][event.action]
        if spec.effect is Effect.QUERYABLE:
            places = self.lab.resource(event.resource).places
            event = event.model_copy(update={"places": places})
        try:
            check_arguments(event.resource, spec, event.arguments, self.lab.limits)
            await self.interlocks.check(event.ticket, event.resource, event.action)
        except HaganeError as error:
            refusal = failure_of(event, spec, error, running, was_sent=False)
            await self.record(*before, event, *_fired(event.ticket, error), refusal)
            raise
        return await self._outcome(event, spec, running, (*before, event), timeout_s)

    async def _outcome(
        self,
        event: ActionDispatched,
        spec: ActionSpec,
        running: Running,
        before: tuple[Any, ...],
        timeout_s: float | None,
        *,
        was_sent: bool = False,
    ) -> Mapping[str, Any]:
        """Records what is `before` sending, acts, and records what came of it."""
        try:
            await self.record(*before)
            running.refuse_when_stopping()
            was_sent = running.is_sent = True
            returned = await self._act(event, spec, running, timeout_s)
            results = named_results(event.resource, spec, returned)
        except StillRunning:
            raise
        except (HaganeError, asyncio.CancelledError) as error:
            if isinstance(error, JournalError):
                raise
            known = running.reason(error, was_sent=was_sent)
            failed = failure_of(event, spec, known, running, was_sent=was_sent)
            has_acted = may_have_acted(known, was_sent=was_sent)
            self.interlocks.ended(event.ticket, has_acted=has_acted)
            fired = () if spec.is_composite else _fired(event.ticket, known)
            await self.record(*fired, failed)
            raise known from error
        if event.parent and spec.effect in (Effect.QUERYABLE, Effect.IRREVERSIBLE):
            running.is_spoiled = True
        self.interlocks.ended(event.ticket, has_acted=True)
        self.interlocks.released(event.resource, event.action)
        await self.record(ActionDone(ticket=event.ticket, results=plain(results)))
        if event.parent and spec.cancel is not Cancel.NEVER:
            running.refuse_when_stopping()  # its answer was waited for, and nothing more
        return results

    async def _act(
        self, event: ActionDispatched, spec: ActionSpec, running: Running, timeout_s: float | None
    ) -> Any:
        arguments = dict(event.arguments)
        if spec.wants_ticket:
            arguments["ticket"] = event.ticket
        if spec.is_composite:
            arguments["dispatch"] = InnerDispatch(self, event, running)
        acting: Awaitable[Any] = self._call(event, arguments)
        if event.parent:  # a task, as an order's is: by it a link knows what this action has sent
            acting = asyncio.ensure_future(acting)
        limit_s = timeout_s if timeout_s is not None else spec.timeout_s
        with running.acting(spec, is_inner=event.parent is not None):
            return await (acting if limit_s is None else self._within(limit_s, event, acting))

    async def _call(self, event: ActionDispatched, arguments: Mapping[str, Any]) -> Any:
        with faults_of_the_driver(event.resource, event.action):
            method = getattr(self._resources[event.resource], event.action)
            return await method(**arguments)

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

    async def ask(self, dispatched: ActionDispatched) -> Verdict:
        """See `ports.execution`."""
        name = dispatched.resource
        verdict = await asked(self._resources[name], dispatched, self.clock)
        return believed(verdict, dispatched, self.lab.resource(name), self.known.get(name))

    async def judge(self, dispatched: ActionDispatched, inner: Sequence[Inner]) -> Verdict:
        """See `ports.execution`."""
        whole, name = self._resources[dispatched.resource], dispatched.resource
        if not isinstance(whole, Witness):
            return Verdict("unknown", "")
        looking = InnerDispatch(self, dispatched, Running(None, Cancel.AT_ONCE), len(inner))
        parts = {resource: part for part, resource in self.lab.resource(name).parts.items()}
        known = [replace(i, part=parts.get(i.part, i.part)) for i in inner]
        try:
            with faults_of_the_driver(name, "judge"):
                arguments = dispatched.arguments
                verdict = await whole.judge(dispatched.action, arguments, known, looking)
        except JournalError:
            raise
        except HaganeError as error:
            return Verdict("unknown", f"its parts were asked, but {error}")
        return replace(verdict, results=plain(verdict.results))

    async def watch(self) -> None:
        """Looks at the interlocks whose guarded state lasts; tells `on_trip`."""
        try:
            await self.interlocks.watch()
        except InterlockTripped as tripped:
            self.on_trip(tripped)

    async def make_safe(self, why: str, *, skip: frozenset[str] = frozenset()) -> bool:
        """See `ports.execution`."""
        events = []
        for name in self.lab.safe_order:
            if name not in self._resources or name in skip:
                continue
            note = await self._safe(name)
            self.interlocks.released(name)
            events.append(MadeSafe(resource=name, ok=not note, why=why, note=note))
        for whole in self.lab.resources:
            if whole.parts and whole.name not in skip:
                self.interlocks.released(whole.name)
        # a full disk must not keep the lab from being made safe
        with contextlib.suppress(JournalError):
            await self.record(*events)
        return all(e.ok for e in events)

    async def _safe(self, name: str) -> str:
        asking = asyncio.ensure_future(insist_on(name, self._resources[name]))
        done, _ = await asyncio.wait({asking}, timeout=self._safe_within_s)
        if not done:
            asking.add_done_callback(lambda late: late.cancelled() or late.exception())
            return f"no answer in {self._safe_within_s:g} s"
        error = asking.exception()
        said = "" if error is None else str(error) or type(error).__name__
        if isinstance(error, DeviceAbsent):
            said = self._unopened.get(name, said)
        return said.removeprefix(f"{name}: ")

    def lose(self, resources: Collection[str], why: str, hint: str) -> None:
        """The drivers of these resources are gone: orders that use them come to their end by it."""
        for running in self._running.values():
            for name in sorted(running.uses.intersection(resources))[:1]:
                running.lost = running.lost or DriverLost(name, why, hint=hint)

    def interrupt(self, *, at_once: bool, why: str = "") -> None:
        """See `ports.execution`."""
        for running in self._running.values():
            running.give_up(at_once=at_once, why=why)
            if running.stops and running.unanswered and not at_once:
                wait = asyncio.ensure_future(self._end_unanswered(running))
                self._waits.add(wait)
                wait.add_done_callback(self._waits.discard)

    async def _end_unanswered(self, running: Running) -> None:
        with self.clock.work():
            await running.end_unanswered(self.answer_within_s)

    async def answered(self) -> None:
        """See `ports.execution`."""
        await asyncio.gather(*self._waits)

    async def close(self) -> None:
        """See `ports.execution`."""
        closing = (let_go(name, resource) for name, resource in self._resources.items())
        await asyncio.gather(*closing, return_exceptions=True)


async def _nowhere(name: str, data: bytes) -> str:
    """An action that is tried by hand keeps nothing: there is no campaign."""
    return ""


def _fired(ticket: str, error: HaganeError) -> tuple[InterlockFired, ...]:
    if isinstance(error, InterlockTripped):
        return (InterlockFired(rule=error.rule, reading=error.reading, ticket=ticket),)
    return ()


def _first_of(failed: Mapping[str, HaganeError]) -> HaganeError:
    """The first failure; its hint names the others."""
    error, *others = failed.values()
    if others:
        names = ", ".join(list(failed)[1:])
        error.hint = "; ".join(filter(None, (error.hint, f"out of reach as well: {names}")))
    return error
