from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.counts import Counts
from orchestrator.model.space import Described

ROWS = st.integers(1, 6).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from([0, 1, 2, 3, 0.25, 1 / 3]), min_size=width, max_size=width),
        min_size=1,
        max_size=5,
    )
)


@given(ROWS, st.data())
def test_counts_survive_json_and_a_choice_of_rows(
    rows: list[list[float]], data: st.DataObject
) -> None:
    counts = Counts.of(rows)
    assert len(counts) == len(rows)
    said = Described(descriptor="d", material="m", counts=counts)
    assert Described.model_validate_json(said.model_dump_json()) == said
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1))
    assert counts.only(chosen) == Counts.of([rows[i] for i in chosen])
    assert counts.only(chosen) + counts == Counts.of([*(rows[i] for i in chosen), *rows])


def test_whole_counts_take_two_bytes_and_means_of_counts_keep_every_digit() -> None:
    whole, means = Counts.of([[2, 0, 65_535]]), Counts.of([[1 / 3, 0, 2]])
    assert (whole.values.itemsize, list(whole.values)) == (2, [2, 65_535])
    assert list(means.values) == [1 / 3, 2]
    assert "weights" not in whole.plain(), "journals of before are read as they were"


@pytest.mark.parametrize("wrong", [[[1, 2], [1]], [[-1]], [[-0.5]], [[float("nan")]], [[70_000]]])
def test_what_is_no_count_is_refused(wrong: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"count|length"):
        Counts.of(wrong)


def test_whole_counts_and_means_of_counts_may_follow_each_other() -> None:
    whole, means = Counts.of([[1, 0, 2]]), Counts.of([[0.5, 0, 1.5]])
    assert list((whole + means).values) == [1.0, 2.0, 0.5, 1.5]
    assert list((means + whole).values) == [0.5, 1.5, 1.0, 2.0]
    assert (means + whole).only([1]).values.typecode == "H"
