"""Acceptance: the engine ends at every journal write and around every physical effect."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest
from nights import (
    Life,
    check_promise,
    finish,
    is_in_doubt,
    live,
    new_stage,
    outcome,
    short_campaign,
)

from orchestrator.errors import Exit

N_TRIALS = 2
"""What comes after a trial and what comes before the last one are both there."""
FIRST_DEATHS = (3, 12, 16, 18, 33, 60, 71, 90, 118, 120, 122, 125)
"""Writes behind which an engine dies, and the next one after it too."""
N_PARTS = 4
"""The moments are dealt out to so many tests, so that two cores share them."""


@cache
def uninterrupted() -> tuple[list[object], list[str], int]:
    """What the campaign finds when nobody disturbs it; the kinds of its writes and its effects."""
    loaded = short_campaign(N_TRIALS)
    stage, world = new_stage(loaded)
    life = Life()
    done = live(loaded, stage, life)
    assert done is not None
    assert done.ending.exit_code is Exit.FINISHED
    check_promise(done, stage, world, life.acknowledged)
    assert len(life.kinds) == life.writes
    return outcome(done.state), life.kinds, world.counts()["effects"]


def first_and_last_of_each_kind() -> list[int]:
    """The numbers of writes."""
    kinds = uninterrupted()[1]
    first = {kind: n for n, kind in reversed(list(enumerate(kinds, 1)))}
    last = {kind: n for n, kind in enumerate(kinds, 1)}
    return sorted({*first.values(), *last.values()})


def check_deaths(moments: Sequence[int], when: str) -> None:
    """One night for each moment: the engine dies at that write, and what it began is finished."""
    loaded = short_campaign(N_TRIALS)
    reference, _, _ = uninterrupted()
    n_clean = 0
    for moment in moments:
        stage, world = new_stage(loaded)
        life = Life(kill_write=moment, when=when)  # type: ignore[arg-type]
        assert live(loaded, stage, life) is None
        was_in_doubt = is_in_doubt(stage)
        done, _ = finish(loaded, stage)
        check_promise(done, stage, world, life.acknowledged)
        if not was_in_doubt:
            n_clean += 1
            assert outcome(done.state) == reference, f"killed {when} write {moment}"
    assert n_clean > 0


def test_a_campaign_gives_the_same_result_each_time_it_is_played() -> None:
    loaded = short_campaign(N_TRIALS)
    stage, world = new_stage(loaded)
    done = live(loaded, stage, Life())
    assert done is not None
    assert outcome(done.state) == uninterrupted()[0]
    assert world.counts()["films_finished"] == N_TRIALS


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("part", range(N_PARTS))
def test_a_death_at_a_journal_write_of_each_kind_loses_and_repeats_nothing(
    part: int, when: str
) -> None:
    check_deaths(first_and_last_of_each_kind()[part::N_PARTS], when)


@pytest.mark.soak
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("part", range(N_PARTS))
def test_a_death_at_any_journal_write_loses_and_repeats_nothing(part: int, when: str) -> None:
    check_deaths(range(1 + part, len(uninterrupted()[1]) + 1, N_PARTS), when)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_around_any_physical_effect_loses_and_repeats_nothing(when: str) -> None:
    loaded = short_campaign(N_TRIALS)
    reference, _, effects = uninterrupted()
    for moment in range(1, effects + 1):
        stage, world = new_stage(loaded)
        life = Life()

        def die(now: str, n: int, life: Life = life, moment: int = moment) -> None:
            if (now, n) == (when, moment):
                # the effect itself still happens: the world does not stop for a dead engine
                life.is_over = True

        world.watch(die)
        assert live(loaded, stage, life) is None
        was_in_doubt = is_in_doubt(stage)
        done, _ = finish(loaded, stage)
        check_promise(done, stage, world, life.acknowledged)
        if not was_in_doubt:
            assert outcome(done.state) == reference, f"killed {when} effect {moment}"


@pytest.mark.parametrize("nth", range(len(FIRST_DEATHS)))
def test_a_second_death_during_recovery_changes_nothing_of_that(nth: int) -> None:
    check_second_deaths(FIRST_DEATHS[nth], range(1 + nth % 3, 16, 3))


@pytest.mark.soak
@pytest.mark.parametrize("moment", FIRST_DEATHS)
def test_any_second_death_during_recovery_changes_nothing_of_that(moment: int) -> None:
    check_second_deaths(moment, range(1, 16))


def check_second_deaths(moment: int, seconds: Sequence[int]) -> None:
    """The engine dies at a write, and its successor at each of some writes of its own."""
    loaded = short_campaign(N_TRIALS)
    reference, _, _ = uninterrupted()
    for second in seconds:
        stage, world = new_stage(loaded)
        first, again = Life(kill_write=moment), Life(kill_write=second)
        assert live(loaded, stage, first) is None
        was_in_doubt = is_in_doubt(stage)
        assert live(loaded, stage, again) is None or second > again.writes
        was_in_doubt = was_in_doubt or is_in_doubt(stage)
        done, _ = finish(loaded, stage)
        check_promise(done, stage, world, first.acknowledged + again.acknowledged)
        if not was_in_doubt:
            assert outcome(done.state) == reference


def test_every_doubt_says_what_is_known_and_waits_for_a_person() -> None:
    loaded = short_campaign(N_TRIALS)
    stage, world = new_stage(loaded)
    life = Life()

    def die(now: str, n: int) -> None:
        life.is_over = now == "after" and world.chamber.effects.log[-1].name == "films_begun"

    world.watch(die)
    assert live(loaded, stage, life) is None
    waiting = live(loaded, stage, Life())
    assert waiting is not None
    assert waiting.ending.exit_code is Exit.PERSON
    [doubt] = waiting.state.doubts()
    assert doubt.event.action == "deposit"
    assert doubt.doubt is not None
    assert "supply.on was done" in doubt.doubt.known
    assert world.snapshot()["plasma"] is False
    again = live(loaded, stage, Life())
    assert again is not None
    assert again.ending.exit_code is Exit.PERSON
    assert world.counts()["films_begun"] == 1
