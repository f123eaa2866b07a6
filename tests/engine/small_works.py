"""A small works with a live engine: an arm, an oven, a balance; virtual time; a planner of points.

    works = Works(...)
    ending = works.run()

The devices have `troubles` (per action, what happens at the next calls) and count what they did.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from orchestrator.clock import VirtualClock
from orchestrator.engine.ledger import Ledger
from orchestrator.engine.loop import Ending, Engine
from orchestrator.engine.study import Study, prepare
from orchestrator.executor.runner import Runner
from orchestrator.journal import Store, open_store
from orchestrator.model import events as ev
from orchestrator.model.campaign import Budget, Campaign
from orchestrator.model.lab import Interlock, Lab, Position, ResourceBinding
from orchestrator.model.objective import Goal, Metric, Objective
from orchestrator.model.quantity import Bound
from orchestrator.model.recipe import Argument, Step
from orchestrator.model.space import Real, SearchSpace
from orchestrator.model.state import State
from orchestrator.model.trial import Proposal
from orchestrator.ports.action import (
    Cancel,
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
from orchestrator.ports.journal import Journal
from orchestrator.ports.planner import History
from orchestrator.ports.resource import Health, Identity, ResourceKind, Verdict
from orchestrator.scheduling import VirtualSchedule

Trouble = BaseException | Callable[[], Awaitable[Any]]
MINUTE = 60.0


class Device:
    def __init__(self, name: str, clock: Clock) -> None:
        self.name, self.clock = name, clock
        self.did: list[str] = []
        self.troubles: dict[str, deque[Trouble]] = defaultdict(deque)

    async def meet(self, act: str) -> Any:
        self.did.append(act)
        if not self.troubles[act]:
            return None
        trouble = self.troubles[act].popleft()
        if isinstance(trouble, BaseException):
            raise trouble
        return await trouble()

    async def open(self) -> None:
        await self.meet("open")

    async def close(self) -> None: ...

    async def identify(self) -> Identity:
        return Identity("we", "fake")

    async def health(self) -> Health:
        return Health(is_fit=True)

    async def make_safe(self) -> None:
        await self.meet("make_safe")


class Arm(Device):
    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self.begun: dict[str, str] = {}
        self.arrived: dict[str, str] = {}

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def place(
        self,
        at: Annotated[str, PositionArg("target")],
        ticket: Ticket,
        sample: Annotated[str, SampleArg()] = "",
        source: Annotated[str, PositionArg("source")] = "",
    ) -> None:
        """Takes a blank."""
        await self._carry("place", ticket, f"{sample}: {source} to {at}")

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def move(
        self,
        to: Annotated[str, PositionArg("target")],
        ticket: Ticket,
        sample: Annotated[str, SampleArg()] = "",
        source: Annotated[str, PositionArg("source")] = "",
    ) -> None:
        """Moves a sample."""
        await self._carry("move", ticket, f"{sample}: {source} to {to}")

    async def _carry(self, act: str, ticket: Ticket, what: str) -> None:
        await self.meet(act)
        self.begun[ticket] = what
        await self.clock.sleep(0.5 * MINUTE)
        await self.meet("halfway")
        self.arrived[ticket] = what

    async def ask(self, ticket: Ticket) -> Verdict:
        said = await self.meet("ask")
        if said is not None:
            assert isinstance(said, Verdict)
            return said
        if ticket in self.arrived:
            return Verdict("done", "it arrived")
        return Verdict("unknown" if ticket in self.begun else "not_done", "as the arm says")


class Oven(Device):
    """`minutes` is how long the next bakes take; `is_hot` is what make_safe ends."""

    minutes: float = 10.0
    is_hot = False

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self.baked: list[float] = []

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def bake(self, temperature: Annotated[float, Unit("degC", low=0, high=500)]) -> None:
        """Bakes."""
        await self.meet("bake")
        self.baked.append(temperature)
        self.is_hot = True
        await self.clock.sleep(self.minutes * MINUTE)
        self.is_hot = False

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def warm(self, temperature: Annotated[float, Unit("degC", low=0, high=500)]) -> None:
        """Keeps warm."""
        await self.meet("warm")
        self.is_hot = True

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Ends that."""
        await self.meet("off")
        self.is_hot = False

    async def make_safe(self) -> None:
        await self.meet("make_safe")
        self.is_hot = False


class ReleasingOven(Oven):
    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def release(self) -> None:
        """Lets go of the sample."""
        await self.meet("release")


@dataclass(frozen=True)
class Weighed:
    mean: Annotated[float | Bound, Unit("g")]
    sd: Annotated[float, Unit("g")]
    readings: Annotated[list[float], Unit("g")]


