"""Every kind of fault on every instrument that has a way to fail so, by exchange and by seed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from lab_play import HandClock

from orchestrator.errors import InputError
from simulators.twins.faults import HOWS, Fault, FaultyWire, lacking
from simulators.twins.plans import planned
from simulators.twins.sputter_lab import SputterLab

POLL = b"A\r"
FRAME = b"A +014.70 +025.00 +000.000 +000.000 +000.000     Ar\r"


def _gas() -> tuple[FaultyWire, HandClock]:
    clock = HandClock()
    return FaultyWire(SputterLab(seed=7, clock=clock).wires["gas"], clock.now), clock


def _play(wire: FaultyWire, *asked: bytes) -> list[bytes]:
    async def play() -> list[bytes]:
        return [await wire.receive(data) for data in asked]

    return asyncio.run(play())


def _failing(fault: Fault, *asked: bytes) -> list[bytes]:
    wire, _ = _gas()
    wire.faults.fail(fault)
    return _play(wire, *asked)


def test_a_reply_breaks_off() -> None:
    first, second = _failing(Fault("truncate"), POLL, POLL)
    assert 0 < len(first) < len(FRAME)
    assert FRAME.startswith(first)
    assert second == FRAME


def test_one_bit_is_turned_and_which_one_is_told_by_the_seed() -> None:
    def turned(seed: int) -> list[int]:
        (reply,) = _failing(Fault("flip", seed=seed), POLL)
        return [i for i, (a, b) in enumerate(zip(reply, FRAME, strict=True)) if a != b]

    assert all(len(turned(seed)) == 1 for seed in range(20))
    assert len({turned(seed)[0] for seed in range(20)}) > 5
    assert turned(3) == turned(3)


def test_a_request_comes_back_ahead_of_its_reply() -> None:
    assert _failing(Fault("echo"), POLL) == [POLL + FRAME]


def test_a_split_reply_comes_whole_in_memory_and_in_two_pieces_otherwise() -> None:
    assert _failing(Fault("split", seconds=1e-3), POLL) == [FRAME]

    async def pieces() -> list[bytes]:
        lab = SputterLab(seed=7, clock=HandClock())
        wire = FaultyWire(lab.wires["gas"])
        wire.faults.fail(Fault("split", seconds=1e-3))
        return [piece async for piece in wire.faults.carry(lab.wires["gas"], POLL)]

    first, second = asyncio.run(pieces())
    assert first + second == FRAME


def test_a_merged_reply_comes_with_the_next_one() -> None:
    set_point = FRAME.replace(b"+000.000     Ar", b"+005.000     Ar")
    assert _failing(Fault("merge"), POLL, b"AS5.0\r", POLL) == [b"", FRAME + set_point, set_point]


def test_another_unit_seems_to_answer() -> None:
    assert _failing(Fault("address"), POLL, POLL) == [b"C" + FRAME[1:], FRAME]


def test_a_refused_request_is_not_obeyed() -> None:
    assert _failing(Fault("nak"), b"AS5.0\r", POLL) == [b"?\r", FRAME]


def test_an_ignored_set_point_is_acknowledged_and_not_done() -> None:
    first, second, third = _failing(Fault("ignore"), POLL, b"AS5.0\r", b"AS5.0\r")
    assert (first, second) == (FRAME, FRAME)
    assert third.split()[5] == b"+005.000"


def test_a_rebooted_device_is_away_for_its_time_and_back_with_its_power_on_defaults() -> None:
    wire, clock = _gas()
    _play(wire, b"AS5.0\r")
    wire.faults.fail(Fault("reboot", seconds=3.0))
    assert _play(wire, POLL) == [b""]
    clock.move(4.0)
    (reply,) = _play(wire, POLL)
    assert reply.split()[5] == b"+000.000"


def test_a_stuck_reading_says_what_it_said_while_the_device_obeys() -> None:
    wire, clock = _gas()
    wire.faults.fail(Fault("stuck", seconds=5.0))
    before, obeyed, after = _play(wire, POLL, b"AS5.0\r", POLL)
    assert before == after == FRAME
    assert obeyed.split()[5] == b"+005.000"
    clock.move(6.0)
    (healed,) = _play(wire, POLL)
    assert healed.split()[5] == b"+005.000"


def test_a_drifting_reading_moves_away_a_percent_at_a_time() -> None:
    wire, clock = _gas()
    _play(wire, b"AS100\r")
    clock.move(600.0)
    wire.faults.fail(Fault("drift"))
    flows = [float(reply.split()[4]) for reply in _play(wire, POLL, POLL, POLL)]
    assert flows == [101.0, 102.0, 103.0]


def _replies(faults: Sequence[Mapping[str, Any]], n: int) -> list[bytes]:
    lab = SputterLab(seed=7, clock=HandClock())
    wires = lab.failing(faults, HandClock())

    async def play() -> list[bytes]:
        return [await wires["gas"].receive(POLL) for _ in range(n)]

    return asyncio.run(play())


def test_a_fault_is_planned_by_the_number_of_the_reply() -> None:
    replies = _replies([{"wire": "gas", "how": "drop", "at": 4}], 6)
    assert [bool(reply) for reply in replies] == [True] * 3 + [False] + [True] * 2


def test_faults_by_chance_are_the_same_for_the_same_seed_and_port() -> None:
    def lost(seed: int) -> list[int]:
        plan = {"wire": "*", "how": ["drop"], "share": 0.2, "seed": seed}
        return [i for i, reply in enumerate(_replies([plan], 200)) if not reply]

    assert lost(1) == lost(1) != lost(2)
    assert 20 < len(lost(1)) < 60


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"wire": "gass", "how": "drop", "at": 1}, "did you mean 'gas'"),
        ({"wire": "gas", "how": "drip", "at": 1}, "did you mean 'drop'"),
        ({"wire": "gauge", "how": "address", "at": 1}, "has a way to fail by address"),
        ({"wire": "gas", "how": "hang", "share": 0.1}, "how long it lasts"),
        ({"wire": "gas", "how": "drop"}, "needs 'at'"),
        ({"wire": "gas", "how": "drop", "at": 1, "share": 0.1}, "needs 'at'"),
        ({"wire": "gas", "how": "drop", "share": 3.0}, "at most 1, not 3"),
        ({"wire": "gas", "when": 1}, "not a key of a fault"),
        ({"wire": "gas", "at": 1}, "needs 'how'"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(said: Mapping[str, Any], complaint: str) -> None:
    with pytest.raises(InputError) as refused:
        planned(said, SputterLab(seed=7, clock=HandClock()).wires)
    assert complaint in f"{refused.value} {refused.value.hint}"


def test_every_kind_of_fault_is_at_home_on_some_port_of_the_lab() -> None:
    wires = SputterLab(seed=7, clock=HandClock()).wires
    for how in HOWS:
        assert any(not lacking(how, wire.manners) for wire in wires.values()), how
