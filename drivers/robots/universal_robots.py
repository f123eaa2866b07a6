"""Universal Robots arm that carries samples by programs of its own, with a ticket handshake.

Two connections: the dashboard server (`port`, TCP 29999; `drivers.protocols.dashboard`) loads and
plays programs; the controller's own Modbus TCP server (`registers`, port 502) holds the ticket in
general-purpose registers, which a program reads and writes with `read_port_register` and
`write_port_register`. The arm must be in remote control. Tried on hardware: no.

What each program `{source}_to_{target}.urp` must do: its first line copies registers 128 to 131
(the request) to 132 to 135 (started); its last line copies them to 136 to 139 (done). Which slot
of a tray comes next is the program's own affair.
"""

from __future__ import annotations

import itertools
import re
from typing import Annotated

from drivers.instrument import Instrument, Link
from drivers.protocols import dashboard, modbus
from drivers.protocols.framing import Dialogue, Refused
from drivers.transports import Settings
from orchestrator.errors import DeviceError, DeviceRefused, DeviceUnsure, InputError
from orchestrator.ports.action import (
    Cancel,
    Effect,
    PositionArg,
    SampleArg,
    Ticket,
    Unit,
    action,
)
from orchestrator.ports.resource import Bench, Health, Identity, Verdict

_REQUEST, _N_WORDS = 128, 4
_UNIT = 255
_LOAD_S = 10.0
"""Since PolyScope 3.3 the reply to `load` and `play` comes when it is done."""
_POLL_S = (0.5, 2.0)
_POWER_S = 60.0
_NO_TICKET = "0" * 16
_NOT_FIT = {
    "PROTECTIVE_STOP": "see what it has met, then release the stop with 'unlock'",
    "SAFEGUARD_STOP": "close the safeguard, and reset it where it is made",
    "SYSTEM_EMERGENCY_STOP": "release the emergency stop where it was pressed",
    "ROBOT_EMERGENCY_STOP": "release the emergency stop on the teach pendant",
    "VIOLATION": "a safety limit was exceeded: look at the teach pendant",
    "FAULT": "the safety system has a fault: look at the teach pendant",
    "POWER_OFF": "nobody has powered it: 'release_brakes', with nothing in its way",
    "IDLE": "its brakes are on: 'release_brakes', with nothing in its way",
    "BACKDRIVE": "somebody moves it by hand",
}


