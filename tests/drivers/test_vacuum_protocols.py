"""Framing of vacuum instruments against printed bytes, and round trips."""

from __future__ import annotations

import pytest
from dialogues import play
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocols import cxn, genesys, mks
from drivers.protocols import pfeiffer_rs485 as pfeiffer
from drivers.protocols.framing import Garbled, Refused
from drivers.protocols.pfeiffer_errors import in_words


# printed: operating instructions of the TC 400, page 25, and of the TC 110 PB, page 32
def test_the_rotation_speed_is_asked_for_and_answered_as_the_manual_prints_it() -> None:
    written, data = play(pfeiffer.query(123, 309), b"1231030906000633037\r")
    assert (written, data) == ([b"1230030902=?112\r"], "000633")


def test_the_pumping_station_is_switched_on_as_the_manual_prints_it() -> None:
    printed = b"0421001006111111020\r"
    assert play(pfeiffer.command(42, 10, pfeiffer.ON), printed) == ([printed], None)


# printed: the instructions of the PPT 100, page 13, and pfeiffer-vacuum-protocol's mock
@pytest.mark.parametrize(
    ("reply", "parameter", "data"),
    [(b"0011074006100023025\r", 740, "100023"), (b"0011030306Err001168\r", 303, "Err001")],
)
def test_a_gauge_speaks_the_same_telegrams(reply: bytes, parameter: int, data: str) -> None:
    assert pfeiffer.decode(reply, 1, parameter) == data


@pytest.mark.parametrize(
    ("data", "why"), [("NO_DEF", "no such"), ("_RANGE", "out of range"), ("_LOGIC", "interface")]
)
def test_a_telegram_with_an_error_word_is_a_refusal(data: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        pfeiffer.decode(pfeiffer.telegram(1, "10", 10, data), 1, 10)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"0011030306\r",
        b"1231030906000633038\r",
        b"1241030906000633038\r",
        b"1230030902=?112\r",
        b"1231031006000633029\r",
        b"1231030907000633038\r",
        b"\xff1231030906000633037\r",
    ],
)
def test_what_does_not_answer_the_query_is_garbled(reply: bytes) -> None:
    with pytest.raises(Garbled):
        pfeiffer.decode(reply, 123, 309)


def test_a_command_that_is_not_echoed_is_garbled() -> None:
    with pytest.raises(Garbled, match="does not echo"):
        play(pfeiffer.command(42, 10, pfeiffer.ON), pfeiffer.telegram(42, "10", 10, pfeiffer.OFF))
    with pytest.raises(Garbled, match="neither"):
        play(pfeiffer.query_flag(42, 10), pfeiffer.telegram(42, "10", 10, "000001"))


@given(
    st.integers(1, 255),
    st.integers(0, 999),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=16),
    st.data(),
)
def test_a_telegram_survives_a_round_trip_and_no_changed_character(
    address: int, parameter: int, data: str, drawn: st.DataObject
) -> None:
    telegram = pfeiffer.telegram(address, "10", parameter, data)
    if data not in ("NO_DEF", "_RANGE", "_LOGIC"):
        assert pfeiffer.decode(telegram, address, parameter) == data
    place = drawn.draw(st.integers(0, len(telegram) - 2))
    spoilt = bytes((*telegram[:place], telegram[place] ^ 1, *telegram[place + 1 :]))
    with pytest.raises(Garbled):
        pfeiffer.decode(spoilt, address, parameter)


def test_errors_of_a_drive_unit_have_words() -> None:
    assert in_words("000000") == ""
    assert in_words("Err006") == "Err006 (run-up time exceeded)"
    assert in_words("Wrn076") == "Wrn076 (high temperature of the electronics)"
    assert in_words("Err999") == "Err999"


# printed: MKS 937B operation manual, page 86
def test_a_pressure_is_asked_for_and_answered_as_the_mks_manual_prints_it() -> None:
    written, answer = play(mks.ask(3, "PR1?"), b"@003ACK7.602E+2;FF")
    assert written == [b"@003PR1?;FF"]
    assert mks.pressure(answer) == 760.2


# printed: pymeasure's tests of the 937B
@pytest.mark.parametrize(("answer", "number"), [("1.10e-9", 1.1e-9), ("2.00E+0", 2.0)])
def test_numbers_of_an_mks_controller_may_be_small_letters(answer: str, number: float) -> None:
    assert mks.pressure(answer) == number


@pytest.mark.parametrize("word", ["OFF", "ATM", "LO<E-11", "WAIT", "NOGAUGE", "PROT_OFF"])
def test_a_word_in_place_of_a_pressure_is_told_as_it_is(word: str) -> None:
    assert mks.pressure(word) == word


@pytest.mark.parametrize("answer", ["", "1.23E", ".", "1.2.3E-4", "12;", "-1.23E-6"])
def test_what_is_neither_pressure_nor_word_is_garbled(answer: str) -> None:
    with pytest.raises(Garbled):
        mks.pressure(answer)


@pytest.mark.parametrize("word", ["nan", "inf", "Infinity"])
def test_no_pressure_is_infinite_or_not_a_number(word: str) -> None:
    assert mks.pressure(word) == word


def test_an_mks_refusal_has_words() -> None:
    with pytest.raises(Refused, match="NAK160: unknown command"):
        mks.decode(b"@253NAK160;FF", 253)
    with pytest.raises(Refused, match="NAK191"):
        mks.decode(b"@253NAK191;FF", 253)


