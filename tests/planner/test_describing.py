"""Which columns of a descriptor say something, and which are rounding."""

from __future__ import annotations

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, Pool, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.describing import UNIFORM_SD, described, standardised
from orchestrator.planner.kernel import Floats
from orchestrator.ports.planner import MetricScale, PlanningTask


def columns_of(rows: Floats) -> int:
    said = Described(descriptor="d", material="m", rows=Rows.of(np.ascontiguousarray(rows)))
    table = described(said).table
    assert table is not None
    return table.shape[1]


def ordinary(n: int) -> Floats:
    """Quantities as descriptors give them: weights, radii, coordination numbers."""
    return np.random.default_rng(0).uniform(1.0, 2.0, (n, 5)) * [60.0, 1.4, 12.0, 0.3, 1300.0]


def test_what_rounding_leaves_of_a_difference_is_no_feature() -> None:
    rng = np.random.default_rng(1)
    rows = ordinary(6)
    deviations = rng.uniform(0.0, 1e-14, (6, 3))  # of sites that are all alike
    tails = 10.0 ** rng.uniform(-40.0, -33.0, (6, 1))
    assert columns_of(np.hstack([rows, deviations, tails])) == 5


def test_one_crystal_in_two_cells_is_described_alike() -> None:
    rows = np.hstack([ordinary(6), np.full((6, 1), 12.0)])
    rows[1] = rows[0]
    rng = np.random.default_rng(2)
    rows *= 1.0 + rng.uniform(-1e-14, 1e-14, rows.shape)
    rows = np.hstack([rows, rng.uniform(0.0, 1e-14, (6, 2))])
    said = Described(descriptor="d", material="m", rows=Rows.of(rows))
    table = described(said).table
    assert table is not None
    assert np.abs(table[0] - table[1]).max() < 1e-9


@pytest.mark.parametrize("size", [1e-9, 1e-7, 1e20])
def test_a_quantity_in_units_in_which_it_is_small_or_large_is_kept(size: float) -> None:
    rows = np.hstack([ordinary(6), size * np.random.default_rng(3).random((6, 1))])
    assert columns_of(rows) == 6


def test_a_descriptor_in_units_in_which_everything_is_small_keeps_its_columns() -> None:
    assert columns_of(1e-26 * ordinary(6)) == 5
    assert columns_of(1e-33 * ordinary(6)[:, :1]) == 1


def pool_of(rows: Floats) -> Pool:
    return Pool(
        name="m",
        names=tuple(f"m{i}" for i in range(len(rows))),
        columns=tuple(f"d{i}" for i in range(rows.shape[1])),
        units=("",) * rows.shape[1],
        rows=Rows.of(np.ascontiguousarray(rows)),
    )


def test_a_column_that_spans_decades_is_seen_as_it_is_and_by_its_decades() -> None:
    even = np.linspace(-3.0, 3.0, 61)
    signed = np.where(np.arange(61) % 2, 1.0, -1.0)
    rows = np.stack([10.0**even, even, signed * 10.0**even, np.exp2(even), even**3], axis=1)
    table = standardised(pool_of(rows))
    assert table.shape == (61, 8)
    assert np.allclose(table[:, :5], 0.5 + UNIFORM_SD * (rows - rows.mean(0)) / rows.std(0))
    by_decades = table[:, 5]
    steps = np.diff(by_decades)
    assert steps.min() > 0
    assert np.allclose(steps[10:], steps[-1], rtol=0.03)
    assert np.allclose(table.mean(axis=0), 0.5)
    assert ((table[:, 6] > table[:, 6].mean()) == (signed > 0)).all()
    huge = standardised(pool_of(10.0 ** (100.0 * even[:, None])))
    assert huge.shape == (61, 2)
    assert np.isfinite(huge).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_best_of_a_pool_is_found_by_the_decades_of_its_columns(seed: int) -> None:
    rows = np.random.default_rng(5).lognormal(0.0, 3.0, (300, 3))
    tens = np.log10(rows)
    y = -((tens[:, 0] - 0.5) ** 2) - (tens[:, 1] + 0.5) ** 2
    task = PlanningTask(
        space=SearchSpace(parameters=(pool_of(rows),)),
        metrics=(MetricScale(name="y", unit=""),),
        objective=Objective(goals=(Goal(metric="y", direction="maximise"),)),
        planner=PlannerChoice(),
        seed=seed,
    )
    made = samples.play(BayesianPlanner(task), lambda p: {"y": y[int(str(p["m"])[1:])]}, 25)
    found = max(y[int(str(p.point["m"])[1:])] for p in made)
    assert np.count_nonzero(y > found) <= 2
