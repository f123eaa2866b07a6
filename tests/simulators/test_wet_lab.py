"""The wet bench: what moves where, what the balance sees of it, and the bytes of its twins."""

from __future__ import annotations

import pytest
from lab_play import HandClock, Line

from simulators.lab.liquids import AIR, VESSEL_UL, Contents
from simulators.twins.wet_lab import WetLab


def bench() -> tuple[HandClock, WetLab, Line]:
    clock = HandClock()
    lab = WetLab(seed=7, clock=clock)
    return clock, lab, Line(lab, "pumps")


def initialised() -> tuple[HandClock, WetLab, Line]:
    clock, lab, line = bench()
    for address in b"12345":
        line.ask(b"/%cZ0,1,3R\r" % address)
    clock.move(5.0)
    lab.advance()
    return clock, lab, line


def dispense(clock: HandClock, line: Line, address: bytes, steps: int) -> None:
    line.ask(b"/" + address + b"I1A%dR\r" % steps)
    clock.move(60.0)
    line.ask(b"/" + address + b"I2A0R\r")
    clock.move(60.0)


def grams(line: Line) -> float:
    reply = line.ask(b"S\r\n")
    assert reply.startswith(b"S S ")
    assert reply.endswith(b" g\r\n")
    assert len(reply) == len(b"S S     100.00 g\r\n")
    return float(reply.split()[2])


def test_a_mixture_is_taken_out_in_its_proportions_and_air_for_what_is_missing() -> None:
    contents = Contents({"cyan": 30.0, "water": 10.0})
    assert contents.take(20.0) == {"cyan": 15.0, "water": 5.0}
    assert contents.take(30.0) == {"cyan": 15.0, "water": 5.0, AIR: 10.0}
    assert contents.volumes == {}


def test_what_a_pump_gives_is_in_the_vessel_and_on_the_balance() -> None:
    clock, lab, line = initialised()
    dispense(clock, line, b"1", 900)
    dispense(clock, line, b"4", 1500)
    volumes = lab.bench.vessel
    assert volumes == {
        "cyan": pytest.approx(300.0, rel=0.02),
        "water": pytest.approx(500.0, rel=0.02),
    }
    assert volumes["cyan"] != 300.0
    mass = (1.012 * volumes["cyan"] + 0.998 * volumes["water"]) * 1e-3
    assert grams(Line(lab, "balance")) == pytest.approx(mass, abs=6e-4)
    assert lab.counts()["dispenses"] == 2


def test_a_bench_with_the_same_seed_gives_the_same_and_however_often_it_is_looked_at() -> None:
    found = []
    for looks in (1, 17):
        clock, lab, line = initialised()
        line.ask(b"/1I1A900R\r")
        clock.move(60.0)
        line.ask(b"/1I2A0R\r")
        for _ in range(looks):
            clock.move(10.0 / looks)
            lab.advance()
        found.append((lab.bench.vessel["cyan"], grams(Line(lab, "balance"))))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-12)
    assert found[0][1] == found[1][1]
    clock, other = HandClock(), WetLab(seed=8, clock=HandClock())
    assert other.pumps["1"].plunger._gain != lab.pumps["1"].plunger._gain


def test_the_balance_sees_a_part_of_a_dispense_that_is_under_way() -> None:
    clock, lab, line = initialised()
    line.ask(b"/1I1A3000R\r")
    clock.move(60.0)
    line.ask(b"/1V600I2A0R\r")
    clock.move(0.25 + 5.0)
    assert lab.bench.vessel["cyan"] == pytest.approx(500.0, rel=0.01)
    assert Line(lab, "balance").ask(b"SI\r\n").startswith(b"S D ")
    assert line.ask(b"/1Q\r") == b"/0@\x03\r\n"
    assert line.ask(b"/1?\r") == b"/0@1500\x03\r\n"


def test_a_stop_leaves_the_plunger_where_it_is_and_the_rest_in_the_syringe() -> None:
    clock, lab, line = initialised()
    line.ask(b"/1I1A3000R\r")
    clock.move(60.0)
    line.ask(b"/1V600I2A0R\r")
    clock.move(0.25 + 2.5)
    line.ask(b"/1T\r")
    clock.move(60.0)
    assert line.ask(b"/1Q\r") == b"/0`\x03\r\n"
    assert line.ask(b"/1?\r") == b"/0`2250\x03\r\n"
    given = lab.bench.vessel["cyan"]
    assert given == pytest.approx(250.0, rel=0.01)
    left = lab.pumps["1"].plunger.contents.total
    assert given + left == pytest.approx(1000.0, rel=0.01)
    assert lab.counts()["stops"] == 1


