"""A driver in a process of its own keeps what it promises in the engine's."""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import lonely_devices
import pytest
from lonely_devices import OutOfTune, Piano
from processes import is_running, until

from orchestrator import errors
from orchestrator.clock import ScaledClock, WallClock
from orchestrator.errors import DeviceAbsent, DeviceError, DriverLost, ExecutionError
from orchestrator.executor import isolated
from orchestrator.executor.frames import retold, told
from orchestrator.executor.guardian import Guardian
from orchestrator.executor.guardian_record import Record, recorded_in
from orchestrator.executor.guarding import Guarding, Place
from orchestrator.executor.isolated import Isolation, Lost, Spec
from orchestrator.executor.local import environment
from orchestrator.model.quantity import Bound
from orchestrator.ports.action import Ticket, actions_of
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import (
    Health,
    Identity,
    Queryable,
    Recounting,
    Resource,
    ResourceKind,
)
from orchestrator.ports.traffic import Passage, read_passage

KIND = ResourceKind("piano", Piano, actions_of(Piano), {})


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where processes are started that can import what lies beside this module."""
    sockets = Path(tempfile.mkdtemp(prefix="hgi-"))
    path = os.pathsep.join((str(Path(lonely_devices.__file__).parent), environment()["PYTHONPATH"]))
    surroundings = {**environment(), "PYTHONPATH": path}
    yield Place(sockets / "s", tmp_path / "logs", tmp_path / "records", surroundings)
    shutil.rmtree(sockets)


def spec(tmp_path: Path, name: str = "piano", record: Any = None) -> Spec:
    options = {"port": "/dev/null", "notebook": str(tmp_path / "notebook.txt")}
    return Spec(name, KIND, "lonely_devices:Piano", options, record)


def notes(tmp_path: Path) -> list[str]:
    return (tmp_path / "notebook.txt").read_text().splitlines()


def play(
    place: Place,
    groups: list[list[Spec]],
    script: Callable[[Isolation], Awaitable[None]],
    clock: Clock | None = None,
) -> list[Lost]:
    """Plays a script on isolated resources, all of them open; gives which processes were lost."""
    lost: list[Lost] = []
    told_of = [[one.told() for one in group] for group in groups]
    order = [one.name for group in groups for one in group]

    async def main() -> None:
        guarding = Guarding(place, clock or WallClock(), told_of, order)
        isolation = Isolation(groups, guarding)
        isolation.on_lost = lost.append
        try:
            for resource in isolation.resources.values():
                await resource.open()
                await resource.identify()
            await script(isolation)
        finally:
            for resource in isolation.resources.values():
                await resource.close()
            await isolation.close()

    asyncio.run(main())
    return lost


def test_results_identity_health_and_verdicts_come_through_as_they_were(
    place: Place, tmp_path: Path
) -> None:
    async def script(isolation: Isolation) -> None:
        piano: Any = isolation.resources["piano"]
        heard = await piano.tone()
        assert heard["pitch"] == Bound(20_000.0, "above")
        assert math.isnan(heard["loudness"])
        assert (heard["name"], heard["spectrum"]) == ("A", [440.0, 880.0])
        assert await piano.identify() == Identity("Acme", "Piano", "1")
        assert await piano.health() == Health(False, "out of tune")
        assert isinstance(piano, Resource)
        assert isinstance(piano, Queryable)
        verdict = await piano.ask(Ticket("t7"))
        assert (verdict.outcome, verdict.evidence) == ("done", "it heard of t7")
        assert verdict.results == {"value": Bound(1.0, "above")}
        assert isinstance(piano, Recounting)
        told = await piano.results_of("play", {"pitch": 440.0}, Ticket("t7"))
        assert told == {"value": Bound(1.0, "above"), "of": "play t7"}
        with pytest.raises(DeviceError, match="wrong came to its end and gave 'late' as 'value'"):
            await piano.wrong()

    play(place, [[spec(tmp_path)]], script)


def test_errors_keep_their_type_their_facts_and_their_hint(place: Place, tmp_path: Path) -> None:
    async def script(isolation: Isolation) -> None:
        piano: Any = isolation.resources["piano"]
        with pytest.raises(errors.LimitExceeded) as exceeded:
            await piano.fail(how="limit")
        found = exceeded.value
        assert (found.what, found.value, found.low, found.high) == ("pitch", 1e5, 20.0, None)
        assert found.blames_parameters
        assert found.hint.startswith("narrow the search space")
        with pytest.raises(OutOfTune) as flat:
            await piano.fail(how="own")
        assert (flat.value.cents, flat.value.resource) == (12.5, "piano")
        assert str(flat.value) == "piano: it is 12.5 cents flat"
        assert flat.value.hint == "tighten the string"
        with pytest.raises(errors.DeviceRefused, match="nobody can import this"):
            await piano.fail(how="local")
        with pytest.raises(KeyError, match="pedal"):
            await piano.fail(how="bug")

    play(place, [[spec(tmp_path)]], script)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("panic", "piano: fail raised Panic: index out of bounds"),
        ("exit", "piano: fail raised SystemExit: no licence"),
        ("interrupt", "piano: fail raised KeyboardInterrupt"),
        ("generator", "piano: fail raised GeneratorExit"),
        ("group", "ExceptionGroup: two of them"),
    ],
)
def test_whatever_a_driver_raises_the_call_is_answered(
    place: Place, tmp_path: Path, how: str, said: str
) -> None:
    async def script(isolation: Isolation) -> None:
        piano: Any = isolation.resources["piano"]
        with pytest.raises(Exception, match=said):
            async with asyncio.timeout(20):
                await piano.fail(how=how)
        assert await piano.identify() == Identity("Acme", "Piano", "1")

    assert play(place, [[spec(tmp_path)]], script) == []


def test_an_answer_that_no_frame_can_hold_is_answered_with_that(
    place: Place, tmp_path: Path
) -> None:
    async def script(isolation: Isolation) -> None:
        piano: Any = isolation.resources["piano"]
        with pytest.raises(DeviceError, match=r"identify raised TypeError: .* not JSON"):
            async with asyncio.timeout(20):
                await piano.identify()

    (tmp_path / "notebook.odd").touch()
    with pytest.raises(DeviceError, match="not JSON"):
        play(place, [[spec(tmp_path)]], script)


def _tree(kind: type[errors.HaganeError]) -> Iterator[type[errors.HaganeError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _tree(below)


def test_every_error_of_the_tree_is_told_and_told_again_the_same() -> None:
    for kind in _tree(errors.HaganeError):
        error = kind.__new__(kind)
        errors.HaganeError.__init__(error, "a sentence", hint="a hint")
        error.fact, error.facts = 1.5, ("a", "b")  # type: ignore[attr-defined]
        again = retold(told(error))
        assert type(again) is kind
        assert (str(again), vars(again)) == (str(error), vars(error))


def test_an_action_that_is_given_up_is_given_up_in_the_driver_whose_clean_up_is_waited_for(
    place: Place, tmp_path: Path
) -> None:
    async def script(isolation: Isolation) -> None:
        piano: Any = isolation.resources["piano"]
        playing = asyncio.ensure_future(piano.play(seconds=3600.0, ticket="t1"))
        while "piano play t1" not in notes(tmp_path):
            await asyncio.sleep(0.01)
        await piano.make_safe()
        assert notes(tmp_path)[-1] == "piano safe", "it waits for no action under way"
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        assert notes(tmp_path)[-1] == "piano fingers lifted"

    assert play(place, [[spec(tmp_path)]], script) == []


def test_an_action_that_is_given_up_as_it_is_asked_for_does_not_wait_for_ever(
    place: Place, tmp_path: Path
) -> None:
    """Both words come to the driver's process at once, and the action has not begun there."""

    async def script(isolation: Isolation) -> None:
        piano: Any = isolation.resources["piano"]
        for n in range(20):
            playing = asyncio.ensure_future(piano.play(seconds=3600.0, ticket=f"t{n}"))
            await asyncio.sleep(0)
            playing.cancel()
            done, _ = await asyncio.wait({playing}, timeout=10.0)
            assert done, "it still waits for an answer"
            assert playing.cancelled()
        assert (await piano.health()).note == "out of tune"

    assert play(place, [[spec(tmp_path)]], script) == []


