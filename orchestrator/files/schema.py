"""JSON Schema of the files that people write, for editors that complete and check them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from orchestrator.files.lab_shapes import LabShape
from orchestrator.files.shapes import CampaignShape
from orchestrator.ports.resource import ResourceKind

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def campaign_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a campaign file."""
    return _schema(CampaignShape, "Hagane campaign")


def lab_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a lab file."""
    return _schema(LabShape, "Hagane lab")


def declaration_schema(kind: ResourceKind) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the files that declare a kind of resource."""
    assert kind.declaration is not None, "only kinds that can be declared have a declaration"
    return _schema(kind.declaration, f"Hagane {kind.name}")


def _schema(shape: type[BaseModel], title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, **shape.model_json_schema(), "title": title}
