"""A proposal and the states of the trial that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.model.space import Point


class _Frozen(BaseModel):
    # "constants": these are parts of events, whose floats must be read back as they were
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


STILL_TO_GAIN = "still_to_gain"
"""The note in which a planner says how much better it expects the goal to become at most: in the
goal's unit, on a log scale in decades."""


REPEATS = "repeats"
"""The note of a `confirm` trial that says which one it repeats; 0 for the control point."""


LEFT_OUT = "left_out"
"""The note that names trials which the model leaves out, and why."""


GENERATE = "generate"
"""The note that says why a pool that is to grow does not."""


RUNGS = "rungs"
"""The note that says what rungs of a fidelity tell and cost."""

FIDELITY = "fidelity"
"""How the remark of that note begins."""


def remarks(notes: Mapping[str, float | int | str]) -> tuple[str, ...]:
    """What a person should read of notes, as sentences.

    >>> remarks({"generate": "nothing was made: none fits", "censored": 2})
    ('generate: nothing was made: none fits',)
    """
    said = {LEFT_OUT: "the model leaves out", GENERATE: "generate", RUNGS: FIDELITY}
    return tuple(f"{words}: {notes[name]}" for name, words in said.items() if name in notes)


class TrialStatus(StrEnum):
    """proposed -> running -> done, perhaps by way of awaiting; failed from any of the first three.

                        ┌─────────────────────┐
                        │                     v
        proposed ──> running ──> awaiting ──> done
            │           │            │
            └───────────┴────────────┴──────> failed

    `awaiting`: every step is done, a metric is still to be observed (`hagane observe`).
    """

    PROPOSED = "proposed"
    RUNNING = "running"
    AWAITING = "awaiting"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        """No event changes it any more."""
        return not _NEXT[self]

    def may_become(self, other: TrialStatus) -> bool:
        """Whether the diagram has an arrow from this status to the other."""
        return other in _NEXT[self]


_NEXT: Mapping[TrialStatus, frozenset[TrialStatus]] = {
    TrialStatus.PROPOSED: frozenset({TrialStatus.RUNNING, TrialStatus.FAILED}),
    TrialStatus.RUNNING: frozenset({TrialStatus.AWAITING, TrialStatus.DONE, TrialStatus.FAILED}),
    TrialStatus.AWAITING: frozenset({TrialStatus.DONE, TrialStatus.FAILED}),
    TrialStatus.DONE: frozenset(),
    TrialStatus.FAILED: frozenset(),
}


ReplicatedLevel: TypeAlias = Literal["sample", "run", "block"]
"""What an outcome is the mean of: samples of one run, or as many runs, or blocks of runs."""
Level: TypeAlias = Literal["reading", ReplicatedLevel]
"""What was replicated: readings of one sample are not samples."""


class FailureCause(StrEnum):
    """Why a trial gave no data. Only `parameters` counts against the point that was tried."""

    PARAMETERS = "parameters"
    DEVICE = "device"
    MEASUREMENT = "measurement"
    INTERLOCK = "interlock"
    INTERRUPTED = "interrupted"
    PERSON = "person"


class Prediction(_Frozen):
    """Posterior of one metric's noise-free outcome at a point, in the metric's unit; `scatter` is
    the standard deviation of a measurement around it.

    With a log scale, `mean` is the median, `sd` and `scatter` are in decades: `on_log10` says so.
    """

    mean: float
    sd: float
    scatter: float = 0.0
    on_log10: bool = False


class Neighbour(_Frozen):
    """The nearest measured point; distance in the encoded unit cube."""

    trial: int
    distance: float


def named(trial: int, first: int) -> str:
    """A trial in words; what was known before the first one has the numbers `first`, ..., -1.

    >>> named(3, first=-5), named(-4, first=-5)
    ('trial 3', 'result 2 of the start')
    """
    return f"trial {trial}" if trial > 0 else f"result {trial - first + 1} of the start"


class Proposal(_Frozen):
    """A point to try, and why. `why` is one sentence; `leave_one_out` has, per metric, the
    root-mean-square error of leave-one-out predictions (`on_log10` metrics in decades).

    `notes` may have more numbers and words; read of them are `STILL_TO_GAIN`, `REPEATS`, and
    what people are told (`remarks`).
    """

    point: Point
    source: Literal["initial", "model", "pool", "person", "table", "control", "confirm"]
    why: str
    intent: Literal["explore", "exploit", "design"] = "design"
    predicted: dict[str, Prediction] = Field(default_factory=dict)
    acquisition: float | None = None
    probability_feasible: float | None = None
    nearest: Neighbour | None = None
    leave_one_out: dict[str, float] = Field(default_factory=dict)
    notes: dict[str, float | int | str] = Field(default_factory=dict)
    warm_start: str = ""

    @property
    def still_to_gain(self) -> float | None:
        """How much the planner expected still to gain; None where it did not say."""
        note = self.notes.get(STILL_TO_GAIN)
        return None if note is None or isinstance(note, str) else float(note)
