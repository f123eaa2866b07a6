"""The candidates that the model of a campaign thinks best now, with what chemists ask of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator import plugins
from orchestrator.engine.history import history_of, task_of
from orchestrator.errors import InputError
from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import is_made, known_trial, material_of, pool_of
from orchestrator.model.space import Pool
from orchestrator.model.start import KnownTrial
from orchestrator.model.state import State
from orchestrator.model.trial import Proposal
from orchestrator.model.trial import remarks as told
from orchestrator.ports.depiction import Depiction, Kin
from orchestrator.ports.planner import RankingPlanner
from orchestrator.runtime.alike import Alike
from orchestrator.runtime.looks import drawn_by


@dataclass(frozen=True)
class Measured:
    """The nearest measured trial, its candidate, its distance in the model's space, and Tanimoto's
    similarity of the two candidates (None where they are not compared)."""

    trial: int
    name: str
    known: KnownTrial
    distance: float
    similarity: float | None


@dataclass(frozen=True)
class Shortlisted:
    """One candidate. `weight` is in g/mol, `accessibility` from 1 (easy to make) to 10; `kin` is
    what one that a generator made is most like in the table."""

    proposal: Proposal
    name: str
    material: str
    is_new: bool
    kin: Kin | None
    nearest: Measured | None
    weight: float | None = None
    accessibility: float | None = None

    @property
    def is_outside(self) -> bool:
        """Farther from those measured than these are from each other."""
        return self.proposal.notes.get("domain") == "outside"


@dataclass(frozen=True)
class Shortlist:
    """Candidates, the best first; `remarks` are sentences: whether the model is to be doubted, and
    what could not be told; `why_no_molecules` is '' where they are molecules or made of them."""

    campaign: Campaign
    pool: Pool
    rows: tuple[Shortlisted, ...]
    depiction: Depiction | None
    remarks: tuple[str, ...]
    why_no_molecules: str = ""


@dataclass(frozen=True)
class _Looked:
    campaign: Campaign


def shortlist(campaign: Campaign, state: State, n: int) -> Shortlist:
    """The `n` best candidates of a campaign's pool, and of what its generator made.

    The model is made anew: nothing is asked of a running engine.

    Raises:
        UnknownName: the planner is not installed here.
        InputError: the campaign has no pool, its planner no model, or too little was measured.
        PlanningError: the model cannot be made, or no candidate is left.
    """
    pool = pool_of(campaign.space)
    if pool is None:
        raise InputError(
            f"campaign '{campaign.name}' has no pool of candidates",
            hint="triage is of a space with `pool: FILE.csv`; see `hagane belief` for others",
        )
    proposals = _ranked(campaign, state, n)
    alike = Alike(pool)
    depiction, why_none = _drawn(pool)
    remarks = [why_none] if why_none else []
    if depiction is not None and pool.described[0].descriptor == "crystal":
        why_none = "Crystals are no molecules."
    knows_chemistry = not why_none
    rows = [
        _shortlisted(campaign, state, pool, proposal, alike, knows_chemistry)
        for proposal in proposals
    ]
    if knows_chemistry:
        remarks += _unknown_accessibility()
    remarks += [f"{said[:1].upper()}{said[1:]}." for said in told(proposals[0].notes)]
    doubt = proposals[0].notes.get("doubt")
    if doubt:
        remarks.insert(0, f"Not to be relied on yet: {doubt}.")
    if state.finished is not None:
        remarks.insert(
            0, f"The campaign has ended ({state.finished.why}): no vote is taken any more."
        )
    return Shortlist(campaign, pool, tuple(rows), depiction, tuple(remarks), why_none)


def _ranked(campaign: Campaign, state: State, n: int) -> Sequence[Proposal]:
    kind = campaign.planner.kind
    sources = state.opened.sources if state.opened else ()
    planner = plugins.load("planners", kind)(task_of(campaign, sources))
    if not isinstance(planner, RankingPlanner):
        raise InputError(f"the planner '{kind}' has no model that ranks candidates")
    history = history_of(_Looked(campaign), state, state.last_at - state.started_at)
    found = planner.ranked(history, n)
    if not found:
        raise InputError(
            "too little has been measured for a model yet",
            hint="it takes two values of the objective at least",
        )
    return found


def _drawn(pool: Pool) -> tuple[Depiction | None, str]:
    if not pool.described:
        why = "The pool's candidates are not described materials: there is nothing to be drawn."
        return None, why
    return drawn_by(pool)


def _unknown_accessibility() -> tuple[str, ...]:
    from orchestrator.materials.properties import is_accessibility_known

    if is_accessibility_known():
        return ()
    return ("RDKit came without its contributed score of synthetic accessibility: it is left out.",)


def _shortlisted(
    campaign: Campaign,
    state: State,
    pool: Pool,
    proposal: Proposal,
    alike: Alike,
    knows_chemistry: bool,
) -> Shortlisted:
    name = str(proposal.point[pool.name])
    material = material_of(pool, name)
    is_new = is_made(pool, name)
    weight = accessibility = None
    if knows_chemistry:
        from orchestrator.materials.properties import molecular_weight, synthetic_accessibility

        weight, accessibility = molecular_weight(material), synthetic_accessibility(material)
    return Shortlisted(
        proposal=proposal,
        name=name,
        material=material,
        is_new=is_new,
        kin=alike.kin(name) if is_new else None,
        nearest=_nearest(campaign, state, pool, proposal, alike),
        weight=weight,
        accessibility=accessibility,
    )


def _nearest(
    campaign: Campaign, state: State, pool: Pool, proposal: Proposal, alike: Alike
) -> Measured | None:
    near = proposal.nearest
    known = None if near is None else known_trial(campaign, state, near.trial)
    if near is None or known is None:
        return None
    name, own = str(known.point[pool.name]), str(proposal.point[pool.name])
    return Measured(near.trial, name, known, near.distance, alike.between(own, name))
