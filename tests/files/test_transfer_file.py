"""The sources that a campaign file names."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_kinds import CAPABILITIES, PLANNERS, capability
from test_described_pools import TABLE, descriptors

from orchestrator.errors import FileProblems
from orchestrator.files.campaign import load_campaign
from orchestrator.files.describing import Kinds
from orchestrator.model.campaign import Campaign
from orchestrator.model.transfer import SourceWanted

FILM = """\
name: film
space:
  power: {real: [0.1, 5], unit: W, scale: log}
  gas: {choice: [argon, neon]}
metrics: {resistivity: {unit: ohm*cm, scale: log}, thickness: {unit: nm}}
objective: {minimise: resistivity, subject_to: [thickness >= 100 nm]}
transfer:
  - table: old.csv
    column: resistivity
    scale: log
  - {campaign: earlier, metric: rho, helps: thickness}
  - {simulator: twins.yaml, trials: 20}
budget: {trials: 5}
"""
OLD = "power [mW],gas,resistivity [mohm*cm]\n1000,argon,2\n2000,neon,\n3000,argon,5\n"
WORDS = """\
name: letters
space:
  word: {pool: words.csv, name: id, smiles: text, descriptor: letters}
metrics: {length: {}}
objective: {maximise: length}
transfer: [{table: more.csv, column: weight, unit: kg, smiles: spelt}]
budget: {trials: 5}
"""
MORE = "spelt,weight [g]\nabc,1000\nc!,2000\ncab,3000\nbb,4000\n"


def loaded(folder: Path, text: str, **tables: str) -> Campaign:
    for name, table in tables.items():
        (folder / f"{name}.csv").write_text(table)
    (folder / "campaign.yaml").write_text(text)
    path = folder / "campaign.yaml"
    return load_campaign(path, capability, tuple(CAPABILITIES), PLANNERS, Kinds(descriptors))


def test_a_table_by_the_names_of_parameters_is_converted_and_its_gaps_are_left_out(
    tmp_path: Path,
) -> None:
    (source,) = loaded(tmp_path, FILM, old=OLD).sources
    assert (source.helps, source.quantity, source.unit) == ("resistivity", "resistivity", "ohm*cm")
    assert source.values == pytest.approx((0.002, 0.005))
    assert source.points[1]["gas"] == "argon"


def test_campaigns_and_simulators_are_wanted_until_the_campaign_is_opened(tmp_path: Path) -> None:
    wanted = loaded(tmp_path, FILM, old=OLD).sources_wanted
    assert wanted == (
        SourceWanted(kind="campaign", name="earlier", helps="thickness", metric="rho"),
        SourceWanted(
            kind="simulator",
            name="twins.yaml",
            helps="resistivity",
            metric="resistivity",
            n_trials=20,
        ),
    )


def test_a_table_of_materials_is_described_as_the_pool_is(tmp_path: Path) -> None:
    (source,) = loaded(tmp_path, WORDS, words=TABLE, more=MORE).sources
    assert source.materials is not None
    assert source.parameter == "word"
    assert source.values == (1.0, 4.0)
    assert [row.line for row in source.materials.set_aside] == [3, 4]
    assert source.materials.described[0].counts is not None
    assert len(source.materials.described[0].counts) == 2


def test_a_changed_source_is_another_campaign(tmp_path: Path) -> None:
    one = loaded(tmp_path, FILM, old=OLD).file_hash
    assert loaded(tmp_path, FILM, old=OLD + "4000,neon,6\n").file_hash != one


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("table: old.csv", "table: old.csv\n    campaign: other", "exactly one of"),
        ("    column: resistivity\n", "", "needs the column of its values"),
        ("column: resistivity", "column: resistance", "known: gas, power [mW]"),
        ("campaign: earlier", "campaign: earlier, column: x", "'column' is of a table"),
        ("campaign: earlier", "campaign: earlier, trials: 9", "'trials' is of a simulator"),
        ("helps: thickness", "helps: thicknes", "did you mean 'thickness'"),
        ("table: old.csv", "table: none.csv", "none.csv"),
        ("scale: log\n  - {c", "unit: kg\n  - {c", "kg"),
        ("scale: log\n  - {c", "smiles: gas\n  - {c", "needs one pool"),
    ],
)
def test_mistakes_are_told_at_their_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert FILM.count(old) == 1
    with pytest.raises(FileProblems) as caught:
        loaded(tmp_path, FILM.replace(old, new), old=OLD)
    (problem,) = caught.value.problems
    assert said in f"{problem.message} {problem.hint}"
    assert problem.line >= 7


def test_the_same_quantity_in_a_unit_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblems) as caught:
        loaded(tmp_path, FILM, old=OLD.replace("[mohm*cm]", "[kg]"))
    assert "kg" in caught.value.problems[0].message
