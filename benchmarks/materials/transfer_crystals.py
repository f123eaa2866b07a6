"""S6: thermal conductivity of crystals beyond what is known, with the phase space as source.

The source is a process of composition, learnt from the phase spaces of the 275 crystals without a
conductivity: no phase space of a crystal that is ranked is known to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, spearmanr

from benchmarks.materials.crystals import CRYSTALS, Crystals, Floats
from benchmarks.materials.crystals import crystals as read_crystals
from orchestrator.planner.transfer.affine import AffineSurrogate, additive, prior_mean
from orchestrator.planner.transfer.bases import ProcessSurrogate, augmented, sources_alone
from orchestrator.planner.transfer.choosing import BeyondTheKnown, choose
from orchestrator.planner.transfer.surrogate import Fitted, no_sources

FILES = (CRYSTALS,)
SPLITS = range(40)
LOOPS = range(30)
N_KNOWN, N_FIRST, STARTS = 28, 3, (10, 28)
LIMIT = 2.0
"""log10 of 100 W/mK."""

Rows = NDArray[np.intp]


def crystals_row() -> dict[str, Any]:
    """Splits: errors and rank correlations above the limit. Loops: trials until the best."""
    known = read_crystals()
    source = ProcessSurrogate()
    without = np.isnan(known.conductivity)
    x = known.x[without]
    model = source.fit(x, known.phase_space[without], no_sources(x))
    f = model.predict(known.x, no_sources(known.x))[0][:, None]
    low = np.flatnonzero(known.conductivity < LIMIT - 1e-9)
    high = np.flatnonzero(known.conductivity >= LIMIT - 1e-9)
    splits: dict[str, list[list[float]]] = {}
    for seed in SPLITS:
        rows = np.random.default_rng(seed).choice(low, size=N_KNOWN, replace=False)
        for name, fitted in _fitted(known, f, rows).items():
            mean, _ = fitted.predict(known.x[high], f[high])
            y = known.conductivity[high]
            rmse = float(np.sqrt(np.mean((mean - y) ** 2)))
            splits.setdefault(name, []).append([rmse, float(spearmanr(mean, y)[0])])
    loops = {str(n): _loops(known, f, low, n) for n in STARTS}
    loops["none"] = _from_nothing(known, f)
    return {"splits": splits, "loops": loops, "low": len(low), "high": len(high)}


def _fitted(known: Crystals, f: Floats, rows: Rows, *names: str) -> dict[str, Fitted]:
    """Of the ways that are named, or all, fitted to some rows."""
    x, y, at = known.x[rows], known.conductivity[rows], f[rows]
    plain = ProcessSurrogate()
    ways = [prior_mean(), AffineSurrogate(), additive(), augmented(), sources_alone()]
    out: dict[str, Fitted] = {}
    for way in (plain, *ways):
        if not names or way.name in names:
            out[way.name] = way.fit(x, y, at)
    if not names or "choice" in names:
        out["choice"] = choose(plain, ways, x, y, at, judge=BeyondTheKnown())
    if not names:
        out["choice among the known"] = choose(plain, ways, x, y, at)
    return out


def _loops(known: Crystals, f: Floats, low: Rows, n: int) -> dict[str, list[int]]:
    """Trials until the best crystal is measured, of crystals that were not known at the start; for
    sorting by the measured phase space, the rank of the best."""
    out: dict[str, list[int]] = {"sorted by phase space": []}
    best = int(np.nanargmax(known.conductivity))
    for seed in LOOPS:
        rows = np.random.default_rng(seed).choice(low, size=n, replace=False)
        labelled = np.flatnonzero(~np.isnan(known.conductivity))
        pool = np.setdiff1d(labelled, rows)
        ranked = pool[np.argsort(known.phase_space[pool], kind="stable")]
        out["sorted by phase space"].append(int(np.flatnonzero(ranked == best)[0]) + 1)
        for name in ("no transfer", "prior mean", "choice"):
            out.setdefault(name, []).append(_trials(known, f, rows, pool, best, name))
    return out


def _from_nothing(known: Crystals, f: Floats) -> dict[str, list[int]]:
    """Trials until the best crystal is measured, the first three at random and counted."""
    labelled = np.flatnonzero(~np.isnan(known.conductivity))
    best = int(np.nanargmax(known.conductivity))
    ranked = labelled[np.argsort(known.phase_space[labelled], kind="stable")]
    rank = int(np.flatnonzero(ranked == best)[0]) + 1
    out: dict[str, list[int]] = {"sorted by phase space": [rank] * len(LOOPS)}
    for seed in LOOPS:
        rows = np.random.default_rng(seed).choice(labelled, size=N_FIRST, replace=False)
        pool = np.setdiff1d(labelled, rows)
        for name in ("no transfer", "prior mean", "choice"):
            if best in rows:
                count = int(np.flatnonzero(rows == best)[0]) + 1
            else:
                count = N_FIRST + _trials(known, f, rows, pool, best, name)
            out.setdefault(name, []).append(count)
    return out


def _trials(known: Crystals, f: Floats, rows: Rows, pool: Rows, best: int, name: str) -> int:
    """By expected improvement over the best measured."""
    for count in range(1, len(pool) + 1):
        fitted = _fitted(known, f, rows, name)[name]
        mean, sd = fitted.predict(known.x[pool], f[pool])
        lead = mean - known.conductivity[rows].max()
        gain = lead * norm.cdf(lead / sd) + sd * norm.pdf(lead / sd)
        tried = int(pool[int(np.argmax(gain))])
        if tried == best:
            return count
        rows, pool = np.append(rows, tried), pool[pool != tried]
    raise AssertionError("the best crystal is in the pool")
