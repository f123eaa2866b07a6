"""Calculating crystals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from orchestrator.ports.action import Cancel, Effect, Unit, action


@dataclass(frozen=True)
class LatticeConductivity:
    """Heat that phonons carry, at 300 K; `phase_space` (cm) is how many ways they may scatter, the
    cheap relative of the conductivity."""

    thermal_conductivity: Annotated[float, Unit("W/m/K")]
    debye_temperature: Annotated[float, Unit("K")]
    phase_space: Annotated[float, Unit("cm")]


class CrystalCalculation:
    """Gives the lattice thermal conductivity of a compound by its formula."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def conductivity(self, formula: str) -> LatticeConductivity:
        """At 300 K."""
        raise NotImplementedError
