"""Random draws that are pure functions of a key, so that no history of calls can shift them."""

from __future__ import annotations

import hashlib
import math


def uniform(*key: object) -> float:
    """A number in (0, 1) that depends on nothing but its key."""
    digest = hashlib.sha256("|".join(map(str, key)).encode()).digest()
    return (int.from_bytes(digest[:7], "big") + 0.5) / 2.0**56


def normal(*key: object) -> float:
    """A standard normal number that depends on nothing but its key (Box and Muller)."""
    radius = math.sqrt(-2.0 * math.log(uniform(*key, "radius")))
    return radius * math.cos(2.0 * math.pi * uniform(*key, "angle"))
