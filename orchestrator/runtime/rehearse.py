"""`hagane rehearse`: the campaign on the virtual clock, with the engine that will run it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.engine.ledger import Watch
from orchestrator.errors import InputError
from orchestrator.runtime.load import load
from orchestrator.runtime.run import Finish, Setting, run_in_memory


@dataclass(frozen=True)
class Rehearsal:
    """How the rehearsal went. `took_s` is wall time, `lab_s` the campaign time it stands for."""

    finish: Finish
    took_s: float
    lab_s: float


def rehearse(
    campaign: str | Path,
    lab: str | Path | None = None,
    *,
    planner: str | None = None,
    trials: int | None = None,
    watch: Watch | None = None,
) -> Rehearsal:
    """Plays a campaign on twins, in memory. `planner` and `trials` replace those of the file; what
    it would start from in a store (`start: {campaign: ...}`) is left out.

    Raises:
        InputError: a file is wrong, or the lab has instruments but no twins.
    """
    loaded = load(campaign, lab)
    # the store of a rehearsal is empty: what another campaign found is not known there
    changes: dict[str, object] = {"start_from": ""}
    has_ports = any("port" in b.options for b in loaded.lab.resources)
    if loaded.lab.twins is None and has_ports:
        raise InputError(
            f"lab '{loaded.lab.name}' has instruments but no twins to rehearse on",
            hint="give it a `twins:` section, or rehearse with --lab twins.yaml",
        )
    if planner is not None:
        options = loaded.campaign.planner.model_copy(update={"kind": planner, "options": {}})
        changes["planner"] = options
    if trials is not None:
        budget = loaded.campaign.budget.model_copy(update={"trials": trials})
        changes["budget"] = budget
    loaded = replace(loaded, campaign=loaded.campaign.model_copy(update=changes))
    start = time.perf_counter()
    finish = run_in_memory(loaded, setting=Setting(watch=watch))
    return Rehearsal(finish, time.perf_counter() - start, finish.state.running_s)
