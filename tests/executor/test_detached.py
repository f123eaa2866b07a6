"""Calculations that outlive who asked: submitted once, collected once, lost a few times."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import (
    CalculationFailed,
    CalculationFault,
    ExecutionError,
    StillRunning,
)
from orchestrator.executor.background import Background
from orchestrator.executor.batches import Batches, Standing
from orchestrator.executor.detached import DetachedCompute
from orchestrator.executor.known import KnownResults
from orchestrator.model.attempts import AttemptLost

KEY = "ab" * 32


class Queue:
    """A scheduler in memory: what a test says is true of its arrays, which are called by its name
    and a number."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.is_away = False
        self.arrays: dict[str, str] = {}
        self.batches: list[list[str]] = []
        self.gone: set[str] = set()
        self.refuses = False
        self.dies_after = False
        self.faults: dict[str, str] = {}
        self.asked: list[tuple[str, int]] = []

    def owns(self, array: str) -> bool:
        return array.startswith(self.name)

    def submit(self, name: str, batch: Path, n: int) -> str:
        if self.refuses:
            raise ExecutionError("sbatch refuses: QOSMaxSubmitJobPerUserLimit")
        self.batches.append(batch.read_text().split())
        assert len(self.batches[-1]) == n
        self.arrays[name] = f"{self.name}{len(self.batches)}"
        if self.dies_after:
            raise KeyboardInterrupt
        return self.arrays[name]

    def look(self, prefix: str) -> Mapping[str, str]:
        if self.is_away:
            raise ExecutionError("there is no command 'squeue' here")
        return {name: array for name, array in self.arrays.items() if array not in self.gone}

    def standing(self, array: str, element: int) -> Standing:
        if array in self.arrays.values() and array not in self.gone:
            return Standing(is_alive=True, is_running=True)
        return Standing(is_alive=False)

    def why(self, array: str, element: int) -> str:
        self.asked.append((array, element))
        return "was cancelled"

    def fault(self, array: str, element: int) -> str:
        return self.faults.get(array, "")


