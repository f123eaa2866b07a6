"""Programs outside Python, run in the directory and the process group of a calculation."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from orchestrator.errors import InputError

PR_SET_PDEATHSIG = 1
LAUNCHERS = ("mpirun", "mpiexec", "orterun", "prterun")
GRACE_S = 60.0
"""Beyond its walltime, for a program that ends by itself when it is told; a tenth of the walltime
where that is more."""


def run(
    command: str,
    directory: Path,
    *,
    output: str,
    error: str,
    walltime_s: float = 0.0,
    tell: Callable[[], object] = lambda: None,
) -> None:
    """Runs a command to its end, however it ends; `error` says in words what `output` cannot: that
    the program was killed, and by which signal, or how long it was waited for. `tell` is done at
    the walltime, so that the program saves what it has, and ends.

    It dies with this process, also when that is killed; so do the processes of an MPI launcher on
    this machine. Linux only; elsewhere it dies with the process group.

    Raises:
        FileNotFoundError: there is no such program.
    """
    parent, libc = os.getpid(), ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_parent() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

    with (directory / output).open("wb") as out, (directory / error).open("ab") as err:
        process = subprocess.Popen(
            bound(shlex.split(os.path.expandvars(command))),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            preexec_fn=die_with_parent,  # nothing but a system call
        )
        try:
            _wait(process, walltime_s, tell)
        except subprocess.TimeoutExpired:
            _end(process)
            err.write(f"\nstopped after its walltime of {walltime_s:g} s\n".encode())
        else:
            if process.returncode < 0:
                name = signal.Signals(-process.returncode).name
                err.write(f"\nkilled by signal {-process.returncode} ({name})\n".encode())


def _wait(process: subprocess.Popen[bytes], walltime_s: float, tell: Callable[[], object]) -> None:
    """Raises TimeoutExpired: it goes on after its walltime and the grace."""
    try:
        process.wait(walltime_s or None)
    except subprocess.TimeoutExpired:
        tell()
        process.wait(max(GRACE_S, 0.1 * walltime_s))


def cpu_seconds() -> float:
    """Of this process, and of the programs that it waited for: ranks that a launcher starts through
    a daemon, as `srun` does, are not in it."""
    return sum(os.times()[:4])


def bound(command: list[str]) -> list[str]:
    """A command whose MPI processes die with their launcher, where `setpriv` is there."""
    if Path(command[0]).name not in LAUNCHERS or not shutil.which("setpriv"):
        return command
    place = _program(command)
    return [*command[:place], "setpriv", "--pdeathsig", "KILL", *command[place:]]


def program_of(resource: str, command: str, hint: str = "", *, is_here: bool = True) -> str:
    """The path of the program in a command such as `mpirun -np 4 pw.x -nk 2`; or its name, where it
    need not be here.

    Raises:
        InputError: it names none, or one that is not installed; `hint` says what then.
    """
    try:
        parts = shlex.split(os.path.expandvars(command))
    except ValueError as error:
        raise InputError(f"the `command` of '{resource}' is no command: {error}") from error
    if not parts or not all(part.strip() for part in parts):
        said = f"has an empty word: {command}" if parts else "is empty"
        raise InputError(f"the `command` of '{resource}' {said}", hint=hint)
    place = _program(parts)
    if place == len(parts):
        raise InputError(
            f"the `command` of '{resource}' names no program: {command}",
            hint="write it behind the launcher: `mpirun -np 4 PROGRAM`",
        )
    if not is_here:
        return parts[place]
    for needed in dict.fromkeys((parts[0], parts[place])):
        if shutil.which(needed) is None:
            raise InputError(f"'{resource}' needs '{needed}', which is not installed", hint=hint)
    return str(shutil.which(parts[place]))


def _program(command: list[str]) -> int:
    """Where in a command the program stands: the first word that is none of the launcher's, or else
    the last one; behind all, if that is an option or its number."""
    if Path(command[0]).name not in (*LAUNCHERS, "srun"):
        return 0
    for place, word in enumerate(command[1:], start=1):
        is_option = word.startswith("-")
        is_value = command[place - 1].startswith("-") and _is_value(word)
        if not is_option and not is_value:
            return place
    last = command[-1]
    is_no_program = len(command) == 1 or last.startswith("-") or last.isdigit()
    return len(command) - (not is_no_program)


def _is_value(word: str) -> bool:
    """Whether a word after an option belongs to it, and is not the program."""
    return shutil.which(word) is None and not word.endswith(".x")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks a program to end, which lets a launcher end its processes; then kills it."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5.0)
    process.kill()
    process.wait()
