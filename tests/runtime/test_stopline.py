"""The stop line: past every queue, by a local socket."""

from __future__ import annotations

import asyncio
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.runtime.stopline import StopLine, ask_to_stop, stop_socket_path


@pytest.fixture
def path() -> Iterator[Path]:
    # a socket's path must be short
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "s"


async def _asked(path: Path, by: str, within_s: float = 5.0) -> str | None:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, ask_to_stop, str(path), by, within_s)


@pytest.mark.parametrize(
    ("is_safe", "said"), [(True, "safe"), (False, "not all resources answered")]
)
def test_who_asks_is_told_whether_the_lab_is_safe(path: Path, is_safe: bool, said: str) -> None:
    wanted: list[str] = []

    async def stop(by: str) -> bool:
        wanted.append(by)
        return is_safe

    async def main() -> str | None:
        async with StopLine(path, stop):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            return await _asked(path, "me")

    assert asyncio.run(main()) == said
    assert wanted == ["me"]
    assert not path.exists()


def test_nobody_listening_is_told_from_an_engine_that_does_not_answer(path: Path) -> None:
    assert ask_to_stop(str(path), "me") is None

    async def hang(by: str) -> bool:
        await asyncio.sleep(3600)
        return True

    async def main() -> str | None:
        async with StopLine(path, hang):
            return await _asked(path, "me", 0.1)

    assert "does not answer" in str(asyncio.run(main()))


def test_a_socket_left_by_a_killed_engine_is_replaced(path: Path) -> None:
    async def stop(by: str) -> bool:
        return True

    async def main() -> str | None:
        path.touch()
        async with StopLine(path, stop):
            return await _asked(path, "me")

    assert asyncio.run(main()) == "safe"


def test_several_may_ask_at_once(path: Path) -> None:
    async def stop(by: str) -> bool:
        await asyncio.sleep(0.02)
        return True

    async def main() -> list[str | None]:
        async with StopLine(path, stop):
            return list(await asyncio.gather(*(_asked(path, f"person {i}") for i in range(5))))

    assert asyncio.run(main()) == ["safe"] * 5


def test_a_sockets_path_is_short_enough_for_any_campaign() -> None:
    assert len(str(stop_socket_path("x" * 200))) < 100
