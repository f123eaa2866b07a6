"""A small plant for the executor: a heater, a doser, a gauge, a carrier, and a station of them.

Every device counts what it was sent, and has `troubles`: per action, what happens at the next
calls (an exception, or a coroutine function that is awaited in its place).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from orchestrator.clock import VirtualClock
from orchestrator.engine.ledger import Ledger
from orchestrator.errors import DeviceError
from orchestrator.executor.runner import Runner
from orchestrator.journal import open_store
from orchestrator.model import events as ev
from orchestrator.model.lab import Interlock, Lab, Limit, ResourceBinding
from orchestrator.model.state import DispatchState, State
from orchestrator.ports.action import (
    Cancel,
    Choices,
    Effect,
    PositionArg,
    SampleArg,
    Ticket,
    Unit,
    action,
    actions_of,
    reading,
)
from orchestrator.ports.clock import Clock
from orchestrator.ports.dispatch import Dispatch
from orchestrator.ports.execution import Order
from orchestrator.ports.journal import Journal
from orchestrator.ports.resource import Health, Identity, Verdict

Trouble = BaseException | Callable[[], Awaitable[Any]]


class Device:
    serial = ""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.clock = clock
        self.sent: list[str] = []
        self.troubles: dict[str, deque[Trouble]] = defaultdict(deque)
        self.n_made_safe = 0
        self.is_open = False

    async def meet(self, act: str) -> Any:
        """Counts a call, and meets the trouble that waits for it."""
        self.sent.append(act)
        if not self.troubles[act]:
            return None
        trouble = self.troubles[act].popleft()
        if isinstance(trouble, BaseException):
            raise trouble
        return await trouble()

    async def open(self) -> None:
        await self.meet("open")
        self.is_open = True

    async def close(self) -> None:
        self.is_open = False

    async def identify(self) -> Identity:
        await self.meet("identify")
        return Identity("we", "fake", serial=self.serial)

    async def health(self) -> Health:
        return Health(is_fit=True)

    async def make_safe(self) -> None:
        await self.meet("make_safe")
        self.n_made_safe += 1


class Heater(Device):
    celsius = 20.0

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def heat(
        self,
        temperature: Annotated[float, Unit("degC", low=0, high=500)],
        rate: Annotated[float, Unit("K/min", low=0)] = 10.0,
        mode: Annotated[str, Choices(("soft", "hard"))] = "soft",
        steps: Annotated[int, Unit("", low=1)] = 1,
    ) -> None:
        """Heats."""
        await self.meet("heat")
        self.celsius = temperature

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Stops heating."""
        await self.meet("off")
        self.celsius = 20.0

    @reading
    async def temperature(self) -> Annotated[float, Unit("degC")]:
        """The temperature."""
        said = await self.meet("temperature")
        return self.celsius if said is None else said


class Gauge(Device):
    pascal = 1.0

    @reading
    async def pressure(self) -> Annotated[float, Unit("Pa")]:
        """The pressure."""
        said = await self.meet("pressure")
        return self.pascal if said is None else said


class Doser(Device):
    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE, timeout_s=60.0)
    async def dose(self, volume: Annotated[float, Unit("ml", low=0, high=10)]) -> None:
        """Doses."""
        await self.meet("dose")
        await self.clock.sleep(5.0)

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.NEVER)
    async def flush(self) -> None:
        """Flushes, which cannot be given up."""
        await self.meet("flush")
        await self.clock.sleep(100.0)

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def weigh_out(self) -> Annotated[float, Unit("g")]:
        """Doses until a weight is reached, and tells it."""
        await self.clock.sleep(1.0)
        return 1.5 if (said := await self.meet("weigh_out")) is None else said


class Carrier(Device):
    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self.begun: set[str] = set()
        self.arrived: set[str] = set()

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def move(
        self,
        to: Annotated[str, PositionArg("target")],
        ticket: Ticket,
        sample: Annotated[str, SampleArg()] = "",
        source: Annotated[str, PositionArg("source")] = "",
    ) -> None:
        """Moves a sample."""
        await self.meet("move")
        self.begun.add(ticket)
        await self.clock.sleep(30.0)
        self.arrived.add(ticket)

    async def ask(self, ticket: Ticket) -> Verdict:
        if (said := await self.meet("ask")) is not None:
            assert isinstance(said, Verdict)
            return said
        if ticket in self.arrived:
            return Verdict("done", "it arrived", {})
        return Verdict("unknown" if ticket in self.begun else "not_done", "as the carrier says")


class Station(Device):
    """`steps` is what its composite actions dispatch, in order."""

    parts: ClassVar[dict[str, str]] = {}

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self.script: Callable[[Dispatch], Awaitable[None]] = _nothing

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def treat(self, dispatch: Dispatch) -> None:
        """Plays the script."""
        await self.meet("treat")
        await self.script(dispatch)

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.NEVER)
    async def treat_to_the_end(self, dispatch: Dispatch) -> None:
        """Plays the script, whatever happens."""
        await self.script(dispatch)

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS, timeout_s=50.0)
    async def treat_in_time(self, dispatch: Dispatch) -> None:
        """Plays the script within 50 s."""
        await self.script(dispatch)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def shut(self) -> None:
        """Ends what `treat` began."""
        await self.meet("shut")


