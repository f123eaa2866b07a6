"""The arm: programs, tickets in registers, and what can be said of a ticket afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from arm_fakes import FakeDashboard
from driver_fakes import bench, silent

from drivers.robots.universal_robots import UniversalRobot
from orchestrator.capabilities.samples import SampleTransfer
from orchestrator.clock import VirtualClock
from orchestrator.errors import (
    DeviceError,
    DeviceRefused,
    DeviceSilent,
    DeviceUnsure,
    InputError,
)
from orchestrator.ports.action import Effect, Ticket, actions_of
from orchestrator.ports.resource import Bench
from simulators.twins.sputter_lab import SputterLab

ONE, TWO = Ticket("00000000000000a1"), Ticket("fedcba9876543210")


def with_arm(
    play: Callable[[UniversalRobot, FakeDashboard, VirtualClock], Awaitable[None]],
) -> None:
    clock = VirtualClock()
    fake = FakeDashboard()
    wires = {"arm": fake, "registers": fake.registers}

    async def main() -> None:
        arm = UniversalRobot(
            Bench(name="arm", clock=clock, wires=wires),
            "memory:arm",
            "memory:registers",
        )
        await arm.open()
        await arm.identify()
        try:
            await play(arm, fake, clock)
        finally:
            await arm.close()

    clock.run(main())


def test_a_sample_is_carried_once_and_the_arm_says_so_afterwards() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        await arm.place("chamber", ONE, source="blanks")
        assert fake.plays == ["blanks_to_chamber.urp"]
        assert (await arm.ask(ONE)).outcome == "done"
        assert (await arm.ask(TWO)).outcome == "not_done"
        await arm.move("probe", TWO, source="chamber")
        assert (await arm.ask(TWO)).outcome == "done"

    with_arm(play)


def test_an_arm_that_stops_on_the_way_leaves_a_doubt() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        fake.breaks_off = True
        with pytest.raises(DeviceUnsure, match="ended without its last line"):
            await arm.place("chamber", ONE, source="blanks")
        verdict = await arm.ask(ONE)
        assert verdict.outcome == "unknown"
        assert "look where the sample is" in verdict.evidence

    with_arm(play)


def test_a_ticket_is_running_while_its_program_plays() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        fake.n_polls = 50
        moving = asyncio.ensure_future(arm.place("chamber", ONE, source="blanks"))
        await clock.sleep(3.0)
        assert (await arm.ask(ONE)).outcome == "running"
        with pytest.raises(DeviceRefused, match="not ready"):
            await arm.move("probe", TWO, source="chamber")
        await moving
        assert fake.plays == ["blanks_to_chamber.urp"]

    with_arm(play)


def test_a_program_that_never_ends_is_given_up_on_as_unsure() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        fake.n_polls = 10_000
        with pytest.raises(DeviceUnsure, match="still plays"):
            await arm.place("chamber", ONE, source="blanks")
        assert clock.now() < 310
        await arm.make_safe()
        await arm.make_safe()
        assert (await arm.ask(ONE)).outcome == "unknown"

    with_arm(play)


@pytest.mark.parametrize(
    ("source", "to", "error", "known"),
    [
        ("tray", "oven", DeviceRefused, "not_done"),
        ("", "probe", InputError, "unknown"),
        ("a/../b", "probe", InputError, "unknown"),
    ],
)
def test_a_move_without_a_program_does_not_begin(
    source: str, to: str, error: type[Exception], known: str
) -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        with pytest.raises(error):
            await arm.move(to, ONE, source=source)
        assert not fake.plays
        assert (await arm.ask(ONE)).outcome == known

    with_arm(play)


def test_a_controller_that_was_switched_off_knows_nothing_of_a_move_that_began() -> None:
    clock = VirtualClock()
    lab = SputterLab(seed=1, clock=clock)
    arm = UniversalRobot(Bench("arm", clock, wires=lab.wires), "memory:arm", "memory:arm-registers")

    async def play() -> None:
        await arm.open()
        moving = asyncio.ensure_future(arm.place("chamber", ONE, source="blanks"))
        await clock.sleep(12.0)
        assert lab.counts()["picked"] == 1
        restart = lab.wires["arm"].manners.restart
        assert restart is not None
        restart()
        with pytest.raises(DeviceUnsure, match="was it switched off"):
            await moving
        assert (await arm.ask(ONE)).outcome == "unknown"
        with pytest.raises(DeviceRefused, match="nobody has powered it"):
            await arm.move("probe", TWO, source="chamber")
        await arm.release_brakes()
        assert (await arm.health()).is_fit
        assert lab.counts()["picked"] == 1

    clock.run(play())


@pytest.mark.parametrize("ticket", ["", "0" * 16, "xyz", "A" * 16])
def test_what_cannot_be_a_ticket_is_refused(ticket: str) -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        with pytest.raises(InputError, match="not a ticket"):
            await arm.place("chamber", Ticket(ticket), source="blanks")
        assert not fake.plays

    with_arm(play)


def test_a_protective_stop_keeps_the_arm_from_beginning() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        fake.safety = "PROTECTIVE_STOP"
        assert not (await arm.health()).is_fit
        with pytest.raises(DeviceRefused, match="PROTECTIVE_STOP"):
            await arm.place("chamber", ONE, source="blanks")
        assert not fake.plays

    with_arm(play)


def test_a_lost_answer_to_play_is_settled_by_the_registers() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        answer = fake._answer

        def losing(line: str) -> str:
            if line == "play":
                fake.spoils.append(silent)
            return answer(line)

        fake._answer = losing  # type: ignore[method-assign]
        await arm.place("chamber", ONE, source="blanks")
        assert fake.plays == ["blanks_to_chamber.urp"]

    with_arm(play)


def test_a_play_that_was_not_heard_is_known_not_to_have_begun() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        answer = fake.reply
        fake.reply = lambda request: (  # type: ignore[method-assign]
            b"" if request == b"play\n" else answer(request)
        )
        with pytest.raises(DeviceSilent):
            await arm.place("chamber", ONE, source="blanks")
        assert (await arm.ask(ONE)).outcome == "not_done"
        assert not fake.plays

    with_arm(play)


def test_an_arm_that_falls_silent_during_a_move_is_unsure() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        fake.n_polls = 50
        moving = asyncio.ensure_future(arm.place("chamber", ONE, source="blanks"))
        await clock.sleep(3.0)
        fake.is_gone = True
        with pytest.raises(DeviceUnsure):
            await moving
        fake.is_gone = False
        assert (await arm.ask(ONE)).outcome == "running"

    with_arm(play)


def test_the_arm_needs_both_of_its_connections() -> None:
    arm = UniversalRobot(bench(arm=FakeDashboard()), "memory:arm", "memory:none")
    with pytest.raises(DeviceError, match="no in-memory peer"):
        asyncio.run(arm.open())
    asyncio.run(arm.close())


@pytest.mark.parametrize(
    ("mode", "safety", "remote", "says"),
    [
        ("RUNNING", "SAFEGUARD_STOP", "true", "close the safeguard"),
        ("RUNNING", "PROTECTIVE_STOP", "true", "then release the stop with 'unlock'"),
        ("RUNNING", "ROBOT_EMERGENCY_STOP", "true", "emergency stop on the teach pendant"),
        ("POWER_OFF", "NORMAL", "true", "'release_brakes'"),
        ("IDLE", "NORMAL", "true", "its brakes are on"),
        ("RUNNING", "NORMAL", "false", "put it into remote control"),
    ],
)
def test_an_arm_that_is_not_fit_says_what_a_person_has_to_do(
    mode: str, safety: str, remote: str, says: str
) -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        fake.mode, fake.safety, fake.remote = mode, safety, remote
        health = await arm.health()
        assert not health.is_fit
        assert says in health.note
        with pytest.raises(DeviceRefused, match="not ready"):
            await arm.place("chamber", ONE, source="blanks")
        assert fake.plays == []

    with_arm(play)


def test_an_older_controller_that_knows_no_remote_control_is_fit() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        fake.remote = "could not understand: 'is in remote control'"
        assert (await arm.health()).is_fit

    with_arm(play)


def test_brakes_are_released_when_a_person_asks_for_it_and_by_no_move() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        fake.mode = "POWER_OFF"
        with pytest.raises(DeviceRefused):
            await arm.place("chamber", ONE, source="blanks")
        assert fake.mode == "POWER_OFF"
        await arm.release_brakes()
        assert fake.mode == "RUNNING"
        await arm.place("chamber", ONE, source="blanks")

    with_arm(play)


def test_brakes_stay_on_in_a_stop_and_a_stop_is_released_by_itself_only() -> None:
    async def play(arm: UniversalRobot, fake: FakeDashboard, clock: VirtualClock) -> None:
        fake.mode, fake.safety = "IDLE", "PROTECTIVE_STOP"
        with pytest.raises(DeviceRefused, match="while safety is PROTECTIVE_STOP"):
            await arm.release_brakes()
        assert fake.mode == "IDLE"
        await arm.unlock()
        assert fake.safety == "NORMAL"
        with pytest.raises(DeviceRefused, match="Cannot unlock"):
            await arm.unlock()

    with_arm(play)


def test_an_arm_that_does_not_come_up_is_an_error_and_not_waited_for_for_ever() -> None:
    class Dead(FakeDashboard):
        def _by_a_person(self, line: str) -> str:
            return "Powering on"

    async def play() -> None:
        fake = Dead()
        fake.mode = "POWER_OFF"
        wires = {"arm": fake, "registers": fake.registers}
        arm = UniversalRobot(Bench("arm", clock, wires=wires), "memory:arm", "memory:registers")
        await arm.open()
        with pytest.raises(DeviceError, match="POWER_OFF 60 s after 'power on'"):
            await arm.release_brakes()

    clock = VirtualClock()
    clock.run(play())


def test_what_only_a_person_decides_is_asked_for_by_the_command_line() -> None:
    for name in ("release_brakes", "unlock"):
        assert actions_of(UniversalRobot)[name].effect is Effect.IRREVERSIBLE
        assert name not in actions_of(SampleTransfer)
