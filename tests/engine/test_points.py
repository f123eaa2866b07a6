"""What a point must be before anything is done with it."""

from __future__ import annotations

import pytest

from orchestrator.engine.points import refuse_outside
from orchestrator.errors import PlanningError
from orchestrator.model.space import (
    Choice,
    Condition,
    Context,
    Fidelity,
    KnownConstraint,
    Mixture,
    Ordinal,
    Point,
    Real,
    SearchSpace,
)

SPACE = SearchSpace(
    parameters=(
        Real(name="oxygen", low=0.0, high=2.0, unit="Pa"),
        Real(name="argon", low=0.0, high=2000.0, unit="mPa"),
        Choice(name="anneal", options=("no", "yes")),
        Real(name="temperature", low=200.0, high=500.0, unit="degC"),
        Ordinal(name="grade", levels=("coarse", "fine")),
        Ordinal(name="speed", levels=(1.0, 2.0, 5.0)),
        Fidelity(name="level", levels=("emt", "dft"), costs=(1.0, 100.0)),
        Context(name="humidity", low=20.0, high=80.0, assumed=45.0),
        Real(name="Cu", low=0.0, high=60.0),
        Real(name="Ni", low=0.0, high=100.0),
        Real(name="Zn", low=0.0, high=100.0),
    ),
    mixtures=(
        Mixture(name="alloy", components=("Cu", "Ni", "Zn"), total=100, present=(2, 2), least=5),
    ),
    conditions=(Condition(name="temperature", parent="anneal", values=("yes",), otherwise=25.0),),
    constraints=(
        KnownConstraint(
            text="oxygen + argon <= 3 Pa", expression="(oxygen + argon) - '3 Pa'", unit="Pa"
        ),
    ),
)
GOOD: Point = {
    "oxygen": 1.0,
    "argon": 2000.0,
    "anneal": "yes",
    "temperature": 300.0,
    "grade": "fine",
    "speed": 2.0,
    "level": "dft",
    "humidity": 95.0,
    "Cu": 40.0,
    "Ni": 60.0 + 1e-10,
    "Zn": 0.0,
}


def test_a_point_that_fits_is_accepted() -> None:
    refuse_outside(SPACE, GOOD)
    refuse_outside(SPACE, GOOD | {"anneal": "no", "temperature": 25.0, "oxygen": 0.5})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"oxygen": 2.5}, "oxygen = 2.5, outside of the space"),
        ({"oxygen": "much"}, "outside of the space"),
        ({"grade": "finest"}, "grade = 'finest', outside of the space"),
        ({"speed": 3.0}, "speed = 3.0, outside of the space"),
        ({"level": "exact"}, "outside of the space"),
        ({"humidity": float("nan")}, "outside of the space"),
        ({"nitrogen": 1.0}, "'nitrogen', which is no parameter"),
        ({"temperature": 25.0}, "temperature = 25.0, outside of the space"),
        ({"anneal": "no"}, "temperature = 300.0 at anneal = 'no', where it can only be 25.0"),
        ({"Ni": 50.0}, "'alloy' with a sum of 90 instead of 100"),
        ({"Ni": 50.0, "Zn": 10.0}, "'alloy' with 3 components instead of 2 to 2"),
        ({"Cu": 2.0, "Ni": 98.0}, "Cu = 2, less than the 5 of what is present"),
        ({"oxygen": 1.5}, "a point that breaks 'oxygen + argon <= 3 Pa'"),
    ],
)
def test_a_point_that_does_not_fit_is_refused_in_one_sentence(change: Point, said: str) -> None:
    with pytest.raises(PlanningError) as refused:
        refuse_outside(SPACE, GOOD | change)
    assert said in str(refused.value)
    assert "a fault of the planner" in refused.value.hint


def test_a_value_that_is_missing_is_named_and_whose_point_it_is() -> None:
    point = {name: value for name, value in GOOD.items() if name != "oxygen"}
    with pytest.raises(PlanningError, match="kim proposed no value of 'oxygen'") as refused:
        refuse_outside(SPACE, point, by="kim")
    assert refused.value.hint == ""


def test_rounding_breaks_no_constraint() -> None:
    refuse_outside(SPACE, GOOD | {"oxygen": 1.0 + 1e-15})
    with pytest.raises(PlanningError, match="breaks"):
        refuse_outside(SPACE, GOOD | {"oxygen": 1.0 + 1e-6})
