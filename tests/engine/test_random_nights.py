"""Random nights with the live engine: devices that fail, Ctrl-C, stops, and a person who looks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_works import RECIPE, Oven, Works

from orchestrator import errors
from orchestrator.errors import Exit
from orchestrator.model import events as ev
from orchestrator.model.state import State, fold
from orchestrator.ports.action import Cancel, Effect, Unit, action

TROUBLES: dict[str, Callable[[str], Exception]] = {
    "silent": lambda name: errors.DeviceSilent(name, "silent"),
    "refused": lambda name: errors.DeviceRefused(name, "no"),
    "gone": lambda name: errors.DeviceGone(name, "gone"),
    "no reading": lambda name: errors.NoReading(name, "none"),
    "bug": lambda name: KeyError("mode"),
}
CALLS = ("arm.place", "arm.move", "arm.halfway", "oven.bake", "oven.baking", "balance.weigh")


class WatchedOven(Oven):
    """May also fail when the bake has begun."""

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def bake(self, temperature: Annotated[float, Unit("degC", low=0, high=500)]) -> None:
        """Bakes."""
        await self.meet("bake")
        self.baked.append(temperature)
        await self.clock.sleep(60.0)
        await self.meet("baking")
        await self.clock.sleep(60.0)


def person_looks(works: Works, state: State) -> None:
    """Answers every doubt by what is really there, and lets the campaign go on."""
    for dispatch in state.doubts():
        event = dispatch.event
        if event.action == "bake":
            is_done = float(event.arguments["temperature"]) in works["oven"].baked
            works.wish("resolve", ticket=event.ticket, verdict="failed" if is_done else "not_done")
        elif event.ticket in works["arm"].arrived:
            works.wish("resolve", ticket=event.ticket, verdict="done")
        else:
            works.wish("resolve", ticket=event.ticket, verdict="failed", at="shelf")
    works.wish("resume")


def press_after(works: Works, n: int, times: int) -> Callable[[], Awaitable[None]]:
    async def press() -> None:
        await works.until(lambda s: s.n_events >= n)
        assert works.engine is not None
        for _ in range(min(times, 2)):
            works.engine.interrupt()
        if times == 3:
            await works.engine.stop("a person")
        await asyncio.Event().wait()

    return press


async def fine() -> None:
    return None


def make_trouble(works: Works, troubles: list[tuple[str, int, str]]) -> None:
    for call, n_before, kind in troubles:
        name, act = call.split(".")
        if kind == "refused" and act in ("baking", "halfway"):
            continue  # a device that has begun does not say that it will not
        works[name].troubles[act].extend([*[fine] * n_before, TROUBLES[kind](name)])


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    troubles=st.lists(
        st.tuples(st.sampled_from(CALLS), st.integers(0, 3), st.sampled_from(sorted(TROUBLES))),
        max_size=6,
    ),
    interruptions=st.lists(st.tuples(st.integers(3, 60), st.integers(1, 3)), max_size=4),
)
def test_no_night_loses_a_result_or_repeats_a_bake(
    troubles: list[tuple[str, int, str]], interruptions: list[tuple[int, int]]
) -> None:
    classes: dict[str, Any] = {**Works().classes, "oven": WatchedOven}
    works = Works(recipe=RECIPE, trials=3, classes=classes)

    make_trouble(works, troubles)
    acknowledged: list[ev.Recorded] = []
    works.on_event = lambda entry, state: acknowledged.append(entry)
    coming = list(interruptions)
    for _ in range(40):
        n, times = coming.pop() if coming else (0, 0)
        known = works.ledger.state.n_events if works.ledger else 0
        ending = works.run(press_after(works, known + n, times) if n else None)
        if ending.exit_code is Exit.FINISHED:
            break
        if ending.exit_code is not Exit.INTERRUPTED or works.state.paused is not None:
            person_looks(works, works.state)
    assert ending.exit_code is Exit.FINISHED
    story = list(works.store.read(works.row.id))
    assert story == acknowledged, "an acknowledged event is lost"
    assert fold(story) == works.state
    assert max(Counter(works["oven"].baked).values(), default=0) <= 1, "a bake is repeated"
    assert all(t.status.is_terminal for t in works.state.trials.values())
    for trial in works.state.trials.values():
        bakes = [works.state.dispatches[t] for t in trial.attempts.get("bake", [])]
        if any(d.outcome == "done" for d in bakes):
            assert trial.proposal.point["x"] in works["oven"].baked
