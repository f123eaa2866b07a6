"""What a report is told about the materials of a campaign."""

from __future__ import annotations

from orchestrator.errors import InputError
from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import is_made, pool_of
from orchestrator.model.space import Pool
from orchestrator.model.state import State
from orchestrator.ports.depiction import Depiction
from orchestrator.reports.gallery import Looks
from orchestrator.runtime.alike import Alike


def looks_of(campaign: Campaign, state: State) -> Looks:
    """How the materials are drawn, and what those that were made are most like; nothing of a
    campaign that is not about described materials."""
    pool = pool_of(campaign.space)
    if pool is None or not pool.described:
        return Looks()
    depiction, why_none = drawn_by(pool)
    alike = Alike(pool)
    tried = {str(trial.proposal.point[pool.name]) for trial in state.trials.values()}
    kin = {name: alike.kin(name) for name in sorted(tried) if is_made(pool, name)}
    return Looks(depiction, {n: k for n, k in kin.items() if k is not None}, why_none)


def drawn_by(pool: Pool) -> tuple[Depiction | None, str]:
    """What draws the candidates of a described pool, or None and a sentence that says why."""
    from orchestrator.materials.drawing import depiction_of

    descriptor = pool.described[0].descriptor
    try:
        found = depiction_of(descriptor)
    except InputError as error:
        return None, f"{str(error)[:1].upper()}{str(error)[1:]}: {error.hint}"
    return found, "" if found else f"What '{descriptor}' describes has no shape to be drawn."
