"""A process as it went: what the parts of a sputter tool read, once a second, as a table.

These readings are telemetry. None of them can fail the process: what cannot be read is left empty,
and the next action of the tool says what is wrong.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from orchestrator.errors import DeviceError
from orchestrator.ports.dispatch import Dispatch

NAME = "process.csv"
_TIME, _PHASE = "time [s]", "phase"
_READ = {
    ("gauge", "pressure"): {"value": "pressure [Pa]"},
    ("heater", "temperature"): {"value": "temperature [degC]"},
    ("argon", "flow"): {"value": "argon [sccm]"},
    ("oxygen", "flow"): {"value": "oxygen [sccm]"},
    ("monitor", "growth"): {"thickness": "thickness [nm]", "rate": "rate [nm/min]"},
}
_PLASMA = {"power": "power [W]", "voltage": "voltage [V]", "current": "current [mA]"}


class ProcessTrace:
    """Rows of readings of the parts of a tool with these `supplies`, every `every_s` seconds.

    Zero takes none. A row is not begun where the last one took longer than what is left to wait.
    """

    def __init__(self, supplies: tuple[str, ...], every_s: float) -> None:
        self.phase = "gases"
        self._every_s = every_s
        self._takes_s = 0.0
        self._rows: list[dict[str, float | str]] = []
        self._columns: dict[tuple[str, str], Mapping[str, str]] = {**_READ}
        for supply in supplies:
            mine = {key: f"{supply} {column}" for key, column in _PLASMA.items()}
            self._columns[supply, "plasma"] = mine

    async def wait(self, dispatch: Dispatch, seconds: float) -> None:
        """Lets time pass, and reads meanwhile. Raises Stopped."""
        end = dispatch.clock.now() + max(0.0, seconds)
        while self._every_s > 0 and end - dispatch.clock.now() > self._takes_s:
            next_at = dispatch.clock.now() + self._every_s
            await self.read(dispatch)
            await dispatch.sleep(max(0.0, min(next_at, end) - dispatch.clock.now()))
        await dispatch.sleep(max(0.0, end - dispatch.clock.now()))

    async def read(self, dispatch: Dispatch) -> None:
        """One row."""
        if self._every_s <= 0:
            return
        started = dispatch.clock.now()
        row: dict[str, float | str] = {_TIME: started, _PHASE: self.phase}
        for (part, reading), columns in self._columns.items():
            found = await _look(dispatch, part, reading)
            row |= {column: found[key] for key, column in columns.items() if key in found}
        self._takes_s = dispatch.clock.now() - started
        self._rows.append(row)

    def voltages(self, supply: str, since: float) -> list[float]:
        """The target voltages that were read from a campaign time on."""
        column = self._columns[supply, "plasma"]["voltage"]
        rows = (row for row in self._rows if float(row[_TIME]) >= since)
        return [float(row[column]) for row in rows if column in row]

    def text(self) -> str:
        """As CSV, with times from the first row on; nothing where there is no row."""
        if not self._rows:
            return ""
        start = float(self._rows[0][_TIME])
        names = [column for columns in self._columns.values() for column in columns.values()]
        written = io.StringIO()
        table = csv.DictWriter(written, [_TIME, _PHASE, *names], lineterminator="\n")
        table.writeheader()
        for row in self._rows:
            numbers = {k: f"{v:.6g}" for k, v in row.items() if isinstance(v, float | int)}
            numbers[_TIME] = f"{float(row[_TIME]) - start:.3f}"
            table.writerow({**row, **numbers})
        return written.getvalue()


async def _look(dispatch: Dispatch, part: str, reading: str) -> Mapping[str, Any]:
    try:
        return await dispatch.look(part, reading)
    except DeviceError:
        return {}
