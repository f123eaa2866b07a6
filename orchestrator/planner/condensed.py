"""A Gaussian process whose many outcomes are seen through a few of their points.

The covariance of outcomes is taken for Q + D, where Q is what the anchors explain of it and D is
diagonal: the noise, and of each outcome's variance what they do not explain (FITC) [Snelson &
Ghahramani 2006]. Time grows with n m^2 in place of n^3, for n outcomes and m anchors.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.gaussian import GaussianProcess, inverse_factor
from orchestrator.planner.kernel import Floats


@dataclass(frozen=True)
class CondensedProcess(GaussianProcess):
    """A process as `GaussianProcess`, without covariances beside those of the kernel.

    Attributes:
        chosen: which outcomes' points are the anchors (m).
    """

    chosen: NDArray[np.intp] = field(kw_only=True)
    spread: Floats = field(init=False)
    """D (n)."""
    seen: Floats = field(init=False)
    """n x m, so that the inverse of Q + D is 1/D less `seen` times its transpose."""

    def __post_init__(self) -> None:
        assert self.extra is None, "what else outcomes share is not seen through anchors"
        kernel, anchors = self._covariance(), self.x[self.chosen]
        inverse = inverse_factor(kernel(anchors, anchors))
        explained = kernel(self.x, anchors) @ inverse.T
        unexplained = kernel.variance - np.einsum("ij,ij->i", explained, explained)
        spread = self.noise + np.maximum(unexplained, 0.0)
        scaled = explained / spread[:, None]
        strength, axes = np.linalg.eigh(explained.T @ scaled)
        strength = np.maximum(strength, 0.0)
        turned = inverse.T @ axes
        residual = self.y - self.level(self.x)
        pulled = (axes.T @ (scaled.T @ residual)) / (1.0 + strength)
        object.__setattr__(self, "kernel", kernel)
        object.__setattr__(self, "root", turned * np.sqrt(strength / (1.0 + strength)))
        object.__setattr__(self, "solved", turned @ pulled)
        object.__setattr__(self, "spread", spread)
        object.__setattr__(self, "seen", (scaled @ axes) / np.sqrt(1.0 + strength))

    def anchored(self, x: Floats) -> Floats:
        """As `GaussianProcess.anchored`."""
        return x[self.chosen]

    def weighed(self, v: Floats) -> Floats:
        """As `GaussianProcess.weighed`."""
        return np.asarray(v / self.spread - self.seen @ (self.seen.T @ v))

    def precision(self, rows: NDArray[np.bool_]) -> Floats:
        """As `GaussianProcess.precision`."""
        seen = self.seen[rows]
        return np.asarray(np.diag(1.0 / self.spread[rows]) - seen @ seen.T)

    def precisions(self) -> Floats:
        """As `GaussianProcess.precisions`."""
        return np.asarray(1.0 / self.spread - np.einsum("ij,ij->i", self.seen, self.seen))

    def with_outcomes(self, x: Floats, y: Floats, noise: Floats) -> Self:
        """As `GaussianProcess.with_outcomes`; their points are anchors too."""
        n = len(self.y)
        return replace(
            self,
            x=np.concatenate([self.x, x]),
            y=np.concatenate([self.y, y]),
            noise=np.concatenate([self.noise, noise]),
            chosen=np.concatenate([self.chosen, np.arange(n, n + len(y))]),
        )
