"""Interlocks: forbidden combinations, checked before an action and watched while it lasts.

They do not replace hard-wired interlocks.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from orchestrator.errors import HaganeError, InterlockTripped
from orchestrator.model.lab import Interlock

Read = Callable[[str, str], Awaitable[Mapping[str, Any]]]
"""`await read(resource, reading)` gives the reading's named values."""

_COMPARE = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


class Interlocks:
    """The rules of a lab, and which guarded states last at this moment."""

    def __init__(self, rules: Iterable[Interlock], read: Read) -> None:
        self._rules = tuple(rules)
        self._read = read
        self._lasting: dict[str, Interlock] = {}

    async def check(self, resource: str, action: str) -> None:
        """Reads the sensors of every rule on this action, afresh.

        Raises:
            InterlockTripped: the condition holds, or the sensor could not be read.
        """
        for rule in self._rules:
            if (rule.resource, rule.action) == (resource, action):
                await self._judge(rule)
                if rule.released_by is not None:
                    self._lasting[rule.rule] = rule

    def released(self, resource: str, action: str | None = None) -> None:
        """An action was done (None: make_safe) that may end guarded states."""
        for name, rule in list(self._lasting.items()):
            if rule.resource == resource and action in (None, rule.released_by):
                del self._lasting[name]

    def forget(self, resource: str, action: str) -> None:
        """The guarded action did not take place."""
        for name, rule in list(self._lasting.items()):
            if (rule.resource, rule.action) == (resource, action):
                del self._lasting[name]

    @property
    def is_watching(self) -> bool:
        """Whether a guarded state lasts."""
        return bool(self._lasting)

    async def watch(self) -> None:
        """Checks every guarded state that lasts. Raises InterlockTripped."""
        for name, rule in list(self._lasting.items()):
            if name in self._lasting:
                await self._judge(rule)

    async def _judge(self, rule: Interlock) -> None:
        sensor = f"{rule.sensor}.{rule.reading}"
        try:
            async with asyncio.timeout(rule.max_age_s):
                values = await self._read(rule.sensor, rule.reading)
            value = float(values[rule.value])
        except (HaganeError, TimeoutError, KeyError, TypeError, ValueError) as error:
            said = str(error) or f"no answer in {rule.max_age_s:g} s"
            raise InterlockTripped(
                rule.rule, f"{sensor} could not be read ({said}), which counts as unsafe"
            ) from error
        # `not (value op threshold)` would call a NaN safe
        if value != value or _COMPARE[rule.sense](value, rule.threshold):
            raise InterlockTripped(rule.rule, f"{sensor} is {value:g} {rule.unit}")
