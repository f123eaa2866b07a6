"""What a POSCAR says beside what is read of it."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.errors import InputError

_COUNTS = 5
"""The line of the numbers of atoms, counted from zero, or the one after it."""


def refuse_more_places(text: str, name: str) -> None:
    """Accepts a POSCAR that lists as many places as it has atoms: readers leave away what follows.
    `name` is how a sentence calls it. Raises InputError."""
    lines = text.splitlines()
    first = next((k for k in (_COUNTS, _COUNTS + 1) if _numbers(lines, k)), None)
    if first is None:
        return
    n = sum(int(count) for count in _numbers(lines, first))
    is_selective = "".join(lines[first + 1 : first + 2]).strip()[:1] in ("s", "S")
    end = first + (3 if is_selective else 2) + n
    after = lines[end].split() if end < len(lines) else []  # velocities come after an empty line
    if is_vector(after[:3]):
        raise InputError(
            f"the structure {name} lists more places than the {n} of its line '"
            f"{lines[first].strip()}'",
            hint="correct the numbers of atoms; velocities come after an empty line",
        )


def _numbers(lines: list[str], place: int) -> list[str]:
    """The whole numbers that begin a line."""
    found = []
    for word in lines[place].split() if place < len(lines) else []:
        if not word.isdecimal():
            break
        found.append(word)
    return found


def is_vector(words: Sequence[str]) -> bool:
    """Whether the words are three numbers."""
    try:
        return len([float(word) for word in words]) == len("xyz")
    except ValueError:
        return False
