"""How quick the transports are: exchanges, stops, reconnections, and one exchange beside pymeasure.

    python -m benchmarks.drivers.speed [--keep] [--rounds 200]

Twelve ports, each with a twin, in three processes beside this one. Times of a stop and of a re-plug
are taken where the twin is, by the clock that all processes of a machine share. pymeasure lives in
`.venv-peers` and talks to the same twin in the same run, in turn with our driver.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.drivers.child import Child
from benchmarks.record import ROOT, core_share, describe, keep, machine
from drivers.deposition.alicat import AlicatFlowController
from drivers.deposition.inficon_sqm160 import InficonMonitor
from drivers.protocols import sqm160
from drivers.robots.universal_robots import UniversalRobot
from orchestrator.clock import ScaledClock, WallClock
from orchestrator.errors import DeviceError
from orchestrator.ports.action import Ticket
from orchestrator.ports.resource import Bench

PEER = ROOT / ".venv-peers" / "bin" / "python"
N_PORTS, N_CHILDREN = 12, 3
PATIENCE_S = 5.0
GOALS = {"exchanges_per_s": 2000.0, "stop_p99_ms": 50.0, "reconnect_p99_ms": 250.0}
_PAUSES_S = (0.02, 0.6)
"""Between a break and the re-plug."""


class Ports:
    """Twelve flow controllers, each on a port of its own."""

    def __init__(self, children: Sequence[Child]) -> None:
        self._children = children
        self.drivers: list[AlicatFlowController] = []

    async def open(self) -> None:
        """Opens and identifies all."""
        for number in range(N_PORTS):
            said = await self.ask(number, "open", **_world("gas"))
            bench = Bench(f"flow {number}", WallClock())
            port = said["ports"]["gas"]
            driver = AlicatFlowController(bench, port, full_scale=200.0, timeout=PATIENCE_S)
            await driver.open()
            await driver.identify()
            self.drivers.append(driver)

    async def ask(self, number: int, do: str, **facts: Any) -> dict[str, Any]:
        """An order to the twin of a port."""
        return await self._children[number % N_CHILDREN].ask(do, f"gas {number}", **facts)

    async def close(self) -> None:
        """Closes all."""
        for driver in self.drivers:
            await driver.close()


def _world(port: str, *others: str, runs: bool = False) -> dict[str, Any]:
    return {"world": "sputter-lab", "seed": 7, "port": port, "others": others, "runs": runs}


async def exchanges(ports: Ports, seconds: float = 4.0) -> dict[str, float]:
    """All ports as busy as they can be: exchanges a second, and what one costs this process."""
    n, end = [0], time.monotonic() + seconds

    async def poll(driver: AlicatFlowController) -> None:
        while time.monotonic() < end:
            await driver.flow()
            n[0] += 1

    cpu, began = time.process_time(), time.monotonic()
    await asyncio.gather(*map(poll, ports.drivers))
    took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
    return {"exchanges_per_s": n[0] / took_s, "cpu_us": 1e6 * cpu_s / n[0]}


async def stops(ports: Ports, child: Child, rounds: int) -> dict[str, list[float]]:
    """From `make_safe` to the stop's first byte at the arm, in ms: it moves, eleven ports poll.

    One time in two its line waits for a reply that takes 0.3 s.
    """
    said = await child.ask("open", "arm", **_world("arm", "arm-registers", runs=True))
    options = {"registers": said["ports"]["arm-registers clean"], "timeout": PATIENCE_S}
    arm = UniversalRobot(Bench("arm", ScaledClock(100.0)), said["ports"]["arm"], **options)
    await arm.open()
    await arm.identify()
    is_over = False

    async def poll(driver: AlicatFlowController) -> None:
        while not is_over:
            await driver.flow()
            await asyncio.sleep(0.002)

    busy = [asyncio.ensure_future(poll(driver)) for driver in ports.drivers[1:]]
    found: dict[str, list[float]] = {"polling": [], "waiting": []}
    chance = Random(1)
    for number in range(rounds):
        kind = ("polling", "waiting")[number % 2]
        found[kind].append(await _stop(arm, child, number, chance, is_waiting=kind == "waiting"))
    is_over = True
    await asyncio.gather(*busy)
    await arm.close()
    return found


async def _stop(
    arm: UniversalRobot, child: Child, number: int, chance: Random, *, is_waiting: bool
) -> float:
    ticket = Ticket(f"{number + 1:016x}")
    move = asyncio.ensure_future(arm.move("tray", ticket, source="blanks"))
    await asyncio.sleep(chance.uniform(0.03, 0.1))
    if is_waiting:
        await child.ask("fail", "arm", how="delay", after=0, times=1, seconds=0.3, seed=0)
        await asyncio.sleep(chance.uniform(0.02, 0.06))
    await child.ask("look", "arm")
    began = time.monotonic()
    await asyncio.gather(arm.make_safe(), return_exceptions=True)
    seen = await child.ask("look", "arm")
    await child.ask("heal", "arm")
    await asyncio.gather(move, return_exceptions=True)
    first = next(at for at, data in seen["heard"] if b"stop" in bytes.fromhex(data))
    return 1e3 * (first - began)


async def reconnections(ports: Ports, rounds: int) -> list[float]:
    """From the re-plug to the device identified on its new connection, in ms."""
    chance, found = Random(2), []
    for number in range(rounds):
        port = number % N_PORTS
        driver = ports.drivers[port]
        await ports.ask(port, "fail", how="unplug", after=0, times=1, seconds=0.0, seed=0)
        with contextlib.suppress(DeviceError):
            await driver.flow()
        replug = asyncio.ensure_future(_replug(ports, port, chance.uniform(*_PAUSES_S)))
        await driver.identify()
        at = time.monotonic()
        found.append(1e3 * (at - await replug))
    return found


async def _replug(ports: Ports, port: int, pause_s: float) -> float:
    await asyncio.sleep(pause_s)
    return float((await ports.ask(port, "heal"))["at"])


async def beside_pymeasure(child: Child, n: int = 400, blocks: int = 5) -> dict[str, list[float]]:
    """One query of the SQM-160's twin, by our driver and by pymeasure in turn, in us.

    `cpu` is what one exchange costs the asking process.
    """
    said = await child.ask("open", "monitor", **_world("monitor"))
    port = said["ports"]["monitor"]
    found: dict[str, list[float]] = {"ours": [], "ours cpu": [], "peer": [], "peer cpu": []}
    for _ in range(blocks):
        monitor = InficonMonitor(Bench("monitor", WallClock()), port, timeout=PATIENCE_S)
        await monitor.open()
        await monitor.identify()
        took, cpu = [], time.process_time()
        for _ in range(n):
            began = time.perf_counter()
            await monitor.link.read(lambda: sqm160.ask("L1?"))
            took.append(1e6 * (time.perf_counter() - began))
        found["ours"].append(statistics.median(took))
        found["ours cpu"].append(1e6 * (time.process_time() - cpu) / n)
        await monitor.close()
        if PEER.exists():
            peer = await _pymeasure(port, n)
            found["peer"].append(peer["median_us"])
            found["peer cpu"].append(peer["cpu_us"])
    return found


async def _pymeasure(port: str, n: int) -> dict[str, float]:
    script = Path(__file__).with_name("pymeasure_latency.py")
    process = await asyncio.create_subprocess_exec(
        str(PEER), str(script), port, str(n), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    found: dict[str, float] = json.loads(out)
    return found


def late(values: Sequence[float], share: float = 0.99) -> float:
    """The value below which that share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure(rounds: int) -> dict[str, Any]:
    """Everything, one after the other."""
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        children = []
        for number in range(N_CHILDREN):
            own = Path(folder) / str(number)
            own.mkdir()
            children.append(await Child.start(own))
        ports = Ports(children)
        try:
            await ports.open()
            rate = [await exchanges(ports) for _ in range(3)]
            stopped = await stops(ports, children[0], rounds)
            plugged = await reconnections(ports, rounds)
            await ports.close()
            beside = await beside_pymeasure(children[1])
        finally:
            for child in children:
                await child.end()
    return {
        "exchanges_per_s": [round(one["exchanges_per_s"]) for one in rate],
        "exchange_cpu_us": [round(one["cpu_us"]) for one in rate],
        "stop_ms": {
            kind: {"median": round(statistics.median(v), 2), "p99": round(late(v), 2)}
            for kind, v in stopped.items()
        },
        "stop_p99_ms": round(late([v for values in stopped.values() for v in values]), 2),
        "reconnect_ms": round(statistics.median(plugged), 2),
        "reconnect_p99_ms": round(late(plugged), 2),
        "latency_us": {name: [round(v) for v in values] for name, values in beside.items()},
    }


