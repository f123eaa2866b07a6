"""S7: gains where the source has to do with the target, costs where it has not, calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.materials.synthetic import RELATED, UNRELATED, Floats, Sample, sample
from orchestrator.planner.transfer.affine import AffineSurrogate, additive, prior_mean
from orchestrator.planner.transfer.bases import ProcessSurrogate, augmented
from orchestrator.planner.transfer.choosing import Choice, choose
from orchestrator.planner.transfer.ranking import RankingSurrogate
from orchestrator.planner.transfer.surrogate import Surrogate
from orchestrator.planner.transfer.tau_rho import TunedTauRho

SEEDS = range(1000, 1020)
"""None of them was looked at before the settings were fixed."""
SIZES = (6, 10, 20, 40)
N_TEST = 200
Z_90 = 1.6448536


@dataclass(frozen=True)
class Chosen:
    """A choice among candidates, as a surrogate."""

    candidates: Sequence[Surrogate]
    name: str = "choice"

    def fit(self, x: Floats, y: Floats, f: Floats) -> Choice:
        """As `choose`."""
        return choose(ProcessSurrogate(), self.candidates, x, y, f)


def _surrogates(n_sources: int) -> list[Surrogate]:
    plain = ProcessSurrogate()
    ways: list[Surrogate] = [prior_mean(), AffineSurrogate(), additive(), augmented()]
    if n_sources == 1:
        ways += [TunedTauRho(plain, is_calibrated=True)]
    alone: list[Surrogate] = [TunedTauRho(plain)] if n_sources == 1 else []
    return [plain, *alone, *ways[:4], RankingSurrogate(plain), Chosen(ways)]


def s7_row() -> dict[str, Any]:
    """Of each task, size and surrogate: mean RMSE over seeds, and coverage of 90 % intervals."""
    cells = []
    for name, draw in (RELATED | UNRELATED).items():
        for n in SIZES:
            cells += _cells(name, draw, n)
    return {"cells": cells, "seeds": len(SEEDS), "unrelated": list(UNRELATED)}


def _cells(name: str, draw: Callable[..., Sample], n: int) -> list[dict[str, Any]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in SEEDS:
        x, y, f = sample(draw, n + N_TEST, seed)
        for surrogate in _surrogates(f.shape[1]):
            fitted = surrogate.fit(x[:n], y[:n], f[:n])
            mean, sd = fitted.predict(x[n:], f[n:])
            total = np.sqrt(sd**2 + fitted.noise_sd**2)
            missed = np.abs(y[n:] - mean)
            cell = float(np.sqrt(np.mean(missed**2))), float(np.mean(missed <= Z_90 * total))
            found.setdefault(surrogate.name, []).append(cell)
    lines = []
    for surrogate_name, values in found.items():
        rmse, coverage = np.mean(values, axis=0)
        line = {"task": name, "n": n, "way": surrogate_name}
        lines.append({**line, "rmse": round(float(rmse), 5), "coverage": round(float(coverage), 4)})
    return lines
