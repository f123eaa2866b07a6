"""How the twins of the vacuum and the wet bench fail in the words of their own protocols."""

from __future__ import annotations

import asyncio

import pytest
from lab_play import HandClock

from simulators.lab.metal_chamber import MetalChamber
from simulators.twins.faults import HOWS, Fault, FaultyWire, How, lacking
from simulators.twins.pm100 import PowerMeter
from simulators.twins.tc_cxn import RfGenerator
from simulators.twins.tdk_genesys import GenesysLine, SupplyUnit
from simulators.twins.vacuum_lab import VacuumLab
from simulators.twins.wet_lab import WetLab
from simulators.twins.wire import FramedWire
from simulators.twins.zaber import StageRack


def telegram(body: str) -> bytes:
    return f"{body}{sum(body.encode()) % 256:03d}\r".encode()


def packet(command: bytes, first: int = 0) -> bytes:
    body = b"C\x00" + command + first.to_bytes(2, "big") + b"\x00\x00"
    return body + sum(body).to_bytes(2, "big")


def answered(data: bytes) -> bytes:
    body = b"R\x00" + len(data).to_bytes(2, "big") + data
    return b"*" + body + sum(body).to_bytes(2, "big")


def checked(body: str) -> bytes:
    """A reply of a stage; all characters after the first one add up to a multiple of 256."""
    return f"@{body}:{-sum(body.encode()) % 256:02X}\r\n".encode()


TAKE, ACCEPTED = packet(b"BC", 0x5555), answered(b"\x00\x01")
GO, ZERO = packet(b"SA", 100), answered(b"\x00\x00")


def wire(port: str, clock: HandClock) -> FramedWire:
    if port in ("rf", "supplies", "turbos", "gauge"):
        return VacuumLab(seed=7, clock=clock).wires[port]
    if port == "stages":
        return StageRack(seed=7, clock=clock).wires[port]
    if port == "photometer":
        return PowerMeter(MetalChamber(seed=7, clock=clock)).wire()
    return WetLab(seed=7, clock=clock).wires[port]


def failing(port: str, how: How, before: list[bytes], *asked: bytes) -> list[bytes]:
    """The replies to what is asked under a fault, after what was said on the line that is well."""

    async def play() -> list[bytes]:
        line = FaultyWire(wire(port, HandClock()))
        for data in before:
            await line.receive(data)
        line.faults.fail(Fault(how))
        return [await line.receive(data) for data in asked]

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("port", "cannot"),
    [
        ("pumps", {"address"}),
        ("balance", {"address"}),
        ("infuser", set()),
        ("plate", {"address"}),
        ("gauge", set()),
        ("turbos", set()),
        ("supplies", {"address"}),
        ("rf", {"address"}),
        ("photometer", {"address"}),
        ("stages", set()),
    ],
)
def test_a_twin_fails_in_every_way_but_by_an_address_that_its_protocol_has_not(
    port: str, cannot: set[str]
) -> None:
    manners = wire(port, HandClock()).manners
    assert {how for how in HOWS if lacking(how, manners)} == cannot


@pytest.mark.parametrize(
    ("port", "before", "asked", "reply"),
    [
        ("pumps", [], b"/1Z0R\r", b"/0b\x03\r\n"),
        ("balance", [], b"T\r\n", b"T I\r\n"),
        ("balance", [], b"SI\r\n", b"S I\r\n"),
        ("infuser", [b"\r"], b"VOL5\r", b"\x0200S?NA\x03"),
        ("plate", [], b"IN_SP_1 \r\n", b""),
        ("gauge", [], b"@253PR1?;FF", b"@253NAK160;FF"),
        ("turbos", [], telegram("0011001006111111"), telegram("0011001006_LOGIC")),
        ("supplies", [b"ADR 6\r"], b"PV 12\r", b"C01\r"),
        ("rf", [], TAKE, b"?"),
        ("photometer", [], b"SENS:CORR:WAV 550\n", b""),
        ("stages", [], b"/2 1 07 get pos\n", checked("02 1 07 RJ IDLE WH AGAIN")),
    ],
)
def test_a_refusal_is_that_of_the_instrument_s_own_protocol(
    port: str, before: list[bytes], asked: bytes, reply: bytes
) -> None:
    assert failing(port, "nak", before, asked) == [reply]


