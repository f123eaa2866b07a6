"""The declaration of an action, read from a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from orchestrator import plugins
from orchestrator.errors import DeviceError
from orchestrator.model.quantity import Bound
from orchestrator.ports.action import (
    ActionSpec,
    ArgSpec,
    Cancel,
    Choices,
    Effect,
    PositionArg,
    ResultSpec,
    SampleArg,
    Ticket,
    Unit,
    action,
    actions_of,
    reading,
    result_values,
)
from orchestrator.ports.dispatch import Dispatch
from orchestrator.ports.results import named_results


@dataclass(frozen=True)
class Mass:
    mean: Annotated[float | Bound, Unit("g")]
    readings: Annotated[list[float], Unit("g")]
    n_readings: int
    note: str
    drift: Annotated[float | None, Unit("mg/s")] = None


class Scale:
    @action(effect=Effect.NONE)
    async def weigh(self) -> Mass:
        """Weighs."""
        raise NotImplementedError


class Station:
    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS, timeout_s=60.0)
    async def mix(
        self,
        speed: Annotated[float, Unit("1/s", low=0, high=50)],
        mode: Annotated[str, Choices(("slow", "fast"))],
        dispatch: Dispatch,
        ticket: Ticket,
        turns: Annotated[int, Unit("", low=1)] = 3,
        name: str = "",
    ) -> None:
        """Mixes."""

    @action(effect=Effect.QUERYABLE)
    async def move(
        self,
        to: Annotated[str, PositionArg("target")],
        sample: Annotated[str, SampleArg()] = "",
        source: Annotated[str, PositionArg("source")] = "",
    ) -> None:
        """Moves."""

    @reading
    async def weigh(self) -> Mass:
        """Weighs."""

    @reading
    async def temperature(self) -> Annotated[float, Unit("degC")]:
        """The temperature."""

    async def not_an_action(self) -> None:
        """For the driver itself."""


SPECS = actions_of(Station)


def test_only_declared_methods_are_actions() -> None:
    assert set(SPECS) == {"mix", "move", "weigh", "temperature"}


def test_an_action_says_its_effect_its_cancelling_and_its_time_out() -> None:
    mix, weigh = SPECS["mix"], SPECS["weigh"]
    assert (mix.effect, mix.cancel, mix.timeout_s) == (
        Effect.IRREVERSIBLE,
        Cancel.BETWEEN_STEPS,
        60.0,
    )
    assert (weigh.effect, weigh.cancel, weigh.timeout_s) == (Effect.NONE, Cancel.AT_ONCE, None)
    assert SPECS["move"].cancel is Cancel.NEVER
    assert mix.doc == "Mixes."


def test_ticket_and_dispatch_are_never_given_by_a_recipe() -> None:
    assert [a.name for a in SPECS["mix"].args] == ["speed", "mode", "turns", "name"]
    assert SPECS["mix"].is_composite
    assert SPECS["mix"].wants_ticket
    assert not SPECS["move"].is_composite


def test_arguments_have_kind_unit_limits_words_and_default() -> None:
    assert SPECS["mix"].arg("speed") == ArgSpec("speed", "real", "1/s", 0, 50)
    assert SPECS["mix"].arg("mode") == ArgSpec("mode", "text", choices=("slow", "fast"))
    turns = ArgSpec("turns", "integer", "", 1, None, required=False, default=3)
    assert SPECS["mix"].arg("turns") == turns
    assert SPECS["mix"].arg("nothing") is None


def test_samples_and_positions_are_filled_in_from_what_is_known() -> None:
    kinds = {a.name: (a.kind, a.required) for a in SPECS["move"].args}
    assert kinds == {
        "to": ("target", True),
        "sample": ("sample", False),
        "source": ("source", False),
    }


def test_results_are_named_values_with_units() -> None:
    assert SPECS["weigh"].results == (
        ResultSpec("mean", "real", "g"),
        ResultSpec("readings", "series", "g"),
        ResultSpec("n_readings", "integer"),
        ResultSpec("note", "text"),
        ResultSpec("drift", "real", "mg/s", is_optional=True),
    )
    assert SPECS["temperature"].results == (ResultSpec("value", "real", "degC"),)
    assert SPECS["mix"].results == ()


def test_what_an_action_returns_becomes_plain_named_values() -> None:
    mass = Mass(Bound(3.0, "above"), [3.0], 1, "over-range")
    named = result_values(SPECS["weigh"], mass)
    assert named["mean"] == Bound(3.0, "above")
    assert named["readings"] == [3.0]
    assert result_values(SPECS["temperature"], 21.5) == {"value": 21.5}
    assert result_values(SPECS["temperature"], Bound(9.0, "below"))["value"].side == "below"
    assert result_values(SPECS["mix"], "ignored") == {}


def _declared(hints: dict[str, Any]) -> type:
    async def act(self: Any, amount: Any = None) -> None:
        """Acts."""

    act.__annotations__ = hints
    return type("Declared", (), {"act": action(effect=Effect.IDEMPOTENT)(act)})


@pytest.mark.parametrize(
    "hints",
    [
        {},
        {"amount": float},
        {"amount": "list[float]"},
        {"amount": bool},
        {"amount": Annotated[float, "g"]},
        {"amount": int, "return": float},
        {"amount": int, "return": "list[float]"},
        {"amount": int, "return": dict},
    ],
    ids=str,
)
def test_a_number_without_a_unit_is_no_declaration(hints: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"act: (argument 'amount'|result 'value') needs"):
        actions_of(_declared(hints))


def test_a_method_that_cannot_be_awaited_is_no_action() -> None:
    class Sync:
        @action(effect=Effect.IDEMPOTENT)  # type: ignore[type-var]
        def act(self) -> None:
            """Acts."""

    with pytest.raises(TypeError, match="act: an action is an 'async def' method"):
        actions_of(Sync)


def _all_actions() -> list[tuple[str, ActionSpec]]:
    kinds = [plugins.resource_kind(n).actions for n in plugins.installed("resources")]
    contracts = [plugins.capability(n) for n in plugins.installed("capabilities")]
    return [(name, spec) for actions in (*kinds, *contracts) for name, spec in actions.items()]


def test_every_action_that_is_installed_declares_itself_in_full() -> None:
    for name, spec in _all_actions():
        assert spec.doc, name
        assert spec.name == name
        if spec.effect is Effect.NONE:
            assert not spec.wants_ticket, name


@pytest.mark.parametrize("given", [{"n_readings": True}, {"mean": False}, {"readings": [True]}])
def test_true_and_false_are_no_numbers_of_a_result(given: dict[str, Any]) -> None:
    spec = actions_of(Scale)["weigh"]
    mass = Mass(**{"mean": 1.0, "readings": [1.0], "n_readings": 1, "note": "", **given})
    with pytest.raises(DeviceError, match=r"gave (True|False|\[True\]) as"):
        named_results("scale", spec, mass)
