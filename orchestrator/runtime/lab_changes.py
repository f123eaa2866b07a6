"""What in a lab file is no longer as in the last run, and bears upon what is measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.errors import InputError
from orchestrator.files.document import parse_document
from orchestrator.model.state import State

HOW_REACHED = {"port", "isolate", "serial", "command", "walltime", "reuse"}
"""Options by which an instrument, a code or a known result is reached: they leave results what they
were."""


def lab_changes(state: State, lab_text: str) -> list[str]:
    """A sentence for each resource of a campaign with trials that is another one by now: its later
    results stand beside the earlier ones as if they were of one kind."""
    if state.engine is None or not state.trials or state.engine.lab_text == lab_text:
        return []
    before, after = _resources(state.engine.lab_text), _resources(lab_text)
    return [
        f"the resource '{name}' is not as in the last run ({changes}): its results from now on "
        "stand beside the earlier ones"
        for name in before
        if name in after and (changes := ", ".join(_changed(before[name], after[name])))
    ]


def _resources(lab_text: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        found = parse_document(lab_text, "lab").root.plain().get("resources")
    except InputError:
        return {}
    resources = found if isinstance(found, dict) else {}
    return {name: said for name, said in resources.items() if isinstance(said, dict)}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key in {**before, **after}:
        if key in HOW_REACHED or before.get(key) == after.get(key):
            continue
        old, new = (said.get(key, "unset") for said in (before, after))
        yield f"{key}: {old} -> {new}"
