"""What one engine computes another one waits for, and takes over when that one is lost."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from processes import until

from orchestrator.clock import WallClock
from orchestrator.errors import CalculationFailed, ExecutionError, StillRunning
from orchestrator.executor.batches import Batches, Standing
from orchestrator.executor.claims import SILENT_S, TURNS_SILENT_S, Claims
from orchestrator.executor.detached import DetachedCompute
from orchestrator.executor.known import KnownResults
from orchestrator.executor.local import LocalCompute
from orchestrator.model.attempts import CalculationAwaited, OnItsWay

KEY = "ab" * 32
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _functions_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))


ENGINE = """
import asyncio, json, sys
from pathlib import Path
from orchestrator.clock import WallClock
from orchestrator.errors import HaganeError
from orchestrator.executor.known import KnownResults
from orchestrator.executor.local import LocalCompute

root, name, key = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
function, arguments = sys.argv[4], json.loads(sys.argv[5])

async def engine():
    here = LocalCompute(root / name, WallClock(), results=KnownResults(root / "results"))
    try:
        print(json.dumps(dict(await here.submit(function, arguments, ticket="t", key=key))))
    except HaganeError as error:
        print(json.dumps({"error": str(error)}))
    here.close()

asyncio.run(engine())
"""


def engine(root: Path, name: str, function: str, **arguments: Any) -> subprocess.Popen[str]:
    """A process that asks for one calculation."""
    told = [str(root), name, KEY, f"calculations:{function}", json.dumps(arguments)]
    command = [sys.executable, "-c", ENGINE, *told]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=240)
    found: dict[str, Any] = json.loads(out)
    return found


def begun(log: Path) -> int:
    """How often the function `once` has begun."""
    return len(log.read_text().split()) if log.exists() else 0


def claim_of(root: Path) -> Path:
    return root / "results" / "ab" / f"{KEY}.claim"


class Campaign:
    """An engine in this process."""

    def __init__(self, root: Path, name: str) -> None:
        self.told: list[OnItsWay] = []

        async def tell(event: OnItsWay) -> None:
            self.told.append(event)

        results = KnownResults(root / "results")
        self.compute = LocalCompute(root / name, WallClock(), results=results, tell=tell)

    async def submit(self, function: str, **arguments: Any) -> Mapping[str, Any]:
        return await self.compute.submit(f"calculations:{function}", arguments, ticket="t", key=KEY)

    def run(self, function: str, **arguments: Any) -> Mapping[str, Any]:
        return asyncio.run(self.submit(function, **arguments))


def test_of_two_engines_one_computes_and_the_other_one_takes_what_it_came_to(
    tmp_path: Path,
) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    asks = {"log": str(log), "wait_for": str(gate)}
    first = engine(tmp_path, "one", "once", **asks)
    assert until(lambda: begun(log) == 1)
    second = Campaign(tmp_path, "two")

    async def waits() -> Mapping[str, Any]:
        asked = asyncio.ensure_future(second.submit("once", **asks))
        while not second.told:
            await asyncio.sleep(0.01)
        gate.touch()
        return await asked

    assert asyncio.run(waits()) == {"value": 1.0, "reused": 1}
    assert said(first) == {"value": 1.0, "reused": 0}
    assert begun(log) == 1
    assert second.told == [
        CalculationAwaited(ticket="t", of=f"one (pid {first.pid} on {os.uname().nodename})")
    ]
    assert not (tmp_path / "two" / "t").exists()
    assert sorted(p.name for p in claim_of(tmp_path).parent.iterdir()) == [f"{KEY}.json"]


def test_many_engines_at_once_compute_it_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    names = ("one", "two", "three", "four")
    found = [said(p) for p in [engine(tmp_path, n, "once", log=str(log), seconds=3) for n in names]]
    assert sorted(one["reused"] for one in found) == [0, 1, 1, 1]
    assert begun(log) == 1


def test_the_calculation_of_an_engine_that_is_killed_is_taken_over(tmp_path: Path) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    first = engine(tmp_path, "one", "once", log=str(log), wait_for=str(gate))
    assert until(lambda: begun(log) == 1)
    others = [
        engine(tmp_path, name, "once", log=str(log), wait_for=str(gate))
        for name in ("two", "three")
    ]
    time.sleep(2)
    assert begun(log) == 1, "the others wait"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert until(lambda: begun(log) == 2)
    gate.touch()
    assert sorted(said(other)["reused"] for other in others) == [0, 1]
    assert begun(log) == 2
    assert not claim_of(tmp_path).exists()


def test_what_fails_for_the_one_is_tried_by_the_other(tmp_path: Path) -> None:
    """A failure is not kept: it may have been the machine."""
    first, second = (
        engine(tmp_path, "one", "counted", x=-1),
        engine(tmp_path, "two", "counted", x=-1),
    )
    assert "below zero" in said(first)["error"]
    assert "below zero" in said(second)["error"]
    assert not claim_of(tmp_path).exists()
    assert Campaign(tmp_path, "three").run("counted", x=3)["reused"] == 0


def test_one_that_waits_is_stopped_at_once_and_leaves_the_claim_alone(tmp_path: Path) -> None:
    Claims(tmp_path / "results", "one").take(KEY)
    claim = claim_of(tmp_path).read_bytes()

    async def stopped() -> None:
        asked = asyncio.ensure_future(Campaign(tmp_path, "two").submit("counted", x=1))
        await asyncio.sleep(0.3)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(stopped())
    assert claim_of(tmp_path).read_bytes() == claim


def test_one_that_is_stopped_while_it_computes_gives_its_claim_back(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def stopped() -> None:
        asked = asyncio.ensure_future(
            Campaign(tmp_path, "one").submit("once", log=str(log), seconds=60)
        )
        while not begun(log):
            await asyncio.sleep(0.02)
        assert claim_of(tmp_path).exists()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(stopped())
    assert not claim_of(tmp_path).exists()


def elsewhere(root: Path, campaign: str) -> Path:
    """The claim of an engine on another machine, of which only signs of life tell."""
    Claims(root / "results", campaign).take(KEY)
    path = claim_of(root)
    claim = json.loads(path.read_text())
    claim["holder"] |= {"host": "node-7", "pid": 1}
    path.write_text(json.dumps(claim))
    return path


def test_a_claim_of_another_machine_counts_until_nothing_was_heard_of_it_for_long(
    tmp_path: Path,
) -> None:
    path, ours = elsewhere(tmp_path, "one"), Claims(tmp_path / "results", "two")
    other = ours.take(KEY)
    assert str(other) == "one (pid 1 on node-7)"
    age(path, SILENT_S - 30)
    assert ours.take(KEY) == other
    age(path, -SILENT_S + 30)
    assert ours.take(KEY) == other
    age(path, -SILENT_S - 30)
    assert ours.take(KEY) is None
    ours.release(KEY)
    path = elsewhere(tmp_path, "one")
    age(path, SILENT_S + 30)
    assert ours.take(KEY) is None
    assert json.loads(path.read_text())["campaign"] == "two"
    ours.release(KEY)
    assert not path.exists()


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_an_engine_takes_its_own_campaigns_older_claim(tmp_path: Path) -> None:
    """The lease of the campaign has seen to it that the other one is gone."""
    elsewhere(tmp_path, "one")
    assert Campaign(tmp_path, "one").run("counted", x=1)["reused"] == 0
    assert not claim_of(tmp_path).exists()


def test_a_spoilt_claim_holds_nothing_up(tmp_path: Path) -> None:
    path = claim_of(tmp_path)
    path.parent.mkdir(parents=True)
    said = '{"campaign": "one", "silent_s": 300, "token": "../..", "holder": '
    for text in ("", "{", "[]", said + "3}", said + "null}"):
        path.write_text(text)
        assert Claims(tmp_path / "results", "two").take(KEY) is None


def test_a_claim_that_went_to_another_one_meanwhile_is_not_given_back(tmp_path: Path) -> None:
    ours = Claims(tmp_path / "results", "one")
    ours.take(KEY)
    path = elsewhere(tmp_path, "one")
    path.write_text(path.read_text().replace('"one"', '"two"'))
    ours.release(KEY)
    assert path.exists()


def _takes(root: Path, number: int, barrier: Any, won: Any) -> None:
    claims = Claims(root / "results", f"campaign-{number}")
    for key in (f"{n:064x}" for n in range(60)):
        barrier.wait(60)
        if claims.take(key) is None:
            with won.get_lock():
                won.value += 1


def test_of_many_that_take_over_a_dead_claim_one_gets_it(tmp_path: Path) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path / "results")], check=True, timeout=120
    )
    assert dead.returncode == 0
    spawn = multiprocessing.get_context("spawn")
    barrier, won = spawn.Barrier(3), spawn.Value("i", 0)
    three = [spawn.Process(target=_takes, args=(tmp_path, n, barrier, won)) for n in range(3)]
    for one in three:
        one.start()
    for one in three:
        one.join(120)
    assert won.value == 60
    assert not list(tmp_path.rglob(".part-*"))


DIES = """
import sys
from pathlib import Path
from orchestrator.executor.claims import Claims
claims = Claims(Path(sys.argv[1]), "dead")
assert not any(claims.take(f"{n:064x}") for n in range(60))
"""


@pytest.mark.parametrize("hinder", ["nothing may be written", "there are no links"])
def test_where_nothing_can_be_claimed_it_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hinder: str
) -> None:
    if hinder == "nothing may be written":
        (tmp_path / "results").write_text("no folder")
    else:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    assert Campaign(tmp_path, "one").run("counted", x=1)["reused"] == 0
    assert not list(tmp_path.rglob(".part-*"))


def no_links(self: Path, target: Path) -> None:
    raise OSError(95, "Operation not supported")


class Queue:
    """A scheduler that says that all goes on."""

    def submit(self, name: str, batch: Path, n: int) -> str:
        return "1"

    def look(self, prefix: str) -> Mapping[str, str]:
        return {}

    def standing(self, array: str, element: int) -> Standing:
        return Standing(is_alive=True, is_running=True)

    def why(self, array: str, element: int) -> str:
        return ""

    def fault(self, array: str, element: int) -> str:
        return ""


class Refusing(Queue):
    """A scheduler that does not know the partition."""

    def submit(self, name: str, batch: Path, n: int) -> str:
        raise ExecutionError("sbatch refuses: invalid partition specified: long")


def turn(root: Path, name: str, queue: type[Queue] = Queue) -> tuple[Any, Mapping[str, str], int]:
    """What a turn says of the calculation, what it awaits, and how many it submits."""
    batches = Batches(root / name, f"hagane-{name}-", queue())
    batches.look()
    compute = DetachedCompute(root / name, batches, results=KnownResults(root / "results"))
    try:
        found: Any = asyncio.run(compute.submit("m:f", {"x": 1}, ticket="t", key=KEY))
    except (StillRunning, CalculationFailed) as error:
        found = type(error)
    n = compute.flush()
    compute.close()
    return found, compute.awaited, n


def left(root: Path, name: str, **answer: Any) -> None:
    """What the calculation of a campaign's turn came to."""
    directory = root / name / KEY[:40] / "001"
    (directory / "output.txt").touch()
    (directory / "result.json").write_text(json.dumps(answer))


