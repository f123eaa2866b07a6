"""New Era syringe pumps (NE-1000, NE-1010, NE-500, ...), infusing; several on one line.

Protocol and source: `drivers.protocols.new_era`. Tried on hardware: no.

What can be known of an infusion afterwards: the pump counts what it has infused (`DIS`), and the
count is set to zero before each one. In safe mode (the default) it stops by itself when it hears
nothing for `silence` seconds, so a dead computer does not empty the syringe; the driver asks more
often while it infuses. Between infusions the same alarm goes off without any harm, and is
acknowledged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from drivers.instrument import Instrument, within
from drivers.protocols import new_era
from drivers.protocols.framing import Dialogue, Garbled, Refused, number
from drivers.transports import Settings
from orchestrator.capabilities.liquids import NO_TICKET, Dispensed
from orchestrator.errors import (
    DeviceError,
    DeviceGarbled,
    DeviceGone,
    DeviceSilent,
    DeviceUnsure,
)
from orchestrator.ports.action import Cancel, Effect, Ticket, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity, Verdict

_POLL_S = 0.5
_GRACE_S = 10.0
_MOST_UL = 9999.0
_SHARE = 0.002
"""Of a volume, that the count may lack: it has four digits."""
_MOST_STOPS = 4


@dataclass(frozen=True)
class _Count:
    """What the pump says of itself: prompt, alarm, and what it has infused (uL)."""

    prompt: str
    alarm: str
    infused: float


class NewEraPump(Instrument):
    """A pump that infuses out of a syringe which a person has filled; it has no valve.

    `diameter` is the inner one of the syringe, by which the pump computes volumes; a pump that is
    set to another one is set to this. `rate` must be one that the pump takes for this diameter.
    How much the syringe holds, nobody but the person knows: an empty one stalls the motor. With
    `safe: false` the pump must be in basic mode already: what it does not understand in one mode it
    does not answer in the other.
    """

    implements = ("LiquidPump",)

    def __init__(
        self,
        bench: Bench,
        port: str,
        diameter: Annotated[float, Unit("mm", low=0.1, high=50)],
        syringe: Annotated[float, Unit("uL", low=1, high=140000)],
        rate: Annotated[float, Unit("mL/min", low=0)] = 1.0,
        address: Annotated[int, Unit("", low=0, high=99)] = 0,
        safe: bool = True,
        silence: Annotated[int, Unit("s", low=2, high=255)] = 10,
        baudrate: Annotated[int, Unit("", low=1)] = 19200,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        within(f"{bench.name}.diameter", diameter, 0.1, 50.0, "mm")
        within(f"{bench.name}.rate", rate, 0.001, 9999.0, "mL/min")
        within(f"{bench.name}.silence", silence, 2, 255, "s")
        super().__init__(bench, port, Settings(baudrate=baudrate), timeout)
        self._address, self._is_safe = address, safe
        self._silence = silence if safe else 0
        self._most = min(syringe, _MOST_UL)
        self._rate = rate
        self._settings = {"DIA": new_era.number(diameter), "RAT": f"{new_era.number(rate)}MM"}
        self._last: tuple[Ticket, float] | None = None

    def who(self) -> Dialogue[Identity]:
        """Model and firmware, after safe mode has been set; a reset is acknowledged."""
        if self._is_safe:
            yield from self._acknowledged(f"SAF{self._silence}", either=True)
        version = (yield from self._acknowledged("VER")).data
        match = re.match(r"(NE\w+?)V(.+)", version)
        if match is None:
            raise Garbled(f"'{version}' is no version of a New Era pump")
        return Identity("New Era", match[1], firmware=match[2])

    async def health(self) -> Health:
        """Fit unless it reports a stall or a wrong program, once. Raises DeviceError."""
        count = await self.link.read(self._count)
        note = new_era.ALARMS.get(count.alarm, "")
        return Health(count.alarm not in ("S", "E", "O"), note)

    async def make_safe(self) -> None:
        """Stops it, and takes back the pause that a stop leaves. Raises DeviceError."""

        def confirm() -> Dialogue[bool]:
            return (yield from self._ask("")).prompt == new_era.STOPPED

        def tell() -> Dialogue[None]:
            for _ in range(_MOST_STOPS):
                yield from self._ask("STP")
                if (yield from confirm()):
                    return
            raise Refused("the pump goes on after having been told to stop")

        await self.link.write(tell, confirm, what="the command to stop", urgent=True)

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def dispense(
        self, volume: Annotated[float, Unit("uL", low=0)], ticket: Ticket = NO_TICKET
    ) -> Dispensed:
        """Infuses so much; the result is the pump's own count.

        Raises:
            LimitExceeded: more than the syringe, or the pump's four digits, take.
            DeviceRefused: it is pumping, or does not take rate or volume. Nothing moved.
            DeviceUnsure: it cannot be heard.
            DeviceError: it stopped on the way.
        """
        within("volume", volume, 0.0, self._most, "uL")
        text = new_era.number(volume)
        if float(text) == 0.0:
            return Dispensed(0.0)
        await self.link.read(lambda: self._set_up(text))
        self._last = (ticket, float(text))
        try:
            await self.link.exchange(self._run)
        except (DeviceSilent, DeviceGarbled, DeviceGone) as doubt:
            try:
                count = await self.link.read(self._count)
            except DeviceError as error:
                raise self.link.unsure("an infusion", error) from doubt
            if count.prompt != new_era.INFUSING and count.infused == 0.0:
                raise
        return Dispensed(await self._arrive(float(text)))

    @reading
    async def infused(self) -> Annotated[float, Unit("uL")]:
        """What the pump has counted since the last infusion began. Raises DeviceError."""
        return (await self.link.read(self._count)).infused

    async def ask(self, ticket: Ticket) -> Verdict:
        """What the pump's count says of an infusion.

        The pump holds no ticket: how much the last one was to be, only the driver that began it
        knows, and a reset ends what the count is worth. Raises DeviceError.
        """
        count = await self.link.read(self._count)
        found = f"the pump counts {count.infused:g} uL"
        if count.prompt in (new_era.INFUSING, new_era.WITHDRAWING):
            return Verdict("running", found)
        if self._last is None or self._last[0] != ticket or ticket == NO_TICKET:
            return Verdict("unknown", f"{found}; of how much is not known any more")
        volume = self._last[1]
        if count.infused >= (1 - _SHARE) * volume:
            return Verdict("done", found, {"volume": count.infused})
        if count.infused == 0.0 and count.prompt == new_era.STOPPED:
            return Verdict("not_done", found)
        return Verdict("unknown", f"{found} of {volume:g} uL: it stopped on the way")

    async def _arrive(self, volume: float) -> float:
        """Waits for the end, asking often enough that the pump does not stop by itself."""
        left_s = 60e-3 * volume / self._rate + _GRACE_S
        while True:
            try:
                count = await self.link.read(self._count)
            except DeviceError as error:
                raise self.link.unsure("an infusion", error) from error
            if count.alarm or count.prompt != new_era.INFUSING:
                break
            if left_s < 0:
                raise DeviceUnsure(self.bench.name, "it infuses longer than the volume takes")
            pause_s = min(_POLL_S, self._silence / 4) if self._is_safe else _POLL_S
            await self.bench.clock.sleep(pause_s)
            left_s -= pause_s
        if count.infused < (1 - _SHARE) * volume:
            why = new_era.ALARMS.get(count.alarm, "it was stopped")
            raise DeviceError(
                self.bench.name,
                f"{count.infused:g} uL of {volume:g} uL were infused: {why}",
                hint="look at the syringe and the tube",
            )
        return count.infused

    def _set_up(self, volume: str) -> Dialogue[None]:
        """Sets one phase that infuses a volume and then stops; nothing moves yet."""
        state = yield from self._ask("")
        state = (yield from self._ask("")) if state.alarm else state
        if state.prompt == new_era.PAUSED:
            yield from self._tell("STP")
        elif state.prompt != new_era.STOPPED:
            raise Refused("the pump is pumping")
        if number((yield from self._tell("DIA")).data) != float(self._settings["DIA"]):
            yield from self._tell(f"DIA{self._settings['DIA']}")
        for command in ("PHN2", "FUNSTP", "PHN1", "FUNRAT", f"RAT{self._settings['RAT']}"):
            yield from self._tell(command)
        for command in ("VOLUL", f"VOL{volume}", "DIRINF", "CLDINF"):
            yield from self._tell(command)
        yield from self._check_set_up(volume)

    def _check_set_up(self, volume: str) -> Dialogue[None]:
        """What is acknowledged need not be done, and would be given to the sample: another
        syringe's volume, or that of a second phase."""
        yield from self._reads_back("DIA", f"{float(self._settings['DIA']):g}")
        for phase, function in (("2", "STP"), ("1", "RAT")):
            yield from self._tell(f"PHN{phase}")
            yield from self._reads_back("PHN", phase)
            yield from self._reads_back("FUN", function)
        yield from self._reads_back("VOL", f"{float(volume):g}UL")
        yield from self._reads_back("RAT", f"{float(self._settings['RAT'][:-2]):g}MM")
        yield from self._reads_back("DIR", "INF")
        if (yield from self._count()).infused:
            raise Refused("its count was set to zero, and is not")

    def _reads_back(self, command: str, value: str) -> Dialogue[None]:
        found = (yield from self._tell(command)).data
        match = re.fullmatch(r"([\d.]+)([A-Z]{2})?", found)
        said = f"{number(match[1]):g}{match[2] or ''}" if match else found
        if said != value:
            raise Refused(f"{command} was set to {value}, and reads back {found}")

    def _run(self) -> Dialogue[None]:
        yield from self._tell("RUN")

    def _count(self) -> Dialogue[_Count]:
        state = yield from self._ask("")
        counted = yield from self._tell("DIS")
        match = re.fullmatch(r"I([\d.]+)W([\d.]+)(UL|ML)", counted.data)
        if match is None:
            raise Garbled(f"'{counted.data}' is no count of a New Era pump")
        infused = float(match[1]) * (1e3 if match[3] == "ML" else 1.0)
        return _Count(state.prompt or counted.prompt, state.alarm, infused)

    def _ask(self, command: str) -> Dialogue[new_era.Answer]:
        answer = yield from new_era.ask(self._address, command, is_safe=self._is_safe)
        self._forget_after_reset(answer)
        return answer

    def _acknowledged(self, command: str, *, either: bool = False) -> Dialogue[new_era.Answer]:
        """A command, once more when its answer was an alarm, which is acknowledged thereby."""
        talk = {"is_safe": self._is_safe, "either": either}
        answer = yield from new_era.ask(self._address, command, **talk)
        self._forget_after_reset(answer)
        if answer.alarm:
            answer = yield from new_era.ask(self._address, command, **talk)
        if answer.complaint:
            raise Refused(f"the pump refuses {command}: {answer.complaint}")
        return answer

    def _tell(self, command: str) -> Dialogue[new_era.Answer]:
        return (yield from new_era.tell(self._address, command, is_safe=self._is_safe))

    def _forget_after_reset(self, answer: new_era.Answer) -> None:
        if answer.alarm == "R":
            self._last = None
