"""What clients that were tried on the twins later say to them, and what they must answer."""

from __future__ import annotations

import asyncio
import re

import pytest
from lab_play import HandClock, Line

from orchestrator.clock import VirtualClock
from simulators.lab.metal_chamber import MetalChamber
from simulators.twins import modbus
from simulators.twins.faults import FaultyWire
from simulators.twins.pm100 import PowerMeter
from simulators.twins.sputter_lab import SputterLab
from simulators.twins.vacuum_lab import VacuumLab
from simulators.twins.wet_lab import WetLab


def line(port: str) -> Line:
    wet = WetLab(seed=7, clock=HandClock())
    return Line(wet if port in wet.wires else SputterLab(seed=7, clock=HandClock()), port)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        # basil, nomad-camels and PyExpLabSys leave SENSe out
        (b"CURRENT:PROTECTION 0.01\n:CURR:PROT?\n", b"1.000000E-02\n"),
        (b":FUNC 'VOLT','RES'\n:SENS:FUNC?\n", b'"VOLT:DC","CURR:DC","RES"\n'),
        (b":SOUR:FUNC:MODE CURR\n:SOUR:FUNC?\n", b"CURR\n"),
        (b":CONF:VOLT\n:CONF?\n", b'"VOLT:DC"\n'),
        (b':DISP:TEXT:DATA "a; b"\n:DISP:WIND1:TEXT:DATA?;:SYST:ERR?\n', b'"a; b";0,"No error"\n'),
        (b":CONF:PHASE\n:SYST:ERR?\n", b'-113,"Undefined header"\n'),
        (b":FORM:DATA ASC\n:FORM:DATA?\n", b"ASC\n"),
        (b"SENS:VOLT:PROT MAX\nSENS:VOLT:PROT?;PROT? MIN\n", b"2.100000E+02;-2.100000E+02\n"),
        (b"SYST:RSEN ?\nSYST:RSEN?;:SYST:ERR?\n", b'0;-224,"Illegal parameter value"\n'),
        (b"SOUR:CURR abc\nSOUR:CURR?;:SYST:ERR?\n", b'0.000000E+00;-104,"Data type error"\n'),
        (b"SOUR:CURR nan\n:SYST:ERR?\n", b'-104,"Data type error"\n'),
        (b"SOUR:CURR 5\n:SYST:ERR?\n", b'-222,"Parameter data out of range"\n'),
        (b"SOUR:CURR\n:SYST:ERR?\n", b'-109,"Missing parameter"\n'),
        (b":SENS:FUNC VOLT\n:SYST:ERR?\n", b'-104,"Data type error"\n'),
        (b':SENS:FUNC "PHASE"\n:SYST:ERR?\n', b'-224,"Illegal parameter value"\n'),
        (b":OUTP MAYBE\n:OUTP?;:SYST:ERR?\n", b'0;-224,"Illegal parameter value"\n'),
        (b":TRIG:COUN 0\n:TRIG:COUN?;:SYST:ERR?\n", b'1;-222,"Parameter data out of range"\n'),
        (b":SOUR:VOLT:MODE SWE\n:SYST:ERR?\n", b'-224,"Illegal parameter value"\n'),
        # what a 2401 said to its owner (Qcodes, issue 6488)
        (b":SENS:VOLT:RANG 2\n:SYST:ERR?\n", b'+823,"Invalid with source read-back on"\n'),
        (b":SENS:CURR:RANG 1E-3\n:SENS:CURR:RANG:AUTO?;:SYST:ERR?\n", b'0;0,"No error"\n'),
    ],
)
def test_the_meter_takes_short_words_and_refuses_wrong_ones(asked: bytes, answer: bytes) -> None:
    assert line("meter").ask(asked) == answer


def test_measure_sets_the_protection_as_after_a_reset_and_read_does_not() -> None:
    meter = line("meter")
    meter.ask(b"SENS:CURR:PROT 1E-3\nOUTP ON\n")
    assert meter.ask(b":READ?\n")
    assert meter.ask(b"SENS:CURR:PROT?\n") == b"1.000000E-03\n"
    assert meter.ask(b":MEAS:CURR?\n")
    assert meter.ask(b"SENS:CURR:PROT?\n") == b"1.050000E-04\n"


