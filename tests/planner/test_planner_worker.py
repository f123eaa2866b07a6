from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import planner_samples as samples
import psutil
import pytest

from orchestrator.clock import VirtualClock, WallClock
from orchestrator.errors import InputError, PlanningError, PoolExhausted
from orchestrator.model.space import Real
from orchestrator.planner.worker import PlannerProcess
from orchestrator.ports.planner import History, MetricScale, Outcome, PlanningTask

LINE = (Real(name="x", low=0.0, high=1.0),)
Y = (MetricScale(name="y", unit="V"),)
QUESTION = samples.task(LINE, Y, ())


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    assert [child for child in psutil.Process().children() if _is_a_planner(child)] == []


def _is_a_planner(child: psutil.Process) -> bool:
    try:
        return "orchestrator.planner.worker" in child.cmdline()
    except psutil.NoSuchProcess:  # it is gone, or what another test has not waited for yet
        return False


def run(
    question: PlanningTask,
    target: str,
    main: Callable[[PlannerProcess], Awaitable[None]],
    clock: VirtualClock | WallClock | None = None,
    timeout_s: float = 300.0,
) -> None:
    clock = clock or WallClock()

    async def whole() -> None:
        process = PlannerProcess(question, target=target, clock=clock, timeout_s=timeout_s)
        try:
            await main(process)
        finally:
            await process.close()

    clock.run(whole())


def fake(name: str) -> str:
    return f"planner_samples:{name}"


def test_the_start_needs_no_process() -> None:
    async def main(process: PlannerProcess) -> None:
        got = await process.propose(History(), 5)
        assert [p.source for p in got] == ["initial"] * 5
        assert process.pid is None

    run(samples.task(initial=5), samples.BAYESIAN, main)


@pytest.mark.parametrize("kind", ["SobolPlanner", "RandomPlanner"])
def test_planners_without_a_model_never_get_a_process(kind: str) -> None:
    async def main(process: PlannerProcess) -> None:
        await process.start()
        assert len(await process.propose(History(n_proposed=100), 2)) == 2
        assert process.pid is None

    run(QUESTION, f"orchestrator.planner.initial:{kind}", main)


def test_fresh_warm_and_restarted_processes_give_the_same_bits_as_no_process() -> None:
    from orchestrator.planner.bayesian import BayesianPlanner

    question = samples.task(initial=5)
    history = samples.measured(question, samples.film, 8)
    later = samples.measured(question, samples.film, 12)
    expected = list(BayesianPlanner(question).propose(history, 2))

    async def main(process: PlannerProcess) -> None:
        await process.start()
        assert list(await process.propose(history, 2)) == expected
        await process.propose(later, 1)
        assert list(await process.propose(history, 2)) == expected
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        assert list(await process.propose(history, 2)) == expected
        bad = later.evaluated[0].model_copy(update={"outcomes": {"resistivity": _not_a_number()}})
        with pytest.raises(PlanningError, match="trial 1: resistivity = nan"):
            await process.propose(later.model_copy(update={"evaluated": (bad,) * 3}), 1)

    run(question, samples.BAYESIAN, main)


def _not_a_number() -> Outcome:
    return Outcome(value=math.nan)


def test_a_process_that_dies_is_started_again_and_asked_again(tmp_path: Path) -> None:
    question = samples.task(LINE, Y, (), options={"mark": str(tmp_path / "mark")})

    async def main(process: PlannerProcess) -> None:
        got = await process.propose(History(), 1)
        assert got[0].why == "the second life"
        again = await process.propose(History(), 1)
        assert again == got

    run(question, fake("DiesOnce"), main)
    assert (tmp_path / "mark").exists()


def test_a_process_that_always_dies_is_an_error_with_its_last_words() -> None:
    async def main(process: PlannerProcess) -> None:
        with pytest.raises(PlanningError, match="died 2 times: out of luck"):
            await process.propose(History(), 1)

    run(QUESTION, fake("DiesAlways"), main)


def test_a_fault_of_the_planner_is_reported_and_the_process_goes_on() -> None:
    async def main(process: PlannerProcess) -> None:
        with pytest.raises(PlanningError, match="IndexError: list index out of range"):
            await process.propose(History(), 1)
        pid = process.pid
        with pytest.raises(PlanningError, match="IndexError"):
            await process.propose(History(), 1)
        assert process.pid == pid

    run(QUESTION, fake("Raises"), main)


