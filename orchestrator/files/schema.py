"""JSON Schema of the files that people write, for editors that complete and check them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from orchestrator.files.lab_shapes import LabShape
from orchestrator.files.shapes import CampaignShape

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def campaign_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a campaign file."""
    return _schema(CampaignShape, "Hagane campaign")


def lab_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a lab file."""
    return _schema(LabShape, "Hagane lab")


def _schema(shape: type[BaseModel], title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, **shape.model_json_schema(), "title": title}
