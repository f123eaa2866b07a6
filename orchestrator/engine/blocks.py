"""Which block each trial belongs to: what it has in common with some others beside its point."""

from __future__ import annotations

from orchestrator.model.campaign import Campaign, lot_block, numbered_block
from orchestrator.model.state import TrialState

BEFORE = "before"
"""The block of what was known before the first trial: it was measured elsewhere, or earlier."""


def block_of(campaign: Campaign, trial: TrialState, n_controls: int) -> str:
    """The block of a trial, which is the newest of so many controls or came after them; '' where
    it is not known, or the campaign does not speak of blocks."""
    block = campaign.block
    if block is None:
        return ""
    if block.controls:
        return f"from control {n_controls}"
    if block.every is not None:
        return numbered_block(block.every, trial.number)
    seen = trial.observed(block.metric)
    return "" if seen is None else lot_block(block.metric, seen.event.value)
