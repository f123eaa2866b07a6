"""Cells of large tables, packed."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.files.cells import ROWS_A_CHUNK, Cells
from orchestrator.files.table import LINE, read_table

TEXTS = st.text(alphabet=st.sampled_from(["a", "1", " ", "\x1f", "é"]), max_size=4)
ROWS = st.integers(1, 3).flatmap(lambda w: st.lists(st.tuples(*[TEXTS] * w), min_size=1))


@given(ROWS)
def test_cells_read_like_the_rows_they_were_made_of(rows: list[tuple[str, ...]]) -> None:
    width = len(rows[0])
    packed = Cells(rows, width)
    assert list(packed) == rows
    assert [packed[i] for i in range(len(rows))] == rows
    assert [tuple(packed.column(i)) for i in range(width)] == list(zip(*rows, strict=True))
    assert packed[1:] == tuple(rows[1:])
    assert packed == rows
    assert packed.only(range(0, len(rows), 2)) == rows[::2]


def test_rows_beyond_one_chunk_are_found_again() -> None:
    rows = [(str(i), "x") for i in range(2 * ROWS_A_CHUNK + 3)]
    packed = Cells(rows, 2)
    for i in (0, ROWS_A_CHUNK - 1, ROWS_A_CHUNK, len(rows) - 1, 1, -1):
        assert packed[i] == rows[i]
    assert len(packed) == len(rows)


def test_no_cell_of_a_large_table_is_an_object_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text("name,d\n" + "".join(f"m{i},{i}\n" for i in range(3 * ROWS_A_CHUNK)))
    rows = read_table(path).rows
    assert isinstance(rows, Cells)
    held = sum(sys.getsizeof(text) for chunk in rows._chunks for text in chunk)
    assert held < 2 * path.stat().st_size
    assert all(isinstance(text, str) for chunk in rows._chunks for text in chunk)


@given(st.text(alphabet=st.sampled_from('a,"\r\n\x0b\u2028 ')))
def test_lines_end_where_a_stream_of_the_text_ends_them(text: str) -> None:
    assert [found[0] for found in LINE.finditer(text)] == list(io.StringIO(text, newline=""))
