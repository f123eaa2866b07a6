"""Interlocks: forbidden combinations, checked before an action and watched while it lasts.

They do not replace hard-wired interlocks.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from orchestrator.errors import InterlockTripped
from orchestrator.model.lab import Interlock

Read = Callable[[str, str], Awaitable[Mapping[str, Any]]]
"""`await read(resource, reading)` gives the reading's named values."""

_COMPARE = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


class Interlocks:
    """The rules of a lab, and which guarded states last at this moment.

    A state lasts while its action is under way and, where the rule has a release, until that.
    """

    def __init__(self, rules: Iterable[Interlock], read: Read) -> None:
        self._rules = tuple(rules)
        self._read = read
        self._under_way: dict[str, tuple[Interlock, ...]] = {}
        self._lasting: dict[str, Interlock] = {}

    async def check(self, ticket: str, resource: str, action: str) -> None:
        """Reads the sensors of every rule on this action, afresh; they are watched from now on.

        Raises:
            InterlockTripped: the condition holds, or the sensor could not be read.
        """
        rules = tuple(r for r in self._rules if (r.resource, r.action) == (resource, action))
        for rule in rules:
            await self._judge(rule)
        self._under_way[ticket] = rules

    def ended(self, ticket: str, *, has_acted: bool) -> None:
        """The action came to its end; `has_acted` unless it surely did not take place."""
        for rule in self._under_way.pop(ticket, ()):
            if has_acted and rule.released_by is not None:
                self._lasting[rule.rule] = rule

    def released(self, resource: str, action: str | None = None) -> None:
        """An action was done (None: make_safe) that may end guarded states."""
        for name, rule in list(self._lasting.items()):
            if rule.resource == resource and action in (None, rule.released_by):
                del self._lasting[name]

    async def watch(self) -> None:
        """Checks every guarded state that lasts. Raises InterlockTripped."""
        for name, rule in self._watched().items():
            if name in self._watched():
                await self._judge(rule)

    def _watched(self) -> dict[str, Interlock]:
        under_way = {rule.rule: rule for rules in self._under_way.values() for rule in rules}
        return self._lasting | under_way

    async def _judge(self, rule: Interlock) -> None:
        sensor = f"{rule.sensor}.{rule.reading}"
        try:
            async with asyncio.timeout(rule.max_age_s):
                values = await self._read(rule.sensor, rule.reading)
            value = float(values[rule.value])
        except Exception as error:  # whatever a driver raises, the sensor was not read
            said = str(error) or f"no answer in {rule.max_age_s:g} s"
            raise InterlockTripped(
                rule.rule, f"{sensor} could not be read ({said}), which counts as unsafe"
            ) from error
        # `not (value op threshold)` would call a NaN safe
        if value != value or _COMPARE[rule.sense](value, rule.threshold):
            raise InterlockTripped(rule.rule, f"{sensor} is {value:g} {rule.unit}")
