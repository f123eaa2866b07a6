"""What the report on planners says of its lines."""

from __future__ import annotations

from typing import Any

from benchmarks.planner.report import failures, versions


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
