"""A night for each test that wants one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults_night import Night, make_night


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """A campaign of six trials, one in flight, on twins of its own."""
    yield from make_night(tmp_path)
