"""Makes the resources of a lab: on their ports, on twins of their own, or in memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from orchestrator import plugins
from orchestrator.clock import ScaledClock, VirtualClock, WallClock
from orchestrator.errors import DeviceAbsent, HaganeError, InputError, UnknownName
from orchestrator.executor.isolated import Isolation
from orchestrator.files.document import parse_document
from orchestrator.files.findings import Findings
from orchestrator.files.lab import load_lab
from orchestrator.model.lab import Lab
from orchestrator.ports.clock import Clock
from orchestrator.ports.compute import Compute
from orchestrator.ports.resource import Bench, FailingTwins, Resource, ResourceKind, Wire
from orchestrator.ports.reuse import Matches
from orchestrator.ports.scans import Archive
from orchestrator.runtime.traffic import Traffic
from orchestrator.settings import runtime_directory

TWINS_READY_WITHIN_S = 60.0
"""Wall time in which a world of twins must be up."""


LabClock = WallClock | ScaledClock | VirtualClock


def clock_of(lab: Lab) -> WallClock | ScaledClock:
    """The clock that the lab file asks for."""
    return ScaledClock(lab.clock.speed) if lab.clock.kind == "scaled" else WallClock()


def lab_of(file: str | Path) -> Lab:
    """A lab file, checked against what is installed. Raises FileProblems, InputError."""
    worlds = plugins.installed("twins")
    return load_lab(Path(file), plugins.resource_kind, plugins.installed("resources"), worlds)


def make_resources(
    lab: Lab,
    kinds: Mapping[str, ResourceKind],
    clock: Clock,
    compute: Compute,
    ports: Mapping[str, str],
    wires: Mapping[str, Wire] | None = None,
    matches: Matches | None = None,
    traffic: Traffic | None = None,
    isolation: Isolation | None = None,
    archive: Archive | None = None,
    *,
    one_turn: bool = False,
) -> dict[str, Resource]:
    """One object per resource, nothing opened. `ports` says what stands for `twin:NAME`; without
    an `isolation` every driver is in this process."""
    made: dict[str, Resource] = {}
    traffic = traffic or Traffic()
    apart = isolation.resources if isolation is not None else {}
    for binding in lab.resources:
        if binding.name in apart:
            made[binding.name] = cast(Resource, apart[binding.name])
            continue
        bench = Bench(
            name=binding.name,
            clock=clock,
            compute=compute,
            wires=wires or {},
            record=traffic.record_of(binding.name),
            matches=matches,
            figures=traffic.figures_of(binding.name),
            archive=archive,
            one_turn=one_turn,
        )
        options = {k: resolved(binding.name, v, ports) for k, v in binding.options.items()}
        made[binding.name] = kinds[binding.name].cls(bench=bench, **options)
    return made


def try_out(lab: Lab, kinds: Mapping[str, ResourceKind]) -> dict[str, Resource]:
    """Makes every resource once, and opens none.

    So what only a constructor knows (a unit that no device of the kind can have), and a twin's
    port that its world does not have, are mistakes of the file, told before anything is opened.

    Raises:
        FileProblems: each with its place in the lab file.
    """
    findings = Findings(parse_document(lab.text, lab.source))
    clock = VirtualClock()
    _check_faults(lab, clock, findings)
    findings.raise_any()
    ports, wires = in_memory(lab, clock)
    made = {}
    for binding in lab.resources:
        bench = Bench(name=binding.name, clock=clock, wires=wires)
        options = dict(binding.options)
        for option, value in binding.options.items():
            with findings.at(["resources", binding.name, option]):
                if isinstance(value, str) and value.startswith("twin:"):
                    options[option] = _port(value.removeprefix("twin:"), ports)
        with findings.at(["resources", binding.name], key=True):
            made[binding.name] = _made(kinds[binding.name], bench, options)
    findings.raise_any()
    return made


def _check_faults(lab: Lab, clock: Clock, findings: Findings) -> None:
    """Has the world of twins look at each fault that it is to have."""
    if lab.twins is None or not lab.twins.faults:
        return
    world = plugins.load("twins", lab.twins.world)(seed=lab.twins.seed, clock=clock)
    for index, fault in enumerate(lab.twins.plan()):
        with findings.at(["twins", "faults", index]):
            if not isinstance(world, FailingTwins):
                raise InputError(f"the twins '{lab.twins.world}' cannot be told to fail")
            world.failing([fault], clock)


def _made(kind: ResourceKind, bench: Bench, options: Mapping[str, Any]) -> Resource:
    try:
        return kind.cls(bench=bench, **options)  # type: ignore[no-any-return]
    except InputError:
        raise
    except Exception as error:
        said = str(error) if isinstance(error, HaganeError) else f"{type(error).__name__}: {error}"
        raise InputError(f"a '{kind.name}' cannot be made like this: {said}") from error


def _port(name: str, ports: Mapping[str, str]) -> str:
    if name not in ports:
        raise UnknownName("port of these twins", name, ports)
    return ports[name]


def resolved(resource: str, value: Any, ports: Mapping[str, str]) -> Any:
    """The value of an option: what stands for `twin:NAME`. Raises DeviceAbsent: no such twin."""
    if not (isinstance(value, str) and value.startswith("twin:")):
        return value
    name = value.removeprefix("twin:")
    if name not in ports:
        known = ", ".join(sorted(ports))
        raise DeviceAbsent(resource, f"the twins have no port '{name}'", hint=f"known: {known}")
    return ports[name]


def in_memory(lab: Lab, clock: Clock) -> tuple[dict[str, str], dict[str, Wire]]:
    """The lab's twins within this process, on `clock`, for a rehearsal."""
    if lab.twins is None:
        return {}, {}
    world = plugins.load("twins", lab.twins.world)(seed=lab.twins.seed, clock=clock)
    faults = lab.twins.plan()
    wires = dict(world.failing(faults, clock) if faults else world.wires)
    return {name: f"memory:{name}" for name in wires}, wires


