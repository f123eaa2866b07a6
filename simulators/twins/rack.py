"""A world of instruments that share nothing but a clock: the least that a lab file's `twins` need.

    class HeaterRack(Rack):
        def __init__(self, *, seed: int, clock: Clock) -> None:
            super().__init__({"heater": HeaterTwin(clock).wire()})

Under an entry point of `hagane.twins` it is served by `twins.server`, each wire on a
pseudo-terminal (those named in `tcp`, and each `web.web_wire`, on a TCP port), and plays in memory
in a rehearsal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Wire
from simulators.twins.plans import rehearsed, ways
from simulators.twins.wire import FramedWire


class Rack:
    """Wires by port. Nothing happens in it by itself; a world where it does overrides the rest."""

    tcp: frozenset[str] = frozenset()

    def __init__(self, wires: Mapping[str, FramedWire]) -> None:
        self._wires = dict(wires)

    @property
    def wires(self) -> Mapping[str, FramedWire]:
        """One wire per port."""
        return self._wires

    def counts(self) -> dict[str, int]:
        """How often each physical effect has happened: none is counted here."""
        return {"effects": 0}

    def snapshot(self) -> dict[str, Any]:
        """The state of the world as plain data."""
        return {}

    def advance(self) -> None:
        """Lets happen what is due by now."""

    def next_due(self) -> float | None:
        """When something happens next by itself, in campaign time."""
        return None

    def watch(self, watch: Callable[[Literal["before", "after"], int], None]) -> None:
        """Tells `watch` before and after each physical effect: there is none."""

    def by_hand(self, sample: int, to: str) -> None:
        """A person puts a sample somewhere. Raises KeyError: there are no samples."""
        raise KeyError(f"there is no sample {sample}")

    @property
    def hows(self) -> Mapping[str, Sequence[str]]:
        """By port, the faults that `failing` can plan there."""
        return ways(self.wires)

    def failing(self, faults: Sequence[Mapping[str, Any]], clock: Clock) -> Mapping[str, Wire]:
        """The wires in memory, failing as `plans` has it. Raises InputError."""
        return rehearsed(self.wires, faults, clock)

    @staticmethod
    def serve_command(directory: str, seed: int, speed: float, world: str) -> list[str]:
        """The command that serves this world in a process of its own (see `twins.server`)."""
        options = {"world": world, "seed": seed, "speed": speed, "dir": directory}
        flags = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return [sys.executable, "-m", "simulators.twins.server", *flags]
