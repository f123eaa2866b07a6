"""Our Modbus drivers against pymodbus' simulated device: other people's idea of the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from driver_fakes import bench
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.deposition.modbus_valves import ModbusValves
from drivers.instrument import Link
from drivers.protocols import modbus
from drivers.protocols.framing import Dialogue
from drivers.thermal.modbus_heater import ModbusHeater
from drivers.transports import Settings
from orchestrator.capabilities.deposition import ValveStates
from orchestrator.errors import DeviceRefused
from orchestrator.ports.resource import Identity


def device(unit: int) -> SimDevice:
    registers = [SimData(0, values=[0xFFF6, 0, 0, 0], datatype=DataType.REGISTERS)]
    coils = [SimData(0, values=[False] * 8, datatype=DataType.BITS)]
    return SimDevice(id=unit, simdata=(coils, coils, registers, registers))


def with_server(framer: FramerType, play: Callable[[str], Awaitable[None]]) -> None:
    async def main() -> None:
        server = ModbusTcpServer([device(1), device(2)], framer=framer, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        assert server.transport is not None
        port = server.transport.sockets[0].getsockname()[1]
        try:
            await play(f"socket://127.0.0.1:{port}")
        finally:
            await server.shutdown()

    asyncio.run(main())


def test_heater_and_valves_work_with_a_simulated_device_on_one_line() -> None:
    async def play(url: str) -> None:
        heater = ModbusHeater(bench("heater"), url, unit_id=1)
        valves = ModbusValves(bench("valves"), url, unit_id=2)
        for part in (heater, valves):
            await part.open()
            await part.identify()
        assert await heater.temperature() == -1.0
        await asyncio.gather(heater.set_temperature(350.2), valves.pump())
        assert await valves.valves() == ValveStates(gate=1, vent=0)
        await valves.vent()
        assert await valves.valves() == ValveStates(gate=0, vent=1)
        await heater.off()
        await heater.close()
        await valves.close()

    with_server(FramerType.RTU, play)


def test_several_registers_and_a_refusal_go_over_tcp() -> None:
    def who() -> Dialogue[Identity]:
        yield from modbus.ask_tcp(1, 1, modbus.read_registers(0, 1))
        return Identity("pymodbus", "simulator")

    async def play(url: str) -> None:
        link = Link(bench(), url, Settings(), who, 1.0)
        await link.open()
        words = [0x0123, 0xFFFF, 0, 7]
        await link.exchange(lambda: modbus.ask_tcp(2, 1, modbus.write_registers(0, words)))
        reply = await link.read(lambda: modbus.ask_tcp(3, 1, modbus.read_registers(0, 4)))
        assert modbus.registers(reply, 4) == tuple(words)
        with pytest.raises(DeviceRefused, match="illegal data address"):
            await link.read(lambda: modbus.ask_tcp(4, 1, modbus.read_registers(900, 1)))
        await link.close()

    with_server(FramerType.SOCKET, play)
