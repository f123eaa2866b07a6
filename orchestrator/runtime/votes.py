"""Votes on candidates that people wrote into a sheet, read back."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.engine.stopping import n_left
from orchestrator.engine.votes import voted
from orchestrator.errors import FileProblems, HaganeError, InputError, Problem, UnknownName
from orchestrator.files.columns import column_of, number_in
from orchestrator.files.spreadsheet import table_in
from orchestrator.files.table import Table
from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import is_made, pool_of
from orchestrator.model.events import PointWished
from orchestrator.model.space import Pool
from orchestrator.model.state import State
from orchestrator.runtime.settling import naming_of
from orchestrator.settings import user_name

WANTED = ("+1", "1", "+1.0", "1.0")
REFUSED = ("-1", "-1.0")
_MINUS = str.maketrans("\u2212\u2013", "--", " ")
"""A minus sign and a dash, as word processors write it; blanks do not count."""


def read_votes(path: Path, campaign: Campaign, state: State) -> dict[str, Any]:
    """What goes into the inbox: `wanted` points, `refused` pairs of pool and candidate, `remarks`
    by candidate.

    The sheet (`.xlsx`, or CSV) has the columns `name` and `vote`, and where the pool is not alone
    those of the other parameters.

    Raises:
        FileProblems: with everything that is wrong, by row; nothing of it was taken then.
        InputError: it has neither votes nor remarks, or not these columns.
    """
    pool = pool_of(campaign.space)
    if pool is None:
        raise InputError(f"campaign '{campaign.name}' has no pool of candidates to vote on")
    table = table_in(path, ("name", "vote"))
    names, votes = table.texts("name"), table.texts("vote")
    found: dict[str, Any] = {"wanted": [], "refused": [], "remarks": _remarks(table, names)}
    problems = []
    for place, (line, name, vote) in enumerate(zip(table.lines, names, votes, strict=True)):
        try:
            one = _vote(campaign, pool, table, place, name, vote)
            voted(campaign, state, {**found, **_added(found, one)}, user_name())
        except HaganeError as error:
            problems.append(Problem(str(error), error.hint, line))
        else:
            found |= _added(found, one)
    if problems:
        raise FileProblems(str(path), problems)
    if not any(found.values()):
        raise InputError(
            f"{path} has no votes and no remarks", hint="write +1 or -1 into the column 'vote'"
        )
    return found


def told_of(campaign: Campaign, state: State, found: Mapping[str, Any]) -> str:
    """What votes come to, in words: how many, and which of those wanted ask for nothing new."""
    pool = pool_of(campaign.space)
    assert pool is not None, "they were read"
    events = voted(campaign, state, found, user_name())
    points = [event.point for event in events if isinstance(event, PointWished)]
    asked = Counter(str(point[pool.name]) for point in found["wanted"])
    new = Counter(str(point[pool.name]) for point in points)
    known = [*campaign.start, *(state.opened.start if state.opened else ())]
    again = [str(p[pool.name]) for p in points if any(p == one.point for one in known)]
    told = [f"{len(points)} wanted, {len(found['refused'])} refused"]
    left = n_left(campaign, state)
    if len(points) > left:
        total = f"{campaign.budget.trials} trial{'' if campaign.budget.trials == 1 else 's'}"
        told.append(f"of those wanted {left} will be tried, for the budget is {total}")
    if found["remarks"]:
        n = len(found["remarks"])
        told.append(f"remarks on {n} of the candidates, which the journal keeps")
    if asked - new:
        told.append(f"tried or wanted before, and left as it is: {', '.join(asked - new)}")
    if again:
        told.append(f"known before the first trial, and made again: {', '.join(again)}")
    return "; ".join(told)


def _added(found: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    return {key: [*found[key], value] for key, value in one.items()}


def _vote(
    campaign: Campaign, pool: Pool, table: Table, place: int, name: str, vote: str
) -> dict[str, Any]:
    """One vote as an entry of `wanted` or `refused`; nothing for an empty cell."""
    if not vote:
        return {}
    said = unicodedata.normalize("NFKC", vote).translate(_MINUS)  # full width, too
    if said not in (*WANTED, *REFUSED):
        raise InputError(
            f"the vote '{vote}' is none",
            hint="write +1 (try it next), -1 (not at all), or nothing: a vote is no grade",
        )
    _refuse_unknown(pool, name)
    if said in REFUSED:
        return {"refused": [pool.name, name]}
    point: dict[str, Any] = {pool.name: name}
    for parameter in campaign.space.parameters:
        cell = _cell(table, place, parameter.name, getattr(parameter, "unit", ""))
        if parameter.name != pool.name and cell not in (None, ""):
            point[parameter.name] = cell
    return {"wanted": point}


def _refuse_unknown(pool: Pool, name: str) -> None:
    """Accepts a candidate of the table, or one that a generator could have made."""
    if not is_made(pool, name):
        return
    if pool.generation is None or not name:
        raise UnknownName(f"candidate of '{pool.name}'", name, pool.names)
    candidate = naming_of(pool).candidate(name)
    if candidate != name:
        raise InputError(f"'{name}' is no candidate", hint=f"write it as '{candidate}'")


def _cell(table: Table, place: int, name: str, unit: str) -> float | str | None:
    """A parameter's cell as a number in its unit, or as a word; None without such a column."""
    try:
        column = column_of(table, name)
    except UnknownName:
        return None
    text = table.texts(column)[place]
    number = number_in(text, column, unit)
    return text if number is None else number


def _remarks(table: Table, names: Sequence[str]) -> dict[str, str]:
    if "remark" not in table.columns:
        return {}
    found: dict[str, str] = {}
    for name, said in zip(names, table.texts("remark"), strict=True):
        if said:  # one candidate may have several rows, with other settings
            found[name] = f"{found[name]}; {said}" if name in found else said
    return found
