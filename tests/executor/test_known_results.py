"""Results that are known are not computed again, and a folder of another version is refused."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from processes import until

from orchestrator.clock import WallClock
from orchestrator.errors import InputError
from orchestrator.executor.claims import Claims
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


WRITER = """
import sys
from pathlib import Path
from orchestrator.executor.claims import Claims
from orchestrator.executor.known import KnownResults

root, key, letter, n = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
results = KnownResults(root)
for _ in range(n):
    results.put(key, {"of": letter}, {"value": letter * 1_000_000, "end": letter})
    found = results.get(key)
    assert found is not None, "there was one already"
    assert found["value"] == found["end"] * 1_000_000, "of two writers"
"""


def writer(root: Path, letter: str, n: int) -> subprocess.Popen[bytes]:
    """A process that puts a large result under the one key, again and again, and reads it back."""
    return subprocess.Popen([sys.executable, "-c", WRITER, str(root), KEY, letter, str(n)])


def parts(root: Path) -> list[Path]:
    return list(root.rglob(".part-*"))


def test_what_four_processes_put_and_get_at_once_is_whole_each_time(tmp_path: Path) -> None:
    four = [writer(tmp_path, letter, 15) for letter in "abcd"]
    assert [one.wait(240) for one in four] == [0] * 4
    assert parts(tmp_path) == []


def test_a_writer_that_is_killed_while_it_writes_leaves_what_was_there(tmp_path: Path) -> None:
    results = KnownResults(tmp_path)
    results.put(KEY, {"of": "a"}, {"value": "a" * 1_000_000, "end": "a"})
    while not parts(tmp_path):  # what it leaves shows that it was killed on its way
        killed = writer(tmp_path, "b", 1_000_000)
        assert until(lambda: bool(parts(tmp_path)))
        killed.kill()
        killed.wait()
        found = results.get(KEY)
        assert found is not None
        assert found["value"] == found["end"] * 1_000_000
    results.put(KEY, {"of": "c"}, {"value": "c", "end": "c"})
    assert results.get(KEY) == {"value": "c", "end": "c"}
    assert results.request(KEY) == {"of": "c"}


def test_results_and_claims_have_the_rights_of_the_users_other_files(tmp_path: Path) -> None:
    before = os.umask(0o002)
    try:
        KnownResults(tmp_path / "results").put(KEY, {}, {})
        Claims(tmp_path / "results", "one").take(KEY)
    finally:
        os.umask(before)
    files = [p for p in (tmp_path / "results").rglob("*") if p.is_file()]
    assert {p.name: p.stat().st_mode & 0o777 for p in files} == {
        name: 0o664 for name in ("format", f"{KEY}.json", f"{KEY}.claim")
    }


def test_a_result_in_which_a_digit_was_changed_counts_as_none(tmp_path: Path) -> None:
    shared = tmp_path / "results"
    run(compute(tmp_path / "one", shared), ticket="a", x=2.5)
    kept = shared / "ab" / f"{KEY}.json"
    whole = kept.read_text()
    kept.write_text(whole.replace('"value": 5.0', '"value": 5.1'))
    assert KnownResults(shared).get(KEY) is None
    again = run(compute(tmp_path / "one", shared), ticket="b", x=2.5)
    assert (again["reused"], again["value"]) == (0, 5.0)
    # one of an earlier version has no hash
    said = json.loads(whole)
    del said["sha256"]
    kept.write_text(json.dumps(said))
    assert run(compute(tmp_path / "one", shared), ticket="c", x=2.5)["reused"] == 1


def test_what_cannot_be_written_is_known_to_its_engine(tmp_path: Path) -> None:
    """A folder that is read only: the elements of many compounds were computed for each of them."""
    (tmp_path / "results").write_text("no folder")
    here = compute(tmp_path / "one", tmp_path / "results")
    first, again = (run(here, ticket=ticket) for ticket in "ab")
    assert (first["reused"], again["reused"]) == (0, 1)
    assert first["process"] == again["process"]
    assert run(compute(tmp_path / "two", tmp_path / "results"), ticket="c")["reused"] == 0


@pytest.mark.parametrize("said", [b"", b"\xff\xfe", b"x" * 10_000])
def test_a_folder_whose_format_cannot_be_read_is_refused_in_a_sentence(
    tmp_path: Path, said: bytes
) -> None:
    (tmp_path / "format").write_bytes(said)
    with pytest.raises(InputError, match="this version reads format 1") as caught:
        KnownResults(tmp_path)
    assert len(str(caught.value)) < len(str(tmp_path)) + 120
