"""A driver that breaks a promise fails with that promise's sentence: planted faults for each."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import pytest

from drivers.conformance import promises
from drivers.conformance.promises import PROMISES, WITHOUT_A_WIRE, promises_for
from drivers.conformance.specimens import BrokenPromise, Promise, Specimen, sentence
from drivers.instrument import Instrument, within
from drivers.protocols import scpi
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.errors import DeviceError
from orchestrator.ports.action import Cancel, Effect, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity


class Lamp:
    """Answers the bytes of a lamp whose level is set and read, and which counts its flashes."""

    def __init__(self) -> None:
        self.level, self.n_flashes = "0", 0

    async def receive(self, data: bytes) -> bytes:
        word, _, value = data.decode().strip().partition(" ")
        if value:
            self.level = value
            return b""
        self.n_flashes += word == "FLASH"
        self.level = str(40 - int(self.level)) if word == "TOGGLE" else self.level
        answers = {
            "*IDN?": "Acme,LM-1,7,1.0",
            "LEV?": self.level,
            "FLASHES?": str(self.n_flashes),
            "FLASH": "OK",
            "TOGGLE": "OK",
        }
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

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def glow(self, level: Annotated[int, Unit("%", low=0, high=9)] = 1) -> None:
        """Shines a little."""
        within("level", level, 0, 9, "%")
        await self._write(level)

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.NEVER)
    async def flash(self) -> None:
        """Flashes once."""
        await self.link.exchange(lambda: scpi.ask("FLASH"))

    @reading
    async def flashes(self) -> Annotated[int, Unit("")]:
        """How often it flashed."""
        return int((await self.link.read(lambda: scpi.ask_numbers("FLASHES?", 1)))[0])

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


class GivesATextForANumber(Sound):
    """What is read comes as it stood on the wire."""

    @reading
    async def level(self) -> Annotated[float, Unit("%")]:
        """The level."""
        return f"{await super().level()}"  # type: ignore[return-value]


class GivesNothing(Sound):
    """A reading comes to its end without its value."""

    @reading
    async def level(self) -> Annotated[float, Unit("%")]:
        """The level."""
        await super().level()
        return None  # type: ignore[return-value]


class MeasuresInFootstones(Sound):
    """A unit that nobody knows."""

    @reading
    async def colour(self) -> Annotated[float, Unit("footstone")]:
        """The colour."""
        return 0.0


class IsNoHeater(Sound):
    """It has nothing of what it says to be."""

    implements = ("Heater",)


class CannotBeAsked(Sound):
    """Queryable, and nobody can ask."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def flash(self) -> None:
        """Flashes once."""
        await self.link.exchange(lambda: scpi.ask("FLASH"))


class TakesAnyInteger(Sound):
    """A whole number beyond its limit is sent."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def glow(self, level: Annotated[int, Unit("%", low=0, high=9)] = 1) -> None:
        """Shines a little."""
        await self._write(level)


class HasNoLimits(Sound):
    """Any number will do."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def shine(self, level: Annotated[float, Unit("%")]) -> None:
        """Shines."""
        within("level", level, None, None, "%")
        await self._write(level)


class Sleeps(Sound):
    """It waits where everybody else waits with it."""

    async def make_safe(self) -> None:
        await super().make_safe()
        time.sleep(0.001)


class ReadingFlashes(Sound):
    """A reading that does something."""

    @reading
    async def echo(self) -> Annotated[float, Unit("")]:
        """Flashes, too."""
        await self.link.read(lambda: scpi.ask("FLASH"))
        return 1.0


