"""A scratch disk that is full, on a real SLURM: nobody's input is to blame, nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from pathlib import Path

import pytest
from processes import until
from test_slurm import SITE, Turn

from orchestrator.clock import WallClock
from orchestrator.errors import CalculationFault, Exit, StillRunning
from orchestrator.executor.cluster import Pilots
from orchestrator.executor.submissions import Submissions
from orchestrator.model.attempts import AttemptLost
from orchestrator.runtime import wishes
from orchestrator.runtime.tick import tick
from tests.runtime.counting import computed, counting_lab

pytestmark = pytest.mark.slow
LARGE = {"size": 4 << 20}


def fill(file: Path) -> None:
    """Takes what room there is."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as out:
        while True:
            out.write(bytes(4096))


def test_an_element_that_found_the_disk_full_is_a_fault_and_no_loss(
    slurm: None, scratch: Path
) -> None:
    told: list[tuple[str, str]] = []

    def ask(function: str) -> object:
        one = Turn(scratch)
        submission = one.compute.submit(f"calculations:{function}", LARGE, ticket="t")
        try:
            return asyncio.run(submission)  # type: ignore[arg-type]
        except (StillRunning, CalculationFault) as error:
            return str(error)
        finally:
            told.extend(one.told)
            one.compute.flush()

    assert "was submitted" in str(ask("fills_the_disk"))
    assert until(lambda: Turn(scratch).batches.counts() == (0, 0))
    assert f"the disk of {scratch / 't' / '001'} is full" in str(ask("fills_the_disk"))
    (scratch / "t" / "001" / "large").unlink()
    assert "was submitted" in str(ask("fills_the_disk"))
    assert (scratch / "t" / "002" / "request.json").exists()
    assert told == []


def test_a_campaign_whose_disk_is_full_pauses_and_goes_on_when_there_is_room(
    slurm: None, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = "{kind: slurm, partition: debug, workers: 2, walltime: 10 min}"
    campaign = counting_lab(tmp_path, monkeypatch, site=site)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "calculations").symlink_to(scratch)
    fill(scratch / "large")
    told = tick(campaign)
    assert told.finish.ending.exit_code is Exit.PERSON
    assert "is full" in told.line
    assert computed(campaign) == []
    (scratch / "large").unlink()
    wishes.wish(None, None, "resume", {})
    assert until(lambda: tick(campaign).finish.ending.exit_code is Exit.FINISHED)
    assert "3 trials done, 0 failed" in tick(campaign).line
    assert sorted(computed(campaign)) == [0.1, 0.2, 0.3]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Parsl's sockets
@pytest.mark.skipif(
    importlib.util.find_spec("parsl") is None, reason="needs parsl: the extra 'cluster'"
)
def test_a_pilot_whose_disk_is_full_says_so_and_goes_on_when_there_is_room(
    slurm: None, scratch: Path
) -> None:
    told: list[AttemptLost] = []

    async def tell(lost: AttemptLost) -> None:
        told.append(lost)

    async def main() -> None:
        compute = Submissions(scratch, Pilots(SITE, scratch), WallClock(), tell=tell)
        try:
            with pytest.raises(CalculationFault, match="is full"):
                await compute.submit("calculations:fills_the_disk", LARGE, ticket="a")
            with pytest.raises(CalculationFault, match="is full"):
                await compute.submit("calculations:doubled", {"x": 1.0}, ticket="b")
            (scratch / "a" / "001" / "large").unlink()
            found = await compute.submit("calculations:doubled", {"x": 1.0}, ticket="b")
            assert found == {"value": 2.0}
        finally:
            compute.close()

    asyncio.run(main())
    assert told == []
