"""Units of what steps give and actions take, which the journal does not hold."""

from __future__ import annotations

from orchestrator import plugins
from orchestrator.errors import InputError
from orchestrator.files.document import parse_document
from orchestrator.model.campaign import Campaign
from orchestrator.model.events import ActionDispatched
from orchestrator.model.state import State
from orchestrator.ports.action import ActionSpec


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


def dispatched_action(state: State, event: ActionDispatched) -> ActionSpec | None:
    """The action as the resource of the last lab file declares it; None where it is not known here:
    no engine has run, or the resource or its driver is not there any more."""
    if state.engine is None:
        return None
    resources = parse_document(state.engine.lab_text, "lab").root.plain()["resources"]
    if event.resource not in resources:
        return None
    declaration = state.engine.declarations.get(event.resource, "")
    try:
        kind = plugins.resource_kind(resources[event.resource]["kind"], declaration)
    except InputError:
        return None
    return kind.actions.get(event.action)