class Balance(Device):
    """`says` are the results of the next weighings, else the oven's last temperature / 100."""

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self.says: deque[Any] = deque()
        self.minutes = 1.0

    @reading
    async def weigh(self) -> Weighed:
        """Weighs three times."""
        await self.meet("weigh")
        await self.clock.sleep(self.minutes * MINUTE)
        mean = self.says.popleft() if self.says else 2.0
        value = mean.value if isinstance(mean, Bound) else mean
        return Weighed(mean, 0.3, [value, value, value])

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def portion(self) -> Weighed:
        """Doses, and weighs what it dosed."""
        await self.meet("portion")
        await self.clock.sleep(MINUTE)
        return Weighed(2.0, 0.3, [2.0])

    @reading
    async def drift(self) -> Annotated[float, Unit("g")]:
        """The drift."""
        said = await self.meet("drift")
        return 0.0 if said is None else said


CLASSES: dict[str, type[Device]] = {"arm": Arm, "oven": Oven, "balance": Balance}


def take(at: str = "oven") -> Step:
    new = Argument(name="sample", literal="new")
    arguments = (new, Argument(name="at", literal=at))
    return Step(name="take", role="arm", action="place", arguments=arguments)


def bake(name: str = "bake", **settings: Any) -> Step:
    hot = Argument(name="temperature", expression="x")
    return Step(name=name, role="oven", action="bake", arguments=(hot,), **settings)


def move(name: str, to: str, **settings: Any) -> Step:
    arguments = (Argument(name="to", literal=to),)
    return Step(name=name, role="arm", action="move", arguments=arguments, **settings)


def weigh(**settings: Any) -> Step:
    return Step(name="weigh", role="balance", action="weigh", **settings)


RECIPE = (take(), bake(), move("carry", "balance"), weigh(), move("store", "shelf"))
MASS = Metric(name="mass", expression="weigh.mean", unit="g")
LIGHTEST = Objective(goals=(Goal(metric="mass", direction="minimise"),))


class Points:
    """A planner that gives numbered points; `script` entries are raised or awaited first.
    `recommends` are raised, or given one after the other as what its model recommends."""

    def __init__(self) -> None:
        self.histories: list[History] = []
        self.script: deque[Trouble] = deque()
        self.points: deque[dict[str, Any]] = deque()
        self.recommends: deque[int | BaseException] = deque()

    async def start(self) -> None: ...

    async def propose(self, history: History, n: int) -> Sequence[Proposal]:
        self.histories.append(history)
        if self.script:
            trouble = self.script.popleft()
            if isinstance(trouble, BaseException):
                raise trouble
            await trouble()
        number = history.n_proposed + 1
        point = self.points.popleft() if self.points else {"x": 100.0 + number}
        return [Proposal(point=point, source="initial", why=f"point {number}")][:n]

    async def recommend(self, history: History) -> int | None:
        said = self.recommends.popleft() if self.recommends else None
        if isinstance(said, BaseException):
            raise said
        return said

    async def close(self) -> None: ...