class Toggles(Sound):
    """What is called idempotent goes to and fro."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.NEVER)
    async def toggle(self) -> None:
        """On or off."""
        await self.link.exchange(lambda: scpi.ask("TOGGLE"))


class FlashesAgain(Sound):
    """An order that was not answered is repeated like a question."""

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.NEVER)
    async def flash(self) -> None:
        """Flashes once."""
        await self.link.read(lambda: scpi.ask("FLASH"))


class ResumesBehindWho(Sound):
    """The last level is sent behind the identification of each connection."""

    wanted = 0.0

    def who(self) -> Dialogue[Identity]:
        """Asks, and sets."""
        identity = yield from super().who()
        if self.wanted:
            yield from scpi.tell(f"LEV {self.wanted:g}")
        return identity

    async def _write(self, level: float, *, urgent: bool = False) -> None:
        await super()._write(level, urgent=urgent)
        self.wanted = level


class ResumesInAReading(ResumesBehindWho):
    """The last level is sent again by the reading that finds the line broken."""

    who = Sound.who

    @reading
    async def level(self) -> Annotated[float, Unit("%")]:
        """The level."""
        level = await super().level()
        if self.wanted and level != self.wanted:
            await self._write(self.wanted)
        return level


class ResumesAtTheFirstLook(ResumesBehindWho):
    """The last level is sent again only when the level is the first to be read."""

    who, is_lost = Sound.who, False

    async def identify(self) -> Identity:
        try:
            return await super().identify()
        except DeviceError:
            self.is_lost = True
            raise

    @reading
    async def level(self) -> Annotated[float, Unit("%")]:
        """The level."""
        if self.is_lost and self.wanted:
            await self._write(self.wanted)
        return await super().level()

    @reading
    async def flashes(self) -> Annotated[int, Unit("")]:
        """How often it flashed."""
        self.is_lost = False
        return await super().flashes()


class ShinesForAMinute(Sound):
    """make_safe waits until the minute is over."""

    def __init__(self, bench: Bench, port: str) -> None:
        super().__init__(bench, port)
        self.turn = asyncio.Lock()

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def expose(self) -> None:
        """Shines for a minute."""
        async with self.turn:
            await self._write(40.0)
            await self.bench.clock.sleep(60.0)
            await self._write(0.0)

    async def make_safe(self) -> None:
        async with self.turn:
            await super().make_safe()


PLANTED: tuple[tuple[str, type[Sound]], ...] = (
    ("says_what_it_does", SaysNothing),
    ("says_what_it_does", MeasuresInFootstones),
    ("says_what_it_does", IsNoHeater),
    ("says_what_it_does", GivesATextForANumber),
    ("says_what_it_does", GivesNothing),
    ("says_what_it_does", CannotBeAsked),
    ("identifies_itself", HasNoName),
    ("is_absent_when_nothing_answers", IsAlwaysThere),
    ("makes_safe_repeatedly", IsSafeOnce),
    ("makes_safe_repeatedly", Sleeps),
    ("refuses_before_a_byte_leaves", TakesEverything),
    ("refuses_before_a_byte_leaves", TakesAnyInteger),
    ("refuses_before_a_byte_leaves", HasNoLimits),
    ("survives_one_spoilt_reply", AsksOnce),
    ("names_what_is_wrong_with_the_line", MakesUpALevel),
    ("is_sure_or_says_so", IsNeverInDoubt),
    ("closes_and_opens_again", NeverLetsGo),
    ("does_what_its_effects_say", ReadingFlashes),
    ("does_what_its_effects_say", Toggles),
    ("sends_no_order_twice", FlashesAgain),
    ("resumes_nothing_by_itself", ResumesBehindWho),
    ("resumes_nothing_by_itself", ResumesInAReading),
    ("resumes_nothing_by_itself", ResumesAtTheFirstLook),
    ("is_made_safe_in_the_midst", ShinesForAMinute),
)


def _promise(name: str, driver: Any) -> Promise:
    specimen = Specimen(lambda: {"port": Lamp()}, arguments={"shine": {"level": 40.0}})
    return Promise("lamp", name, driver, specimen)


@pytest.mark.parametrize("name", PROMISES)
def test_a_sound_driver_keeps(name: str) -> None:
    _promise(name, Sound).keep()


@pytest.mark.parametrize(("name", "driver"), PLANTED)
def test_a_planted_fault_breaks(name: str, driver: type[Sound]) -> None:
    with pytest.raises(BrokenPromise) as broken:
        _promise(name, driver).keep()
    assert str(broken.value).startswith(f"lamp breaks a promise: {sentence(name)}\n")


def test_each_promise_is_broken_by_a_planted_fault() -> None:
    assert {name for name, _ in PLANTED} == set(PROMISES)


class Watcher:
    """Opens no port: counts how often it was opened."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.n_opened = bench, 0

    async def open(self) -> None:
        self.n_opened += 1

    async def close(self) -> None: ...

    async def identify(self) -> Identity:
        return Identity("Acme", "watcher")

    async def health(self) -> Health:
        return Health(is_fit=True)

    async def make_safe(self) -> None: ...


class Weary(Watcher):
    """Not fit for a second opening."""

    async def health(self) -> Health:
        return Health(is_fit=self.n_opened < 2, note="worn out")


class Nameless(Watcher):
    """Another one each time that it is asked."""

    async def identify(self) -> Identity:
        self.n_opened += 1
        return Identity("Acme", f"watcher {self.n_opened}")


class Slow(Watcher):
    """Made safe by and by."""

    async def make_safe(self) -> None:
        await asyncio.sleep(3600.0)


class Silent(Watcher):
    __doc__ = ""


@pytest.mark.parametrize("name", WITHOUT_A_WIRE)
def test_a_sound_driver_without_a_port_keeps(name: str) -> None:
    Promise("watcher", name, Watcher, Specimen()).keep()


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("says_what_it_does", Silent),
        ("identifies_itself", Nameless),
        ("makes_safe_repeatedly", Slow),
        ("comes_and_goes", Weary),
    ],
)
def test_a_planted_fault_of_a_driver_without_a_port_breaks(
    name: str, driver: type[Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promises, "_AT_ONCE_S", 0.1)
    with pytest.raises(BrokenPromise, match="breaks a promise"):
        Promise("watcher", name, driver, Specimen()).keep()


class Remote(Watcher):
    """Reached by its address, through a library that keeps no limit."""

    def __init__(self, bench: Bench, address: str) -> None:
        super().__init__(bench)
        self.address = address

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.NEVER)
    async def turn(self, angle: Annotated[float, Unit("deg", low=0, high=90)]) -> None:
        """Turns."""


class Guarded(Remote):
    """Its own limit goes ahead of the library."""

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.NEVER)
    async def turn(self, angle: Annotated[float, Unit("deg", low=0, high=90)]) -> None:
        """Turns."""
        within("angle", angle, 0, 90, "deg")


def test_a_driver_of_a_server_keeps_what_needs_no_wire_and_its_limits() -> None:
    specimen = Specimen(dict, {"address": "acme://1"}, {"turn": {"angle": 10.0}})
    assert set(promises_for(Remote)) == {*WITHOUT_A_WIRE, "refuses_before_a_byte_leaves"}
    for name in promises_for(Remote):
        Promise("remote", name, Guarded, specimen).keep()
    with pytest.raises(BrokenPromise, match=r"turn\(angle=nan\) raises nothing"):
        Promise("remote", "refuses_before_a_byte_leaves", Remote, specimen).keep()


def test_what_is_broken_is_said_with_its_argument() -> None:
    with pytest.raises(BrokenPromise, match=r"glow\(level=-1\) raises nothing instead of LimitEx"):
        _promise("refuses_before_a_byte_leaves", TakesAnyInteger).keep()
