"""Words that other people's clients say to an instrument, and that our drivers do not."""

from __future__ import annotations

import asyncio
import functools
import operator

import pytest
from lab_play import HandClock

from drivers.deposition.alicat import AlicatFlowController
from orchestrator.clock import VirtualClock
from orchestrator.errors import DeviceRefused
from orchestrator.ports.resource import Bench
from simulators.lab.metal_chamber import MetalChamber
from simulators.twins.pm100 import PowerMeter
from simulators.twins.sputter_lab import SputterLab
from simulators.twins.vacuum_lab import VacuumLab
from simulators.twins.wet_lab import WetLab
from simulators.twins.wire import FramedWire, either_lines
from simulators.twins.zaber import StageRack


def wire(port: str, clock: HandClock) -> FramedWire:
    if port == "stages":
        return StageRack(seed=7, clock=clock).wires[port]
    if port == "photometer":
        return PowerMeter(MetalChamber(seed=7, clock=clock)).wire()
    wet = WetLab(seed=7, clock=clock).wires
    return wet[port] if port in wet else SputterLab(seed=7, clock=clock).wires[port]


def says(port: str, *asked: bytes) -> list[bytes]:
    """The replies of an instrument that was just switched on."""

    async def play() -> list[bytes]:
        line = wire(port, HandClock())
        return [await line.receive(data) for data in asked]

    return asyncio.run(play())


IDN = b"KEITHLEY INSTRUMENTS INC.,MODEL 2400,1207461,C30   Mar 17 2006"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r"])
def test_the_meter_ends_its_answer_as_it_was_asked(end: bytes) -> None:
    # the package keithley2400 ends with CR, others with LF
    assert says("meter", b"*IDN?" + end, b"\n:OUTP?" + end) == [IDN + end, b"0" + end]


def test_a_line_ends_with_either_or_both_and_none_is_empty() -> None:
    assert either_lines(b"\r\n/1 home\r\n") == (b"/1 home", b"\r\n")
    assert either_lines(b"/1 home\r/2 home\n") == (b"/1 home", b"\r/2 home\n")
    assert either_lines(b"\r\n/1 ho") == (None, b"/1 ho")


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_stage_takes_a_command_that_ends_with_cr_too(end: bytes) -> None:
    assert says("stages", b"/1 get pos" + end) == says("stages", b"/1 get pos\n") != [b""]


@pytest.mark.parametrize("end", [b" \r\n", b" \r \n", b"\r\n"])
def test_the_hot_plate_takes_both_printed_ends(end: bytes) -> None:
    # matterlab-hotplates resets a plate before all else
    words = (b"OUT_SP_1 80.0", b"START_1", b"RESET", b"SET_MODE_A", b"IN_SP_1")
    said = says("plate", *(word + end for word in words))
    assert said == [b"", b"", b"", b"", b"80.0 1 \r\n"]


def test_a_reset_plate_neither_heats_nor_stirs_nor_waits_for_a_watchdog() -> None:
    plate = WetLab(seed=7, clock=HandClock()).plate

    async def play() -> list[bool]:
        line, heats = plate.wire(), []
        for word in ("OUT_SP_1 80", "START_1", "OUT_WD1@20", "RESET"):
            await line.receive(f"{word} \r\n".encode())
            heats.append(plate.is_heating)
        return heats

    assert asyncio.run(play()) == [False, True, True, False]
    assert plate.shows == ""


def test_a_pump_keeps_backlash_and_zero_gap_and_refuses_a_report_that_there_is_not() -> None:
    # matterlab-pumps reads both back before it initialises
    said = says("pumps", b"/1K31R\r", b"/1?12\r", b"/1k122R\r", b"/1?24\r", b"/1?99\r")
    done, no_such = b"/0`\x03\r\n", b"/0b\x03\r\n"
    assert said == [done, b"/0`31\x03\r\n", done, b"/0`122\x03\r\n", no_such]


def test_a_report_that_there_is_not_does_not_replace_what_waits_to_be_run() -> None:
    said = says("pumps", b"/1Z\r", b"/1?99\r", b"/1F\r")
    assert said[2] == b"/0`1\x03\r\n"


def packet(number: int, command: bytes) -> bytes:
    body = bytes((0x02, 0x31, 0x30 | number)) + command + b"\x03"
    return body + bytes((functools.reduce(operator.xor, body),))


