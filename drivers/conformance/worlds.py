"""A world of twins with the drivers that speak to it, and the promises that it is held to.

@pytest.fixture
def clients() -> dict[str, list[Client]]:
    given = {"set_temperature": {"temperature": 120.0}}
    return {"bench-heater": [Client("bench-heater", {"port": "memory:heater"}, given)]}

def test_the_twins_keep(twin_promise: TwinPromise) -> None:
    twin_promise.keep()

Both sides are tried: a twin that cannot do what it says, and a driver that does not come through
what its device does to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.metadata
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.conformance.spoilable import given_to, readings_of
from orchestrator.clock import VirtualClock
from orchestrator.errors import (
    DeviceAbsent,
    DeviceError,
    DeviceGarbled,
    DeviceGone,
    DeviceReset,
    DeviceSilent,
    DeviceUnsure,
    InputError,
    WrongDevice,
)
from orchestrator.ports.action import Effect, actions_of
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import (
    Bench,
    FailingTwins,
    Folder,
    Health,
    Identity,
    Resource,
    Wire,
)

SEED = 1
FAILS_BY = "fails_by_"
_MEMORY = "memory:"
_LASTING = frozenset({"hang", "unplug", "reboot", "stuck", "drift"})
_LASTS_S = 5.0
_LATE_S = 0.005
"""Wall time: a pause of a wire in memory, for which campaign time stands still."""
_STEP_WITHIN_S = 7200.0
"""Campaign time for one action."""
_WELL_WITHIN = 3
"""Rounds in which a device that is well again comes to answer as before; it may be set anew."""
_UNSEEN = frozenset({"delay", "split", "stuck", "drift", "ignore"})
"""Faults that may leave the bytes as they are: these come late, would have been the same, hold a
nought, of which no share is anything, or answer an order that is not given here."""
_OF_THE_LINE = (
    DeviceAbsent,
    DeviceGarbled,
    DeviceGone,
    DeviceReset,
    DeviceSilent,
    DeviceUnsure,
    WrongDevice,
)
"""What a driver says only when something is wrong; a device in order may have no reading."""


@dataclass(frozen=True)
class Client:
    """A driver at a port of a world: its kind, of whatever distribution, and how it is made.

    An option that names a port is `memory:PORT`. `arguments` are valid ones for each idempotent
    action that takes any, `declaration` the content of a file that declares the kind.
    """

    kind: str
    options: Mapping[str, Any]
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    declaration: Mapping[str, Any] | None = None

    @property
    def ports(self) -> tuple[str, ...]:
        """The ports that it opens."""
        texts = [value for value in self.options.values() if isinstance(value, str)]
        return tuple(t.removeprefix(_MEMORY) for t in texts if t.startswith(_MEMORY))

    def made(self, clock: Clock, wires: Mapping[str, Wire]) -> Resource:
        """The driver, nothing opened."""
        made: Resource = self.driver()(Bench(self.kind, clock, wires=wires), **self.options)
        return made

    def driver(self) -> Any:
        """Its class. Raises InputError: nobody has installed such a kind."""
        driver = _installed(self.kind)
        if self.declaration is not None:
            driver = driver.declared(json.dumps(self.declaration))
        return driver


@functools.cache
def _installed(kind: str) -> Any:
    found = importlib.metadata.entry_points(group="hagane.resources", name=kind)
    if not found:
        raise InputError(f"no driver of the kind '{kind}' is installed")
    return next(iter(found)).load()


class BrokenWorld(AssertionError):
    """A world of twins, or a driver on it, does not do what it must."""

    def __init__(self, world: str, promise: str, what: str) -> None:
        self.world, self.promise, self.what = world, promise, what
        super().__init__(f"the twins '{world}' break a promise: {sentence(promise)}\n{what}")


@dataclass(frozen=True)
class TwinPromise:
    """One promise that one world is held to: a name of `WORLD_PROMISES`, or `fails_by_` and one of
    its faults."""

    world: str
    name: str
    twins: Callable[..., Any]
    clients: Sequence[Client]

    def keep(self) -> None:
        """Raises BrokenWorld when it is not kept."""
        try:
            if self.name.startswith(FAILS_BY):
                _comes_through(self, self.name.removeprefix(FAILS_BY))
            else:
                WORLD_PROMISES[self.name](self)
        except BrokenWorld:
            raise
        except Exception as error:
            what = str(error) if isinstance(error, AssertionError) else _told(error)
            raise BrokenWorld(self.world, self.name, what) from error


def promises_of(twins: Callable[..., Any]) -> list[str]:
    """What a world is to be held to: the promises of all, and one for each of its faults."""
    world = twins(seed=SEED, clock=VirtualClock())
    hows = world.hows.values() if isinstance(world, FailingTwins) else ()
    return [*WORLD_PROMISES, *(FAILS_BY + how for how in dict.fromkeys(h for w in hows for h in w))]


def sentence(promise: str) -> str:
    """What a promise says."""
    if promise.startswith(FAILS_BY):
        how = promise.removeprefix(FAILS_BY)
        return f"A driver comes through '{how}' by itself, and says what is wrong meanwhile."
    return (WORLD_PROMISES[promise].__doc__ or promise).strip().splitlines()[0]


def _answers_its_drivers(promise: TwinPromise) -> None:
    """Each port answers a driver, which identifies it, finds it fit, sets it and reads it."""
    clock = VirtualClock()
    wires = promise.twins(seed=SEED, clock=clock).wires
    for client in promise.clients:
        for port in client.ports:
            assert port in wires, f"there is no port '{port}': {', '.join(sorted(wires))}"
    silent = sorted(set(wires) - {port for client in promise.clients for port in client.ports})
    assert not silent, f"no client opens the port '{silent[0]}'"
    for client in promise.clients:
        played = _clean(promise, client)
        assert isinstance(played.identity, Identity), f"{client.kind} does not identify its twin"
        assert isinstance(played.health, Health), f"{client.kind} tells no health"
        assert played.health.is_fit, f"{client.kind} is not fit: {played.health.note}"
        for step, error in played.errors:
            is_well = isinstance(error, DeviceError) and not isinstance(error, _OF_THE_LINE)
            assert is_well, f"{client.kind}: {step} raises {_told(error)}"


def _is_the_same_from_the_same_seed(promise: TwinPromise) -> None:
    """What was rehearsed can be rehearsed again: the same seed gives the same bytes."""
    for client in promise.clients:
        first, second = _clean(promise, client).said, _play(promise, client).said
        for n, (one, other) in enumerate(zip(first, second, strict=False), 1):
            assert one == other, f"{client.kind}: reply {n} is {one!r}, and {other!r} another time"


def _can_be_told_to_fail(promise: TwinPromise) -> None:
    """Each port has faults that can be planned, a power cut among them, unless it is a folder."""
    world = promise.twins(seed=SEED, clock=VirtualClock())
    assert isinstance(world, FailingTwins), "it has no `failing` and no `hows`"
    hows, wires = world.hows, promise.twins(seed=SEED, clock=VirtualClock()).wires
    for port, wire in wires.items():
        can = isinstance(wire, Folder) or "reboot" in hows.get(port, ())
        assert can, f"'{port}' cannot lose its power"


WORLD_PROMISES: Mapping[str, Callable[[TwinPromise], None]] = {
    check.__name__.lstrip("_"): check
    for check in (_answers_its_drivers, _is_the_same_from_the_same_seed, _can_be_told_to_fail)
}


def _comes_through(promise: TwinPromise, how: str) -> None:
    ports = [p for p, h in promise.twins(seed=SEED, clock=VirtualClock()).hows.items() if how in h]
    for port in ports:
        clients = [client for client in promise.clients if port in client.ports]
        assert clients, f"no client opens '{port}'"
        seen = [_suffers(promise, client, port, how) for client in clients]
        assert how in _UNSEEN or any(seen), f"nothing came of '{how}' at '{port}'"


def _suffers(promise: TwinPromise, client: Client, port: str, how: str) -> bool:
    """Holds one driver to it; whether the bytes were others than without the fault."""
    clean = _clean(promise, client)
    seconds = _LASTS_S if how in _LASTING else _LATE_S
    fault = {"wire": port, "how": how, "at": clean.n_before[port] + 1, "seconds": seconds}
    struck = _play(promise, client, fault)
    on = f"{client.kind} at '{port}'"
    for step, error in struck.errors:
        assert isinstance(error, DeviceError), f"{on}: {step} raises {_told(error)}"
    for step, last in struck.at_last.items():
        is_as_ever = last is None or isinstance(last, type(clean.at_last.get(step)))
        assert is_as_ever, f"{on}: after it, {step} still raises {_told(last)}"
    assert struck.identity == clean.identity, f"{on} is another device after it"
    return struck.said != clean.said


@dataclass
class _Played:
    """What came of the steps with one client, and all that the ports said in turn.

    `n_before`: the replies of each port until it had been identified.
    """

    said: list[tuple[str, bytes | None]] = field(default_factory=list)
    n_before: dict[str, int] = field(default_factory=dict)
    identity: Any = None
    health: Any = None
    errors: list[tuple[str, BaseException]] = field(default_factory=list)
    at_last: dict[str, BaseException | None] = field(default_factory=dict)


class _Overheard:
    """A wire of which is kept what it says; None: that it was unplugged."""

    def __init__(self, port: str, wire: Any, said: list[tuple[str, bytes | None]]) -> None:
        self._port, self._wire, self._said = port, wire, said

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)

    async def receive(self, data: bytes) -> bytes:
        """See `ports.resource.Wire`."""
        try:
            reply: bytes = await self._wire.receive(data)
        except ConnectionError:
            self._said.append((self._port, None))
            raise
        self._said.append((self._port, reply))
        return reply


class _OverheardFolder(_Overheard):
    """The same of a wire that is a folder: since Python 3.12 `isinstance` takes no attribute that
    is but passed on for one of a protocol's."""

    @property
    def folder(self) -> Path:
        """See `ports.resource.Folder`."""
        found: Path = self._wire.folder
        return found


