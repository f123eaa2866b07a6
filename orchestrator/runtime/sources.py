"""Sources that are fetched when a campaign is opened: another campaign's trials, played twins."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import InputError, UnknownName
from orchestrator.model.campaign import Budget, Campaign, PlannerChoice, StopRules
from orchestrator.model.space import Point
from orchestrator.model.state import State, fold
from orchestrator.model.transfer import Source, SourceWanted
from orchestrator.runtime.load import Loaded, load
from orchestrator.runtime.look import campaign_of
from orchestrator.runtime.starting import point_of, refuse_strange

if TYPE_CHECKING:
    from orchestrator.journal.store import Store


def fetched(
    loaded: Loaded, store: Store | None, campaign_id: str, play: Callable[[Loaded], State]
) -> tuple[Source, ...]:
    """The sources that a campaign wants, in the order of its file; without a store those that are
    other campaigns are left out. `play` runs a campaign in memory, on the twins of its lab.

    Raises:
        InputError: there is no such campaign, it does not fit, or it has too few values; or the
            twins cannot be played.
    """
    campaign = loaded.campaign
    found = []
    for wanted in campaign.sources_wanted:
        if wanted.kind == "simulator":
            found.append(_of_twins(loaded, wanted, play))
        elif store is not None:
            found.append(_of_campaign(campaign, wanted, store, campaign_id))
    return tuple(found)


def _of_campaign(
    campaign: Campaign, wanted: SourceWanted, store: Store, campaign_id: str
) -> Source:
    rows = [r for r in store.campaigns() if wanted.name in (r.name, r.id) and r.id != campaign_id]
    rows = [r for r in rows if r.n_events]
    if not rows:
        known = {r.name for r in store.campaigns() if r.id != campaign_id}
        raise UnknownName("campaign in this store to learn from", wanted.name, known)
    state = fold(store.read(rows[-1].id))
    other = campaign_of(store, state)
    refuse_strange(campaign, other, metrics=())
    return _source(campaign, other, state, wanted, f"{wanted.metric} of {rows[-1].name}")


def _of_twins(loaded: Loaded, wanted: SourceWanted, play: Callable[[Loaded], State]) -> Source:
    """Plays the campaign on the twins of another lab, from a start that fills the space."""
    campaign = loaded.campaign
    there = load(campaign.source, wanted.name)
    if there.lab.twins is None:
        raise InputError(
            f"'{wanted.name}' is no simulator: it has no twins", hint="name a lab file with twins"
        )
    played = campaign.model_copy(
        update={
            "planner": PlannerChoice(kind="sobol"),
            "budget": Budget(trials=wanted.n_trials),
            "stop": StopRules(),
            "sources": (),
            "sources_wanted": (),
            "start": (),
            "start_from": "",
            "confirm": None,
            "controls": None,
        }
    )
    state = play(replace(there, campaign=played))
    name = f"{wanted.metric} on {Path(wanted.name).name}"
    return _source(campaign, played, state, wanted, name)


def _source(
    campaign: Campaign, other: Campaign, state: State, wanted: SourceWanted, name: str
) -> Source:
    names = [m.name for m in other.metrics]
    if wanted.metric not in names:
        raise UnknownName(f"metric of the campaign '{other.name}'", wanted.metric, names)
    metric = other.metric(wanted.metric)
    pairs = list(_pairs(campaign, other, state, wanted.metric))
    if len(pairs) < 2:
        raise InputError(f"the source '{name}' has fewer than two values that fit this space")
    return Source(
        name=name,
        helps=wanted.helps,
        quantity=metric.name,
        unit=metric.unit,
        scale=metric.scale,
        values=tuple(value for _, value in pairs),
        points=tuple(point for point, _ in pairs),
    )


def _pairs(
    campaign: Campaign, other: Campaign, state: State, metric: str
) -> Iterator[tuple[Point, float]]:
    is_log = other.metric(metric).scale == "log"
    for _, trial in sorted(state.trials.items()):
        seen, point = trial.observed(metric), point_of(campaign, other, trial)
        if seen is None or point is None or seen.event.censored:
            continue
        value = seen.event.value
        if math.isfinite(value) and (value > 0 or not is_log):
            yield point, value
