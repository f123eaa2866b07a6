"""`hagane run`: a campaign on its lab, from first event to last, over any number of runs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import plugins
from orchestrator.clock import ScaledClock, VirtualClock, WallClock
from orchestrator.engine.history import task_of
from orchestrator.engine.ledger import Ledger, Watch
from orchestrator.engine.loop import Ending, Engine
from orchestrator.engine.study import prepare
from orchestrator.errors import CampaignChanged, Exit, InputError
from orchestrator.executor.runner import Runner
from orchestrator.journal import open_store
from orchestrator.model.events import CampaignOpened, EngineStarted
from orchestrator.model.lab import Lab
from orchestrator.model.state import State
from orchestrator.model.transfer import Source
from orchestrator.ports.execution import Keep
from orchestrator.ports.journal import CampaignRow, Journal
from orchestrator.ports.resource import Resource, Wire
from orchestrator.ports.schedule import Schedule
from orchestrator.runtime.bench import in_memory, make_resources, running_twins, start_twins
from orchestrator.runtime.known_matches import known_matches
from orchestrator.runtime.load import Loaded, load
from orchestrator.runtime.sites import Turn, compute_of, local_compute
from orchestrator.runtime.starting import trials_before
from orchestrator.runtime.stopline import StopLine, stop_socket_path
from orchestrator.scheduling import VirtualSchedule, WallSchedule
from orchestrator.settings import twin_identity, user_name

if TYPE_CHECKING:
    from orchestrator.journal.store import Store
    from orchestrator.planner.worker import PlannerProcess

Clock = WallClock | ScaledClock | VirtualClock


@dataclass(frozen=True)
class Setting:
    """Everything about a run that is not in the files.

    `wrap` lets a test stand between engine and journal. `identity` replaces the campaign's id in
    tickets: two campaigns on one instrument must differ in it, two rehearsals should not. Twins
    end with their campaign unless `keep_twins`. With a `turn` the engine takes one, and waits for
    no calculation.
    """

    watch: Watch | None = None
    identity: str = ""
    keep_twins: bool = False
    wrap: Callable[[Journal], Journal] | None = None
    on_campaign: Callable[[Loaded, CampaignRow], None] | None = None
    turn: Turn | None = None


@dataclass(frozen=True)
class Finish:
    """What a run came to."""

    ending: Ending
    state: State
    loaded: Loaded
    campaign_id: str


def run_campaign(
    campaign: str | Path,
    lab: str | Path | None = None,
    *,
    store: str | Path | None = None,
    new: bool = False,
    setting: Setting | None = None,
) -> Finish:
    """Runs or resumes a campaign until it ends, waits for a person, or is stopped.

    Raises:
        InputError: a file is wrong, or it changed since the campaign was started.
        JournalError: the store failed, or another engine holds the campaign.
        DeviceError: a resource is absent or another one than expected.
    """
    plugins.refuse_name_clash()
    setting = setting or Setting()
    loaded = load(campaign, lab)
    opened = open_store(store)
    try:
        row, is_over = find_or_create(opened, loaded, new=new)
        if is_over is not None:
            ending = Ending(Exit.FINISHED, is_over, "start another one with --new")
            return Finish(ending, state_of(opened, row.id), loaded, row.id)
        return run_opened(loaded, opened, row, setting)
    finally:
        opened.close()


def run_opened(loaded: Loaded, store: Store, row: CampaignRow, setting: Setting) -> Finish:
    """As `run_campaign`, of a campaign that has not ended."""
    clock = clock_of(loaded.lab)
    sources = _sources(loaded, store, row)
    return clock.run(_run(loaded, store, row, clock, setting, sources))


def find_or_create(store: Store, loaded: Loaded, *, new: bool) -> tuple[CampaignRow, str | None]:
    """The campaign to go on with, or a new one; and how it ended, if it did.

    Raises:
        CampaignChanged: the file differs from the one it was started with.
        InputError: it was started on another lab.
    """
    from orchestrator.files.canonical import differences

    campaign = loaded.campaign
    row = None if new else store.find(campaign.name)
    if row is None or (row.n_events == 0 and row.file_hash != campaign.file_hash):
        return store.create(campaign.name, campaign.file_hash), None
    state = state_of(store, row.id)
    if row.file_hash != campaign.file_hash:
        before = state.opened.campaign_text if state.opened else ""
        raise CampaignChanged(campaign.name, differences(before, campaign.text))
    if state.engine is not None and state.engine.lab_name != loaded.lab.name:
        raise InputError(
            f"campaign '{campaign.name}' was started on lab '{state.engine.lab_name}', "
            f"not on '{loaded.lab.name}'",
            hint="name the same lab with --lab, or start another campaign with --new",
        )
    ended = f"it has ended already: {state.finished.why}" if state.finished else None
    return row, ended


def state_of(store: Store, campaign_id: str) -> State:
    """The fold of a campaign in a store."""
    from orchestrator.model.state import fold

    return fold(store.read(campaign_id))


def clock_of(lab: Lab) -> WallClock | ScaledClock:
    """The clock that the lab file asks for."""
    return ScaledClock(lab.clock.speed) if lab.clock.kind == "scaled" else WallClock()


def _sources(loaded: Loaded, store: Store, row: CampaignRow) -> tuple[Source, ...]:
    """Those that were fetched when the campaign was opened, or is now. Raises InputError."""
    if not loaded.campaign.sources_wanted:
        return ()
    opened = state_of(store, row.id).opened if row.n_events else None
    if opened is not None:
        return opened.sources
    from orchestrator.runtime.sources import fetched

    return fetched(loaded, store, row.id, _played)


def _played(loaded: Loaded) -> State:
    return run_in_memory(loaded).state


async def _run(
    loaded: Loaded,
    store: Store,
    row: CampaignRow,
    clock: WallClock,
    setting: Setting,
    sources: tuple[Source, ...],
) -> Finish:
    holder = f"{user_name()}@{socket.gethostname()} (process {os.getpid()})"
    stop_path = stop_socket_path(row.id)
    journal = store.lease(row.id, holder, stop_socket=str(stop_path), clock=clock)
    token = journal.token
    ends = ExitStack()
    try:
        coming = start_twins(loaded.lab, row.id)
        if setting.on_campaign is not None:
            setting.on_campaign(loaded, row)
        wrapped = setting.wrap(journal) if setting.wrap else journal
        ledger = Ledger(wrapped, clock, setting.watch)
        clock.start_at(ledger.state.last_at)
        planner = planner_of(loaded, clock, sources)
        ports = coming.wait().ports if coming else {}
        compute = compute_of(loaded.lab, row.id, clock, ledger.record, setting.turn)
        ends.enter_context(closing(compute))
        resources = make_resources(
            loaded.lab, loaded.kinds, clock, compute, ports, matches=known_matches()
        )
        engine = join(
            loaded,
            setting.identity or _identity(loaded.lab, row),
            ledger,
            resources,
            planner,
            keeper_of(store, row.id, clock),
            one_turn=setting.turn is not None,
        )
        _stop_on_signals(engine)
        async with StopLine(stop_path, engine.stop):
            started = _started(loaded, token, str(stop_path), planner.threads)
            is_new = ledger.state.opened is None
            opened = opened_event(loaded, store, row.id, sources, is_new=is_new)
            ending = await engine.run(started, opened)
        if setting.turn is not None:
            setting.turn.end()
        if ending.exit_code is Exit.FINISHED and not setting.keep_twins:
            _end_twins(row.id)
        return Finish(ending, ledger.state, loaded, row.id)
    finally:
        ends.close()
        await journal.close()


def planner_of(loaded: Loaded, clock: Clock, sources: tuple[Source, ...] = ()) -> PlannerProcess:
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
    keep: Keep,
    *,
    one_turn: bool = False,
) -> Engine:
    """All parts of an engine, joined; `identity` goes into every ticket."""
    lab, clock = loaded.lab, ledger.clock
    study = prepare(loaded.campaign, lab, identity, loaded.kinds, loaded.capabilities)
    actions = {name: kind.actions for name, kind in loaded.kinds.items()}
    runner = Runner(lab, resources, actions, clock, ledger.record)
    runner.keep = keep
    runner.known = ledger.state.resources
    schedule: Schedule = (
        VirtualSchedule(clock) if isinstance(clock, VirtualClock) else WallSchedule(clock.speed)
    )
    engine = Engine(study, ledger, planner, runner, schedule, one_turn=one_turn)
    runner.on_trip = engine.trip
    if lab.interlocks:
        schedule.every(lab.poll_s, "interlocks", runner.watch)
    return engine


def keeper_of(store: Store, campaign_id: str, clock: Clock) -> Keep:
    """Puts artifacts into the store while the engine goes on."""

    async def keep(data: bytes, name: str) -> str:
        with clock.work():
            return await asyncio.to_thread(store.put_artifact, campaign_id, data, name)

    return keep


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
        artifact=store.put_artifact(campaign_id, checked, "campaign.json"),
        seed=campaign.seed,
        version=version("hagane"),
        start=trials_before(store, campaign, campaign_id) if is_new else (),
        sources=sources if is_new else (),
    )


def _started(loaded: Loaded, token: int, stop_socket: str, threads: int) -> EngineStarted:
    return EngineStarted(
        token=token,
        host=socket.gethostname(),
        pid=os.getpid(),
        user=user_name(),
        version=version("hagane"),
        lab_name=loaded.lab.name,
        lab_file=loaded.lab.source,
        lab_text=loaded.lab.text,
        planner_threads=threads,
        stop_socket=stop_socket,
    )


def _stop_on_signals(engine: Engine) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, engine.interrupt, "interrupted by Ctrl-C")
    loop.add_signal_handler(signal.SIGTERM, engine.interrupt, "ended by SIGTERM")
    # a connection that breaks at night; `nohup` has it ignored
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, engine.interrupt, "its terminal was closed")


def _identity(lab: Lab, row: CampaignRow) -> str:
    return (twin_identity() if lab.twins is not None else "") or row.id


def _end_twins(campaign_id: str) -> None:
    """A finished campaign's twins have nothing left to wait for."""
    twins = running_twins(campaign_id)
    if twins is not None:
        subprocess.run(["kill", str(twins.pid)], check=False)


