"""Arguments of a step that are files beside the campaign file."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_kinds import PLANNERS

from orchestrator.errors import FileProblems
from orchestrator.files.campaign import load_campaign
from orchestrator.plugins import capability

CAMPAIGN = """\
name: hull
space:
  metal: {choice: [Cu, Ni]}
roles: {calculator: StructureCalculation}
recipe:
  - form: {do: calculator.energy_above_hull, structure: =metal, entries: references.csv}
metrics:
  height: {value: =form.energy_above_hull, unit: eV}
objective: {minimise: height}
budget: {trials: 2}
"""


def test_a_file_is_found_beside_the_campaign_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "campaign"
    folder.mkdir()
    (folder / "campaign.yaml").write_text(CAMPAIGN)
    (folder / "references.csv").write_text("name,structure\n")
    monkeypatch.chdir(tmp_path)
    path = Path("campaign") / "campaign.yaml"
    campaign = load_campaign(path, capability, ("StructureCalculation",), PLANNERS)
    arguments = {argument.name: argument for argument in campaign.step("form").arguments}
    assert arguments["entries"].literal == str(folder / "references.csv")


def test_a_file_that_is_not_there_is_a_mistake_of_the_campaign(tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    with pytest.raises(FileProblems) as caught:
        load_campaign(tmp_path / "campaign.yaml", capability, ("StructureCalculation",), PLANNERS)
    (problem,) = caught.value.problems
    assert problem.message == "there is no file 'references.csv'"
    assert problem.line == 6
