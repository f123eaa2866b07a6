"""Candidates that a lab's resources could not compute are told before anything is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.errors import InputError
from orchestrator.files.document import parse_document
from orchestrator.files.findings import Findings
from orchestrator.model.campaign import Campaign
from orchestrator.model.lab import Lab
from orchestrator.model.space import Pool
from orchestrator.ports.resource import Foresighted, Resource

MOST = 25
"""So many candidates of a pool are named."""


def check_candidates(campaign: Campaign, lab: Lab, resources: Mapping[str, Resource]) -> None:
    """Accepts a campaign whose pools hold nothing that a step could not be done with.

    Only arguments are looked at that are a column of a pool as it stands.

    Raises:
        FileProblems: naming the candidates, and why.
    """
    findings = Findings(parse_document(campaign.text, campaign.source))
    refused: dict[str, dict[str, InputError]] = {}
    for pool, column, action, argument, resource in _asked(campaign, lab, resources):
        known = refused.setdefault(pool.name, {})
        for name, error in _refused(pool, column, action, argument, resource):
            known.setdefault(name, error)  # rungs of one kind say the same
    for pool_name, errors in refused.items():
        path = ["space", pool_name, "pool"]
        for name, error in list(errors.items())[:MOST]:
            findings.add(path, f"candidate '{name}': {error}", error.hint)
        if len(errors) > MOST:
            findings.add(path, f"{len(errors) - MOST} more candidates cannot be computed")
    findings.raise_any()


def _asked(
    campaign: Campaign, lab: Lab, resources: Mapping[str, Resource]
) -> Iterator[tuple[Pool, str, str, str, Foresighted]]:
    pools = {p.name: p for p in campaign.space.parameters if isinstance(p, Pool)}
    for step in campaign.recipe:
        found = (resources[name] for name in dict.fromkeys(lab.roles[r] for r in step.roles))
        foresighted = [resource for resource in found if isinstance(resource, Foresighted)]
        for argument in step.arguments:
            name, _, column = (argument.expression or "").partition(".")
            if name in pools and column in pools[name].texts:
                for resource in foresighted:
                    yield pools[name], column, step.action, argument.name, resource


def _refused(
    pool: Pool, column: str, action: str, argument: str, resource: Foresighted
) -> Iterator[tuple[str, InputError]]:
    for name, text in zip(pool.names, pool.texts[column], strict=True):
        try:
            resource.check(action, {argument: text})
        except InputError as error:
            yield name, error
