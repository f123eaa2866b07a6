"""Sources that are fetched when a campaign is opened: another campaign's trials, played twins.

Trials of another campaign are known at the same settings and at the candidates of the same material
here. Where some have no candidate here and the pool is the whole space, their materials are
described as those of the pool are, so that everything that was measured there counts. Beside other
parameters a material that the pool does not have is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import plugins
from orchestrator.errors import FileProblems, InputError, UnknownName
from orchestrator.files.describing import describe
from orchestrator.files.space_shapes import PoolShape
from orchestrator.files.table import LARGEST, Table
from orchestrator.model.campaign import Budget, Campaign, PlannerChoice, StopRules
from orchestrator.model.rows import Rows
from orchestrator.model.space import Pool
from orchestrator.model.state import State, TrialState, fold
from orchestrator.model.transfer import Source, SourceWanted, refuse_few
from orchestrator.runtime.load import Loaded, load
from orchestrator.runtime.look import campaign_of, stored
from orchestrator.runtime.matching import Matching, matchings
from orchestrator.runtime.starting import point_of, refuse_strange, trials_before

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
    return tuple(refuse_few(source) for source in found)


def told_of_others(campaign: Campaign, where: str | Path | None) -> tuple[str, ...]:
    """What is to be known of the campaigns of a store that one is to learn or to start from: that
    it could not be opened now, since one is not there or does not fit; or that one varied more."""
    wanted = [w for w in campaign.sources_wanted if w.kind == "campaign"]
    if not wanted and not campaign.start_from:
        return ()
    found = list[str]()
    with stored(where) as store:
        for one in (*wanted, None):
            try:
                if one is None:
                    trials_before(store, campaign, "")
                else:
                    refuse_few(_of_campaign(campaign, one, store, ""))
            except InputError as error:
                hint = f" ({error.hint})" if error.hint else ""
                found.append(f"not yet to be run: {error}{hint}")
            else:
                found += _varied_more(
                    campaign, store, campaign.start_from if one is None else one.name
                )
    return tuple(dict.fromkeys(found))


def _varied_more(campaign: Campaign, store: Store, name: str) -> list[str]:
    """That a campaign had parameters which this one has not, if it had."""
    row = store.find(name) if name else None
    if row is None:
        return []
    other = campaign_of(store, fold(store.read(row.id)))
    more = [f"'{p}'" for p in other.space.names if p not in campaign.space.names]
    if not more:
        return []
    return [
        f"campaign '{other.name}' varied {', '.join(more)} too, which this one does not have: its "
        "results are taken as if that made no difference"
    ]


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
    refuse_strange(campaign, other, metrics=(), why="which this one is to learn from")
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
    found = Source(
        name=name,
        helps=wanted.helps,
        quantity=metric.name,
        unit=metric.unit,
        scale=metric.scale,
        model=wanted.model,
        values=(),
    )
    measured = list(_measured(other, state, wanted.metric))
    matches = matchings(campaign, other)
    pairs = []
    for trial, value in measured:
        point = point_of(campaign, other, trial, matches)
        if point is not None and all(str(point[n]) in m.pool.names for n, m in matches.items()):
            pairs.append((point, value))
    sole = campaign.space.parameters[0] if len(campaign.space.parameters) == 1 else None
    if sole is not None and len(pairs) < len(measured):
        match = matches.get(sole.name)
        if match is not None and match.is_of_materials:
            return _of_materials(found, measured, match)
    if len(pairs) < 2:
        raise InputError(f"the source '{name}' has fewer than two values that fit this space")
    values = tuple(value for _, value in pairs)
    return found.model_copy(update={"values": values, "points": tuple(point for point, _ in pairs)})


def _measured(other: Campaign, state: State, metric: str) -> Iterator[tuple[TrialState, float]]:
    """The trials of a campaign in which a metric has a value, with it."""
    is_log = other.metric(metric).scale == "log"
    for _, trial in sorted(state.trials.items()):
        seen = trial.observed(metric)
        if seen is None or seen.event.censored:
            continue
        value = seen.event.value
        if abs(value) <= LARGEST and (value > 0 or not is_log):
            yield trial, value


def _of_materials(
    found: Source, measured: Sequence[tuple[TrialState, float]], match: Matching
) -> Source:
    """The source as values of materials, described as this campaign's are, whichever they are.

    Raises:
        InputError: fewer than two can be described.
    """
    name = match.pool.name
    words = [str(trial.proposal.point[name]) for trial, _ in measured]
    table = Table(
        source=found.name,
        columns=("material",),
        rows=tuple((match.material(word),) for word in words),
        lines=tuple(trial.number for trial, _ in measured),
        sha256="",
    )
    shape = PoolShape(
        pool="source",
        descriptor=[{d.descriptor: dict(d.options)} for d in match.pool.described],
        material="material",
    )
    try:
        reading = describe(table, shape, plugins.descriptor)
    except FileProblems as error:
        why = error.problems[0].message
        raise InputError(f"the source '{found.name}' does not fit this space: {why}") from error
    if len(reading.rows) < 2:
        why = reading.set_aside[0].why if reading.set_aside else "it has no more"
        raise InputError(
            f"the source '{found.name}' has fewer than two values that fit this space: {why}"
        )
    materials = Pool(
        name="source",
        names=tuple(f"trial {table.lines[row]}" for row in reading.rows),
        columns=(),
        units=(),
        rows=Rows.of(()),
        described=reading.described,
        set_aside=reading.set_aside,
        source=found.name,
    )
    values = tuple(measured[row][1] for row in reading.rows)
    return found.model_copy(update={"parameter": name, "materials": materials, "values": values})
