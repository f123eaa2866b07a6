"""Making thin films: the tool as a whole, and the instruments it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from orchestrator.ports.action import Cancel, Effect, Unit, action, reading


@dataclass(frozen=True)
class Film:
    """What a deposition knows about its film.

    `thickness` and `rate` are the monitor's; `temperature`, `pressure` were held during growth;
    `voltage` is the target's, at the end of presputtering.
    """

    thickness: Annotated[float, Unit("nm")]
    rate: Annotated[float, Unit("nm/min")]
    temperature: Annotated[float, Unit("degC")]
    pressure: Annotated[float, Unit("Pa")]
    voltage: Annotated[float, Unit("V")]


class Sputtering:
    """A sputter tool that grows one film on the substrate in its chamber."""

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def deposit(
        self,
        oxygen: Annotated[float, Unit("sccm", low=0)],
        temperature: Annotated[float, Unit("degC")],
        power: Annotated[float, Unit("W", low=0)],
        argon: Annotated[float, Unit("Pa", low=0)],
        duration: Annotated[float, Unit("min", low=0)],
    ) -> Film:
        """Pumps, heats, presputters, grows for `duration`, cools and vents.

        `oxygen` is a flow; `argon` is the working pressure to be reached.
        """
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.BETWEEN_STEPS)
    async def release(self) -> None:
        """Brings the tool into the state in which a sample can be taken out of it."""
        raise NotImplementedError


class CoSputtering:
    """A sputter tool whose two guns grow one film together."""

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.BETWEEN_STEPS)
    async def codeposit(
        self,
        oxygen: Annotated[float, Unit("sccm", low=0)],
        temperature: Annotated[float, Unit("degC")],
        power: Annotated[float, Unit("W", low=0)],
        second_power: Annotated[float, Unit("W", low=0)],
        argon: Annotated[float, Unit("Pa", low=0)],
        duration: Annotated[float, Unit("min", low=0)],
    ) -> Film:
        """As `deposit` of `Sputtering`, with both guns."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.BETWEEN_STEPS)
    async def release(self) -> None:
        """Brings the tool into the state in which a sample can be taken out of it."""
        raise NotImplementedError


class FlowControl:
    """A mass-flow controller."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_flow(self, flow: Annotated[float, Unit("sccm", low=0)]) -> None:
        """Sets the flow to be held."""
        raise NotImplementedError

    @reading
    async def flow(self) -> Annotated[float, Unit("sccm")]:
        """The measured flow."""
        raise NotImplementedError


class PressureGauge:
    """A vacuum gauge."""

    @reading
    async def pressure(self) -> Annotated[float, Unit("Pa")]:
        """The measured pressure. Raises DeviceError when the gauge is off, under or over range."""
        raise NotImplementedError


@dataclass(frozen=True)
class Plasma:
    """What the supply measures."""

    power: Annotated[float, Unit("W")]
    voltage: Annotated[float, Unit("V")]
    current: Annotated[float, Unit("mA")]


@dataclass(frozen=True)
class Exposure:
    """What the supply's own timer says. `shutter` is 1 when open, 0 when closed."""

    shutter: Annotated[int, Unit("")]
    remaining: Annotated[float, Unit("s")]


class SputterSupply:
    """A DC sputter supply that times the exposure and moves the shutter of its gun itself.

    Once on, it presputters behind the closed shutter, opens it, grows for the set time, closes it
    and goes off: an engine that dies does not make the film thicker.
    """

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_power(self, power: Annotated[float, Unit("W", low=0)]) -> None:
        """Sets the power to be regulated."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_exposure(
        self,
        presputter: Annotated[float, Unit("s", low=0)],
        duration: Annotated[float, Unit("s", low=0)],
    ) -> None:
        """Sets the times of the next exposure: shutter closed, then open. Only while off."""
        raise NotImplementedError

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def on(self) -> None:
        """Strikes the plasma; the exposure that was set follows by itself."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Closes the shutter and ends the plasma."""
        raise NotImplementedError

    @reading
    async def plasma(self) -> Plasma:
        """Power, voltage and current at the target."""
        raise NotImplementedError

    @reading
    async def exposure(self) -> Exposure:
        """Whether the shutter is open, and how much of the exposure remains."""
        raise NotImplementedError


