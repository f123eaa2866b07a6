"""Orders on opened resources: checked, recorded, acted on, recorded."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from small_plant import FullJournal, Plant, order_of, play, silent

from orchestrator.errors import (
    CalculationFailed,
    DeviceAbsent,
    DeviceError,
    DeviceGone,
    DeviceRefused,
    DeviceUnsure,
    JournalFull,
    NoReading,
    PortTaken,
    WrongDevice,
)
from orchestrator.model import events as ev
from orchestrator.model.quantity import Bound
from orchestrator.ports.resource import Health, Verdict


def _says(value: Any) -> Callable[[], Awaitable[Any]]:
    async def say() -> Any:
        return value

    return say


def test_a_dispatch_is_in_the_journal_before_the_device_hears_of_it() -> None:
    seen: list[list[str]] = []

    async def script(plant: Plant) -> None:
        async def look() -> None:
            seen.append([type(e).__name__ for e in plant.events()])

        plant["doser"].troubles["dose"].append(look)
        await plant.order("doser.dose", volume=3.0)

    plant = play(script)
    assert seen == [["ActionDispatched"]]
    assert [type(e).__name__ for e in plant.events()] == ["ActionDispatched", "ActionDone"]


def test_events_that_belong_before_an_order_are_recorded_with_its_dispatch() -> None:
    made = ev.MadeSafe(resource="heater", ok=True, why="the test")

    async def script(plant: Plant) -> None:
        order = order_of("doser.dose", volume=3.0)
        await plant.runner.carry_out(
            type(order)(**{**order.__dict__, "before": (made,), "sample": "s-1"})
        )

    first, second, _ = play(script).events()
    assert first == made
    assert (second.sample, second.arguments, second.effect) == (
        "s-1",
        {"volume": 3.0},
        "irreversible",
    )
    assert len(second.arguments_hash) == 16


def test_results_are_recorded_as_plain_values() -> None:
    async def script(plant: Plant) -> None:
        for number, value in enumerate(
            (2.5, 3, np.float32(1.5), np.int64(4), Bound(9.0, "above"), float("nan"))
        ):
            plant["doser"].troubles["weigh_out"].append(_says(value))
            await plant.order("doser.weigh_out", f"t{number}")

    values = [e.results["value"] for e in play(script).events(ev.ActionDone)]
    assert values[:5] == [2.5, 3, 1.5, 4, {"value": 9.0, "side": "above"}]
    assert values[5] != values[5]


@pytest.mark.parametrize(
    "value", ["heavy", [1.0], object(), True], ids=["word", "list", "object", "boolean"]
)
def test_a_result_of_another_kind_than_declared_is_the_drivers_fault(value: Any) -> None:
    async def script(plant: Plant) -> None:
        plant["doser"].troubles["weigh_out"].append(_says(value))
        dispatch = await plant.order("doser.weigh_out")
        assert dispatch.failure is not None
        assert dispatch.failure.error == "DeviceError"
        assert "gave" in dispatch.failure.sentence
        assert dispatch.failure.leaves_doubt

    play(script)


class Speechless(BaseException):
    def __str__(self) -> str:
        raise KeyError("words")


@pytest.mark.parametrize(
    "error",
    [SystemExit("no licence"), KeyboardInterrupt("x"), GeneratorExit("x"), Speechless()],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("do", ["doser.dose", "doser.weigh_out"], ids=["timed", "untimed"])
def test_what_is_made_to_end_a_program_ends_neither_engine_nor_run(
    error: BaseException, do: str
) -> None:
    async def script(plant: Plant) -> None:
        resource, act = do.split(".")
        plant[resource].troubles[act].append(error)
        arguments = {"volume": 1.0} if act == "dose" else {}
        failure = (await plant.order(do, **arguments)).failure
        assert failure is not None
        assert failure.sentence.startswith(f"doser: {act} raised {type(error).__name__}: ")
        assert failure.leaves_doubt
        plant["heater"].troubles["make_safe"].append(error)
        assert not await plant.runner.make_safe("the test")
        plant["gauge"].troubles["pressure"].append(error)
        with pytest.raises(DeviceError, match="gauge: pressure raised"):
            await plant.runner.read("gauge", "pressure")

    plant = play(script)
    assert plant["carrier"].n_made_safe == 1


def test_what_a_driver_says_is_cut_and_written_so_that_a_journal_can_hold_it() -> None:
    async def script(plant: Plant) -> None:
        plant["doser"].troubles["dose"].append(RuntimeError("a\x00b\ud800c" + "x" * 3_000_000))
        failure = (await plant.order("doser.dose", volume=1.0)).failure
        assert failure is not None
        assert failure.sentence.startswith("doser: dose raised RuntimeError: a\\x00b\\ud800cxxx")
        assert len(failure.sentence) < 1000
        refused = DeviceRefused("doser", "no\udcff" + "y" * 3_000_000, hint="\udcff")
        plant["doser"].troubles["dose"].append(refused)
        failure = (await plant.order("doser.dose", "t2", volume=1.0)).failure
        assert failure is not None
        assert failure.sentence.startswith("doser: no\\udcffyyy")
        assert failure.sentence.endswith("... (3,000,015 characters in all)")
        assert (len(failure.sentence), failure.hint) == (4000, "\\udcff")

    play(script)


def test_a_number_without_bounds_is_infinity_and_never_ends_the_engine() -> None:
    async def script(plant: Plant) -> None:
        for number, value in enumerate((10**400, -(10**5000), Bound(10**400, "above"))):
            plant["doser"].troubles["weigh_out"].append(_says(value))
            await plant.order("doser.weigh_out", f"t{number}")

    values = [e.results["value"] for e in play(script).events(ev.ActionDone)]
    assert values == [math.inf, -math.inf, {"value": math.inf, "side": "above"}]


def test_a_drivers_bug_is_a_failure_of_the_device_and_not_of_the_engine() -> None:
    async def script(plant: Plant) -> None:
        plant["heater"].troubles["heat"].append(ZeroDivisionError("oh"))
        failure = (await plant.order("heater.heat", temperature=100)).failure
        assert failure is not None
        assert failure.error == "DeviceError"
        assert failure.sentence == "heater: heat raised ZeroDivisionError: oh"
        assert failure.hint == "this is a fault of the driver"

    play(script)


@pytest.mark.parametrize(
    ("do", "error", "doubt", "may_retry"),
    [
        ("heater.heat", silent(), False, True),
        ("heater.heat", DeviceRefused("it", "no"), False, False),
        ("heater.temperature", silent(), False, True),
        ("heater.temperature", NoReading("it", "none"), False, False),
        ("doser.dose", silent(), True, False),
        ("doser.dose", DeviceGone("it", "gone"), True, False),
        ("doser.dose", DeviceUnsure("it", "unsure"), True, False),
        ("doser.dose", ValueError("a bug"), True, False),
        ("doser.dose", DeviceRefused("it", "no"), False, False),
        ("doser.dose", DeviceAbsent("it", "no"), False, True),
        ("doser.dose", WrongDevice("it", "no"), False, False),
        ("doser.dose", CalculationFailed("no minimum"), False, False),
        ("carrier.move", silent(), True, False),
        ("carrier.move", DeviceRefused("it", "no"), False, False),
    ],
    ids=lambda v: str(v) if isinstance(v, str) else type(v).__name__,
)
def test_what_a_failure_leaves_follows_from_its_effect_and_its_type(
    do: str, error: Exception, doubt: bool, may_retry: bool
) -> None:
    arguments = {
        "heater.heat": {"temperature": 100},
        "doser.dose": {"volume": 1},
        "carrier.move": {"to": "there"},
    }

    async def script(plant: Plant) -> None:
        resource, act = do.split(".")
        plant[resource].troubles[act].append(error)
        dispatch = await plant.order(do, **arguments.get(do, {}))
        assert dispatch.failure is not None
        assert dispatch.failure.leaves_doubt is doubt
        assert dispatch.failure.may_retry is may_retry
        assert dispatch.failure.blames_parameters is isinstance(error, CalculationFailed)
        assert dispatch.is_open is doubt

    play(script)


def test_an_irreversible_action_that_acted_without_a_reading_spoils_its_sample() -> None:
    async def script(plant: Plant) -> None:
        plant["doser"].troubles["weigh_out"].append(NoReading("doser", "the pan is full"))
        failure = (await plant.order("doser.weigh_out")).failure
        assert failure is not None
        assert (failure.spoils_sample, failure.leaves_doubt, failure.may_retry) == (
            True,
            False,
            False,
        )

    play(script)


def test_a_step_that_takes_too_long_in_campaign_time_is_given_up() -> None:
    async def script(plant: Plant) -> None:
        order = order_of("doser.flush", timeout_s=40.0)
        await plant.runner.carry_out(order)
        failure = plant.state.dispatches["t1"].failure
        assert failure is not None
        assert (failure.error, failure.leaves_doubt) == ("StepTimeout", True)
        assert plant.clock.now() == 40.0

    play(script)


def test_the_declared_time_out_holds_where_a_step_gives_none() -> None:
    async def script(plant: Plant) -> None:
        async def hang() -> None:
            await plant.clock.sleep(1e6)

        plant["doser"].troubles["dose"].append(hang)
        await plant.order("doser.dose", volume=1.0)
        assert plant.clock.now() == 60.0

    play(script)


def test_a_step_that_ends_in_time_is_not_disturbed_later() -> None:
    async def script(plant: Plant) -> None:
        assert (await plant.order("doser.dose", volume=1.0)).outcome == "done"
        await plant.clock.sleep(1000.0)

    assert len(play(script).events()) == 2


@dataclass
class _Cut:
    """What a cut-off order left: whether the device was called, and the journal's word."""

    called: bool
    outcome: str
    has_doubt: bool
    was_running: bool


