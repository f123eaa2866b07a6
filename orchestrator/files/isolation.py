"""Which resources of a lab file may have their driver in a process of its own (`isolate: true`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.files.findings import Findings
from orchestrator.model.lab import ResourceBinding
from orchestrator.ports.addresses import is_port, port_itself
from orchestrator.ports.resource import ResourceKind


def check_isolation(
    findings: Findings,
    resources: Iterable[ResourceBinding],
    kinds: Mapping[str, ResourceKind | None],
) -> None:
    """Finds what cannot be isolated: a composite, what only computes or keeps files, one of two on
    a port."""
    bindings = list(resources)
    for binding in bindings:
        kind = kinds[binding.name]
        path = ["resources", binding.name, "isolate"]
        if not binding.isolate or kind is None:
            continue
        if kind.parts:
            message = f"'{binding.name}' acts through its parts, and has nothing to isolate itself"
            findings.add(path, message, "isolate its parts")
        elif getattr(kind.cls, "computes", False):
            message = f"what '{binding.name}' computes runs in processes of its own already"
            findings.add(path, message, "leave 'isolate' out")
        elif getattr(kind.cls, "keeps_files", False):
            message = f"'{binding.name}' keeps files with the campaign, which only the engine can"
            findings.add(path, message, "leave 'isolate' out")
        _check_neighbours(findings, binding, bindings)


def _check_neighbours(
    findings: Findings, binding: ResourceBinding, bindings: Iterable[ResourceBinding]
) -> None:
    """A port belongs to one process."""
    ports = ports_of(binding)
    for other in bindings:
        shared = ports.keys() & ports_of(other).keys()
        if shared and not other.isolate:
            findings.add(
                ["resources", binding.name, "isolate"],
                f"'{other.name}' has the same port '{ports[min(shared)]}', and is not isolated",
                "isolate both, or none",
            )


def ports_of(binding: ResourceBinding) -> dict[str, str]:
    """Its ports, as each is spelled, by the port itself; a folder may be shared, and so may a file
    that other options name."""
    texts = [v for v in binding.options.values() if isinstance(v, str)]
    named = [text for text in texts if is_port(text)]
    places = [place for place in binding.places if place != binding.options.get("folder")]
    return {port_itself(text): text for text in (*named, *places)}
