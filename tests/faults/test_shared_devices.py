"""Two campaigns, each with a store of its own, on one lab."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults_night import CLI, WITHIN_S, Night, new_night

from orchestrator.errors import Exit
from simulators.twins.control import Served


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Served]:
    """A lab that belongs to no campaign; its arm moves for some seconds of wall time."""
    with Served(tmp_path / "world", seed=7, speed=10.0) as served:
        yield served


def wire_up(night: Night, lab: Served) -> None:
    """The night's lab file names the lab's own ports, as one names those of real devices."""
    text = (night.folder / "twins.yaml").read_text()
    for name, port in lab.ports.items():
        text = text.replace(f'"twin:{name}"', port if port.startswith("/") else f'"{port}"')
    text = re.sub(r"twins: .*\n", "", text)
    text = text.replace("{kind: scaled, speed: 6000}", "{kind: wall}")
    (night.folder / "twins.yaml").unlink()
    (night.folder / "lab.yaml").write_text(text)


def start(night: Night) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*CLI, "run", str(night.folder), "--store", str(night.store)],
        env=night.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_campaign_on_the_same_devices_is_refused_and_disturbs_nobody(
    lab: Served, tmp_path: Path
) -> None:
    with (
        new_night(tmp_path / "a", trials=1) as first,
        new_night(tmp_path / "b", trials=1) as second,
    ):
        wire_up(first, lab)
        wire_up(second, lab)
        child = start(first)
        while not lab.control.counts()["picked"]:
            assert child.poll() is None, child.communicate()
            time.sleep(0.01)
        refused = second.command("run", str(second.folder))
        assert refused.returncode == Exit.ENVIRONMENT
        assert f"argon: process {child.pid} holds /dev/pts/" in refused.stderr
        assert (
            "hint: end that process, or use another port; out of reach as well: " in refused.stderr
        )
        assert "made safe" not in refused.stderr
        # nobody stopped the first one's arm
        while not lab.control.counts()["sample_moves"]:
            time.sleep(0.01)
        child.terminate()
        child.communicate(timeout=WITHIN_S)
        assert child.returncode == Exit.INTERRUPTED
        assert first.state().samples["niobium-titania-1"].position == "chamber"