def test_a_pump_that_was_switched_on_refuses_to_move_before_it_is_initialised() -> None:
    clock, lab, line = bench()
    assert line.ask(b"/1&\r") == b"/0`XP3000 V2.1 TWIN\x03\r\n"
    assert line.ask(b"/1A100R\r") == b"/0g\x03\r\n"
    assert line.ask(b"/1Q\r") == b"/0g\x03\r\n"
    assert line.ask(b"/1Q\r") == b"/0`\x03\r\n"
    assert line.ask(b"/1ZR\r") == b"/0@\x03\r\n"
    clock.move(5.0)
    assert line.ask(b"/1A100R\r") == b"/0@\x03\r\n"
    clock.move(5.0)
    lab.by_hand(1, "off and on")
    assert line.ask(b"/1?\r") == b"/0`0\x03\r\n"
    assert line.ask(b"/1A0R\r") == b"/0g\x03\r\n"


# printed: XP 3000 operators manual, page 3-46, "Error reporting examples"
def test_errors_are_reported_when_the_manual_says_that_they_are() -> None:
    clock, _, line = initialised()
    assert line.ask(b"/1A4000R\r") == b"/0`\x03\r\n"
    assert line.ask(b"/1Q\r") == b"/0c\x03\r\n"
    line.ask(b"/1A3000A3500R\r")
    clock.move(60.0)
    assert line.ask(b"/1?\r")[:-3].endswith(b"3000")
    assert line.ask(b"/1Q\r") == b"/0c\x03\r\n"
    assert line.ask(b"/1E2000R\r") == b"/0b\x03\r\n"
    assert line.ask(b"/1A3000E2000R\r") == b"/0b\x03\r\n"


def test_a_busy_pump_takes_reports_and_refuses_moves() -> None:
    clock, _, line = initialised()
    line.ask(b"/1A3000R\r")
    clock.move(0.5)
    assert line.ask(b"/1A0R\r") == b"/0O\x03\r\n"
    assert line.ask(b"/1?\r") == b"/0@700\x03\r\n"[:3] + b"350\x03\r\n"
    clock.move(60.0)
    assert line.ask(b"/1Q\r") == b"/0`\x03\r\n"
    assert line.ask(b"/1?\r") == b"/0`3000\x03\r\n"


def test_a_blocked_tube_overloads_the_plunger_half_way() -> None:
    clock, lab, line = initialised()
    line.ask(b"/1I1A3000R\r")
    clock.move(60.0)
    lab.pumps["1"].blocks = True
    line.ask(b"/1I2A0R\r")
    clock.move(60.0)
    assert line.ask(b"/1?\r")[3:-3] == b"1500"
    assert line.ask(b"/1Q\r") == b"/0i\x03\r\n"
    assert line.ask(b"/1A0R\r") == b"/0i\x03\r\n"
    line.ask(b"/1Z0,1,3R\r")
    clock.move(5.0)
    assert line.ask(b"/1A0R\r")[2:3] in b"@`"


def test_each_pump_hears_its_own_address_and_all_hear_the_underscore() -> None:
    clock, _, line = bench()
    assert line.ask(b"/9Q\r") == b""
    assert line.ask(b"/_ZR\r") == b""
    clock.move(5.0)
    for address in (b"1", b"3", b"5"):
        assert line.ask(b"/" + address + b"?15\r") == b"/0`1\x03\r\n"


def test_a_string_waits_in_the_buffer_until_it_is_told_to_run() -> None:
    clock, _, line = initialised()
    line.ask(b"/1A300\r")
    assert line.ask(b"/1F\r") == b"/0`1\x03\r\n"
    assert line.ask(b"/1?\r") == b"/0`0\x03\r\n"
    line.ask(b"/1R\r")
    clock.move(5.0)
    assert line.ask(b"/1?\r") == b"/0`300\x03\r\n"


def test_an_empty_bottle_gives_air_which_the_balance_misses() -> None:
    clock, lab, line = initialised()
    lab.bench.places["cyan"] = Contents({"cyan": 100.0})
    dispense(clock, line, b"1", 1500)
    assert lab.bench.vessel == {"cyan": pytest.approx(100.0)}


def test_a_vessel_that_runs_over_says_so_and_the_drain_empties_it() -> None:
    clock, lab, line = initialised()
    lab.bench.give("vessel", {"water": VESSEL_UL + 500.0}, clock.now())
    assert lab.counts()["overflows"] == 1
    assert sum(lab.bench.vessel.values()) == pytest.approx(VESSEL_UL)
    for _ in range(5):
        line.ask(b"/5I1A3000R\r")
        clock.move(60.0)
        line.ask(b"/5I3A0R\r")
        clock.move(60.0)
    assert lab.bench.vessel == {}


