"""Sources help to choose: values of other tables and campaigns, of materials and of points."""

from __future__ import annotations

import numpy as np
import planner_samples as samples
import pytest
from test_materials_kernel import described, molecules, pool

from orchestrator.errors import InputError
from orchestrator.model.rows import Rows
from orchestrator.model.space import Choice, Described, Point, Pool, Real, SearchSpace
from orchestrator.model.transfer import MOST_VALUES, Source
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import CARRIED
from orchestrator.planner.sources import informing
from orchestrator.planner.thinning import thinned
from orchestrator.ports.planner import History, PlanningTask

SPACE = (Real(name="a", low=0.0, high=1.0), Choice(name="gas", options=("argon", "neon")))


def truth(point: Point) -> float:
    a, shift = float(point["a"]), 0.1 if point["gas"] == "neon" else 0.0
    return float(np.sin(9.0 * a + shift) + 0.3 * a)


def source_of(values_of: str = "related", n: int = 40, name: str = "old") -> Source:
    rng = np.random.default_rng(5)
    points: list[Point] = [
        {"a": float(rng.random()), "gas": str(rng.choice(["argon", "neon"]))} for _ in range(n)
    ]
    values = [
        3.0 - 2.0 * truth(p) if values_of == "related" else float(rng.normal()) for p in points
    ]
    return Source(
        name=name, helps="thickness", quantity="y", values=tuple(values), points=tuple(points)
    )


def question(*sources: Source, space: tuple[Real | Choice | Pool, ...] = SPACE) -> PlanningTask:
    task = samples.task(space, samples.FILM_METRICS[1:], (), direction="maximise", initial=4)
    return task.model_copy(update={"sources": sources})


def history(n: int = 6) -> History:
    return samples.measured(question(), lambda p: {"thickness": truth(p)}, n, seed=3)


def materials_of(rows: list[list[int]]) -> Pool:
    return Pool(
        name="source",
        names=tuple(f"s{i}" for i in range(len(rows))),
        columns=(),
        units=(),
        rows=Rows.of(()),
        described=(described(rows),),
    )


def quantities(rows: list[list[int]]) -> Described:
    n = len(rows[0])
    return Described(
        descriptor="d",
        material="smiles",
        names=tuple(map(str, range(n))),
        units=("",) * n,
        rows=Rows.of([tuple(map(float, row)) for row in rows]),
    )


def test_few_results_and_a_related_source_predict_what_few_results_alone_do_not() -> None:
    def error(task: PlanningTask) -> float:
        model = BayesianPlanner(task)
        believed = model.belief(history())
        assert believed is not None
        (found,) = [s for s in believed.metrics[0].slices if s.parameter == "a"]
        gas = believed.at["gas"]
        pairs = zip(found.values, found.mean, strict=True)
        return float(np.mean([(truth({"a": a, "gas": gas}) - mean) ** 2 for a, mean in pairs]))

    assert error(question(source_of())) < 0.3 * error(question())


def test_the_choice_is_told_with_no_transfer_among_it() -> None:
    planner = BayesianPlanner(question(source_of(), source_of("unrelated", name="noise")))
    believed = planner.belief(history(10))
    assert believed is not None
    entries = {entry.name: entry.weight for entry in believed.metrics[0].transfer}
    assert set(entries) >= {"no transfer", "old", "noise"}
    assert entries["noise"] < 0.1 < entries["old"]
    assert sum(entries.values()) == pytest.approx(1.0)
    proposal = planner.propose(history(10), 1)[0]
    assert "no transfer: " in str(proposal.notes["transfer"])


def test_an_unrelated_source_changes_nothing() -> None:
    unrelated = question(source_of("unrelated"))
    for n in (6, 10):
        with_it = BayesianPlanner(unrelated).propose(history(n), 1)[0]
        without = BayesianPlanner(question()).propose(history(n), 1)[0]
        assert with_it.point == without.point


def test_proposals_with_a_source_are_the_same_again() -> None:
    task = question(source_of())
    again = PlanningTask.model_validate_json(task.model_dump_json())
    planner = BayesianPlanner(task)
    first = planner.propose(history(), 2)
    assert planner.propose(history(), 2) == first
    assert BayesianPlanner(again).propose(history(), 2) == first


def test_values_of_other_materials_help_to_choose_among_those_of_the_pool() -> None:
    rows = molecules(400, seed=8)
    weights = np.random.default_rng(1).normal(size=40)
    values = np.array(rows) @ weights
    others = materials_of(rows[200:])
    source = Source(
        name="table",
        helps="thickness",
        quantity="y",
        values=tuple((10.0 - values[200:]).tolist()),
        parameter="polymer",
        materials=others,
    )
    own = pool(rows[:200])
    truths = {f"m{i}": float(values[i]) for i in range(200)}

    def best_of(task: PlanningTask) -> list[float]:
        made = samples.play(
            BayesianPlanner(task), lambda p: {"thickness": truths[str(p["polymer"])]}, 14
        )
        return sorted((truths[str(p.point["polymer"])] for p in made), reverse=True)

    top = sorted(truths.values(), reverse=True)
    with_it = best_of(question(source, space=(own,)))
    assert with_it[0] >= top[1]
    assert sum(with_it[:5]) > sum(best_of(question(space=(own,)))[:5])


