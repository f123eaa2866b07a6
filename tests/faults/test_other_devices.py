"""Devices that are not the ones they were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memory_night import MemoryNight, memory_night, unsafe

from orchestrator.engine.loop import Engine
from orchestrator.errors import Exit
from orchestrator.model.events import ActionDispatched, Recorded
from orchestrator.ports.resource import Wire
from simulators.twins.faults import Fault

OURS, OTHER = b"20225299999", b"20225200000"


@dataclass
class Replaceable:
    """A wire behind which another device may stand: it says another serial number."""

    wire: Wire
    is_other: bool = False

    async def receive(self, data: bytes) -> bytes:
        reply = await self.wire.receive(data)
        return reply.replace(OURS, OTHER) if self.is_other else reply


def replaceable_arm(night: MemoryNight) -> Replaceable:
    arm = Replaceable(night.wires["arm"])
    night.stage.wires["arm"] = arm
    return arm


def interrupt_at_the_first_step(engine: Engine, recorded: Recorded) -> None:
    if isinstance(recorded.event, ActionDispatched):
        engine.interrupt()


def test_another_device_is_refused_at_the_next_start(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=1)
    arm = replaceable_arm(night)
    assert night.run_with(interrupt_at_the_first_step).exit_code is Exit.INTERRUPTED
    arm.is_other = True
    effects = night.world.counts()["effects"]
    refused = night.run()
    assert refused.exit_code is Exit.ENVIRONMENT
    said = "arm: the device with serial number 20225200000 answers, not 20225299999"
    assert refused.sentence == said
    said = 'check the cabling; if it is meant, say `serial: "20225200000"` in the lab file'
    assert refused.hint == said
    assert night.world.counts()["effects"] == effects
    arm.is_other = False
    assert night.run().exit_code is Exit.FINISHED


def test_a_lab_file_may_say_which_device_it_means(tmp_path: Path) -> None:
    binding = 'registers: "twin:arm-registers"}'
    serial = f'registers: "twin:arm-registers", serial: "{OTHER.decode()}"}}'
    night = memory_night(tmp_path, trials=1, lab={binding: serial})
    arm = replaceable_arm(night)
    assert night.run().exit_code is Exit.ENVIRONMENT
    arm.is_other = True
    assert night.run().exit_code is Exit.FINISHED


def test_another_device_that_comes_back_after_a_break_is_told_nothing(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=1)
    arm = replaceable_arm(night)

    def swap(engine: Engine, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, ActionDispatched) and event.action == "deposit":
            night.wires["arm"].faults.fail(Fault("unplug", seconds=1e-9))
            arm.is_other = True

    ending = night.run_with(swap)
    assert ending.exit_code is Exit.PERSON
    assert "Universal Robots arm no. 20225200000 answers" in ending.sentence
    assert "where Universal Robots arm no. 20225299999 was" in ending.sentence
    assert night.world.counts()["picked"] == 1
    assert unsafe(night.lab()) == []
    assert len(night.state().doubts()) == 1
    arm.is_other = False
    assert night.run().exit_code is Exit.FINISHED, "the arm itself says that it did not move"


def test_the_same_device_that_comes_back_after_a_break_goes_on(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=1)

    def unplug(engine: Engine, recorded: Recorded) -> None:
        event = recorded.event
        is_first = isinstance(event, ActionDispatched) and event.attempt == 1
        if is_first and event.action == "deposit":
            for name in ("modbus", "arm", "arm-registers", "meter"):
                night.wires[name].faults.fail(Fault("unplug", seconds=1e-9))

    assert night.run_with(unplug).exit_code is Exit.FINISHED
    assert night.state().trials[1].status == "done"
    assert len(night.state().trials[1].attempts["deposit"]) == 2
