"""A real SLURM of one node: jobs are cancelled and killed; nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ase.build import bulk
from processes import is_running, until

from orchestrator.clock import WallClock
from orchestrator.errors import ExecutionError, Exit, StillRunning
from orchestrator.executor.batches import Batches
from orchestrator.executor.cluster import Pilots
from orchestrator.executor.detached import DetachedCompute
from orchestrator.executor.slurm import Slurm
from orchestrator.executor.submissions import Submissions
from orchestrator.model.attempts import AttemptLost
from orchestrator.model.events import Recorded
from orchestrator.model.site import Site
from orchestrator.model.state import State
from orchestrator.runtime.run import Setting
from orchestrator.runtime.tick import tick
from simulators.atomistic.structures import text_of
from tests.runtime.counting import computed, counting_lab
from tests.simulators import dft_play

pytestmark = pytest.mark.slow
SITE = Site(kind="slurm", partition="debug", workers=2, walltime_s=600, check_s=1.0)


def _begun(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


class Turn:
    """One look at the queue, as a tick has it."""

    def __init__(self, root: Path, site: Site = SITE) -> None:
        self.told: list[tuple[str, str]] = []
        self.batches = Batches(root, "hagane-test-", Slurm(site))
        self.batches.look()
        self.compute = DetachedCompute(root, self.batches, tell=self._tell)

    async def _tell(self, lost: AttemptLost) -> None:
        self.told.append((lost.ticket, lost.why))

    def ask(self, ticket: str, log: Path, go: Path) -> object:
        """What became of a calculation that waits for a file; it is submitted if it was not."""
        arguments = {"log": str(log), "wait_for": str(go)}
        submission = self.compute.submit("calculations:once", arguments, ticket=ticket)
        try:
            return asyncio.run(submission)["value"]  # type: ignore[arg-type]
        except StillRunning:
            return "goes on"


def test_cancelled_and_killed_elements_are_submitted_again_and_all_is_collected_once(
    slurm: None, tmp_path: Path
) -> None:
    root, go = tmp_path / "c", tmp_path / "go"
    logs = {ticket: tmp_path / f"{ticket}.log" for ticket in ("cancelled", "killed", "sound")}

    def turn() -> tuple[list[object], list[tuple[str, str]]]:
        one = Turn(root)
        outcomes = [one.ask(ticket, log, go) for ticket, log in logs.items()]
        one.compute.flush()
        return outcomes, one.told

    assert turn() == (["goes on"] * 3, [])
    assert turn() == (["goes on"] * 3, [])
    first_two = (logs["cancelled"], logs["killed"])  # the node has two cores
    assert until(lambda: all(len(_begun(log)) == 1 for log in first_two))
    arrays = (root / "batches" / "submitted.txt").read_text().split()
    assert len(arrays) == 2, "one array for all three"
    subprocess.run(["scancel", f"{arrays[1]}_1"], check=True)
    os.kill(_begun(logs["killed"])[0], signal.SIGKILL)
    assert until(lambda: not is_running(_begun(logs["cancelled"])[0]))
    assert until(lambda: Turn(root).batches.counts()[0] <= 1)
    told: list[tuple[str, str]] = []

    def has_told_of_both() -> bool:
        told.extend(turn()[1])
        return len(told) == 2

    assert until(has_told_of_both)
    why = dict(told)  # SLURM may notice either of them first
    assert set(why) == {"cancelled", "killed"}
    assert "was cancelled" in why["cancelled"]
    assert "ended badly" in why["killed"]
    go.touch()
    assert until(lambda: turn()[0] == [1.0] * 3)
    assert [len(_begun(log)) for log in logs.values()] == [2, 2, 1]
    begun = [pid for log in logs.values() for pid in _begun(log)]
    assert until(lambda: not any(map(is_running, begun))), (
        "a result is read before its child is gone"
    )


def test_what_slurm_refuses_is_said_in_its_own_words(slurm: None, tmp_path: Path) -> None:
    one = Turn(tmp_path / "c", SITE.model_copy(update={"partition": "golden"}))
    one.ask("t", tmp_path / "log", tmp_path / "go")
    with pytest.raises(ExecutionError, match=r"sbatch refuses: .*[Ii]nvalid partition"):
        one.compute.flush()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Parsl's sockets
@pytest.mark.skipif(
    importlib.util.find_spec("parsl") is None, reason="needs parsl: the extra 'cluster'"
)
def test_a_cancelled_pilot_is_replaced_and_what_it_ran_is_begun_again(
    slurm: None, tmp_path: Path
) -> None:
    root, log, go = tmp_path / "c", tmp_path / "log", tmp_path / "go"
    told: list[str] = []

    async def tell(lost: AttemptLost) -> None:
        told.append(lost.why)

    async def _until(is_so: Callable[[], bool]) -> bool:
        return await asyncio.to_thread(until, is_so)

    async def main() -> None:
        compute = Submissions(root, Pilots(SITE, root), WallClock(), tell=tell)
        try:
            arguments = {"log": str(log), "wait_for": str(go)}
            running = asyncio.ensure_future(
                compute.submit("calculations:once", arguments, ticket="t")
            )
            assert await _until(lambda: len(_begun(log)) == 1)
            subprocess.run(["scancel", "--me"], check=True)
            assert await _until(lambda: not is_running(_begun(log)[0]))
            assert await _until(lambda: len(_begun(log)) == 2)
            go.touch()
            assert await running == {"value": 1.0}
        finally:
            compute.close()

    asyncio.run(main())
    assert len(told) == 1
    assert "lost its pilot job" in told[0]
    queued = ["squeue", "--noheader", "--me", "--states=PENDING,RUNNING"]
    assert until(lambda: not subprocess.run(queued, capture_output=True).stdout.strip())


def test_turn_by_turn_a_campaign_comes_to_its_end_on_slurm_with_a_cancelled_element(
    slurm: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = "{kind: slurm, partition: debug, workers: 2, walltime: 10 min}"
    campaign = counting_lab(tmp_path, monkeypatch, site=site, levels="[0.1, 0.2, 0.3, 0.5]")
    lost: list[AttemptLost] = []

    def watch(recorded: Recorded, _state: State) -> None:
        if isinstance(recorded.event, AttemptLost):
            lost.append(recorded.event)

    def turn() -> Exit:
        return tick(campaign, setting=Setting(watch=watch)).finish.ending.exit_code

    def waits() -> bool:  # the calculation at 0.5 waits for a file
        return turn() is Exit.GOES_ON and 0.5 in computed(campaign)

    assert until(waits)
    subprocess.run(["scancel", "--me"], check=True)
    assert until(lambda: turn() is Exit.GOES_ON and bool(lost))
    (campaign / "log.go").touch()
    assert until(lambda: turn() is Exit.FINISHED)
    told = tick(campaign)
    assert "4 trials done, 0 failed" in told.line
    assert "was cancelled" in lost[0].why
    for trial in told.finish.state.trials.values():
        seen, x = trial.observed("area"), trial.proposal.point["x"]
        assert seen is not None
        assert seen.event.value == pytest.approx(float(x) ** 2)
    # what was cancelled before it began was computed once
    assert 4 < len(computed(campaign)) <= 4 + len(lost)


@dft_play.needs_pw
def test_the_time_of_ranks_that_srun_starts_is_in_the_seconds_of_a_calculation(
    slurm: None, tmp_path: Path
) -> None:
    # Debian's Open MPI does not start below srun, unless it knows nothing of it
    alone = 'for name in $(env | grep -o "^SLURM_[A-Z_]*"); do unset $name; done; exec pw.x "$@"'
    command = f"srun --ntasks=1 {dft_play.script(tmp_path / 'alone', alone)}"
    options = {"command": command, "ecutwfc": 40 * dft_play.RYDBERG_EV, "k_density": 4.0}
    silicon = text_of(bulk("Si"))
    found = asyncio.run(dft_play.asked(tmp_path, "energy", silicon, **options))
    (output,) = tmp_path.glob("a/t1/001/attempt-*/espresso.pwo")
    said = re.findall(r"PWSCF +: +(\S+)s CPU", output.read_text())
    assert float(said[0]) > 0.2, "or it would show nothing"
    assert found.seconds >= float(said[0])
