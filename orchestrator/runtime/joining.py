"""Joins the parts of an engine that were made for a campaign, and says how it begins."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from orchestrator import plugins
from orchestrator.clock import VirtualClock
from orchestrator.engine.history import task_of
from orchestrator.engine.ledger import Ledger
from orchestrator.engine.loop import Engine
from orchestrator.engine.study import prepare
from orchestrator.executor.isolated import Isolation
from orchestrator.executor.runner import Runner
from orchestrator.model.events import CampaignOpened, EngineStarted
from orchestrator.model.transfer import Source
from orchestrator.ports.resource import Resource
from orchestrator.ports.schedule import Schedule
from orchestrator.runtime.bench import LabClock
from orchestrator.runtime.isolating import link
from orchestrator.runtime.lab_changes import known_models
from orchestrator.runtime.load import Loaded
from orchestrator.runtime.scans import CAMPAIGN, StoredFiles
from orchestrator.runtime.starting import trials_before
from orchestrator.scheduling import VirtualSchedule, WallSchedule
from orchestrator.settings import user_name

if TYPE_CHECKING:
    from orchestrator.journal.store import Store
    from orchestrator.planner.worker import PlannerProcess


def planner_of(loaded: Loaded, clock: LabClock, sources: tuple[Source, ...] = ()) -> PlannerProcess:
    """The planner of a campaign, in a process of its own that starts when a model is needed."""
    from orchestrator.planner.worker import PlannerProcess  # numpy, while the twins start

    target = plugins.installed("planners")[loaded.campaign.planner.kind].value
    return PlannerProcess(task_of(loaded.campaign, sources), target=target, clock=clock)


def join(
    loaded: Loaded,
    identity: str,
    ledger: Ledger,
    resources: dict[str, Resource],
    planner: PlannerProcess,
    files: StoredFiles | None = None,
    *,
    one_turn: bool = False,
    isolation: Isolation | None = None,
) -> Engine:
    """All parts of an engine, joined; `identity` goes into every ticket."""
    lab, clock = loaded.lab, ledger.clock
    study = prepare(loaded.campaign, lab, identity, loaded.kinds, loaded.capabilities)
    study = replace(study, scans=files)
    actions = {name: kind.actions for name, kind in loaded.kinds.items()}
    runner = Runner(lab, resources, actions, clock, ledger.record)
    if files is not None:
        runner.keep = files.keep
    runner.known = ledger.state.resources
    runner.models = known_models(ledger.state, lab.text, lab.declarations)
    schedule: Schedule = (
        VirtualSchedule(clock) if isinstance(clock, VirtualClock) else WallSchedule(clock.speed)
    )
    engine = Engine(study, ledger, planner, runner, schedule, one_turn=one_turn)
    runner.on_trip = engine.trip
    link(isolation, runner, engine.lose)
    if lab.interlocks:
        schedule.every(lab.poll_s, "interlocks", runner.watch)
    return engine


def opened_event(
    loaded: Loaded,
    store: Store,
    campaign_id: str,
    sources: tuple[Source, ...] = (),
    *,
    is_new: bool = True,
) -> CampaignOpened:
    """The first event of a campaign; the campaign itself becomes an artifact of the store.

    Raises:
        InputError: it starts from another one that cannot be found, or does not fit.
    """
    campaign = loaded.campaign
    checked = campaign.model_dump_json().encode()
    return CampaignOpened(
        name=campaign.name,
        campaign_file=campaign.source,
        campaign_text=campaign.text,
        file_hash=campaign.file_hash,
        artifact=store.put_artifact(campaign_id, checked, CAMPAIGN),
        seed=campaign.seed,
        version=version("hagane"),
        start=trials_before(store, campaign, campaign_id) if is_new else (),
        sources=sources if is_new else (),
    )


def started_event(loaded: Loaded, token: int, stop_socket: str, threads: int) -> EngineStarted:
    """That an engine holds the campaign, from which process of which machine, on which lab."""
    return EngineStarted(
        token=token,
        host=socket.gethostname(),
        pid=os.getpid(),
        user=user_name(),
        version=version("hagane"),
        lab_name=loaded.lab.name,
        lab_file=loaded.lab.source,
        lab_text=loaded.lab.text,
        declarations=loaded.lab.declarations,
        planner_threads=threads,
        stop_socket=stop_socket,
    )
