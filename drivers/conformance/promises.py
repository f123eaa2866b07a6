"""Promises of a driver, each checked by one function; an AssertionError names what was broken.

The device is reached through a `Spoilable` wire over whatever answers its bytes; `arguments` are
valid ones for each action that takes any. The first line of a docstring is the promise.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import math
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

from drivers.conformance.orders import (
    does_what_its_effects_say,
    is_made_safe_in_the_midst,
    resumes_nothing_by_itself,
    sends_no_order_twice,
)
from drivers.conformance.spoilable import (
    Arguments,
    Spoilable,
    cut_short,
    given_to,
    lost,
    readings_of,
    twice,
)
from orchestrator.errors import (
    DeviceAbsent,
    DeviceError,
    DeviceGarbled,
    DeviceGone,
    DeviceSilent,
    DeviceUnsure,
    HaganeError,
    LimitExceeded,
)
from orchestrator.model.quantity import check_unit
from orchestrator.ports.action import ActionSpec, Effect, actions_of
from orchestrator.ports.resource import Identity, Queryable, Resource
from orchestrator.ports.results import named_results

_AT_ONCE_S = 10.0
"""Wall time, on a wire in memory."""


async def says_what_it_does(device: Resource, wire: Spoilable, arguments: Arguments) -> None:
    """A driver and its actions say what they are and do, with units and effects.

    What they return is of the kinds that they declare.
    """
    assert inspect.getdoc(type(device)), "the class has a docstring"
    specs = actions_of(type(device))
    for name in getattr(type(device), "implements", ()):
        for wanted in _lacking(specs, name):
            raise AssertionError(f"it implements {name}, which {wanted}")
    for name, spec in specs.items():
        assert spec.doc, f"{name} has a docstring"
        for unit in (*(arg.unit for arg in spec.args), *(one.unit for one in spec.results)):
            check_unit(unit)
        if spec.effect is Effect.QUERYABLE:
            assert isinstance(device, Queryable), f"{name} is queryable, and there is no `ask`"
        given = set(arguments.get(name, {}))
        unknown = given - {arg.name for arg in spec.args}
        missing = {arg.name for arg in spec.args if arg.required} - given
        assert not unknown, f"{name} is tried with {sorted(unknown)}, which it does not take"
        assert not missing, f"{name} is to be tried, and nobody says with what {sorted(missing)}"
    for spec in specs.values():
        await _returns_what_it_says(device, spec, arguments)


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
    await _raises("identify", device.identify(), DeviceAbsent)


async def makes_safe_repeatedly(device: Resource, wire: Spoilable, arguments: Arguments) -> None:
    """make_safe may come at any time, and again."""
    for _ in range(3):
        await _safe(device)
    for name, spec in actions_of(type(device)).items():
        if spec.effect is Effect.IDEMPOTENT and not spec.is_composite:
            await getattr(device, name)(**given_to(spec, arguments))
            await _safe(device)


async def refuses_before_a_byte_leaves(
    device: Resource, wire: Spoilable, arguments: Arguments
) -> None:
    """Every number just beyond a limit, NaN and infinity are refused before a byte leaves.

    A number without a limit of its own is held by an option of the driver: 1e30 is too much.
    """
    await device.identify()
    for name, spec in actions_of(type(device)).items():
        for argument, value in _beyond(spec):
            given = {**given_to(spec, arguments), argument: value}
            what, before = f"{name}({argument}={value:g})", wire.n_written
            await _raises(what, getattr(device, name)(**given), LimitExceeded)
            assert wire.n_written == before, f"{what} wrote to the wire"


async def survives_one_spoilt_reply(
    device: Resource, wire: Spoilable, arguments: Arguments
) -> None:
    """A reading is right although a reply was lost, cut or doubled, and so is the next one."""
    for name, reading in readings_of(device):
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
    for name, reading in readings_of(device):
        for spoil, error in ((lost, (DeviceSilent,)), (cut_short, half)):
            wire.always = spoil
            await _raises(f"{name}, each reply {spoil.__name__},", reading(), error)
            wire.always = None
            await reading()
        wire.is_cut = True
        await _raises(f"{name} on a cut wire", reading(), DeviceGone)
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
        act, given = getattr(device, name), given_to(spec, arguments)
        wire.spoils.append(lost)
        with contextlib.suppress(DeviceSilent):
            await act(**given)
        wire.spoils.clear()
        wire.always = lost
        await _raises(f"{name} without any reply", act(**given), (DeviceUnsure, DeviceSilent))
        wire.always = None
        await act(**given)


async def closes_and_opens_again(device: Resource, wire: Spoilable, arguments: Arguments) -> None:
    """After close nothing can be sent, closing again is no error, and it can be opened again."""
    identity = await device.identify()
    await device.close()
    await device.close()
    before = wire.n_written
    await _raises("identify of a closed device", device.identify(), DeviceAbsent)
    assert wire.n_written == before, "a closed device wrote to the wire"
    await device.open()
    assert await device.identify() == identity, "the same device says the same"


async def comes_and_goes(device: Resource, wire: Spoilable, arguments: Arguments) -> None:
    """It can be closed twice and opened again, and is then the same and fit."""
    identity = await device.identify()
    for _ in range(2):
        await device.close()
        await device.close()
        await device.open()
        assert await device.identify() == identity, "the same device says the same"
        health = await device.health()
        assert health.is_fit, f"it is not fit: {health.note}"


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
        does_what_its_effects_say,
        sends_no_order_twice,
        resumes_nothing_by_itself,
        is_made_safe_in_the_midst,
    )
}
WITHOUT_A_WIRE: Mapping[str, Callable[[Resource, Spoilable, Arguments], Awaitable[None]]] = {
    promise.__name__: promise
    for promise in (says_what_it_does, identifies_itself, makes_safe_repeatedly, comes_and_goes)
}
"""Of a driver that opens no port: one that acts by others, or watches a folder."""
BY_A_CLIENT: Mapping[str, Callable[[Resource, Spoilable, Arguments], Awaitable[None]]] = {
    promise.__name__: promise
    for promise in (*WITHOUT_A_WIRE.values(), refuses_before_a_byte_leaves)
}
"""Of a driver with an `address` and no port: another library has the connection."""


def promises_for(
    driver: Callable[..., Resource],
) -> Mapping[str, Callable[[Resource, Spoilable, Arguments], Awaitable[None]]]:
    """What a driver is held to, by what its constructor takes: `port`, `address`, or neither."""
    if takes(driver, "port"):
        return PROMISES
    return BY_A_CLIENT if takes(driver, "address") else WITHOUT_A_WIRE


def takes(driver: Callable[..., Resource], option: str) -> bool:
    """Whether a driver has such an option."""
    return option in inspect.signature(driver).parameters


async def _returns_what_it_says(device: Resource, spec: ActionSpec, arguments: Arguments) -> None:
    """Of what may be tried at any time: readings, and states to reach."""
    is_tried = spec.effect in (Effect.NONE, Effect.IDEMPOTENT) and not spec.is_composite
    if not spec.results or not is_tried:
        return
    try:
        returned = await getattr(device, spec.name)(**given_to(spec, arguments))
    except HaganeError:  # there is nothing to be read now, and it says so
        return
    try:
        found = named_results("it", spec, returned)
    except DeviceError as error:
        raise AssertionError(str(error).removeprefix("it: ")) from error
    for result in spec.results:
        has_one = found[result.name] is not None or result.is_optional
        assert has_one, f"{spec.name} gave no '{result.name}' (None), and does not say that it may"


def _lacking(specs: Mapping[str, ActionSpec], capability: str) -> list[str]:
    """What a capability asks for and these actions do not have, as ends of a sentence."""
    found = entry_points(group="hagane.capabilities", name=capability)
    if not found:
        return ["is no capability that is installed"]
    lacking = []
    for name, wanted in actions_of(next(iter(found)).load()).items():
        if (spec := specs.get(name)) is None:
            lacking.append(f"has an action '{name}'")
            continue
        args, results = {one.name for one in spec.args}, {one.name for one in spec.results}
        lacking += [f"gives {name} '{one.name}'" for one in wanted.args if one.name not in args]
        lacking += [
            f"has '{one.name}' of {name}" for one in wanted.results if one.name not in results
        ]
    return lacking


def _beyond(spec: ActionSpec) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for arg in spec.args:
        if arg.kind == "real":
            found += [(arg.name, math.nan), (arg.name, math.inf), (arg.name, -math.inf)]
            found.append((arg.name, arg.low - 1.0 if arg.low is not None else -1e30))
            found.append((arg.name, arg.high + 1.0 if arg.high is not None else 1e30))
        elif arg.kind == "integer":
            found += [(arg.name, int(arg.low) - 1)] if arg.low is not None else []
            found += [(arg.name, int(arg.high) + 1)] if arg.high is not None else []
    return found


async def _safe(device: Resource) -> None:
    try:
        await asyncio.wait_for(device.make_safe(), _AT_ONCE_S)
    except TimeoutError:
        raise AssertionError(f"make_safe did not end within {_AT_ONCE_S:g} s") from None


async def _raises(
    what: str, action: Awaitable[Any], expected: type[Exception] | tuple[type[Exception], ...]
) -> None:
    kinds = expected if isinstance(expected, tuple) else (expected,)
    wanted = " or ".join(kind.__name__ for kind in kinds)
    try:
        await asyncio.wait_for(action, _AT_ONCE_S)
    except kinds:
        return
    except Exception as error:
        raise AssertionError(
            f"{what} raises {type(error).__name__} instead of {wanted}: {error}"
        ) from error
    raise AssertionError(f"{what} raises nothing instead of {wanted}")
