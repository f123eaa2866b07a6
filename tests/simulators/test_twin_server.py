"""The twin server: real ptys and sockets in a process of its own, and faults to order."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from simulators.twins.control import Control, Served
from simulators.twins.faults import Fault, FaultyWire, How
from simulators.twins.outlets import SerialOutlet
from simulators.twins.sputter_lab import SputterLab
from simulators.twins.wire import FramedWire, lines


class _Echo:
    """A wire that answers with what it got, and remembers."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    async def receive(self, data: bytes) -> bytes:
        self.got.append(data)
        return b"<" + data + b">"


@pytest.mark.parametrize(
    ("how", "reply", "n_obeyed"),
    [
        ("drop", b"", 1),
        ("garble", b"<hmllo>", 1),
        ("twice", b"<hello><hello>", 1),
        ("delay", b"<hello>", 1),
        ("hang", b"", 0),
    ],
)
def test_a_fault_spoils_one_exchange_after_those_that_were_to_pass(
    how: How, reply: bytes, n_obeyed: int
) -> None:
    async def play() -> list[bytes]:
        wire.faults.fail(Fault(how, after=1))
        replies = [await wire.receive(b"hello") for _ in range(2)]
        wire.faults.heal()
        return [*replies, await wire.receive(b"hello")]

    echo = _Echo()
    wire = FaultyWire(echo)
    first, spoilt, last = asyncio.run(play())
    assert (first, last) == (b"<hello>", b"<hello>")
    assert len(echo.got) == 2 + n_obeyed
    if how == "garble":
        assert len(spoilt) == 7
        assert spoilt != b"<hello>"
    else:
        assert spoilt == reply


def test_an_unplugged_wire_is_gone_for_its_time() -> None:
    now = [0.0]

    async def play() -> bytes:
        wire.faults.fail(Fault("unplug", seconds=5.0))
        with pytest.raises(ConnectionError):
            await wire.receive(b"a")
        now[0] = 4.0
        with pytest.raises(ConnectionError):
            await wire.receive(b"a")
        now[0] = 6.0
        return await wire.receive(b"a")

    wire = FaultyWire(_Echo(), lambda: now[0])
    assert asyncio.run(play()) == b"<a>"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, seed=7, speed=1200.0) as server:
        yield server


def _until(holds: Callable[[], bool]) -> None:
    """Waits at most a minute."""
    end = time.monotonic() + 60.0
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def _open(served: Served, wire: str, timeout: float = 30.0) -> serial.Serial:
    return serial.Serial(served.ports[wire], 19200, timeout=timeout, write_timeout=30)


def _ask(port: serial.Serial, data: bytes) -> bytes:
    port.write(data)
    return bytes(port.read(1))


