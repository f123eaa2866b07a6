"""From a scan to one number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InputError, UnitMismatch, UnknownName
from orchestrator.model.reduction import Reduction, Take, reduced
from orchestrator.model.scan import Column, Scan


def _scan(
    y: list[float], x: list[float] | None = None, x_unit: str = "deg", y_unit: str = "count"
) -> Scan:
    places = tuple(x if x is not None else [20 + 0.1 * i for i in range(len(y))])
    return Scan((Column("2Theta", places, x_unit), Column("intensity", tuple(y), y_unit)))


def _take(take: Take, **more: object) -> Reduction:
    said = {"of": "intensity", "over": "2Theta", "over_unit": "deg"} | more
    return Reduction.model_validate({"take": take, **said})


def _gauss(centre: float, width: float, height: float, slope: float = 0.0) -> Scan:
    """A peak of a full width at half maximum on a sloping line, 20 to 30 deg."""
    sigma = width / math.sqrt(8 * math.log(2))
    xs = [20 + 0.02 * i for i in range(501)]
    ys = [height * math.exp(-(((x - centre) / sigma) ** 2) / 2) + 5 + slope * x for x in xs]
    return _scan(ys, xs)


@given(
    centre=st.floats(24, 26), width=st.floats(0.2, 1), height=st.floats(1, 1e5), up=st.booleans()
)
def test_a_peak_on_a_slope_has_the_place_width_and_area_that_it_was_made_with(
    centre: float, width: float, height: float, up: bool
) -> None:
    scan = _gauss(centre, width, height, slope=0.3 if up else -0.3)
    area = height * width * math.sqrt(math.pi / math.log(2)) / 2
    assert reduced(scan, _take("position"), "deg") == pytest.approx(centre, abs=0.02)
    assert reduced(scan, _take("width"), "deg") == pytest.approx(width, rel=0.01)
    assert reduced(scan, _take("area"), "count * deg") == pytest.approx(area, rel=0.01)


def test_a_scan_that_goes_down_gives_what_one_that_goes_up_gives() -> None:
    up = _gauss(25.3, 0.4, 1000)
    down = Scan(tuple(Column(c.name, c.values[::-1], c.unit) for c in up.columns))
    for take in ("position", "width", "area", "sum", "mean"):
        unit = {"position": "deg", "width": "deg", "area": "count * deg"}.get(take, "count")
        assert reduced(down, _take(take), unit) == pytest.approx(reduced(up, _take(take), unit))


def test_plain_values_are_of_the_window_and_in_the_metrics_unit() -> None:
    scan = _scan([1.0, 2.0, 6.0, 4.0], [20.0, 21.0, 22.0, 23.0], y_unit="V")
    window = {"low": 20.5, "high": 22.5}
    assert reduced(scan, _take("mean", **window), "V") == 4.0
    assert reduced(scan, _take("sum", **window), "mV") == 8000.0
    assert reduced(scan, _take("highest"), "V") == 6.0
    assert reduced(scan, _take("lowest"), "V") == 1.0
    assert reduced(scan, _take("last"), "V") == 4.0
    assert reduced(scan, _take("at", place=21.25), "V") == 3.0
    assert reduced(scan, _take("last", over="", over_unit=""), "V") == 4.0


def test_a_distance_is_zero_to_itself_and_is_taken_at_the_targets_points() -> None:
    scan = _scan([0.0, 1.0, 2.0], [400.0, 500.0, 600.0], "nm", "")
    same = _take("distance", over_unit="nm", target=((450.0, 550.0), (0.5, 1.5)))
    off = _take("distance", over_unit="nm", target=((450.0, 550.0), (0.5, 1.9)))
    assert reduced(scan, same, "") == 0.0
    assert reduced(scan, off, "") == pytest.approx(math.sqrt(0.4**2 / 2))


def test_places_are_converted_before_the_window_is_cut() -> None:
    scan = _scan([1.0, 2.0, 3.0], [0.4, 0.5, 0.6], "um", "V")
    how = _take("mean", over_unit="nm", low=450.0, high=650.0)
    assert reduced(scan, how, "V") == 2.5


@pytest.mark.parametrize(
    ("scan", "how", "unit", "why"),
    [
        (_scan([1, 2], x_unit=""), _take("mean", low=1.0), "count", "no unit"),
        (_scan([1, 2]), _take("mean", over_unit="", low=1.0), "count", "without unit"),
        (_scan([1, 2]), _take("mean"), "eV", "cannot be converted"),
        (_scan([1, 2], y_unit="s"), _take("mean"), "", "without unit"),
    ],
    ids=["a file without unit", "a window without unit", "another dimension", "a plain metric"],
)
def test_a_unit_on_one_side_only_is_refused_even_that_of_an_angle(
    scan: Scan, how: Reduction, unit: str, why: str
) -> None:
    with pytest.raises(UnitMismatch, match=why):
        reduced(scan, how, unit)


def test_units_said_in_the_campaign_stand_for_those_of_the_file() -> None:
    bare = Scan((Column("x", (24.0, 25.0, 26.0)), Column("y", (1.0, 5.0, 3.0))))
    how = _take(
        "mean", of="y", over="x", low=24.5, units={"x": "deg", "y": "count"}, over_unit="deg"
    )
    assert reduced(bare, how, "count") == 4.0


@pytest.mark.parametrize(
    ("scan", "how", "why"),
    [
        (_scan([1.0] * 20), _take("position"), "no peak"),
        (_scan([float(i) for i in range(20)]), _take("width"), "no peak"),
        (_scan([1.0, 5.0, 1.0]), _take("area"), "needs 7 points"),
        (_scan([1.0, 2.0]), _take("mean", low=90.0), "no point"),
        (_scan([1.0, 2.0]), _take("at", place=90.0), "outside of the file"),
        (_scan([1.0, 2.0, 3.0], [1.0, 2.0, 1.5]), _take("mean"), "up and down"),
        (_scan([1.0, 2.0]), _take("distance", target=((1.0,), (1.0,))), "outside of the file"),
    ],
    ids=["flat", "rising", "few points", "empty window", "beyond", "no order", "short of target"],
)
def test_what_cannot_be_taken_is_refused_with_its_reason(
    scan: Scan, how: Reduction, why: str
) -> None:
    unit = {"position": "deg", "width": "deg", "area": "count * deg"}.get(how.take, "count")
    with pytest.raises(InputError, match=why):
        reduced(scan, how, unit)


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UnknownName, match="'intensty'") as caught:
        reduced(_scan([1.0]), _take("mean", of="intensty"), "count")
    assert "intensity" in caught.value.hint
