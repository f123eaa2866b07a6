"""Serves a world of twins in a process of its own, which outlives whoever started it.

    python -m simulators.twins.server --world sputter-lab --seed 7 --speed 1200 --dir DIR

Serial instruments are pseudo-terminals behind the links DIR/tty-NAME, folders are DIR/folder-NAME,
the others TCP ports of the loopback. Once all answer, DIR/ports.json says where (`ports`), and
where orders are taken (`control`): JSON objects, one a line, `{"do": "counts" | "state" | "fail" |
"plan" | "heal" | "kill" | "speed" | "hand" | "shutdown", ...}`, with the facts that
`control.Control` shows; each is answered by `{"ok": true, ...}` or `{"ok": false, "error": ...}`.
DIR/faults.json, where there is one, says how the ports are to fail (`plans`). It ends after an hour
without a byte.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.metadata
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from orchestrator.clock import ScaledClock
from orchestrator.errors import InputError
from simulators.twins.faults import HOWS, Fault
from simulators.twins.folder import FolderOutlet, FolderWire
from simulators.twins.outlets import SerialOutlet, TcpOutlet
from simulators.twins.plans import planned
from simulators.twins.wire import FramedWire

IDLE_S = 3600.0
_SPEAK_S = 1.0
_CLOSE_S = 0.05


class World(Protocol):
    """What a world needs beyond `ports.resource.Twins` to be served."""

    tcp: frozenset[str]

    @property
    def wires(self) -> Mapping[str, FramedWire]: ...

    def counts(self) -> dict[str, int]: ...

    def snapshot(self) -> dict[str, Any]: ...

    def advance(self) -> None: ...

    def next_due(self) -> float | None: ...

    def watch(self, watch: Callable[[Literal["before", "after"], int], None]) -> None: ...

    def by_hand(self, sample: int, to: str) -> None: ...


class AdjustableClock:
    """Scaled time whose speed may change."""

    def __init__(self, speed: float) -> None:
        self._scaled = ScaledClock(speed)

    @property
    def speed(self) -> float:
        """Campaign seconds per wall second."""
        return self._scaled.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._scaled = ScaledClock(speed, self._scaled.now())

    def now(self) -> float:
        """Campaign time in seconds."""
        return self._scaled.now()

    async def sleep(self, seconds: float) -> None:
        """Waits campaign time."""
        await self._scaled.sleep(seconds)

    def work(self) -> contextlib.AbstractContextManager[None]:
        """No effect."""
        return self._scaled.work()


class Executioner:
    """Ends a process just before or after a physical effect."""

    def __init__(self, n_effects: Callable[[], int]) -> None:
        self._n_effects = n_effects
        self._orders: list[tuple[int, int, str]] = []
        self.done: list[dict[str, Any]] = []

    def order(self, pid: int, effect: int, when: str) -> None:
        """Raises ValueError when the effect has happened already, or the order makes no sense."""
        if pid <= 1 or pid == os.getpid():
            raise ValueError(f"{pid} is not a process to be ended")
        if when not in ("before", "after"):
            raise ValueError("'when' is before or after")
        if effect <= self._n_effects():
            raise ValueError(f"effect {effect} has happened already")
        self._orders.append((pid, effect, when))

    def watch(self, phase: Literal["before", "after"], n: int) -> None:
        """Told by the world."""
        for order in list(self._orders):
            pid, effect, when = order
            if (effect, when) == (n, phase):
                self._orders.remove(order)
                self.done.append({"pid": pid, "effect": n, "when": phase, "ended": _end(pid)})


class Server:
    """The outlets of a world, its timers, and the control port."""

    def __init__(self, world: World, clock: AdjustableClock, directory: Path) -> None:
        self._world, self._clock, self._directory = world, clock, directory
        self._executioner = Executioner(lambda: world.counts()["effects"])
        world.watch(self._executioner.watch)
        self._outlets = {name: self._outlet(name, wire) for name, wire in world.wires.items()}
        self._timer: asyncio.TimerHandle | None = None
        self._last = time.monotonic()
        self._ended = asyncio.Event()
        self._asking: set[asyncio.StreamWriter] = set()
        self._orders: dict[str, Callable[[dict[str, Any]], Any]] = {
            "counts": lambda _: {"counts": self._world.counts()},
            "state": lambda _: {"state": self._state()},
            "speed": self._change_speed,
            "kill": self._kill,
            "plan": self._plan,
            "hand": lambda order: self._world.by_hand(order["sample"], order["to"]),
            "shutdown": lambda _: self.end(),
        }
        self._slow_orders = {"fail": self._fail, "heal": self._heal}

    async def run(self, facts: Mapping[str, Any], idle_s: float) -> None:
        """Serves until it is told to end, or nobody came for `idle_s` seconds of wall time."""
        for outlet in self._outlets.values():
            await outlet.open()
        control = await asyncio.start_server(self._control, "127.0.0.1", 0)
        host, port = control.sockets[0].getsockname()
        ports = {name: outlet.address for name, outlet in self._outlets.items()}
        file = self._directory / "ports.json"
        _write(file, {**facts, "control": f"{host}:{port}", "ports": ports})
        try:
            await self._live(idle_s)
        finally:
            file.unlink(missing_ok=True)
            control.close()
            for outlet in self._outlets.values():
                await outlet.close()
            for writer in self._asking:
                writer.transport.abort()
            await asyncio.sleep(_CLOSE_S)

    def _outlet(self, name: str, wire: FramedWire) -> SerialOutlet | TcpOutlet | FolderOutlet:
        if isinstance(wire, FolderWire):
            return FolderOutlet(wire, self._directory / f"folder-{name}")
        if name in self._world.tcp or wire.scheme:
            return TcpOutlet(wire, self._touched)
        return SerialOutlet(wire, self._directory / f"tty-{name}", self._touched)

    def end(self) -> None:
        """Ends `run`."""
        self._ended.set()

    async def _live(self, idle_s: float) -> None:
        while not self._ended.is_set() and time.monotonic() - self._last < idle_s:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _SPEAK_S)
            for outlet in self._outlets.values():
                outlet.speak()
        await asyncio.sleep(_CLOSE_S)

    def _touched(self) -> None:
        """Bytes came: what is due next may have changed."""
        self._last = time.monotonic()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._world.next_due()
        if due is not None:
            wait = max(0.0, due - self._clock.now()) / self._clock.speed
            self._timer = asyncio.get_running_loop().call_later(wait + 1e-4, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._world.advance()
        last = self._last
        self._touched()
        self._last = last

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._asking.add(writer)
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(json.dumps(await self._obey(line)).encode() + b"\n")
                await writer.drain()
        self._asking.discard(writer)
        writer.close()

    async def _obey(self, line: bytes) -> dict[str, Any]:
        try:
            order = json.loads(line)
            do = order["do"]
            if do in self._slow_orders:
                await self._slow_orders[do](order)
                return {"ok": True}
            result = self._orders[do](order)
        except (ValueError, TypeError, KeyError, InputError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}
        finally:
            self._touched()
        return {"ok": True, **(result or {})}

    async def _fail(self, order: dict[str, Any]) -> None:
        how = order["how"]
        if how not in HOWS:
            raise ValueError(f"'{how}' is not one of {', '.join(HOWS)}")
        fault = Fault(
            how,
            int(order.get("after", 0)),
            int(order.get("times", 1)),
            float(order.get("seconds", 0.0)),
            int(order.get("seed", 0)),
        )
        await self._outlets[order["wire"]].fail(fault)

    def _plan(self, order: dict[str, Any]) -> None:
        self.plan(order["faults"])

    def plan(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Has ports fail as `plans` says. Raises InputError; then nothing is planned."""
        plans = [planned(said, self._world.wires) for said in faults]
        for name, plan in ((n, p) for one in plans for n, p in one.items()):
            outlet = self._outlets[name]
            assert not isinstance(outlet, FolderOutlet), "a folder has no replies to spoil"
            outlet.plan(plan)

    async def _heal(self, _: dict[str, Any]) -> None:
        for outlet in self._outlets.values():
            await outlet.heal()

    def _state(self) -> dict[str, Any]:
        return {**self._world.snapshot(), "killed": self._executioner.done}

    def _change_speed(self, order: dict[str, Any]) -> None:
        speed = float(order["speed"])
        if not speed > 0:
            raise ValueError("the speed must be above zero")
        self._clock.speed = speed

    def _kill(self, order: dict[str, Any]) -> None:
        self._executioner.order(int(order["pid"]), int(order["effect"]), order.get("when", "after"))


