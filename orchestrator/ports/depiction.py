"""A depiction: how a material looks, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Kin:
    """The candidate that is most like a material, and how much: Tanimoto's similarity of the counts
    of a descriptor, 1 for the same counts; None where it was not compared."""

    name: str
    similarity: float | None


class Depiction(Protocol):
    """Draws materials, each by its text in the field's own notation."""

    def svg(self, material: str) -> str | None:
        """An SVG document with a transparent ground, the same for the same material; None where it
        cannot be drawn."""
        ...

    def png(self, material: str) -> bytes | None:
        """A PNG picture; None where it cannot be drawn."""
        ...
