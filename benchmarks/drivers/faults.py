"""Ten thousand seeded faults over every driver with a twin, on real lines.

    python -m benchmarks.drivers.faults [--faults 10000] [--seed 1] [--keep]

Four counts must be nought, and the exit code says whether they are: replies attributed to another
request, commands that must not be repeated and were sent twice, bytes for arguments outside their
limits, calls that hang beyond what their time-outs allow. Three more must be: settings said to be
done that were not, drivers that do not recover by themselves, exceptions that are none of ours.
Beside the second and the third stands of how many, struck by a fault and tried at all. Bits that
were turned in protocols without a checksum are counted apart: nobody can see them.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.drivers.child import Child
from benchmarks.drivers.devices import Bench, benches
from benchmarks.drivers.trials import TIMEOUT_S, Found, Tried
from benchmarks.record import core_share, describe, keep, machine

NOUGHT = {
    "wrong": "replies attributed to the wrong request",
    "twice": "commands that must not be repeated, sent twice",
    "beyond": "calls outside limits of which a byte left",
    "hangs": "calls that hang beyond their time-outs",
    "undone": "settings said to be done that were not",
    "unrecovered": "drivers that do not recover by themselves",
    "crashes": "exceptions that are none of ours",
}
COPIES = 3
AT_ONCE = 48
"""Lines that are played on at a time: pyserial waits by `select`, which knows no more than 1,024
descriptors, and a port takes nine."""


async def play(n: int, seed: int, wanted: Sequence[Bench], copies: int = COPIES) -> list[Found]:
    """As many faults as wanted, each bench on `copies` worlds and with an equal share."""
    found: list[Found] = []
    size = AT_ONCE // copies
    for first in range(0, len(wanted), size):
        some = wanted[first : first + size]
        found += await _play(math.ceil(n * len(some) / len(wanted)), seed, some, copies)
    return found


async def _play(n: int, seed: int, wanted: Sequence[Bench], copies: int) -> list[Found]:
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        children = [await Child.start(Path(folder)) for _ in range(2)]
        tried = [
            Tried(
                bench, f"{bench.world}-{bench.port}-{i}-{copy}", children[i % 2], seed + 1000 * copy
            )
            for copy in range(copies)
            for i, bench in enumerate(wanted)
        ]
        found: list[Found] = []

        def n_struck() -> int:
            return sum(one.struck for one in found)

        async def work(one: Tried) -> None:
            while n_struck() < n:
                found.append(await one.trial())
            await one.close()

        try:
            await asyncio.gather(*(work(one) for one in tried))
        finally:
            for child in children:
                await child.end()
    return found


def count(found: Sequence[Found]) -> dict[str, Any]:
    """The counts of the report."""
    struck = [one for one in found if one.struck]
    faults = Counter(name for one in found for name, _ in one.faults)
    return {
        "trials": len(found),
        "faults": len(struck),
        "kinds": dict(sorted(Counter(one.how for one in struck).items())),
        "drivers": dict(sorted(Counter(one.kind for one in struck).items())),
        "outcomes": dict(sorted(Counter(one.outcome for one in struck).items())),
        "counts": {name: faults[name] for name in NOUGHT},
        "tried": {
            "beyond": sum(one.went_beyond for one in found),
            "twice": sum(one.is_once for one in struck),
        },
        "undetected": dict(
            Counter(one.kind for one in found for name, _ in one.faults if name == "undetected")
        ),
        "longest_s": round(max(one.seconds for one in found), 2),
    }


def show(found: Sequence[Found], report: dict[str, Any]) -> None:
    """Prints the report, and what was wrong."""
    n_kinds, n_drivers = len(report["kinds"]), len(report["drivers"])
    print(f"{report['faults']} faults of {n_kinds} kinds on {n_drivers} drivers")
    for name in ("kinds", "drivers", "outcomes"):
        print(f"  {name}: " + ", ".join(f"{key} {n}" for key, n in report[name].items()))
    for name, sentence in NOUGHT.items():
        of = f" (of {report['tried'][name]})" if name in report["tried"] else ""
        print(f"{report['counts'][name]:6}  {sentence}{of}")
    print(f"{sum(report['undetected'].values()):6}  spoilt bits that no checksum shows")
    print(f"the longest call took {report['longest_s']} s")
    bad = [(one, name, said) for one in found for name, said in one.faults if name in NOUGHT]
    for one, name, said in bad[:40]:
        print(f"  {name}: {one.kind}.{one.action} under {one.how} ({one.outcome}): {said}")


def main() -> None:
    """Plays, prints and keeps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", action="append", default=[], help="only these ports")
    parser.add_argument("--keep", action="store_true", help="append to results/drivers")
    options = parser.parse_args()
    wanted = [b for b in benches() if not options.port or b.port in options.port]
    where = machine("pyserial")
    print(describe(where), flush=True)
    began = time.monotonic()
    found = asyncio.run(play(options.faults, options.seed, wanted))
    report = count(found)
    show(found, report)
    took_s = round(time.monotonic() - began, 1)
    share = round(core_share(), 2)
    print(f"in {took_s} s; time-out of a reply {TIMEOUT_S} s; a core gives {share} of itself now")
    if options.keep:
        entry = {"machine": where, "seed": options.seed, "core_share": share, "took_s": took_s}
        keep("drivers/faults", {**entry, **report})
    sys.exit(1 if any(report["counts"].values()) else 0)


if __name__ == "__main__":
    main()
