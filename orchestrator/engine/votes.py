"""Votes of people on candidates: which are to be tried next, and which not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.engine.history import newest_context
from orchestrator.engine.points import refuse_outside
from orchestrator.errors import InputError, UnknownName
from orchestrator.model.campaign import Campaign
from orchestrator.model.events import CandidateRefused, Event, PointWished
from orchestrator.model.points import point_from, value_from
from orchestrator.model.space import Point, Pool
from orchestrator.model.state import State


def voted(campaign: Campaign, state: State, payload: Mapping[str, Any], by: str) -> list[Event]:
    """The events of `wanted` points and `refused` pairs of pool and candidate. What was wished,
    tried or refused before is left as it is, so that a sheet may be given twice.

    Raises:
        InputError: a point or a candidate cannot be, or one is both wanted and refused.
    """
    wanted = [_wanted(campaign, state, dict(given), by) for given in payload.get("wanted") or ()]
    refused = [_refused(campaign, given) for given in payload.get("refused") or ()]
    for pool, candidate in refused:
        if any(point[pool] == candidate for point in wanted):
            raise InputError(f"'{candidate}' is both wanted and refused")
    before = [wish.point for wish in state.wished]
    before += [trial.proposal.point for trial in state.trials.values()]
    return [
        *(
            PointWished(point=point, by=by)
            for i, point in enumerate(wanted)
            if point not in before and point not in wanted[:i]
        ),
        *(
            CandidateRefused(pool=pool, candidate=candidate, by=by)
            for pool, candidate in dict.fromkeys(refused)
            if (pool, candidate) not in state.refused
        ),
    ]


def _wanted(campaign: Campaign, state: State, given: dict[str, Any], by: str) -> Point:
    point = point_from(campaign.space, given, newest_context(campaign, state))
    refuse_outside(campaign.space, point, by or "a person")
    return point


def _refused(campaign: Campaign, given: Sequence[str]) -> tuple[str, str]:
    name, candidate = given
    pools = {p.name: p for p in campaign.space.parameters if isinstance(p, Pool)}
    if name not in pools:
        raise UnknownName("pool of this campaign", str(name), pools)
    return name, str(value_from(pools[name], candidate))
