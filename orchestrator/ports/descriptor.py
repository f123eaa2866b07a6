"""A descriptor: material in, named vector with units out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Descriptor(Protocol):
    """Turns materials into vectors, batch-wise. Found by entry point `hagane.descriptors`."""

    @property
    def names(self) -> Sequence[str]:
        """One name per component."""
        ...

    @property
    def units(self) -> Sequence[str]:
        """One unit per component ('' for dimensionless)."""
        ...

    def describe(self, materials: Sequence[str]) -> Sequence[Sequence[float]]:
        """n materials -> n x d values.

        Raises:
            InputError: a material cannot be read; the sentence names it.
        """
        ...
