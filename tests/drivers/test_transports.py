"""Ports over real ptys and TCP: sharing, silence, late and doubled answers, unplugging, locks."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import waiting
from driver_fakes import FakeAlicat, bench, cut_short, noise, silent, twice
from wire_fakes import on_pty, on_tcp

from drivers.protocols import alicat
from drivers.protocols.framing import Ask, Dialogue, until
from drivers.transports import Settings, Transport, open_transport
from drivers.transports import transport as registry
from drivers.transports.locks import PortLock
from drivers.transports.wires import Taken
from orchestrator.errors import (
    DeviceAbsent,
    DeviceGarbled,
    DeviceGone,
    DeviceRefused,
    DeviceSilent,
    InputError,
    PortTaken,
)
from orchestrator.ports.traffic import Passage

SETTINGS = Settings(baudrate=19200)
SHORT_S = 0.15


def poll(unit: str = "A") -> Dialogue[alicat.DataFrame]:
    return alicat.ask(unit, alicat.request(unit))


def set_flow(unit: str, flow: float) -> Dialogue[alicat.DataFrame]:
    return alicat.ask(unit, alicat.set_point(unit, flow))


async def setpoint(wire: Transport, unit: str = "A", timeout_s: float = 10.0) -> float:
    return (await wire.exchange(poll(unit), timeout_s=timeout_s)).setpoint


def test_an_exchange_over_a_pty_is_recorded_byte_by_byte(tmp_path: Path) -> None:
    traffic: list[Passage] = []

    async def main() -> None:
        with on_pty(tmp_path, FakeAlicat().answer) as device:
            record = bench(record=traffic.append)
            wire = await open_transport(str(device.link), record, SETTINGS)
            frame = await wire.exchange(set_flow("A", 12.5), timeout_s=1.0)
            assert frame.setpoint == 12.5
            await wire.close()

    asyncio.run(main())
    assert [(p.way, p.said, p.connection) for p in traffic[:2]] == [
        ("mark", "connected", 1), ("sent", "", 1),
    ]  # fmt: skip
    assert traffic[1].data == b"AS12.500\r"
    received = b"".join(p.data for p in traffic if p.way == "came")
    assert received == b"A +014.70 +025.00 +012.500 +012.500 +012.500 Ar\r"


def test_a_twin_on_a_pty_takes_a_driver_of_seven_bits_and_parity_every_time(
    tmp_path: Path,
) -> None:
    """Linux refuses them on a pseudo-terminal whose other settings are right already."""
    settings = Settings(bytesize=7, parity="O")

    async def main(port: str) -> list[float]:
        found = []
        for _ in range(3):
            wire = await open_transport(port, bench(), settings)
            found.append(await setpoint(wire))
            await wire.close()
        return found

    with on_pty(tmp_path, FakeAlicat().answer) as device:
        assert asyncio.run(main(str(device.link))) == [0.0, 0.0, 0.0]


def test_two_units_on_one_line_share_the_port_and_never_each_others_replies(tmp_path: Path) -> None:
    async def main() -> None:
        with on_pty(tmp_path, FakeAlicat().answer) as device:
            one = await open_transport(str(device.link), bench("argon"), SETTINGS)
            two = await open_transport(str(device.link), bench("oxygen"), SETTINGS)
            assert len(registry._ports) == 1
            frames = await asyncio.gather(
                *(
                    w.exchange(poll(u), timeout_s=1.0)
                    for _ in range(50)
                    for w, u in ((one, "A"), (two, "B"))
                )
            )
            assert [f.gas for f in frames] == ["Ar", "O2"] * 50
            await one.close()
            assert await setpoint(two, "B", 1.0) == 0.0
            await two.close()
            assert not registry._ports

    asyncio.run(main())


def test_on_one_line_dialogues_of_two_questions_do_not_mix_and_a_stop_goes_between(
    tmp_path: Path,
) -> None:
    """An order and the question what became of it are one exchange, as with `:SYST:ERR?`."""
    order: list[bytes] = []

    def echo(data: bytes) -> bytes:
        order.append(data)
        return data

    def say(*words: bytes) -> Dialogue[list[bytes]]:
        answers = []
        for word in words:
            answers.append((yield Ask(word, until(word))))
        return answers

    async def main() -> None:
        with on_pty(tmp_path, echo) as device:
            device.delay_s = 0.01
            one = await open_transport(str(device.link), bench("one"), SETTINGS)
            two = await open_transport(str(device.link), bench("two"), SETTINGS)
            third = await open_transport(str(device.link), bench("third"), SETTINGS)
            pairs = [[b"%s%d?" % (w, i), b"%s%d!" % (w, i)] for i in range(4) for w in (b"a", b"b")]
            started = [
                asyncio.ensure_future(wire.exchange(say(*pair), timeout_s=10.0))
                for pair, wire in zip(pairs, [one, two] * 4, strict=True)
            ]
            await started[0]
            await third.exchange(say(b"stop?", b"stop!"), timeout_s=10.0, urgent=True)
            assert not started[-1].done()
            answers = await asyncio.gather(*started, return_exceptions=True)
            for wire in (one, two, third):
                await wire.close()
        ended = [p for p, a in zip(pairs, answers, strict=True) if isinstance(a, DeviceSilent)]
        assert len(ended) <= 1, "a stop ends the exchange under way, and no other one"
        whole = [*(p for p in pairs if p not in ended), [b"stop?", b"stop!"]]
        assert [a for a in answers if not isinstance(a, DeviceSilent)] == whole[:-1]
        # on a line that is not known to be quiet, a stop's first bytes leave at once and again
        n_stops = order.count(b"stop?")
        assert n_stops in (1, 2)
        assert n_stops == 1 or ended, "nothing was broken into, so the line was quiet"
        for question, order_for in whole:
            last = len(order) - 1 - order[::-1].index(question)
            assert order[last + 1] == order_for

    asyncio.run(main())


def test_a_stop_goes_ahead_of_everything_that_is_queued(tmp_path: Path) -> None:
    fake = FakeAlicat()

    async def main() -> None:
        with on_pty(tmp_path, fake.answer) as device:
            device.delay_s = 0.1
            wire = await open_transport(str(device.link), bench("argon"), SETTINGS)
            other = await open_transport(str(device.link), bench("oxygen"), SETTINGS)
            queued = [
                asyncio.ensure_future(other.exchange(poll("B"), timeout_s=10.0)) for _ in range(8)
            ]
            await asyncio.sleep(0.01)
            await wire.exchange(set_flow("A", 0.0), timeout_s=1.0, urgent=True)
            assert sum(q.done() for q in queued) <= 2
            answers = await asyncio.gather(*queued, return_exceptions=True)
            assert sum(isinstance(a, alicat.DataFrame) for a in answers) >= 7
            await wire.close()
            await other.close()

    asyncio.run(main())
    assert fake.received.index(b"AS0.000\r") <= 2


def test_a_stop_does_not_wait_for_a_reply_that_does_not_come(tmp_path: Path) -> None:
    fake = FakeAlicat()

    async def main() -> None:
        with on_pty(tmp_path, fake.answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            waiting = asyncio.ensure_future(wire.exchange(poll("Z"), timeout_s=60.0))
            await asyncio.sleep(0.02)
            async with asyncio.timeout(10.0):
                await wire.exchange(set_flow("A", 0.0), timeout_s=1.0, urgent=True)
                with pytest.raises(DeviceSilent, match="ended by a stop"):
                    await waiting
            await wire.close()

    asyncio.run(main())


def test_a_late_answer_is_not_taken_for_the_answer_to_the_next_question(tmp_path: Path) -> None:
    fake = FakeAlicat()

    async def main() -> None:
        with on_pty(tmp_path, fake.answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            device.delay_s = SHORT_S + 0.1
            with pytest.raises(DeviceSilent):
                await wire.exchange(poll(), timeout_s=SHORT_S)
            device.delay_s = 0.0
            await waiting.until(lambda: device.n_replies > 0)
            assert (await wire.exchange(set_flow("A", 3.0), timeout_s=1.0)).setpoint == 3.0
            assert await setpoint(wire) == 3.0
            await wire.close()

    asyncio.run(main())


def test_an_answer_that_comes_while_the_line_is_being_drained_is_thrown_away(
    tmp_path: Path,
) -> None:
    fake = FakeAlicat()

    async def main() -> None:
        with on_pty(tmp_path, fake.answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            fake.spoils.append(silent)
            with pytest.raises(DeviceSilent):
                await wire.exchange(poll(), timeout_s=SHORT_S)
            writing = asyncio.ensure_future(wire.exchange(set_flow("A", 3.0), timeout_s=10.0))
            await asyncio.sleep(0)
            device.say(b"A +000.00 +000.00 +000.000 +000.000 +000.000 N2\r")
            assert (await writing).setpoint == 3.0
            await wire.close()

    asyncio.run(main())


@pytest.mark.parametrize("late_s", [0.7, 1.2])
def test_one_late_answer_of_a_slow_device_does_not_shift_those_that_follow(
    tmp_path: Path, late_s: float
) -> None:
    waits = iter([0.2, 0.2, late_s])

    async def main() -> None:
        with on_pty(tmp_path, lambda asked: b"") as device:

            def answer(asked: bytes) -> bytes:  # one after the other, as they came
                for line in asked.split():
                    time.sleep(next(waits, 0.2))
                    device.say(line + b" is\r")
                return b""

            device.answer = answer
            wire = await open_transport(str(device.link), bench(), SETTINGS)

            async def asked(what: bytes) -> bytes:
                for _ in range(2):
                    with contextlib.suppress(DeviceSilent, DeviceGarbled):
                        return await wire.exchange(said(what), timeout_s=0.5)
                return b"nothing"

            said_of = [(what, await asked(what)) for what in (b"V", b"I", b"V", b"I", b"V", b"I")]
            await wire.close()
        assert all(reply in (what + b" is\r", b"nothing") for what, reply in said_of)
        assert said_of[-1] == (b"I", b"I is\r")

    asyncio.run(main())


@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize("late_s", [0.13, 0.22, 0.38])
def test_where_every_answer_comes_after_the_time_out_none_is_taken_for_anothers(
    tmp_path: Path, late_s: float, one_by_one: bool
) -> None:
    """Whether the device works its answers out one after the other, or a line delays each."""
    scatter = random.Random(7)

    async def main() -> list[tuple[bytes, bytes]]:
        with (
            on_pty(tmp_path, lambda asked: b"") as device,
            ThreadPoolExecutor(1 if one_by_one else 20) as line,
        ):

            def late(what: bytes) -> None:
                time.sleep(late_s * scatter.uniform(0.95, 1.05))
                device.say(what + b" is\r")

            def answer(asked: bytes) -> bytes:
                for what in asked.split():
                    line.submit(late, what)
                return b""

            device.answer = answer
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            taken = []
            for what in [b"V", b"I"] * 4:
                with contextlib.suppress(DeviceSilent, DeviceGarbled):
                    taken.append((what, await wire.exchange(said(what), timeout_s=0.1)))
            await wire.close()
            line.shutdown()
            return taken

    assert [pair for pair in asyncio.run(main()) if pair[1] != pair[0] + b" is\r"] == []


def said(what: bytes) -> Dialogue[bytes]:
    return (yield Ask(what + b"\r", until(b"\r")))


@pytest.mark.parametrize(
    ("spoil", "error"),
    [(silent, DeviceSilent), (cut_short, DeviceGarbled), (noise, DeviceGarbled)],
)
def test_a_spoilt_answer_is_an_error_and_the_next_exchange_is_right(
    tmp_path: Path, spoil: object, error: type[Exception]
) -> None:
    fake = FakeAlicat()

    async def main() -> None:
        with on_pty(tmp_path, fake.answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            await wire.exchange(set_flow("A", 5.0), timeout_s=1.0)
            fake.spoils.append(spoil)  # type: ignore[arg-type]
            with pytest.raises(error):
                await setpoint(wire, timeout_s=SHORT_S)
            assert await setpoint(wire) == 5.0
            await wire.close()

    asyncio.run(main())


def careless(unit: str = "A") -> Dialogue[float]:
    """A stranger's dialogue, which takes for granted that the sixth field is there, a number."""
    reply = yield Ask(unit.encode() + b"\r", until(b"\r"))
    return float(reply.split()[5])


