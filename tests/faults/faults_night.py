"""Campaigns on twins in a process of their own, and engines that are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.journal import open_store
from orchestrator.model.events import Recorded
from orchestrator.model.state import State, fold
from simulators.twins.control import Control

ROOT = Path(__file__).parents[2]
CAMPAIGN = ROOT / "campaigns" / "niobium_titania"
WITHIN_S = 120


@dataclass
class Night:
    """A campaign folder, its store, and the twins of its campaign."""

    folder: Path
    store: Path
    runtime: Path

    def environment(self) -> dict[str, str]:
        """What the engine's process sees."""
        return {**os.environ, "XDG_RUNTIME_DIR": str(self.runtime), "HAGANE_DATA": str(self.folder)}

    def start(self, *words: str) -> subprocess.Popen[str]:
        """An engine in a process of its own."""
        script = [sys.executable, str(Path(__file__).with_name("night.py"))]
        return subprocess.Popen(
            [*script, str(self.folder), str(self.store), *words],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, list[Recorded], str]:
        """Exit code, what was acknowledged, and what it said."""
        child = self.start(*words)
        out, said = child.communicate(timeout=WITHIN_S)
        return child.returncode, acknowledged(out), said

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of `hagane` on this store."""
        return subprocess.run(
            [sys.executable, "-m", "orchestrator.cli", *words, "--store", str(self.store)],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )

    def events(self) -> list[Recorded]:
        """The journal."""
        store = open_store(self.store)
        try:
            return list(store.read(store.campaigns()[0].id))
        finally:
            store.close()

    def state(self) -> State:
        """Its fold."""
        return fold(self.events())

    def twins(self) -> dict[str, Any] | None:
        """What the twins say of where they are, while they are up."""
        for file in self.runtime.glob("hagane-*/twins/*/ports.json"):
            found: dict[str, Any] = json.loads(file.read_text())
            return found
        return None

    def control(self) -> Control:
        """A line to the twins' process."""
        said = self.twins()
        assert said is not None, "the twins are not up"
        return Control(said["control"])


def acknowledged(out: str) -> list[Recorded]:
    """The journal entries that a child printed; a line cut short by its death does not count."""
    lines = [line for line in out.splitlines(keepends=True) if line.endswith("\n")]
    return [Recorded.model_validate_json(line) for line in lines]


def make_night(tmp_path: Path) -> Iterator[Night]:
    """Six trials, three of them from the space-filling start, one in flight, time a hurry."""
    folder = tmp_path / "campaign"
    folder.mkdir()
    text = (CAMPAIGN / "campaign.yaml").read_text()
    text = text.replace("trials: 40", "trials: 6").replace("initial: 8", "initial: 3")
    (folder / "campaign.yaml").write_text(text + "in_flight: 1\n")
    lab = (CAMPAIGN / "twins.yaml").read_text().replace("speed: 1200", "speed: 6000")
    (folder / "twins.yaml").write_text(lab)
    runtime = Path("/tmp") / f"hgn-{os.getpid()}-{abs(hash(tmp_path)) % 10**6}"
    runtime.mkdir()
    found = Night(folder, tmp_path / "store.sqlite", runtime)
    yield found
    said = found.twins()
    if said is not None:
        os.kill(said["pid"], signal.SIGTERM)
    shutil.rmtree(runtime, ignore_errors=True)
