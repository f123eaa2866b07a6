"""A world of twins that breaks a promise, or a driver on it that does: planted faults for each."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from test_broken_promises import Sound

from drivers.conformance import worlds
from drivers.conformance.worlds import BrokenWorld, Client, TwinPromise, promises_of, sentence
from drivers.protocols import scpi
from orchestrator.errors import InputError
from orchestrator.ports.action import Unit, reading
from orchestrator.ports.clock import Clock
from simulators.twins.rack import Rack
from simulators.twins.wire import FramedWire, Manners, lines

UNPATCHED = Client.driver
LAMP = Client("lamp", {"port": "memory:lamp"}, {"shine": {"level": 40.0}})


class LampTwin:
    """The lamp of the driver's tests, which can lose its power and refuse."""

    serial = "7"

    def __init__(self) -> None:
        self.level = "0"

    def wire(self) -> FramedWire:
        manners = Manners(lambda frame: self.refuse(), None, None, None, self.lose_power)
        return FramedWire(lines(b"\n"), self.reply, manners=manners)

    def refuse(self) -> bytes:
        return b"ERR\n"

    def lose_power(self) -> None:
        self.level = "0"

    def reply(self, frame: bytes) -> bytes:
        word, _, value = frame.decode().strip().partition(" ")
        if value:
            self.level = value
            return b""
        said = {"*IDN?": f"Acme,LM-1,{self.serial},1.0", "LEV?": self.said()}
        return f"{said.get(word, '0')}\n".encode()

    def said(self) -> str:
        return self.level


def rack(twin: type[LampTwin] = LampTwin, *more: str) -> Callable[..., Rack]:
    def make(*, seed: int, clock: Clock) -> Rack:
        return Rack({name: twin().wire() for name in ("lamp", *more)})

    return make


class Chancy(LampTwin):
    def said(self) -> str:
        return str(random.random())


class Another(LampTwin):
    def lose_power(self) -> None:
        self.serial = "8"


class Dead(LampTwin):
    is_dead = False

    def lose_power(self) -> None:
        self.is_dead = True

    def reply(self, frame: bytes) -> bytes:
        return b"" if self.is_dead else super().reply(frame)


class Mains(LampTwin):
    def wire(self) -> FramedWire:
        return FramedWire(lines(b"\n"), self.reply)


class Polite(LampTwin):
    """Its refusal is what it would have said: nobody notices."""

    def wire(self) -> FramedWire:
        manners = Manners(self.reply, None, None, None, self.lose_power)
        return FramedWire(lines(b"\n"), self.reply, manners=manners)


class Bare:
    """A world that nobody can tell to fail."""

    def __init__(self, *, seed: int, clock: Clock) -> None:
        self.wires = {"lamp": LampTwin().wire()}


class Careless(Sound):
    """Takes whatever comes for a number."""

    @reading
    async def level(self) -> Annotated[float, Unit("%")]:
        """The level."""
        return float(await self.link.read(lambda: scpi.ask("LEV?")))


@pytest.fixture(autouse=True)
def _sound(monkeypatch: pytest.MonkeyPatch) -> None:
    driven_by(Sound, monkeypatch)


def driven_by(driver: type[Sound], patch: pytest.MonkeyPatch) -> None:
    worlds._CLEAN.clear()
    patch.setattr(Client, "driver", lambda self: driver)


def promise(twins: Callable[..., Any], name: str, *clients: Client) -> TwinPromise:
    return TwinPromise("lamps", name, twins, clients or (LAMP,))


def test_a_sound_world_keeps_all() -> None:
    names = promises_of(rack())
    assert {"fails_by_nak", "fails_by_reboot", "fails_by_drop"} <= set(names)
    for name in names:
        promise(rack(), name).keep()


@pytest.mark.parametrize(
    ("twins", "name", "what"),
    [
        (rack(LampTwin, "spare"), "answers_its_drivers", "no client opens the port 'spare'"),
        (rack(Chancy), "is_the_same_from_the_same_seed", "another time"),
        (rack(Mains), "can_be_told_to_fail", "'lamp' cannot lose its power"),
        (Bare, "can_be_told_to_fail", "it has no `failing`"),
        (rack(Another), "fails_by_reboot", "still raises WrongDevice"),
        (rack(Dead), "fails_by_reboot", "still raises DeviceSilent"),
        (rack(Polite), "fails_by_nak", "nothing came of 'nak' at 'lamp'"),
    ],
)
def test_a_world_that_breaks_a_promise(twins: Callable[..., Any], name: str, what: str) -> None:
    with pytest.raises(BrokenWorld) as told:
        promise(twins, name).keep()
    assert what in told.value.what
    assert sentence(name) in str(told.value)


def test_a_port_that_is_not_there() -> None:
    with pytest.raises(BrokenWorld, match="there is no port 'lmap': lamp"):
        promise(rack(), "answers_its_drivers", Client("lamp", {"port": "memory:lmap"})).keep()


def test_a_driver_that_is_not_up_to_its_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    driven_by(Careless, monkeypatch)
    with pytest.raises(BrokenWorld, match="lamp at 'lamp': level raises ValueError"):
        promise(rack(), "fails_by_nak").keep()


def test_a_kind_that_nobody_has_installed_is_named() -> None:
    with pytest.raises(InputError, match="no driver of the kind 'lmap' is installed"):
        UNPATCHED(Client("lmap", {}))
