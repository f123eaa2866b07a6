"""One action by hand: what is opened, what holds, and how it is left."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, Any, ClassVar

import pytest

from orchestrator.errors import DeviceError, InterlockTripped, Stopped
from orchestrator.model.events import ResourceFound
from orchestrator.model.lab import Interlock, Lab, ResourceBinding
from orchestrator.ports.action import Cancel, Effect, Unit, action, actions_of, reading
from orchestrator.ports.resource import Bench, Health, Identity, ResourceKind
from orchestrator.runtime.trying import Attempt, carry_out


class Oven:
    """Notes what is done to it."""

    done: ClassVar[list[str]] = []

    def __init__(self, bench: Bench) -> None:
        self.name = bench.name

    async def open(self) -> None:
        self.done.append(f"{self.name} open")

    async def close(self) -> None:
        self.done.append(f"{self.name} close")

    async def identify(self) -> Identity:
        return Identity("Acme", "Oven")

    async def health(self) -> Health:
        return Health(True)

    async def make_safe(self) -> None:
        self.done.append(f"{self.name} safe")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def heat(self, temperature: Annotated[float, Unit("degC")]) -> None:
        """Heats."""
        self.done.append(f"{self.name} heat {temperature:g}")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def fail(self) -> None:
        """Breaks half-way."""
        self.done.append(f"{self.name} fail")
        raise DeviceError(self.name, "it broke")

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Stops heating."""

    @reading
    async def temperature(self) -> Annotated[float, Unit("degC")]:
        """Rises with each look."""
        n_looks = len([deed for deed in self.done if deed == f"{self.name} look"])
        self.done.append(f"{self.name} look")
        return 20.0 + 50.0 * n_looks


RULE = Interlock(
    rule="never oven.heat while door.temperature > 100 degC",
    resource="oven",
    action="heat",
    sensor="door",
    reading="temperature",
    value="value",
    sense=">",
    threshold=100.0,
    unit="degC",
    released_by="off",
)


@pytest.fixture
def lab() -> Lab:
    Oven.done.clear()
    bindings = tuple(ResourceBinding(name=n, kind="oven") for n in ("oven", "door", "other"))
    return Lab(
        name="test",
        resources=bindings,
        roles={"heater": "oven"},
        interlocks=(RULE,),
        make_safe_order=("other", "oven"),
        poll_s=0.01,
    )


def _attempt(lab: Lab, name: str, **arguments: Any) -> Attempt:
    kind = ResourceKind("oven", Oven, actions_of(Oven), {})
    kinds = {b.name: kind for b in lab.resources}
    return Attempt(lab, "oven", kinds, kind.actions[name], arguments)


def _yes(found: ResourceFound) -> None:
    assert found.model == "Oven"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))


def test_it_acts_once_is_made_safe_and_closed_and_nothing_else_is_opened(lab: Lab) -> None:
    tried = carry_out(_attempt(lab, "heat", temperature=80.0), _yes)
    assert tried.made_safe
    deeds = Oven.done
    assert deeds.count("oven heat 80") == 1
    assert deeds.index("oven heat 80") < deeds.index("oven safe") < deeds.index("oven close")
    assert "door open" in deeds, "the interlock looks at it"
    assert "door safe" not in deeds, "nobody acted there"
    assert not [deed for deed in deeds if deed.startswith("other")]


@pytest.mark.parametrize("action", ["heat", "fail"])
def test_what_could_not_be_made_safe_is_said_however_the_action_ended(
    lab: Lab, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def jams(oven: Oven) -> None:
        raise RuntimeError("the valve jams")

    monkeypatch.setattr(Oven, "make_safe", jams)
    given = {"temperature": 80.0} if action == "heat" else {}
    warned: list[str] = []
    with contextlib.suppress(DeviceError):
        assert not carry_out(_attempt(lab, action, **given), _yes, warn=warned.append).made_safe
    said = "make_safe raised RuntimeError: the valve jams"
    assert warned == [f"oven could not be made safe: {said}"]


def test_a_reading_leaves_everything_as_it_is(lab: Lab) -> None:
    tried = carry_out(_attempt(lab, "temperature"), _yes)
    assert tried.results == {"value": 20.0}
    assert not tried.made_safe
    assert "oven safe" not in Oven.done


def test_an_interlock_that_comes_true_while_it_is_held_ends_it_and_makes_it_safe(lab: Lab) -> None:
    with pytest.raises(InterlockTripped, match=r"door\.temperature is 120 degC"):
        carry_out(_attempt(lab, "heat", temperature=80.0), _yes, hold_s=60.0)
    assert Oven.done[-3:].count("oven safe") == 1
    assert "oven close" in Oven.done


def test_an_interlock_that_holds_already_lets_nothing_be_done(lab: Lab) -> None:
    Oven.done.extend(["door look"] * 2)
    with pytest.raises(InterlockTripped):
        carry_out(_attempt(lab, "heat", temperature=80.0), _yes)
    assert "oven heat 80" not in Oven.done
    assert "oven safe" not in Oven.done, "nothing was sent"


def test_what_fails_half_way_is_made_safe(lab: Lab) -> None:
    with pytest.raises(DeviceError, match="it broke"):
        carry_out(_attempt(lab, "fail"), _yes)
    assert Oven.done[-3:] == ["oven fail", "oven safe", "oven close"]


def test_who_does_not_agree_has_nothing_done(lab: Lab) -> None:
    def no(found: ResourceFound) -> None:
        raise Stopped("nothing was done")

    with pytest.raises(Stopped):
        carry_out(_attempt(lab, "heat", temperature=80.0), no)
    assert {deed.split()[1] for deed in Oven.done} == {"open", "close"}


def test_an_interruption_makes_it_safe(lab: Lab) -> None:
    def ends_soon(found: ResourceFound) -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().call_later(0.2, task.cancel)

    with pytest.raises((asyncio.CancelledError, Stopped)):
        carry_out(
            _attempt(lab.model_copy(update={"interlocks": ()}), "heat", temperature=80.0),
            ends_soon,
            hold_s=60.0,
        )
    assert Oven.done[-2:] == ["oven safe", "oven close"]
