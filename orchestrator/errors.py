"""Everything that can go wrong, as one tree.

An error takes facts, composes its own sentence, keeps the facts as attributes and gives a hint.
Its type says whether it may be tried again where nothing was done, or may be done twice
(`may_retry`), whether what was tried is the cause (`blames_parameters`), and the exit code.

    HaganeError
    ├── InputError          what the user wrote is wrong (exit 2)
    ├── PlanningError       no proposal could be made (exit 5)
    ├── ExecutionError      a step could not be carried out
    │   ├── NeedsPerson     an uncertainty only a person can resolve (exit 3)
    │   └── SafetyStop      a limit or an interlock (exit 4)
    ├── DeviceError         an instrument or a simulator failed (exit 5)
    └── JournalError        the journal cannot be read or written (exit 5)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line."""

    FINISHED = 0
    INPUT = 2
    PERSON = 3
    SAFETY = 4
    ENVIRONMENT = 5
    GOES_ON = 75
    INTERRUPTED = 130


class HaganeError(Exception):
    """Root of the tree. `str(error)` is one sentence; `error.hint` says what to do."""

    exit_code: Exit = Exit.ENVIRONMENT
    may_retry: bool = False
    blames_parameters: bool = False

    def __init__(self, sentence: str, *, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint: the nearest known names, or all of them when none is near."""
    names = sorted(known)
    if near := difflib.get_close_matches(wrong, names, n=1, cutoff=0.6):
        return f"did you mean '{near[0]}'?"
    if not names:
        return "none is defined"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"known: {shown}"


class InputError(HaganeError):
    """What the user wrote is wrong; nothing has been opened."""

    exit_code = Exit.INPUT


@dataclass(frozen=True)
class Problem:
    """One mistake in a file. `line` and `column` count from 1; 0 means the whole file or line."""

    message: str
    hint: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        column = f"{self.column}:" if self.column else ""
        where = f"{self.line}:{column} " if self.line else ""
        return f"{where}{self.message}" + (f" ({self.hint})" if self.hint else "")


class FileProblems(InputError):
    """A campaign, lab or data file has one or more mistakes, all of them listed."""

    def __init__(self, path: str, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        n = len(self.problems)
        lines = "\n".join(f"  {path}:{'' if p.line else ' '}{p}" for p in self.problems)
        super().__init__(f"{path} has {n} mistake{'s' if n != 1 else ''}:\n{lines}")


class UnknownName(InputError):
    """A name that does not exist where it is used."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        article = "an" if kind[0] in "aeiou" else "a"
        super().__init__(f"'{name}' is not {article} {kind}", hint=did_you_mean(name, self.known))


class UnitMismatch(InputError):
    """A quantity has a unit of another dimension than its place needs ('' is no unit)."""

    def __init__(self, what: str, unit: str, expected: str) -> None:
        self.what, self.unit, self.expected = what, unit, expected
        if unit and expected:
            sentence = f"{what} is in '{unit}', which cannot be converted to '{expected}'"
        elif unit:
            sentence = f"{what} is in '{unit}' where a number without unit is needed"
        else:
            sentence = f"{what} has no unit where one like '{expected}' is needed"
        hint = f"give it in '{expected}' or a unit of the same dimension"
        super().__init__(sentence, hint=hint if expected else "divide it by one of that unit")


class UnsafeExpression(InputError):
    """An expression that does more than arithmetic on known names."""

    def __init__(self, expression: str, why: str) -> None:
        self.expression = expression
        super().__init__(
            f"the expression '{expression}' is refused: {why}",
            hint="only arithmetic, comparisons and log, log10, exp, sqrt, abs, min, max",
        )


class NoRecipe(InputError):
    """A campaign that is for tables was to be done in a lab."""

    def __init__(self, campaign: str) -> None:
        self.campaign = campaign
        super().__init__(
            f"campaign '{campaign}' has no recipe, so there is nothing that a lab could do",
            hint="it is for tables: `hagane propose --data`, `hagane replay --table`",
        )


class NameClash(InputError):
    """Another distribution owns one of our top-level import names."""

    exit_code = Exit.ENVIRONMENT

    def __init__(self, package: str, owners: Sequence[str]) -> None:
        self.package, self.owners = package, tuple(owners)
        super().__init__(
            f"the import name '{package}' is also provided by {', '.join(owners)}",
            hint="install hagane into an environment of its own",
        )


class MissingExtra(HaganeError):
    """An optional part is not installed."""

    def __init__(self, what: str, install: str) -> None:
        self.what, self.install = what, install
        super().__init__(f"{what} is not installed", hint=f"install it with: {install}")


class PlanningError(HaganeError):
    """The planner could not make a proposal."""


class PoolExhausted(PlanningError):
    """Every candidate of a finite space has been tried or is in flight. `why_no_more`: of a pool
    that grows, why its generator makes no more."""

    def __init__(self, n_candidates: int, why_no_more: str = "") -> None:
        self.n_candidates, self.why_no_more = n_candidates, why_no_more
        more = f"; {why_no_more}" if why_no_more else ""
        super().__init__(f"all {n_candidates} candidates have been tried{more}")


class ExecutionError(HaganeError):
    """A step could not be carried out."""


class StepTimeout(ExecutionError):
    """A step did not end within its time-out (campaign time)."""

    may_retry = True

    def __init__(self, step: str, timeout_s: float) -> None:
        self.step, self.timeout_s = step, timeout_s
        super().__init__(
            f"step '{step}' did not end within {timeout_s:g} s of campaign time",
            hint="look at the device, or give the step a longer timeout",
        )


class ResultRefused(ExecutionError):
    """A result did not pass the gate (not a number, out of range, wrong unit)."""

    def __init__(self, what: str, value: object, why: str) -> None:
        self.what, self.value = what, value
        said = "is not known" if value is None else f"= {value!r} is refused"
        super().__init__(f"{what} {said}: {why}")


class NeedsPerson(ExecutionError):
    """An uncertainty that only evidence or a person can resolve."""

    exit_code = Exit.PERSON


class Stopped(ExecutionError):
    """The campaign is being stopped; this action was given up on the way."""

    exit_code = Exit.INTERRUPTED


class CalculationFailed(ExecutionError):
    """A calculation came to an end without a result; the input it was given is to blame. It took
    `seconds` (CPU time), where that is known."""

    blames_parameters = True

    def __init__(self, sentence: str, *, hint: str = "", seconds: float | None = None) -> None:
        self.seconds = seconds
        super().__init__(sentence, hint=hint)


class CalculationFault(ExecutionError):
    """A calculation came to an end without a result; the program or the machine failed it."""


class StillRunning(ExecutionError):
    """Not a failure: the calculation goes on where nobody waits for it."""


class SafetyStop(ExecutionError):
    """A limit or an interlock stopped the campaign."""

    exit_code = Exit.SAFETY


class InterlockTripped(SafetyStop):
    """A declared interlock forbids an action, or its condition came true during one."""

    def __init__(self, rule: str, reading: str) -> None:
        self.rule, self.reading = rule, reading
        super().__init__(
            f"interlock '{rule}': {reading}",
            hint="bring the lab into a permitted state, then `hagane resume`",
        )


class LimitExceeded(SafetyStop):
    """An argument lies outside the limits of an action; no byte has left."""

    blames_parameters = True

    def __init__(
        self, what: str, value: float, low: float | None, high: float | None, unit: str
    ) -> None:
        self.what, self.value, self.low, self.high, self.unit = what, value, low, high, unit
        lo = "" if low is None else f"{low:g} <= "
        hi = "" if high is None else f" <= {high:g}"
        super().__init__(
            f"{what} = {value:g} {unit} is outside its limits ({lo}value{hi} {unit})",
            hint="narrow the search space, or widen the limit in the lab file if that is safe",
        )


class DeviceError(HaganeError):
    """An instrument or a simulator failed. `resource` is its name in the lab file."""

    def __init__(self, resource: str, sentence: str, *, hint: str = "") -> None:
        self.resource = resource
        super().__init__(f"{resource}: {sentence}", hint=hint)


class DeviceAbsent(DeviceError):
    """Nothing answers at the address, and no order has left."""

    may_retry = True


class DeviceSilent(DeviceError):
    """A request was sent and no reply came in time. A write is then in an unknown state."""

    may_retry = True


class NoReading(DeviceError):
    """The instrument works, but this measurement gave no data (a bad contact, no lamp)."""


class ProcessUnsteady(DeviceError):
    """Every instrument works, and what they are set to does not come to rest."""

    blames_parameters = True


class DeviceGarbled(DeviceError):
    """A reply failed its framing or checksum."""

    may_retry = True


class DeviceRefused(DeviceError):
    """The device answered that it will not do it."""


class DeviceGone(DeviceError):
    """The connection broke (unplugged, closed by the peer)."""

    may_retry = True


class DriverLost(DeviceError):
    """The process in which its driver runs alone ended, or gave no sign of life; what it was doing
    is then in an unknown state."""


class DeviceUnsure(DeviceError):
    """A write was sent and reading back could not tell whether it took effect."""


class DeviceReset(DeviceError):
    """The device lost what it was set to (a power cut, or somebody at its panel)."""


class WrongDevice(DeviceError):
    """Another device answers than the lab file says."""


class PortTaken(DeviceError):
    """Another process holds the port."""


class TrafficDiffers(HaganeError):
    """What is sent to a replayed record is not what was sent then."""


class JournalError(HaganeError):
    """The journal cannot be read or written."""


class JournalFull(JournalError):
    """The store cannot take another event (disk full, database gone). Nothing is lost."""


class JournalDamaged(JournalError):
    """The hash chain is broken: an event was edited or lost. `seq` is where it shows."""

    def __init__(self, sentence: str, *, hint: str = "", seq: int = 0) -> None:
        self.seq = seq
        super().__init__(sentence, hint=hint)


class StoreTooNew(JournalError):
    """The store was written by a newer version."""


class LeaseHeld(JournalError):
    """Another engine runs this campaign."""

    def __init__(self, campaign: str, holder: str, more: str = "") -> None:
        self.campaign, self.holder = campaign, holder
        hint = "watch it with `hagane show`, or end it with `hagane stop`"
        super().__init__(f"campaign '{campaign}' is being run by {holder}", hint=hint + more)


class TurnUnderWay(JournalError):
    """Another turn of this campaign has not ended yet."""

    exit_code = Exit.GOES_ON

    def __init__(self, campaign: str) -> None:
        self.campaign = campaign
        super().__init__(
            f"another turn of '{campaign}' is not over", hint="call it again when it is"
        )


class LeaseLost(JournalError):
    """This engine's lease was taken over; it must not act any more.

    `holder` has the campaign now; '' when nobody is known to, and the lab is in nobody's care.
    """

    def __init__(self, sentence: str, *, hint: str = "", holder: str = "") -> None:
        self.holder = holder
        super().__init__(sentence, hint=hint)


class CampaignChanged(InputError):
    """The file differs from the one that the journal's campaign was started with."""

    def __init__(self, campaign: str, diff: str) -> None:
        self.campaign, self.diff = campaign, diff
        if diff:
            changed = f"the file of campaign '{campaign}' has changed since it was started:\n{diff}"
        else:  # its hash is of the tables too
            changed = f"a pool or a table of campaign '{campaign}' has changed since it was started"
        way_on = f"`start: {{campaign: {campaign}}}` in it keeps what was measured"
        hint = f"restore the file to resume, or start another campaign with --new; {way_on}"
        super().__init__(changed, hint=hint)
