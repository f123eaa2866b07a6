"""A sputter tool made of flow controllers, gauge, supply with shutter, monitor, heater and valves.

Nothing physical hides in here: each act is dispatched to a part, with its own ticket, limits,
interlocks and event. Tried on hardware: no.
"""

from __future__ import annotations

import statistics
from asyncio import CancelledError
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from orchestrator.capabilities.deposition import Film
from orchestrator.errors import (
    DeviceError,
    DeviceGarbled,
    DeviceSilent,
    ExecutionError,
    LimitExceeded,
    StepTimeout,
    Stopped,
)
from orchestrator.ports.action import Cancel, Effect, Unit, action
from orchestrator.ports.dispatch import Dispatch
from orchestrator.ports.resource import Bench, Health, Identity

_MOST_CORRECTIONS = 4
_SETTLE_S = 15.0
_VOLTAGE_LEAD_S = 5.0
"""The voltage is read this long before the shutter opens."""
_OPENING_S = 2.0
_GRACE_S = 30.0
_LAST_LOOK_S = 3.0
_FULL_TRACE_EVERY = 4
_WHOLE = 0.95
"""Of what the rate promises must have grown where nobody saw the shutter close."""


@dataclass
class _Trace:
    """What was read while the shutter was open; `unwatched_s` was left when it last was."""

    rates: list[float] = field(default_factory=list)
    pressures: list[float] = field(default_factory=list)
    temperatures: list[float] = field(default_factory=list)
    unwatched_s: float = 0.0


