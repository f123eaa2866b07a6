"""BoTorch on the rungs of a fidelity over a pool, asked by `benchmarks.planner.ladders`.

The first line of the input is the ladder as JSON: `x` (n x d), how many `rungs`, the `costs` of
each in seconds (the true geometric means: it need not learn them), `way` and `seed`. Then each
line is what is known, a list of `[candidate, rung, value]` (small values are wanted), and the
answer is a line `[candidate, rung, CPU seconds]`.

`kg`: qMultiFidelityKnowledgeGradient as in BoTorch's tutorial for discrete fidelities
(SingleTaskMultiFidelityGP, `optimize_acqf_mixed` over the box of the descriptors, one fixed
fidelity after the other), with 32 fantasies and 3 restarts of 64 in 40 steps, since with the
tutorial's 128 and 5 of 128 in 200 a choice takes 20 CPU s; then the nearest candidate that is not
known on that rung. `mes`: qMultiFidelityMaxValueEntropy on the same model, whose candidates are the
pool, at every candidate and rung that is not known.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

import torch
from botorch.acquisition import PosteriorMean
from botorch.acquisition.cost_aware import InverseCostWeightedUtility
from botorch.acquisition.fixed_feature import FixedFeatureAcquisitionFunction
from botorch.acquisition.knowledge_gradient import qMultiFidelityKnowledgeGradient
from botorch.acquisition.max_value_entropy_search import qMultiFidelityMaxValueEntropy
from botorch.acquisition.utils import project_to_target_fidelity
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskMultiFidelityGP
from botorch.models.deterministic import GenericDeterministicModel
from botorch.optim import optimize_acqf, optimize_acqf_mixed
from gpytorch.mlls import ExactMarginalLogLikelihood

N_FANTASIES, RESTARTS, RAW, ITERATIONS = 32, 3, 64, 40


class Rungs:
    """A ladder, its candidates scaled to the unit box, its rungs at 1/r, 2/r, ... 1."""

    def __init__(self, said: dict[str, Any]) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(said["seed"])
        x = torch.tensor(said["x"], dtype=torch.double)
        low, high = x.min(dim=0).values, x.max(dim=0).values
        self._x = (x - low) / torch.where(high > low, high - low, 1.0)
        self._r, self._d = said["rungs"], x.shape[1]
        self._way = said["way"]
        costs = torch.tensor(said["costs"], dtype=torch.double)
        self._utility = InverseCostWeightedUtility(
            cost_model=GenericDeterministicModel(
                lambda z: costs[(z[..., -1:] * self._r).round().long() - 1]
            )
        )

    def choose(self, known: list[tuple[int, int, float]]) -> tuple[int, int]:
        """The candidate and rung to be computed next."""
        at = [self._at(i, r) for i, r, _ in known]
        y = torch.tensor([[-value] for *_, value in known], dtype=torch.double)
        model = SingleTaskMultiFidelityGP(torch.stack(at), y, data_fidelities=[self._d])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        used = {(i, r) for i, r, _ in known}
        return (
            self._by_gradient(model, used) if self._way == "kg" else self._by_entropy(model, used)
        )

    def _at(self, i: int, r: int) -> Any:
        return torch.cat([self._x[i], torch.tensor([(r + 1) / self._r], dtype=torch.double)])

    def _project(self, x: Any) -> Any:
        return project_to_target_fidelity(x, {self._d: 1.0}, d=self._d + 1)

    def _by_gradient(self, model: Any, used: set[tuple[int, int]]) -> tuple[int, int]:
        box = torch.stack([torch.zeros(self._d + 1), torch.ones(self._d + 1)]).double()
        at_last = FixedFeatureAcquisitionFunction(
            acq_function=PosteriorMean(model), d=self._d + 1, columns=[self._d], values=[1.0]
        )
        _, value = optimize_acqf(
            at_last, bounds=box[:, :-1], q=1, num_restarts=10, raw_samples=1024
        )
        gradient = qMultiFidelityKnowledgeGradient(
            model=model,
            num_fantasies=N_FANTASIES,
            current_value=value,
            cost_aware_utility=self._utility,
            project=self._project,
        )
        left = [r for r in range(self._r) if any((i, r) not in used for i in range(len(self._x)))]
        found, _ = optimize_acqf_mixed(
            gradient,
            bounds=box,
            fixed_features_list=[{self._d: (r + 1) / self._r} for r in left],
            q=1,
            num_restarts=RESTARTS,
            raw_samples=RAW,
            options={"batch_limit": RESTARTS, "maxiter": ITERATIONS},
        )
        rung = round(float(found[0, -1]) * self._r) - 1
        far = torch.linalg.norm(self._x - found[0, :-1], dim=1)
        order = [int(i) for i in torch.argsort(far) if (int(i), rung) not in used]
        return order[0], rung

    def _by_entropy(self, model: Any, used: set[tuple[int, int]]) -> tuple[int, int]:
        last = torch.ones(len(self._x), 1, dtype=torch.double)
        entropy = qMultiFidelityMaxValueEntropy(
            model=model,
            candidate_set=torch.cat([self._x, last], dim=1),
            cost_aware_utility=self._utility,
            project=self._project,
        )
        places = [(i, r) for i in range(len(self._x)) for r in range(self._r)]
        left = [place for place in places if place not in used]
        with torch.no_grad():
            parts = torch.stack([self._at(i, r) for i, r in left])[:, None].split(256)
            gains = torch.cat([entropy(part) for part in parts])
        return left[int(torch.argmax(gains))]


def main() -> None:
    """Answers until there is no further line."""
    warnings.simplefilter("ignore")
    rungs = Rungs(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        begun = time.process_time()
        i, r = rungs.choose([tuple(row) for row in json.loads(line)])
        print(json.dumps([i, r, time.process_time() - begun]), flush=True)


if __name__ == "__main__":
    main()
