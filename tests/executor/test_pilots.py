"""Pilot jobs of Parsl on this machine: workers, pilots and engines are killed, and nothing is lost,
done twice or left behind."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from processes import is_running, marked, until

from orchestrator.clock import WallClock
from orchestrator.executor.cluster import Pilots
from orchestrator.executor.submissions import Submissions
from orchestrator.model.attempts import AttemptLost
from orchestrator.model.site import Site

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("parsl") is None, reason="needs parsl: the extra 'cluster'"
    ),
    pytest.mark.slow,
    # Parsl leaves the closing of sockets and children to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
HERE = Path(__file__).parent
SITE = Site(kind="local", workers=1, check_s=1.0)


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """A word in the environment of all that is started here."""
    word = uuid.uuid4().hex
    monkeypatch.setenv("HAGANE_TEST", word)
    monkeypatch.syspath_prepend(str(HERE))
    return word


async def _until(is_so: Callable[[], bool]) -> bool:
    return await asyncio.to_thread(until, is_so)


def _begun(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def test_what_a_killed_worker_or_pilot_ran_is_begun_again_and_none_is_left(
    tmp_path: Path, mark: str
) -> None:
    told: list[tuple[str, int]] = []

    async def tell(lost: AttemptLost) -> None:
        told.append((lost.ticket, lost.attempt))
        assert "lost its" in lost.why

    async def kill(compute: Submissions, ticket: str, generations: int) -> None:
        """Kills a parent of a child that runs: the worker, or the pilot above it."""
        log, go = tmp_path / f"{ticket}.log", tmp_path / f"{ticket}.go"
        arguments = {"log": str(log), "wait_for": str(go)}
        running = asyncio.ensure_future(
            compute.submit("calculations:once", arguments, ticket=ticket)
        )
        assert await _until(lambda: len(_begun(log)) == 1)
        child = _begun(log)[0]
        psutil.Process(child).parents()[generations].kill()
        assert await _until(lambda: not is_running(child))
        assert await _until(lambda: len(_begun(log)) == 2)
        go.touch()
        assert await running == {"value": 1.0}
        assert len(_begun(log)) == 2

    async def main() -> None:
        compute = Submissions(tmp_path / "c", Pilots(SITE, tmp_path / "c"), WallClock(), tell=tell)
        try:
            assert await compute.submit("calculations:doubled", {"x": 2.0}) == {"value": 4.0}
            await kill(compute, "worker", 0)
            await kill(compute, "pilot", 1)
        finally:
            compute.close()

    asyncio.run(main())
    assert told == [("worker", 1), ("pilot", 1)]
    assert until(lambda: marked(mark) <= {os.getpid()})


ENGINE = """
import asyncio, sys
from pathlib import Path
from orchestrator.clock import WallClock
from orchestrator.executor.cluster import Pilots
from orchestrator.executor.submissions import Submissions
from orchestrator.model.site import Site

sys.path.insert(0, sys.argv[3])
root = Path(sys.argv[1])
site = Site(kind="local", workers=1, check_s=1.0)
compute = Submissions(root, Pilots(site, root), WallClock())
arguments = {"log": sys.argv[2], "wait_for": "/nowhere"}
asyncio.run(compute.submit("calculations:once", arguments, ticket="t"))
"""


def test_all_ends_when_the_engine_is_killed(tmp_path: Path, mark: str) -> None:
    log = tmp_path / "log"
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(tmp_path / "c"), str(log), str(HERE)]
    )
    try:
        assert until(lambda: len(_begun(log)) == 1)
        assert is_running(_begun(log)[0])
    finally:
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    assert until(lambda: marked(mark) <= {os.getpid()})
