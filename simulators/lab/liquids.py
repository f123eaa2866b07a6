"""Liquids on a bench: bottles, a vessel on the pan of a balance, and the waste.

Volumes are in uL, densities in g/mL, masses in g. Volumes add up when liquids mix. What is drawn
beyond what is there is air, which weighs nothing. A liquid moves as its pump's plunger does, so a
weighing in the middle of a move sees a part of it; how often anybody looked changes nothing. Every
draw of chance is keyed (`noise`), none comes from a stream.

Scatter: each syringe has a true volume that is off by 0.3 %, each stroke by another 0.1 % (one
standard deviation). The balance adds 0.1 mg, another for each weighing of one load. Of plausible
size; fitted to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.ports.clock import Clock
from simulators.lab.effects import Effects
from simulators.lab.noise import normal

NAMES = ("initialisations", "draws", "dispenses", "wastes", "stops", "overflows", "swaps")
"""Pumps initialised; plunger moves that draw, give into the vessel, give to the waste; moves that
were stopped; times that the vessel ran over; vessels changed by hand."""
VESSEL, WASTE, AIR = "vessel", "waste", "air"
VESSEL_G, VESSEL_UL = 12.5, 20000.0
BOTTLE_UL = 100000.0
SYRINGE_SCATTER, STROKE_SCATTER = 0.003, 0.001
WEIGHING_SCATTER_G = 1e-4
SETTLING_S, LAG_S = 2.0, 0.4


class Contents:
    """Volumes by liquid, well mixed."""

    def __init__(self, volumes: Mapping[str, float] | None = None) -> None:
        self._volumes = dict(volumes or {})

    @property
    def volumes(self) -> Mapping[str, float]:
        """uL of each liquid of which there is any."""
        return {name: v for name, v in self._volumes.items() if v > 1e-9}

    @property
    def total(self) -> float:
        """uL of all."""
        return sum(self._volumes.values())

    def take(self, volume: float) -> Mapping[str, float]:
        """Takes so much of the mixture; air for what is missing."""
        there = self.total
        share = min(1.0, volume / there) if there > 0 else 0.0
        taken = {name: share * v for name, v in self._volumes.items()}
        for name, v in taken.items():
            self._volumes[name] -= v
        missing = volume - sum(taken.values())
        return {**taken, AIR: taken.get(AIR, 0.0) + missing} if missing > 1e-9 else taken

    def add(self, volumes: Mapping[str, float]) -> None:
        """Adds a mixture."""
        for name, v in volumes.items():
            self._volumes[name] = self._volumes.get(name, 0.0) + v

    def let_out(self, name: str) -> None:
        """One of them leaves, as air does."""
        self._volumes.pop(name, None)


class WetBench:
    """The state of a bench on a clock: full bottles, an empty vessel on the pan, empty waste.

    `densities` are those of the liquids, by name; there is a bottle of each. Whoever moves liquid
    by itself registers with `moving`: a function that lets happen what is due by a time.
    """

    def __init__(self, *, seed: int, clock: Clock, densities: Mapping[str, float]) -> None:
        self.seed, self.clock, self.densities = seed, clock, dict(densities)
        self.effects = Effects(NAMES)
        self.places = {name: Contents({name: BOTTLE_UL}) for name in densities}
        self.places |= {VESSEL: Contents(), WASTE: Contents()}
        self.moving: list[Callable[[float], None]] = []
        self._load_before, self._changed_at = VESSEL_G, clock.now() - SETTLING_S
        self._n_weighings, self._weighed = 0, 0.0

    @property
    def vessel(self) -> Mapping[str, float]:
        """uL of each liquid in the vessel, now."""
        self.advance()
        return self.places[VESSEL].volumes

    def advance(self) -> float:
        """Lets liquids move as far as they have by now; gives the time."""
        now = self.clock.now()
        for move in self.moving:
            move(now)
        return now

    def draw(self, place: str, volume: float, t: float) -> Mapping[str, float]:
        """Takes liquid out of a place."""
        if place == AIR:
            return {AIR: volume}
        self._touch(place, t)
        return self.places[place].take(volume)

    def give(self, place: str, volumes: Mapping[str, float], t: float) -> None:
        """Puts liquid into a place. What the vessel does not take runs over, into the waste."""
        if place == AIR:
            return
        self._touch(place, t)
        contents = self.places[place]
        contents.add(volumes)
        contents.let_out(AIR)
        over = self.places[VESSEL].total - VESSEL_UL
        if over > 1e-6:
            with self.effects.happening("overflows", t, f"{over:.1f} uL"):
                self.places[WASTE].add(self.places[VESSEL].take(over))

    def swap_vessel(self) -> None:
        """A person puts another vessel on the pan, clean and of the same weight."""
        now = self.advance()
        self._touch(VESSEL, now)
        with self.effects.happening("swaps", now):
            self.places[VESSEL] = Contents()

    def load(self) -> float:
        """What is on the pan, in g, without scatter."""
        self.advance()
        volumes = self.places[VESSEL].volumes
        return VESSEL_G + sum(self.densities.get(n, 0.0) * v for n, v in volumes.items()) * 1e-3

    def settles_in(self) -> float:
        """Seconds until the balance has come to rest, if nothing else happens."""
        now = self.advance()
        return max(0.0, self._changed_at + SETTLING_S - now)

    def weigh(self) -> float:
        """One reading of the balance, in g."""
        now = self.advance()
        true = self.load()
        if true != self._weighed:
            self._weighed, self._n_weighings = true, 0
        self._n_weighings += 1
        key = (self.seed, "weighing", round(true, 7), self._n_weighings)
        behind = (self._load_before - true) * math.exp(-(now - self._changed_at) / LAG_S)
        settled = now - self._changed_at >= SETTLING_S
        return true + WEIGHING_SCATTER_G * normal(*key) + (0.0 if settled else behind)

    def snapshot(self) -> dict[str, Any]:
        """The whole state as plain data."""
        now = self.advance()
        return {
            "time": now,
            "load_g": self.load(),
            "volumes_ul": {n: dict(c.volumes) for n, c in self.places.items()},
            "effects": self.effects.records(),
        }

    def _touch(self, place: str, t: float) -> None:
        if place == VESSEL and t > self._changed_at:
            volumes = self.places[VESSEL].volumes
            mass = sum(self.densities.get(n, 0.0) * v for n, v in volumes.items()) * 1e-3
            self._load_before, self._changed_at = VESSEL_G + mass, t
