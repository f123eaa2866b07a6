"""How fast the journal writes and opens: `python benchmarks/journal.py [--store ADDRESS]`.

Appends are at full durability (SQLite: WAL, synchronous=FULL). "Opened" is what an engine does at
its start: read, check the chain, parse and fold; in a process of its own, from a warm disk cache.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from orchestrator.journal import LeasedJournal, Store, open_store
from orchestrator.model import events as ev
from orchestrator.model.state import fold
from orchestrator.model.trial import Prediction, Proposal

N_EVENTS = 100_000
N_APPENDS = 2_000


def campaign_events() -> Iterator[ev.Event]:
    """A campaign as a sputter tool makes it: about forty events a trial, without end."""
    yield ev.CampaignOpened(
        name="niobium-titania",
        campaign_file="campaign.yaml",
        campaign_text="x" * 1500,
        file_hash="0" * 64,
        seed=1,
        version="0",
    )
    seq, trial = 1, 0
    while True:
        trial += 1
        for event in trial_events(trial, seq):
            seq += 1
            yield event


def trial_events(trial: int, after: int) -> Iterator[ev.Event]:
    """The events of one trial."""
    point = {"oxygen": 0.5 + 0.001 * trial, "temperature": 312.5, "power": 120.0, "argon": 0.55}
    yield ev.TrialProposed(
        trial=trial,
        after=after,
        proposal=Proposal(
            point=point,
            source="model",
            why="expected to improve the resistivity; nearest measured point: trial 3",
            predicted={"resistivity": Prediction(mean=1.25e-3, sd=0.2, on_log10=True)},
            acquisition=0.125,
        ),
    )
    deposit = f"t{trial}.deposit"
    yield dispatched(deposit, trial, None, "chamber", "deposit", dict(point))
    for n in range(18):
        inner = f"{deposit}.{n}"
        yield dispatched(inner, trial, deposit, "oxygen", "set_flow", {"flow": 0.5 + n})
        yield ev.ActionDone(ticket=inner, results={"flow": 0.5 + n, "pressure": 0.551})
    yield ev.ActionDone(ticket=deposit, results={"thickness": 131.5, "rate": 0.109})
    yield ev.Observed(trial=trial, metric="resistivity", value=1.5e-3, unit="ohm*cm", sd=2e-5)
    yield ev.TrialDone(trial=trial)


def dispatched(
    ticket: str,
    trial: int,
    parent: str | None,
    resource: str,
    action: str,
    arguments: dict[str, float | int | str],
) -> ev.ActionDispatched:
    """An intent."""
    return ev.ActionDispatched(
        ticket=ticket,
        parent=parent,
        trial=trial,
        step="deposit",
        resource=resource,
        action=action,
        arguments=arguments,
        arguments_hash="0123456789abcdef",
        effect="idempotent",
    )


@contextmanager
def timed(what: str, n: int) -> Iterator[None]:
    """Prints wall and CPU time of a block that treats `n` events."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:<58}{wall:8.3f} s wall {cpu:8.3f} s CPU {n / wall:10,.0f} events/s")


async def append(journal: LeasedJournal, events: Sequence[ev.Event]) -> None:
    """One commit each, as a step's intents and results are."""
    for event in events:
        await journal.append([event], at=0.0)


async def measure_appends(store: Store) -> None:
    """Single appends, then those of eight that wait for their own."""
    journal = store.lease(store.create("appends", "").id, "benchmark")
    events = list(islice(campaign_events(), N_APPENDS))
    latencies = []
    with timed("appends, one after the other", N_APPENDS):
        for event in events:
            start = time.perf_counter()
            await journal.append([event], at=0.0)
            latencies.append(time.perf_counter() - start)
    latencies.sort()
    median, p99 = latencies[N_APPENDS // 2], latencies[N_APPENDS * 99 // 100]
    print(f"{'':<6}of one append: median {median * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms")
    with timed("appends, 8 at a time", 4 * N_APPENDS):
        await asyncio.gather(*(append(journal, events[: N_APPENDS // 2]) for _ in range(8)))
    await journal.close()


async def fill(store: Store) -> str:
    """A campaign of N_EVENTS events."""
    journal = store.lease(store.create("large", "").id, "benchmark")
    events = list(islice(campaign_events(), N_EVENTS))
    with timed(f"{N_EVENTS:,} events appended by the thousand", N_EVENTS):
        for first in range(0, N_EVENTS, 1000):
            await journal.append(events[first : first + 1000], at=float(first))
    await journal.close()
    return journal.campaign


def open_large(where: str, campaign: str) -> None:
    """Opens a campaign as an engine does at its start."""
    with timed(f"{N_EVENTS:,} events opened (read, checked, parsed, folded)", N_EVENTS):
        store = open_store(where)
        state = fold(store.read(campaign))
    assert state.n_events == N_EVENTS
    del state
    with timed(f"{N_EVENTS:,} events verified", N_EVENTS):
        assert store.verify(campaign) == N_EVENTS
    store.close()


def describe(where: str) -> None:
    """Machine and versions."""
    import sqlite3

    parts = ", ".join(f"{name} {version(name)}" for name in ("SQLAlchemy", "pydantic"))
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
    print(f"Python {platform.python_version()}, {parts}, SQLite {sqlite3.sqlite_version}")
    kind = "PostgreSQL" if where.startswith("postgresql:") else "SQLite file"
    print(f"store: {kind}\n")


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", help="default: an SQLite file in a folder that is then removed")
    parser.add_argument("--open", metavar="CAMPAIGN", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.open:
        open_large(options.store, options.open)
        return
    with tempfile.TemporaryDirectory(prefix="hagane-benchmark-", dir=".") as folder:
        where = options.store or str(Path(folder) / "store.sqlite")
        describe(where)
        store = open_store(where)
        asyncio.run(measure_appends(store))
        campaign = asyncio.run(fill(store))
        store.close()
        command = [sys.executable, __file__, "--store", where, "--open", campaign]
        for _ in range(3):
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
