"""A metal target in oxygen: its two states, and what belongs to which flow."""

from __future__ import annotations

import pytest

from simulators.lab.berg import (
    COLLECTOR_M2,
    Course,
    Reactor,
    steps,
)
from simulators.lab.ceramic import (
    BOLTZMANN,
    GAS_TEMPERATURE,
    MOLECULES_PER_S_PER_SCCM,
    PUMPING_SPEED,
)

AMPERE, MINUTE = 0.5, 30_000


def sweep(start: Reactor, flows: list[float]) -> dict[float, Reactor]:
    """Flow after flow, each for as long as the target needs."""
    found = {}
    for flow in flows:
        for _ in range(10):
            start, rests = steps(start, MINUTE, flow, AMPERE)
            if rests:
                break
        found[flow] = start
    return found


UP = [0.05, 0.2, 0.5, 0.8, 1.1, 1.3, 1.4]


def test_a_target_is_metallic_at_1_30_sccm_on_the_way_up_and_poisoned_at_1_40() -> None:
    found = sweep(Reactor(), UP)
    metallic, poisoned = found[1.3], found[1.4]
    assert (metallic.theta, poisoned.theta) == (
        pytest.approx(0.41, abs=0.01),
        pytest.approx(0.98, abs=0.01),
    )
    assert metallic.rate_nm_per_min(AMPERE) == pytest.approx(4.1, abs=0.05)
    assert poisoned.rate_nm_per_min(AMPERE) == pytest.approx(0.38, abs=0.005)
    assert metallic.oxygen_pa == pytest.approx(0.35e-3, rel=0.02)
    assert poisoned.oxygen_pa == pytest.approx(28e-3, rel=0.02)


def test_a_target_is_still_poisoned_at_0_70_sccm_on_the_way_down_and_metallic_at_0_60() -> None:
    start = sweep(Reactor(), UP)[1.4]
    found = sweep(start, [1.0, 0.8, 0.7, 0.6])
    assert found[0.7].theta > 0.9
    assert found[0.6].theta < 0.2


def test_oxygen_is_conserved_to_a_millionth_wherever_the_target_rests() -> None:
    up = sweep(Reactor(), UP)
    down = sweep(up[1.4], [1.2, 1.0, 0.8, 0.7, 0.6, 0.3])
    for flow, state in [*up.items(), *down.items()]:
        pumped = state.oxygen_pa * PUMPING_SPEED / (BOLTZMANN * GAS_TEMPERATURE)
        into_film = state.metal_flux(AMPERE) * state.collector * COLLECTOR_M2
        assert flow * MOLECULES_PER_S_PER_SCCM - pumped == pytest.approx(into_film, rel=1e-6)


def test_a_target_without_a_plasma_is_poisoned_by_oxygen_alone() -> None:
    state, _ = steps(Reactor(), 10_000, 1.0, 0.0)
    assert state.theta > 0.999


def test_a_state_does_not_depend_on_when_others_were_asked_for() -> None:
    asked = Course(Reactor(1.0, 1.0, 0.02), 100.0, 0.6, AMPERE)
    for t in (100.0, 100.0005, 100.7, 101.3333, 103.0):
        asked.at(t)
    alone = Course(Reactor(1.0, 1.0, 0.02), 100.0, 0.6, AMPERE)
    assert asked.at(104.0) == alone.at(104.0)
