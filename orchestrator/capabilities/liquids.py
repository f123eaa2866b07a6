"""Handling liquids: pumps, what is made of them and a balance, and a hot plate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from orchestrator.ports.action import Bound, Cancel, Effect, Ticket, Unit, action, reading


@dataclass(frozen=True)
class Dispensed:
    """What a pump says it has moved out of its syringe."""

    volume: Annotated[float, Unit("uL")]


NO_TICKET = Ticket("")
"""Of what is done by hand."""


class LiquidPump:
    """A pump that can give a volume out of a syringe."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def dispense(
        self, volume: Annotated[float, Unit("uL", low=0)], ticket: Ticket = NO_TICKET
    ) -> Dispensed:
        """Gives so much out of what the syringe holds."""
        raise NotImplementedError


class SyringePump(LiquidPump):
    """A syringe pump with a valve: it fills from one side and gives out on the other.

    What it draws is drawn as a state to reach, which does no harm when it is done again; what it
    gives out is not, and can be asked about.
    """

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.NEVER)
    async def initialise(self) -> None:
        """Empties the syringe to the waste and finds the plunger's zero."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.NEVER)
    async def load(self, volume: Annotated[float, Unit("uL", low=0)]) -> None:
        """Has the syringe hold at least so much, drawn from the inlet."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.NEVER)
    async def empty(self) -> None:
        """Has the syringe hold nothing; what it held goes to the waste."""
        raise NotImplementedError

    @reading
    async def held(self) -> Annotated[float, Unit("uL")]:
        """How much the syringe holds."""
        raise NotImplementedError


@dataclass(frozen=True)
class Momentary:
    """A weight that was not waited for. `is_stable` is 1 when it had come to rest."""

    mass: Annotated[float | Bound, Unit("g")]
    is_stable: Annotated[int, Unit("")]


class Balance:
    """A balance. An overloaded one gives a `Bound`: the load is above its capacity."""

    @reading
    async def weight(self) -> Annotated[float | Bound, Unit("g")]:
        """The net weight once it has come to rest."""
        raise NotImplementedError

    @reading
    async def momentary_weight(self) -> Momentary:
        """The net weight as it is now."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def tare(self) -> None:
        """Has what lies on the pan now weigh nothing."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def zero(self) -> None:
        """Sets the zero point; the pan must be empty, or nearly so."""
        raise NotImplementedError


@dataclass(frozen=True)
class Portion:
    """What came into a vessel: its mass by the balance, its volume by the pump."""

    volume: Annotated[float, Unit("uL")]
    mass: Annotated[float, Unit("g")]


class Dispenser:
    """Something that brings one liquid into a vessel and knows how much has come."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.BETWEEN_STEPS)
    async def prepare(self) -> None:
        """Brings it into a state in which it can dispense. Nothing comes into the vessel."""
        raise NotImplementedError

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def dispense(self, volume: Annotated[float, Unit("uL", low=0)]) -> Portion:
        """Brings a volume of its liquid into the vessel."""
        raise NotImplementedError

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def weigh_in(self, mass: Annotated[float, Unit("g", low=0)]) -> Portion:
        """Brings a mass of its liquid into the vessel."""
        raise NotImplementedError


class HotPlate:
    """A hot plate with a magnetic stirrer."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_temperature(self, temperature: Annotated[float, Unit("degC")]) -> None:
        """Sets the temperature to be held, and heats."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_speed(self, speed: Annotated[float, Unit("rpm", low=0)]) -> None:
        """Sets the speed of the stirrer, and stirs; 0 stops it."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Neither heats nor stirs."""
        raise NotImplementedError

    @reading
    async def temperature(self) -> Annotated[float, Unit("degC")]:
        """The measured temperature."""
        raise NotImplementedError

    @reading
    async def speed(self) -> Annotated[float, Unit("rpm")]:
        """The measured speed of the stirrer."""
        raise NotImplementedError
