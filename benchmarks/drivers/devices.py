"""The drivers that are tried: those of the labs of twins, with what their actions are given.

A lab file of twins is all that is needed: each of its ports becomes a bench with the resources
behind it. What an action is tried with follows from its declared limits; where these say too
little (a position, a range that an option narrows), `GIVEN` says it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.record import ROOT
from orchestrator import plugins
from orchestrator.files.lab import load_lab
from orchestrator.ports.action import ActionSpec, Effect, actions_of

LABS = (
    *sorted((ROOT / "campaigns").glob("*/twins.yaml")),
    *sorted((Path(__file__).parent / "labs").glob("*.yaml")),
)
GIVEN: Mapping[str, Mapping[str, Any]] = {
    "alicat.set_flow": {"flow": (0.0, 10.0)},
    "aja-dcxs.set_power": {"power": (0.0, 250.0)},
    "modbus-heater.set_temperature": {"temperature": (20.0, 500.0)},
    "ika.set_temperature": {"temperature": (30.0, 300.0)},
    "ika.set_speed": {"speed": (0.0, 1500.0)},
    "cavro.load": {"volume": (10.0, 900.0)},
    "cavro.dispense": {"volume": (10.0, 400.0)},
    "new-era.dispense": {"volume": (1.0, 50.0)},
    "tdk-genesys.set_voltage": {"voltage": (0.0, 40.0)},
    "tdk-genesys.set_current": {"current": (0.0, 38.0)},
    "ur-arm.place": {"at": "tray", "source": "blanks", "sample": ""},
    "ur-arm.move": {"to": "tray", "source": "blanks", "sample": ""},
}
"""What an action is tried with beyond its limits: a range to draw from, or a value."""
SHORTER: Mapping[str, Mapping[str, float]] = {"mt-sics": {"settling": 1.0}}
"""Time-outs of their own that drivers take as options, shortened: silences are what is tried."""
LONGEST_S: Mapping[str, float] = {"keithley-2400": 5.0, "ur-arm": 10.0, "mt-sics": 1.0}
"""The longest time-out that a driver declares for one reply beside its option `timeout`."""
ONCE: Mapping[str, bytes] = {"new-era": b"RUN", "http": b"POST "}
"""What the command that must not be repeated has in it, where what sets it up may be."""
SCATTERING = frozenset({"ur-arm", "cavro", "new-era", "pfeiffer-turbo", "mt-sics", "ika"})
"""Kinds whose readings scatter or go on by themselves: only words are held against the clean
line's, not numbers."""
STEADY = frozenset({"ika", "zaber-stage", "http"})
"""Kinds whose time runs, and whose settings stay as they were set nevertheless."""
RUNNING = SCATTERING | STEADY
"""Kinds whose actions wait for the device: their twins' time runs, the others' stands still."""

TELLING_ONCE = frozenset({"new-era"})
"""Kinds that say only to whoever asks first that they were without power."""


@dataclass(frozen=True)
class Device:
    """A resource of a lab: the driver, its options and the option that names the faulty port."""

    name: str
    kind: str
    driver: type
    options: Mapping[str, Any]

    @property
    def actions(self) -> dict[str, ActionSpec]:
        """What can be tried: no composite's actions."""
        found = actions_of(self.driver)
        return {name: spec for name, spec in found.items() if not spec.is_composite}


@dataclass(frozen=True)
class Bench:
    """A port of a world of twins, and who is behind it; `others` are further ports they use."""

    world: str
    seed: int
    port: str
    devices: tuple[Device, ...]
    others: tuple[str, ...] = field(default=())

    @property
    def runs(self) -> bool:
        """Whether the twins' time runs."""
        return any(device.kind in RUNNING for device in self.devices)

    @property
    def keeps(self) -> bool:
        """Whether what was set stays, so that to set it once more changes nothing."""
        return all(device.kind not in RUNNING - STEADY for device in self.devices)

    @property
    def scatters(self) -> bool:
        """Whether two readings on the clean line may differ."""
        return any(device.kind in SCATTERING for device in self.devices)

    @property
    def tells_once(self) -> bool:
        """Whether a power cut is told once, and not on the clean line too."""
        return any(device.kind in TELLING_ONCE for device in self.devices)


def benches(labs: tuple[Path, ...] = LABS) -> Iterator[Bench]:
    """One for each port of each lab."""
    for file in labs:
        names = plugins.installed("resources"), plugins.installed("twins")
        lab = load_lab(file, plugins.resource_kind, *names)
        if lab.twins is None:
            continue
        behind: dict[str, list[Device]] = {}
        for binding in lab.resources:
            kind = plugins.resource_kind(binding.kind, binding.declaration)
            device = Device(binding.name, binding.kind, kind.cls, binding.options)
            for port in _ports(device) if "port" in device.options else ():
                behind.setdefault(port, []).append(device)
        for port, devices in behind.items():
            others = {p for d in devices for p in _ports(d) if p != port}
            yield Bench(lab.twins.world, lab.twins.seed, port, tuple(devices), tuple(others))


def _ports(device: Device) -> list[str]:
    texts = (value for value in device.options.values() if isinstance(value, str))
    return [text.removeprefix("twin:") for text in texts if text.startswith("twin:")]


def drawn(kind: str, spec: ActionSpec, chance: Random) -> dict[str, Any]:
    """Valid arguments of an action."""
    given = GIVEN.get(f"{kind}.{spec.name}", {})
    found: dict[str, Any] = {}
    for arg in spec.args:
        value = given.get(arg.name)
        if isinstance(value, str):
            found[arg.name] = value
        elif arg.kind in ("real", "integer") and (arg.required or value is not None):
            low, high = value or (arg.low or 0.0, 10.0 if arg.high is None else arg.high)
            number = chance.uniform(low, high)
            found[arg.name] = round(number) if arg.kind == "integer" else round(number, 1)
        elif arg.choices:
            found[arg.name] = chance.choice(arg.choices)
    if spec.wants_ticket:
        found["ticket"] = f"{chance.randrange(1, 2**64):016x}"
    return found


def beyond(spec: ActionSpec, arguments: Mapping[str, Any], chance: Random) -> dict[str, Any] | None:
    """The same with one number beyond its limits, or no number; None where none can be."""
    wrong: list[tuple[str, float]] = []
    for arg in spec.args:
        if arg.kind == "real" and arg.name in arguments:
            wrong += [(arg.name, math.nan), (arg.name, math.inf), (arg.name, -math.inf)]
            wrong += [(arg.name, arg.low - 1.0)] if arg.low is not None else []
            wrong += [(arg.name, arg.high + 1.0)] if arg.high is not None else []
    if not wrong:
        return None
    name, value = chance.choice(wrong)
    return {**arguments, name: value}


def is_once(spec: ActionSpec) -> bool:
    """Whether an action must never be sent twice."""
    return spec.effect in (Effect.QUERYABLE, Effect.IRREVERSIBLE)
