"""Limits whose outcomes have a long tail are modelled by their decades far from the bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import planner_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective, OutcomeConstraint
from orchestrator.model.space import Point, Real, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.bending import bent
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.measured import Bend, Measured, evidence
from orchestrator.ports.planner import MetricScale, PlanningTask

Truth = Callable[[Point], dict[str, float]]
AXES = tuple(Real(name=f"width{i}", low=0.5, high=10.0, unit="cm") for i in range(5))
LOADS = 61.0, 37.0, 19.0, 7.0, 1.0
LEAST_WEIGHT = 1.33996
SAG = OutcomeConstraint(metric="sag", sense="<=", bound=1.0)
SURELY = SAG.model_copy(update={"confidence": 0.95})


def stepped_beam(point: Point) -> dict[str, float]:
    """A cantilever of five steps [Svanberg 1987]: the sag goes over three decades."""
    widths = [float(point[axis.name]) for axis in AXES]
    sag = sum(load / width**3 for load, width in zip(LOADS, widths, strict=True))
    return {"weight": 0.0624 * sum(widths), "sag": sag}


def level_beam(point: Point) -> dict[str, float]:
    widths = [float(point[axis.name]) for axis in AXES]
    return {"weight": sum(widths), "sag": 3.0 - 0.1 * sum(widths)}


def task(*limits: OutcomeConstraint, seed: int = 0) -> PlanningTask:
    return PlanningTask(
        space=SearchSpace(parameters=AXES),
        metrics=(MetricScale(name="weight", unit="kg"), MetricScale(name="sag", unit="mm")),
        objective=Objective(
            goals=(Goal(metric="weight", direction="minimise"),), constraints=limits
        ),
        planner=PlannerChoice(initial=10),
        seed=seed,
    )


def read(question: PlanningTask, truth: Truth, n: int = 20) -> tuple[Measured, Measured]:
    """The sag as it was measured, and as it is searched with."""
    encoding = Encoding(question.space)
    seen = evidence(question, encoding, samples.measured(question, truth, n))
    return seen.measured["sag"], bent(question, encoding, seen, "matern").measured["sag"]


@pytest.mark.parametrize("seed", range(3))
def test_a_limit_that_is_broken_a_hundredfold_is_met_and_the_optimum_lies_on_it(seed: int) -> None:
    made = samples.play(BayesianPlanner(task(SAG, seed=seed)), stepped_beam, 40)
    found = [stepped_beam(proposal.point) for proposal in made]
    kept = [one["weight"] for one in found if one["sag"] <= 1.0]
    assert min(kept) < 1.1 * LEAST_WEIGHT


def test_bent_outcomes_keep_their_values_and_the_limit_where_straight_ones_do() -> None:
    straight, found = read(task(SAG), stepped_beam)
    assert found.bend is not None
    assert found.on_scale(found.y) == pytest.approx(straight.on_scale(straight.y))
    keeps = straight.y <= straight.standardised(SAG.bound)
    assert (keeps == (found.y <= found.standardised(SAG.bound))).all()
    assert float(found.y.std(ddof=1)) == pytest.approx(1.0)


def test_what_is_expected_of_a_bent_limit_is_said_in_its_unit() -> None:
    question = task(SAG)
    history = samples.measured(question, stepped_beam, 40)
    (proposal,) = BayesianPlanner(question).propose(history, 1)
    expected, truth = proposal.predicted["sag"], stepped_beam(proposal.point)["sag"]
    assert abs(expected.mean - truth) < 4.0 * expected.sd
    assert expected.sd < 10.0  # of outcomes up to a thousand


def penalised(point: Point, penalty: float) -> dict[str, float]:
    truth = stepped_beam(point)
    return truth | {"sag": penalty if truth["sag"] > 10.0 else truth["sag"]}


def test_beside_a_penalty_of_twenty_decades_the_others_are_still_told_apart() -> None:
    straight, found = read(task(SAG), lambda point: penalised(point, 1e20))
    assert found.bend is not None
    assert found.on_scale(found.y) == pytest.approx(straight.raw)
    assert np.ptp(straight.raw[straight.raw < 1e20]) > 1.0


@pytest.mark.parametrize("penalty", [1e160, 1e300])
def test_outcomes_too_far_to_be_made_straight_again_stay_as_they_are(penalty: float) -> None:
    straight, found = read(task(SAG), lambda point: penalised(point, penalty))
    assert found is straight


def test_known_noise_is_bent_with_its_outcome() -> None:
    straight, _ = read(task(SAG), stepped_beam)
    known = np.full(len(straight.y), (0.001 / straight.spread) ** 2)
    bend = Bend(1.0, 5.0)
    found = replace(straight, known=known).bent_by(bend)
    raw = straight.on_scale(straight.y)
    moved = (bend.bent(raw + 0.001) - bend.bent(raw - 0.001)) / (2.0 * found.spread)
    assert np.sqrt(found.known) == pytest.approx(moved, rel=1e-3)


@pytest.mark.parametrize(
    ("limit", "truth"), [(SAG, level_beam), (SURELY, stepped_beam)], ids=["no tail", "with 95 %"]
)
def test_a_limit_without_a_tail_or_not_to_be_crossed_stays_as_it_is(
    limit: OutcomeConstraint, truth: Truth
) -> None:
    straight, found = read(task(limit), truth)
    assert found is straight


@given(
    values=st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=20),
    at=st.floats(-1e3, 1e3),
    size=st.floats(1e-3, 1e3),
)
def test_what_is_bent_keeps_its_order_and_can_be_made_straight(
    values: list[float], at: float, size: float
) -> None:
    bend, raw = Bend(at, size), np.sort(np.array(values))
    found = bend.bent(raw)
    assert (np.diff(found) >= 0.0).all()
    assert ((found > 0.0) == (raw > at)).all()
    assert bend.straight(found) == pytest.approx(raw, rel=1e-6, abs=1e-6 * (size + abs(at)))
