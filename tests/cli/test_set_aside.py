"""Rows that are no candidates are told wherever a campaign is looked at."""

from __future__ import annotations

import json
from pathlib import Path

import material_campaign as material
import pytest
from rich.console import Console
from typer.testing import CliRunner

from orchestrator.cli.app import app
from orchestrator.cli.terminal import print_state
from orchestrator.engine.history import task_of
from orchestrator.errors import FileProblems
from orchestrator.journal import open_store
from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import pool_of, set_aside_words
from orchestrator.model.space import SearchSpace, SetAside
from orchestrator.reports.page import report_html
from orchestrator.runtime.ask_tell import history_from
from orchestrator.runtime.load import read_campaign
from orchestrator.runtime.tables import table_of

CAMPAIGN = """\
name: heat
space: {molecule: {pool: pool.csv, smiles: smiles, descriptor: morgan}}
metrics: {heat: {}}
objective: {maximise: heat}
planner: {kind: random}
budget: {trials: 3}
"""


def with_rows_set_aside(n: int) -> Campaign:
    campaign = material.solvents()
    pool = pool_of(campaign.space)
    assert pool is not None
    rows = tuple(SetAside(line=5 + i, why=f"'X{i}' is not a molecule") for i in range(n))
    pool = pool.model_copy(update={"set_aside": rows, "source": "solvents.csv"})
    return campaign.model_copy(update={"space": SearchSpace(parameters=(pool,))})


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (1, "solvent: 1 row of solvents.csv is set aside, line 5: 'X0' is not a molecule"),
        (3, "solvent: 3 rows of solvents.csv are set aside, the first in line 5: 'X0' is not a"),
    ],
)
def test_show_and_the_report_say_how_many_and_which_is_the_first(n: int, said: str) -> None:
    campaign, state = with_rows_set_aside(n), material.solvent_state()
    console = Console(width=200, record=True)
    print_state(campaign, state, console)
    assert said in console.export_text()
    page = report_html(campaign, state).replace("&#39;", "'")
    assert said in page
    assert set_aside_words(material.solvents().space) == ()


