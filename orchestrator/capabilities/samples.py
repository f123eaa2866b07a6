"""Handling and measuring samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from orchestrator.ports.action import (
    Bound,
    Cancel,
    Effect,
    PositionArg,
    SampleArg,
    Unit,
    action,
)


class SampleTransfer:
    """Something that moves samples between positions of the lab."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def place(
        self,
        at: Annotated[str, PositionArg("target")],
        sample: Annotated[str, SampleArg()] = "",
        source: Annotated[str, PositionArg("source")] = "",
    ) -> None:
        """Takes a new blank from its store and puts it `at` a position."""
        raise NotImplementedError

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def move(
        self,
        to: Annotated[str, PositionArg("target")],
        sample: Annotated[str, SampleArg()] = "",
        source: Annotated[str, PositionArg("source")] = "",
    ) -> None:
        """Moves a sample from where it is `to` another position."""
        raise NotImplementedError


@dataclass(frozen=True)
class SheetResistance:
    """Readings of one film at one place: their mean, and their standard deviation.

    `mean` is a `Bound` when the film conducts less than the meter can tell (over-range).
    """

    mean: Annotated[float | Bound, Unit("ohm/sq")]
    sd: Annotated[float, Unit("ohm/sq")]
    readings: Annotated[list[float], Unit("ohm/sq")]


class FourPointProbe:
    """A collinear four-point probe."""

    @action(effect=Effect.NONE, cancel=Cancel.AT_ONCE)
    async def sheet_resistance(
        self, repeats: Annotated[int, Unit("", low=1, high=1000)] = 3
    ) -> SheetResistance:
        """Measures the film under the probe `repeats` times."""
        raise NotImplementedError


@dataclass(frozen=True)
class StructureEnergy:
    """A relaxed structure."""

    energy: Annotated[float, Unit("eV")]
    formation_energy: Annotated[float, Unit("eV")]
    volume: Annotated[float, Unit("angstrom**3")]
    lattice_constant: Annotated[float, Unit("angstrom")]
    bulk_modulus: Annotated[float, Unit("GPa")]


class AlloyCalculation:
    """Computes an ordered fcc alloy. `formation_energy` and `volume` are per atom."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def relax(self, a: str, b: str, ordering: str) -> StructureEnergy:
        """Relaxes cell and atoms of the compound of metals `a` and `b` in `ordering`."""
        raise NotImplementedError
