"""Whether resources that share a port have the same line settings, and addresses of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.files.findings import Findings
from orchestrator.model.lab import ResourceBinding
from orchestrator.ports.addresses import port_itself
from orchestrator.ports.resource import ResourceKind

LINE_SETTINGS = ("baudrate", "bytesize", "parity", "stopbits")
"""Options that drivers of a serial line have under these names, if they leave them open."""
ADDRESSES = ("unit_id", "address", "device")
"""Options that say which device on a line a resource is."""
_PLACES = ("channel", "axis", "sensor", "register_", "coil_")
"""How options begin that say what of a device it is."""


def check_line_settings(
    findings: Findings,
    resources: Iterable[ResourceBinding],
    kinds: Mapping[str, ResourceKind | None],
) -> None:
    """Finds who would open a port otherwise than the one before. What a driver does not leave
    open to the lab file is only known when it opens the port."""
    first: dict[tuple[str, str], tuple[str, object]] = {}
    for binding in resources:
        kind, port = kinds[binding.name], binding.options.get("port")
        if kind is None or not isinstance(port, str):
            continue
        for name in LINE_SETTINGS:
            if name not in kind.options:
                continue
            mine = binding.options.get(name, kind.options[name].default)
            other, theirs = first.setdefault((port_itself(port), name), (binding.name, mine))
            if mine != theirs:
                findings.add(
                    ["resources", binding.name, *([name] if name in binding.options else [])],
                    f"'{binding.name}' has {name} {mine}, and '{other}' on the same port {theirs}",
                    "all resources on one port need the same line settings",
                    key=True,
                )


def check_addresses(
    findings: Findings,
    resources: Iterable[ResourceBinding],
    kinds: Mapping[str, ResourceKind | None],
) -> None:
    """Finds two resources of a kind that would be one device of a line under two names: each would
    change what the other believes to have set. Different kinds may share a device (a controller
    with a heater and relays), and so may its channels."""
    first: dict[tuple[object, ...], str] = {}
    for binding in resources:
        kind, port = kinds[binding.name], binding.options.get("port")
        if kind is None or not isinstance(port, str):
            continue
        given = {name: option.default for name, option in kind.options.items()} | binding.options
        address = next((name for name in ADDRESSES if name in given), None)
        if address is None:
            continue
        places = tuple((n, v) for n, v in sorted(given.items()) if n.startswith(_PLACES))
        key = (binding.kind, binding.declaration, port_itself(port), given[address], places)
        other = first.setdefault(key, binding.name)
        if other != binding.name:
            findings.add(
                ["resources", binding.name, *([address] if address in binding.options else [])],
                f"'{binding.name}' and '{other}' are both {address} {given[address]} on one port",
                "give each device on a line an address of its own, here and on the device",
                key=True,
            )
