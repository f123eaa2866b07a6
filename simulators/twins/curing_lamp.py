"""A curing lamp behind a gateway with an HTTP interface: made up, no maker's instrument.

    GET  /about          {"model": "CL-1", "serial": "0017"}
    GET  /state          {"power": 40.0, "light": 0.0, "fault": "none"}
    PUT  /power          {"percent": 40} -> 204; 422 beyond 0 to 100; 409 while it exposes
    POST /exposures      {"id": "...", "seconds": 20} -> 201; 409 an id it has had, or one runs
    GET  /exposures/ID   {"state": "finished", "dose": 8.0}, or "running", "aborted"; 404 unknown
    PUT  /stop           204; what runs is broken off

Power in % of the lamp's, light in % as it leaves the lamp, dose in s at full power. An exposure is
a physical effect. The gateway keeps its record of them over a power cut, which breaks off what runs
and sets the power back to 10 %.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from orchestrator.ports.clock import Clock
from simulators.lab.effects import Effects, Watch
from simulators.twins.rack import Rack
from simulators.twins.web import request, response, web_wire
from simulators.twins.wire import FramedWire, Manners

DEFAULT_PERCENT = 10.0
_ABOUT = {"model": "CL-1", "serial": "0017"}


@dataclass
class Exposure:
    """Power in %, times in s of campaign time; `ends` moves up when it is broken off."""

    power: float
    began: float
    ends: float
    is_aborted: bool = False


class CuringLamp:
    """The lamp and its gateway."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.effects = Effects(("exposures",))
        self.power = DEFAULT_PERCENT
        self.exposures: dict[str, Exposure] = {}

    def wire(self) -> FramedWire:
        """The gateway's port."""
        manners = Manners(_refusal, None, _skewed, _unheeded, self.lose_power)
        return web_wire(self._answer, manners=manners)

    def lose_power(self) -> None:
        """Is switched off and on."""
        self._break_off()
        self.power = DEFAULT_PERCENT

    def _answer(self, method: str, path: str, content: Any) -> tuple[int, Any]:
        match method, path.strip("/").split("/"):
            case "GET", ["about"]:
                return 200, _ABOUT
            case "GET", ["state"]:
                light = self.power if self._running() else 0.0
                return 200, {"power": self.power, "light": light, "fault": "none"}
            case "GET", ["exposures", name] if name in self.exposures:
                return 200, self._said_of(self.exposures[name])
            case "PUT", ["power"]:
                return self._set_power(content)
            case "POST", ["exposures"]:
                return self._expose(content)
            case "PUT", ["stop"]:
                self._break_off()
                return 204, None
        return 404, {"error": "not found"}

    def _set_power(self, content: Any) -> tuple[int, Any]:
        wanted = content.get("percent") if isinstance(content, dict) else None
        if not isinstance(wanted, int | float) or not 0 <= wanted <= 100:
            return 422, {"error": "percent from 0 to 100"}
        if self._running():
            return 409, {"error": "it exposes"}
        self.power = float(wanted)
        return 204, None

    def _expose(self, content: Any) -> tuple[int, Any]:
        wanted = content if isinstance(content, dict) else {}
        name, seconds = wanted.get("id"), wanted.get("seconds")
        if not isinstance(name, str) or not isinstance(seconds, int | float) or seconds <= 0:
            return 422, {"error": "an id, and seconds above 0"}
        if name in self.exposures or self._running():
            return 409, {"error": "it has had that id, or it exposes"}
        now = self._clock.now()
        with self.effects.happening("exposures", now, name):
            self.exposures[name] = Exposure(self.power, now, now + seconds)
        return 201, {"id": name}

    def _said_of(self, exposure: Exposure) -> dict[str, Any]:
        now = self._clock.now()
        lasted = min(now, exposure.ends) - exposure.began
        state = (
            "aborted" if exposure.is_aborted else "finished" if now >= exposure.ends else "running"
        )
        return {"state": state, "dose": exposure.power / 100.0 * lasted}

    def _running(self) -> Exposure | None:
        """The exposure that has not come to its end."""
        now = self._clock.now()
        return next((e for e in self.exposures.values() if now < e.ends), None)

    def _break_off(self) -> None:
        if (exposure := self._running()) is not None:
            exposure.ends, exposure.is_aborted = self._clock.now(), True


class LampRack(Rack):
    """The lamp on its own, port `lamp`. By hand: sample 0 is the lamp, switched off and on."""

    def __init__(self, *, seed: int, clock: Clock) -> None:
        self.lamp = CuringLamp(clock)
        super().__init__({"lamp": self.lamp.wire()})

    def counts(self) -> dict[str, int]:
        """How many exposures there were."""
        return self.lamp.effects.counts()

    def snapshot(self) -> dict[str, Any]:
        """The power, and what became of each exposure."""
        aborted = [name for name, e in self.lamp.exposures.items() if e.is_aborted]
        return {"power": self.lamp.power, "aborted": aborted}

    def watch(self, watch: Watch | None) -> None:
        """Tells `watch` before and after each exposure begins."""
        self.lamp.effects.watch = watch

    def by_hand(self, sample: int, to: str) -> None:
        """A person switches the lamp off and on. Raises KeyError: another sample than 0."""
        if sample != 0:
            raise KeyError(f"there is no sample {sample}")
        self.lamp.lose_power()


def _refusal(frame: bytes) -> bytes | None:
    return response(409, {"error": "not now"})


def _unheeded(frame: bytes) -> bytes | None:
    """A new power that is said to be taken."""
    return response(204) if request(frame)[:2] == ("PUT", "/power") else None


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    if request(frame)[1] != "/state":
        return None
    _, _, body = reply.partition(b"\r\n\r\n")
    said = json.loads(body)
    return response(200, {**said, "light": said["light"] * (1 + share)})
