"""A generator: makes new materials that a surrogate thinks well of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Score: TypeAlias = "Callable[[Sequence[str]], NDArray[np.float64]]"
"""n materials, all of them valid and canonical -> n log likelihoods that they are what is wanted,
all finite; any constant may be added to them."""


@dataclass(frozen=True)
class Candidate:
    """A material that was made, its `score`, and the material it was changed from ('' for none)."""

    material: str
    score: float
    parent: str = ""


@runtime_checkable
class Generator(Protocol):
    """Makes materials. Found by entry point `hagane.generators`, and constructed as
    `cls(corpus, **options)`: `corpus` are materials as they should look, which it learns from."""

    def generate(
        self, start: Sequence[str], score: Score, n: int, seed: int
    ) -> Sequence[Candidate]:
        """Up to `n` different materials, the best first, none of them in `start`; the same for the
        same arguments, bit for bit. What it cannot use of `start` is left out.

        Raises:
            InputError: it can use no material of `start`; the sentence names one.
            PlanningError: none can be made within the constraints.
        """
        ...
