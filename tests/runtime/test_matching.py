"""Candidates of another campaign are found here by their material, not by their name."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.model.space import Pool
from orchestrator.model.transfer import Source
from orchestrator.runtime.load import read_campaign
from orchestrator.runtime.matching import matchings
from orchestrator.runtime.run import Finish, run_campaign

RECIPE = """\
roles: {balance: BackRoomWeighing}
recipe:
  - weigh: {do: balance.weigh}
metrics: {mass: {value: =weigh.value, unit: g}}
objective: {minimise: mass}
planner: {kind: KIND}
budget: {trials: 3}
"""
GROWS = "generate: {kind: iqspr, every: 2, candidates: 4, particles: 8, steps: 2, order: 3}"


def write(folder: Path, name: str, table: str, pool: str, more: str = "") -> Path:
    (folder / f"{name}.csv").write_text(table)
    path = folder / f"{name}.yaml"
    space = f"space: {{molecule: {{pool: {name}.csv, {pool}}}}}\n"
    kind = "bayesian, initial: 9" if "generate" in pool else "random"
    path.write_text(f"name: {name}\n{space}{RECIPE.replace('KIND', kind)}{more}")
    return path


def run(folder: Path, path: Path) -> Finish:
    return run_campaign(path, folder / "lab.yaml", store=folder / "s.sqlite")


MORGAN = "smiles: smiles, descriptor: morgan"
THEIRS = "name,smiles\na,CCO\nb,CCC\nc,c1ccccc1\n"
OURS = "name,smiles\na,CCN\nethanol,OCC\nb,CCC\nx,CCCC\n"


@pytest.fixture
def theirs(back_room: Path) -> Path:
    run(back_room, write(back_room, "theirs", THEIRS, MORGAN))
    return back_room


def started(finish: Finish) -> list[str]:
    assert finish.state.opened is not None
    return sorted(str(t.point["molecule"]) for t in finish.state.opened.start)


def the_source(finish: Finish) -> Source:
    assert finish.state.opened is not None
    (source,) = finish.state.opened.sources
    return source


def test_what_a_campaign_starts_from_is_known_of_the_same_material_only(theirs: Path) -> None:
    ours = write(theirs, "ours", OURS, MORGAN, "start: {campaign: theirs}\n")
    assert started(run(theirs, ours)) == ["b", "ethanol"]


def test_a_pool_that_grows_starts_from_materials_that_its_table_does_not_have(
    theirs: Path,
) -> None:
    ours = write(theirs, "ours", OURS, f"{MORGAN}, {GROWS}", "start: {campaign: theirs}\n")
    assert started(run(theirs, ours)) == ["b", "c1ccccc1", "ethanol"]


def test_a_source_campaign_on_other_materials_is_described_as_this_one_is(theirs: Path) -> None:
    ours = write(theirs, "ours", OURS, MORGAN, "transfer: [{campaign: theirs}]\n")
    source = the_source(run(theirs, ours))
    assert source.parameter == "molecule"
    assert source.materials is not None
    assert sorted(source.materials.names) == ["trial 1", "trial 2", "trial 3"]
    assert source.values == (2.5, 2.5, 2.5)
    counts = source.materials.described[0].counts
    assert counts is not None
    assert len(counts) == 3


def test_the_same_candidates_are_learnt_from_at_their_places(theirs: Path) -> None:
    ours = write(theirs, "ours", THEIRS, MORGAN, "transfer: [{campaign: theirs}]\n")
    source = the_source(run(theirs, ours))
    assert source.materials is None
    assert sorted(str(p["molecule"]) for p in source.points) == ["a", "b", "c"]


def test_a_source_of_which_nothing_can_be_described_is_refused(back_room: Path) -> None:
    polymers = "name,smiles\na,*CC*\nb,*CC(*)C\nc,*CC(*)F\n"
    run(back_room, write(back_room, "theirs", THEIRS, MORGAN))
    ours = "smiles: smiles, descriptor: polymer-morgan"
    path = write(back_room, "ours", polymers, ours, "transfer: [{campaign: theirs}]\n")
    with pytest.raises(InputError, match="the source 'mass of theirs' does not fit this space"):
        run(back_room, path)


def test_names_are_all_there_is_without_materials_unless_the_numbers_differ(
    back_room: Path,
) -> None:
    numbers = "columns: {size: mm}"
    one = write(back_room, "theirs", "name,size\na,1\nb,2\nc,3\n", numbers)
    same = write(back_room, "same", "name,size\nb,2000\nz,5\n", "columns: {size: um}")
    other = write(back_room, "other", "name,size\na,1\nb,7\n", numbers)
    theirs, same_, other_ = (read_campaign(p) for p in (one, same, other))
    match = matchings(same_, theirs)["molecule"]
    assert not match.is_of_materials
    assert [match.candidate(word) for word in "abc"] == [None, "b", None]
    match = matchings(other_, theirs)["molecule"]
    assert match.candidate("a") == "a"
    with pytest.raises(InputError, match="'b' of 'molecule' is another one in campaign 'theirs'"):
        match.candidate("b")


def test_of_several_candidates_of_one_formula_the_name_decides(back_room: Path) -> None:
    pool = "formula: formula, descriptor: composition"
    table = "name,formula\nrutile,TiO2\nanatase,O2Ti\nzirconia,ZrO2\n"
    one = write(back_room, "theirs", "name,formula\nrutile,TiO2\ntitania,TiO2\nz,O2Zr\n", pool)
    two = write(back_room, "ours", table, pool)
    theirs, ours = read_campaign(one), read_campaign(two)
    assert isinstance(ours.space.parameters[0], Pool)
    match = matchings(ours, theirs)["molecule"]
    assert [match.candidate(w) for w in ("rutile", "titania", "z")] == ["rutile", None, "zirconia"]
