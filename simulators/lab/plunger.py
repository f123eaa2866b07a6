"""A syringe whose plunger moves at a constant speed, through the port at which its valve stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulators.lab.liquids import (
    STROKE_SCATTER,
    SYRINGE_SCATTER,
    VESSEL,
    Contents,
    WetBench,
)
from simulators.lab.noise import normal


@dataclass
class _Move:
    since: float
    until: float
    start: float
    target: float
    place: str
    gain: float
    done: float = 0.0

    def at(self, t: float) -> float:
        """Where the plunger is."""
        if t >= self.until:
            return self.target
        share = max(0.0, (t - self.since) / (self.until - self.since))
        return self.start + share * (self.target - self.start)


class Plunger:
    """A syringe of `size` uL. Positions are nominal volumes in uL; 0 is the stop.

    `name` is what its scatter is drawn from. Whoever drives it lets the liquid `flow`.
    """

    def __init__(
        self,
        bench: WetBench,
        name: str,
        size: float,
        position: float = 0.0,
        contents: Contents | None = None,
    ) -> None:
        self.size = size
        self.contents = contents or Contents()
        self._bench, self._name = bench, name
        self._gain = 1.0 + SYRINGE_SCATTER * normal(bench.seed, name, "syringe")
        self._position = position
        self._n_moves = 0
        self._move: _Move | None = None

    @property
    def due(self) -> float | None:
        """When the move under way ends."""
        return self._move.until if self._move else None

    def at(self, t: float) -> float:
        """Where it is."""
        return self._move.at(t) if self._move else self._position

    def move(self, target: float, seconds: float, place: str, since: float) -> None:
        """Starts a move that takes so long, through a valve that stands towards a place."""
        start = self._position
        if target == start:
            return
        self._n_moves += 1
        key = (self._bench.seed, self._name, "stroke", self._n_moves)
        gain = self._gain * (1.0 + STROKE_SCATTER * normal(*key))
        name = "draws" if target > start else "dispenses" if place == VESSEL else "wastes"
        detail = f"{self._name} {place} {abs(target - start):.1f} uL"
        with self._bench.effects.happening(name, since, detail):
            self._move = _Move(since, since + seconds, start, target, place, gain)

    def stop(self, t: float) -> None:
        """Ends a move where it is."""
        self.flow(t)
        if self._move is not None:
            with self._bench.effects.happening("stops", t, self._name):
                self._move = None

    def flow(self, t: float) -> None:
        """Lets the liquid move as far as the plunger has come."""
        move = self._move
        if move is None:
            return
        position, at = move.at(t), min(t, move.until)
        volume = abs(position - move.start) * move.gain - move.done
        move.done += volume
        if move.target > move.start:
            self.contents.add(self._bench.draw(move.place, volume, at))
        else:
            self._give(move.place, volume, at)
        self._position = position
        if t >= move.until:
            self._move = None

    def _give(self, place: str, volume: float, t: float) -> None:
        given: Mapping[str, float] = self.contents.take(volume)
        if volume > 0:
            self._bench.give(place, given, t)
