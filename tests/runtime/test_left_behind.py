"""What a campaign that begins is told of the one before it on the same lab."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from orchestrator.journal import open_store
from orchestrator.model import events as ev
from orchestrator.model.lab import Lab, Position, ResourceBinding
from orchestrator.model.state import fold
from orchestrator.model.trial import Proposal
from orchestrator.ports.resource import ResourceKind
from orchestrator.runtime.left_behind import left_behind, lost_since

LAB = Lab(
    name="bench",
    resources=(),
    roles={},
    positions=(
        Position(name="blanks", slots=20, stores_new=True),
        Position(name="oven", slots=1),
        Position(name="shelf", slots=20),
    ),
)


class Oven: ...


@dataclass
class Method:
    computes = True


KINDS = {
    "oven": ResourceKind("oven", Oven, {}, {}),
    "method": ResourceKind("method", Method, {}, {}),
}


def told(*more: ev.Event, lab: Lab = LAB, where: str = "bench") -> Sequence[str]:
    """What a new campaign on `lab` is told of one that had begun on the lab `where`."""
    store = open_store("memory:")
    before = store.create("films", "a")
    events: list[ev.Event] = [
        ev.EngineStarted(
            token=1,
            host="h",
            pid=1,
            user="u",
            version="1",
            lab_name=where,
            lab_file="",
            lab_text="",
        ),
        ev.TrialProposed(
            trial=1, proposal=Proposal(point={"x": 1.0}, source="initial", why=""), after=0
        ),
        ev.SampleMade(sample="films-1", trial=1, position="blanks"),
        *more,
    ]

    async def write() -> None:
        journal = store.lease(before.id, "an engine")
        await journal.append(events, at=0.0)
        await journal.close()

    asyncio.run(write())
    said = left_behind(store, store.create("films", "a"), lab, KINDS)
    return [sentence.replace(before.id, "films-0") for sentence in said]


def sent(resource: str, effect: str) -> ev.ActionDispatched:
    return ev.ActionDispatched(
        ticket="3f0c9a",
        trial=1,
        step="bake",
        attempt=1,
        resource=resource,
        action="bake",
        arguments={},
        arguments_hash="",
        effect=effect,
    )


def moved(to: str) -> ev.SampleMoved:
    return ev.SampleMoved(sample="films-1", target=to, by="u")


def test_a_sample_in_a_place_for_one_and_an_action_without_a_result_are_told() -> None:
    assert told(moved("oven"), sent("oven", "irreversible")) == [
        "campaign films-0 left sample films-1 at 'oven', which this one takes for free: see that "
        "it is",
        "campaign films-0 left oven.bake of trial 1 without a result (`hagane doubts films-0`): "
        "see what became of it",
    ]


@pytest.mark.parametrize(
    ("events", "lab", "where"),
    [
        ((moved("shelf"),), LAB, "bench"),
        ((sent("method", "queryable"),), LAB, "bench"),
        ((sent("oven", "idempotent"),), LAB, "bench"),
        ((moved("oven"),), LAB, "another one"),
        ((moved("oven"),), LAB.model_copy(update={"twins": object()}), "bench"),
    ],
    ids=["on a shelf", "a calculation", "harmless", "another lab", "twins"],
)
def test_nothing_is_said_of(events: tuple[ev.Event, ...], lab: Lab, where: str) -> None:
    assert told(*events, lab=lab, where=where) == []


def lost(*more: ev.Event, lab: Lab) -> list[str]:
    """What is told of a trial that had set its oven and goes on, after these events."""
    store = open_store("memory:")
    row = store.create("films", "a")
    started = ev.EngineStarted(
        token=1, host="h", pid=1, user="u", version="1", lab_name="", lab_file="", lab_text=""
    )
    point = Proposal(point={"x": 1.0}, source="initial", why="")

    async def write() -> None:
        journal = store.lease(row.id, "an engine")
        events = [
            started,
            ev.TrialProposed(trial=1, proposal=point, after=0),
            sent("oven", "idempotent"),
            ev.ActionDone(ticket="3f0c9a"),
            *more,
        ]
        for at, event in enumerate(events, 1):
            await journal.append([event], at=float(at))
        await journal.close()

    asyncio.run(write())
    return list(lost_since(fold(store.read(row.id)), lab))


SAID = (
    "trial 1 goes on after its step 'bake', and oven is made safe meanwhile: if what was set there "
    "is lost, what it gives is wrong (`hagane invalidate 1` then)"
)


def test_what_was_set_before_a_stop_is_told_to_be_lost() -> None:
    oven = ResourceBinding(name="oven", kind="oven")
    left = oven.model_copy(update={"on_restart": "leave"})
    stopped = ev.EngineStopped(reason="Ctrl-C", is_safe=True)
    safe = ev.MadeSafe(resource="oven", ok=True, why="Ctrl-C")
    lab = LAB.model_copy(update={"resources": (oven,)})
    placed = sent("arm", "queryable").model_copy(update={"ticket": "a", "step": "place"})
    acted = (placed, ev.ActionDone(ticket="a"))
    assert lost(*acted, lab=lab) == [SAID]  # it was killed: it will be made safe
    assert lost(*acted, lab=lab.model_copy(update={"resources": (left,)})) == []
    assert lost(*acted, safe, stopped, lab=lab) == [SAID]
    assert lost(*acted, stopped, lab=lab) == []
    assert lost(*acted, safe, ev.TrialDone(trial=1), lab=lab) == []
    assert lost(*acted, safe, stopped, lab=LAB) == []
    assert lost(safe, stopped, lab=lab) == []  # it is set again
