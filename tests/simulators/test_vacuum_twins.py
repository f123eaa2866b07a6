"""What each twin of the vacuum lab answers, byte for byte; where a manual prints bytes, those."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from lab_play import HandClock

from simulators.twins import modbus
from simulators.twins.pfeiffer_turbo import DriveUnit, TurboLine
from simulators.twins.tc_cxn import RfGenerator
from simulators.twins.tdk_genesys import GenesysLine, SupplyUnit
from simulators.twins.vacuum_lab import VacuumLab
from simulators.twins.wire import FramedWire


def ask(wire: FramedWire, data: bytes) -> bytes:
    return asyncio.run(wire.receive(data))


def telegram(body: str) -> bytes:
    return f"{body}{sum(body.encode()) % 256:03d}\r".encode()


def packet(command: bytes, first: int = 0, second: int = 0) -> bytes:
    body = b"C\x00" + command + first.to_bytes(2, "big") + second.to_bytes(2, "big")
    return body + sum(body).to_bytes(2, "big")


ON, OFF, STATUS = packet(b"BR", 0x5555), packet(b"BR"), packet(b"GS")
TAKE, GIVE = packet(b"BC", 0x5555), packet(b"BC")


@pytest.mark.parametrize(
    ("wire", "data"),
    [
        ("turbos", telegram("0010030902=?") + telegram("0021001006111111") + b"rubbish\r"),
        ("gauge", b"@253PR1?;FF@253U!PASCAL;FF@253X?;FF"),
        ("rf", b"\x00\x01" + TAKE + packet(b"SA", 100) + ON + STATUS + OFF + packet(b"XX")),
        ("supplies", b"ADR 6\rPV 12\rPV?\rNONSENSE\rADR 7\rIDN?\r"),
        ("modbus", bytes.fromhex("010300000004") + modbus.crc(bytes.fromhex("010300000004"))),
    ],
)
def test_how_the_bytes_are_cut_makes_no_difference(wire: str, data: bytes) -> None:
    whole = ask(VacuumLab(seed=7, clock=HandClock()).wires[wire], data)
    assert whole
    cuts = [(0, cut, len(data)) for cut in range(len(data))]
    for ends in (*cuts, range(len(data) + 1)):
        lab = VacuumLab(seed=7, clock=HandClock())
        parts = [ask(lab.wires[wire], data[a:b]) for a, b in itertools.pairwise(ends)]
        assert b"".join(parts) == whole


# turbo pumps: the telegrams are those of the manuals of TC 400, page 25, and TC 110 PB, page 32


def test_a_drive_unit_tells_its_speed_as_the_manual_prints_it() -> None:
    clock = HandClock()
    unit = DriveUnit(clock, 123, nominal_hz=633)
    line = TurboLine(unit).wire()
    ask(line, telegram("1231001006111111"))
    clock.move(1000.0)
    assert ask(line, b"1230030902=?112\r") == b"1231030906000633037\r"


def test_a_pumping_station_is_switched_on_by_the_telegram_that_the_manual_prints() -> None:
    line = TurboLine(DriveUnit(HandClock(), 42)).wire()
    assert ask(line, b"0421001006111111020\r") == b"0421001006111111020\r"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("0010099902=?", "0011099906NO_DEF"),
        ("0011099906000001", "0011099906NO_DEF"),
        ("0011030906000100", "0011030906_LOGIC"),
        ("0011001006000100", "0011001006_RANGE"),
    ],
)
def test_a_drive_unit_refuses_in_its_own_words(body: str, answer: str) -> None:
    line = TurboLine(DriveUnit(HandClock(), 1)).wire()
    assert ask(line, telegram(body)) == telegram(answer)


@pytest.mark.parametrize(
    "data",
    [
        b"1230030902=?113\r",
        telegram("0020030902=?"),
        telegram("9001001006111111"),
        telegram("0001001006111111"),
        telegram("0010030903=?"),
        b"\r",
    ],
)
def test_nobody_answers_what_is_spoilt_or_for_another(data: bytes) -> None:
    unit = DriveUnit(HandClock(), 1)
    assert ask(TurboLine(unit).wire(), data) == b""


def test_a_rotor_speeds_up_evenly_and_coasts_slowly() -> None:
    clock = HandClock()
    unit = DriveUnit(clock, 1)
    line = TurboLine(unit).wire()
    ask(line, telegram("0011001006111111"))
    clock.move(60.0)
    assert unit.speed() == pytest.approx(750.0)
    assert ask(line, telegram("0010030702=?")) == telegram("0011030706111111")
    clock.move(600.0)
    assert unit.speed() == 1500.0
    assert ask(line, telegram("0010030602=?")) == telegram("0011030606111111")
    ask(line, telegram("0011001006000000"))
    clock.move(240.0)
    assert unit.speed() == pytest.approx(1500.0 / 2.71828, rel=1e-4)
    # on again on the way down: it goes on from where it is
    ask(line, telegram("0011001006111111"))
    clock.move(12.0)
    assert unit.speed() == pytest.approx(1500.0 / 2.71828 + 150.0, rel=1e-3)


def test_an_error_puts_the_motor_off_and_a_warning_does_not() -> None:
    clock = HandClock()
    unit = DriveUnit(clock, 1)
    line = TurboLine(unit).wire()
    ask(line, telegram("0011001006111111"))
    clock.move(600.0)
    unit.fail("Wrn076")
    clock.move(600.0)
    assert unit.speed() == 1500.0
    unit.fail("Err006")
    clock.move(600.0)
    assert unit.speed() < 150.0
    assert ask(line, telegram("0010030302=?")) == telegram("0011030306Err006")


# the gauge: the format is that of the 937B's manual, page 86


def test_the_controller_tells_pressures_in_the_manual_s_format() -> None:
    clock = HandClock()
    lab = VacuumLab(seed=7, clock=clock)
    wire = lab.wires["gauge"]
    assert ask(wire, b"@253PR1?;FF") == b"@253ACKATM;FF"
    assert ask(wire, b"@253PR3?;FF@253T3?;FF") == b"@253ACKOFF;FF@253ACKO;FF"
    lab.chamber.set_valves(gate=True, vent=False)
    clock.move(36_000.0)
    assert ask(wire, b"@253CP3!ON;FF@253PR3?;FF") == b"@253ACKON;FF@253ACK7.50E-7;FF"
    assert ask(wire, b"@253U!PASCAL;FF@253PR3?;FF") == b"@253ACKPASCAL;FF@253ACK1.00E-4;FF"
    assert ask(wire, b"@253T3?;FF@253T1?;FF") == b"@253ACKG;FF@253NAK152;FF"


def test_a_cold_cathode_at_high_pressure_protects_itself_and_stays_off() -> None:
    clock = HandClock()
    lab = VacuumLab(seed=7, clock=clock)
    lab.chamber.set_valves(gate=True, vent=False)
    clock.move(36_000.0)
    ask(lab.wires["gauge"], b"@253CP3!ON;FF")
    lab.chamber.set_valves(gate=False, vent=True)
    clock.move(3600.0)
    assert ask(lab.wires["gauge"], b"@253PR3?;FF") == b"@253ACKOFF;FF"
    lab.chamber.set_valves(gate=True, vent=False)
    clock.move(36_000.0)
    assert ask(lab.wires["gauge"], b"@253PR3?;FF") == b"@253ACKOFF;FF"


def test_everybody_s_address_is_answered_with_the_controller_s_own() -> None:
    lab = VacuumLab(seed=7, clock=HandClock())
    assert ask(lab.wires["gauge"], b"@254AD?;FF") == b"@253ACK253;FF"
    assert ask(lab.wires["gauge"], b"@007AD?;FF") == b""
    assert ask(lab.wires["gauge"], b"@253XYZ?;FF") == b"@253NAK160;FF"
    assert ask(lab.wires["gauge"], b"@253U!BAR;FF") == b"@253NAK169;FF"


# the RF supply: the packets are those that pymeasure's tests print


class Wall:
    """Wall time that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_rf_supply_answers_the_printed_packets() -> None:
    wire = RfGenerator(Wall()).wire()
    assert ask(wire, b"C\x00Gi\x00\x01\x00\x00\x00\xf4") == (
        b"*R\x00\x00\x10\x00\x01AG 0313 GTC  \x00\x03\x10"
    )
    assert ask(wire, b"C\x00GP\x00\x00\x00\x00\x00\xda") == (
        b"*R\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x58"
    )


