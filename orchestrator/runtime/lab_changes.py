"""What in a lab file is no longer as in the last run, and bears upon what is measured."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from orchestrator.errors import InputError
from orchestrator.files.document import parse_document
from orchestrator.model.events import EngineStarted
from orchestrator.model.state import State

HOW_REACHED = {"port", "isolate", "serial", "command", "walltime", "reuse"}
"""Options by which an instrument, a code or a known result is reached: they leave results what they
were."""
FOLDER = "folder"
"""The option of what is reached by files alone."""


def lab_changes(
    state: State, lab_text: str, declarations: Mapping[str, str] | None = None
) -> list[str]:
    """A sentence for each resource of a campaign with trials that is another one by now, and for
    each role that another one plays: its later results stand beside the earlier ones as if they
    were of one kind. `declarations` are those of the resources that a file declares."""
    engine, declared = state.engine, declarations or {}
    if engine is None or not state.trials:
        return []
    if (engine.lab_text, engine.declarations) == (lab_text, declared):
        return []
    before, after = _LabFile(engine.lab_text), _LabFile(lab_text)
    told = [
        f"the resource '{name}' is not as in the last run ({', '.join(changes)})"
        for name, changes in _resource_changes(engine, before, after, declared).items()
        if changes
    ]
    told += [said for role in before.roles if (said := _replayed(role, before, after))]
    return [f"{said}: its results from now on stand beside the earlier ones" for said in told]


def known_models(
    state: State, lab_text: str, declarations: Mapping[str, str] | None = None
) -> dict[str, tuple[str, str]]:
    """Maker and model of each device that answered in the last run in which all did, and of which
    the lab file says what it said then, by resource; of a folder that is no device nothing."""
    engine = state.found_by
    if engine is None:
        return {}
    before, after = _LabFile(engine.lab_text), _LabFile(lab_text)
    changes = _resource_changes(engine, before, after, declarations or {})
    return {
        name: (found.maker, found.model)
        for name, found in state.resources.items()
        if name in changes and not changes[name] and FOLDER not in after.resources[name]
    }


class _LabFile:
    """The resources of a lab file by name, and which role each of them plays."""

    def __init__(self, lab_text: str) -> None:
        try:
            found = parse_document(lab_text, "lab").root.plain()
        except InputError:
            found = {}
        resources = _mapping(found.get("resources"))
        self.resources = {n: said for n, said in resources.items() if isinstance(said, dict)}
        self.roles = _mapping(found.get("roles"))


def _resource_changes(
    engine: EngineStarted, before: _LabFile, after: _LabFile, declared: Mapping[str, str]
) -> dict[str, list[str]]:
    return {
        name: [
            *_changed(before.resources[name], after.resources[name], HOW_REACHED),
            *_redeclared(engine.declarations.get(name), declared.get(name)),
        ]
        for name in before.resources
        if name in after.resources
    }


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _replayed(role: str, before: _LabFile, after: _LabFile) -> str:
    """That a role is played by another resource; '' where that has another name at most."""
    was, now = before.roles[role], after.roles.get(role)
    old, new = before.resources.get(was, {}), after.resources.get(str(now), {})
    if now in (None, was) or not (changes := ", ".join(_changed(old, new))):
        return ""
    return f"the role '{role}' is played by '{now}', not by '{was}' as in the last run ({changes})"


def _redeclared(before: str | None, after: str | None) -> list[str]:
    return [] if before == after else ["its declaration"]


def _changed(
    before: Mapping[str, Any], after: Mapping[str, Any], but: Collection[str] = ()
) -> Iterator[str]:
    for key in {**before, **after}:
        if key in but or before.get(key) == after.get(key):
            continue
        old, new = (said.get(key, "unset") for said in (before, after))
        yield f"{key}: {old} -> {new}"
