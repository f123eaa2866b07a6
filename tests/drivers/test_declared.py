"""Instruments that a file declares: SCPI, Modbus and HTTP, over fakes that answer their bytes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from bridge_fakes import DECLARATIONS, FakeDeclaredSupply, FakeFurnace, FakeOven, declared
from driver_fakes import Fake, silent
from wire_fakes import on_pty, on_tcp

from drivers.bridges import modbus
from orchestrator import plugins
from orchestrator.clock import VirtualClock, WallClock
from orchestrator.errors import (
    DeviceAbsent,
    DeviceGarbled,
    DeviceRefused,
    DeviceReset,
    DeviceSilent,
    DeviceUnsure,
    FileProblems,
    InputError,
    LimitExceeded,
    WrongDevice,
)
from orchestrator.files.declared import read_declaration
from orchestrator.ports.action import ArgSpec, Cancel, Effect, ResultSpec
from orchestrator.ports.resource import Bench

KINDS = {"supply": "scpi", "furnace": "modbus", "oven": "http", "gate": "epics"}
TICKET = "0123456789abcdef"


def play(
    name: str, fake: Fake, deed: Callable[[Any], Awaitable[None]], folder: Path = DECLARATIONS
) -> None:
    """Opens the declared instrument on a fake, and does a deed with it."""

    clock = VirtualClock()

    async def main() -> None:
        kind = declared(KINDS[name], str(folder / f"{name}.yaml"))
        made = kind.cls(Bench(name, clock, wires={"port": fake}), "memory:port")
        await made.open()
        try:
            await deed(made)
        finally:
            await made.close()

    clock.run(main())


def written(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Path:
    text = (DECLARATIONS / f"{name}.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / f"{name}.yaml"
    path.write_text(text)
    return path


def test_a_declaration_has_all_that_a_class_would_have() -> None:
    kind = declared("scpi", "supply.yaml")
    spec = kind.actions["set_voltage"]
    assert (spec.effect, spec.cancel) == (Effect.IDEMPOTENT, Cancel.AT_ONCE)
    assert spec.args == (ArgSpec("voltage", "real", "V", 0.0, 30.0),)
    assert spec.doc.startswith("Sets the voltage, and switches on.")
    assert kind.actions["set_mode"].args[0].choices == ("CV", "CC")
    assert kind.actions["current"].results == (ResultSpec("value", "real", "mA"),)
    assert [r.name for r in kind.actions["output"].results] == ["voltage", "current"]
    assert kind.actions["pulse"].effect is Effect.IRREVERSIBLE
    assert "A bench supply" in kind.doc
    assert "Tried on hardware: no." in kind.doc
    assert declared("http", "oven.yaml").actions["bake"].wants_ticket


def test_a_supply_is_set_read_and_made_safe() -> None:
    fake = FakeDeclaredSupply()

    async def deed(supply: Any) -> None:
        assert (await supply.identify()).serial == "0017"
        assert (await supply.health()).is_fit
        await supply.set_voltage(12.5)
        assert (fake.volt, fake.is_on) == ("12.500", "1")
        assert await supply.voltage() == 12.5
        assert await supply.current() == 250.0
        assert await supply.temperature() == 31.5
        assert await supply.output() == {"voltage": 12.5, "current": 0.5}
        assert await supply.pulse(duration=0.5) == {"charge": 0.75}
        await supply.make_safe()
        assert fake.is_on == "0"

    play("supply", fake, deed)


def test_true_is_no_number_of_a_declared_reading() -> None:
    fake = FakeOven()
    fake.state["temperature"] = True

    async def deed(oven: Any) -> None:
        with pytest.raises(DeviceGarbled, match="True, where a value of the kind 'real'") as caught:
            await oven.temperature()
        assert caught.value.hint == "say `kind: integer` of a flag, and true is 1"

    play("oven", fake, deed)


def test_a_state_that_is_lost_is_told_before_anything_else_is_read() -> None:
    fake = FakeDeclaredSupply()

    async def deed(supply: Any) -> None:
        await supply.set_voltage(12.5)
        await supply.bench.clock.sleep(61.0)
        assert await supply.voltage() == 12.5
        fake.volt, fake.is_on = "0.000", "0"  # a power cut that breaks no connection
        await supply.bench.clock.sleep(61.0)
        with pytest.raises(DeviceReset, match="set_voltage was set and is no longer so"):
            await supply.voltage()
        assert await supply.voltage() == 0.0
        assert fake.is_on == "0"

    play("supply", fake, deed)


def test_what_cannot_be_taken_back_is_not_done_by_a_device_that_lost_a_state() -> None:
    fake = FakeDeclaredSupply()

    async def deed(supply: Any) -> None:
        await supply.set_voltage(12.5)
        fake.volt = "0.000"
        with pytest.raises(DeviceRefused, match="is no longer so, so nothing was sent"):
            await supply.pulse(duration=0.5)
        assert fake.n_pulses == 0

    play("supply", fake, deed)


TWO_STATES = """\
  set_mode:
    says: What is held constant.
    effect: idempotent
    takes: {mode: {kind: text, choices: [CV, CC]}}
    state: mode
    do: ["MODE {mode}"]
    confirm: [{read: "MODE?", is: "{mode}"}]
  reset:
    says: As after being switched on.
    effect: idempotent
    resets: true
    do: ["*RST"]