def test_the_meter_says_in_its_status_which_terminals_and_wires_are_used() -> None:
    meter = line("meter")
    meter.ask(b":OUTP ON\n:FORM:ELEM STAT\n")
    assert int(float(meter.ask(b":READ?\n"))) == 1 << 14 | 1 << 12 | 4
    meter.ask(b":SYST:RSEN ON;:ROUT:TERM REAR\n")
    assert int(float(meter.ask(b":READ?\n"))) == pytest.approx(1 << 22 | 1 << 14 | 1 << 12, abs=8)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        # labmcp-alicat, pyalicat and alicatlib read five fields; 12 is the code of SCCM
        (b"BLS 0.42\r", b"B +000.420 +000.420 12 SCCM\r"),
        (b"BLS 0.42 12\rBLS\r", 2 * b"B +000.420 +000.420 12 SCCM\r"),
        (b"BLS 11\rBLS 1 7\rBLS\r", b"?\r?\rB +000.000 +000.000 12 SCCM\r"),
        (b"BFPF 5\rBFPF 99\r", b"B +010.000 12 SCCM\r?\r"),
    ],
)
def test_a_flow_controller_tells_its_set_point_with_its_unit(asked: bytes, answer: bytes) -> None:
    assert line("gas").ask(asked) == answer


def test_a_paused_program_holds_and_goes_on() -> None:
    clock = HandClock()
    lab = SputterLab(seed=7, clock=clock)
    arm = Line(lab, "arm")
    assert arm.ask(b"pause\n") == b"Failed to execute: pause\n"
    arm.ask(b"load blanks_to_probe.urp\nplay\n")
    clock.move(5.0)
    assert arm.ask(b"pause\nprogramState\nrunning\n") == (
        b"Pausing program\nPAUSED blanks_to_probe.urp\nProgram running: false\n"
    )
    clock.move(100.0)
    assert lab.counts().get("picked", 0) == 0
    assert arm.ask(b"play\nprogramState\n") == b"Starting program\nPLAYING blanks_to_probe.urp\n"
    clock.move(2.0)
    assert lab.counts().get("picked", 0) == 0
    clock.move(2.0)
    assert lab.counts()["picked"] == 1
    clock.move(20.0)
    assert arm.ask(b"programState\n") == b"STOPPED blanks_to_probe.urp\n"
    assert lab.counts()["sample_moves"] == 1


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (b"get operational mode\n", b"NONE\n"),
        (b"set operational mode manual\nget operational mode\n",
         b"Setting operational mode: manual\nMANUAL\n"),
        (b"isProgramSaved\n", b"true <unnamed>\n"),
        (b"load installation default.installation\n",
         b"Loading installation: default.installation\n"),
        (b"load installation x.installation\n", b"File not found: x.installation\n"),
    ],
)  # fmt: skip
def test_the_dashboard_knows_the_commands_of_its_article(asked: bytes, answer: bytes) -> None:
    assert line("arm").ask(asked) == answer


def _serial(*body: int) -> bytes:
    return bytes(body) + modbus.crc(bytes(body))


def test_a_write_to_all_units_is_done_by_those_that_can_and_answered_by_none() -> None:
    bus = line("modbus")
    assert bus.ask(_serial(0, 6, 0, 1, 3, 0xE8)) == b""
    assert bus.ask(_serial(1, 3, 0, 1, 0, 1)) == _serial(1, 3, 2, 3, 0xE8)
    assert bus.ask(_serial(0, 5, 0, 0, 0xFF, 0)) == b""
    assert bus.ask(_serial(2, 1, 0, 0, 0, 1)) == _serial(2, 1, 1, 1)
    assert bus.ask(_serial(0, 3, 0, 0, 0, 1)) == b""


def test_an_enquiry_that_ends_like_a_line_has_one_answer() -> None:
    # hvl-ccb sends ENQ CR LF
    gauge = line("gauge")
    assert gauge.ask(b"UNI\r\n\x05\r\n") == b"\x06\r\n4\r\n"
    assert gauge.ask(b"\r\n") == b""
    assert gauge.ask(b"PRX\r\n") == b"\x06\r\n"
    words = gauge.ask(b"\x05\r\n").rstrip().split(b",")
    assert [words[0], words[2:]] == [b"0", [b"5", b"+2.0000E-02"]]


