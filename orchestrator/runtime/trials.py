"""The trials of a campaign as a table of whatever kind: CSV, or a sheet for spreadsheets."""

from __future__ import annotations

from pathlib import Path

from orchestrator.materials.sheet import Column, write_xlsx
from orchestrator.model.campaign import Campaign
from orchestrator.model.state import State
from orchestrator.reports.export import trials_table, write_csv
from orchestrator.runtime.result_units import result_units

TABLES = (".csv", ".xlsx")
"""Endings of tables of trials."""
MOST = 32_767
"""Characters in a cell of a spreadsheet."""


def export_trials(campaign: Campaign, state: State, path: Path) -> Path:
    """Writes a row for each trial, as CSV or as XLSX by the ending of the path. In a sheet a text
    that no cell can hold (a series of numbers) is named as left out.

    Raises:
        InputError: the file cannot be written, or XlsxWriter is not installed.
    """
    units = result_units(campaign)
    if path.suffix.lower() == ".csv":
        return write_csv(campaign, state, path, units)
    header, rows = trials_table(campaign, state, units)
    columns = [Column(title, shown="General") for title in header]
    return write_xlsx(path, columns, [[_held(cell) for cell in row] for row in rows])


def _held(cell: float | int | str) -> float | int | str:
    is_long = isinstance(cell, str) and len(cell) > MOST
    return "left out: too long for a cell, the CSV has it" if is_long else cell
