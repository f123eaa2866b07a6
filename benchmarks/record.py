"""How a figure is kept: machine, versions, every value; printed as median and range."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]
QUIET_SHARE = 0.9
"""A machine is quiet when a process on each core at once gets this much of it."""


def machine(*distributions: str) -> dict[str, Any]:
    """Where and on what it is measured. Other processes show in `load`."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "load": [round(number, 2) for number in os.getloadavg()],
        "versions": {name: version(name) for name in ("hagane", *distributions)},
        "revision": revision(),
    }


def revision() -> str:
    """The commit of this working copy, with `-dirty` where it has changes; '' without git."""
    words = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return said.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def describe(where: Mapping[str, Any]) -> str:
    """The machine in two lines."""
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    load = " ".join(map(str, where["load"]))
    return (
        f"{where['date']}  {where['processor']}, {where['cores']} cores, load {load}\n"
        f"{where['platform']}, Python {where['python']}, {versions}"
    )


def core_share() -> float:
    """How much of a core each of as many processes as there are cores gets just now."""
    with ProcessPoolExecutor() as pool:
        return statistics.median(pool.map(_spin, range(os.cpu_count() or 1)))


def _spin(_number: int) -> float:
    wall, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < 0.3:
        pass
    return (time.process_time() - cpu) / (time.perf_counter() - wall)


def verdict(values: Sequence[float], limit: float, *, is_quiet: bool) -> str:
    """Whether the median keeps a limit; a busy machine can show that it does, not that it fails."""
    if statistics.median(values) <= limit:
        return "met"
    return "MISSED" if is_quiet else "not shown: the machine is busy"


def keep(name: str, entry: Mapping[str, Any]) -> None:
    """Appends a JSON line to results/NAME.jsonl."""
    file = RESULTS / f"{name}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.write(json.dumps(entry) + "\n")


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median and range."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def flush_ms(folder: Path, n: int = 50) -> float:
    """The median time to write 4 kB and have them on disk: how quiet the disk is just now."""
    took = []
    with (folder / "flush").open("wb", buffering=0) as file:
        for _ in range(n):
            file.write(bytes(4096))
            start = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - start)
    return 1e3 * statistics.median(took)


@contextmanager
def private_folder() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder on the disk of this checkout, and an environment in which Hagane keeps to it.

    Compiled modules are kept, as they are where nobody forbids it: a second start compiles nothing.
    The short name in the temporary directory is for sockets, whose paths may not be long.
    """
    with (
        tempfile.TemporaryDirectory(prefix="hagane-benchmark-", dir=ROOT) as folder,
        tempfile.TemporaryDirectory(prefix="hb-") as short,
    ):
        environment = dict(os.environ, HAGANE_DATA=folder, XDG_RUNTIME_DIR=short)
        environment["PYTHONPATH"] = str(ROOT)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield Path(folder), environment


def command(name: str) -> str:
    """A command of this environment."""
    return str(Path(sys.executable).with_name(name))