def test_what_a_meter_refuses_is_in_its_error_queue() -> None:
    replies = failing("photometer", "nak", [], b"SENS:CORR:WAV 550\n", b"SYST:ERR?\n", b"*IDN?\n")
    assert replies[1].startswith(b"-200")
    assert replies[2].startswith(b"Thorlabs")


@pytest.mark.parametrize(
    ("port", "before", "sets", "says", "asks", "shows"),
    [
        ("pumps", [b"/1Q\r"], b"/1Z0R\r", b"/0@\x03\r\n", b"/1?15\r", b"/0`0\x03\r\n"),
        ("infuser", [b"\r"], b"VOL5\r", b"\x0200S\x03", b"VOL\r", b"\x0200S0.000ML\x03"),
        ("plate", [], b"OUT_SP_1 80 \r\n", b"", b"IN_SP_1 \r\n", b"0.0 1 \r\n"),
        ("gauge", [], b"@253U!PASCAL;FF", b"@253ACKPASCAL;FF", b"@253U?;FF", b"@253ACKTORR;FF"),
        (
            "turbos",
            [],
            telegram("0011001006111111"),
            telegram("0011001006111111"),
            telegram("0010001002=?"),
            telegram("0011001006000000"),
        ),
        ("supplies", [b"ADR 6\r"], b"PV 12\r", b"OK\r", b"PV?\r", b"00.000\r"),
        ("rf", [], TAKE, ACCEPTED, GO, b"?"),
        ("rf", [TAKE], GO, b"*", packet(b"GL"), ZERO),
        ("photometer", [], b"SENS:CORR:WAV 550\n", b"", b"SENS:CORR:WAV?\n", b"6.350000E+02\n"),
        (
            "stages",
            [],
            b"/1 1 07 move abs 9000\n",
            checked("01 1 07 OK IDLE WH 0"),
            b"/1 1 08 get pos\n",
            checked("01 1 08 OK IDLE WH 0"),
        ),
    ],
)
def test_an_ignored_setting_is_acknowledged_and_not_done(
    port: str, before: list[bytes], sets: bytes, says: bytes, asks: bytes, shows: bytes
) -> None:
    assert failing(port, "ignore", before, sets, asks) == [says, shows]


@pytest.mark.parametrize(
    ("port", "before", "asks", "shows"),
    [
        ("pumps", [b"/1N1V200R\r"], b"/1?2\r", b"/0`1400\x03\r\n"),
        ("infuser", [b"\r"], b"VER\r", b"\x0200A?R\x03"),
        ("plate", [b"OUT_SP_1 80 \r\n"], b"IN_SP_1 \r\n", b"0.0 1 \r\n"),
        ("gauge", [b"@253CP3!ON;FF"], b"@253CP3?;FF", b"@253ACKOFF;FF"),
        ("supplies", [b"ADR 6\r", b"PV 12\r"], b"PV?\r", b""),
        ("supplies", [b"ADR 6\r", b"PV 12\r"], b"ADR 6\rPV?\r", b"OK\r00.000\r"),
        ("supplies", [b"ADR 6\rAST ON\r", b"PV 12\r"], b"ADR 6\rPV?\r", b"OK\r12.000\r"),
        ("rf", [TAKE, GO], packet(b"GL"), ZERO),
        ("balance", [b"TA 5 g\r\n"], b"TA\r\n", b"TA A     0.0000 g\r\n"),
        ("photometer", [b"SENS:CORR:WAV 550\n"], b"SENS:CORR:WAV?\n", b"6.350000E+02\n"),
        ("stages", [], b"/1 get comm.checksum\n", b"@01 0 OK IDLE WH 0\r\n"),
    ],
)
def test_after_a_power_cut_it_is_as_it_is_when_switched_on(
    port: str, before: list[bytes], asks: bytes, shows: bytes
) -> None:
    assert failing(port, "reboot", before, asks) == [shows]


