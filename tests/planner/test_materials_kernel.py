"""The kernel of materials: Tanimoto's similarity of counts, beside distances of quantities."""

from __future__ import annotations

import tracemalloc

import numpy as np
import planner_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.counts import Counts
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, Pool, Real, SearchSpace
from orchestrator.planner import describing
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.describing import MAX_OWN_SCALES, dense
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import FURTHER, Data, default_priors, fit
from orchestrator.planner.kernel import Floats, Kernel, Layout, Shape, unlikeness


def molecules(n: int, width: int = 40, seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return rng.poisson(0.3, size=(n, width)).tolist()


def described(rows: list[list[int]]) -> Described:
    return Described(descriptor="morgan", material="smiles", counts=Counts.of(rows))


def pool(rows: list[list[int]], *more: Described) -> Pool:
    names = tuple(f"m{i}" for i in range(len(rows)))
    parts = (described(rows), *more)
    return Pool(
        name="polymer", names=names, columns=(), units=(), rows=Rows.of(()), described=parts
    )


@given(st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), min_size=2, max_size=6))
def test_unlikeness_is_two_less_twice_the_similarity_of_every_pair(rows: list[list[int]]) -> None:
    x = np.array(rows, dtype=float)
    found = unlikeness(x, x)
    for i, a in enumerate(x):
        for j, b in enumerate(x):
            either = a @ a + b @ b - a @ b
            similarity = a @ b / either if either else 1.0
            assert found[i, j] == pytest.approx(2.0 - 2.0 * similarity, abs=1e-12)


@pytest.mark.parametrize("shape", ["matern", "gauss"])
def test_the_covariance_of_materials_is_positive_definite(shape: Shape) -> None:
    x = np.array(molecules(60), dtype=float)
    layout = Layout(np.zeros(40, dtype=np.intp), (0,))
    kernel = Kernel(np.full(40, 0.7), 1.0, shape, layout)
    assert np.linalg.eigvalsh(kernel(x, x)).min() > -1e-9


def test_a_material_times_its_process_has_the_product_of_both_kernels() -> None:
    space = SearchSpace(parameters=(pool(molecules(5)), Real(name="t", low=0.0, high=1.0)))
    encoding = Encoding(space)
    codes = encoding.encode([{"polymer": f"m{i}", "t": 0.2 * i} for i in range(5)])
    x = encoding.features(codes)
    widths = np.full(encoding.width, 0.6)
    both = Kernel(widths, 1.0, "gauss", encoding.layout)(x, x)
    of_material = np.exp(-0.5 * unlikeness(x[:, :-1], x[:, :-1]) / 0.36)
    of_process = np.exp(-0.5 * (x[:, -1:] - x[:, -1:].T) ** 2 / 0.36)
    np.testing.assert_allclose(both, of_material * of_process, rtol=1e-12)


def test_before_much_is_known_materials_that_are_half_alike_tell_of_each_other() -> None:
    half_alike = [[2, 1, 1, 0, 0], [2, 1, 0, 1, 1]]  # 5 in common, of 6 and 7: similarity 5/8
    encoding = Encoding(SearchSpace(parameters=(pool(half_alike),)))
    x, layout = encoding.table("polymer"), encoding.layout
    data = Data(x[:1], np.zeros(1), layout, np.ones(1), np.zeros(1), np.zeros((0, 1, 1)))
    model = fit(data, "matern", default_priors(layout.n_groups, layout.counted))
    assert 0.4 < model.kernel(x[:1], x[1:])[0, 0] < 0.7


def test_what_counts_are_expected_to_say_leaves_a_process_beside_them_alone() -> None:
    plain = default_priors(2)[0].width.log_mode
    for prior in default_priors(2, [0]):
        np.testing.assert_allclose(prior.width.log_mode, [plain + FURTHER, plain])


def test_a_gradient_moves_the_process_and_leaves_the_material() -> None:
    space = SearchSpace(parameters=(pool(molecules(5)), Real(name="t", low=0.0, high=1.0)))
    encoding = Encoding(space)
    x = encoding.features(encoding.encode([{"polymer": "m1", "t": 0.4}, {"polymer": "m2", "t": 1}]))
    kernel = Kernel(np.full(encoding.width, 0.6), 1.0, "matern", encoding.layout)

    def value(moved: Floats) -> float:
        return float(kernel(moved, x).sum())

    _, slope = kernel.with_slope(x, x)
    pull = kernel.pull(x, x, slope)
    step = np.zeros_like(x)
    step[0, -1] = 1e-6
    numeric = (value(x + step) - value(x - step)) / 2e-6
    assert pull[0, -1] == pytest.approx(numeric, rel=1e-5)
    assert not pull[:, :-1].any()


