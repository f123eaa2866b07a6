"""What a device says of an action that may have been sent to another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pytest

from orchestrator.clock import VirtualClock
from orchestrator.errors import DeviceRefused, DeviceSilent
from orchestrator.executor.asking import asked, believed
from orchestrator.model.events import ActionDispatched, ResourceFound
from orchestrator.model.lab import ResourceBinding
from orchestrator.ports.action import Ticket
from orchestrator.ports.resource import Bench, Verdict

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


class Oven:
    """Has done all that it is asked about; `faults` are met when it is asked what came of it."""

    def __init__(self, bench: Bench, *faults: Exception) -> None:
        self.bench, self.faults, self.n_told = bench, [*faults], 0

    async def ask(self, ticket: Ticket) -> Verdict:
        return Verdict("done", f"{ticket} is finished")

    async def results_of(
        self, action: str, arguments: Mapping[str, Any], ticket: Ticket
    ) -> Mapping[str, Any]:
        self.n_told += 1
        if self.faults:
            raise self.faults.pop(0)
        return {"value": arguments["minutes"]}


def _asked(*faults: Exception) -> tuple[Verdict, int]:
    clock = VirtualClock()
    oven: Any = Oven(Bench("oven", clock), *faults)
    sent = ActionDispatched(
        ticket="t", resource="oven", action="bake", effect="queryable", arguments={"minutes": 7.0}
    )
    return clock.run(asked(oven, sent, clock)), oven.n_told


def test_of_what_was_done_the_results_are_fetched_though_the_wire_fails_once() -> None:
    assert _asked(DeviceSilent("oven", "is silent")) == (
        Verdict("done", "t is finished", {"value": 7.0}),
        2,
    )


def test_results_that_cannot_be_read_leave_it_done_and_say_why() -> None:
    fault = DeviceRefused("oven", "it says no")
    found, n_told = _asked(fault, fault, fault)
    assert (found.outcome, found.results, n_told) == ("done", {}, 3)
    assert found.evidence == "t is finished, but oven: it says no"
