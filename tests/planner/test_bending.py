"""Limits and goals whose outcomes have a long tail are modelled by their decades far from a bound,
or from one end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import planner_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective, OutcomeConstraint
from orchestrator.model.space import Point, Real, SearchSpace
from orchestrator.planner.asking import straightened
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.bending import bent, goals_bent
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.gain import HypervolumeImprovement, open_boxes, undominated
from orchestrator.planner.kernel import Floats
from orchestrator.planner.measured import Bend, Evidence, Measured, evidence
from orchestrator.planner.question import question as planner_question
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


PLANE = (Real(name="a", low=-2.0, high=2.0), Real(name="b", low=-2.0, high=2.0))
DOWN = Goal(metric="y", direction="minimise")
ALSO_DOWN = Goal(metric="z", direction="minimise")


def steep(point: Point) -> dict[str, float]:
    """The function of Goldstein and Price [1971], from 3 over six decades, and a bowl."""
    a, b = float(point["a"]), float(point["b"])
    first = 19 - 14 * a + 3 * a**2 - 14 * b + 6 * a * b + 3 * b**2
    second = 18 - 32 * a + 12 * a**2 + 48 * b - 36 * a * b + 27 * b**2
    y = (1 + (a + b + 1) ** 2 * first) * (30 + (2 * a - 3 * b) ** 2 * second)
    return {"y": y, "z": (a - 1.0) ** 2 + (b - 0.5) ** 2}


def of_plane(*goals: Goal, seed: int = 0, limits: Sequence[OutcomeConstraint] = ()) -> PlanningTask:
    return PlanningTask(
        space=SearchSpace(parameters=PLANE),
        metrics=(MetricScale(name="y", unit="kPa"), MetricScale(name="z", unit="")),
        objective=Objective(goals=goals, constraints=tuple(limits)),
        planner=PlannerChoice(initial=8),
        seed=seed,
    )


def bent_goals(question: PlanningTask, truth: Truth, n: int = 20) -> Evidence:
    encoding = Encoding(question.space)
    seen = evidence(question, encoding, samples.measured(question, truth, n))
    return goals_bent(question, encoding, seen, "matern", lambda one: one)


@pytest.mark.parametrize("seed", range(2))
def test_the_least_of_a_goal_that_goes_over_decades_is_found(seed: int) -> None:
    made = samples.play(BayesianPlanner(of_plane(DOWN, seed=seed)), steep, 32)
    assert min(steep(proposal.point)["y"] for proposal in made) < 3.3


@pytest.mark.parametrize("goals", [(DOWN,), (DOWN, ALSO_DOWN)])
def test_the_goal_with_a_long_tail_is_bent_and_the_other_one_is_not(
    goals: tuple[Goal, ...],
) -> None:
    seen = bent_goals(of_plane(*goals), steep)
    bend = seen.measured["y"].bend
    assert bend is not None
    assert bend.at == seen.measured["y"].raw.min()
    assert all(seen.measured[name].bend is None for name in seen.measured if name != "y")


@pytest.mark.parametrize(
    "question",
    [
        of_plane(Goal(metric="y", direction="match", low=50.0, high=50.0)),
        of_plane(DOWN, limits=[OutcomeConstraint(metric="y", sense=">=", bound=10.0)]),
        of_plane(ALSO_DOWN),
    ],
    ids=["to be met", "limited", "without a tail"],
)
def test_a_goal_to_be_met_or_limited_or_without_a_tail_stays_as_it_is(
    question: PlanningTask,
) -> None:
    found = bent_goals(question, steep)
    assert all(measured.bend is None for measured in found.measured.values())


def test_in_another_unit_a_bent_goal_asks_for_the_same_point() -> None:
    question, planner = of_plane(DOWN), BayesianPlanner(of_plane(DOWN))
    history = samples.measured(question, steep, 20)
    other = samples.measured(question, lambda p: {"y": 7.0 - 1e-6 * steep(p)["y"]}, 20)
    turned = BayesianPlanner(of_plane(Goal(metric="y", direction="maximise")))
    here, there = planner.propose(history, 1)[0], turned.propose(other, 1)[0]
    assert all(abs(here.point[k] - there.point[k]) < 4e-3 for k in ("a", "b"))
    assert "decades" in here.notes
    told = [float(one.notes["still_to_gain"]) for one in (here, there)]
    assert told[1] == pytest.approx(1e-6 * told[0], rel=0.05)


def test_each_goal_that_is_bent_is_told() -> None:
    question = of_plane(DOWN, ALSO_DOWN)
    history = samples.measured(question, lambda p: dict.fromkeys("yz", steep(p)["y"]), 20)
    (proposal,) = BayesianPlanner(question).propose(history, 1)
    said = str(proposal.notes["decades"])
    assert [one.rpartition(", ")[2] for one in said.split("; ")] == [
        "decades of y count",
        "decades of z count",
    ]


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_bent_goals_may_be_in_a_unit_that_has_no_square(unit: float) -> None:
    question = of_plane(DOWN, ALSO_DOWN)
    history = samples.measured(question, steep, 20)
    other = samples.measured(question, lambda p: {k: unit * v for k, v in steep(p).items()}, 20)
    here, there = (BayesianPlanner(question).propose(one, 1)[0] for one in (history, other))
    assert "decades" in here.notes
    assert all(abs(here.point[k] - there.point[k]) < 4e-3 for k in ("a", "b"))
    assert there.leave_one_out["y"] == pytest.approx(unit * here.leave_one_out["y"], rel=1e-3)


def test_beliefs_in_a_bent_goal_are_said_in_its_unit() -> None:
    question = of_plane(DOWN)
    history = samples.measured(question, steep, 30)
    belief = BayesianPlanner(question).belief(history)
    assert belief is not None
    (found,) = belief.metrics
    assert found.leave_one_out is not None
    measured = [one.outcomes["y"].value for one in history.evaluated]
    assert found.leave_one_out.measured == pytest.approx(measured)
    logs = np.log(np.maximum(found.leave_one_out.predicted, 1.0))
    assert np.corrcoef(logs, np.log(measured))[0, 1] > 0.8


def test_hypervolume_of_a_bent_goal_is_that_of_what_was_measured() -> None:
    """Beside the mean gain of drawn outcomes, made straight."""
    question = of_plane(DOWN, ALSO_DOWN)
    seen = bent_goals(question, steep, 40)
    asked = planner_question(question, seen)
    aims, rng = asked.aims, np.random.default_rng(0)
    outcomes = np.stack([seen.measured[name].y for name in asked.names], axis=1)
    merits = np.stack([aim.merit(outcomes[:, aim.column]) for aim in aims], axis=1)
    reference = np.quantile(merits, 0.3, axis=0)
    boxes = straightened(asked, open_boxes(merits, reference))
    gain = HypervolumeImprovement((0, 1), (-1.0, -1.0), (None, None), (boxes,))

    def volume(points: Floats) -> float:
        straight = np.stack([aim.straight(points[:, j]) for j, aim in enumerate(aims)], axis=1)
        corner = [float(aim.straight(reference[j : j + 1])[0]) for j, aim in enumerate(aims)]
        front = undominated(np.maximum(straight, corner))
        order = front[np.argsort(-front[:, 0])]
        floors = np.concatenate([[corner[1]], np.maximum.accumulate(order[:-1, 1])])
        return float(((order[:, 0] - corner[0]) * np.maximum(order[:, 1] - floors, 0.0)).sum())

    front = undominated(merits)
    for at in front:
        sd = 0.05
        drawn = at + sd * rng.normal(size=(2000, 2))
        now = volume(merits)
        mean = np.mean([volume(np.concatenate([merits, one[None, :]])) - now for one in drawn])
        means = [np.array([[-at[0]]]), np.array([[-at[1]]])]
        log, _ = gain(means, [np.full((1, 1), sd)] * 2)
        assert float(np.exp(log[0, 0])) == pytest.approx(float(mean), rel=0.15)
