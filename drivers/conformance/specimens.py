"""A driver on the bench, and the promise that it is held to.

@pytest.fixture
def specimens() -> dict[str, Specimen]:
    arguments = {"set_temperature": {"temperature": 120.0}}
    return {"bench-heater": Specimen(lambda: {"port": Twin().wire()}, arguments=arguments)}

def test_the_driver_keeps(promise: Promise) -> None:
    promise.keep()
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.conformance.promises import BY_A_CLIENT, PROMISES, WITHOUT_A_WIRE, promises_for
from drivers.conformance.spoilable import Spoilable
from orchestrator.clock import VirtualClock, WallClock
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Bench, Resource, Wire

PORT = "port"
_ALL = {**PROMISES, **WITHOUT_A_WIRE}
_MOST_S = 60.0
"""Wall time in which a promise is kept, or broken."""


@dataclass(frozen=True)
class Specimen:
    """What answers a driver, how the driver is made, and with what its actions are tried.

    `wires` makes a fresh device each time; its wire `port` is the one that the driver opens and
    that is spoilt, others are reached by options such as `registers="memory:registers"`. The device
    must stay as it is told: its time stands still. `options` go to the constructor; `arguments` are
    valid ones for each action that takes any. A kind that a file declares is held as `declaration`,
    the content of such a file, declares it. A driver that opens no port has no wires; one with an
    `address` is given that of a server, and its clock is the wall's.
    """

    wires: Callable[[], Mapping[str, Wire]] = dict
    options: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    declaration: Mapping[str, Any] | None = None


class BrokenPromise(AssertionError):
    """A driver does not do what every driver must."""

    def __init__(self, kind: str, promise: str, what: str) -> None:
        self.kind, self.promise, self.what = kind, promise, what
        super().__init__(f"{kind} breaks a promise: {sentence(promise)}\n{what}")


@dataclass(frozen=True)
class Promise:
    """One promise that one driver is held to: a name of `promises.promises_for` it."""

    kind: str
    name: str
    driver: Callable[..., Resource]
    specimen: Specimen

    def keep(self) -> None:
        """Makes the driver on its specimen and holds it to the promise.

        Raises:
            BrokenPromise: it does not keep it.
        """
        is_served = promises_for(self.driver) is BY_A_CLIENT
        try:
            with _waits_without_blocking():
                if is_served:
                    asyncio.run(self._keep(WallClock()))
                else:
                    clock = VirtualClock()
                    clock.run(self._keep(clock))
        except TimeoutError as error:
            what = f"it did not come to its end within {_MOST_S:g} s"
            raise BrokenPromise(self.kind, self.name, what) from error
        except AssertionError as error:
            raise BrokenPromise(self.kind, self.name, str(error)) from error
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise BrokenPromise(self.kind, self.name, what) from error

    async def _keep(self, clock: Clock) -> None:
        device, wire = self._bench(clock)
        async with asyncio.timeout(_MOST_S):
            await device.open()
            try:
                await _ALL[self.name](device, wire, self.specimen.arguments)
            finally:
                await device.close()

    def _bench(self, clock: Clock) -> tuple[Resource, Spoilable]:
        """A driver on a fresh device, neither of them used yet."""
        wires = dict(self.specimen.wires())
        options = dict(self.specimen.options)
        if PORT in wires:
            options[PORT] = f"memory:{PORT}"
        wire = Spoilable(
            wires.get(PORT, _Nothing()),
            clock,
            lambda: self.specimen.wires()[PORT],
            lambda: self._bench(clock),
        )
        bench = Bench(self.kind, clock, wires={**wires, PORT: wire})
        driver: Any = self.driver
        if self.specimen.declaration is not None:
            driver = driver.declared(json.dumps(self.specimen.declaration))
        return driver(bench, **options), wire


class _Nothing:
    """Where no port is opened."""

    async def receive(self, data: bytes) -> bytes:
        raise AssertionError(f"it opens no port, and writes {data!r}")


@contextlib.contextmanager
def _waits_without_blocking() -> Iterator[None]:
    """`time.sleep` in the thread of the event loop fails: it would hold up every other device."""
    here, sleep = threading.get_ident(), time.sleep

    def watched(seconds: Any) -> None:
        assert threading.get_ident() != here, (
            f"time.sleep({seconds:g}) blocks every other device: wait by `self.bench.clock.sleep`"
        )
        sleep(seconds)

    time.sleep = watched
    try:
        yield
    finally:
        time.sleep = sleep


def sentence(promise: str) -> str:
    """What a promise says: the first line of its docstring."""
    return (_ALL[promise].__doc__ or promise).strip().splitlines()[0]