def test_turns_of_two_campaigns_submit_it_once(tmp_path: Path) -> None:
    assert turn(tmp_path, "one") == (StillRunning, {}, 1)
    assert turn(tmp_path, "two") == (StillRunning, {KEY: "one"}, 0)
    assert turn(tmp_path, "one") == (StillRunning, {}, 0)
    left(tmp_path, "one", result={"value": 5.0})
    assert turn(tmp_path, "two") == (StillRunning, {KEY: "one"}, 0)
    assert turn(tmp_path, "one") == ({"value": 5.0, "reused": 0}, {}, 0)
    assert turn(tmp_path, "two") == ({"value": 5.0, "reused": 1}, {}, 0)
    assert not claim_of(tmp_path).exists()


def test_what_failed_in_a_turn_of_one_campaign_is_submitted_by_the_other(tmp_path: Path) -> None:
    turn(tmp_path, "one")
    left(tmp_path, "one", error="no convergence")
    assert turn(tmp_path, "one") == (CalculationFailed, {}, 0)
    assert turn(tmp_path, "two") == (StillRunning, {}, 1)


def test_what_a_scheduler_refuses_to_one_campaign_is_submitted_by_the_other(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ExecutionError, match="invalid partition"):
            turn(tmp_path, "one", Refusing)
        assert not claim_of(tmp_path).exists()
    assert turn(tmp_path, "two") == (StillRunning, {}, 1)
    left(tmp_path, "two", result={"value": 5.0})
    assert turn(tmp_path, "two") == ({"value": 5.0, "reused": 0}, {}, 0)
    assert turn(tmp_path, "one") == ({"value": 5.0, "reused": 1}, {}, 0)


def test_turns_that_come_no_more_hold_up_nobody_for_longer_than_an_hour(tmp_path: Path) -> None:
    turn(tmp_path, "one")
    age(claim_of(tmp_path), TURNS_SILENT_S - 60)
    assert turn(tmp_path, "two") == (StillRunning, {KEY: "one"}, 0)
    turn(tmp_path, "one")  # each turn counts
    age_of = time.time() - claim_of(tmp_path).stat().st_mtime
    assert age_of < 600
    age(claim_of(tmp_path), TURNS_SILENT_S + 60)
    assert turn(tmp_path, "two") == (StillRunning, {}, 1)
    # what it had begun counts all the same
    left(tmp_path, "one", result={"value": 5.0})
    assert turn(tmp_path, "one") == ({"value": 5.0, "reused": 0}, {}, 0)
    assert turn(tmp_path, "two") == ({"value": 5.0, "reused": 1}, {}, 0)
