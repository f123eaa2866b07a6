"""A rehearsal: the same engine, on twins in memory and a clock that jumps."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import Exit, InputError, UnknownName
from orchestrator.journal import open_store
from orchestrator.model import events as ev
from orchestrator.model.state import State
from orchestrator.runtime.new import new_campaign
from orchestrator.runtime.rehearse import rehearse
from orchestrator.runtime.run import run_campaign


def test_the_shipped_campaign_rehearses_days_in_a_moment() -> None:
    told: list[str] = []

    def watch(recorded: ev.Recorded, state: State) -> None:
        told.append(recorded.event.kind)

    played = rehearse("niobium_titania", planner="sobol", trials=3, watch=watch)
    state = played.finish.state
    assert played.finish.ending.exit_code is Exit.FINISHED
    assert [t.status for t in state.trials.values()] == ["done"] * 3
    assert played.lab_s > 3600 > played.took_s
    assert told[0] == "campaign_opened"
    assert told[-1] == "engine_stopped"


def test_no_planner_of_that_name_and_no_trial_are_told_before_anything_is_played() -> None:
    with pytest.raises(UnknownName, match="'soboll' is not a kind of planner") as refused:
        rehearse("niobium_titania", planner="soboll")
    assert refused.value.hint == "did you mean 'sobol'?"
    with pytest.raises(InputError, match="0 trials cannot be rehearsed"):
        rehearse("niobium_titania", planner="sobol", trials=0)
    with pytest.raises(InputError, match="True trials cannot be rehearsed"):
        rehearse("niobium_titania", planner="sobol", trials=True)


def test_two_rehearsals_give_the_same_values() -> None:
    def values() -> list[tuple[str, float]]:
        state = rehearse("niobium_titania", planner="sobol", trials=2).finish.state
        return [
            (o.event.metric, o.event.value) for t in state.trials.values() for o in t.observations
        ]

    assert values() == values()


def test_a_lab_of_instruments_without_twins_is_not_rehearsed() -> None:
    with pytest.raises(InputError, match="no twins to rehearse on"):
        rehearse("niobium_titania", "hardware.yaml", planner="sobol", trials=1)


MIXED = """\
lab: twins, and a folder of the house
twins: {world: dye-lab, seed: 7}
clock: {kind: wall}
resources:
  balance: {kind: mt-sics, port: "twin:balance", capacity: 220 g}
  spectrometer: {kind: file-drop, folder: HERE, pattern: "{ticket}*.csv"}
roles: {spectrometer: spectrometer}
"""
WAITING = """\
name: waiting
space: {x: {real: [0, 1]}}
roles: {spectrometer: FileMeasurement}
recipe:
  - wait: {do: spectrometer.collect}
metrics: {height: {reduce: {file: wait, take: highest, of: y}}}
objective: {maximise: height}
budget: {trials: 1}
"""


@pytest.mark.parametrize(
    ("twins", "why"), [(True, "would reach 'spectrometer' at"), (False, "no twins to rehearse on")]
)
def test_a_rehearsal_leaves_nothing_in_a_folder_of_the_house(
    tmp_path: Path, twins: bool, why: str
) -> None:
    folder = tmp_path / "spectra"
    folder.mkdir()
    lab = MIXED.replace("HERE", str(folder))
    if not twins:
        kept = [line for line in lab.splitlines() if "twin" not in line or line.startswith("lab")]
        lab = "\n".join(kept)
    (tmp_path / "campaign.yaml").write_text(WAITING)
    (tmp_path / "lab.yaml").write_text(lab)
    with pytest.raises(InputError, match=why):
        rehearse(tmp_path, planner="sobol")
    assert not list(folder.iterdir())


def test_a_record_behind_a_port_is_no_instrument_that_a_rehearsal_would_reach(
    tmp_path: Path,
) -> None:
    night = tmp_path / "night.jsonl"
    balance = f'{{kind: mt-sics, port: "replay:{night}", capacity: 220 g}}'
    lab = MIXED.replace("folder: HERE", 'folder: "twin:spectra"')
    kept = [line for line in lab.splitlines() if "balance" not in line]
    (tmp_path / "campaign.yaml").write_text(WAITING)
    (tmp_path / "lab.yaml").write_text("\n".join(kept).replace("roles:", f"  b: {balance}\nroles:"))
    with pytest.raises(InputError) as missing:
        rehearse(tmp_path, planner="sobol")
    assert str(night) in str(missing.value), "the record itself was looked for"
    assert "no twin" not in str(missing.value)


def test_a_lab_without_wires_needs_no_twins(back_room: Path) -> None:
    played = rehearse(back_room)
    assert played.finish.ending.exit_code is Exit.FINISHED


def test_what_other_campaigns_found_is_read_from_the_store_and_else_left_out(
    back_room: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store.sqlite"
    text = (back_room / "campaign.yaml").read_text()
    wants = "start: {campaign: weighing}\ntransfer: [{campaign: weighing}]\n"
    second = back_room / "second.yaml"
    second.write_text(text.replace("name: weighing", "name: second") + wants)
    assert rehearse(second, store=store).left_out == ("weighing",)
    run_campaign(back_room, store=store)
    played = rehearse(second, store=store)
    assert played.left_out == ()
    study = played.finish.loaded.campaign
    assert [trial.source.split(" (")[0] for trial in study.start] == ["campaign weighing"] * 2
    assert [source.name for source in study.sources] == ["mass of weighing"]
    opened = open_store(store)
    assert [row.name for row in opened.campaigns()] == ["weighing"]
    opened.close()


def test_a_new_campaign_rehearses_as_it_is(tmp_path: Path) -> None:
    folder = new_campaign(tmp_path / "my-films")
    played = rehearse(folder, planner="sobol", trials=1)
    assert played.finish.ending.exit_code is Exit.FINISHED
    assert played.finish.loaded.campaign.name == "my-films"


@pytest.mark.parametrize("name", ["9films", "my films", "-x", "films.yaml"])
def test_a_new_campaign_needs_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name"):
        new_campaign(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_new_campaign_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    with pytest.raises(InputError, match="exists already"):
        new_campaign(tmp_path / "films")


ON_A_LINE = """\
lab: one pump of several on a line
twins: {world: vacuum, seed: 7}
resources:
  pump: {kind: pfeiffer-turbo, port: "twin:turbos", address: 2}
roles: {pump: pump}
"""
SPEED = """\
name: speed
space: {x: {real: [0, 1]}}
roles: {pump: TurboPump}
recipe:
  - look: {do: pump.speed}
metrics: {speed: {value: =look.value, unit: Hz}}
objective: {maximise: speed}
budget: {trials: 1}
"""


def test_an_address_on_a_line_of_twins_is_no_place_outside(tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_text(SPEED)
    (tmp_path / "lab.yaml").write_text(ON_A_LINE)
    played = rehearse(tmp_path, planner="sobol")
    assert [t.status for t in played.finish.state.trials.values()] == ["done"]