class UniversalRobot(Instrument):
    """Moves samples between positions; can say whether it did what a ticket asked for."""

    implements = ("SampleTransfer",)

    def __init__(
        self,
        bench: Bench,
        port: str,
        registers: str,
        longest_move: Annotated[float, Unit("s", low=0.1)] = 300.0,
        timeout: Annotated[float, Unit("s", low=0.001)] = 1.0,
    ) -> None:
        super().__init__(bench, port, Settings(), timeout)
        self._transactions = itertools.count(1)
        self._registers = Link(bench, registers, Settings(), self._server, timeout)
        self._longest_move = longest_move

    def who(self) -> Dialogue[Identity]:
        """Serial number and version of the controller."""
        serial = yield from dashboard.ask("get serial number")
        version = yield from dashboard.ask("PolyscopeVersion")
        return Identity("Universal Robots", "arm", serial=serial, firmware=version)

    async def open(self) -> None:
        """Connects both. Raises DeviceAbsent, PortTaken."""
        await self.link.open()
        await self._registers.open()

    async def close(self) -> None:
        """Disconnects both; never raises."""
        await self.link.close()
        await self._registers.close()

    async def health(self) -> Health:
        """Fit when the arm is powered, safe, in remote control, and the registers answer."""

        def talk() -> Dialogue[tuple[str, str, bool | None]]:
            mode = yield from dashboard.ask_after("robotmode", "Robotmode:")
            safety = yield from dashboard.ask_after("safetystatus", "Safetystatus:")
            return mode, safety, (yield from dashboard.is_in_remote_control())

        mode, safety, is_remote = await self.link.read(talk)
        await self._tickets()
        wrongs = [why for state, why in _NOT_FIT.items() if state in (mode, safety)]
        if is_remote is False:
            wrongs.append("put it into remote control at the teach pendant")
        is_fit = mode == "RUNNING" and safety == "NORMAL" and is_remote is not False
        return Health(is_fit, "; ".join([f"mode {mode}, safety {safety}", *wrongs]))

    async def make_safe(self) -> None:
        """Stops the program where it is; the gripper keeps what it holds. Raises DeviceError."""

        def confirm() -> Dialogue[bool]:
            return (yield from dashboard.program_state())[0] == "STOPPED"

        def tell() -> Dialogue[None]:
            yield from dashboard.ask("stop")
            if not (yield from confirm()):
                raise Refused("the program plays on after having been told to stop")

        await self.link.write(tell, confirm, what="the command to stop", urgent=True)

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def place(
        self,
        at: Annotated[str, PositionArg("target")],
        ticket: Ticket,
        sample: Annotated[str, SampleArg()] = "",
        source: Annotated[str, PositionArg("source")] = "",
    ) -> None:
        """Takes a new blank from `source` and puts it `at` a position. Raises as `move`."""
        await self._carry(source, at, ticket)

    @action(effect=Effect.QUERYABLE, cancel=Cancel.NEVER)
    async def move(
        self,
        to: Annotated[str, PositionArg("target")],
        ticket: Ticket,
        sample: Annotated[str, SampleArg()] = "",
        source: Annotated[str, PositionArg("source")] = "",
    ) -> None:
        """Moves a sample from `source` `to` another position.

        Raises:
            DeviceRefused: there is no such program, or the arm is busy or not fit.
            DeviceUnsure: it stopped on the way, or cannot be heard.
            DeviceError
        """
        await self._carry(source, to, ticket)

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def release_brakes(self) -> None:
        """Powers the arm and releases its brakes: it may sink a little. A person decides it.

        Raises:
            DeviceRefused: it is in a stop that comes first.
            DeviceError: it does not come up.
        """
        safety = await self.link.read(lambda: dashboard.ask_after("safetystatus", "Safetystatus:"))
        if safety != "NORMAL":
            raise DeviceRefused(
                self.bench.name,
                f"the brakes stay as they are while safety is {safety}",
                hint=_NOT_FIT.get(safety, "look at the teach pendant"),
            )
        await self._bring_to("power on", "Powering on", ("IDLE", "RUNNING"))
        await self._bring_to("brake release", "Brake releasing", ("RUNNING",))

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def unlock(self) -> None:
        """Releases a protective stop, once a person has seen why it stopped.

        The arm stays where it is and plays nothing. For 5 s after the stop it is refused.

        Raises:
            DeviceRefused: it is in no protective stop, or it is too early.
            DeviceError
        """
        await self.link.exchange(
            lambda: dashboard.expect("unlock protective stop", "Protective stop releasing")
        )

    async def _bring_to(self, command: str, answer: str, modes: tuple[str, ...]) -> None:
        """A power command, and the wait for one of the modes that it leads to."""
        await self.link.exchange(lambda: dashboard.expect(command, answer))
        waited_s = 0.0
        while True:
            mode = await self.link.read(lambda: dashboard.ask_after("robotmode", "Robotmode:"))
            if mode in modes:
                return
            if waited_s >= _POWER_S:
                raise DeviceError(
                    self.bench.name,
                    f"its mode is {mode} {waited_s:g} s after '{command}'",
                    hint="look at the teach pendant",
                )
            await self.bench.clock.sleep(1.0)
            waited_s += 1.0

    async def ask(self, ticket: Ticket) -> Verdict:
        """What the controller's registers and program state say of a ticket.

        The registers hold one ticket, so only the last one that was given can be asked about: an
        earlier one reads as not done. A controller that was switched off has lost them, and knows
        nothing. Raises DeviceError.
        """
        state, program = await self.link.read(dashboard.program_state)
        request, started, done = await self._tickets()
        if {request, started, done} == {_NO_TICKET}:
            return Verdict("unknown", "the controller holds no ticket: was it switched off?")
        if done == ticket:
            return Verdict("done", f"the program wrote {ticket} to its done registers")
        if started == ticket and state != "STOPPED":
            return Verdict("running", f"{program} is {state.lower()}")
        if started == ticket:
            return Verdict("unknown", "the arm stopped on the way: look where the sample is")
        if request == ticket and state != "STOPPED":
            return Verdict("running", f"{program} is {state.lower()} and has not begun the ticket")
        return Verdict("not_done", f"no program began {ticket}")

    async def _carry(self, source: str, target: str, ticket: Ticket) -> None:
        program = _program(self.bench.name, source, target)
        words = _words(self.bench.name, ticket)
        await self._must_be_ready()
        await self._request(words)
        await self.link.exchange(lambda: _load(program), timeout_s=_LOAD_S)
        try:
            await self.link.exchange(
                lambda: dashboard.expect("play", "Starting program"), timeout_s=_LOAD_S
            )
        except DeviceRefused:
            raise
        except DeviceError as error:
            if (await self._heard(ticket, error)).outcome == "not_done":
                raise
        await self._arrive(program, ticket)

    async def _must_be_ready(self) -> None:
        health = await self.health()
        state, program = await self.link.read(dashboard.program_state)
        if not health.is_fit or state != "STOPPED":
            raise DeviceRefused(
                self.bench.name,
                f"the arm is not ready ({health.note}, {program or 'its program'} {state})",
                hint="look at the arm, and at its teach pendant",
            )

    async def _arrive(self, program: str, ticket: Ticket) -> None:
        pause_s, longest_s = _POLL_S
        waited_s = 0.0
        while waited_s < self._longest_move:
            await self.bench.clock.sleep(pause_s)
            waited_s += pause_s
            pause_s = min(1.5 * pause_s, longest_s)
            verdict = await self._heard(ticket, None)
            if verdict.outcome == "done":
                return
            if verdict.outcome != "running":
                health = await self.health()
                raise DeviceUnsure(
                    self.bench.name,
                    f"{program} ended without its last line ({verdict.evidence}; {health.note})",
                    hint="look where the sample is, and at the teach pendant",
                )
        raise DeviceUnsure(
            self.bench.name, f"{program} still plays after {waited_s:g} s", hint="look at the arm"
        )

    async def _heard(self, ticket: Ticket, cause: DeviceError | None) -> Verdict:
        try:
            return await self.ask(ticket)
        except DeviceError as error:
            raise self.link.unsure("a move", error) from (cause or error)

    async def _request(self, words: tuple[int, ...]) -> None:
        def tell() -> Dialogue[None]:
            yield from self._talk(modbus.write_registers(_REQUEST, words))

        def confirm() -> Dialogue[bool]:
            pdu = yield from self._talk(modbus.read_registers(_REQUEST, _N_WORDS))
            return modbus.registers(pdu, _N_WORDS) == words

        await self._registers.write(tell, confirm, what="a ticket")

    async def _tickets(self) -> tuple[str, str, str]:
        """The tickets in the request, started and done registers."""

        def talk() -> Dialogue[tuple[int, ...]]:
            pdu = yield from self._talk(modbus.read_registers(_REQUEST, 3 * _N_WORDS))
            return modbus.registers(pdu, 3 * _N_WORDS)

        digits = "".join(f"{word:04x}" for word in await self._registers.read(talk))
        return digits[:16], digits[16:32], digits[32:]

    def _server(self) -> Dialogue[Identity]:
        """Whether the Modbus server answers."""
        yield from self._talk(modbus.read_registers(_REQUEST, _N_WORDS))
        return Identity("Universal Robots", "Modbus server")

    def _talk(self, pdu: bytes) -> Dialogue[bytes]:
        return modbus.ask_tcp(next(self._transactions), _UNIT, pdu)


def _load(program: str) -> Dialogue[None]:
    yield from dashboard.expect(f"load {program}", "Loading program")


def _program(name: str, source: str, target: str) -> str:
    for position in (source, target):
        if not re.fullmatch(r"[A-Za-z0-9_-]+", position):
            raise InputError(
                f"{name}: '{position}' is not a position that a program can be named after",
                hint="letters, digits, '-' and '_'",
            )
    return f"{source}_to_{target}.urp"


def _words(name: str, ticket: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9a-f]{16}", ticket) or ticket == _NO_TICKET:
        raise InputError(f"{name}: '{ticket}' is not a ticket of 16 hexadecimal digits")
    return tuple(int(ticket[i : i + 4], 16) for i in range(0, 16, 4))
