from __future__ import annotations

import math

import numpy as np
import planner_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InputError, UnknownName
from orchestrator.model.rows import Rows
from orchestrator.model.space import Choice, Integer, Pool, Real, SearchSpace
from orchestrator.planner.describing import UNIFORM_SD, standardised
from orchestrator.planner.encoding import Encoding

HOLED = Rows.of([(1.0,), (math.nan,)])
finite = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False)


@st.composite
def reals(draw: st.DrawFn, name: str) -> Real:
    if draw(st.booleans()):
        low = draw(st.floats(1e-9, 1e6))
        return Real(name=name, low=low, high=low * draw(st.floats(1.01, 1e6)), scale="log")
    low = draw(finite)
    # a span that floats of this size can resolve
    span = max(1.0, abs(low)) * draw(st.floats(1e-4, 1e6))
    return Real(name=name, low=low, high=low + span)


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    parameters: list[Real | Integer | Choice | Pool] = []
    for i in range(draw(st.integers(1, 4))):
        name = f"p{i}"
        kind = draw(st.sampled_from(["real", "integer", "choice", "pool"]))
        if kind == "real":
            parameters.append(draw(reals(name)))
        elif kind == "integer":
            low = draw(st.integers(-1000, 1000))
            parameters.append(Integer(name=name, low=low, high=low + draw(st.integers(0, 10_000))))
        elif kind == "choice":
            n = draw(st.integers(1, 9))
            parameters.append(Choice(name=name, options=tuple(f"w{k}" for k in range(n))))
        else:
            pool = samples.pool(draw(st.integers(1, 40)), width=draw(st.integers(1, 4)))
            parameters.append(pool.model_copy(update={"name": name}))
    return SearchSpace(parameters=tuple(parameters))


@given(spaces(), st.integers(0, 2**32 - 1))
def test_a_decoded_point_encodes_to_its_snapped_code(space: SearchSpace, seed: int) -> None:
    encoding = Encoding(space)
    codes = np.random.default_rng(seed).random((5, encoding.n_parameters))
    again = encoding.encode(encoding.decode(codes))
    np.testing.assert_allclose(again, encoding.snap(codes), atol=1e-6)


@given(spaces(), st.integers(0, 2**32 - 1))
def test_a_finite_value_survives_the_round_trip_exactly_and_a_real_one_closely(
    space: SearchSpace, seed: int
) -> None:
    encoding = Encoding(space)
    codes = np.random.default_rng(seed).random((3, encoding.n_parameters))
    points = encoding.decode(codes)
    for point, again in zip(points, encoding.decode(encoding.encode(points)), strict=True):
        for parameter in space.parameters:
            value = point[parameter.name]
            if isinstance(parameter, Real):
                span = parameter.high - parameter.low
                assert math.isclose(
                    float(value), float(again[parameter.name]), rel_tol=1e-9, abs_tol=1e-9 * span
                )
            else:
                assert value == again[parameter.name]


@given(spaces(), st.lists(st.floats(-3.0, 4.0), min_size=4, max_size=4))
def test_a_decoded_point_is_always_inside_the_space(space: SearchSpace, row: list[float]) -> None:
    encoding = Encoding(space)
    point = encoding.decode(np.array([row[: encoding.n_parameters]]))[0]
    for parameter in space.parameters:
        value = point[parameter.name]
        match parameter:
            case Real() | Integer():
                assert parameter.low <= value <= parameter.high
            case Choice():
                assert value in parameter.options
            case Pool():
                assert value in parameter.names


def test_the_ends_of_a_range_are_reached_exactly() -> None:
    real = Real(name="o", low=0.05, high=5.0, scale="log")
    encoding = Encoding(SearchSpace(parameters=(real,)))
    assert encoding.decode(np.array([[0.0], [1.0]])) == [{"o": 0.05}, {"o": 5.0}]


def test_a_log_scale_puts_the_geometric_mean_in_the_middle() -> None:
    real = Real(name="o", low=0.01, high=100.0, scale="log")
    encoding = Encoding(SearchSpace(parameters=(real,)))
    assert encoding.decode(np.array([[0.5]]))[0]["o"] == pytest.approx(1.0)


