"""Columns of a table of results: in which unit they are."""

from __future__ import annotations

import pytest

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.columns import column_of, scale_of
from orchestrator.files.table import Table


@pytest.mark.parametrize(
    ("column", "unit", "instead"),
    [
        ("T (C)", "K", "T [degC]"),
        ("T (F)", "degC", "T [degF]"),
        ("T (°C)", "K", "T [°C]"),
        ("charge (C)", "mC", "charge [C]"),
    ],
)
def test_a_heading_with_another_unit_in_parentheses_is_refused(
    column: str, unit: str, instead: str
) -> None:
    with pytest.raises(InputError, match="may be in") as refused:
        scale_of(column, unit)
    assert f"write '{instead}'" in refused.value.hint


@pytest.mark.parametrize(
    ("column", "unit"),
    [("T (C)", "degC"), ("T (K)", "K"), ("charge (C)", "C"), ("length (C)", "mm"), ("T (2)", "K")],
)
def test_a_heading_with_its_unit_or_a_remark_in_parentheses_is_that_of_its_unit(
    column: str, unit: str
) -> None:
    assert scale_of(column, unit) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("column", "name", "hint"),
    [
        ("T (degC)", "T", "write the unit in brackets: 'T [degC]'"),
        ("flow (sccm) ", "flow", "write the unit in brackets: 'flow [sccm]'"),
        ("T (hot plate)", "T", "known: T (hot plate), y"),
    ],
)
def test_of_a_unit_in_parentheses_it_is_said_where_it_belongs(
    column: str, name: str, hint: str
) -> None:
    table = Table("t.csv", (column, "y"), (("1", "2"),), (2,), "")
    with pytest.raises(UnknownName) as refused:
        column_of(table, name)
    assert refused.value.hint == hint
