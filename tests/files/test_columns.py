"""Columns of a table of results: in which unit they are."""

from __future__ import annotations

import pytest

from orchestrator.errors import InputError
from orchestrator.files.columns import scale_of


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