@dataclass(frozen=True)
class TwinProcess:
    """A world of twins in a process of its own."""

    directory: Path
    pid: int
    control: str
    ports: Mapping[str, str]


def twins_directory(campaign_id: str) -> Path:
    """Where the twins of a campaign say how they can be reached."""
    return runtime_directory() / "twins" / campaign_id


def running_twins(campaign_id: str) -> TwinProcess | None:
    """The campaign's twins, if they are up."""
    directory = twins_directory(campaign_id)
    try:
        said = json.loads((directory / "ports.json").read_text())
        os.kill(int(said["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return None
    return TwinProcess(directory, int(said["pid"]), said["control"], said["ports"])


def start_twins(lab: Lab, campaign_id: str) -> TwinStart | None:
    """Joins the campaign's twins, or starts them; they outlive the engine."""
    if lab.twins is None:
        return None
    directory = twins_directory(campaign_id)
    if running_twins(campaign_id) is not None:
        return TwinStart(campaign_id, directory, None)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    world = plugins.load("twins", lab.twins.world)
    command = world.serve_command(str(directory), lab.twins.seed, lab.clock.speed, lab.twins.world)
    if lab.twins.faults:
        (directory / "faults.json").write_text(json.dumps(lab.twins.plan()))
    with (directory / "output.txt").open("wb") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    return TwinStart(campaign_id, directory, child)


def twins_of(lab: Lab) -> TwinProcess | None:
    """The lab's twins for work by hand: those of a campaign that are up, or some of its own.

    Its own stay up for an hour without a byte, so that what is tried next finds them as they are.
    None where the lab has none.

    Raises:
        HaganeError: they do not start.
    """
    if lab.twins is None:
        return None
    files = (runtime_directory() / "twins").glob("*/ports.json")
    for file in sorted(files, key=lambda f: f.stat().st_mtime, reverse=True):
        running = running_twins(file.parent.name)
        if running is not None and _are_of(file, lab):
            return running
    start = start_twins(lab, f"try-{lab.file_hash[:12]}")
    assert start is not None, "the lab has twins"
    if start.child is not None:
        _outliving.append(start.child)
    return start.wait()


_outliving: list[subprocess.Popen[bytes]] = []
"""Kept, since a process that outlives its object is taken for one that was forgotten."""


def _are_of(ports: Path, lab: Lab) -> bool:
    said = json.loads(ports.read_text())
    if lab.twins is None:
        return False
    theirs = (said.get("world"), said.get("seed"), said.get("faults") or [])
    return theirs == (lab.twins.world, lab.twins.seed, lab.twins.plan())


@dataclass(frozen=True)
class TwinStart:
    """Twins that are coming up; `child` is None when they were up already."""

    campaign_id: str
    directory: Path
    child: subprocess.Popen[bytes] | None

    def wait(self) -> TwinProcess:
        """Waits until they answer. Raises HaganeError when they do not in time."""
        deadline = time.monotonic() + TWINS_READY_WITHIN_S
        while time.monotonic() < deadline:
            running = running_twins(self.campaign_id)
            if running is not None:
                return running
            if self.child is not None and self.child.poll() is not None:
                break
            time.sleep(0.01)
        output = self.directory / "output.txt"
        said = output.read_text(errors="replace").strip().splitlines()
        raise HaganeError(
            f"the twins did not start: {said[-1] if said else 'no word'}", hint=f"see {output}"
        )
