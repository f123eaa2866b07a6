"""What the model holds for true, on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from orchestrator.cli.lines import for_console, say, tell
from orchestrator.model.campaign import Campaign
from orchestrator.model.state import State
from orchestrator.ports.planner import Belief
from orchestrator.reports.beliefs import Held, belief_remarks, held, recommendation, why_none

BAR = 30
MOST = 20
"""Parameters that are shown: the others matter less."""


def print_belief(campaign: Campaign, state: State, belief: Belief, console: Console) -> None:
    """How well each metric is predicted, what matters to it, and which trial is recommended."""
    say(console, campaign.name, style="bold")
    tell(console, "what the model holds for true, and whether to believe it")
    for said in belief_remarks(belief):
        tell(console, said, style="yellow")
    for metric in held(campaign, state, belief):
        say(console, "")
        _print_metric(metric, console)
    say(console, "")
    found = recommendation(campaign, state, belief)
    if found is None:
        tell(console, f"The model recommends no trial: {why_none(campaign, state, belief)}.")
        return
    tell(console, f"The model recommends trial {found.trial}", style="bold green")
    tell(console, f"  at {found.point}")
    for expected in found.expected:
        words = f"expected {expected.predicted}" if expected.predicted else "not predicted"
        if expected.measured:
            words += f"; measured {expected.measured}"
        tell(console, f"  {expected.metric}: {words}")


def _print_metric(metric: Held, console: Console) -> None:
    say(console, metric.title, style="bold")
    told = (metric.error, metric.coverage, metric.reach, metric.transfer, metric.unlike)
    for sentence in filter(None, told):
        tell(console, f"  {sentence[:1].upper()}{sentence[1:]}.")
    tell(console, f"  {metric.verdict}", style="yellow" if metric.doubt else "")
    shown = metric.importance[:MOST]
    if not shown:
        return
    tell(console, "  What matters to it, as a share of what it predicts to vary:")
    longest = max(1.0, *(share for _, share in shown))
    width = max(len(name) for name, _ in shown)
    for name, share in shown:
        filled = round(BAR * share / longest)
        line = Text(f"    {name.ljust(width)}  ")
        line.append("█" * filled, style="cyan").append("░" * (BAR - filled), style="dim")
        line.append(f"  {share:.2f}")
        say(console, for_console(console, line))
