"""A machine of PyLabRobot, declared in a file: liquid handlers, plate readers, incubators.

    handler: {kind: pylabrobot, declared: handler.yaml, device: "our_deck:star", address: "plr://"}

`device` is `module:function`, which makes the machine with its deck as one does in PyLabRobot; it
is set up when it is opened, and stopped when it is closed. A `call` is one of its methods
(`aspirate`), with arguments by name; a text `@plate` is a resource of its deck, `@plate:A1` or
`@plate:A1:A3` items of it. A point is a dotted name of a part (`head.0.has_tip`). What PyLabRobot's
own trackers refuse (no tip, too little liquid) was not done; everything else that is raised is in
doubt.

The library is PyLabRobot (MIT; the extra `pylabrobot`). It cannot stop a liquid handler's command
on its way: a declaration says so. Tried on the STAR's chatterbox backend.
Tried on hardware: no.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from drivers.bridges.objects import done, found_class, part_of, plain
from drivers.bridges.points import Client, DeclaredClient
from drivers.protocols.framing import Garbled, Refused
from drivers.transports import Absent
from orchestrator.errors import MissingExtra
from orchestrator.ports.action import Unit
from orchestrator.ports.resource import Bench


class PyLabRobotInstrument(DeclaredClient):
    """A machine of PyLabRobot, declared in a file.

    `device` is `module:function`, which makes it; `address` says in words where it is (`plr://star`).
    """

    def __init__(
        self,
        bench: Bench,
        device: str,
        address: str,
        timeout: Annotated[float, Unit("s", low=0.001)] = 30.0,
    ) -> None:
        super().__init__(bench, address, timeout)
        self._device = device

    async def _connected(self) -> Client:
        errors = _errors()
        machine = found_class(self.bench.name, self._device)()
        try:
            async with asyncio.timeout(self._timeout_s):
                await machine.setup()
        except Exception as error:  # whatever a backend raises when it finds no machine
            said = str(error) or type(error).__name__
            raise Absent(f"{self._port} cannot be set up: {said}") from error
        return _Machine(machine, errors)


class _Machine:
    """A machine that is set up. Its methods are awaited in our own loop, one at a time."""

    is_connected = True

    def __init__(self, machine: Any, errors: Any) -> None:
        self._machine = machine
        self._not_done = (
            errors.HasTipError,
            errors.NoTipError,
            errors.TooLittleLiquidError,
            errors.TooLittleVolumeError,
            errors.CrossContaminationError,
            errors.ResourceNotFoundError,
        )

    async def read(self, point: str, limit_s: float) -> Any:
        """A part, or what a method without arguments gives. Raises Garbled, Refused."""
        part = part_of(self._machine, point)
        return plain(await self._called(part, point, {}) if callable(part) else part)

    async def write(self, point: str, value: Any, limit_s: float) -> None:
        """Nothing is set but by methods. Raises Refused."""
        raise Refused(f"'{point}' cannot be set: call the method that does")

    async def call(
        self, name: str, arguments: Mapping[str, Any], limit_s: float, noted: str = ""
    ) -> Any:
        """Calls a method and awaits its end. Raises Garbled, Refused."""
        method = part_of(self._machine, name)
        return plain(await self._called(method, name, self._resolved(dict(arguments))))

    async def close(self) -> None:
        """Stops the machine; never raises."""
        try:
            async with asyncio.timeout(30.0):
                await self._machine.stop()
        except Exception:  # noqa: BLE001 - whatever a backend raises, nobody can do more
            return

    async def _called(self, method: Any, name: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return await done(method(**arguments))
        except self._not_done as error:
            raise Refused(f"{name}: {type(error).__name__} {error}".strip()) from error
        except Exception as error:  # whatever a backend raises may have come on the way
            raise Garbled(f"{name} failed: {type(error).__name__} {error}".strip()) from error

    def _resolved(self, told: Any) -> Any:
        """Arguments with the resources that they name."""
        if isinstance(told, dict):
            return {key: self._resolved(value) for key, value in told.items()}
        if isinstance(told, list):
            found = [self._resolved(value) for value in told]
            return [one for many in found for one in (many if isinstance(many, list) else [many])]
        if not (isinstance(told, str) and told.startswith("@")):
            return told
        name, _, items = told[1:].partition(":")
        try:
            resource = self._machine.deck.get_resource(name)
            return resource[items] if items else resource
        except Exception as error:  # whatever a deck raises that does not have it
            raise Refused(f"the deck has no '{told}': {error}") from error


def _errors() -> Any:
    try:
        from pylabrobot.resources import errors
    except ImportError as error:
        raise MissingExtra("PyLabRobot", "pip install 'hagane[pylabrobot]'") from error
    return errors
