"""Trials as a table for spreadsheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.files.spreadsheet import table_in
from orchestrator.reports.export import trials_table
from orchestrator.runtime.result_units import result_units
from orchestrator.runtime.trials import MOST, export_trials
from tests.reports.sample_campaign import niobium_titania, sample_state


def test_a_sheet_of_trials_has_the_cells_of_the_csv(tmp_path: Path) -> None:
    campaign, state = niobium_titania(), sample_state()
    sheet = table_in(export_trials(campaign, state, tmp_path / "trials.xlsx"))
    plain = table_in(export_trials(campaign, state, tmp_path / "trials.csv"))
    assert sheet.columns == plain.columns
    header, rows = trials_table(campaign, state, result_units(campaign))
    for column in header:
        numbers = [row[header.index(column)] for row in rows]
        read = sheet.texts(column)
        if all(isinstance(n, float | int) for n in numbers):
            assert [float(text) for text in read] == pytest.approx(numbers, rel=1e-15)
        else:
            assert len(read) == len(rows)


def test_a_text_that_no_cell_can_hold_is_named_as_left_out(tmp_path: Path) -> None:
    campaign, state = niobium_titania(), sample_state()
    state.trials[1].sentence = "x" * (MOST + 1)
    sheet = table_in(export_trials(campaign, state, tmp_path / "trials.xlsx"))
    assert sheet.texts("sentence")[0] == "left out: too long for a cell, the CSV has it"
    plain = table_in(export_trials(campaign, state, tmp_path / "trials.csv"))
    assert plain.texts("sentence")[0] == state.trials[1].sentence
