"""Results made fit for the journal; and the hash of what an action was given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from orchestrator.ports.action import Bound


def plain(results: Mapping[str, Any]) -> dict[str, Any]:
    """Results as JSON can hold them: a `Bound` becomes {"value", "side"}."""
    return {
        name: {"value": v.value, "side": v.side} if isinstance(v, Bound) else v
        for name, v in results.items()
    }


def hash_of(arguments: Mapping[str, Any]) -> str:
    """sha256 of the arguments' canonical JSON, 16 digits."""
    text = json.dumps(dict(arguments), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