def test_a_pump_speaks_the_oem_protocol_and_does_nothing_twice_that_is_sent_again() -> None:
    # tecancavro speaks no other
    clock = HandClock()
    asked = [packet(1, b"ZR"), packet(2, b"P300R"), packet(2 | 8, b"P300R"), packet(3, b"?")]

    async def play() -> list[bytes]:
        line, said = wire("pumps", clock), []
        for data in asked:
            said.append(await line.receive(b"\xff" + data))
            clock.move(60.0)
        return [
            *said,
            await line.receive(packet(4, b"?")[:-1] + b"!"),
            await line.receive(b"/1?\r"),
        ]

    said = asyncio.run(play())
    assert [s[:3] for s in said[:4]] == [b"\x020@", b"\x020@", b"\x020@", b"\x020`"]
    assert said[3][3:-2] == b"300"
    assert functools.reduce(operator.xor, said[3]) == 0
    assert said[4:] == [b"", b"/0`300\x03\r\n"]


def test_a_pump_repeats_what_stands_between_two_gs_and_has_codes_for_speeds() -> None:
    clock = HandClock()

    async def play() -> list[bytes]:
        line, said = wire("pumps", clock), []
        for word in (b"ZR", b"S17R", b"?2", b"A100gP30D10G3R", b"?", b"G0R", b"Q", b"TR"):
            said.append(await line.receive(b"/1" + word + b"\r"))
            clock.move(60.0)
        return said

    said = asyncio.run(play())
    assert (said[2][3:-3], said[4][3:-3], said[6][2:3]) == (b"200", b"160", b"c")
    assert said[7] == b"/0`\x03\r\n"


def test_a_plunger_that_moves_by_a_small_letter_is_not_busy() -> None:
    clock = HandClock()

    async def play() -> list[bytes]:
        line = wire("pumps", clock)
        said = []
        for word, seconds in ((b"ZR", 60.0), (b"A300R", 0.0), (b"Q", 60.0), (b"a900R", 0.0)):
            said.append(await line.receive(b"/1" + word + b"\r"))
            clock.move(seconds)
        return [*said, await line.receive(b"/1Q\r")]

    said = asyncio.run(play())
    assert (said[2][2:3], said[4][2:3]) == (b"@", b"`")


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (b"SENS:AVER:COUN?\n", b"1\n"),
        (b"sense:average:count 100;:sense:average:count?\n", b"100\n"),
        (b"SENS:POW:RANG? MIN\n", b"5.000000E-08\n"),
        (b"SENSE:POWER:DC:RANGE:AUTO?\n", b"1\n"),
        (b"SENS:POW:RANG:UPP 5e-3;:SENS:POW:RANG?\n", b"5.000000E-03\n"),
        # the package ThorlabsPM100 says MINimum and MAXimum, and spells out what may be left out
        (b"Sense:Correction:WAVelength? MINimum\n", b"4.000000E+02\n"),
        (b"Sense:Correction:WAVelength MAXimum;WAVelength?\n", b"1.100000E+03\n"),
        (b"Sense:Correction:Loss:Input:MAGNitude 3;:SENS:CORR?\n", b"3.000000E+00\n"),
        (b"Status:Auxillary:PTRansition?;:Status:Questionable:EVENt?\n", b"0;0\n"),
        (b"SENS:AVER:COUN MAX;:SENS:AVER:COUN?;:SENS:AVER:COUN? DEFault\n", b"3000;1\n"),
        (
            b"SENS:CORR:BEAM inf;:SENS:CORR:BEAM?;:SYST:ERR?\n",
            b'9.500000E+00;-222,"Data out of range"\n',
        ),
        (b"power:dc:unit W;:SENS:POW:UNIT?\n", b"W\n"),
        (b"SENS:POW:UNIT BTU;:SYST:ERR?\n", b'-222,"Data out of range"\n'),
        (b"CONF:POW;:CONF?\n", b"POW\n"),
        (b"INIT;:FETC?\n", b"1.000000E-03\n"),
        (b"MEAS:SCAL:POW?\n", b"1.000000E-03\n"),
        (b"SENS:CORR:COLL:ZERO:INIT;:SENS:CORR:COLL:ZERO:STAT?\n", b"0\n"),
        (b"STAT:FOO?\n", b""),
    ],
)
def test_the_power_meter_knows_what_clients_read_of_it(asked: bytes, answer: bytes) -> None:
    assert says("photometer", asked) == [answer]


def test_a_power_meter_in_dbm_says_so_in_every_reading() -> None:
    said = says("photometer", b"SENS:POW:UNIT DBM\n", b"MEAS:POW?\n")
    assert float(said[1]) == pytest.approx(0.0, abs=1e-6)


def test_an_alicat_tells_its_model_where_it_is_looked_for() -> None:
    (made_by,) = says("gas", b"A??M*\r")
    rows = made_by.decode().rstrip("\r").split("\r")
    assert len(rows) == 10
    assert (rows[4], rows[5]) == ("A M04 Model Number MC-200SCCM-D", "A M05 Serial Number 210065")


