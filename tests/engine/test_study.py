"""A campaign bound to a lab: units, tickets, positions."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from paper_lab import Mover, kind_of
from small_works import Works

from orchestrator.engine.study import prepare
from orchestrator.errors import UnknownName
from orchestrator.model.campaign import Budget, Campaign
from orchestrator.model.lab import Lab, Position, ResourceBinding
from orchestrator.model.objective import Goal, Metric, Objective
from orchestrator.model.recipe import Argument, Step
from orchestrator.model.space import Choice, Integer, Pool, Real, SearchSpace
from orchestrator.ports.action import Cancel, Effect, Unit, action, actions_of, reading


class Furnace:
    """What a campaign asks for."""

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def anneal(
        self,
        temperature: Annotated[float, Unit("degC")],
        pressure: Annotated[float, Unit("Pa")] = 1.0,
        cycles: Annotated[int, Unit("")] = 1,
        gas: str = "argon",
    ) -> Annotated[float, Unit("g")]:
        """Anneals."""
        return 0.0

    @reading
    async def weigh(self) -> Annotated[float, Unit("g")]:
        """The mass."""
        return 0.0


class ImperialFurnace:
    """What the lab has: the same in other units."""

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def anneal(
        self,
        temperature: Annotated[float, Unit("degF")],
        pressure: Annotated[float, Unit("mbar")] = 0.01,
        cycles: Annotated[int, Unit("")] = 1,
        gas: str = "argon",
    ) -> Annotated[float, Unit("mg")]:
        """Anneals."""
        return 0.0

    @reading
    async def weigh(self) -> Annotated[float, Unit("mg")]:
        """The mass."""
        return 0.0


SPACE = SearchSpace(
    parameters=(
        Real(name="t", low=0.0, high=900.0, unit="degC"),
        Integer(name="n", low=1, high=9),
        Choice(name="gas", options=("argon", "nitrogen")),
        Pool(
            name="metal",
            names=("Cu", "Au"),
            columns=("radius",),
            units=("angstrom",),
            rows=((1.28,), (1.44,)),
            texts={"colour": ("red", "yellow")},
        ),
    )
)


def bound(
    *arguments: Argument, furnace: type = ImperialFurnace, metric: str = "anneal.value"
) -> Any:
    step = Step(name="anneal", role="furnace", action="anneal", arguments=arguments)
    campaign = Campaign(
        name="c",
        goal="",
        space=SPACE,
        roles={"furnace": "Furnace"},
        recipe=(step,),
        metrics=(Metric(name="mass", expression=metric, unit="g"),),
        objective=Objective(goals=(Goal(metric="mass", direction="minimise"),)),
        budget=Budget(trials=1),
    )
    lab = Lab(
        name="l",
        resources=(
            ResourceBinding(name="box", kind="box"),
            ResourceBinding(name="arm", kind="arm"),
        ),
        roles={"furnace": "box"},
        positions=(Position(name="shelf"),),
    )
    kinds = {"box": kind_of(furnace), "arm": kind_of(Mover)}
    return prepare(campaign, lab, "c-1", kinds, {"Furnace": actions_of(Furnace)})


def test_constants_are_converted_from_the_contracts_units_to_the_devices() -> None:
    step = bound(
        Argument(name="temperature", literal=100.0),
        Argument(name="pressure", literal=50.0),
        Argument(name="cycles", literal=3),
        Argument(name="gas", literal="helium"),
    ).steps[0]
    assert step.constants["temperature"] == pytest.approx(212.0)
    assert step.constants["pressure"] == pytest.approx(0.5)
    assert step.constants["cycles"] == 3
    assert isinstance(step.constants["cycles"], int)
    assert step.constants["gas"] == "helium"


def test_expressions_give_the_devices_units_and_understand_its_results() -> None:
    study = bound(
        Argument(name="temperature", expression="t"),
        Argument(name="cycles", expression="n"),
        Argument(name="gas", expression="gas"),
    )
    point = {"t": 100.0, "n": 3, "gas": "argon", "metal": "Au"}
    values = study.values(point)
    given = {name: e.evaluate(values) for name, e in study.steps[0].computed.items()}
    assert given == {"temperature": pytest.approx(212.0), "cycles": 3, "gas": "argon"}
    assert isinstance(given["cycles"], int)
    metric = study.metrics["mass"]
    assert metric is not None
    assert metric.evaluate(values | {"anneal.value": 2500.0}) == pytest.approx(2.5)


def test_a_candidates_columns_are_names_of_their_own() -> None:
    values = bound(Argument(name="temperature", literal=1.0)).values(
        {"t": 1.0, "n": 1, "gas": "argon", "metal": "Au"}
    )
    assert values["metal"] == "Au"
    assert values["metal.radius"] == 1.44
    assert values["metal.colour"] == "yellow"


def test_an_argument_that_the_device_does_not_take_is_named() -> None:
    with pytest.raises(UnknownName, match="'temprature'"):
        bound(Argument(name="temprature", literal=1.0))


def test_a_ticket_tells_campaign_trial_step_and_attempt_apart() -> None:
    study = Works().study
    other = type(study)(**{**study.__dict__, "campaign_id": "another"})
    tickets = {
        s.ticket(trial, step, attempt)
        for s in (study, other)
        for trial in (1, 2, 11)
        for step in ("bake", "1|bake", "weigh")
        for attempt in (1, 2, 11)
    }
    assert len(tickets) == 2 * 3 * 3 * 3
    assert study.ticket(1, "bake", 1) == Works().study.ticket(1, "bake", 1)
    assert all(len(t) == 16 for t in tickets)


def test_only_the_step_that_takes_a_blank_makes_a_sample() -> None:
    steps = Works().study.steps
    assert [s.step.name for s in steps if s.makes_sample] == ["take"]
    assert [s.target for s in steps] == ["oven", "", "balance", "", "shelf"]
    assert [s.moves_sample for s in steps] == [True, False, True, False, True]