@dataclass(frozen=True)
class Stage:
    """Where a rehearsal plays: a store, a virtual clock, and the lab's twins in this process."""

    store: Store
    campaign_id: str
    clock: VirtualClock
    ports: dict[str, str]
    wires: dict[str, Wire]


def stage_of(loaded: Loaded) -> Stage:
    """A new stage, with a journal in memory."""
    store = open_store("memory:")
    row = store.create(loaded.campaign.name, loaded.campaign.file_hash)
    clock = VirtualClock()
    return Stage(store, row.id, clock, *in_memory(loaded.lab, clock))


def run_in_memory(
    loaded: Loaded, *, setting: Setting | None = None, stage: Stage | None = None
) -> Finish:
    """The same engine on a virtual clock, on twins in this process.

    On the same `stage` again it goes on with the campaign.
    """
    setting, stage = setting or Setting(), stage or stage_of(loaded)
    state = state_of(stage.store, stage.campaign_id)
    if state.opened is not None:
        sources = state.opened.sources
    elif loaded.campaign.sources_wanted:
        from orchestrator.runtime.sources import fetched

        sources = fetched(loaded, None, stage.campaign_id, _played)
    else:
        sources = ()
    return stage.clock.run(_play(loaded, setting, stage, sources))


async def _play(
    loaded: Loaded, setting: Setting, stage: Stage, sources: tuple[Source, ...]
) -> Finish:
    clock, identity = stage.clock, setting.identity or "rehearsal"
    journal = stage.store.lease(stage.campaign_id, "rehearsal", clock=clock)
    token = journal.token
    wrapped = setting.wrap(journal) if setting.wrap else journal
    compute = local_compute(stage.campaign_id, clock)
    world = (stage.ports, stage.wires, known_matches())
    resources = make_resources(loaded.lab, loaded.kinds, clock, compute, *world)
    ledger = Ledger(wrapped, clock, setting.watch)
    clock.start_at(max(clock.now(), ledger.state.last_at))
    planner = planner_of(loaded, clock, sources)
    keep = keeper_of(stage.store, stage.campaign_id, clock)
    engine = join(loaded, identity, ledger, resources, planner, keep)
    try:
        opened = opened_event(loaded, stage.store, stage.campaign_id, sources)
        ending = await engine.run(_started(loaded, token, "", planner.threads), opened)
    finally:
        compute.close()
        await journal.close()
    return Finish(ending, ledger.state, loaded, stage.campaign_id)
