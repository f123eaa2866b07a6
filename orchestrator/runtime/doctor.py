"""`hagane doctor`: is this installation, this store, this lab in order?"""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import plugins
from orchestrator.clock import WallClock
from orchestrator.errors import HaganeError
from orchestrator.executor.guardian_record import recorded_in
from orchestrator.executor.local import LocalCompute
from orchestrator.model.state import fold
from orchestrator.ports.resource import Resource
from orchestrator.runtime.bench import lab_of, make_resources, twins_of
from orchestrator.runtime.finding import ports_here
from orchestrator.runtime.isolating import isolation_of
from orchestrator.runtime.look import campaign_of, stored
from orchestrator.runtime.traffic import Traffic
from orchestrator.settings import data_directory

if TYPE_CHECKING:
    from orchestrator.journal.store import Store

GROUPS = (
    "capabilities",
    "resources",
    "planners",
    "descriptors",
    "generators",
    "ports",
    "parsers",
    "twins",
    "campaigns",
)
"""Of entry points."""
_ANSWERS_WITHIN_S = 10.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `wire` has the figures of a device's wire."""

    what: str
    ok: bool
    said: str
    wire: dict[str, float | int | None] | None = None


def examine(where: str | Path | None) -> list[Finding]:
    """Installation, name clash, entry points, store with its hash chains, what guardians did that
    no campaign has journaled yet, serial ports."""
    return [
        Finding("python", True, platform.python_version()),
        Finding("hagane", True, importlib.metadata.version("hagane")),
        _clash(),
        *_entry_points(),
        *_store(where),
        *_guardians(),
        _ports(),
    ]


def _clash() -> Finding:
    try:
        plugins.refuse_name_clash()
    except HaganeError as error:
        return Finding("import names", False, f"{error} ({error.hint})")
    return Finding("import names", True, "ours alone")


def _entry_points() -> list[Finding]:
    findings = []
    for group in GROUPS:
        names, bad = plugins.installed(group), []
        for name in names:
            try:
                plugins.load(group, name)
            except HaganeError as error:
                bad.append(str(error))
        said = "; ".join(bad) or f"{len(names)} found, all load"
        findings.append(Finding(group, not bad, said))
    return findings


def _store(where: str | Path | None) -> list[Finding]:
    """The default store has to be one that can be written; of another one that is said."""
    not_written = ""
    try:
        with stored(where):
            pass
    except HaganeError as error:
        not_written = f"{error} ({error.hint})"
    try:
        with stored(where, to_look=True) as store:
            findings = [_chain(store, row.id) for row in store.campaigns()]
    except HaganeError as error:
        return [Finding("store", False, f"{error} ({error.hint})")]
    n = len(findings)
    said = "; ".join(filter(None, ("1 campaign" if n == 1 else f"{n} campaigns", not_written)))
    return [Finding("store", not not_written or where is not None, said), *findings]


def _chain(store: Store, campaign: str) -> Finding:
    try:
        count = store.verify(campaign)
        if count:
            campaign_of(store, fold(store.read(campaign)))
    except HaganeError as error:
        return Finding(f"campaign {campaign}", False, str(error))
    return Finding(f"campaign {campaign}", True, f"{count} events, hash chain unbroken")


def _guardians() -> list[Finding]:
    findings = []
    for folder in sorted((data_directory() / "guardian").glob("*")):
        for record in recorded_in(folder):
            safe = ", ".join(name for name, note in record.made.items() if not note) or "nothing"
            bad = "".join(f"; not {name}: {note}" for name, note in record.made.items() if note)
            said = f"{record.why}: made safe {safe}{bad}"
            findings.append(Finding(f"guardian of {folder.name}", not bad, said))
    return findings


def _ports() -> Finding:
    found = [port.stable or port.device for port in ports_here()]
    return Finding("serial ports", True, ", ".join(found) or "no serial port on this machine")


def check_resources(lab_file: str | Path, record: str = "") -> list[Finding]:
    """Opens every resource of a lab, asks who it is, and closes it again.

    The traffic is recorded in the folder `record`, else in the lab file's, if there is one.

    A lab of twins has its twins started where none are up.
    """
    lab = lab_of(lab_file)
    kinds = plugins.kinds_of(lab)
    clock = WallClock()

    twins = twins_of(lab)

    async def look(traffic: Traffic) -> list[Finding]:
        compute = LocalCompute(data_directory() / "calculations" / "check", clock)
        ports = dict(twins.ports) if twins else {}
        isolation = isolation_of(lab, kinds, clock, ports, "check", traffic)
        made = make_resources(
            lab, kinds, clock, compute, ports, traffic=traffic, isolation=isolation
        )
        try:
            found = [
                await _identify(name, resource, lab.resource(name).serial)
                for name, resource in made.items()
            ]
        finally:
            if isolation is not None:
                await isolation.close()
        wires = traffic.used()
        return [replace(f, wire=wires[f.what].plain()) if f.what in wires else f for f in found]

    with closing(Traffic(record or lab.record)) as traffic:
        return clock.run(look(traffic))


async def _identify(name: str, resource: Resource, serial: str | None) -> Finding:
    try:
        await resource.open()
        who = await asyncio.wait_for(resource.identify(), _ANSWERS_WITHIN_S)
        health = await asyncio.wait_for(resource.health(), _ANSWERS_WITHIN_S)
    except HaganeError as error:
        said = str(error).removeprefix(f"{name}: ")
        return Finding(name, False, said + (f" ({error.hint})" if error.hint else ""))
    except TimeoutError:
        return Finding(name, False, f"no answer in {_ANSWERS_WITHIN_S:g} s")
    except Exception as error:  # noqa: BLE001 - whatever a driver's mistake raises
        said = f"{type(error).__name__}: {error} (this is a fault of the driver)"
        return Finding(name, False, said)
    finally:
        await resource.close()
    said = " ".join(w for w in (who.maker, who.model, who.serial, who.firmware) if w)
    if serial and serial != who.serial:
        return Finding(name, False, f"{said} answers, and the lab file has serial number {serial}")
    return Finding(name, health.is_fit, f"{said} {health.note}".strip())
