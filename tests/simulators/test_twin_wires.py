"""What each twin answers, byte for byte; where a manual or another client prints bytes, those."""

from __future__ import annotations

import asyncio
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_play import HandClock, carry, grow, prepare

from orchestrator.clock import VirtualClock
from simulators.twins import modbus, sqm160
from simulators.twins.scpi import commands
from simulators.twins.sputter_lab import SputterLab

TICKET = "00000000000000a1"


def _lab() -> tuple[SputterLab, HandClock]:
    clock = HandClock()
    return SputterLab(seed=7, clock=clock), clock


def _ask(lab: SputterLab, wire: str, data: bytes) -> bytes:
    return asyncio.run(lab.wires[wire].receive(data))


def _rtu(unit: int, *pdu: int | bytes) -> bytes:
    body = bytes((unit,)) + b"".join(p if isinstance(p, bytes) else bytes((p,)) for p in pdu)
    return body + modbus.crc(body)


def _sqm(message: str) -> bytes:
    body = bytes((34 + len(message),)) + message.encode()
    return b"!" + body + sqm160.crc(body)


def test_every_port_of_the_lab_has_a_wire() -> None:
    lab, _ = _lab()
    assert set(lab.wires) == {
        "gas", "gauge", "supply", "monitor", "modbus", "meter", "arm", "arm-registers",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wire", "data"),
    [
        ("gas", b"AS12.50\rA\rB\rAR122\rAX\r"),
        ("gauge", b"PR1\r\x05UNI,2\r\x05XX\r\x05"),
        ("supply", b"?C0123bF60G020hijk"),
        ("monitor", _sqm("@") + _sqm("L1?") + _sqm("Q")),
        ("modbus", _rtu(1, 3, b"\0\0\0\4") + _rtu(2, 1, b"\0\0\0\2")),
        ("meter", b"*IDN?\n:OUTP?;:SYST:ERR?\n"),
        ("arm", b"robotmode\nrunning\nnonsense\n"),
        ("arm-registers", bytes.fromhex("000100000006010300800004") * 2),
    ],
)
@given(cuts=st.lists(st.integers(0, 40), max_size=5))
def test_how_the_bytes_are_cut_makes_no_difference(wire: str, data: bytes, cuts: list[int]) -> None:
    whole = _ask(_lab()[0], wire, data)
    lab, _ = _lab()
    ends = sorted({min(c, len(data)) for c in cuts} | {0, len(data)})
    parts = [_ask(lab, wire, data[a:b]) for a, b in itertools.pairwise(ends)]
    assert whole
    assert b"".join(parts) == whole


def test_an_alicat_unit_answers_the_frame_of_the_primer() -> None:
    lab, clock = _lab()
    _ask(lab, "gas", b"AS12.50\r")
    clock.move(30.0)
    frame = _ask(lab, "gas", b"A\r")
    assert frame.split() == b"A +014.70 +025.00 +012.500 +012.500 +012.500 Ar".split()
    assert frame.endswith(b"\r")


def test_units_with_another_letter_stay_silent_and_nonsense_is_a_question_mark() -> None:
    lab, _ = _lab()
    assert _ask(lab, "gas", b"C\r") == b""
    assert _ask(lab, "gas", b"AXYZ\r") == b"?\r"
    assert _ask(lab, "gas", b"BS11\r") == b"?\r"


def test_the_legacy_integer_of_an_alicat_sets_a_fraction_of_full_scale() -> None:
    lab, clock = _lab()
    _ask(lab, "gas", b"A32000\r")
    clock.move(30.0)
    assert lab.chamber.flow("argon") == 100.0


