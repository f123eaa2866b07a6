"""The lab files of real ports that ship with campaigns: right, and honest about what was tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator import plugins
from orchestrator.cli.app import app
from orchestrator.runtime.load import load

FILES = sorted((Path(__file__).parents[2] / "campaigns").glob("*/hardware.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_a_hardware_file_fits_its_campaign_and_says_that_it_was_never_run(file: Path) -> None:
    loaded = load(file.parent, file)
    words = " ".join(loaded.lab.text.replace("#", "").split())
    assert "THIS FILE HAS NEVER BEEN RUN: no driver here was ever tried on hardware." in words
    said = CliRunner().invoke(app, ["check", str(file.parent), "--lab", "hardware.yaml"])
    assert said.exit_code == 0
    assert f"tried on hardware: no ({', '.join(loaded.kinds)})" in said.output.splitlines()


def test_there_is_one_for_each_campaign_on_instruments() -> None:
    assert {file.parent.name for file in FILES} >= {
        *("niobium_titania", "niobium_titania_metal", "composition_spread", "dye_mixing")
    }


def test_every_driver_that_ships_says_whether_it_was_tried_on_hardware() -> None:
    kinds = [plugins.resource_kind(name) for name in plugins.installed("resources")]
    ours = {k.name: k.on_hardware for k in kinds if k.cls.__module__.startswith("drivers.")}
    assert len(ours) > 30
    assert set(ours.values()) == {"no"}
    assert {k.on_hardware for k in kinds if k.name not in ours} == {""}


def test_what_a_kind_was_tried_on_is_shown() -> None:
    shown = CliRunner().invoke(app, ["resource", "show", "alicat"]).output
    assert "tried on hardware: no" in shown.splitlines()
    assert "hardware" not in CliRunner().invoke(app, ["resource", "show", "emt"]).output