def main() -> int:
    """The command. Exit code 1: the directory is in use; 2: there is no such world."""
    parser = argparse.ArgumentParser(prog="simulators.twins.server", description=__doc__)
    parser.add_argument("--world", default="sputter-lab")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--idle", type=float, default=IDLE_S, help="seconds of wall time")
    options = parser.parse_args()
    options.dir.mkdir(parents=True, exist_ok=True)
    directory = options.dir.resolve()
    if _is_served(directory / "ports.json"):
        print(f"{directory} is served by another process already", file=sys.stderr)
        return 1
    worlds = importlib.metadata.entry_points(group="hagane.twins", name=options.world)
    if not worlds or not options.speed > 0:
        print(f"no world '{options.world}' at speed {options.speed:g}", file=sys.stderr)
        return 2
    (entry,) = worlds
    world = entry.load()
    _detach(directory / "server.log")
    asyncio.run(_serve(world, options, directory))
    return 0


async def _serve(
    make_world: Callable[..., World], options: argparse.Namespace, directory: Path
) -> None:
    clock = AdjustableClock(options.speed)
    world = make_world(seed=options.seed, clock=clock)
    server = Server(world, clock, directory)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.end)
    faults = _planned_faults(directory)
    server.plan(faults)
    facts = {
        "pid": os.getpid(),
        "world": options.world,
        "seed": options.seed,
        "speed": options.speed,
        "faults": faults,
    }
    await server.run(facts, options.idle)


def _planned_faults(directory: Path) -> list[dict[str, Any]]:
    """What DIR/faults.json asks for, if it is there: a list as in `plans`."""
    file = directory / "faults.json"
    faults: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    return faults


def _detach(log: Path) -> None:
    """A session of its own, no terminal, no pipe of the starter's kept open."""
    with contextlib.suppress(PermissionError):
        os.setsid()
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    with Path(os.devnull).open("rb") as nothing, log.open("ab") as file:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _is_served(file: Path) -> bool:
    try:
        os.kill(int(json.loads(file.read_text())["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _write(file: Path, facts: Mapping[str, Any]) -> None:
    aside = file.with_name(file.name + ".new")
    aside.write_text(json.dumps(facts, indent=1))
    aside.replace(file)


def _end(pid: int) -> bool:
    """SIGKILL, and waits until the process runs no more; false when there was none."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    end = time.monotonic() + 1.0
    while _runs(pid) and time.monotonic() < end:
        time.sleep(0.0005)
    return True


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


if __name__ == "__main__":
    sys.exit(main())
