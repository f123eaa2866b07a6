"""Universal Robots dashboard server (TCP 29999): text lines, each answered by one line.

Replies as in Universal Robots' article 15690, "Dashboard Server, port 29999". The arm is powered
and its brakes are released until somebody says `power off`; `robotmode` stays RUNNING in a
protective stop, as on the controller, which is released 5 s after it at the earliest. `quit` ends
the connection. After a power cut the controller is up again with the arm off, no program loaded and
empty registers. Not known here: user roles, support files and logs.
"""

from __future__ import annotations

from collections.abc import Callable

from simulators.lab.chamber import Chamber
from simulators.twins.wire import FramedWire, Manners, lines

INSTALLATION = "default.installation"
GREETING = b"Connected: Universal Robots Dashboard Server\n"
_FIXED = {
    "polyscopeversion": "URSoftware 5.12.0.1101319 (Mar 22 2022)",
    "get serial number": "20225299999",
    "get robot model": "UR5",
    "is in remote control": "true",
    "close popup": "closing popup",
    "close safety popup": "closing safety popup",
    "restart safety": "Restarting safety",
    "clear operational mode": "operational mode is no longer controlled by Dashboard Server",
    "quit": "Disconnected",
}


class Dashboard:
    """The dashboard of the transfer arm."""

    def __init__(self, chamber: Chamber) -> None:
        self._chamber = chamber
        self._arm = chamber.transfer
        self._mode = "RUNNING"
        self._operational_mode = "NONE"
        self._commands: dict[str, Callable[[], str]] = {
            "play": self._play,
            "pause": self._pause,
            "stop": self._stop,
            "running": lambda: f"Program running: {str(self._is_playing).lower()}",
            "programstate": self._state,
            "get loaded program": self._loaded,
            "isprogramsaved": lambda: f"true {self._arm.loaded or '<unnamed>'}",
            "get operational mode": lambda: self._operational_mode,
            "safetystatus": lambda: f"Safetystatus: {self._safety()}",
            "safetymode": lambda: f"Safetymode: {self._safety()}",
            "unlock protective stop": self._unlock,
            "robotmode": lambda: f"Robotmode: {self._mode}",
            "power on": self._power_on,
            "power off": self._power_off,
            "brake release": self._release,
        }

    def wire(self) -> FramedWire:
        """A connection to the server."""
        manners = Manners(refusal=_refusal, unheeded=_unheeded, restart=self.lose_power)
        return FramedWire(
            lines(b"\n"),
            self._reply,
            greeting=GREETING,
            manners=manners,
            ends=lambda frame: frame.strip().lower() == b"quit",
        )

    def lose_power(self) -> None:
        """The controller, and with it the arm, is switched off and on."""
        self._arm.lose_power()
        self._mode, self._operational_mode = "POWER_OFF", "NONE"

    def _reply(self, frame: bytes) -> bytes:
        line = frame.decode("utf-8", "replace").strip()
        return f"{self._answer(line)}\n".encode()

    def _answer(self, line: str) -> str:
        self._chamber.advance()
        word = line.lower()
        if word.startswith("load installation "):
            return self._install(line[18:].strip())
        if word.startswith("set operational mode "):
            return self._operate(line[21:].strip())
        if word == "clear operational mode":
            self._operational_mode = "NONE"
        if word.startswith("load "):
            return self._load(line[5:].strip())
        if word.startswith("popup "):
            return "showing popup"
        if word.startswith("addtolog "):
            return "Added log message"
        if word in self._commands:
            return self._commands[word]()
        return _FIXED.get(word, f"could not understand: '{line}'")

    def _load(self, program: str) -> str:
        if self._arm.is_running:
            return f"Error while loading program: {program}"
        found = self._arm.load(program)
        return f"Loading program: {program}" if found else f"File not found: {program}"

    def _install(self, installation: str) -> str:
        """The only one is the one that is loaded."""
        found = installation.rsplit("/", 1)[-1] == INSTALLATION
        return f"{'Loading installation' if found else 'File not found'}: {installation}"

    def _operate(self, mode: str) -> str:
        if mode.lower() not in ("manual", "automatic"):
            return f"Failed setting operational mode: {mode}"
        self._operational_mode = mode.upper()
        return f"Setting operational mode: {mode}"

    @property
    def _is_playing(self) -> bool:
        return self._arm.is_running and not self._arm.is_paused

    def _pause(self) -> str:
        paused = self._arm.pause(self._chamber.clock.now())
        return "Pausing program" if paused else "Failed to execute: pause"

    def _play(self) -> str:
        started = self._mode == "RUNNING" and self._arm.play(self._chamber.clock.now())
        return "Starting program" if started else "Failed to execute: play"

    def _stop(self) -> str:
        return "Stopped" if self._arm.stop() else "Failed to execute: stop"

    def _state(self) -> str:
        state = "PLAYING" if self._is_playing else "PAUSED" if self._arm.is_paused else "STOPPED"
        return f"{state} {self._arm.loaded or '<unnamed>'}"

    def _loaded(self) -> str:
        program = self._arm.loaded
        return f"Loaded program: /programs/{program}" if program else "No program loaded"

    def _safety(self) -> str:
        return "PROTECTIVE_STOP" if self._arm.is_stopped else "NORMAL"

    def _unlock(self) -> str:
        if self._arm.unlock(self._chamber.clock.now()):
            return "Protective stop releasing"
        return "Cannot unlock protective stop until 5s after occurrence."

    def _power_on(self) -> str:
        self._mode = "IDLE" if self._mode == "POWER_OFF" else self._mode
        return "Powering on"

    def _power_off(self) -> str:
        self._arm.stop()
        self._mode = "POWER_OFF"
        return "Powering off"

    def _release(self) -> str:
        self._mode = "RUNNING" if self._mode == "IDLE" else self._mode
        return "Brake releasing"


def _refusal(frame: bytes) -> bytes:
    return b"could not understand: '" + frame.strip() + b"'\n"


def _unheeded(frame: bytes) -> bytes | None:
    """A program that is said to start, and does not."""
    return b"Starting program\n" if frame.strip() == b"play" else None
