"""`hagane stop`, `pause`, `resume` and a second `hagane run` beside a running engine."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from faults_night import WITHIN_S, new_night
from memory_night import unsafe

from orchestrator.errors import Exit
from orchestrator.runtime.wishes import wish

LONG = {"20 min": "900 min"}
SLOWLY = {"speed: 1200": "speed: 1500"}
"""With both the plasma burns for 36 s of wall time, unless it is ended: a command that is typed
meanwhile comes in time, also where a process starts slowly."""
LATCHED = "the campaign is latched: stopped by "


def test_stop_makes_everything_safe_at_once_and_latches(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, campaign=LONG, lab=SLOWLY) as night:
        child = night.begin_until("films_begun")
        stopped = night.command("stop")
        assert (stopped.returncode, stopped.stdout) == (Exit.FINISHED, "safe\n")
        with night.control() as control:
            assert unsafe(control.state()) == []
            assert control.counts()["films_finished"] == 0, "the plasma had burnt to its end"
        out, _ = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.INTERRUPTED
        assert "when the lab is in order: `hagane resume`, then run it again" in out
        assert wish(night.store, None, "pause", {}).is_waiting, "which clears no latch"
        refused = night.command("run", str(night.folder), "--json")
        assert refused.returncode == Exit.PERSON
        assert json.loads(refused.stdout)["why"].startswith(LATCHED)
        assert night.command("resume").returncode == Exit.FINISHED
        assert night.command("run", str(night.folder)).returncode == Exit.FINISHED
        assert [t.status for t in night.state().trials.values()] == ["failed"]


def test_pause_lets_the_deposition_end_and_resume_goes_on(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, campaign={"20 min": "500 min"}) as night:
        child = night.begin_until("films_begun")
        # no process has to start for it, which may take as long as the film
        assert wish(night.store, None, "pause", {"why": "lunch"}).text == "done"
        with night.control() as control:
            while not control.counts()["vented"]:
                time.sleep(0.01)
            assert control.counts()["films_finished"] == 1
            time.sleep(0.3)  # a move would have begun long ago
            assert control.counts()["picked"] == 1
        assert child.poll() is None
        assert "lunch" in night.command("show").stdout
        assert night.command("resume").stdout == "done\n"
        child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.FINISHED


def test_a_second_run_is_refused_and_says_who_holds_the_campaign(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, campaign=LONG, lab=SLOWLY) as night:
        child = night.begin_until("films_begun")
        second = night.command("run", str(night.folder))
        assert second.returncode == Exit.ENVIRONMENT
        assert second.stderr.startswith("error: campaign 'niobium-titania-")
        assert f"(process {child.pid})" in second.stderr
        assert "end it with `hagane stop`" in second.stderr
        assert night.command("stop").stdout == "safe\n"
        child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.INTERRUPTED
        late = night.command("stop")
        assert late.returncode == Exit.INPUT
        assert "no engine runs campaign 'niobium-titania', so nothing was stopped" in late.stderr
        assert "use its own controls" in late.stderr


def test_an_engine_that_does_not_answer_is_not_said_to_be_stopped(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, campaign=LONG, lab=SLOWLY) as night:
        child = night.begin_until("films_begun")
        child.send_signal(signal.SIGSTOP)
        assert "is stopped (Ctrl-Z), and watches nothing" in night.command("show").stdout
        assert night.command("list").stdout.endswith(f"{child.pid}), stopped (Ctrl-Z)\n")
        late = night.command("stop")
        assert late.returncode == Exit.ENVIRONMENT
        said = "the engine was asked and does not answer: use the devices' own controls"
        assert late.stdout == f"{said}; it is stopped (Ctrl-Z)\n"
        child.send_signal(signal.SIGCONT)
        child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.INTERRUPTED, "it is heard all the same"


def test_an_engine_that_slept_while_another_came_and_went_leaves_the_lab_safe(
    tmp_path: Path,
) -> None:
    """Ctrl-Z, half a minute, `hagane run` in another container that finds the ports taken, `fg`."""
    with new_night(tmp_path, trials=1, campaign=LONG, lab=SLOWLY) as night:
        child = night.begin_until("films_begun")
        while not _falls_asleep_between_two_writes(child, night.store):
            child.send_signal(signal.SIGCONT)
        other = night.command("run", str(night.folder))
        assert other.returncode == Exit.ENVIRONMENT
        assert f"argon: process {child.pid} holds " in other.stderr
        with night.control() as control:
            assert control.state()["plasma"]
            child.send_signal(signal.SIGCONT)
            _, err = child.communicate(timeout=WITHIN_S)
            assert child.returncode == Exit.ENVIRONMENT
            assert "was taken over by another engine" in err
            assert unsafe(control.state()) == []


def _falls_asleep_between_two_writes(child: subprocess.Popen[str], store: Path) -> bool:
    """Stops an engine and lets its lease run out; False where it sleeps with the store locked."""
    child.send_signal(signal.SIGSTOP)
    with closing(sqlite3.connect(store, timeout=0.5)) as connection:
        try:
            with connection:
                connection.execute("UPDATE leases SET expires_at = 0, boot = 'a container'")
        except sqlite3.OperationalError:
            return False
    return True
