"""`hagane rehearse`: the campaign on the virtual clock, with the engine that will run it."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.engine.ledger import Watch
from orchestrator.errors import InputError, UnknownName
from orchestrator.model.lab import REPLAY, VIRTUAL, Lab
from orchestrator.plugins import installed
from orchestrator.runtime.ask_tell import is_whole
from orchestrator.runtime.load import Loaded, load
from orchestrator.runtime.run import Finish, Setting, run_in_memory

if TYPE_CHECKING:
    from orchestrator.journal.store import Store


@dataclass(frozen=True)
class Rehearsal:
    """How the rehearsal went. `took_s` is wall time, `lab_s` the campaign time it stands for;
    `left_out` names the campaigns that the real one would learn from and that were not found."""

    finish: Finish
    took_s: float
    lab_s: float
    left_out: tuple[str, ...] = ()


def rehearse(
    campaign: str | Path,
    lab: str | Path | None = None,
    *,
    planner: str | None = None,
    trials: int | None = None,
    store: str | Path | None = None,
    watch: Watch | None = None,
) -> Rehearsal:
    """Plays a campaign on twins, in memory. `planner` and `trials` replace those of the file. What
    other campaigns found (`start`, `transfer`) is read from `store`, in which nothing is written;
    what is not there is left out, and said.

    Raises:
        InputError: a file is wrong, the lab has instruments but no twins, another campaign does not
            fit, no such planner is installed, or no trial is asked for.
    """
    if planner is not None and planner not in (known := installed("planners")):
        raise UnknownName("kind of planner that is installed", planner, known)
    if trials is not None and (not is_whole(trials) or trials < 1):
        raise InputError(f"{trials!r} trials cannot be rehearsed", hint="take 1 or more")
    loaded = load(campaign, lab)
    changes, left_out = _of_others(loaded, store)
    _refuse_instruments(loaded.lab)
    if planner is not None:
        options = loaded.campaign.planner.model_copy(update={"kind": planner, "options": {}})
        changes["planner"] = options
    if trials is not None:
        budget = loaded.campaign.budget.model_copy(update={"trials": trials})
        changes["budget"] = budget
    loaded = replace(loaded, campaign=loaded.campaign.model_copy(update=changes))
    start = time.perf_counter()
    finish = run_in_memory(loaded, setting=Setting(watch=watch))
    return Rehearsal(finish, time.perf_counter() - start, finish.state.running_s, left_out)


def _refuse_instruments(lab: Lab) -> None:
    """Accepts a lab of which nothing real would be reached. Raises InputError."""
    places = [(b.name, place) for b in lab.resources for place in b.places]
    reached = [(name, place) for name, place in places if not place.startswith(REPLAY)]
    if reached and lab.twins is None:
        raise InputError(
            f"lab '{lab.name}' has instruments but no twins to rehearse on",
            hint="give it a `twins:` section, or rehearse with --lab twins.yaml",
        )
    for name, place in reached:
        if not place.startswith(VIRTUAL):
            raise InputError(
                f"a rehearsal would reach '{name}' at '{place}', which is no twin",
                hint="rehearse on a lab of twins only",
            )


def _of_others(
    loaded: Loaded, place: str | Path | None
) -> tuple[dict[str, object], tuple[str, ...]]:
    """What the campaign is, with what it learns from others of a store; and which are not there."""
    study = loaded.campaign
    wanted = [w for w in study.sources_wanted if w.kind == "campaign"]
    if not study.start_from and not wanted:
        return {}, ()
    from orchestrator.journal import open_store

    names = dict.fromkeys([study.start_from, *(w.name for w in wanted)])
    with closing(open_store(place)) as store:
        known = {word for row in store.campaigns() if row.n_events for word in (row.name, row.id)}
        changes = _known_of(loaded, store, known)
    return changes, tuple(name for name in names if name and name not in known)


def _known_of(loaded: Loaded, store: Store, known: set[str]) -> dict[str, object]:
    from orchestrator.runtime.sources import fetched
    from orchestrator.runtime.starting import trials_before

    study = loaded.campaign
    changes: dict[str, object] = {"start_from": ""}
    if study.start_from in known:
        changes["start"] = (*study.start, *trials_before(store, study, ""))
    others = tuple(w for w in study.sources_wanted if w.kind == "campaign" and w.name in known)
    there = replace(loaded, campaign=study.model_copy(update={"sources_wanted": others}))
    found = fetched(there, store, "", lambda played: run_in_memory(played).state)
    changes["sources"] = (*study.sources, *found)
    rest = tuple(w for w in study.sources_wanted if w.kind != "campaign")
    changes["sources_wanted"] = rest
    return changes
