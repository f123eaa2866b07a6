"""Declared instruments on a wire: what is asked and told is played as dialogues over a link."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from drivers.bridges.declared import ACTS, Declared, Values, converted, is_as_wanted, shown, unsure
from drivers.instrument import Instrument, Talk
from drivers.protocols.framing import Dialogue, Garbled, Refused
from orchestrator.errors import DeviceAbsent, DeviceGarbled, DeviceGone, DeviceRefused, DeviceSilent
from orchestrator.ports.action import Effect
from orchestrator.ports.declaration import ConditionWords, Mistake, Step, ValueWords
from orchestrator.ports.resource import Identity
from orchestrator.ports.template import filled

Q = TypeVar("Q")
S = TypeVar("S")


def part_of(reply: str, finds: str) -> str:
    """What a regular expression finds in a reply, by its first group if it has one. Raises
    Garbled: nothing."""
    match = re.search(finds, reply)
    part = match and (match[1] if match.re.groups else match[0])
    if part is None:
        said = " ".join(reply[:120].split())
        raise Garbled(
            f"'{said}' does not hold what '{finds}' looks for",
            hint="look at `finds` in the declaration, and at the device's manual",
        )
    return part


def of_pattern(path: Step, pattern: str) -> Iterator[Mistake]:
    """What is wrong with a regular expression at a place of a declaration."""
    try:
        re.compile(pattern)
    except re.error as error:
        yield Mistake(path, f"'{pattern}' is no regular expression: {error}")


class DeclaredInstrument(Declared[Q, S], Instrument):
    """A declared instrument with one link. A bridge adds `who`, `_question` and `_sent`."""

    async def identify(self) -> Identity:
        """Asks who is there. Raises DeviceError."""
        return await self.link.identify()

    async def _ask(self, question: Q, values: Values) -> Any:
        return await self.link.read(lambda: self._question(question, values))

    async def _value(self, told: ValueWords[Q], values: Values) -> Any:
        # within the dialogue: after an answer of another kind the line is not trusted
        def ask() -> Dialogue[Any]:
            return converted((yield from self._question(told.read, values)), told, values)

        return await self.link.read(ask)

    def _let_go(self) -> None:
        self.link.let_go()

    async def _order(  # noqa: C901 - what is played, and what each end of it means
        self,
        orders: Sequence[S],
        confirm: Sequence[ConditionWords[Q]],
        values: Values,
        what: str,
        effect: Effect,
        *,
        state: str = "",
        urgent: bool = False,
    ) -> None:
        accepted: list[S] = []

        send = self._stopped if urgent else self._sent

        def tell() -> Dialogue[None]:
            if not urgent:
                yield from self._begun()
            for order in orders:
                yield from send(order, values)
                accepted.append(order)
            fault = yield from self._faults(confirm, values)
            if fault:
                raise Refused(f"{what} was sent, and {fault} afterwards")

        def confirmed() -> Dialogue[bool]:
            return not (yield from self._faults(confirm, values))

        if urgent:
            self._let_go()  # what is made safe need hold nothing
        elif effect in ACTS:
            await self.link.look_before_acting()
        try:
            if effect is Effect.NONE:
                await self.link.read(tell, urgent=urgent)
            elif confirm:
                await self.link.write(tell, confirmed, what=what, state=state, urgent=urgent)
            else:
                await self._order_once(tell, what, effect, urgent)
        except (DeviceRefused, DeviceAbsent) as refusal:
            # of several orders a part was obeyed, or all were and it cannot be seen
            if accepted and effect in ACTS:
                raise unsure(self.bench.name, what, refusal) from refusal
            raise

    async def _order_once(self, tell: Talk[None], what: str, effect: Effect, urgent: bool) -> None:
        try:
            await self.link.exchange(tell, urgent=urgent)
        except (DeviceSilent, DeviceGarbled, DeviceGone) as doubt:
            if effect is Effect.IDEMPOTENT:
                raise  # nothing is lost by repeating it
            raise unsure(self.bench.name, what, doubt) from doubt

    def _faults(self, confirm: Sequence[ConditionWords[Q]], values: Values) -> Dialogue[str]:
        """What is not as it should be; '' when all is."""
        for condition in confirm:
            answer = yield from self._question(condition.read, values)
            if not is_as_wanted(answer, condition, values):
                return f"{filled(shown(condition.read), values)} is {answer!r}"
        return ""

    def _begun(self) -> Dialogue[None]:
        """What is played before the first order, but for a stop's."""
        yield from ()

    def _stopped(self, order: S, values: Values) -> Dialogue[None]:
        """Sends one order of a stop, before which nothing is asked. Raises Refused, Garbled."""
        return self._sent(order, values)

    def _question(self, question: Q, values: Values) -> Dialogue[Any]:
        """Asks the device. Raises Refused, Garbled."""
        raise NotImplementedError

    def _sent(self, order: S, values: Values) -> Dialogue[None]:
        """Sends one order. Raises Refused, Garbled."""
        raise NotImplementedError