def test_networks_learn_a_source_and_offer_their_last_layer_too() -> None:
    """The source is the square of what is asked for, so that no line through it is the answer."""
    pytest.importorskip("sklearn")
    rows = molecules(700, seed=8)
    weights = np.random.default_rng(1).normal(size=40)
    hidden = np.array(rows) @ weights
    others = materials_of(rows[100:])
    source = Source(
        name="table",
        helps="thickness",
        quantity="y",
        values=tuple((hidden[100:] ** 2).tolist()),
        parameter="polymer",
        materials=others,
        model="networks",
    )
    own = pool(rows[:100])
    truths = {f"m{i}": float(hidden[i]) for i in range(100)}
    task = question(source, space=(own,))
    past = samples.measured(task, lambda p: {"thickness": truths[str(p["polymer"])]}, 25, seed=3)
    believed = BayesianPlanner(task).belief(past)
    assert believed is not None
    entries = {entry.name: entry for entry in believed.metrics[0].transfer}
    assert set(entries) >= {"no transfer", "table", "table, last layer"}
    assert entries["table, last layer"].rmse < 0.8 * entries["no transfer"].rmse
    again = PlanningTask.model_validate_json(task.model_dump_json())
    first = BayesianPlanner(task).propose(past, 1)
    assert BayesianPlanner(again).propose(past, 1) == first


def test_values_beside_the_metric_are_a_choice_and_are_searched_with() -> None:
    source = source_of().model_copy(update={"model": "multitask"})
    task = question(source)
    believed = BayesianPlanner(task).belief(history())
    assert believed is not None
    entries = {entry.name: entry.weight for entry in believed.metrics[0].transfer}
    assert list(entries) == ["no transfer", "old", "old, multi-task"]
    made = samples.play(BayesianPlanner(task), lambda p: {"thickness": truth(p)}, 9)
    grid = [truth({"a": i / 200, "gas": gas}) for i in range(201) for gas in ("argon", "neon")]
    assert max(truth(trial.point) for trial in made) > max(grid) - 0.02
    unrelated = source_of("unrelated").model_copy(update={"model": "multitask"})
    with_it = BayesianPlanner(question(unrelated)).propose(history(8), 1)[0]
    assert with_it.point == BayesianPlanner(question()).propose(history(8), 1)[0].point


def test_materials_of_a_source_stand_beside_those_of_the_pool() -> None:
    rows = molecules(130, seed=8)
    values = np.array(rows) @ np.random.default_rng(1).normal(size=40)
    source = Source(
        name="table",
        helps="thickness",
        quantity="y",
        values=tuple((10.0 - values[60:]).tolist()),
        parameter="polymer",
        materials=materials_of(rows[60:]),
        model="multitask",
    )
    truths = {f"m{i}": float(values[i]) for i in range(60)}
    task = question(source, space=(pool(rows[:60]),))
    past = samples.measured(task, lambda p: {"thickness": truths[str(p["polymer"])]}, 12, seed=3)
    believed = BayesianPlanner(task).belief(past)
    assert believed is not None
    entries = {entry.name: entry for entry in believed.metrics[0].transfer}
    assert entries["table, multi-task"].rmse < 0.8 * entries["no transfer"].rmse
    assert len(BayesianPlanner(task).propose(past, 2)) == 2
    wider = question(source, space=(pool(rows[:60]), Real(name="a", low=0.0, high=1.0)))
    with pytest.raises(InputError, match="not of the whole space"):
        informing(wider, Encoding(wider.space), "matern")


def test_what_a_source_says_of_candidates_is_carried_along_unseen_by_the_kernel() -> None:
    rows = molecules(30, seed=2)
    own = pool(rows)
    points: tuple[Point, ...] = tuple({"polymer": f"m{i}"} for i in range(0, 30, 2))
    values = tuple(float(row[0]) for row in rows[::2])
    source = Source(name="t", helps="thickness", quantity="y", values=values, points=points)
    task = question(source, space=(own,))
    encoding = Encoding(task.space)
    informed = informing(task, encoding, "matern").encoding
    assert informed.width == encoding.width + 1
    assert informed.layout.groups[-1] == CARRIED
    assert informed.layout.n_groups == encoding.layout.n_groups
    codes = encoding.encode(list(points))
    x, y = encoding.features(codes), informed.features(codes)
    np.testing.assert_allclose(encoding.layout.distances(x, x), informed.layout.distances(y, y))


def test_of_a_large_source_some_values_are_kept_with_their_materials() -> None:
    n = MOST_VALUES["process"]
    rows = [[i % 7, i // 7] for i in range(n + 100)]
    source = Source(
        name="table",
        helps="thickness",
        quantity="y",
        values=tuple(float(i) for i in range(len(rows))),
        parameter="polymer",
        materials=materials_of(rows),
    )
    space = SearchSpace(parameters=SPACE)
    kept = thinned(source, 3, space)
    assert kept.materials is not None
    assert kept.materials.names == tuple(f"s{value:.0f}" for value in kept.values)
    assert len(kept.values) == len(kept.materials.described[0].counts or ()) == n
    assert thinned(kept, 3, space) is kept
    assert thinned(source, 3, space) == kept != thinned(source, 4, space)


@pytest.mark.parametrize("is_dense", [False, True])
def test_of_a_large_source_the_values_of_materials_most_like_the_candidates_are_learnt_from(
    is_dense: bool,
) -> None:
    n = MOST_VALUES["process"]
    near = [[1 + i % 7, i // 7, 0] for i in range(n)]
    rows = [row for i, one in enumerate(near) for row in ([i % 5, 9000 + i, 0], one)]
    own, theirs = pool(near[:40]).model_copy(update={"name": "polymer"}), materials_of(rows)
    if is_dense:
        own = own.model_copy(update={"described": (quantities(near[:40]),)})
        theirs = theirs.model_copy(update={"described": (quantities(rows),)})
    values = tuple(float(i) for i in range(len(rows)))
    source = Source(
        name="table",
        helps="thickness",
        quantity="y",
        values=values,
        parameter="polymer",
        materials=theirs,
    )
    kept = thinned(source, 3, SearchSpace(parameters=(own,)))
    assert kept.values == values[1::2]
