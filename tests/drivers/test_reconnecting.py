"""A device that comes back: the same one or another, and what it has lost meanwhile."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from driver_fakes import FakeMeter

from drivers.deposition.aja_dcxs import AjaSupply
from drivers.deposition.alicat import AlicatFlowController
from drivers.deposition.modbus_valves import ModbusValves
from drivers.electrical.keithley_2400 import Keithley2400
from drivers.instrument import LOOK_AGAIN_S, QUIET_S
from drivers.protocols import scpi
from drivers.protocols.framing import Dialogue
from drivers.thermal.modbus_heater import ModbusHeater
from orchestrator.clock import VirtualClock
from orchestrator.errors import (
    DeviceGone,
    DeviceRefused,
    DeviceReset,
    WrongDevice,
)
from orchestrator.ports.resource import Bench
from simulators.twins.faults import Fault, FaultyWire
from simulators.twins.sputter_lab import SputterLab

Deed = Callable[[Any], Awaitable[Any]]


def _play(night: Callable[[], Awaitable[None]], clock: VirtualClock) -> None:
    clock.run(night())


class Changing(FakeMeter):
    """A meter whose identity is what it is told to be."""

    says = b"KEITHLEY INSTRUMENTS INC.,MODEL 2400,1234567,C30\n"

    def __init__(self) -> None:
        super().__init__()
        self.others: list[bytes] = []
        self.is_cut = False

    async def receive(self, data: bytes) -> bytes:
        if self.is_cut:
            self.is_cut = False
            raise ConnectionError("cut")
        return await super().receive(data)

    def reply(self, request: bytes) -> bytes:
        if request == b"*IDN?\n":
            return self.others.pop(0) if self.others else self.says
        return super().reply(request)


def _comes_back(says: bytes, *once: bytes) -> None:
    fake = Changing()

    async def main() -> None:
        meter = Keithley2400(Bench("meter", VirtualClock(), wires={"m": fake}), "memory:m")
        await meter.open()
        await meter.identify()
        fake.is_cut, fake.says, fake.others = True, says, list(once)
        with pytest.raises(DeviceGone):
            await meter.identify()
        await meter.make_safe()

    asyncio.run(main())


def test_the_same_serial_number_with_a_newer_firmware_is_the_same_device() -> None:
    _comes_back(b"KEITHLEY INSTRUMENTS INC.,MODEL 2400,1234567,C34\n")


@pytest.mark.parametrize(
    "says",
    [
        b"KEITHLEY INSTRUMENTS INC.,MODEL 2400,7654321,C30\n",
        b"KEITHLEY INSTRUMENTS INC.,MODEL 2400,,C30\n",
        b"KEITHLEY INSTRUMENTS INC.,MODEL 2410,1234567,C30\n",
    ],
)
def test_another_serial_number_or_none_or_another_model_is_another_device(says: bytes) -> None:
    with pytest.raises(WrongDevice, match=r"answers on memory:m, where .* no\. 1234567 was"):
        _comes_back(says)


def test_a_bit_that_is_turned_in_an_identity_is_no_other_device() -> None:
    said = b"KEITHLEY INSTRUMENTS INC.,MODEL 2400,1234567,C30\n"
    _comes_back(said, b"KEITHLEY INSTRUMENTS INC.,MODEL 2400,1234467,C30\n")


DEVICES = {
    "gas": (AlicatFlowController, {"full_scale": 200.0}, "set_flow", {"flow": 5.0}, "flow"),
    "modbus": (ModbusHeater, {}, "set_temperature", {"temperature": 80.0}, "temperature"),
    "modbus valves": (ModbusValves, {"unit_id": 2}, "pump", {}, "valves"),
    "supply": (AjaSupply, {}, "set_power", {"power": 100.0}, "plasma"),
}


def _set(name: str) -> tuple[VirtualClock, FaultyWire, Any, Deed, Deed]:
    driver, options, action, arguments, reading = DEVICES[name]
    clock, port = VirtualClock(), name.split()[0]
    looks = itertools.count()
    # each look at the wire takes a second
    wire = FaultyWire(SputterLab(seed=7, clock=clock).wires[port], lambda: float(next(looks)))
    device = driver(Bench(name, clock, wires={"w": wire}), "memory:w", **options)

    async def act(device: Any) -> None:
        await device.open()
        await device.identify()
        await getattr(device, action)(**arguments)

    return clock, wire, device, act, lambda device: getattr(device, reading)()


@pytest.mark.parametrize("name", DEVICES)
def test_a_power_cut_that_breaks_the_connection_is_told_and_nothing_is_set_again(
    name: str,
) -> None:
    clock, wire, device, act, read = _set(name)

    async def main() -> None:
        await act(device)
        wire.faults.fail(Fault("unplug", seconds=0.5))
        with pytest.raises(DeviceGone):
            await read(device)
        wire._wire.manners.restart()  # type: ignore[attr-defined]
        with pytest.raises(DeviceReset, match="was set and is no longer so"):
            await read(device)
        await read(device)
        await act(device)
        await read(device)

    _play(main, clock)


@pytest.mark.parametrize("name", DEVICES)
def test_a_power_cut_behind_an_adapter_that_stays_is_told_after_the_silence(name: str) -> None:
    clock, wire, device, act, read = _set(name)

    async def main() -> None:
        await act(device)
        wire.faults.fail(Fault("reboot", seconds=0.5))
        found: list[str] = []
        for _ in range(3):
            try:
                await read(device)
                found.append("read")
            except DeviceReset:
                found.append("reset")
        assert found == ["reset", "read", "read"]

    _play(main, clock)


@pytest.mark.parametrize("name", DEVICES)
def test_a_power_cut_that_nobody_heard_is_told_once_nobody_spoke_for_seconds(name: str) -> None:
    clock, wire, device, act, read = _set(name)

    async def main() -> None:
        await act(device)
        wire.faults.fail(Fault("reboot"))
        await clock.sleep(QUIET_S)
        with pytest.raises(DeviceReset):
            await read(device)

    _play(main, clock)


def test_a_supply_that_lost_its_power_is_not_struck() -> None:
    clock, wire, supply, act, _ = _set("supply")

    async def main() -> None:
        await act(supply)
        wire.faults.fail(Fault("reboot"))
        with pytest.raises(DeviceRefused, match="is no longer so, so nothing was sent"):
            await supply.on()
        assert (await supply.plasma()).power == 0.0

    _play(main, clock)


def test_a_frame_with_another_set_point_tells_a_power_cut_at_once() -> None:
    name = next(name for name, what in DEVICES.items() if what[0] is AlicatFlowController)
    clock, wire, device, act, read = _set(name)

    async def main() -> None:
        await act(device)
        wire.faults.fail(Fault("reboot"))
        with pytest.raises(DeviceReset):
            await read(device)
        await read(device)
        await act(device)
        await read(device)

    _play(main, clock)


@pytest.mark.parametrize("name", DEVICES)
def test_to_switch_off_is_not_held_up_by_what_was_lost(name: str) -> None:
    clock, wire, device, act, _ = _set(name)

    async def main() -> None:
        await act(device)
        wire.faults.fail(Fault("reboot"))
        await clock.sleep(LOOK_AGAIN_S)
        await device.make_safe()
        await (device.off() if hasattr(device, "off") else device.make_safe())

    _play(main, clock)


@pytest.mark.parametrize("name", DEVICES)
def test_a_state_that_stands_is_read_back_and_nothing_is_said(name: str) -> None:
    clock, wire, device, act, read = _set(name)

    async def main() -> None:
        await act(device)
        for _ in range(3):
            await clock.sleep(LOOK_AGAIN_S)
            await read(device)
        wire.faults.fail(Fault("drop"))
        await read(device)
        await read(device)

    _play(main, clock)


def test_a_supply_that_has_just_lost_its_power_does_not_say_that_its_time_is_over() -> None:
    clock, wire, supply, act, _ = _set("supply")

    async def main() -> None:
        await act(supply)
        supply._is_open = True  # as its last answer had it
        wire.faults.fail(Fault("reboot"))
        with pytest.raises(DeviceReset):
            await supply.exposure()

    _play(main, clock)


class Counted(FakeMeter):
    """Two meters on one line, one of which is swapped for another while the line is broken."""

    def __init__(self) -> None:
        super().__init__()
        self.serial, self.is_cut = b"1234567", False
        self.orders: list[bytes] = []

    async def receive(self, data: bytes) -> bytes:
        if self.is_cut:
            self.is_cut = False
            raise ConnectionError("cut")
        return await super().receive(data)

    def reply(self, request: bytes) -> bytes:
        if request == b"GIVE\n":
            self.orders.append(request)
            return b"OK\n"
        if request == b"*IDN?\n":
            return b"KEITHLEY INSTRUMENTS INC.,MODEL 2400," + self.serial + b",C30\n"
        return super().reply(request)


def _never() -> Dialogue[bool]:
    raise AssertionError("nothing was sent that might have taken effect")


class Pump(Keithley2400):
    """Something that gives, and is asked ten seconds later."""

    async def give(self) -> None:
        await self.link.exchange(lambda: scpi.ask("GIVE"))
        await self.bench.clock.sleep(10.0)
        await self.link.read(lambda: scpi.ask("*IDN?"))

    async def give_and_set(self) -> None:
        await self.link.exchange(lambda: scpi.ask("GIVE"))
        await self.bench.clock.sleep(10.0)
        await self.link.write(lambda: scpi.tell("RATE 5"), _never, what="a rate of 5")


async def _two_on_a_line(clock: VirtualClock) -> tuple[Counted, Pump, Keithley2400]:
    """Both have been opened and identified."""
    fake = Counted()
    pump = Pump(Bench("pump", clock, wires={"m": fake}), "memory:m")
    other = Keithley2400(Bench("meter", clock, wires={"m": fake}), "memory:m")
    for device in (pump, other):
        await device.open()
        await device.identify()
    return fake, pump, other


async def _break_found_by_the_other(fake: Counted, other: Keithley2400) -> None:
    fake.is_cut = True
    with pytest.raises(DeviceGone):
        await other.identify()
    fake.serial = b"7654321"


def test_an_order_whose_device_is_another_one_afterwards_is_no_order_that_was_not_sent() -> None:
    """The other device on the line had found the break, so that this one never saw it."""
    clock = VirtualClock()

    async def main() -> None:
        fake, pump, other = await _two_on_a_line(clock)
        giving = asyncio.ensure_future(pump.give())
        await clock.sleep(5.0)
        await _break_found_by_the_other(fake, other)
        with pytest.raises(DeviceGone, match="7654321 answers on memory:m"):
            await giving
        assert fake.orders == [b"GIVE\n"]

    _play(main, clock)


def test_an_action_that_finds_another_device_before_its_first_order_sends_nothing() -> None:
    clock = VirtualClock()

    async def main() -> None:
        fake, pump, other = await _two_on_a_line(clock)
        await asyncio.ensure_future(pump.give())
        await _break_found_by_the_other(fake, other)
        with pytest.raises(WrongDevice):
            await asyncio.ensure_future(pump.give())
        assert fake.orders == [b"GIVE\n"]

    _play(main, clock)


def test_a_second_order_that_was_never_sent_is_not_said_to_have_been() -> None:
    clock = VirtualClock()

    async def main() -> None:
        fake, pump, other = await _two_on_a_line(clock)
        giving = asyncio.ensure_future(pump.give_and_set())
        await clock.sleep(5.0)
        await _break_found_by_the_other(fake, other)
        with pytest.raises(DeviceGone, match="7654321 answers on memory:m"):
            await giving

    _play(main, clock)
