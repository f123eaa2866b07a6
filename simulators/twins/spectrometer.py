"""A spectrometer with a probe in a vessel, driven by a program that takes jobs from a folder.

A job is a file `NAME.job` with one line, the name under which to save. The program takes the
oldest, measures, and writes `NAME.csv` row by row: it is open, and grows, for half a minute.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.ports.clock import Clock
from simulators.lab.dyes import absorbance, measured
from simulators.twins.folder import FolderWire

WAVELENGTHS = tuple(range(380, 781, 5))
SAVING_S = 30.0


@dataclass
class _Scan:
    """A spectrum on its way into its file."""

    rows: deque[str]
    since: float
    n: int
    number: int


class Spectrometer:
    """`look` gives what is in the vessel (volumes by liquid)."""

    def __init__(self, seed: int, clock: Clock, look: Callable[[], Mapping[str, float]]) -> None:
        self._seed, self._clock, self._look = seed, clock, look
        self._scan: _Scan | None = None
        self.n_spectra = 0

    def wire(self) -> FolderWire:
        """The folder of its program."""
        return FolderWire(self._act)

    def _act(self, folder: Path) -> None:
        now = self._clock.now()
        if self._scan is not None:
            self._go_on(self._scan, now)
        if self._scan is None:
            jobs = sorted(folder.glob("*.job"), key=lambda job: job.stat().st_mtime_ns)
            if jobs:
                name = jobs[0].read_text("utf-8").strip()
                jobs[0].unlink()
                self._begin(folder / f"{name}.csv", name, now)

    def _begin(self, path: Path, name: str, now: float) -> None:
        volumes = self._look()
        rows = deque(["Integration time: 100 ms\n", "Wavelength [nm];Absorbance\n"])
        for wavelength in WAVELENGTHS:
            seen = measured(absorbance(volumes, wavelength), self._seed, name, wavelength)
            rows.append(f"{wavelength};{seen:.5f}\n")
        # a descriptor, not a file object: one that is forgotten with its world warns of nothing
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._scan = _Scan(rows, now, len(rows), number)
        self.n_spectra += 1

    def _go_on(self, scan: _Scan, now: float) -> None:
        share = min(1.0, (now - scan.since) / SAVING_S)
        n_due = round(share * scan.n) - (scan.n - len(scan.rows))
        text = "".join(scan.rows.popleft() for _ in range(n_due))
        os.write(scan.number, text.encode())
        if not scan.rows:
            os.close(scan.number)
            self._scan = None
