"""Every moment of a night of six trials, with kill -9 and real processes: hours, `make soak`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from faults_night import Night, make_night
from test_kill_minus_nine import KILLED, check_world, found, go_on

from orchestrator.errors import Exit

pytestmark = pytest.mark.soak

PARTS = 24
"""The moments are dealt out to so many tests; each goes on from where the last one ended."""


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Any], int, int]]:
    """What is found undisturbed, and how many writes and effects that takes."""
    for night in make_night(tmp_path_factory.mktemp("quiet")):
        code, told, said = night.run()
        assert code == Exit.FINISHED, (said, night.events()[-8:])
        with night.control() as control:
            effects = control.counts()["effects"]
        yield found(night.state()), len(told), effects


def die_and_go_on(night: Night, reference: list[Any], write: int, when: str, second: int) -> None:
    """One night with one death, or two."""
    code, told, said = night.run(str(write), when)
    if code == Exit.FINISHED:
        return  # an append may hold several events: the last numbers are never reached
    assert code == KILLED, said
    was_in_doubt = bool(night.state().open_tickets)
    if second:
        code, more, said = night.run(str(second), "after")
        told += more
        assert code in (KILLED, Exit.PERSON, Exit.FINISHED), said
        was_in_doubt = was_in_doubt or bool(night.state().open_tickets)
    go_on(night)
    kept = {r.seq: r for r in night.events()}
    assert all(kept[r.seq] == r for r in told)
    with night.control() as control:
        check_world(night, control.state())
    if not was_in_doubt:
        assert found(night.state()) == reference


@pytest.mark.parametrize("second", [0, 6], ids=["once", "twice"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("part", range(PARTS))
def test_kill_minus_nine_at_every_journal_write(
    quiet: tuple[list[Any], int, int],
    tmp_path_factory: pytest.TempPathFactory,
    part: int,
    when: str,
    second: int,
) -> None:
    reference, writes, _ = quiet
    for write in range(1 + part, writes + 1, PARTS):
        for night in make_night(tmp_path_factory.mktemp("night")):
            die_and_go_on(night, reference, write, when, second)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("part", range(PARTS))
def test_kill_minus_nine_around_every_physical_effect(
    quiet: tuple[list[Any], int, int],
    tmp_path_factory: pytest.TempPathFactory,
    part: int,
    when: str,
) -> None:
    _, _, effects = quiet
    for effect in range(1 + part, effects + 1, PARTS):
        for night in make_night(tmp_path_factory.mktemp("night")):
            child = night.start(waits=True)
            with night.control() as control:
                control.kill(child.pid, effect, when)  # type: ignore[arg-type]
            child.send_signal(signal.SIGCONT)
            child.communicate(timeout=300)
            assert child.returncode == KILLED
            go_on(night)
            with night.control() as control:
                check_world(night, control.state())