@pytest.mark.parametrize(
    ("asked", "same"), [(b"/1QR\r", b"/1Q\r"), (b"/1?R\r", b"/1?\r"), (b"/1?6R\r", b"/1?6\r"),
                        (b"/1&R\r", b"/1&\r")]
)  # fmt: skip
def test_a_report_may_bear_the_r_that_it_does_not_need(asked: bytes, same: bytes) -> None:
    # pycont ends all that it sends with R
    assert line("pumps").ask(asked) == line("pumps").ask(same)
    assert line("pumps").ask(b"/1?99R\r") == b"/0b\x03\r\n"


def test_a_bus_refuses_a_function_whose_frame_comes_in_pieces() -> None:
    # easymodbus, umodbus and modbus-tk read input registers, of which there are none here
    bus, frame = line("modbus"), _serial(1, 4, 0, 0, 0, 1)
    assert [bus.ask(frame[:3]), bus.ask(frame[3:])] == [b"", _serial(1, 0x84, 1)]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        # mettler-toledo-device tells from the answer whether the zero was set at rest
        (b"ZI\r\n", b"ZI S\r\n"),
        # PyLabRobot sets grams before all else
        (b"M21 0 0\r\nM21 0 7\r\n", b"M21 A\r\nM21 L\r\n"),
        (b'D "HELLO"\r\nD HELLO\r\nDW\r\n', b"D A\r\nD L\r\nDW A\r\n"),
        (b"SC 1000\r\nSC\r\n", b"S S     0.0000 g\r\nS L\r\n"),
    ],
)
def test_the_balance_knows_what_others_ask_of_it(asked: bytes, answer: bytes) -> None:
    said = line("balance").ask(asked)
    assert re.sub(rb"[- ]0\.000\d g", b" 0.0000 g", said) == answer


def test_a_weight_is_not_at_rest_while_liquid_flows() -> None:
    clock = HandClock()
    lab = WetLab(seed=7, clock=clock)
    pumps, balance = Line(lab, "pumps"), Line(lab, "balance")
    pumps.ask(b"/4ZR\r")
    clock.move(10.0)
    pumps.ask(b"/4I1A1500R\r")
    clock.move(10.0)
    pumps.ask(b"/4V50I2A0R\r")
    clock.move(20.0)
    assert balance.ask(b"SI\r\n").startswith(b"S D ")
    clock.move(60.0)
    balance.ask(b"SI\r\n")
    clock.move(2.5)
    assert balance.ask(b"SI\r\n").startswith(b"S S ")


@pytest.mark.parametrize(("command", "waits_s"), [(b"S", 2.0), (b"SC 1000", 1.0), (b"SI", 0.0)])
def test_a_balance_on_a_line_with_faults_waits_for_rest_too(command: bytes, waits_s: float) -> None:
    clock = VirtualClock()
    lab = WetLab(seed=7, clock=clock)

    async def play() -> tuple[bytes, float]:
        balance = FaultyWire(lab.wires["balance"], clock=clock)
        pumps = lab.wires["pumps"]
        await pumps.receive(b"/4ZR\r")
        await clock.sleep(10.0)
        await pumps.receive(b"/4I1A900I2A0R\r")
        await clock.sleep(60.0)
        lab.bench.give("vessel", {"water": 100.0}, clock.now())
        began = clock.now()
        return await balance.receive(command + b"\r\n"), clock.now() - began

    said, took_s = clock.run(play())
    assert took_s == pytest.approx(waits_s, abs=0.01)
    assert said.startswith(b"S S" if command == b"S" else b"S D")


def _telegram(body: str) -> bytes:
    return f"{body}{sum(body.encode()) % 256:03d}\r".encode()


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("0010034602=?", "0011034606000035"),
        ("0010039902=?", "0011039906090000"),
        ("0010002702=?", "0011002703000"),
        ("0011002703002", "0011002703002"),
        ("0011002703003", "0011002706_RANGE"),
        ("0011072006000099", "0011072006_RANGE"),
        ("0011005006000001", "0011005006_RANGE"),
        ("0011034606000035", "0011034606_LOGIC"),
        ("0011000906111111", "0011000906111111"),
    ],
)
def test_a_drive_unit_knows_its_gas_venting_and_temperatures(asked: str, answer: str) -> None:
    # PyExpLabSys and the clients of Pfeiffer's other pumps read them
    turbos = Line(VacuumLab(seed=7, clock=HandClock()), "turbos")
    assert turbos.ask(_telegram(asked)) == _telegram(answer)


