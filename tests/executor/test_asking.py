"""What a device says of an action that may have been sent to another one."""

from __future__ import annotations

from typing import Literal

import pytest

from orchestrator.executor.asking import believed
from orchestrator.model.events import ActionDispatched, ResourceFound
from orchestrator.model.lab import ResourceBinding
from orchestrator.ports.resource import Verdict

HERE, THERE = "socket://192.0.2.1:80", "socket://192.0.2.2:80"


def _said(outcome: Literal["done", "not_done"], now: str, serial: str = "") -> str:
    dispatched = ActionDispatched(
        ticket="t", resource="oven", action="bake", effect="queryable", places=(HERE,)
    )
    binding = ResourceBinding(name="oven", kind="http", options={"port": now})
    found = ResourceFound(resource="oven", maker="Acme", model="OV", serial=serial, firmware="")
    return believed(Verdict(outcome, "no such run"), dispatched, binding, found).outcome


def test_a_device_that_may_be_another_one_is_not_believed_that_nothing_was_done() -> None:
    assert _said("not_done", THERE) == "unknown"


@pytest.mark.parametrize(("now", "serial"), [(HERE, ""), (THERE, "0017")])
def test_the_same_place_or_a_serial_number_makes_it_sure(now: str, serial: str) -> None:
    assert _said("not_done", now, serial) == "not_done"


def test_who_knows_of_an_action_has_done_it_wherever_it_is() -> None:
    assert _said("done", THERE) == "done"
