"""Declared instruments against other people's idea of the protocol: PyVISA, pymodbus, aiohttp."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge_fakes import DECLARATIONS, FakeDeclaredSupply, declared
from driver_fakes import bench
from peer_process import peer
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from wire_fakes import on_tcp

from drivers.transports import Settings
from drivers.transports.visa import VisaChannel
from orchestrator import plugins
from orchestrator.errors import (
    DeviceAbsent,
    DeviceRefused,
    DeviceUnsure,
    Exit,
    HaganeError,
    InputError,
)
from orchestrator.files.declared import read_declaration
from orchestrator.ports.resource import ResourceKind

pyvisa = pytest.importorskip("pyvisa", reason="PyVISA is not installed (hagane[visa], test)")
TICKET = "0123456789abcdef"


def play(
    kind: ResourceKind, port: str, deed: Callable[[Any], Awaitable[None]], **options: Any
) -> None:
    async def main() -> None:
        made = kind.cls(bench(kind.name), port, **options)
        await made.open()
        try:
            await deed(made)
        finally:
            await made.close()

    asyncio.run(main())


def changed(kind: str, file: str, folder: Path, *changes: tuple[str, str]) -> ResourceKind:
    text = (DECLARATIONS / file).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / file).write_text(text)
    return plugins.resource_kind(kind, read_declaration(folder / file, plugins.resource_kind(kind)))


SIM = """\
spec: "1.1"
devices:
  supply:
    eom:
      GPIB INSTR: {q: "\\n", r: "\\n"}
      ASRL INSTR: {q: "\\n", r: "\\n"}
    error: ERROR
    dialogues:
      - {q: "*IDN?", r: "Acme,PS-3,0017,1.2"}
      - {q: ":SYST:ERR?", r: '0,"No error"'}
      - {q: "STAT:QUES?", r: "0"}
      - {q: "MEAS?", r: "12.5,0.25,1"}
      - {q: "MEAS:VOLT?", r: "12.500"}
      - {q: "TEMP?", r: "T=31.5 C"}
    properties:
      voltage:
        default: 0.0
        getter: {q: "VOLT?", r: "{:.3f}"}
        setter: {q: "VOLT {:.3f}"}
        specs: {min: 0, max: 30, type: float}
      output:
        default: "0"
        getter: {q: "OUTP?", r: "{}"}
        setter: {q: "OUTP {}"}
resources:
  GPIB0::22::INSTR: {device: supply}
  ASRL7::INSTR: {device: supply}
