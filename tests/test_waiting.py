"""A cancellation is told when what is waited for is there; neither it nor the result is lost."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.waiting import CertainFuture, wait_uncancelled


async def cancelled_while_it_waits(future: CertainFuture, *, with_error: bool) -> list[str]:
    """What a task notes that waits, is cancelled twice, and then is given its result."""
    noted: list[str] = []

    async def wait() -> None:
        await wait_uncancelled(future)
        noted.append("refused" if with_error and future.exception() else str(future.result()))
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            noted.append("told of it")
            raise

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    task.cancel()
    task.cancel()
    await asyncio.sleep(0)
    noted.append("still waits" if not task.done() else "gave up")
    if with_error:
        future.set_exception(OSError("full"))
    else:
        future.set_result("written")
    await asyncio.wait([task])
    noted.append("cancelled" if task.cancelled() else "went on")
    return noted


@pytest.mark.parametrize(("with_error", "said"), [(False, "written"), (True, "refused")])
def test_the_result_comes_first_and_then_the_cancellation(with_error: bool, said: str) -> None:
    async def main() -> list[str]:
        future = CertainFuture(loop=asyncio.get_running_loop())
        return await cancelled_while_it_waits(future, with_error=with_error)

    assert asyncio.run(main()) == ["still waits", said, "told of it", "cancelled"]


def test_who_was_cancelled_before_waits_too() -> None:
    async def main() -> bool:
        future = CertainFuture(loop=asyncio.get_running_loop())

        async def wait() -> None:
            current = asyncio.current_task()
            assert current is not None
            current.cancel()
            await wait_uncancelled(future)

        task = asyncio.ensure_future(wait())
        for _ in range(3):
            await asyncio.sleep(0)
        still_waits = not task.done()
        future.set_result("written")
        await asyncio.wait([task])
        return still_waits

    assert asyncio.run(main())


def test_a_limit_of_time_ends_as_one_when_the_result_is_there() -> None:
    async def main() -> str:
        future = CertainFuture(loop=asyncio.get_running_loop())
        asyncio.get_running_loop().call_later(0.05, future.set_result, "written")
        try:
            async with asyncio.timeout(0.01):
                await wait_uncancelled(future)
                said = str(future.result())
                await asyncio.sleep(1)
        except TimeoutError:
            return f"{said}, too late"
        return "in time"

    assert asyncio.run(main()) == "written, too late"
