"""Twins in a process of their own, each port twice: a faulty line, and a clean one beside it.

    python -m benchmarks.drivers.serving DIR

Orders are JSON lines on the standard input, answered by JSON lines on the standard output:
`open` a bench (a world of its own), `fail` its port, `heal` it, `look` (what arrived at the
instrument on the faulty line since the last look, what bytes its port got and when by the
machine's monotonic clock, the world's effects and state), `wait` (campaign time), `close`. What
arrived is noted where the frame reaches the instrument, behind all faults: nothing of it is the
driver's own account.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator import plugins
from orchestrator.clock import ScaledClock
from simulators.twins.faults import HOWS, Fault, lacking
from simulators.twins.outlets import SerialOutlet, TcpOutlet
from simulators.twins.wire import FramedWire

SPEED = 1000.0
"""Of the benches whose time runs."""


class StillClock:
    """Campaign time that stands still between two waits."""

    speed = 1.0

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """In s."""
        return self._now

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self._now += seconds

    def work(self) -> contextlib.AbstractContextManager[None]:
        """No effect."""
        return contextlib.nullcontext()


class ServedBench:
    """A world, the faulty line of one of its ports, and clean lines to all."""

    def __init__(self, folder: Path, order: dict[str, Any]) -> None:
        self.clock = ScaledClock(SPEED) if order["runs"] else StillClock()
        self.world = plugins.load("twins", order["world"])(seed=order["seed"], clock=self.clock)
        self.arrived: list[str] = []
        self._is_noted = True
        wires: dict[str, FramedWire] = dict(self.world.wires)
        self._outlets: dict[str, SerialOutlet | TcpOutlet] = {}
        for name in (order["port"], *order["others"]):
            clean = wires[name].fresh()
            if name == order["port"]:
                wires[name].ledger = self._note
            for key, wire in ((name, wires[name]), (f"{name} clean", clean)):
                path = folder / f"tty {order['bench']} {key}".replace(" ", "-")
                is_tcp = name in self.world.tcp or clean.scheme
                self._outlets[key] = (
                    TcpOutlet(wire, self._touched)
                    if is_tcp
                    else SerialOutlet(wire, path, self._touched)
                )
        self.faulty = self._outlets[order["port"]]
        self.heard: list[tuple[float, str]] = []
        self.faulty.heard = lambda data: self.heard.append((time.monotonic(), data.hex()))
        manners = wires[order["port"]].manners
        self.hows = [how for how in HOWS if not lacking(how, manners)]

    def _touched(self) -> None:
        pass

    def _note(self, frame: bytes, reply: bytes) -> None:
        self.arrived.append(frame.hex())

    async def open(self) -> dict[str, str]:
        """Addresses, by port and by `PORT clean`."""
        for outlet in self._outlets.values():
            await outlet.open()
        return {name: outlet.address for name, outlet in self._outlets.items()}

    async def close(self) -> None:
        """Takes the lines away."""
        for outlet in self._outlets.values():
            await outlet.close()

    def look(self) -> dict[str, Any]:
        """What arrived since the last look, the effects, and the state without its time."""
        arrived, heard = self.arrived, self.heard
        self.arrived, self.heard = [], []
        counts = self.world.counts()
        state = {k: v for k, v in self.world.snapshot().items() if k not in ("time", "effects")}
        state_text = json.dumps(state, sort_keys=True)
        return {"arrived": arrived, "heard": heard, "counts": counts, "state": state_text}

    def prepare(self) -> None:
        """What a plasma needs, where the world is a sputter chamber that is pumped."""
        chamber = getattr(self.world, "chamber", None)
        if chamber is not None and isinstance(self.clock, StillClock):
            chamber.set_valves(gate=True, vent=False)
            chamber.set_flow("argon", 40.0)
            self.clock.wait(3600.0)


class _Orders:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._benches: dict[str, ServedBench] = {}

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        do: Callable[..., Any] = getattr(self, f"_{order['do']}")
        result = await do(order)
        return {"n": order["n"], **(result or {})}

    async def _open(self, order: dict[str, Any]) -> dict[str, Any]:
        bench = self._benches[order["bench"]] = ServedBench(self._folder, order)
        if order["port"] in ("supply", "gauge"):
            bench.prepare()
        return {"ports": await bench.open(), "hows": bench.hows}

    async def _fail(self, order: dict[str, Any]) -> None:
        facts = {name: order[name] for name in ("how", "after", "times", "seconds", "seed")}
        await self._benches[order["bench"]].faulty.fail(Fault(**facts))

    async def _heal(self, order: dict[str, Any]) -> dict[str, Any]:
        faulty = self._benches[order["bench"]].faulty
        await faulty.heal()
        return {"struck": faulty.faults.n_struck, "at": time.monotonic()}

    async def _look(self, order: dict[str, Any]) -> dict[str, Any]:
        return self._benches[order["bench"]].look()

    async def _wait(self, order: dict[str, Any]) -> None:
        clock = self._benches[order["bench"]].clock
        if isinstance(clock, StillClock):
            clock.wait(order["seconds"])

    async def _close(self, order: dict[str, Any]) -> None:
        await self._benches.pop(order["bench"]).close()


async def _serve(folder: Path) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    orders, under_way = _Orders(folder), set()

    async def answer(line: bytes) -> None:
        print(json.dumps(await orders.obey(json.loads(line))), flush=True)

    while line := await reader.readline():
        task = asyncio.ensure_future(answer(line))
        under_way.add(task)
        task.add_done_callback(under_way.discard)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
