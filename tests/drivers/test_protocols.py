"""Framing against printed bytes, and round trips."""

from __future__ import annotations

import pytest
from dialogues import play
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocols import alicat, dashboard, dcxs, modbus, pfeiffer, scpi, sqm160, zaber
from drivers.protocols.framing import Garbled, Refused, number, text, until

# printed: Alicat Serial Communications Primer
ALICAT_FRAME = b"A +014.70 +025.00 +012.500 +012.500 +012.500 Ar\r"


def test_an_alicat_data_frame_is_read_as_its_primer_prints_it() -> None:
    written, frame = play(alicat.ask("A", alicat.request("A")), ALICAT_FRAME)
    assert written == [b"A\r"]
    assert (frame.pressure_psia, frame.temperature_degc) == (14.7, 25.0)
    assert (frame.volumetric, frame.mass, frame.setpoint, frame.gas) == (12.5, 12.5, 12.5, "Ar")
    assert frame.resolution == pytest.approx(0.001)


def test_a_totaliser_and_status_words_of_an_alicat_do_not_shift_the_gas() -> None:
    line = b"A +014.70 +025.00 +012.500 +012.500 +012.50 +0001234.5     Ar HLD TOV\r"
    frame = alicat.decode(line, "A")
    assert (frame.gas, frame.flags) == ("Ar", ("HLD", "TOV"))
    assert frame.resolution == pytest.approx(0.01)


def test_an_alicat_set_point_always_has_the_s_that_keeps_it_from_the_legacy_integer() -> None:
    assert alicat.set_point("A", 12.5) == b"AS12.500\r"
    assert alicat.set_point("B", 0.0) == b"BS0.000\r"


def test_an_alicat_question_mark_is_a_refusal() -> None:
    for reply in (b"?\r", b"A ?\r"):
        with pytest.raises(Refused):
            alicat.decode(reply, "A")


@pytest.mark.parametrize(
    "reply",
    [b"", b"A\r", ALICAT_FRAME.replace(b"A ", b"B "), b"A +014.70 +025.x0 1 1 1 Ar\r", b"\xff\r"],
)
def test_what_is_no_alicat_data_frame_of_this_unit_is_garbled(reply: bytes) -> None:
    with pytest.raises(Garbled):
        alicat.decode(reply, "A")


@given(
    st.sampled_from("ABZ"),
    st.floats(0, 999),
    st.floats(0, 999),
    st.sampled_from(["Ar", "O2", "N2"]),
)
def test_alicat_frames_survive_a_round_trip(
    unit: str, mass: float, setpoint: float, gas: str
) -> None:
    sent = alicat.DataFrame(unit, 14.7, 25.0, mass, mass, setpoint, gas)
    back = alicat.decode(alicat.encode(sent), unit)
    assert back.mass == pytest.approx(mass, abs=0.0005001)
    assert back.setpoint == pytest.approx(setpoint, abs=0.0005001)
    assert back.gas == gas


def test_a_pfeiffer_pressure_is_asked_for_with_enq_after_ack() -> None:
    written, line = play(pfeiffer.query("PR1"), b"\x06\r\n", b"0,+1.2300E-06\r\n")
    assert written == [b"PR1\r", b"\x05"]
    assert pfeiffer.decode_reading(line) == (0, 1.23e-6)


def test_a_pfeiffer_nak_is_a_refusal_with_its_error_word() -> None:
    with pytest.raises(Refused, match="0001"):
        play(pfeiffer.query("XYZ"), b"\x15\r\n", b"0001\r\n")


def test_the_free_running_output_of_a_pfeiffer_is_not_taken_for_an_acknowledgement() -> None:
    with pytest.raises(Garbled):
        play(pfeiffer.query("PR1"), b"0,+1.0132E+03\r\n")


@pytest.mark.parametrize("line", ["", "7,+1.0E-3", "0", "0;1.0", "0,", "x,+1.0"])
def test_what_is_no_pfeiffer_reading_is_garbled(line: str) -> None:
    with pytest.raises(Garbled):
        pfeiffer.decode_reading(line)