@pytest.mark.parametrize("spoil", [lambda reply: b"A 1\r", lambda reply: reply.replace(b"0", b"x")])
def test_a_driver_that_trips_over_a_reply_has_got_a_garbled_one(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    fake = FakeAlicat()

    async def main() -> None:
        with on_pty(tmp_path, fake.answer) as device:
            far = await open_transport(str(device.link), bench(), SETTINGS)
            near = await open_transport("memory:a", bench(a=fake), SETTINGS)
            for wire in (far, near):
                fake.spoils.append(spoil)
                with pytest.raises(DeviceGarbled, match="the driver cannot read the reply"):
                    await wire.exchange(careless(), timeout_s=1.0)
                assert await wire.exchange(careless(), timeout_s=1.0) == 0.0
                await wire.close()

    asyncio.run(main())


def test_a_mistake_of_a_driver_before_any_reply_is_its_own() -> None:
    def wrong() -> Dialogue[None]:
        yield Ask(b"A\r")
        raise ValueError("a mistake")

    async def main() -> None:
        wire = await open_transport("memory:a", bench(a=FakeAlicat()), SETTINGS)
        with pytest.raises(ValueError, match="a mistake"):
            await wire.exchange(wrong(), timeout_s=1.0)
        await wire.close()

    asyncio.run(main())


def test_a_dialogue_that_asks_nothing_is_over_at_once(tmp_path: Path) -> None:
    def nothing(words: Sequence[bytes] = ()) -> Dialogue[str]:
        for word in words:
            yield Ask(word)
        return "nothing to ask"

    async def main() -> None:
        with on_pty(tmp_path, FakeAlicat().answer) as device:
            far = await open_transport(str(device.link), bench(), SETTINGS)
            near = await open_transport("memory:a", bench(a=FakeAlicat()), SETTINGS)
            for wire in (far, near):
                async with asyncio.timeout(5.0):
                    assert await wire.exchange(nothing(), timeout_s=1.0) == "nothing to ask"
                await wire.close()

    asyncio.run(main())


def test_an_answer_given_twice_does_not_shift_the_ones_that_follow(tmp_path: Path) -> None:
    fake = FakeAlicat()

    async def main() -> None:
        with on_pty(tmp_path, fake.answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            fake.spoils.append(twice)
            assert await setpoint(wire) == 0.0
            for flow in (1.0, 2.0, 3.0):
                assert (await wire.exchange(set_flow("A", flow), timeout_s=1.0)).setpoint == flow
            await wire.close()

    asyncio.run(main())


def test_a_second_end_of_the_line_is_no_second_answer(tmp_path: Path) -> None:
    fake = FakeAlicat()

    async def main() -> None:
        with on_pty(tmp_path, fake.answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            for flow in (1.0, 2.0, 3.0):
                fake.spoils.append(lambda reply: reply + b"\n")
                assert (await wire.exchange(set_flow("A", flow), timeout_s=1.0)).setpoint == flow
            await wire.close()

    asyncio.run(main())


def test_what_a_device_says_unasked_is_not_an_answer(tmp_path: Path) -> None:
    async def main() -> None:
        with on_pty(tmp_path, FakeAlicat().answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            device.say(b"B +000.00 +000.00 +000.000 +000.000 +099.000 N2\r")
            await asyncio.sleep(0.05)
            assert await setpoint(wire) == 0.0
            await wire.close()

    asyncio.run(main())


def test_a_refusal_is_no_fault_of_the_line(tmp_path: Path) -> None:
    async def main() -> None:
        with on_pty(tmp_path, FakeAlicat().answer) as device:
            wire = await open_transport(str(device.link), bench("argon"), SETTINGS)
            with pytest.raises(DeviceRefused) as refused:
                await wire.exchange(alicat.ask("A", alicat.request("A", "XYZ")), timeout_s=1.0)
            assert refused.value.resource == "argon"
            await wire.close()

    asyncio.run(main())


def test_a_cancelled_exchange_leaves_no_half_reply_behind(tmp_path: Path) -> None:
    async def main() -> None:
        with on_pty(tmp_path, FakeAlicat().answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            device.delay_s = 0.05
            task = asyncio.ensure_future(wire.exchange(poll(), timeout_s=1.0))
            await asyncio.sleep(0.02)
            task.cancel()
            device.delay_s = 0.0
            assert (await wire.exchange(set_flow("A", 7.0), timeout_s=1.0)).setpoint == 7.0
            await wire.close()

    asyncio.run(main())


def test_unplugging_mid_exchange_is_gone_and_the_next_connection_is_a_new_one(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        with on_pty(tmp_path, FakeAlicat().answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            assert wire.connection == 1
            device.unplug_on_next = True
            with pytest.raises(DeviceGone):
                await wire.exchange(poll(), timeout_s=1.0)
            assert not wire.is_current
            with pytest.raises(DeviceGone):
                await wire.exchange(poll(), timeout_s=1.0)
            device.plug_in()
            assert await wire.connect() == 2
            assert await setpoint(wire) == 0.0
            await wire.close()

    asyncio.run(main())


def test_a_port_that_comes_back_late_is_waited_for(tmp_path: Path) -> None:
    async def main() -> None:
        with on_pty(tmp_path, FakeAlicat().answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            device.unplug()
            with pytest.raises(DeviceGone):
                await wire.exchange(poll(), timeout_s=0.5)
            asyncio.get_running_loop().call_later(0.2, device.plug_in)
            assert await wire.connect() == 2
            await wire.close()

    asyncio.run(main())


def test_a_device_that_came_back_under_another_name_is_still_shared(tmp_path: Path) -> None:
    async def main() -> None:
        with on_pty(tmp_path, FakeAlicat().answer) as device:
            one = await open_transport(str(device.link), bench("argon"), SETTINGS)
            two = await open_transport(str(device.link), bench("oxygen"), SETTINGS)
            device.unplug()
            with pytest.raises(DeviceGone):
                await one.exchange(poll(), timeout_s=0.5)
            # somebody else has its old name by now
            (tmp_path / "other").mkdir()
            with on_pty(tmp_path / "other", FakeAlicat().answer) as other:
                third = await open_transport(str(other.link), bench("argon"), Settings())
                assert await setpoint(third) == 0.0
                await third.close()
                device.plug_in()
                assert await one.connect() == 2
                await two.close()
                again = await open_transport(str(device.link), bench("oxygen"), SETTINGS)
                assert len(registry._ports) == 1
                await again.close()
                await one.close()

    asyncio.run(main())


def test_a_folder_and_a_file_are_no_ports(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    for path, said in ((tmp_path, "a folder"), (tmp_path / "notes.txt", "a file")):
        with pytest.raises(DeviceAbsent, match=f"cannot be opened: it is {said}, not a serial"):
            asyncio.run(open_transport(str(path), bench(), SETTINGS))


def test_a_port_that_is_not_there_is_absent_at_once(tmp_path: Path) -> None:
    with pytest.raises(DeviceAbsent, match="cannot be opened"):
        asyncio.run(open_transport(str(tmp_path / "none"), bench(), SETTINGS))
    with pytest.raises(DeviceAbsent, match="in-memory"):
        asyncio.run(open_transport("memory:none", bench(), SETTINGS))
    assert not registry._ports


@pytest.mark.parametrize("port", ["carrier-pigeon://loft", "socket://host", "socket://:x"])
def test_what_is_no_port_is_an_input_error(port: str) -> None:
    with pytest.raises(InputError):
        asyncio.run(open_transport(port, bench(), SETTINGS))
    assert not registry._ports


def test_those_who_share_a_port_must_agree_on_its_settings(tmp_path: Path) -> None:
    async def main() -> None:
        with on_pty(tmp_path, FakeAlicat().answer) as device:
            wire = await open_transport(str(device.link), bench(), SETTINGS)
            with pytest.raises(InputError) as refused:
                await open_transport(str(device.link), bench(), Settings(9600, 7, "E", 2, 0.004))
            said = (
                "is already open at 19200 baud 8N1, and this driver wants 9600 baud 7E2 with 4 ms"
            )
            assert said in str(refused.value)
            assert "Settings(" not in str(refused.value)
            assert await setpoint(wire) == 0.0
            await wire.close()

    asyncio.run(main())


HOLD = """
import sys
from drivers.transports.locks import PortLock
lock = PortLock(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_port_held_by_another_process_is_refused_naming_it_until_that_is_killed(
    tmp_path: Path,
) -> None:
    with on_pty(tmp_path, FakeAlicat().answer) as device:
        port = str(device.link)
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            with pytest.raises(PortTaken, match=f"process {holder.pid} holds"):
                asyncio.run(open_transport(port, bench(), SETTINGS))
            holder.send_signal(signal.SIGKILL)
            holder.wait()

        async def main() -> None:
            await (await open_transport(port, bench(), SETTINGS)).close()

        asyncio.run(main())


def test_a_lock_is_of_the_device_and_not_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "real").touch()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    lock = PortLock(str(tmp_path / "alias"))
    with pytest.raises(Taken):
        PortLock(str(tmp_path / "real"))
    lock.release()
    PortLock(str(tmp_path / "real")).release()


@pytest.mark.parametrize(
    ("port", "again"),
    [("socket://Rack.Lab:4001", "SOCKET://rack.lab:4001/"), ("com3", "COM3")],
)
def test_a_lock_is_of_the_port_however_it_is_spelled(port: str, again: str) -> None:
    lock = PortLock(port)
    with pytest.raises(Taken):
        PortLock(again)
    lock.release()
    PortLock(again).release()


def test_a_lock_that_was_taken_and_given_back_many_times_was_never_held_twice(
    tmp_path: Path,
) -> None:
    port = str(tmp_path / "port")
    holders, most = 0, 0
    guard = threading.Lock()

    def contend() -> None:
        nonlocal holders, most
        for _ in range(200):
            try:
                lock = PortLock(port)
            except Taken:
                continue
            with guard:
                holders += 1
                most = max(most, holders)
            with guard:
                holders -= 1
            lock.release()

    threads = [threading.Thread(target=contend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_tcp_port_answers_like_a_serial_one_and_says_when_the_peer_hangs_up() -> None:
    fake = FakeAlicat()

    def answer(data: bytes) -> bytes:
        if fake.is_gone:
            raise ConnectionError
        return fake.answer(data)

    async def main() -> None:
        with on_tcp(answer) as url:
            wire = await open_transport(url, bench(), SETTINGS)
            assert (await wire.exchange(set_flow("A", 4.0), timeout_s=1.0)).setpoint == 4.0
            fake.is_gone = True
            with pytest.raises(DeviceGone):
                await setpoint(wire)
            fake.is_gone = False
            assert await wire.connect() == 2
            assert await setpoint(wire) == 4.0
            await wire.close()
        with pytest.raises(DeviceAbsent):
            await open_transport(url, bench(), SETTINGS)

    asyncio.run(main())


def test_in_memory_the_urgent_go_first_and_dialogues_do_not_mix() -> None:
    order: list[bytes] = []

    class Slow:
        async def receive(self, data: bytes) -> bytes:
            await asyncio.sleep(0)
            order.append(data)
            return data

    def say(*words: bytes) -> Dialogue[None]:
        for word in words:
            yield Ask(word, until(word))

    async def main() -> None:
        slow = bench(slow=Slow())
        wire = await open_transport("memory:slow", slow, SETTINGS)
        other = await open_transport("memory:slow", slow, SETTINGS)
        await asyncio.gather(
            other.exchange(say(b"a1", b"a2"), timeout_s=1.0),
            other.exchange(say(b"b1", b"b2"), timeout_s=1.0),
            wire.exchange(say(b"stop"), timeout_s=1.0, urgent=True),
        )
        await wire.close()
        await other.close()

    asyncio.run(main())
    assert order == [b"a1", b"a2", b"stop", b"b1", b"b2"]


def test_in_memory_a_cut_wire_is_gone_and_a_hanging_one_is_silent() -> None:
    fake = FakeAlicat()

    class Hanging:
        async def receive(self, data: bytes) -> bytes:
            await asyncio.Event().wait()
            return b""

    async def main() -> None:
        wire = await open_transport("memory:gas", bench(gas=fake), SETTINGS)
        fake.is_gone = True
        with pytest.raises(DeviceGone):
            await setpoint(wire)
        fake.is_gone = False
        assert await wire.connect() == 2
        assert await setpoint(wire) == 0.0
        await wire.close()
        hanging = await open_transport("memory:h", bench(h=Hanging()), SETTINGS)
        with pytest.raises(DeviceSilent):
            await setpoint(hanging, timeout_s=0.05)
        await hanging.close()

    asyncio.run(main())


def test_a_cancelled_waiter_in_memory_gives_its_turn_to_the_next() -> None:
    gate = asyncio.Event()

    class Gated:
        async def receive(self, data: bytes) -> bytes:
            await gate.wait()
            return FakeAlicat().answer(data)

    async def main() -> None:
        wire = await open_transport("memory:g", bench(g=Gated()), SETTINGS)
        first, second, third = (
            asyncio.ensure_future(wire.exchange(poll(), timeout_s=1.0)) for _ in range(3)
        )
        await asyncio.sleep(0)
        second.cancel()
        gate.set()
        assert (await first).gas == (await third).gas == "Ar"
        await wire.close()

    asyncio.run(main())
