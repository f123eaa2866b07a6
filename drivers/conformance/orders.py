"""Promises about orders: what is repeated, what is sent by itself, what an effect means.

Nothing here knows a protocol. A piece of bytes is an *order* when a device that has received it
answers the driver's readings otherwise than one that has not; what no reading shows is not seen.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from drivers.conformance.spoilable import Arguments, Spoilable, given_to, readings_of
from orchestrator.errors import HaganeError
from orchestrator.ports.action import ActionSpec, Effect, actions_of
from orchestrator.ports.resource import Resource

_PATIENCE_S = 600.0
"""Campaign time after which an action that waits for a device whose time stands still is left."""

_SAFE_WITHIN_S = 5.0
"""As long as the engine waits for it."""
_TURNS = 50
"""Of the event loop: an action comes so far that it waits, or to its end."""


async def does_what_its_effects_say(
    device: Resource, wire: Spoilable, arguments: Arguments
) -> None:
    """A reading changes nothing, and an idempotent action changes nothing the second time."""
    before = await _values(device)
    for name, read in readings_of(device):
        with contextlib.suppress(HaganeError):
            await read()
        assert await _values(device) == before, f"the reading {name} changes what is read"
    for name, spec in actions_of(type(device)).items():
        if spec.effect is not Effect.IDEMPOTENT:
            continue
        await getattr(device, name)(**given_to(spec, arguments))
        first, once = await _values(device), await _values(device)
        still = {key: value for key, value in once.items() if first.get(key) == value}
        await getattr(device, name)(**given_to(spec, arguments))
        again = await _values(device)
        for key, value in still.items():
            assert again.get(key) == value, (
                f"{name} once more: {key} is {again.get(key)}, was {value}"
            )


async def sends_no_order_twice(device: Resource, wire: Spoilable, arguments: Arguments) -> None:
    """An order that cannot be undone is not sent again when its answer is lost."""
    asked = await _questions(device, wire)
    for spec in actions_of(type(device)).values():
        if spec.effect not in (Effect.QUERYABLE, Effect.IRREVERSIBLE) or spec.is_composite:
            continue
        usual = await _pieces(wire, spec, arguments)
        for n, piece in enumerate(usual):
            if piece in asked or not await _is_order(wire, usual[:n], piece, asked):
                continue
            sent = Counter(await _pieces(wire, spec, arguments, lost_from=piece))[piece]
            assert sent <= Counter(usual)[piece], f"{spec.name} sent {piece!r} {sent} times"
            break


async def resumes_nothing_by_itself(
    device: Resource, wire: Spoilable, arguments: Arguments
) -> None:
    """After a power cut and a new connection no set-point is sent again by itself."""
    asked = await _questions(device, wire)
    idempotent = [s for s in actions_of(type(device)).values() if s.effect is Effect.IDEMPOTENT]
    for spec in idempotent:
        for first in _looks(device):
            with contextlib.suppress(HaganeError):
                await getattr(device, spec.name)(**given_to(spec, arguments))
            wire.is_cut = True
            with contextlib.suppress(HaganeError):
                await device.identify()
            wire.is_cut = False
            wire.cut_power()
            since = len(wire.written)
            with contextlib.suppress(HaganeError):
                await first()
            await _look(device)
            sent = wire.written[since:]
            for n, piece in enumerate(sent):
                if piece not in asked and await _is_order(wire, sent[:n], piece, asked):
                    raise AssertionError(f"{piece!r} of {spec.name} was sent again by itself")


async def is_made_safe_in_the_midst(
    device: Resource, wire: Spoilable, arguments: Arguments
) -> None:
    """make_safe waits for no action that is under way."""
    for spec in actions_of(type(device)).values():
        if spec.effect is Effect.NONE or spec.is_composite:
            continue
        device, _ = wire.another()
        await device.open()
        await device.identify()
        action = asyncio.ensure_future(getattr(device, spec.name)(**given_to(spec, arguments)))
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        began = wire.clock.now()
        await device.make_safe()
        took = wire.clock.now() - began
        action.cancel()
        with contextlib.suppress(HaganeError, asyncio.CancelledError):
            await action
        await device.close()
        assert took <= _SAFE_WITHIN_S, f"make_safe took {took:g} s while {spec.name} was under way"


async def _questions(device: Resource, wire: Spoilable) -> set[bytes]:
    """What the driver writes to look at a device."""
    since = len(wire.written)
    await _look(device)
    return set(wire.written[since:])


def _looks(device: Resource) -> list[Callable[[], Awaitable[Any]]]:
    return [*(read for _, read in readings_of(device)), device.identify, device.health]


async def _look(device: Resource) -> None:
    """Asks a device all that can be asked, whatever it says."""
    for ask in _looks(device):
        with contextlib.suppress(HaganeError):
            await ask()


async def _values(device: Resource) -> dict[str, Any]:
    """What each reading says, as it is written: a NaN equals a NaN."""
    values = {}
    for name, read in readings_of(device):
        with contextlib.suppress(HaganeError):
            values[name] = repr(await read())
    return values


async def _pieces(
    wire: Spoilable, spec: ActionSpec, arguments: Arguments, lost_from: bytes | None = None
) -> list[bytes]:
    """What is written for an action on a fresh device; it may fail, and is not waited for long."""
    device, its_wire = wire.another()
    await device.open()
    try:
        await device.identify()
        its_wire.lost_from = lost_from
        action = asyncio.ensure_future(getattr(device, spec.name)(**given_to(spec, arguments)))
        alarm = asyncio.ensure_future(wire.clock.sleep(_PATIENCE_S))
        await asyncio.wait((action, alarm), return_when=asyncio.FIRST_COMPLETED)
        alarm.cancel()
        action.cancel()
        with contextlib.suppress(HaganeError, asyncio.CancelledError):
            await action
        return its_wire.written
    finally:
        await device.close()


async def _is_order(
    wire: Spoilable, before: Sequence[bytes], piece: bytes, asked: set[bytes]
) -> bool:
    """Whether a device answers otherwise for having received a piece behind others."""
    answers = []
    for pieces in (before, [*before, piece]):
        device = wire.fresh()
        for one in pieces:
            await device.receive(one)
        answers.append([await device.receive(question) for question in sorted(asked)])
    return answers[0] != answers[1]
