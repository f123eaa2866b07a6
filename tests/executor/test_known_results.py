"""Results that are known are not computed again, and a folder of another version is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.clock import WallClock
from orchestrator.errors import InputError
from orchestrator.executor.known import KnownResults
from orchestrator.executor.local import LocalCompute

KEY = "ab" * 32


@pytest.fixture(autouse=True)
def _functions_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def compute(root: Path, shared: Path) -> LocalCompute:
    return LocalCompute(root, WallClock(), results=KnownResults(shared))


def run(here: LocalCompute, *, ticket: str, key: str = KEY, x: float = 2.0) -> Mapping[str, Any]:
    return asyncio.run(here.submit("calculations:counted", {"x": x}, ticket=ticket, key=key))


def test_a_result_is_taken_from_another_campaign(tmp_path: Path) -> None:
    shared = tmp_path / "results"
    first = run(compute(tmp_path / "one", shared), ticket="a")
    again = run(compute(tmp_path / "two", shared), ticket="b")
    assert (first["reused"], again["reused"]) == (0, 1)
    assert {**first, "reused": 1} == again
    assert not (tmp_path / "two" / "b").exists()
    other = run(compute(tmp_path / "two", shared), ticket="c", key="cd" * 32)
    assert other["reused"] == 0
    kept = json.loads((shared / "ab" / f"{KEY}.json").read_text())
    assert kept["request"] == {"function": "calculations:counted", "arguments": {"x": 2.0}}


def test_two_that_want_the_same_at_once_compute_it_once(tmp_path: Path) -> None:
    async def both() -> list[Mapping[str, Any]]:
        here = compute(tmp_path / "one", tmp_path / "results")
        ask = [here.submit("calculations:counted", {"x": 1.0}, ticket=t, key=KEY) for t in "ab"]
        return list(await asyncio.gather(*ask))

    found = asyncio.run(both())
    assert sorted(one["reused"] for one in found) == [0, 1]
    assert len({one["process"] for one in found}) == 1


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    here = compute(tmp_path / "one", tmp_path / "results")
    with pytest.raises(Exception, match="below zero"):
        run(here, ticket="a", x=-1.0)
    with pytest.raises(Exception, match="below zero"):
        run(here, ticket="b", x=-1.0)


@pytest.mark.parametrize("text", ['{"result": {"x"', '{"result": 3}', "[]", ""])
def test_a_half_written_or_spoilt_file_counts_as_none(tmp_path: Path, text: str) -> None:
    shared = tmp_path / "results"
    (shared / "ab").mkdir(parents=True)
    (shared / "ab" / f"{KEY}.json").write_text(text)
    assert run(compute(tmp_path / "one", shared), ticket="a")["reused"] == 0
    assert run(compute(tmp_path / "one", shared), ticket="b")["reused"] == 1


def test_a_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("2")
    with pytest.raises(InputError, match="kept in format 2, this version reads format 1"):
        KnownResults(tmp_path)


def test_a_result_that_its_engine_did_not_live_to_take_is_taken_and_kept_for_others(
    tmp_path: Path,
) -> None:
    shared = tmp_path / "results"
    first = run(compute(tmp_path / "one", shared), ticket="a-compound")
    kept = shared / "ab" / f"{KEY}.json"
    whole = kept.read_text()
    kept.unlink()  # as if the engine had died before it was written
    again = run(compute(tmp_path / "one", shared), ticket="a-compound")
    assert again == first
    assert not (tmp_path / "one" / "a-compound" / "002").exists()
    assert kept.read_text() == whole
    kept.unlink()
    assert asyncio.run(compute(tmp_path / "one", shared).known("a-compound")) is not None
    assert kept.read_text() == whole
    # what another key asks for is another thing, whatever its ticket
    kept.unlink()
    assert run(compute(tmp_path / "one", shared), ticket="a-compound", key="cd" * 32)["reused"] == 0
    assert (tmp_path / "one" / "a-compound" / "002").exists()