def test_the_traffic_is_recorded_and_counted_where_the_engine_is(
    place: Place, tmp_path: Path
) -> None:
    passed: list[Passage] = []
    piano = spec(tmp_path, record=passed.append)

    async def script(isolation: Isolation) -> None:
        for _ in range(3):
            await isolation.resources["piano"].tune(pitch=440.0)
        with pytest.raises(DriverLost):
            await isolation.resources["piano"].crash()
        await isolation.resources["piano"].tune(pitch=440.0)

    play(place, [[piano]], script)
    assert [(p.way, p.data, p.at) for p in passed] == 4 * [("sent", b"\x00tune\xff", 1.5)]
    assert piano.figures.n_exchanges >= 1, "what was counted in the last half second may be lost"
    assert set(piano.figures.latencies_s) == {0.25}


SET_BACK = WallClock()
SET_BACK.start_at(SET_BACK.now() + 3600.0)
"""That of a campaign whose last event was an hour later than what the computer's clock says."""


@pytest.mark.parametrize(
    "clock",
    [WallClock(), SET_BACK, ScaledClock(1000.0, 5e6)],
    ids=["wall", "set-back", "scaled"],
)
def test_campaign_time_is_the_same_on_both_sides(
    place: Place, tmp_path: Path, clock: Clock
) -> None:
    async def script(isolation: Isolation) -> None:
        before = clock.now()
        said = (await isolation.resources["piano"].time())["value"]
        assert before <= said <= clock.now()

    play(place, [[spec(tmp_path)]], script, clock)


