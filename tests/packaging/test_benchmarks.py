"""Every benchmark can be begun: what it takes from the packages is where it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PEERS = "peers"
"""Scripts that run in the environment of another package."""
MODULES = sorted(
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for file in (ROOT / "benchmarks").rglob("*.py")
    if PEERS not in file.parts and file.stem not in ("__main__", "engine_bluesky")
)
OURS = ("orchestrator", "drivers", "simulators", "campaigns", "benchmarks")


def test_there_are_benchmarks() -> None:
    assert len(MODULES) > 30


def test_every_benchmark_finds_what_it_imports_of_ours() -> None:
    lines = [
        "import importlib, sys",
        f"sys.path.insert(0, {str(ROOT)!r})",
        f"for name in {MODULES!r}:",
        "    try: importlib.import_module(name)",
        "    except ModuleNotFoundError as error:",
        "        print(name, error.name)",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    absent = [line.split() for line in done.stdout.splitlines()]
    ours = [f"{name}: {missing}" for name, missing in absent if missing.split(".")[0] in OURS]
    if ours:
        pytest.fail("; ".join(ours))
