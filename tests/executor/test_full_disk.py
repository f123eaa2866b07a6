"""A scratch disk that is full: nobody's input is to blame, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.clock import VirtualClock
from orchestrator.errors import CalculationFailed, ExecutionError
from orchestrator.executor.local import LocalCompute


def test_a_full_scratch_disk_is_told_and_afterwards_all_goes_on(scratch: Path) -> None:
    clock, told = VirtualClock(), []

    async def tell(lost: object) -> None:
        told.append(lost)

    compute = LocalCompute(scratch, clock, tell=tell)
    assert clock.run(compute.submit("calculations:doubled", {"x": 1.0}, ticket="a"))
    arguments = {"size": 4 << 20}
    with pytest.raises(ExecutionError, match="full") as failed:
        clock.run(compute.submit("calculations:fills_the_disk", arguments, ticket="b"))
    assert not isinstance(failed.value, CalculationFailed)
    assert told == [], "no worker was lost"
    assert clock.run(compute.known("a")) == {"value": 2.0}
    assert clock.run(compute.known("b")) is None
    (scratch / "b" / "001" / "large").unlink()
    assert clock.run(compute.submit("calculations:doubled", {"x": 2.0}, ticket="c"))