def test_the_gauge_acknowledges_then_gives_data_on_enquiry() -> None:
    lab, _ = _lab()
    assert _ask(lab, "gauge", b"PR1\r") == b"\x06\r\n"
    assert _ask(lab, "gauge", b"\x05") == b"0,+1.0132E+03\r\n"
    assert _ask(lab, "gauge", b"UNI,2\r\x05") == b"\x06\r\n2\r\n"
    assert _ask(lab, "gauge", b"PR1\r\x05") == b"\x06\r\n0,+1.0132E+05\r\n"


def test_the_gauge_refuses_what_it_does_not_know_and_says_why_once() -> None:
    lab, _ = _lab()
    assert _ask(lab, "gauge", b"FOO\r\x05\x05") == b"\x15\r\n0001\r\n0000\r\n"


def test_the_gauge_talks_by_itself_until_it_is_spoken_to() -> None:
    lab, _ = _lab()
    assert lab.wires["gauge"].unprompted() == b"0,+1.0132E+03\r\n"
    _ask(lab, "gauge", b"half a line\x03")
    assert lab.wires["gauge"].unprompted() == b""


@pytest.mark.parametrize(
    ("query", "length"),
    [("?", 9), ("z", 5), ("n", 8)]
    + [(query, 4) for query in "bdef"]
    + [(query, 3) for query in "ik"]
    + [(query, 2) for query in "ghjl"]
    + [(query, 1) for query in "acopy"],
)
def test_the_supply_answers_in_fixed_lengths(query: str, length: int) -> None:
    assert len(_ask(_lab()[0], "supply", query.encode())) == length


def test_the_supply_shows_its_shutter_and_counts_down() -> None:
    lab, clock = _lab()
    prepare(lab.chamber, clock, minutes=1)
    _ask(lab, "supply", b"C0150A")
    assert (
        _ask(lab, "supply", b"apdefkl") == b"1" + b"\x00" + b"0150" + b"0300" + b"0500" + b"00100"
    )
    clock.move(90.0)
    assert _ask(lab, "supply", b"pkl") == b"\x01" + b"000" + b"30"
    clock.move(60.0)
    assert _ask(lab, "supply", b"apo") == b"0\x000"


def test_the_monitor_answers_the_printed_packets() -> None:
    # requests and checksums: SQC-310 manual, 4.3.12 to 4.3.14; version: pymeasure's tests
    for printed in (
        b"!$L1" + bytes((102, 50)),
        b"!$N1" + bytes((93, 81)),
        b"!$M1" + bytes((92, 113)),
    ):
        assert _sqm(printed[2:4].decode()) == printed
    assert sqm160.crc(b")A 0.00") == bytes((87, 100))
    lab, _ = _lab()
    assert _ask(lab, "monitor", b"!#@O7") == b"!0AMON Ver 4.13Uw"
    assert _ask(lab, "monitor", b"!$L1" + bytes((102, 50))) == b"!)A 0.00" + bytes((87, 100))


def test_the_monitor_drops_a_wrong_checksum_and_starts_anew_at_a_sync_character() -> None:
    lab, _ = _lab()
    assert _ask(lab, "monitor", b"!#@zz") == b""
    assert _ask(lab, "monitor", b"!$L" + b"!#@O7") == b"!0AMON Ver 4.13Uw"
    assert _ask(lab, "monitor", b"!#@\x00\x00") == b"!0AMON Ver 4.13Uw"


def test_the_monitor_reads_what_grows_until_it_is_zeroed() -> None:
    lab, clock = _lab()
    grow(lab.chamber, clock, TICKET, minutes=10)
    thickness = float(_ask(lab, "monitor", _sqm("N1"))[3:-2])
    assert thickness == pytest.approx(10 * lab.chamber.samples.all[0].film.thickness_nm, rel=0.1)
    _ask(lab, "monitor", _sqm("S"))
    assert float(_ask(lab, "monitor", _sqm("N1"))[3:-2]) == 0.0
    assert float(_ask(lab, "monitor", _sqm("P1"))[3:-2]) < 5.99e6


