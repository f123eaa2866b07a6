"""Tables of computed candidates: made once, gone on with where they were stopped."""

from __future__ import annotations

import contextlib
import csv
import functools
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulators.atomistic.computing import run
from simulators.atomistic.elements import element_text
from simulators.atomistic.structures import atoms_of

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "screening"
FAILED = "failed"


def read_pool(path: Path) -> dict[str, str]:
    """Structures by the name of their candidate."""
    with path.open(newline="") as file:
        return {row["name"]: row["structure"] for row in csv.DictReader(file)}


def read_truth(path: Path, metrics: Sequence[str]) -> dict[str, tuple[float, ...] | None]:
    """What was computed of each candidate; None where that failed."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["name"]: None
        if row[metrics[0]] == FAILED
        else tuple(float(row[metric]) for metric in metrics)
        for row in rows
    }


def complete(
    path: Path,
    pool: Mapping[str, str],
    metrics: Sequence[str],
    compute: Callable[[str], Sequence[float]],
) -> None:
    """Computes the candidates that the table lacks, and says what that took."""
    done = read_truth(path, metrics)
    path.parent.mkdir(parents=True, exist_ok=True)
    begun, is_new = time.process_time(), not path.exists()
    with path.open("a", newline="") as file, elsewhere():
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(["name", *metrics])
        for name in [name for name in pool if name not in done]:
            try:
                row = [f"{value:.5f}" for value in compute(pool[name])]
            except (RuntimeError, ValueError):
                row = [FAILED] * len(metrics)
            writer.writerow([name, *row])
            file.flush()
    seconds = time.process_time() - begun
    print(f"{len(pool) - len(done)} of {len(pool)} candidates in {seconds:.0f} s of CPU time")


def formation(structure: str, maker: str, settings: Mapping[str, Any]) -> tuple[str, float]:
    """A structure at rest, and its energy of formation (eV per atom) from its elements."""
    found = run("relax", structure, maker, settings)
    symbols = list(atoms_of(structure).symbols)
    named = tuple(sorted(settings.items()))
    reference = sum(element_energy(symbol, maker, named) for symbol in symbols) / len(symbols)
    return found["structure"], found["energy"] - reference


@functools.cache
def element_energy(element: str, maker: str, settings: tuple[tuple[str, Any], ...]) -> float:
    """Energy (eV per atom) of an element at rest. Raises InputError, RuntimeError, ValueError."""
    return float(run("relax", element_text(element), maker, dict(settings))["energy"])


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """A folder for what relaxations log."""
    with tempfile.TemporaryDirectory() as folder:
        before = Path.cwd()
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
