"""Surrogates that guide a generation: SMILES in, means and standard deviations out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.sparse import csr_array
from sklearn.linear_model import BayesianRidge

Floats = NDArray[np.float64]
_LEAST_NOISE = 1e-3
"""Of a process, as a share of the variance: its inverse is kept with seven digits."""


@cache
def _maker() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)


def counts(names: Sequence[str]) -> Floats:
    """How often each ECFP4 fragment occurs, and MACCS keys, n x 2215."""
    rows = np.zeros((len(names), 2048 + 167))
    for row, name in zip(rows, names, strict=True):
        found = Chem.MolFromSmiles(name)
        row[:2048] = _maker().GetCountFingerprintAsNumPy(found)
        row[2048 + np.array(rdMolDescriptors.GetMACCSKeysFingerprint(found).GetOnBits(), int)] = 1
    return rows


class Ridge:
    """Bayesian ridge regression, each property for itself: XenonPy's default."""

    def __init__(self, names: Sequence[str], values: Floats) -> None:
        x = counts(names)
        self._models = [BayesianRidge().fit(x, column) for column in values.T]

    def predict(self, names: Sequence[str], /) -> tuple[Floats, Floats]:
        """Means and deviations, n x p each."""
        x = counts(names)
        found = [model.predict(x, return_std=True) for model in self._models]
        return np.column_stack([m for m, _ in found]), np.column_stack([s for _, s in found])


class Process:
    """Each property by a Gaussian process: linear in the counts, and on top of that alike where the
    bits are alike (Tanimoto's kernel), so that what was measured near by counts near by."""

    def __init__(self, names: Sequence[str], values: Floats) -> None:
        self._x = counts(names)
        self._scale = float((self._x**2).sum(axis=1).mean())
        parts = self._kernels(self._x)
        self._fits = [_Fit(parts, column) for column in values.T]

    def predict(self, names: Sequence[str], /) -> tuple[Floats, Floats]:
        """Means and deviations, n x p each."""
        x = counts(names)
        parts, own = self._kernels(x), (x**2).sum(axis=1) / self._scale
        found = [fit.predict(parts, own) for fit in self._fits]
        return np.column_stack([m for m, _ in found]), np.column_stack([s for _, s in found])

    def _kernels(self, x: Floats) -> tuple[Floats, Floats]:
        """n x m of the linear kernel and of Tanimoto's."""
        linear = csr_array(x) @ self._x.T / self._scale
        a, b = (x > 0).astype(float), (self._x > 0).astype(float)
        shared = csr_array(a) @ b.T
        either = a.sum(axis=1)[:, None] + b.sum(axis=1)[None] - shared
        return linear, shared / np.maximum(either, 1.0)


class _Fit:
    """One property: the sizes of both kernels and of the noise by the marginal likelihood of up to
    800 points."""

    def __init__(self, parts: tuple[Floats, Floats], y: Floats) -> None:
        self._centre, self._size = float(y.mean()), float(y.std()) or 1.0
        z = (y - self._centre) / self._size
        some = np.random.default_rng(0).permutation(len(z))[:800]
        few = tuple(part[np.ix_(some, some)] for part in parts)
        begin = np.log([1.0, 1.0, 0.1])
        options = {"maxfev": 150}
        best = minimize(_loss, begin, args=(few, z[some]), method="Nelder-Mead", options=options)
        self._sizes = np.exp(np.clip(best.x, -12.0, 8.0))
        self._sizes[2] = max(self._sizes[2], _LEAST_NOISE)
        matrix = self._sizes[0] * parts[0] + self._sizes[1] * parts[1]
        matrix[np.diag_indices(len(z))] += self._sizes[2]
        inverse = cho_solve(cho_factor(matrix, lower=True), np.eye(len(z)))
        self._weights = inverse @ z
        self._inverse = inverse.astype(np.float32)

    def predict(self, parts: tuple[Floats, Floats], own: Floats) -> tuple[Floats, Floats]:
        cross = self._sizes[0] * parts[0] + self._sizes[1] * parts[1]
        known = np.einsum("ij,ij->i", cross.astype(np.float32) @ self._inverse, cross)
        prior = self._sizes[0] * own + self._sizes[1] + self._sizes[2]
        sd = np.sqrt(np.maximum(prior - known, self._sizes[2]))
        return self._centre + self._size * (cross @ self._weights), self._size * sd


def _loss(logs: Floats, parts: tuple[Floats, Floats], z: Floats) -> float:
    sizes = np.exp(np.clip(logs, -12.0, 8.0))
    matrix = sizes[0] * parts[0] + sizes[1] * parts[1] + (sizes[2] + 1e-8) * np.eye(len(z))
    factor = np.linalg.cholesky(matrix)
    solved = solve_triangular(factor, z, lower=True)
    return float(np.log(np.diag(factor)).sum() + 0.5 * solved @ solved)


GUIDES = {"ridge": Ridge, "process": Process}