def test_modbus_reads_writes_and_refuses_as_the_specification_has_it() -> None:
    lab, _ = _lab()
    write = _rtu(1, 6, struct.pack(">HH", 1, 3000))
    assert _ask(lab, "modbus", write) == write
    several = _rtu(1, 16, struct.pack(">HHBHH", 1, 2, 4, 2500, 1))
    assert _ask(lab, "modbus", several) == _rtu(1, 16, struct.pack(">HH", 1, 2))
    assert lab.chamber.stage.target == 250.0
    assert _ask(lab, "modbus", _rtu(1, 3, struct.pack(">HH", 9, 1))) == _rtu(1, 0x83, 2)
    assert _ask(lab, "modbus", _rtu(1, 6, struct.pack(">HH", 1, 9999))) == _rtu(1, 0x86, 3)
    assert _ask(lab, "modbus", _rtu(1, 7)) == _rtu(1, 0x87, 1)
    assert _ask(lab, "modbus", _rtu(9, 3, struct.pack(">HH", 0, 1))) == b""
    assert _ask(lab, "modbus", write[:-1] + b"?") == b""


def test_coils_move_the_valves() -> None:
    lab, _ = _lab()
    _ask(lab, "modbus", _rtu(2, 5, struct.pack(">HH", 1, 0)))
    _ask(lab, "modbus", _rtu(2, 5, struct.pack(">HH", 0, 0xFF00)))
    assert (lab.chamber.vessel.gate, lab.chamber.vessel.vent) == (True, False)
    assert _ask(lab, "modbus", _rtu(2, 1, struct.pack(">HH", 0, 2))) == _rtu(2, 1, b"\x01\x01")
    both = _rtu(2, 15, struct.pack(">HHBB", 0, 2, 1, 0b10))
    assert _ask(lab, "modbus", both) == _rtu(2, 15, struct.pack(">HH", 0, 2))
    assert (lab.chamber.vessel.gate, lab.chamber.vessel.vent) == (False, True)


def test_the_crc_of_modbus_is_the_one_printed_in_the_serial_guide() -> None:
    # MODBUS over Serial Line V1.02, appendix B: 02 07 has the CRC 1241, low byte first 41 12
    assert modbus.crc(b"\x02\x07") == b"\x41\x12"


def test_scpi_takes_long_and_short_forms_and_remembers_the_path() -> None:
    assert list(commands(":SOURce:CURRent:LEVel:IMMediate:AMPLitude 1E-3")) == [
        ("SOUR:CURR", "1E-3")
    ]
    assert list(commands(":SENS:VOLT:PROT 20;RANG:AUTO ON;*IDN?")) == [
        ("SENS:VOLT:PROT", "20"),
        ("SENS:VOLT:RANG:AUTO", "ON"),
        ("*IDN?", ""),
    ]
    assert list(commands(":OUTPut:STATe?")) == [("OUTP?", "")]


def _meter(lab: SputterLab, current: float = 1e-4) -> list[list[float]]:
    """Three readings V, I, R, status at a current with 20 V compliance."""
    setup = f':SOUR:FUNC CURR;:SOUR:CURR {current};:SENS:VOLT:PROT 20;:SENS:FUNC "VOLT","CURR"\n'
    _ask(lab, "meter", setup.encode() + b":FORM:ELEM VOLT,CURR,RES,STAT\n:OUTP ON\n")
    lines = [_ask(lab, "meter", b":READ?\n") for _ in range(3)]
    _ask(lab, "meter", b":OUTP OFF\n")
    return [[float(word) for word in line.split(b",")] for line in lines]


def test_the_meter_reads_a_film_and_repeats_itself_from_output_on() -> None:
    lab, clock = _lab()
    grow(lab.chamber, clock, TICKET)
    carry(lab.chamber, clock, "chamber_to_probe.urp", "00000000000000b2")
    readings = _meter(lab)
    expected = lab.chamber.samples.all[0].film.sheet_resistance / 4.2209
    for volt, ampere, not_measured, status in readings:
        assert volt / ampere == pytest.approx(expected, rel=0.05)
        assert not_measured == 9.91e37
        assert not int(status) & 8
    assert readings == _meter(lab)
    assert _ask(lab, "meter", b":SYST:ERR?\n") == b'0,"No error"\n'


