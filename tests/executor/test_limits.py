"""Limits are checked before a byte leaves."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_plant import Heater, Plant, play

from orchestrator.errors import LimitExceeded
from orchestrator.executor.limits import check_arguments
from orchestrator.model import events as ev
from orchestrator.model.lab import Limit
from orchestrator.ports.action import actions_of

HEAT = actions_of(Heater)["heat"]
NARROW = Limit(resource="heater", action="heat", argument="temperature", low=50.0, high=300.0)


@settings(max_examples=100, deadline=None)
@given(
    value=st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers()),
    low=st.one_of(st.none(), st.floats(0, 500)),
    high=st.one_of(st.none(), st.floats(0, 500)),
)
def test_a_number_passes_exactly_when_it_is_within_every_limit(
    value: float, low: float | None, high: float | None
) -> None:
    limit = Limit(resource="heater", action="heat", argument="temperature", low=low, high=high)
    fits = 0 <= value <= 500 and (low is None or value >= low) and (high is None or value <= high)
    try:
        check_arguments("heater", HEAT, {"temperature": value}, [limit])
    except LimitExceeded:
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"temperature": 500.1}, "LimitExceeded"),
        ({"temperature": -1}, "LimitExceeded"),
        ({"temperature": math.nan}, "LimitExceeded"),
        ({"temperature": math.inf}, "LimitExceeded"),
        ({"temperature": 301}, "LimitExceeded"),
        ({"temperature": 49.9}, "LimitExceeded"),
        ({"temperature": True}, "ExecutionError"),
        ({"temperature": "100"}, "ExecutionError"),
        ({"temperature": 100, "steps": 1.5}, "ExecutionError"),
        ({"temperature": 100, "steps": math.inf}, "LimitExceeded"),
        ({"temperature": 100, "steps": math.nan}, "LimitExceeded"),
        ({"temperature": 100, "mode": "fast"}, "UnknownName"),
        ({"temperature": 100, "temprature": 3}, "UnknownName"),
        ({}, "ExecutionError"),
    ],
    ids=str,
)
def test_what_is_not_allowed_is_refused_and_nothing_is_sent(
    arguments: dict[str, Any], error: str
) -> None:
    async def script(plant: Plant) -> None:
        dispatch = await plant.order("heater.heat", **arguments)
        assert dispatch.outcome == "failed"
        assert dispatch.failure is not None
        assert dispatch.failure.error == error

    plant = play(script, limits=[NARROW])
    assert plant.sent() == []
    kinds = [type(e) for e in plant.events()]
    assert kinds == [ev.ActionDispatched, ev.ActionFailed]


def test_the_ends_of_a_limit_are_allowed() -> None:
    async def script(plant: Plant) -> None:
        for number, value in enumerate((50, 300, 50.0, 300.0)):
            assert (await plant.order("heater.heat", f"t{number}", temperature=value)).results == {}

    assert len(play(script, limits=[NARROW])["heater"].sent) == 4


def test_a_limit_holds_for_what_the_driver_would_take_by_itself() -> None:
    limit = Limit(resource="heater", action="heat", argument="rate", high=5.0)

    async def script(plant: Plant) -> None:
        left_away = await plant.order("heater.heat", "t1", temperature=100)
        assert left_away.failure is not None
        assert left_away.failure.error == "LimitExceeded"
        given_low = await plant.order("heater.heat", "t2", temperature=100, rate=4.0)
        assert given_low.outcome == "done"

    play(script, limits=[limit])


def test_a_refusal_names_the_argument_its_value_and_its_limits() -> None:
    async def script(plant: Plant) -> None:
        failure = (await plant.order("heater.heat", temperature=480.0)).failure
        assert failure is not None
        assert failure.sentence == (
            "heater.heat temperature = 480 degC is outside its limits (50 <= value <= 300 degC)"
        )
        assert failure.blames_parameters
        assert not failure.may_retry

    play(script, limits=[NARROW])
