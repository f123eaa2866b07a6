"""What is tried when a calculation fails (`simulators.atomistic.failures` says what there is).

A calculation of a code is a chain of attempts, each in a directory of its own with what the code
was told, what it printed, and `attempt.json`: what was changed, why, and from whose density it
began. What helped stays changed for the rest of the calculation (the next step of a relaxation, the
next volume), so that one result is of one method; `mended` sees to it. The next step may begin from
the density of the one before, which is kept until then.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from orchestrator.errors import ExecutionError
from simulators.atomistic.failures import (
    FAULTS,
    Code,
    Cure,
    Failure,
    Settings,
    classified,
    shown,
    spent,
    unexplained,
)
from simulators.atomistic.programs import cpu_seconds

T = TypeVar("T")
Compute = Callable[[Settings, Path, Path | None], T]
ALLOWED = ("none", "safe", "all")
"""Which cures are tried: none; those that leave the energy what it is; all."""
MOST_ATTEMPTS = 8
"""Of one calculation of a code."""


STEPS_ANGSTROM = (0.2, 0.05)
"""The longest step of a relaxation, as ASE has it; and of one that failed on its way."""
_ON_THE_WAY = (
    *(Failure.STEP, Failure.STRUCTURE, Failure.EIGENVALUES),
    *(Failure.NOT_CONVERGED, Failure.OSCILLATING),
)
"""Failures that a step too far may have led to."""


class Adrift(RuntimeError):
    """A relaxation went on and on; or it failed at a structure that it had made itself."""

    is_sentence = True

    def __init__(self, why: str, failure: Failure = Failure.STEP) -> None:
        self.failure = failure
        super().__init__(why)


class Incurable(RuntimeError):
    """A calculation failed, and nothing helped that may be tried. `failure` is its class."""

    is_sentence = True

    def __init__(self, code: str, failure: Failure, said: str, tried: list[str], hint: str) -> None:
        self.failure = failure
        more = f"; tried: {', '.join(tried)}" if tried else ""
        super().__init__(f"{code}: {failure}{f' ({said})' if said else ''}{more}{hint}")


@dataclass(frozen=True)
class Attempt:
    """One run of a code. `cure` is what was done to get here, `changes` are (name, old, new);
    `failure` is empty where it went well."""

    code: str
    directory: str
    failure: str = ""
    said: str = ""
    cure: str = ""
    changes: tuple[tuple[str, Any, Any], ...] = ()
    changes_energy: bool = False
    began_from: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class _Density:
    """What it is of, the directory where it lies, and the names of what is to go with it."""

    of: str
    directory: Path
    bulky: tuple[str, ...]


@dataclass
class Record:
    """All attempts of a calculation, and what they left changed. `elsewhere_s` is the CPU time of
    ranks that are no children of this process, as far as the code says what it took. `densities`
    are those that the next step may begin from, by code."""

    attempts: list[Attempt] = field(default_factory=list)
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_mixed: bool = False
    allowed: str = "safe"
    steps: list[str] = field(default_factory=list)
    elsewhere_s: float = 0.0
    densities: dict[str, _Density] = field(default_factory=dict)

    @property
    def is_altered(self) -> bool:
        """Whether a cure made the energy another quantity."""
        return any(one.changes_energy for one in self.attempts)

    @property
    def text(self) -> str:
        """What failed and what was done, once each: `pw.x: SCF oscillation, less mixing
        (mixing_beta 0.7 -> 0.35)`."""
        lines: Counter[str] = Counter()
        for before, after in zip(self.attempts, self.attempts[1:], strict=False):
            if not before.failure:
                continue
            changes = f" ({shown(after.changes)})" if after.changes else ""
            energy = ", which changes the energy" if after.changes_energy else ""
            lines[f"{before.code}: {before.failure}, {after.cure}{changes}{energy}"] += 1
        counted = [f"{line} ({n} times)" if n > 1 else line for line, n in lines.items()]
        return "; ".join([*counted, *dict.fromkeys(self.steps)])


_record: contextvars.ContextVar[Record | None] = contextvars.ContextVar("record", default=None)


@contextlib.contextmanager
def recorded(allowed: str = "safe") -> Iterator[Record]:
    """Keeps what `cured` and `stepped` do meanwhile."""
    token = _record.set(Record(allowed=allowed))
    try:
        found = _record.get()
        assert found is not None
        yield found
    finally:
        _record.reset(token)


def mended(task: Callable[[], T], allowed: str = "safe") -> tuple[T, Record]:
    """What a task gives, and what was done for it, of what is `allowed`. The task is done again
    from its begin when a cure changed what its energies are of, so that none is compared with one
    of another kind."""
    with recorded(allowed) as record:
        try:
            while True:
                record.is_mixed = False
                found = task()
                if not record.is_mixed:
                    return found, record
        finally:
            for one in record.densities.values():
                _forget(one.directory, one.bulky)


def stepped(relax: Callable[[float], T]) -> T:
    """What a relaxation gives whose steps are so many angstrom at most; where it fails on its way,
    anew with smaller ones. Raises what it raises."""
    here = _record.get() or Record()
    longest, smaller = STEPS_ANGSTROM
    try:
        return relax(longest)
    except Adrift as error:
        if error.failure not in _ON_THE_WAY or here.allowed == "none":
            raise
        failure = error.failure
    found = relax(smaller)
    here.steps.append(f"relaxation: {failure}, smaller steps (max_step {longest} -> {smaller})")
    return found


def cured(
    code: Code,
    settings: Settings,
    compute: Compute[T],
    *,
    allowed: str = "safe",
    root: Path | None = None,
    keep: Mapping[str, Any] | None = None,
    density_of: str = "",
) -> T:
    """What `compute` gives, in the end.

    Args:
        code: the table of the code.
        settings: what the code is told at first.
        compute: runs the code: `(settings, directory, from)`, in an empty directory, from what the
            attempt in the directory `from` saved unless it is None. It may raise whatever it likes.
        allowed: one of `ALLOWED`.
        root: where the directories are made; else the working directory.
        keep: what else an attempt's record needs, so that it can be repeated.
        density_of: the next calculation of the same may begin from this one's density; '' for none.

    Raises:
        Incurable: nothing helped that may be tried.
        ExecutionError: it failed for a reason that no structure is to blame for.
    """
    here = _record.get() or Record()
    chain = _Chain(code, dict(settings), allowed, root or Path.cwd(), dict(keep or {}), here)
    return chain.run(compute, density_of)


_ELSEWHERE = (*FAULTS, Failure.WALLTIME, Failure.MEMORY, Failure.KILLED)
"""Failures that no density led to."""
_ANEW = Cure("begun anew", tuple(f for f in Failure if f not in _ELSEWHERE), lambda settings: None)
"""What is tried first where a calculation began from the density of the one before."""


class _Chain:
    """The attempts of one calculation of a code."""

    def __init__(
        self,
        code: Code,
        settings: dict[str, Any],
        allowed: str,
        root: Path,
        keep: dict[str, Any],
        record: Record,
    ) -> None:
        self._code, self._allowed, self._root, self._keep = code, allowed, root, keep
        self._record = record
        self._settings = {**settings, **record.changed.get(code.name, {})}
        self._used: Counter[str] = Counter()

    def run(self, compute: Compute[T], density_of: str) -> T:
        cure: Cure | None = None
        known = self._record.densities.pop(self._code.name, None)
        previous = known.directory if known else None
        carried = previous if known and known.of == density_of else None
        changes: tuple[tuple[str, Any, Any], ...] = ()
        for _ in range(MOST_ATTEMPTS):
            directory = self._directory()
            source = previous if cure is not None and cure.restarts else carried
            attempt = Attempt(
                self._code.name,
                directory.name,
                cure=cure.name if cure else "",
                changes=changes,
                changes_energy=cure.changes_energy if cure else False,
                began_from=source.name if source else "",
            )
            begun = time.monotonic()
            _write(directory, attempt, {**self._keep, "settings": self._settings})
            result, failure, said, error = self._one(compute, directory, source)
            ended = {"failure": str(failure or ""), "said": said}
            attempt = Attempt(
                **{**vars(attempt), **ended, "seconds": round(time.monotonic() - begun, 3)}
            )
            _write(directory, attempt, {**self._keep, "settings": self._settings})
            self._record.attempts.append(attempt)
            if previous is not None:
                _forget(previous, self._code.bulky)
            if failure is None:
                if density_of:
                    here = _Density(density_of, directory, self._code.bulky)
                    self._record.densities[self._code.name] = here
                else:
                    _forget(directory, self._code.bulky)
                return result[0]
            previous = directory
            if carried is not None and failure in _ANEW.treats:
                cure, changes, carried = _ANEW, (), None
                continue
            carried = None
            cure, changes = self._next(failure, said, error)
        raise self._incurable(Failure(attempt.failure), attempt.said)

    def _one(
        self, compute: Compute[T], directory: Path, source: Path | None
    ) -> tuple[list[T], Failure | None, str, Exception | None]:
        """The result (in a list, for it may be None); or the failure and what shows it."""
        result: list[T] = []
        error: Exception | None = None
        begun = cpu_seconds()
        try:
            result.append(compute(dict(self._settings), directory, source))
        except (ImportError, MemoryError, ExecutionError):
            raise
        except Exception as raised:  # noqa: BLE001 - whatever a code's door raises, its text tells
            error = raised
        here = cpu_seconds() - begun
        text = _text(directory, self._code)
        self._record.elsewhere_s += max(0.0, spent(self._code, text) - here)
        raised_text = "" if error is None else f"\n{type(error).__name__}: {error}\n"
        found = classified(self._code, text + raised_text, has_result=error is None)
        if found is None and error is not None:
            found = unexplained(self._code, text, error)
        if found is not None:
            return [], *found, error
        return result, None, "", None

    def _next(
        self, failure: Failure, said: str, error: Exception | None
    ) -> tuple[Cure, tuple[tuple[str, Any, Any], ...]]:
        for cure in self._code.cures:
            if failure not in cure.treats or self._used[cure.name] >= cure.times:
                continue
            if self._allowed == "none" or (cure.changes_energy and self._allowed != "all"):
                continue
            change = cure.change(self._settings)
            if change is None:
                continue
            self._used[cure.name] += 1
            changes = tuple((k, self._settings.get(k), v) for k, v in change.items())
            self._settings.update(change)
            self._record.changed.setdefault(self._code.name, {}).update(change)
            if cure.changes_energy and any(not one.failure for one in self._record.attempts):
                self._record.is_mixed = True
            return cure, changes
        raise self._incurable(failure, said) from error

    def _incurable(self, failure: Failure, said: str) -> Exception:
        tried = list(self._used)
        left = [
            cure.name
            for cure in self._code.cures
            if failure in cure.treats and cure.changes_energy and self._allowed != "all"
        ]
        hint = f"; `cures: all` would also try: {', '.join(left)}" if left else ""
        if failure in FAULTS:
            return ExecutionError(f"{self._code.name}: {failure} ({said})")
        return Incurable(self._code.name, failure, said, tried, hint)

    def _directory(self) -> Path:
        number = len(self._record.attempts) + 1
        while True:
            directory = self._root / f"attempt-{number:03d}"
            try:
                directory.mkdir(parents=True)
            except FileExistsError:
                number += 1
                continue
            return directory


def _forget(directory: Path, bulky: tuple[str, ...]) -> None:
    """Removes what no later attempt needs."""
    for name in bulky:
        for path in directory.glob(name):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _text(directory: Path, code: Code) -> str:
    parts = []
    for name in code.outputs:
        with contextlib.suppress(FileNotFoundError):
            parts.append((directory / name).read_text(errors="replace"))
    return "\n".join(parts)


def _write(directory: Path, attempt: Attempt, more: Mapping[str, Any]) -> None:
    text = json.dumps({**asdict(attempt), **more}, indent=1, default=str)
    (directory / "attempt.json").write_text(text)
