"""`hagane run`: a campaign on its lab, from first event to last, over any number of runs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import plugins
from orchestrator.clock import VirtualClock, WallClock
from orchestrator.engine.ledger import Ledger, Watch
from orchestrator.engine.loop import Ending, Engine
from orchestrator.errors import CampaignChanged, Exit, InputError
from orchestrator.executor.isolated import Isolation
from orchestrator.journal import open_store
from orchestrator.model.lab import Lab
from orchestrator.model.state import State
from orchestrator.model.transfer import Source
from orchestrator.ports.journal import CampaignRow, Journal
from orchestrator.ports.resource import Wire
from orchestrator.ports.traffic import Figures
from orchestrator.runtime.bench import (
    clock_of,
    in_memory,
    make_resources,
    running_twins,
    start_twins,
)
from orchestrator.runtime.isolating import forget_journaled, guarded_meanwhile, isolation_of
from orchestrator.runtime.joining import join, opened_event, planner_of, started_event
from orchestrator.runtime.known_matches import known_matches
from orchestrator.runtime.lab_changes import lab_changes
from orchestrator.runtime.left_behind import left_behind, lost_since
from orchestrator.runtime.load import Loaded, load
from orchestrator.runtime.look import campaign_of
from orchestrator.runtime.scans import StoredFiles
from orchestrator.runtime.sites import Turn, compute_of, local_compute
from orchestrator.runtime.stopline import StopLine, stop_socket_path
from orchestrator.runtime.traffic import Traffic
from orchestrator.settings import twin_identity, user_name

if TYPE_CHECKING:
    from orchestrator.journal.store import Store


@dataclass(frozen=True)
class Setting:
    """Everything about a run that is not in the files.

    `wrap` lets a test stand between engine and journal. `identity` replaces the campaign's id in
    tickets: two campaigns on one instrument must differ in it, two rehearsals should not. Twins
    end with their campaign unless `keep_twins`. With a `turn` the engine takes one, and waits for
    no calculation. `record` is a folder for the traffic, in place of the lab file's.
    """

    watch: Watch | None = None
    identity: str = ""
    keep_twins: bool = False
    wrap: Callable[[Journal], Journal] | None = None
    on_campaign: Callable[[Loaded, CampaignRow, Sequence[str]], None] | None = None
    turn: Turn | None = None
    record: str = ""


@dataclass(frozen=True)
class Finish:
    """What a run came to, and how the wires of its devices behaved."""

    ending: Ending
    state: State
    loaded: Loaded
    campaign_id: str
    wires: Mapping[str, Figures] = field(default_factory=dict)


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
        JournalError: this version cannot read it.
    """
    from orchestrator.files.canonical import differences

    campaign = loaded.campaign
    row = None if new else store.find(campaign.name)
    if row is None or (row.n_events == 0 and row.file_hash != campaign.file_hash):
        return store.create(campaign.name, campaign.file_hash), None
    state = state_of(store, row.id)
    if state.opened is not None and state.finished is None:
        campaign_of(store, state)  # one that nobody could look at is not gone on with
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
    isolation: Isolation | None = None
    try:
        traffic = ends.enter_context(closing(Traffic(setting.record or loaded.lab.record)))
        coming = start_twins(loaded.lab, row.id)
        wrapped = setting.wrap(journal) if setting.wrap else journal
        ledger = Ledger(wrapped, clock, setting.watch)
        if setting.on_campaign is not None:
            changes = lab_changes(ledger.state, loaded.lab.text, loaded.lab.declarations)
            left = left_behind(store, row, loaded.lab, loaded.kinds)
            lost = lost_since(ledger.state, loaded.lab)
            setting.on_campaign(loaded, row, [*left, *lost, *changes])
        clock.start_at(ledger.state.last_at)
        planner = planner_of(loaded, clock, sources)
        ports = coming.wait().ports if coming else {}
        compute = compute_of(loaded.lab, row.id, clock, ledger.record, setting.turn)
        ends.enter_context(closing(compute))
        isolation = isolation_of(loaded.lab, loaded.kinds, clock, ports, row.id, traffic)
        files = StoredFiles(store, row.id, clock)
        resources = make_resources(
            loaded.lab,
            loaded.kinds,
            clock,
            compute,
            ports,
            matches=known_matches(),
            traffic=traffic,
            isolation=isolation,
            archive=files,
            one_turn=setting.turn is not None,
        )
        engine = join(
            loaded,
            setting.identity or _identity(loaded.lab, row),
            ledger,
            resources,
            planner,
            files,
            one_turn=setting.turn is not None,
            isolation=isolation,
        )
        _stop_on_signals(engine)
        async with StopLine(stop_path, engine.stop):
            started = started_event(loaded, token, str(stop_path), planner.threads)
            is_new = ledger.state.opened is None
            opened = opened_event(loaded, store, row.id, sources, is_new=is_new)
            guarded = await guarded_meanwhile(row.id, ledger.state)
            ending = await engine.run(started, opened, guarded)
        forget_journaled(row.id, ledger.state)
        if setting.turn is not None:
            setting.turn.end()
        if ending.exit_code is Exit.FINISHED and not setting.keep_twins:
            _end_twins(row.id)
        return Finish(ending, ledger.state, loaded, row.id, traffic.used())
    finally:
        if isolation is not None:
            await isolation.close()
        ends.close()
        await journal.close()


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
    files = StoredFiles(stage.store, stage.campaign_id, clock)
    resources = make_resources(loaded.lab, loaded.kinds, clock, compute, *world, archive=files)
    ledger = Ledger(wrapped, clock, setting.watch)
    clock.start_at(max(clock.now(), ledger.state.last_at))
    planner = planner_of(loaded, clock, sources)
    engine = join(loaded, identity, ledger, resources, planner, files)
    try:
        opened = opened_event(loaded, stage.store, stage.campaign_id, sources)
        ending = await engine.run(started_event(loaded, token, "", planner.threads), opened)
    finally:
        compute.close()
        await journal.close()
    return Finish(ending, ledger.state, loaded, stage.campaign_id)