def _cut_after(k: int, do: str, arguments: dict[str, Any], acts: str) -> _Cut:
    """Cancels an order once the loop has gone round k times (every 25th time, 10 s pass)."""
    found: list[_Cut] = []

    async def script(plant: Plant) -> None:
        running = asyncio.ensure_future(plant.runner.carry_out(order_of(do, **arguments)))
        for i in range(k):
            await (plant.clock.sleep(10.0) if i % 25 == 24 else asyncio.sleep(0))
        was_running = not running.done()
        plant.runner.interrupt(at_once=True)
        await asyncio.gather(running, return_exceptions=True)
        for _ in range(10):
            await asyncio.sleep(0)
        device, act = acts.split(".")
        dispatch = plant.state.dispatches.get("t1")
        for ticket in plant.state.open_tickets:
            failure = plant.state.dispatches[ticket].failure
            assert failure is not None
            assert failure.leaves_doubt
        found.append(
            _Cut(
                called=act in plant[device].sent,
                outcome=dispatch.outcome if dispatch else "never",
                has_doubt=bool(dispatch and dispatch.failure and dispatch.failure.leaves_doubt),
                was_running=was_running,
            )
        )

    play(script)
    return found[0]


def _all_cuts(do: str, arguments: dict[str, Any], acts: str) -> list[_Cut]:
    cuts: list[_Cut] = []
    while not cuts or cuts[-1].was_running:
        cuts.append(_cut_after(len(cuts), do, arguments, acts))
        assert len(cuts) < 400
    return cuts


