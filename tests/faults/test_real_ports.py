"""Faults on the wires of twins in a process of their own: terminals and TCP, in wall time."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from faults_night import WITHIN_S, new_night

from drivers.transports.channels import open_channel
from drivers.transports.wires import Lost, Settings
from orchestrator.errors import Exit
from orchestrator.model.events import ActionFailed

FAULTS: dict[str, dict[str, Any]] = {
    "gas": {"how": "delay", "seconds": 0.6, "after": 6},
    "gauge": {"how": "delay", "seconds": 1.4, "after": 10},
    "supply": {"how": "twice", "times": 5, "after": 8},
    "monitor": {"how": "garble", "after": 7},
    "modbus": {"how": "drop", "after": 14},
    "meter": {"how": "unplug", "seconds": 0.3, "after": 5},
    "arm-registers": {"how": "drop", "after": 5},
}
"""One for each port, none of which lasts: late within and beyond the time-out of 1 s, twice,
garbled, lost, unplugged and plugged in again. All but the meter's come before the strike."""


def test_faults_that_pass_cost_nothing(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1) as night:
        child = night.begin()
        child.send_signal(signal.SIGSTOP)
        with night.control() as control:
            for port, fault in FAULTS.items():
                control.fail(port, **fault)
        child.send_signal(signal.SIGCONT)
        out, err = child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.FINISHED, out + err
        assert night.state().trials[1].status == "done"
        failed = [r.event for r in night.events() if isinstance(r.event, ActionFailed)]
        assert all(f.may_retry for f in failed), failed


def test_a_device_that_hangs_for_good_is_named_and_the_rest_is_safe(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1, campaign={"20 min": "100 min"}) as night:
        child = night.begin_until("strikes")
        with night.control() as control:
            control.fail("monitor", "hang")
            out, _ = child.communicate(timeout=WITHIN_S)
            assert child.returncode == Exit.PERSON
            assert "step 'deposit' of trial 1 failed: monitor: no reply within 1 s" in out
            control.heal()
        again = night.command("run", str(night.folder))
        assert again.returncode == Exit.FINISHED, again.stderr


def test_a_port_that_vanishes_is_told_in_the_systems_words(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    channel = open_channel(os.ttyname(theirs), Settings())
    os.close(ours)
    os.close(theirs)
    with pytest.raises(Lost, match=r"^[A-Z][a-z/ ]+$"):
        channel.discard()
    with pytest.raises(Lost, match=r"^[A-Za-z/ ]+(\(.*\))?$"):
        channel.read()
    channel.close()
