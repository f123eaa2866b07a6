"""A probe that is carried over a wafer, over a dispatch whose parts are a few formulas."""

from __future__ import annotations

import asyncio
import csv
import io
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.motion.fitting import parabola
from drivers.motion.wafer_map import WaferMap
from orchestrator.capabilities.samples import CompositionMap
from orchestrator.clock import VirtualClock
from orchestrator.errors import DeviceError, InputError, NoReading
from orchestrator.ports.action import Bound
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Bench

UP, DOWN = 10.0, 22.0


class Station:
    """`ports.Dispatch` over three stages and a meter; `ohm` of a place from the middle."""

    def __init__(self, ohm: Callable[[float, float], float | Bound | None]) -> None:
        self.clock: Clock = VirtualClock()
        self.at = {"x": 3.0, "y": 4.0, "z": 22.0}
        self.measured: list[tuple[float, float]] = []
        self.scratches = 0
        self.kept: dict[str, str] = {}
        self.breaks_at = 10**9
        self._ohm = ohm

    async def __call__(self, part: str, action: str, /, **arguments: Any) -> Mapping[str, Any]:
        if part == "probe":
            return self._measure()
        if part in "xy" and self.at["z"] > UP:
            self.scratches += 1
        self.at[part] = 0.0 if action == "home" else arguments["position"]
        return {}

    def _measure(self) -> Mapping[str, Any]:
        assert self.at["z"] == DOWN
        x, y = self.at["x"] - 75.0, self.at["y"] - 75.0
        self.measured.append((x, y))
        if len(self.measured) > self.breaks_at:
            raise DeviceError("meter", "is gone")
        ohm = self._ohm(x, y)
        if ohm is None:
            raise NoReading("meter", "the sense leads float")
        return {"mean": ohm, "sd": 0.0, "readings": []}

    async def look(self, part: str, reading: str, /) -> Mapping[str, Any]:
        raise NotImplementedError

    async def keep(self, name: str, text: str, /) -> None:
        self.kept[name] = text

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    async def until(self, *what: Any, **how: Any) -> float:
        raise NotImplementedError


def measured(station: Station, **options: Any) -> CompositionMap:
    settings = {"up": UP, "down": DOWN, "gun": 60.0, "throw": 120.0, "content": 0.3} | options
    mapper = WaferMap(Bench("mapper", VirtualClock()), **settings)
    return asyncio.run(mapper.measure_map(100.0, 0.5, station))


def test_a_hundred_places_of_one_wafer_are_measured_with_where_and_what_they_are() -> None:
    station = Station(lambda x, y: 100.0)
    found = measured(station)
    assert len(set(station.measured)) == len(found.x) == len(found.sheet_resistance) == 100
    assert list(zip(found.x, found.y, strict=True)) == [
        pytest.approx(place) for place in station.measured
    ]
    assert (min(found.x), max(found.x)) == (-31.5, 31.5)
    rows = list(csv.DictReader(io.StringIO(station.kept["map.csv"])))
    assert [float(row["fraction"]) for row in rows] == pytest.approx(found.fraction, rel=1e-5)


def test_nothing_moves_sideways_while_the_tips_are_down() -> None:
    station = Station(lambda x, y: None if x > 0 and y < 0 else 100.0)
    measured(station)
    assert station.scratches == 0
    assert station.at["z"] == UP


def test_the_probe_is_up_again_when_a_part_fails() -> None:
    station = Station(lambda x, y: 100.0)
    station.breaks_at = 7
    with pytest.raises(DeviceError, match="is gone"):
        measured(station)
    assert station.at["z"] == UP


def test_what_is_expected_at_a_place_is_that_of_the_middle_there_and_mirrored_aside() -> None:
    found = measured(Station(lambda x, y: 100.0), columns=3, rows=1, pitch=30.0)
    assert found.fraction[1] == pytest.approx(0.15)
    assert found.thickness[1] == pytest.approx(100.0)
    # as much of one gun on one side as of the other on the other
    assert found.fraction[0] + found.fraction[2] == pytest.approx(0.3)
    assert found.thickness[0] == pytest.approx(found.thickness[2])
    assert found.fraction[0] < found.fraction[1] < found.fraction[2]
    assert found.resistivity[1] == pytest.approx(100.0 * 100.0 * 1e-7)


def test_the_best_is_of_a_curve_and_not_the_luckiest_place() -> None:
    lucky = (3.5, 3.5)

    def ohm(x: float, y: float) -> float:
        return 10.0 if (x, y) == lucky else 100.0 * 10.0 ** ((x / 30.0) ** 2)

    station = Station(ohm)
    found = measured(station)
    assert min(found.sheet_resistance) == 10.0
    assert found.best == pytest.approx(100.0 * 100.0 * 1e-7, rel=0.15)
    assert found.at == pytest.approx(0.15, abs=0.02)
    assert found.scatter > 0


def test_places_that_conduct_too_little_are_counted_and_a_wafer_of_them_is_a_bound() -> None:
    some = measured(Station(lambda x, y: Bound(1e9, "above") if x < 0 else 100.0))
    assert (some.n_over, len(some.x)) == (50, 50)
    assert isinstance(some.best, float)
    none = measured(Station(lambda x, y: Bound(1e9, "above")))
    assert isinstance(none.best, Bound)
    assert none.best.side == "above"
    assert none.n_over == 100


def test_a_wafer_that_the_tips_do_not_touch_is_given_up_after_a_few_places() -> None:
    station = Station(lambda x, y: None)
    with pytest.raises(NoReading, match="no film at 5 places"):
        measured(station)
    assert len(station.measured) == 5
    worn = Station(lambda x, y: 100.0 if y < -20 else None)
    with pytest.raises(NoReading, match="no film at 51 places"):
        measured(worn)


def test_a_probe_that_does_not_go_down_is_refused_when_it_is_made() -> None:
    with pytest.raises(InputError, match="same place"):
        measured(Station(lambda x, y: 1.0), up=5.0, down=5.0)


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.01, 2), st.floats(0, 1), st.floats(0.1, 3))
def test_a_parabola_is_found_again(a: float, b: float, c: float, low: float, width: float) -> None:
    xs = [low + width * i / 20 for i in range(21)]
    found = parabola(xs, [a + b * x + c * x**2 for x in xs])
    turn = min(max(-b / (2 * c), xs[0]), xs[-1])
    assert found.at == pytest.approx(turn, abs=1e-3)
    assert found.least == pytest.approx(a + b * turn + c * turn**2, abs=1e-6)
    assert found.scatter == pytest.approx(0.0, abs=1e-6)


def test_fewer_readings_than_a_parabola_needs_give_a_line_or_a_constant() -> None:
    assert parabola([1.0, 2.0], [5.0, 3.0]).least == pytest.approx(3.0)
    assert parabola([1.0, 1.0], [5.0, 3.0]).least == pytest.approx(4.0)
    assert math.isclose(parabola([1.0], [5.0]).at, 1.0)
    with pytest.raises(ValueError, match="no readings"):
        parabola([], [])