def show(found: dict[str, Any]) -> bool:
    """Prints the figures beside their goals; whether all are met."""
    best = statistics.median(found["exchanges_per_s"])
    cpu = statistics.median(found["exchange_cpu_us"])
    stop, plug = found["stop_p99_ms"], found["reconnect_p99_ms"]
    print(f"{best:.0f} exchanges/s over {N_PORTS} ports, {cpu:.0f} us of CPU each (goal 2,000/s)")
    print(f"stop to its first byte at the twin: {found['stop_ms']}, p99 {stop} ms (goal 50)")
    print(f"re-plug to identified: median {found['reconnect_ms']}, p99 {plug} ms (goal 250)")
    beside = found["latency_us"]
    for name, values in beside.items():
        if values:
            print(f"one exchange, {name}: {statistics.median(values):.0f} us {values}")
    if beside["peer"]:
        ratio = statistics.median(beside["ours cpu"]) / statistics.median(beside["peer cpu"])
        print(f"CPU seconds of an exchange, ours over pymeasure's: {ratio:.2f}")
    return (
        best >= GOALS["exchanges_per_s"]
        and stop < GOALS["stop_p99_ms"]
        and plug < GOALS["reconnect_p99_ms"]
    )


def main() -> None:
    """Measures, prints and keeps; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--keep", action="store_true", help="append to results/drivers")
    options = parser.parse_args()
    where = machine("pyserial")
    print(describe(where), flush=True)
    found = asyncio.run(measure(options.rounds))
    is_met = show(found)
    share = round(core_share(), 2)
    print(f"a process on each core at once gets {share} of it just now")
    if options.keep:
        keep("drivers/speed", {"machine": where, "core_share": share, **found})
    sys.exit(0 if is_met else 1)


if __name__ == "__main__":
    main()
