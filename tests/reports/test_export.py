"""Trials as a table with units."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.engine.history import Past
from orchestrator.errors import InputError
from orchestrator.files.rows import rows_of
from orchestrator.files.table import read_table
from orchestrator.model.campaign import Campaign
from orchestrator.model.state import State
from orchestrator.model.trial import FailureCause, TrialStatus
from orchestrator.reports.export import trials_table, write_csv
from tests.reports.sample_campaign import niobium_titania, sample_state


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return niobium_titania()


def test_every_trial_has_a_row_with_units_in_the_header(campaign: Campaign) -> None:
    header, rows = trials_table(campaign, sample_state())
    assert len(rows) == 40
    assert all(len(row) == len(header) for row in rows)
    assert len(set(header)) == len(header)
    assert {"oxygen [sccm]", "temperature [degC]", "resistivity [ohm*cm]"} <= set(header)


def test_a_row_holds_everything_that_came_of_the_trial(campaign: Campaign) -> None:
    header, rows = trials_table(campaign, sample_state(), {"deposit.thickness": "nm"})
    first = dict(zip(header, rows[1], strict=True))
    assert first["resistivity censored"] == "above"
    assert first["resistivity [ohm*cm]"] == 1.0
    assert first["deposit.thickness [nm]"] == first["thickness [nm]"]
    assert first["samples"] == "film-002"
    assert str(first["ended at"]).startswith("2026-03-02T15:0")
    failed = dict(zip(header, rows[22], strict=True))
    assert (failed["status"], failed["cause"]) == ("failed", "interlock")
    assert failed["resistivity [ohm*cm]"] == ""
    planned = dict(zip(header, rows[20], strict=True))
    assert planned["predicted resistivity sd unit"] == "decades"
    assert planned["source"] == "model"


def test_the_csv_reads_back_to_the_same_numbers(tmp_path: Path, campaign: Campaign) -> None:
    state = sample_state()
    path = write_csv(campaign, state, tmp_path / "deep" / "trials.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    header, table = trials_table(campaign, state)
    assert [list(map(str, row)) for row in table] == [list(row.values()) for row in rows]
    assert float(rows[0]["oxygen [sccm]"]) == table[0][header.index("oxygen [sccm]")]


def test_what_failed_has_failed_when_the_csv_is_read_as_results(
    tmp_path: Path, campaign: Campaign
) -> None:
    state = sample_state()
    kept = state.trials[3]  # it has failed after all that is wanted was measured
    state.trials[3] = replace(kept, status=TrialStatus.FAILED, cause=FailureCause.DEVICE)
    known = Past(campaign).history(state).evaluated
    path = write_csv(campaign, state, tmp_path / "trials.csv")
    wanted = [campaign.metric(name) for name in campaign.objective.metrics]
    rows = rows_of(read_table(path), campaign.space, wanted)
    found = {
        number: (r.trial.failed, r.trial.blames_parameters)
        for number, r in enumerate(rows, start=1)
        if not r.is_pending
    }
    assert found == {e.trial: (e.failed, e.blames_parameters) for e in known}
    assert found[3] == (True, False)
    assert rows[2].trial.outcomes


def test_a_campaign_without_trials_gives_a_header_only(campaign: Campaign) -> None:
    header, rows = trials_table(campaign, State())
    assert rows == []
    assert "resistivity [ohm*cm]" in header


def test_a_file_that_cannot_be_written_is_one_clear_error(
    tmp_path: Path, campaign: Campaign
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        write_csv(campaign, State(), tmp_path / "file" / "trials.csv")
