"""A campaign over several runs: resumed, refused, looked at, asked and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import (
    CampaignChanged,
    Exit,
    InputError,
    JournalError,
    LeaseHeld,
    UnknownName,
)
from orchestrator.journal import open_store
from orchestrator.model import events as ev
from orchestrator.model.state import State
from orchestrator.runtime import look, wishes
from orchestrator.runtime.doctor import examine
from orchestrator.runtime.load import load
from orchestrator.runtime.observing import check_observation, invalidation
from orchestrator.runtime.run import Finish, Setting, run_campaign


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def changed(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


def test_a_campaign_runs_once_and_says_so_afterwards(back_room: Path, store: Path) -> None:
    finish = run_campaign(back_room, store=store)
    assert finish.ending.exit_code is Exit.FINISHED
    assert [t.observed("mass").event.value for t in finish.state.trials.values()] == [2.5, 2.5]  # type: ignore[union-attr]
    again = run_campaign(back_room, store=store)
    assert again.ending.sentence == "it has ended already: the budget of 2 trials is used"
    assert again.ending.hint == "start another one with --new"
    assert again.campaign_id == finish.campaign_id
    other = run_campaign(back_room, store=store, new=True)
    assert other.campaign_id != finish.campaign_id
    assert len(look.campaigns(store)) == 2


def test_a_second_engine_on_a_campaign_is_refused_and_told_who_holds_it(
    back_room: Path, store: Path
) -> None:
    refusals: list[str] = []

    def second(recorded: ev.Recorded, state: State) -> None:
        if isinstance(recorded.event, ev.TrialProposed) and not refusals:
            opened = open_store(store)
            with pytest.raises(LeaseHeld) as refused:
                opened.lease(look.row_of(opened, "weighing").id, "another")
            opened.close()
            refusals.append(str(refused.value))

    finish = run_campaign(back_room, store=store, setting=Setting(watch=second))
    assert finish.ending.exit_code is Exit.FINISHED
    assert f"is being run by {getpass.getuser()}@" in refusals[0]
    assert f"process {os.getpid()}" in refusals[0]


def test_a_held_campaign_is_not_run(back_room: Path, store: Path) -> None:
    opened = open_store(store)
    row = opened.create("weighing", load(back_room).campaign.file_hash)
    opened.lease(row.id, "the night shift")
    with pytest.raises(LeaseHeld, match="the night shift"):
        run_campaign(back_room, store=store)
    opened.close()


def test_a_campaign_of_another_version_is_refused_before_anything_is_added(
    back_room: Path, store: Path
) -> None:
    opened = open_store(store)
    file_hash = load(back_room).campaign.file_hash
    row = opened.create("weighing", file_hash)
    kept = opened.put_artifact(row.id, b'{"name": "weighing"}', "campaign.json")
    first = ev.CampaignOpened(
        name="weighing",
        campaign_file="campaign.yaml",
        campaign_text="",
        file_hash=file_hash,
        artifact=kept,
        seed=0,
        version="0.0.1",
    )

    async def begin() -> None:
        journal = opened.lease(row.id, "another version")
        await journal.append([first], at=0.0)
        await journal.close()

    asyncio.run(begin())
    opened.close()
    for use in (lambda: run_campaign(back_room, store=store), lambda: look.look(store, None)):
        with pytest.raises(JournalError, match=r"'weighing' was begun by another .*: field req"):
            use()
    assert len(look.events(store, None)) == 1
    found = {f.what: f for f in examine(store)}[f"campaign {row.id}"]
    assert not found.ok
    assert "begun by another version" in found.said


def test_a_changed_file_is_refused_with_what_changed(back_room: Path, store: Path) -> None:
    run_campaign(back_room, store=store)
    changed(back_room, "campaign.yaml", "trials: 2", "trials: 3")
    with pytest.raises(CampaignChanged) as refused:
        run_campaign(back_room, store=store)
    assert "-budget: {trials: 2}" in str(refused.value)
    assert "+budget: {trials: 3}" in str(refused.value)
    assert "--new" in refused.value.hint
    assert run_campaign(back_room, store=store, new=True).ending.exit_code is Exit.FINISHED


def test_a_changed_pool_is_refused_as_such(back_room: Path, store: Path) -> None:
    pool = back_room / "scales.csv"
    pool.write_text("name,price\nold,1\nnew,2\n")
    changed(back_room, "campaign.yaml", "space: {", "space: {scale: {pool: scales.csv}, ")
    run_campaign(back_room, store=store)
    pool.write_text("name,price\nold,1\nnew,3\n")
    with pytest.raises(CampaignChanged, match="a pool or a table of campaign 'weighing'"):
        run_campaign(back_room, store=store)


def test_a_comment_is_no_change(back_room: Path, store: Path) -> None:
    run_campaign(back_room, store=store)
    changed(back_room, "campaign.yaml", "name:", "# a note\nname:")
    assert "ended already" in run_campaign(back_room, store=store).ending.sentence


def test_a_campaign_that_never_began_may_still_be_changed(back_room: Path, store: Path) -> None:
    opened = open_store(store)
    opened.create("weighing", "the hash of an earlier text")
    opened.close()
    assert run_campaign(back_room, store=store).ending.exit_code is Exit.FINISHED


def test_another_lab_is_refused(back_room: Path, store: Path) -> None:
    run_campaign(back_room, store=store)
    changed(back_room, "lab.yaml", "the back room", "the front room")
    with pytest.raises(InputError, match="was started on lab 'the back room', not on 'the front"):
        run_campaign(back_room, store=store)


def test_a_resource_that_is_not_fit_for_work_asks_a_person(back_room: Path, store: Path) -> None:
    changed(back_room, "lab.yaml", "seconds: 0 s", "note: unfit")
    finish = run_campaign(back_room, store=store)
    assert finish.ending.exit_code is Exit.PERSON
    assert "balance" in finish.ending.sentence
    assert finish.state.trials == {}


class Beside:
    """Does something in a thread of its own once an event comes by; `said` is what it gave."""

    def __init__(self, kind: type[Any], deed: Callable[[], Any]) -> None:
        self.said: list[Any] = []
        self._kind, self._deed = kind, deed
        self._thread: threading.Thread | None = None

    def __call__(self, recorded: ev.Recorded, state: State) -> None:
        if isinstance(recorded.event, self._kind) and self._thread is None:
            self._thread = threading.Thread(target=lambda: self.said.append(self._deed()))
            self._thread.start()

    def join(self) -> Any:
        assert self._thread is not None
        self._thread.join(20)
        return self.said[0]


def run_beside(folder: Path, store: Path, deed: Callable[[], Any]) -> tuple[Finish, Any]:
    beside = Beside(ev.ActionDispatched, deed)
    finish = run_campaign(folder, store=store, setting=Setting(watch=beside))
    return finish, beside.join()


def test_a_wish_reaches_a_running_engine_and_is_answered(back_room: Path, store: Path) -> None:
    changed(back_room, "lab.yaml", "seconds: 0 s", "seconds: 0.7 s")

    def deed() -> list[wishes.Answer]:
        kinds = ("resume", "pause", "resume")
        return [wishes.wish(store, "weighing", kind, {}) for kind in kinds]

    finish, (refused, paused, resumed) = run_beside(back_room, store, deed)
    assert finish.ending.exit_code is Exit.FINISHED
    assert refused.is_refused
    assert "not paused" in refused.text
    assert (paused.text, resumed.text) == ("done", "done")
    assert not paused.is_waiting


def test_stop_reaches_the_engine_by_its_socket_and_latches(back_room: Path, store: Path) -> None:
    changed(back_room, "lab.yaml", "seconds: 0 s", "seconds: 30 s")
    finish, answer = run_beside(back_room, store, lambda: wishes.stop(store, "weighing"))
    assert answer.text == "safe"
    assert finish.ending.sentence.startswith("stopped by ")
    assert "latched" in run_campaign(back_room, store=store).ending.sentence
    waiting = wishes.wish(store, None, "resume", {})
    assert waiting.is_waiting
    changed(back_room, "lab.yaml", "seconds: 30 s", "seconds: 0 s")
    assert run_campaign(back_room, store=store).ending.exit_code is Exit.FINISHED


@contextlib.contextmanager
def engines(store: Path, folder: Path, *answers: str) -> Iterator[list[str]]:
    """Campaigns whose engines answer a stop so; a campaign that came after them does not run."""
    opened, lines, rows = open_store(store), [], []
    for n, said in enumerate(answers):
        path = folder / f"{n}.stop"
        rows.append(opened.create(f"night {n}", "a"))
        opened.lease(rows[-1].id, "an engine", stop_socket=str(path))
        line = socket.socket(socket.AF_UNIX)
        line.bind(str(path))
        line.listen()
        lines.append(threading.Thread(target=answer_once, args=(line, said), daemon=True))
        lines[-1].start()
    opened.create("later", "a")
    yield [row.id for row in rows]
    for thread in lines:
        thread.join(20)
    opened.close()


def answer_once(line: socket.socket, said: str) -> None:
    with line, line.accept()[0] as caller:
        caller.recv(200)
        caller.sendall(f"{said}\n".encode())


def test_a_stop_without_a_name_stops_every_campaign_that_runs(store: Path, tmp_path: Path) -> None:
    with engines(store, tmp_path, "safe", "safe") as (one, other):
        answer = wishes.stop(store, None)
    assert (answer.text, answer.is_safe) == (f"safe: {one}, {other}", True)


def test_of_several_that_are_stopped_each_is_said_where_one_is_not_safe(
    store: Path, tmp_path: Path
) -> None:
    with engines(store, tmp_path, "safe", "not all resources answered") as (one, other):
        answer = wishes.stop(store, None)
    assert answer.text == f"{one}: safe; {other}: not all resources answered"
    assert not answer.is_safe


def test_the_one_campaign_that_runs_is_stopped_though_another_one_is_newer(
    store: Path, tmp_path: Path
) -> None:
    with engines(store, tmp_path, "safe"):
        assert wishes.stop(store, None).text == "safe"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """The same folder, as a disk that may only be read."""
    view = tmp_path / "view"
    view.mkdir()
    mounting = ["mount", "--bind", str(tmp_path), str(view)]
    if os.getuid() != 0 or subprocess.run(mounting, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a disk, and not in every container")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(view)], check=True)
        yield view
    finally:
        subprocess.run(["umount", "--lazy", str(view)], check=True)


def test_stop_reaches_the_engine_where_the_store_may_only_be_read(
    back_room: Path, store: Path, read_only: Path
) -> None:
    changed(back_room, "lab.yaml", "seconds: 0 s", "seconds: 30 s")
    seen = read_only / store.name
    finish, answer = run_beside(back_room, store, lambda: wishes.stop(seen, "weighing"))
    assert answer.text == "safe"
    assert finish.ending.sentence.startswith("stopped by ")
    with pytest.raises(InputError, match="nothing was stopped"):
        wishes.stop(seen, "weighing")
    found = {f.what: f for f in examine(seen)}
    assert found["store"].ok
    assert "1 campaign; " in found["store"].said
    assert "you may not write in" in found["store"].said
    assert "hash chain unbroken" in found[f"campaign {finish.campaign_id}"].said


def test_stop_goes_through_the_inbox_where_the_socket_cannot_be_reached(
    back_room: Path, store: Path
) -> None:
    changed(back_room, "lab.yaml", "seconds: 0 s", "seconds: 30 s")

    def deed() -> wishes.Answer:
        opened = open_store(store)
        held = opened.holder(look.row_of(opened, "weighing").id)
        opened.close()
        assert held is not None
        Path(held[1]).unlink()
        return wishes.stop(store, "weighing")

    _, answer = run_beside(back_room, store, deed)
    assert answer.text == "safe"
    assert "latched" in run_campaign(back_room, store=store).ending.sentence


def test_stopping_what_does_not_run_stops_nothing_and_says_so(back_room: Path, store: Path) -> None:
    run_campaign(back_room, store=store)
    with pytest.raises(InputError, match="nothing was stopped"):
        wishes.stop(store, "weighing")


def test_a_campaign_that_has_ended_takes_no_wishes(back_room: Path, store: Path) -> None:
    run_campaign(back_room, store=store)
    answer = wishes.wish(store, "weighing", "observe", {"sample": "1"})
    assert answer.is_refused
    assert "has ended" in answer.text
    opened = open_store(store)
    assert opened.pending_requests(look.row_of(opened, None).id) == []
    opened.close()


def wished_at_the_end(folder: Path, store: Path) -> wishes.Answer:
    """The answer to a measurement that is told while the engine ends, and looks no more."""
    told = {"sample": "1", "metric": "mass", "value": "2 g"}
    beside = Beside(ev.EngineStopped, lambda: wishes.wish(store, None, "observe", told))

    def watch(recorded: ev.Recorded, state: State) -> None:
        beside(recorded, state)
        opened = open_store(store)
        row = look.row_of(opened, None)
        while isinstance(recorded.event, ev.EngineStopped) and not opened.pending_requests(row.id):
            time.sleep(0.01)
        opened.close()

    run_campaign(folder, store=store, setting=Setting(watch=watch))
    return beside.join()


def test_a_wish_that_comes_too_late_for_a_campaign_that_ends_is_refused(
    back_room: Path, store: Path
) -> None:
    answer = wished_at_the_end(back_room, store)
    assert answer.is_refused
    assert "has ended" in answer.text


def test_a_wish_that_comes_too_late_for_an_engine_waits_for_the_next_one(
    back_room: Path, store: Path
) -> None:
    changed(back_room, "lab.yaml", "seconds: 0 s", "note: unfit")
    answer = wished_at_the_end(back_room, store)
    assert answer.is_waiting
    assert "the next `hagane run` (or `tick`) will take it" in answer.text


def test_a_campaign_is_looked_at_by_name_by_id_or_as_the_newest(
    back_room: Path, store: Path
) -> None:
    open_store(store).close()
    with pytest.raises(InputError, match="holds no campaign yet"):
        look.look(store, None)
    first = run_campaign(back_room, store=store)
    second = run_campaign(back_room, store=store, new=True)
    assert look.look(store, None).row.id == second.campaign_id
    assert look.look(store, "weighing").row.id == second.campaign_id
    seen = look.look(store, first.campaign_id)
    assert seen.row.id == first.campaign_id
    assert (seen.campaign.name, len(seen.state.trials)) == ("weighing", 2)
    with pytest.raises(UnknownName, match="'weighting'"):
        look.look(store, "weighting")
    every = look.events(store, first.campaign_id)
    assert [e.seq for e in every] == list(range(1, len(every) + 1))
    assert look.events(store, first.campaign_id, after=5) == every[5:]


def test_a_campaign_is_looked_at_without_its_files(back_room: Path, store: Path) -> None:
    run_campaign(back_room, store=store)
    for file in back_room.iterdir():
        file.unlink()
    assert look.look(store, None).campaign.objective.metric == "mass"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"value": "nan g"}, "'nan g' is not a quantity"),
        ({"value": "3 mm"}, "cannot be converted to 'g'"),
        ({"value": "3 g", "sd": "-1 g"}, "below zero"),
        ({"value": "3 g", "metric": "masss"}, "'masss' is not a metric"),
        ({"value": "3 g", "sample": "9"}, "'9' is not a sample or trial"),
    ],
)
def test_a_wrong_observation_is_refused_before_it_waits_for_an_engine(
    back_room: Path, store: Path, payload: dict[str, str], said: str
) -> None:
    run_campaign(back_room, store=store)
    seen = look.look(store, None)
    with pytest.raises(InputError, match=said):
        check_observation(seen.campaign, seen.state, {"sample": "1", "metric": "mass"} | payload)
    check_observation(
        seen.campaign, seen.state, {"sample": "1", "metric": "mass", "value": "3000 mg"}
    )


def test_a_measurement_is_taken_back_by_trial_or_by_sample(back_room: Path, store: Path) -> None:
    run_campaign(back_room, store=store)
    state = look.look(store, None).state
    number, seqs = next(iter(state.trials)), [o.seq for o in state.trials[1].observations]
    payload, words = invalidation(state, str(number), "mass", " the balance was not level ")
    assert payload == {"observation": seqs, "reason": "the balance was not level"}
    assert "will count no longer" in words
    for sample, metric, why, said in (
        ("1", None, " ", "only invalidated with a reason"),
        ("1", "hue", "why", "no hue is measured that still counts"),
        ("1/b", "mass", "why", "no mass is measured that still counts"),
        ("99", None, "why", "'99' is not a sample or trial"),
    ):
        with pytest.raises(InputError, match=said):
            invalidation(state, sample, metric, why)


def test_who_goes_on_with_another_instrument_is_told_before_it_begins(
    back_room: Path, store: Path
) -> None:
    told: list[str] = []

    def interrupt(entry: ev.Recorded, state: State) -> None:
        if isinstance(entry.event, ev.TrialDone) and entry.event.trial == 1:
            os.kill(os.getpid(), signal.SIGINT)

    setting = Setting(
        watch=interrupt, on_campaign=lambda loaded, row, changes: told.extend(changes)
    )
    assert (
        run_campaign(back_room, store=store, setting=setting).ending.exit_code is not Exit.FINISHED
    )
    assert told == []
    changed(back_room, "lab.yaml", "seconds: 0 s", "seconds: 1 s")
    run_campaign(back_room, store=store, setting=setting)
    (said,) = told
    assert "'balance' is not as in the last run (seconds: 0 s -> 1 s)" in said
