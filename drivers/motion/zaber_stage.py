"""Zaber linear stage: one axis of a device, perhaps one of several devices on a chain.

Protocol and source: `drivers.protocols.zaber`. Positions go over the wire in microsteps, whose
length stands on the stage's data sheet. No `recognised_by`: the letters of this protocol's
questions switch other instruments on. Tried on hardware: no.
"""

from __future__ import annotations

import itertools
from asyncio import CancelledError
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from drivers.instrument import Instrument, within
from drivers.protocols import zaber
from drivers.protocols.framing import Dialogue, Refused, whole
from drivers.transports import Settings
from orchestrator.errors import DeviceError, DeviceRefused, DeviceReset, InputError
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity

_POLL_S = 0.1
_STOPS, _BRAKES_S = 3, 1.5
"""So often it is told to stop, and so long it has for it each time (campaign time)."""
_REFERENCE = "reference"
_TOLERANCE_STEPS = 2
"""A closed-loop axis holds its position to within its encoder's count."""


class ZaberStage(Instrument):
    """One axis, driven to positions between `lowest` and `highest` once it was homed.

    `microstep` is the length of one, and `home_at` where it stands by its own count once it was
    homed. With `checksums` each command bears one and each reply must; a device that is not set so,
    or was without power, is set so (`set comm.checksum 1`).
    """

    implements = ("LinearStage",)

    def __init__(
        self,
        bench: Bench,
        port: str,
        microstep: Annotated[float, Unit("um", low=1e-6)],
        highest: Annotated[float, Unit("mm")],
        lowest: Annotated[float, Unit("mm")] = 0.0,
        home_at: Annotated[float, Unit("mm")] = 0.0,
        device: Annotated[int, Unit("", low=1, high=99)] = 1,
        axis: Annotated[int, Unit("", low=1, high=9)] = 1,
        checksums: bool = True,
        longest_move: Annotated[float, Unit("s", low=0.1)] = 120.0,
        baudrate: Annotated[int, Unit("", low=1)] = 115200,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        if not lowest < highest or not microstep > 0:
            raise InputError(
                f"{bench.name}: microstep must be positive, and highest above lowest",
                hint="the length of a microstep and the travel stand on the data sheet",
            )
        super().__init__(bench, port, Settings(baudrate=baudrate), timeout)
        self._numbers = itertools.cycle(range(zaber.N_IDS))
        self._device, self._axis = zaber.Address(device), zaber.Address(device, axis)
        self._microstep, self._lowest, self._highest = microstep, lowest, highest
        self._home_at, self._checksums, self._longest_move = home_at, checksums, longest_move

    def who(self) -> Dialogue[Identity]:
        """The number of the model, the serial number and the firmware."""
        found = []
        for setting in ("deviceid", "system.serial", "version"):
            found.append((yield from self._ask(f"get {setting}", self._device)).data)
        model, serial, firmware = found
        return Identity("Zaber", f"device {model}", serial=serial, firmware=firmware)

    async def health(self) -> Health:
        """Fit unless a fault is flagged; one that was not homed is fit. Raises DeviceError."""
        flags = await self._flags()
        note = ", ".join(zaber.named(flag) for flag in flags)
        return Health(not any(flag.startswith(zaber.FAULT) for flag in flags), note)

    async def make_safe(self) -> None:
        """Comes to rest where it is, ahead of all that waits. Raises DeviceError."""
        await self._halt()

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def home(self) -> None:
        """Drives to the reference, and stands there. Given up, it stops.

        Raises:
            DeviceError: it does not get there, or stalls.
        """

        def confirm() -> Dialogue[bool]:
            return (yield from self._ask("")).is_busy

        self.link.release(_REFERENCE)
        await self._drive("home", confirm)
        await self._must_have_reference("ended at rest and is still")
        found = await self._steps()
        if not self._is_at(found, self._step_at(self._home_at)):
            stands = found * self._microstep / 1000.0
            raise self._error(
                f"stands at {stands:.4g} mm after it was homed, not at {self._home_at:g} mm"
            )
        self.link.hold(_REFERENCE, self._has_reference, what="the reference")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def move_to(self, position: Annotated[float, Unit("mm")]) -> None:
        """Stands at a position, to within 2 microsteps. Given up, it stops where it is.

        Raises:
            LimitExceeded: it is not between `lowest` and `highest`.
            DeviceRefused: it was not homed, or is moving.
            DeviceError: it does not get there, or stalls.
        """
        within("position", position, self._lowest, self._highest, "mm")
        target = self._step_at(position)

        def confirm() -> Dialogue[bool]:
            answer = yield from self._ask("get pos")
            return answer.is_busy or self._is_at(_steps(answer), target)

        await self._must_know_where_it_is()
        await self._drive(f"move abs {target}", confirm)
        # without power on the way it counts from somewhere else
        await self._must_have_reference("came to rest and does not know where it is:")
        found = await self._steps()
        if not self._is_at(found, target):
            stands = found * self._microstep / 1000.0
            raise self._error(f"came to rest at {stands:.4g} mm on its way to {position:g} mm")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def stop(self) -> None:
        """Comes to rest where it is, ahead of all that waits. Raises DeviceError."""
        await self._halt()

    @reading
    async def position(self) -> Annotated[float, Unit("mm")]:
        """Where it is. Raises DeviceError: also when it was not homed, and does not know."""
        await self._must_have_reference("does not know where it is:")
        return await self._steps() * self._microstep / 1000.0

    async def _drive(self, words: str, confirm: Callable[[], Dialogue[bool]]) -> None:
        """Sets it moving and waits until it is at rest."""

        def tell() -> Dialogue[None]:
            yield from self._order(words)

        try:
            await self.link.write(tell, confirm, what=f"'{words}'")
            await self._come_to_rest(words)
        except (CancelledError, DeviceReset):
            with suppress(DeviceError):
                await self._halt()
            raise

    async def _come_to_rest(self, words: str) -> None:
        waited_s = 0.0
        while (answer := await self.link.read(lambda: self._ask(""))).is_busy:
            if waited_s >= self._longest_move:
                await self._halt()
                raise self._error(f"was still moving {waited_s:.0f} s after '{words}': stopped")
            await self.bench.clock.sleep(_POLL_S)
            waited_s += _POLL_S
        if answer.warning.startswith(zaber.FAULT):
            raise self._error(f"ended '{words}' with {zaber.named(answer.warning)}")

    async def _halt(self) -> None:
        """Stops it, and sees that it stands: a stop may be lost, and one may be ignored."""
        pauses = int(_BRAKES_S / _POLL_S)
        for _ in range(_STOPS):
            await self.link.read(lambda: self._ask("stop"), urgent=True)
            for _ in range(pauses):
                if not (await self.link.read(lambda: self._ask(""), urgent=True)).is_busy:
                    return
                await self.bench.clock.sleep(_POLL_S)
        raise self._error(f"was told to stop {_STOPS} times and is still moving")

    async def _must_have_reference(self, what: str) -> None:
        flags = zaber.NO_REFERENCE.intersection(await self._flags())
        if flags:
            self.link.release(_REFERENCE)
            raise self._error(f"{what} {zaber.named(min(flags))}")

    def _has_reference(self) -> Dialogue[bool]:
        flags = zaber.warnings((yield from self._ask("warnings")))
        return not zaber.NO_REFERENCE.intersection(flags)

    async def _must_know_where_it_is(self) -> None:
        flags = zaber.NO_REFERENCE.intersection(await self._flags())
        if flags:
            raise DeviceRefused(
                self.bench.name,
                f"does not move before it was homed: {zaber.named(min(flags))}",
                hint="home it, with nothing in its way",
            )
        if (await self.link.read(lambda: self._ask(""))).is_busy:
            raise DeviceRefused(self.bench.name, "is moving", hint="wait for it, or stop it")

    async def _flags(self) -> tuple[str, ...]:
        def talk() -> Dialogue[tuple[str, ...]]:
            return zaber.warnings((yield from self._ask("warnings")))

        return await self.link.read(talk)

    async def _steps(self) -> int:
        def talk() -> Dialogue[int]:
            return _steps((yield from self._ask("get pos")))

        return await self.link.read(talk)

    def _is_at(self, found: int, target: int) -> bool:
        return abs(found - target) <= _TOLERANCE_STEPS

    def _step_at(self, position_mm: float) -> int:
        return round(position_mm * 1000.0 / self._microstep)

    def _ask(self, words: str, to: zaber.Address | None = None) -> Dialogue[zaber.Answer]:
        """What may be asked twice; a device that has forgotten its checksums is told of them."""
        try:
            return (yield from self._order(words, to))
        except zaber.Unchecked:
            with suppress(Refused):
                yield from zaber.bear_checksums(self._device, next(self._numbers))
        return (yield from self._order(words, to))

    def _order(self, words: str, to: zaber.Address | None = None) -> Dialogue[zaber.Answer]:
        number = next(self._numbers)
        return zaber.ask(to or self._axis, number, words, with_checksum=self._checksums)

    def _error(self, what: str) -> DeviceError:
        return DeviceError(
            self.bench.name, what, hint="look whether something is in its way, then home it"
        )


def _steps(answer: zaber.Answer) -> int:
    digits = answer.data.removeprefix("-")
    return -whole(digits) if digits != answer.data else whole(digits)
