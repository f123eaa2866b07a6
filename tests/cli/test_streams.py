"""What a command does when its output cannot be written, or its interruption comes early."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from orchestrator.cli.frame import guarded
from orchestrator.errors import Exit

HAGANE = [sys.executable, "-m", "orchestrator.cli"]


def told(*words: str, stdout: int | None = None, **environment: str) -> tuple[int, str]:
    """Exit code, and what a command says on standard error (and, if it can, on its output)."""
    done = subprocess.run(
        [*HAGANE, *words],
        env=dict(os.environ) | environment,
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    return done.returncode, (done.stdout or b"").decode("latin-1") + done.stderr.decode("latin-1")


@pytest.mark.parametrize("words", [["resource", "list"], ["schema", "lab"], ["check", "nowhere"]])
@pytest.mark.parametrize("as_json", [True, False])
def test_a_full_disk_is_one_sentence_on_the_other_stream(words: list[str], as_json: bool) -> None:
    with Path("/dev/full").open("wb") as full:
        code, said = told(*words, *(["--json"] if as_json else []), stdout=full.fileno())
    assert code == (Exit.INPUT if words[0] == "check" else Exit.ENVIRONMENT)
    assert "Traceback" not in said
    if code == Exit.ENVIRONMENT and not as_json:
        assert said == "error: the system refuses: no space left on device\nhint: free some space\n"


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    assert told("resource", "list", stdout=writing) == (0, "")
    os.close(writing)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_has_closed_are_no_error(closed: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {closed}', "sh", *HAGANE, "resource", "list"],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_is_opened_never_has_the_number_of_a_stream_that_was_closed() -> None:
    """What a library prints would go there, and it may be a port."""
    script = """
import os, sys
from orchestrator import cli
os.close(1)
try:
    cli.main()
except SystemExit:
    sys.exit(os.open("/dev/null", os.O_RDONLY) < 3)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, "--version"], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_child_has_the_streams_that_the_caller_has_closed() -> None:
    """A driver or a planner in a process of its own would else open its port with such a number."""
    script = """
import os, subprocess, sys
from orchestrator import cli
os.close(1)
try:
    cli.main()
except SystemExit:
    opens = "import os, sys; sys.exit(os.open('/dev/null', os.O_RDONLY) < 3)"
    sys.exit(subprocess.call([sys.executable, "-c", opens]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, "--version"], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interruption_while_a_class_is_made_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupting:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt

    @guarded
    def command() -> int:
        type("Made", (), {"field": Interrupting()})
        return 0

    with pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == Exit.INTERRUPTED
    assert capsys.readouterr().err.startswith("interrupted\n")


def test_a_driver_that_ends_the_program_is_an_error_and_not_a_silent_success(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @guarded
    def command() -> int:
        sys.exit("no licence found")

    with pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == Exit.ENVIRONMENT
    assert "wanted to end it: sys.exit('no licence found')" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["check", "nowhere"], 2)])
def test_a_thread_that_never_ends_does_not_keep_a_command_from_its_end(
    words: list[str], code: int
) -> None:
    script = """
import sys, threading, time
from orchestrator import cli
cli.THREADS_END_WITHIN_S = 0.3
threading.Thread(target=time.sleep, args=(600,), name="vendor's reader").start()
cli.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert "threads are still running: vendor's reader; ended without them" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_a_terminal_of_few_letters_is_served(encoding: str, tmp_path: Path) -> None:
    words = ("rehearse", "niobium_titania", "--planner", "sobol", "--trials", "1")
    code, said = told(*words, PYTHONIOENCODING=encoding, HAGANE_DATA=str(tmp_path))
    assert code == 0, said
    assert "the budget of 1 trial is used" in said


def test_a_command_that_is_interrupted_says_so(tmp_path: Path) -> None:
    fifo = tmp_path / "results.csv"
    os.mkfifo(fifo)
    command = [*HAGANE, "propose", "--data", str(fifo), "--maximise", "y", "--json"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as waiting,
        fifo.open("w"),  # opens when the command has opened it too
    ):
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == Exit.INTERRUPTED
    assert (json.loads(out)["error"], err) == ("interrupted", b"")


def test_a_runtime_folder_that_cannot_be_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    away = {"HAGANE_DATA": str(tmp_path / "data"), "XDG_RUNTIME_DIR": str(tmp_path / "file")}
    code, said = told("run", "niobium_titania", **away)
    assert (code, "set XDG_RUNTIME_DIR" in said, "Traceback" in said) == (5, True, False)
    away["XDG_RUNTIME_DIR"] = str(tmp_path / ("x" * 120))
    code, said = told("run", "niobium_titania", **away)
    assert (code, "too long for a socket" in said, "shorter path" in said) == (5, True, True)


def test_python_without_assertions_is_refused() -> None:
    code, said = told("schema", "lab", PYTHONOPTIMIZE="1")
    assert code == Exit.ENVIRONMENT
    assert "assertions" in said
    assert "ASE" in said
