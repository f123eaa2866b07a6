"""The whole lab behind the twins: a sputter chamber, samples, a transfer and a probe station.

A film is a pure function of the seed, the ticket under which its sample was put into the chamber,
the set points, and the number of exposures before it (the target wears). To this end: everything on
its way to a set point is a closed formula of time (`approach`); what lies within its controller's
band of the set point when the shutter opens counts as being there; an exposure lasts exactly the
time that the supply was told; conditions change during growth only where a set point is changed;
every draw is keyed (`noise`), none comes from a stream. Jitter of wall time changes nothing.

Levels of scatter, each a factor: reading (sheet resistance 1 %, thickness 2 % per film), run (5 %
of the resistivity), block (3 % of the resistivity; a block is 10 runs, the time between two
services of the target), tooling drift of the monitor (+0.1 % a run), erosion of the target (-0.2 %
of the rate a run). 3 % of the runs give a film that cannot be contacted, whatever its parameters.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from orchestrator.ports.clock import Clock
from simulators.lab.approach import Stage
from simulators.lab.ceramic import TARGET_VOLTAGE, Conditions, Film, partial_pressure
from simulators.lab.effects import Effects
from simulators.lab.growth import Growth
from simulators.lab.gun import STRIKE_HIGH_PA, STRIKE_LOW_PA, Gun
from simulators.lab.noise import normal, uniform
from simulators.lab.probing import SQUARE_FACTOR
from simulators.lab.samples import Grown, Samples
from simulators.lab.transfer import Transfer
from simulators.lab.vessel import Vessel

RUN_SCATTER, BLOCK_SCATTER = 0.05, 0.03
READING_SCATTER, THICKNESS_SCATTER = 0.01, 0.02
RUNS_PER_BLOCK = 10
TOOLING_PER_RUN, EROSION_PER_RUN = 0.001, 0.002
BAD_CONTACTS = 0.03
OPEN_ABOVE_PA = 8e4
FLOW_BAND, FLOW_BAND_SCCM, STAGE_BAND_K = 0.02, 0.01, 5.0


class Chamber:
    """The lab's physical state on a clock. Starts vented, cold, with an empty chamber."""

    def __init__(self, *, seed: int, clock: Clock) -> None:
        now = clock.now()
        self.seed, self.clock = seed, clock
        self.effects = Effects()
        self.vessel = Vessel(now)
        self.gun = Gun()
        self.stage = Stage(since=now)
        self.samples = Samples()
        self.transfer = Transfer(self.samples, self.effects, self._can_reach_in)
        self.runs = 0
        self._growth: Growth | None = None
        self._monitored_nm = 0.0
        self._zero_nm = 0.0
        self._crystal_nm = 0.0

    def advance(self) -> float:
        """Lets everything happen that is due by now, each at its own time; gives the time."""
        now = self.clock.now()
        while (due := self.next_due()) is not None and due <= now:
            self._happen(due)
        return now

    def next_due(self) -> float | None:
        """When something happens next by itself."""
        dues = [d for d in self._dues() if d is not None]
        return min(dues) if dues else None

    def set_flow(self, gas: str, sccm: float) -> None:
        """Sets a flow controller."""
        now = self.advance()
        self.vessel.set_flow(gas, sccm, now)
        self._after_change(now)

    def set_valves(self, *, gate: bool | None = None, vent: bool | None = None) -> None:
        """Moves the valves; None leaves one where it is."""
        now = self.advance()
        was_gate, was_vent = self.vessel.gate, self.vessel.vent
        gate = was_gate if gate is None else gate
        vent = was_vent if vent is None else vent
        if gate and not was_gate:
            with self.effects.happening("pumped", now):
                self.vessel.set_valves(gate=gate, vent=was_vent, t=now)
        if vent and not was_vent:
            with self.effects.happening("vented", now):
                self.vessel.set_valves(gate=gate, vent=vent, t=now)
        self.vessel.set_valves(gate=gate, vent=vent, t=now)
        self._after_change(now)

    def heat(self, target: float | None) -> None:
        """Sets the heater (degC), or switches it off."""
        now = self.advance()
        if target != self.stage.target:
            self.stage = self.stage.toward(target, now)
        self._after_change(now)

    def temperature(self) -> float:
        """Of the stage, in degC."""
        return self.stage.at(self.advance())

    def pressure(self) -> float:
        """Of all gases, in Pa."""
        return self.vessel.pressure(self.advance())

    def flow(self, gas: str) -> float:
        """Through a flow controller, in sccm."""
        return self.vessel.flows[gas].at(self.advance())

    def set_gun(self, **settings: Any) -> bool:
        """Changes what the supply is set to; only the set point may change while it is on."""
        now = self.advance()
        if self.gun.is_on and set(settings) != {"setpoint"}:
            return False
        self.gun = replace(self.gun, **settings)
        self._after_change(now)
        return True

    def switch_on(self) -> None:
        """Strikes a plasma if the pressure allows it; else the supply reports a fault."""
        now = self.advance()
        if self.gun.is_on:
            return
        pressure = self.vessel.pressure(now)
        strikes = STRIKE_LOW_PA <= pressure <= STRIKE_HIGH_PA and self._burns()
        if not strikes:
            self.gun.fault = 1
            return
        with self.effects.happening("strikes", now):
            self.gun.fault, self.gun.on_since = 0, now

    def switch_off(self) -> None:
        """Closes the shutter and ends the plasma; what has grown stays."""
        self._end(self.advance(), partial=True)

    def target_voltage(self) -> float:
        """Of the burning gun, in V; 0 when it is off. A ceramic target keeps it."""
        self.advance()
        return TARGET_VOLTAGE if self.gun.is_on else 0.0

    def monitored(self) -> tuple[float, float]:
        """What the thickness monitor reads: nm since it was zeroed, nm/min."""
        now = self.advance()
        total = self._monitored_total(now)
        rate = self._growth.rate * self._growth.gain if self._growth else 0.0
        return total - self._zero_nm, rate

    def zero_monitor(self) -> None:
        """The present thickness becomes zero."""
        now = self.advance()
        if self._growth is None:
            self._crystal_nm += self._monitored_nm
            self._monitored_nm = 0.0
        self._zero_nm = self._monitored_total(now)

    def crystal_load(self) -> float:
        """All that the monitor's crystal has collected, in nm."""
        return self._crystal_nm + self._monitored_total(self.advance())

    def probed_resistance(self, k: int) -> float | None:
        """Reading k (from 0) of V/I in ohm at the probe station, infinite on an insulator.

        None when the probes do not touch a film: no sample there, or a bad contact. V/I contains
        the geometric factor of the square sample (`probing`).
        """
        self.advance()
        sample = self.samples.at("probe")
        if sample is None or sample.has_bad_contact:
            return None
        error = normal(self.seed, sample.key, "resistance", k)
        resistance = sample.film.sheet_resistance / SQUARE_FACTOR
        return resistance * (1.0 + READING_SCATTER * error)

    def by_hand(self, number: int, position: str) -> None:
        """A person puts a sample somewhere. Raises KeyError when there is no such sample."""
        self.advance()
        sample = next((s for s in self.samples.all if s.number == number), None)
        if sample is None:
            raise KeyError(number)
        self.samples.put(sample, position, sample.ticket)

    def snapshot(self) -> dict[str, Any]:
        """The whole state as plain data."""
        now = self.advance()
        return {
            "time": now,
            "pressure_pa": self.vessel.pressure(now),
            "gate": self.vessel.gate,
            "vent": self.vessel.vent,
            "flows_sccm": {gas: flow.at(now) for gas, flow in self.vessel.flows.items()},
            "temperature_c": self.stage.at(now),
            "heater_target_c": self.stage.target,
            "plasma": self.gun.is_on,
            "shutter": self.gun.shutter_open,
            "power_w": self.gun.output_w(now),
            "runs": self.runs,
            "blanks": self.samples.blanks,
            "program": self.transfer.loaded if self.transfer.is_running else None,
            "protective_stop": self.transfer.is_stopped,
            "registers": {str(k): v for k, v in self.transfer.registers.items()},
            "samples": [sample.record() for sample in self.samples.all],
            "effects": self.effects.records(),
        }

    def _dues(self) -> tuple[float | None, ...]:
        return self.gun.due, self.transfer.due

    def _happen(self, due: float) -> None:
        if due == self.gun.due:
            self._expose(due)
        else:
            self.transfer.act()

    def _can_reach_in(self, t: float) -> bool:
        return self.vessel.pressure(t) >= OPEN_ABOVE_PA

    def _burns(self) -> bool:
        """Whether a plasma would live at what valves and flows are set to."""
        return STRIKE_LOW_PA <= self.vessel.settled() <= STRIKE_HIGH_PA

    def _after_change(self, now: float) -> None:
        if self.gun.is_on and not self._burns():
            self.gun.fault = 1
            self._end(now, partial=True)
        if self._growth is not None:
            self._growth.change(self._set_conditions(), now)

    def _set_conditions(self) -> Conditions:
        """What the set points mean; a heater that is off counts from where it is."""
        target = self.stage.target
        return Conditions(
            oxygen_pa=partial_pressure(self.vessel.flows["oxygen"].target),
            argon_pa=partial_pressure(self.vessel.flows["argon"].target),
            temperature_c=self.stage.start if target is None else target,
            power_w=self.gun.power_w,
        )

    def _conditions(self, t: float) -> Conditions:
        """What a film sees when the shutter opens at t: set points where they are reached."""
        settled = self._set_conditions()
        measured = self.stage.at(t)
        near = abs(measured - settled.temperature_c) <= STAGE_BAND_K
        return replace(
            settled,
            oxygen_pa=partial_pressure(self._flow_seen("oxygen", t)),
            argon_pa=partial_pressure(self._flow_seen("argon", t)),
            temperature_c=settled.temperature_c if near else measured,
        )

    def _flow_seen(self, gas: str, t: float) -> float:
        flow = self.vessel.flows[gas]
        band = max(FLOW_BAND_SCCM, FLOW_BAND * flow.target)
        return flow.target if abs(flow.at(t) - flow.target) <= band else flow.at(t)

    def _expose(self, t: float) -> None:
        if self._growth is None and self.gun.duration_s > 0:
            self._begin(t)
        else:
            self._end(t, partial=False)

    def _begin(self, t: float) -> None:
        sample = self.samples.at("chamber")
        key = (sample.key, len(sample.layers)) if sample else ("bare", self.runs)
        error = normal(self.seed, *key, "thickness")
        gain = (1.0 + TOOLING_PER_RUN * self.runs) * (1.0 + THICKNESS_SCATTER * error)
        name = "films_begun" if sample else "bare_exposures"
        with self.effects.happening(name, t, f"sample {sample.number}" if sample else ""):
            erosion = min(0.9, EROSION_PER_RUN * self.runs)
            self._growth = Growth(sample, self.runs, erosion, gain, t, self._conditions(t))
            self.gun.shutter_open = True
            self.runs += 1

    def _end(self, t: float, *, partial: bool) -> None:
        """The shutter closes and the plasma goes out."""
        growth = self._growth
        self._monitored_nm = self._monitored_total(t)
        if growth is not None and growth.sample is not None:
            name = "films_partial" if partial else "films_finished"
            with self.effects.happening(name, t, f"sample {growth.sample.number}"):
                growth.sample.layers.append(self._grown(growth, t, partial))
                self._quench()
        self._quench()

    def _quench(self) -> None:
        self._growth = None
        self.gun.shutter_open, self.gun.on_since = False, None

    def _grown(self, growth: Growth, t: float, partial: bool) -> Grown:
        sample = growth.sample
        assert sample is not None
        key = (self.seed, sample.key, len(sample.layers))
        block = growth.run // RUNS_PER_BLOCK
        scatter = RUN_SCATTER * normal(*key, "run")
        scatter += BLOCK_SCATTER * normal(self.seed, block, "block")
        clean = growth.film(t)
        resistivity = clean.resistivity_ohm_cm * math.exp(scatter)
        return Grown(
            film=Film(clean.thickness_nm, resistivity),
            minutes=growth.minutes(t),
            run=growth.run,
            ticket=sample.ticket,
            partial=partial,
            bad_contact=uniform(*key, "contact") < BAD_CONTACTS,
        )

    def _monitored_total(self, t: float) -> float:
        if self._growth is None:
            return self._monitored_nm
        return self._monitored_nm + self._growth.film(t).thickness_nm * self._growth.gain
