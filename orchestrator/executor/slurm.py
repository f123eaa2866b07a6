"""SLURM by its commands: sbatch, squeue and scontrol (or sacct, where there is accounting)."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import ExecutionError
from orchestrator.executor.batches import Standing
from orchestrator.executor.local import environment
from orchestrator.executor.submissions import end_of
from orchestrator.model.site import Site

ANSWER_WITHIN_S = 60.0
FIRST_SIGNAL = 128
"""Exit codes from here on say by which signal a process was ended."""
OVER = frozenset(
    {
        *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL"),
        *("OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"),
    }
)
"""States of squeue(1) that do not end in a result any more. COMPLETING is not one."""
WORDS = {
    "TIMEOUT": "ran out of its walltime",
    "CANCELLED": "was cancelled",
    "NODE_FAIL": "lost its node",
    "OUT_OF_MEMORY": "ran out of memory",
    "PREEMPTED": "was preempted",
    "FAILED": "ended badly",
    "COMPLETED": "ended without a result",
}


class Slurm:
    """Arrays of one campaign (`batches.Scheduler`)."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._states: dict[tuple[str, int], str] = {}
        self._reasons: dict[tuple[str, int], str] = {}
        self._ends: dict[str, Mapping[int, tuple[str, int]]] = {}

    def owns(self, array: str) -> bool:
        """See `batches.Scheduler`."""
        return array.isdigit()

    def submit(self, name: str, batch: Path, n: int) -> str:
        """See `batches.Scheduler`."""
        said = _asked("sbatch", *self._flags(name, batch, n), given=self._script(batch))
        array = said.strip().partition(";")[0]
        self._states.update({(array, element): "PENDING" for element in range(1, n + 1)})
        return array

    def _flags(self, name: str, batch: Path, n: int) -> list[str]:
        site = self._site
        minutes = max(1, round(site.walltime_s / 60))
        named = {
            "job-name": name,
            "array": f"1-{n}%{site.at_once}",
            "time": str(minutes),
            "nodes": str(site.nodes_each),
            "ntasks-per-node": str(site.ranks),
            "cpus-per-task": str(site.cores),
            "chdir": str(batch.parent.parent),
            "output": "/dev/null",
            "partition": site.partition,
            "account": site.account,
            "qos": site.qos,
        }
        flags = [f"--{flag}={value}" for flag, value in named.items() if value]
        return ["--parsable", "--no-requeue", *flags]

    def _script(self, batch: Path) -> str:
        site = self._site
        lines = ["#!/bin/bash", *site.options]
        lines.append(f"export PYTHONPATH={shlex.quote(environment()['PYTHONPATH'])}")
        if site.launcher:
            lines.append(f"export PARSL_MPI_PREFIX={shlex.quote(launch_prefix(site))}")
        lines += [site.prelude] if site.prelude else []
        command = [sys.executable, "-P", "-m", "orchestrator.executor.element"]
        words = [*command, str(batch), str(site.cores)]
        lines.append(f"exec {shlex.join(words)} $SLURM_ARRAY_TASK_ID")
        return "\n".join(lines) + "\n"

    def look(self, prefix: str) -> Mapping[str, str]:
        """See `batches.Scheduler`."""
        said = _asked("squeue", "--noheader", "--me", "--array", "--format=%F|%K|%T|%r|%j")
        arrays: dict[str, str] = {}
        self._states.clear()
        self._reasons.clear()
        self._ends.clear()
        for line in said.splitlines():
            array, element, state, reason, name = line.strip().split("|", 4)
            if name.startswith(prefix) and element.isdigit():
                arrays[name] = array
                self._states[array, int(element)] = state
                self._reasons[array, int(element)] = "" if reason in ORDINARY else reason
        return arrays

    def standing(self, array: str, element: int) -> Standing:
        """See `batches.Scheduler`."""
        state = self._states.get((array, element))
        if state is not None and state not in OVER:
            is_running = state in ("RUNNING", "COMPLETING")
            held_up = "" if is_running else self._reasons.get((array, element), "")
            return Standing(is_alive=True, is_running=is_running, held_up=held_up)
        return Standing(is_alive=False)

    def why(self, array: str, element: int) -> str:
        """See `batches.Scheduler`."""
        state, _ = self._end(array, element)
        return f"{WORDS.get(state, 'was lost')} (SLURM's {array}_{element}: {state or 'unknown'})"

    def fault(self, array: str, element: int) -> str:
        """See `batches.Scheduler`: a calculation that ends by itself leaves a result, so what has
        an exit code of its own was stopped by the node, the `prelude` or the disk."""
        state, code = self._end(array, element)
        if state != "FAILED" or not 0 < code < FIRST_SIGNAL:
            return ""
        return f"{end_of(code).why} (SLURM's {array}_{element})"

    def _end(self, array: str, element: int) -> tuple[str, int]:
        """The last state, and the exit code; SLURM is asked once for all elements of an array."""
        if array not in self._ends:
            self._ends[array] = last_states(array)
        ends = self._ends[array]
        return ends.get(element, ends.get(THE_REST, ("", 0)))


