"""The disk of the store fills up while a campaign runs on it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults_night import WITHIN_S, new_night
from memory_night import unsafe

from orchestrator.errors import Exit
from orchestrator.runtime.wishes import stop

LONG = {"20 min": "900 min"}
"""At the nights' speed the plasma burns for 9 s of wall time."""
SLOW = {"speed: 1200": "speed: 4"}
"""After it has picked a sample up the arm needs some seconds more, in which nothing is written."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a disk, and not in every container")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path) -> Path:
    """Takes all space that is left; gives the file that holds it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    return ballast


def test_the_engine_stops_before_the_next_action_and_loses_nothing(
    tmp_path: Path, disk: Path
) -> None:
    with new_night(tmp_path, trials=2, campaign=LONG) as night:
        night.store = disk / "store.sqlite"
        child = night.begin_until("films_begun")
        child.send_signal(signal.SIGSTOP)
        before = night.events()
        ballast = fill(disk)
        child.send_signal(signal.SIGCONT)
        _, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.ENVIRONMENT
        sentence, hint = err.splitlines()
        assert sentence == (
            f"error: the disk of the store {night.store} is full (database or disk is full)"
        )
        assert hint.removeprefix("hint: ") == (
            "free some space, and run again: what is recorded stays, what was under way is asked "
            "about"
        )
        with night.control() as control:
            assert unsafe(control.state()) == []
            assert control.counts()["films_partial"] == 1
            assert night.command("run", str(night.folder)).stderr == err
            assert night.events()[: len(before)] == before, "it can still be read"
            ballast.unlink()
            again = night.command("run", str(night.folder))
            assert again.returncode == Exit.PERSON
            assert "tool.deposit of trial 1 took place: supply.on was done" in again.stdout
            assert control.counts()["films_begun"] == 1
        kept = night.events()
        assert kept[: len(before)] == before
        assert [r.seq for r in kept] == list(range(1, len(kept) + 1))


def test_stop_reaches_the_engine_through_a_full_disk(tmp_path: Path, disk: Path) -> None:
    with new_night(tmp_path, trials=1, lab=SLOW) as night:
        night.store = disk / "store.sqlite"
        child = night.begin_until("picked")
        ballast = fill(disk)
        # at once, as `hagane stop` does: the engine's next heartbeat finds the disk full too
        assert stop(night.store, None).text == "safe"
        _, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.ENVIRONMENT
        assert "is full" in err
        with night.control() as control:
            assert control.state()["program"] is None
        ballast.unlink()
        assert list(night.state().open_tickets), "the move is asked after by the next run"
