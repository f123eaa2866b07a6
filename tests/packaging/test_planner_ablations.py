"""What is kept of ablations, and what their table says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from benchmarks.planner import warped
from benchmarks.planner.ablations import packed, read, table
from orchestrator.planner.fitting import Data, default_priors
from orchestrator.planner.kernel import Layout
from orchestrator.planner.measured import Measured
from orchestrator.ports.planner import MetricScale

SEEDS = range(4)


def line(planner: str, seed: int, gap: float, error: str | None = None) -> dict[str, Any]:
    return {
        "planner": planner,
        "problem": "branin",
        "seed": seed,
        "best": [gap * 10] * 39 + [gap],
        "recommended": {"40": gap},
        "cpu_s": [0.01, 0.03],
        "error": error,
        "load": 1.0,
        "versions": {"hagane": "0.1.0", "revision": "abc1234"},
    }


def test_a_variant_is_compared_with_the_planner_on_the_same_seeds(tmp_path: Path) -> None:
    runs = [line("other", s, 0.5 * (s + 1)) for s in SEEDS]
    lines = [*packed([*runs, line("other", 9, 1.0, error="stopped")])]
    assert lines[0]["seeds"] == [*SEEDS]
    assert lines[0]["cut_short"] == 1
    kept, now = tmp_path / "kept.jsonl", tmp_path / "hagane.jsonl"
    kept.write_text(json.dumps(lines[0]) + "\n")
    now.write_text("".join(json.dumps(line("hagane", s, s + 1.0)) + "\n" for s in range(8)))
    rows = [row for row in table(*read(kept, now), ["branin"]) if row.startswith("| other")]
    assert rows == ["| other | hagane | 0.5 [0.5, 0.5] (4) | 1.00 [1.00, 1.00] |"] * 2
    (third,) = packed([line("third", s, 0.25 * (s + 1)) for s in SEEDS], beside="other")
    kept.write_text("".join(json.dumps(one) + "\n" for one in (lines[0], third)))
    rows = [row for row in table(*read(kept, now), ["branin"]) if row.startswith("| third")]
    assert rows == ["| third | other | 0.5 [0.5, 0.5] (4) | 1.00 [1.00, 1.00] |"] * 2


def measured(y: np.ndarray[Any, np.dtype[np.float64]]) -> Measured:
    nothing, rows = np.zeros(len(y)), tuple(range(len(y)))
    return Measured(MetricScale(name="y", unit=""), rows, y, nothing, nothing, nothing, 3.0, 2.0)


def test_outcomes_raised_to_a_power_can_be_read_back() -> None:
    known = measured(np.random.default_rng(0).lognormal(size=12) - 1.0)
    other = warped.made_normal(known)
    assert other.power < 0.5
    for before, after in zip(known.y, other.y, strict=True):
        assert other.standardised(known.in_unit(before)) == pytest.approx(after)
        assert other.in_unit(after) == pytest.approx(known.in_unit(before))


def test_the_likelihood_of_warped_parameters_has_the_gradient_that_differences_show() -> None:
    rng = np.random.default_rng(1)
    x, y, n = rng.random((12, 2)), rng.normal(size=12), 12
    data = Data(x, y, Layout(np.arange(2)), np.ones(n), np.zeros(n), np.zeros((0, n, n)))
    likelihood = warped.BentLikelihood(data, default_priors(2)[0], "matern", np.arange(2))
    theta = np.array([-0.2, 0.1, -4.0, 0.3, -0.4, 0.2, 0.1])
    found = approx_fprime(theta, lambda at: likelihood(at)[0], 1e-6)
    assert likelihood(theta)[1] == pytest.approx(found, rel=1e-3, abs=1e-3)