def test_an_insulator_stands_at_compliance_and_a_missing_contact_floats_below() -> None:
    lab, clock = _lab()
    floating = _meter(lab)
    carry(lab.chamber, clock, "blanks_to_probe.urp", TICKET)
    insulating = _meter(lab)
    assert all(int(r[3]) & 8 for r in floating + insulating)
    assert [r[0] for r in insulating] == [20.0, 20.0, 20.0]
    assert all(abs(r[0]) < 0.91 * 20 for r in floating)
    assert [r[0] > 0 for r in floating] == [True, False, True]


def test_a_reading_with_the_output_off_is_an_error_and_no_reply() -> None:
    lab, _ = _lab()
    assert _ask(lab, "meter", b":READ?\n") == b""
    assert _ask(lab, "meter", b":SYST:ERR?\n").startswith(b"+803,")
    assert _ask(lab, "meter", b":NO:SUCH 1\n:SYST:ERR?\n") == b'-113,"Undefined header"\n'


def test_the_meter_fetches_what_it_has_read_and_measures_nothing_for_it() -> None:
    lab, _ = _lab()
    assert _ask(lab, "meter", b":FETC?\n") == b""
    assert _ask(lab, "meter", b":SYST:ERR?\n") == b'-230,"Data corrupt or stale"\n'
    _ask(lab, "meter", b":SOUR:FUNC CURR\n:SOUR:CURR 1E-6\n:SENS:VOLT:PROT 20\n:OUTP ON\n")
    _ask(lab, "meter", b':SENS:FUNC "VOLT"\n')
    read = _ask(lab, "meter", b":READ?\n")
    assert read
    assert _ask(lab, "meter", b":FETC?\n") == read
    assert _ask(lab, "meter", b":FETCh?\n") == read
    assert _ask(lab, "meter", b":INIT\n") == b""
    taken = _ask(lab, "meter", b":FETC?\n")
    assert taken != read, "floating leads alternate"
    assert _ask(lab, "meter", b":OUTP OFF\n:FETC?\n") == taken
    assert _ask(lab, "meter", b":INIT\n:SYST:ERR?\n").startswith(b"+803,")


@pytest.mark.parametrize(
    ("setup", "volt", "current"),
    [
        (b":SOUR:FUNC CURR\n:SOUR:CURR 1E-3\n:SENS:VOLT:PROT 20\n", b"1", b"0"),
        (b":SOUR:FUNC VOLT\n:SOUR:VOLT 20\n:SENS:CURR:PROT 1E-9\n", b"0", b"1"),
        (b":SOUR:FUNC VOLT\n:SOUR:VOLT 0\n:SENS:CURR:PROT 1E-3\n", b"0", b"0"),
    ],
)
def test_the_meter_says_which_protection_has_tripped(
    setup: bytes, volt: bytes, current: bytes
) -> None:
    lab, clock = _lab()
    if b"VOLT" in setup.partition(b"\n")[0]:
        grow(lab.chamber, clock, TICKET)
        carry(lab.chamber, clock, "chamber_to_probe.urp", "00000000000000b2")
    _ask(lab, "meter", setup)
    tripped = b":SENS:VOLT:PROT:TRIP?;:SENS:CURR:PROT:TRIP?\n"
    assert _ask(lab, "meter", tripped) == b"0;0\n", "its output is off"
    _ask(lab, "meter", b":OUTP ON\n")
    assert _ask(lab, "meter", tripped) == volt + b";" + current + b"\n"