"""


@pytest.mark.parametrize("resource", ["GPIB0::22::INSTR", "ASRL7::INSTR"])
def test_a_declared_supply_works_through_visa_with_a_simulated_instrument(
    tmp_path: Path, resource: str
) -> None:
    pytest.importorskip("pyvisa_sim", reason="pyvisa-sim is not installed (hagane[visa], test)")
    (tmp_path / "sim.yaml").write_text(SIM)
    kind = changed(
        "scpi",
        "supply.yaml",
        tmp_path,
        ('"OUTP ON"', '"OUTP 1"'),
        ('"OUTP OFF"', '"OUTP 0"'),
    )

    async def deed(supply: Any) -> None:
        identity = await supply.identify()
        assert (identity.maker, identity.model, identity.serial) == ("Acme", "PS-3", "0017")
        await supply.set_voltage(7.25)
        assert await supply.voltage() == 12.5
        assert await supply.current() == 250.0
        await supply.off()
        await supply.make_safe()
        assert (await supply.health()).is_fit

    play(kind, f"visa:{resource}@{tmp_path}/sim.yaml@sim", deed)


def test_visa_and_our_own_socket_find_the_same_instrument() -> None:
    pytest.importorskip("pyvisa_py", reason="pyvisa-py is not installed (hagane[visa])")
    kind = declared("scpi", "supply.yaml")

    async def deed(supply: Any) -> None:
        await supply.set_voltage(12.5)
        assert await supply.output() == {"voltage": 12.5, "current": 0.5}
        await supply.make_safe()

    for form in ("socket://127.0.0.1:{}", "visa:TCPIP0::127.0.0.1::{}::SOCKET@py"):
        fake = FakeDeclaredSupply()
        with on_tcp(fake.answer) as url:
            play(kind, form.format(url.rpartition(":")[2]), deed)
        assert (fake.volt, fake.is_on) == ("12.500", "0")


class Talkative:
    """A session that tells by its status byte when a message is there, and bears no early read."""

    def __init__(self) -> None:
        self.fake = FakeDeclaredSupply()
        self.interface_type = pyvisa.constants.InterfaceType.usb
        self.timeout = 0.0
        self.messages: list[bytes] = []
        self.n_looks = 0

    def write_raw(self, data: bytes) -> None:
        reply = self.fake.answer(data)
        self.messages += [reply] if reply else []
        self.n_looks = 0

    def read_stb(self) -> int:
        self.n_looks += 1
        return 16 if self.messages and self.n_looks > 2 else 0

    def read_raw(self) -> bytes:
        assert self.messages, "it is read before it has said that a message is there"
        return self.messages.pop(0)

    def close(self) -> None:
        pass


def test_a_bus_of_messages_is_not_read_before_a_message_is_there() -> None:
    session = Talkative()
    channel = VisaChannel("visa:USB0::1::2::3::INSTR", Settings(), lambda port: session)
    assert channel.read() == b""
    channel.write(b"VOLT 3.000\n")
    assert channel.read() == b""
    channel.write(b"VOLT?\n")
    assert channel.read() == b"3.000\n"
    channel.write(b"VOLT?\n")
    channel.discard()
    channel.discard()
    channel.discard()
    assert channel.read() == b""


def test_a_resource_that_visa_does_not_have_is_absent() -> None:
    kind = declared("scpi", "supply.yaml")

    async def deed(supply: Any) -> None:
        raise AssertionError("it was opened")

    with pytest.raises(DeviceAbsent, match="cannot be opened"):
        play(kind, "visa:ASRL/dev/tty-none::INSTR@py", deed)


def test_what_visa_wants_to_be_installed_is_said_in_one_line() -> None:
    def wanting(port: str) -> Any:
        raise ValueError("Please install linux-gpib.\nNo module named 'gpib'")

    with pytest.raises(HaganeError) as refused:
        VisaChannel("visa:GPIB0::22::INSTR", Settings(), wanting)
    said = "VISA cannot use 'visa:GPIB0::22::INSTR': Please install linux-gpib."
    assert str(refused.value) == said
    assert refused.value.exit_code is Exit.ENVIRONMENT


def test_a_visa_library_that_is_not_installed_is_a_fault_of_the_environment() -> None:
    with pytest.raises(HaganeError, match="No package named pyvisa_nonesuch") as refused:
        VisaChannel("visa:GPIB0::22::INSTR@nonesuch", Settings())
    assert refused.value.exit_code is Exit.ENVIRONMENT


def test_a_name_that_visa_cannot_read_is_a_mistake_in_the_lab_file() -> None:
    def strict(port: str) -> Any:
        raise pyvisa.rname.InvalidResourceName.bad_syntax("GPIB[board]::primary", port)

    with pytest.raises(InputError, match="Could not parse 'visa:GPIB0::x'"):
        VisaChannel("visa:GPIB0::x", Settings(), strict)


def simulated_furnace() -> SimDevice:
    words = [0] * 100
    words[90:93] = [4711, 1, 2]
    hours = struct.unpack(">2H", struct.pack(">f", 123.5))
    inputs = [0xFFF6, hours[1], hours[0], 0]
    return SimDevice(
        id=1,
        simdata=(
            [SimData(0, values=[False] * 8, datatype=DataType.BITS)],
            [SimData(0, values=[True] * 8, datatype=DataType.BITS)],
            [SimData(0, values=words, datatype=DataType.REGISTERS)],
            [SimData(0, values=inputs, datatype=DataType.REGISTERS)],
        ),
    )


@pytest.mark.parametrize("framing", ["rtu", "tcp"])
def test_a_declared_furnace_works_with_pymodbus(framing: str) -> None:
    async def deed(furnace: Any) -> None:
        assert (await furnace.identify()).serial == "65538"
        assert await furnace.temperature() == -1.0
        assert await furnace.hours() == 123.5
        assert await furnace.door() == 1
        await furnace.set_temperature(350.17)
        await furnace.set_ramp(2.5)
        assert (await furnace.health()).is_fit
        await furnace.make_safe()

    async def main() -> None:
        framer = FramerType.RTU if framing == "rtu" else FramerType.SOCKET
        server = ModbusTcpServer([simulated_furnace()], framer=framer, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        assert server.transport is not None
        url = f"socket://127.0.0.1:{server.transport.sockets[0].getsockname()[1]}"
        made = declared("modbus", "furnace.yaml").cls(bench("furnace"), url, framing=framing)
        try:
            await made.open()
            await deed(made)
            await made.close()
        finally:
            await server.shutdown()

    asyncio.run(main())


@pytest.fixture
def oven_server() -> Iterator[str]:
    pytest.importorskip("aiohttp", reason="aiohttp is not installed (test)")
    with peer("oven_server.py") as said:
        yield f"http://127.0.0.1:{said['port']}"


def test_a_declared_oven_works_with_a_server_of_aiohttp(oven_server: str) -> None:
    async def deed(oven: Any) -> None:
        assert (await oven.identify()).serial == "0042"
        assert (await oven.health()).is_fit
        await oven.set_temperature(120.0)
        assert (await oven.ask(TICKET)).outcome == "not_done"
        given = {"duration": 60.0, "programme": "cure", "ticket": TICKET}
        assert await oven.bake(**given) == {"peak": 180.5}
        assert (await oven.ask(TICKET)).outcome == "done"
        with pytest.raises(DeviceRefused, match="409 Conflict"):
            await oven.bake(**given)
        await oven.make_safe()

    play(declared("http", "oven.yaml"), oven_server, deed)


@pytest.mark.parametrize("path", ["slow", "drop"])
def test_a_post_without_an_answer_reaches_the_server_once(
    oven_server: str, tmp_path: Path, path: str
) -> None:
    kind = changed(
        "http",
        "oven.yaml",
        tmp_path,
        ("post: /stamp", f"post: /{path}"),
        (
            "value: temperature}, unit: degC",
            "value: temperature}, unit: degC}\n"
            f"  count: {{says: How often., read: {{get: /count, value: {path}}}, kind: integer",
        ),
    )

    async def deed(oven: Any) -> None:
        with pytest.raises(DeviceUnsure, match="stamp was sent"):
            await oven.stamp()
        assert await oven.count() == 1

    play(kind, oven_server, deed, timeout=0.3)


def test_a_redirect_is_not_followed_and_a_server_that_is_away_was_sent_nothing(
    oven_server: str, tmp_path: Path
) -> None:
    kind = changed(
        "http", "oven.yaml", tmp_path, ("get: /state, value: temp", "get: /away, value: temp")
    )

    async def deed(oven: Any) -> None:
        with pytest.raises(DeviceRefused, match="302 Found"):
            await oven.temperature()

    play(kind, oven_server, deed)
    with pytest.raises(DeviceAbsent, match="cannot be reached"):
        play(kind, "http://127.0.0.1:9", deed)