def test_those_on_one_port_share_a_process_and_others_do_not(place: Place, tmp_path: Path) -> None:
    seen: list[int] = []

    async def script(isolation: Isolation) -> None:
        for resource in isolation.resources.values():
            seen.append((await resource.process())["value"])

    names = [["left", "right"], ["far"]]
    play(place, [[spec(tmp_path, name) for name in group] for group in names], script)
    assert seen[0] == seen[1] != seen[2]
    assert os.getpid() not in seen
    assert not any(map(is_running, seen))
    assert not list(place.records.iterdir())
    assert not place.sockets.exists()


def test_what_a_crash_interrupts_fails_and_the_device_comes_back_as_after_a_replug(
    place: Place, tmp_path: Path
) -> None:
    async def script(isolation: Isolation) -> None:
        piano: Any = isolation.resources["piano"]
        await piano.tune(pitch=440.0)
        playing = asyncio.ensure_future(piano.play(seconds=3600.0, ticket="t1"))
        with pytest.raises(
            DriverLost, match=r"^piano: the process of its driver ended with code 7"
        ):
            await piano.crash()
        with pytest.raises(DriverLost) as lost:
            await playing
        assert lost.value.hint == f"what it printed is in {place.logs / 'piano.txt'}"
        assert not lost.value.may_retry
        before = len(notes(tmp_path))
        await piano.make_safe()
        assert notes(tmp_path)[before:] == ["piano open", "piano identify", "piano safe"]

    (lost,) = play(place, [[spec(tmp_path)]], script)
    assert lost.resources == ("piano",)
    assert "a string broke" in (place.logs / "piano.txt").read_text()


def test_a_process_that_dies_as_it_is_started_is_told_with_the_name_of_its_resource(
    place: Place, tmp_path: Path
) -> None:
    async def script(isolation: Isolation) -> None: ...

    mortal = replace(spec(tmp_path), target="lonely_devices:Mortal")
    with pytest.raises(DriverLost) as told_of:
        play(place, [[mortal]], script)
    assert str(told_of.value) == "piano: the process of its driver was ended by signal 9 (SIGKILL)"


def test_another_device_that_answers_after_a_crash_is_not_touched(
    place: Place, tmp_path: Path
) -> None:
    async def script(isolation: Isolation) -> None:
        piano: Any = isolation.resources["piano"]
        with pytest.raises(DriverLost):
            await piano.crash()
        (tmp_path / "notebook.label").write_text("2")
        for _ in range(2):
            with pytest.raises(errors.WrongDevice, match="Piano 2 answers, where Piano 1 was"):
                await piano.make_safe()
        assert "piano safe" not in notes(tmp_path)

    play(place, [[spec(tmp_path)]], script)


def test_a_driver_that_never_lets_go_is_ended_after_a_while(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolated, "HUNG_AFTER_S", 1.0)

    async def script(isolation: Isolation) -> None:
        piano: Any = isolation.resources["piano"]
        pid = (await piano.process())["value"]
        with pytest.raises(DriverLost, match="gave no sign of life for 1 s and was ended"):
            await piano.hang()
        assert not is_running(pid)
        await piano.make_safe()
        assert notes(tmp_path)[-1] == "piano safe"

    assert len(play(place, [[spec(tmp_path)]], script)) == 1


