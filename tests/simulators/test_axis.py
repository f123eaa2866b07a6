"""An axis whose moves are formulas of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lab.axis import Axis, Braking, Move

places = st.floats(0, 150)


@given(places, places, st.floats(1, 100), st.floats(5, 500), st.floats(0, 1))
def test_a_move_goes_from_its_start_to_its_target_no_faster_than_it_may(
    start: float, target: float, speed: float, acceleration: float, share: float
) -> None:
    move = Move(start, target, 100.0, speed, acceleration)
    assert move.at(100.0) == pytest.approx(start, abs=1e-6)
    assert move.at(move.ends_at) == target
    t = 100.0 + share * (move.ends_at - 100.0)
    assert min(start, target) - 1e-6 <= move.at(t) <= max(start, target) + 1e-6
    assert abs(move.velocity(t)) <= speed * (1 + 1e-9)
    step = 1e-4
    slope = (move.at(t + step) - move.at(t)) / step
    assert slope == pytest.approx(move.velocity(t), abs=acceleration * step + 1e-3)


@given(places, st.floats(-50, 50), st.floats(5, 500))
def test_braking_takes_the_way_that_speed_and_deceleration_say(
    start: float, velocity: float, deceleration: float
) -> None:
    braking = Braking(start, velocity, 0.0, deceleration)
    way = velocity * abs(velocity) / (2 * deceleration)
    assert braking.at(braking.ends_at + 1.0) == pytest.approx(start + way, abs=1e-6)


def test_an_axis_counts_from_where_it_woke_up_until_it_was_homed() -> None:
    axis = Axis(150.0, stands=40.0)
    assert axis.counted(0.0) == 0.0
    axis.move(10.0, 0.0)
    assert axis.at(60.0) == pytest.approx(50.0)
    axis.home(60.0)
    assert not axis.is_homed
    assert axis.counted(120.0) == 0.0
    assert axis.is_homed


def test_a_homing_that_is_stopped_has_found_nothing() -> None:
    axis = Axis(150.0, stands=40.0)
    axis.home(0.0)
    axis.stop(1.0)
    assert not axis.is_moving(10.0)
    assert not axis.is_homed
    assert axis.is_interrupted
