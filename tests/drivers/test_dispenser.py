"""The composite, over a dispatch to a pump and a balance that are a few sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from drivers.liquids.dispenser import GravimetricDispenser
from orchestrator.capabilities.liquids import Portion
from orchestrator.clock import VirtualClock
from orchestrator.errors import (
    DeviceError,
    DeviceRefused,
    DeviceSilent,
    DeviceUnsure,
    LimitExceeded,
)
from orchestrator.ports.action import Bound
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Bench, Inner, Verdict

DENSITY = 1.2


class Corner:
    """`ports.Dispatch` over a pump whose syringe takes 1 mL, and a balance."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock: Clock = clock
        self.acts: list[tuple[str, str, dict[str, Any]]] = []
        self.fails: dict[str, Exception] = {}
        self.held = self.load = 0.0
        self.gain = 1.0
        self.is_overloaded = False

    async def __call__(self, part: str, action: str, /, **arguments: Any) -> Mapping[str, Any]:
        self.acts.append((part, action, arguments))
        if action in self.fails:
            raise self.fails[action]
        if action == "weight":
            return {"value": Bound(220.0, "above") if self.is_overloaded else self.load}
        if action in ("held", "initialise"):
            return {"value": self.held}
        volume = arguments["volume"]
        if action == "load":
            assert volume <= 1000.0
            self.held = max(self.held, volume)
            return {}
        assert action == "dispense"
        assert volume <= self.held
        self.held -= volume
        self.load += volume * self.gain * DENSITY * 1e-3
        return {"volume": volume}

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    async def until(self, *_: Any, **__: Any) -> float:
        raise AssertionError("nothing is waited for")


def act(
    name: str, amount: float, change: Mapping[str, Any] | None = None
) -> tuple[Corner, Portion | Exception]:
    clock = VirtualClock()
    corner = Corner(clock)
    for what, value in (change or {}).items():
        setattr(corner, what, value)
    dispenser = GravimetricDispenser(Bench("cyan", clock), DENSITY)

    async def main() -> Portion | Exception:
        try:
            found: Portion = await getattr(dispenser, name)(amount, dispatch=corner)
        except Exception as error:  # noqa: BLE001 - handed to the test
            return error
        return found

    return corner, clock.run(main())


def names(corner: Corner) -> list[str]:
    return [f"{part}.{action}" for part, action, _ in corner.acts]


def test_a_portion_is_weighed_before_and_after() -> None:
    corner, portion = act("dispense", 500.0, {"load": 3.0})
    assert portion == Portion(500.0, pytest.approx(0.6))
    assert names(corner) == ["balance.weight", "pump.load", "pump.dispense", "balance.weight"]


def test_nothing_is_tared_so_that_the_weight_before_stays_evidence() -> None:
    for name in ("dispense", "weigh_in"):
        corner, _ = act(name, 0.5)
        assert not {"balance.tare", "balance.zero"} & set(names(corner))


def test_more_than_a_stroke_is_given_in_equal_strokes() -> None:
    corner, portion = act("dispense", 2500.0)
    assert portion == Portion(pytest.approx(2500.0), pytest.approx(3.0))
    strokes = [a["volume"] for _, action, a in corner.acts if action == "dispense"]
    assert strokes == pytest.approx([2500.0 / 3] * 3)


def test_nothing_of_a_liquid_moves_nothing() -> None:
    corner, portion = act("dispense", 0.0)
    assert portion == Portion(0.0, 0.0)
    assert set(names(corner)) == {"balance.weight"}


@pytest.mark.parametrize("gain", [0.0, 0.9, 1.1])
def test_a_mass_that_did_not_come_is_no_portion(gain: float) -> None:
    corner, error = act("dispense", 500.0, {"gain": gain})
    assert isinstance(error, DeviceError)
    assert "where the pump gave 0.6000 g" in str(error)
    assert names(corner).count("pump.dispense") == 1


def test_a_pump_that_is_off_by_a_little_is_believed_to_be_right_within_its_tolerance() -> None:
    _, portion = act("dispense", 500.0, {"gain": 1.015})
    assert portion == Portion(500.0, pytest.approx(0.609))


def test_a_mass_is_reached_by_adding_what_the_balance_misses() -> None:
    corner, portion = act("weigh_in", 0.6, {"gain": 0.985})
    assert isinstance(portion, Portion)
    assert portion.mass == pytest.approx(0.6, abs=1e-3)
    assert portion.volume > 500.0
    assert 2 <= names(corner).count("pump.dispense") <= 4


def test_a_mass_is_not_overshot_by_a_pump_that_gives_more() -> None:
    _, portion = act("weigh_in", 0.6, {"gain": 1.019})
    assert isinstance(portion, Portion)
    assert portion.mass == pytest.approx(0.6, abs=1e-3)


