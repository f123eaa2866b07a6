"""The structures that a campaign's calculations gave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from orchestrator.errors import InputError
from orchestrator.materials.structure_export import Calculated, write_structures
from orchestrator.model.campaign import Campaign
from orchestrator.model.state import State, TrialState

STRUCTURE = "structure"
"""The result that a structure comes under, as an extended XYZ."""


def export_structures(campaign: Campaign, state: State, path: Path) -> int:
    """Writes every structure that a step of a trial gave; how many.

    Raises:
        InputError: there are none, or the file cannot be written.
    """
    found = list(calculated(campaign, state))
    if not found:
        raise InputError(
            f"no step of '{campaign.name}' gave a structure so far",
            hint="write the trials as a table: name a file that ends with .csv",
        )
    return write_structures(found, path)


def calculated(campaign: Campaign, state: State) -> Iterator[Calculated]:
    """Trial by trial, in the order of the recipe; of a step that was repeated, the last one.

    Values are `trial`, `step`, the point's parameters, the metrics, and the step's own numbers as
    `STEP_RESULT`.
    """
    for number in sorted(state.trials):
        trial = state.trials[number]
        for step in campaign.recipe:
            done = [t for t in trial.attempts.get(step.name, ()) if state.dispatches[t].results]
            results = state.dispatches[done[-1]].results if done else {}
            text = results.get(STRUCTURE)
            if isinstance(text, str) and text.strip():
                values = _of_trial(campaign, trial)
                values |= {"step": step.name}
                values |= {
                    _key(f"{step.name}_{name}"): value
                    for name, value in results.items()
                    if isinstance(value, int | float)
                }
                yield Calculated(text, values)


def _of_trial(campaign: Campaign, trial: TrialState) -> dict[str, float | int | str]:
    values: dict[str, float | int | str] = {"trial": trial.number}
    values |= {_key(name): value for name, value in trial.proposal.point.items()}
    for metric in campaign.metrics:
        seen = trial.observed(metric.name)
        if seen is not None:
            values[_key(metric.name)] = seen.event.value
    return values


def _key(name: str) -> str:
    return re.sub(r"\W", "_", name)
