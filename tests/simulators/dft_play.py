"""What tests of programs that compute structures share: one calculation, asked as a lab does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.clock import WallClock
from orchestrator.executor.known import KnownResults
from orchestrator.executor.local import LocalCompute
from orchestrator.plugins import resource_kind
from orchestrator.ports.action import Ticket
from orchestrator.ports.resource import Bench

RYDBERG_EV = 13.605693122994
SAMPLE = Path("/usr/share/espresso/pseudo")
needs_pw = pytest.mark.skipif(
    shutil.which("pw.x") is None or not SAMPLE.is_dir(),
    reason="needs pw.x (Debian's packages quantum-espresso and quantum-espresso-data)",
)


@contextmanager
def espresso(folder: Path, name: str = "a", **options: Any) -> Iterator[Any]:
    """A resource of the kind `espresso` with coarse settings, and its results in a folder."""
    clock = WallClock()
    compute = LocalCompute(folder / name, clock, results=KnownResults(folder / "results"))
    coarse = {"ecutwfc": 12 * RYDBERG_EV, "k_density": 0.5, **options}
    try:
        yield resource_kind("espresso").cls(
            Bench(name="dft", clock=clock, compute=compute), **coarse
        )
    finally:
        compute.close()


async def asked(folder: Path, action: str, text: str, name: str = "a", **options: Any) -> Any:
    """The result of one action."""
    with espresso(folder, name, **options) as resource:
        await resource.open()
        return await getattr(resource, action)(structure=text, ticket=Ticket("t1"))


def script(path: Path, text: str) -> str:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def processes_in(folder: Path) -> dict[int, str]:
    """Names, by process id, of the processes that work in a folder or below it."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            where = os.readlink(entry / "cwd").removesuffix(" (deleted)")  # noqa: PTH115
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            name = (entry / "comm").read_text().strip()
        except OSError:
            continue
        if Path(where).is_relative_to(folder) and state != "Z":
            found[int(entry.name)] = name
    return found
