"""JSON Schema for editors: it accepts what ships and refuses what the reader refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_campaign_file import SMALL
from test_lab_file import LAB

from orchestrator.files.document import parse_document
from orchestrator.files.schema import campaign_schema, lab_schema

ROOT = Path(__file__).parents[2] / "campaigns"
_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


KNOWN = {
    "$schema", "$defs", "$ref", "title", "description", "examples", "default", "type",
    "properties", "required", "additionalProperties", "patternProperties", "propertyNames",
    "items", "enum", "const", "anyOf", "minItems", "maxItems", "minLength", "maxLength",
    "minProperties", "maxProperties", "minimum", "exclusiveMinimum", "maximum",
    "pattern",
}  # fmt: skip


class Checker:
    """The part of JSON Schema 2020-12 that our schemas use; an unknown keyword fails."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root

    def faults(self, value: Any, schema: dict[str, Any], at: str = "") -> Iterator[str]:
        assert set(schema) <= KNOWN, set(schema) - KNOWN
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/$defs/")
            yield from self.faults(value, self.root["$defs"][name], at)
        if "anyOf" in schema and all(any(self.faults(value, s, at)) for s in schema["anyOf"]):
            yield f"{at}: fits none of {len(schema['anyOf'])}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{at}: not one of {schema['enum']}"
        if not self._is_of_type(value, schema.get("type")):
            yield f"{at}: not of type {schema['type']}"
        elif isinstance(value, dict):
            yield from self._of_object(value, schema, at)
        elif isinstance(value, list):
            yield from self._of_array(value, schema, at)
        else:
            yield from self._of_scalar(value, schema, at)

    def _is_of_type(self, value: Any, wanted: str | None) -> bool:
        if isinstance(value, bool):
            return wanted in (None, "boolean")
        return wanted is None or isinstance(value, _TYPES[wanted])

    def _of_array(self, value: list[Any], schema: dict[str, Any], at: str) -> Iterator[str]:
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**9):
            yield f"{at}: {len(value)} items"
        for index, item in enumerate(value):
            yield from self.faults(item, schema.get("items", {}), f"{at}/{index}")

    def _of_scalar(self, value: Any, schema: dict[str, Any], at: str) -> Iterator[str]:
        if isinstance(value, str):
            n_least, n_most = schema.get("minLength", 0), schema.get("maxLength", 10**9)
            if not n_least <= len(value) <= n_most or not re.search(
                schema.get("pattern", ""), value
            ):
                yield f"{at}: length or pattern"
        elif isinstance(value, int | float):
            too_small = value <= schema.get("exclusiveMinimum", value - 1)
            if too_small or value < schema.get("minimum", value):
                yield f"{at}: too small"
            if value > schema.get("maximum", value):
                yield f"{at}: too large"

    def _of_object(self, value: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
        yield from (f"{at}: {n} missing" for n in schema.get("required", []) if n not in value)
        if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", 10**9):
            yield f"{at}: {len(value)} entries"
        for key, inner in value.items():
            for found in self._schemas_of(key, schema):
                yield from self.faults(inner, found, f"{at}/{key}") if found else [f"{at}/{key}"]

    def _schemas_of(self, key: str, schema: dict[str, Any]) -> list[dict[str, Any] | None]:
        """The schemas of a key; [None] where the key is not allowed."""
        patterns = schema.get("patternProperties", {})
        matching: list[dict[str, Any] | None] = [
            s for p, s in patterns.items() if re.search(p, key)
        ]
        if key in schema.get("properties", {}):
            matching.append(schema["properties"][key])
        extra = schema.get("additionalProperties", {})
        extra = {} if extra is True else extra  # anything goes
        return matching or ([None] if extra is False else [extra or {"title": "anything"}])


def faults_of(text: str, schema: dict[str, Any]) -> list[str]:
    plain = parse_document(text, "test.yaml").root.plain()
    return list(Checker(schema).faults(plain, schema))


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/campaign*.yaml")), ids=lambda p: p.parent.name)
def test_every_shipped_campaign_fits_the_schema(path: Path) -> None:
    assert faults_of(path.read_text(), campaign_schema()) == []


@pytest.mark.parametrize(
    "path",
    sorted(p for p in ROOT.glob("*/*.yaml") if not p.name.startswith("campaign")),
    ids=lambda p: f"{p.parent.name}-{p.stem}",
)
def test_every_shipped_lab_fits_the_schema(path: Path) -> None:
    assert faults_of(path.read_text(), lab_schema()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("trials: 5", "trails: 5"),
        ("trials: 5", "trials: 0"),
        ("[0, 10]", "[0]"),
        ("{real:", "{reel:"),
        ("=relax.formation_energy", "relax.formation_energy"),
        ("name: small", "name: a/b"),
        ("unit: V}", "unit: V, colour: red}"),
        ("do: calculator.relax", "do: calculator"),
    ],
)
def test_what_the_reader_refuses_by_its_shape_the_schema_refuses(old: str, new: str) -> None:
    assert faults_of(SMALL, campaign_schema()) == []
    assert faults_of(SMALL.replace(old, new), campaign_schema())


@pytest.mark.parametrize(
    ("old", "new"),
    [("poll: 2 s", "pol: 2 s"), ("kind: scaled", "kind: fast"), ("slots: 1}", "slots: 0}")],
)
def test_what_the_lab_reader_refuses_the_schema_refuses(old: str, new: str) -> None:
    assert faults_of(LAB, lab_schema()) == []
    assert faults_of(LAB.replace(old, new), lab_schema())


@pytest.mark.parametrize("schema", [campaign_schema(), lab_schema()])
def test_schemas_are_json_and_name_their_dialect(schema: dict[str, Any]) -> None:
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
