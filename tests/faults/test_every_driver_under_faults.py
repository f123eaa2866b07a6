"""A sample of `benchmarks.drivers.faults`: every driver with a twin, every kind of fault."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import serial

from benchmarks.drivers.devices import Bench, Device, benches
from benchmarks.drivers.faults import NOUGHT, count, play
from orchestrator import plugins
from orchestrator.errors import DeviceSilent
from orchestrator.ports.action import Effect, Unit, action, reading
from orchestrator.ports.resource import Bench as ResourceBench
from orchestrator.ports.resource import Health, Identity
from simulators.twins.faults import HOWS


def test_every_kind_that_opens_a_port_is_among_the_drivers_that_are_tried() -> None:
    kinds = [plugins.resource_kind(name) for name in plugins.installed("resources")]
    tried = {device.kind for bench in benches() for device in bench.devices}
    assert {kind.name for kind in kinds if "port" in kind.options} == tried


def test_no_driver_is_deceived_repeats_itself_or_hangs() -> None:
    found = asyncio.run(play(150, 3, list(benches()), copies=1))
    report = count(found)
    bad = [(one, said) for one in found for name, said in one.faults if name in NOUGHT]
    assert not bad, bad
    assert report["faults"] >= 150
    assert len(report["kinds"]) >= 14
    assert set(report["kinds"]) <= set(HOWS)
    assert report["tried"]["beyond"] >= 3
    assert report["tried"]["twice"] >= 3


class Careless:
    """Asks two flow controllers on one line as one does by hand: takes the next line that comes,
    repeats whatever was silent, and asks nobody for limits."""

    def __init__(self, bench: ResourceBench, port: str, timeout: float) -> None:
        self._name, self._address, self._timeout = bench.name, port, timeout
        self._port: Any = None

    async def open(self) -> None:
        self._port = self._port or serial.Serial(self._address, timeout=self._timeout)

    async def close(self) -> None:
        self._port.close()

    async def identify(self) -> Identity:
        return Identity("Acme", "line")

    async def health(self) -> Health:
        return Health(True)

    async def make_safe(self) -> None:
        """Nothing."""

    @reading
    async def argon(self) -> str:
        """The gas of unit A."""
        return (await self._ask("A")).split()[-1]

    @reading
    async def oxygen(self) -> str:
        """The gas of unit B."""
        return (await self._ask("B")).split()[-1]

    @action(effect=Effect.IRREVERSIBLE)
    async def dose(self, flow: Annotated[float, Unit("sccm", low=0, high=5)]) -> None:
        """Sets a flow, as if that could not be undone."""
        await self._ask(f"AS{flow:.3f}")

    async def _ask(self, command: str) -> str:
        for _ in range(2):
            self._port.write(f"{command}\r".encode())
            line = await asyncio.to_thread(self._port.read_until, b"\r")
            if len(line.split()) > 6:
                return str(line.decode("ascii", "replace").strip())
        raise DeviceSilent(self._name, "nothing comes")


def test_a_careless_driver_is_found_out() -> None:
    device = Device("line", "careless", Careless, {"port": "twin:gas"})
    bench = Bench("sputter-lab", 7, "gas", (device,))
    found = asyncio.run(play(60, 2, [bench], copies=2))
    report = count(found)
    counts, tried = report["counts"], report["tried"]
    assert counts["wrong"] > 0
    assert counts["twice"] > 0
    assert counts["beyond"] > 0
    assert tried["beyond"] > 0
    assert 0 < tried["twice"] < report["faults"]
