"""Whether resources that share a port are given the same line settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.files.findings import Findings
from orchestrator.model.lab import ResourceBinding
from orchestrator.ports.addresses import port_itself
from orchestrator.ports.resource import ResourceKind

LINE_SETTINGS = ("baudrate", "bytesize", "parity", "stopbits")
"""Options that drivers of a serial line have under these names, if they leave them open."""


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