def infuser() -> Line:
    pump = line("infuser")
    assert pump.ask(b"\r") == b"\x0200A?R\x03"
    return pump


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (b"DIRREV\rDIR\rDIR REV\rDIR\r", b"\x0200S\x03\x0200SWDR\x03\x0200S\x03\x0200SINF\x03"),
        (b"AL 0\rAL\rAL 2\r", b"\x0200S\x03\x0200S0\x03\x0200S?OOR\x03"),
        (b"TRG LE\rTRG\r", b"\x0200S\x03\x0200SLE\x03"),
        (b"*ADR\r*ADR 7\r07VER\rVER\r", b"\x0200S00\x03\x0207S\x03\x0207SNE1000V3.923\x03"),
        (b"RAT2.0\r*RESET\rRAT\r", b"\x0200S\x03\x0200S\x03\x0200S1.000MM\x03"),
        (b"RAT.MM\rVOL.\r", b"\x0200S?OOR\x03\x0200S?OOR\x03"),
    ],
)
def test_the_syringe_pump_knows_more_of_its_manual(asked: bytes, answer: bytes) -> None:
    assert infuser().ask(asked) == answer


def test_a_rate_that_is_changed_on_the_way_counts_from_then_on() -> None:
    clock = HandClock()
    lab = WetLab(seed=7, clock=clock)
    pump = Line(lab, "infuser")
    pump.ask(b"\rRAT1.0MM\rVOL2.0\rRUN\r")
    clock.move(30.0)
    assert pump.ask(b"DIS\r") == b"\x0200II0.500W0.000ML\x03"
    assert pump.ask(b"DIRWDR\r") == b"\x0200I?NA\x03"
    assert pump.ask(b"RAT2.0\r") == b"\x0200I\x03"
    clock.move(30.0)
    assert pump.ask(b"DIS\r") == b"\x0200II1.500W0.000ML\x03"
    clock.move(15.0)
    assert pump.ask(b"DIS\r") == b"\x0200SI2.000W0.000ML\x03"


@pytest.mark.parametrize(
    ("port", "asked", "answer"),
    [
        ("pumps", b"/1ZR\r/1gP1G,5R\r", b"/0@\x03\r\n/0O\x03\r\n"),
        ("pumps", b"/2gggP1D1G1000G1000G1000R\r", b"/0g\x03\r\n"),
        ("balance", b"TA 1e999 g\r\nTA nan g\r\nTA 300 g\r\n", b"TA L\r\nTA L\r\nTA L\r\n"),
        ("balance", b"TA 1.5 kg\r\nTA -1 g\r\n", b"TA L\r\nTA L\r\n"),
    ],
)
def test_numbers_that_are_none_are_refused(port: str, asked: bytes, answer: bytes) -> None:
    assert line(port).ask(asked) == answer


def test_loops_in_loops_are_refused_before_they_are_unrolled() -> None:
    clock = HandClock()
    pumps = Line(WetLab(seed=7, clock=clock), "pumps")
    pumps.ask(b"/1ZR\r")
    clock.move(10.0)
    pumps.ask(b"/1ggP1D1G1000G1000R\r")
    assert pumps.ask(b"/1Q\r") == b"/0c\x03\r\n"


def test_a_power_meter_is_not_confused_by_a_word_that_may_be_left_out() -> None:
    meter = PowerMeter(MetalChamber(seed=7, clock=HandClock())).wire()
    assert asyncio.run(meter.receive(b"LOSS 1\nSYST:ERR?\n")) == b'-113,"Undefined header"\n'


def test_the_supply_does_not_take_other_digits_for_digits() -> None:
    supply = line("supply")
    assert supply.ask(b"C0\xb250b") == b"0000"
    assert supply.ask(b"C0250b") == b"0250"