def test_the_aja_supply_is_asked_and_told_as_the_printed_test_has_it() -> None:
    assert play(dcxs.ask("?"), b"DCXS750-4") == ([b"?"], "DCXS750-4")
    assert play(dcxs.tell("C0005")) == ([b"C0005"], None)
    assert play(dcxs.ask_number("b"), b"0005") == ([b"b"], 5)
    assert play(dcxs.is_on(), b"1") == ([b"a"], True)
    assert play(dcxs.is_on(), b"0")[1] is False
    assert play(dcxs.shutters(), b"\x02")[1] == 2


def test_a_minute_that_ends_between_two_queries_does_not_add_a_minute() -> None:
    # 1:00 at the first query, 0:59 from the second on
    _, remaining = play(dcxs.remaining_s(), b"001", b"59", b"000", b"59", b"000")
    assert remaining == 59


@pytest.mark.parametrize("reply", [b"12a4", b"-001", b"\xb2\xb2\xb2\xb2"])
def test_a_number_of_the_aja_supply_must_be_digits(reply: bytes) -> None:
    with pytest.raises(Garbled):
        play(dcxs.ask_number("d"), reply)


# printed: SQM-160 manual, and pymeasure's tests of it
def test_sqm160_checksums_are_those_the_manual_prints() -> None:
    assert sqm160.crc14(b"#@") == b"O7"
    assert sqm160.crc14(b"$C?") == b"g/"


@pytest.mark.parametrize(
    ("message", "request_bytes", "reply_bytes", "answer"),
    [
        ("@", b"!#@O7", b"!0AMON Ver 4.13Uw", "MON Ver 4.13"),
        ("J", b"!#JO8", b"!%A6v\x86", "6"),
        ("M", b"!#M\x8e\x8a", b"!*A 0.01 i?", "0.01"),
        ("L1?", b"!%L1?\x85{", b"!*A 0.00 [d", "0.00"),
        ("P1", b"!$P1Z\x91", b"!/A5875830.230:X", "5875830.230"),
    ],
)
def test_sqm160_packets_are_those_printed(
    message: str, request_bytes: bytes, reply_bytes: bytes, answer: str
) -> None:
    assert sqm160.packet_length(reply_bytes) == len(reply_bytes)
    assert play(sqm160.ask(message), reply_bytes) == ([request_bytes], answer)


@given(st.text(st.characters(min_codepoint=34, max_codepoint=126), min_size=1, max_size=60))
def test_sqm160_packets_survive_a_round_trip_and_no_flipped_bit(message: str) -> None:
    packet = sqm160.reply(message)
    assert sqm160.decode(packet) == message.strip()
    spoilt = bytes((*packet[:2], packet[2] ^ 1, *packet[3:]))
    with pytest.raises(Garbled):
        sqm160.decode(spoilt)


def test_sqm160_refusals_say_why() -> None:
    for status, why in (("C", "command"), ("D", "data")):
        with pytest.raises(Refused, match=why):
            sqm160.decode(sqm160.reply("", status=status))


def test_an_sqm160_reply_that_does_not_begin_with_its_sign_is_garbled_at_once() -> None:
    with pytest.raises(Garbled):
        sqm160.packet_length(b"?")
    assert sqm160.packet_length(b"!") == 0


# printed: MODBUS Application Protocol V1.1b3, sections 6.1, 6.3, 6.5, 6.6, 6.12
@pytest.mark.parametrize(
    ("pdu", "printed"),
    [
        (modbus.read_coils(19, 19), "0100130013"),
        (modbus.read_registers(107, 3), "03006b0003"),
        (modbus.write_coil(172, True), "0500acff00"),
        (modbus.write_register(1, 3), "0600010003"),
        (modbus.write_registers(1, [10, 258]), "100001000204000a0102"),
    ],
)
def test_modbus_requests_are_those_the_specification_prints(pdu: bytes, printed: str) -> None:
    assert pdu.hex() == printed


def test_modbus_replies_are_read_as_the_specification_prints_them() -> None:
    assert modbus.registers(bytes.fromhex("0306022b00000064"), 3) == (555, 0, 100)
    found = modbus.coils(bytes.fromhex("0103cd6b05"), 19)
    assert [i for i, is_on in enumerate(found) if is_on] == [
        0,
        2,
        3,
        6,
        7,
        8,
        9,
        11,
        13,
        14,
        16,
        18,
    ]
    with pytest.raises(Refused, match="illegal data address"):
        modbus.checked(modbus.read_coils(1185, 1), bytes.fromhex("8102"))