"""


def test_a_reset_takes_back_all_states_at_once(tmp_path: Path) -> None:
    text = (DECLARATIONS / "supply.yaml").read_text()
    old = text[text.index("  set_mode:") : text.index("  off:")]

    async def deed(supply: Any) -> None:
        for _ in range(2):
            await supply.reset()
            await supply.set_mode("CC")
            await supply.set_voltage(12.5)

    written(tmp_path, "supply", (old, TWO_STATES))
    play("supply", FakeDeclaredSupply(), deed, folder=tmp_path)


@pytest.mark.parametrize("deed_after", ["off", "make_safe"])
def test_a_state_that_was_taken_back_is_not_held_to(deed_after: str) -> None:
    async def deed(supply: Any) -> None:
        await supply.set_voltage(12.5)
        await getattr(supply, deed_after)()
        await supply.bench.clock.sleep(61.0)
        await supply.voltage()

    play("supply", FakeDeclaredSupply(), deed)


def test_a_furnace_is_set_read_and_made_safe() -> None:
    fake = FakeFurnace()

    async def deed(furnace: Any) -> None:
        assert (await furnace.identify()).serial == "65538"
        assert (await furnace.health()).is_fit
        assert await furnace.temperature() == -1.0
        assert await furnace.hours() == 123.5
        assert await furnace.door() == 1
        await furnace.set_temperature(350.17)
        assert (fake.holding[1], fake.coils[0]) == (3502, True)
        await furnace.set_temperature(-12.0)
        assert fake.holding[1] == 0x10000 - 120
        await furnace.set_ramp(2.5)
        assert (fake.holding[10], fake.holding[11]) == (0x4020, 0)
        fake.holding[3] = 1 << 4
        assert not (await furnace.health()).is_fit
        await furnace.make_safe()
        assert fake.coils[0] is False

    play("furnace", fake, deed)


def test_an_oven_is_set_read_asked_by_ticket_and_made_safe() -> None:
    fake = FakeOven()

    async def deed(oven: Any) -> None:
        assert (await oven.identify()).serial == "0042"
        assert await oven.temperature() == 21.5
        await oven.set_temperature(120.0)
        assert fake.state["setpoint"] == 120.0
        assert (await oven.ask(TICKET)).outcome == "not_done"
        assert await oven.bake(duration=60.0, programme="cure", ticket=TICKET) == {"peak": 180.5}
        assert (await oven.ask(TICKET)).outcome == "done"
        fake.states = ["aborted"]
        assert (await oven.ask(TICKET)).outcome == "unknown"
        await oven.make_safe()
        assert fake.state["heating"] is False

    play("oven", fake, deed)


def test_a_busy_server_is_asked_again_when_it_says_and_ordered_nothing_again() -> None:
    fake = FakeOven()

    async def deed(oven: Any) -> None:
        before_s = oven.bench.clock.now()
        fake.refusals = ["429 Slow down\r\nRetry-After: 7", "503 Busy\r\nRetry-After: 30"]
        assert await oven.temperature() == 21.5
        assert oven.bench.clock.now() - before_s == 37.0
        fake.refusals = ["429 Slow down\r\nRetry-After: 600"]
        with pytest.raises(DeviceRefused, match="429 Slow down"):
            await oven.temperature()
        fake.refusals = ["429 Slow down\r\nRetry-After: 1"]
        with pytest.raises(DeviceRefused, match="POST /stamp is answered with 429"):
            await oven.stamp()
        assert fake.n_stamps == 0

    play("oven", fake, deed)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("301 Moved\r\nLocation: https://oven.lab/about", "it is at https://oven.lab/about"),
        ("401 Unauthorized", "look at the token, the file of which the lab file names"),
    ],
)
def test_a_refusal_that_something_can_be_done_about_says_what(answer: str, hint: str) -> None:
    fake = FakeOven()

    async def deed(oven: Any) -> None:
        fake.refusals = [answer]
        with pytest.raises(DeviceRefused) as found:
            await oven.temperature()
        assert found.value.hint.startswith(hint)

    play("oven", fake, deed)


@pytest.mark.parametrize("content_type", ["", "text/plain"])
def test_a_server_that_does_not_say_that_it_answers_json_is_read_all_the_same(
    content_type: str,
) -> None:
    fake = FakeOven()
    fake.content_type = content_type

    async def deed(oven: Any) -> None:
        assert await oven.temperature() == 21.5

    play("oven", fake, deed)


@pytest.mark.parametrize(
    ("type_", "orders", "value", "registers"),
    [
        ("float32", {}, 123.456, "42f6 e979"),
        ("float32", {"words": "low_first"}, 123.456, "e979 42f6"),
        ("float32", {"bytes": "low_first"}, 123.456, "f642 79e9"),
        ("float32", {"words": "low_first", "bytes": "low_first"}, 123.456, "79e9 f642"),
        ("float64", {}, 123.456, "405e dd2f 1a9f be77"),
        ("float64", {"words": "low_first"}, 123.456, "be77 1a9f dd2f 405e"),
        ("int64", {}, -2.0, "ffff ffff ffff fffe"),
        ("uint64", {"bytes": "low_first"}, 65537.0, "0000 0000 0100 0100"),
        ("uint16", {"bytes": "low_first"}, 258.0, "0201"),
    ],
)
def test_a_number_lies_in_registers_as_its_maker_wants(
    type_: str, orders: dict[str, str], value: float, registers: str
) -> None:
    words = tuple(int(word, 16) for word in registers.split())
    shape = {"register": 0, "type": type_, **orders}
    place = modbus.Place.model_validate(shape)
    assert place.n_registers == len(words)
    assert modbus.decoded(words, place) == pytest.approx(value, rel=1e-6)
    assert modbus.encoded(value, modbus.Order.model_validate({**shape, "value": 0})) == words


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("register: 3, bit: 2, type: uint32", "'type' says nothing of a single bit"),
        ("register: 3, bit: 2, words: low_first", "'words' says nothing of a single bit"),
        ("coil: 3, scale: 0.1", "'scale' says nothing of a single bit"),
        ("coil: 3, bytes: low_first", "'bytes' says nothing of a single bit"),
        ("register: 3, byte: low_first", "did you mean 'bytes'"),
    ],
)
def test_a_key_that_says_nothing_of_a_place_is_refused(
    tmp_path: Path, place: str, said: str
) -> None:
    text = (DECLARATIONS / "furnace.yaml").read_text()
    flag = f"  flag: {{says: A flag., read: {{{place}}}, unit: '', kind: integer}}\nactions:"
    (tmp_path / "furnace.yaml").write_text(text.replace("actions:", flag, 1))
    with pytest.raises(FileProblems, match=said):
        declared("modbus", str(tmp_path / "furnace.yaml"))


def test_a_word_for_a_coil_is_refused_and_switches_nothing_on(tmp_path: Path) -> None:
    take = "takes: {to: {kind: text, choices: ['on', 'off']}}, do: [{coil: 0, value: '{to}'}]"
    switch = f"actions:\n  switch: {{says: Switches., effect: idempotent, {take}}}"
    written(tmp_path, "furnace", ("actions:", switch))
    fake = FakeFurnace()

    async def deed(furnace: Any) -> None:
        with pytest.raises(InputError, match="'off' is no value of a coil"):
            await furnace.switch(to="off")
        assert fake.coils[0] is False

    play("furnace", fake, deed, tmp_path)


def test_a_bit_of_a_register_with_swapped_bytes_is_the_one_of_the_value() -> None:
    place = modbus.Place.model_validate({"register": 0, "bit": 2, "bytes": "low_first"})
    assert modbus.decoded((0x0400,), place) == 1.0
    assert modbus.decoded((0x0004,), place) == 0.0


PLUG = """\
instrument: A plug with a page, as people build them.
source: made up
maker: Acme
model: plug
identify: {read: {get: /, finds: "^(Plug)"}, is: Plug}
readings:
  power: {says: The power., read: {get: /, finds: "P=(.*) W"}, unit: W}
  volts: {says: The mains., read: {get: /, finds: "[0-9]{3}"}, kind: text}
  digits: {says: Too many., read: {get: /, finds: "[0-9]{9}"}, kind: text}
  sign: {says: There is none., read: {get: /, finds: "P=(-)?"}, kind: text}
