"""Kinds of resource for the tests of files: declared like real ones, never opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from orchestrator.capabilities.deposition import (
    Film,
    FlowControl,
    Heater,
    PressureGauge,
    Sputtering,
    SputterSupply,
)
from orchestrator.capabilities.samples import AlloyCalculation, FourPointProbe, SampleTransfer
from orchestrator.errors import UnknownName
from orchestrator.ports.action import ActionSpec, Cancel, Effect, Unit, action, actions_of, reading
from orchestrator.ports.resource import OptionSpec, ResourceKind

CAPABILITIES: Mapping[str, type] = {
    cls.__name__: cls
    for cls in (
        Sputtering,
        FlowControl,
        PressureGauge,
        SputterSupply,
        Heater,
        SampleTransfer,
        FourPointProbe,
        AlloyCalculation,
    )
}
PLANNERS = ("bayesian", "sobol", "random")
WORLDS = ("sputter-lab",)


def capability(name: str) -> Mapping[str, ActionSpec]:
    return actions_of(CAPABILITIES[name])


class SmallTool(Sputtering):
    """Grows films, in other units than the capability and up to 500 degC."""

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def deposit(  # type: ignore[override]
        self,
        oxygen: Annotated[float, Unit("mol/s", low=0)],
        temperature: Annotated[float, Unit("K", low=273.15, high=773.15)],
        power: Annotated[float, Unit("W", low=0, high=300)],
        argon: Annotated[float, Unit("mbar", low=0)],
        duration: Annotated[float, Unit("s", low=0)],
    ) -> Film:
        raise NotImplementedError


@dataclass(frozen=True)
class Rate:
    rate: Annotated[float, Unit("nm/min")]


class LesserTool(Sputtering):
    """Not quite a sputter tool."""

    @action(effect=Effect.IRREVERSIBLE)
    async def deposit(  # type: ignore[override]
        self,
        oxygen: Annotated[float, Unit("Pa")],
        power: Annotated[float, Unit("W")],
        argon: Annotated[float, Unit("Pa")],
        duration: Annotated[float, Unit("min")],
        bias: Annotated[float, Unit("V")],
    ) -> Rate:
        raise NotImplementedError


class DemandingMeter(FourPointProbe):
    """A probe with an action of its own."""

    @reading
    async def contact(self) -> Annotated[float, Unit("ohm")]:
        raise NotImplementedError


_PORT = {"port": OptionSpec("port", "text", True)}
_KINDS: Mapping[str, tuple[type, dict[str, OptionSpec], tuple[str, ...], dict[str, str]]] = {
    "flow": (
        FlowControl,
        {
            **_PORT,
            "full_scale": OptionSpec("full_scale", "real", True, unit="sccm", low=0.001),
            "unit_id": OptionSpec("unit_id", "integer", False, 1, low=1, high=247),
            "gas": OptionSpec("gas", "text", False, "Ar"),
            "tared": OptionSpec("tared", "boolean", False, False),
        },
        ("FlowControl",),
        {},
    ),
    "gauge": (PressureGauge, dict(_PORT), ("PressureGauge",), {}),
    "supply": (SputterSupply, dict(_PORT), ("SputterSupply",), {}),
    "heater": (Heater, dict(_PORT), ("Heater",), {}),
    "arm": (SampleTransfer, dict(_PORT), ("SampleTransfer",), {}),
    "meter": (DemandingMeter, dict(_PORT), ("FourPointProbe",), {}),
    "tool": (SmallTool, {}, ("Sputtering",), {"heater": "Heater", "supply": "SputterSupply"}),
    "lesser-tool": (LesserTool, {}, ("Sputtering",), {}),
}
KINDS = tuple(_KINDS)


def kind(name: str) -> ResourceKind:
    if name not in _KINDS:
        raise UnknownName("kind of resource that is installed", name, _KINDS)
    cls, options, implements, parts = _KINDS[name]
    return ResourceKind(name, cls, actions_of(cls), options, implements, parts)
