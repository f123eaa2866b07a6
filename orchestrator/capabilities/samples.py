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
class Transmittance:
    """Readings of the light that one sample lets through, as a part of what comes without it."""

    mean: Annotated[float, Unit("")]
    sd: Annotated[float, Unit("")]
    readings: Annotated[list[float], Unit("")]


class Photometer:
    """Light through a sample."""

    @action(effect=Effect.NONE, cancel=Cancel.AT_ONCE)
    async def transmittance(
        self, repeats: Annotated[int, Unit("", low=1, high=1000)] = 3
    ) -> Transmittance:
        """Measures the sample in the light `repeats` times."""
        raise NotImplementedError


@dataclass(frozen=True)
class CompositionMap:
    """One wafer whose composition changes from place to place, measured at many.

    Series have one entry per place that gave a reading: positions from the middle of the wafer,
    the fraction and the thickness that a calibration expects there, sheet resistance and, of both,
    resistivity. `best` is the least resistivity of a curve through all places, `at` the fraction
    there, and `scatter` the standard deviation of the places from the curve in decades: they are
    readings of one wafer, and what its run has done to all of them alike is in none of it. `best`
    is a bound where too few places conduct; `n_over` of them conduct less than can be told,
    `n_missed` gave nothing.
    """

    x: Annotated[list[float], Unit("mm")]
    y: Annotated[list[float], Unit("mm")]
    fraction: Annotated[list[float], Unit("")]
    thickness: Annotated[list[float], Unit("nm")]
    sheet_resistance: Annotated[list[float], Unit("ohm/sq")]
    resistivity: Annotated[list[float], Unit("ohm*cm")]
    best: Annotated[float | Bound, Unit("ohm*cm")]
    at: Annotated[float, Unit("")]
    scatter: Annotated[float, Unit("")]
    n_over: Annotated[int, Unit("")]
    n_missed: Annotated[int, Unit("")]


class CompositionMapping:
    """A probe that is carried over a wafer."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.BETWEEN_STEPS)
    async def free(self) -> None:
        """Makes room for an arm that lays a wafer down."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.BETWEEN_STEPS)
    async def measure_map(
        self,
        thickness: Annotated[float, Unit("nm", low=0)],
        share: Annotated[float, Unit("", low=0, high=1)],
    ) -> CompositionMap:
        """Measures the wafer at its places.

        `thickness` is that in the middle, `share` the part of it that came from the second gun.
        """
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