@pytest.mark.parametrize(
    "error",
    [DeviceUnsure("pump", "nobody knows"), DeviceRefused("pump", "it must be initialised")],
)
def test_a_dispense_that_failed_is_never_given_again(error: Exception) -> None:
    corner, raised = act("dispense", 500.0, {"fails": {"dispense": error}})
    assert raised is error
    assert names(corner).count("pump.dispense") == 1


@pytest.mark.parametrize(
    ("fails", "sent"),
    [
        ({}, ["pump.held"]),
        ({"held": DeviceRefused("pump", "initialise it")}, ["pump.held", "pump.initialise"]),
    ],
)
def test_a_pump_that_does_not_know_what_it_holds_is_initialised_and_no_other(
    fails: dict[str, Exception], sent: list[str]
) -> None:
    clock = VirtualClock()
    corner = Corner(clock)
    corner.fails = fails
    dispenser = GravimetricDispenser(Bench("cyan", clock), DENSITY)
    clock.run(dispenser.prepare(dispatch=corner))
    assert names(corner) == sent


def test_an_overloaded_balance_stops_before_anything_is_drawn() -> None:
    corner, error = act("dispense", 500.0, {"is_overloaded": True})
    assert isinstance(error, DeviceError)
    assert "overloaded" in str(error)
    assert names(corner) == ["balance.weight"]


def test_what_is_no_amount_is_refused_before_anything_is_sent() -> None:
    for name in ("dispense", "weigh_in"):
        for amount in (-1.0, float("nan"), float("inf")):
            corner, error = act(name, amount)
            assert isinstance(error, LimitExceeded)
            assert not corner.acts


BEFORE = Inner("balance", "weight", {}, "done", {"value": 3.0})
GIVEN = Inner("pump", "dispense", {"volume": 500.0}, "open")


@pytest.mark.parametrize(
    ("load", "outcome", "told"),
    [
        (3.0, "not_done", "0.0000 g of 0.6000 g"),
        (3.0015, "not_done", "0.0015 g of 0.6000 g"),
        (3.6, "done", "0.6000 g of 0.6000 g"),
        (3.605, "done", "0.6050 g of 0.6000 g"),
        (3.3, "unknown", "0.3000 g of 0.6000 g"),
        (2.5, "unknown", "-0.5000 g of 0.6000 g"),
        (4.2, "unknown", "1.2000 g of 0.6000 g"),
    ],
)
@pytest.mark.parametrize("action", ["dispense", "weigh_in"])
def test_the_weight_before_tells_what_became_of_a_portion_in_doubt(
    action: str, load: float, outcome: str, told: str
) -> None:
    asked = {"dispense": {"volume": 500.0}, "weigh_in": {"mass": 0.6}}[action]
    corner, verdict = judged(action, asked, [BEFORE, GIVEN], load=load)
    assert isinstance(verdict, Verdict)
    assert (verdict.outcome, told in verdict.evidence) == (outcome, True)
    assert set(names(corner)) == {"pump.held", "balance.weight"}, "it only looks"
    if outcome == "done":
        assert verdict.results == {"volume": pytest.approx(500.0), "mass": pytest.approx(load - 3)}


def test_what_was_not_weighed_before_or_is_too_little_to_see_is_not_judged() -> None:
    for arguments, inner in (({"volume": 500.0}, [GIVEN]), ({"volume": 2.0}, [BEFORE, GIVEN])):
        _, verdict = judged("dispense", arguments, inner, load=3.0)
        assert isinstance(verdict, Verdict)
        assert verdict.outcome == "unknown"


def test_a_pump_that_does_not_answer_may_still_be_giving_so_nothing_is_judged() -> None:
    silence = DeviceSilent("pump", "no reply")
    _, error = judged("dispense", {"volume": 500.0}, [BEFORE, GIVEN], load=3.0, held=silence)
    assert error is silence
    refused = DeviceRefused("pump", "initialise it")
    _, verdict = judged("dispense", {"volume": 500.0}, [BEFORE, GIVEN], load=3.6, held=refused)
    assert isinstance(verdict, Verdict)
    assert verdict.outcome == "done"


def judged(
    action: str,
    arguments: Mapping[str, Any],
    inner: Sequence[Inner],
    *,
    load: float,
    held: Exception | None = None,
) -> tuple[Corner, Verdict | Exception]:
    clock = VirtualClock()
    corner = Corner(clock)
    corner.load, corner.fails = load, {"held": held} if held else {}
    dispenser = GravimetricDispenser(Bench("cyan", clock), DENSITY)

    async def main() -> Verdict | Exception:
        try:
            return await dispenser.judge(action, arguments, inner, corner)
        except Exception as error:  # noqa: BLE001 - handed to the test
            return error

    return corner, clock.run(main())