@pytest.mark.parametrize(
    ("do", "arguments"),
    [("doser.dose", {"volume": 1.0}), ("carrier.move", {"to": "there"})],
)
def test_an_order_cut_off_at_any_point_leaves_an_end_or_a_doubt(
    do: str, arguments: dict[str, Any]
) -> None:
    cuts = _all_cuts(do, arguments, acts=do)
    for cut in cuts:
        if cut.called:
            assert cut.outcome == "done" or (cut.outcome == "open" and cut.has_doubt)
        else:
            assert cut.outcome in ("never", "failed")
    outcomes = {c.outcome for c in cuts}
    assert {"open", "done"} <= outcomes
    assert "never" in outcomes or "failed" in outcomes


def test_an_idempotent_order_cut_off_at_any_point_leaves_no_doubt() -> None:
    cuts = _all_cuts("heater.heat", {"temperature": 100.0}, acts="heater.heat")
    assert {c.outcome for c in cuts} <= {"never", "failed", "done"}


def test_a_full_disk_at_the_dispatch_keeps_the_device_untouched() -> None:
    async def script(plant: Plant) -> None:
        with pytest.raises(JournalFull):
            await plant.runner.carry_out(order_of("doser.dose", volume=1.0))
        assert "t1" not in plant.state.dispatches

    plant = play(script, wrap=lambda j: FullJournal(j, ev.ActionDispatched))
    assert plant.sent() == []


def test_a_full_disk_at_the_result_leaves_the_dispatch_open_and_says_so() -> None:
    async def script(plant: Plant) -> None:
        with pytest.raises(JournalFull):
            await plant.runner.carry_out(order_of("doser.dose", volume=1.0))
        assert plant.state.dispatches["t1"].is_open

    plant = play(script, wrap=lambda j: FullJournal(j, ev.ActionDone))
    assert plant["doser"].sent == ["dose"]


