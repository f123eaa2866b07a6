"""Which block each trial belongs to: what it has in common with some others beside its point."""

from __future__ import annotations

from orchestrator.model.campaign import Campaign
from orchestrator.model.state import State, TrialState

BEFORE = "before"
"""The block of what was known before the first trial: it was measured elsewhere, or earlier."""


def blocks_of(campaign: Campaign, state: State) -> dict[int, str]:
    """The block of each trial by number; '' for one whose block is not known, or where the campaign
    does not speak of blocks."""
    n_controls, found = 0, {}
    for number, trial in sorted(state.trials.items()):
        n_controls += trial.proposal.source == "control"
        found[number] = _block(campaign, trial, n_controls)
    return found


def _block(campaign: Campaign, trial: TrialState, n_controls: int) -> str:
    block = campaign.block
    if block is None:
        return ""
    if block.controls:
        return f"from control {n_controls}"
    if block.every is not None:
        return f"trials from {(trial.number - 1) // block.every * block.every + 1}"
    seen = trial.observed(block.metric)
    return "" if seen is None else f"{block.metric} {seen.event.value:g}"
