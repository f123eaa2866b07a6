"""`hagane tick`: one turn of the engine; collect, decide, submit, and no process is left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator import plugins
from orchestrator.engine.loop import Ending
from orchestrator.errors import Exit, InputError, LeaseHeld
from orchestrator.journal import open_store
from orchestrator.model.state import State
from orchestrator.model.trial import TrialStatus
from orchestrator.runtime.load import Loaded, check_pools, load
from orchestrator.runtime.run import Finish, Setting, find_or_create, run_opened, state_of
from orchestrator.runtime.sites import Turn, batches_of
from orchestrator.runtime.turn_lock import only_turn


@dataclass(frozen=True)
class Ticked:
    """What a turn came to; `line` says it in one line."""

    finish: Finish
    line: str
    n_running: int
    n_waiting: int
    n_submitted: int


def tick(
    campaign: str | Path,
    lab: str | Path | None = None,
    *,
    store: str | Path | None = None,
    new: bool = False,
    setting: Setting | None = None,
) -> Ticked:
    """One turn.

    Raises:
        InputError: a file is wrong, or the lab has something that needs an engine that stays.
        TurnUnderWay: the turn before this one is not over.
        ExecutionError: the scheduler does not answer, or takes nothing.
        JournalError: the store failed.
    """
    plugins.refuse_name_clash()
    with only_turn(campaign, store):
        return _turn(campaign, lab, store, setting, new=new)


def _turn(
    campaign: str | Path,
    lab: str | Path | None,
    store: str | Path | None,
    setting: Setting | None,
    *,
    new: bool,
) -> Ticked:
    loaded = load(campaign, lab, candidates=False)
    refuse_devices(loaded)
    opened = open_store(store)
    try:
        row, is_over = find_or_create(opened, loaded, new=new)
        state = state_of(opened, row.id)
        if not _is_checked(state, loaded):
            check_pools(loaded)
        if is_over is not None:
            ending = Ending(Exit.FINISHED, is_over, "start another one with --new")
            return _told(Finish(ending, state, loaded, row.id), None)
        turn = Turn(batches_of(loaded.lab, row.id))
        try:
            finish = run_opened(loaded, opened, row, replace(setting or Setting(), turn=turn))
        except LeaseHeld as error:
            ending = Ending(Exit.GOES_ON, str(error), "the turn before this one is not over")
            return _told(Finish(ending, state, loaded, row.id), turn)
        return _told(finish, turn)
    finally:
        opened.close()


def _is_checked(state: State, loaded: Loaded) -> bool:
    """Whether a turn before this one has looked at the same candidates with the same lab: of a
    campaign that goes on the pools are those of its first turn."""
    return state.engine is not None and state.engine.lab_text == loaded.lab.text


def refuse_devices(loaded: Loaded) -> None:
    """Accepts a lab that computes, and waits for files. Raises InputError."""
    if loaded.lab.twins is not None:
        raise InputError(
            f"lab '{loaded.lab.name}' has twins, which stand for devices, and a device needs an "
            "engine that stays with it",
            hint="take `hagane run`, or a lab file without 'twins:'",
        )
    for name, kind in loaded.kinds.items():
        if not (getattr(kind.cls, "computes", False) or getattr(kind.cls, "waits_alone", False)):
            raise InputError(
                f"'{name}' ({kind.name}) needs an engine that stays with it",
                hint="`hagane tick` is for labs that only compute, or wait for files: take "
                "`hagane run`",
            )


def _told(finish: Finish, turn: Turn | None) -> Ticked:
    n_running, n_waiting = turn.batches.counts() if turn is not None else (0, 0)
    n_submitted = turn.n_submitted if turn is not None else 0
    trials = finish.state.trials.values()
    n_done = sum(t.status is TrialStatus.DONE for t in trials)
    n_failed = sum(t.status is TrialStatus.FAILED for t in trials)
    parts = [f"{n_done} trials done", f"{n_failed} failed"]
    if finish.ending.exit_code is Exit.GOES_ON:
        held_up = ", ".join(turn.batches.held_up()) if turn is not None else ""
        why = f" ({held_up})" if held_up else ""
        parts += [f"{n_submitted} submitted now", f"{n_running} running"]
        parts.append(f"{n_waiting} waiting{why}")
    if turn is not None and turn.awaited:
        parts.append(
            f"{len(turn.awaited)} awaited of {', '.join(sorted(set(turn.awaited.values())))}"
        )
    line = f"{finish.loaded.campaign.name}: {', '.join(parts)}; {finish.ending.sentence}"
    return Ticked(finish, line, n_running, n_waiting, n_submitted)
