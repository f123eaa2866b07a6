"""Framing of pumps, balance and hot plate against printed bytes, and round trips."""

from __future__ import annotations

import pytest
from dialogues import play
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocols import cavro, namur, new_era, sics
from drivers.protocols.framing import Garbled, Refused


# printed: XP 3000 operators manual, table 3-8 (status bytes, ready and busy, of each error)
@pytest.mark.parametrize(
    ("busy", "ready", "error"),
    [
        (0x40, 0x60, 0),
        (0x41, 0x61, 1),
        (0x42, 0x62, 2),
        (0x43, 0x63, 3),
        (0x44, 0x64, 4),
        (0x45, 0x65, 5),
        (0x46, 0x66, 6),
        (0x47, 0x67, 7),
        (0x49, 0x69, 9),
        (0x4A, 0x6A, 10),
        (0x4B, 0x6B, 11),
        (0x4F, 0x6F, 15),
    ],
)
def test_every_printed_status_byte_of_a_cavro_pump_is_read(
    busy: int, ready: int, error: int
) -> None:
    for status, is_ready in ((busy, False), (ready, True)):
        answer = cavro.decode(b"/0" + bytes((status,)) + b"\x03\r\n")
        assert (answer.is_ready, answer.error, answer.data) == (is_ready, error, "")
        assert bool(answer.complaint) == bool(error)
        assert str(error) in answer.complaint or not error


def test_a_cavro_command_and_its_answer_are_framed_as_the_manual_says() -> None:
    written, position = play(cavro.ask_number("1", "?"), b"/0`3000\x03\r\n")
    assert written == [b"/1?\r"]
    assert position == 3000
    written, answer = play(cavro.tell("3", "I2A1500R"), b"\xff/0@\x03\r\n")
    assert written == [b"/3I2A1500R\r"]
    assert not answer.is_ready


def test_an_error_of_a_cavro_pump_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="has not been initialised"):
        play(cavro.tell("1", "A100R"), b"/0G\x03\r\n")
    with pytest.raises(Refused, match="plunger is overloaded"):
        play(cavro.tell("1", "A100R"), b"/0i\x03\r\n")
    with pytest.raises(Refused, match=r"does not name \(13\)"):
        play(cavro.tell("1", "A100R"), b"/0m\x03\r\n")


@pytest.mark.parametrize(
    "reply", [b"", b"/0\x03\r\n", b"/0`", b"/0 5\x03\r\n", b"/0p\x03\r\n", b"/1`5\x03\r\n"]
)
def test_what_is_no_answer_of_a_cavro_pump_is_garbled(reply: bytes) -> None:
    with pytest.raises(Garbled):
        cavro.decode(reply)


@given(st.booleans(), st.integers(0, 15), st.integers(0, 48000))
def test_cavro_answers_survive_a_round_trip(is_ready: bool, error: int, position: int) -> None:
    status = 0x40 | 0x20 * is_ready | error
    answer = cavro.decode(b"/0" + bytes((status,)) + str(position).encode() + b"\x03\r\n")
    assert (answer.is_ready, answer.error, int(answer.data)) == (is_ready, error, position)


# printed: operating instructions of balances with MT-SICS ("S - Send stable weight value"), and the
# responses that labmcp-mettler-toledo was written to
def test_weights_of_a_balance_are_read_as_its_manual_prints_them() -> None:
    written, response = play(sics.ask("S"), b"S S     100.00 g\r\n")
    assert written == [b"S\r\n"]
    assert (response.status, sics.grams(response)) == ("S", 100.0)
    written, response = play(sics.ask("SI"), b"S D      99.98 g\r\n")
    assert written == [b"SI\r\n"]
    assert (response.status, sics.grams(response)) == ("D", 99.98)
    assert play(sics.ask("T"), b"T S     100.00 g\r\n")[1].status == "S"
    assert play(sics.ask("Z"), b"Z A\r\n")[1].status == "A"
    assert play(sics.ask("S"), b"S +\r\n")[1].status == "+"
    assert play(sics.ask("S"), b"S -\r\n")[1].status == "-"
    assert play(sics.ask_text("I4"), b'I4 A "0123456789"\r\n')[1] == "0123456789"


@pytest.mark.parametrize(
    ("rest", "gram"),
    [
        ("1.25 kg", 1250.0),
        ("-3.50 mg", -0.0035),
        ("10.00 ct", 2.0),
        ("1.0 ozt", 31.1034768),
        ("2 lb", 907.18474),
    ],
)
def test_every_unit_of_mass_comes_out_in_grams(rest: str, gram: float) -> None:
    assert sics.grams(sics.Response("S", rest)) == pytest.approx(gram)


def test_a_balance_that_counts_pieces_has_no_weight() -> None:
    with pytest.raises(Refused, match="no unit of mass"):
        sics.grams(sics.Response("S", "12 PCS"))


@pytest.mark.parametrize("line", [b"ES\r\n", b"ET\r\n", b"EL\r\n"])
def test_the_errors_of_a_balance_are_refusals(line: bytes) -> None:
    with pytest.raises(Refused):
        sics.decode(line, "S")


@pytest.mark.parametrize(
    "line", [b"\r\n", b"S\r\n", b"T S 1.0 g\r\n", b"S s 1.0 g\r\n", b"SI S 1.00 g\r\n", b"\xe9\r\n"]
)
def test_what_is_no_response_to_a_weighing_is_garbled(line: bytes) -> None:
    with pytest.raises(Garbled):
        sics.decode(line, "S")