@dataclass
class Works:
    """Everything around an engine. `run` may be called again: the journal stays."""

    recipe: Sequence[Step] = RECIPE
    metrics: Sequence[Metric] = (MASS,)
    objective: Objective = LIGHTEST
    trials: int = 2
    slots: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, type[Device]] = field(default_factory=lambda: dict(CLASSES))
    interlocks: Sequence[Interlock] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    lab_settings: Mapping[str, Any] = field(default_factory=dict)
    wrap: Callable[[Journal], Journal] | None = None

    STANDARD_SLOTS: ClassVar[dict[str, int]] = {
        "blanks": 20,
        "oven": 1,
        "balance": 1,
        "shelf": 20,
    }

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.store: Store = open_store("memory:")
        self.row = self.store.create("works", "hash")
        self.devices = {name: cls(name, self.clock) for name, cls in self.classes.items()}
        self.planner = Points()
        self.study = self._study()
        self.engine: Engine | None = None
        self.ledger: Ledger | None = None
        self.on_event: Callable[[ev.Recorded, State], None] | None = None
        self.awaited: list[tuple[Callable[[State], bool], asyncio.Event]] = []
        self.n_runs = 0

    def _study(self) -> Study:
        space = {
            "space": SearchSpace(parameters=(Real(name="x", low=0.0, high=900.0, unit="degC"),))
        }
        campaign = Campaign(
            name="works",
            goal="",
            roles={n: n for n in self.devices},
            recipe=tuple(self.recipe),
            metrics=tuple(self.metrics),
            objective=self.objective,
            **{"budget": Budget(trials=self.trials)} | space | dict(self.settings),
        )
        slots = self.STANDARD_SLOTS | dict(self.slots)
        lab = Lab(
            name="works",
            resources=tuple(ResourceBinding(name=n, kind=n) for n in self.devices),
            roles={n: n for n in self.devices},
            positions=tuple(
                Position(name=n, slots=s, stores_new=n.startswith("blanks"))
                for n, s in slots.items()
            ),
            interlocks=tuple(self.interlocks),
            **dict(self.lab_settings),
        )
        kinds = {
            n: ResourceKind(name=n, cls=type(d), actions=actions_of(type(d)), options={})
            for n, d in self.devices.items()
        }
        return prepare(campaign, lab, "works", kinds, {n: k.actions for n, k in kinds.items()})

    def __getitem__(self, name: str) -> Any:
        return self.devices[name]

    @property
    def state(self) -> State:
        assert self.ledger is not None
        return self.ledger.state

    def run(self, meanwhile: Callable[[], Awaitable[None]] | None = None) -> Ending:
        """Runs the engine to its ending; `meanwhile` runs beside it. Raises what it raises."""
        return self.clock.run(self._run(meanwhile))

    async def _run(self, meanwhile: Callable[[], Awaitable[None]] | None) -> Ending:
        self.n_runs += 1
        self.awaited.clear()
        journal: Journal = self.store.lease(self.row.id, f"run {self.n_runs}")
        inner = journal
        journal = self.wrap(journal) if self.wrap else journal
        self.ledger = ledger = Ledger(journal, self.clock, self._watch)
        actions = {n: actions_of(type(d)) for n, d in self.devices.items()}
        runner = Runner(
            self.study.lab, self.devices, actions, self.clock, ledger.record, safe_within_s=0.05
        )
        runner.answer_within_s = 0.05
        schedule = VirtualSchedule(self.clock)
        self.engine = Engine(
            self.study, ledger, self.planner, runner, schedule, give_up_within_s=0.2
        )
        runner.on_trip = self.engine.trip
        if self.interlocks:
            schedule.every(self.study.lab.poll_s, "interlocks", runner.watch)
        running = asyncio.ensure_future(self.engine.run(_started(), _opened()))
        beside = asyncio.ensure_future(meanwhile()) if meanwhile else None
        try:
            async with asyncio.timeout(15):
                if beside is not None:
                    await asyncio.wait({running, beside}, return_when=asyncio.FIRST_COMPLETED)
                    if beside.done():
                        beside.result()
                return await running
        finally:
            if beside is not None:
                beside.cancel()
            await inner.close()

    def _watch(self, recorded: ev.Recorded, state: State) -> None:
        for is_so, became in self.awaited:
            if is_so(state):
                became.set()
        if self.on_event is not None:
            self.on_event(recorded, state)

    def events(self, *kinds: type[Any]) -> list[Any]:
        found = [r.event for r in self.store.read(self.row.id)]
        return [e for e in found if not kinds or isinstance(e, kinds)]

    def wish(self, kind: str, by: str = "a person", **payload: Any) -> int:
        return self.store.request(self.row.id, kind, payload, by)

    def answer(self, request: int) -> str | None:
        return self.store.answer(request)

    async def until(self, is_so: Callable[[State], bool]) -> None:
        """Waits, within a run, until an event makes the state so."""
        became = asyncio.Event()
        self.awaited.append((is_so, became))
        await became.wait()

    def statuses(self) -> list[str]:
        return [t.status.value for t in self.state.trials.values()]

    def values(self, metric: str = "mass") -> list[float | None]:
        seen = [t.observed(metric) for t in self.state.trials.values()]
        return [s.event.value if s else None for s in seen]


def _opened() -> ev.CampaignOpened:
    return ev.CampaignOpened(
        name="works",
        campaign_file="works.yaml",
        campaign_text="",
        file_hash="hash",
        seed=0,
        version="0",
    )


def _started() -> ev.EngineStarted:
    return ev.EngineStarted(
        token=1,
        host="here",
        pid=1,
        user="us",
        version="0",
        lab_name="works",
        lab_file="",
        lab_text="",
    )


def bakes_of(events: Sequence[Any]) -> list[Any]:
    return [e for e in events if isinstance(e, ev.ActionDispatched) and e.action == "bake"]


def is_under_way(action: str) -> Callable[[State], bool]:
    def is_so(state: State) -> bool:
        return any(state.dispatches[t].event.action == action for t in state.open_tickets)

    return is_so


def interrupted(works: Works, action: str, times: int = 1, after_min: float = 0.1) -> Ending:
    """Runs until an action is under way, and presses Ctrl-C so many times."""

    async def press() -> None:
        await works.until(is_under_way(action))
        await works.clock.sleep(after_min * MINUTE)
        assert works.engine is not None
        for _ in range(times):
            works.engine.interrupt()
        await asyncio.Event().wait()

    return works.run(press)
