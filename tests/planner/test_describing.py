"""Which columns of a descriptor say something, and which are rounding."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.model.rows import Rows
from orchestrator.model.space import Described
from orchestrator.planner.describing import described
from orchestrator.planner.kernel import Floats


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
