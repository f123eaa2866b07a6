"""Nights on a lab whose devices on the chamber are isolated, and the processes of such a night."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import psutil
from faults_night import Night
from memory_night import unsafe
from processes import marked, until

from orchestrator.model.events import GuardianActed
from simulators.twins.control import Control

ISOLATED = {
    **{
        f'"twin:{port}", unit_id: {unit}}}': f'"twin:{port}", unit_id: {unit}, isolate: true}}'
        for port, unit in (("modbus", 1), ("modbus", 2))
    },
    **{
        f'"twin:gas", unit_id: {unit},': f'"twin:gas", isolate: true, unit_id: {unit},'
        for unit in ("A", "B")
    },
    '"twin:supply"}': '"twin:supply", isolate: true}',
}
"""What becomes of the lab file: supply, heater, valves and gases run alone, in three processes."""
LONG = {"20 min": "500 min"}
"""At the nights' speed the plasma burns for 5 s of wall time."""
LONGER = {"20 min": "900 min"}
SLOWLY = {"speed: 1200": "speed: 1500"}
"""With both it burns for 36 s."""


def processes_of(night: Night) -> dict[int, str]:
    """The processes of a night that live, by what they are; its twins are left out."""
    found = {}
    for pid in marked(str(night.runtime)):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            line = " ".join(psutil.Process(pid).cmdline())
            if "simulators.twins.server" not in line:
                found[pid] = line
    return found


def guardian_of(night: Night) -> int:
    """The guardian's process."""
    (pid,) = [p for p, line in processes_of(night).items() if "executor.guardian" in line]
    return pid


def driver_of(night: Night, port: str) -> int:
    """The process that holds a port, as its lock says."""
    said = night.twins()
    assert said is not None
    place = os.path.realpath(said["ports"][port])
    name = re.sub(r"[^A-Za-z0-9]+", "-", place).strip("-") + ".lock"
    return int((Path(tempfile.gettempdir()) / "hagane-ports" / name).read_text())


def becomes_safe(control: Control, seconds: float, but: tuple[str, ...] = ()) -> bool:
    """Whether the devices of the lab come to be in their safe state, as the twins show."""
    return until(lambda: set(unsafe_now(control)) <= set(but), seconds)


def unsafe_now(control: Control) -> list[str]:
    """What is not safe at this moment."""
    return unsafe(control.state())


def acted(night: Night) -> list[GuardianActed]:
    """What guardians did, as the journal has it."""
    return [r.event for r in night.events() if isinstance(r.event, GuardianActed)]


def records_left(night: Night) -> list[Any]:
    """Records of guardians that nobody has taken."""
    return list((night.folder / "guardian").rglob("*.jsonl"))