@dataclass(frozen=True)
class ValveStates:
    """1 when open, 0 when closed."""

    gate: Annotated[int, Unit("")]
    vent: Annotated[int, Unit("")]


class ChamberValves:
    """Pumping and venting a chamber."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def pump(self) -> None:
        """Closes the vent, then opens the gate to the pump."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def vent(self) -> None:
        """Closes the gate to the pump, then opens the vent."""
        raise NotImplementedError

    @reading
    async def valves(self) -> ValveStates:
        """Which of the two is open."""
        raise NotImplementedError


@dataclass(frozen=True)
class Growth:
    """What a quartz monitor reads."""

    thickness: Annotated[float, Unit("nm")]
    rate: Annotated[float, Unit("nm/min")]


class ThicknessMonitor:
    """A quartz-crystal monitor."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def zero(self) -> None:
        """Sets thickness and time to zero."""
        raise NotImplementedError

    @reading
    async def growth(self) -> Growth:
        """Thickness since zero, and the present rate."""
        raise NotImplementedError


class Heater:
    """A substrate heater under closed-loop control."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_temperature(self, temperature: Annotated[float, Unit("degC")]) -> None:
        """Sets the temperature to be held, and heats."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Stops heating."""
        raise NotImplementedError

    @reading
    async def temperature(self) -> Annotated[float, Unit("degC")]:
        """The measured temperature."""
        raise NotImplementedError


class TurboPump:
    """A turbo pump with its drive unit. Its states are *at speed* and *at rest*."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def spin_up(self) -> None:
        """Switches on, and waits until the pump is at speed; given up, it goes on accelerating."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def stop(self) -> None:
        """Switches off, and waits until the rotor rests; given up, it goes on coasting."""
        raise NotImplementedError

    @reading
    async def speed(self) -> Annotated[float, Unit("Hz")]:
        """The speed of the rotor, also while it coasts."""
        raise NotImplementedError


@dataclass(frozen=True)
class RfPower:
    """What an RF supply measures: its own power, what comes back, and the self-bias."""

    forward: Annotated[float, Unit("W")]
    reflected: Annotated[float, Unit("W")]
    bias: Annotated[float, Unit("V")]


class RfSupply:
    """An RF supply for a sputter gun. It has no shutter and no timer of its own."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_power(self, power: Annotated[float, Unit("W", low=0)]) -> None:
        """Sets the forward power, also while it is on."""
        raise NotImplementedError

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def on(self) -> None:
        """Strikes the plasma at the power that was set."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Ends the plasma. The power has to be set again before the next one."""
        raise NotImplementedError

    @reading
    async def power(self) -> RfPower:
        """Forward and reflected power. Raises DeviceError when RF went off by itself."""
        raise NotImplementedError


@dataclass(frozen=True)
class Output:
    """What a DC supply measures at its output."""

    voltage: Annotated[float, Unit("V")]
    current: Annotated[float, Unit("A")]


class PowerSupply:
    """A DC supply that holds a voltage or a current, whichever limit is met first."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_voltage(self, voltage: Annotated[float, Unit("V", low=0)]) -> None:
        """Sets the voltage that the output does not exceed."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def set_current(self, current: Annotated[float, Unit("A", low=0)]) -> None:
        """Sets the current that the output does not exceed."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def on(self) -> None:
        """Connects the output."""
        raise NotImplementedError

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def off(self) -> None:
        """Disconnects the output."""
        raise NotImplementedError

    @reading
    async def output(self) -> Output:
        """Voltage and current at the output."""
        raise NotImplementedError
