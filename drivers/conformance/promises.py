"""Promises of a driver, each checked by one function; an AssertionError names what was broken.

The device is reached through a `Spoilable` wire over whatever answers its bytes; `arguments` are
valid ones for each action that takes any. The first line of a docstring is the promise.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from orchestrator.errors import (
    DeviceAbsent,
    DeviceGarbled,
    DeviceGone,
    DeviceSilent,
    DeviceUnsure,
    LimitExceeded,
)
from orchestrator.ports.action import ActionSpec, Effect, actions_of
from orchestrator.ports.resource import Identity, Resource, Wire

Spoil = Callable[[bytes], bytes]
_TICKET = "0123456789abcdef"
Arguments = Mapping[str, Mapping[str, Any]]


def lost(reply: bytes) -> bytes:
    """The reply does not come."""
    return b""


def cut_short(reply: bytes) -> bytes:
    """The first half of the reply."""
    return reply[: len(reply) // 2]


def twice(reply: bytes) -> bytes:
    """The reply comes twice."""
    return reply + reply


class Spoilable:
    """A wire whose next replies can be spoilt, and which counts what is written to it."""

    def __init__(self, wire: Wire) -> None:
        self.n_written = 0
        self.is_cut = False
        self.spoils: deque[Spoil] = deque()
        self.always: Spoil | None = None
        self._wire = wire

    async def receive(self, data: bytes) -> bytes:
        """See `ports.resource.Wire`."""
        self.n_written += len(data)
        if self.is_cut:
            raise ConnectionError("the wire is cut")
        reply = await self._wire.receive(data)
        if reply and self.always is not None:
            return self.always(reply)
        return self.spoils.popleft()(reply) if reply and self.spoils else reply


async def says_what_it_does(device: Resource, wire: Spoilable, arguments: Arguments) -> None:
    """A driver and its actions say what they are and do, with units and effects."""
    assert inspect.getdoc(type(device)), "the class has a docstring"
    for name, spec in actions_of(type(device)).items():
        assert spec.doc, f"{name} has a docstring"
        given = set(arguments.get(name, {}))
        unknown = given - {arg.name for arg in spec.args}
        missing = {arg.name for arg in spec.args if arg.required} - given
        assert not unknown, f"{name} is tried with {sorted(unknown)}, which it does not take"
        assert not missing, f"{name} is to be tried, and nobody says with what {sorted(missing)}"


async def identifies_itself(device: Resource, wire: Spoilable, arguments: Arguments) -> None:
    """identify names a maker and a model, the same twice."""
    identity = await device.identify()
    assert isinstance(identity, Identity), "identify gives an Identity"
    assert identity.maker, "the maker has a name"
    assert identity.model, "the model has a name"
    assert await device.identify() == identity, "the same device says the same"


async def is_absent_when_nothing_answers(
    device: Resource, wire: Spoilable, arguments: Arguments
) -> None:
    """A device that has never answered is absent, not silent."""
    wire.always = lost
    await _raises(device.identify(), DeviceAbsent)


async def makes_safe_repeatedly(device: Resource, wire: Spoilable, arguments: Arguments) -> None:
    """make_safe may come at any time, and again."""
    for _ in range(3):
        await device.make_safe()
    for name, spec in actions_of(type(device)).items():
        if spec.effect is Effect.IDEMPOTENT:
            await getattr(device, name)(**arguments.get(name, {}))
            await device.make_safe()


async def refuses_before_a_byte_leaves(
    device: Resource, wire: Spoilable, arguments: Arguments
) -> None:
    """Every number just beyond a limit, NaN and infinity are refused before a byte leaves."""
    await device.identify()
    for name, spec in actions_of(type(device)).items():
        for argument, value in _beyond(spec):
            ticket = {"ticket": _TICKET} if spec.wants_ticket else {}
            given = {**arguments[name], **ticket, argument: value}
            before = wire.n_written
            await _raises(getattr(device, name)(**given), LimitExceeded)
            assert wire.n_written == before, f"{name}({argument}={value}) wrote to the wire"


async def survives_one_spoilt_reply(
    device: Resource, wire: Spoilable, arguments: Arguments
) -> None:
    """A reading is right although a reply was lost, cut or doubled, and so is the next one."""
    for name, reading in _readings(device):
        good = await reading()
        for spoil in (lost, cut_short, twice):
            wire.spoils.append(spoil)
            assert await reading() == good, f"{name} after one reply was {spoil.__name__}"
            assert await reading() == good, f"{name} once more after {spoil.__name__}"
            wire.spoils.clear()


async def names_what_is_wrong_with_the_line(
    device: Resource, wire: Spoilable, arguments: Arguments
) -> None:
    """A reading without reply is DeviceSilent, with half a one DeviceGarbled, cut off DeviceGone.

    Half of a reply of one byte is no reply.
    """
    await device.identify()
    half = (DeviceGarbled, DeviceSilent)
    for _, reading in _readings(device):
        for spoil, error in ((lost, (DeviceSilent,)), (cut_short, half)):
            wire.always = spoil
            await _raises(reading(), error)
            wire.always = None
            await reading()
        wire.is_cut = True
        await _raises(reading(), DeviceGone)
        wire.is_cut = False
        await reading()


async def is_sure_or_says_so(device: Resource, wire: Spoilable, arguments: Arguments) -> None:
    """A write with a lost reply is read back: it took effect, or an error says that it may not.

    With the read-back lost too it is unsure; on a line that is well again it can be repeated.
    """
    await device.identify()
    for name, spec in actions_of(type(device)).items():
        if spec.effect is not Effect.IDEMPOTENT:
            continue
        act, given = getattr(device, name), arguments.get(name, {})
        wire.spoils.append(lost)
        with contextlib.suppress(DeviceSilent):
            await act(**given)
        wire.spoils.clear()
        wire.always = lost
        await _raises(act(**given), (DeviceUnsure, DeviceSilent))
        wire.always = None
        await act(**given)


async def closes_and_opens_again(device: Resource, wire: Spoilable, arguments: Arguments) -> None:
    """After close nothing can be sent, closing again is no error, and it can be opened again."""
    identity = await device.identify()
    await device.close()
    await device.close()
    before = wire.n_written
    await _raises(device.identify(), DeviceAbsent)
    assert wire.n_written == before, "a closed device wrote to the wire"
    await device.open()
    assert await device.identify() == identity, "the same device says the same"


PROMISES: Mapping[str, Callable[[Resource, Spoilable, Arguments], Awaitable[None]]] = {
    promise.__name__: promise
    for promise in (
        says_what_it_does,
        identifies_itself,
        is_absent_when_nothing_answers,
        makes_safe_repeatedly,
        refuses_before_a_byte_leaves,
        survives_one_spoilt_reply,
        names_what_is_wrong_with_the_line,
        is_sure_or_says_so,
        closes_and_opens_again,
    )
}


def _beyond(spec: ActionSpec) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for arg in spec.args:
        if arg.kind != "real":
            continue
        found += [(arg.name, math.nan), (arg.name, math.inf), (arg.name, -math.inf)]
        found += [(arg.name, arg.low - 1.0)] if arg.low is not None else []
        found += [(arg.name, arg.high + 1.0)] if arg.high is not None else []
    return found


def _readings(device: Resource) -> list[tuple[str, Callable[[], Any]]]:
    return [
        (name, getattr(device, name))
        for name, spec in actions_of(type(device)).items()
        if spec.effect is Effect.NONE and not any(arg.required for arg in spec.args)
    ]


async def _raises(
    action: Awaitable[Any], expected: type[Exception] | tuple[type[Exception], ...]
) -> None:
    try:
        await asyncio.wait_for(action, 10.0)
    except expected:
        return
    except Exception as error:
        raise AssertionError(f"{type(error).__name__} instead of {expected}: {error}") from error
    raise AssertionError(f"nothing was raised instead of {expected}")
