"""Points as short texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.decimals import written
from orchestrator.model.points import faults_of
from orchestrator.model.space import (
    Choice,
    Integer,
    KnownConstraint,
    Mixture,
    Ordinal,
    Point,
    Real,
    SearchSpace,
)


def read(space: SearchSpace, texts: dict[str, str]) -> Point:
    return {n: float(t) if isinstance(space[n], Real) else t for n, t in texts.items()}


def test_a_narrow_range_keeps_its_points_apart() -> None:
    laser = SearchSpace(parameters=(Real(name="wl", low=780.2410, high=780.2415, unit="nm"),))
    texts = [written(laser, {"wl": 780.241 + 1e-7 * i})["wl"] for i in range(9)]
    assert texts[1] == "780.2410001"
    assert len(set(texts)) == 9


def test_texts_are_short_where_nothing_depends_on_more_digits() -> None:
    space = SearchSpace(
        parameters=(
            Real(name="x", low=0.0, high=1.0),
            Real(name="p", low=1e-3, high=1e6, scale="log"),
            Ordinal(name="level", levels=(0.1, 2.0)),
            Integer(name="n", low=0, high=9),
            Choice(name="kind", options=("a", "b")),
        )
    )
    point: Point = {"x": 1 / 3, "p": 1 / 30, "level": 2.0, "n": 3, "kind": "a"}
    texts = {"x": "0.333333", "p": "0.03333333", "level": "2", "n": "3", "kind": "a"}
    assert written(space, point) == texts


THIRDS = SearchSpace(
    parameters=tuple(Real(name=name, low=0.0, high=1.0) for name in "abc"),
    mixtures=(Mixture(name="m", components=("a", "b", "c"), present=(1, 3)),),
)


@pytest.mark.parametrize(("share", "texts"), [(1 / 3, ["0.333334", "0.333333"]), (1.0, ["1", "0"])])
def test_a_mixture_still_sums_to_its_total(share: float, texts: list[str]) -> None:
    rest = (1.0 - share) / 2
    shown = written(THIRDS, {"a": rest, "b": rest, "c": share})
    assert sorted(set(shown.values()), reverse=True) == texts


@given(st.floats(0.0, 123456.7), st.floats(0.0, 12345.678))
def test_what_is_written_belongs_to_the_space(a: float, b: float) -> None:
    space = SearchSpace(
        parameters=(
            Real(name="a", low=0.0, high=123456.7),
            Real(name="b", low=0.0, high=99999.0),
        ),
        constraints=(
            KnownConstraint(text="b <= 12345.678", expression="b - 12345.678"),
            KnownConstraint(text="b <= a", expression="b - a"),
        ),
    )
    point: Point = {"a": a, "b": min(a, b)}
    found = read(space, written(space, point))
    assert not [*faults_of(space, found)]
    assert found["a"] == pytest.approx(a, abs=0.13)
    assert found["b"] == pytest.approx(point["b"], abs=0.13)
