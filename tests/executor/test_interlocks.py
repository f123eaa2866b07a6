"""Interlocks: what is not read as safe is unsafe, before an action and while it lasts."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from small_plant import HOT_UNDER_PRESSURE, Plant, play, silent

from orchestrator.errors import DeviceRefused, DeviceUnsure, NoReading
from orchestrator.model import events as ev
from orchestrator.ports.dispatch import Dispatch

TREATED = HOT_UNDER_PRESSURE.model_copy(
    update={
        "rule": "never station.treat while gauge.pressure > 5 Pa",
        "resource": "station",
        "action": "treat",
        "released_by": None,
    }
)


async def _hangs() -> Any:
    await asyncio.Event().wait()


def _says(value: Any) -> Callable[[], Awaitable[Any]]:
    async def say() -> Any:
        return value

    return say


async def _heated(plant: Plant) -> None:
    assert (await plant.order("heater.heat", "heat", temperature=100)).outcome == "done"


def test_an_action_is_allowed_while_its_condition_does_not_hold() -> None:
    assert play(_heated, interlocks=[HOT_UNDER_PRESSURE])["heater"].sent == ["heat"]


def test_a_threshold_itself_is_still_safe() -> None:
    async def script(plant: Plant) -> None:
        plant["gauge"].pascal = 5.0
        await _heated(plant)

    play(script, interlocks=[HOT_UNDER_PRESSURE])


def test_an_action_is_refused_while_its_condition_holds() -> None:
    async def script(plant: Plant) -> None:
        plant["gauge"].pascal = 6.0
        dispatch = await plant.order("heater.heat", temperature=100)
        assert dispatch.failure is not None
        assert dispatch.failure.error == "InterlockTripped"
        assert dispatch.outcome == "failed"

    plant = play(script, interlocks=[HOT_UNDER_PRESSURE])
    assert plant["heater"].sent == []
    (fired,) = plant.events(ev.InterlockFired)
    assert (fired.rule, fired.reading) == (HOT_UNDER_PRESSURE.rule, "gauge.pressure is 6 Pa")
    assert fired.ticket == "t1"


@pytest.mark.parametrize(
    "trouble",
    [
        silent("gauge"),
        NoReading("gauge", "no filament"),
        _hangs,
        _says(math.nan),
        _says("much"),
        IndexError("a fault of the driver"),
        AttributeError("another"),
    ],
    ids=["silent", "no reading", "hangs", "nan", "text", "IndexError", "AttributeError"],
)
def test_a_sensor_that_cannot_be_read_counts_as_unsafe(trouble: Any) -> None:
    async def before(plant: Plant) -> None:
        plant["gauge"].troubles["pressure"].append(trouble)
        dispatch = await plant.order("heater.heat", temperature=100)
        assert dispatch.failure is not None
        assert dispatch.failure.error == "InterlockTripped"

    assert play(before, interlocks=[HOT_UNDER_PRESSURE])["heater"].sent == []

    async def during(plant: Plant) -> None:
        await _heated(plant)
        plant["gauge"].troubles["pressure"].append(trouble)
        await plant.runner.watch()

    assert len(play(during, interlocks=[HOT_UNDER_PRESSURE]).trips) == 1


def test_a_value_that_the_sensor_does_not_give_counts_as_unsafe() -> None:
    rule = HOT_UNDER_PRESSURE.model_copy(update={"value": "other"})

    async def script(plant: Plant) -> None:
        assert (await plant.order("heater.heat", temperature=100)).outcome == "failed"

    assert play(script, interlocks=[rule])["heater"].sent == []


def test_the_condition_is_watched_until_the_releasing_action_was_done() -> None:
    async def script(plant: Plant) -> None:
        await plant.runner.watch()
        await _heated(plant)
        await plant.runner.watch()
        assert plant.trips == []
        plant["gauge"].pascal = 7.0
        await plant.runner.watch()
        assert [t.reading for t in plant.trips] == ["gauge.pressure is 7 Pa"]
        await plant.order("heater.off", "off")
        await plant.runner.watch()
        assert len(plant.trips) == 1

    play(script, interlocks=[HOT_UNDER_PRESSURE])


def test_nothing_is_read_while_no_guarded_state_lasts() -> None:
    async def script(plant: Plant) -> None:
        await plant.runner.watch()

    assert play(script, interlocks=[HOT_UNDER_PRESSURE]).sent() == []


def test_make_safe_releases_what_it_made_safe() -> None:
    async def script(plant: Plant) -> None:
        await _heated(plant)
        await plant.runner.make_safe("the test")
        plant["gauge"].pascal = 7.0
        await plant.runner.watch()
        assert plant.trips == []

    play(script, interlocks=[HOT_UNDER_PRESSURE])


def test_a_guarded_state_of_a_composite_ends_when_its_parts_are_made_safe() -> None:
    rule = TREATED.model_copy(update={"released_by": "shut"})

    async def script(plant: Plant) -> None:
        assert (await plant.order("station.treat")).outcome == "done"
        plant["gauge"].pascal = 7.0
        await plant.runner.watch()
        assert len(plant.trips) == 1
        await plant.runner.make_safe("the test")
        await plant.runner.watch()
        assert len(plant.trips) == 1

    play(script, interlocks=[rule])


def test_the_guard_of_an_earlier_action_outlives_the_refusal_of_a_later_one() -> None:
    async def script(plant: Plant) -> None:
        await _heated(plant)
        plant["heater"].troubles["heat"].append(DeviceRefused("heater", "busy"))
        assert (await plant.order("heater.heat", "again", temperature=200)).outcome == "failed"
        plant["gauge"].pascal = 7.0
        await plant.runner.watch()
        assert len(plant.trips) == 1

    play(script, interlocks=[HOT_UNDER_PRESSURE])


@pytest.mark.parametrize("error", [silent("heater"), DeviceUnsure("heater", "perhaps")])
def test_an_action_that_may_have_taken_effect_is_watched(error: Exception) -> None:
    async def script(plant: Plant) -> None:
        plant["heater"].troubles["heat"].append(error)
        assert (await plant.order("heater.heat", temperature=200)).outcome == "failed"
        plant["gauge"].pascal = 7.0
        await plant.runner.watch()
        assert len(plant.trips) == 1

    play(script, interlocks=[HOT_UNDER_PRESSURE])


def test_an_action_that_surely_did_not_take_place_is_not_watched() -> None:
    async def script(plant: Plant) -> None:
        plant["heater"].troubles["heat"].append(DeviceRefused("heater", "busy"))
        await plant.order("heater.heat", temperature=200)
        plant["gauge"].pascal = 7.0
        await plant.runner.watch()
        assert plant.trips == []

    play(script, interlocks=[HOT_UNDER_PRESSURE])


def test_an_action_without_a_release_is_watched_as_long_as_it_takes() -> None:
    seen: list[int] = []

    async def script(plant: Plant) -> None:
        async def steps(dispatch: Dispatch) -> None:
            await dispatch.sleep(10.0)
            await plant.runner.watch()
            seen.append(len(plant.trips))
            plant["gauge"].pascal = 7.0
            await plant.runner.watch()
            seen.append(len(plant.trips))

        plant["station"].script = steps
        await plant.order("station.treat")
        await plant.runner.watch()
        seen.append(len(plant.trips))

    play(script, interlocks=[TREATED])
    assert seen == [0, 1, 1]


def test_one_refusal_inside_a_composite_is_one_fired_interlock() -> None:
    async def script(plant: Plant) -> None:
        async def steps(dispatch: Dispatch) -> None:
            await dispatch("heater", "heat", temperature=100.0)

        plant["gauge"].pascal = 7.0
        plant["station"].script = steps
        whole = await plant.order("station.treat")
        assert whole.failure is not None
        assert whole.failure.error == "InterlockTripped"

    plant = play(script, interlocks=[HOT_UNDER_PRESSURE])
    assert len(plant.events(ev.InterlockFired)) == 1
    assert plant["heater"].sent == []


def test_every_rule_on_an_action_is_checked_and_none_lasts_after_a_refusal() -> None:
    second = HOT_UNDER_PRESSURE.model_copy(
        update={"rule": "never heater.heat while doser is busy", "sense": "<", "threshold": 2.0}
    )

    async def script(plant: Plant) -> None:
        assert (await plant.order("heater.heat", temperature=100)).outcome == "failed"
        plant["gauge"].pascal = 7.0
        await plant.runner.watch()
        assert plant.trips == []

    plant = play(script, interlocks=[HOT_UNDER_PRESSURE, second])
    assert [e.rule for e in plant.events(ev.InterlockFired)] == [second.rule]
