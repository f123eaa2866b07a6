"""A dispenser of one liquid, made of a syringe pump and the balance under the vessel.

Nothing physical hides in here: each act is dispatched to a part, with its own ticket, limits,
interlocks and event. Tried on hardware: no.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from drivers.instrument import within
from orchestrator.capabilities.liquids import Portion
from orchestrator.errors import DeviceError, DeviceRefused
from orchestrator.ports.action import Bound, Cancel, Effect, Unit, action
from orchestrator.ports.dispatch import Dispatch
from orchestrator.ports.resource import Bench, Health, Identity, Inner, Verdict

_FIRST_SHARE = 0.9
_MOST_ADDITIONS = 4


class GravimetricDispenser:
    """Brings a liquid into the vessel on the balance, and believes the balance.

    The mass is the difference of two weighings; nothing is tared, so that the weight before stands
    in the journal and tells afterwards whether a dispense in doubt took place. `density` turns
    volumes into masses. More than `stroke` is given in equal strokes. What the pump says it gave
    and what the balance says must agree within `tolerance` (a fraction), or `least_error` where
    that is more. Two dispensers on one balance do not work at the same time.
    """

    implements = ("Dispenser",)
    parts: ClassVar[dict[str, str]] = {"pump": "SyringePump", "balance": "Balance"}

    def __init__(
        self,
        bench: Bench,
        density: Annotated[float, Unit("g/mL", low=0.01, high=25)],
        stroke: Annotated[float, Unit("uL", low=1)] = 1000.0,
        tolerance: Annotated[float, Unit("", low=0)] = 0.02,
        least_error: Annotated[float, Unit("g", low=0)] = 0.002,
        settling: Annotated[float, Unit("s", low=0)] = 2.0,
    ) -> None:
        within(f"{bench.name}.density", density, 0.01, 25.0, "g/mL")
        within(f"{bench.name}.stroke", stroke, 1.0, None, "uL")
        self.bench = bench
        self._density, self._stroke, self._settling = density, stroke, settling
        self._tolerance, self._least_error = tolerance, least_error

    async def open(self) -> None:
        """Nothing to open: the parts are resources of their own."""

    async def close(self) -> None:
        """Nothing to close."""

    async def identify(self) -> Identity:
        """A name for what is made of parts."""
        return Identity("hagane", "gravimetric dispenser")

    async def health(self) -> Health:
        """Fit: its parts are asked themselves."""
        return Health(is_fit=True)

    async def make_safe(self) -> None:
        """Nothing of its own: the lab makes the parts safe, in its order."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.BETWEEN_STEPS)
    async def prepare(self, dispatch: Dispatch) -> None:
        """Initialises a pump that does not know what its syringe holds, which goes to the waste.

        Raises:
            DeviceError, SafetyStop.
        """
        try:
            await dispatch("pump", "held")
        except DeviceRefused:
            await dispatch("pump", "initialise")

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def dispense(
        self, volume: Annotated[float, Unit("uL", low=0)], dispatch: Dispatch
    ) -> Portion:
        """Brings a volume into the vessel; the result has its mass by the balance.

        Raises:
            DeviceError: a part failed, or another mass has come than the pump gave.
            SafetyStop: a limit or an interlock.
        """
        within("volume", volume, 0.0, None, "uL")
        before = await self._weigh(dispatch)
        given = await self._give(dispatch, volume)
        return self._judged(given, await self._weigh(dispatch) - before)

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def weigh_in(
        self, mass: Annotated[float, Unit("g", low=0)], dispatch: Dispatch
    ) -> Portion:
        """Brings a mass into the vessel: most of it, then what the balance still misses.

        Raises:
            DeviceError: a part failed, another mass has come than the pump gave, or the mass
                was not reached.
            SafetyStop: a limit or an interlock.
        """
        within("mass", mass, 0.0, None, "g")
        before = await self._weigh(dispatch)
        given, arrived = 0.0, 0.0
        for n in range(_MOST_ADDITIONS):
            missing = (mass - arrived) * (_FIRST_SHARE if n == 0 else 1.0)
            if missing <= self._least_error / 2:
                break
            given += await self._give(dispatch, missing / self._density * 1e3)
            arrived = await self._weigh(dispatch) - before
            self._judged(given, arrived)
        if abs(arrived - mass) > self._allowed(mass):
            raise DeviceError(
                self.bench.name, f"{arrived:.4f} g have come, and {mass:.4f} g were to"
            )
        return Portion(given, arrived)

    async def judge(
        self,
        action: str,
        arguments: Mapping[str, Any],
        inner: Sequence[Inner],
        dispatch: Dispatch,
    ) -> Verdict:
        """What the balance says of a portion in doubt: it has come, nothing of it, or a part.

        The weight before is that of the journal. The pump must answer, so that nothing more is
        on its way. Raises DeviceError, SafetyStop.
        """
        before = next((i.results for i in inner if i.action == "weight" and i.results), None)
        if before is None:
            return Verdict("unknown", "nothing was weighed before")
        mass = arguments.get("mass", arguments.get("volume", 0.0) * self._density * 1e-3)
        with contextlib.suppress(DeviceRefused):  # it answers, and does not move
            await dispatch("pump", "held")
        arrived = await self._weigh(dispatch) - _plain(self.bench.name, before["value"])
        found = f"{arrived:.4f} g of {mass:.4f} g have come"
        if mass <= 2 * self._least_error:
            return Verdict("unknown", f"{found}, which is too little to tell")
        if abs(arrived) <= self._least_error:
            return Verdict("not_done", found)
        if abs(arrived - mass) <= self._allowed(mass):
            volume = mass / self._density * 1e3
            return Verdict("done", found, {"volume": volume, "mass": arrived})
        return Verdict("unknown", found)

    async def _give(self, dispatch: Dispatch, volume: float) -> float:
        """Strokes that add up to a volume; gives what the pump says."""
        n_strokes, given = math.ceil(volume / self._stroke), 0.0
        for _ in range(n_strokes):
            each = volume / n_strokes
            await dispatch("pump", "load", volume=each)
            given += (await dispatch("pump", "dispense", volume=each))["volume"]
        return given

    async def _weigh(self, dispatch: Dispatch) -> float:
        await dispatch.sleep(self._settling)
        return _plain(self.bench.name, (await dispatch("balance", "weight"))["value"])

    def _judged(self, volume: float, mass: float) -> Portion:
        """The portion, when pump and balance agree. Raises DeviceError."""
        expected = volume * self._density * 1e-3
        if abs(mass - expected) > self._allowed(expected):
            raise DeviceError(
                self.bench.name,
                f"the balance saw {mass:.4f} g come where the pump gave {expected:.4f} g",
                hint="look for air in the tubes, an empty bottle, a draught, a drop that hangs; "
                "discard what is in the vessel",
            )
        return Portion(volume, mass)

    def _allowed(self, mass: float) -> float:
        return max(self._least_error, self._tolerance * mass)


def _plain(name: str, weight: Any) -> float:
    """A weight that is a number. Raises DeviceError for a bound."""
    if isinstance(weight, Bound):
        raise DeviceError(name, "the balance is overloaded", hint="empty the vessel")
    return float(weight)
