"""The chamber with a metal target: what grows depends on the way to a flow."""

from __future__ import annotations

import math

import pytest
from lab_play import HandClock, carry, prepare

from simulators.lab.metal_chamber import LIGHT_W, MetalChamber

TICKET = "00000000000000a1"


def grown(
    *, oxygen: float, strike_at: float, jitter: float = 0.0, minutes: int = 60
) -> MetalChamber:
    """A film that grew at a flow to which the burning target came from another one."""
    clock = HandClock(jitter=jitter)
    chamber = MetalChamber(seed=7, clock=clock)
    carry(chamber, clock, "blanks_to_chamber.urp", TICKET)
    prepare(chamber, clock, oxygen=strike_at, power=150, minutes=minutes)
    chamber.switch_on()
    clock.move(20.0)
    chamber.set_flow("oxygen", oxygen)
    clock.move(40.0 + 60.0 * minutes + 5.0)
    chamber.advance()
    return chamber


def test_from_above_the_film_is_clear_and_from_below_it_is_a_metal() -> None:
    poisoned = grown(oxygen=1.0, strike_at=5.0)
    metallic = grown(oxygen=1.0, strike_at=0.0)
    clear, dark = poisoned.samples.all[0], metallic.samples.all[0]
    assert dark.film.thickness_nm > 8 * clear.film.thickness_nm
    assert dark.film.resistivity_ohm_cm < 1e-2
    for chamber in (poisoned, metallic):
        chamber.by_hand(1, "probe")
    assert poisoned.transmitted_w(0) == pytest.approx(0.85 * LIGHT_W, rel=0.03)
    assert metallic.transmitted_w(0) < 0.1 * LIGHT_W


def test_jitter_changes_no_film() -> None:
    films = {grown(oxygen=1.0, strike_at=5.0, jitter=j).samples.all[0].film for j in (0.0, 2.0)}
    assert len(films) == 1


def test_the_target_voltage_tells_a_poisoned_target_from_a_metallic_one() -> None:
    clock = HandClock()
    chamber = MetalChamber(seed=7, clock=clock)
    prepare(chamber, clock, oxygen=5.0, power=150, minutes=20)
    assert chamber.target_voltage() == 0.0
    chamber.switch_on()
    clock.move(10.0)
    assert chamber.target_voltage() == pytest.approx(318.0, abs=0.5)
    chamber.set_flow("oxygen", 0.3)
    clock.move(15.0)
    assert chamber.target_voltage() == pytest.approx(301.0, abs=1.0)


def test_a_film_that_grows_takes_up_most_of_the_oxygen() -> None:
    clock = HandClock()
    chamber = MetalChamber(seed=7, clock=clock)
    prepare(chamber, clock, oxygen=0.5, power=150, minutes=20)
    before = chamber.pressure()
    chamber.switch_on()
    chamber.set_flow("oxygen", 0.1)
    clock.move(30.0)
    chamber.set_flow("oxygen", 0.5)
    clock.move(15.0)
    assert before - chamber.pressure() == pytest.approx(0.5 * 0.0231949, rel=0.02)


def test_light_without_a_sample_is_the_reference() -> None:
    assert MetalChamber(seed=7, clock=HandClock()).transmitted_w(0) == LIGHT_W


def test_films_at_and_beyond_the_poisoned_branch_are_finite() -> None:
    for oxygen in (0.2, 0.7, 5.0):
        film = grown(oxygen=oxygen, strike_at=5.0, minutes=20).samples.all[0].film
        assert 0 < film.thickness_nm < math.inf
        assert 0 < film.resistivity_ohm_cm < math.inf
