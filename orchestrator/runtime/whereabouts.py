"""Steps that are done where the sample of the trial is not: a move was forgotten in the recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from orchestrator.model.campaign import Campaign
from orchestrator.model.lab import Lab
from orchestrator.model.recipe import Argument, Step
from orchestrator.ports.action import ActionSpec


def misplaced_words(
    campaign: Campaign, lab: Lab, contracts: Mapping[str, Mapping[str, ActionSpec]]
) -> tuple[str, ...]:
    """Of each step of a role with a position of its own, that the sample does not lie there.

    Nothing is said of what may prepare a place for the sample, or tidy up behind it, nor where the
    recipe takes no sample, or only a trial tells where one is moved. `contracts` are by capability.
    """
    recipe = campaign.recipe
    targets = [_target(step, contracts[campaign.roles[step.roles[-1]]]) for step in recipe]
    moves = [target.literal for target in targets if target is not None]
    if None in moves:
        return ()
    own, here = {position.name for position in lab.positions}, ""
    said = []
    for place, (step, target) in enumerate(zip(recipe, targets, strict=True)):
        if target is not None:
            here = str(target.literal)
            continue
        role, left = step.role, [t.literal for t in targets[place:] if t is not None]
        if not moves or step.rungs or role not in own or role == here or role in left:
            continue
        if role not in moves or _is_used(step, campaign):
            where = f"is at '{here}'" if here else "has not been taken"
            said.append(
                f"'{role}' does step '{step.name}' while the sample {where}, and no step moves it "
                f"to '{role}'" + (" again" if role in moves else "")
            )
    return tuple(said)


def _target(step: Step, actions: Mapping[str, ActionSpec]) -> Argument | None:
    """Where a step moves the sample; None where it does not."""
    spec = actions[step.action]
    kinds = {arg.name: arg.kind for arg in spec.args}
    return next((a for a in step.arguments if kinds.get(a.name) == "target"), None)


def _is_used(step: Step, campaign: Campaign) -> bool:
    """Whether what a step gives goes into anything: then it is about the sample."""
    named = re.compile(rf"(?<![\w.]){re.escape(step.name)}\.")
    return any(named.search(text) for text in _texts(campaign))


def _texts(campaign: Campaign) -> Iterator[str]:
    yield from (metric.expression for metric in campaign.metrics)
    yield from (a.expression or "" for step in campaign.recipe for a in step.arguments)
