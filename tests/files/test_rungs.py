"""A step may be sent to the role that a fidelity names: what the file says, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_campaign_file import loaded, problem_of, problems_of
from test_schema import faults_of

from orchestrator.files.schema import campaign_schema
from orchestrator.model.space import Fidelity

LADDER = """\
name: ladder
space:
  metal: {choice: [Cu, Ni]}
  rung: {fidelity: [rough, exact]}
roles: {rough: AlloyCalculation, exact: AlloyCalculation, probe: FourPointProbe}
recipe:
  - relax: {do: =rung.relax, a: =metal, b: Pt, ordering: L1_0}
metrics:
  energy: {value: =relax.formation_energy, unit: eV}
objective: {minimise: energy}
budget: {trials: 5}
"""


def test_rungs_need_nothing_but_their_method(tmp_path: Path) -> None:
    campaign = loaded(LADDER, tmp_path)
    assert campaign.space["rung"] == Fidelity(name="rung", levels=("rough", "exact"))
    (step,) = campaign.recipe
    assert (step.role, step.action, step.rungs) == ("rung", "relax", ("rough", "exact"))
    assert step.roles == ("rough", "exact")
    assert step.role_at({"metal": "Cu", "rung": "rough"}) == "rough"
    assert faults_of(LADDER, campaign_schema()) == []


def test_costs_may_still_be_given(tmp_path: Path) -> None:
    campaign = loaded(LADDER.replace("[rough, exact]", "{rough: 1, exact: 30}"), tmp_path)
    assert campaign.recipe[0].rungs == ("rough", "exact")
    level = campaign.space["rung"]
    assert isinstance(level, Fidelity)
    assert level.costs == (1.0, 30.0)


@pytest.mark.parametrize(
    ("old", "new", "message", "hint", "line"),
    [
        ("[rough, exact]", "[rogh, exact]", "level 'rogh' of 'rung' is not a role", "'rough'", 4),
        ("[rough, exact]", "[rough, dft]", "level 'dft' of 'rung' is not", "{dft: CAPABIL", 4),
        ("[rough, exact]", "{rough: 1, dft: 2}", "level 'dft' of 'rung' is not", "write", 4),
        ("[rough, exact]", "[probe, exact]", "'exact' is AlloyCalculation, but 'probe'", "same", 5),
        ("=rung.relax", "=rng.relax", "'rng' is not a fidelity of this campaign", "'rung'", 7),
        ("=rung.relax", "=metal.relax", "'metal' is not a fidelity", "known: rung", 7),
        ("=rung.relax", "=rung.relx", "'relx' is not an action of the role 'exact'", "'relax'", 7),
        ("=rung.relax", "rung.relax", "'rung' is not a role of this campaign", "'=rung.relax'", 7),
        ("=rung.relax", "=rung", "does not fit|ROLE.ACTION", "", 7),
    ],
)  # fmt: skip
def test_a_ladder_that_cannot_be_gets_one_sentence_with_its_hint(
    old: str, new: str, message: str, hint: str, line: int, tmp_path: Path
) -> None:
    problem = problem_of(old, new, tmp_path, LADDER)
    assert re.search(message, problem.message), problem.message
    assert hint in problem.hint
    assert problem.line == line


def test_costs_that_nobody_tells_are_asked_for(tmp_path: Path) -> None:
    start, _, _ = LADDER.partition("roles:")
    text = start + "metrics: {energy: {unit: eV}}\nobjective: {minimise: energy}\n"
    (problem,) = problems_of(text + "budget: {trials: 5}\n", tmp_path)
    assert problem.message == "nothing tells what a trial at each 'rung' costs: there is no recipe"
    assert problem.hint == "write '{rough: COST, exact: COST}', in any unit"
    assert problem.line == 4


def test_a_fidelity_that_could_not_be_read_is_one_mistake(tmp_path: Path) -> None:
    text = LADDER.replace("[rough, exact]", "[rough]")
    assert len(problems_of(text, tmp_path)) == 1
