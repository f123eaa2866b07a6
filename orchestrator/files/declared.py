"""Reads the file that declares an instrument, and holds it against the shape of its kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from orchestrator.files.document import read_document
from orchestrator.files.findings import Findings
from orchestrator.model.lab import ResourceBinding
from orchestrator.ports.resource import ResourceKind

KindOf: TypeAlias = Callable[..., ResourceKind]
"""What is known of a kind by its name, and of a declared one by its declaration too."""


def read_declaration(path: Path, kind: ResourceKind) -> str:
    """The declaration in a file, as JSON, the same text for the same content.

    Raises:
        FileProblems: with every mistake of the file and its place.
    """
    document = read_document(path)
    findings = Findings(document)
    shape = kind.declaration
    assert shape is not None, "only kinds that can be declared have a declaration"
    told = findings.shaped([], shape, f"a key of a declared '{kind.name}'")
    if told is not None:
        for mistake in told.mistakes():
            findings.add(mistake.path, mistake.message, mistake.hint)
    findings.raise_any()
    return json.dumps(document.root.plain(), ensure_ascii=True)


def kind_of(kind: KindOf, binding: ResourceBinding) -> ResourceKind:
    """What is known of the kind of a resource, its declaration included."""
    if binding.declaration:
        return kind(binding.kind, binding.declaration)
    return kind(binding.kind)
