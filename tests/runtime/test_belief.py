"""What the planner of a stored campaign believes, without an engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli.app import app
from orchestrator.engine.history import history_of, task_of
from orchestrator.errors import Exit
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.runtime.belief import belief_of
from orchestrator.runtime.look import Seen, look
from orchestrator.runtime.run import run_campaign
from tests.runtime.test_wide_campaign import WIDE

MODELLED = WIDE.replace("{kind: sobol}", "{initial: 12}").replace("trials: 8", "trials: 12")


def ended(folder: Path, text: str) -> Seen:
    (folder / "wide.yaml").write_text(text)
    finish = run_campaign(folder / "wide.yaml", folder / "lab.yaml", store=folder / "s.sqlite")
    assert finish.ending.exit_code is Exit.FINISHED, finish.ending.sentence
    return look(folder / "s.sqlite", "wide")


def asked(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--store", str(folder / "s.sqlite")])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_belief_is_that_of_the_planner_at_the_end_of_the_journal(back_room: Path) -> None:
    seen = ended(back_room, MODELLED)
    now_s = seen.state.last_at - seen.state.started_at
    expected = BayesianPlanner(task_of(seen.campaign)).belief(history_of(seen, seen.state, now_s))
    assert expected is not None
    assert belief_of(seen.campaign, seen.state).belief == expected
    told = json.loads(asked(back_room, "belief", "wide", "--json"))
    assert told["belief"] == json.loads(expected.model_dump_json())
    assert [m["metric"] for m in told["in_words"]] == ["mass", "speed_of_it"]
    assert (told["why_none"], told["recommendation"]) == ("", None)
    shown = asked(back_room, "belief", "wide")
    counting = sum(t.proposal.point["level"] == "exact" for t in seen.state.trials.values())
    assert f"Each of {counting} trials predicted from all the others" in shown
    assert "The model recommends no trial: of several goals no trial is the best." in shown
    asked(back_room, "report", "wide", "--to", str(back_room / "report.html"))
    page = (back_room / "report.html").read_text()
    assert "mass along each parameter" in page
    assert "mixture the others stay as they are" in page


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (WIDE, "The planner 'sobol' has no model: it believes nothing."),
        (
            MODELLED.replace("trials: 12", "trials: 1"),
            "Too little has been measured for a model yet.",
        ),
    ],
)
def test_where_there_is_no_belief_one_sentence_says_why(
    text: str, sentence: str, back_room: Path
) -> None:
    seen = ended(back_room, text)
    found = belief_of(seen.campaign, seen.state)
    assert (found.belief, found.why_none) == (None, sentence)
    assert asked(back_room, "belief").strip() == sentence
    told = json.loads(asked(back_room, "belief", "--json"))
    assert (told["belief"], told["why_none"]) == (None, sentence)
    asked(back_room, "report", "wide", "--to", str(back_room / "report.html"))
    assert sentence.replace("'", "&#39;") in (back_room / "report.html").read_text()


def test_where_what_was_known_before_is_best_the_model_says_so(back_room: Path) -> None:
    (back_room / "old.csv").write_text("x [mm],mass [g]\n0.1,3\n0.4,2\n0.7,-5e6\n0.9,4\n")
    text = (back_room / "campaign.yaml").read_text()
    (back_room / "campaign.yaml").write_text(
        text.replace("{kind: sobol}", "{initial: 2}\nstart: {table: old.csv}")
    )
    store = back_room / "s.sqlite"
    run_campaign(back_room / "campaign.yaml", back_room / "lab.yaml", store=store)
    why = (
        "It recommends no trial: what it thinks best was known before the first trial, at x 0.7 mm."
    )
    assert why.removeprefix("It") in asked(back_room, "belief")
    asked(back_room, "report", "weighing", "--to", str(back_room / "report.html"))
    assert why in (back_room / "report.html").read_text()
