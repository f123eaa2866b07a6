"""Campaigns in memory on wires that can be told to fail, on a clock that jumps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults_night import write_campaign

from orchestrator.clock import VirtualClock
from orchestrator.engine.ledger import Ledger
from orchestrator.engine.loop import Ending, Engine
from orchestrator.errors import HaganeError
from orchestrator.executor.local import LocalCompute
from orchestrator.journal import open_store
from orchestrator.model.events import EngineStarted, Recorded
from orchestrator.model.state import State, fold
from orchestrator.runtime.bench import make_resources
from orchestrator.runtime.joining import join, opened_event, planner_of
from orchestrator.runtime.load import Loaded, load
from orchestrator.runtime.run import Setting, Stage, run_in_memory
from simulators.twins.faults import FaultyWire
from simulators.twins.sputter_lab import SputterLab

BETWEEN_RUNS_S = 600.0
"""Campaign time until a person comes: a move under way has come to its end by then."""
STILL_SCCM = 0.01


@dataclass
class MemoryNight:
    """A campaign, its journal, the lab behind it, and one faulty wire per port."""

    loaded: Loaded
    stage: Stage
    world: SputterLab
    wires: Mapping[str, FaultyWire]

    def run(self, setting: Setting | None = None) -> Ending:
        """One engine from its start to its end; an error ends it as the command line would."""
        return _ending(lambda: run_in_memory(self.loaded, setting=setting, stage=self.stage).ending)

    def run_with(self, meddle: Callable[[Engine, Recorded], None]) -> Ending:
        """As `run`; `meddle` is told of every event, with the engine at hand."""
        return _ending(lambda: self.stage.clock.run(self._play(meddle)))

    async def _play(self, meddle: Callable[[Engine, Recorded], None]) -> Ending:
        stage, loaded = self.stage, self.loaded
        journal = stage.store.lease(stage.campaign_id, "a test", clock=stage.clock)
        compute = LocalCompute(Path("/nowhere"), stage.clock)
        resources = make_resources(
            loaded.lab, loaded.kinds, stage.clock, compute, stage.ports, stage.wires
        )
        ledger = Ledger(journal, stage.clock, lambda recorded, _: meddle(engine, recorded))
        planner = planner_of(loaded, stage.clock)
        engine = join(loaded, "rehearsal", ledger, resources, planner)
        started = EngineStarted(
            token=journal.token, host="", pid=0, user="", version="",
            lab_name=loaded.lab.name, lab_file="", lab_text="",
        )  # fmt: skip
        try:
            opened = opened_event(loaded, stage.store, stage.campaign_id)
            return await engine.run(started, opened)
        finally:
            await journal.close()

    def lab(self) -> dict[str, Any]:
        """What is seen in the lab a while after the engine has ended."""
        self.stage.clock.start_at(self.stage.clock.now() + BETWEEN_RUNS_S)
        return self.world.snapshot()

    def heal(self) -> None:
        """Every wire works again."""
        for wire in self.wires.values():
            wire.faults.heal()

    def state(self) -> State:
        """The fold of the journal, its hash chain checked."""
        return fold(self.stage.store.read(self.stage.campaign_id))

    def lose_lease(self, holder: str) -> None:
        """Somebody else takes the campaign over, and is gone again when `holder` is ''."""
        found = self.stage.store._campaigns[self.stage.campaign_id]  # type: ignore[attr-defined]
        found.lease = None
        self.stage.store.lease(self.stage.campaign_id, holder)
        if not holder:
            found.lease = None

    def wish(self, kind: str, **payload: Any) -> None:
        """Puts something into the inbox."""
        self.stage.store.request(self.stage.campaign_id, kind, payload, "a person")


def _ending(run: Callable[[], Ending]) -> Ending:
    try:
        return run()
    except HaganeError as error:
        return Ending(error.exit_code, str(error), error.hint)


def memory_night(tmp_path: Path, **words: Any) -> MemoryNight:
    """A campaign as `write_campaign` has it, not begun."""
    folder = tmp_path / "campaign"
    write_campaign(folder, **words)
    loaded = load(folder)
    clock = VirtualClock()
    world = SputterLab(seed=7, clock=clock)
    wires = {name: FaultyWire(wire) for name, wire in world.wires.items()}
    store = open_store("memory:")
    row = store.create(loaded.campaign.name, loaded.campaign.file_hash)
    ports = {name: f"memory:{name}" for name in wires}
    stage = Stage(store, row.id, clock, ports, dict(wires))
    return MemoryNight(loaded, stage, world, wires)


def person_tidies_up(night: MemoryNight) -> None:
    """Looks at the lab, puts away what the arm still holds, and answers for it."""
    night.world.chamber.transfer.unlock(math.inf)  # whenever the person comes
    samples = {s["ticket"]: s for s in night.world.snapshot()["samples"]}
    for dispatch in night.state().doubts():
        event = dispatch.event
        sample = samples.get(event.ticket)
        if event.target and sample and sample["position"] == event.target:
            night.wish("resolve", ticket=event.ticket, verdict="done")
            continue
        held = [s for s in samples.values() if s["position"] == "gripper"]
        for one in held:
            night.world.by_hand(one["sample"], "tray")
        at = "tray" if held else ""
        night.wish("resolve", ticket=event.ticket, verdict="failed", at=at)
    if night.state().paused is not None:
        night.wish("resume")


def unsafe(snapshot: Mapping[str, Any]) -> list[str]:
    """What of a lab is not in its safe state, as the twins say."""
    found = []
    if snapshot["plasma"] or snapshot["shutter"]:
        found.append("supply")
    if snapshot["heater_target_c"] is not None:
        found.append("heater")
    if snapshot["gate"] or snapshot["vent"]:
        found.append("valves")
    if snapshot["program"]:
        found.append("arm")
    return found + [gas for gas, sccm in snapshot["flows_sccm"].items() if sccm > STILL_SCCM]
