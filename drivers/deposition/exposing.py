"""One exposure of a film: a steady target first, then a shutter that opens and closes in its time.

The supplies time it themselves: nothing here makes a film thicker. With two guns, both are struck
one right after the other, and whoever of them goes out before its time leaves a partial film.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.deposition.process_trace import ProcessTrace
from orchestrator.errors import DeviceError, DeviceGarbled, DeviceSilent, ProcessUnsteady
from orchestrator.ports.dispatch import Dispatch

VOLTAGE_LEAD_S = 5.0
"""The voltage is read this long before the shutter opens."""
_OPENING_S = 2.0
_GRACE_S = 30.0
_FLOW_S = 5.0
_LAST_LOOK_S = 3.0
_FULL_LOOK_EVERY = 4
_WHOLE = 0.95
"""Of what the rate promises must have grown where nobody saw the shutter close."""


@dataclass(frozen=True)
class Struck:
    """It was struck at some time between the two; `voltage` is the last before the shutter."""

    after: float
    before: float
    voltage: float = 0.0


@dataclass
class Looks:
    """What was read while the shutter was open; `unwatched_s` was left when it last was."""

    rates: list[float] = field(default_factory=list)
    pressures: list[float] = field(default_factory=list)
    temperatures: list[float] = field(default_factory=list)
    unwatched_s: float = 0.0


@dataclass(frozen=True)
class Steady:
    """A target is steady when its voltage stays `within_v` for `for_s`, after `rounds` at most."""

    within_v: float
    for_s: float
    rounds: int


@dataclass(frozen=True)
class Approach:
    """Struck at the oxygen flow `start`, a target comes to `end` while it burns, after `after_s`.

    Without a plasma a target in oxygen would forget from which side it came.
    """

    start: float
    end: float
    after_s: float


@dataclass(frozen=True)
class Exposing:
    """`powers` by supply (W); the first supply's shutter counts. `watch_s` between two looks."""

    tool: str
    powers: Mapping[str, float]
    presputter_s: float
    duration_s: float
    watch_s: float
    steady: Steady
    trace: ProcessTrace
    approach: Approach | None = None

    async def set_up(self, dispatch: Dispatch) -> None:
        """Sets powers and times. Raises DeviceError."""
        times = {"presputter": self.presputter_s, "duration": self.duration_s}
        for supply, power in self.powers.items():
            await reach(dispatch, supply, "set_power", power=power)
            await reach(dispatch, supply, "set_exposure", **times)

    async def strike(self, dispatch: Dispatch) -> Struck:
        """Strikes and presputters until the target voltage is steady; the exposure then follows.

        While it is not, the plasma is switched off before the shutter opens, and struck again.

        Raises:
            ProcessUnsteady: it does not come to rest.
            DeviceError: the shutter may have opened before it did.
        """
        spread = 0.0
        for _ in range(self.steady.rounds):
            struck = await self._strike(dispatch)
            voltage, spread = await self._voltage(dispatch, struck)
            is_late = dispatch.clock.now() > struck.after + self.presputter_s
            if is_late or spread <= self.steady.within_v:
                return Struck(struck.after, struck.before, voltage)
            await self._break_off(dispatch, struck)
        raise ProcessUnsteady(
            self.tool,
            f"the target voltage still changes by {spread:.3g} V in {self.steady.for_s:g} s after "
            f"{self.steady.rounds} times {self.presputter_s:g} s of presputtering",
            hint="look at target and gases, presputter longer, or widen steady_voltage",
        )

    async def watch(self, dispatch: Dispatch, struck: Struck) -> Looks:
        """Watches the shutter open and close.

        An answer is as old as its question: a closed shutter says that it did not open if it cannot
        have closed again.

        Raises:
            DeviceError: the shutter did not open, or the plasma went out before its time.
        """
        looks, n_seen, closes_at = Looks(), 0, 0.0
        is_over_from = struck.after + self.presputter_s + self.duration_s
        is_open_by = struck.before + self.presputter_s + _GRACE_S
        while True:
            asked_at = dispatch.clock.now()
            exposure = await dispatch(self._first, "exposure")
            if exposure["shutter"]:
                self.trace.phase = "growth"
                looks.unwatched_s = exposure["remaining"]
                closes_at = asked_at + exposure["remaining"]
                await self._look(dispatch, looks, is_full=n_seen % _FULL_LOOK_EVERY == 0)
                n_seen += 1
                await self.trace.wait(dispatch, self._until_next_look(exposure["remaining"]))
            elif n_seen or asked_at >= is_open_by + self.duration_s:
                break
            elif asked_at > is_open_by and dispatch.clock.now() < is_over_from:
                raise DeviceError(self.tool, "the shutter did not open")
            else:
                await self.trace.wait(dispatch, _OPENING_S)
        missing_s = closes_at - dispatch.clock.now()
        for supply in list(self.powers)[1:]:
            await dispatch(supply, "exposure")  # tells when it has lost its power
        if missing_s > _OPENING_S:
            raise self._partial(missing_s)
        return looks

    def must_be_whole(self, looks: Looks, thickness: float) -> None:
        """Accepts a film (nm) whose end somebody saw, or that is as thick as its rate promised.

        A supply that could not be asked when the shutter was to close may have lost its power, and
        would say the same.

        Raises:
            DeviceError: too little has grown.
        """
        promised = statistics.median_low(looks.rates or [0.0]) * self.duration_s / 60.0
        if looks.unwatched_s > _GRACE_S and thickness < _WHOLE * promised:
            raise DeviceError(
                self.tool,
                f"{thickness:.3g} nm have grown where {promised:.3g} nm were to, and nobody saw "
                "the shutter close: the film is partial",
                hint="look at the supply and its cable; discard the sample",
            )

    @property
    def _first(self) -> str:
        return next(iter(self.powers))

    async def _strike(self, dispatch: Dispatch) -> Struck:
        """Strikes, and brings the oxygen flow to where the film is to grow."""
        self.trace.phase = "presputter"
        if self.approach is not None:
            self.trace.phase = "approach"
            await reach(dispatch, "oxygen", "set_flow", flow=self.approach.start)
            await self.trace.wait(dispatch, _FLOW_S)
        started = dispatch.clock.now()
        for supply in self.powers:
            await dispatch(supply, "on")
        struck = Struck(started, dispatch.clock.now())
        if self.approach is not None:
            await self.trace.wait(dispatch, self.approach.after_s)
            await reach(dispatch, "oxygen", "set_flow", flow=self.approach.end)
            if dispatch.clock.now() > struck.after + self.presputter_s:
                raise self._opened_too_early("the oxygen flow was not set")
            self.trace.phase = "presputter"
        return struck

    async def _voltage(self, dispatch: Dispatch, struck: Struck) -> tuple[float, float]:
        """The last voltage of the first target, and by how much any of them has changed.

        A plasma that has gone out is not unsteady: the watch will say that nothing opened.
        """
        until_s = max(0.0, self.presputter_s - VOLTAGE_LEAD_S)
        window_s = min(self.steady.for_s, until_s)
        gone_s = dispatch.clock.now() - struck.before
        await self.trace.wait(dispatch, until_s - window_s - gone_s)
        since = dispatch.clock.now()
        begin = await self._plasmas(dispatch) if window_s else {}
        await self.trace.wait(dispatch, struck.before + until_s - dispatch.clock.now())
        end = await self._plasmas(dispatch)
        spread = 0.0
        for supply, (power, voltage) in end.items():
            if power >= 0.5 * self.powers[supply]:
                seen = [*self.trace.voltages(supply, since), voltage]
                seen += [begin[supply][1]] if supply in begin else []
                spread = max(spread, max(seen) - min(seen))
        return end[self._first][1], spread

    async def _plasmas(self, dispatch: Dispatch) -> dict[str, tuple[float, float]]:
        found = {}
        for supply in self.powers:
            plasma = await dispatch(supply, "plasma")
            found[supply] = plasma["power"], plasma["voltage"]
        return found

    async def _break_off(self, dispatch: Dispatch, struck: Struck) -> None:
        for supply in self.powers:
            await reach(dispatch, supply, "off")
        if dispatch.clock.now() > struck.after + self.presputter_s:
            raise self._opened_too_early("it was not switched off")

    def _opened_too_early(self, what: str) -> DeviceError:
        return DeviceError(
            self.tool,
            f"{what} before the shutter opened: the film is partial",
            hint="discard the sample; look why the parts answer so late",
        )

    def _until_next_look(self, remaining_s: float) -> float:
        """The last look but one is shortly before the end, so that an early end shows as one."""
        if remaining_s > self.watch_s + 2 * _LAST_LOOK_S:
            return self.watch_s
        return max(1.0, remaining_s - _LAST_LOOK_S * (remaining_s > 2 * _LAST_LOOK_S))

    async def _look(self, dispatch: Dispatch, looks: Looks, *, is_full: bool) -> None:
        """Reads what there is to know during growth; raises when a plasma has gone out."""
        for supply, (burning, _) in (await self._plasmas(dispatch)).items():
            if burning < 0.5 * self.powers[supply]:
                exposure = await dispatch(supply, "exposure")
                if exposure["shutter"]:
                    raise self._partial(exposure["remaining"])
                return
        if not is_full:
            return
        looks.rates.append((await dispatch("monitor", "growth"))["rate"])
        looks.pressures.append((await dispatch("gauge", "pressure"))["value"])
        looks.temperatures.append((await dispatch("heater", "temperature"))["value"])

    def _partial(self, missing_s: float) -> DeviceError:
        return DeviceError(
            self.tool,
            f"the plasma went out {missing_s:.0f} s before its time: the film is partial",
            hint="look at pressure, target and the supply's fault code; discard the sample",
        )


async def reach(dispatch: Dispatch, part: str, act: str, **arguments: float) -> None:
    """Has a part reach a state; once more when the line failed and it was not taken.

    Not after a break: what comes back may have forgotten more than this. Raises DeviceError.
    """
    try:
        await dispatch(part, act, **arguments)
    except (DeviceSilent, DeviceGarbled):
        await dispatch(part, act, **arguments)
