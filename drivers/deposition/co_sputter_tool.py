"""A sputter tool with two guns that grow one film together.

See `deposition.sputter_tool`, of which it has all parts and options. Tried on hardware: no.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from drivers.deposition.sputter_tool import SputterTool
from orchestrator.capabilities.deposition import Film
from orchestrator.ports.action import Cancel, Effect, Unit, action
from orchestrator.ports.dispatch import Dispatch
from orchestrator.ports.resource import Identity, PassesOn


class CoSputterTool(SputterTool):
    """Strikes both guns one right after the other; each supply times its own shutter.

    Both target voltages must be steady before the shutters open. A gun that goes out before its
    time leaves a partial film. The times of both are the same, so their shutters open as far apart
    as the two orders were: `process.csv` shows both. `deposit` grows with the first gun alone.
    """

    implements = ("CoSputtering", "Sputtering")
    supplies: ClassVar[tuple[str, ...]] = ("supply", "second")
    parts: ClassVar[dict[str, str]] = {**SputterTool.parts, "second": "SputterSupply"}
    passes_on: ClassVar[PassesOn] = {
        **SputterTool.passes_on,
        "codeposit": {
            **SputterTool.passes_on["deposit"],
            "second_power": ("second.set_power.power",),
        },
    }

    async def identify(self) -> Identity:
        """A name for what is made of parts."""
        return Identity("hagane", "co-sputter-tool")

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def codeposit(
        self,
        oxygen: Annotated[float, Unit("sccm", low=0)],
        temperature: Annotated[float, Unit("degC")],
        power: Annotated[float, Unit("W", low=0)],
        second_power: Annotated[float, Unit("W", low=0)],
        argon: Annotated[float, Unit("Pa", low=0)],
        duration: Annotated[float, Unit("min", low=0)],
        dispatch: Dispatch,
    ) -> Film:
        """Grows a film with both guns, and leaves it cold, at atmosphere. Raises as `deposit`."""
        powers = {"supply": power, "second": second_power}
        return await self._deposit(dispatch, powers, oxygen, temperature, argon, 60.0 * duration)
