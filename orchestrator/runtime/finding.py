"""`hagane resource find`: the ports of this machine, and which installed kinds know what answers.

Looking sends nothing. Probing opens a port and sends what the kinds that state `recognised_by` ask
to identify their device; even that may disturb a device of another kind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator import plugins
from orchestrator.clock import WallClock
from orchestrator.errors import (
    DeviceError,
    HaganeError,
    InputError,
    PortTaken,
    UnknownName,
)
from orchestrator.ports.addresses import is_address
from orchestrator.ports.resource import Bench, Identity, PortFound, Recognition, ResourceKind
from orchestrator.ports.traffic import Passage

TIMEOUT_S = 0.5
"""Wall time for one reply of a device that may be another one."""
LONGEST_S = 10.0
"""Wall time for one kind on one port."""


@dataclass(frozen=True)
class Probed:
    """What came of asking on a port: who answered, which kinds know it, and what was sent.

    `why` says why nobody could be asked, or that nobody was recognised.
    """

    port: PortFound
    kinds: tuple[str, ...] = ()
    identity: Identity | None = None
    sent: tuple[str, ...] = ()
    why: str = ""


@dataclass
class _Traffic:
    sent: list[bytes] = field(default_factory=list)

    def __call__(self, passage: Passage) -> None:
        if passage.way == "sent":
            self.sent.append(passage.data)


def ports_here(wanted: Sequence[str] = ()) -> list[PortFound]:
    """What is listed by every entry point of `hagane.ports`; or the `wanted` ones, listed or not,
    and whether they are there. Who has an address (`socket://`) is seen when it is asked.

    Raises:
        InputError: an entry point cannot be loaded.
    """
    found: list[PortFound] = []
    for name in sorted(plugins.installed("ports")):
        found += plugins.load("ports", name)()
    if not wanted:
        return found
    by_name = {name: port for port in found for name in (port.device, port.stable) if name}
    return [by_name.get(name) or _unlisted(name) for name in wanted]


def _unlisted(name: str) -> PortFound:
    return PortFound(name, is_there=is_address(name) or Path(name).exists())


def not_asked(ports: Sequence[PortFound], probed: Sequence[Probed]) -> HaganeError | None:
    """What is wrong with ports that somebody named: not there, or, once they were `probed`, such
    that nobody could be asked; None where nothing is."""
    gone = [port.device for port in ports if not port.is_there]
    mute = [p.port.device for p in probed if p.port.is_there and not (p.sent or p.identity)]
    said = [f"there is no port {name}" for name in gone]
    said += [f"nobody could be asked on {name}" for name in mute]
    lists = "`hagane resource find` lists those that are there" if gone else ""
    return HaganeError("; ".join(said), hint=lists) if said else None


def recognisable(wanted: Sequence[str] = ()) -> dict[str, ResourceKind]:
    """The installed kinds that can be recognised, or the `wanted` ones of them.

    Raises:
        UnknownName: there is no such kind.
        InputError: a wanted kind does not say how it is recognised.
    """
    installed = plugins.installed("resources")
    for name in wanted:
        if name not in installed:
            raise UnknownName("kind of resource that is installed", name, installed)
    kinds = {name: plugins.resource_kind(name) for name in wanted or sorted(installed)}
    known = {name: kind for name, kind in kinds.items() if _recognition(kind) is not None}
    mute = [name for name in wanted if name not in known]
    if mute:
        raise InputError(
            f"the kind '{mute[0]}' does not say how it is recognised",
            hint="try it with a lab file: `hagane resource check LAB`",
        )
    return known


def probe(
    ports: Iterable[PortFound],
    kinds: dict[str, ResourceKind],
    tell: Callable[[str], None] = lambda said: None,
) -> list[Probed]:
    """Asks on each port, kind by kind, until one knows who answers; then nothing more is sent."""

    async def ask() -> list[Probed]:
        return [await _probe(port, kinds, tell) for port in ports]

    return asyncio.run(ask())


async def _probe(
    port: PortFound, kinds: dict[str, ResourceKind], tell: Callable[[str], None]
) -> Probed:
    traffic = _Traffic()
    if not port.is_there:
        return Probed(port, why="there is no such port")
    for name, kind in kinds.items():
        tell(f"{port.device}: asking as {name} does")
        try:
            identity = await _identity(port.stable or port.device, kind, traffic)
        except (HaganeError, TimeoutError) as error:
            if isinstance(error, PortTaken) or not (
                traffic.sent or isinstance(error, TimeoutError)
            ):
                return Probed(port, sent=_shown(traffic), why=_reason(error))
            continue
        if _fits(kind, identity):
            others = (n for n, k in kinds.items() if n != name and _fits(k, identity))
            return Probed(port, (name, *others), identity, _shown(traffic))
    return Probed(port, sent=_shown(traffic), why="no installed kind knows what is there, if any")


def _reason(error: Exception) -> str:
    """Without the name of the resource, which is here that of the kind."""
    _, colon, said = str(error).partition(": ")
    return said if isinstance(error, DeviceError) and colon else str(error)


async def _identity(address: str, kind: ResourceKind, traffic: _Traffic) -> Identity:
    recognition = _recognition(kind)
    assert recognition is not None, "only recognisable kinds are asked"
    options: dict[str, Any] = dict(recognition.options)
    if "timeout" in kind.options:
        options.setdefault("timeout", TIMEOUT_S)
    bench = Bench(name=kind.name, clock=WallClock(), record=traffic)
    resource = kind.cls(bench=bench, port=address, **options)
    try:
        async with asyncio.timeout(LONGEST_S):
            await resource.open()
            identity: Identity = await resource.identify()
            return identity
    finally:
        await resource.close()


def _recognition(kind: ResourceKind) -> Recognition | None:
    found = getattr(kind.cls, "recognised_by", None)
    return found if isinstance(found, Recognition) else None


def _fits(kind: ResourceKind, identity: Identity) -> bool:
    recognition = _recognition(kind)
    return recognition is not None and recognition.fits(identity)


def _shown(traffic: _Traffic) -> tuple[str, ...]:
    """What was sent, each piece once."""
    return tuple(dict.fromkeys(repr(data)[1:].strip("'\"") for data in traffic.sent))
