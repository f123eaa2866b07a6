"""One fault against one action of one driver, and what is found afterwards.

What is found does not come from the driver's own account: frames are noted where they reach the
instrument, effects and state are the world's, values are held against those of a clean second line
to the same instrument.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from benchmarks.drivers.child import Child
from benchmarks.drivers.devices import (
    LONGEST_S,
    ONCE,
    SHORTER,
    Bench,
    Device,
    beyond,
    drawn,
    is_once,
)
from benchmarks.drivers.serving import SPEED
from orchestrator.clock import ScaledClock, WallClock
from orchestrator.errors import DeviceError, DeviceRefused, DeviceReset, HaganeError, LimitExceeded
from orchestrator.ports.action import ActionSpec, Effect
from orchestrator.ports.resource import Bench as ResourceBench
from orchestrator.ports.resource import Health

TIMEOUT_S = 0.15
"""Of the drivers, for one reply."""
CORRUPTING = frozenset({"flip", "garble", "truncate"})
"""What may not be seen where a protocol has no checksum."""
FALSE = frozenset({"stuck", "drift"})
"""The instrument itself says what is not so."""
BEYOND_SHARE = 0.15
SETTLE_S = 1e6
CLEAN_S = 30.0
"""The longest that anything takes on a line without faults."""
RECONNECT_S, DRAIN_S, MACHINE_S = 2.0, 0.55, 4.0
"""The longest wait for a port to come back, for a line to be quiet; and for a busy machine."""
_REGENERATE = 100


@dataclass
class Found:
    """What one trial came to. `faults` are its sentences, by the count that they belong to;
    `went_beyond`: a call outside limits was tried too; `is_once`: it must never be sent twice."""

    kind: str
    action: str
    how: str
    struck: bool
    outcome: str
    seconds: float
    faults: list[tuple[str, str]] = field(default_factory=list)
    went_beyond: bool = False
    is_once: bool = False


@dataclass
class _Profile:
    """Frames of an action on a clean line, and how many instrument effects it has."""

    frames: Counter[str]


class Tried:
    """One port's bench on a child's world: the drivers on its faulty and on its clean line."""

    def __init__(self, bench: Bench, name: str, child: Child, seed: int) -> None:
        self.bench, self.name, self._child, self._seed = bench, name, child, seed
        self.n = 0
        self._number = 0
        self._hows: list[str] = []
        self._struck = 0
        self._faulty: dict[str, Any] = {}
        self._clean: dict[str, Any] = {}
        self._ports: Mapping[str, str] = {}
        self._profiles: dict[tuple[str, str], _Profile] = {}

    async def trial(self) -> Found:
        """The next fault."""
        if self.n % _REGENERATE == 0:
            await self._renew()
        self.n += 1
        chance = Random(f"{self._seed} {self.bench.port} {self.n}")
        device = chance.choice(self.bench.devices)
        names = [*device.actions, "health", "identify"]
        name = chance.choice(names)
        spec = device.actions.get(name)
        arguments = drawn(device.kind, spec, chance) if spec else {}
        how, profile = chance.choice(self._hows), self._profiles[device.name, name]
        seconds = _lasting(how, chance)
        after = chance.randrange(max(1, profile.frames.total()))
        found = Found(device.kind, name, how, False, "", 0.0)
        before = await self._truth(device, name, spec, arguments)
        await self._look()
        await self._ask(
            "fail", how=how, after=after, times=1, seconds=seconds, seed=chance.randrange(2**31)
        )
        wrong = beyond(spec, arguments, chance) if spec else None
        if wrong is not None and chance.random() < BEYOND_SHARE:
            await self._go_beyond(found, device, name, wrong)
        value = await self._act(found, device, name, arguments, seconds)
        healed = await self._ask("heal")
        found.struck, self._struck = healed["struck"] > self._struck, healed["struck"]
        seen = await self._look()
        self._check_once(found, spec, profile, seen)
        if found.outcome == "done" and _is_reading(spec):
            after_value = await self._truth(device, name, spec, arguments)
            self._check_value(found, value, (before, after_value))
        is_setting = spec is not None and spec.effect is Effect.IDEMPOTENT
        stays = how != "reboot" and self.bench.keeps
        if found.outcome == "done" and is_setting and stays:
            await self._check_done(found, device, name, arguments)
        await self._check_recovery(found, device)
        return found

    async def close(self) -> None:
        """Lets go of everything."""
        for driver in (*self._faulty.values(), *self._clean.values()):
            await driver.close()
        if self._number:
            await self._ask("close")

    async def _renew(self) -> None:
        """A fresh world, so that no trial depends on what hundreds before it have done.

        The system gives the names of terminals again, and somebody else on this machine may still
        hold the lock of a name: then another one is taken. A loaded machine may be later than the
        time-out of a first question.
        """
        for _ in range(20):
            try:
                return await self._open()
            except DeviceError:
                continue
        return await self._open()

    async def _open(self) -> None:
        await self.close()
        self._number += 1
        bench = self.bench
        said = await self._ask(
            "open",
            world=bench.world,
            seed=bench.seed,
            port=bench.port,
            others=bench.others,
            runs=bench.runs,
        )
        self._hows, self._ports, self._struck = said["hows"], said["ports"], 0
        self._faulty = {d.name: self._driver(d, is_clean=False) for d in bench.devices}
        self._clean = {d.name: self._driver(d, is_clean=True) for d in bench.devices}
        for driver in (*self._faulty.values(), *self._clean.values()):
            await driver.open()
            await driver.identify()
        for driver in self._clean.values():
            if hasattr(driver, "initialise"):
                await driver.initialise()
        if not self._profiles:
            for device in bench.devices:
                await self._profile(device)

    def _driver(self, device: Device, *, is_clean: bool) -> Any:
        clock = ScaledClock(SPEED) if self.bench.runs else WallClock()
        options = {n: self._address(v, is_clean=is_clean) for n, v in device.options.items()}
        # the clean line shall answer however busy the machine is
        options["timeout"] = 20.0 if is_clean else TIMEOUT_S
        options |= SHORTER.get(device.kind, {})
        return device.driver(bench=ResourceBench(device.name, clock), **options)

    def _address(self, value: Any, *, is_clean: bool) -> Any:
        if not isinstance(value, str) or not value.startswith("twin:"):
            return value
        port = value.removeprefix("twin:")
        return self._ports[port if port == self.bench.port and not is_clean else f"{port} clean"]

    async def _profile(self, device: Device) -> None:
        chance = Random(1)
        for name in ("identify", "health", *device.actions):
            spec = device.actions.get(name)
            arguments = drawn(device.kind, spec, chance) if spec else {}
            await self._look()
            driver = self._faulty[device.name]
            for _ in range(20):  # a loaded machine may be later than the time-out
                try:
                    await asyncio.wait_for(getattr(driver, name)(**arguments), CLEAN_S)
                    break
                except TimeoutError:
                    break
                except HaganeError:
                    if spec and is_once(spec):
                        break
            seen = await self._look()
            self._profiles[device.name, name] = _Profile(Counter(seen["arrived"]))
            await self._calm(device)

    async def _calm(self, device: Device) -> None:
        with contextlib.suppress(HaganeError):
            await self._clean[device.name].make_safe()

    async def _act(
        self, found: Found, device: Device, name: str, arguments: Mapping[str, Any], lasts_s: float
    ) -> Any:
        frames = self._profiles[device.name, name].frames.total()
        frames += self._profiles[device.name, "identify"].frames.total()
        longest_s = max(TIMEOUT_S, LONGEST_S.get(device.kind, 0.0))
        bound_s = 3 * longest_s + lasts_s + RECONNECT_S + DRAIN_S * frames + MACHINE_S
        began = time.monotonic()
        value = None
        try:
            method: Callable[..., Awaitable[Any]] = getattr(self._faulty[device.name], name)
            value = await asyncio.wait_for(method(**arguments), bound_s)
            found.outcome = "done"
        except TimeoutError:
            found.outcome = "hung"
            found.faults.append(("hangs", f"nothing after {bound_s:.1f} s"))
        except HaganeError as error:
            found.outcome = type(error).__name__
        except Exception as error:  # noqa: BLE001 - a driver's own fault is a finding
            found.outcome = type(error).__name__
            found.faults.append(("crashes", f"{type(error).__name__}: {error}"))
        found.seconds = time.monotonic() - began
        return value

    async def _go_beyond(
        self, found: Found, device: Device, name: str, wrong: Mapping[str, Any]
    ) -> None:
        found.went_beyond = True
        try:
            await getattr(self._faulty[device.name], name)(**wrong)
            found.faults.append(("beyond", f"{dict(wrong)} was taken"))
        except LimitExceeded:
            pass
        except Exception as error:  # noqa: BLE001 - a driver's own fault is a finding
            found.faults.append(("beyond", f"{dict(wrong)}: {type(error).__name__}"))
        arrived = (await self._look())["arrived"]
        if arrived:
            found.faults.append(("beyond", f"{dict(wrong)} sent {arrived}"))

    def _check_once(
        self, found: Found, spec: ActionSpec | None, profile: _Profile, seen: Mapping[str, Any]
    ) -> None:
        """An action that must not be repeated: each of its own frames once, each effect once."""
        found.is_once = spec is not None and is_once(spec)
        if spec is None or not found.is_once:
            return
        others: set[str] = set()
        for (_, name), other in self._profiles.items():
            others |= set(other.frames) if name != spec.name else set()
        for frame, n in Counter(seen["arrived"]).items():
            is_it = ONCE.get(found.kind, b"") in bytes.fromhex(frame)
            if is_it and frame not in others and n > max(1, profile.frames[frame]):
                found.faults.append(("twice", f"{frame} arrived {n} times"))
        for effect, n in seen["effects"].items():
            if n > 1 and effect != "effects":
                found.faults.append(("twice", f"{effect} happened {n} times"))

    def _check_value(self, found: Found, value: Any, truths: tuple[Any, Any]) -> None:
        truth = truths[1]
        is_told_once = found.how == "reboot" and self.bench.tells_once
        if is_told_once and isinstance(value, Health) and isinstance(truth, Health):
            value = replace(value, note=truth.note)
        if found.how in FALSE or any(
            _agree(value, truth, scatters=self.bench.scatters) for truth in truths
        ):
            return
        count = "undetected" if found.how in CORRUPTING else "wrong"
        found.faults.append((count, f"{value} in place of {truths[1]}"))

    async def _check_done(
        self, found: Found, device: Device, name: str, arguments: Mapping[str, Any]
    ) -> None:
        """Done once more on the clean line, it must change nothing but what changes by itself."""
        first, second = await self._settled(), await self._settled()
        await self._once_more(device, name, arguments)
        by_itself, changed = _changes(first, second), _changes(second, await self._settled())
        if changed.keys() - by_itself.keys():
            said = f"{name}({dict(arguments)}) was said to be done; once more changes {changed}"
            found.faults.append(("undone", said))

    async def _once_more(self, device: Device, name: str, arguments: Mapping[str, Any]) -> None:
        try:
            await getattr(self._clean[device.name], name)(**arguments)
        except DeviceRefused:  # it misses what it had set before the other line set something else
            await self._clean[device.name].close()
            self._clean[device.name] = driver = self._driver(device, is_clean=True)
            await driver.open()
            await getattr(driver, name)(**arguments)

    async def _settled(self) -> str:
        await self._ask("wait", seconds=SETTLE_S)
        return str((await self._look())["state"])

    async def _check_recovery(self, found: Found, device: Device) -> None:
        """On a line that is well again the next question gets its own answer."""
        spec, name = None, "identify"
        readings = [n for n, s in device.actions.items() if s.effect is Effect.NONE and not s.args]
        if readings:
            name = readings[found.seconds.__hash__() % len(readings)]
            spec = device.actions[name]
        await self._calm(device)
        value, error = None, None
        for _ in range(3):  # a loaded machine may be later than the time-out, and that is no fault
            try:
                value = await getattr(self._faulty[device.name], name)()
                error = None
                break
            except Exception as failure:  # noqa: BLE001 - a driver's own fault is a finding
                error = failure
        truth = await self._truth(device, name, spec, {})
        if error is not None and type(error) is truth:
            return  # the device itself refuses it, on the clean line as well
        if error is not None:
            found.faults.append(("unrecovered", f"{name}: {type(error).__name__}: {error}"))
        elif not _agree(value, truth, scatters=self.bench.scatters):
            found.faults.append(("wrong", f"{name} afterwards: {value} in place of {truth}"))

    async def _truth(
        self, device: Device, name: str, spec: ActionSpec | None, arguments: Mapping[str, Any]
    ) -> Any:
        if spec is not None and spec.effect is not Effect.NONE:
            return None
        try:
            with contextlib.suppress(DeviceReset):  # told once, of an earlier trial's power cut
                return await self._asked_clean(device, name, arguments)
            return await self._asked_clean(device, name, arguments)
        except (HaganeError, TimeoutError) as error:
            return type(error)

    async def _asked_clean(self, device: Device, name: str, arguments: Mapping[str, Any]) -> Any:
        asked = getattr(self._clean[device.name], name)(**arguments)
        return await asyncio.wait_for(asked, CLEAN_S)

    async def _look(self) -> dict[str, Any]:
        seen = await self._ask("look")
        counts = seen["counts"]
        before, self._counts = getattr(self, "_counts", counts), counts
        return {**seen, "effects": {k: v - before.get(k, 0) for k, v in counts.items()}}

    async def _ask(self, do: str, **facts: Any) -> dict[str, Any]:
        return await self._child.ask(do, f"{self.name} {self._number}", **facts)


def _lasting(how: str, chance: Random) -> float:
    share = {
        "delay": (0.2, 2.5),
        "split": (0.1, 2.5),
        "hang": (0.5, 6.0),
        "unplug": (0.1, 3.0),
        "reboot": (0.1, 4.0),
    }.get(how)
    return round(TIMEOUT_S * chance.uniform(*share), 3) if share else 0.0


def _is_reading(spec: ActionSpec | None) -> bool:
    return spec is None or spec.effect is Effect.NONE


def _agree(value: Any, truth: Any, *, scatters: bool) -> bool:
    one, other = _plain(value), _plain(truth)
    if one.keys() != other.keys():
        return False
    return all(
        (scatters and isinstance(one[name], float)) or _same(one[name], other[name]) for name in one
    )


def _plain(value: Any) -> dict[str, Any]:
    if hasattr(value, "__dict__"):
        return dict(vars(value))
    return {"value": value}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)


def _changes(first: str, second: str) -> dict[str, Any]:
    """What of two states differs, at six digits."""
    before, after = (json.loads(text, parse_float=_six_digits) for text in (first, second))
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def _six_digits(text: str) -> float:
    return float(f"{float(text):.6g}")
