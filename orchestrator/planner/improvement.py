"""Expected improvement and its logarithm, accurate far in the tail, with derivatives.

Source: Ament et al. 2023, NeurIPS ("Unexpected improvements to expected improvement"), eq. 9 and
appendix A.1. scipy.special only.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from orchestrator.planner.kernel import Floats

_LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)
_SQRT_HALF = np.sqrt(0.5)
_LOG_SQRT_HALF_PI = 0.5 * np.log(0.5 * np.pi)
_FAR = -1e3


def log_h(z: Floats) -> Floats:
    """log(pdf(z) + z cdf(z)) of the standard normal distribution, for any z."""
    near = z > -1.0
    zn = np.where(near, z, 0.0)
    direct = np.exp(-0.5 * zn * zn - _LOG_SQRT_2PI) + zn * ndtr(zn)
    zt = np.where(near, -2.0, np.maximum(z, _FAR))
    # pdf + z cdf = pdf (1 - |z| erfcx(|z| / sqrt 2) sqrt(pi / 2))
    inner = np.log(erfcx(-zt * _SQRT_HALF) * -zt) + _LOG_SQRT_HALF_PI
    tail = -0.5 * zt * zt - _LOG_SQRT_2PI + np.log(-np.expm1(inner))
    if (z < _FAR).any():  # there the bracket is 1 / z^2
        zf = np.minimum(z, _FAR)
        tail = np.where(z < _FAR, -0.5 * zf * zf - _LOG_SQRT_2PI - 2.0 * np.log(-zf), tail)
    return np.asarray(np.where(near, np.log(direct), tail))


def log_expected_improvement(
    mean: Floats, sd: Floats, best: Floats
) -> tuple[Floats, Floats, Floats]:
    """log E[max(0, outcome - best)], and its derivatives by mean and by sd. Arrays broadcast."""
    z = (mean - best) / sd
    value = log_h(z)
    with np.errstate(over="ignore"):  # differences of large logarithms are noise, and replaced
        cdf, pdf = np.exp(log_ndtr(z) - value), np.exp(-0.5 * z * z - _LOG_SQRT_2PI - value)
    if (z < _FAR).any():
        zf = np.minimum(z, _FAR)
        cdf = np.where(z < _FAR, -zf - 2.0 / zf, cdf)
        pdf = np.where(z < _FAR, zf * zf + 3.0, pdf)
    return value + np.log(sd), cdf / sd, pdf / sd


def log_probability(z: Floats) -> tuple[Floats, Floats]:
    """log cdf(z) of the standard normal distribution, and its derivative."""
    value = log_ndtr(z)
    with np.errstate(over="ignore"):
        slope = np.exp(-0.5 * z * z - _LOG_SQRT_2PI - value)
    if (z < _FAR).any():
        zf = np.minimum(z, _FAR)
        slope = np.where(z < _FAR, -zf - 1.0 / zf, slope)
    return value, slope