def test_a_resource_that_is_not_open_says_so_and_no_process_is_started_for_it(
    place: Place, tmp_path: Path
) -> None:
    async def main() -> None:
        group = [spec(tmp_path)]
        guarding = Guarding(place, WallClock(), [[s.told() for s in group]], ["piano"])
        isolation = Isolation([group], guarding)
        with pytest.raises(DeviceAbsent, match="piano: is not open"):
            await isolation.resources["piano"].make_safe()
        await isolation.resources["piano"].close()
        await isolation.close()

    asyncio.run(main())
    assert not place.records.exists()


def test_a_guardian_that_can_keep_no_record_is_told_of_before_anything_is_opened(
    place: Place, tmp_path: Path
) -> None:
    place.records.write_text("a file where a folder should be")

    async def script(isolation: Isolation) -> None:
        raise AssertionError("nothing must be opened")

    with pytest.raises(ExecutionError, match="cannot keep its record") as refused:
        play(place, [[spec(tmp_path)]], script)
    assert str(place.records) in refused.value.hint
    assert not (tmp_path / "notebook.txt").exists()


def _guardian(
    place: Place,
    tmp_path: Path,
    record: Record,
    serial: str = "1",
    piano: Spec | None = None,
) -> Guardian:
    """One that knows of a piano whose process is gone."""
    told_of = (piano or spec(tmp_path)).told()
    place.sockets.mkdir()
    place.logs.mkdir()
    guarding = Guarding(place, WallClock(), [[told_of]], ["piano"])
    said = {
        "drivers": [[told_of]],
        "hello": guarding.hello([]),
        "sockets": str(place.sockets),
        "logs": str(place.logs),
    }
    guardian = Guardian(said, record)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    at = {"pid": gone.pid, "path": str(place.sockets / "gone.sock")}
    guardian.take({"driver": "piano", "at": at})
    identity = {"maker": "Acme", "model": "Piano", "serial": serial}
    guardian.take({"known": "piano", "identity": identity})
    return guardian


@pytest.mark.parametrize(
    ("serial", "is_taken", "note"),
    [
        ("1", False, ""),
        ("1", True, "process 4711 holds its port"),
        ("2", False, "another device answers than before, so nothing was sent to it"),
    ],
    ids=["free", "taken", "another"],
)
def test_a_guardian_puts_a_process_in_the_place_of_one_that_is_gone_unless_that_would_be_wrong(
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    serial: str,
    is_taken: bool,
    note: str,
) -> None:
    monkeypatch.setenv("PYTHONPATH", place.environment["PYTHONPATH"])
    if is_taken:
        (tmp_path / "notebook.taken").touch()

    async def main() -> None:
        with Record(str(place.records), 1) as record:
            await _guardian(place, tmp_path, record, serial).act("the engine was gone")

    asyncio.run(main())
    (record,) = recorded_in(place.records)
    assert record.made["piano"].endswith(note)
    assert bool(record.made["piano"]) == bool(note)
    assert ("piano safe" in notes(tmp_path)) == (not note)


def test_what_a_guardian_has_sent_is_beside_the_engines_record(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", place.environment["PYTHONPATH"])
    night = tmp_path / "night"
    night.mkdir()
    recorded = spec(tmp_path, record=lambda passage: None)

    async def main() -> None:
        with Record(str(place.records), 1) as record:
            recorded_in_night = replace(place, traffic=str(night))
            guardian = _guardian(recorded_in_night, tmp_path, record, piano=recorded)
            await guardian.act("the engine was gone")

    asyncio.run(main())
    (line,) = (night / "piano.guardian.jsonl").read_text().splitlines()
    assert read_passage(line).data == b"\x00safe\xff"


def test_a_guardian_that_was_told_farewell_does_nothing(place: Place, tmp_path: Path) -> None:
    async def script(isolation: Isolation) -> None:
        await isolation.resources["piano"].tune(pitch=440.0)

    play(place, [[spec(tmp_path)]], script)
    assert until(lambda: not list(place.records.glob("*")))
    assert "piano safe" not in notes(tmp_path)