async def _nothing(dispatch: Dispatch) -> None:
    del dispatch


KINDS: dict[str, type[Device]] = {
    "heater": Heater,
    "gauge": Gauge,
    "doser": Doser,
    "carrier": Carrier,
    "station": Station,
}
PARTS = {"heater": "heater", "gauge": "gauge", "doser": "doser", "carrier": "carrier"}
HOT_UNDER_PRESSURE = Interlock(
    rule="never heater.heat while gauge.pressure > 5 Pa",
    resource="heater",
    action="heat",
    sensor="gauge",
    reading="pressure",
    value="value",
    sense=">",
    threshold=5.0,
    unit="Pa",
    released_by="off",
    max_age_s=0.05,
)


@dataclass
class Plant:
    """An executor with everything around it; built within a running loop of `clock`."""

    clock: VirtualClock
    devices: dict[str, Device]
    ledger: Ledger
    runner: Runner
    journal: Journal
    trips: list[Any] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.devices[name]

    @property
    def state(self) -> State:
        return self.ledger.state

    def events(self, kind: type[Any] | None = None) -> list[Any]:
        found = [r.event for r in self.journal.read()]
        return [e for e in found if kind is None or isinstance(e, kind)]

    async def order(self, do: str, ticket: str = "t1", **arguments: Any) -> DispatchState:
        """Carries out an order and gives what the journal says of it."""
        await self.runner.carry_out(order_of(do, ticket, **arguments))
        return self.state.dispatches[ticket]

    def sent(self) -> list[str]:
        return [f"{d.name}.{a}" for d in self.devices.values() for a in d.sent]


def order_of(
    do: str, ticket: str = "t1", timeout_s: float | None = None, **arguments: Any
) -> Order:
    resource, act = do.split(".")
    return Order(
        ticket=ticket, resource=resource, action=act, arguments=arguments, timeout_s=timeout_s
    )


def play(
    script: Callable[[Plant], Coroutine[Any, Any, None]],
    *,
    interlocks: Sequence[Interlock] = (),
    limits: Sequence[Limit] = (),
    make_safe_order: Sequence[str] = (),
    bindings: dict[str, dict[str, Any]] | None = None,
    wrap: Callable[[Journal], Journal] | None = None,
) -> Plant:
    """Plays a script on a new plant, on virtual time; gives the plant afterwards."""
    clock = VirtualClock()
    built: list[Plant] = []

    async def main() -> None:
        plant = _built(clock, interlocks, limits, make_safe_order, bindings or {}, wrap)
        built.append(plant)
        await script(plant)
        leftovers = asyncio.all_tasks() - {asyncio.current_task()}
        for task in leftovers:
            task.cancel()
        await asyncio.gather(*leftovers, return_exceptions=True)

    clock.run(main())
    return built[0]


def _built(
    clock: VirtualClock,
    interlocks: Sequence[Interlock],
    limits: Sequence[Limit],
    make_safe_order: Sequence[str],
    bindings: dict[str, dict[str, Any]],
    wrap: Callable[[Journal], Journal] | None,
) -> Plant:
    lab = Lab(
        name="plant",
        resources=tuple(
            ResourceBinding(
                name=name,
                kind=name,
                parts=PARTS if name == "station" else {},
                **bindings.get(name, {}),
            )
            for name in KINDS
        ),
        roles={},
        limits=tuple(limits),
        interlocks=tuple(interlocks),
        make_safe_order=tuple(make_safe_order),
    )
    store = open_store("memory:")
    journal: Journal = store.lease(store.create("plant", "hash").id, "the test")
    journal = wrap(journal) if wrap else journal
    ledger = Ledger(journal, clock)
    devices = {name: kind(name, clock) for name, kind in KINDS.items()}
    actions = {name: actions_of(kind) for name, kind in KINDS.items()}
    runner = Runner(lab, devices, actions, clock, ledger.record, safe_within_s=0.05)
    runner.answer_within_s = 0.05
    plant = Plant(clock, devices, ledger, runner, journal)
    runner.on_trip = plant.trips.append
    return plant


class FullJournal:
    """A journal whose disk is full at events of one kind; `is_full` can be taken back."""

    def __init__(self, inner: Journal, full_at: type[Any]) -> None:
        self._inner = inner
        self._full_at = full_at
        self.is_full = True

    async def append(self, events: Sequence[ev.Event], *, at: float) -> Sequence[ev.Recorded]:
        from orchestrator.errors import JournalFull

        if self.is_full and any(isinstance(e, self._full_at) for e in events):
            await asyncio.sleep(0)
            raise JournalFull("the disk is full")
        return await self._inner.append(events, at=at)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def silent(name: str = "it") -> DeviceError:
    from orchestrator.errors import DeviceSilent

    return DeviceSilent(name, "did not answer")
