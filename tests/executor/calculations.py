"""Functions for child processes."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path


def doubled(x: float) -> dict[str, float]:
    print("working")
    return {"value": 2 * x}


def threads() -> dict[str, str]:
    return {name: os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}


def impossible(why: str) -> None:
    raise ArithmeticError(why)


class Told(RuntimeError):
    """Whose message is a sentence."""

    is_sentence = True


def unconverged() -> None:
    raise Told("pw.x: not converged")


def killed() -> None:
    os.kill(os.getpid(), 9)


def killed_with_a_program(pid_file: str) -> None:
    """Starts a program in a group of its own, as `mpirun` does with its ranks, and is killed."""
    program = subprocess.Popen(["sleep", "600"], process_group=0)
    Path(pid_file).write_text(str(program.pid))
    os.kill(os.getpid(), 9)


def unspeakable() -> object:
    return {"value": object()}


def slow(pid_file: str, seconds: float = 60.0) -> dict[str, float]:
    part = Path(pid_file + ".part")
    part.write_text(str(os.getpid()))
    part.rename(pid_file)
    time.sleep(seconds)
    return {"value": seconds}


def at_once(log: str, seconds: float) -> dict[str, float]:
    with Path(log).open("a") as out:
        out.write("+")
    time.sleep(seconds)
    with Path(log).open("a") as out:
        out.write("-")
    return {}


def counted(x: float) -> dict[str, float]:
    if x < 0:
        raise ValueError("below zero")
    return {"value": 2 * x, "process": float(os.getpid())}


LOADED: list[int] = []


def load(what: int) -> None:
    if what < 0:
        raise ImportError("there is nothing to load")
    LOADED.append(os.getpid())


def with_loaded(seconds: float = 0.0, pid_file: str = "") -> dict[str, float]:
    """Who loaded, who runs, and where. With a file, only who makes it takes its time."""
    if pid_file and Path(pid_file).exists():
        seconds = 0.0
    elif pid_file:
        part = Path(pid_file + ".part")
        part.write_text(str(os.getpid()))
        part.rename(pid_file)
    time.sleep(seconds)
    Path("here").write_text("")
    return {"keeper": float(LOADED[0]), "process": float(os.getpid()), "group": float(os.getpgrp())}


def once(log: str, seconds: float = 0.0, wait_for: str = "") -> dict[str, float]:
    """Writes a line into a log when it begins; waits for a file, if one is named."""
    with Path(log).open("a") as out:
        out.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    while wait_for and not Path(wait_for).exists():
        time.sleep(0.05)
    return {"value": 1.0}


def fills_the_disk(size: int) -> dict[str, float]:
    """Writes more than there is room for."""
    with Path("large").open("wb") as out:
        for _ in range(size >> 16):
            out.write(bytes(1 << 16))
    return {"value": 1.0}
