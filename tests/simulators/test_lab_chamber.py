"""What the chamber does in time, and what it counts."""

from __future__ import annotations

import math
import statistics

import pytest
from lab_play import HandClock, carry, finish, grow, prepare

from simulators.lab.approach import Lag, Stage
from simulators.lab.chamber import Chamber

TICKET = "00000000000000a1"


def _lab(**clock: float) -> tuple[Chamber, HandClock]:
    hands = HandClock(**clock)  # type: ignore[arg-type]
    return Chamber(seed=7, clock=hands), hands


def test_pumping_ends_at_the_base_pressure_and_venting_at_atmosphere() -> None:
    chamber, clock = _lab()
    assert chamber.pressure() == 101325.0
    chamber.set_valves(vent=False)
    chamber.set_valves(gate=True)
    clock.move(60.0)
    assert 1e-3 < chamber.pressure() < 1e4
    clock.move(300.0)
    assert chamber.pressure() == 1e-4
    chamber.set_valves(gate=False)
    chamber.set_valves(vent=True)
    clock.move(60.0)
    assert chamber.pressure() == 101325.0


def test_the_gauge_reads_the_sum_of_both_gases() -> None:
    chamber, clock = _lab()
    prepare(chamber, clock, oxygen=1.0, argon=20.0)
    assert chamber.pressure() == pytest.approx(1e-4 + 21.0 * 0.0231949, rel=1e-5)


def test_an_isolated_chamber_fills_with_what_flows_in() -> None:
    chamber, clock = _lab()
    prepare(chamber, clock, oxygen=0.0, argon=10.0)
    before = chamber.pressure()
    chamber.set_valves(gate=False)
    clock.move(60.0)
    assert chamber.pressure() > before + 10.0


def test_what_approaches_a_target_arrives_and_stays() -> None:
    lag = Lag(0.0, 5.0, 0.0, 0.5, 0.005)
    assert lag.at(0.5) == pytest.approx(5 * (1 - math.exp(-1)))
    assert lag.at(10.0) == 5.0
    stage = Stage().toward(450.0, 0.0)
    assert stage.at(300.0) == pytest.approx(20 + 300 * 0.75)
    assert stage.at(1000.0) == 450.0
    assert stage.toward(None, 1000.0).at(1240.0) == pytest.approx(20 + 430 / math.e)
    assert stage.toward(60.0, 1000.0).at(5000.0) == 60.0


def test_a_whole_deposition_at_450_degrees_takes_35_to_50_minutes() -> None:
    chamber, clock = _lab()
    chamber.set_valves(vent=False)
    chamber.set_valves(gate=True)
    chamber.heat(450.0)
    while chamber.pressure() > 1e-3 or chamber.temperature() < 449.0:
        clock.move(1.0)
    clock.move(120.0 + 20 * 60.0)
    chamber.heat(None)
    while chamber.temperature() > 80.0:
        clock.move(1.0)
    assert 35 * 60 < clock.now() < 50 * 60


def test_a_film_depends_on_ticket_and_set_points_and_not_on_jitter() -> None:
    films = []
    for start, jitter, seed in ((0.0, 0.0, 0), (1.7e9, 3.0, 1), (12.5, 2.0, 2)):
        chamber, clock = _lab(start=start, jitter=jitter, seed=seed)
        grow(chamber, clock, TICKET)
        films.append((chamber.samples.all[0].film, chamber.monitored()))
    assert films[0] == films[1] == films[2]


def test_another_ticket_or_another_seed_gives_another_run() -> None:
    def resistivity(seed: int, ticket: str) -> float:
        clock = HandClock()
        chamber = Chamber(seed=seed, clock=clock)
        grow(chamber, clock, ticket)
        return chamber.samples.all[0].film.resistivity_ohm_cm

    found = {resistivity(7, TICKET), resistivity(7, "00000000000000a2"), resistivity(8, TICKET)}
    assert len(found) == 3


