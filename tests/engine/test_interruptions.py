"""Ctrl-C, stop, interlocks, a full disk, a lost lease, a killed predecessor."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from small_works import MINUTE, RECIPE, Works, bake, interrupted, is_under_way, take, weigh

from orchestrator import errors
from orchestrator.engine.loop import Ending
from orchestrator.errors import Exit
from orchestrator.model import events as ev
from orchestrator.model.lab import Interlock
from orchestrator.model.recipe import Argument, OnFailure, Step
from orchestrator.model.state import State
from orchestrator.ports.journal import Journal
from orchestrator.ports.resource import Verdict

DRIFT_WHILE_WARM = Interlock(
    rule="never oven.warm while balance.drift > 1 g until oven.off",
    resource="oven",
    action="warm",
    sensor="balance",
    reading="drift",
    value="value",
    sense=">",
    threshold=1.0,
    unit="g",
    released_by="off",
    max_age_s=0.2,
)
WARM = Step(
    name="warm",
    role="oven",
    action="warm",
    arguments=(Argument(name="temperature", literal=80.0),),
)


def test_an_interrupt_is_safe_and_the_next_run_goes_on() -> None:
    works = Works(trials=2)
    ending = interrupted(works, "weigh")
    assert (ending.exit_code, ending.hint) == (Exit.INTERRUPTED, "run it again to go on")
    assert works.events(ev.EngineStopped)[-1].is_safe
    assert works["oven"].did[-1] == "make_safe"
    assert works.run().exit_code is Exit.FINISHED
    assert works.statuses() == ["done", "done"]


def test_an_interrupted_reading_is_repeated_and_an_interrupted_bake_is_not() -> None:
    works = Works(trials=1)
    interrupted(works, "weigh")
    assert works.run().exit_code is Exit.FINISHED
    works = Works(trials=1)
    ending = interrupted(works, "bake")
    assert ending.exit_code is Exit.INTERRUPTED
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert "not known whether oven.bake of trial 1 took place" in ending.sentence
    assert works.run().exit_code is Exit.PERSON
    assert works["oven"].baked == [101.0]


def test_what_was_set_and_made_safe_by_a_stop_is_set_again_before_it_is_relied_on() -> None:
    works = Works(recipe=(take(), WARM, weigh()), trials=1)
    interrupted(works, "weigh")
    assert not works["oven"].is_hot
    was_hot = []

    def seen(entry: ev.Recorded, state: State) -> None:
        if isinstance(entry.event, ev.ActionDispatched) and entry.event.step == "weigh":
            was_hot.append(works["oven"].is_hot)

    works.on_event = seen
    assert works.run().exit_code is Exit.FINISHED
    assert (was_hot, works["oven"].did.count("warm")) == ([True], 2)


def test_what_was_made_safe_in_the_moment_in_which_it_was_set_is_set_again() -> None:
    works = Works(recipe=(take(), WARM, weigh()), trials=1)
    was_hot = []

    def seen(entry: ev.Recorded, state: State) -> None:
        order = state.dispatches[entry.event.ticket] if entry.event.kind == "action_done" else None
        is_warm = order is not None and order.event.step == "warm"
        if is_warm and works.n_runs == 1 and works.engine is not None:
            works.engine.interrupt()
        if isinstance(entry.event, ev.ActionDispatched) and entry.event.step == "weigh":
            was_hot.append(works["oven"].is_hot)

    works.on_event = seen
    assert works.run().exit_code is Exit.INTERRUPTED
    assert works.run().exit_code is Exit.FINISHED
    assert was_hot == [True]


def test_what_was_set_before_something_was_done_to_the_sample_is_not_set_again() -> None:
    works = Works(recipe=(take(), WARM, bake(), weigh()), trials=1)
    interrupted(works, "weigh")
    assert works.run().exit_code is Exit.FINISHED
    assert (works["oven"].did.count("warm"), works["oven"].baked) == (1, [101.0])


@pytest.mark.parametrize("policy", list(OnFailure))
def test_an_interrupt_never_fails_a_trial(policy: OnFailure) -> None:
    recipe = (take(), *RECIPE[2:3], RECIPE[3].model_copy(update={"on_failure": policy}))
    works = Works(recipe=recipe, trials=1)
    interrupted(works, "weigh")
    assert works.statuses() == ["running"]
    assert works.run().exit_code is Exit.FINISHED
    assert works.statuses() == ["done"]


def test_the_first_interrupt_lets_a_move_come_to_its_end_and_the_second_does_not() -> None:
    works = Works(trials=1)
    interrupted(works, "move")
    assert works["arm"].arrived.keys() == works["arm"].begun.keys()
    assert not works.state.open_tickets
    works = Works(trials=1)
    interrupted(works, "move", times=2)
    assert len(works.state.open_tickets) == 1


def test_a_move_in_question_is_asked_about_at_the_next_start() -> None:
    works = Works(trials=1)
    interrupted(works, "move", times=2)

    async def arrived() -> Verdict:
        return Verdict("done", "it arrived after all")

    works["arm"].troubles["ask"].append(arrived)
    assert works.run().exit_code is Exit.FINISHED
    done = [e for e in works.events(ev.ActionDone) if e.evidence == "asked"]
    assert [e.note for e in done] == ["it arrived after all"]
    assert works["arm"].did.count("move") == 2


def test_an_interrupt_does_not_wait_for_a_fit() -> None:
    works = Works(trials=3, settings={"in_flight": 1})

    async def think() -> None:
        with works.clock.work():
            await asyncio.sleep(3600)

    async def press() -> None:
        while not works.planner.histories:
            await asyncio.sleep(0.001)
        assert works.engine is not None
        works.engine.interrupt()
        await asyncio.Event().wait()

    works.planner.script.append(think)
    assert works.run(press).exit_code is Exit.INTERRUPTED
    assert works.run().exit_code is Exit.FINISHED


def test_an_interrupt_does_not_wait_for_a_device_that_is_being_asked() -> None:
    works = Works(trials=1)
    interrupted(works, "move", times=2)

    async def moving() -> Verdict:
        return Verdict("running", "paused on the pendant")

    async def press() -> None:
        await works.until(lambda s: s.engine_is_up)
        await works.clock.sleep(10.0)
        assert works.engine is not None
        works.engine.interrupt()
        await asyncio.Event().wait()

    works["arm"].troubles["ask"].extend([moving] * 10_000)
    assert works.run(press).exit_code is Exit.INTERRUPTED
    assert len(works.state.open_tickets) == 1
    assert works.state.doubts() == []


def stopped(works: Works, action: str) -> Ending:
    async def press() -> None:
        await works.until(is_under_way(action))
        await works.clock.sleep(1.0)
        assert works.engine is not None
        assert await works.engine.stop("the technician")
        await asyncio.Event().wait()

    return works.run(press)


def test_a_stop_latches_until_a_person_resumes() -> None:
    works = Works(trials=1)
    ending = stopped(works, "weigh")
    assert "hagane resume" in ending.hint
    assert ending.sentence == "stopped by the technician"
    for _ in range(2):
        ending = works.run()
        assert ending.exit_code is Exit.PERSON
        assert "latched: stopped by the technician" in ending.sentence
    assert works["arm"].did.count("place") == 1
    wish = works.wish("resume")
    assert works.run().exit_code is Exit.FINISHED
    assert works.answer(wish) == "done"


def test_a_pause_or_a_wish_of_another_kind_does_not_clear_the_latch_of_a_stop() -> None:
    works = Works(trials=1)
    stopped(works, "weigh")
    works.wish("pause")
    assert works.run().exit_code is Exit.PERSON
    assert "latched" in works.run().sentence


def test_a_stop_gives_up_even_a_move() -> None:
    works = Works(trials=1)
    stopped(works, "move")
    assert len(works.state.open_tickets) == 1


def test_nothing_starts_while_the_lab_is_being_made_safe() -> None:
    works = Works(trials=3, recipe=(take(), WARM, *RECIPE[2:]), interlocks=[DRIFT_WHILE_WARM])

    async def slowly() -> None:
        await works.clock.sleep(5 * MINUTE)

    async def drift() -> None:
        await works.until(is_under_way("weigh"))
        works["arm"].troubles["make_safe"].append(slowly)
        assert works.engine is not None
        works.engine.trip(errors.InterlockTripped(DRIFT_WHILE_WARM.rule, "balance.drift is 7 g"))
        await asyncio.Event().wait()

    ending = works.run(drift)
    assert ending.exit_code is Exit.SAFETY
    story = [e for e in works.events() if e.kind in ("action_dispatched", "made_safe", "paused")]
    begun = next(i for i, e in enumerate(story) if e.kind == "made_safe")
    assert [e for e in story[begun:] if e.kind == "action_dispatched"] == []


def test_a_guarded_state_that_turns_unsafe_makes_safe_and_latches() -> None:
    works = Works(trials=1, recipe=(take(), WARM, *RECIPE[2:]), interlocks=[DRIFT_WHILE_WARM])
    works["balance"].minutes = 30.0

    async def too_much() -> float:
        return 7.0

    async def drift() -> None:
        await works.until(is_under_way("weigh"))
        works["balance"].troubles["drift"].append(too_much)
        await asyncio.Event().wait()

    ending = works.run(drift)
    assert ending.exit_code is Exit.SAFETY
    assert "balance.drift is 7 g" in ending.sentence
    (fired,) = works.events(ev.InterlockFired)
    assert fired.rule == DRIFT_WHILE_WARM.rule
    assert not works["oven"].is_hot
    assert works.run().exit_code is Exit.SAFETY
    works.wish("resume")
    assert works.run().exit_code is Exit.FINISHED


def test_an_interlock_that_refuses_a_step_makes_safe_and_latches() -> None:
    works = Works(trials=1, recipe=(take(), WARM, *RECIPE[2:]), interlocks=[DRIFT_WHILE_WARM])
    works["balance"].troubles["drift"].append(errors.DeviceSilent("balance", "silent"))
    ending = works.run()
    assert ending.exit_code is Exit.SAFETY
    assert "which counts as unsafe" in ending.sentence
    assert works["oven"].did.count("warm") == 0
    works.wish("resume")
    assert works.run().exit_code is Exit.FINISHED


class Full:
    """A disk that is full from the first event of a kind on, for `n` writes."""

    def __init__(self, inner: Journal, kind: str, n: int = 10_000) -> None:
        self.inner, self.kind, self.left = inner, kind, n
        self.began = False

    async def append(self, events: Sequence[ev.Event], *, at: float) -> Sequence[ev.Recorded]:
        self.began = self.began or any(e.kind == self.kind for e in events)
        if self.began and self.left > 0:
            self.left -= 1
            raise errors.JournalFull("the disk is full", hint="make room")
        return await self.inner.append(events, at=at)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.mark.parametrize("n", [1, 10_000])
@pytest.mark.parametrize("kind", ["sample_made", "action_done", "observed", "trial_done"])
def test_a_full_disk_stops_before_the_next_action_and_loses_nothing(kind: str, n: int) -> None:
    works = Works(trials=2)
    works.wrap = lambda journal: Full(journal, kind, n)  # type: ignore[assignment,return-value]
    with pytest.raises(errors.JournalFull):
        works.run()
    for device in works.devices.values():
        assert device.did[-1] == "make_safe"
    n_acts = sum(len(d.did) - d.did.count("make_safe") for d in works.devices.values())
    dispatched = len(works.events(ev.ActionDispatched))
    n_opened = len(works.devices)
    assert n_acts - n_opened - works["arm"].did.count("halfway") <= dispatched
    works.wrap = None
    for _ in range(6):
        ending = works.run()
        if ending.exit_code is Exit.FINISHED:
            break
        for doubt in works.state.doubts():
            works.wish("resolve", ticket=doubt.event.ticket, verdict="failed", at="shelf")
    assert ending.exit_code is Exit.FINISHED
    assert len(works["oven"].baked) == len(set(works["oven"].baked))


CRASHED = ev.DriverEnded(resources=("oven",), why="it crashed")


def test_a_driver_that_is_lost_has_the_lab_made_safe_and_what_may_be_repeated_is() -> None:
    works = Works(trials=1)

    async def lose() -> None:
        await works.until(is_under_way("weigh"))
        assert works.engine is not None
        works.engine.lose("oven: it crashed", CRASHED)
        await asyncio.Event().wait()

    assert works.run(lose).exit_code is Exit.FINISHED, "nobody paused it"
    assert works.events(ev.DriverEnded) == [CRASHED]
    assert {e.resource for e in works.events(ev.MadeSafe) if e.why == "oven: it crashed"} >= {
        "oven",
        "arm",
        "balance",
    }
    (stopped,) = [e for e in works.events(ev.ActionFailed) if e.error == "Stopped"]
    assert stopped.sentence.endswith("oven: it crashed")
    assert works.statuses() == ["done"]


def test_a_driver_that_is_lost_while_it_is_made_safe_is_no_new_emergency_each_time() -> None:
    works = Works(trials=1)

    async def crash() -> None:
        assert works.engine is not None
        works.engine.lose("oven: it crashed", CRASHED)

    async def lose() -> None:
        await works.until(is_under_way("weigh"))
        works["oven"].troubles["make_safe"].extend([crash] * 3)
        await crash()
        await asyncio.Event().wait()

    assert works.run(lose).exit_code is Exit.FINISHED
    assert works.events(ev.DriverEnded) == [CRASHED] * 3, "once more at the very end"
    rounds = [e for e in works.events(ev.MadeSafe) if e.resource == "oven"]
    assert [e.why == "oven: it crashed" for e in rounds] == [True, False]


def test_an_interrupt_after_a_loss_asks_for_no_latch_to_be_cleared() -> None:
    works = Works(trials=2)

    async def lose() -> None:
        await works.until(is_under_way("weigh"))
        assert works.engine is not None
        works.engine.lose("oven: it crashed", CRASHED)
        await works.until(lambda state: len(state.trials) == 2)
        works.engine.interrupt()
        await asyncio.Event().wait()

    assert works.run(lose).hint == "run it again to go on"


def test_stop_works_while_the_disk_is_full() -> None:
    works = Works(trials=1)
    works.wrap = lambda journal: Full(journal, "made_safe")  # type: ignore[assignment,return-value]

    async def press() -> None:
        await works.until(is_under_way("weigh"))
        assert works.engine is not None
        assert await works.engine.stop("the technician")
        await asyncio.Event().wait()

    with pytest.raises(errors.JournalFull):
        works.run(press)
    assert all("make_safe" in d.did for d in works.devices.values())


def test_a_driver_that_cannot_be_stopped_does_not_keep_the_lab_from_being_made_safe() -> None:
    works = Works(trials=1)

    async def deaf() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
            if works["oven"].did[-1] == "make_safe":
                return

    works["balance"].troubles["weigh"].append(deaf)
    ending = interrupted(works, "weigh", times=2)
    assert ending.exit_code is Exit.INTERRUPTED
    assert works["oven"].did[-1] == "make_safe"


def test_a_lost_lease_stops_the_step_before_the_next_act() -> None:
    works = Works(trials=3)

    async def take_over() -> None:
        await works.until(is_under_way("bake"))
        works.store._campaigns[works.row.id].lease = None  # type: ignore[attr-defined]
        works.store.lease(works.row.id, "somebody else")
        await asyncio.Event().wait()

    with pytest.raises(errors.LeaseLost):
        works.run(take_over)
    assert works["balance"].did == ["open"]


def test_a_fault_of_the_engine_leaves_the_lab_safe() -> None:
    works = Works(trials=1)

    async def weigh_wrongly() -> None:
        assert works.ledger is not None
        works.ledger.state.trials[1].proposal = None  # type: ignore[assignment]

    works["arm"].troubles["place"].append(weigh_wrongly)
    with pytest.raises(Exception, match=r"fault|NoneType"):
        works.run()
    assert works["oven"].did[-1] == "make_safe"


def test_a_progress_display_that_breaks_does_not_end_the_engine() -> None:
    works = Works(trials=1)

    def broken(entry: ev.Recorded, state: State) -> None:
        raise BrokenPipeError

    works.on_event = broken
    assert works.run().exit_code is Exit.FINISHED


def test_a_step_that_nobody_can_be_asked_about_waits_for_a_person() -> None:
    works = Works(trials=2)
    interrupted(works, "bake")
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert "hagane doubts" in ending.hint
    (doubt,) = works.state.doubts()
    wish = works.wish("resolve", ticket=doubt.event.ticket, verdict="not_done")
    assert works.run().exit_code is Exit.FINISHED
    assert works.answer(wish) == "done"
    assert works["oven"].baked == [101.0, 101.0, 102.0]


def test_a_doubt_about_a_resource_that_the_lab_no_longer_has_waits_for_a_person() -> None:
    works = Works(trials=1, recipe=(bake(), RECIPE[3]))
    interrupted(works, "bake")
    del works.devices["oven"]
    works.devices["furnace"] = type(works["balance"])("furnace", works.clock)
    works.recipe = (RECIPE[3],)
    works.study = works._study()
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert len(works.state.doubts()) == 1


def deaf(works: Works, has_begun: asyncio.Event) -> Callable[[], Awaitable[None]]:
    """An act that goes on until the lab has been made safe twice, whoever gives it up."""

    async def act() -> None:
        has_begun.set()
        while works["arm"].did.count("make_safe") < 2:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        raise asyncio.CancelledError

    return act


def fallen_silent(action: str, trials: int = 1) -> tuple[Works, Ending]:
    """A run in which a step does not come to its end when another device's driver is lost."""
    works, has_begun = Works(trials=trials), asyncio.Event()

    async def lose() -> None:
        await has_begun.wait()
        assert works.engine is not None
        works.engine.lose("arm: it crashed", CRASHED)
        await asyncio.Event().wait()

    works["oven" if action == "bake" else "balance"].troubles[action].append(deaf(works, has_begun))
    return works, works.run(lose)


