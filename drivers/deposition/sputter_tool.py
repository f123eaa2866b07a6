"""A sputter tool made of flow controllers, gauge, supply with shutter, monitor, heater and valves.

Nothing physical hides in here: each act is dispatched to a part, with its own ticket, limits,
interlocks and event. Tried on hardware: no.
"""

from __future__ import annotations

import statistics
from asyncio import CancelledError
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar

from drivers.deposition.exposing import VOLTAGE_LEAD_S, Approach, Exposing, Steady, reach
from drivers.deposition.process_trace import NAME, ProcessTrace
from orchestrator.capabilities.deposition import Film
from orchestrator.errors import (
    DeviceError,
    ExecutionError,
    InputError,
    LimitExceeded,
    StepTimeout,
    Stopped,
)
from orchestrator.ports.action import Cancel, Effect, Unit, action
from orchestrator.ports.dispatch import Dispatch
from orchestrator.ports.resource import Bench, Health, Identity, PassesOn

_MOST_CORRECTIONS = 4
_SETTLE_S = 15.0
_AS_SET, _ABOVE, _BELOW = "as_set", "above", "below"


class SputterTool:
    """Grows one film: pump, heat, set the gases, presputter, grow, cool, vent.

    `base_pressure` is reached before any gas flows; `argon_per_pascal` is the first guess of the
    argon flow, which is then corrected until the gauge is within `pressure_tolerance` (a fraction)
    of the pressure asked for, before oxygen flows: the gauge reads the total.

    The plasma burns behind the closed shutter for `presputter`, again and again until the target
    voltage stays within `steady_voltage` for `steady_for`, `most_presputters` times at most.

    A target with hysteresis is another one when its oxygen flow is reached from another side. With
    `approach: above` (or `below`) each plasma is struck at `approach_flow`, and the flow goes from
    there to what is wanted after `approach_for`, behind the closed shutter; a flow on the wrong
    side of it is refused.

    Every `trace` seconds the parts are read, from the first plasma to the last: `process.csv`, kept
    with the sample.
    """

    implements: tuple[str, ...] = ("Sputtering",)
    supplies: ClassVar[tuple[str, ...]] = ("supply",)
    parts: ClassVar[dict[str, str]] = {
        "argon": "FlowControl",
        "oxygen": "FlowControl",
        "gauge": "PressureGauge",
        "supply": "SputterSupply",
        "monitor": "ThicknessMonitor",
        "heater": "Heater",
        "valves": "ChamberValves",
    }
    passes_on: ClassVar[PassesOn] = {
        "deposit": {
            "oxygen": ("oxygen.set_flow.flow",),
            "temperature": ("heater.set_temperature.temperature",),
            "power": ("supply.set_power.power",),
        }
    }

    def __init__(
        self,
        bench: Bench,
        base_pressure: Annotated[float, Unit("Pa", low=1e-9)] = 1e-3,
        presputter: Annotated[float, Unit("s", low=0)] = 60.0,
        steady_voltage: Annotated[float, Unit("V", low=0)] = 3.0,
        steady_for: Annotated[float, Unit("s", low=0)] = 20.0,
        most_presputters: Annotated[int, Unit("", low=1, high=100)] = 10,
        approach: str = _AS_SET,
        approach_flow: Annotated[float, Unit("sccm", low=0)] = 0.0,
        approach_for: Annotated[float, Unit("s", low=0)] = 20.0,
        trace: Annotated[float, Unit("s", low=0)] = 1.0,
        argon_per_pascal: Annotated[float, Unit("sccm/Pa", low=1e-6)] = 43.0,
        pressure_tolerance: Annotated[float, Unit("", low=0)] = 0.005,
        temperature_tolerance: Annotated[float, Unit("K", low=0)] = 1.0,
        cool_below: Annotated[float, Unit("degC")] = 60.0,
        atmosphere: Annotated[float, Unit("Pa", low=0)] = 9e4,
        watch: Annotated[float, Unit("s", low=0)] = 120.0,
        patience: Annotated[float, Unit("s", low=0)] = 7200.0,
    ) -> None:
        self.bench = bench
        if approach not in (_AS_SET, _ABOVE, _BELOW):
            raise InputError(
                f"{bench.name}: '{approach}' is no way to approach a flow",
                hint=f"one of {_AS_SET}, {_ABOVE}, {_BELOW}",
            )
        is_short = presputter < approach_for + steady_for + VOLTAGE_LEAD_S
        if approach != _AS_SET and is_short:
            raise InputError(
                f"{bench.name}: a presputter of {presputter:g} s leaves no time to approach the "
                f"flow for {approach_for:g} s and to see a steady voltage for {steady_for:g} s",
                hint="presputter longer, or approach for a shorter time",
            )
        self._base_pressure, self._presputter = base_pressure, presputter
        self._steady_voltage, self._steady_for = steady_voltage, steady_for
        self._most_presputters, self._trace = most_presputters, trace
        self._approach, self._approach_flow = approach, approach_flow
        self._approach_for = approach_for
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
            ProcessUnsteady: the target does not come to rest at these parameters.
            DeviceError: a part failed; the sentence says when the film is partial.
            StepTimeout: pressure or temperature did not come to rest.
            SafetyStop: a limit or an interlock.
        """
        return await self._deposit(
            dispatch, {"supply": power}, oxygen, temperature, argon, 60.0 * duration
        )

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.BETWEEN_STEPS)
    async def release(self, dispatch: Dispatch) -> None:
        """Plasma, gases and heater off, cold, and at atmosphere, whatever was under way.

        Raises:
            DeviceError: a part failed.
            StepTimeout: it did not cool down or fill.
            SafetyStop: an interlock.
        """
        await self._all_off(dispatch, self.supplies)
        await self._finish(dispatch)

    async def _deposit(
        self,
        dispatch: Dispatch,
        powers: Mapping[str, float],
        oxygen: float,
        temperature: float,
        argon: float,
        duration_s: float,
    ) -> Film:
        """One film, by the supplies that have a power. Raises as `deposit`."""
        first_oxygen = self._first_oxygen(oxygen)
        trace = ProcessTrace(tuple(powers), self._trace)
        try:
            await self._prepare(dispatch, first_oxygen, temperature, argon)
            await trace.read(dispatch)
            film = await self._grow(dispatch, powers, oxygen, duration_s, trace)
        except (DeviceError, StepTimeout, LimitExceeded, Stopped, CancelledError) as error:
            await self._switch_off(dispatch)
            if not isinstance(error, Stopped | CancelledError):
                await _keep(dispatch, trace)
            raise
        await _keep(dispatch, trace)
        await self._finish(dispatch)
        return film

    def _first_oxygen(self, oxygen: float) -> float:
        """The flow from which the wanted one is approached. Raises LimitExceeded."""
        if self._approach == _AS_SET:
            return oxygen
        is_above = self._approach == _ABOVE
        low, high = (0.0, self._approach_flow) if is_above else (self._approach_flow, None)
        if not (low <= oxygen and (high is None or oxygen <= high)):
            raise LimitExceeded(
                f"oxygen, approached from {self._approach},", oxygen, low, high, "sccm"
            )
        return self._approach_flow

    async def _prepare(
        self, dispatch: Dispatch, oxygen: float, temperature: float, argon: float
    ) -> None:
        """Pumps, heats, and lets the gases in."""
        await reach(dispatch, "valves", "pump")
        await dispatch.until(
            "gauge", "pressure", "value", 0.0, self._base_pressure,
            hold_s=10.0, timeout_s=self._patience, every_s=15.0,
        )  # fmt: skip
        await reach(dispatch, "heater", "set_temperature", temperature=temperature)
        await self._reach_pressure(dispatch, argon)
        await reach(dispatch, "oxygen", "set_flow", flow=oxygen)
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
            await reach(dispatch, "argon", "set_flow", flow=flow)
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

    async def _grow(
        self,
        dispatch: Dispatch,
        powers: Mapping[str, float],
        oxygen: float,
        duration_s: float,
        trace: ProcessTrace,
    ) -> Film:
        """Strikes, presputters, and watches the exposure to its end."""
        steady = Steady(self._steady_voltage, self._steady_for, self._most_presputters)
        approach = None
        if self._approach != _AS_SET:
            approach = Approach(self._approach_flow, oxygen, self._approach_for)
        times = (self._presputter, duration_s, self._watch)
        exposing = Exposing(self.bench.name, powers, *times, steady, trace, approach)
        await reach(dispatch, "monitor", "zero")
        await exposing.set_up(dispatch)
        struck = await exposing.strike(dispatch)
        looks = await exposing.watch(dispatch, struck)
        await self._all_off(dispatch, powers)
        thickness = (await dispatch("monitor", "growth"))["thickness"]
        if thickness <= 0 < duration_s:
            raise DeviceError(self.bench.name, "the monitor saw no film grow")
        exposing.must_be_whole(looks, thickness)
        for readings, part, reading in (
            (looks.pressures, "gauge", "pressure"),
            (looks.temperatures, "heater", "temperature"),
        ):
            if not readings:
                readings.append((await dispatch(part, reading))["value"])
        mean_rate = thickness / (duration_s / 60.0) if duration_s else 0.0
        return Film(
            thickness=thickness,
            rate=statistics.median_low(looks.rates or [mean_rate]),
            temperature=statistics.median_low(looks.temperatures),
            pressure=statistics.median_low(looks.pressures),
            voltage=struck.voltage,
        )

    async def _all_off(self, dispatch: Dispatch, supplies: Iterable[str]) -> None:
        for supply in supplies:
            await reach(dispatch, supply, "off")

    async def _finish(self, dispatch: Dispatch) -> None:
        """Cools in vacuum, then vents."""
        await reach(dispatch, "oxygen", "set_flow", flow=0.0)
        await reach(dispatch, "argon", "set_flow", flow=0.0)
        await reach(dispatch, "heater", "off")
        await dispatch.until(
            "heater", "temperature", "value", -300.0, self._cool_below,
            hold_s=0.0, timeout_s=self._patience, every_s=30.0,
        )  # fmt: skip
        await reach(dispatch, "valves", "vent")
        await dispatch.until(
            "gauge", "pressure", "value", self._atmosphere, 1e6,
            hold_s=0.0, timeout_s=self._patience, every_s=5.0,
        )  # fmt: skip

    async def _switch_off(self, dispatch: Dispatch) -> None:
        """Plasma, gases and heater off, as far as the parts answer."""
        acts: list[tuple[str, str, dict[str, float]]] = [(s, "off", {}) for s in self.supplies]
        acts += [(gas, "set_flow", {"flow": 0.0}) for gas in ("oxygen", "argon")]
        for part, act, arguments in [*acts, ("heater", "off", {})]:
            try:
                await dispatch(part, act, **arguments)
            except Stopped:
                return
            except (DeviceError, ExecutionError):
                continue


async def _keep(dispatch: Dispatch, trace: ProcessTrace) -> None:
    text = trace.text()
    if text:
        await dispatch.keep(NAME, text)
