"""IKA hot plates with a magnetic stirrer (RCT digital, C-MAG HS control, RET).

Protocol and source: `drivers.protocols.namur`. Tried on hardware: no.

The plate says what its set-points are, and not whether it heats or stirs; it answers nothing to
START and STOP. So `off` sets the set-points to zero as well, which can be read back; and after
START the driver looks whether the stirrer turns and the plate grows warmer. Of a plate that is
hotter than its set-point, or nearly as hot, that cannot be seen.

The watchdog. Before it heats or stirs, the plate is told that it will hear from us (`OUT_WD1@t`),
and the driver repeats that four times in `t` seconds of wall time, as long as it is open. When
program, computer or cable dies, the plate switches heating and stirring off by itself `t` seconds
later and shows Er 2; it has to be switched off and on by hand then. Mode 1 cannot be taken back,
so the same happens `t` seconds after the driver was closed. In mode 2 (`watchdog_mode: 2`) the
set-points fall to zero instead, and an orderly end takes the watchdog back.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, NoReturn

from drivers.instrument import Instrument, Talk, within
from drivers.protocols import namur
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.errors import (
    DeviceError,
    DeviceGarbled,
    DeviceGone,
    DeviceRefused,
    DeviceSilent,
    InputError,
)
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Identity

_FRAMES = {"7E1": Settings(bytesize=7, parity="E"), "8N1": Settings()}
_FEEDS = 4
_STATES = {1: "temperature", 4: "speed"}
_NEAR_K, _NEAR_RPM = 0.5, 1.0
"""A plate may have whole degrees and whole turns."""
_GAP_K, _WARMER_K = 5.0, 0.5
"""A plate that is so far below its set-point heats so much that it can be seen soon."""
_TURNS_SHARE, _TURNS_WITHIN_S = 0.5, 15.0
"""A stirrer that has come to this share of its speed turns (campaign time)."""
_LOOK_S = 1.0


class IkaHotPlate(Instrument):
    """A hot plate; `temperature` is the plate's, or with `external` that of the sensor in the
    vessel, by which the plate then regulates.

    A set-point above what the screw of its safety circuit allows is refused. When the plate is not
    warmer `heats_within` after it was told to heat, that is told; 0 does not look. `watchdog: 0`
    goes without. `frame` is how characters go over the line: 7E1, or 8N1 through a converter (a
    twin takes either).
    """

    implements = ("HotPlate",)

    def __init__(
        self,
        bench: Bench,
        port: str,
        max_temperature: Annotated[float, Unit("degC", low=0, high=500)] = 300.0,
        max_speed: Annotated[float, Unit("rpm", low=0, high=3000)] = 1500.0,
        external: bool = False,
        heats_within: Annotated[float, Unit("s", low=0)] = 60.0,
        watchdog: Annotated[int, Unit("s", low=0, high=1500)] = 60,
        watchdog_mode: Annotated[int, Unit("", low=1, high=2)] = 1,
        frame: str = "7E1",
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        if frame not in _FRAMES:
            raise InputError(f"{bench.name}: frame '{frame}' is not one of {', '.join(_FRAMES)}")
        if watchdog:
            within(f"{bench.name}.watchdog", watchdog, 20, 1500, "s")
        super().__init__(bench, port, _FRAMES[frame], timeout)
        self._max_temperature, self._max_speed = max_temperature, max_speed
        self._sensor, self._heats_within = 1 if external else 2, heats_within
        self._watchdog, self._watchdog_mode = watchdog, watchdog_mode
        self._feeding: asyncio.Task[None] | None = None
        self._may_be_on = False

    def who(self) -> Dialogue[Identity]:
        """The name; the plate tells no serial number."""
        return Identity("IKA", (yield from namur.ask("IN_NAME")))

    async def close(self) -> None:
        """Disconnects; never raises. A watchdog of mode 2 is taken back, but only after an `off`:
        a plate that may still heat is left to its watchdog."""
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.gather(self._feeding, return_exceptions=True)
            self._feeding = None
            if self._watchdog_mode == 2 and not self._may_be_on:
                with contextlib.suppress(DeviceError):
                    await self.link.read(_take_back)
        await self.link.close()

    async def make_safe(self) -> None:
        """Neither heats nor stirs. Raises DeviceError."""
        self._let_go()
        await self._reach(_off, "the command to stop", urgent=True)
        self._may_be_on = False

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_temperature(
        self, temperature: Annotated[float, Unit("degC", low=0, high=500)]
    ) -> None:
        """Heats to this temperature, in tenths of a degree; it does so when the plate is warmer.

        Raises:
            DeviceRefused: the plate takes another set-point than this, or does not grow warmer; it
                does not heat to it.
            LimitExceeded, DeviceError.
        """
        within("temperature", temperature, 0.0, self._max_temperature, "degC")
        before = await self.link.read(_plate_temperature)
        what, value = f"a temperature of {temperature:g} degC", round(temperature, 1)
        await self._start(1, value, _NEAR_K, what)
        if value - before >= _GAP_K and self._heats_within:
            await self._must_warm(what, before)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_speed(self, speed: Annotated[float, Unit("rpm", low=0, high=3000)]) -> None:
        """Stirs at this speed, in whole turns; it does so when the stirrer turns. 0 stops it.

        Raises:
            DeviceRefused: the plate takes another set-point than this, or its stirrer stands.
            LimitExceeded, DeviceError.
        """
        within("speed", speed, 0.0, self._max_speed, "rpm")
        if speed:
            what = f"a speed of {speed:g} rpm"
            await self._start(4, float(round(speed)), _NEAR_RPM, what)
            await self._must_turn(what, speed)
        else:
            self.link.release(_STATES[4])
            await self._reach(lambda: _stop(4), "the command to stop stirring")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Neither heats nor stirs. Raises DeviceError."""
        self._let_go()
        await self._reach(_off, "the command to stop")
        self._may_be_on = False

    @reading
    async def temperature(self) -> Annotated[float, Unit("degC")]:
        """The measured temperature. Raises DeviceError."""
        return await self.link.read(lambda: namur.ask_number(f"IN_PV_{self._sensor}"))

    @reading
    async def speed(self) -> Annotated[float, Unit("rpm")]:
        """The measured speed of the stirrer. Raises DeviceError."""
        return await self.link.read(lambda: namur.ask_number("IN_PV_4"))

    def _let_go(self) -> None:
        for state in _STATES.values():
            self.link.release(state)

    async def _start(self, channel: int, value: float, near: float, what: str) -> None:
        def talk() -> Dialogue[None]:
            yield from self._arm()
            yield from namur.tell(f"OUT_SP_{channel} {value:g}")
            found = yield from namur.ask_number(f"IN_SP_{channel}")
            if abs(found - value) > near:
                yield from _stop(channel)
                raise Refused(f"{what} was sent, and the plate takes {found:g}")
            yield from namur.tell(f"START_{channel}")
            # nothing answers that; an answer to this says that it was heard
            yield from namur.ask_number(f"IN_SP_{channel}")

        def holds() -> Dialogue[bool]:
            return abs((yield from namur.ask_number(f"IN_SP_{channel}")) - value) <= near

        self._may_be_on = True
        self.link.release(_STATES[channel])
        await self._reach(talk, what)
        self.link.hold(_STATES[channel], holds, what=what)
        if self._watchdog and self._feeding is None:
            self._feeding = asyncio.get_running_loop().create_task(self._feed())

    async def _must_warm(self, what: str, lowest: float) -> None:
        """Looks whether the plate grows warmer, after it has ceased to grow colder."""
        clock = self.bench.clock
        began = clock.now()
        while (found := await self.link.read(_plate_temperature)) < lowest + _WARMER_K:
            lowest = min(lowest, found)
            if clock.now() - began > self._heats_within:
                await self._not_done(1, f"{what} was set, and the plate stands at {found:g} degC")
            await clock.sleep(_LOOK_S)

    async def _must_turn(self, what: str, speed: float) -> None:
        clock = self.bench.clock
        began = clock.now()
        while (found := await self.speed()) < _TURNS_SHARE * speed:
            if clock.now() - began > _TURNS_WITHIN_S:
                await self._not_done(4, f"{what} was set, and the stirrer turns at {found:g} rpm")
            await clock.sleep(_LOOK_S)

    async def _not_done(self, channel: int, said: str) -> NoReturn:
        """Takes back what the plate was told and does not do. Raises DeviceRefused."""
        self.link.release(_STATES[channel])
        await self._reach(lambda: _stop(channel), "the command to stop")
        raise DeviceRefused(
            self.bench.name,
            said,
            hint="look at the plate: after an error (Er 2 when its watchdog has bitten) nothing "
            "starts before it was switched off and on",
        )

    async def _reach(self, talk: Talk[None], what: str, *, urgent: bool = False) -> None:
        """Plays a dialogue whose settings are absolute: what is sent twice is set once."""
        try:
            await self.link.read(talk, urgent=urgent)
        except (DeviceSilent, DeviceGarbled, DeviceGone) as error:
            raise self.link.unsure(what, error) from error

    def _arm(self) -> Dialogue[None]:
        if not self._watchdog:
            return
        if self._watchdog_mode == 2:
            yield from namur.set_echoed("OUT_SP_12", 0.0)
            yield from namur.set_echoed("OUT_SP_42", 0.0)
        yield from namur.set_echoed(f"OUT_WD{self._watchdog_mode}", float(self._watchdog))

    async def _feed(self) -> None:
        """Tells the watchdog that we are there. A line that fails is no reason to give up."""
        while True:
            await asyncio.sleep(self._watchdog / _FEEDS)
            with contextlib.suppress(DeviceError):
                await self.link.read(self._arm)


def _plate_temperature() -> Dialogue[float]:
    return namur.ask_number("IN_PV_2")


def _stop(channel: int) -> Dialogue[None]:
    """Stops, and sets the set-point to zero, which can be read back."""
    yield from namur.tell(f"STOP_{channel}")
    yield from namur.tell(f"OUT_SP_{channel} 0")
    found = yield from namur.ask_number(f"IN_SP_{channel}")
    if found != 0.0:
        raise Refused(f"the plate was told to stop, and has a set-point of {found:g}")


def _off() -> Dialogue[None]:
    yield from _stop(1)
    yield from _stop(4)


def _take_back() -> Dialogue[None]:
    yield from namur.set_echoed("OUT_WD2", 0.0)
