from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from orchestrator.model.rows import Rows


class Table(BaseModel):
    rows: Rows


@given(st.integers(1, 4).flatmap(lambda w: st.lists(st.tuples(*[st.floats(allow_nan=False)] * w))))
def test_rows_read_like_tuples_and_survive_json(rows: list[tuple[float, ...]]) -> None:
    kept = Rows.of(rows)
    assert list(kept) == rows
    assert kept == tuple(rows)
    again = Table.model_validate_json(Table(rows=kept).model_dump_json()).rows
    assert again == kept
    assert hash(again) == hash(kept)


def test_a_column_and_a_slice_are_those_of_the_rows() -> None:
    kept = Rows.of([(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)])
    assert list(kept.column(1)) == [2.0, 4.0, 6.0]
    assert kept[1:] == ((3.0, 4.0), (5.0, 6.0))
    assert kept[-1] == (5.0, 6.0)
    assert kept.is_finite
    assert not Rows.of([(math.nan,)]).is_finite


def test_rows_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        Table.model_validate({"rows": [[1.0], [1.0, 2.0]]})


def test_an_array_of_doubles_is_taken_as_it_lies() -> None:
    table = np.arange(6.0).reshape(3, 2)
    assert Rows.of(table) == ((0.0, 1.0), (2.0, 3.0), (4.0, 5.0))
    assert Rows.of(table.T) == ((0.0, 2.0, 4.0), (1.0, 3.0, 5.0))
    assert Rows.of(table.astype(np.float32)) == Rows.of(table)
    assert len(Rows.of(np.zeros((0, 2)))) == 0


def test_rows_are_made_of_columns() -> None:
    assert Rows.of_columns([(1.0, 3.0), (2.0, 4.0)], 2) == ((1.0, 2.0), (3.0, 4.0))
    assert len(Rows.of_columns([], 0)) == 0
    with pytest.raises(ValueError, match="size"):
        Rows.of_columns([(1.0, 3.0), (2.0,)], 2)
