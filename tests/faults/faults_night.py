"""Campaigns on twins in a process of their own, and engines that are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.journal import open_store
from orchestrator.model.events import Recorded
from orchestrator.model.state import State, fold
from simulators.twins.control import Control

ROOT = Path(__file__).parents[2]
CAMPAIGN = ROOT / "campaigns" / "niobium_titania"
WITHIN_S = 300
"""Wall time after which something hangs, also on a machine that does much else."""
CLI = [sys.executable, "-m", "orchestrator.cli"]


@dataclass
class Night:
    """A campaign folder, its store, and the twins of its campaign."""

    folder: Path
    store: Path
    runtime: Path

    def environment(self) -> dict[str, str]:
        """What the engine's process sees."""
        return {
            **os.environ,
            "XDG_RUNTIME_DIR": str(self.runtime),
            "HAGANE_DATA": str(self.folder),
            "HAGANE_TWIN_IDENTITY": "night",
        }

    def start(self, *words: str, waits: bool = False) -> subprocess.Popen[str]:
        """An engine in a process of its own; with `waits` it is stopped, its twins are up, and
        nothing was sent to them."""
        script = [sys.executable, str(Path(__file__).with_name("night.py"))]
        child = subprocess.Popen(
            [*script, str(self.folder), str(self.store), *words],
            env=self.environment() | ({"NIGHT_WAITS": "1"} if waits else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while waits and (self.twins() is None or not _is_stopped(child.pid)):
            assert child.poll() is None, child.communicate()
            time.sleep(0.005)
        return child

    def run(self, *words: str) -> tuple[int, list[Recorded], str]:
        """Exit code, what was acknowledged, and what it said."""
        child = self.start(*words)
        out, said = child.communicate(timeout=WITHIN_S)
        return child.returncode, acknowledged(out), said

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of `hagane` on this store."""
        return subprocess.run(
            [*CLI, *words, "--store", str(self.store)],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """`hagane run` in a process of its own; gives it back once the twins are up."""
        child = subprocess.Popen(
            [*CLI, "run", str(self.folder), *words, "--store", str(self.store)],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while self.twins() is None:
            assert child.poll() is None, child.communicate()
            time.sleep(0.005)
        return child

    def begin_until(self, effect: str) -> subprocess.Popen[str]:
        """As `begin`; gives it back once a physical effect of that name has happened."""
        child = self.begin()
        with self.control() as control:
            while not control.counts()[effect]:
                assert child.poll() is None, child.communicate()
                time.sleep(0.002)
        return child

    def kill_after(self, effect: int) -> None:
        """Runs until so many physical effects have happened, and ends the engine by SIGKILL."""
        child = self.start(waits=True)
        with self.control() as control:
            control.kill(child.pid, effect, "after")
        child.send_signal(signal.SIGCONT)
        said = child.communicate(timeout=WITHIN_S)
        assert child.returncode == -signal.SIGKILL, said

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


def _is_stopped(pid: int) -> bool:
    """Whether SIGSTOP has reached a process (state T, proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def acknowledged(out: str) -> list[Recorded]:
    """The journal entries that a child printed; a line cut short by its death does not count."""
    lines = [line for line in out.splitlines(keepends=True) if line.endswith("\n")]
    return [Recorded.model_validate_json(line) for line in lines]


def write_campaign(
    folder: Path,
    *,
    trials: int,
    planner: str = "{kind: sobol}",
    campaign: Mapping[str, str] | None = None,
    lab: Mapping[str, str] | None = None,
) -> None:
    """The niobium-titania campaign, shortened, one trial in flight, on twins in a hurry.

    `campaign` and `lab` say which words of the two files are replaced, and by what.
    """
    folder.mkdir(parents=True)
    words = {"trials: 40": f"trials: {trials}", "{kind: bayesian, initial: 8}": planner}
    words |= {"seed: 1": "seed: 1\nin_flight: 1"}
    for name, changes in (
        ("campaign.yaml", {**words, **(campaign or {})}),
        ("twins.yaml", {"speed: 1200": "speed: 6000", "trace: 10 s": "trace: 0 s", **(lab or {})}),
    ):
        text = (CAMPAIGN / name).read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, f"'{old}' does not stand once in {name}"
            text = text.replace(old, new)
        (folder / name).write_text(text)


@contextmanager
def new_night(tmp_path: Path, **words: Any) -> Iterator[Night]:
    """A campaign as `write_campaign` has it, not begun; its twins end with the test."""
    folder = tmp_path / "campaign"
    write_campaign(folder, **words)
    with night_of(folder, tmp_path) as found:
        yield found


@contextmanager
def night_of(folder: Path, tmp_path: Path) -> Iterator[Night]:
    """The campaign of a folder, not begun; its twins end with the test."""
    runtime = Path("/tmp") / f"hgn-{os.getpid()}-{abs(hash(tmp_path)) % 10**6}"
    runtime.mkdir()
    found = Night(folder, tmp_path / "store.sqlite", runtime)
    try:
        yield found
    finally:
        said = found.twins()
        if said is not None:
            os.kill(said["pid"], signal.SIGTERM)
        shutil.rmtree(runtime, ignore_errors=True)


def make_night(tmp_path: Path) -> Iterator[Night]:
    """Six trials, three of them from the space-filling start, one in flight, time a hurry."""
    with new_night(tmp_path, trials=6, planner="{kind: bayesian, initial: 3}") as found:
        yield found
