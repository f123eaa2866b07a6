"""An IKA hot plate with stirrer, NAMUR commands.

Read from the instructions of the RCT digital: commands in capitals, ended by blank CR LF or, as
some editions print it, blank CR blank LF (a CR LF alone is taken too); `IN_` is answered by a
number and its channel, what has an `@` by the number, the rest by nothing, and so is what it does
not know. Watchdog 1 switches heating and stirring off and shows Er 2 when its command does not come
again in its time (20 to 1500 s, wall time whatever the clock of the bench); after that nothing
starts until it is switched off and on. Watchdog 2 sets the set-points to its safe values, and
`OUT_WD2@0` takes it back. `RESET` goes back to normal operation: nothing heats or stirs, and no
watchdog runs. `SET_MODE_A`, `B`, `D` are taken and change nothing. No set-point goes above the
safety circuit. Upwards the plate closes in with 90 s, without heating it cools with 600 s.
"""

from __future__ import annotations

import re

from orchestrator.ports.clock import Clock
from simulators.lab.approach import Lag
from simulators.twins.wire import FramedWire, Manners

AMBIENT_C, SAFETY_C, FASTEST_RPM = 21.0, 310.0, 1500.0
HEATING_S, COOLING_S, STIRRING_S = 90.0, 600.0, 1.0
SHORTEST_S, LONGEST_S = 20, 1500
_ECHOED = re.compile(r"OUT_(SP_12|SP_42|WD1|WD2)@([\d.]+)")
_SET = re.compile(r"OUT_SP_([14]) ([\d.]+)")
_SWITCHES = ("START_1", "START_4", "STOP_1", "STOP_4")
_MODES = ("SET_MODE_A", "SET_MODE_B", "SET_MODE_D")


class HotPlateTwin:
    """The plate; nothing is on it. `shows` is what its display shows besides values."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.power_up()

    def power_up(self) -> None:
        """As it is after it was switched on: nothing heats or stirs."""
        now = self._clock.now()
        old = getattr(self, "_heat", Lag(AMBIENT_C, AMBIENT_C, now, COOLING_S, 0.05))
        self._heat = Lag(old.at(now), AMBIENT_C, now, COOLING_S, 0.05)
        self._turn = Lag(0.0, 0.0, now, STIRRING_S, 0.5)
        self._setpoints = {1: 0.0, 4: 0.0}
        self._is_on = {1: False, 4: False}
        self._safe = {"SP_12": 0.0, "SP_42": 0.0}
        self._watchdog, self._watchdog_s, self._fed_at = 0, 0, now
        self.shows = ""

    def wire(self) -> FramedWire:
        """The plate's port."""
        # what it does not know, or will not do, is answered by nothing
        manners = Manners(lambda _: b"", None, _skewed, _unheeded, self.power_up)
        return FramedWire(_split, self._reply, manners=manners)

    def advance(self, now: float) -> None:
        """Lets the watchdog bite where it is due."""
        due = self._fed_at + self._watchdog_s * self._clock.speed
        if not self._watchdog or now <= due:
            return
        if self._watchdog == 1:
            self._is_on, self.shows = {1: False, 4: False}, "Er 2"
        else:
            self._setpoints = {1: self._safe["SP_12"], 4: self._safe["SP_42"]}
            self.shows = "WD"
        self._watchdog = 0
        self._follow(due)

    @property
    def is_heating(self) -> bool:
        """Whether it heats, by its own account."""
        self.advance(self._clock.now())
        return self._is_on[1] and self._setpoints[1] > 0

    def _reply(self, frame: bytes) -> bytes:
        now = self._clock.now()
        self.advance(now)
        answer = self._answer(frame.decode("ascii", "replace").strip(), now)
        return f"{answer} \r\n".encode("ascii") if answer else b""

    def _answer(self, command: str, now: float) -> str:
        if match := _ECHOED.fullmatch(command):
            return self._echoed(match[1], float(match[2]), now)
        if match := _SET.fullmatch(command):
            most = {1: SAFETY_C, 4: FASTEST_RPM}[int(match[1])]
            self._setpoints[int(match[1])] = min(float(match[2]), most)
        elif command in _MODES:
            return ""
        elif command == "RESET":
            self._is_on, self._watchdog = {1: False, 4: False}, 0
        elif command in _SWITCHES:
            starts = command.startswith("START") and not self.shows
            self._is_on[int(command[-1])] = starts
        else:
            return self._read(command, now)
        self._follow(now)
        return ""

    def _read(self, command: str, now: float) -> str:
        values = {
            "IN_PV_1": self._heat.at(now),
            "IN_PV_2": self._heat.at(now),
            "IN_PV_4": self._turn.at(now),
            "IN_SP_1": self._setpoints[1],
            "IN_SP_3": SAFETY_C + 50.0,
            "IN_SP_4": self._setpoints[4],
        }
        if command == "IN_NAME":
            return "RCT digital"
        return f"{values[command]:.1f} {command[-1]}" if command in values else ""

    def _echoed(self, what: str, value: float, now: float) -> str:
        if what in self._safe:
            self._safe[what] = value
        elif what == "WD2" and value == 0:
            self._watchdog, self.shows = 0, ""
        elif SHORTEST_S <= value <= LONGEST_S:
            self._watchdog, self._watchdog_s, self._fed_at = int(what[-1]), int(value), now
        else:
            return ""
        return f"{value:g}"

    def _follow(self, now: float) -> None:
        """Heat and speed set out towards what is set now."""
        heats = self._is_on[1] and self._setpoints[1] > self._heat.at(now)
        target = self._setpoints[1] if self._is_on[1] else AMBIENT_C
        tau = HEATING_S if heats else COOLING_S
        self._heat = Lag(self._heat.at(now), max(target, AMBIENT_C), now, tau, 0.05)
        self._turn = self._turn.toward(self._setpoints[4] if self._is_on[4] else 0.0, now)


def _split(data: bytes) -> tuple[bytes | None, bytes]:
    match = re.search(rb"\r ?\n", data)
    return (data[: match.start()], data[match.end() :]) if match else (None, data)


def _unheeded(frame: bytes) -> bytes | None:
    """A set-point, START and STOP, of which nothing is said; what is answered by its number."""
    command = frame.decode("ascii", "replace").strip()
    if match := _ECHOED.fullmatch(command):
        return f"{float(match[2]):g} \r\n".encode("ascii")
    return b"" if _SET.fullmatch(command) or command in (*_SWITCHES, "RESET") else None


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    if not frame.startswith(b"IN_PV_"):
        return None
    value, channel = reply.decode("ascii").split()
    return f"{float(value) * (1 + share):.1f} {channel} \r\n".encode("ascii")
