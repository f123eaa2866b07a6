"""Waiting for devices: what they have lost meanwhile, and one wait for all trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import pytest
from small_works import CLASSES, Balance, Device, ReleasingOven, Works, weigh

from orchestrator import errors
from orchestrator.engine.commands import StartStep, TryLater
from orchestrator.engine.decide import decide
from orchestrator.errors import Exit
from orchestrator.model import events as ev
from orchestrator.model.objective import Goal, Metric, Objective
from orchestrator.model.patience import LONGEST_WAIT_S, PATIENCE_S, Wait, waits
from orchestrator.model.recipe import Argument, Step
from orchestrator.model.state import State
from orchestrator.ports.action import Cancel, Effect, Ticket, Unit, action
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Verdict


@dataclass(frozen=True)
class Flow:
    value: Annotated[float, Unit("degC")]


class Gas(Device):
    """A controller that forgets its flow when its power fails, which it does once at the calls
    of `fails_at` (by what was called, and how often), for `away_s`; and keeps a log."""

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self.flow = 0.0
        self.fails_at: dict[tuple[str, int], float] = {}
        self.back_at = 0.0
        self.log: list[tuple[str, float]] = []
        self.n_calls: Counter[str] = Counter()

    async def meet(self, act: str) -> Any:
        if act in ("set", "read", "dose"):
            self.n_calls[act] += 1
            away_s = self.fails_at.pop((act, self.n_calls[act]), None)
            if away_s is not None:
                self.flow, self.back_at = 0.0, self.clock.now() + away_s
                raise errors.DeviceGone(self.name, "the connection broke")
            if self.clock.now() < self.back_at:
                raise errors.DeviceAbsent(self.name, "nothing answers")
        return await super().meet(act)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set(self, flow: Annotated[float, Unit("degC", low=0, high=900)]) -> None:
        """Sets the flow."""
        await self.meet("set")
        self.flow = flow
        self.log.append(("set", flow))

    @action(effect=Effect.NONE, cancel=Cancel.AT_ONCE)
    async def read(self) -> Flow:
        """Reads the flow."""
        await self.meet("read")
        await self.clock.sleep(1.0)
        self.log.append(("read", self.flow))
        return Flow(self.flow)

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def dose(self, ticket: Ticket) -> None:
        """Doses onto the sample."""
        await self.meet("dose")

    async def ask(self, ticket: Ticket) -> Verdict:
        return Verdict("done", "it says so")

    async def make_safe(self) -> None:
        await super().make_safe()
        self.flow = 0.0


Channel = Annotated[int, Unit("", low=1, high=2)]


class Channels(Gas):
    """Several flows, each of which is lost with the power."""

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self.flows: dict[int, float] = {}

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def put(self, channel: Channel, flow: Annotated[float, Unit("degC")]) -> None:
        """Sets a flow."""
        await self.meet("set")
        self.flows[channel] = flow

    @action(effect=Effect.NONE, cancel=Cancel.AT_ONCE)
    async def get(self, channel: Channel) -> Flow:
        """Reads a flow."""
        try:
            await self.meet("read")
        except errors.DeviceGone:
            self.flows.clear()
            raise
        return Flow(self.flows.get(channel, 0.0))


class Scales(Balance):
    concurrent: ClassVar[int] = 20


def set_to(what: str = "x", name: str = "set") -> Step:
    given = Argument(name="flow", expression=what)
    return Step(name=name, role="gas", action="set", arguments=(given,))


def read(name: str = "read", **settings: Any) -> Step:
    return Step(name=name, role="gas", action="read", **settings)


DOSE = Step(name="dose", role="gas", action="dose")
LOSING = (set_to(), DOSE, weigh(), read())
FLOW = Metric(name="flow", expression="read.value", unit="degC")
LOWEST = Objective(goals=(Goal(metric="flow", direction="minimise"),))


def gas_works(recipe: Sequence[Step], trials: int = 1, **more: Any) -> Works:
    classes = {"gas": Gas, "balance": Balance}
    return Works(
        recipe=recipe, trials=trials, metrics=(FLOW,), objective=LOWEST, classes=classes, **more
    )


def as_set(works: Works) -> bool:
    """Whether each trial read what was set for it."""
    points = [t.proposal.point["x"] for t in works.state.trials.values()]
    return works.values("flow") == points


@pytest.mark.parametrize("away_s", [0.0, 0.5, 30.0, 100.0])
@pytest.mark.parametrize("call", [("read", 1), ("set", 1), ("read", 2), ("set", 2)])
def test_what_a_device_lost_while_it_was_away_is_set_again_before_the_step_that_failed(
    away_s: float, call: tuple[str, int]
) -> None:
    works = gas_works((set_to(), read()), trials=2)
    works["gas"].fails_at[call] = away_s
    assert works.run().exit_code is Exit.FINISHED
    assert as_set(works)
    set_at = [d.at for d in works.state.dispatches.values() if d.event.step == "set"]
    assert set_at[-1] - set_at[0] < 2 * PATIENCE_S


def test_a_device_that_was_set_and_stays_away_is_a_persons_matter_after_two_minutes() -> None:
    works = gas_works((set_to(), read()))
    works["gas"].fails_at["read", 1] = 300.0
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert ending.sentence == "step 'set' of trial 1 failed: gas: nothing answers"
    tried = [d.at for d in works.state.dispatches.values()][1:]
    assert tried[-1] - tried[0] == pytest.approx(PATIENCE_S)
    works["gas"].back_at = 0.0
    assert works.run().exit_code is Exit.FINISHED
    assert as_set(works)


def test_a_device_that_lost_what_cannot_be_set_again_is_not_waited_for() -> None:
    for away_s in (30.0, 0.0):
        works = gas_works((set_to(), DOSE, read()))
        works["gas"].fails_at["read", 1] = away_s
        ending = works.run()
        assert (ending.exit_code, works["gas"].n_calls["read"]) == (Exit.PERSON, 1)
        assert ending.sentence.endswith("what step 'set' set there may be lost")
        assert works["gas"].n_calls["set"] == 1


def test_what_was_lost_for_good_as_another_driver_ended_is_told_before_it_is_relied_on() -> None:
    for recipe, code in (((set_to(), weigh(), read()), Exit.FINISHED), (LOSING, Exit.PERSON)):
        works = gas_works(recipe)

        def seen(entry: ev.Recorded, state: State, works: Works = works) -> None:
            order = entry.event if isinstance(entry.event, ev.ActionDispatched) else None
            if order and (order.step, order.attempt) == ("weigh", 1) and works.engine is not None:
                ended = ev.DriverEnded(resources=("balance",), why="it was killed")
                works.engine.lose("a driver ended", ended)

        works.on_event = seen
        ending = works.run()
        assert ending.exit_code is code
        assert works.values("flow") == ([101.0] if code is Exit.FINISHED else [None])
    assert ending.sentence == (
        "what step 'set' of trial 1 set on gas was lost as the lab was made safe, and is not set "
        "again after what was done since"
    )
    assert works.run().exit_code is Exit.FINISHED, "a person lets it go on"


def test_of_what_was_set_twice_the_last_is_set_again() -> None:
    flow = Argument(name="flow", literal=900.0)
    hot = Step(name="hot", role="gas", action="set", arguments=(flow,))
    works = gas_works((hot, set_to(), read()))
    works["gas"].fails_at["read", 1] = 30.0
    assert works.run().exit_code is Exit.FINISHED
    assert as_set(works)
    assert [value for what, value in works["gas"].log if what == "set"] == [900.0, 101.0, 101.0]


def test_a_channel_that_is_a_number_is_not_how_much_is_set() -> None:
    """Trial 2 sets channel 1 while what trial 1 has set on channel 2 is to be read."""

    def on(channel: int, name: str, action: str, *more: Argument) -> Step:
        arguments = (Argument(name="channel", literal=channel), *more)
        return Step(name=name, role="gas", action=action, arguments=arguments)

    flow = Argument(name="flow", expression="x")
    recipe = [Step(name=name, role=name, action="weigh") for name in "abc"]
    recipe[1:1], recipe[3:3] = [on(1, "first", "put", flow)], [on(2, "second", "put", flow)]
    classes = {"gas": Channels} | dict.fromkeys("abc", Balance)
    works = Works(
        recipe=(*recipe, on(2, "read", "get")),
        trials=2,
        metrics=(FLOW,),
        objective=LOWEST,
        classes=classes,
        settings={"in_flight": 2},
    )
    works["a"].minutes, works["b"].minutes, works["c"].minutes = 6.0, 0.5, 5.75
    works["gas"].fails_at["read", 1] = 0.0
    assert works.run().exit_code is Exit.FINISHED
    assert as_set(works)


def test_retries_of_the_file_are_counted_and_what_was_lost_is_set_again_all_the_same() -> None:
    works = gas_works((set_to(), read(retries=1)))
    works["gas"].fails_at["read", 1] = 0.0
    assert works.run().exit_code is Exit.FINISHED
    assert as_set(works)


def test_a_failed_trials_device_is_waited_for_whatever_was_done_there() -> None:
    works = Works(trials=1, classes=CLASSES | {"oven": ReleasingOven})
    works["oven"].troubles["bake"].append(errors.NoReading("oven", "none"))
    works["oven"].troubles["release"].extend([errors.DeviceGone("oven", "away")] * 5)
    assert works.run().exit_code is Exit.FINISHED
    assert works.state.samples["works-1"].position == "shelf"


def test_a_device_that_says_it_lost_more_than_was_set_again_has_that_set_too() -> None:
    works = gas_works((set_to(name="first"), set_to(), read()))
    works["gas"].fails_at["read", 1] = 10.0
    calls = 0

    def seen(entry: ev.Recorded, state: State) -> None:
        nonlocal calls
        is_first = isinstance(entry.event, ev.ActionFailed)
        if is_first and not calls:
            calls += 1
            gone = errors.DeviceAbsent("gas", "away")
            works["gas"].troubles["set"].extend([gone, errors.DeviceReset("gas", "it was reset")])

    works.on_event = seen
    assert works.run().exit_code is Exit.FINISHED
    assert as_set(works)
    works = gas_works((set_to(), read()))
    works["gas"].troubles["read"].append(errors.DeviceReset("gas", "somebody was at its panel"))
    assert works.run().exit_code is Exit.PERSON, "nobody knows why it was reset"


def test_what_another_trial_has_set_otherwise_since_is_not_set_back() -> None:
    recipe = (set_to(), read(), weigh(), Step(name="last", role="balance", action="weigh"))
    works = gas_works(recipe, trials=2, settings={"in_flight": 2})
    works["gas"].fails_at["read", 2] = 90.0
    assert works.run().exit_code is Exit.FINISHED
    assert as_set(works)
    assert [value for what, value in works["gas"].log if what == "set"] == [101.0, 102.0, 102.0]


def test_between_setting_and_reading_again_no_other_trial_sets_the_device() -> None:
    purge = Step(
        name="purge", role="gas", action="set", arguments=(Argument(name="flow", literal=0.0),)
    )
    recipe = (set_to(), read(), weigh(), purge)
    for error in (errors.DeviceGone("gas", "away"), errors.DeviceGarbled("gas", "noise")):
        works = gas_works(recipe, trials=5, settings={"in_flight": 5})
        works["gas"].troubles["read"].extend([error, error, *[_pass] * 2, error, error])
        assert works.run().exit_code is Exit.FINISHED
        assert as_set(works)


def test_a_device_that_was_just_set_is_read_before_an_older_trial_sets_it() -> None:
    off = Argument(name="flow", literal=0.0)
    purge = Step(name="purge", role="gas", action="set", arguments=(off,))
    works = gas_works((set_to(), read(), weigh(), purge), trials=3, settings={"in_flight": 3})
    meet = works["gas"].meet

    async def slowly(act: str) -> Any:
        if act == "set":
            await works.clock.sleep(30.0)
        return await meet(act)

    works["gas"].meet = slowly
    works["balance"].minutes = 1.0
    assert works.run().exit_code is Exit.FINISHED
    assert as_set(works)


def test_a_device_that_has_another_name_by_now_is_tried_under_that() -> None:
    works = Works(recipe=(weigh(),), trials=1, classes={"balance": Balance})
    works["balance"].troubles["weigh"].extend([errors.DeviceGone("balance", "away")] * 4)
    (step,) = works.study.steps
    study = replace(
        works.study,
        steps=(replace(step, resource="scales"),),
        holds={"scales": frozenset({"scales"})},
        capacity={"scales": 1},
    )
    found = []

    def look(entry: ev.Recorded, state: State) -> None:
        if isinstance(entry.event, ev.ActionFailed):
            found.extend(decide(study, state, entry.at))

    works.on_event = look
    assert works.run().exit_code is Exit.FINISHED
    assert [type(command) for command in found] == [StartStep, TryLater, TryLater, TryLater]


async def _pass() -> None: ...


def test_what_a_stop_and_an_outage_have_undone_is_set_again() -> None:
    works = gas_works((set_to(), read()))
    works["gas"].fails_at["read", 1] = 100.0

    def seen(entry: ev.Recorded, state: State) -> None:
        if len(state.dispatches) == 6 and works.engine is not None:
            works.engine.interrupt()

    works.on_event = seen
    assert works.run().exit_code is Exit.INTERRUPTED
    works.on_event, works["gas"].back_at = None, 0.0
    assert works.run().exit_code is Exit.FINISHED
    assert as_set(works)


@pytest.mark.parametrize("scale", [Balance, Scales])
def test_a_device_that_is_away_is_tried_once_for_all_trials(scale: type[Balance]) -> None:
    for n_away, code in ((7, Exit.FINISHED), (99, Exit.PERSON)):
        works = twenty(scale)
        away = errors.DeviceAbsent("balance", "away")
        works["balance"].troubles["weigh"].extend([away] * n_away)
        ending = works.run()
        assert ending.exit_code is code
        n_tried = works["balance"].did.count("weigh")
        assert n_tried == (n_away + 20 if code is Exit.FINISHED else 9)
    assert ending.sentence == "step 'weigh' of trial 1 failed: balance: away"
    assert len(works.events(ev.Paused)) == 1
    assert len(works.state.trials) == 1, "no point is chosen that cannot be tried yet"


def twenty(scale: type[Balance]) -> Works:
    classes = {"balance": scale}
    return Works(recipe=(weigh(),), trials=20, classes=classes, settings={"in_flight": 20})


def test_of_many_trials_that_a_device_fails_at_once_one_tries_it_again() -> None:
    works = twenty(Scales)

    async def dies() -> None:
        await works.clock.sleep(1.0)
        raise errors.DeviceGone("balance", "away")

    away = errors.DeviceAbsent("balance", "away")
    works["balance"].troubles["weigh"].extend([dies] * 20 + [away] * 5)
    assert works.run().exit_code is Exit.FINISHED
    assert (works.statuses(), works["balance"].did.count("weigh")) == (["done"] * 20, 45)
    tried = sorted(d.at for d in works.state.dispatches.values())[19:26]
    assert [b - a for a, b in pairwise(tried)] == pytest.approx([1, 1, 2, 4, 8, 16], abs=1)


def test_a_measurement_that_takes_hours_is_no_attempt_to_be_waited_for() -> None:
    works = twenty(Scales)
    works["balance"].minutes = 300.0
    works["balance"].troubles["weigh"].append(errors.DeviceGone("balance", "away"))
    assert works.run().exit_code is Exit.FINISHED
    began = [d.at for d in works.state.dispatches.values() if d.outcome == "done"]
    assert began[-1] - began[0] <= LONGEST_WAIT_S


def test_a_device_that_takes_a_step_at_a_time_needs_no_waking_while_it_is_busy() -> None:
    works = Works(recipe=(weigh(),), trials=1, classes={"balance": Balance})
    works["balance"].troubles["weigh"].append(errors.DeviceGarbled("balance", "noise"))
    found = []

    def look(entry: ev.Recorded, state: State) -> None:
        if isinstance(entry.event, ev.ActionDispatched):
            found.extend(decide(works.study, state, entry.at))

    works.on_event = look
    assert works.run().exit_code is Exit.FINISHED
    assert found == []


def test_nobody_waits_for_an_attempt_that_has_succeeded() -> None:
    works = Works(recipe=(weigh(),), trials=1, classes={"balance": Scales})
    works["balance"].minutes = 0.1
    works["balance"].troubles["weigh"].append(errors.DeviceGone("balance", "away"))
    start = works.clock.now()
    assert works.run().exit_code is Exit.FINISHED
    assert works.clock.now() - start == pytest.approx(6.0)


def test_who_waits_for_which_device_since_when_and_until_when_is_known() -> None:
    works = twenty(Scales)
    works["balance"].troubles["weigh"].extend([_pass] * 5)

    async def dies() -> None:
        await works.clock.sleep(1.0)
        raise errors.DeviceGone("balance", "away")

    away = errors.DeviceAbsent("balance", "away")
    works["balance"].troubles["weigh"].extend([dies] * 15 + [away] * 4)
    seen = []

    def look(entry: ev.Recorded, state: State) -> None:
        if isinstance(entry.event, ev.ActionFailed):
            seen.append(waits(works.study.campaign, state))

    works.on_event = look
    assert works.run().exit_code is Exit.FINISHED
    last = seen[-1]
    first = min(d.closed_at for d in works.state.dispatches.values() if d.failure is not None)
    tried = first + sum([1.0, 2.0, 4.0, 8.0])
    assert last == (Wait("balance", 6, "weigh", 14, first, tried, first + PATIENCE_S),)
    assert waits(works.study.campaign, works.state) == ()