ORDINARY = ("None", "Priority", "Resources", "JobArrayTaskLimit", "Dependency", "BeginTime")
"""Reasons to wait that pass by themselves."""
THE_REST = -1
"""In place of an element's number: all that have no line of their own."""
NOT_EXPANDED = str(2**32 - 2)
"""SLURM's NO_VAL: what of an array was cancelled while it waited keeps no numbers."""


def launch_prefix(site: Site) -> str:
    """How a calculation starts its ranks within its own job."""
    n = site.nodes_each * site.ranks
    return f"srun --ntasks={n}" if site.launcher == "srun" else f"{site.launcher} -n {n}"


def last_states(array: str) -> dict[int, tuple[str, int]]:
    """The states, and exit codes, that SLURM still knows of an array's elements, those that left
    the queue too. `THE_REST` are those that were cancelled before they began."""
    commands = (
        (
            ["scontrol", "show", "job", "--oneliner", array],
            r"ArrayTaskId=(\S+) .*JobState=(\w+).* ExitCode=(\d+):",
        ),
        (
            ["sacct", "-nXPo", "JobID,State,ExitCode", "-j", array],
            rf"{array}_(\d+)\|([A-Z_]+)[^|]*\|(\d+):",
        ),
    )
    for words, pattern in commands:
        try:
            said = subprocess.run(words, capture_output=True, text=True, timeout=ANSWER_WITHIN_S)
        except (OSError, subprocess.TimeoutExpired):
            continue
        found = re.findall(pattern, said.stdout)
        if said.returncode == 0 and found:
            return {
                n: (state, int(code)) for elements, state, code in found for n in numbered(elements)
            }
    return {}


def numbered(elements: str) -> list[int]:
    """The elements of an array as SLURM writes them.

    >>> numbered("1-3,7%2")
    [1, 2, 3, 7]
    """
    if elements == NOT_EXPANDED:
        return [THE_REST]
    found: list[int] = []
    for part in elements.partition("%")[0].split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            found += range(int(first), int(last if last.isdigit() else first) + 1)
    return found


def _asked(*words: str, given: str | None = None) -> str:
    """What a command of SLURM's says. Raises ExecutionError."""
    try:
        done = subprocess.run(
            words, input=given, capture_output=True, text=True, timeout=ANSWER_WITHIN_S
        )
    except FileNotFoundError as error:
        raise ExecutionError(
            f"there is no command '{words[0]}' here",
            hint="go where SLURM is, or take 'site: {kind: local}'",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ExecutionError(
            f"{words[0]} gave no answer in {ANSWER_WITHIN_S:g} s", hint="try again later"
        ) from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise ExecutionError(
            f"{words[0]} refuses: {said[0] if said else f'exit code {done.returncode}'}",
            hint="check the block 'site' of the lab file, or try again later",
        )
    return done.stdout
