"""`hagane resource try`: one action on one resource of a lab by hand, outside of any campaign.

What it needs is opened and nothing else: the resource, a composite's parts, and the sensors of the
interlocks on them. Limits and interlocks hold as in a campaign; nothing is journaled.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import plugins
from orchestrator.errors import (
    DriverLost,
    InputError,
    InterlockTripped,
    PortTaken,
    Stopped,
    UnknownName,
)
from orchestrator.executor.isolated import Isolation, Lost
from orchestrator.executor.limits import check_arguments
from orchestrator.executor.local import LocalCompute
from orchestrator.executor.results import hash_of, plain
from orchestrator.executor.runner import Runner
from orchestrator.executor.running import Running
from orchestrator.files.document import resolve
from orchestrator.files.recipe import literal_number
from orchestrator.model.events import ActionDispatched, MadeSafe, ResourceFound
from orchestrator.model.lab import Lab
from orchestrator.ports.action import ActionSpec, ArgSpec, Effect
from orchestrator.ports.resource import ResourceKind
from orchestrator.runtime.bench import LabClock, clock_of, lab_of, make_resources, try_out, twins_of
from orchestrator.runtime.isolating import isolation_of
from orchestrator.runtime.traffic import Traffic
from orchestrator.settings import data_directory

Agree = Callable[[ResourceFound], None]
Warn = Callable[[str], None]
"""Is told who answers before anything is done; raises to have nothing done."""


@dataclass(frozen=True)
class Attempt:
    """What is to be done: checked, with its arguments in the declared units; nothing is open."""

    lab: Lab
    resource: str
    kinds: Mapping[str, ResourceKind]
    action: ActionSpec
    arguments: Mapping[str, Any]

    @property
    def can_be_undone(self) -> bool:
        """A reading, a calculation, or a state to reach from which there is a way back."""
        computes = getattr(self.kinds[self.resource].cls, "computes", False)
        return computes or self.action.effect in (Effect.NONE, Effect.IDEMPOTENT)

    @property
    def needed(self) -> tuple[str, ...]:
        """The resource and its parts, which act."""
        parts = self.lab.resource(self.resource).parts.values()
        return (self.resource, *parts)

    @property
    def sensors(self) -> frozenset[str]:
        """What the interlocks on the action, and on the parts, look at without acting itself."""
        _, *parts = self.needed
        seen = {
            rule.sensor
            for rule in self.lab.interlocks
            if (rule.resource, rule.action) == (self.resource, self.action.name)
            or rule.resource in parts
        }
        return frozenset(seen.difference(self.needed))


@dataclass(frozen=True)
class Tried:
    """What came of it: results in the declared units, and whether the resource was made safe."""

    results: Mapping[str, Any]
    made_safe: bool


def attempt(
    lab_file: Path, role: str, action: str, given: Mapping[str, str], record: str = ""
) -> Attempt:
    """Reads the lab file and checks what is to be done on it; nothing is opened.

    Args:
        lab_file: of the lab.
        role: one of its roles, or of its resources.
        action: of that resource.
        given: the arguments as they were typed, `120 degC`.
        record: folder for the traffic, in place of the lab file's.

    Raises:
        InputError: a name, a unit or a value is wrong.
        LimitExceeded: a value lies outside the limits of the action or of the lab.
    """
    lab = lab_of(lab_file)
    kinds = plugins.kinds_of(lab)
    try_out(lab, kinds)
    resource = lab.roles.get(role, role)
    if resource not in kinds:
        raise UnknownName("role or resource of this lab", role, {*lab.roles, *kinds})
    spec = kinds[resource].actions.get(action)
    if spec is None:
        raise UnknownName(
            f"action of '{role}' ({kinds[resource].name})", action, _known(kinds, resource)
        )
    arguments = {name: _value(lab, spec, name, text) for name, text in given.items()}
    for arg in spec.args:
        if arg.name not in arguments and (arg.required or arg.kind == "source"):
            raise InputError(f"{role}.{action} needs its argument '{arg.name}'", hint=_example(arg))
    check_arguments(resource, spec, arguments, lab.limits)
    lab = lab.model_copy(update={"record": record or lab.record})
    return Attempt(lab, resource, kinds, spec, arguments)


def _known(kinds: Mapping[str, ResourceKind], resource: str) -> list[str]:
    return list(kinds[resource].actions)


def _value(lab: Lab, spec: ActionSpec, name: str, text: str) -> Any:
    arg = spec.arg(name)
    if arg is None:
        raise UnknownName(f"argument of '{spec.name}'", name, [a.name for a in spec.args])
    if arg.kind in ("source", "target"):
        places = [position.name for position in lab.positions]
        if places and text not in places:
            raise UnknownName("position of this lab", text, places)
        return text
    if arg.kind in ("real", "integer"):
        value = resolve(text)
        if isinstance(value, bool) or value is None:
            raise InputError(f"'{name}' takes a number, not '{text}'", hint=_example(arg))
        return literal_number(arg, value)
    if arg.choices and text not in arg.choices:
        raise UnknownName(f"word for '{name}'", text, arg.choices)
    return text


def _example(arg: ArgSpec) -> str:
    if arg.kind in ("real", "integer"):
        return f"give {arg.name}='NUMBER {arg.unit}'" if arg.unit else f"give {arg.name}=NUMBER"
    return f"give {arg.name}={'|'.join(arg.choices) or 'WORD'}"


def carry_out(tried: Attempt, agree: Agree, *, hold_s: float = 0.0, warn: Warn = print) -> Tried:
    """Opens what it needs, acts once, holds the state for `hold_s` of campaign time, makes it safe
    unless it was a reading, and closes. `warn` is told what could not be made safe, however the
    action came to its end.

    Raises:
        PortTaken: a campaign, or another process, holds a port.
        InterlockTripped: a rule of the lab forbids it, or came true meanwhile.
        HaganeError: as `Runner.dispatch`, and what `agree` raises.
    """
    clock = clock_of(tried.lab)
    return clock.run(_carry_out(tried, clock, agree, hold_s, warn))


async def _carry_out(
    tried: Attempt, clock: LabClock, agree: Agree, hold_s: float, warn: Warn
) -> Tried:
    names = {*tried.needed, *tried.sensors}
    bindings = tuple(b for b in tried.lab.resources if b.name in names)
    lab = tried.lab.model_copy(update={"resources": bindings})
    kinds = {name: tried.kinds[name] for name in names}
    twins = twins_of(lab)
    found: dict[str, ResourceFound] = {}

    async def record(*events: Any) -> None:
        found.update({e.resource: e for e in events if isinstance(e, ResourceFound)})
        for event in events:
            if isinstance(event, MadeSafe) and not event.ok:
                warn(f"{event.resource} could not be made safe: {event.note}")

    traffic = Traffic(lab.record)
    with closing(traffic), closing(_compute(clock)) as compute:
        ports = twins.ports if twins else {}
        isolation = isolation_of(lab, kinds, clock, ports, "try", traffic)
        resources = make_resources(
            lab, kinds, clock, compute, ports, traffic=traffic, isolation=isolation
        )
        actions = {name: kind.actions for name, kind in kinds.items()}
        runner = Runner(lab, resources, actions, clock, record)
        try:
            await _open(runner)
            agree(found[tried.resource])
            return await _act(tried, runner, hold_s, isolation)
        finally:
            await runner.close()
            if isolation is not None:
                await isolation.close()


def _compute(clock: LabClock) -> LocalCompute:
    return LocalCompute(data_directory() / "calculations" / "try", clock)


async def _open(runner: Runner) -> None:
    try:
        await runner.open()
    except PortTaken as error:
        error.hint = (
            "a campaign or another command is using it: see `hagane list`, and pause or stop that "
            "one first"
        )
        raise


async def _act(tried: Attempt, runner: Runner, hold_s: float, isolation: Isolation | None) -> Tried:
    event = ActionDispatched(
        ticket=secrets.token_hex(8),
        resource=tried.resource,
        action=tried.action.name,
        arguments=dict(tried.arguments),
        arguments_hash=hash_of(tried.arguments),
        effect=tried.action.effect.value,
    )
    running = Running(asyncio.current_task(), tried.action.cancel, why="it was interrupted")
    tripped: list[InterlockTripped | DriverLost] = []

    def trip(why: InterlockTripped | DriverLost) -> None:
        tripped.append(why)
        running.give_up(at_once=True, why=str(why))

    def lose(lost: Lost) -> None:
        trip(DriverLost(lost.resources[0], lost.why, hint=lost.hint))

    runner.on_trip = trip
    if isolation is not None:
        isolation.on_lost = lose
    watching = asyncio.ensure_future(_watch(runner))
    is_safe = False
    try:
        results = await runner.dispatch(event, running)
        await runner.clock.sleep(hold_s)
    except (Stopped, asyncio.CancelledError):
        if tripped:
            raise tripped[0] from None
        raise
    finally:
        watching.cancel()
        if running.is_sent and tried.action.effect is not Effect.NONE:
            is_safe = await runner.make_safe("tried by hand", skip=tried.sensors)
    return Tried(plain(results), is_safe)


async def _watch(runner: Runner) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        while runner.lab.interlocks:
            await runner.clock.sleep(runner.lab.poll_s)
            await runner.watch()
