"""No pw.x survives whoever wanted it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ase.build import bulk
from dft_play import asked, needs_pw, processes_in

from orchestrator.errors import InputError
from simulators.atomistic import programs
from simulators.atomistic.structures import text_of

pytestmark = [
    needs_pw,
    pytest.mark.skipif(sys.platform != "linux", reason="processes die with their parent on Linux"),
]
COMMANDS = [
    "pw.x",
    pytest.param(
        "mpirun -np 2 --oversubscribe pw.x",
        marks=pytest.mark.skipif(
            shutil.which("mpirun") is None, reason="needs mpirun (Debian's package openmpi-bin)"
        ),
    ),
]
LONG = {"ecutwfc": 1000.0, "k_density": 3.0, "max_iterations": 1000}
PATIENCE_S = 120.0
ASKER = """
import asyncio, sys
from pathlib import Path
from ase.build import bulk
from dft_play import asked
from simulators.atomistic.structures import text_of
text = text_of(bulk("Si", cubic=True))
asyncio.run(asked(Path(sys.argv[1]), "energy", text, command=sys.argv[2], **{options}))
"""


@pytest.fixture(autouse=True)
def _as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"):
        monkeypatch.setenv(name, "1")


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def computing(folder: Path, command: str) -> bool:
    wanted = 2 if command.startswith("mpirun") else 1
    return list(processes_in(folder).values()).count("pw.x") >= wanted


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("killed", ["child", "worker"])
def test_no_orphan_survives_a_kill(tmp_path: Path, command: str, killed: str) -> None:
    here = str(Path(__file__).parent)
    path = os.pathsep.join([here, *(p for p in sys.path if p)])
    asker = subprocess.Popen(
        [sys.executable, "-c", ASKER.format(options=LONG), str(tmp_path), command],
        env={**os.environ, "PYTHONPATH": path},
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: asker.poll() is not None or computing(tmp_path, command))
        assert asker.poll() is None
        begun = set(processes_in(tmp_path))
        if killed == "worker":
            asker.kill()
        else:
            child = next(p for p, name in processes_in(tmp_path).items() if "python" in name)
            os.kill(child, signal.SIGKILL)
        until(lambda: not begun & set(processes_in(tmp_path)))  # another attempt may have begun
    finally:
        asker.kill()
        asker.wait()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_orphan_survives_being_cancelled(tmp_path: Path, command: str) -> None:
    async def cancelled() -> None:
        text = text_of(bulk("Si", cubic=True))
        asking = asyncio.create_task(asked(tmp_path, "energy", text, command=command, **LONG))
        while not computing(tmp_path, command):
            assert not asking.done(), asking.result()
            await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(asyncio.wait_for(cancelled(), PATIENCE_S))
    until(lambda: not processes_in(tmp_path))


def test_the_program_is_found_behind_its_launcher() -> None:
    for command in (
        *("pw.x -nk 2", "mpirun -np 4 pw.x", "mpirun --oversubscribe -np 4 /opt/pw.x -nk 2"),
        *("srun -n 4 --exclusive pw.x", "mpiexec pw.x"),
    ):
        assert Path(programs.program_of("dft", command, is_here=False)).name == "pw.x"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "of 'dft' is empty"),
        ("  ", "of 'dft' is empty"),
        ("mpirun -np '' sh", "has an empty word"),
        ("mpirun -np 4", "names no program"),
        ("mpirun", "names no program"),
        ("sh -c 'echo", "is no command: No closing quotation"),
        ("srun no-such-code", "needs 'srun', which is not installed"),
        ("env-no-such", "needs 'env-no-such', which is not installed"),
    ],
)
def test_a_command_without_a_program_is_told(
    command: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"sh": "/bin/sh", "mpirun": "/usr/bin/mpirun"}
    monkeypatch.setattr("shutil.which", lambda name: installed.get(name))
    with pytest.raises(InputError, match=said):
        programs.program_of("dft", command)