class Turns:
    """Engines one after the other on one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.queue = Queue()
        self.others: list[Queue] = []
        self.told: list[tuple[str, int, str]] = []

    def __call__(self, *submissions: dict[str, Any], is_flushed: bool = True) -> list[Any]:
        """What becomes of each submission in the next turn."""

        async def tell(lost: AttemptLost) -> None:
            self.told.append((lost.ticket, lost.attempt, lost.why))

        batches = Batches(self.root, "hagane-c-", self.queue, self.others)
        batches.look()
        results = KnownResults(self.root.parent / "results")
        compute = DetachedCompute(self.root, batches, results=results, tell=tell)

        async def all_of_them() -> list[Any]:
            outcomes = []
            for one in submissions:
                try:
                    outcomes.append(await compute.submit("m:f", {"x": 1}, **one))
                except (StillRunning, ExecutionError) as error:
                    outcomes.append(type(error))
            return outcomes

        outcomes = asyncio.run(all_of_them())
        if is_flushed:
            compute.flush()
        compute.close()
        return outcomes

    def leave(self, name: str, attempt: int, **answer: Any) -> None:
        """What a calculation writes at its end."""
        directory = self.root / name / f"{attempt:03d}"
        (directory / "output.txt").touch()
        (directory / "result.json").write_text(json.dumps(answer))


@pytest.fixture
def turns(tmp_path: Path) -> Turns:
    return Turns(tmp_path / "c")


A = {"ticket": "a"}


def test_what_was_submitted_in_a_turn_is_one_array_and_is_collected_by_a_later_one(
    turns: Turns,
) -> None:
    assert turns(A, {"ticket": "b"}) == [StillRunning, StillRunning]
    assert turns.queue.batches == [["a/001", "b/001"]]
    assert turns(A, {"ticket": "b"}) == [StillRunning, StillRunning]
    turns.leave("a", 1, result={"value": 5.0})
    assert turns(A, {"ticket": "b"}) == [{"value": 5.0}, StillRunning]
    assert len(turns.queue.batches) == 1


def test_two_trials_that_need_the_same_share_one_calculation(turns: Turns) -> None:
    same = [{"ticket": "a", "key": KEY}, {"ticket": "b", "key": KEY}]
    assert turns(*same) == [StillRunning, StillRunning]
    assert [len(batch) for batch in turns.queue.batches] == [1]
    turns.leave(KEY[:40], 1, result={"value": 5.0})
    assert turns(*same) == [{"value": 5.0, "reused": 0}, {"value": 5.0, "reused": 1}]


def test_what_runs_where_the_lab_file_was_before_is_waited_for_and_collected(
    turns: Turns,
) -> None:
    here, cluster = Queue("here-"), Queue("cluster-")
    turns.queue, turns.others = here, [cluster]
    assert turns(A) == [StillRunning]
    turns.queue, turns.others = cluster, [here]
    assert turns(A, {"ticket": "b"}) == [StillRunning] * 2
    assert (here.batches, cluster.batches) == ([["a/001"]], [["b/001"]])
    turns.leave("a", 1, result={"value": 7})
    cluster.is_away, cluster.gone = True, {"cluster-1"}
    turns.queue, turns.others = here, [cluster]
    assert turns(A, {"ticket": "b"}) == [{"value": 7}, StillRunning]
    assert turns.told == [("b", 1, "was cancelled")]
    assert here.batches[1:] == [["b/002"]]


def test_an_engine_that_died_before_it_submitted_is_made_up_for(turns: Turns) -> None:
    assert turns(A, is_flushed=False) == [StillRunning]
    assert turns.queue.batches == []
    assert turns(A) == [StillRunning]
    assert turns.queue.batches == [["a/001"]]


def test_an_engine_that_died_before_it_knew_the_id_submits_nothing_twice(turns: Turns) -> None:
    turns.queue.dies_after = True
    with pytest.raises(KeyboardInterrupt):
        turns(A)
    turns.queue.dies_after = False
    assert turns(A) == [StillRunning]
    assert turns.queue.batches == [["a/001"]]


def test_nor_does_it_when_the_array_has_left_the_queue_meanwhile(turns: Turns) -> None:
    turns.queue.dies_after = True
    with pytest.raises(KeyboardInterrupt):
        turns(A)
    turns.queue.dies_after = False
    turns.queue.gone.add("1")
    turns.leave("a", 1, result={"value": 5.0})
    assert turns(A) == [{"value": 5.0}]
    assert len(turns.queue.batches) == 1


def test_what_the_scheduler_refuses_is_submitted_by_a_later_turn(turns: Turns) -> None:
    turns.queue.refuses = True
    with pytest.raises(ExecutionError, match="QOSMaxSubmit"):
        turns(A)
    turns.queue.refuses = False
    assert turns(A) == [StillRunning]
    assert turns.queue.batches == [["a/001"]]


def test_a_process_that_dies_as_it_is_started_is_told_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mortal = tmp_path / "python"
    mortal.write_text("#!/bin/sh\nkill -9 $$\n")
    mortal.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(mortal))
    with pytest.raises(ExecutionError, match="no process can be started: it ended with code -9"):
        Background(1).submit("films-0001", tmp_path / "batches" / "0001.txt", 1)


def test_a_lost_one_is_begun_again_a_few_times_and_then_blames_its_input(turns: Turns) -> None:
    for number in (1, 2, 3):
        assert turns(A) == [StillRunning]
        assert turns.queue.batches[-1] == [f"a/00{number}"]
        turns.queue.gone.add(str(number))
    assert turns(A) == [CalculationFailed]
    assert turns.told == [("a", number, "was cancelled") for number in (1, 2, 3)]
    assert len(turns.queue.batches) == 3


def test_a_result_whose_worker_was_lost_afterwards_counts(turns: Turns) -> None:
    turns(A)
    turns.queue.gone.add("1")
    turns.leave("a", 1, result={"value": 5.0})
    assert turns(A) == [{"value": 5.0}]
    assert turns.told == []


def test_a_fault_of_the_machine_is_told_once_and_computed_anew(turns: Turns) -> None:
    turns(A)
    turns.leave("a", 1, fault="the disk is full")
    assert turns(A) == [CalculationFault]
    assert turns(A) == [StillRunning]
    assert turns.queue.batches[-1] == ["a/002"]


def test_what_no_input_is_to_blame_for_is_no_loss_however_often_it_happens(turns: Turns) -> None:
    for number in (1, 2, 3, 4):
        assert turns(A) == [StillRunning]
        assert turns.queue.batches[-1] == [f"a/00{number}"]
        turns.queue.gone.add(str(number))
        turns.queue.faults[str(number)] = "ended with code 127"
        assert turns(A) == [CalculationFault]
    for number in (5, 6):
        assert turns(A) == [StillRunning]
        turns.queue.gone.add(str(number))
    assert turns(A) == [StillRunning], "lost twice, of three times"
    assert [attempt for _, attempt, _ in turns.told] == [5, 6]


def test_a_line_that_a_full_disk_cut_off_never_names_another_array(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns(A)
    submitted = turns.root / "batches" / "submitted.txt"
    before = submitted.read_text()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CalculationFault, match="full"):
        turns(A, {"ticket": "b"})
    assert submitted.read_text() == before
    monkeypatch.undo()
    assert turns(A, {"ticket": "b"}) == [StillRunning, StillRunning]
    assert turns.queue.batches == [["a/001"], ["b/001"]]


def test_a_failed_calculation_is_no_reason_to_compute_it_again(turns: Turns) -> None:
    turns(A)
    turns.leave("a", 1, error="ArithmeticError: no minimum")
    assert turns(A) == [CalculationFailed]
    assert turns(A) == [CalculationFailed]
    assert len(turns.queue.batches) == 1


def test_nobody_asks_again_what_became_of_one_that_was_lost_before(turns: Turns) -> None:
    turns(A, {"ticket": "b"})
    turns.queue.gone.add("1")
    turns(A, {"ticket": "b"})
    assert sorted(turns.queue.asked) == [("1", 1), ("1", 2)]
    for _ in range(3):
        turns(A, {"ticket": "b"})
        batches = Batches(turns.root, "hagane-c-", turns.queue)
        batches.look()
        assert batches.counts() == (2, 0)
    assert len(turns.queue.asked) == 2


def test_what_several_share_is_given_up_for_a_turn_and_not_for_ever(turns: Turns) -> None:
    shared = [{"ticket": ticket, "key": KEY} for ticket in "abc"]
    for number in ("1", "2", "3"):
        assert turns(*shared[:2]) == [StillRunning, StillRunning]
        turns.queue.gone.add(number)
    assert turns(*shared[:2]) == [CalculationFailed, CalculationFailed]
    assert [number for _, number, _ in turns.told] == [1, 2, 3]
    # another trial needs it later: the node is back
    assert turns(shared[2]) == [StillRunning]
    assert turns.queue.batches[-1] == [f"{KEY[:40]}/004"]
    turns.queue.gone.add("4")
    assert turns(shared[2]) == [StillRunning]
    turns.leave(KEY[:40], 5, result={"value": 5.0})
    assert turns(shared[2]) == [{"value": 5.0, "reused": 0}]
