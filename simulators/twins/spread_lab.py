"""A world of twins for composition spreads: a sputter lab with two guns and a probe on stages."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.ports.clock import Clock
from simulators.lab.axis import Axis
from simulators.lab.two_guns import SpreadChamber
from simulators.twins.aja_dcxs import Supply
from simulators.twins.sputter_lab import SputterLab
from simulators.twins.zaber import Chain, Stage


class SpreadLab(SputterLab):
    """The lab of `campaigns/composition_spread/twins.yaml`.

    Ports as in `sputter-lab`; besides, `second-supply`, and `stages`: 1 and 2 carry the wafer,
    3 lowers the probe.
    """

    def __init__(self, *, seed: int, clock: Clock) -> None:
        chamber = SpreadChamber(seed=seed, clock=clock)
        super().__init__(seed=seed, clock=clock, chamber=chamber)

        def stage(axis: Axis, number: int, sets_out: Callable[[], None]) -> Stage:
            found = Stage(axis, clock, 73_000 + number, sets_out)
            found.checksums = True
            return found

        def nothing() -> None:
            """A probe that goes up or down scratches nothing."""

        stages = {
            1: stage(chamber.x, 1, chamber.scratching),
            2: stage(chamber.y, 2, chamber.scratching),
            3: stage(chamber.z, 3, nothing),
        }
        self._wires |= {
            "second-supply": Supply(chamber.second, "Nb:TiO2").wire(),
            "stages": Chain(stages).wire(),
        }
