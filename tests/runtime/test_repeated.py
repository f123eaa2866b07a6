"""A campaign that is run once more, in another store, computes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from orchestrator.errors import Exit
from orchestrator.runtime.run import Finish, run_campaign
from orchestrator.runtime.sites import folder_of

CAMPAIGN = """\
name: metals
space: {crystal: {pool: metals.extxyz}}
roles: {calculator: StructureCalculation}
recipe:
  - form: {do: calculator.formation_energy, structure: =crystal.structure}
  - press: {do: calculator.energy, structure: =form.structure}
metrics:
  stability: {value: =form.formation_energy, unit: eV}
  energy: {value: =press.energy, unit: eV}
objective: {minimise: stability}
planner: {kind: random}
budget: {trials: 2}
seed: 3
"""
LAB = "lab: here\nresources: {emt: {kind: emt-structures}}\nroles: {calculator: emt}\n"


def run(folder: Path, store: str) -> Finish:
    finish = run_campaign(folder, store=folder / store)
    assert finish.ending.exit_code is Exit.FINISHED, finish.ending.sentence
    return finish


def reused(finish: Finish) -> list[object]:
    """What each step of each trial says of where its result is from."""
    dispatched = finish.state.dispatches.values()
    assert {one.outcome for one in dispatched} == {"done"}
    return [one.results["reused"] for one in dispatched]


def observed(finish: Finish) -> list[tuple[object, list[float]]]:
    trials = finish.state.trials.values()
    return [(t.proposal.point["crystal"], [o.event.value for o in t.observations]) for t in trials]


def test_a_repeated_campaign_costs_no_calculation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    alloy = bulk("Cu", cubic=True)
    alloy.symbols[0] = "Pt"
    write(tmp_path / "metals.extxyz", [alloy, bulk("Ni")])
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    (tmp_path / "lab.yaml").write_text(LAB)
    first = run(tmp_path, "one.sqlite")
    assert 0.0 in reused(first), "it had to be computed once"
    assert any(folder_of(first.campaign_id).rglob("request.json"))
    again = run(tmp_path, "two.sqlite")
    assert again.campaign_id != first.campaign_id
    assert reused(again) == [1.0] * 4
    assert not any(folder_of(again.campaign_id).rglob("*")), "no attempt was begun"
    assert observed(again) == observed(first)
