"""A real SLURM of one node: walltimes end, pilots and engines are killed with kill -9; nothing is
lost, done twice or left behind."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import psutil
import pytest
from dft_play import script
from processes import is_running, marked, until
from test_slurm import SITE, Turn

from orchestrator.clock import WallClock
from orchestrator.executor.cluster import Pilots
from orchestrator.executor.submissions import Submissions
from orchestrator.model.attempts import AttemptLost

HERE = Path(__file__).parent
needs_parsl = pytest.mark.skipif(
    importlib.util.find_spec("parsl") is None, reason="needs parsl: the extra 'cluster'"
)
# Parsl leaves the closing of sockets and children to the garbage collector
leaves_sockets = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def mark(slurm: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """A word in the environment of all that is started here; sbatch passes it on to its jobs."""
    word = uuid.uuid4().hex
    monkeypatch.setenv("HAGANE_TEST", word)
    return word


def begun(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def queue() -> str:
    words = ["squeue", "--noheader", "--me", "--states=PENDING,RUNNING,COMPLETING"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.soak
def test_an_element_that_ran_out_of_its_walltime_is_submitted_again(
    slurm: None, tmp_path: Path
) -> None:
    root, log, go = tmp_path / "c", tmp_path / "log", tmp_path / "go"
    told: list[tuple[str, str]] = []

    def turn() -> object:
        one = Turn(root, SITE.model_copy(update={"walltime_s": 60.0}))
        outcome = one.ask("t", log, go)
        one.compute.flush()
        told.extend(one.told)
        return outcome

    assert turn() == "goes on"
    assert until(lambda: len(begun(log)) == 1)
    assert until(lambda: turn() == "goes on" and bool(told))
    ((ticket, why),) = told
    assert ticket == "t"
    assert "ran out of its walltime (SLURM's" in why
    assert "TIMEOUT)" in why
    assert not is_running(begun(log)[0])
    go.touch()
    assert until(lambda: turn() == 1.0)
    assert len(begun(log)) == 2
    assert len(told) == 1


@pytest.mark.soak
@needs_parsl
@leaves_sockets
def test_a_pilot_that_is_killed_is_replaced_and_what_it_ran_is_begun_again(
    mark: str, tmp_path: Path
) -> None:
    root, log, go = tmp_path / "c", tmp_path / "log", tmp_path / "go"
    told: list[str] = []

    async def tell(lost: AttemptLost) -> None:
        told.append(lost.why)

    async def main() -> None:
        compute = Submissions(root, Pilots(SITE, root), WallClock(), tell=tell)
        try:
            arguments = {"log": str(log), "wait_for": str(go)}
            running = asyncio.ensure_future(
                compute.submit("calculations:once", arguments, ticket="t")
            )
            assert await asyncio.to_thread(until, lambda: len(begun(log)) == 1)
            child = begun(log)[0]
            pilot = psutil.Process(child).parents()[1]
            assert "process_worker_pool" in " ".join(pilot.cmdline())
            pilot.kill()
            assert await asyncio.to_thread(until, lambda: not is_running(child))
            assert await asyncio.to_thread(until, lambda: len(begun(log)) == 2)
            go.touch()
            assert await running == {"value": 1.0}
        finally:
            compute.close()

    asyncio.run(main())
    assert len(begun(log)) == 2
    (why,) = told
    assert "lost its" in why
    assert until(lambda: not queue())
    assert until(lambda: marked(mark) <= {os.getpid()})


ENGINE = """
import asyncio, sys
from pathlib import Path
from orchestrator.clock import WallClock
from orchestrator.executor.cluster import Pilots
from orchestrator.executor.submissions import Submissions
from orchestrator.model.site import Site

sys.path.insert(0, sys.argv[4])
root, site = Path(sys.argv[1]), Site.model_validate_json(sys.argv[5])
compute = Submissions(root, Pilots(site, root), WallClock())
arguments = {"log": sys.argv[2], "wait_for": sys.argv[3]}
found = asyncio.run(compute.submit("calculations:once", arguments, ticket="t"))
compute.close()
assert found == {"value": 1.0}, found
"""


@pytest.mark.soak
@needs_parsl
def test_the_pilots_of_an_engine_that_is_killed_end_and_its_successor_computes_once_more(
    mark: str, tmp_path: Path
) -> None:
    log, go = tmp_path / "log", tmp_path / "go"
    said = [str(tmp_path / "c"), str(log), str(go), str(HERE), SITE.model_dump_json()]
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, *said])
    try:
        assert until(lambda: len(begun(log)) == 1)
    finally:
        engine.kill()
        engine.wait()
    assert until(lambda: marked(mark) <= {os.getpid()})
    assert until(lambda: not queue())
    go.touch()
    assert subprocess.run([sys.executable, "-c", ENGINE, *said], timeout=240).returncode == 0
    assert len(begun(log)) == 2
    assert until(lambda: marked(mark) <= {os.getpid()})


TURN = """
import sys
from pathlib import Path

sys.path[:0] = sys.argv[4:]
from test_slurm import Turn

one = Turn(Path(sys.argv[1]))
one.ask("t", Path(sys.argv[2]), Path(sys.argv[3]))
one.compute.flush()
"""


@pytest.mark.slow
def test_a_turn_that_is_killed_when_sbatch_has_its_array_is_not_submitted_twice(
    slurm: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, log, go = tmp_path / "c", tmp_path / "log", tmp_path / "go"
    programs = tmp_path / "bin"
    programs.mkdir()
    script(programs / "sbatch", f'{shutil.which("sbatch")} "$@" && kill -9 $PPID')
    said = [str(root), str(log), str(go), str(HERE), *sys.path]
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    killed = subprocess.run([sys.executable, "-c", TURN, *said], env={**os.environ, "PATH": path})
    assert killed.returncode == -9
    assert not (root / "batches" / "submitted.txt").exists(), "it died before it wrote that down"
    second = Turn(root)
    assert second.ask("t", log, go) == "goes on"
    second.compute.flush()
    assert len((root / "batches" / "submitted.txt").read_text().split()) == 2
    go.touch()
    assert until(lambda: Turn(root).ask("t", log, go) == 1.0)
    assert len(begun(log)) == 1
    assert until(lambda: not queue())