# printed: MODBUS over Serial Line V1.02, appendix B (0x02 0x07 gives 0x41 0x12)
def test_the_modbus_crc_is_the_one_the_specification_prints() -> None:
    assert modbus.crc16(bytes.fromhex("0207")) == bytes.fromhex("4112")


def test_a_modbus_write_that_is_not_echoed_is_garbled() -> None:
    request = modbus.write_register(1, 3)
    with pytest.raises(Garbled):
        modbus.checked(request, modbus.write_register(1, 4))
    assert modbus.checked(request, request) == request


@given(st.integers(1, 247), st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=20), st.data())
def test_a_modbus_frame_with_any_flipped_bit_is_garbled(
    unit: int, values: list[int], data: st.DataObject
) -> None:
    n = len(values)
    pdu = bytes((3, 2 * n)) + b"".join(v.to_bytes(2, "big") for v in values)
    frame = modbus.rtu(unit, pdu)
    assert modbus.rtu_length(frame) == len(frame)
    assert modbus.registers(modbus.open_rtu(frame, unit), n) == tuple(values)
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    spoilt = bytearray(frame)
    spoilt[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Garbled):
        modbus.open_rtu(bytes(spoilt), unit)


def test_a_modbus_tcp_answer_to_another_transaction_is_garbled() -> None:
    pdu = bytes.fromhex("03020064")
    message = modbus.tcp(7, 255, pdu)
    assert message.hex() == "000700000005ff03020064"
    assert modbus.tcp_length(message[:5]) == 0
    assert modbus.tcp_length(message) == len(message)
    assert modbus.open_tcp(message, 7, 255) == pdu
    with pytest.raises(Garbled):
        modbus.open_tcp(message, 8, 255)


@pytest.mark.parametrize(("register", "value"), [(250, 250), (0xFFFF, -1), (0x8000, -32768)])
def test_registers_are_read_as_signed_numbers(register: int, value: int) -> None:
    assert modbus.signed(register) == value


# printed: SCPI-1999 volume 2, section 21.8
def test_an_empty_error_queue_is_no_error() -> None:
    assert play(scpi.check_errors(), b'0,"No error"\n')[0] == [b":SYST:ERR?\n"]
    with pytest.raises(Refused, match="Undefined header"):
        play(scpi.check_errors(), b'-113,"Undefined header"\n')


def test_a_scpi_reading_must_hold_as_many_numbers_as_asked_for() -> None:
    line = b"+1.000206E-04,+1.000000E-04,+9.910000E+37,+7.282600E+01,+1.980800E+04\n"
    assert play(scpi.ask_numbers(":READ?", 5), line)[1][2] == 9.91e37
    with pytest.raises(Garbled):
        play(scpi.ask_numbers(":READ?", 4), line)


def test_a_query_that_comes_back_as_it_was_sent_is_no_answer() -> None:
    with pytest.raises(Garbled, match="echoes"):
        play(scpi.ask("*IDN?"), b"*IDN?\r\n")


def test_nuls_around_a_reply_are_nothing_and_noise_within_it_is_garbled() -> None:
    assert text(b"\0\0+5.557\0\r\n\0") == "+5.557"
    for noise in (b"\x01+5.557\n", b"+5.\x00557\n", b"+5.557\x7f\n", b"1.0\n2.0\n"):
        with pytest.raises(Garbled, match="noise"):
            text(noise)


@pytest.mark.parametrize("word", ["nan", "NAN", "-inf", "1_0", "1e999", "5,5", "", "1 V"])
def test_what_is_no_number_is_garbled(word: str) -> None:
    with pytest.raises(Garbled):
        number(word)


# printed: Universal Robots, article 15690
def test_the_dashboard_greeting_is_skipped_wherever_it_comes() -> None:
    greeting = dashboard.GREETING.encode() + b"\n"
    written, mode = play(
        dashboard.ask_after("robotmode", "Robotmode:"), greeting, b"Robotmode: RUNNING\n"
    )
    assert (written, mode) == ([b"robotmode\n", b""], "RUNNING")