def test_the_balance_answers_as_its_manual_prints() -> None:
    _, lab, _ = initialised()
    line = Line(lab, "balance")
    assert line.ask(b"I4\r\n") == b'I4 A "B021002593"\r\n'
    assert line.ask(b"T\r\n").startswith(b"T S ")
    assert line.ask(b"Z\r\n") == b"Z A\r\n"
    assert line.ask(b"XYZ\r\n") == b"ES\r\n"
    assert line.ask(b"TA 100.00 g\r\n") == b"TA A   100.0000 g\r\n"
    assert line.ask(b"@\r\n") == b'I4 A "B021002593"\r\n'
    lab.balance.on_top = 230.0
    assert line.ask(b"S\r\n") == b"S +\r\n"
    assert line.ask(b"Z\r\n") == b"Z +\r\n"
    lab.balance.on_top = -30.0
    assert line.ask(b"SI\r\n") == b"S -\r\n"


def test_a_tare_makes_nothing_of_what_is_there_and_leaves_what_comes() -> None:
    clock, lab, line = initialised()
    balance = Line(lab, "balance")
    dispense(clock, line, b"4", 900)
    balance.ask(b"T\r\n")
    assert grams(balance) == pytest.approx(0.0, abs=6e-4)
    dispense(clock, line, b"4", 900)
    assert grams(balance) == pytest.approx(0.2994, rel=0.02)


def test_a_clean_vessel_weighs_what_the_empty_one_did() -> None:
    clock, lab, line = initialised()
    dispense(clock, line, b"4", 900)
    lab.by_hand(0, "pan")
    clock.move(10.0)
    assert lab.bench.vessel == {}
    assert grams(Line(lab, "balance")) == pytest.approx(0.0, abs=6e-4)
    assert lab.counts()["swaps"] == 1
    with pytest.raises(KeyError):
        lab.by_hand(9, "pan")


def infuser() -> tuple[HandClock, WetLab, Line]:
    clock, lab, _ = bench()
    return clock, lab, Line(lab, "infuser")


def set_up(line: Line, volume: bytes = b"500.0") -> None:
    line.ask(b"\r")
    for command in (b"DIA14.43", b"PHN2", b"FUNSTP", b"PHN1", b"FUNRAT", b"RAT1.000MM"):
        assert line.ask(command + b"\r") == b"\x0200S\x03", command
    for command in (b"VOLUL", b"VOL" + volume, b"DIRINF", b"CLDINF"):
        assert line.ask(command + b"\r") == b"\x0200S\x03", command


def test_an_infuser_that_was_switched_on_says_so_before_it_obeys() -> None:
    _, _, line = infuser()
    assert line.ask(b"VER\r") == b"\x0200A?R\x03"
    assert line.ask(b"ver \r") == b"\x0200SNE1000V3.923\x03"
    assert line.ask(b"\r") == b"\x0200S\x03"
    assert line.ask(b"7VER\r") == b""
    assert line.ask(b"XYZ\r") == b"\x0200S?\x03"
    assert line.ask(b"DIA99.9\r") == b"\x0200S?OOR\x03"
    assert line.ask(b"STP\r") == b"\x0200S?NA\x03"


def test_an_infusion_counts_as_it_goes_and_ends_with_its_phase() -> None:
    clock, lab, line = infuser()
    set_up(line)
    assert line.ask(b"RUN\r") == b"\x0200I\x03"
    clock.move(15.0)
    assert line.ask(b"DIS\r") == b"\x0200II250.0W0.000UL\x03"
    assert lab.bench.vessel["ethanol"] == pytest.approx(250.0, rel=0.02)
    clock.move(60.0)
    assert line.ask(b"DIS\r") == b"\x0200SI500.0W0.000UL\x03"
    assert lab.bench.vessel["ethanol"] == pytest.approx(500.0, rel=0.02)


def test_a_stop_pauses_an_infusion_and_a_second_one_ends_it() -> None:
    clock, lab, line = infuser()
    set_up(line)
    line.ask(b"RUN\r")
    clock.move(15.0)
    assert line.ask(b"STP\r") == b"\x0200P\x03"
    clock.move(60.0)
    assert line.ask(b"RUN\r") == b"\x0200I\x03"
    clock.move(6.0)
    line.ask(b"STP\r")
    assert line.ask(b"STP\r") == b"\x0200S\x03"
    assert line.ask(b"DIS\r") == b"\x0200SI350.0W0.000UL\x03"
    assert lab.counts()["stops"] == 2


# printed: NE-1000 user manual, section 10.2.2
def test_the_printed_packet_brings_an_infuser_back_to_basic_mode() -> None:
    _, _, line = infuser()
    line.ask(b"\r")
    safe = line.ask(b"SAF10\r")
    assert safe == b"\x02\x0700S" + safe[-3:-1] + b"\x03"
    assert line.ask(b"\x02\x08SAF0\x55\x43\x03") == b"\x0200S\x03"
    assert line.ask(b"\x02\x08SAF0\x55\x44\x03") == b""


