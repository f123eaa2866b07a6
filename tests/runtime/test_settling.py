"""A material that a person writes is the candidate that it is, or is refused at the door."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.errors import FileProblems, InputError, PoolExhausted
from orchestrator.runtime.ask_tell import propose
from orchestrator.runtime.load import read_campaign
from orchestrator.runtime.run import run_campaign
from orchestrator.runtime.settling import settling
from orchestrator.runtime.wishes import wish

POOL = "name,smiles\npolyethylene,*CC*\npolypropylene,*CC(*)C\npvc,*CC(*)Cl\n"
CAMPAIGN = """\
name: polymers
space:
  polymer:
    pool: pool.csv
    smiles: smiles
    descriptor: polymer-morgan
    generate: {kind: iqspr, every: 2, candidates: 4, particles: 8, steps: 2, order: 3}
metrics: {heat: {unit: W/m/K}}
objective: {maximise: heat}
planner: {kind: bayesian, initial: 9}
budget: {trials: 3}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pool.csv").write_text(POOL)
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    return tmp_path


def test_all_spellings_of_a_material_are_one_candidate(folder: Path) -> None:
    settle = settling(read_campaign(folder / "campaign.yaml").space)
    for spelled in ("polyethylene", "*CC*", "*CCCC*", "*C*"):
        assert settle({"polymer": spelled}) == {"polymer": "polyethylene"}
    assert settle({"polymer": "C(C*)(F)*"}) == settle({"polymer": "*CC(*)F"})
    assert settle({"polymer": "50 *OC* | 50 *CC*"}) == settle({"polymer": "0.5 *CC* | 0.5 *CO*"})


@pytest.mark.parametrize("word", ["C1CC", "*CC", "polyethylen", "0.5 *CC* | *CO*"])
def test_what_is_no_material_is_refused_with_what_it_is_taken_for(folder: Path, word: str) -> None:
    settle = settling(read_campaign(folder / "campaign.yaml").space)
    said = f"'{word}' is no candidate of 'polymer' that pool.csv has, and cannot be read"
    with pytest.raises(InputError, match=re.escape(said)):
        settle({"polymer": word})


def test_a_table_of_results_is_settled_and_its_slips_are_told_by_line(folder: Path) -> None:
    (folder / "r.csv").write_text("polymer,heat\n*CCCC*,0.3\npvc,0.2\nm999,0.1\n*CC,\n")
    with pytest.raises(FileProblems, match="'m999' is no candidate of 'polymer'") as caught:
        propose(folder / "r.csv", 1, campaign=folder / "campaign.yaml")
    assert [p.line for p in caught.value.problems] == [4, 5]
    (folder / "r.csv").write_text("polymer,heat\n*CCCC*,0.3\npvc,0.2\n")
    advice = propose(folder / "r.csv", 1, campaign=folder / "campaign.yaml")
    assert advice.proposals[0].point == {"polymer": "polypropylene"}


def test_a_table_that_leaves_no_candidate_says_how_many_of_its_rows_count_as_being_tried(
    folder: Path,
) -> None:
    names = [line.partition(",")[0] for line in POOL.splitlines()[1:]]
    cells = ["0.3"] + [""] * (len(names) - 1)
    rows = "".join(f"{name},{cell}\n" for name, cell in zip(names, cells, strict=True))
    (folder / "r.csv").write_text(f"polymer,heat\n{rows}")
    with pytest.raises(PoolExhausted) as told:
        propose(folder / "r.csv", 1, campaign=folder / "campaign.yaml")
    assert f"{len(names) - 1} rows of {folder / 'r.csv'} have no result" in told.value.hint


def test_what_a_campaign_starts_from_is_settled_when_it_is_read(folder: Path) -> None:
    path = folder / "campaign.yaml"
    path.write_text(CAMPAIGN + "start: {table: r.csv}\n")
    (folder / "r.csv").write_text("polymer,heat\n*CCCC*,0.3\n")
    assert [t.point for t in read_campaign(path).start] == [{"polymer": "polyethylene"}]
    (folder / "r.csv").write_text("polymer,heat\nm999,0.3\n")
    with pytest.raises(InputError, match="line 2: 'm999' is no candidate of 'polymer'"):
        read_campaign(path)