@pytest.mark.parametrize("rest", ["", "100.00", "g", "1,5 g", "10 20 g"])
def test_a_weight_without_number_or_unit_is_garbled(rest: str) -> None:
    with pytest.raises(Garbled):
        sics.grams(sics.Response("S", rest))


# printed: NE-1000 user manual, section 10.2.2, the packet that returns the pump to basic mode
def test_a_safe_packet_of_a_new_era_pump_is_the_one_that_its_manual_prints() -> None:
    assert new_era.crc(b"SAF0") == bytes((0x55, 0x43))
    # as printed it has no address, which the pump takes for 0; ours has one
    assert b"\x02\x08SAF0" + new_era.crc(b"SAF0") + b"\x03" == b"\x02\x08SAF0\x55\x43\x03"
    sent = new_era.request(0, "SAF0", is_safe=True)
    assert sent == b"\x02\x090SAF0" + new_era.crc(b"0SAF0") + b"\x03"
    assert new_era.request(3, "RUN", is_safe=False) == b"3RUN\r"


@pytest.mark.parametrize(
    ("value", "text"),
    [(14.43, "14.43"), (1.0, "1.000"), (0.5, "0.500"), (100.04, "100.0"), (9999.0, "9999"),
     (0.0, "0.000"), (123.46, "123.5")],
)  # fmt: skip
def test_numbers_have_the_four_digits_that_a_new_era_pump_takes(value: float, text: str) -> None:
    assert new_era.number(value) == text


@pytest.mark.parametrize("value", [10000.0, -1.0, 99999.0])
def test_what_four_digits_cannot_say_is_no_number_of_a_new_era_pump(value: float) -> None:
    with pytest.raises(ValueError, match=str(value)):
        new_era.number(value)


def test_answers_of_a_new_era_pump_are_read_in_either_mode() -> None:
    basic = b"\x0200SNE1000V3.923\x03"
    text = b"00SNE1000V3.923"
    safe = bytes((2, len(text) + 4)) + text + new_era.crc(text) + b"\x03"
    for reply, is_safe in ((basic, False), (safe, True)):
        assert new_era.answer_length(reply) == len(reply)
        for mode in (is_safe, None):
            answer = new_era.decode(reply, 0, is_safe=mode)
            assert (answer.prompt, answer.alarm, answer.data) == ("S", "", "NE1000V3.923")
        with pytest.raises(Garbled):
            new_era.decode(reply, 0, is_safe=not is_safe)
    assert new_era.decode(b"\x0200A?R\x03", 0, is_safe=False).alarm == "R"
    assert "power was interrupted" in new_era.decode(b"\x0200A?R\x03", 0, is_safe=False).complaint
    assert "out of its range" in new_era.decode(b"\x0200S?OOR\x03", 0, is_safe=False).complaint


@pytest.mark.parametrize(
    "reply",
    [b"", b"\x02\x03", b"\x0201S\x03", b"\x0200Q\x03", b"\x02\x0700S\x00\x00\x03"],
)
def test_what_is_no_answer_of_this_new_era_pump_is_garbled(reply: bytes) -> None:
    with pytest.raises(Garbled):
        new_era.decode(reply, 0, is_safe=None)


@given(st.integers(0, 99), st.sampled_from("IWSPTUX"), st.text("0123456789.VNEIWUL", max_size=20))
def test_safe_answers_survive_a_round_trip_whatever_bytes_their_checksum_has(
    address: int, prompt: str, data: str
) -> None:
    text = f"{address:02d}{prompt}{data}".encode()
    packet = bytes((2, len(text) + 4)) + text + new_era.crc(text) + b"\x03"
    assert new_era.answer_length(packet + b"more") == len(packet)
    answer = new_era.decode(packet, address, is_safe=True)
    assert (answer.prompt, answer.data) == (prompt, data)


# printed: RCT digital instructions (20014388), "Interfaces and outputs"; the form of the replies is
# that of the clients `ika` and `labmcp-ika`
def test_commands_of_a_hot_plate_end_with_blank_and_crlf() -> None:
    assert namur.request("IN_PV_2") == b"IN_PV_2 \r\n"
    written, value = play(namur.ask_number("IN_PV_2"), b"25.3 2 \r\n")
    assert (written, value) == ([b"IN_PV_2 \r\n"], 25.3)
    assert play(namur.ask_number("IN_SP_1"), b"80.0\r\n")[1] == 80.0
    assert play(namur.set_echoed("OUT_WD1", 60.0), b"60 \r\n")[0] == [b"OUT_WD1@60 \r\n"]
    assert play(namur.tell("START_1"), *())[0] == [b"START_1 \r\n"]


@pytest.mark.parametrize("line", [b" \r\n", b"25.3 4 \r\n", b"warm 2 \r\n", b"25.3 2 x \r\n"])
def test_what_is_no_number_of_this_channel_is_garbled(line: bytes) -> None:
    with pytest.raises(Garbled):
        play(namur.ask_number("IN_PV_2"), line)


def test_a_watchdog_that_echoes_another_time_is_garbled() -> None:
    with pytest.raises(Garbled, match="was set to 60 and answers 20"):
        play(namur.set_echoed("OUT_WD1", 60.0), b"20 \r\n")
