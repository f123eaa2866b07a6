"""Campaigns on the wet bench in memory, on a clock that jumps, by wires that may fail."""

from __future__ import annotations

from pathlib import Path

from memory_night import MemoryNight

from orchestrator.clock import VirtualClock
from orchestrator.journal import open_store
from orchestrator.runtime.load import load
from orchestrator.runtime.run import Stage
from simulators.twins.faults import FaultyWire
from simulators.twins.wet_lab import WetLab

CAMPAIGN = """
name: mixing
space:
  cyan: {real: [50, 400], unit: uL}
  water: {real: [200, 1500], unit: uL}
roles: {cyan: Dispenser, water: Dispenser, drain: SyringePump}
recipe:
  - ready_cyan: {do: cyan.prepare}
  - ready_water: {do: water.prepare}
  - ready_drain: {do: drain.initialise}
  - drain: {do: drain.load, volume: 5 mL}
  - waste: {do: drain.empty}
  - add_cyan: {do: cyan.dispense, volume: =cyan}
  - add_water: {do: water.dispense, volume: =water}
metrics:
  dye: {value: =add_cyan.mass / (add_cyan.mass + add_water.mass), unit: ""}
objective: {match: dye, to: 0.2}
planner: {kind: sobol}
budget: {trials: 3}
seed: 1
"""

LAB = """
lab: a wet bench
twins: {world: wet-lab, seed: 7}
clock: {kind: scaled, speed: 100}
resources:
  cyan_pump: {kind: cavro, port: "twin:pumps", address: "1", syringe: 1 mL}
  water_pump: {kind: cavro, port: "twin:pumps", address: "4", syringe: 1 mL}
  drain_pump: {kind: cavro, port: "twin:pumps", address: "5", syringe: 5 mL, rate: 500 uL/s}
  balance: {kind: mt-sics, port: "twin:balance", capacity: 220 g}
  cyan:
    kind: gravimetric-dispenser
    density: 1.012 g/mL
    parts: {pump: cyan_pump, balance: balance}
  water:
    kind: gravimetric-dispenser
    density: 0.998 g/mL
    parts: {pump: water_pump, balance: balance}
roles: {cyan: cyan, water: water, drain: drain_pump}
"""


def wet_night(tmp_path: Path) -> MemoryNight:
    """The campaign, not begun."""
    folder = tmp_path / "mixing"
    folder.mkdir()
    (folder / "campaign.yaml").write_text(CAMPAIGN)
    (folder / "lab.yaml").write_text(LAB)
    loaded = load(folder)
    clock = VirtualClock()
    world = WetLab(seed=7, clock=clock)
    wires = {name: FaultyWire(wire) for name, wire in world.wires.items()}
    store = open_store("memory:")
    row = store.create(loaded.campaign.name, loaded.campaign.file_hash)
    ports = {name: f"memory:{name}" for name in wires}
    stage = Stage(store, row.id, clock, ports, dict(wires))
    return MemoryNight(loaded, stage, world, wires)  # type: ignore[arg-type]