def test_an_infuser_in_safe_mode_stops_when_it_hears_nothing() -> None:
    clock, lab, line = infuser()
    set_up(line)
    line.ask(b"SAF5\r")
    line.ask(b"RUN\r")
    clock.move(60.0)
    assert lab.bench.vessel["ethanol"] == pytest.approx(1000.0 / 60.0 * 5.0, rel=0.02)
    assert line.ask(b"\r")[2:-3] == b"00A?T"
    assert line.ask(b"\r")[2:-3] == b"00S"


def test_an_empty_syringe_stalls_the_infuser() -> None:
    clock, lab, line = infuser()
    set_up(line, b"9999")
    line.ask(b"RUN\r")
    clock.move(700.0)
    line.ask(b"RUN\r")
    clock.move(700.0)
    assert line.ask(b"\r") == b"\x0200A?S\x03"
    assert lab.bench.vessel["ethanol"] == pytest.approx(10000.0, rel=0.02)


def plate() -> tuple[HandClock, WetLab, Line]:
    clock, lab, _ = bench()
    return clock, lab, Line(lab, "plate")


def test_a_plate_answers_numbers_with_their_channel_and_nothing_to_the_rest() -> None:
    clock, lab, line = plate()
    assert line.ask(b"IN_NAME \r\n") == b"RCT digital \r\n"
    assert line.ask(b"IN_PV_2 \r\n") == b"21.0 2 \r\n"
    for command in (b"OUT_SP_1 80", b"START_1", b"OUT_SP_4 400", b"START_4", b"NONSENSE"):
        assert line.ask(command + b" \r\n") == b""
    clock.move(3600.0)
    assert line.ask(b"IN_PV_2 \r\n") == b"80.0 2 \r\n"
    assert line.ask(b"IN_PV_4 \r\n") == b"400.0 4 \r\n"
    assert lab.snapshot()["plate"] == {"heats": True, "shows": ""}
    line.ask(b"OUT_SP_1 400 \r\n")
    assert line.ask(b"IN_SP_1 \r\n") == b"310.0 1 \r\n"
    line.ask(b"STOP_1 \r\n")
    clock.move(9000.0)
    assert line.ask(b"IN_PV_2 \r\n") == b"21.0 2 \r\n"


def test_a_plate_that_hears_nothing_stops_and_has_to_be_switched_off_and_on() -> None:
    clock, lab, line = plate()
    assert line.ask(b"OUT_WD1@10 \r\n") == b""
    assert line.ask(b"OUT_WD1@60 \r\n") == b"60 \r\n"
    line.ask(b"OUT_SP_1 80 \r\nSTART_1 \r\n")
    for _ in range(5):
        clock.move(50.0)
        assert line.ask(b"OUT_WD1@60 \r\n") == b"60 \r\n"
    assert lab.snapshot()["plate"]["heats"]
    clock.move(70.0)
    assert lab.snapshot()["plate"] == {"heats": False, "shows": "Er 2"}
    line.ask(b"START_1 \r\n")
    assert not lab.snapshot()["plate"]["heats"]
    lab.by_hand(6, "off and on")
    line.ask(b"OUT_SP_1 80 \r\nSTART_1 \r\n")
    assert lab.snapshot()["plate"] == {"heats": True, "shows": ""}


def test_a_watchdog_of_mode_two_brings_safe_set_points_and_can_be_taken_back() -> None:
    clock, lab, line = plate()
    assert line.ask(b"OUT_SP_12@40 \r\n") == b"40 \r\n"
    line.ask(b"OUT_WD2@60 \r\nOUT_SP_1 80 \r\nSTART_1 \r\n")
    clock.move(70.0)
    assert lab.snapshot()["plate"]["shows"] == "WD"
    assert line.ask(b"IN_SP_1 \r\n") == b"40.0 1 \r\n"
    assert line.ask(b"OUT_WD2@0 \r\n") == b"0 \r\n"
    assert lab.snapshot()["plate"]["shows"] == ""


def test_an_infuser_whose_power_was_cut_stops_and_counts_from_zero() -> None:
    clock, lab, line = infuser()
    set_up(line)
    line.ask(b"RUN\r")
    clock.move(15.0)
    lab.by_hand(7, "off and on")
    clock.move(60.0)
    assert line.ask(b"DIS\r") == b"\x0200A?R\x03"
    assert line.ask(b"DIS\r") == b"\x0200SI0.000W0.000UL\x03"
    assert lab.bench.vessel["ethanol"] == pytest.approx(250.0, rel=0.02)