def test_a_blank_that_was_lost_before_does_not_shift_the_scatter() -> None:
    chamber, clock = _lab()
    grow(chamber, clock, TICKET)
    again, clock = _lab()
    carry(again, clock, "blanks_to_tray.urp", "00000000000000ff")
    grow(again, clock, TICKET)
    assert chamber.samples.all[0].film == again.samples.all[1].film


def test_runs_scatter_by_about_five_percent() -> None:
    logs = []
    for i in range(60):
        chamber, clock = _lab()
        grow(chamber, clock, f"{i:016x}")
        logs.append(math.log(chamber.samples.all[0].film.resistivity_ohm_cm))
    assert 0.035 < statistics.stdev(logs) < 0.065


def _after(runs: int, seed: int = 7, ticket: str = TICKET) -> Chamber:
    """A lab with a film that was grown when the target had so many runs behind it."""
    clock = HandClock()
    chamber = Chamber(seed=seed, clock=clock)
    chamber.runs = runs
    grow(chamber, clock, ticket)
    return chamber


def _log_resistivity(chamber: Chamber) -> float:
    return math.log(chamber.samples.all[0].film.resistivity_ohm_cm)


def _gain(chamber: Chamber) -> float:
    """What the monitor reads, of what has grown."""
    return chamber.monitored()[0] / chamber.samples.all[0].film.thickness_nm


def test_readings_of_one_film_scatter_by_one_percent() -> None:
    chamber, clock = _lab()
    grow(chamber, clock, TICKET)
    chamber.by_hand(1, "probe")
    seen = [chamber.probed_resistance(k) for k in range(60)]
    readings = [reading for reading in seen if reading is not None]
    assert len(readings) == 60
    assert 0.007 < statistics.stdev(readings) / statistics.mean(readings) < 0.013


def test_the_monitor_is_wrong_by_two_percent_of_a_films_thickness() -> None:
    gains = [_gain(_after(0, ticket=f"{i:016x}")) for i in range(60)]
    assert 0.014 < statistics.stdev(gains) < 0.026
    assert statistics.mean(gains) == pytest.approx(1.0, abs=0.01)


def test_blocks_of_ten_runs_scatter_by_three_percent_and_runs_of_one_do_not() -> None:
    steps, within = [], []
    for seed in range(6):
        for block in range(1, 11):
            last, first, second = (
                _log_resistivity(_after(10 * block + run, seed)) for run in (-1, 0, 1)
            )
            steps.append((first - last) / math.sqrt(2))  # of two blocks under one ticket
            within.append(second - first)
    assert 0.02 < statistics.stdev(steps) < 0.04
    assert max(map(abs, within)) < 0.005


def test_the_target_wears_and_the_tooling_drifts() -> None:
    chamber, clock = _lab()
    for i in range(3):
        grow(chamber, clock, f"{i + 1:016x}")
        carry(chamber, clock, "chamber_to_tray.urp", f"{i + 1:016x}")
    true = [s.film.thickness_nm for s in chamber.samples.all]
    assert true[1] == pytest.approx(true[0] * 0.998)
    assert true[2] == pytest.approx(true[0] * 0.996)
    assert _gain(_after(1)) == pytest.approx(_gain(_after(0)) * 1.001, rel=1e-6)
    assert _gain(_after(50)) == pytest.approx(_gain(_after(0)) * 1.05, rel=1e-6)


def test_about_three_percent_of_the_runs_cannot_be_contacted() -> None:
    bad = 0
    for i in range(400):
        chamber, clock = _lab()
        grow(chamber, clock, f"{i + 1:016x}", minutes=1)
        bad += chamber.samples.all[0].has_bad_contact
    assert 4 <= bad <= 22


