"""The folder in which files are waited for: complete ones, new ones, of the right sample, once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from drivers.files import folder as seen_from_here
from drivers.files.file_drop import LARGEST, FileDrop
from drivers.files.patterns import is_temporary, matcher
from orchestrator.capabilities.files import CollectedFile
from orchestrator.clock import VirtualClock
from orchestrator.errors import DeviceAbsent, DeviceRefused, InputError, NoReading
from orchestrator.ports.action import Ticket
from orchestrator.ports.resource import Bench

T1, T2 = Ticket("1" * 16), Ticket("2" * 16)
Person = Callable[[Path, VirtualClock], Awaitable[None]]


class Shelf:
    """An archive in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def keep(self, name: str, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        self.kept[sha256] = data
        return sha256


class Corner:
    """A folder, the driver that looks there, and campaign time that jumps."""

    def __init__(self, place: Path, pattern: str = "{sample}*.xy", **options: Any) -> None:
        self.place, self.clock, self.shelf = place, VirtualClock(), Shelf()
        self._pattern, self._options = pattern, options

    def driver(self) -> FileDrop:
        bench = Bench("xrd", self.clock, archive=self.shelf)
        return FileDrop(bench, str(self.place), self._pattern, **self._options)

    def wait(self, *people: Person, ticket: Ticket = T1, sample: str = "films-1") -> CollectedFile:
        """What is collected while people do something."""

        async def both() -> CollectedFile:
            driver = self.driver()
            await driver.open()
            doing = [asyncio.create_task(self._do(person)) for person in people]
            try:
                return await driver.collect(ticket, sample)
            finally:
                await asyncio.gather(*doing)
                await driver.close()

        return self.clock.run(both())

    async def _do(self, person: Person) -> None:
        await person(self.place, self.clock)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.clock.run(work)


@pytest.fixture
def corner(tmp_path: Path) -> Corner:
    return Corner(tmp_path)


def brings(name: str, text: str = "1 2\n", after_s: float = 60.0) -> Person:
    """Somebody who writes a file after a while."""

    async def person(place: Path, clock: VirtualClock) -> None:
        await clock.sleep(after_s)
        (place / name).write_text(text)

    return person


def test_the_file_of_the_sample_is_kept_as_it_is_with_its_hash(corner: Corner) -> None:
    found = corner.wait(brings("films-1_scan.xy", "24 10\n"))
    assert found.file == "films-1_scan.xy"
    assert corner.shelf.kept[found.sha256] == b"24 10\n"
    assert found.sha256 == hashlib.sha256(b"24 10\n").hexdigest()


def test_a_file_that_grows_for_minutes_is_taken_whole(corner: Corner) -> None:
    async def scan(place: Path, clock: VirtualClock) -> None:
        for row in range(100):  # each time opened, added to and closed
            with (place / "films-1.xy").open("a") as file:
                file.write(f"{row} 1\n")
            await clock.sleep(4)

    found = corner.wait(scan)
    assert corner.shelf.kept[found.sha256].count(b"\n") == 100
    assert corner.clock.now() >= 400


def test_a_file_that_its_writer_keeps_open_is_not_complete(corner: Corner) -> None:
    async def scan(place: Path, clock: VirtualClock) -> None:
        with (place / "films-1.xy").open("w") as file:
            file.write("1 1\n")
            file.flush()
            await clock.sleep(3600)
            file.write("2 2\n")

    found = corner.wait(scan)
    assert corner.shelf.kept[found.sha256] == b"1 1\n2 2\n"


def test_a_rename_into_place_and_a_lock_beside_are_understood(corner: Corner) -> None:
    async def export(place: Path, clock: VirtualClock) -> None:
        (place / "films-1.xy.part").write_text("half")
        (place / "~$films-1.xy").write_text("")
        await clock.sleep(100)
        (place / "films-1.xy.part").write_text("all")
        (place / "films-1.xy.part").rename(place / "films-1.xy")
        await clock.sleep(200)
        (place / "~$films-1.xy").unlink()

    found = corner.wait(export)
    assert corner.shelf.kept[found.sha256] == b"all"
    assert corner.clock.now() >= 300


WRITERS = """
import os, sys, threading
from pathlib import Path
from drivers.files.folder import is_in_use

folder = Path(sys.argv[1])
(folder / "a.xy").write_text("1")
looker, writer = os.getpid(), os.fork()
while not writer:  # opens it without end, also while it is looked at
    if os.getppid() != looker:
        os._exit(0)
    try:
        os.close(os.open(folder / "a.xy", os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        pass
try:
    print({is_in_use(folder, "a.xy") for _ in range(5_000)})
finally:
    os.kill(writer, 9)
    os.waitpid(writer, 0)
"""


def test_who_opens_the_file_in_the_wrong_moment_does_not_end_the_one_who_looks(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", WRITERS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"ended by signal {-done.returncode}: {done.stderr}"
    assert "False" in done.stdout


def test_a_file_that_is_too_large_is_named_and_not_read(tmp_path: Path) -> None:
    async def brings_a_hole(place: Path, clock: VirtualClock) -> None:
        await clock.sleep(60.0)
        with (place / "films-1.xy").open("wb") as file:
            file.truncate(2 * LARGEST)

    with pytest.raises(NoReading, match=r"films-1\.xy has 2 GB, more than the 1 GB"):
        Corner(tmp_path).wait(brings_a_hole)


def test_an_empty_file_is_not_taken_before_something_is_in_it(corner: Corner) -> None:
    async def slowly(place: Path, clock: VirtualClock) -> None:
        (place / "films-1.xy").touch()
        await clock.sleep(600)
        (place / "films-1.xy").write_text("1 1\n")

    assert corner.shelf.kept[corner.wait(slowly).sha256] == b"1 1\n"


@pytest.mark.parametrize("years", [-3, 3])
def test_the_clock_of_a_share_does_not_matter(corner: Corner, years: int) -> None:
    async def person(place: Path, clock: VirtualClock) -> None:
        await clock.sleep(10)
        (place / "films-1.xy").write_text("new\n")
        there = 1.8e9 + years * 3e7
        os.utime(place / "films-1.xy", (there, there))

    assert corner.shelf.kept[corner.wait(person).sha256] == b"new\n"


def test_what_was_there_before_does_not_count_until_it_is_another(corner: Corner) -> None:
    (corner.place / "films-1.xy").write_text("of yesterday\n")
    found = corner.wait(brings("films-1.xy", "of today: longer\n", after_s=3600))
    assert corner.shelf.kept[found.sha256] == b"of today: longer\n"


def test_a_file_of_yesterday_alone_is_never_taken_and_is_named(tmp_path: Path) -> None:
    corner = Corner(tmp_path, patience=3600.0)
    (tmp_path / "films-1.xy").write_text("of yesterday\n")
    with pytest.raises(NoReading, match=r"does not count \(films-1\.xy\)"):
        corner.wait()
    assert not corner.shelf.kept


def test_a_file_that_came_but_was_never_complete_is_named(tmp_path: Path) -> None:
    corner = Corner(tmp_path, patience=3600.0)
    with pytest.raises(NoReading, match=r"films-1\.xy came, but is empty, locked or still open"):
        corner.wait(brings("films-1.xy", ""))


def test_a_name_that_is_no_text_can_be_kept_and_journaled(corner: Corner) -> None:
    name = os.fsdecode(b"films-1_\xff\xe9.xy")
    found = corner.wait(brings(name, "1 1\n"))
    assert found.file == r"films-1_\udcff\udce9.xy"
    assert found.file.encode("utf-8")
    assert corner.wait() == found, "by its note"


def test_a_file_of_another_sample_is_not_taken(tmp_path: Path) -> None:
    corner = Corner(tmp_path, patience=3600.0)
    others = [brings(n) for n in ("films-12.xy", "films-2.xy", "myfilms-1.xy", "films-1.txt")]
    with pytest.raises(NoReading, match=r"no file 'films-1\*\.xy' came within 3600 s"):
        corner.wait(*others)


def test_two_files_that_fit_are_named_and_none_is_taken(corner: Corner) -> None:
    with pytest.raises(DeviceRefused) as caught:
        corner.wait(brings("films-1_a.xy"), brings("films-1_b.xy", after_s=61))
    assert "films-1_a.xy, films-1_b.xy" in str(caught.value)
    assert not corner.shelf.kept


def test_with_one_moved_away_the_next_attempt_takes_the_other(corner: Corner) -> None:
    with pytest.raises(DeviceRefused):
        corner.wait(brings("films-1_a.xy"), brings("films-1_b.xy"))
    (corner.place / "films-1_a.xy").unlink()
    assert corner.wait(ticket=T2).file == "films-1_b.xy"


def test_after_a_restart_the_same_wait_goes_on_and_what_came_meanwhile_counts(
    corner: Corner,
) -> None:
    async def killed() -> None:
        driver = corner.driver()
        await driver.open()
        waiting = asyncio.create_task(driver.collect(T1, "films-1"))
        await corner.clock.sleep(100)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    (corner.place / "films-1_old.xy").write_text("old\n")
    corner.run(killed())
    (corner.place / "films-1.xy").write_text("while nobody looked\n")
    verdict = corner.run(corner.driver().ask(T1))
    assert verdict.outcome == "resumable"
    assert "films-1*.xy" in verdict.evidence
    assert corner.wait().file == "films-1.xy"


def test_a_ticket_that_was_served_is_answered_for_without_looking_again(corner: Corner) -> None:
    found = corner.wait(brings("films-1.xy"))
    (corner.place / "films-1.xy").write_text("another one since\n")
    verdict = corner.run(corner.driver().ask(T1))
    assert verdict.outcome == "done"
    assert dict(verdict.results) == {"file": found.file, "sha256": found.sha256}
    assert corner.wait() == found


def test_a_ticket_that_nobody_waits_for_was_not_begun(corner: Corner) -> None:
    corner.wait(brings("films-1.xy"))
    assert corner.run(corner.driver().ask(T2)).outcome == "not_done"


def test_a_second_measurement_of_a_sample_takes_the_second_file(corner: Corner) -> None:
    corner.wait(brings("films-1_before.xy"))
    assert corner.wait(brings("films-1_after.xy"), ticket=T2).file == "films-1_after.xy"
    assert corner.run(corner.driver().ask(T1)).outcome == "done"


def test_two_samples_are_waited_for_at_a_time(corner: Corner) -> None:
    async def both() -> list[CollectedFile]:
        driver = corner.driver()
        await driver.open()
        waits = [driver.collect(t, f"films-{n}") for t, n in ((T1, 1), (T2, 2))]
        waiting = [asyncio.create_task(w) for w in waits]
        await corner.clock.sleep(50)
        (corner.place / "films-2.xy").write_text("2\n")
        await corner.clock.sleep(50)
        (corner.place / "films-1.xy").write_text("1\n")
        return await asyncio.gather(*waiting)

    assert [f.file for f in corner.run(both())] == ["films-1.xy", "films-2.xy"]


def test_a_share_that_is_away_for_a_while_is_waited_for(tmp_path: Path) -> None:
    corner = Corner(tmp_path / "share", notes=str(tmp_path))
    corner.place.mkdir()

    async def unmounts(place: Path, clock: VirtualClock) -> None:
        await clock.sleep(10)
        place.rename(tmp_path / "elsewhere")
        await clock.sleep(600)
        (tmp_path / "elsewhere" / "films-1.xy").write_text("1\n")
        (tmp_path / "elsewhere").rename(place)

    assert corner.wait(unmounts).file == "films-1.xy"


def test_a_measurement_is_asked_for_once_with_the_name_to_be_used(tmp_path: Path) -> None:
    corner = Corner(
        tmp_path, "{ticket}*.csv", request="{ticket}.job", request_text="save {ticket} {sample}"
    )
    asked = []

    async def instrument(place: Path, clock: VirtualClock) -> None:
        job = place / f"{T1}.job"
        while not job.exists():
            assert clock.now() < 3600.0
            await clock.sleep(1)
        asked.append(job.read_text())
        job.unlink()
        await clock.sleep(30)
        (place / f"{T1}.csv").write_text("1,2\n")

    assert corner.wait(instrument, sample="s-1").file == f"{T1}.csv"
    assert asked == [f"save {T1} s-1\n"]
    assert not (tmp_path / f"{T1}.job").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    corner = Corner(tmp_path / "nowhere")
    with pytest.raises(DeviceAbsent, match="nowhere"):
        corner.run(corner.driver().open())


def test_a_pattern_with_a_sample_is_refused_for_a_trial_without_one(corner: Corner) -> None:
    with pytest.raises(DeviceRefused, match="needs a sample"):
        corner.wait(sample="")


@pytest.mark.parametrize("pattern", ["", "sub/{sample}.xy", "{smaple}.xy"])
def test_a_pattern_that_can_fit_nothing_is_refused_when_it_is_read(
    tmp_path: Path, pattern: str
) -> None:
    with pytest.raises(InputError):
        Corner(tmp_path, pattern).driver()


@pytest.mark.parametrize("options", [{"folder": "drop"}, {"folder": "/", "notes": "drop"}])
def test_a_folder_that_hangs_on_where_the_engine_was_started_is_refused(
    options: dict[str, str],
) -> None:
    with pytest.raises(InputError, match="'drop' is no whole path"):
        FileDrop(Bench("xrd", VirtualClock()), pattern="*.xy", **options)


def test_a_note_that_is_damaged_is_no_note(corner: Corner) -> None:
    (corner.place / seen_from_here.NOTE.format("x")).write_text('{"key": 1}')
    assert corner.run(corner.driver().ask(T1)).outcome == "not_done"


def test_notes_say_in_words_what_is_waited_for(corner: Corner) -> None:
    corner.wait(brings("films-1.xy"))
    (note,) = corner.place.glob(seen_from_here.NOTE.format("*"))
    assert json.loads(note.read_text())["what"] == "films-1*.xy"


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("films-1.xy", True),
        ("FILMS-1.XY", True),
        ("20261126_films-1.xy", True),
        ("films-1[2].xy", True),
        ("films-12.xy", False),
        ("films-1.xy.bak", False),
    ],
)
def test_a_samples_name_is_whole_in_large_and_small_letters(name: str, fits: bool) -> None:
    names = matcher("*{sample}*.xy", sample="films-1", ticket="")
    assert bool(names.fullmatch(name)) is fits


@pytest.mark.parametrize("name", [".a.xy", "a.xy.part", "a.TMP", "~$a.xy", "a.xy~"])
def test_temporary_names_are_known(name: str) -> None:
    assert is_temporary(name)
