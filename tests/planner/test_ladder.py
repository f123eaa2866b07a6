"""Rungs of a fidelity: what they cost, how far they agree, and which of them are worth buying."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from orchestrator.errors import InputError, PoolExhausted
from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective, OutcomeConstraint
from orchestrator.model.space import Fidelity, Point, Pool, Real, SearchSpace
from orchestrator.model.trial import RUNGS, Proposal, remarks
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.costs import Costs, costs
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data, Floats, default_priors, fit
from orchestrator.planner.initial import SobolPlanner
from orchestrator.planner.ladder import LadderKernel, LadderProcess, without_levels
from orchestrator.planner.ladder_fit import LadderLikelihood, RungData
from orchestrator.planner.measured import evidence
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask

Rung = Callable[[int], tuple[float, float]]
"""Outcome and seconds of a candidate."""
N = 80


def candidates(seed: int = 0) -> Pool:
    rng = np.random.default_rng(seed)
    rows = np.column_stack([rng.random((N, 2)), rng.integers(2, 40, N)])
    return Pool(
        name="crystal",
        names=tuple(f"c{i}" for i in range(N)),
        columns=("a", "b", "atoms"),
        units=("", "", ""),
        rows=tuple(map(tuple, rows.tolist())),
    )


POOL = candidates()
ROWS = np.array([POOL.numbers(name) for name in POOL.names])
TRUTH = np.sin(6 * ROWS[:, 0]) + np.cos(5 * ROWS[:, 1])
NOISE = np.random.default_rng(5).normal(size=(3, N))


def fine(i: int) -> tuple[float, float]:
    return float(TRUTH[i]), 20.0


def cheap(i: int) -> tuple[float, float]:
    """Biased, on another scale, and off by a few per cent."""
    return float(7.0 + 1.7 * TRUTH[i] + 0.05 * NOISE[0, i]), 0.2


def coarse(i: int) -> tuple[float, float]:
    """Dearer than `cheap`, and worse: cells of unequal k-meshes."""
    return float(TRUTH[i] + 1.5 * NOISE[1, i]), 5.0


def opposed(i: int) -> tuple[float, float]:
    return float(-2.0 * TRUTH[i] + 0.05 * NOISE[2, i]), 0.5


def question(*levels: str, initial: int = 9, costs: tuple[float, ...] = ()) -> PlanningTask:
    level = Fidelity(name="rung", levels=levels, costs=costs)
    return PlanningTask(
        space=SearchSpace(parameters=(POOL, level)),
        metrics=(MetricScale(name="y", unit=""),),
        objective=Objective(goals=(Goal(metric="y", direction="minimise"),)),
        planner=PlannerChoice(initial=initial),
        seed=3,
    )


def ended(points: Sequence[Point], rungs: Mapping[str, Rung]) -> tuple[Evaluated, ...]:
    """Trials; of an outcome that is no number they fail by their parameters."""
    found = []
    for number, point in enumerate(points):
        value, seconds = rungs[str(point["rung"])](POOL.names.index(str(point["crystal"])))
        said = Evaluated(trial=number + 1, point=point, outcomes={}, seconds=seconds)
        if math.isnan(value):
            said = said.model_copy(update={"failed": True, "blames_parameters": True})
        else:
            said = said.model_copy(update={"outcomes": {"y": Outcome(value=value)}})
        found.append(said)
    return tuple(found)


def play(rungs: Mapping[str, Rung], n: int, until: Point) -> list[Proposal]:
    planner, made = BayesianPlanner(question(*rungs, initial=6)), list[Proposal]()
    for _ in range(n):
        if made and made[-1].point == until:
            break
        history = History(evaluated=ended([p.point for p in made], rungs), n_proposed=len(made))
        made += planner.propose(history, 1)
    return made


def on(made: Sequence[Proposal], level: str) -> list[Proposal]:
    return [p for p in made if p.point["rung"] == level]


def spent(made: Sequence[Proposal], rungs: Mapping[str, Rung]) -> float:
    return math.fsum(e.seconds or 0.0 for e in ended([p.point for p in made], rungs))


def test_the_dear_rungs_begin_where_the_cheap_one_looks_best() -> None:
    rungs = {"cheap": cheap, "coarse": coarse, "fine": fine}
    planner = BayesianPlanner(question(*rungs))
    points: list[Point] = []
    while len(points) < 9:
        history = History(evaluated=ended(points, rungs), n_proposed=len(points))
        (proposal,) = planner.propose(history, 1)
        points.append(proposal.point)
    assert [p["rung"] for p in points] == ["cheap"] * 5 + ["coarse", "fine"] * 2
    places = [str(p["crystal"]) for p in points]
    assert len(set(places[:5])) == 5
    best = sorted(places[:5], key=lambda name: cheap(POOL.names.index(name))[0])[:2]
    assert places[5:] == [best[0], best[0], best[1], best[1]]
    assert proposal.why == "space-filling start 9 of 9: the best so far on cheap"


def test_dear_rungs_begin_at_the_same_places_where_nothing_is_known_yet() -> None:
    made = BayesianPlanner(question("cheap", "coarse", "fine")).propose(History(), 9)
    assert [p.point["rung"] for p in made] == ["cheap"] * 5 + ["coarse", "fine"] * 2
    places = [p.point["crystal"] for p in made]
    assert places[5:] == [places[0], places[0], places[1], places[1]]
    few = BayesianPlanner(question("cheap", "coarse", "fine", initial=5)).propose(History(), 5)
    assert [p.point["rung"] for p in few] == ["cheap", "coarse", "fine", "cheap", "coarse"]


def test_nothing_but_dear_rungs_is_not_what_goes_on_while_all_outcomes_are_the_same() -> None:
    planner, known = BayesianPlanner(question("cheap", "coarse", "fine")), list[Evaluated]()
    while len(known) < 15:
        history = History(evaluated=tuple(known), n_proposed=len(known))
        (made,) = planner.propose(history, 1)
        outcomes = {"y": Outcome(value=0.0)}
        known.append(Evaluated(trial=len(known) + 1, point=made.point, outcomes=outcomes))
    assert [e.point["rung"] for e in known[9:]] == ["cheap", "coarse", "fine"] * 2
    assert len({(e.point["crystal"], e.point["rung"]) for e in known}) == 15


def test_a_mere_design_has_each_place_on_every_rung_whatever_came_of_it() -> None:
    planner = SobolPlanner(question("cheap", "coarse", "fine"))
    made = planner.propose(History(), 12)
    assert [p.point["rung"] for p in made] == ["cheap", "coarse", "fine"] * 4
    assert [p.point["crystal"] for p in made[::3]] == [p.point["crystal"] for p in made[2::3]]
    rungs = {"cheap": cheap, "coarse": coarse, "fine": fine}
    history = History(evaluated=ended([p.point for p in made[:7]], rungs), n_proposed=7)
    (after,) = planner.propose(history, 1)
    assert after.point == made[7].point


def test_what_failed_or_was_refused_or_breaks_a_limit_is_not_where_dear_rungs_begin() -> None:
    rungs = {"cheap": cheap, "fine": fine}
    task = question(*rungs, initial=6)
    first = BayesianPlanner(task).propose(History(), 4)
    known = list(ended([p.point for p in first], rungs))
    known.sort(key=lambda e: e.outcomes["y"].value)
    failed = {"failed": True, "blames_parameters": True, "outcomes": {}}
    tried = [known[0].model_copy(update=failed), *known[1:]]
    refused = (("crystal", str(known[1].point["crystal"])),)
    history = History(evaluated=tuple(tried), n_proposed=4, refused=refused)
    (lifted,) = BayesianPlanner(task).propose(history, 1)
    assert lifted.point == {**known[2].point, "rung": "fine"}
    limit = OutcomeConstraint(metric="y", sense=">=", bound=known[3].outcomes["y"].value)
    objective = task.objective.model_copy(update={"constraints": (limit,)})
    limited = BayesianPlanner(task.model_copy(update={"objective": objective}))
    (lifted,) = limited.propose(history, 1)
    assert lifted.point == {**known[3].point, "rung": "fine"}


def test_dear_rungs_begin_inside_the_space_whatever_was_known_before() -> None:
    level = Fidelity(name="rung", levels=("cheap", "fine"))
    space = SearchSpace(parameters=(Real(name="x", low=0.0, high=1.0), level))
    task = question("cheap", "fine", initial=6).model_copy(update={"space": space})
    known = tuple(
        Evaluated(trial=i, point={"x": x, "rung": "cheap"}, outcomes={"y": Outcome(value=-x)})
        for i, x in enumerate((0.2, 0.7, 5.0, 0.4))
    )
    (lifted,) = BayesianPlanner(task).propose(History(evaluated=known, n_proposed=4), 1)
    assert lifted.point == {"x": 0.7, "rung": "fine"}


def test_each_of_several_goals_has_its_turn_where_dear_rungs_begin() -> None:
    task = question("cheap", "fine", initial=6)
    goals = (*task.objective.goals, Goal(metric="z", direction="maximise"))
    metrics = (*task.metrics, MetricScale(name="z", unit=""))
    task = task.model_copy(update={"objective": Objective(goals=goals), "metrics": metrics})
    points = [p.point for p in BayesianPlanner(task).propose(History(), 4)]
    outcomes = [(1.0, 0.0), (2.0, 1.0), (3.0, 5.0), (4.0, 3.0)]
    known = tuple(
        Evaluated(trial=i + 1, point=p, outcomes={"y": Outcome(value=y), "z": Outcome(value=z)})
        for i, (p, (y, z)) in enumerate(zip(points, outcomes, strict=True))
    )
    lifted = BayesianPlanner(task).propose(History(evaluated=known, n_proposed=4), 2)
    assert [p.point for p in lifted] == [
        {**points[0], "rung": "fine"},
        {**points[2], "rung": "fine"},
    ]


def test_no_model_takes_over_before_two_values_that_count() -> None:
    rungs = {"cheap": cheap, "fine": fine}
    points: list[Point] = [{"crystal": f"c{i}", "rung": "cheap"} for i in range(12)]
    points.append({"crystal": "c0", "rung": "fine"})
    history = History(evaluated=ended(points, rungs), n_proposed=13)
    planner = BayesianPlanner(question(*rungs))
    assert planner.propose(history, 1)[0].source == "initial"


BEST: Point = {"crystal": POOL.names[int(np.argmin(TRUTH))], "rung": "fine"}


def test_a_good_cheap_rung_leads_to_the_best_by_a_fraction_of_the_cost() -> None:
    rungs = {"cheap": cheap, "fine": fine}
    made = play(rungs, 90, until=BEST)
    assert made[-1].point == BEST
    assert len(on(made, "cheap")) > len(on(made, "fine"))
    # of 80 candidates one by one, half of them before the best is met by chance: 800 s
    assert spent(made, rungs) < 200
    assert not any(RUNGS in p.notes for p in made)


def test_a_rung_that_agrees_the_other_way_round_is_used_too() -> None:
    rungs = {"opposed": opposed, "fine": fine}
    made = play(rungs, 90, until=BEST)
    assert made[-1].point == BEST
    assert len(on(made, "opposed")) > len(on(made, "fine"))
    assert spent(made, rungs) < 300


def test_a_rung_that_buys_nothing_is_found_and_no_longer_bought() -> None:
    rungs = {"cheap": cheap, "coarse": coarse, "fine": fine}
    points: list[Point] = [{"crystal": f"c{i}", "rung": level} for i in range(8) for level in rungs]
    planner = BayesianPlanner(question(*rungs))
    history = History(evaluated=ended(points, rungs), n_proposed=24)
    chosen = planner.propose(history, 6)
    assert not on(chosen, "coarse")
    (said,) = remarks(chosen[0].notes)
    assert said.startswith("fidelity: coarse: correlation with fine 0.")
    assert "5 s a trial against 20 s; no longer bought" in said
    belief = planner.belief(history)
    assert belief is not None
    (told,) = remarks(belief.notes)
    assert "cheap: correlation with fine 1.00" in told
    assert told.count("no longer bought") == 1


def test_a_rung_that_does_not_look_worth_it_waits_until_it_can_be_judged() -> None:
    rungs = {"cheap": cheap, "coarse": coarse, "fine": fine}

    def after(n_coarse: int) -> History:
        many = {"cheap": 60, "coarse": n_coarse, "fine": 2}
        points: list[Point] = [
            {"crystal": f"c{i}", "rung": level} for level, n in many.items() for i in range(n)
        ]
        return History(evaluated=ended(points, rungs), n_proposed=len(points))

    planner = BayesianPlanner(question(*rungs))
    chosen = planner.propose(after(12), 4)
    assert not on(chosen, "coarse")
    (said,) = remarks(chosen[0].notes)
    assert "coarse: correlation with fine 0." in said
    assert "; not bought before 4 trials on fine gave data: per cost it adds 0." in said
    # two trials cost less than it takes to judge them
    belief = planner.belief(after(2))
    assert belief is not None
    assert not any("not bought before" in told for told in remarks(belief.notes))


def broken(i: int) -> tuple[float, float]:
    """Fails on every candidate, at once."""
    return math.nan, 0.5


def fragile(i: int) -> tuple[float, float]:
    """Good, but it fails in one half of the space."""
    return (math.nan if ROWS[i, 1] < 0.5 else cheap(i)[0]), 0.2


def test_a_rung_on_which_all_fails_is_told_and_no_longer_bought() -> None:
    rungs = {"broken": broken, "fine": fine}
    points: list[Point] = [{"crystal": f"c{i}", "rung": level} for i in range(8) for level in rungs]
    planner = BayesianPlanner(question(*rungs))
    history = History(evaluated=ended(points, rungs), n_proposed=16)
    chosen = planner.propose(history, 4)
    assert not on(chosen, "broken")
    said = "fidelity: broken: all 8 trials on it failed; no longer bought"
    assert remarks(chosen[0].notes) == (said,)
    belief = planner.belief(history)
    assert belief is not None
    assert said in remarks(belief.notes)


def test_what_fails_on_a_lower_rung_says_nothing_against_a_candidate_that_others_compute() -> None:
    rungs = {"broken": broken, "fine": fine}
    made = play(rungs, 90, until=BEST)
    assert made[-1].point == BEST
    assert len(on(made, "broken")) < 12
    assert spent(made, rungs) < 400
    failed = {p.point["crystal"] for p in on(made, "broken")}
    known = [p for p in on(made, "fine") if p.point["crystal"] not in failed]
    chances = [p.probability_feasible for p in known if p.probability_feasible is not None]
    assert min(chances) > 0.5


def test_a_rung_that_fails_in_part_is_bought_where_it_works() -> None:
    rungs = {"fragile": fragile, "fine": fine}
    made = play(rungs, 90, until=BEST)
    assert made[-1].point == BEST
    assert spent(made, rungs) < 300
    bought = [POOL.names.index(str(p.point["crystal"])) for p in on(made, "fragile")[3:]]
    assert np.mean([ROWS[i, 1] >= 0.5 for i in bought]) > 0.6


def test_a_rung_as_dear_as_the_one_that_counts_is_told_at_once() -> None:
    def double(i: int) -> tuple[float, float]:
        return cheap(i)[0], 21.0

    rungs = {"double": double, "fine": fine}
    points: list[Point] = [{"crystal": f"c{i}", "rung": r} for i in range(3) for r in rungs]
    history = History(evaluated=ended(points, rungs), n_proposed=6)
    chosen = BayesianPlanner(question(*rungs, initial=6)).propose(history, 3)
    assert not on(chosen, "double")
    (said,) = remarks(chosen[0].notes)
    assert "21 s a trial against 20 s; no longer bought" in said


def test_a_rung_hardly_cheaper_than_the_one_that_counts_is_told() -> None:
    """It may be as good as that one, so that it is not given up, and still is never bought."""

    def slight(i: int) -> tuple[float, float]:
        return cheap(i)[0], 19.9

    rungs = {"slight": slight, "fine": fine}
    points: list[Point] = [{"crystal": f"c{i}", "rung": r} for i in range(6) for r in rungs]
    planner, history = BayesianPlanner(question(*rungs)), History(evaluated=ended(points, rungs))
    said = str(planner.belief(history).notes[RUNGS])
    assert said.startswith("slight: correlation with fine 0.9")
    assert "not bought as it looks so far: per cost it adds 0.9" in said


def deaf(i: int) -> tuple[float, float]:
    """Cheap, and says nothing."""
    return float(NOISE[0, i]), 0.2


def all_but_three(rungs: Mapping[str, Rung]) -> tuple[list[str], History]:
    """Candidates that the lower rung has not been asked about, and all else that it said, beside
    nine outcomes of the rung that counts; the best is not among these."""
    low, _ = rungs
    hopeless = [POOL.names[i] for i in np.argsort(-TRUTH)[:3]]
    asked = [name for name in POOL.names if name not in hopeless]
    known = [f"c{i}" for i in range(9) if f"c{i}" not in (BEST["crystal"], *hopeless)]
    points: list[Point] = [{"crystal": name, "rung": low} for name in asked]
    points += [{"crystal": name, "rung": "fine"} for name in known]
    return hopeless, History(evaluated=ended(points, rungs), n_proposed=len(points))


def test_what_costs_more_than_all_that_is_left_on_a_lower_rung_waits_for_it() -> None:
    """Even where the model holds that for hopeless: it may be wrong, and it costs 0.6 s of 20 s."""
    rungs = {"cheap": cheap, "fine": fine}
    hopeless, history = all_but_three(rungs)
    chosen = BayesianPlanner(question(*rungs)).propose(history, 4)
    assert {str(p.point["crystal"]) for p in on(chosen[:3], "cheap")} == set(hopeless)
    assert chosen[3].point == BEST


def test_a_proposal_says_that_dearer_trials_wait_for_its_rung() -> None:
    rungs = {"cheap": cheap, "fine": fine}
    _, history = all_but_three(rungs)
    chosen = BayesianPlanner(question(*rungs)).propose(history, 4)
    assert chosen[0].why.endswith(
        "; trials on fine (20 s each) wait for the 3 left on cheap (0.6 s in all)"
    )
    assert chosen[2].why.endswith("wait for the last one left on cheap (0.2 s in all)")
    assert "wait" not in chosen[3].why


def test_nothing_waits_for_a_rung_that_says_nothing() -> None:
    rungs = {"deaf": deaf, "fine": fine}
    _, history = all_but_three(rungs)
    (first,) = BayesianPlanner(question(*rungs)).propose(history, 1)
    assert first.point["rung"] == "fine"
    assert "wait" not in first.why


@pytest.mark.parametrize(("more", "rung"), [(3, "fine"), (4, "cheap")])
def test_what_waits_still_has_a_trial_of_the_budget(more: int, rung: str) -> None:
    rungs = {"cheap": cheap, "fine": fine}
    _, history = all_but_three(rungs)
    task = question(*rungs).model_copy(update={"trials": history.n_proposed + more})
    (first,) = BayesianPlanner(task).propose(history, 1)
    assert first.point["rung"] == rung


def test_a_pool_is_used_up_once_all_was_tried_on_the_rung_that_counts() -> None:
    rungs = {"cheap": cheap, "fine": fine}
    points: list[Point] = [{"crystal": name, "rung": "fine"} for name in POOL.names]
    history = History(evaluated=ended(points, rungs), n_proposed=N)
    with pytest.raises(PoolExhausted):
        BayesianPlanner(question(*rungs)).propose(history, 1)


def test_a_belief_on_rungs_is_that_of_the_one_that_counts() -> None:
    rungs = {"cheap": cheap, "fine": fine}
    points: list[Point] = [{"crystal": f"c{i}", "rung": r} for i in range(14) for r in rungs]
    history = History(evaluated=ended(points, rungs), n_proposed=28)
    belief = BayesianPlanner(question(*rungs)).belief(history)
    assert belief is not None
    found = belief.metrics[0].leave_one_out
    assert found is not None
    assert found.measured == pytest.approx(TRUTH[:14])
    # its cheap twin tells each of them
    assert float(np.std(np.array(found.predicted) - TRUTH[:14])) < 0.2 * float(TRUTH.std())
    assert belief.at["rung"] == "fine"
    assert belief.recommended == 2 * int(np.argmin(TRUTH[:14])) + 2


def test_a_proposal_on_a_lower_rung_predicts_what_that_rung_will_give() -> None:
    rungs = {"cheap": cheap, "fine": fine}
    points: list[Point] = [{"crystal": f"c{i}", "rung": r} for i in range(20) for r in rungs]
    history = History(evaluated=ended(points, rungs), n_proposed=40)
    chosen = on(BayesianPlanner(question(*rungs)).propose(history, 8), "cheap")
    assert chosen
    for proposal in chosen:
        i = POOL.names.index(str(proposal.point["crystal"]))
        assert proposal.predicted["y"].mean == pytest.approx(cheap(i)[0], abs=2.0)


def wide(i: int) -> tuple[float, float]:
    """In quite another unit, as it were."""
    return 1e6 * cheap(i)[0], 0.2


def narrow(i: int) -> tuple[float, float]:
    return 1e-6 * cheap(i)[0], 0.2


@pytest.mark.parametrize("other", [wide, narrow])
def test_the_scale_of_a_rung_changes_nothing_but_its_own_values(other: Rung) -> None:
    def asked(of_cheap: Rung) -> list[Proposal]:
        rungs = {"cheap": of_cheap, "fine": fine}
        points: list[Point] = [{"crystal": f"c{i}", "rung": r} for i in range(9) for r in rungs]
        points += [{"crystal": f"c{i}", "rung": "cheap"} for i in range(9, 30)]
        history = History(evaluated=ended(points, rungs), n_proposed=len(points))
        return BayesianPlanner(question(*rungs)).propose(history, 8)

    scale = other(0)[0] / cheap(0)[0]
    for plain, scaled in zip(asked(cheap), asked(other), strict=True):
        assert scaled.point == plain.point
        as_cheap = scale if plain.point["rung"] == "cheap" else 1.0
        before, after = plain.predicted["y"], scaled.predicted["y"]
        assert after.mean == pytest.approx(as_cheap * before.mean, rel=0.1)
        assert after.sd == pytest.approx(as_cheap * before.sd, rel=0.5)


def test_several_of_the_best_are_not_looked_for_where_all_beside_it_are_nearly_as_good() -> None:
    task = question("cheap", "fine")
    space = SearchSpace(parameters=(*task.space.parameters, Real(name="x", low=0, high=1)))
    wanted = PlannerChoice(options={"top": 3})
    with pytest.raises(InputError, match="'x' is continuous"):
        BayesianPlanner(task.model_copy(update={"space": space, "planner": wanted}))


def test_several_of_the_best_are_looked_for_where_that_is_asked() -> None:
    def found(top: int) -> int:
        task = PlanningTask(
            space=SearchSpace(parameters=(POOL,)),
            metrics=(MetricScale(name="y", unit=""),),
            objective=Objective(goals=(Goal(metric="y", direction="minimise"),)),
            planner=PlannerChoice(initial=6, options={"top": top}),
            seed=1,
        )
        planner, made = BayesianPlanner(task), list[Evaluated]()
        for _ in range(24):
            history = History(evaluated=tuple(made), n_proposed=len(made))
            point = planner.propose(history, 1)[0].point
            value = float(TRUTH[POOL.names.index(str(point["crystal"]))])
            outcomes = {"y": Outcome(value=value)}
            made.append(Evaluated(trial=len(made) + 1, point=point, outcomes=outcomes))
        best = {POOL.names[i] for i in np.argsort(TRUTH)[:5]}
        return len(best & {str(e.point["crystal"]) for e in made})

    assert found(5) == 5


# costs


def seen_costs(seconds: Callable[[int], float], n: int = 12) -> list[float]:
    def rung(i: int) -> tuple[float, float]:
        return float(TRUTH[i]), seconds(i)

    rungs = {"cheap": rung, "fine": fine}
    points: list[Point] = [{"crystal": f"c{i}", "rung": r} for i in range(n) for r in rungs]
    task = question(*rungs)
    encoding = Encoding(task.space)
    history = History(evaluated=ended(points, rungs))
    level = task.space["rung"]
    assert isinstance(level, Fidelity)
    found = costs(encoding, level, evidence(task, encoding, history))
    wanted: list[Point] = [{"crystal": f"c{i}", "rung": "cheap"} for i in range(n, N)]
    return [float(c) for c in found(encoding.features(encoding.encode(wanted)))]


def test_what_a_rung_costs_is_the_geometric_mean_of_what_it_took() -> None:
    found = seen_costs(lambda i: (0.1, 10.0)[i % 2])
    assert found == pytest.approx([1.0] * (N - 12), rel=1e-6)


def test_where_cost_grows_with_a_feature_that_is_learnt() -> None:
    found = np.log(seen_costs(lambda i: math.exp(0.1 * ROWS[i, 2])))
    assert np.abs(found - 0.1 * ROWS[12:, 2]).max() < 0.2


def costs_of_four(rungs: Mapping[str, Rung]) -> tuple[Costs, Floats]:
    """What trials cost after four crystals on each rung, and the features of these trials."""
    points: list[Point] = [{"crystal": f"c{i}", "rung": r} for i in range(4) for r in rungs]
    task = question(*rungs)
    encoding = Encoding(task.space)
    history = History(evaluated=ended(points, rungs))
    level = task.space["rung"]
    assert isinstance(level, Fidelity)
    found = costs(encoding, level, evidence(task, encoding, history))
    return found, encoding.features(encoding.encode(points))


def test_what_failed_trials_took_is_a_part_of_what_a_rung_costs() -> None:
    rungs = {"cheap": lambda i: (math.nan, 100.0) if i % 2 else (0.0, 1.0), "fine": fine}
    found, _ = costs_of_four(rungs)
    assert found.typical == pytest.approx([50.5, 20.0])


def test_what_many_trials_cost_is_their_number_times_the_mean_of_what_they_took() -> None:
    rungs = {"cheap": lambda i: (float(TRUTH[i]), (0.1, 10.0)[i % 2]), "fine": fine}
    found, x = costs_of_four(rungs)
    assert found(x)[::2] == pytest.approx([1.0] * 4)
    assert found.expected(x)[::2] == pytest.approx([5.05] * 4)
    assert found.expected(x)[1::2] == pytest.approx([20.0] * 4)


def test_costs_of_the_file_are_taken_as_they_are() -> None:
    task = question("cheap", "fine", costs=(1.0, 50.0))
    encoding = Encoding(task.space)
    level = task.space["rung"]
    assert isinstance(level, Fidelity)
    found = costs(encoding, level, evidence(task, encoding, History()))
    assert found.typical == pytest.approx([1.0, 50.0])
    assert not found.is_learnt


# the model


def rung_data(n: int, n_rungs: int) -> tuple[RungData, Data]:
    rng = np.random.default_rng(1)
    rung = np.arange(n) % n_rungs
    x = np.zeros((n, 2 + n_rungs))
    x[:, :2] = rng.random((n, 2))
    x[np.arange(n), 2 + rung] = math.sqrt(0.5)
    y = np.sin(5 * x[:, 0]) + rung + 0.3 * rung * x[:, 1] + 0.1 * rng.normal(size=n)
    task = question(*(f"r{i}" for i in range(n_rungs)))
    encoding = Encoding(task.space)
    layout = type(encoding.layout)(np.array([0, 1, *[-1] * n_rungs], dtype=np.intp))
    shares, known, terms = np.ones(n), np.zeros(n), np.ones((1, n, n))
    rungs = type(encoding.rungs)(slice(2, 2 + n_rungs)) if encoding.rungs else None
    data = Data(x, y, layout, shares, known, terms, rungs)
    without, _ = without_levels(y, rung, n_rungs)
    places = np.arange(n) // n_rungs * 1.0
    return RungData(x, without, rung, n_rungs, layout, shares, known, terms, places), data


def test_the_slope_of_the_likelihood_is_that_of_differences() -> None:
    data, _ = rung_data(14, 3)
    likelihood = LadderLikelihood(data, default_priors(2)[0], "matern")
    theta = likelihood.start([1.0, -1.0])
    theta = theta + 0.3 * np.random.default_rng(0).normal(size=len(theta))
    _, slope = likelihood(theta)
    step = 1e-6
    for i in range(len(theta)):
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        apart = (likelihood(up)[0] - likelihood(down)[0]) / (2 * step)
        assert slope[i] == pytest.approx(apart, rel=1e-4, abs=1e-5)


def test_a_lower_rung_tells_candidates_apart_that_are_described_alike() -> None:
    """As isomers are, by the counts of their bonds."""
    rng = np.random.default_rng(3)
    rows = np.repeat(rng.random((20, 2)), 2, axis=0)
    names = tuple(f"c{i}" for i in range(40))
    pool = Pool(
        name="crystal",
        names=names,
        columns=("a", "b"),
        units=("", ""),
        rows=tuple(map(tuple, rows.tolist())),
    )
    ladder = Fidelity(name="rung", levels=("cheap", "fine"))
    encoding = Encoding(SearchSpace(parameters=(pool, ladder)))
    y = np.sin(4 * rows[:, 0]) + 0.3 * rng.normal(size=40)
    made = [(i, "cheap") for i in range(40)] + [(i, "fine") for i in range(12)]
    points: list[Point] = [{"crystal": names[i], "rung": rung} for i, rung in made]
    x = encoding.features(encoding.encode(points))
    values, n = y[[i for i, _ in made]], len(made)
    data = Data(
        x, values, encoding.layout, np.ones(n), np.zeros(n), np.zeros((0, n, n)), encoding.rungs
    )
    process = fit(data, "matern", default_priors(2))
    others: list[Point] = [{"crystal": name, "rung": "fine"} for name in names[12:]]
    mean, _ = process.posterior(encoding.features(encoding.encode(others)))
    believed, true = mean[::2] - mean[1::2], y[12::2] - y[13::2]
    assert np.abs(believed - true).mean() < 0.3 * np.abs(true).mean()


def test_what_was_measured_is_what_is_believed_on_its_rung() -> None:
    _, data = rung_data(30, 3)
    process = fit(data, "matern", default_priors(2))
    assert isinstance(process, LadderProcess)
    mean, sd = process.outcome(data.x)
    assert np.abs(mean - data.y).max() < 0.5
    assert (sd < 0.5).all()
    kernel = process.kernel
    assert isinstance(kernel, LadderKernel)
    assert np.linalg.eigvalsh(kernel(data.x, data.x)).min() > -1e-8
    assert kernel.variances(data.x) == pytest.approx(kernel(data.x, data.x).diagonal())