def test_a_dispatch_cut_off_while_its_disk_is_full_leaves_a_journal_that_folds() -> None:
    """The disk may have room again for the failure of a dispatch that was never written."""

    async def script(plant: Plant) -> None:
        running = asyncio.ensure_future(plant.runner.carry_out(order_of("doser.dose", volume=1.0)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert plant.events() == []
        assert plant.state.dispatches == {}

    play(script, wrap=lambda j: FullJournal(j, ev.ActionDispatched))


async def _begun(plant: Plant, do: str, **arguments: Any) -> asyncio.Future[None]:
    running = asyncio.ensure_future(plant.runner.carry_out(order_of(do, **arguments)))
    while not plant.state.dispatches:
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    return running


def test_a_first_interrupt_lets_a_move_come_to_its_end() -> None:
    async def script(plant: Plant) -> None:
        running = await _begun(plant, "carrier.move", to="there")
        plant.runner.interrupt(at_once=False)
        await running
        assert plant.state.dispatches["t1"].outcome == "done"

    play(script)


def test_a_second_interrupt_does_not() -> None:
    async def script(plant: Plant) -> None:
        running = await _begun(plant, "carrier.move", to="there")
        plant.runner.interrupt(at_once=False)
        plant.runner.interrupt(at_once=True)
        await running
        assert plant.state.dispatches["t1"].is_open

    play(script)


def test_a_move_that_was_not_sent_yet_is_not_sent_after_an_interrupt() -> None:
    for k in range(1, 12):

        async def script(plant: Plant, k: int = k) -> None:
            running = asyncio.ensure_future(
                plant.runner.carry_out(order_of("carrier.move", to="x"))
            )
            for _ in range(k):
                await asyncio.sleep(0)
            was_sent = "move" in plant["carrier"].sent
            plant.runner.interrupt(at_once=False)
            await asyncio.gather(running, return_exceptions=True)
            assert ("move" in plant["carrier"].sent) is was_sent

        play(script)


def test_an_interrupt_gives_up_what_can_be_given_up() -> None:
    async def script(plant: Plant) -> None:
        running = await _begun(plant, "doser.dose", volume=1.0)
        plant.runner.interrupt(at_once=False)
        await running
        failure = plant.state.dispatches["t1"].failure
        assert failure is not None
        assert failure.error == "Stopped"
        assert plant.clock.now() < 5.0

    play(script)


def _answered_after(plant: Plant, wall_s: float) -> asyncio.Event:
    """The doser's next `weigh_out` is answered so late; tells when it was sent."""
    sent = asyncio.Event()

    async def slowly() -> float:
        sent.set()
        with plant.clock.work():
            await asyncio.sleep(wall_s)
        return 2.5

    plant["doser"].troubles["weigh_out"].append(slowly)
    return sent


def test_an_interrupt_waits_for_the_answer_to_what_cannot_be_taken_back() -> None:
    async def script(plant: Plant) -> None:
        sent = _answered_after(plant, 0.03)
        running = asyncio.ensure_future(plant.runner.carry_out(order_of("doser.weigh_out")))
        await sent.wait()
        plant.runner.interrupt(at_once=False)
        await plant.runner.answered()
        await running
        dispatch = plant.state.dispatches["t1"]
        assert (dispatch.outcome, dispatch.results) == ("done", {"value": 2.5})

    play(script)


@pytest.mark.parametrize("again", [False, True])
def test_an_answer_that_does_not_come_is_not_waited_for_longer_nor_after_another_interrupt(
    again: bool,
) -> None:
    async def script(plant: Plant) -> None:
        plant.runner.answer_within_s = 3600.0 if again else 0.03
        sent = _answered_after(plant, 3600.0)
        running = asyncio.ensure_future(plant.runner.carry_out(order_of("doser.weigh_out")))
        await sent.wait()
        plant.runner.interrupt(at_once=False)
        await asyncio.sleep(0)
        assert not running.done()
        if again:
            plant.runner.interrupt(at_once=True)
        await running
        assert plant.state.dispatches["t1"].is_open

    play(script)


def test_resources_are_opened_identified_and_recorded() -> None:
    async def script(plant: Plant) -> None:
        plant["heater"].serial = "4711"
        await plant.runner.open()

    plant = play(script)
    found = {e.resource: e.serial for e in plant.events(ev.ResourceFound)}
    assert found == {"heater": "4711", "gauge": "", "doser": "", "carrier": "", "station": ""}
    assert plant["station"].is_open


def test_resources_are_opened_side_by_side_and_recorded_in_the_labs_order() -> None:
    async def script(plant: Plant) -> None:
        for name in ("heater", "gauge", "doser"):
            plant[name].troubles["identify"].append(lambda: plant.clock.sleep(3.0))
        before = plant.clock.now()
        await plant.runner.open()
        assert plant.clock.now() - before == 3.0

    names = [e.resource for e in play(script).events(ev.ResourceFound)]
    assert names == ["heater", "gauge", "doser", "carrier", "station"]


@pytest.mark.parametrize("in_file", [True, False])
def test_another_device_than_expected_is_refused(in_file: bool) -> None:
    async def script(plant: Plant) -> None:
        plant["heater"].serial = "666"
        if not in_file:
            seen = ev.ResourceFound(resource="heater", maker="we", model="fake", serial="4711")
            plant.runner.known = {"heater": seen}
        with pytest.raises(WrongDevice, match="serial number 666 answers, not 4711"):
            await plant.runner.open()

    bindings = {"heater": {"serial": "4711"}} if in_file else {}
    assert play(script, bindings=bindings).events() == []


def test_a_serial_number_that_the_file_asks_for_must_be_told() -> None:
    async def script(plant: Plant) -> None:
        with pytest.raises(WrongDevice, match="without a number answers, not 4711"):
            await plant.runner.open()

    play(script, bindings={"heater": {"serial": "4711"}})


def test_a_device_that_no_longer_tells_its_number_is_taken_for_the_same() -> None:
    async def script(plant: Plant) -> None:
        seen = ev.ResourceFound(resource="heater", maker="we", model="fake", serial="4711")
        plant.runner.known = {"heater": seen}
        await plant.runner.open()

    play(script)


@pytest.mark.parametrize("serial", ["", "12"])
def test_another_model_than_in_the_last_run_is_refused_whatever_number_it_has(serial: str) -> None:
    async def script(plant: Plant) -> None:
        plant["heater"].serial = serial
        plant.runner.models = {"heater": ("we", "real")}
        with pytest.raises(WrongDevice, match="we fake answers, where we real was in the last run"):
            await plant.runner.open()

    bindings = {"heater": {"options": {"port": "/dev/ttyS1"}}}
    assert play(script, bindings=bindings).events() == []


def test_why_a_device_was_not_opened_is_why_it_cannot_be_made_safe() -> None:
    async def script(plant: Plant) -> None:
        async def taken() -> None:
            raise PortTaken("heater", "process 4711 holds /dev/ttyS1")

        async def not_open() -> None:
            raise DeviceAbsent("heater", "is not open")

        plant["heater"].troubles["identify"].append(taken)
        plant["heater"].troubles["make_safe"].append(not_open)
        with pytest.raises(PortTaken):
            await plant.runner.open()
        await plant.runner.make_safe("the test")

    notes = {e.resource: e.note for e in play(script).events() if isinstance(e, ev.MadeSafe)}
    assert notes["heater"] == "process 4711 holds /dev/ttyS1"


def test_another_model_is_taken_where_its_serial_number_is_in_the_file() -> None:
    async def script(plant: Plant) -> None:
        plant["heater"].serial = "12"
        plant.runner.models = {"heater": ("we", "real")}
        await plant.runner.open()

    play(script, bindings={"heater": {"options": {"port": "/dev/ttyS1"}, "serial": "12"}})


def test_what_is_not_fit_for_work_is_told_a_drivers_bug_too() -> None:
    async def script(plant: Plant) -> None:
        assert await plant.runner.unfit() == []

        async def worn() -> Health:
            return Health(is_fit=False, note="no gas")

        async def broken() -> Health:
            raise KeyError("mode")

        plant["gauge"].health = worn
        plant["doser"].health = broken
        assert sorted(await plant.runner.unfit()) == [
            "doser: health raised KeyError: 'mode'",
            "gauge: not fit for work: no gas",
        ]

    play(script)


@pytest.mark.parametrize("act", ["open", "identify"])
def test_a_drivers_bug_while_opening_is_a_failure_of_the_device(act: str) -> None:
    async def script(plant: Plant) -> None:
        plant["gauge"].troubles[act].append(KeyError("firmware"))
        with pytest.raises(Exception, match=r"gauge: .* raised KeyError") as raised:
            await plant.runner.open()
        assert type(raised.value).__name__ == "DeviceError"

    play(script)


def test_resources_are_made_safe_in_the_labs_order_then_the_rest() -> None:
    order: list[str] = []

    async def script(plant: Plant) -> None:
        for name, device in plant.devices.items():

            async def note(name: str = name) -> None:
                order.append(name)

            device.troubles["make_safe"].append(note)
        assert await plant.runner.make_safe("the test")

    plant = play(script, make_safe_order=["doser", "carrier"])
    assert order == ["doser", "carrier", "heater", "gauge"]
    assert [e.resource for e in plant.events(ev.MadeSafe)] == order
    assert all(e.ok and e.why == "the test" for e in plant.events(ev.MadeSafe))


def test_a_resource_that_hangs_or_fails_does_not_keep_the_others_from_being_made_safe() -> None:
    async def script(plant: Plant) -> None:
        async def hang() -> None:
            await asyncio.Event().wait()

        plant["heater"].troubles["make_safe"].append(hang)
        plant["gauge"].troubles["make_safe"].extend([silent("gauge")] * 3)
        plant["carrier"].troubles["make_safe"].extend([silent("carrier")] * 2)
        plant["doser"].troubles["make_safe"].append(RuntimeError("a bug"))
        assert not await plant.runner.make_safe("the test")

    plant = play(script)
    said = {e.resource: (e.ok, e.note) for e in plant.events(ev.MadeSafe)}
    assert said["carrier"] == (True, "")
    assert said["heater"] == (False, "no answer in 0.05 s")
    assert said["gauge"] == (False, "did not answer")
    assert said["doser"] == (False, "make_safe raised RuntimeError: a bug")


def test_skipped_resources_are_not_made_safe() -> None:
    async def script(plant: Plant) -> None:
        await plant.runner.make_safe("the test", skip=frozenset({"heater", "carrier"}))

    plant = play(script)
    assert {e.resource for e in plant.events(ev.MadeSafe)} == {"gauge", "doser"}


def test_a_full_disk_does_not_keep_the_lab_from_being_made_safe() -> None:
    async def script(plant: Plant) -> None:
        assert await plant.runner.make_safe("the test")

    plant = play(script, wrap=lambda j: FullJournal(j, ev.MadeSafe))
    assert [d.n_made_safe for d in plant.devices.values()] == [1, 1, 1, 1, 0]


def sent(resource: str) -> ev.ActionDispatched:
    return ev.ActionDispatched(ticket="t1", resource=resource, action="move", effect="queryable")


def test_a_device_is_asked_again_while_it_says_that_it_is_busy() -> None:
    async def script(plant: Plant) -> None:
        for _ in range(3):
            plant["carrier"].troubles["ask"].append(_says(Verdict("running", "moving")))
        plant["carrier"].troubles["ask"].append(
            _says(Verdict("done", "arrived", {"force": Bound(2.0, "above")}))
        )
        verdict = await plant.runner.ask(sent("carrier"))
        assert verdict.outcome == "done"
        assert verdict.results == {"force": {"value": 2.0, "side": "above"}}
        assert plant.clock.now() == 3.0

    play(script)


@pytest.mark.parametrize("error", [silent("carrier"), LookupError("a bug")])
def test_a_device_that_cannot_be_asked_leaves_it_unknown(error: Exception) -> None:
    async def script(plant: Plant) -> None:
        plant["carrier"].troubles["ask"].extend([error] * 3)
        assert (await plant.runner.ask(sent("carrier"))).outcome == "unknown"
        plant["carrier"].troubles["ask"].extend([error] * 2)
        assert (await plant.runner.ask(sent("carrier"))).outcome != "unknown"
        assert (await plant.runner.ask(sent("doser"))).outcome == "unknown"

    play(script)


def test_closing_closes_everything_even_when_one_fails() -> None:
    async def script(plant: Plant) -> None:
        async def fail() -> None:
            raise RuntimeError("a bug")

        await plant.runner.open()
        plant["heater"].close = fail
        await plant.runner.close()

    assert not play(script)["station"].is_open