def test_an_alicat_tells_the_columns_of_its_data_frame() -> None:
    columns, frame, gases = says("gas", b"B??D*\r", b"B\r", b"B??G*\r")
    names = [row[10:].split("  ")[0] for row in columns.decode().split("\r")[1:-1]]
    assert names[:7] == ["Unit ID", "Pressure", "Temperature", "Volumetric Flow", "Mass Flow",
                         "Mass Flow Setpt", "Gas"]  # fmt: skip
    assert len(frame.split()) == 7
    assert b"B G11       O2\r" in gases


def test_an_alicat_takes_the_gas_by_the_older_command_too() -> None:
    said = says("gas", b"AG8\r", b"AR46\r", b"AG77\r")
    assert said[0].split()[6] == b"N2"
    assert said[1:] == [b"A   046 = 8\r", b"?\r"]


def test_a_set_point_under_a_held_valve_is_refused() -> None:
    clock = VirtualClock()
    lab = SputterLab(seed=7, clock=clock)
    bench = Bench("argon", clock, wires={"gas": lab.wires["gas"]})

    async def main() -> None:
        argon = AlicatFlowController(bench, "memory:gas", 200.0)
        await argon.open()
        await argon.set_flow(20.0)
        await clock.sleep(60.0)
        await lab.wires["gas"].receive(b"AHP\r")
        with pytest.raises(DeviceRefused, match=r"valve is held \(HLD\) at 20 sccm"):
            await argon.set_flow(5.0)
        with pytest.raises(DeviceRefused, match="valve is held"):
            await argon.make_safe()
        assert not (await argon.health()).is_fit
        await lab.wires["gas"].receive(b"AHC\r")
        await clock.sleep(60.0)
        await argon.make_safe()
        await lab.wires["gas"].receive(b"AC\r")
        await argon.set_flow(5.0)
        await argon.close()

    clock.run(main())


def test_a_balance_lists_its_commands_and_names_itself() -> None:
    # InstrumentKit asks for both
    listed, name, software = says("balance", b"I0\r\n", b"I10\r\n", b"I5\r\n")
    rows = listed.decode().split("\r\n")[:-1]
    assert (rows[0], rows[-1]) == ('I0 B 0 "@"', 'I0 A 2 "M21"')
    assert (name, software) == (b'I10 A "twin"\r\n', b'I5 A "12121306C"\r\n')


def test_a_balance_that_repeats_goes_on_until_it_is_asked_once() -> None:
    async def play() -> list[bytes]:
        line = wire("balance", HandClock())
        said = [line.unprompted(), await line.receive(b"SIR\r\n"), line.unprompted()]
        return [*said, await line.receive(b"SI\r\n"), line.unprompted()]

    said = asyncio.run(play())
    assert (said[0], said[4]) == (b"", b"")
    assert [s[:3] for s in said[1:4]] == [b"S S"] * 3


def test_a_gauge_controller_has_a_language() -> None:
    said = says("gauge", b"LNG\r", b"\x05", b"LNG,1\r", b"\x05", b"LNG,7\r")
    assert said == [b"\x06\r\n", b"0\r\n", b"\x06\r\n", b"1\r\n", b"\x15\r\n"]


def test_a_supply_repeats_keeps_and_recalls() -> None:
    # the Genesys library of Amphenol Borisch has these
    line, said = VacuumLab(seed=7, clock=HandClock()).wires["supplies"], []

    async def play() -> None:
        for word in ("ADR 6", "PV 12", "SAV", "RST", "PV?", "\\", "RCL", "PV?", "OVP 20", "OVM",
                     "OVP?", "FILTER?", "FILTER 23", "FILTER?", "FILTER 24", "FBD 5", "FBD?",
                     "FBDRST", "FBD?", "CLS", "MS?"):  # fmt: skip
            said.append((await line.receive(f"{word}\r".encode())).decode().strip())

    asyncio.run(play())
    assert said[:8] == ["OK", "OK", "OK", "OK", "00.000", "00.000", "OK", "12.000"]
    assert said[8:14] == ["OK", "OK", "44.000", "18", "OK", "23"]
    assert said[14:] == ["C05", "OK", "5", "OK", "0", "OK", "1"]


def test_a_rate_may_be_given_with_the_letter_for_change() -> None:
    # yaqd-new-era writes it so
    assert says("infuser", b"0 DIS\r", b"0 RAT C 1.500 MM\r", b"0 RAT\r")[2] == (
        b"\x0200S1.500MM\x03"
    )
