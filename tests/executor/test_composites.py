"""A composite acts through its dispatcher, so nothing physical hides inside of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from small_plant import Plant, Station, order_of, play, silent

from orchestrator.errors import DeviceError, DeviceRefused
from orchestrator.model import events as ev
from orchestrator.model.lab import Limit
from orchestrator.model.state import DispatchState
from orchestrator.ports.dispatch import Dispatch
from orchestrator.ports.resource import Inner, Verdict

Script = Callable[[Dispatch], Awaitable[None]]


async def _cure(dispatch: Dispatch) -> None:
    await dispatch("heater", "heat", temperature=150.0)
    await dispatch("doser", "dose", volume=2.0)
    await dispatch("heater", "off")


def treated(
    script: Script, prepare: Callable[[Plant], None] = lambda p: None, **settings: Any
) -> tuple[Plant, DispatchState]:
    async def play_it(plant: Plant) -> None:
        prepare(plant)
        plant["station"].script = script
        await plant.order("station.treat")

    plant = play(play_it, **settings)
    return plant, plant.state.dispatches["t1"]


def test_each_inner_action_has_an_event_a_sub_ticket_and_a_hash_of_its_arguments() -> None:
    plant, whole = treated(_cure)
    assert whole.outcome == "done"
    inner = [e for e in plant.events(ev.ActionDispatched) if e.parent == "t1"]
    assert [f"{e.resource}.{e.action}" for e in inner] == [
        "heater.heat",
        "doser.dose",
        "heater.off",
    ]
    assert [e.arguments for e in inner] == [{"temperature": 150.0}, {"volume": 2.0}, {}]
    assert len({e.ticket for e in inner} | {"t1"}) == 4
    assert all(len(e.ticket) == 16 and len(e.arguments_hash) == 16 for e in inner)
    assert whole.children == [e.ticket for e in inner]


def test_sub_tickets_are_a_pure_function_of_the_parent_and_their_order() -> None:
    tickets = [[e.ticket for e in treated(_cure)[0].events(ev.ActionDispatched)] for _ in range(2)]
    assert tickets[0] == tickets[1]


def test_a_lab_limit_holds_inside_of_a_composite_and_nothing_is_sent() -> None:
    limit = Limit(resource="heater", action="heat", argument="temperature", high=100.0)
    plant, whole = treated(_cure, limits=[limit])
    assert whole.failure is not None
    assert whole.failure.error == "LimitExceeded"
    assert plant["heater"].sent == []


def test_each_inner_action_is_a_task_of_its_own_by_which_a_link_knows_its_orders() -> None:
    tasks: list[asyncio.Task[Any] | None] = []

    async def noted() -> None:
        tasks.append(asyncio.current_task())

    async def twice(dispatch: Dispatch) -> None:
        for _ in range(2):
            await dispatch("heater", "off")

    treated(twice, lambda plant: plant["heater"].troubles["off"].extend([noted, noted]))
    first, second = tasks
    assert first is not second


def test_a_composite_that_fails_before_anything_irreversible_may_be_repeated() -> None:
    def prepare(plant: Plant) -> None:
        plant["heater"].troubles["heat"].append(silent("heater"))

    _, whole = treated(_cure, prepare)
    assert whole.failure is not None
    assert (whole.failure.may_retry, whole.failure.spoils_sample) == (True, False)
    assert not whole.is_open


def test_a_composite_that_fails_after_something_irreversible_spoils_its_sample() -> None:
    def prepare(plant: Plant) -> None:
        plant["heater"].troubles["off"].append(silent("heater"))

    _, whole = treated(_cure, prepare)
    assert whole.failure is not None
    assert (whole.failure.may_retry, whole.failure.spoils_sample) == (False, True)
    assert not whole.is_open


def test_a_doubt_inside_of_a_composite_is_a_doubt_about_the_whole() -> None:
    def prepare(plant: Plant) -> None:
        plant["doser"].troubles["dose"].append(silent("doser"))

    plant, whole = treated(_cure, prepare)
    assert whole.is_open
    assert whole.failure is not None
    assert whole.failure.leaves_doubt
    child = plant.state.dispatches[whole.children[1]]
    assert child.is_open


def test_a_composite_may_carry_on_after_a_part_refused() -> None:
    async def script(dispatch: Dispatch) -> None:
        with pytest.raises(DeviceRefused):
            await dispatch("doser", "dose", volume=1.0)
        await dispatch("doser", "dose", volume=1.0)

    def prepare(plant: Plant) -> None:
        plant["doser"].troubles["dose"].append(DeviceRefused("doser", "empty"))

    _, whole = treated(script, prepare)
    assert whole.outcome == "done"


@pytest.mark.parametrize(
    ("part", "act", "said"),
    [("oven", "heat", "'oven' is not a part of station"), ("heater", "cool", "'cool' is not an")],
)
def test_a_part_or_an_action_that_does_not_exist_is_named(part: str, act: str, said: str) -> None:
    async def script(dispatch: Dispatch) -> None:
        await dispatch(part, act)

    _, whole = treated(script)
    assert whole.failure is not None
    assert said in whole.failure.sentence


def test_waiting_for_a_reading_records_how_it_came_to_rest() -> None:
    seen: list[float] = []

    async def script(dispatch: Dispatch) -> None:
        value = await dispatch.until(
            "heater", "temperature", "value", 90.0, 110.0, hold_s=5.0, timeout_s=60.0, every_s=1.0
        )
        seen.append(value)

    def prepare(plant: Plant) -> None:
        async def say(value: float) -> float:
            return value

        readings = [20.0, 95.0, 120.0, float("nan"), 95.0]
        for celsius in readings:
            plant["heater"].troubles["temperature"].append(lambda c=celsius: say(c))
        plant["heater"].celsius = 100.0

    plant, whole = treated(script, prepare)
    assert whole.outcome == "done"
    (settled,) = plant.events(ev.Settled)
    assert (settled.value, settled.unit, settled.low, settled.high) == (100.0, "degC", 90.0, 110.0)
    assert settled.waited_s == 9.0
    assert seen == [100.0]
    assert len(plant.events(ev.ActionDispatched)) == 1


def test_a_reading_that_does_not_come_to_rest_is_a_time_out() -> None:
    async def script(dispatch: Dispatch) -> None:
        await dispatch.until(
            "heater", "temperature", "value", 90.0, 110.0, hold_s=0.0, timeout_s=60.0
        )

    plant, whole = treated(script)
    assert whole.failure is not None
    assert whole.failure.error == "StepTimeout"
    assert "heater.temperature" in whole.failure.sentence
    assert plant.clock.now() == pytest.approx(61.0)


def test_a_composites_time_out_ends_the_inner_action_and_says_what_it_was() -> None:
    async def script(dispatch: Dispatch) -> None:
        await dispatch("doser", "flush")

    async def play_it(plant: Plant) -> None:
        plant["station"].script = script
        await plant.order("station.treat_in_time")

    plant = play(play_it)
    whole = plant.state.dispatches["t1"]
    inner = plant.state.dispatches[whole.children[0]]
    assert plant.clock.now() == 50.0
    assert whole.failure is not None
    assert (whole.failure.error, whole.is_open) == ("StepTimeout", True)
    assert inner.failure is not None
    assert "being stopped" not in inner.failure.sentence


async def _interrupted_during(plant: Plant, do: str, after_s: float, at_once: bool) -> None:
    running = asyncio.ensure_future(plant.runner.carry_out(order_of(do)))
    await plant.clock.sleep(after_s)
    plant.runner.interrupt(at_once=at_once)
    await running


async def _flush_twice(dispatch: Dispatch) -> None:
    await dispatch("doser", "flush")
    await dispatch("doser", "flush")


def _interrupted(do: str, script: Script, after_s: float, *, at_once: bool = False) -> Plant:
    async def play_it(plant: Plant) -> None:
        plant["station"].script = script
        await _interrupted_during(plant, do, after_s, at_once)

    return play(play_it)


def test_an_interrupt_between_steps_lets_the_inner_step_under_way_come_to_its_end() -> None:
    plant = _interrupted("station.treat", _flush_twice, after_s=50.0)
    whole = plant.state.dispatches["t1"]
    assert plant["doser"].sent == ["flush"]
    assert [plant.state.dispatches[c].outcome for c in whole.children] == ["done", "failed"]
    assert whole.failure is not None
    assert (whole.failure.error, whole.failure.spoils_sample) == ("Stopped", True)
    refused = plant.state.dispatches[whole.children[1]].failure
    assert refused is not None
    assert refused.sentence == "it was not sent: the campaign is being stopped"
    assert whole.failure.sentence == "it was given up on the way: the campaign is being stopped"
    assert plant.clock.now() == 100.0


def test_after_an_answer_that_an_interrupt_waited_for_nothing_more_of_a_composite_is_done() -> None:
    went_on: list[float] = []

    async def script(plant: Plant) -> None:
        sent = asyncio.Event()

        async def slowly() -> float:
            sent.set()
            with plant.clock.work():
                await asyncio.sleep(0.03)
            return 2.5

        async def weigh(dispatch: Dispatch) -> None:
            await dispatch("doser", "weigh_out")
            await plant.clock.sleep(5000.0)  # by itself, and not by its dispatch
            went_on.append(plant.clock.now())

        plant.runner.answer_within_s = 3600.0
        plant["doser"].troubles["weigh_out"].append(slowly)
        plant["station"].script = weigh
        running = asyncio.ensure_future(plant.runner.carry_out(order_of("station.treat")))
        await sent.wait()
        plant.runner.interrupt(at_once=False)
        await running

    plant = play(script)
    whole = plant.state.dispatches["t1"]
    assert [plant.state.dispatches[c].outcome for c in whole.children] == ["done"]
    assert whole.failure is not None
    assert (whole.failure.spoils_sample, whole.failure.leaves_doubt) == (True, False)
    assert went_on == []


def test_an_interrupt_ends_a_composite_that_merely_waits() -> None:
    async def wait(dispatch: Dispatch) -> None:
        await dispatch.sleep(5000.0)

    plant = _interrupted("station.treat", wait, after_s=50.0)
    assert plant.clock.now() == 50.0
    assert plant.state.dispatches["t1"].outcome == "failed"


def test_a_first_interrupt_lets_a_composite_that_cannot_be_given_up_do_all_its_steps() -> None:
    plant = _interrupted("station.treat_to_the_end", _flush_twice, after_s=50.0)
    assert plant["doser"].sent == ["flush", "flush"]
    assert plant.state.dispatches["t1"].outcome == "done"


def test_an_interrupt_at_once_gives_up_even_that() -> None:
    plant = _interrupted("station.treat_to_the_end", _flush_twice, after_s=50.0, at_once=True)
    assert plant["doser"].sent == ["flush"]
    assert plant.state.dispatches["t1"].is_open
    assert plant.clock.now() == 50.0


def test_a_composite_cut_off_at_any_point_leaves_an_end_or_a_doubt_for_each_action() -> None:
    k = 0
    while True:
        was_done: list[bool] = []

        async def script(plant: Plant, k: int = k, was_done: list[bool] = was_done) -> None:
            plant["station"].script = _cure
            running = asyncio.ensure_future(plant.runner.carry_out(order_of("station.treat")))
            for i in range(k):
                await (plant.clock.sleep(10.0) if i % 25 == 24 else asyncio.sleep(0))
            was_done.append(running.done())
            plant.runner.interrupt(at_once=True)
            await asyncio.gather(running, return_exceptions=True)
            for _ in range(10):
                await asyncio.sleep(0)

        plant = play(script)
        sent_doses = plant["doser"].sent.count("dose")
        doses = [d for d in plant.state.dispatches.values() if d.event.action == "dose"]
        assert sent_doses <= len(doses)
        for ticket in plant.state.open_tickets:
            failure = plant.state.dispatches[ticket].failure
            assert failure is not None
            assert failure.leaves_doubt
        whole = plant.state.dispatches.get("t1")
        if sent_doses and whole is not None and whole.outcome == "failed":
            assert whole.failure is not None
            assert whole.failure.spoils_sample
        k += 1
        if was_done[0]:
            break
    assert k > 25


def test_a_composites_own_bug_leaves_what_its_inner_actions_left() -> None:
    async def script(dispatch: Dispatch) -> None:
        await dispatch("doser", "dose", volume=1.0)
        raise KeyError("thickness")

    _, whole = treated(script)
    assert whole.failure is not None
    assert whole.failure.error == DeviceError.__name__
    assert whole.failure.spoils_sample


class Watching(Station):
    """A station that tells by its gauge whether it was treated."""

    async def judge(
        self, action: str, arguments: Mapping[str, Any], inner: Sequence[Inner], dispatch: Dispatch
    ) -> Verdict:
        pressure = (await dispatch("gauge", "pressure"))["value"]
        parts = " ".join(i.part for i in inner)
        return Verdict("done", f"{action}, {parts}: {pressure:g} Pa", {"seen": pressure})


def judged(kind: type[Station], prepare: Callable[[Plant], None]) -> tuple[Plant, Verdict]:
    found: list[Verdict] = []

    async def main(plant: Plant) -> None:
        station = kind("station", plant.clock)
        plant.devices["station"] = station
        station.script = _cure
        await plant.order("station.treat")
        prepare(plant)
        event = plant.state.dispatches["t1"].event
        children = [plant.state.dispatches[c].event for c in plant.state.dispatches["t1"].children]
        inner = [Inner(e.resource, e.action, e.arguments, "open") for e in children]
        found.append(await plant.runner.judge(event, inner))

    return play(main), found[0]


def test_a_composite_that_can_look_is_asked_and_its_readings_are_in_the_journal() -> None:
    plant, verdict = judged(Watching, lambda plant: None)
    assert (verdict.outcome, verdict.evidence) == ("done", "treat, heater doser heater: 1 Pa")
    looks = [e for e in plant.events(ev.ActionDispatched) if e.action == "pressure"]
    assert [e.parent for e in looks] == ["t1"]
    tickets = [e.ticket for e in plant.events(ev.ActionDispatched)]
    assert len(set(tickets)) == len(tickets)


def test_a_composite_that_cannot_look_or_fails_at_it_knows_nothing() -> None:
    assert judged(Station, lambda plant: None)[1] == Verdict("unknown", "")

    def deaf(plant: Plant) -> None:
        plant["gauge"].troubles["pressure"].append(DeviceError("gauge", "no answer"))

    verdict = judged(Watching, deaf)[1]
    assert (verdict.outcome, "no answer" in verdict.evidence) == ("unknown", True)
