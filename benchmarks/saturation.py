"""Which part of a screening saturates first: 1,000 workers, 10^6 candidates, on a virtual clock.

    python -m benchmarks.saturation [--workers 1000] [--calculations 4000]

Every part that a calculation passes is a queue with one server and a service time; workers are as
many as there are. The clock jumps, so hours take seconds. A part is saturated when it is busy all
the time while workers wait. Service times are CPU seconds as measured where a source is given, and
assumed where not; they are the arguments of this simulation, not its results.

The planner is asked for `batch` points when as many workers are free: one fit, and one look at the
whole pool for each point. The engine asks for as many as are free, up to 32; batch 1 shows what
that saves, and batch 0, points without a model, what saturates next.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.record import keep, machine
from orchestrator.clock import VirtualClock

SERVICES_MS = {
    # of one calculation, on a quiet machine
    "engine": 5.9,  # all of a calculation, above the pool's own time: benchmarks/overhead.py
    "files": 4.0,  # two directories, four files and a flush on a shared file system: assumed
    "pilots": 1.2,  # Parsl's interchange, 857 calculations a second
}
FIT_S = 0.81
"""Of a model of 1,000 results in 6 dimensions: results/planner/SPEED.md."""
LOOK_S = 0.32
"""At 10^6 candidates with 10 numbers each, for one point: the same page."""


@dataclass
class Station:
    """A part that serves one at a time."""

    clock: VirtualClock
    service_s: float
    busy_s: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def pass_through(self) -> None:
        """Waits for its turn, and is served."""
        async with self.lock:
            self.busy_s += self.service_s
            await self.clock.sleep(self.service_s)


@dataclass(frozen=True)
class Outcome:
    """What a run came to: the shares are of the time from first to last."""

    per_s: float
    workers: float
    shares: dict[str, float]

    @property
    def first(self) -> str:
        """The busiest part."""
        busiest = max(self.shares, key=lambda name: self.shares[name])
        return busiest if self.shares[busiest] > max(0.9, self.workers) else "workers"


def play(n: int, n_workers: int, duration_s: float, batch: int) -> Outcome:
    """So many calculations of a duration, proposed in batches."""
    clock = VirtualClock()
    planner_s = FIT_S + batch * LOOK_S if batch else 0.0
    batch = max(1, batch)
    stations = {name: Station(clock, ms * 1e-3) for name, ms in SERVICES_MS.items()}
    stations["planner"] = Station(clock, planner_s)
    workers = asyncio.Semaphore(n_workers)
    computed_s = 0.0

    async def one() -> None:
        nonlocal computed_s
        for name in SERVICES_MS:
            await stations[name].pass_through()
        await clock.sleep(duration_s)
        computed_s += duration_s
        workers.release()

    async def main() -> float:
        begun: list[asyncio.Task[None]] = []
        for first in range(0, n, batch):
            for _ in range(min(batch, n - first)):
                await workers.acquire()
            await stations["planner"].pass_through()
            begun += [asyncio.ensure_future(one()) for _ in range(min(batch, n - first))]
        await asyncio.gather(*begun)
        return clock.now()

    took_s = clock.run(main())
    shares = {name: station.busy_s / took_s for name, station in stations.items()}
    return Outcome(n / took_s, computed_s / took_s / n_workers, shares)


def show(rows: Sequence[tuple[float, int, Outcome]], *, heading: bool) -> None:
    """Prints rows of the table."""
    names = [*SERVICES_MS, "planner"]
    if heading:
        print(f"{'duration':>9} {'batch':>6} {'per s':>8} {'workers':>8} ", end="")
        print(" ".join(f"{name:>8}" for name in names), " first")
    for duration_s, batch, found in rows:
        print(f"{duration_s:>7g} s {batch:>6} {found.per_s:>8.2f} {found.workers:>8.0%} ", end="")
        print(" ".join(f"{found.shares[name]:>8.0%}" for name in names), "", found.first)


def main() -> None:
    """Plays each duration with each batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--calculations", type=int, default=4000)
    options = parser.parse_args()
    rows = []
    for duration_s in (1.0, 10.0, 100.0, 1000.0, 3600.0):
        for batch in (1, 32, 0):
            found = play(options.calculations, options.workers, duration_s, batch)
            rows.append((duration_s, batch, found))
            show(rows[-1:], heading=len(rows) == 1)
    kept = [{"duration_s": d, "batch": b, **vars(found)} for d, b, found in rows]
    keep("saturation", {"machine": machine(), "services_ms": SERVICES_MS, "rows": kept})


if __name__ == "__main__":
    main()
