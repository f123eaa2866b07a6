"""A world of twins: the sputter lab with a metal target, and a photometer at its probe station."""

from __future__ import annotations

from orchestrator.ports.clock import Clock
from simulators.lab.metal_chamber import MetalChamber
from simulators.twins.pm100 import PowerMeter
from simulators.twins.sputter_lab import SputterLab


class MetalSputterLab(SputterLab):
    """The lab of `campaigns/niobium_titania_metal/twins.yaml`.

    Ports as in `sputter-lab`; besides, `photometer`.
    """

    def __init__(self, *, seed: int, clock: Clock) -> None:
        chamber = MetalChamber(seed=seed, clock=clock)
        super().__init__(seed=seed, clock=clock, chamber=chamber)
        self._wires |= {"photometer": PowerMeter(chamber).wire()}
