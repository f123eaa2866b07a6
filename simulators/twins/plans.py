"""Nights that fail as planned: faults by port, by the number of the reply, or by chance and seed.

    {"wire": "gas", "how": "drop", "at": 24}
    {"wire": "*", "how": ["drop", "flip"], "share": 0.01, "seed": 3}

`wire` is a port's name or `*` for every one. The first is one fault, at that reply of the port
(counted from 1 since the twins started) or the first one after it that can be so spoilt. The second
is drawn for each reply, from seed, port and number alone. `times` and `seconds` are those of
`faults.Fault`; a fault that lasts must say its seconds where it is drawn, or it would be the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from orchestrator.errors import InputError, UnknownName
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Folder, Wire
from simulators.twins.faults import HOWS, LASTING, Fault, FaultyWire, Plan, lacking
from simulators.twins.wire import FramedWire

KEYS = ("wire", "how", "at", "share", "times", "seconds", "seed")
EVERY = "*"


def ways(wires: Mapping[str, FramedWire]) -> dict[str, tuple[str, ...]]:
    """How each port can be planned to fail. A folder is none of them: it has no replies."""
    return {
        name: tuple(how for how in HOWS if not lacking(how, wire.manners))
        for name, wire in wires.items()
        if not isinstance(wire, Folder)
    }


def planned(said: Mapping[str, Any], wires: Mapping[str, FramedWire]) -> dict[str, Plan]:
    """The plans of one entry, by port.

    Raises:
        InputError: a key, a port or a fault is unknown, or the port's instrument cannot fail so.
    """
    for key in said:
        if key not in KEYS:
            raise UnknownName("key of a fault", key, KEYS)
    known = ways(wires)
    wire = said.get("wire", EVERY)
    if wire != EVERY and wire not in known:
        raise UnknownName("port of these twins that can fail", str(wire), [*known, EVERY])
    hows = _hows(said)
    names = list(known) if wire == EVERY else [wire]
    able = {name: [how for how in hows if how in known[name]] for name in names}
    if not any(able.values()):
        raise InputError(
            f"no instrument at '{wire}' has a way to fail by {', '.join(hows)}",
            hint="name another port, or another fault",
        )
    if ("at" in said) == ("share" in said):
        raise InputError("a fault needs 'at', the number of a reply, or 'share', a probability")
    make = _at if "at" in said else _by_chance
    return {name: make(said, name, kinds) for name, kinds in able.items() if kinds}


def rehearsed(
    wires: Mapping[str, FramedWire], faults: Sequence[Mapping[str, Any]], clock: Clock
) -> Mapping[str, Wire]:
    """The wires in memory, failing as planned; what lasts does so in campaign time.

    Raises:
        InputError: as `planned`.
    """
    found = {name: FaultyWire(wires[name], clock.now, clock) for name in ways(wires)}
    for said in faults:
        for name, plan in planned(said, wires).items():
            found[name].faults.plan(plan)
    return {**wires, **found}


def _hows(said: Mapping[str, Any]) -> list[str]:
    how = said.get("how")
    hows = [how] if isinstance(how, str) else list(how or ())
    for one in hows:
        if one not in HOWS:
            raise UnknownName("fault", str(one), HOWS)
    if not hows:
        raise InputError("a fault needs 'how'", hint=f"one of {', '.join(HOWS)}")
    lasting = sorted(LASTING.intersection(hows))
    if lasting and "share" in said and not said.get("seconds"):
        raise InputError(
            f"'{lasting[0]}' by chance needs to be told how long it lasts",
            hint="without (`lasts: 5 s` in a lab file) it would last until it is healed",
        )
    return hows


def _at(said: Mapping[str, Any], name: str, hows: Sequence[str]) -> Plan:
    seed, number = int(said.get("seed", 0)), int(said["at"])
    # which of several it is, is drawn as well
    how = Random(f"{seed} {name} {number}").choice(hows)

    def plan(reply: int) -> Fault | None:
        return _fault(said, how, seed) if reply == number else None

    return plan


def _by_chance(said: Mapping[str, Any], name: str, hows: Sequence[str]) -> Plan:
    seed, share = int(said.get("seed", 0)), float(said["share"])
    if not 0 < share <= 1:
        raise InputError(f"'share' is a probability, above 0 and at most 1, not {share:g}")

    def plan(reply: int) -> Fault | None:
        chance = Random(f"{seed} {name} {reply}")
        if chance.random() >= share:
            return None
        return _fault(said, chance.choice(hows), chance.randrange(2**31))

    return plan


def _fault(said: Mapping[str, Any], how: str, seed: int) -> Fault:
    times, seconds = int(said.get("times", 1)), float(said.get("seconds", 0.0))
    return Fault(how, times=times, seconds=seconds, seed=seed)  # type: ignore[arg-type]
