"""A robot that carries samples: programs of fixed length, protective stops, a ticket in registers.

A program `{source}_to_{target}.urp` takes 25 s: it copies the request's ticket to the `begun`
registers at once, picks up after 8 s, puts down after 18 s and copies the ticket to `done` at its
end. What would collide (a chamber that is not at atmosphere, an empty source, an occupied target, a
full gripper) is a protective stop at that moment; a sample that was picked up stays in the gripper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from simulators.lab.effects import Effects
from simulators.lab.samples import GRIPPER, SLOTS, STORE, Samples

REQUEST, BEGUN, DONE = 128, 132, 136
"""First of four registers each (most significant word first) of the controller."""
PICK_S, PLACE_S, END_S = 8.0, 18.0, 25.0
UNLOCK_S = 5.0
PROGRAMS = tuple(
    f"{source}_to_{target}.urp"
    for source in SLOTS
    for target in SLOTS
    if source != target and target != STORE
)


@dataclass(frozen=True)
class _Playing:
    source: str
    target: str
    ticket: str
    since: float
    phase: Literal["pick", "place", "end"] = "pick"

    @property
    def due(self) -> float:
        return self.since + {"pick": PICK_S, "place": PLACE_S, "end": END_S}[self.phase]


class Transfer:
    """The robot. `is_open(t)` says whether one can reach into the chamber."""

    def __init__(
        self, samples: Samples, effects: Effects, is_open: Callable[[float], bool]
    ) -> None:
        self.registers = dict.fromkeys(range(REQUEST, DONE + 4), 0)
        self.loaded: str | None = None
        self.is_stopped = False
        self._stopped_at = 0.0
        self._samples, self._effects, self._is_open = samples, effects, is_open
        self._playing: _Playing | None = None
        self._paused_at: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether a program is being played, or paused."""
        return self._playing is not None

    @property
    def is_paused(self) -> bool:
        """Whether it is paused: it goes on when it is played again."""
        return self._playing is not None and self._paused_at is not None

    @property
    def due(self) -> float | None:
        """When something happens next by itself."""
        return self._playing.due if self._playing and self._paused_at is None else None

    def load(self, program: str) -> bool:
        """Makes a program the one to be played; false when there is no such file."""
        name = program.rsplit("/", 1)[-1]
        if name not in PROGRAMS or self.is_running:
            return False
        self.loaded = name
        return True

    def play(self, t: float) -> bool:
        """Starts the loaded program, or goes on; false when the robot is not ready."""
        if self._playing and self._paused_at is not None and not self.is_stopped:
            self._playing = replace(self._playing, since=self._playing.since + t - self._paused_at)
            self._paused_at = None
            return True
        if self.loaded is None or self.is_running or self.is_stopped:
            return False
        source, target = self.loaded.removesuffix(".urp").split("_to_")
        self._playing = _Playing(source, target, self._ticket(REQUEST), t)
        self._copy(REQUEST, BEGUN)
        return True

    def pause(self, t: float) -> bool:
        """Holds the program where it is; false when none is playing."""
        if self._playing is None or self._paused_at is not None:
            return False
        self._paused_at = t
        return True

    def stop(self) -> bool:
        """Ends the program where it is; false when none is playing."""
        was_running, self._playing, self._paused_at = self.is_running, None, None
        return was_running

    def lose_power(self) -> None:
        """Stops where it is, and forgets program, stop and registers; the gripper holds on."""
        self._playing = self.loaded = self._paused_at = None
        self.is_stopped = False
        self.registers = dict.fromkeys(self.registers, 0)

    def unlock(self, t: float) -> bool:
        """Releases a protective stop; false when there is none, or in its first 5 s."""
        if not self.is_stopped or t < self._stopped_at + UNLOCK_S:
            return False
        self.is_stopped = False
        return True

    def act(self) -> None:
        """Does what is due."""
        playing = self._playing
        if playing is None or self._paused_at is not None:
            return
        if playing.phase == "pick":
            self._pick(playing)
        elif playing.phase == "place":
            self._place(playing)
        else:
            self._copy(BEGUN, DONE)
            self._playing = None

    def _pick(self, playing: _Playing) -> None:
        blocked = self._samples.at(GRIPPER) is not None or not self._reaches(playing.source)
        empty = self._samples.at(playing.source) is None
        if playing.source == STORE:
            empty = self._samples.blanks == 0
        if blocked or empty:
            self._protect(playing)
            return
        with self._effects.happening("picked", playing.due, playing.source):
            self._samples.take(playing.source)
        self._advance(playing, "place")

    def _place(self, playing: _Playing) -> None:
        sample = self._samples.at(GRIPPER)
        full = self._samples.is_full(playing.target)
        if sample is None or full or not self._reaches(playing.target):
            self._protect(playing)
            return
        detail = f"{playing.source} to {playing.target}"
        with self._effects.happening("sample_moves", playing.due, detail):
            self._samples.put(sample, playing.target, playing.ticket)
        self._advance(playing, "end")

    def _advance(self, playing: _Playing, phase: Literal["place", "end"]) -> None:
        self._playing = replace(playing, phase=phase)

    def _reaches(self, position: str) -> bool:
        playing = self._playing
        return position != "chamber" or (playing is not None and self._is_open(playing.due))

    def _protect(self, playing: _Playing) -> None:
        with self._effects.happening("protective_stops", playing.due, self.loaded or ""):
            self.is_stopped, self._stopped_at = True, playing.due
            self._playing = None

    def _ticket(self, first: int) -> str:
        return "".join(f"{self.registers[first + i]:04x}" for i in range(4))

    def _copy(self, first: int, to: int) -> None:
        for i in range(4):
            self.registers[to + i] = self.registers[first + i]
