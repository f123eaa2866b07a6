"""What the report on planners says of its lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.planner.report import failures, fewer_failures, read, versions


def line(revision: str, fails: int) -> dict[str, Any]:
    """A run with one failed start point, and so many failures of what was suggested."""
    true = [None, *[1.0] * 7, *[None] * fails, *[0.5] * (32 - fails)]
    said = {"hagane": "0.1.0", "revision": revision}
    return {"true": true, "best": [1.0] * 40, "recommended": {}, "error": None, "versions": said}


REVISIONS = ("abc1234", "abc1234", "def5678-dirty", "def5678-dirty", "abc1234")
LINES = {"hagane": {"failure_circle": {i: line(r, i) for i, r in enumerate(REVISIONS)}}}


def test_every_revision_that_runs_were_made_at_is_named() -> None:
    head = next(versions(LINES, ["hagane"]))
    assert head.endswith("; revisions abc1234 (3 runs), def5678-dirty (2 runs)")


def test_failures_are_counted_of_what_was_suggested_not_of_the_start_points() -> None:
    row = next(text for text in failures(LINES, ["hagane"]) if text.startswith("| failure_circle"))
    assert row == "| failure_circle | **2** [1, 3] (5) |"


@pytest.mark.parametrize(
    ("fails", "gap", "words"),
    [
        (2, 0.5, "fewer, equal regret"),
        (2, 0.9, "fewer, more regret"),
        (9, 0.1, "more, less regret"),
        (6, 0.5, "not told apart, equal regret"),
    ],
)
def test_fewer_failures_are_shown_beside_what_they_cost(fails: int, gap: float, words: str) -> None:
    def runs(n_failed: int, best: float) -> dict[int, dict[str, Any]]:
        return {seed: line("", n_failed) | {"best": [best] * 40} for seed in range(5)}

    random = {seed: line("", 0) | {"best": [seed / 4] * 40} for seed in range(5)}
    lines = {
        "hagane": {"crash4": runs(fails, gap)},
        "optuna": {"crash4": runs(6, 0.5)},
        "random": {"crash4": random},
    }
    said = list(fewer_failures(lines, "hagane", ["optuna"]))
    assert said[-2] == f"- {words}: optuna on crash4"


def test_a_run_of_the_starting_kit_counts_only_where_there_is_no_other(tmp_path: Path) -> None:
    new = {"planner": "ax", "problem": "branin", "seed": 0}
    kit = new | {"source": "starting kit"}
    (tmp_path / "again.jsonl").write_text(json.dumps(new) + "\n")
    (tmp_path / "ax.jsonl").write_text(f"{json.dumps(kit)}\n{json.dumps(kit | {'seed': 1})}\n")
    runs = read(tmp_path)["ax"]["branin"]
    assert [line.get("source") for line in runs.values()] == [None, "starting kit"]
