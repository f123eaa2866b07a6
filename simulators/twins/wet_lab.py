"""A world of twins: syringe pumps, a vessel on a balance, and what else stands on a wet bench."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.ports.clock import Clock
from simulators.lab.effects import Watch
from simulators.lab.liquids import AIR, VESSEL, WASTE, Contents, WetBench
from simulators.lab.plunger import Plunger
from simulators.twins.cavro import CavroTwin, PumpLine
from simulators.twins.ika import HotPlateTwin
from simulators.twins.mt_sics import BalanceTwin
from simulators.twins.new_era import NewEraTwin
from simulators.twins.rack import Rack

LIQUIDS = {"cyan": 1.012, "magenta": 1.009, "yellow": 1.021, "water": 0.998}
"""g/mL at 20 degC; the dyes are dilute solutions."""
BY_HAND, BY_HAND_DENSITY = "ethanol", 0.789
SYRINGE_UL, DRAIN_UL, BY_HAND_UL = 1000.0, 5000.0, 10000.0


class WetLab(Rack):
    """Four liquids, each with a pump of its own, that are mixed in a vessel on a balance.

    Ports: `pumps` (Cavro, addresses 1 to 4 for cyan, magenta, yellow and water, 1 mL each: port 1
    of the valve is the bottle, 2 the vessel, 3 the waste; address 5, 5 mL, drains: port 1 the
    vessel, 2 the air, 3 the waste), `balance`, `infuser` (an NE-1000 whose syringe, 10 mL of
    ethanol, was filled by hand and leads into the vessel), `plate` (an IKA hot plate, on which
    nothing stands). By hand: sample 0 is the vessel, changed for a clean one; 1 to 5 are the pumps,
    switched off and on, 6 is the plate, 7 the infuser.
    """

    def __init__(self, *, seed: int, clock: Clock) -> None:
        densities = {**LIQUIDS, BY_HAND: BY_HAND_DENSITY}
        self.bench = WetBench(seed=seed, clock=clock, densities=densities)
        self.pumps: dict[str, CavroTwin] = {}
        for address, liquid in zip("1234", LIQUIDS, strict=True):
            self._add_pump(address, SYRINGE_UL, {1: liquid, 2: VESSEL, 3: WASTE})
        self._add_pump("5", DRAIN_UL, {1: VESSEL, 2: AIR, 3: WASTE})
        self.balance = BalanceTwin(self.bench)
        filled = Contents({BY_HAND: BY_HAND_UL})
        self.infuser = NewEraTwin(
            self.bench, Plunger(self.bench, "infuser", BY_HAND_UL, BY_HAND_UL, filled)
        )
        self.plate = HotPlateTwin(clock)
        super().__init__(
            {
                "pumps": PumpLine(self.pumps).wire(),
                "balance": self.balance.wire(),
                "infuser": self.infuser.wire(),
                "plate": self.plate.wire(),
            }
        )

    def counts(self) -> dict[str, int]:
        """How often each physical effect has happened; see `lab.liquids`."""
        self.advance()
        return self.bench.effects.counts()

    def snapshot(self) -> dict[str, Any]:
        """The state of bottles, vessel, waste and syringes as plain data."""
        self.advance()
        syringes = {a: dict(p.plunger.contents.volumes) for a, p in self.pumps.items()}
        plate = {"heats": self.plate.is_heating, "shows": self.plate.shows}
        return {**self.bench.snapshot(), "syringes_ul": syringes, "plate": plate}

    def advance(self) -> None:
        """Lets happen what is due by now."""
        self.bench.advance()

    def next_due(self) -> float | None:
        """When something happens next by itself."""
        dues = [self.infuser.due, *(pump.due for pump in self.pumps.values())]
        return min((due for due in dues if due is not None), default=None)

    def watch(self, watch: Watch | None) -> None:
        """Tells `watch` before and after each physical effect."""
        self.bench.effects.watch = watch

    def by_hand(self, sample: int, to: str) -> None:
        """A person changes the vessel (0), or switches something off and on; see the class."""
        self.advance()
        acts = {0: self.bench.swap_vessel, 6: self.plate.power_up, 7: self.infuser.power_cut}
        acts |= {int(address): pump.power_up for address, pump in self.pumps.items()}
        acts[sample]()

    def _add_pump(self, address: str, size: float, ports: Mapping[int, str]) -> None:
        plunger = Plunger(self.bench, f"pump {address}", size)
        self.pumps[address] = CavroTwin(self.bench, plunger, ports)