def test_propose_says_it_beside_its_points(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("name,smiles\na,CCO\nbad,C1CC\nb,CCC\n")
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    (tmp_path / "r.csv").write_text("molecule,heat\na,1\n")
    asked = ["propose", "--data", str(tmp_path / "r.csv")]
    answer = CliRunner().invoke(app, [*asked, "--campaign", str(tmp_path / "campaign.yaml")])
    assert answer.exit_code == 0
    assert "# molecule: 1 row of pool.csv is set aside, line 3: 'C1CC' is not" in answer.stderr
    asked += ["--campaign", str(tmp_path / "campaign.yaml"), "--to", str(tmp_path / "next.csv")]
    as_json = CliRunner().invoke(app, [*asked, "--json"])
    assert as_json.stderr == answer.stderr
    (proposal,) = json.loads(as_json.stdout)
    assert (tmp_path / "next.csv").read_text() == f"molecule\n{proposal['point']['molecule']}\n"


def test_a_pool_s_own_table_may_be_the_results_without_the_rows_that_are_set_aside(
    tmp_path: Path,
) -> None:
    table, campaign = tmp_path / "pool.csv", tmp_path / "campaign.yaml"
    rows = "name,smiles,heat\nbad,C1CC,7\na,CCO,1\nb,CCC,2\n"
    table.write_text(rows)
    campaign.write_text(CAMPAIGN + "start: {table: pool.csv}\n")
    assert [one.outcomes["heat"].value for one in read_campaign(campaign).start] == [1, 2]
    campaign.write_text(CAMPAIGN)
    study = read_campaign(campaign)
    history = history_from(table_of(table), task_of(study))
    assert [one.trial for one in history.evaluated] == [2, 3]
    (tmp_path / "results.csv").write_text(rows + "b,CCC,2\n")
    with pytest.raises(FileProblems, match="'C1CC' is no candidate"):
        history_from(table_of(tmp_path / "results.csv"), task_of(study))


STEREO = "name,smiles\nr,N[C@@H](C)C(=O)O\ns,N[C@H](C)C(=O)O\nb,CCCC\ncis,C/C=C\\C\ntrans,C/C=C/C\n"


def checked(folder: Path, campaign: str, *more: str) -> str:
    (folder / "pool.csv").write_text(STEREO)
    (folder / "campaign.yaml").write_text(campaign)
    answer = CliRunner().invoke(app, ["check", str(folder / "campaign.yaml"), *more])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_check_says_which_candidates_the_model_cannot_tell_apart_and_what_would(
    tmp_path: Path,
) -> None:
    said = checked(tmp_path, CAMPAIGN)
    assert "molecule: 4 of 5 candidates are described as another one is" in said
    assert "'r' and 's' ..." in said
    wanted = "{morgan: {chirality: true}}"
    by_material = CAMPAIGN.replace("smiles: smiles", "name: smiles, smiles: smiles")
    assert "stereoisomers are two" in checked(tmp_path, by_material)
    assert f"stereoisomers are two with descriptor: {wanted}" in said
    assert "as another one is" not in checked(tmp_path, CAMPAIGN.replace("morgan", wanted))
    told = json.loads(checked(tmp_path, CAMPAIGN, "--json"))
    assert told["alike"] == {"molecule": [["r", "s"], ["cis", "trans"]]}


def test_check_says_that_a_campaign_to_learn_from_is_not_in_the_store(tmp_path: Path) -> None:
    run_in_store = str(tmp_path / "s.sqlite")
    open_store(run_in_store).close()
    for key in ("transfer: [{campaign: furst}]", "start: {campaign: furst}"):
        said = checked(tmp_path, f"{CAMPAIGN}{key}\n", "--store", run_in_store)
        assert "not yet to be run: 'furst' is not a campaign in this store" in said
    assert "not yet" not in checked(tmp_path, CAMPAIGN, "--store", run_in_store)


def test_check_says_how_many_values_of_a_large_source_are_learnt_from(tmp_path: Path) -> None:
    rows = [f"{'C' * (1 + i % 60)}{'O' * (i // 60)},{i}\n" for i in range(1501)]
    (tmp_path / "more.csv").write_text("".join(["smiles,heat\n", *rows]))
    campaign = CAMPAIGN + "transfer: [{table: more.csv, column: heat, smiles: smiles}]\n"
    said = checked(tmp_path, campaign)
    said = said.replace("\n", " ")
    assert "heat (more.csv): 1501 values, of which 1500 are drawn and learnt from, those" in said
    assert "those first whose materials are most like the candidates" in said
    (tmp_path / "more.csv").write_text("".join(["smiles,heat\n", *rows[:1500]]))
    assert "values" not in checked(tmp_path, campaign)


def test_check_says_which_column_of_a_pool_is_the_metric(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("name,weight,heat\na,1,2\nb,2,4\n")
    text = CAMPAIGN.replace(", smiles: smiles, descriptor: morgan", "")
    (tmp_path / "campaign.yaml").write_text(text)
    said = CliRunner().invoke(app, ["check", str(tmp_path / "campaign.yaml")]).output
    assert "'heat' of pool.csv is a metric, and describes no candidate" in said


def test_check_names_the_columns_that_describe_the_candidates(tmp_path: Path) -> None:
    header = "name,measured heat,d0,d1,d2,d3,d4,d5,d6,d7"
    (tmp_path / "pool.csv").write_text(f"{header}\na,1,2,3,4,5,6,7,8,9\nb,9,8,7,6,5,4,3,2,1\n")
    text = CAMPAIGN.replace(", smiles: smiles, descriptor: morgan", "")
    (tmp_path / "campaign.yaml").write_text(text)
    said = CliRunner().invoke(app, ["check", str(tmp_path / "campaign.yaml")]).output
    shown = "'measured heat', 'd0', 'd1', 'd2', 'd3', 'd4' and 3 more"
    assert f"molecule: 2 candidates, described by {shown}" in said