@pytest.mark.parametrize(("action", "name"), [("bake", "oven"), ("weigh", "balance")])
def test_a_step_that_does_not_answer_when_it_is_given_up_is_named_and_in_doubt(
    action: str, name: str
) -> None:
    works, ending = fallen_silent(action)
    assert ending.exit_code is Exit.PERSON
    said = f"{name}.{action} of trial 1 was given up, and {name} does not answer"
    assert ending.sentence == said
    assert "hagane doubts" in ending.hint
    (doubt,) = works.state.doubts()
    assert doubt.event.action == action


def test_a_reading_that_was_not_answered_is_taken_again_by_the_next_run() -> None:
    works, _ = fallen_silent("weigh")
    assert works.run().exit_code is Exit.FINISHED
    assert works.statuses() == ["done"]


def test_a_bake_that_was_not_answered_waits_for_a_person_in_the_next_run_too() -> None:
    works, _ = fallen_silent("bake")
    assert works.run().exit_code is Exit.PERSON
    (doubt,) = works.state.doubts()
    works.wish("resolve", ticket=doubt.event.ticket, verdict="done")
    assert works.run().exit_code is Exit.FINISHED


def test_nothing_is_begun_while_a_step_that_was_given_up_has_not_ended() -> None:
    works, ending = fallen_silent("bake", trials=3)
    assert ending.exit_code is Exit.PERSON
    assert [d.event.trial for d in works.state.doubts()] == [1]
    did = works["arm"].did
    assert set(did[did.index("make_safe") :]) == {"make_safe"}


def test_a_step_that_is_deaf_when_a_failure_of_another_one_makes_the_lab_safe_is_in_doubt() -> None:
    steps = [*RECIPE[:3], weigh(on_failure=OnFailure.MAKE_SAFE), RECIPE[4]]
    works, has_begun = Works(trials=2, recipe=tuple(steps)), asyncio.Event()

    async def fail() -> None:
        await has_begun.wait()
        raise errors.DeviceRefused("no")

    works["oven"].troubles["bake"].extend([_pass, deaf(works, has_begun)])
    works["balance"].troubles["weigh"].append(fail)
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert [d.event.trial for d in works.state.doubts()] == [2]


async def _pass() -> None: ...