def test_many_quantities_share_one_length_scale_and_few_have_their_own() -> None:
    rng = np.random.default_rng(1)
    many = rng.normal(size=(30, MAX_OWN_SCALES + 1))
    few = rng.normal(size=(30, 3))

    def layout(values: Floats) -> tuple[int, float]:
        names = tuple(f"q{i}" for i in range(values.shape[1]))
        said = Described(
            descriptor="d", material="m", names=names, units=names, rows=Rows.of(values)
        )
        made = Encoding(SearchSpace(parameters=(pool(molecules(30), said),)))
        block = made.table("polymer")[:, -values.shape[1] :]
        squares = ((block[:, None] - block[None]) ** 2).sum(axis=2)
        return made.layout.n_groups, float(squares.mean())

    assert layout(few)[0] == 1 + 3
    n_groups, mean_square = layout(many)
    assert n_groups == 1 + 1
    assert mean_square == pytest.approx(1.0, rel=1e-6)


def test_places_that_are_zero_throughout_cost_nothing() -> None:
    assert dense(Counts.of([[0, 2, 0, 1], [0, 0, 0, 3]])).tolist() == [[2, 1], [0, 3]]


def test_the_planner_finds_the_material_whose_fragments_count() -> None:
    rows = molecules(300, seed=3)
    question = samples.task(
        (pool(rows),), samples.FILM_METRICS[1:], (), direction="maximise", initial=5
    )
    truth = {f"m{i}": float(3 * row[0] + 2 * row[1] - row[2]) for i, row in enumerate(rows)}
    proposals = samples.play(
        BayesianPlanner(question), lambda p: {"thickness": truth[str(p["polymer"])]}, 40
    )
    found = max(truth[str(p.point["polymer"])] for p in proposals)
    assert found >= sorted(truth.values())[-3]


def test_what_is_measured_of_an_isomer_is_no_measurement_of_another_one() -> None:
    rows = [*molecules(40, seed=1), *molecules(40, seed=1)[:20]]
    encoding = Encoding(SearchSpace(parameters=(pool(rows),)))
    x = encoding.features(encoding.encode([{"polymer": f"m{i}"} for i in range(60)]))
    assert np.array_equal(x[:40, :40], x[:40, :40].round())
    similarity = 1.0 - unlikeness(x, x) / 2.0
    twins = similarity[np.arange(20), np.arange(40, 60)]
    assert (twins < 0.97).all()
    assert (twins > 0.6).all()
    assert similarity.diagonal().tolist() == [1.0] * 60
    y = np.random.default_rng(0).normal(size=30)
    found = Data(x[:30], y, encoding.layout, np.ones(30), np.zeros(30), np.zeros((0, 30, 30)))
    process = fit(found, "matern", default_priors(1, (0,)))
    of_measured, of_isomers = process.posterior(x[:20])[1], process.posterior(x[40:])[1]
    assert (of_isomers > 1.2 * of_measured).all()


def test_isomers_are_told_apart_without_a_copy_of_the_table() -> None:
    """A table of a hundred thousand materials is most of what is in memory."""
    row, n = np.arange(1000), 2000
    counts = Counts.of(np.array([(row % 97 == i % 31) for i in range(n)], dtype=np.uint16))
    tracemalloc.start()
    try:
        part = describing.described(
            Described(descriptor="morgan", material="m", counts=counts), again=[40]
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert part.table is not None
    assert np.count_nonzero(part.table[:, -1]) == 1
    assert peak < 1.6 * part.table.nbytes


def test_one_material_at_several_amounts_is_one_material() -> None:
    rows = [[1, 2, 0], [1, 2, 0], [0, 1, 1]]
    amounts = pool(rows).model_copy(update={"columns": ("amount",), "units": ("",)})
    amounts = amounts.model_copy(update={"rows": Rows.of(((1.0,), (2.0,), (1.0,)))})
    counts = Encoding(SearchSpace(parameters=(amounts,))).table("polymer")[:, 1:]
    assert counts.tolist() == [[1, 2, 0], [1, 2, 0], [0, 1, 1]]
    empty = Encoding(SearchSpace(parameters=(pool([[0, 0], [0, 0], [0, 1]]),))).table("polymer")
    assert unlikeness(empty, empty)[0, 1] == 0.0