@pytest.mark.parametrize(
    "reply",
    [b"@253ACK1.23E-6", b"253ACK1.23E-6;FF", b"@254ACK1.23E-6;FF", b"@253ACX1.23E-6;FF", b";FF"],
)
def test_what_is_no_answer_of_this_mks_unit_is_garbled(reply: bytes) -> None:
    with pytest.raises(Garbled):
        mks.decode(reply, 253)


# printed: pymeasure's tests of the CXN
@pytest.mark.parametrize(
    ("dialogue", "sent", "reply", "value"),
    [
        (
            lambda: cxn.name(1),
            b"C\x00Gi\x00\x01\x00\x00\x00\xf4",
            b"*R\x00\x00\x10\x00\x01AG 0313 GTC  \x00\x03\x10",
            "AG 0313 GTC",
        ),
        (
            lambda: cxn.tenths("GP", 3),
            b"C\x00GP\x00\x00\x00\x00\x00\xda",
            b"*R\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x58",
            (0.0, 0.0, 0.0),
        ),
        (
            cxn.status,
            b"C\x00GS\x00\x00\x00\x00\x00\xdd",
            b"*R\x00\x00\x08\x00\x11\x00\xdd\x00\x04\x00\x03\x01\x4f",
            cxn.Status.RF_ON | cxn.Status.EXTERNAL_SOURCE,
        ),
        (
            lambda: cxn.ask("GT", 8),
            b"C\x00GT\x00\x00\x00\x00\x00\xde",
            b"*R\x00\x00\n\x00\x01\x01\xa9\x02v\x00\x00\x00\x00\x01\x7f",
            b"\x00\x01\x01\xa9\x02v\x00\x00\x00\x00",
        ),
    ],
)
def test_packets_of_the_rf_supply_are_those_printed(
    dialogue: object, sent: bytes, reply: bytes, value: object
) -> None:
    assert cxn.answer_length(reply) == len(reply)
    assert play(dialogue(), reply) == ([sent], value)  # type: ignore[operator]


def test_settings_of_the_rf_supply_are_acknowledged_by_one_byte() -> None:
    # 200 W: the low byte is above 127, where text encodings go wrong
    assert cxn.packet("SA", 200) == b"C\x00SA\x00\xc8\x00\x00\x01\x9f"
    assert play(cxn.tell("SA", 200), b"*") == ([b"C\x00SA\x00\xc8\x00\x00\x01\x9f"], True)
    assert play(cxn.switch(False), b"?")[1] is False
    with pytest.raises(Garbled):
        play(cxn.switch(True), b"R")
    assert play(cxn.control(True), b"*" + cxn.answer(b"\x00\x01"))[1] is True
    assert play(cxn.control(False), b"*" + cxn.answer(b"\x00\x00"))[1] is False


def test_a_question_mark_in_place_of_an_answer_is_a_refusal() -> None:
    assert cxn.answer_length(b"?") == 1
    with pytest.raises(Refused):
        play(cxn.status(), b"?")


def test_the_length_of_an_rf_packet_is_told_as_soon_as_it_can_be() -> None:
    assert [cxn.answer_length(b"*R\x00\x00\x06"[:n]) for n in range(1, 6)] == [0, 0, 0, 0, 13]
    for start in (b"R\x00", b"**", b"\x00", b"*R\x00\xff\xff"):
        with pytest.raises(Garbled):
            cxn.answer_length(start)


@given(st.binary(min_size=2, max_size=30), st.data())
def test_an_rf_packet_with_any_flipped_bit_is_garbled(data: bytes, drawn: st.DataObject) -> None:
    packet = b"*" + cxn.answer(data)
    assert cxn.decode(packet, len(data)) == data
    bit = drawn.draw(st.integers(8 * 5, 8 * len(packet) - 1))
    spoilt = bytearray(packet)
    spoilt[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Garbled):
        cxn.decode(bytes(spoilt), len(data))


def test_an_rf_answer_with_too_few_data_is_garbled() -> None:
    with pytest.raises(Garbled, match="does not hold 4 bytes"):
        cxn.decode(b"*" + cxn.answer(b"\x00\x01"), 4)


# printed: pymeasure's tests of the Genesys, and tables 7-1 and 7-2 of its manual
def test_a_genesys_is_addressed_and_asked_as_printed() -> None:
    assert play(genesys.address(6), b"OK\r") == ([b"ADR 6\r"], None)
    assert play(genesys.ask("IDN?"), b"LAMBDA,GENX-Y\r") == ([b"IDN?\r"], "LAMBDA,GENX-Y")
    assert play(genesys.ask("REV?"), b"REV:1U:4.3\r")[1] == "REV:1U:4.3"


@pytest.mark.parametrize(
    ("code", "why"), [("E01", "above the range"), ("C05", "out of range"), ("E77", "an error")]
)
def test_errors_of_a_genesys_have_words(code: str, why: str) -> None:
    with pytest.raises(Refused, match=f"{code}: .*{why}"):
        play(genesys.tell("PV 99.000"), f"{code}\r".encode())


def test_what_does_not_acknowledge_a_setting_of_a_genesys_is_garbled() -> None:
    for reply in (b"12.000\r", b"\r", b"\xff\r", b"K\r"):
        with pytest.raises(Garbled):
            play(genesys.tell("PV 12.000"), reply)


def test_the_fault_register_of_a_genesys_has_words_but_for_the_output_that_is_off() -> None:
    assert play(genesys.faults(), b"40\r")[1] == ()
    assert play(genesys.faults(), b"74\r")[1] == (
        "over temperature",
        "overvoltage tripped",
        "shut off at the rear panel",
    )
    with pytest.raises(Garbled):
        play(genesys.faults(), b"4G\r")