def test_the_exposure_ends_by_itself_after_exactly_its_time() -> None:
    chamber, clock = _lab()
    carry(chamber, clock, "blanks_to_chamber.urp", TICKET)
    prepare(chamber, clock, minutes=20)
    chamber.switch_on()
    clock.move(59.0)
    assert chamber.monitored()[1] == 0.0
    assert not chamber.snapshot()["shutter"]
    clock.move(2.0)
    assert chamber.monitored()[1] > 0.0
    clock.move(5000.0)
    chamber.advance()
    assert not chamber.gun.is_on
    assert chamber.samples.all[0].layers[0].minutes == 20.0
    assert chamber.effects.counts()["films_finished"] == 1


def test_switching_off_early_leaves_a_partial_film() -> None:
    chamber, clock = _lab()
    carry(chamber, clock, "blanks_to_chamber.urp", TICKET)
    prepare(chamber, clock)
    chamber.switch_on()
    clock.move(60.0 + 300.0)
    chamber.switch_off()
    (layer,) = chamber.samples.all[0].layers
    assert layer.partial
    assert layer.minutes == pytest.approx(5.0)
    counts = chamber.effects.counts()
    assert (counts["films_begun"], counts["films_finished"], counts["films_partial"]) == (1, 0, 1)


def test_closing_the_gate_puts_the_plasma_out() -> None:
    chamber, clock = _lab()
    carry(chamber, clock, "blanks_to_chamber.urp", TICKET)
    prepare(chamber, clock)
    chamber.switch_on()
    clock.move(120.0)
    chamber.set_valves(gate=False)
    assert not chamber.gun.is_on
    assert chamber.gun.fault == 1
    assert chamber.samples.all[0].layers[0].partial


def test_a_set_point_that_changes_during_growth_splits_the_film() -> None:
    chamber, clock = _lab()
    carry(chamber, clock, "blanks_to_chamber.urp", TICKET)
    prepare(chamber, clock, minutes=10, power=100)
    chamber.switch_on()
    clock.move(60.0 + 300.0)
    chamber.set_gun(setpoint=200)
    clock.move(1000.0)
    chamber.advance()
    whole, parts = chamber.samples.all[0].film.thickness_nm, math.exp(-21.6 * 0.0231949 / 4)
    assert whole == pytest.approx((6 * 5 + 12 * 5) * parts, rel=1e-6)


def test_no_plasma_strikes_at_atmosphere_or_without_gas() -> None:
    chamber, clock = _lab()
    chamber.set_gun(setpoint=100, minutes=1)
    chamber.switch_on()
    assert (chamber.gun.is_on, chamber.gun.fault) == (False, 1)
    prepare(chamber, clock, oxygen=0.0, argon=0.0)
    chamber.switch_on()
    assert not chamber.gun.is_on
    assert chamber.effects.counts()["strikes"] == 0


def test_times_cannot_be_changed_while_the_supply_is_on() -> None:
    chamber, clock = _lab()
    prepare(chamber, clock)
    chamber.switch_on()
    assert not chamber.set_gun(minutes=99)
    assert chamber.gun.minutes == 20
    assert chamber.set_gun(setpoint=130)


def test_an_exposure_without_a_sample_is_counted_as_one() -> None:
    chamber, clock = _lab()
    prepare(chamber, clock, minutes=1)
    chamber.switch_on()
    clock.move(200.0)
    chamber.advance()
    counts = chamber.effects.counts()
    assert (counts["bare_exposures"], counts["films_begun"], counts["strikes"]) == (1, 0, 1)
    assert chamber.monitored()[0] > 0


def test_effects_are_counted_once_each_and_in_order() -> None:
    chamber, clock = _lab()
    grow(chamber, clock, TICKET)
    carry(chamber, clock, "chamber_to_probe.urp", "00000000000000b2")
    names = [e["name"] for e in chamber.snapshot()["effects"]]
    assert names == [
        "picked", "sample_moves", "pumped", "strikes", "films_begun", "films_finished", "vented",
        "picked", "sample_moves",
    ]  # fmt: skip
    assert [e["n"] for e in chamber.effects.records()] == list(range(1, 10))
    chamber.set_valves(vent=True)
    assert chamber.effects.counts()["vented"] == 1


