"""The same scan by bluesky's RunEngine. Run by `engine.py` in an environment of bluesky's own.

    .venv-bench-bluesky/bin/python benchmarks/engine_bluesky.py FOLDER N_POINTS WRITER DEVICES

A point is a checkpoint, `mv` of a stage and `trigger_and_read` of detector and stage, as in
bluesky's own scans. WRITER: `none`, `lines` (one JSON line per document, left to the system's
cache) or `flushed` (each line on disk before the plan goes on). DEVICES: `plain` (the least that
the protocols ask for) or `ophyd` (`ophyd.sim`'s simulated axis and detector).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bluesky import RunEngine
from bluesky import plan_stubs as bps


class Done:
    """A status that is done when it is made."""

    done = True
    success = True

    def exception(self, timeout: float | None = None) -> None:
        """None: it went well."""

    def add_callback(self, callback: Callable[[Any], None]) -> None:
        """Calls at once."""
        callback(self)


class Device:
    """What stage and detector share: a name and one number to read."""

    parent = None
    hints: dict[str, Any] = {}  # noqa: RUF012 (bluesky only reads it)

    def __init__(self, name: str, of: Device | None = None) -> None:
        self.name = name
        self.value = 0.0
        self._of = of or self

    def read(self) -> dict[str, Any]:
        """The value now."""
        return {self.name: {"value": self._of.value, "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        """A number."""
        return {self.name: {"source": "benchmark", "dtype": "number", "shape": []}}

    def read_configuration(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        """Nothing."""
        return {}


class Stage(Device):
    """A stage that takes no time."""

    def set(self, value: float) -> Done:
        """Moves."""
        self.value = value
        return Done()

    @property
    def position(self) -> float:
        """Where it is."""
        return self.value


class Detector(Device):
    """A detector that takes no time."""

    def trigger(self) -> Done:
        """Measures."""
        return Done()


def devices(kind: str) -> tuple[Any, Any]:
    """Stage and detector."""
    if kind == "ophyd":
        from ophyd.sim import det, motor

        return motor, det
    stage = Stage("stage")
    return stage, Detector("detector", stage)


def writer(kind: str, folder: Path) -> Callable[[str, dict[str, Any]], None] | None:
    """What takes the documents."""
    if kind == "none":
        return None
    file = (folder / "documents.jsonl").open("w")

    def write(name: str, document: dict[str, Any]) -> None:
        file.write(json.dumps([name, document]) + "\n")
        if kind == "flushed":
            file.flush()
            os.fsync(file.fileno())

    return write


def scan(stage: Any, detector: Any, n_points: int) -> Iterator[Any]:
    """As `bluesky.plans.scan`, without its metadata."""
    yield from bps.open_run()
    for n in range(n_points):
        yield from bps.checkpoint()
        yield from bps.mv(stage, 10.0 * n / n_points)
        yield from bps.trigger_and_read([detector, stage])
    yield from bps.close_run()


def main() -> None:
    """Scans, and prints as JSON when each event was emitted."""
    folder, n_points, writes, kind = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    wall: list[float] = []
    cpu: list[float] = []

    def watch(name: str, _document: dict[str, Any]) -> None:
        if name == "event":
            wall.append(time.perf_counter())
            cpu.append(time.process_time())

    engine = RunEngine({})
    write = writer(writes, folder)
    if write is not None:
        engine.subscribe(write)
    engine.subscribe(watch)
    engine(scan(*devices(kind), n_points))
    assert len(wall) == n_points
    print(json.dumps({"wall": wall, "cpu": cpu, "versions": {"bluesky": version("bluesky")}}))


if __name__ == "__main__":
    main()