def test_a_wish_for_what_is_no_material_is_refused_before_it_waits(
    back_room: Path, folder: Path
) -> None:
    recipe = "roles: {balance: BackRoomWeighing}\nrecipe:\n  - weigh: {do: balance.weigh}\n"
    text = CAMPAIGN.replace("metrics: {heat: {unit: W/m/K}}", recipe + "metrics: {heat: {}}")
    (back_room / "pool.csv").write_text(POOL)
    (back_room / "campaign.yaml").write_text(text.replace("trials: 3", "trials: 4"))
    store = back_room / "s.sqlite"
    run_campaign(back_room / "campaign.yaml", store=store)  # it waits for a person
    with pytest.raises(InputError, match="'C1CC' is no candidate"):
        wish(store, "polymers", "try", {"point": {"polymer": "C1CC"}})
    assert wish(store, "polymers", "try", {"point": {"polymer": "*CCCC*"}}).is_waiting
    finish = run_campaign(back_room / "campaign.yaml", store=store)
    assert [w.point for w in finish.state.wished] in ([], [{"polymer": "polyethylene"}])
    assert "*CCCC*" not in [t.proposal.point["polymer"] for t in finish.state.trials.values()]


@pytest.fixture
def fixed(folder: Path) -> Path:
    """A campaign over a pool that does not grow."""
    lines = [line for line in CAMPAIGN.splitlines(keepends=True) if "generate" not in line]
    (folder / "campaign.yaml").write_text("".join(lines))
    return folder / "campaign.yaml"


def test_a_fixed_pool_takes_its_materials_in_any_spelling(fixed: Path) -> None:
    (fixed.parent / "r.csv").write_text("polymer,heat\nC(C*)(Cl)*,0.3\npolyethylene,0.2\n")
    advice = propose(fixed.parent / "r.csv", 2, campaign=fixed)
    assert {p.point["polymer"] for p in advice.proposals}.isdisjoint({"pvc", "polyethylene"})
    fixed.write_text(fixed.read_text() + "start: {table: r.csv}\n")
    points = [t.point for t in read_campaign(fixed).start]
    assert points == [{"polymer": "pvc"}, {"polymer": "polyethylene"}]


def test_a_fixed_pool_refuses_every_material_that_it_does_not_have(fixed: Path) -> None:
    (fixed.parent / "r.csv").write_text("polymer,heat\n*CC(*)F,0.3\npvc,0.2\nm999,0.1\n")
    with pytest.raises(FileProblems, match="is no candidate of 'polymer' that") as caught:
        propose(fixed.parent / "r.csv", 1, campaign=fixed)
    assert [p.line for p in caught.value.problems] == [2, 4]
    fixed.write_text(fixed.read_text() + "start: {table: r.csv}\n")
    with pytest.raises(InputError, match=r"(?s)line 2: '\*CC\(\*\)F' is no .*line 4: 'm999' is no"):
        read_campaign(fixed)


def test_a_material_that_is_two_candidates_asks_which(folder: Path) -> None:
    (folder / "pool.csv").write_text("name,formula,density\nrutile,TiO2,4.2\nanatase,TiO2,3.8\n")
    text = CAMPAIGN.replace("polymer:", "crystal:").replace("smiles: smiles", "formula: formula")
    lines = [line for line in text.splitlines(keepends=True) if "generate" not in line]
    (folder / "campaign.yaml").write_text("".join(lines).replace("polymer-morgan", "composition"))
    settle = settling(read_campaign(folder / "campaign.yaml").space)
    assert settle({"crystal": "anatase"}) == {"crystal": "anatase"}
    said = "'O2Ti' is 2 candidates of 'crystal': 'rutile', 'anatase'"
    with pytest.raises(InputError, match=said):
        settle({"crystal": "O2Ti"})
