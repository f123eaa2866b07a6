"""The campaign: the study as a file describes it, checked and with every number in its unit."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.model.objective import PREFERENCE, Metric, Objective
from orchestrator.model.recipe import Step
from orchestrator.model.space import Context, Point, SearchSpace
from orchestrator.model.start import KnownTrial
from orchestrator.model.transfer import Source, SourceWanted


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannerChoice(_Frozen):
    """The campaign file's `planner:` section."""

    kind: str = "bayesian"
    initial: int = Field(default=8, ge=0)
    options: dict[str, float | int | str | bool] = Field(default_factory=dict)


class Budget(_Frozen):
    """When to stop: number of trials, campaign time in seconds (None: no limit)."""

    trials: int = Field(gt=0)
    time_s: float | None = None


Rule: TypeAlias = Literal[
    "budget", "time", "target", "no_progress", "little_to_gain", "failures", "exhausted", "person"
]
"""What ends a campaign."""


class StopRules(_Frozen):
    """Reasons to end before the budget is used: target reached, no progress in n trials, failures,
    or little to gain: less than so much (in the goal's unit, on a log scale in decades) by what
    the planner expects, several times in a row."""

    target: float | None = None
    no_progress: int | None = Field(default=None, gt=0)
    failures_in_a_row: int | None = Field(default=None, gt=0)
    little_to_gain: float | None = Field(default=None, gt=0)


class Controls(_Frozen):
    """A control trial at a fixed point first, and after every so many other trials. Contexts are
    not in the point: they are as they are."""

    every: int = Field(gt=0)
    point: Point


class Blocks(_Frozen):
    """What a block of trials is, within which outcomes have more in common than their points: so
    many trials one after the other; or those from one control to the next; or those with the same
    value of a metric (the number of a lot, of a target). Exactly one of the three is said."""

    every: int | None = Field(default=None, gt=0)
    controls: bool = False
    metric: str = ""


def numbered_block(every: int, number: int) -> str:
    """The block of a trial by its number, from 1, where so many trials are one."""
    return f"trials from {(number - 1) // every * every + 1}"


def lot_block(metric: str, value: float | str) -> str:
    """The block of the trials with a value of a metric; lots of eight digits are told apart."""
    return f"{metric} {value}" if isinstance(value, str) else f"{metric} {value:.15g}"


class Confirmation(_Frozen):
    """Fresh replicates at the end: of the best point found, and of a control beside it."""

    replicates: int = Field(default=3, gt=0)
    control: int = Field(default=3, ge=0)


class Campaign(_Frozen):
    """A campaign without its lab. `file_hash` is sha256 of the file and the tables it names.

    `start` is what was known before; `start_from` names a campaign of the store whose trials were
    known before too, as they are when this one is opened. `sources` are related values that may
    help; `sources_wanted` are fetched when it is opened.
    """

    name: str
    goal: str
    space: SearchSpace
    roles: dict[str, str]
    recipe: tuple[Step, ...]
    metrics: tuple[Metric, ...]
    objective: Objective
    planner: PlannerChoice = PlannerChoice()
    budget: Budget
    stop: StopRules = StopRules()
    start: tuple[KnownTrial, ...] = ()
    start_from: str = ""
    sources: tuple[Source, ...] = ()
    sources_wanted: tuple[SourceWanted, ...] = ()
    controls: Controls | None = None
    confirm: Confirmation | None = None
    block: Blocks | None = None
    in_flight: int | None = Field(default=None, gt=0)
    seed: int = 0
    source: str = ""
    text: str = ""
    file_hash: str = ""

    @property
    def contexts(self) -> tuple[Context, ...]:
        """What acts but cannot be chosen; each is measured as the metric of its name."""
        return tuple(p for p in self.space.parameters if isinstance(p, Context))

    @property
    def awaited(self) -> tuple[Metric, ...]:
        """The metrics without which a trial is not done: all but contexts that a person may
        observe or not, and a preference, which is none of a trial alone."""
        optional = {PREFERENCE, *(context.name for context in self.contexts)}
        return tuple(m for m in self.metrics if m.expression or m.name not in optional)

    def metric(self, name: str) -> Metric:
        """The metric of that name. Raises KeyError."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)

    def step(self, name: str) -> Step:
        """The step of that name. Raises KeyError."""
        for step in self.recipe:
            if step.name == name:
                return step
        raise KeyError(name)
