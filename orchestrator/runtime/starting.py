"""What another campaign of the store found out, as the start of this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator.errors import InputError, UnitMismatch, UnknownName
from orchestrator.model.campaign import Campaign
from orchestrator.model.quantity import convert, scale_offset
from orchestrator.model.samples import replicated
from orchestrator.model.space import Context, Integer, Parameter, Point, Value, words_of
from orchestrator.model.start import KnownOutcome, KnownTrial
from orchestrator.model.state import State, TrialState, fold
from orchestrator.model.trial import TrialStatus
from orchestrator.runtime.look import campaign_of
from orchestrator.runtime.matching import Matching, matchings

if TYPE_CHECKING:
    from orchestrator.journal.store import Store


def trials_before(store: Store, campaign: Campaign, campaign_id: str) -> tuple[KnownTrial, ...]:
    """The ended trials of the campaign that `start_from` names; none where it names none.

    Trials whose words this campaign does not have are left out; a candidate of a pool of materials
    is the one of the same material here, whatever its name is.

    Raises:
        InputError: there is no such campaign, it lacks a parameter or a metric of this one, or
            has it in a unit that does not fit.
    """
    name = campaign.start_from
    if not name:
        return ()
    rows = [r for r in store.campaigns() if name in (r.name, r.id) and r.id != campaign_id]
    rows = [r for r in rows if r.n_events]
    if not rows:
        known = {r.name for r in store.campaigns() if r.id != campaign_id}
        raise UnknownName("campaign in this store to start from", name, known)
    row = rows[-1]
    state = fold(store.read(row.id))
    other = campaign_of(store, state)
    refuse_strange(campaign, other, metrics=campaign.objective.metrics)
    return tuple(_known(campaign, other, state, f"campaign {row.name} ({row.id})"))


def refuse_strange(
    campaign: Campaign,
    other: Campaign,
    *,
    metrics: Sequence[str],
    why: str = "which this one starts from",
) -> None:
    """Accepts a campaign that has the parameters of this one, and some metrics of it, in units that
    fit. `why` the other one is looked at stands in the sentence of an error.

    Raises:
        InputError: one is missing, or cannot be converted.
    """
    what = f"parameter of the campaign '{other.name}', {why}"
    for parameter in campaign.space.parameters:
        if parameter.name not in other.space.names and not isinstance(parameter, Context):
            raise UnknownName(what, parameter.name, other.space.names)
        if parameter.name in other.space.names:
            theirs = other.space[parameter.name]
            if (words_of(parameter) is None) != (words_of(theirs) is None):
                raise InputError(f"'{parameter.name}' is a word in one of the campaigns only")
            _fits(parameter.name, getattr(theirs, "unit", ""), getattr(parameter, "unit", ""))
    names = [metric.name for metric in other.metrics]
    for name in metrics:
        if name not in names:
            raise UnknownName(what.replace("parameter", "metric"), name, names)
        _fits(name, other.metric(name).unit, campaign.metric(name).unit)


def _fits(name: str, theirs: str, ours: str) -> None:
    try:
        scale_offset(theirs, ours)
    except UnitMismatch as error:
        raise UnitMismatch(f"'{name}' of the other campaign", theirs, ours) from error


def _known(campaign: Campaign, other: Campaign, state: State, source: str) -> Iterator[KnownTrial]:
    matches = matchings(campaign, other)
    for number, trial in sorted(state.trials.items()):
        point = point_of(campaign, other, trial, matches)
        outcomes = _outcomes(campaign, other, trial)
        has_failed = trial.status is TrialStatus.FAILED
        is_whole = len(outcomes) == len(campaign.objective.metrics)
        if point is not None and (has_failed or is_whole):
            yield KnownTrial(
                point=point,
                outcomes=outcomes,
                failed=has_failed,
                blames_parameters=has_failed and trial.blames_parameters,
                source=f"{source} trial {number}",
            )


def point_of(
    campaign: Campaign, other: Campaign, trial: TrialState, matches: Mapping[str, Matching]
) -> Point | None:
    """A trial's point in the units of this campaign; None where it lies in no part of its space.

    `matches` are of its pools.

    Raises:
        InputError: a name stands for different candidates in the two campaigns.
    """
    point: Point = {}
    for parameter in campaign.space.parameters:
        value: Value | None = _value(parameter, other, trial)
        words = words_of(parameter)
        if parameter.name in matches:
            value = matches[parameter.name].candidate(str(value))
        elif words is not None and value not in words:
            return None
        if value is None:
            return None
        point[parameter.name] = value
    for condition in campaign.space.conditions:
        if point[condition.parent] not in condition.values:
            point[condition.name] = condition.otherwise
    return point


def _value(parameter: Parameter, other: Campaign, trial: TrialState) -> Value:
    name = parameter.name
    if isinstance(parameter, Context):
        seen = trial.observed(name)
        if seen is not None:
            return convert(seen.event.value, seen.event.unit or parameter.unit, parameter.unit)
        if name not in trial.proposal.point:
            return parameter.assumed
    value = trial.proposal.point[name]
    if isinstance(value, str):
        return value
    unit = getattr(other.space[name], "unit", "")
    number = convert(value, unit, getattr(parameter, "unit", ""))
    return round(number) if isinstance(parameter, Integer) else number


def _outcomes(campaign: Campaign, other: Campaign, trial: TrialState) -> dict[str, KnownOutcome]:
    found = {}
    for name in campaign.objective.metrics:
        seen = trial.observed(name)
        if seen is None:
            continue
        event, unit = seen.event, campaign.metric(name).unit
        noise = replicated(event)
        slope, offset = scale_offset(other.metric(name).unit, unit)
        found[name] = KnownOutcome(
            value=slope * event.value + offset,
            sd=None if noise.sd is None else slope * noise.sd,
            n_samples=noise.n_samples,
            level=noise.level,
            censored=event.censored,
        )
    return found