class SputterTool:
    """Grows one film: pump, heat, set the gases, presputter, grow, cool, vent.

    `base_pressure` is reached before any gas flows; `argon_per_pascal` is the first guess of the
    argon flow, which is then corrected until the gauge is within `pressure_tolerance` (a fraction)
    of the pressure asked for, before oxygen flows: the gauge reads the total.
    """

    implements = ("Sputtering",)
    parts: ClassVar[dict[str, str]] = {
        "argon": "FlowControl",
        "oxygen": "FlowControl",
        "gauge": "PressureGauge",
        "supply": "SputterSupply",
        "monitor": "ThicknessMonitor",
        "heater": "Heater",
        "valves": "ChamberValves",
    }

    def __init__(
        self,
        bench: Bench,
        base_pressure: Annotated[float, Unit("Pa", low=1e-9)] = 1e-3,
        presputter: Annotated[float, Unit("s", low=0)] = 60.0,
        argon_per_pascal: Annotated[float, Unit("sccm/Pa", low=1e-6)] = 43.0,
        pressure_tolerance: Annotated[float, Unit("", low=0)] = 0.005,
        temperature_tolerance: Annotated[float, Unit("K", low=0)] = 1.0,
        cool_below: Annotated[float, Unit("degC")] = 60.0,
        atmosphere: Annotated[float, Unit("Pa", low=0)] = 9e4,
        watch: Annotated[float, Unit("s", low=0)] = 120.0,
        patience: Annotated[float, Unit("s", low=0)] = 7200.0,
    ) -> None:
        self.bench = bench
        self._base_pressure, self._presputter = base_pressure, presputter
        self._argon_per_pascal, self._pressure_tolerance = argon_per_pascal, pressure_tolerance
        self._temperature_tolerance, self._cool_below = temperature_tolerance, cool_below
        self._atmosphere, self._watch, self._patience = atmosphere, watch, patience

    async def open(self) -> None:
        """Nothing to open: the parts are resources of their own."""

    async def close(self) -> None:
        """Nothing to close."""

    async def identify(self) -> Identity:
        """A name for what is made of parts."""
        return Identity("hagane", "sputter-tool")

    async def health(self) -> Health:
        """Fit: its parts are asked themselves."""
        return Health(is_fit=True)

    async def make_safe(self) -> None:
        """Nothing of its own: the lab makes the parts safe, in its order."""

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def deposit(
        self,
        oxygen: Annotated[float, Unit("sccm", low=0)],
        temperature: Annotated[float, Unit("degC")],
        power: Annotated[float, Unit("W", low=0)],
        argon: Annotated[float, Unit("Pa", low=0)],
        duration: Annotated[float, Unit("min", low=0)],
        dispatch: Dispatch,
    ) -> Film:
        """Grows a film on the substrate in the chamber and leaves it cold, at atmosphere.

        When it fails on the way, plasma, gases and heater are switched off before it says so,
        unless an interlock or a stop has the whole lab made safe; the chamber stays closed.

        Raises:
            DeviceError: a part failed; the sentence says when the film is partial.
            StepTimeout: pressure or temperature did not come to rest.
            SafetyStop: a limit or an interlock.
        """
        duration_s = 60.0 * duration
        try:
            await self._prepare(dispatch, oxygen, temperature, argon)
            film = await self._grow(dispatch, power, duration_s)
        except (DeviceError, StepTimeout, LimitExceeded, Stopped, CancelledError):
            await self._switch_off(dispatch)
            raise
        await self._finish(dispatch)
        return film

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.BETWEEN_STEPS)
    async def release(self, dispatch: Dispatch) -> None:
        """Plasma, gases and heater off, cold, and at atmosphere, whatever was under way.

        Raises:
            DeviceError: a part failed.
            StepTimeout: it did not cool down or fill.
            SafetyStop: an interlock.
        """
        await _reach(dispatch, "supply", "off")
        await self._finish(dispatch)

    async def _prepare(
        self, dispatch: Dispatch, oxygen: float, temperature: float, argon: float
    ) -> None:
        """Pumps, heats, and lets the gases in."""
        await _reach(dispatch, "valves", "pump")
        await dispatch.until(
            "gauge", "pressure", "value", 0.0, self._base_pressure,
            hold_s=10.0, timeout_s=self._patience, every_s=15.0,
        )  # fmt: skip
        await _reach(dispatch, "heater", "set_temperature", temperature=temperature)
        await self._reach_pressure(dispatch, argon)
        await _reach(dispatch, "oxygen", "set_flow", flow=oxygen)
        spread = self._temperature_tolerance
        await dispatch.until(
            "heater", "temperature", "value", temperature - spread, temperature + spread,
            hold_s=60.0, timeout_s=self._patience, every_s=15.0,
        )  # fmt: skip
        await dispatch.sleep(_SETTLE_S)

    async def _reach_pressure(self, dispatch: Dispatch, target: float) -> None:
        """Corrects the argon flow in proportion until the gauge agrees."""
        flow, found = target * self._argon_per_pascal, 0.0
        for _ in range(1 + _MOST_CORRECTIONS):
            await _reach(dispatch, "argon", "set_flow", flow=flow)
            await dispatch.sleep(_SETTLE_S)
            found = (await dispatch("gauge", "pressure"))["value"]
            if found <= 0 or abs(found / target - 1) <= self._pressure_tolerance:
                break
            flow *= target / found
        if abs(found / target - 1) > self._pressure_tolerance:
            raise DeviceError(
                self.bench.name,
                f"the pressure is {found:.4g} Pa where argon should give {target:.4g} Pa",
                hint="look at pump, gate and gauge, or widen pressure_tolerance",
            )

    async def _grow(self, dispatch: Dispatch, power: float, duration_s: float) -> Film:
        """Strikes, presputters, and watches the exposure to its end."""
        await _reach(dispatch, "monitor", "zero")
        await _reach(dispatch, "supply", "set_power", power=power)
        times = {"presputter": self._presputter, "duration": duration_s}
        await _reach(dispatch, "supply", "set_exposure", **times)
        struck_at = dispatch.clock.now()
        await dispatch("supply", "on")
        struck = (struck_at, dispatch.clock.now())
        await dispatch.sleep(max(0.0, self._presputter - _VOLTAGE_LEAD_S))
        voltage = (await dispatch("supply", "plasma"))["voltage"]
        trace = await self._expose(dispatch, power, struck, duration_s)
        await _reach(dispatch, "supply", "off")
        thickness = (await dispatch("monitor", "growth"))["thickness"]
        if thickness <= 0 < duration_s:
            raise DeviceError(self.bench.name, "the monitor saw no film grow")
        if trace.unwatched_s > _GRACE_S:
            self._must_be_whole(trace, thickness, duration_s)
        for readings, part, reading in (
            (trace.pressures, "gauge", "pressure"),
            (trace.temperatures, "heater", "temperature"),
        ):
            if not readings:
                readings.append((await dispatch(part, reading))["value"])
        mean_rate = thickness / (duration_s / 60.0) if duration_s else 0.0
        return Film(
            thickness=thickness,
            rate=statistics.median_low(trace.rates or [mean_rate]),
            temperature=statistics.median_low(trace.temperatures),
            pressure=statistics.median_low(trace.pressures),
            voltage=voltage,
        )

    async def _expose(
        self, dispatch: Dispatch, power: float, struck: tuple[float, float], duration_s: float
    ) -> _Trace:
        """Watches the shutter open and close. The supply times it; nothing here makes it longer.

        It was struck at some time between the two of `struck`, and an answer is as old as its
        question: a closed shutter says that it did not open if it cannot have closed again.

        Raises:
            DeviceError: the shutter did not open, or the plasma went out before its time.
        """
        trace, n_seen, closes_at = _Trace(), 0, 0.0
        is_over_from = struck[0] + self._presputter + duration_s
        is_open_by = struck[1] + self._presputter + _GRACE_S
        while True:
            asked_at = dispatch.clock.now()
            exposure = await dispatch("supply", "exposure")
            if exposure["shutter"]:
                trace.unwatched_s = exposure["remaining"]
                closes_at = asked_at + exposure["remaining"]
                await self._look(dispatch, trace, power, is_full=n_seen % _FULL_TRACE_EVERY == 0)
                n_seen += 1
                await dispatch.sleep(self._until_next_look(exposure["remaining"]))
            elif n_seen or asked_at >= is_open_by + duration_s:
                break
            elif asked_at > is_open_by and dispatch.clock.now() < is_over_from:
                raise DeviceError(self.bench.name, "the shutter did not open")
            else:
                await dispatch.sleep(_OPENING_S)
        missing_s = closes_at - dispatch.clock.now()
        if missing_s > _OPENING_S:
            raise self._partial(missing_s)
        return trace

    def _until_next_look(self, remaining_s: float) -> float:
        """The last look but one is shortly before the end, so that an early end shows as one."""
        if remaining_s > self._watch + 2 * _LAST_LOOK_S:
            return self._watch
        return max(1.0, remaining_s - _LAST_LOOK_S * (remaining_s > 2 * _LAST_LOOK_S))

    async def _look(
        self, dispatch: Dispatch, trace: _Trace, power: float, *, is_full: bool
    ) -> None:
        """Reads what there is to know during growth; raises when the plasma has gone out."""
        burning = (await dispatch("supply", "plasma"))["power"]
        if burning < 0.5 * power:
            exposure = await dispatch("supply", "exposure")
            if exposure["shutter"]:
                raise self._partial(exposure["remaining"])
            return
        if not is_full:
            return
        trace.rates.append((await dispatch("monitor", "growth"))["rate"])
        trace.pressures.append((await dispatch("gauge", "pressure"))["value"])
        trace.temperatures.append((await dispatch("heater", "temperature"))["value"])

    def _must_be_whole(self, trace: _Trace, thickness: float, duration_s: float) -> None:
        """The supply could not be asked when the shutter was to close: its power may have failed,
        and it would say the same. What has grown tells."""
        promised = statistics.median_low(trace.rates or [0.0]) * duration_s / 60.0
        if thickness < _WHOLE * promised:
            raise DeviceError(
                self.bench.name,
                f"{thickness:.3g} nm have grown where {promised:.3g} nm were to, and nobody saw "
                "the shutter close: the film is partial",
                hint="look at the supply and its cable; discard the sample",
            )

    def _partial(self, missing_s: float) -> DeviceError:
        return DeviceError(
            self.bench.name,
            f"the plasma went out {missing_s:.0f} s before its time: the film is partial",
            hint="look at pressure, target and the supply's fault code; discard the sample",
        )

    async def _finish(self, dispatch: Dispatch) -> None:
        """Cools in vacuum, then vents."""
        await _reach(dispatch, "oxygen", "set_flow", flow=0.0)
        await _reach(dispatch, "argon", "set_flow", flow=0.0)
        await _reach(dispatch, "heater", "off")
        await dispatch.until(
            "heater", "temperature", "value", -300.0, self._cool_below,
            hold_s=0.0, timeout_s=self._patience, every_s=30.0,
        )  # fmt: skip
        await _reach(dispatch, "valves", "vent")
        await dispatch.until(
            "gauge", "pressure", "value", self._atmosphere, 1e6,
            hold_s=0.0, timeout_s=self._patience, every_s=5.0,
        )  # fmt: skip

    async def _switch_off(self, dispatch: Dispatch) -> None:
        """Plasma, gases and heater off, as far as the parts answer."""
        for part, act, arguments in (
            ("supply", "off", {}),
            ("oxygen", "set_flow", {"flow": 0.0}),
            ("argon", "set_flow", {"flow": 0.0}),
            ("heater", "off", {}),
        ):
            try:
                await dispatch(part, act, **arguments)
            except Stopped:
                return
            except (DeviceError, ExecutionError):
                continue


async def _reach(dispatch: Dispatch, part: str, act: str, **arguments: float) -> None:
    """Has a part reach a state; once more when the line failed and it was not taken.

    Not after a break: what comes back may have forgotten more than this.
    """
    try:
        await dispatch(part, act, **arguments)
    except (DeviceSilent, DeviceGarbled):
        await dispatch(part, act, **arguments)
