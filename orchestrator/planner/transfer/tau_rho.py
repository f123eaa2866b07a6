"""Transfer by two numbers [Minami et al. 2021]: one family that holds no transfer, regularisation
towards the source, the density-ratio method and the source as it is.

With a source prediction f on the scale of the outcomes, any regressor is fitted to
z = (y - tau f) / (1 - tau), and (1 - rho) z(x) + rho f(x) is predicted, tau < 1:

    tau = rho = 0      no transfer
    tau = -l, rho = 0  shrinkage towards the source (l > 0), z = (y + l f) / (1 + l)
    tau = rho          the residual y - tau f is learnt, scaled (density ratio)
    rho = 1            the source as it is
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from orchestrator.planner.kernel import Floats
from orchestrator.planner.transfer.surrogate import Fitted, LeftOut, Surrogate, no_sources

TAUS = (-3.0, -1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 0.9)
N_CHOSEN = 2
MARGIN = 3.0
RHOS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True)
class FittedTauRho:
    """What was learnt of z, and how it is put together with the source.

    Attributes:
        line: level and slope that bring the source to the outcomes' scale.
        spread: factor of the deviation, for what was chosen on the outcomes themselves [final
            prediction error, Akaike 1969].
    """

    of_z: Fitted
    tau: float
    rho: float
    noise_sd: float
    left_out: LeftOut
    line: tuple[float, float] = (0.0, 1.0)
    spread: float = 1.0

    def predict(self, x: Floats, f: Floats) -> tuple[Floats, Floats]:
        """As `Fitted.predict`, with f m x 1."""
        mean, sd = self.of_z.predict(x, no_sources(x))
        source = self.line[0] + self.line[1] * f[:, 0]
        return (1.0 - self.rho) * mean + self.rho * source, (1.0 - self.rho) * self.spread * sd


@dataclass(frozen=True)
class TauRhoSurrogate:
    """With tau and rho given, one source on the scale of the outcomes.

    Raises:
        ValueError: tau is 1 or more, or rho outside [0, 1].
    """

    base: Surrogate
    tau: float
    rho: float
    name: str = "tau-rho"

    def __post_init__(self) -> None:
        if not (self.tau < 1.0 and 0.0 <= self.rho <= 1.0):
            raise ValueError("tau must be below 1, and rho from 0 to 1")

    def fit(self, x: Floats, y: Floats, f: Floats) -> FittedTauRho:
        """Fits the base to z, given f n x 1."""
        return combined(_of_z(self.base, x, y, f[:, 0], self.tau), self.tau, self.rho, y, f[:, 0])


def _of_z(base: Surrogate, x: Floats, y: Floats, f: Floats, tau: float) -> Fitted:
    return base.fit(x, (y - tau * f) / (1.0 - tau), no_sources(x))


def combined(of_z: Fitted, tau: float, rho: float, y: Floats, f: Floats) -> FittedTauRho:
    """Puts what was learnt of z together with source predictions f (n).

    For tau = rho the noise is z's, scaled. Otherwise part of what is not explained is shrinkage, so
    the noise is what leave-one-out errors show beyond what the base admits not to know.
    """
    of = of_z.left_out
    mean = (1.0 - rho) * of.mean + rho * f
    latent = np.maximum(of.sd**2 - of_z.noise_sd**2, 0.0) * (1.0 - rho) ** 2
    noise = ((1.0 - tau) * of_z.noise_sd) ** 2
    if tau != rho:
        noise = max(noise, float(np.mean((y - mean) ** 2 - latent)))
    return FittedTauRho(of_z, tau, rho, math.sqrt(noise), LeftOut(y, mean, np.sqrt(latent + noise)))


@dataclass(frozen=True)
class TunedTauRho:
    """Tau and rho of the grid under which left-out outcomes are most probable; without transfer
    unless they gain more than two chosen numbers would by chance, and a margin.

    Attributes:
        is_calibrated: the source, in whatever unit, is first brought to the outcomes' scale by a
            straight line (least squares, shrunk to flatness by one outcome's worth of doubt).
        margin: in log density over all outcomes.
    """

    base: Surrogate
    name: str = "tau-rho"
    is_calibrated: bool = False
    margin: float = MARGIN
    taus: tuple[float, ...] = TAUS
    rhos: tuple[float, ...] = RHOS

    def fit(self, x: Floats, y: Floats, f: Floats) -> FittedTauRho:
        """Fits the base once for each tau."""
        line = straight_line(f[:, 0], y) if self.is_calibrated else (0.0, 1.0)
        source = line[0] + line[1] * f[:, 0]
        plain = combined(_of_z(self.base, x, y, source, 0.0), 0.0, 0.0, y, source)
        tried = []
        for tau in self.taus:
            of_z = _of_z(self.base, x, y, source, tau)
            tried += [combined(of_z, tau, rho, y, source) for rho in self.rhos]
        best = max(tried, key=_score)
        if _score(best) - _score(plain) <= N_CHOSEN + self.margin or len(y) <= N_CHOSEN:
            return plain
        spread = math.sqrt((len(y) + N_CHOSEN) / (len(y) - N_CHOSEN))
        left = replace(best.left_out, sd=best.left_out.sd * spread)
        return replace(
            best, line=line, noise_sd=best.noise_sd * spread, spread=spread, left_out=left
        )


def _score(fitted: FittedTauRho) -> float:
    return float(fitted.left_out.log_densities.sum())


def straight_line(f: Floats, y: Floats) -> tuple[float, float]:
    """Level and slope of outcomes y over f (n each), the slope shrunk by n / (n + 1)."""
    centred = f - f.mean()
    square = float(centred @ centred)
    slope = float(centred @ (y - y.mean())) / square * len(y) / (len(y) + 1.0) if square else 0.0
    return float(y.mean()) - slope * float(f.mean()), slope
