"""What a campaign may ask of the planner beside one goal on a box: each does what it is for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import planner_samples as samples
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import PlanningError
from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import PREFERENCE, Goal, Objective, OutcomeConstraint
from orchestrator.model.space import (
    Choice,
    Condition,
    Context,
    Fidelity,
    Integer,
    KnownConstraint,
    Mixture,
    Ordinal,
    Parameter,
    Point,
    Real,
    SearchSpace,
)
from orchestrator.model.trial import Proposal
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.initial import RandomPlanner, SobolPlanner
from orchestrator.planner.modelled import informed_by, model
from orchestrator.planner.options import ModelOptions
from orchestrator.planner.possible import Possible
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask

Truth = Callable[[Point], dict[str, float]]
A, B, C, D = (Real(name=n, low=0.0, high=1.0) for n in "abcd")
UP = Objective(goals=(Goal(metric="y", direction="maximise"),))


def task(
    *parameters: Parameter,
    objective: Objective = UP,
    initial: int = 4,
    seed: int = 1,
    options: dict[str, Any] | None = None,
    **space: Any,
) -> PlanningTask:
    return PlanningTask(
        space=SearchSpace(parameters=parameters, **space),
        metrics=tuple(MetricScale(name=m, unit="") for m in objective.metrics),
        objective=objective,
        planner=PlannerChoice(initial=initial, options=options or {}),
        seed=seed,
    )


def play(question: PlanningTask, truth: Truth, n: int) -> list[Proposal]:
    return samples.play(BayesianPlanner(question), truth, n)


def bump(point: Point) -> dict[str, float]:
    a, b = float(point["a"]), float(point["b"])
    return {"y": math.exp(-((a - 0.7) ** 2 + (b - 0.3) ** 2) / 0.1)}


# spaces

LEFT = ("a + b", "a * b + 0.2", "a**2 + b**2")


def test_a_mixture_adds_up_and_the_best_one_is_found() -> None:
    blend = Mixture(name="m", components=("a", "b", "c", "d"), total=1.0, present=(2, 3), least=0.1)

    def truth(point: Point) -> dict[str, float]:
        a, b, c, d = (float(point[n]) for n in "abcd")
        return {"y": -((a - 0.6) ** 2) - (b - 0.3) ** 2 - (c - 0.1) ** 2 - d}

    made = play(task(A, B, C, D, mixtures=(blend,)), truth, 20)
    for proposal in made:
        amounts = np.array([float(v) for v in proposal.point.values()])
        assert amounts.sum() == pytest.approx(1.0, abs=1e-9)
        assert 2 <= (amounts > 0).sum() <= 3
        assert (amounts[amounts > 0] >= 0.1 - 1e-9).all()
    assert max(truth(p.point)["y"] for p in made) > -1e-3


@st.composite
def blends(draw: st.DrawFn) -> tuple[tuple[Real, ...], Mixture]:
    """Components and a mixture of them that can be made."""
    n, total = draw(st.integers(2, 5)), draw(st.sampled_from([1.0, 100.0]))
    highs = [draw(st.floats(0.35, 1.0)) * total for _ in range(n)]
    most = draw(st.integers(2, n))
    least = draw(st.sampled_from([0.0, 0.05])) * total
    if sum(sorted(highs)[:most]) < total:
        highs = [total] * n
    parts = tuple(Real(name=f"c{i}", low=0.0, high=h) for i, h in enumerate(highs))
    names = tuple(p.name for p in parts)
    fewest = draw(st.integers(1, most)) if min(highs) >= total else most
    return parts, Mixture(
        name="m", components=names, total=total, present=(fewest, most), least=least
    )


@settings(max_examples=20, deadline=None)
@given(blends(), st.integers(0, 1000))
def test_no_proposal_ever_breaks_a_mixture(
    made: tuple[tuple[Real, ...], Mixture], seed: int
) -> None:
    parts, blend = made
    question = task(*parts, initial=3, seed=seed, mixtures=(blend,))

    def truth(point: Point) -> dict[str, float]:
        return {"y": sum((i + 1) * float(v) for i, v in enumerate(point.values()))}

    for proposal in play(question, truth, 6):
        amounts = np.array([float(v) for v in proposal.point.values()])
        present = amounts > 1e-9 * blend.total
        assert amounts.sum() == pytest.approx(blend.total, rel=1e-6)
        assert blend.present[0] <= present.sum() <= blend.present[1]
        assert (amounts[present] >= blend.least * (1 - 1e-6)).all()
        assert all(p.low <= a <= p.high for p, a in zip(parts, amounts, strict=True))


@settings(max_examples=20, deadline=None)
@given(
    st.floats(0.2, 1.5),
    st.sampled_from(["a + b", "a * b + 0.2", "a**2 + b**2"]),
    st.integers(0, 99),
)
def test_no_proposal_ever_breaks_a_known_constraint(bound: float, left: str, seed: int) -> None:
    rule = KnownConstraint(text=f"{left} <= {bound}", expression=f"{left} - {bound!r}")
    question = task(A, B, Integer(name="n", low=1, high=3), seed=seed, constraints=(rule,))
    if left == "a * b + 0.2" and bound < 0.25:
        return
    for proposal in play(question, lambda p: {"y": bump(p)["y"] + int(p["n"])}, 7):
        a, b = float(proposal.point["a"]), float(proposal.point["b"])
        assert eval(left, {"a": a, "b": b}) <= bound + 1e-9  # noqa: S307 (a text of this test)


def test_the_best_point_on_the_edge_of_a_constraint_is_reached() -> None:
    rule = KnownConstraint(text="a + b <= 0.8", expression="a + b - 0.8")
    made = play(task(A, B, constraints=(rule,)), bump, 14)
    best = max(bump({"a": a, "b": 0.8 - a})["y"] for a in np.linspace(0, 0.8, 801))
    assert max(bump(p.point)["y"] for p in made) > best - 1e-3


def test_constraints_that_nothing_can_meet_are_told() -> None:
    rule = KnownConstraint(text="a + b >= 3", expression="3 - a - b")
    with pytest.raises(PlanningError, match=r"no point .* a \+ b >= 3"):
        play(task(A, B, constraints=(rule,)), bump, 1)


def test_a_parameter_that_does_not_exist_acts_on_nothing() -> None:
    anneal = Choice(name="anneal", options=("no", "yes"))
    only = Condition(name="b", parent="anneal", values=("yes",), otherwise=-5.0)

    def truth(point: Point) -> dict[str, float]:
        extra = 0.2 - (float(point["b"]) - 0.8) ** 2 if point["anneal"] == "yes" else 0.1
        return {"y": extra - (float(point["a"]) - 0.5) ** 2}

    made = play(task(anneal, A, B, conditions=(only,)), truth, 16)
    assert {p.point["b"] for p in made if p.point["anneal"] == "no"} == {-5.0}
    assert max(truth(p.point)["y"] for p in made) > 0.19


def test_levels_with_an_order_are_interpolated() -> None:
    levels = Ordinal(name="speed", levels=tuple(float(2**i) for i in range(12)), scale="log")
    made = play(task(levels, initial=3), lambda p: {"y": -abs(math.log2(float(p["speed"])) - 8)}, 8)
    assert 256.0 in {p.point["speed"] for p in made}


def test_what_cannot_be_chosen_is_taken_as_it_was_last() -> None:
    question = task(A, Context(name="h", low=0.0, high=1.0, assumed=0.5))
    rng, ended = np.random.default_rng(0), []
    for i in range(16):
        a, h = rng.random(2)
        outcome = Outcome(value=-((a - 0.2 - 0.6 * h) ** 2))
        ended.append(Evaluated(trial=i + 1, point={"a": a, "h": h}, outcomes={"y": outcome}))
    proposal = BayesianPlanner(question).propose(History(evaluated=tuple(ended), n_proposed=16), 1)[
        0
    ]
    assert proposal.point["h"] == pytest.approx(h)
    assert float(proposal.point["a"]) == pytest.approx(0.2 + 0.6 * h, abs=0.08)


def test_of_forty_parameters_the_few_that_act_are_found() -> None:
    many = [Real(name=f"x{i}", low=0.0, high=1.0) for i in range(40)]

    def truth(point: Point) -> dict[str, float]:
        return {"y": -sum((float(point[f"x{i}"]) - 0.3 - 0.2 * i) ** 2 for i in range(3))}

    question = task(*many, initial=10)
    made = play(question, truth, 40)
    by_chance = samples.play(SobolPlanner(question), truth, 40)
    best, chance = (max(truth(p.point)["y"] for p in some) for some in (made, by_chance))
    assert best > -0.01
    assert best > 0.2 * chance


@pytest.mark.parametrize("seed", [1, 2])
def test_of_a_hundred_parameters_twenty_trials_find_more_than_chance_does(seed: int) -> None:
    many = [Real(name=f"x{i}", low=0.0, high=1.0) for i in range(100)]

    def truth(point: Point) -> dict[str, float]:
        assert len(point) == 100
        assert all(0.0 <= float(value) <= 1.0 for value in point.values())
        return {"y": -sum((float(point[f"x{i}"]) - 0.1 - 0.2 * i) ** 2 for i in range(5))}

    question = task(*many, initial=10, seed=seed)
    made, by_chance = play(question, truth, 20), samples.play(RandomPlanner(question), truth, 20)
    best, chance = (max(truth(p.point)["y"] for p in some) for some in (made, by_chance))
    assert best > 0.5 * chance


# outcomes


def test_a_target_value_is_hit() -> None:
    wanted = Objective(goals=(Goal(metric="y", direction="match", low=0.5, high=0.5),))
    made = play(task(A, B, objective=wanted), bump, 14)
    assert min(abs(bump(p.point)["y"] - 0.5) for p in made) < 1e-3


@pytest.mark.parametrize("k", [2, 3, 5])
def test_several_goals_are_spread_over_their_front(k: int) -> None:
    goals = tuple(Goal(metric=f"y{i}", direction="minimise") for i in range(k))

    def truth(point: Point) -> dict[str, float]:
        a, b = float(point["a"]), float(point["b"])
        return {f"y{i}": (a - i / (k - 1)) ** 2 + (b - 0.5) ** 2 for i in range(k)}

    made = play(task(A, B, objective=Objective(goals=goals), initial=5), truth, 18)[5:]
    on_front = [float(p.point["a"]) for p in made if abs(float(p.point["b"]) - 0.5) < 0.1]
    assert len(on_front) >= 5
    assert max(on_front) - min(on_front) > 0.35
    named = [f"y{i} " for i in range(k)] if k <= 4 else ["trades one goal for another"]
    assert all(name in proposal.why for proposal in made for name in named)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_front_that_was_found_at_one_end_is_followed_to_the_other(seed: int) -> None:
    """ZDT2 [Zitzler et al. 2000]: whoever makes y1 least, in the corner, beats all start points."""
    goals = tuple(Goal(metric=f"y{i}", direction="minimise") for i in (1, 2))

    def truth(point: Point) -> dict[str, float]:
        a, *others = (float(value) for value in point.values())
        g = 1.0 + 9.0 * sum(others) / len(others)
        return {"y1": a, "y2": g * (1.0 - (a / g) ** 2)}

    axes = tuple(Real(name=n, low=0.0, high=1.0) for n in "abcdef")
    question = task(*axes, objective=Objective(goals=goals), initial=10, seed=seed)
    made = play(question, truth, 34)[10:]
    found = [truth(proposal.point) for proposal in made]
    near = [one["y1"] for one in found if one["y2"] < 1.0 - one["y1"] ** 2 + 0.05]
    assert min(near) < 0.1
    assert max(near) > 0.9
    assert sum(0.1 < y1 < 0.9 for y1 in near) >= 3


def test_of_several_goals_points_are_looked_for_around_the_whole_front() -> None:
    goals = tuple(Goal(metric=f"y{i}", direction="minimise") for i in (1, 2))
    question = task(A, B, objective=Objective(goals=goals))

    def truth(point: Point) -> dict[str, float]:
        a, b = float(point["a"]), float(point["b"])
        return {"y1": a**2 + b, "y2": (a - 1.0) ** 2 + b}

    points: list[Point] = [{"a": i / 8, "b": b} for i in range(9) for b in (0.0, 0.6)]
    history = History(evaluated=samples.evaluated(points, truth), n_proposed=len(points))
    encoding, options = Encoding(question.space), ModelOptions()
    informing = informed_by(question, encoding, options)
    found = model(question, informing, Possible(encoding), options, history)
    centres = encoding.decode(found.diagnosis.centres())
    assert {float(point["a"]) for point in centres if point["b"] == 0.0} == {
        i / 8 for i in range(9)
    }
    assert {point["b"] for point in centres} == {0.0}


def test_several_goals_may_include_a_value_to_be_met() -> None:
    goals = (
        Goal(metric="y", direction="match", low=0.25, high=0.25),
        Goal(metric="z", direction="maximise"),
    )

    def truth(point: Point) -> dict[str, float]:
        return {"y": float(point["a"]), "z": float(point["b"])}

    made = play(task(A, B, objective=Objective(goals=goals)), truth, 12)
    best = [p for p in made if abs(float(p.point["a"]) - 0.25) < 0.02]
    assert max(float(p.point["b"]) for p in best) > 0.95


def test_preferences_between_trials_lead_to_what_is_preferred() -> None:
    wanted = Objective(goals=(Goal(metric=PREFERENCE, direction="maximise"),))
    planner = BayesianPlanner(task(A, B, objective=wanted))
    ended: list[Evaluated] = []
    pairs: list[tuple[int, int]] = []
    for i in range(20):
        history = History(evaluated=tuple(ended), n_proposed=i, preferences=tuple(pairs))
        ended.append(Evaluated(trial=i + 1, point=planner.propose(history, 1)[0].point))
        if i:
            ranked = sorted(range(i), key=lambda j: bump(ended[j].point)["y"])
            better = bump(ended[i].point)["y"] > bump(ended[ranked[-1]].point)["y"]
            pairs.append((i + 1, ranked[-1] + 1) if better else (ranked[-1] + 1, i + 1))
    assert max(bump(e.point)["y"] for e in ended) > 0.8
    final = History(evaluated=tuple(ended), n_proposed=20, preferences=tuple(pairs))
    chosen = planner.recommend(final)
    assert chosen is not None
    assert bump(ended[chosen - 1].point)["y"] > 0.75


def test_a_limit_with_a_confidence_is_hardly_ever_crossed() -> None:
    limit = OutcomeConstraint(metric="p", sense="<=", bound=0.9, confidence=0.95)
    wanted = Objective(goals=UP.goals, constraints=(limit,))

    def truth(point: Point) -> dict[str, float]:
        return {**bump(point), "p": float(point["a"]) + 0.5 * float(point["b"])}

    crossed, best = 0, []
    for seed in range(4):
        made = play(task(A, B, objective=wanted, initial=8, seed=seed), truth, 14)
        crossed += sum(truth(p.point)["p"] > 0.9 for p in made[2:])  # two are chosen blindly
        best.append(max(bump(p.point)["y"] for p in made if truth(p.point)["p"] <= 0.9))
    assert crossed <= 3  # of 48, at 95 %
    assert min(best) > 0.9


# situations


def test_a_costly_change_is_made_less_often() -> None:
    def way(cost: str) -> float:
        wanted = Objective(goals=UP.goals, cost=cost)
        made = play(task(A, B, objective=wanted), bump, 14)[4:]
        assert max(bump(p.point)["y"] for p in made) > 0.99
        return float(np.abs(np.diff([float(p.point["a"]) for p in made])).sum())

    assert way("1 + 20 * abs(a - previous.a)") < 0.8 * way("1")


def test_cheap_trials_are_used_as_long_as_they_tell_something() -> None:
    level = Fidelity(name="level", levels=("rough", "exact"), costs=(1.0, 20.0))

    def truth(point: Point) -> dict[str, float]:
        error = 0.1 * math.sin(5 * float(point["a"])) if point["level"] == "rough" else 0.0
        return {"y": bump(point)["y"] + error}

    question = task(A, B, level)
    planner = BayesianPlanner(question)
    made = samples.play(planner, truth, 24)
    rough = [p for p in made if p.point["level"] == "rough"]
    exact = [p for p in made if p.point["level"] == "exact"]
    assert len(rough) > len(exact)
    assert max(bump(p.point)["y"] for p in exact) > 0.98
    ended = samples.evaluated([p.point for p in made], truth)
    chosen = planner.recommend(History(evaluated=ended, n_proposed=24))
    assert chosen is not None
    assert made[chosen - 1].point["level"] == "exact"


def test_an_optimum_that_bears_how_inexactly_a_setting_is_held_is_preferred() -> None:
    def truth(point: Point) -> dict[str, float]:
        a = float(point["a"])
        return {
            "y": 1.2 * math.exp(-(((a - 0.2) / 0.04) ** 2)) + math.exp(-(((a - 0.7) / 0.25) ** 2))
        }

    inexact = Real(name="a", low=0.0, high=1.0, setting_sd=0.1)
    last = [float(p.point["a"]) for p in play(task(inexact, initial=8), truth, 18)[12:]]
    assert max(abs(a - 0.7) for a in last) < 0.1


def drifting(at_s: Callable[[int], float | None]) -> History:
    """Thirty outcomes that wander, every third one at the same point, timed as said."""
    rng, ended = np.random.default_rng(0), []
    for i in range(30):
        a = 0.5 if i % 3 == 0 else float(rng.random())
        outcomes = {"y": Outcome(value=-4 * (a - 0.5) ** 2 + 0.1 * i)}
        ended.append(Evaluated(trial=i + 1, point={"a": a}, outcomes=outcomes, at_s=at_s(i)))
    return History(evaluated=tuple(ended), n_proposed=30)


def error_of_slice(history: History, *, drift: bool) -> float:
    return _error_of_slice(task(A, options={"drift": drift}), history)


def _error_of_slice(question: PlanningTask, history: History) -> float:
    """How far the believed shape is from a parabola of -4 around 0.5, its level left out."""
    found = BayesianPlanner(question).belief(history)
    assert found is not None
    slice_ = found.metrics[0].slices[0]
    wanted = [-4 * (float(a) - 0.5) ** 2 for a in slice_.values]
    return float(np.std(np.array(slice_.mean) - wanted))


@pytest.mark.parametrize("known", ["times", "order"])
def test_drift_is_told_apart_by_repeated_points(known: str) -> None:
    history = drifting(lambda i: 60.0 * i if known == "times" else None)
    assert error_of_slice(history, drift=True) < 0.5 * error_of_slice(history, drift=False)


def test_results_from_before_do_not_hide_the_drift_of_those_since() -> None:
    timed = drifting(lambda i: 60.0 * i)
    before = tuple(
        Evaluated(trial=-i, point={"a": a}, outcomes={"y": Outcome(value=5 - 4 * (a - 0.5) ** 2)})
        for i, a in enumerate((0.1, 0.4, 0.9))
    )
    history = timed.model_copy(update={"evaluated": (*before, *timed.evaluated)})
    assert error_of_slice(history, drift=True) < 0.5 * error_of_slice(history, drift=False)


def error_of_blocks(*, told: bool) -> float:
    """How far the believed shape is from the true one, where each of six days shifts its outcomes
    and has its own stretch of the range, as a person would go through it."""
    rng, ended = np.random.default_rng(0), []
    for day, shift in enumerate(rng.normal(size=6)):
        for i, a in enumerate((*((day + rng.random(3)) / 6), 0.5)):
            outcome = Outcome(value=-4 * (float(a) - 0.5) ** 2 + float(shift))
            ended.append(
                Evaluated(
                    trial=4 * day + i + 1,
                    point={"a": float(a)},
                    outcomes={"y": outcome},
                    block=f"day {day}" if told else "",
                )
            )
    return _error_of_slice(task(A), History(evaluated=tuple(ended), n_proposed=24))


def test_a_shift_from_block_to_block_is_not_taken_for_shape() -> None:
    assert error_of_blocks(told=True) < 0.25 * error_of_blocks(told=False)


# belief


def test_the_belief_says_what_matters_and_how_well_it_predicts() -> None:
    rng = np.random.default_rng(0)
    points: list[Point] = [
        {"a": float(u), "b": float(v), "c": float(w)} for u, v, w in rng.random((30, 3))
    ]
    noise = 0.05 * rng.normal(size=30)

    def truth(point: Point) -> dict[str, float]:
        return {"y": math.sin(4 * float(point["a"])) + 0.3 * float(point["b"])}

    ended = samples.evaluated(points, truth)
    rough = tuple(
        e.model_copy(update={"outcomes": {"y": Outcome(value=e.outcomes["y"].value + n)}})
        for e, n in zip(ended, noise, strict=True)
    )
    found = BayesianPlanner(task(A, B, C)).belief(History(evaluated=rough, n_proposed=30))
    assert found is not None
    metric = found.metrics[0]
    assert list(sorted(metric.importance, key=lambda n: -metric.importance[n])) == ["a", "b", "c"]
    assert metric.importance["c"] < 0.05
    assert metric.leave_one_out is not None
    assert metric.leave_one_out.log_score_gain > 1.0
    assert metric.leave_one_out.coverage_90 is not None
    assert 0.75 <= metric.leave_one_out.coverage_90 <= 1.0
    across = metric.slices[0]
    middle = float(np.interp(0.4, [float(v) for v in across.values], across.mean))
    assert middle == pytest.approx(math.sin(1.6) + 0.3 * float(found.at["b"]), abs=0.1)
    assert metric.maps[0].parameters == ("a", "b")


def test_the_importance_of_a_sum_is_the_share_of_each_term() -> None:
    rows = np.random.default_rng(1).random((60, 3)).tolist()
    points: list[Point] = [dict(zip("abc", row, strict=True)) for row in rows]
    ended = samples.evaluated(points, lambda p: {"y": 2 * float(p["a"]) + float(p["b"])})
    for seed in range(3):
        found = BayesianPlanner(task(A, B, C, seed=seed)).belief(History(evaluated=ended))
        assert found is not None
        share = found.metrics[0].importance
        assert share == pytest.approx({"a": 0.8, "b": 0.2, "c": 0.0}, abs=0.12)


def test_the_only_parameter_is_all_that_matters() -> None:
    ended = samples.evaluated([{"a": i / 9} for i in range(10)], lambda p: {"y": float(p["a"])})
    for seed in range(3):
        found = BayesianPlanner(task(A, seed=seed)).belief(History(evaluated=ended))
        assert found is not None
        assert found.metrics[0].importance == {"a": 1.0}


def test_a_model_of_pure_noise_says_that_it_is_not_to_be_believed() -> None:
    rng = np.random.default_rng(3)
    points: list[Point] = [{"a": float(u), "b": float(v)} for u, v in rng.random((24, 2))]
    ended = samples.evaluated(points, lambda p: {"y": float(rng.normal())})
    proposal = BayesianPlanner(task(A, B)).propose(History(evaluated=ended, n_proposed=24), 1)[0]
    assert "no better than its mean" in str(proposal.notes["doubt"])


def test_less_and_less_is_expected_still_to_be_gained() -> None:
    made = play(task(A, B), bump, 16)
    left = [float(p.notes["still_to_gain"]) for p in made[4:]]
    assert left[-1] < 0.05 * left[0]
    assert left[-1] >= 0.0


def test_the_screening_of_a_large_pool_finds_what_looking_closely_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from orchestrator.planner import describing, worth

    pool = samples.pool(30_000, width=5)
    question = task(pool, initial=0)
    rows = {name: pool.rows[i] for i, name in enumerate(pool.names)}
    picked: list[Point] = [{"alloy": pool.names[i]} for i in range(0, 3000, 100)]
    ended = samples.evaluated(picked, lambda p: {"y": sum(rows[str(p["alloy"])][:2])})
    history = History(evaluated=ended, n_proposed=30)
    screened = BayesianPlanner(question).propose(history, 1)[0]
    monkeypatch.setattr(describing, "MAX_DOUBLE", 100)
    single = BayesianPlanner(question).propose(history, 1)[0]
    monkeypatch.setattr(worth, "MAX_CLOSELY", 100_000)
    closely = BayesianPlanner(question).propose(history, 1)[0]
    assert screened.point == closely.point == single.point


# found by a reviewer


def test_a_limit_on_a_metric_that_is_also_to_be_met_is_on_its_value() -> None:
    wanted = Objective(
        goals=(
            Goal(metric="y", direction="match", low=5.0, high=5.0),
            Goal(metric="z", direction="maximise"),
        ),
        constraints=(OutcomeConstraint(metric="y", sense=">=", bound=4.0),),
    )

    def truth(point: Point) -> dict[str, float]:
        return {"y": 10 * float(point["a"]), "z": float(point["b"])}

    made = play(task(A, B, objective=wanted), truth, 12)[4:]
    found = [truth(p.point) for p in made]
    assert any(abs(one["y"] - 5.0) < 0.1 and one["z"] > 0.99 for one in found[:4])
    assert all(one["y"] > 3.9 for one in found)
    assert made[-1].probability_feasible is not None
    assert made[-1].probability_feasible > 1e-3


def test_of_several_goals_only_what_keeps_the_limits_makes_the_front() -> None:
    wanted = Objective(
        goals=(
            Goal(metric="y", direction="maximise"),
            Goal(metric="z", direction="maximise"),
        ),
        constraints=(OutcomeConstraint(metric="c", sense=">=", bound=0.5),),
    )

    def truth(point: Point) -> dict[str, float]:
        a, b = float(point["a"]), float(point["b"])
        return {"y": a - 2 * b, "z": 1 - a - 2 * b, "c": b}

    made = play(task(A, B, objective=wanted, initial=8), truth, 18)[8:]
    assert sum(0.45 <= float(p.point["b"]) <= 0.6 for p in made) >= 5


def test_a_rough_trial_in_flight_is_no_exact_result() -> None:
    level = Fidelity(name="level", levels=("rough", "exact"), costs=(1.0, 2.0))

    def truth(point: Point) -> dict[str, float]:
        return {"y": bump(point)["y"] + (5.0 if point["level"] == "rough" else 0.0)}

    rng = np.random.default_rng(0)
    points: list[Point] = [
        {"a": a, "b": b, "level": level.levels[i % 2]}
        for i, (a, b) in enumerate(rng.random((16, 2)).tolist())
    ]
    ended = samples.evaluated(points, truth)
    pending: Point = {"a": 0.1, "b": 0.9, "level": "rough"}
    planner = BayesianPlanner(task(A, B, level))
    free = planner.propose(History(evaluated=ended, n_proposed=16), 1)[0]
    busy = planner.propose(History(evaluated=ended, pending=(pending,), n_proposed=16), 1)[0]
    assert free.acquisition is not None
    assert busy.acquisition is not None
    assert busy.acquisition > free.acquisition - 20


def test_a_known_constraint_on_a_context_holds_in_the_context_that_is() -> None:
    rule = KnownConstraint(text="a + h <= 1", expression="a + h - 1")
    humid = Context(name="h", low=0.0, high=1.0, assumed=0.5)
    question = task(A, humid, constraints=(rule,))
    planner = BayesianPlanner(question)
    first = planner.propose(History(context={"h": 0.9}), 3)
    points: list[Point] = [{"a": 0.1 * i, "h": 0.2} for i in range(6)]
    ended = samples.evaluated(points, lambda p: {"y": float(p["a"])})
    later = planner.propose(History(evaluated=ended, n_proposed=6, context={"h": 0.9}), 1)
    for proposal in (*first, *later):
        assert proposal.point["h"] == pytest.approx(0.9)
        assert float(proposal.point["a"]) <= 0.1 + 1e-9


def test_a_robust_optimum_is_also_what_is_recommended() -> None:
    inexact = Real(name="a", low=0.0, high=1.0, setting_sd=0.1)

    def truth(point: Point) -> dict[str, float]:
        a = float(point["a"])
        sharp, broad = math.exp(-(((a - 0.2) / 0.04) ** 2)), math.exp(-(((a - 0.7) / 0.25) ** 2))
        return {"y": 1.2 * sharp + broad}

    grid: list[Point] = [{"a": i / 25} for i in range(26)]
    history = History(evaluated=samples.evaluated(grid, truth), n_proposed=26)
    chosen = BayesianPlanner(task(inexact)).recommend(history)
    assert chosen is not None
    assert abs(float(grid[chosen - 1]["a"]) - 0.7) < 0.1


def test_a_combination_in_which_a_parameter_is_absent_is_tried_once() -> None:
    mode = Choice(name="m", options=("no", "yes"))
    number = Integer(name="n", low=1, high=6)
    only = Condition(name="n", parent="m", values=("yes",), otherwise=0)
    made = play(
        task(mode, number, initial=2, conditions=(only,)),
        lambda p: {"y": -1.0 if p["m"] == "yes" else 1.0},
        7,
    )
    tried = [(p.point["m"], p.point["n"]) for p in made[2:]]
    assert len(set(tried)) == len(tried)


def test_preferences_wait_for_what_is_not_judged_yet() -> None:
    wanted = Objective(goals=(Goal(metric=PREFERENCE, direction="maximise"),))
    rng = np.random.default_rng(2)
    points: list[Point] = [{"a": a, "b": b} for a, b in rng.random((6, 2)).tolist()]
    judged = [Evaluated(trial=i + 1, point=p) for i, p in enumerate(points)]
    ranked = sorted(range(6), key=lambda i: bump(points[i])["y"])
    pairs = tuple((ranked[i + 1] + 1, ranked[i] + 1) for i in range(5))
    planner = BayesianPlanner(task(A, B, objective=wanted))
    first = planner.propose(History(evaluated=tuple(judged), n_proposed=6, preferences=pairs), 1)[0]
    waiting = (*judged, Evaluated(trial=7, point=first.point))
    second = planner.propose(History(evaluated=waiting, n_proposed=7, preferences=pairs), 1)[0]
    apart = math.dist([float(first.point[n]) for n in "ab"], [float(second.point[n]) for n in "ab"])
    assert apart > 0.03


@pytest.mark.parametrize("seed", range(5))
def test_an_outcome_exactly_at_its_bound_keeps_the_limit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layers = [5.0, *rng.integers(6, 12, size=8).tolist()]
    at_most = OutcomeConstraint(metric="layers", sense="<=", bound=5.0)
    question = samples.task(
        (A,), (MetricScale(name="y", unit=""), MetricScale(name="layers", unit="")), (at_most,)
    )
    ended = tuple(
        Evaluated(
            trial=trial,
            point={"a": float(rng.random())},
            outcomes={"y": Outcome(value=float(rng.random())), "layers": Outcome(value=float(n))},
        )
        for trial, n in enumerate(layers, 1)
    )
    chosen = BayesianPlanner(question).recommend(History(evaluated=ended, n_proposed=len(ended)))
    assert chosen == 1
