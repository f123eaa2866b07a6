"""Resources that a file declares, in a lab: known before anything opens, refused at their line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator import plugins
from orchestrator.errors import FileProblems
from orchestrator.files.lab import load_lab
from orchestrator.model.lab import Lab
from orchestrator.runtime.load import load

DECLARATIONS = Path(__file__).parents[1] / "drivers" / "declarations"
LAB = """\
lab: a bench
resources:
  psu: {kind: scpi, declared: instruments/supply.yaml, port: "socket://127.0.0.1:5025"}
  oven: {kind: http, declared: instruments/oven.yaml, port: "http://127.0.0.1:8080"}
roles: {supply: psu, oven: oven}
limits:
  psu.set_voltage: {voltage: {max: 12 V}}
interlocks: [never psu.set_voltage while oven.temperature > 50 degC until psu.off]
"""
CAMPAIGN = """\
name: wires
goal: much charge
space: {duration: {real: [0.1, 5], unit: s}}
roles: {oven: Heater}
recipe:
  - heat: {do: oven.set_temperature, temperature: 120 degC}
  - look: {do: oven.temperature}
metrics: {found: {value: =look.value, unit: degC}}
objective: {maximise: found}
budget: {trials: 3}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "instruments").mkdir()
    for name in ("supply", "oven"):
        shutil.copy(DECLARATIONS / f"{name}.yaml", tmp_path / "instruments")
    (tmp_path / "lab.yaml").write_text(LAB)
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    return tmp_path


def loaded(folder: Path) -> Lab:
    installed = plugins.installed("resources"), plugins.installed("twins")
    return load_lab(folder / "lab.yaml", plugins.resource_kind, *installed)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def refused(folder: Path) -> str:
    with pytest.raises(FileProblems) as caught:
        loaded(folder)
    return str(caught.value)


def test_limits_and_interlocks_are_held_against_declared_actions(folder: Path) -> None:
    lab = loaded(folder)
    assert lab.limits[0].high == 12.0
    assert lab.interlocks[0].reading == "temperature"
    kinds = plugins.kinds_of(lab)
    assert set(kinds["psu"].actions) > {"set_voltage", "off", "pulse", "voltage"}
    edit(folder / "lab.yaml", "psu.set_voltage: {voltage", "psu.set_volts: {voltage")
    assert "'set_volts'" in refused(folder)


def test_a_mistake_of_a_declaration_is_told_with_its_line_at_the_resource(folder: Path) -> None:
    edit(folder / "instruments" / "supply.yaml", "low: 0, high: 30", "low: 0")
    said = refused(folder)
    assert "lab.yaml:3:31" in said
    assert "supply.yaml line 22: the number 'voltage' needs its limits" in said


def test_a_declaration_belongs_to_kinds_that_can_be_declared_and_to_no_other(folder: Path) -> None:
    edit(folder / "lab.yaml", "declared: instruments/oven.yaml, ", "")
    assert "'oven' (http) needs 'declared: FILE'" in refused(folder)
    edit(folder / "lab.yaml", "kind: http, port", "kind: pfeiffer-tpg, declared: x.yaml, port")
    assert "'pfeiffer-tpg' is a driver, and cannot be declared" in refused(folder)


def test_the_content_of_a_declaration_belongs_to_the_lab(folder: Path) -> None:
    first = loaded(folder)
    edit(folder / "instruments" / "supply.yaml", "high: 30", "high: 15")
    second = loaded(folder)
    assert first.file_hash != second.file_hash
    assert first.text == second.text


def test_a_campaign_is_refused_that_the_declared_instrument_does_not_fit(folder: Path) -> None:
    with pytest.raises(FileProblems, match="'http' has no action 'off', which Heater needs"):
        load(folder / "campaign.yaml", folder / "lab.yaml")


def test_a_campaign_is_refused_that_goes_beyond_a_declared_limit(folder: Path) -> None:
    edit(
        folder / "instruments" / "oven.yaml",
        "  stamp:\n    says: Marks the sample.\n    effect: irreversible\n",
        "  off:\n    says: Stops.\n    effect: idempotent\n",
    )
    load(folder / "campaign.yaml", folder / "lab.yaml")
    edit(folder / "campaign.yaml", "120 degC", "320 degC")
    with pytest.raises(FileProblems, match="320"):
        load(folder / "campaign.yaml", folder / "lab.yaml")


def test_one_file_declares_many_resources_each_of_a_kind_of_its_own(folder: Path) -> None:
    edit(
        folder / "lab.yaml",
        "roles:",
        '  second: {kind: scpi, declared: instruments/supply.yaml, port: "socket://127.0.0.1:5026"}\n'
        "roles:",
    )
    kinds = plugins.kinds_of(loaded(folder))
    assert kinds["psu"].actions == kinds["second"].actions
    assert plugins.resource_kind("scpi").actions == {}