def test_every_integer_gets_an_equal_share_of_the_codes() -> None:
    encoding = Encoding(SearchSpace(parameters=(Integer(name="n", low=1, high=4),)))
    values = [p["n"] for p in encoding.decode(np.linspace(0, 1, 4000, endpoint=False)[:, None])]
    assert [values.count(n) for n in (1, 2, 3, 4)] == [1000] * 4


def test_a_measured_point_outside_of_the_bounds_keeps_its_place() -> None:
    encoding = Encoding(SearchSpace(parameters=(Real(name="t", low=0, high=100),)))
    assert encoding.encode([{"t": 150.0}])[0, 0] == pytest.approx(1.5)


def test_pool_columns_get_the_mean_and_spread_of_a_uniform_variable() -> None:
    rows = np.random.default_rng(0).lognormal(sigma=2.0, size=(500, 2)) * [1e-12, 1e200]
    pool = samples.pool(500, width=2).model_copy(update={"rows": Rows.of(rows.tolist())})
    scaled = standardised(pool)
    np.testing.assert_allclose(scaled.mean(axis=0), 0.5, atol=1e-9)
    np.testing.assert_allclose(scaled.std(axis=0), UNIFORM_SD, rtol=1e-9)


def test_a_pool_column_without_spread_is_harmless() -> None:
    pool = samples.pool(3, width=1).model_copy(update={"rows": Rows.of([(7.0,)] * 3)})
    assert standardised(pool).tolist() == [[0.5], [0.5], [0.5]]


def test_features_of_a_pool_are_its_columns_and_of_the_rest_their_codes() -> None:
    pool = samples.pool(4, width=2)
    space = SearchSpace(parameters=(Real(name="x", low=0, high=2), pool))
    encoding = Encoding(space)
    features = encoding.features(encoding.encode([{"x": 1.0, "alloy": "alloy-2"}]))
    np.testing.assert_allclose(features, [[0.5, *standardised(pool)[2]]])


def test_two_different_words_are_as_far_apart_as_the_ends_of_a_range() -> None:
    encoding = Encoding(SearchSpace(parameters=samples.MIXED))
    points = [
        {"x": 0.0, "layers": 1, "gas": "argon"},
        {"x": 0.0, "layers": 1, "gas": "xenon"},
        {"x": 1.0, "layers": 1, "gas": "neon"},
    ]
    features = encoding.features(encoding.encode(points))
    apart = encoding.layout.distances(features, features)
    assert apart[0].tolist() == pytest.approx([0.0, 1.0, math.sqrt(2)])


def test_an_unknown_candidate_is_refused_with_the_nearest_name() -> None:
    encoding = Encoding(SearchSpace(parameters=(samples.pool(5),)))
    with pytest.raises(UnknownName, match="alloy-9") as caught:
        encoding.encode([{"alloy": "alloy-9"}])
    assert "alloy-" in caught.value.hint


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ({"layers": 1, "gas": "neon"}, "no value of 'x'"),
        ({"x": math.nan, "layers": 1, "gas": "neon"}, "not a finite number"),
        ({"x": "hot", "layers": 1, "gas": "neon"}, "not a finite number"),
    ],
)
def test_a_point_that_cannot_be_encoded_is_refused(point: dict[str, object], said: str) -> None:
    encoding = Encoding(SearchSpace(parameters=samples.MIXED))
    with pytest.raises(InputError, match=said):
        encoding.encode([point])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        (Real(name="o", low=0.0, high=1.0, scale="log"), "log scale"),
        (Real(name="o", low=0.0, high=math.inf), "not finite"),
        (Real(name="o", low=2.0, high=1.0), "above"),
        (Integer(name="o", low=2, high=1), "above"),
        (Choice(name="o", options=()), "nothing to choose"),
        (
            samples.pool(2, 1).model_copy(update={"rows": Rows.of([(1.0,), (math.nan,)])}),
            "not finite",
        ),
    ],
)
def test_a_space_that_cannot_be_encoded_is_refused(
    parameter: Real | Integer | Choice | Pool, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        Encoding(SearchSpace(parameters=(parameter,)))
