"""What a composite keeps is an artifact of the campaign, and can be had again."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from orchestrator.cli.app import app
from orchestrator.runtime.load import load
from orchestrator.runtime.run import run_in_memory, stage_of
from orchestrator.runtime.scans import export_files

CAMPAIGN = Path(__file__).parents[2] / "campaigns" / "niobium_titania"


def test_the_trace_of_a_film_is_kept_and_written_out(tmp_path: Path) -> None:
    loaded = load(CAMPAIGN, None)
    few = loaded.campaign.budget.model_copy(update={"trials": 2})
    loaded = replace(loaded, campaign=loaded.campaign.model_copy(update={"budget": few}))
    stage = stage_of(loaded)
    finish = run_in_memory(loaded, stage=stage)
    assert [kept.trial for kept in finish.state.kept] == [1, 2]
    assert all(kept.sample for kept in finish.state.kept)
    first, _ = export_files(stage.store, stage.campaign_id, finish.state, tmp_path / "traces")
    assert first.name.startswith("trial-1-")
    rows = list(csv.DictReader(first.read_text().splitlines()))
    assert {row["phase"] for row in rows} == {"gases", "presputter", "growth"}
    whole = tmp_path / "whole.sqlite"
    stage.store.export(stage.campaign_id, whole)
    asked = ["export", str(tmp_path / "again"), "--files", "--store", str(whole)]
    assert CliRunner().invoke(app, asked).exit_code == 0
    assert (tmp_path / "again" / first.name).read_bytes() == first.read_bytes()
