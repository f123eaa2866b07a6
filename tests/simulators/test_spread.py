"""Two guns over one wafer, and a probe that touches it at one place."""

from __future__ import annotations

import math

import pytest
from lab_play import HandClock, carry, prepare

from simulators.lab.spread import SpreadConditions, film_at, niobium
from simulators.lab.two_guns import MIDDLE_MM, SpreadChamber

TICKET = "00000000000000a1"
GOOD = SpreadConditions(0.009, 0.5, 334.0, 150.0, share=0.25)


def test_a_wafer_has_more_niobium_where_that_gun_is_nearer() -> None:
    along = [niobium(0.5, x, 0.0) for x in (-40.0, -20.0, 0.0, 20.0, 40.0)]
    contents = [content for content, _ in along]
    assert contents == sorted(contents)
    assert contents[2] == pytest.approx(0.15)
    assert along[2][1] == pytest.approx(1.0)
    assert contents[0] + contents[4] == pytest.approx(0.30)
    assert niobium(0.0, 10.0, 10.0)[0] == 0.0


def test_too_little_and_too_much_niobium_conduct_less_than_enough() -> None:
    contents = {}
    for share in (0.02, 0.17, 0.9):
        conditions = SpreadConditions(0.009, 0.5, 334.0, 150.0, share=share)
        contents[share] = film_at(conditions, 20.0, 0.0, 0.0, 0.0).resistivity_ohm_cm
    assert contents[0.17] < contents[0.02]
    assert contents[0.17] < contents[0.9]
    plain = SpreadConditions(0.009, 0.5, 334.0, 150.0, share=0.0)
    assert film_at(plain, 20.0, 0.0, 0.0, 0.0).resistivity_ohm_cm == math.inf


def grown(*, second_w: int = 50, minutes: int = 20) -> tuple[SpreadChamber, HandClock]:
    clock = HandClock()
    chamber = SpreadChamber(seed=7, clock=clock)
    carry(chamber, clock, "blanks_to_chamber.urp", TICKET)
    prepare(chamber, clock, power=100, minutes=minutes)
    if second_w:
        settings = {"setpoint": second_w, "delay_s": 60, "minutes": minutes, "seconds": 0}
        chamber.second.set_gun(**settings)
        chamber.second.switch_on()
    chamber.switch_on()
    return chamber, clock


def test_both_guns_grow_one_film_whose_middle_is_as_thick_as_both_together() -> None:
    chamber, clock = grown()
    clock.move(60.0 + 20 * 60.0 + 5.0)
    chamber.advance()
    assert not chamber.second.gun.is_on
    (wafer,) = chamber.samples.all
    middle = chamber.spreads[wafer.number].at(0.0, 0.0)
    assert middle.thickness_nm == pytest.approx(wafer.film.thickness_nm)
    # 6 nm/min per 100 W, less what argon scatters
    assert middle.thickness_nm == pytest.approx(6 * 1.5 * math.exp(-0.5 / 4) * 20, rel=0.01)
    assert chamber.effects.counts()["strikes"] == 2


def test_a_second_gun_that_goes_out_leaves_a_layer_without_niobium() -> None:
    chamber, clock = grown()
    clock.move(60.0 + 10 * 60.0)
    chamber.second.switch_off()
    clock.move(10 * 60.0 + 5.0)
    chamber.advance()
    (spread,) = chamber.spreads.values()
    assert [(round(c.share, 3), round(m)) for c, m in spread.segments] == [(0.333, 10), (0.0, 10)]


def test_a_plasma_without_gas_goes_out_at_both_guns() -> None:
    chamber, clock = grown()
    clock.move(100.0)
    chamber.set_flow("argon", 0.0)
    chamber.set_flow("oxygen", 0.0)
    assert not chamber.gun.is_on
    assert not chamber.second.gun.is_on
    assert chamber.second.gun.fault == 1


def test_the_tips_read_the_place_under_them_when_they_are_down() -> None:
    chamber, clock = grown()
    clock.move(60.0 + 20 * 60.0 + 5.0)
    chamber.heat(None)
    chamber.set_valves(gate=False)
    chamber.set_valves(vent=True)
    clock.move(3600.0)
    carry(chamber, clock, "chamber_to_probe.urp", "00000000000000a2")
    for axis, place in ((chamber.x, MIDDLE_MM - 20.0), (chamber.y, MIDDLE_MM)):
        axis.home(clock.now())
        clock.move(30.0)
        axis.move(place, clock.now())
        clock.move(30.0)
    assert chamber.probed_resistance(0) is None
    chamber.z.home(clock.now())
    clock.move(30.0)
    chamber.z.move(22.0, clock.now())
    clock.move(30.0)
    (spread,) = chamber.spreads.values()
    there = chamber.probed_resistance(0)
    assert there == pytest.approx(spread.at(-20.0, 0.0).sheet_resistance / 4.5324, rel=0.05)
    chamber.scratching()
    assert chamber.effects.counts()["scratches"] == 1
