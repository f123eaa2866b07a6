"""What was submitted in one turn, as one array of a scheduler's, and what became of it.

A batch is a file with the directories of its attempts, one a line, written before anything is
submitted; its number is part of the array's name. So a turn that dies between the two is found out
by its successor: it asks the scheduler for that name. Should an array come late all the same, each
of its elements begins with `output.txt`, which only one can make: nothing runs twice.

In `<root>/batches` lie `0001.txt`, ... and `submitted.txt` with a line `NUMBER ID` a batch.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.errors import ExecutionError
from orchestrator.executor.attempts import room_in

CLAIM = "output.txt"


@dataclass(frozen=True)
class Standing:
    """Whether an attempt may still come to a result by itself; `held_up` is what the scheduler says
    of one that waits for more than its turn."""

    is_alive: bool
    is_running: bool = False
    held_up: str = ""


class Scheduler(Protocol):
    """What takes arrays of calculations, and knows about them."""

    def owns(self, array: str) -> bool:
        """Whether this is an id of its own, as far as the looks of it tell."""
        ...

    def submit(self, name: str, batch: Path, n: int) -> str:
        """Submits the elements 1 to `n` of a batch; the id. Raises ExecutionError."""
        ...

    def look(self, prefix: str) -> Mapping[str, str]:
        """The ids of the arrays in the queue whose names begin like this, by name.

        Raises:
            ExecutionError: the scheduler does not answer.
        """
        ...

    def standing(self, array: str, element: int) -> Standing:
        """Whether an element is still under way, as of the last look; asks nobody."""
        ...

    def why(self, array: str, element: int) -> str:
        """What became of one that is not, in words."""
        ...

    def fault(self, array: str, element: int) -> str:
        """Why one that is not could not have come to a result, whatever its input; '' unless
        something shows that."""
        ...


class Batches:
    """The batches of one campaign, below `root`. What was submitted to one of `others`, before the
    lab file named another site, is looked for there."""

    def __init__(
        self, root: Path, prefix: str, scheduler: Scheduler, others: Sequence[Scheduler] = ()
    ) -> None:
        self._folder = root / "batches"
        self._root = root
        self._prefix = prefix
        self._scheduler = scheduler
        self._others = others
        self._waiting: list[Path] = []
        self._places: dict[str, tuple[str, int]] = {}
        self._last = 0

    def look(self) -> None:
        """Reads what was submitted, and asks the scheduler about it.

        Raises:
            ExecutionError: the scheduler does not answer.
        """
        with room_in(self._root):
            self._folder.mkdir(parents=True, exist_ok=True)
        queued = self._scheduler.look(self._prefix)
        ids = self._submitted()
        for path in sorted(self._folder.glob("[0-9]*.txt")):
            number = path.stem
            self._last = max(self._last, int(number))
            lines = path.read_text().split()
            array = ids.get(number) or self._found(number, queued, lines)
            if not array:
                path.unlink()  # never submitted; should it come late, it finds no list
                continue
            if self._is_over(lines):
                path.unlink()
                continue
            for element, line in enumerate(lines, 1):
                self._places[line] = (array, element)
        for other in self._others:
            if any(other.owns(array) for array, _ in self._places.values()):
                with contextlib.suppress(ExecutionError):  # gone, as far as anybody knows here
                    other.look(self._prefix)

    def _whose(self, array: str) -> Scheduler:
        """Whom to ask about an array."""
        return next((other for other in self._others if other.owns(array)), self._scheduler)

    def _found(self, number: str, queued: Mapping[str, str], lines: list[str]) -> str:
        """The id of a batch whose engine died before it was written down."""
        array = queued.get(f"{self._prefix}{number}", "")
        if not array and any((self._root / line / CLAIM).exists() for line in lines):
            array = "gone"
        if array:
            self._write_down(number, array)
        return array

    def _is_over(self, lines: list[str]) -> bool:
        """All of it left results; nobody needs the list."""
        directories = [self._root / line for line in lines]
        return all((d / "result.json").exists() or not d.exists() for d in directories)

    def _submitted(self) -> dict[str, str]:
        try:
            lines = (self._folder / "submitted.txt").read_text().splitlines()
        except FileNotFoundError:
            return {}
        pairs = (line.split() for line in lines)
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    def add(self, directory: Path) -> None:
        """This attempt is to be submitted."""
        if directory not in self._waiting:
            self._waiting.append(directory)

    def standing(self, directory: Path) -> Standing | None:
        """What became of an attempt; None for one that was not submitted."""
        if directory in self._waiting:
            return Standing(is_alive=True)
        place = self._places.get(str(directory.relative_to(self._root)))
        return None if place is None else self._whose(place[0]).standing(*place)

    def why(self, directory: Path) -> str:
        """What became of an attempt that was lost, in words."""
        place = self._places[str(directory.relative_to(self._root))]
        return self._whose(place[0]).why(*place)

    def fault(self, directory: Path) -> str:
        """Why an attempt that was lost could not have come to a result, whatever its input."""
        place = self._places[str(directory.relative_to(self._root))]
        return self._whose(place[0]).fault(*place)

    @property
    def waiting(self) -> Collection[Path]:
        """Directories of attempts that were added and are not submitted."""
        return self._waiting

    def flush(self) -> int:
        """Submits what was added; how many. Raises ExecutionError."""
        with room_in(self._root):
            return self._flush() if self._waiting else 0

    def _flush(self) -> int:
        self._last += 1
        number = f"{self._last:04d}"
        batch = self._folder / f"{number}.txt"
        lines = [str(directory.relative_to(self._root)) for directory in self._waiting]
        _write(batch, "".join(f"{line}\n" for line in lines))
        array = self._scheduler.submit(f"{self._prefix}{number}", batch, len(lines))
        self._write_down(number, array)
        self._places.update({line: (array, n) for n, line in enumerate(lines, 1)})
        n_submitted, self._waiting = len(lines), []
        return n_submitted

    def _write_down(self, number: str, array: str) -> None:
        """As a whole: half a line, of a disk that is full, would name another array."""
        lines = [f"{known} {one}\n" for known, one in self._submitted().items()]
        _write(self._folder / "submitted.txt", "".join([*lines, f"{number} {array}\n"]))

    def counts(self) -> tuple[int, int]:
        """How many calculations run, and how many wait, as of the last look."""
        here = self._alive()
        n_running = sum(s.is_running for s in here)
        return n_running, len(here) - n_running

    def held_up(self) -> Collection[str]:
        """Why those wait that wait for more than their turn, in the scheduler's words."""
        return sorted({s.held_up for s in self._alive() if s.held_up})

    def _alive(self) -> list[Standing]:
        return [s for d in self._places if (s := self._unfinished(d)) is not None and s.is_alive]

    def _unfinished(self, line: str) -> Standing | None:
        if (self._root / line / "result.json").exists() or not (self._root / line).exists():
            return None
        return self._whose(self._places[line][0]).standing(*self._places[line])


def directory_of(batch: Path, element: int) -> Path:
    """The directory of an element; the batch lies in `<root>/batches`.

    Raises:
        OSError, IndexError: there is none.
    """
    return batch.parent.parent / batch.read_text().split()[element - 1]


def is_claimed_by_us(directory: Path) -> bool:
    """Takes an attempt, unless somebody else has taken it."""
    try:
        os.close(os.open(directory / CLAIM, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        return False
    return True


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    with part.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    part.rename(path)