def test_rf_wants_control_and_a_power() -> None:
    rf = RfGenerator(Wall())
    wire = rf.wire()
    assert ask(wire, packet(b"SA", 100)) == ask(wire, ON) == b"?"
    ask(wire, TAKE)
    ask(wire, ON)
    assert not rf.is_on
    assert ask(wire, packet(b"SA", 301)) == b"?"
    assert ask(wire, packet(b"SA", 100)) == ask(wire, ON) == b"*"
    assert rf.is_on
    ask(wire, GIVE)
    assert (rf.is_on, rf.setpoint) == (False, 0)


def test_rf_that_is_not_spoken_to_for_two_seconds_is_dropped() -> None:
    wall = Wall()
    rf = RfGenerator(wall)
    wire = rf.wire()
    ask(wire, TAKE + packet(b"SA", 100) + ON)
    for _ in range(10):
        wall.now += 1.9
        ask(wire, packet(b"BP"))
        assert rf.is_on
    wall.now += 2.1
    assert (rf.is_on, rf.setpoint, rf.n_dropped) == (False, 0, 1)
    assert ask(wire, ON) == b"?"


def test_an_open_interlock_puts_rf_off() -> None:
    rf = RfGenerator(Wall())
    wire = rf.wire()
    ask(wire, TAKE + packet(b"SA", 100) + ON)
    rf.is_interlocked = True
    assert ask(wire, STATUS)[5:6] == b"\x08"
    assert not rf.is_on
    ask(wire, ON)
    assert not rf.is_on


