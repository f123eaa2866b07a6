"""Large pools of candidates with descriptors, as each peer takes them: `Pool(rows, seed)`.

BayBE: a table of discrete numbers is a parameter per column; its way for descriptors is one
custom parameter, used here. Ax has no pool with descriptors: an unordered choice of row numbers
(which takes 17 s for 1,000 rows, so larger ones are not tried). BoFire and Optuna have none.
"""

from __future__ import annotations

import contextlib
import csv
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np

Rows: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float64]]


class Pool(Protocol):
    """Something that chooses rows; values are to be made large."""

    def tell(self, row: int, value: float) -> None:
        """Learns the value of a row."""
        ...

    def ask(self) -> int:
        """The row to try next."""
        ...


class _Told:
    def __init__(self) -> None:
        self.rows: list[int] = []
        self.values: list[float] = []

    def tell(self, row: int, value: float) -> None:
        self.rows.append(row)
        self.values.append(value)


class HaganePool(_Told):
    """Our planner; the pool is part of its task."""

    def __init__(self, rows: Rows, seed: int) -> None:
        super().__init__()
        from orchestrator.model.campaign import PlannerChoice
        from orchestrator.model.objective import Goal, Objective
        from orchestrator.model.space import Pool as PoolParameter
        from orchestrator.model.space import SearchSpace
        from orchestrator.planner.bayesian import BayesianPlanner
        from orchestrator.ports.planner import MetricScale, PlanningTask

        d = rows.shape[1]
        pool = PoolParameter(
            name="candidate",
            names=tuple(f"c{i}" for i in range(len(rows))),
            columns=tuple(f"x{j}" for j in range(d)),
            units=("",) * d,
            rows=rows,
        )
        goal = Goal(metric="y", direction="maximise")
        self._planner = BayesianPlanner(
            PlanningTask(
                space=SearchSpace(parameters=(pool,)),
                metrics=(MetricScale(name="y", unit=""),),
                objective=Objective(goals=(goal,)),
                planner=PlannerChoice(initial=8),
                seed=seed,
            )
        )

    def ask(self) -> int:
        """By a history of all that was told."""
        from orchestrator.ports.planner import Evaluated, History, Outcome

        evaluated = tuple(
            Evaluated(trial=i, point={"candidate": f"c{r}"}, outcomes={"y": Outcome(value=v)})
            for i, (r, v) in enumerate(zip(self.rows, self.values, strict=True), start=1)
        )
        history = History(evaluated=evaluated, n_proposed=len(evaluated))
        return int(str(self._planner.propose(history, 1)[0].point["candidate"])[1:])


class PhysboPool(_Told):
    """Exact Gaussian process and EI."""

    def __init__(self, rows: Rows, seed: int) -> None:
        super().__init__()
        import physbo

        self._physbo, self._seed = physbo, seed
        self._rows = physbo.misc.centering(rows)

    def ask(self) -> int:
        """A policy made anew."""
        told = [np.array(self.rows), np.array(self.values)]
        with contextlib.redirect_stdout(io.StringIO()):
            policy = self._physbo.search.discrete.Policy(test_X=self._rows, initial_data=told)
            policy.set_seed(self._seed * 1000 + len(self.rows))
            found = policy.bayes_search(
                max_num_probes=1, simulator=None, score="EI", interval=0, num_rand_basis=0
            )
        return int(found[0])


class NimoPool(_Told):
    """NIMO speaks through files: the whole pool is written and read each time."""

    def __init__(self, rows: Rows, seed: int) -> None:
        super().__init__()
        folder = Path(tempfile.mkdtemp())
        self._in, self._out = folder / "candidates.csv", folder / "proposals.csv"
        self._texts = [",".join(map(repr, row)) for row in rows.tolist()]
        self._head = ",".join([*(f"x{j}" for j in range(rows.shape[1])), "y"])

    def ask(self) -> int:
        """PHYSBO through `nimo.selection`."""
        import nimo

        known = dict(zip(self.rows, self.values, strict=True))
        with self._in.open("w") as file:
            file.write(self._head + "\n")
            file.writelines(f"{t},{known.get(i, '')}\n" for i, t in enumerate(self._texts))
        with contextlib.redirect_stdout(io.StringIO()):
            nimo.selection(
                method="PHYSBO",
                input_file=str(self._in),
                output_file=str(self._out),
                num_objectives=1,
                num_proposals=1,
            )
        with self._out.open(newline="") as file:
            head, first, *_ = csv.reader(file)
        return int(float(first[head.index("actions") if "actions" in head else 0]))


class BoTorchPool(_Told):
    """LogEI over all rows, 20,000 at a time."""

    def __init__(self, rows: Rows, seed: int) -> None:
        super().__init__()
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self._rows = torch.from_numpy(rows)

    def ask(self) -> int:
        """A model made anew."""
        import torch
        from botorch.acquisition import LogExpectedImprovement
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from gpytorch.mlls import ExactMarginalLogLikelihood

        y = torch.tensor(self.values, dtype=torch.double)[:, None]
        model = SingleTaskGP(self._rows[self.rows], y)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        value = LogExpectedImprovement(model, best_f=y.max())
        with torch.no_grad():
            values = torch.cat([value(part[:, None, :]) for part in self._rows.split(20_000)])
        values[self.rows] = -torch.inf
        return int(values.argmax())


class BayBePool(_Told):
    """One custom parameter with a table of descriptors."""

    def __init__(self, rows: Rows, seed: int) -> None:
        super().__init__()
        import pandas as pd
        import torch
        from baybe import Campaign
        from baybe.parameters import CustomDiscreteParameter
        from baybe.searchspace import SearchSpace
        from baybe.targets import NumericalTarget

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        names = [f"c{i}" for i in range(len(rows))]
        table = pd.DataFrame(
            rows, index=pd.Index(names), columns=[f"x{j}" for j in range(rows.shape[1])]
        )
        parameter = CustomDiscreteParameter("candidate", data=table, decorrelate=False)
        space = SearchSpace.from_product([parameter])
        self._campaign = Campaign(space, NumericalTarget("y", minimize=False))
        self._pandas, self._handed_over = pd, 0

    def ask(self) -> int:
        """With what was told since the last time."""
        news = range(self._handed_over, len(self.rows))
        table = [{"candidate": f"c{self.rows[i]}", "y": self.values[i]} for i in news]
        if table:
            self._campaign.add_measurements(self._pandas.DataFrame(table))
        self._handed_over = len(self.rows)
        return int(str(self._campaign.recommend(1)["candidate"].iloc[0])[1:])


POOLS: dict[str, Callable[[Rows, int], Any]] = {
    "hagane": HaganePool,
    "physbo": PhysboPool,
    "nimo": NimoPool,
    "botorch": BoTorchPool,
    "baybe": BayBePool,
}


def synthetic(n: int, d: int = 10, seed: int = 7) -> tuple[Rows, Any]:
    """`n` rows in the unit cube and a smooth target with several peaks, to be made large."""
    rng = np.random.default_rng(seed)
    rows = rng.random((n, d))
    centres, weights = rng.random((6, d)), np.array([1, 0.8, 0.7, 0.6, 0.5, 0.4])
    lengths, relevance = 0.35 + 0.35 * rng.random((6, d)), np.ones(d)
    relevance[6:] = 0.15
    target = np.zeros(n)
    for weight, centre, length in zip(weights, centres, lengths, strict=True):
        target += weight * np.exp(-0.5 * (((rows - centre) / length) ** 2 * relevance).sum(1))
    return rows, target