def test_the_dashboard_plays_a_program_to_its_end() -> None:
    lab, clock = _lab()
    assert lab.wires["arm"].greeting == b"Connected: Universal Robots Dashboard Server\n"
    assert _ask(lab, "arm", b"play\n") == b"Failed to execute: play\n"
    assert _ask(lab, "arm", b"load nowhere.urp\n") == b"File not found: nowhere.urp\n"
    loaded = _ask(lab, "arm", b"load blanks_to_chamber.urp\n")
    assert loaded == b"Loading program: blanks_to_chamber.urp\n"
    assert _ask(lab, "arm", b"play\nrunning\n") == b"Starting program\nProgram running: true\n"
    assert _ask(lab, "arm", b"programState\n") == b"PLAYING blanks_to_chamber.urp\n"
    clock.move(26.0)
    assert _ask(lab, "arm", b"running\n") == b"Program running: false\n"
    assert lab.counts()["sample_moves"] == 1


def test_the_dashboard_shows_a_protective_stop() -> None:
    lab, clock = _lab()
    _ask(lab, "arm", b"load tray_to_chamber.urp\nplay\n")
    clock.move(26.0)
    assert _ask(lab, "arm", b"safetystatus\n") == b"Safetystatus: PROTECTIVE_STOP\n"
    assert _ask(lab, "arm", b"play\n") == b"Failed to execute: play\n"
    _ask(lab, "arm", b"unlock protective stop\n")
    assert _ask(lab, "arm", b"safetystatus\n") == b"Safetystatus: NORMAL\n"


def test_the_dashboard_releases_a_protective_stop_after_5_s_only() -> None:
    lab, clock = _lab()
    _ask(lab, "arm", b"load tray_to_chamber.urp\nplay\n")
    clock.move(8.5)
    assert _ask(lab, "arm", b"unlock protective stop\n").startswith(b"Cannot unlock")
    clock.move(5.0)
    assert _ask(lab, "arm", b"unlock protective stop\n") == b"Protective stop releasing\n"


def test_an_arm_without_power_plays_nothing_until_its_brakes_are_released() -> None:
    lab, _ = _lab()
    _ask(lab, "arm", b"load blanks_to_chamber.urp\npower off\n")
    for order, mode in ((b"", b"POWER_OFF"), (b"power on\n", b"IDLE")):
        _ask(lab, "arm", order)
        assert _ask(lab, "arm", b"robotmode\n") == b"Robotmode: " + mode + b"\n"
        assert _ask(lab, "arm", b"play\n") == b"Failed to execute: play\n"
    _ask(lab, "arm", b"brake release\n")
    assert _ask(lab, "arm", b"play\n") == b"Starting program\n"


def test_the_arm_registers_are_read_and_written_over_tcp() -> None:
    lab, _ = _lab()
    write = struct.pack(">HHHBBHHB4H", 7, 0, 15, 1, 16, 128, 4, 8, 0, 0, 0, 0xA1)
    assert _ask(lab, "arm-registers", write) == write[:4] + b"\x00\x06" + write[6:12]
    read = struct.pack(">HHHBBHH", 8, 0, 6, 1, 3, 128, 4)
    assert _ask(lab, "arm-registers", read)[-8:] == struct.pack(">4H", 0, 0, 0, 0xA1)
    beyond = struct.pack(">HHHBBHH", 9, 0, 6, 1, 3, 200, 1)
    assert _ask(lab, "arm-registers", beyond)[-2:] == b"\x83\x02"


def test_a_world_plays_at_virtual_time_without_waiting() -> None:
    clock = VirtualClock()
    lab = SputterLab(seed=1, clock=clock)

    async def play() -> bytes:
        await lab.wires["arm"].receive(b"load blanks_to_chamber.urp\nplay\n")
        await clock.sleep(30.0)
        return await lab.wires["arm"].receive(b"running\n")

    assert clock.run(play()) == b"Program running: false\n"
    assert clock.now() == 30.0
