"""Candidates that a lab's resources could not compute are told before anything is spent."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.errors import InputError
from orchestrator.files.document import parse_document
from orchestrator.files.findings import Findings
from orchestrator.model.campaign import Campaign
from orchestrator.model.lab import Lab
from orchestrator.model.recipe import Step
from orchestrator.model.space import Context, Pool
from orchestrator.ports.resource import Foresighted, Remarking, Resource, Surveying

MOST = 25
"""So many candidates of a pool are named."""


def check_candidates(campaign: Campaign, lab: Lab, resources: Mapping[str, Resource]) -> None:
    """Accepts a campaign whose steps have arguments, and whose pools hold candidates, with which
    they could be done.

    Only arguments are looked at that stand in the file, or are a candidate of a pool, or a column
    of it, as it stands.

    Raises:
        FileProblems: naming the arguments and the candidates, and why.
    """
    findings = Findings(parse_document(campaign.text, campaign.source))
    pools = {p.name: p for p in campaign.space.parameters if isinstance(p, Pool)}
    refused: dict[str, dict[str, InputError]] = {}
    for place, step in enumerate(campaign.recipe):
        said = {a.name: a.literal for a in step.arguments if a.literal is not None}
        mistakes: dict[str, InputError] = {}
        for resource in _foresighted(step, lab, resources):
            wrong = _refusal(resource, step.action, said)
            if wrong is not None:
                mistakes.setdefault(str(wrong), wrong)  # rungs of one kind say the same
                continue
            for pool, candidate, error in _unfit(resource, step, said, pools):
                refused.setdefault(pool, {}).setdefault(candidate, error)
        for message, error in mistakes.items():
            findings.add(["recipe", place, step.name], message, error.hint)
    for pool, errors in refused.items():
        _name(findings, pool, errors)
    findings.raise_any()


def remarks_on(lab: Lab, resources: Mapping[str, Resource]) -> tuple[str, ...]:
    """What is allowed, and perhaps not meant: to be told when the candidates have been checked."""
    said = [
        remark
        for name in dict.fromkeys(lab.roles.values())
        if isinstance(resource := resources[name], Remarking)
        for remark in resource.remarks()
    ]
    n_cores, site = os.cpu_count() or 1, lab.site
    if site is not None and site.kind == "local" and site.workers > n_cores:
        said.append(f"{site.workers} workers share the {n_cores} cores of this machine")
    return tuple(said)


def unreached_words(campaign: Campaign) -> tuple[str, ...]:
    """Of each parameter that reaches nothing that is done or computed, that it does not: it was
    forgotten in the recipe, or a person sets it."""
    texts = [a.expression or "" for step in campaign.recipe for a in step.arguments]
    texts += [step.role for step in campaign.recipe if step.rungs]
    texts += [metric.expression for metric in campaign.metrics]
    texts.append(campaign.objective.cost)
    named = set(re.findall(r"(?<![\w.])[^\W\d]\w*", " ".join(texts)))
    named |= {condition.parent for condition in campaign.space.conditions}
    return tuple(
        f"'{p.name}' is varied, but no step, metric or cost names it"
        for p in campaign.space.parameters
        if p.name not in named and not isinstance(p, Context)
    )


def _refusal(resource: Foresighted, action: str, arguments: Mapping[str, Any]) -> InputError | None:
    try:
        resource.check(action, arguments)
    except InputError as error:
        return error
    return None


def _name(findings: Findings, pool: str, errors: Mapping[str, InputError]) -> None:
    """The candidates of a pool that cannot be computed."""
    path = ["space", pool, "pool"]
    for name, error in list(errors.items())[:MOST]:
        findings.add(path, f"candidate '{name}': {error}", error.hint)
    if len(errors) > MOST:
        findings.add(path, f"{len(errors) - MOST} more candidates cannot be computed")


def _foresighted(step: Step, lab: Lab, resources: Mapping[str, Resource]) -> list[Foresighted]:
    found = (resources[name] for name in dict.fromkeys(lab.roles[r] for r in step.roles))
    return [resource for resource in found if isinstance(resource, Foresighted)]


def _unfit(
    resource: Foresighted, step: Step, said: Mapping[str, Any], pools: Mapping[str, Pool]
) -> Iterator[tuple[str, str, InputError]]:
    """Pool, candidate, and why it cannot be computed."""
    for pool, argument, values in _of_pools(step, pools):
        if isinstance(resource, Surveying):
            resource.survey(argument, values)
        for candidate, value in zip(pool.names, values, strict=bool(values)):
            error = _refusal(resource, step.action, {**said, argument: value})
            if error is not None:
                yield pool.name, candidate, error


def _of_pools(step: Step, pools: Mapping[str, Pool]) -> Iterator[tuple[Pool, str, Sequence[str]]]:
    """Pool, argument, and its values of all candidates, which a column of the pool gives."""
    for argument in step.arguments:
        name, _, column = (argument.expression or "").partition(".")
        if name in pools:
            pool = pools[name]
            yield pool, argument.name, pool.texts.get(column, () if column else pool.names)
