"""A driver that breaks a promise fails with that promise's sentence: one planted fault for each."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from drivers.conformance.promises import PROMISES
from drivers.conformance.specimens import BrokenPromise, Promise, Specimen, sentence
from drivers.instrument import Instrument, within
from drivers.protocols import scpi
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.errors import DeviceError
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Identity


class Lamp:
    """Answers the bytes of a lamp whose level is set and read."""

    def __init__(self) -> None:
        self.level = "0"

    async def receive(self, data: bytes) -> bytes:
        word, _, value = data.decode().strip().partition(" ")
        if value:
            self.level = value
            return b""
        answers = {"*IDN?": "Acme,LM-1,7,1.0", "LEV?": self.level}
        return (answers[word] + "\n").encode()


class Sound(Instrument):
    """A lamp's driver, as it should be."""

    def __init__(self, bench: Bench, port: str) -> None:
        super().__init__(bench, port, Settings(), timeout_s=0.1)

    def who(self) -> Dialogue[Identity]:
        """Asks."""
        maker, model, serial, firmware = (yield from scpi.ask("*IDN?")).split(",")
        return Identity(maker, model, serial, firmware)

    async def make_safe(self) -> None:
        """Dark."""
        await self._write(0.0, urgent=True)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def shine(self, level: Annotated[float, Unit("%", low=0, high=100)]) -> None:
        """Shines."""
        within("level", level, 0, 100, "%")
        await self._write(level)

    @reading
    async def level(self) -> Annotated[float, Unit("%")]:
        """The level."""
        return (await self.link.read(lambda: scpi.ask_numbers("LEV?", 1)))[0]

    async def _write(self, level: float, *, urgent: bool = False) -> None:
        def confirm() -> Dialogue[bool]:
            return (yield from scpi.ask_numbers("LEV?", 1))[0] == level

        def tell() -> Dialogue[None]:
            yield from scpi.tell(f"LEV {level:g}")
            if not (yield from confirm()):
                raise Refused("the level reads back otherwise")

        await self.link.write(tell, confirm, what="the level", urgent=urgent)


class SaysNothing(Sound):
    """Not all of its readings are explained."""

    @reading
    async def colour(self) -> Annotated[float, Unit("%")]:
        return 0.0


class HasNoName(Sound):
    """Whoever answers has no model."""

    def who(self) -> Dialogue[Identity]:
        yield from scpi.ask("*IDN?")
        return Identity("Acme", "")


class IsAlwaysThere(Sound):
    """Nobody is asked."""

    async def identify(self) -> Identity:
        return Identity("Acme", "LM-1")


class IsSafeOnce(Sound):
    """A second make_safe is refused."""

    is_safe = False

    async def make_safe(self) -> None:
        if self.is_safe:
            raise DeviceError(self.bench.name, "is safe already")
        self.is_safe = True


class TakesEverything(Sound):
    """The limit that is declared is not kept."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def shine(self, level: Annotated[float, Unit("%", low=0, high=100)]) -> None:
        """Shines."""
        await self._write(level)


class AsksOnce(Sound):
    """A reading is not repeated."""

    @reading
    async def level(self) -> Annotated[float, Unit("%")]:
        """The level."""
        return (await self.link.exchange(lambda: scpi.ask_numbers("LEV?", 1)))[0]


class MakesUpALevel(Sound):
    """What was not read is zero."""

    @reading
    async def level(self) -> Annotated[float, Unit("%")]:
        """The level."""
        try:
            return await super().level()
        except DeviceError:
            return 0.0


class IsNeverInDoubt(Sound):
    """What could not be read back is taken for done."""

    async def _write(self, level: float, *, urgent: bool = False) -> None:
        try:
            await super()._write(level, urgent=urgent)
        except DeviceError:
            return


class NeverLetsGo(Sound):
    """The port stays open."""

    async def close(self) -> None:
        return


PLANTED: dict[str, type[Sound]] = {
    "says_what_it_does": SaysNothing,
    "identifies_itself": HasNoName,
    "is_absent_when_nothing_answers": IsAlwaysThere,
    "makes_safe_repeatedly": IsSafeOnce,
    "refuses_before_a_byte_leaves": TakesEverything,
    "survives_one_spoilt_reply": AsksOnce,
    "names_what_is_wrong_with_the_line": MakesUpALevel,
    "is_sure_or_says_so": IsNeverInDoubt,
    "closes_and_opens_again": NeverLetsGo,
}


def _promise(name: str, driver: Any) -> Promise:
    specimen = Specimen(lambda: {"port": Lamp()}, arguments={"shine": {"level": 40.0}})
    return Promise("lamp", name, driver, specimen)


@pytest.mark.parametrize("name", PROMISES)
def test_a_sound_driver_keeps(name: str) -> None:
    _promise(name, Sound).keep()


@pytest.mark.parametrize("name", PROMISES)
def test_a_planted_fault_breaks(name: str) -> None:
    with pytest.raises(BrokenPromise) as broken:
        _promise(name, PLANTED[name]).keep()
    assert str(broken.value).startswith(f"lamp breaks a promise: {sentence(name)}\n")
