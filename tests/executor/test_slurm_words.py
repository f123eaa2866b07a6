"""What SLURM says of an array's elements, read without a SLURM."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.executor.batches import Batches
from orchestrator.executor.slurm import Slurm, last_states
from orchestrator.model.site import Site

LINES = """\
JobId=12 ArrayJobId=10 ArrayTaskId=1 JobName=x JobState=CANCELLED Reason=None ExitCode=0:15
JobId=11 ArrayJobId=10 ArrayTaskId=0 JobName=x JobState=FAILED Reason=None ExitCode=28:0
JobId=10 ArrayJobId=10 ArrayTaskId={rest} JobName=x JobState=CANCELLED Reason=None ExitCode=0:0
"""


def say(
    lines: str, folder: Path, monkeypatch: pytest.MonkeyPatch, command_name: str = "scontrol"
) -> None:
    command = folder / command_name
    command.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}END\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_elements_that_were_cancelled_before_they_began_have_no_numbers_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(LINES.format(rest=2**32 - 2), tmp_path, monkeypatch)
    slurm = Slurm(Site(kind="slurm", partition="debug"))
    assert "was cancelled (SLURM's 10_7: CANCELLED)" in slurm.why("10", 7)
    assert "the disk is full" in slurm.fault("10", 0)
    assert slurm.fault("10", 7) == ""


def test_elements_that_wait_are_told_by_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(LINES.format(rest="2-4,6%2"), tmp_path, monkeypatch)
    assert sorted(last_states("10")) == [0, 1, 2, 3, 4, 6]


def test_an_element_that_ran_out_of_its_walltime_is_told_so_and_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = "JobState=TIMEOUT Reason=TimeLimit ExitCode=0:15"
    say(f"JobId=14 ArrayJobId=14 ArrayTaskId=1 JobName=x {ended}\n", tmp_path, monkeypatch)
    slurm = Slurm(Site(kind="slurm", partition="debug"))
    assert slurm.why("14", 1) == "ran out of its walltime (SLURM's 14_1: TIMEOUT)"
    assert slurm.fault("14", 1) == ""


def test_why_something_waits_for_more_than_its_turn_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "c"
    batches = Batches(folder, "c-", Slurm(Site(kind="slurm", partition="debug")))
    say("", tmp_path, monkeypatch, "squeue")
    batches.look()
    sent = [folder / f"t{n}" / "001" for n in range(1, 5)]
    for directory in sent:
        directory.mkdir(parents=True)
        batches.add(directory)
    say("10\n", tmp_path, monkeypatch, "sbatch")
    batches.flush()
    reasons = ["RUNNING|None", "PENDING|Resources", *["PENDING|PartitionTimeLimit"] * 2]
    queue = "".join(f"10|{n}|{said}|c-0001\n" for n, said in enumerate(reasons, 1))
    say(queue + "77|1|PENDING|JobHeldUser|other\n", tmp_path, monkeypatch, "squeue")
    batches.look()
    assert batches.counts() == (1, 3)
    assert batches.held_up() == ["PartitionTimeLimit"]
