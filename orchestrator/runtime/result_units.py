"""Units of what steps give, which the journal does not hold."""

from __future__ import annotations

from orchestrator import plugins
from orchestrator.errors import InputError
from orchestrator.model.campaign import Campaign


def result_units(campaign: Campaign) -> dict[str, str]:
    """By `step.result`; nothing of a capability that is not installed here."""
    units: dict[str, str] = {}
    for step in campaign.recipe:
        try:
            actions = plugins.capability(campaign.roles[step.roles[-1]])
        except InputError:
            continue
        if step.action in actions:
            units |= {f"{step.name}.{r.name}": r.unit for r in actions[step.action].results}
    return units
