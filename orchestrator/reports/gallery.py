"""The page's gallery of materials: how they look, what came of them, and what they are like."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import in_a_line, is_made, known_trial, material_of, pool_of
from orchestrator.model.space import Pool
from orchestrator.model.start import KnownTrial
from orchestrator.model.state import State, TrialState
from orchestrator.ports.depiction import Depiction, Kin
from orchestrator.reports.numbers import measured, number
from orchestrator.reports.summary import best_trials, losses_of, metric_order, shown_metric
from orchestrator.reports.table import shown_prediction, standing_word

N_BEST, N_NEWEST = 12, 6
Picture: TypeAlias = Callable[[str], str]


@dataclass(frozen=True)
class Looks:
    """What a report is told about materials: how they are drawn, and what those that a generator
    made are most like; `why_none` says in a sentence why nothing can be drawn."""

    depiction: Depiction | None = None
    kin: Mapping[str, Kin] = field(default_factory=dict)
    why_none: str = ""


@dataclass(frozen=True)
class Nearest:
    """The nearest material that had been measured when one was proposed. `distance` is that of the
    model's space; `picture` an address of data, '' for none."""

    trial: int
    name: str
    distance: str
    values: tuple[str, ...]
    picture: str


@dataclass(frozen=True)
class Card:
    """One material that was proposed. `values` are pairs of metric and text; `remarks` say what is
    to be known before it is believed."""

    trial: int
    name: str
    material: str
    picture: str
    standing: str
    values: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    nearest: Nearest | None


@dataclass(frozen=True)
class Gallery:
    """The best materials and the newest ones, of `n` that were proposed. `counts_alone`: fragments
    and nothing else are compared, so that distances run from 0 to the square root of two."""

    best: tuple[Card, ...]
    newest: tuple[Card, ...]
    n: int
    why_none: str
    counts_alone: bool


def gallery(campaign: Campaign, state: State, looks: Looks) -> Gallery | None:
    """The gallery; None of a campaign that is not about described materials."""
    pool = pool_of(campaign.space)
    if pool is None or not pool.described or not state.trials:
        return None
    picture = _painter(looks.depiction)
    best = _best_first(campaign, state, pool)[:N_BEST]
    shown = {str(t.proposal.point[pool.name]) for t in best}
    newest = [
        trial
        for trial in _each_once(pool, sorted(state.trials.values(), key=lambda t: -t.number))
        if str(trial.proposal.point[pool.name]) not in shown
    ]
    n = len({str(t.proposal.point[pool.name]) for t in state.trials.values()})

    def cards(trials: list[TrialState]) -> tuple[Card, ...]:
        return tuple(_card(campaign, state, pool, trial, looks, picture) for trial in trials)

    is_alone = len(campaign.space.parameters) == len(pool.described) == 1 and not pool.columns
    alone = is_alone and pool.described[0].counts is not None
    return Gallery(cards(best), cards(newest[:N_NEWEST]), n, looks.why_none, alone)


def _best_first(campaign: Campaign, state: State, pool: Pool) -> list[TrialState]:
    """Each material's best trial that keeps the limits: those of the front first, then by the first
    goal."""
    front = {t.number for t in best_trials(campaign, state)}
    found = [(t, losses) for t in state.trials.values() if (losses := losses_of(campaign, t))]
    found.sort(key=lambda pair: (pair[0].number not in front, pair[1], pair[0].number))
    return _each_once(pool, [trial for trial, _ in found])


def _each_once(pool: Pool, trials: list[TrialState]) -> list[TrialState]:
    first: dict[str, TrialState] = {}
    for trial in trials:
        first.setdefault(str(trial.proposal.point[pool.name]), trial)
    return list(first.values())


def _painter(depiction: Depiction | None) -> Picture:
    """Gives the drawing of a material as an address of data, '' where there is none."""
    drawn: dict[str, str] = {}

    def picture(material: str) -> str:
        if depiction is not None and material not in drawn:
            svg = depiction.svg(material)
            coded = base64.b64encode((svg or "").encode()).decode()
            drawn[material] = f"data:image/svg+xml;base64,{coded}" if svg else ""
        return drawn.get(material, "")

    return picture


def _card(
    campaign: Campaign,
    state: State,
    pool: Pool,
    trial: TrialState,
    looks: Looks,
    picture: Picture,
) -> Card:
    name = str(trial.proposal.point[pool.name])
    material = material_of(pool, name)
    return Card(
        trial=trial.number,
        name=in_a_line(name),
        material="" if material == name or "\n" in material else material,
        picture=picture(material),
        standing=standing_word(campaign, trial),
        values=tuple(_values(campaign, trial)),
        remarks=tuple(_remarks(pool, trial, name, looks)),
        nearest=_nearest(campaign, state, pool, trial, picture),
    )


def _values(campaign: Campaign, trial: TrialState) -> list[tuple[str, str]]:
    """What was measured; of what was not, what was expected."""
    values = []
    for metric in metric_order(campaign):
        unit = campaign.metric(metric).unit
        shown = shown_metric(campaign, trial, metric)
        expected = shown_prediction(trial.proposal.predicted.get(metric), unit)
        if shown and expected:
            values.append((metric, f"{shown} (expected {expected})"))
        elif shown or expected:
            values.append((metric, shown or f"expected {expected}"))
    return values


def _remarks(pool: Pool, trial: TrialState, name: str, looks: Looks) -> list[str]:
    remarks = []
    if is_made(pool, name):
        kin = looks.kin.get(name)
        remarks.append("new: made by the generator" + (f"; {kin_words(kin)}" if kin else ""))
    if trial.proposal.notes.get("domain") == "outside":
        remarks.append("outside the domain: farther than those measured are from each other")
    return remarks


def kin_words(kin: Kin) -> str:
    """`most like PI7 of the table (similarity 0.62)`."""
    shown = "" if kin.similarity is None else f" (similarity {kin.similarity:.2f})"
    return f"most like {in_a_line(kin.name)} of the table{shown}"


def _nearest(
    campaign: Campaign, state: State, pool: Pool, trial: TrialState, picture: Picture
) -> Nearest | None:
    near = trial.proposal.nearest
    known = None if near is None else known_trial(campaign, state, near.trial)
    if near is None or known is None:
        return None
    name = str(known.point[pool.name])
    return Nearest(
        trial=near.trial,
        name=in_a_line(name),
        distance=number(near.distance, 2),
        values=known_values(campaign, known),
        picture=picture(material_of(pool, name)),
    )


def known_values(campaign: Campaign, known: KnownTrial) -> tuple[str, ...]:
    """What a trial gave, in words, goals first: `strength 410 ± 12 MPa`; `failed` where nothing."""
    found = []
    for metric in metric_order(campaign):
        outcome = known.outcomes.get(metric)
        if outcome is not None:
            unit, bound = campaign.metric(metric).unit, outcome.censored or ""
            shown = measured(outcome.value, outcome.sd, unit, censored=bound)
            found.append(f"{metric} {shown}")
    return tuple(found) or ("failed",)