_CLEAN: dict[tuple[Any, str], _Played] = {}
"""What came of the steps where nothing fails: it is compared with each fault in turn."""


def _clean(promise: TwinPromise, client: Client) -> _Played:
    key = promise.twins, repr(client)
    if key not in _CLEAN:
        _CLEAN[key] = _play(promise, client)
    return _CLEAN[key]


def _play(promise: TwinPromise, client: Client, fault: Mapping[str, Any] | None = None) -> _Played:
    """All that can be done with a client as often as one likes, on a fresh world."""
    clock = VirtualClock()
    world = promise.twins(seed=SEED, clock=clock)
    wires = world.wires if fault is None else world.failing([fault], clock)
    played = _Played()
    heard = {
        name: (_OverheardFolder if isinstance(wire, Folder) else _Overheard)(
            name, wire, played.said
        )
        for name, wire in wires.items()
    }
    clock.run(_steps(client.made(clock, heard), client, clock, played))
    return played


async def _steps(device: Resource, client: Client, clock: Clock, played: _Played) -> None:
    await device.open()
    try:
        played.identity = await device.identify()
        for port in client.ports:
            played.n_before[port] = sum(bool(r) for name, r in played.said if name == port)
        for step, act in _deeds(device, client):
            if error := await _error_of(act, clock):
                played.errors.append((step, error))
        await clock.sleep(2 * _LASTS_S)
        for attempt in range(_WELL_WITHIN):
            played.at_last.clear()
            for step, act in (_deeds if attempt else _looks)(device, client):
                played.at_last[step] = await _error_of(act, clock)
            if not any(played.at_last.values()):
                break
        with contextlib.suppress(DeviceError):  # it is among what went wrong at last
            played.health = await device.health()
            played.identity = await device.identify()
    finally:
        await device.close()


def _looks(device: Resource, client: Client) -> Iterator[tuple[str, Callable[[], Awaitable[Any]]]]:
    yield from readings_of(device)
    yield "make_safe", device.make_safe
    yield "health", device.health
    yield "identify", device.identify


def _deeds(device: Resource, client: Client) -> Iterator[tuple[str, Callable[[], Awaitable[Any]]]]:
    yield from readings_of(device)
    for name, spec in actions_of(type(device)).items():
        if spec.effect is Effect.IDEMPOTENT and not spec.is_composite:
            given = given_to(spec, client.arguments)
            yield name, functools.partial(getattr(device, name), **given)
    yield from _looks(device, client)


async def _error_of(act: Callable[[], Awaitable[Any]], clock: Clock) -> BaseException | None:
    """What comes of it, or that it does not end."""
    acting, timer = asyncio.ensure_future(act()), asyncio.ensure_future(clock.sleep(_STEP_WITHIN_S))
    await asyncio.wait({acting, timer}, return_when=asyncio.FIRST_COMPLETED)
    timer.cancel()
    if acting.done():
        return acting.exception()
    acting.cancel()
    return TimeoutError(f"it does not end within {_STEP_WITHIN_S:g} s")


def _told(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}"
