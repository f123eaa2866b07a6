"""Nights that are cut short: an engine that ends at a chosen moment, and what must hold after it.

In one process: when the moment comes, the journal takes nothing more and the wires carry nothing
more, so that no clean-up of the dying engine reaches the world, as after `kill -9`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from orchestrator.clock import VirtualClock
from orchestrator.errors import Exit
from orchestrator.journal import open_store
from orchestrator.model.events import ActionDispatched, Event, Recorded
from orchestrator.model.state import State, fold
from orchestrator.ports.journal import Journal, Request
from orchestrator.ports.resource import Wire
from orchestrator.runtime.load import Loaded, load
from orchestrator.runtime.run import Finish, Setting, Stage, run_in_memory
from simulators.twins.sputter_lab import SputterLab

CAMPAIGN = Path(__file__).parents[2] / "campaigns" / "niobium_titania"
When = Literal["before", "after"]


class Killed(BaseException):
    """The engine is no more."""


@dataclass
class Life:
    """One engine's life. `writes` counts journal appends, `acknowledged` what they returned,
    `kinds` says what each append was about."""

    kill_write: int = 0
    when: When = "after"
    is_over: bool = False
    writes: int = 0
    acknowledged: list[Recorded] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    _asked: dict[str, str] = field(default_factory=dict)

    def note(self, events: Sequence[Event]) -> None:
        """One append: the kinds of its events, and of which action of which resource they tell."""
        said = []
        for event in events:
            ticket = getattr(event, "ticket", "")
            if isinstance(event, ActionDispatched):
                self._asked[ticket] = f" {event.resource}.{event.action}"
            said.append(type(event).__name__ + self._asked.get(ticket, ""))
        self.kinds.append(", ".join(said))

    def end(self) -> None:
        """From now on nothing this engine does reaches anything."""
        self.is_over = True
        raise Killed


class MortalWire:
    """A wire of the world as long as the engine lives."""

    def __init__(self, wire: Wire, life: Life) -> None:
        self._wire, self._life = wire, life

    async def receive(self, data: bytes) -> bytes:
        if self._life.is_over:
            raise Killed
        answer = await self._wire.receive(data)
        if self._life.is_over:
            raise Killed
        return answer


class MortalJournal:
    """A journal that takes the engine with it at the chosen write."""

    def __init__(self, journal: Journal, life: Life) -> None:
        self._journal, self._life = journal, life
        self.campaign = journal.campaign

    def read(self, after: int = 0) -> Any:
        return self._journal.read(after)

    async def append(self, events: Sequence[Event], *, at: float) -> Sequence[Recorded]:
        life = self._life
        if life.is_over:
            raise Killed
        life.writes += 1
        life.note(events)
        if (life.writes, life.when) == (life.kill_write, "before"):
            life.end()
        recorded = await self._journal.append(events, at=at)
        if (life.writes, life.when) == (life.kill_write, "after"):
            life.end()
        life.acknowledged += recorded
        return recorded

    async def take_requests(self) -> Sequence[Request]:
        if self._life.is_over:
            raise Killed
        return await self._journal.take_requests()

    async def settle(self, request: Request, answer: str) -> None:
        await self._journal.settle(request, answer)

    async def renew(self) -> None:
        await self._journal.renew()

    async def close(self) -> None:
        await self._journal.close()


def short_campaign(trials: int, **changes: Any) -> Loaded:
    """The niobium-titania campaign with fewer trials and one of them in flight, without the traces
    of its films, which take seven times as long as all else."""
    loaded = load(CAMPAIGN, CAMPAIGN / "twins.yaml")
    bindings = tuple(
        b.model_copy(update={"options": {**b.options, "trace": 0.0}}) if b.name == "tool" else b
        for b in loaded.lab.resources
    )
    loaded = replace(loaded, lab=loaded.lab.model_copy(update={"resources": bindings}))
    budget = loaded.campaign.budget.model_copy(update={"trials": trials})
    planner = loaded.campaign.planner.model_copy(update={"initial": 3})
    update = {"budget": budget, "planner": planner, "in_flight": 1, **changes}
    return replace(loaded, campaign=loaded.campaign.model_copy(update=update))


def new_stage(loaded: Loaded) -> tuple[Stage, SputterLab]:
    """A store in memory, a virtual clock, and a world that can be looked at from outside."""
    clock = VirtualClock()
    seed = loaded.lab.twins.seed if loaded.lab.twins else 0
    world = SputterLab(seed=seed, clock=clock)
    store = open_store("memory:")
    row = store.create(loaded.campaign.name, loaded.campaign.file_hash)
    wires: dict[str, Wire] = dict(world.wires)
    ports = {name: f"memory:{name}" for name in wires}
    return Stage(store, row.id, clock, ports, wires), world


def live(loaded: Loaded, stage: Stage, life: Life) -> Finish | None:
    """One engine from its start to its end; None when it was killed."""
    wires: dict[str, Wire] = {n: MortalWire(w, life) for n, w in stage.wires.items()}
    setting = Setting(identity="acceptance", wrap=lambda journal: MortalJournal(journal, life))
    try:
        return run_in_memory(loaded, setting=setting, stage=replace(stage, wires=wires))
    except BaseException:
        if not life.is_over:
            raise
        return None


def is_in_doubt(stage: Stage) -> bool:
    """Whether a dispatch without a result stands in the journal."""
    return bool(fold(stage.store.read(stage.campaign_id)).open_tickets)


def outcome(state: State) -> list[Any]:
    """What a campaign found, without times and tickets: points, predictions, observations."""
    return [
        (
            t.number,
            t.status,
            t.cause,
            t.proposal.model_dump_json(),
            [(o.event.metric, o.event.value, o.event.sd, o.event.censored) for o in t.observations],
        )
        for t in state.trials.values()
    ]


def answer_doubts(state: State, stage: Stage) -> list[str]:
    """Plays the person: looks at the world (not at the journal) and says what became of it."""
    told = []
    for dispatch in state.doubts():
        event = dispatch.event
        if event.parent is not None:
            continue
        payload = {"ticket": event.ticket, "verdict": "failed", "note": "seen in the lab"}
        stage.store.request(stage.campaign_id, "resolve", payload, "person")
        told.append(
            f"{event.resource}.{event.action}: {dispatch.doubt.known if dispatch.doubt else ''}"
        )
    return told


def finish(loaded: Loaded, stage: Stage) -> tuple[Finish, list[str]]:
    """Runs until the campaign is over, a person answering each doubt."""
    told: list[str] = []
    for _ in range(20):
        done = live(loaded, stage, Life())
        assert done is not None
        if done.ending.exit_code is Exit.FINISHED:
            return done, told
        assert done.ending.exit_code is Exit.PERSON, done.ending
        told += answer_doubts(done.state, stage)
    raise AssertionError(f"the campaign does not end: {done.ending}")


def check_promise(done: Finish, stage: Stage, world: Any, acknowledged: Sequence[Recorded]) -> None:
    """0 acknowledged results lost, 0 irreversible effects repeated, one picture of the world."""
    journal = {r.seq: r for r in stage.store.read(stage.campaign_id)}
    assert all(journal[r.seq] == r for r in acknowledged)
    snapshot = world.snapshot()
    samples = {s["ticket"]: s for s in snapshot["samples"] if s["ticket"].strip("0")}
    films = [layer for s in snapshot["samples"] for layer in s["films"]]
    per_sample = [len(s["films"]) for s in snapshot["samples"]]
    assert max(per_sample, default=0) <= 1, "a film was grown on a film"
    assert len(films) == world.counts()["films_begun"]
    assert world.counts()["bare_exposures"] == 0
    assert world.counts()["protective_stops"] == 0
    moves = sum(s["moves"] for s in snapshot["samples"])
    believed = [d for d in done.state.dispatches.values() if d.event.target and d.outcome == "done"]
    assert moves == len(believed) == world.counts()["sample_moves"]
    for name, sample in done.state.samples.items():
        last = [d.event.ticket for d in believed if d.event.sample == name][-1:]
        if last:
            assert samples[last[0]]["position"] == sample.position
