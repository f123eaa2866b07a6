"""Calculations in child processes: their ends, and that none of them is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from processes import is_running, until

from orchestrator.clock import VirtualClock
from orchestrator.errors import CalculationFailed, ExecutionError
from orchestrator.executor.attempts import Attempts
from orchestrator.executor.local import LocalCompute
from orchestrator.model.attempts import AttemptLost

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _functions_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))


def _submit(root: Path, function: str, ticket: str = "", **arguments: object) -> object:
    clock = VirtualClock()
    return clock.run(LocalCompute(root, clock).submit(function, arguments, ticket=ticket))


def _known(root: Path, ticket: str) -> object:
    clock = VirtualClock()
    return clock.run(LocalCompute(root, clock).known(ticket))


def test_a_result_comes_back_and_survives_whoever_asked_for_it(tmp_path: Path) -> None:
    assert _submit(tmp_path, "calculations:doubled", "t1", x=2.5) == {"value": 5.0}
    assert _known(tmp_path, "t1") == {"value": 5.0}
    assert _known(tmp_path, "t2") is None
    assert _known(tmp_path, "") is None
    assert (tmp_path / "t1" / "001" / "output.txt").read_text() == "working\n"


def test_a_child_has_one_thread(tmp_path: Path) -> None:
    said = _submit(tmp_path, "calculations:threads")
    assert said == {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def test_each_attempt_has_a_directory_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(CalculationFailed):
        _submit(tmp_path, "calculations:impossible", "t1", why="no minimum")
    assert _known(tmp_path, "t1") is None
    _submit(tmp_path, "calculations:doubled", "t1", x=1.0)
    assert sorted(p.name for p in (tmp_path / "t1").iterdir()) == ["001", "002"]
    assert _known(tmp_path, "t1") == {"value": 2.0}


def test_an_error_in_the_calculation_blames_its_input(tmp_path: Path) -> None:
    with pytest.raises(CalculationFailed, match="ArithmeticError: no minimum") as failed:
        _submit(tmp_path, "calculations:impossible", why="no minimum")
    assert failed.value.blames_parameters


def test_a_failure_that_is_a_sentence_bears_no_name_of_ours(tmp_path: Path) -> None:
    with pytest.raises(CalculationFailed) as failed:
        _submit(tmp_path, "calculations:unconverged")
    assert str(failed.value).startswith("pw.x: not converged")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("calculations:unspeakable", "cannot be written as JSON"),
        ("calculations:misnamed", "misnamed"),
        ("no_such_module:f", "no_such_module"),
    ],
)
def test_a_child_that_fails_by_itself_does_not_blame_its_input(
    tmp_path: Path, function: str, said: str
) -> None:
    with pytest.raises(ExecutionError, match=said) as failed:
        _submit(tmp_path, function)
    assert not isinstance(failed.value, CalculationFailed)
    assert not failed.value.blames_parameters


def test_what_always_kills_its_worker_is_given_up_and_each_loss_is_told(tmp_path: Path) -> None:
    clock, told = VirtualClock(), []

    async def tell(lost: AttemptLost) -> None:
        told.append((lost.ticket, lost.attempt, lost.why))

    compute = LocalCompute(tmp_path, clock, tell=tell)
    with pytest.raises(CalculationFailed, match="lost its worker 3 times") as failed:
        clock.run(compute.submit("calculations:killed", {}, ticket="t1"))
    assert failed.value.blames_parameters
    assert told == [("t1", n, "ended with code -9") for n in (1, 2, 3)]
    assert sorted(p.name for p in (tmp_path / "t1").iterdir()) == ["001", "002", "003"]
    assert clock.run(compute.submit("calculations:doubled", {"x": 1.0})) == {"value": 2.0}


def test_what_a_calculation_started_dies_with_it(tmp_path: Path) -> None:
    clock, pid_file = VirtualClock(), tmp_path / "pid"
    compute = LocalCompute(tmp_path, clock, attempts=1)
    arguments = {"pid_file": str(pid_file)}
    with pytest.raises(CalculationFailed):
        clock.run(compute.submit("calculations:killed_with_a_program", arguments))
    assert until(lambda: not is_running(int(pid_file.read_text())))


def test_what_is_done_is_packed_and_still_known(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    for name in ("a", "b", "c"):
        directory = attempts.begin(name, {"function": "f"})
        if name != "c":
            (directory / "result.json").write_text(json.dumps({"result": {"value": name}}))
            attempts.done(name)
    attempts.pack(at_least=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c", "finished"]
    for known in (attempts, Attempts(tmp_path)):
        assert known.known("a") == {"value": "a"}
        assert known.known("c") is None
    died = tmp_path / "a" / "001"  # before it was removed, or while it was
    died.mkdir(parents=True)
    (died / "result.json").write_text(json.dumps({"result": {"value": "a"}}))
    (tmp_path / ".gone-b" / "001").mkdir(parents=True)
    Attempts(tmp_path).pack(at_least=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c", "finished"]


def test_what_is_begun_again_after_it_was_packed_is_left_alone(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    for name in ("a", "b"):
        directory = attempts.begin(name, {"function": "f"})
        (directory / "result.json").write_text(json.dumps({"error": "it does not converge"}))
        attempts.done(name)
    attempts.pack(at_least=2)
    again = Attempts(tmp_path)
    with pytest.raises(CalculationFailed, match="does not converge"):
        again.settled("a")
    directory = again.begin("a", {"function": "f"})
    Attempts(tmp_path).pack(at_least=1)  # in a later turn, which knows nothing of it
    assert directory.exists()
    (directory / "result.json").write_text(json.dumps({"result": {"value": 2}}))
    Attempts(tmp_path).pack(at_least=1)
    assert Attempts(tmp_path).known("a") == {"value": 2}


def test_while_what_is_done_is_packed_the_loop_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.executor.attempts.PACKED_AT_A_TIME", 2)
    clock, packers = VirtualClock(), []
    write = Attempts._write_pack

    def watched(self: Attempts, folders: list[Path]) -> None:
        packers.append(threading.current_thread())
        write(self, folders)

    monkeypatch.setattr(Attempts, "_write_pack", watched)

    async def main() -> None:
        compute = LocalCompute(tmp_path, clock)
        for name in "abcd":
            await compute.submit("calculations:doubled", {"x": 1.0}, ticket=name)
        assert compute._packing is not None
        await compute._packing
        assert await compute.known("a") == {"value": 2.0}

    clock.run(main())
    assert packers
    assert threading.main_thread() not in packers


def test_what_is_begun_while_it_is_packed_keeps_its_directory(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    directory = attempts.begin("a", {"function": "f"})
    (directory / "result.json").write_text(json.dumps({"error": "no minimum"}))
    attempts.done("a")
    again = []
    write = attempts._write_pack

    def begins_meanwhile(folders: list[Path]) -> None:
        again.append(attempts.begin("a", {"function": "f"}))
        write(folders)

    attempts._write_pack = begins_meanwhile  # type: ignore[method-assign]
    attempts.pack(at_least=1)
    assert again[0].name == "002"
    assert (again[0] / "request.json").exists()


def test_a_half_written_result_is_no_result(tmp_path: Path) -> None:
    directory = tmp_path / "t1" / "001"
    directory.mkdir(parents=True)
    (directory / "result.part").write_text('{"result": {"value"')
    assert _known(tmp_path, "t1") is None


def test_no_more_children_run_at_a_time_than_there_are_workers(tmp_path: Path) -> None:
    clock, log = VirtualClock(), tmp_path / "log"

    async def main() -> None:
        compute = LocalCompute(tmp_path, clock, workers=1)
        arguments = {"log": str(log), "seconds": 0.05}
        await asyncio.gather(*(compute.submit("calculations:at_once", arguments) for _ in range(3)))

    clock.run(main())
    assert log.read_text() == "+-+-+-"


def test_virtual_time_stands_still_while_a_child_works(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def main() -> None:
        nap = asyncio.ensure_future(clock.sleep(1000.0))
        await LocalCompute(tmp_path, clock).submit("calculations:doubled", {"x": 1.0})
        assert clock.now() == 0.0
        await nap

    clock.run(main())


def test_a_cancelled_calculation_is_killed(tmp_path: Path) -> None:
    clock, pid_file = VirtualClock(), tmp_path / "pid"

    async def main() -> int:
        compute = LocalCompute(tmp_path, clock)
        running = asyncio.ensure_future(
            compute.submit("calculations:slow", {"pid_file": str(pid_file)}, ticket="t1")
        )
        while not pid_file.exists():
            await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return int(pid_file.read_text())

    assert not is_running(clock.run(main()))
    assert _known(tmp_path, "t1") is None


PARENT = """
import asyncio, sys
from pathlib import Path
from orchestrator.clock import WallClock
from orchestrator.executor.local import LocalCompute

compute = LocalCompute(Path(sys.argv[1]), WallClock())
asyncio.run(compute.submit("calculations:slow", {"pid_file": sys.argv[2]}, ticket="t1"))
"""


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), str(pid_file)])
    assert until(pid_file.exists)
    child = int(pid_file.read_text())
    assert is_running(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert until(lambda: not is_running(child))


def test_a_child_whose_parent_died_before_it_began_does_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "t1" / "001"
    directory.mkdir(parents=True)
    request = {"function": "calculations:doubled", "arguments": {"x": 1.0}}
    (directory / "request.json").write_text(json.dumps(request))
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True
    )
    command = [sys.executable, "-m", "orchestrator.executor.child", str(directory)]
    subprocess.run([*command, gone.stdout.decode().strip()], check=False)
    assert not (directory / "result.json").exists()
    subprocess.run([*command, str(os.getpid())], check=True)
    assert _known(tmp_path, "t1") == {"value": 2.0}
