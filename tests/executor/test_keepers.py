"""Children of a process that has loaded what they need: each on its own, and none is left over."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from processes import is_running, until

from orchestrator.clock import WallClock
from orchestrator.errors import ExecutionError
from orchestrator.executor.kept import IS_POSSIBLE
from orchestrator.executor.local import LocalCompute
from orchestrator.ports.compute import Before

pytestmark = pytest.mark.skipif(not IS_POSSIBLE, reason="needs Linux (pidfd)")
HERE = Path(__file__).parent
BEFORE = Before("calculations:load", {"what": 1})
RUN = "calculations:with_loaded"


@pytest.fixture(autouse=True)
def _functions_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))


@contextmanager
def computing(root: Path) -> Iterator[LocalCompute]:
    found = LocalCompute(root, WallClock())
    try:
        yield found
    finally:
        found.close()


def test_what_is_needed_is_loaded_once_and_each_has_a_process_of_its_own(tmp_path: Path) -> None:
    async def three() -> None:
        with computing(tmp_path) as here:
            found = [await here.submit(RUN, {}, ticket=t, before=BEFORE) for t in "abc"]
        assert len({one["keeper"] for one in found}) == 1
        assert len({one["process"] for one in found}) == 3
        assert all(one["group"] == one["process"] for one in found)
        assert not is_running(int(found[0]["keeper"]))

    asyncio.run(three())
    for ticket in "abc":
        assert (tmp_path / ticket / "001" / "here").exists()


def test_two_run_at_once_and_answers_go_to_whoever_asked(tmp_path: Path) -> None:
    async def both() -> None:
        with computing(tmp_path) as here:
            slow = here.submit(RUN, {"seconds": 1.0}, ticket="slow", before=BEFORE)
            fast = here.submit(RUN, {}, ticket="fast", before=BEFORE)
            found = await asyncio.gather(slow, fast)
        assert found[0]["process"] != found[1]["process"]

    asyncio.run(both())
    assert (tmp_path / "slow" / "001" / "result.json").exists()


def test_a_killed_child_is_one_failure_and_the_keeper_goes_on(tmp_path: Path) -> None:
    async def killed() -> None:
        with computing(tmp_path) as here:
            with pytest.raises(ExecutionError, match="ended with code -9"):
                await here.submit("calculations:killed", {}, ticket="a", before=BEFORE)
            why = {"why": "out of luck"}
            with pytest.raises(ExecutionError, match="out of luck"):
                await here.submit("calculations:impossible", why, ticket="b", before=BEFORE)
            assert (await here.submit(RUN, {}, ticket="c", before=BEFORE))["process"] > 0

    asyncio.run(killed())


def test_a_killed_keeper_takes_its_children_along_and_the_next_runs_them_anew(
    tmp_path: Path,
) -> None:
    pid_file = tmp_path / "pid"

    async def killed() -> None:
        with computing(tmp_path) as here:
            arguments = {"seconds": 60.0, "pid_file": str(pid_file)}
            running = asyncio.ensure_future(here.submit(RUN, arguments, ticket="a", before=BEFORE))
            while not pid_file.exists():
                await asyncio.sleep(0.02)
            child = int(pid_file.read_text())
            os.kill(psutil.Process(child).ppid(), signal.SIGKILL)
            assert (await running)["process"] != child
            assert until(lambda: not is_running(child))
            assert (await here.submit(RUN, {}, ticket="b", before=BEFORE))["process"] > 0

    asyncio.run(killed())


def test_a_cancelled_calculation_is_killed_at_once(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"

    async def cancelled() -> None:
        with computing(tmp_path) as here:
            arguments = {"seconds": 60.0, "pid_file": str(pid_file)}
            running = asyncio.ensure_future(here.submit(RUN, arguments, ticket="a", before=BEFORE))
            while not pid_file.exists():
                await asyncio.sleep(0.02)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            child = int(pid_file.read_text())
            assert until(lambda: not is_running(child))
            assert (await here.submit(RUN, {}, ticket="b", before=BEFORE))["process"] > 0

    asyncio.run(cancelled())


def test_one_that_is_cancelled_before_it_is_known_is_killed_too(tmp_path: Path) -> None:
    async def cancelled() -> None:
        with computing(tmp_path) as here:
            first = await here.submit(RUN, {}, ticket="a", before=BEFORE)
            keeper = psutil.Process(int(first["keeper"]))
            running = asyncio.ensure_future(
                here.submit(RUN, {"seconds": 600.0}, ticket="b", before=BEFORE)
            )
            while not (tmp_path / "b" / "001" / "request.json").exists():
                await asyncio.sleep(0)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            for _ in range(1500):
                if (tmp_path / "b" / "001" / "output.txt").exists() and not keeper.children():
                    break
                await asyncio.sleep(0.02)
            assert keeper.children() == []

    asyncio.run(cancelled())


def test_what_cannot_be_loaded_is_said(tmp_path: Path) -> None:
    async def refused() -> None:
        with computing(tmp_path) as here:
            bad = Before("calculations:load", {"what": -1})
            for ticket in "ab":
                with pytest.raises(ExecutionError, match="nothing to load"):
                    await here.submit(RUN, {}, ticket=ticket, before=bad)

    asyncio.run(refused())


SCRIPT = """
import asyncio, sys
from pathlib import Path
from orchestrator.clock import WallClock
from orchestrator.executor.local import LocalCompute
from orchestrator.ports.compute import Before
compute = LocalCompute(Path(sys.argv[1]), WallClock())
arguments = {"seconds": 60.0, "pid_file": sys.argv[2]}
before = Before("calculations:load", {"what": 1})
asyncio.run(compute.submit("calculations:with_loaded", arguments, ticket="a", before=before))
"""


def test_none_survives_whoever_asked_for_it(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(pid_file)]
    asker = subprocess.Popen(command)
    assert until(pid_file.exists)
    child = int(pid_file.read_text())
    keeper = psutil.Process(child).ppid()
    asker.send_signal(signal.SIGKILL)
    asker.wait()
    assert until(lambda: not is_running(child))
    assert until(lambda: not is_running(keeper))