def test_no_answer_in_time_is_an_error_and_ends_the_process() -> None:
    async def main(process: PlannerProcess) -> None:
        with pytest.raises(PlanningError, match=r"no answer within 0\.3 s"):
            await process.propose(History(), 2)
        assert process.pid is None

    run(QUESTION, fake("Sleeps"), main, timeout_s=0.3)


def test_virtual_time_stands_still_while_a_proposal_is_made() -> None:
    clock = VirtualClock()

    async def main(process: PlannerProcess) -> None:
        woken = asyncio.create_task(clock.sleep(1000.0))
        before = clock.now()
        await process.propose(History(), 1)
        assert clock.now() == before
        await woken
        assert clock.now() == before + 1000.0

    run(QUESTION, fake("Sleeps"), main, clock=clock)


def test_the_answer_to_a_cancelled_request_is_not_given_to_the_next() -> None:
    async def main(process: PlannerProcess) -> None:
        await process.propose(History(), 1)
        asked = asyncio.create_task(process.propose(History(), 4))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert [p.why for p in await process.propose(History(), 3)] == ["3"] * 3

    run(QUESTION, fake("Sleeps"), main)


def test_an_unknown_target_is_an_input_error() -> None:
    async def main(process: PlannerProcess) -> None:
        with pytest.raises(InputError, match="nobody:Nothing"):
            await process.propose(History(), 1)

    run(QUESTION, "nobody:Nothing", main)


def test_an_exhausted_pool_is_told_as_such_across_the_boundary() -> None:
    question = samples.task((samples.pool(4),), Y, (), initial=2)
    history = samples.measured(question, lambda p: {"y": 1.0}, 1)
    everything = tuple({"alloy": f"alloy-{i}"} for i in range(4))

    async def main(process: PlannerProcess) -> None:
        with pytest.raises(PoolExhausted, match="all 4 candidates"):
            await process.propose(
                History(
                    evaluated=samples.evaluated(everything, lambda p: {"y": 1.0}), n_proposed=4
                ),
                1,
            )
        some = samples.evaluated(everything[:2], lambda p: {"y": 1.0})
        got = await process.propose(History(evaluated=some, n_proposed=1), 5)
        assert {p.point["alloy"] for p in got} == {"alloy-2", "alloy-3"}

    assert history.evaluated
    run(question, samples.BAYESIAN, main)


def test_the_process_has_its_threads_pinned_and_a_session_of_its_own() -> None:
    question = samples.task(LINE, Y, (), options={"threads": 2})

    async def main(process: PlannerProcess) -> None:
        await process.propose(History(), 1)
        assert process.pid is not None
        assert psutil.Process(process.pid).environ()["OMP_NUM_THREADS"] == "2"
        assert process.threads == 2
        assert os.getsid(process.pid) == process.pid

    run(question, fake("Sleeps"), main)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel does it on Linux")
def test_the_process_dies_with_its_parent_even_in_the_middle_of_a_fit() -> None:
    script = f"""
import asyncio, os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import planner_samples as samples
from orchestrator.clock import WallClock
from orchestrator.planner.worker import PlannerProcess
from orchestrator.ports.planner import History

async def main():
    question = samples.task(samples.FILM)
    process = PlannerProcess(question, target="planner_samples:Sleeps", clock=WallClock())
    await process.propose(History(), 1)
    print(process.pid, flush=True)
    await process.propose(History(), 2)

asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
    child.wait(timeout=10)


def test_the_recommendation_is_that_of_the_planner_behind_the_boundary() -> None:
    from orchestrator.planner.bayesian import BayesianPlanner

    question = samples.task(initial=5)
    history = samples.measured(question, samples.film, 12)
    expected = BayesianPlanner(question).recommend(history)

    async def main(process: PlannerProcess) -> None:
        assert expected is not None
        assert await process.recommend(history) == expected
        assert await process.recommend(History()) is None
        assert len(await process.propose(history, 1)) == 1

    run(question, samples.BAYESIAN, main)


@pytest.mark.parametrize("target", ["orchestrator.planner.initial:SobolPlanner", fake("Sleeps")])
def test_a_planner_without_a_model_recommends_nothing(target: str) -> None:
    async def main(process: PlannerProcess) -> None:
        assert await process.recommend(History()) is None

    run(QUESTION, target, main)
