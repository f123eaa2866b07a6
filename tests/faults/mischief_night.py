"""Nights in which, at random moments, drivers are killed, ports unplugged and devices power-cycled;
and whether what the journal calls done is what was asked for, as the twins know it."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from faults_night import CLI, WITHIN_S, Night
from isolated_night import driver_of, processes_of

from orchestrator.errors import Exit
from orchestrator.model.state import State, TrialState
from simulators.lab.ceramic import Conditions, film, partial_pressure
from simulators.twins.control import Control

PORTS = ("gas", "gauge", "supply", "monitor", "modbus", "meter", "arm", "arm-registers")
ISOLATED_PORTS = ("gas", "supply", "modbus")
KINDS = ("kill", "unplug", "reboot")
ERODED_PER_RUN = 0.002
MOST_RUNS = 200


@dataclass
class Mischief:
    """What was done to a night, in order, by a seed.

    Between two deeds so many physical effects happen on average, whatever the machine's speed, and
    a while of wall time.
    """

    seed: int
    effects_between: int
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._due = 0
        self._next()

    def _next(self) -> None:
        self._due += self._chance.randint(1, 2 * self.effects_between - 1)

    def look(self, night: Night, control: Control) -> None:
        """Does something when it is time."""
        if control.counts()["effects"] < self._due:
            return
        time.sleep(self._chance.uniform(0.0, 0.3))
        what = KINDS[len(self.done) % len(KINDS)]
        port = self._chance.choice(ISOLATED_PORTS if what == "kill" else PORTS)
        seconds = self._chance.uniform(0.05, 0.4)
        self._next()
        try:
            if what == "kill":
                self._kill(night, port)
            else:
                control.fail(port, what, seconds=seconds)  # type: ignore[arg-type]
        except (OSError, ValueError):
            return  # nobody holds the port, or the twin has no way to fail so
        self.done.append(f"{what} {port}")

    def _kill(self, night: Night, port: str) -> None:
        pid = driver_of(night, port)
        if pid not in processes_of(night):
            raise OSError("it is gone already")
        os.kill(pid, signal.SIGKILL)


def suffer(night: Night, mischief: Mischief) -> State:
    """Runs the campaign to its end through all of it; a person answers doubts and runs it again."""
    for _ in range(MOST_RUNS):
        child = _begun(night)
        while night.twins() is None and child.poll() is None:
            time.sleep(0.01)
        with night.control() as control:
            while child.poll() is None:
                mischief.look(night, control)
                time.sleep(0.02)
        _, said = child.communicate(timeout=WITHIN_S)
        if child.returncode == Exit.FINISHED:
            return night.state()
        _tidy_up(night, child.returncode, said)
    raise AssertionError(f"the campaign does not end: {mischief.done}")


def _begun(night: Night) -> subprocess.Popen[str]:
    """An engine whose twins stay when the campaign is over."""
    script = Path(__file__).with_name("night.py")
    return subprocess.Popen(
        [sys.executable, str(script), str(night.folder), str(night.store)],
        env=night.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _tidy_up(night: Night, code: int, said: str) -> None:
    """What a person does who comes in the morning."""
    assert code in (Exit.PERSON, Exit.SAFETY, Exit.ENVIRONMENT), (code, said)
    with night.control() as control:
        control.heal()
        held = [s for s in control.state()["samples"] if s["position"] == "gripper"]
        for sample in held:
            control.hand(sample["sample"], "tray")
    for doubt in json.loads(night.command("doubts", "--json").stdout):
        if doubt["action"] not in ("deposit", "place", "move"):
            continue
        at = ("--at", "tray") if held and doubt["action"] != "deposit" else ()
        night.command("resolve", doubt["ticket"], "failed", *at, "--note", "seen")
    _power_the_arm(night)
    state = night.state()
    if state.paused is not None and state.paused.about == "latch":
        assert night.command("resume").returncode == Exit.FINISHED


def _power_the_arm(night: Night) -> None:
    """It may have lost its power; where it has not, nothing comes of it."""
    words = ("resource", "try", str(night.folder / "twins.yaml"), "arm", "release_brakes", "--yes")
    tried = subprocess.run(
        [*CLI, *words],
        env=night.environment(),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert tried.returncode == Exit.FINISHED, tried.stdout + tried.stderr


def check(night: Night, state: State) -> None:
    """Every trial is done as it was asked for, or failed with its reason; nothing was repeated."""
    with night.control() as control:
        world = control.state()
    assert all(len(s["films"]) <= 1 for s in world["samples"]), "a film was grown on a film"
    assert "bare_exposures" not in [e["name"] for e in world["effects"]]
    for trial in state.trials.values():
        if trial.status == "failed":
            assert trial.cause is not None
            assert trial.sentence
        else:
            assert trial.status == "done", trial
            _check_done(trial, _film_of(state, trial, world))


def _film_of(state: State, trial: TrialState, world: dict[str, Any]) -> dict[str, Any]:
    """What the twins know of a trial's film."""
    (sample,) = trial.samples
    moves = {
        d.event.ticket
        for d in state.dispatches.values()
        if d.event.target and d.event.sample == sample
    }
    (found,) = [s for s in world["samples"] if s["ticket"] in moves]
    (layer,) = found["films"]
    return dict(layer)


def _check_done(trial: TrialState, layer: dict[str, Any]) -> None:
    """The film is what the parameters ask for, and the values are what it has."""
    point = {name: float(value) for name, value in trial.proposal.point.items()}
    asked = Conditions(
        oxygen_pa=partial_pressure(point["oxygen"]),
        argon_pa=point["argon"],
        temperature_c=point["temperature"],
        power_w=round(point["power"]),
    )
    wanted = film(asked, 20.0, ERODED_PER_RUN * layer["run"])
    assert not layer["partial"], trial
    assert layer["thickness_nm"] == pytest.approx(wanted.thickness_nm, rel=0.03), trial
    logs = math.log(layer["resistivity_ohm_cm"] / wanted.resistivity_ohm_cm)
    assert abs(logs) < math.log(1.5), (trial, layer, wanted)
    thickness, resistivity = trial.observed("thickness"), trial.observed("resistivity")
    assert thickness is not None
    assert thickness.event.value == pytest.approx(layer["thickness_nm"], rel=0.15), trial
    if resistivity is not None and resistivity.event.censored is None:
        ratio = resistivity.event.value / layer["resistivity_ohm_cm"]
        assert ratio == pytest.approx(1.0, rel=0.25), trial


def failures(state: State) -> dict[str, int]:
    """How many trials came to which end."""
    found: dict[str, int] = {}
    for trial in state.trials.values():
        cause = f" ({trial.cause})" if trial.cause else ""
        found[f"{trial.status}{cause}"] = found.get(f"{trial.status}{cause}", 0) + 1
    return found


def write_seed(folder: Path, seed: int) -> None:
    """Another scatter of the twins, and another campaign."""
    for name, old in (("twins.yaml", "seed: 7"), ("campaign.yaml", "seed: 1")):
        path = folder / name
        path.write_text(path.read_text().replace(old, f"seed: {seed}", 1))