def test_dashboard_failures_are_refusals() -> None:
    with pytest.raises(Refused, match="File not found"):
        play(dashboard.expect("load x.urp", "Loading program"), b"File not found: x.urp\n")
    with pytest.raises(Refused):
        play(dashboard.ask("make coffee"), b"could not understand: 'make coffee'\n")


def test_a_spoilt_dashboard_reply_is_no_refusal() -> None:
    with pytest.raises(Garbled, match="'Starting5program' does not answer 'play'"):
        play(dashboard.expect("play", "Starting program"), b"Starting5program\n")


def test_the_dashboard_program_state_has_a_name() -> None:
    assert play(dashboard.program_state(), b"STOPPED a_to_b.urp\n")[1] == ("STOPPED", "a_to_b.urp")
    with pytest.raises(Garbled):
        play(dashboard.program_state(), b"FLYING a.urp\n")


def test_a_reply_is_whole_only_with_all_of_its_terminator() -> None:
    frame = until(b"\r\n")
    assert frame(b"abc\r") == 0
    assert frame(b"abc\r\nrest") == 5


# as Zaber's own library zaber-motion 10.3 puts them on the wire
ZABER_COMMANDS = [
    (zaber.Address(1, 1), 0, "move abs 1234", b"/1 1 00 move abs 1234:E7\n"),
    (zaber.Address(1, 1), 1, "", b"/1 1 01:FD\n"),
    (zaber.Address(1, 1), 2, "get pos", b"/1 1 02 get pos:2A\n"),
    (zaber.Address(1), 4, "warnings", b"/1 0 04 warnings:72\n"),
]


@pytest.mark.parametrize(("to", "number", "words", "sent"), ZABER_COMMANDS)
def test_zaber_commands_are_those_of_its_makers_library(
    to: zaber.Address, number: int, words: str, sent: bytes
) -> None:
    assert zaber.command(to, number, words, with_checksum=True) == sent


def test_a_zaber_reply_is_that_to_its_own_command_and_nothing_else() -> None:
    axis = zaber.Address(1, 1)
    lines = (b"!01 1 IDLE --\r\n", b"@01 1 06 OK IDLE -- 0\r\n", b"@02 1 07 OK IDLE -- 0\r\n")
    mine = b"@01 1 07 OK BUSY WR 1234\r\n"
    written, answer = play(zaber.ask(axis, 7, "get pos", with_checksum=False), *lines, mine)
    assert written == [b"/1 1 07 get pos\n", b"", b"", b""]
    assert (answer.is_busy, answer.warning, answer.data) == (True, "WR", "1234")
    assert zaber.named(answer.warning) == "WR (no reference position)"


def test_a_zaber_rejection_says_its_reason_and_the_warning() -> None:
    with pytest.raises(Refused, match=r"BADDATA .* FS \(stalled"):
        zaber.decode("@01 1 07 RJ IDLE FS BADDATA", zaber.Address(1, 1), 7, with_checksum=False)


@pytest.mark.parametrize(
    "line",
    ["", "@01 1 07 OK IDLE", "01 1 07 OK IDLE -- 0", "@01 1 07 OK IDLE -- 0:00", "@01 1 OK IDLE 0"],
)
def test_what_is_no_zaber_reply_is_garbled(line: str) -> None:
    with pytest.raises(Garbled):
        zaber.decode(line, zaber.Address(1, 1), 7, with_checksum=False)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_a_zaber_checksum_makes_all_characters_a_multiple_of_256(body: str) -> None:
    assert (sum(body.encode()) + int(zaber.checksum(body), 16)) % 256 == 0


def test_zaber_warnings_are_as_many_as_are_announced() -> None:
    assert zaber.warnings(zaber.Answer(False, "FS", "02 FS WR")) == ("FS", "WR")
    assert zaber.warnings(zaber.Answer(False, "--", "00")) == ()
    with pytest.raises(Garbled):
        zaber.warnings(zaber.Answer(False, "FS", "02 FS"))
