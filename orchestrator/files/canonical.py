"""What a file says, apart from how it is written: its hash, and what changed in it."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from typing import Any


def content_hash(plain: Any, tables: Mapping[str, str] | None = None) -> str:
    """sha256 of parsed content and of the tables it names (their sha256 by name).

    Comments, white space, quotes and the way a number is written do not change it; the order of
    keys does, since the order of parameters means something.
    """
    content = {"file": _canonical(plain), "tables": sorted((tables or {}).items())}
    return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [[key, _canonical(inner)] for key, inner in value.items()]
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def differences(old_text: str, new_text: str, *, max_lines: int = 40) -> str:
    """A unified diff of two texts, with one line of context; cut after `max_lines`."""
    lines = list(
        difflib.unified_diff(
            old_text.splitlines(), new_text.splitlines(), "started with", "now", n=1, lineterm=""
        )
    )
    if len(lines) > max_lines:
        lines[max_lines:] = [f"... and {len(lines) - max_lines} more lines"]
    return "\n".join(lines)
