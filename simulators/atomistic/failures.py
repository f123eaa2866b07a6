"""Failures of codes: told by what a code printed, never by its exit code or its "JOB DONE".

A code is a table: patterns of its text, in the order in which they count, and cures, in the order
in which they are tried. `simulators.atomistic.curing` does with a table what there is to do; a code
that is run inside Python has one too, its text being its log and what it raised.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Settings = Mapping[str, Any]
"""What a code is told, flat: `{"electrons.mixing_beta": 0.7}`."""
Change = Callable[[Settings], Settings | None]


class Failure(StrEnum):
    """Why a calculation came to nothing. The value is what the user reads."""

    NOT_CONVERGED = "not converged"
    OSCILLATING = "SCF oscillation"
    EIGENVALUES = "eigenvalues not found"
    OCCUPATIONS = "wrong occupations"
    BANDS = "too few bands"
    PSEUDOPOTENTIAL = "missing or wrong pseudopotential"
    SYMMETRY = "wrong symmetry"
    STRUCTURE = "impossible structure"
    STEP = "step too large"
    RISING = "energy rises along the forces"
    MEMORY = "out of memory"
    DISK = "disk full"
    WALLTIME = "walltime"
    KILLED = "killed"
    INPUT = "input refused"
    NOT_STARTED = "not started"
    UNKNOWN = "unknown failure"


FAULTS = (Failure.PSEUDOPOTENTIAL, Failure.DISK, Failure.INPUT, Failure.NOT_STARTED)
"""What no structure is to blame for: the next one would fail likewise."""
_TELLING = r"(?i)error|cannot|unable|not found|no such"
SECONDS_OF: Mapping[str, int] = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True)
class Pattern:
    """A regular expression of a code's text (`^` and `$` at each line), and what it shows.
    `is_warning` is what runs print, too, that go on and end well: it explains a failure, and makes
    none."""

    failure: Failure
    text: str
    is_warning: bool = False


SURROUNDINGS = (
    Pattern(
        Failure.WALLTIME,
        r"stopped after its walltime|DUE TO TIME LIMIT|walltime .*exceeded|"
        r"job killed: walltime|TERM_RUNLIMIT",
    ),
    Pattern(
        Failure.MEMORY,
        r"[Cc]annot allocate|would exceed memory limit|insufficient (virtual )?memory|"
        r"[Oo]ut [Oo]f [Mm]emory|oom[-_ ]?kill|bad_alloc|Error allocating|"
        r"allocat\w+ .*failed|unable to allocate",
    ),
    Pattern(
        Failure.DISK,
        r"No space left on device|[Dd]isk quota exceeded|severe \(38\): error during write",
    ),
    Pattern(
        Failure.KILLED,
        r"(?i:killed by signal:? (1|2|9|15|24)\b)|exited on signal (9|15)\b|CANCELLED AT|"
        r"EXIT CODE: (9|137|143)\b|^srun: error: .*: Killed",
    ),
)
"""What a queue, a launcher or the system says of a program that it ended: alike for all codes."""
CRASHED = r"SIGSEGV.*|(?i:killed by signal)|exited on signal"
"""What they say of one that ended by itself."""


@dataclass(frozen=True)
class Cure:
    """Something to try.

    Attributes:
        name: what is done, as the user reads it.
        treats: the failures that it is tried against.
        change: what is set to other values (perhaps nothing); None if it cannot help any more.
        changes_energy: whether the energy is another quantity afterwards (smearing), and not the
            same one found in another way (mixing).
        restarts: whether it begins from what the failed attempt saved.
        times: so often at most in one calculation.
    """

    name: str
    treats: tuple[Failure, ...]
    change: Change
    changes_energy: bool = False
    restarts: bool = False
    times: int = 1


@dataclass(frozen=True)
class Code:
    """What is known of a code.

    Attributes:
        name: as the user knows it.
        patterns: the first that is found decides.
        cures: the first that treats the failure, and has something left to change, is tried.
        outputs: names of the files in an attempt's directory that hold its text.
        residual: a pattern whose group is, line by line, what vanishes as the electrons converge;
            it tells an oscillation from what only needs more steps.
        bulky: names (with `*`) of what is not kept after the last use of an attempt.
        began: a pattern of what it prints first; without it, it never ran (its launcher failed).
        ranks: a pattern whose group is the number of its MPI ranks.
        spent: a pattern whose group is the CPU time of one of them: `62.5`, or `1m 2.50s`.
    """

    name: str
    patterns: tuple[Pattern, ...]
    cures: tuple[Cure, ...]
    outputs: tuple[str, ...]
    residual: str = ""
    bulky: tuple[str, ...] = ()
    began: str = ""
    ranks: str = ""
    spent: str = ""


def spent(code: Code, text: str) -> float:
    """The core-seconds that a code says it took, over all ranks; 0 where it says nothing, as when
    it was killed."""
    taken = re.findall(code.spent, text, re.MULTILINE) if code.spent else []
    if not taken:
        return 0.0
    ranks = re.search(code.ranks, text, re.MULTILINE)
    parts = re.findall(r"([\d.]+) *([dhms]?)", taken[-1])
    one = math.fsum(float(number) * SECONDS_OF[unit or "s"] for number, unit in parts)
    return one * (int(ranks[1]) if ranks else 1)


def classified(code: Code, text: str, *, has_result: bool = False) -> tuple[Failure, str] | None:
    """What a text shows, and the line that shows it; None if it shows no failure."""
    for pattern in code.patterns:
        if has_result and pattern.is_warning:
            continue
        found = re.search(pattern.text, text, re.MULTILINE)
        if found is None:
            continue
        failure = pattern.failure
        if failure is Failure.NOT_CONVERGED and oscillates(residuals(code, text)):
            failure = Failure.OSCILLATING
        return failure, _shown(text, found.start(), found.end())
    return None


def unexplained(code: Code, text: str, error: Exception) -> tuple[Failure, str]:
    """What to say of a run that shows no known failure, and gave no result but an exception."""
    lines = [line.strip() for line in text.splitlines() if re.search(r"[A-Za-z]", line)]
    if code.began and not re.search(code.began, text, re.MULTILINE):
        telling = (line for line in lines if re.search(_TELLING, line) and "exit code" not in line)
        return Failure.NOT_STARTED, next(telling, (lines or ["it said nothing"])[-1])[:200]
    said = str(error) or not code.began or not lines
    return Failure.UNKNOWN, (f"{type(error).__name__}: {error}" if said else lines[-1])[:200]


def residuals(code: Code, text: str) -> list[float]:
    """What vanishes as the electrons converge, of the last cycle in the text; absolute values."""
    if not code.residual:
        return []
    found = re.findall(code.residual, text, re.MULTILINE)
    return [abs(float(value.replace("D", "E"))) for value in found]


def oscillates(falling: list[float]) -> bool:
    """Whether the second half of at least six residuals goes up and down and gains no tenfold."""
    if len(falling) < 6:
        return False
    half = len(falling) // 2
    early, late = falling[:half], falling[half:]
    rises = sum(b > a for a, b in itertools.pairwise(late))
    return min(late) > 0.1 * min(early) and rises >= (len(late) - 1) / 4


def scaled(
    key: str, factor: float, default: float, *, least: float = 0.0, most: float = float("inf")
) -> Change:
    """Multiplies a number, as long as it stays between `least` and `most`."""

    def change(settings: Settings) -> Settings | None:
        new = type(default)(float(settings.get(key, default)) * factor)
        return {key: new} if least <= new <= most else None

    return change


def put(wanted: Settings) -> Change:
    """Sets values; cannot help where they are set already."""

    def change(settings: Settings) -> Settings | None:
        new = {key: value for key, value in wanted.items() if settings.get(key) != value}
        return new or None

    return change


def again(settings: Settings) -> Settings | None:
    """Changes nothing: begins anew, or from what was saved."""
    return {}


def shown(changes: Iterable[tuple[str, Any, Any]]) -> str:
    """`mixing_beta 0.7 -> 0.3`, and so on."""
    return ", ".join(
        f"{key.rpartition('.')[2]} {_said(old)} -> {_said(new)}" for key, old, new in changes
    )


def _said(value: Any) -> Any:
    return "default" if value is None else value


def _shown(text: str, begin: int, end: int) -> str:
    """The lines that hold a place of the text, as one."""
    while begin < end and text[begin].isspace():
        begin += 1
    first = text.rfind("\n", 0, begin) + 1
    last = text.find("\n", end)
    return " ".join(text[first : last if last >= 0 else None].split())[:200]