def test_a_turbo_without_power_coasts_and_stays_off() -> None:
    clock = HandClock()
    lab = VacuumLab(seed=7, clock=clock)
    line = FaultyWire(lab.wires["turbos"])
    asyncio.run(line.receive(telegram("0011001006111111")))
    clock.move(600.0)
    line.faults.fail(Fault("reboot"))
    asyncio.run(line.receive(telegram("0010030902=?")))
    clock.move(60.0)
    assert 1000.0 < lab.turbos.units[1].speed() < 1500.0


def test_rf_that_loses_its_power_is_off_and_does_not_come_back() -> None:
    rf = RfGenerator(lambda: 0.0)
    line = FaultyWire(rf.wire())
    for data in (TAKE, GO, packet(b"BR", 0x5555)):
        asyncio.run(line.receive(data))
    assert rf.is_on
    line.faults.fail(Fault("reboot"))
    asyncio.run(line.receive(packet(b"GS")))
    assert (rf.is_on, rf.setpoint, rf.n_strikes) == (False, 0, 1)


@pytest.mark.parametrize(
    ("port", "asked", "reply"),
    [
        ("infuser", b"DIS\r", b"\x0201S"),
        ("gauge", b"@253SN?;FF", b"@252ACK937B0412;FF"),
        ("turbos", telegram("0010031502=?"), telegram("0031031506001500")),
        ("stages", b"/1 1 07 get pos\n", checked("02 1 07 OK IDLE WH 0")),
    ],
)
def test_an_answer_bears_another_address_and_is_whole(
    port: str, asked: bytes, reply: bytes
) -> None:
    (said,) = failing(port, "address", [b"\r"] if port == "infuser" else [], asked)
    assert said.startswith(reply)


def test_a_drifting_supply_says_more_than_it_gives() -> None:
    unit = SupplyUnit(6, 40.0, 38.0)
    line = FaultyWire(GenesysLine(unit).wire())
    for data in (b"ADR 6\r", b"PC 10\r", b"PV 10\r", b"OUT ON\r"):
        asyncio.run(line.receive(data))
    line.faults.fail(Fault("drift"))
    replies = [asyncio.run(line.receive(data)) for data in (b"MV?\r", b"PV?\r", b"MV?\r")]
    assert replies == [b"10.100\r", b"10.000\r", b"10.200\r"]


def test_a_stage_without_power_stops_on_its_way_and_does_not_know_where() -> None:
    clock = HandClock()
    rack = StageRack(seed=7, clock=clock)
    line = FaultyWire(rack.wires["stages"])

    def ask(message: bytes) -> bytes:
        return asyncio.run(line.receive(message))

    ask(b"/1 1 home\n")
    clock.move(60.0)
    ask(b"/1 1 move abs 1049869\n")
    clock.move(1.0)
    assert ask(b"/1 1 warnings\n") == checked("01 1 OK BUSY -- 00")
    line.faults.fail(Fault("reboot"))
    assert ask(b"/1 1 warnings\n") == b"@01 1 OK IDLE WH 02 WH WR\r\n"
    assert ask(b"/1 1 get pos\n") == b"@01 1 OK IDLE WH 0\r\n"


def test_a_drifting_stage_says_that_it_is_further_than_it_is() -> None:
    clock = HandClock()
    line = FaultyWire(wire("stages", clock))
    asyncio.run(line.receive(b"/1 1 move abs 10000\n"))
    clock.move(60.0)
    line.faults.fail(Fault("drift"))
    replies = [asyncio.run(line.receive(b"/1 1 get pos\n")) for _ in range(2)]
    assert replies == [checked("01 1 OK IDLE WH 10100"), checked("01 1 OK IDLE WH 10200")]