actions:
  switch:
    says: Switches on or off.
    effect: idempotent
    cancel: at_once
    takes: {to: {kind: text, choices: ["on", "off"]}}
    do: [{get: "/relay?turn={to}"}]
    confirm: [{read: {get: /, finds: "relay (on|off)"}, is: "{to}"}]
  name:
    says: Gives it a name.
    effect: idempotent
    cancel: at_once
    takes: {name: {kind: text, choices: ["a b&c", "c"]}}
    do:
      - post: /name
        text: "name={name}"
        headers: {content-type: application/x-www-form-urlencoded}
make_safe:
  do: [{get: "/relay?turn=off"}]
  confirm: [{read: {get: /, finds: "relay (on|off)"}, is: "off"}]
"""


class FakePlug(FakeOven):
    """Changes its relay when a page is asked for."""

    relay = "off"
    busy = ""
    page = ""

    def reply(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        self.requests.append(f"{head.decode()} {body.decode()}")
        path = head.decode().split(" ")[1]
        if self.busy and path != "/":
            return f"HTTP/1.1 {self.busy}\r\nContent-Length: 0\r\n\r\n".encode()
        self.relay = path.partition("turn=")[2] or self.relay
        text = f"Plug: relay {self.relay}, P= {12.5 if self.relay == 'on' else 0} W"
        text = (self.page or f"{text}, 230 V{' ' * 1000}.").encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text


def test_a_value_may_lead_through_what_is_named_by_an_argument(tmp_path: Path) -> None:
    action = "get_power: {says: P., effect: none, takes: {of: {kind: text, choices: [a, b]}}, "
    action += "do: [{get: /}], gives: {power: {read: {get: /, value: '{of}.power'}, unit: W}}}"
    text = PLUG.replace("actions:", f"actions:\n  {action}", 1).replace('"^(Plug)"', '"(Plug)"')
    (tmp_path / "oven.yaml").write_text(text)
    fake = FakePlug()
    fake.page = '{"Plug": 1, "a": {"power": 1.5}, "b": {"power": 2.5}}'

    async def deed(plug: Any) -> None:
        powers = [await plug.get_power(of=of) for of in ("a", "b")]
        assert powers == [{"power": 1.5}, {"power": 2.5}]

    play("oven", fake, deed, tmp_path)


def test_a_page_that_changes_something_is_an_order_and_a_text_has_parts(tmp_path: Path) -> None:
    (tmp_path / "oven.yaml").write_text(PLUG)
    fake = FakePlug()

    async def deed(plug: Any) -> None:
        await plug.switch(to="on")
        assert await plug.power() == 12.5
        assert await plug.volts() == "230"
        await plug.name(name="a b&c")
        assert "application/x-www-form-urlencoded" in fake.requests[-1]
        assert fake.requests[-1].endswith(" name=a%20b%26c")
        assert fake.requests[-1].lower().count("content-type") == 1
        with pytest.raises(DeviceGarbled, match="does not hold what") as none:
            await plug.digits()
        assert len(str(none.value)) < 250
        assert "finds" in none.value.hint
        with pytest.raises(DeviceGarbled, match="does not hold what"):
            await plug.sign()
        fake.busy = "503 Busy\r\nRetry-After: 1"
        n_orders = sum("turn=" in r for r in fake.requests)
        with pytest.raises(DeviceGarbled, match="503 Busy"):
            await plug.switch(to="off")
        assert sum("turn=" in r for r in fake.requests) == n_orders + 1
        fake.busy = ""
        await plug.make_safe()
        assert fake.relay == "off"

    play("oven", fake, deed, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"P=(.*) W"', '"P=(.* W"', "is no regular expression"),
        ('text: "name', 'json: 1\n        text: "name', "both 'json' and 'text' are given"),
        ('text: "name', 'txt: "name', "did you mean 'text'"),
        ('text: "name', 'data: "name', "known: delete, get, headers, json, patch"),
        ("post: /name", 'post: "/my name"', "is no path of a request .write /my%20name"),
        ("post: /name", 'post: "/€"', "is no path of a request .write /%E2%82%AC"),
    ],
)
def test_what_is_wrong_with_a_declared_page_is_told(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    (tmp_path / "plug.yaml").write_text(PLUG.replace(old, new))
    with pytest.raises(FileProblems, match=said):
        declared("http", str(tmp_path / "plug.yaml"))


@pytest.mark.parametrize("port", ["http://me:secret@oven", "http://oven/?x=1"])
def test_what_of_an_address_would_not_be_sent_is_refused(port: str) -> None:
    kind = declared("http", "oven.yaml")
    with pytest.raises(InputError, match="is more than an address"):
        kind.cls(Bench("oven", VirtualClock()), port)


@pytest.mark.parametrize("token", [b"", b"one\ntwo\n", "schlüssel".encode(), b"\xff"])
def test_a_file_that_holds_no_token_is_refused(token: bytes, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(token)
    bench = Bench("oven", VirtualClock(), wires={"port": FakeOven()})
    oven = declared("http", "oven.yaml").cls(
        bench, "memory:port", token_file=str(tmp_path / "token")
    )
    with pytest.raises(InputError, match="token"):
        asyncio.run(oven.open())


def test_a_server_that_speaks_no_tls_is_told_apart_from_one_that_is_not_there() -> None:
    with on_tcp(lambda data: b"HTTP/1.1 400 Bad\r\n\r\n") as url:
        port = url.replace("socket", "https")
        oven = declared("http", "oven.yaml").cls(Bench("oven", WallClock()), port)
        with pytest.raises(DeviceAbsent, match="it does not speak TLS") as found:
            asyncio.run(oven.open())
    assert found.value.hint == "give http:// where it has no https://"


def test_what_a_run_gave_is_read_once_more_by_its_ticket() -> None:
    fake = FakeOven()
    fake.states = ["finished"]

    async def deed(oven: Any) -> None:
        await oven.bake(duration=60.0, programme="cure", ticket=TICKET)
        n_orders = len([r for r in fake.requests if r.startswith("POST")])
        arguments = {"duration": 60.0, "programme": "cure"}
        assert await oven.results_of("bake", arguments, TICKET) == {"peak": 180.5}
        assert len([r for r in fake.requests if r.startswith("POST")]) == n_orders

    play("oven", fake, deed)


def test_what_a_device_shows_now_is_no_result_of_what_was_done_before(tmp_path: Path) -> None:
    by_ticket = '{get: "/runs/{ticket}", value: peak}'
    written(tmp_path, "oven", (f"read: {by_ticket}, unit", "read: {get: /temperature}, unit"))
    fake = FakeOven()

    async def deed(oven: Any) -> None:
        n_requests = len(fake.requests)
        with pytest.raises(DeviceGarbled, match="'peak' of bake is read without its ticket"):
            await oven.results_of("bake", {"duration": 60.0, "programme": "cure"}, TICKET)
        assert len(fake.requests) == n_requests

    play("oven", fake, deed, tmp_path)


def test_what_lies_beyond_a_limit_or_is_no_declared_word_is_never_sent() -> None:
    fake = FakeDeclaredSupply()

    async def deed(supply: Any) -> None:
        with pytest.raises(LimitExceeded, match=r"voltage = 30\.1 V"):
            await supply.set_voltage(30.1)
        with pytest.raises(InputError, match="not one of CV, CC"):
            await supply.set_mode("OFF;*RST")
        assert fake.received == []

    play("supply", fake, deed)


def test_an_error_of_the_queue_is_about_the_order_before_it_and_never_about_an_older_one() -> None:
    fake = FakeDeclaredSupply()

    async def deed(supply: Any) -> None:
        fake.errors = ['-410,"Query INTERRUPTED"', '-222,"Data out of range"']
        await supply.set_mode("CC")
        assert fake.mode == "CC"
        fake._obey = lambda order, value: fake.errors.append('-222,"Data out of range"')  # type: ignore[method-assign]
        with pytest.raises(DeviceRefused, match=r"'MODE \{mode\}' with the error -222"):
            await supply.set_mode("CV")

    play("supply", fake, deed)


def test_a_stop_asks_for_nothing_before_its_first_order_and_is_read_back() -> None:
    fake = FakeDeclaredSupply()

    async def deed(supply: Any) -> None:
        await supply.set_voltage(5.0)
        fake.errors, n = ['-410,"Query INTERRUPTED"'], len(fake.received)
        await supply.make_safe()
        assert fake.received[n:] == [b"OUTP OFF\n", b"OUTP?\n"]
        fake._obey = lambda order, value: None  # type: ignore[method-assign]
        fake.is_on = "1"
        with pytest.raises(DeviceRefused, match=r"OUTP\? is '1' afterwards"):
            await supply.make_safe()

    play("supply", fake, deed)


def test_an_irreversible_order_is_sent_once_and_in_doubt_when_its_answer_is_lost() -> None:
    fake = FakeDeclaredSupply()

    async def deed(supply: Any) -> None:
        await supply.identify()
        fake.spoils.extend([lambda reply: reply, silent])
        with pytest.raises(DeviceUnsure, match="pulse was sent, and what came of it is not known"):
            await supply.pulse(duration=0.5)
        assert fake.n_pulses == 1

    play("supply", fake, deed)


def test_an_order_that_does_not_come_to_its_end_is_in_doubt() -> None:
    fake = FakeDeclaredSupply()
    fake.states = ["BUSY"]

    async def deed(supply: Any) -> None:
        with pytest.raises(DeviceUnsure, match="not come to its end within 20 s: PULS:STAT"):
            await supply.pulse(duration=0.5)

    play("supply", fake, deed)


def test_another_maker_or_model_than_the_declared_one_is_refused() -> None:
    fake = FakeDeclaredSupply()
    fake.who = "Acme,HV-9000,1,1"

    async def deed(supply: Any) -> None:
        with pytest.raises(WrongDevice, match="where Acme PS"):
            await supply.identify()

    play("supply", fake, deed)
    furnace = FakeFurnace()
    furnace.holding[90] = 4712

    async def look(made: Any) -> None:
        with pytest.raises(WrongDevice, match="register 90 is 4712"):
            await made.identify()

    play("furnace", furnace, look)


def test_a_greeting_and_a_line_that_nobody_asked_for_are_no_other_device(tmp_path: Path) -> None:
    """A line at a time: what is behind the one that was read has not come yet when it is judged."""

    async def main() -> None:
        with on_pty(tmp_path, lambda asked: b"") as device:

            def answer(asked: bytes) -> bytes:
                for line in pending:
                    device.say(line)
                    time.sleep(0.02)
                device.answer = FakeDeclaredSupply().answer
                return b"Acme,PS-3,0017,1.2\n"

            pending = [b"supply ready\n", b"!ALARM 3\n"]
            device.answer = answer
            made = declared("scpi", "supply.yaml").cls(Bench("psu", WallClock()), str(device.link))
            await made.open()
            assert (await made.identify()).serial == "0017"
            await made.close()

    asyncio.run(main())


def test_another_device_is_one_that_says_so_twice() -> None:
    fake = FakeDeclaredSupply()

    async def deed(supply: Any) -> None:
        fake.spoils.append(lambda reply: reply.replace(b"Acme", b"Acmd"))
        assert (await supply.identify()).serial == "0017"

    play("supply", fake, deed)


def test_an_echo_is_told_as_one_and_as_no_other_device() -> None:
    fake = FakeDeclaredSupply()

    async def deed(supply: Any) -> None:
        fake.spoils.extend([lambda reply: b"*IDN?\n"] * 3)
        with pytest.raises(DeviceGarbled, match="echoes"):
            await supply.identify()

    play("supply", fake, deed)


class FakeEcho(FakeDeclaredSupply):
    """Like the supply; it sends back each line, with CR LF for its CR, and acknowledges orders."""

    end = b"\r"
    word = b"OK"

    def reply(self, request: bytes) -> bytes:
        is_refused = self.word == b"BUSY" and b"?" not in request
        said = b"" if is_refused else super().reply(request)
        return request + b"\n" + (said or self.word + b"\n").replace(b"\n", b"\r\n")


ECHOES = (
    "maker: Acme\n",
    "terminator: cr\nechoes: true\nacknowledges: OK\nrefuses: BUSY|ERR.*\nmaker: Acme\n",
)


def test_a_device_that_echoes_and_acknowledges_is_set_read_and_made_safe(tmp_path: Path) -> None:
    written(tmp_path, "supply", ECHOES)
    fake = FakeEcho()

    async def deed(supply: Any) -> None:
        assert (await supply.identify()).serial == "0017"
        await supply.set_voltage(12.5)
        assert (fake.volt, fake.is_on) == ("12.500", "1")
        assert await supply.temperature() == 31.5
        assert await supply.pulse(duration=0.5) == {"charge": 0.75}
        fake.word = b"BUSY"
        with pytest.raises(DeviceRefused, match=r"it answers 'PULS 0.50' with 'BUSY'"):
            await supply.pulse(duration=0.5)
        assert fake.n_pulses == 1
        fake.word = b"OK"
        fake.spoils.extend([lambda reply: reply.replace(b"MEAS", b"MAES")] * 3)
        with pytest.raises(DeviceGarbled, match="'MAES:VOLT\\?' came, where the echo of"):
            await supply.voltage()
        await supply.make_safe()
        assert fake.is_on == "0"

    play("supply", fake, deed, tmp_path)


def test_an_answer_to_an_order_that_is_neither_yes_nor_no_leaves_a_doubt(tmp_path: Path) -> None:
    written(tmp_path, "supply", ECHOES)
    fake = FakeEcho()

    async def deed(supply: Any) -> None:
        fake.word = b"3.6217"
        with pytest.raises(DeviceUnsure, match=r"'PULS 0.50' with '3.6217'"):
            await supply.pulse(duration=0.5)
        assert fake.n_pulses == 1

    play("supply", fake, deed, tmp_path)


def test_after_an_answer_that_is_no_number_the_question_is_asked_once_more() -> None:
    fake = FakeDeclaredSupply()

    async def deed(supply: Any) -> None:
        fake.spoils.append(lambda reply: b"OK\n")
        assert await supply.voltage() == float(fake.volt)
        fake.spoils.extend([lambda reply: b"1,5\n"] * 3)
        with pytest.raises(DeviceGarbled, match="'1,5', where a value of the kind 'real'") as found:
            await supply.voltage()
        assert found.value.hint == "look at the declaration, and at the device's manual"

    play("supply", fake, deed)


def test_a_device_that_echoes_orders_and_says_nothing_else_is_set_and_read(tmp_path: Path) -> None:
    written(tmp_path, "supply", ("maker: Acme\n", "echoes: true\nmaker: Acme\n"))
    fake = FakeDeclaredSupply()
    plain = fake.reply
    fake.reply = lambda request: request + plain(request)  # type: ignore[method-assign]

    async def deed(supply: Any) -> None:
        await supply.set_voltage(12.5)
        assert (fake.volt, await supply.voltage()) == ("12.500", 12.5)

    play("supply", fake, deed, tmp_path)


def test_a_post_that_is_not_answered_in_time_is_in_doubt_and_never_repeated() -> None:
    fake = FakeOven()

    async def deed(oven: Any) -> None:
        await oven.identify()
        fake.spoils.append(silent)
        with pytest.raises(DeviceUnsure, match="stamp was sent"):
            await oven.stamp()
        assert fake.n_stamps == 1
        fake.status = 503
        with pytest.raises(DeviceUnsure, match="answered with 503"):
            await oven.stamp()
        assert fake.n_stamps == 2

    play("oven", fake, deed)


def test_a_request_that_the_server_refuses_was_not_done() -> None:
    fake = FakeOven()
    fake.status = 409

    async def deed(oven: Any) -> None:
        with pytest.raises(DeviceRefused, match="POST /stamp is answered with 409"):
            await oven.stamp()
        assert fake.n_stamps == 0

    play("oven", fake, deed)


def test_a_reading_is_repeated_when_a_reply_is_lost() -> None:
    fake = FakeOven()

    async def deed(oven: Any) -> None:
        await oven.identify()
        fake.spoils.append(silent)
        assert await oven.temperature() == 21.5
        fake.spoils.extend([silent] * 3)
        with pytest.raises(DeviceSilent):
            await oven.temperature()

    play("oven", fake, deed)


WRONG = [
    (
        "supply",
        ("make_safe:\n", "make_saf:\n"),
        "47:1: 'make_saf' is not a key of a declared 'scpi'",
    ),
    ("supply", ("low: 0, high: 30", "low: 0"), "the number 'voltage' needs its limits"),
    ("supply", ("low: 0, high: 30", "low: 0, high: .inf"), "expected a finite number"),
    ("supply", ("low: 0, high: 30", "low: 0, high: .nan"), "expected a finite number, found nan"),
    (
        "supply",
        ("low: 0, high: 30", "low: 0, high: 30, default: 31"),
        "the default 31 of 'voltage' is beyond its limits",
    ),
    ("supply", ("voltage: {unit: V, ", "voltage: {"), "the number 'voltage' needs its unit"),
    ("supply", ("unit: mA", "unit: mAmp"), "'mAmp'"),
    ("supply", ("VOLT {voltage:.3f}", "VOLT {volts}"), "'volts' is not an argument"),
    ("supply", ("VOLT {voltage:.3f}", "VOLT {voltage.real}"), "more than the name"),
    ("supply", ("effect: irreversible", "effect: harmless"), "expected none, idempotent"),
    ("supply", ("effect: irreversible", "effect: queryable"), "a device that can be asked"),
    (
        "supply",
        ("mode: {kind: text, choices: [CV, CC]}", "mode: {kind: text}"),
        "needs its 'choices'",
    ),
    ("supply", ('model: "PS-[0-9]+"', 'model: "PS-["'), "no regular expression"),
    ("supply", ("at_most: 20 s", "at_most: 20 m"), "'20 m' is in 'm'"),
    ("furnace", ("{register: 90}, is", "{register: 90, coil: 1}, is"), "one place is needed"),
    ("furnace", ("{coil: 0, value: true}", "{value: true}"), "a register or a coil"),
    (
        "supply",
        ('    do: ["MODE {mode}"]\n', '    do: ["MODE {mode}"]\n    state: mode\n'),
        "a state has to be confirmed",
    ),
    (
        "gate",
        ("    effect: idempotent\n", "    effect: idempotent\n    state: valve\n"),
        "this kind looks after no state",
    ),
    (
        "gate",
        ("    effect: idempotent\n", "    effect: idempotent\n    resets: true\n"),
        "'resets'",
    ),
    ("oven", ("put: /setpoint, json", "json"), "with its path is needed"),
    ("oven", ('id: "{ticket}", ', ""), "hand over its ticket"),
]


@pytest.mark.parametrize(("name", "change", "sentence"), WRONG, ids=[w[2] for w in WRONG])
def test_a_wrong_declaration_is_refused_at_its_line(
    tmp_path: Path, name: str, change: tuple[str, str], sentence: str
) -> None:
    with pytest.raises(FileProblems) as caught:
        read_declaration(written(tmp_path, name, change), plugins.resource_kind(KINDS[name]))
    assert sentence in str(caught.value)
    text = (tmp_path / f"{name}.yaml").read_text().splitlines()
    assert all(0 < p.line <= len(text) for p in caught.value.problems)


def test_make_safe_is_required_or_says_why_there_is_none(tmp_path: Path) -> None:
    kind = plugins.resource_kind("scpi")
    text = (DECLARATIONS / "supply.yaml").read_text().partition("make_safe:")[0]
    file = tmp_path / "supply.yaml"
    file.write_text(text)
    with pytest.raises(FileProblems, match="'make_safe' is missing"):
        read_declaration(file, kind)
    file.write_text(text + "make_safe: {}\n")
    with pytest.raises(FileProblems, match="needs either 'do' or a reason 'none_because'"):
        read_declaration(file, kind)
    file.write_text(text + "make_safe: {do: [OUTP OFF]}\n")
    with pytest.raises(FileProblems, match="needs to 'confirm' what it did"):
        read_declaration(file, kind)
    file.write_text(text + "make_safe: {none_because: it only measures}\n")
    assert json.loads(read_declaration(file, kind))["make_safe"] == {
        "none_because": "it only measures"
    }
