"""Signals to a running `hagane run`, and what the lab looks like when it is gone."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults_night import CLI, WITHIN_S, Night, new_night
from memory_night import unsafe

from orchestrator.errors import Exit

LONG = {"20 min": "400 min"}
"""At the nights' speed the plasma burns for 4 s of wall time."""
SLOW = {"speed: 1200": "speed: 6"}
"""A move of the arm takes 4 s of wall time, 1.3 of them before it has picked the sample up."""


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[tuple[Night, subprocess.Popen[str]]]:
    """A night whose first film is being grown."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # it is ignored below `nohup`
    try:
        with new_night(tmp_path, trials=2, campaign=LONG) as night:
            yield night, night.begin_until("films_begun")
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGINT, "interrupted by Ctrl-C"),
        (signal.SIGTERM, "ended by SIGTERM"),
        (signal.SIGHUP, "its terminal was closed"),
    ],
)
def test_a_signal_during_a_deposition_leaves_the_lab_safe(
    growing: tuple[Night, subprocess.Popen[str]], number: signal.Signals, said: str
) -> None:
    night, child = growing
    child.send_signal(number)
    out, err = child.communicate(timeout=WITHIN_S)
    assert child.returncode == Exit.INTERRUPTED
    assert err == ""
    assert f"{said}\nhint: run it again to go on\n" in out
    with night.control() as control:
        assert unsafe(control.state()) == []
        assert control.counts()["films_partial"] == 1
    assert not night.state().engine_is_up
    if number == signal.SIGINT:
        again = night.command("run", str(night.folder))
        assert again.returncode == Exit.FINISHED, again.stderr
        states = {t.number: (t.status, t.cause) for t in night.state().trials.values()}
        assert states == {1: ("failed", "interrupted"), 2: ("done", None)}


def test_a_second_ctrl_c_does_not_wait_for_the_arm(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, lab=SLOW) as night:
        child = night.begin_until("picked")
        child.send_signal(signal.SIGINT)
        time.sleep(0.1)
        assert child.poll() is None, "the arm has a sample in its gripper"
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.INTERRUPTED
        with night.control() as control:
            assert control.state()["program"] is None
            assert control.counts()["sample_moves"] == 0
        again = night.command("run", str(night.folder))
        assert again.returncode == Exit.PERSON
        assert "the arm stopped on the way: look where the sample is" in again.stdout
        assert "hint: see `hagane doubts`" in again.stdout


def test_the_first_ctrl_c_waits_for_the_arm(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, lab=SLOW) as night:
        child = night.begin_until("picked")
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.INTERRUPTED
        with night.control() as control:
            assert control.counts()["sample_moves"] == 1
        state = night.state()
        assert not state.open_tickets
        assert state.samples["niobium-titania-1"].position == "chamber"


def test_nohup_is_respected(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1) as night:
        command = ["nohup", *CLI, "run", str(night.folder), "--store", str(night.store)]
        with subprocess.Popen(
            command,
            env=night.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as child:
            while night.twins() is None:
                time.sleep(0.005)
            with night.control() as control:
                while not control.counts()["picked"]:
                    time.sleep(0.005)
            child.send_signal(signal.SIGHUP)
            assert child.wait(WITHIN_S) == Exit.FINISHED
