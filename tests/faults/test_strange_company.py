"""What surrounds an engine misbehaves: the inbox, the terminal. The campaign goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults_night import CLI, WITHIN_S, new_night
from memory_night import memory_night

from orchestrator.errors import Exit
from orchestrator.model.events import Recorded
from orchestrator.model.state import State
from orchestrator.runtime.run import Setting

NONSENSE: list[tuple[str, dict[str, Any]]] = [
    ("dance", {}),
    ("invalidate", {"observation": "the last one"}),
    ("invalidate", {"observation": None}),
    ("observe", {"sample": "1", "metric": "thickness", "value": "130 nm", "level": "continent"}),
    ("observe", {"sample": ["1"], "metric": {}, "value": 3}),
    ("observe", {"sample": "niobium-titania-1", "metric": "thickness", "value": "1e999 nm"}),
    ("resolve", {"ticket": {}, "verdict": 1, "results": "many"}),
    ("resume", {"note": "nothing is paused"}),
]


@pytest.mark.parametrize(("kind", "payload"), NONSENSE)
def test_a_wish_that_makes_no_sense_is_refused_and_disturbs_nobody(
    tmp_path: Path, kind: str, payload: dict[str, Any]
) -> None:
    night = memory_night(tmp_path, trials=1)

    def ask(recorded: Recorded, state: State) -> None:
        if recorded.event.kind == "sample_made":
            night.wish(kind, **payload)

    assert night.run(Setting(watch=ask)).exit_code is Exit.FINISHED
    assert night.stage.store.pending_requests(night.stage.campaign_id) == []
    said = night.stage.store.answer(1)
    assert said is not None
    assert said.startswith("refused: "), said


def test_a_screen_that_fails_does_not_end_the_campaign(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=1)
    n_shown = []

    def draw(recorded: Recorded, state: State) -> None:
        n_shown.append(recorded.seq)
        raise OSError(5, "Input/output error")

    assert night.run(Setting(watch=draw)).exit_code is Exit.FINISHED
    assert n_shown == [1]
    assert night.state().trials[1].status == "done"


def test_a_reader_who_goes_away_does_not_end_the_campaign(tmp_path: Path) -> None:
    with new_night(tmp_path, trials=1) as night:
        command = [*CLI, "run", str(night.folder), "--store", str(night.store)]
        reading = "import sys; [sys.stdin.readline() for _ in range(4)]"
        with subprocess.Popen(command, env=night.environment(), stdout=subprocess.PIPE) as child:
            subprocess.run([sys.executable, "-c", reading], stdin=child.stdout, check=True)
            assert child.stdout is not None
            child.stdout.close()
            assert child.wait(WITHIN_S) == Exit.FINISHED
        assert night.state().finished is not None


@pytest.mark.parametrize("how", ["a closed pipe", "a full disk"])
def test_an_output_that_takes_nothing_does_not_end_the_campaign(tmp_path: Path, how: str) -> None:
    with new_night(tmp_path, trials=1) as night:
        command = [*CLI, "run", str(night.folder), "--store", str(night.store)]
        if how == "a full disk":
            output = os.open("/dev/full", os.O_WRONLY)
        else:
            reading, output = os.pipe()
            os.close(reading)
        ran = subprocess.run(
            command,
            env=night.environment(),
            stdout=output,
            stderr=subprocess.PIPE,
            timeout=WITHIN_S,
            check=False,
        )
        os.close(output)
        assert (ran.returncode, ran.stderr) == (Exit.FINISHED, b"")
        assert night.state().finished is not None
