"""A process of BoTorch as the guide of a generator."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from orchestrator.materials.chemistry import molecule
from orchestrator.materials.generators.archive import Floats
from orchestrator.materials.generators.iqspr import Iqspr
from orchestrator.materials.generators.targets import Interval, Targets

CORPUS = [
    *("CCO", "CCCO", "CCN", "CC(C)O", "CCOC", "CCCC"),
    *("CCCCCC", "c1ccccc1O", "Cc1ccccc1", "CC(=O)O", "CCC(=O)N", "CCCCN"),
]


def counts(smiles: Sequence[str]) -> Floats:
    """Atoms, oxygens and rings (n x 3), in tens."""
    found = [molecule(one) for one in smiles]
    symbols = [[atom.GetSymbol() for atom in m.GetAtoms()] for m in found]
    rings = [m.GetRingInfo().NumRings() for m in found]
    return np.array([(len(s), s.count("O"), r) for s, r in zip(symbols, rings, strict=True)]) / 10


class Process:
    """How many atoms a molecule has, as a Gaussian process learns it."""

    def __init__(self, torch: Any, smiles: Sequence[str]) -> None:
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from gpytorch.mlls import ExactMarginalLogLikelihood

        self._torch = torch
        x = torch.tensor(counts(smiles), dtype=torch.float64)
        self._process = SingleTaskGP(x, 10 * x[:, :1])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(self._process.likelihood, self._process))

    def predict(self, materials: Sequence[str]) -> tuple[Floats, Floats]:
        with self._torch.no_grad():
            x = self._torch.tensor(counts(materials), dtype=self._torch.float64)
            found = self._process.posterior(x)
            return found.mean.numpy(), found.variance.sqrt().numpy()


@pytest.mark.torch
def test_a_process_of_botorch_guides_to_what_is_wanted() -> None:
    with warnings.catch_warnings():  # of torch and linear_operator, about themselves
        warnings.simplefilter("ignore")
        import torch

        guide = Process(torch, CORPUS)
        score = Targets(guide, [Interval(low=6.5, high=7.5)])
        made = Iqspr(CORPUS, particles=200, steps=15).generate(CORPUS, score, n=3, seed=0)
    assert [molecule(candidate.material).GetNumAtoms() for candidate in made] == [7] * 3