def _socket(served: Served, wire: str) -> socket.socket:
    host, _, port = served.ports[wire].removeprefix("socket://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def test_ports_and_world_are_written_when_all_answer(served: Served, tmp_path: Path) -> None:
    facts = json.loads((tmp_path / "ports.json").read_text())
    assert facts == served.facts
    assert (facts["world"], facts["seed"], facts["speed"]) == ("sputter-lab", 7, 1200.0)
    assert facts["ports"]["gas"] == str(tmp_path / "tty-gas")
    assert os.getsid(facts["pid"]) == facts["pid"] != os.getsid(0)


def test_clients_come_and_go_on_a_pty_and_find_it_clean(served: Served) -> None:
    with _open(served, "gas") as port:
        port.write(b"AS5.000\rA\rhalf a li")
    time.sleep(1.1)
    with _open(served, "gas") as port:
        port.write(b"A\r")
        assert port.read_until(b"\r").startswith(b"A +014.70")
        port.timeout = 0.05
        assert port.read(100) == b""


def test_a_seven_bit_even_parity_client_is_served_as_eight_bits(served: Served) -> None:
    with serial.Serial(served.ports["meter"], 9600, 7, "E", timeout=30, write_timeout=30) as port:
        port.write(b"*IDN?\n")
        assert port.read_until(b"\n").startswith(b"KEITHLEY")


def test_the_arm_greets_every_connection(served: Served) -> None:
    for _ in range(2):
        with _socket(served, "arm") as arm, arm.makefile("rb") as lines:
            assert lines.readline() == b"Connected: Universal Robots Dashboard Server\n"
            arm.sendall(b"robotmode\n")
            assert lines.readline() == b"Robotmode: RUNNING\n"


def test_a_port_whose_twin_stumbles_says_so_and_answers_the_next_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def reply(frame: bytes) -> bytes:
        return f"{int(frame)}\n".encode("ascii")

    async def play() -> bytes:
        outlet = SerialOutlet(FramedWire(lines(b"\n"), reply), tmp_path / "tty", lambda: None)
        await outlet.open()
        with serial.Serial(outlet.address, timeout=30) as port:
            port.write(b"not a number\n")
            while not caplog.records:
                await asyncio.sleep(0.01)
            port.write(b"7\n")
            answer: bytes = await asyncio.to_thread(port.readline)
        await outlet.close()
        return answer

    assert asyncio.run(play()) == b"7\n"
    assert "not a number" in caplog.text


def test_what_a_client_sent_before_it_hung_up_is_obeyed(served: Served) -> None:
    with _socket(served, "arm") as arm, arm.makefile("rb") as lines:
        lines.readline()
        arm.sendall(b"load blanks_to_store.urp\nload blanks_to_probe.urp\n" + b"running\n" * 20)
    with _socket(served, "arm") as arm, arm.makefile("rb") as lines:
        lines.readline()

        def loaded() -> bool:
            arm.sendall(b"get loaded program\n")
            return lines.readline() == b"Loaded program: /programs/blanks_to_probe.urp\n"

        _until(loaded)
        arm.sendall(b"QUIT\n")
        assert lines.readline() == b"Disconnected\n"
        assert lines.readline() == b""


def test_a_client_that_sends_no_more_gets_its_answers(served: Served) -> None:
    with _socket(served, "arm") as arm, arm.makefile("rb") as lines:
        arm.sendall(b"robotmode\n" * 3)
        arm.shutdown(socket.SHUT_WR)
        assert lines.read().count(b"Robotmode: RUNNING\n") == 3


def test_the_gauge_streams_until_spoken_to(served: Served) -> None:
    with _open(served, "gauge") as port:
        assert port.readline().startswith(b"0,+1.01")
        port.write(b"\x03PR1\r")
        assert port.read_until(b"\x06\r\n").endswith(b"\x06\r\n")


def test_things_happen_without_anybody_asking(served: Served, tmp_path: Path) -> None:
    victim = subprocess.Popen(["sleep", "60"])
    served.control.kill(victim.pid, 2, "after")
    with _socket(served, "arm") as arm, arm.makefile("rb") as lines:
        arm.sendall(b"load blanks_to_chamber.urp\nplay\n")
        assert [lines.readline() for _ in range(3)][-1] == b"Starting program\n"
    assert victim.wait(60) == -9
    state = served.control.state()
    assert state["killed"] == [{"pid": victim.pid, "effect": 2, "when": "after", "ended": True}]
    assert state["samples"][0]["position"] == "chamber"


def test_a_process_can_be_ended_just_before_an_effect_which_happens_all_the_same(
    served: Served,
) -> None:
    victim = subprocess.Popen(["sleep", "60"])
    served.control.kill(victim.pid, 1, "before")
    with _open(served, "modbus") as port:
        port.write(bytes.fromhex("02050000ff008c09"))
        assert port.read(8) == bytes.fromhex("02050000ff008c09")
    assert victim.wait(60) == -9
    assert served.control.counts()["pumped"] == 1


def test_orders_that_make_no_sense_are_refused(served: Served) -> None:
    for do, facts in (
        ("dance", {}),
        ("fail", {"wire": "gas", "how": "sing"}),
        ("fail", {"wire": "nowhere", "how": "drop"}),
        ("kill", {"pid": 1, "effect": 1}),
        ("speed", {"speed": 0}),
        ("hand", {"sample": 5, "to": "tray"}),
    ):
        with pytest.raises(ValueError, match="Error"):
            served.control.ask(do, **facts)


def test_the_speed_can_be_changed_and_time_goes_on(served: Served) -> None:
    before = served.control.state()["time"]
    served.control.speed(1e-6)
    first, second = served.control.state()["time"], served.control.state()["time"]
    assert before <= first <= second < first + 1e-3


def test_a_pty_that_is_unplugged_comes_back_under_its_name(served: Served) -> None:
    with _open(served, "gas", timeout=1.0) as port:
        served.control.fail("gas", "unplug")
        with pytest.raises(serial.SerialException):
            _ask(port, b"A\r")
    assert not Path(served.ports["gas"]).exists()
    served.control.heal()
    with _open(served, "gas") as port:
        port.write(b"A\r")
        assert port.read_until(b"\r").startswith(b"A ")
    served.control.fail("gas", "unplug", seconds=0.1)
    _until(Path(served.ports["gas"]).exists)


def test_a_tcp_port_that_is_unplugged_listens_again_when_healed(served: Served) -> None:
    with _socket(served, "arm") as arm, arm.makefile("rb") as lines:
        lines.readline()
        served.control.fail("arm", "unplug")
        assert lines.readline() == b""
    with pytest.raises(ConnectionRefusedError):
        _socket(served, "arm")
    with socket.socket() as another, pytest.raises(OSError, match="in use"):
        another.bind(("127.0.0.1", int(served.ports["arm"].rpartition(":")[2])))
    served.control.heal()
    with _socket(served, "arm") as arm, arm.makefile("rb") as lines:
        assert lines.readline().startswith(b"Connected:")


def test_a_dropped_reply_was_obeyed(served: Served) -> None:
    with _open(served, "gas", timeout=1.0) as port:
        served.control.fail("gas", "drop")
        port.write(b"AS7.000\r")
        assert port.read_until(b"\r") == b""
        port.write(b"A\r")
        assert b"+007.000" in port.read_until(b"\r")


def test_a_second_server_in_the_same_directory_is_refused(served: Served, tmp_path: Path) -> None:
    command = SputterLab.serve_command(str(tmp_path), 7, 1200.0, "sputter-lab")
    assert command[0] == sys.executable
    second = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert second.returncode == 1
    assert "served by another process" in second.stderr
    assert served.control.counts()["effects"] == 0


def test_a_world_that_is_not_installed_is_refused(tmp_path: Path) -> None:
    command = SputterLab.serve_command(str(tmp_path), 7, 1200.0, "atlantis")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, "no world 'atlantis'" in done.stderr) == (2, True)


def test_the_server_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    command = SputterLab.serve_command(str(tmp_path), 7, 1200.0, "sputter-lab")
    starter = f"import subprocess; subprocess.Popen({command!r})"
    subprocess.run([sys.executable, "-c", starter], check=True, timeout=120)
    _until((tmp_path / "ports.json").exists)
    facts = json.loads((tmp_path / "ports.json").read_text())
    with Control(facts["control"]) as control:
        assert control.counts()["effects"] == 0
        control.shutdown()
    _until(lambda: not Path(f"/proc/{facts['pid']}").exists())
    assert not (tmp_path / "ports.json").exists()
    assert (tmp_path / "server.log").read_text() == ""


def test_an_idle_server_ends_by_itself(tmp_path: Path) -> None:
    command = SputterLab.serve_command(str(tmp_path), 7, 1200.0, "sputter-lab")
    subprocess.run([*command, "--idle", "0.5"], check=True, timeout=120)
    assert not (tmp_path / "ports.json").exists()
