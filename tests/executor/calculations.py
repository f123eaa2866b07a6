"""Functions for child processes."""

from __future__ import annotations

import os
import time
from pathlib import Path


def doubled(x: float) -> dict[str, float]:
    print("working")
    return {"value": 2 * x}


def threads() -> dict[str, str]:
    return {name: os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}


def impossible(why: str) -> None:
    raise ArithmeticError(why)


def killed() -> None:
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
    """Who loaded, who runs, and where."""
    if pid_file:
        part = Path(pid_file + ".part")
        part.write_text(str(os.getpid()))
        part.rename(pid_file)
    time.sleep(seconds)
    Path("here").write_text("")
    return {"keeper": float(LOADED[0]), "process": float(os.getpid()), "group": float(os.getpgrp())}
