"""Rows that are no candidates are told wherever a campaign is looked at."""

from __future__ import annotations

from pathlib import Path

import material_campaign as material
import pytest
from rich.console import Console
from typer.testing import CliRunner

from orchestrator.cli.app import app
from orchestrator.cli.terminal import print_state
from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import pool_of, set_aside_words
from orchestrator.model.space import SearchSpace, SetAside
from orchestrator.reports.page import report_html

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
