"""The isolated resources of a lab: which share a process, where those run, what a guardian left."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from orchestrator import plugins
from orchestrator.executor.guardian_record import Recorded, guardians_at_work, recorded_in
from orchestrator.executor.guarding import Guarding, Place
from orchestrator.executor.isolated import Isolation, Lost, Spec
from orchestrator.executor.local import environment
from orchestrator.executor.runner import Runner
from orchestrator.files.isolation import ports_of
from orchestrator.model.events import DriverEnded, Event, GuardianActed, MadeSafe
from orchestrator.model.lab import Lab, ResourceBinding
from orchestrator.model.state import State
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import ResourceKind
from orchestrator.runtime.bench import resolved
from orchestrator.runtime.traffic import Traffic
from orchestrator.settings import data_directory, runtime_directory

GUARDIAN_DONE_WITHIN_S = 20.0
"""Wall time for which a guardian at work is waited for; then the ports say who holds them."""


def isolation_of(
    lab: Lab,
    kinds: Mapping[str, ResourceKind],
    clock: Clock,
    ports: Mapping[str, str],
    name: str,
    traffic: Traffic,
) -> Isolation | None:
    """The processes of a lab's isolated drivers, none of them started; None where it has none.

    `ports` says what stands for `twin:NAME`; `name` is the campaign's id, or what stands for it.
    """
    bindings = [b for b in lab.resources if b.isolate]
    if not bindings:
        return None
    bindings = [_resolved(b, ports) for b in bindings]
    specs = {b.name: _spec(b, kinds[b.name], traffic) for b in bindings}
    groups = [[specs[n] for n in names] for names in _by_port(bindings)]
    order = [n for n in lab.safe_order if n in specs and lab.resource(n).on_restart != "leave"]
    place = Place(
        sockets=runtime_directory() / "isolated" / secrets.token_hex(4),
        logs=data_directory() / "drivers" / name,
        records=records_of(name),
        environment=environment(),
        traffic=str(traffic.record.folder.absolute()) if traffic.record else "",
    )
    told = [[spec.told() for spec in group] for group in groups]
    return Isolation(groups, Guarding(place, clock, told, order))


def records_of(name: str) -> Path:
    """Where guardians of a campaign's engines say what they did."""
    return data_directory() / "guardian" / name


def _resolved(binding: ResourceBinding, ports: Mapping[str, str]) -> ResourceBinding:
    """With what stands for each `twin:NAME`."""
    options = {k: resolved(binding.name, v, ports) for k, v in binding.options.items()}
    return binding.model_copy(update={"options": options})


def _spec(binding: ResourceBinding, kind: ResourceKind, traffic: Traffic) -> Spec:
    name, target = binding.name, plugins.installed("resources")[binding.kind].value
    record, figures = traffic.record_of(name), traffic.figures_of(name)
    return Spec(name, kind, target, binding.options, record, figures, binding.declaration)


def _by_port(bindings: Iterable[ResourceBinding]) -> list[list[str]]:
    """The names that go into one process: those that share a port, directly or through another."""
    groups: list[tuple[set[str], list[str]]] = []
    for binding in bindings:
        ports, names = set(ports_of(binding)), [binding.name]
        for group in [g for g in groups if g[0] & ports]:
            groups.remove(group)
            ports, names = ports | group[0], group[1] + names
        groups.append((ports, names))
    return [names for _, names in groups]


def link(isolation: Isolation | None, runner: Runner, lose: Callable[..., None]) -> None:
    """Has the runner, and `lose(why, *events)`, told of drivers that are gone."""
    if isolation is None:
        return

    def lost(which: Lost) -> None:
        runner.lose(which.resources, which.why, which.hint)
        why = f"{', '.join(which.resources)}: {which.why}"
        lose(why, DriverEnded(resources=which.resources, why=which.why))

    isolation.on_lost = lost
    isolation.guarding.on_acted = lambda acted: lose(acted.why, *events_of(acted))


async def guarded_meanwhile(name: str, state: State) -> list[Event]:
    """What guardians of engines before this one did, as events that are not journaled yet.

    One that is still at work is waited for. Records that are in the journal are deleted.
    """
    folder = records_of(name)
    end = time.monotonic() + GUARDIAN_DONE_WITHIN_S
    while guardians_at_work(folder) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    forget_journaled(name, state)
    return [event for record in recorded_in(folder) for event in events_of(record)]


def forget_journaled(name: str, state: State) -> None:
    """Deletes the records of guardians that are in the journal, and so said for good."""
    known = {acted.record for _, acted in state.guarded}
    for record in recorded_in(records_of(name)):
        if record.path.stem in known:
            record.path.unlink(missing_ok=True)


def events_of(record: Recorded) -> list[Event]:
    """A guardian's record as it is journaled."""
    why = f"the guardian: {record.why}"
    acted = GuardianActed(
        record=record.path.stem,
        engine=record.engine,
        why=record.why,
        began=record.began,
        seconds=round(record.ended - record.began, 3),
        safe=tuple(name for name, note in record.made.items() if not note),
    )
    made = (
        MadeSafe(resource=name, ok=not note, why=why, note=note)
        for name, note in record.made.items()
    )
    return [acted, *made]