def test_a_watcher_is_told_before_and_after_each_effect() -> None:
    chamber, _ = _lab()
    told: list[tuple[str, int, bool]] = []
    chamber.effects.watch = lambda when, n: told.append((when, n, chamber.vessel.gate))
    chamber.set_valves(vent=False)
    chamber.set_valves(gate=True)
    assert told == [("before", 1, False), ("after", 1, True)]


def test_readings_repeat_for_the_same_placement_and_differ_among_each_other() -> None:
    chamber, clock = _lab()
    grow(chamber, clock, TICKET)
    carry(chamber, clock, "chamber_to_probe.urp", "00000000000000b2")
    first = [chamber.probed_resistance(k) for k in range(3)]
    assert first == [chamber.probed_resistance(k) for k in range(3)]
    assert len(set(first)) == 3
    expected = chamber.samples.all[0].film.sheet_resistance / 4.2209
    assert first[0] == pytest.approx(expected, rel=0.05)


def test_an_uncoated_sample_insulates_and_an_empty_station_has_no_contact() -> None:
    chamber, clock = _lab()
    assert chamber.probed_resistance(0) is None
    carry(chamber, clock, "blanks_to_probe.urp", TICKET)
    assert chamber.probed_resistance(0) == math.inf


def test_the_snapshot_says_where_every_sample_is_and_what_is_on_it() -> None:
    chamber, clock = _lab()
    grow(chamber, clock, TICKET)
    state = chamber.snapshot()
    (sample,) = state["samples"]
    assert (sample["position"], sample["ticket"]) == ("chamber", TICKET)
    assert sample["films"][0]["partial"] is False
    assert (state["blanks"], state["plasma"], state["vent"]) == (99, False, True)


def test_a_chamber_that_is_pumped_stops_the_arm_and_keeps_the_sample_in_the_gripper() -> None:
    chamber, clock = _lab()
    chamber.set_valves(vent=False)
    chamber.set_valves(gate=True)
    clock.move(60.0)
    carry(chamber, clock, "blanks_to_chamber.urp", TICKET)
    assert chamber.transfer.is_stopped
    assert chamber.samples.all[0].position == "gripper"
    chamber.by_hand(1, "tray")
    assert chamber.transfer.unlock(clock.now())
    finish(chamber, clock)
    carry(chamber, clock, "tray_to_chamber.urp", TICKET)
    assert chamber.samples.all[0].position == "chamber"


@pytest.mark.parametrize("program", ["tray_to_probe.urp", "blanks_to_chamber.urp"])
def test_an_empty_source_or_an_occupied_target_stops_the_arm(program: str) -> None:
    chamber, clock = _lab()
    carry(chamber, clock, "blanks_to_chamber.urp", TICKET)
    carry(chamber, clock, program, "00000000000000c3")
    assert chamber.transfer.is_stopped
    assert chamber.effects.counts()["protective_stops"] == 1


def test_registers_tell_request_beginning_and_end_of_a_ticket() -> None:
    chamber, clock = _lab()
    chamber.transfer.registers[131] = 0xA1
    chamber.transfer.load("blanks_to_tray.urp")
    chamber.transfer.play(clock.now())
    assert chamber.transfer.registers[135] == 0xA1
    clock.move(20.0)
    chamber.advance()
    assert chamber.samples.all[0].position == "tray"
    assert chamber.transfer.registers[139] == 0
    clock.move(6.0)
    chamber.advance()
    assert chamber.transfer.registers[139] == 0xA1


def test_a_program_that_is_stopped_in_between_leaves_the_sample_in_the_gripper() -> None:
    chamber, clock = _lab()
    chamber.transfer.load("blanks_to_tray.urp")
    chamber.transfer.play(clock.now())
    clock.move(10.0)
    chamber.advance()
    assert chamber.transfer.stop()
    clock.move(60.0)
    chamber.advance()
    assert chamber.samples.all[0].position == "gripper"
    assert chamber.effects.counts()["sample_moves"] == 0