def test_a_packet_with_a_wrong_sum_is_not_understood() -> None:
    rf = RfGenerator(Wall())
    wire = rf.wire()
    spoilt = bytearray(TAKE)
    spoilt[4] ^= 1
    assert ask(wire, bytes(spoilt)) == b"?"
    assert ask(wire, packet(b"SA", 100)) == b"?"


# DC supplies: error codes of tables 7-1 and 7-2 of the Genesys manual


@pytest.mark.parametrize(
    ("lines", "answers"),
    [
        ("PV 42.5", "E01"),
        ("OVP 20|PV 19.5", "OK E01"),
        ("PV 10|UVL 9|PV 8", "OK OK E02"),
        ("PV 10|OVP 11", "OK E04"),
        ("PV 10|UVL 9.9", "OK E06"),
        ("PC 41", "C05"),
        ("FROB 1|FROB?", "C01 C01"),
        ("PV|OUT", "C02 C02"),
        ("OUT MAYBE|PV ten|PV 1234567890123", "C03 C03 C03"),
        ("|pv 12|Pv?", "OK OK 12.000"),
        ("PV 9\b12", "OK"),
        ("PV 12|RST|PV?", "OK OK 00.000"),
    ],
)
def test_a_genesys_answers_as_its_tables_say(lines: str, answers: str) -> None:
    wire = GenesysLine(SupplyUnit(6, 40.0, 38.0)).wire()
    assert ask(wire, b"ADR 6\r") == b"OK\r"
    said = [ask(wire, f"{line}\r".encode()).decode().strip() for line in lines.split("|")]
    assert " ".join(said) == answers


def test_a_genesys_that_is_not_addressed_stays_silent() -> None:
    wire = GenesysLine(SupplyUnit(6, 40.0, 38.0), SupplyUnit(7, 80.0, 65.0)).wire()
    assert ask(wire, b"IDN?\r") == b""
    assert ask(wire, b"ADR 9\rIDN?\r") == b""
    assert ask(wire, b"ADR 7\rIDN?\r") == b"OK\rLAMBDA,GEN80-65\r"
    assert ask(wire, b"ADR 6\rIDN?\rSN?\r") == b"OK\rLAMBDA,GEN40-38\r12A006\r"


def test_a_genesys_holds_its_voltage_or_its_current() -> None:
    unit = SupplyUnit(6, 40.0, 38.0, ohm=2.0)
    wire = GenesysLine(unit).wire()
    ask(wire, b"ADR 6\rPV 10\rPC 38\r")
    assert ask(wire, b"MV?\rMODE?\r") == b"00.000\rOFF\r"
    ask(wire, b"OUT ON\r")
    assert ask(wire, b"MV?\rMC?\rMODE?\r") == b"10.000\r05.000\rCV\r"
    ask(wire, b"PC 2\r")
    assert ask(wire, b"MV?\rMC?\rMODE?\r") == b"04.000\r02.000\rCC\r"


def test_a_genesys_that_is_shut_off_goes_off_and_does_not_go_on() -> None:
    unit = SupplyUnit(6, 40.0, 38.0)
    wire = GenesysLine(unit).wire()
    ask(wire, b"ADR 6\rPV 10\rPC 38\rOUT ON\r")
    unit.shut_off(True)
    assert not unit.is_on
    assert ask(wire, b"FLT?\rOUT ON\r") == b"60\rE07\r"
    unit.shut_off(False)
    assert ask(wire, b"FLT?\rOUT ON\rFLT?\r") == b"40\rOK\r00\r"
