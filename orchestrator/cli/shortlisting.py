"""A shortlist of candidates on a terminal."""

from __future__ import annotations

from rich.console import Console

from orchestrator.cli.lines import say, tell
from orchestrator.reports.gallery import kin_words, known_values
from orchestrator.reports.table import shown_prediction
from orchestrator.runtime.triage import Shortlist, Shortlisted


def print_shortlist(found: Shortlist, console: Console) -> None:
    """Three lines a candidate: what it is, what is expected of it, what it is near to."""
    campaign = found.campaign
    say(console, campaign.name, style="bold")
    tell(console, "the candidates that are worth most now, the best first")
    for rank, row in enumerate(found.rows, 1):
        say(console, "")
        material = "" if row.material in ("", row.name) or "\n" in row.material else row.material
        say(console, f"{rank:>3}  {row.name}  {material}".rstrip(), style="bold")
        say(console, f"     {_expected(found, row)}")
        for line in _beside(found, row):
            say(console, f"     {line}", style="dim")


def _expected(found: Shortlist, row: Shortlisted) -> str:
    parts = []
    for metric, predicted in row.proposal.predicted.items():
        unit = found.campaign.metric(metric).unit
        parts.append(f"{metric} {shown_prediction(predicted, unit)}")
    chance = row.proposal.probability_feasible
    if chance is not None:
        parts.append(f"keeps the limits with {100 * chance:.0f} %")
    return "expected " + ", ".join(parts)


def _beside(found: Shortlist, row: Shortlisted) -> list[str]:
    lines = []
    near = row.nearest
    if near is not None:
        like = "" if near.similarity is None else f", Tanimoto {near.similarity:.2f}"
        values = ", ".join(known_values(found.campaign, near.known))
        lines.append(f"nearest measured: {near.name} ({near.distance:.2g} away{like}): {values}")
    notes = []
    if row.is_new:
        notes.append("new" + (f", {kin_words(row.kin)}" if row.kin else ""))
    if row.is_outside:
        notes.append("outside the domain")
    if row.accessibility is not None:
        notes.append(f"accessibility {row.accessibility:.1f} of 10")
    if row.weight is not None:
        notes.append(f"{row.weight:.1f} g/mol")
    return [*lines, "; ".join(notes)] if notes else lines
