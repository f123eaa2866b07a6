"""What the engine can be told to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from orchestrator.engine.given import Source
from orchestrator.model.campaign import Rule
from orchestrator.model.trial import FailureCause

PREFER = "`hagane prefer BETTER WORSE`, then run it again"


@dataclass(frozen=True)
class Propose:
    """Find a point for this trial: the planner's, for `n` trials from this one on, or one that is
    given."""

    trial: int
    source: Source = field(default="planner", compare=False)
    n: int = field(default=1, compare=False)


@dataclass(frozen=True)
class StartStep:
    """Carry out a step of a trial."""

    trial: int
    step: str
    attempt: int


@dataclass(frozen=True)
class TryLater:
    """Let time pass until a step that failed is tried again (campaign time)."""

    trial: int
    step: str
    at: float


@dataclass(frozen=True)
class TakeUp:
    """Go on with an action that goes on by itself. Not decided here: after a restart the loop
    takes up what nobody awaits any more."""

    ticket: str


@dataclass(frozen=True)
class Examine:
    """Find out about an action that may or may not have happened."""

    ticket: str


@dataclass(frozen=True)
class Judge:
    """Compute metrics whose steps are all done, and pass them through the gate; with `closes` the
    trial is done when they have passed."""

    trial: int
    metrics: tuple[str, ...]
    closes: bool = False


@dataclass(frozen=True)
class CloseTrial:
    """Every step is done and every metric observed."""

    trial: int


@dataclass(frozen=True)
class Await:
    """Every step is done; these metrics come later."""

    trial: int
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class AskPerson:
    """Nothing is left to do but what a person must bring."""

    why: str
    way_on: str = "`hagane observe`, then run it again"


@dataclass(frozen=True)
class GiveUp:
    """The trial gives no data."""

    trial: int
    step: str
    cause: FailureCause
    sentence: str
    blames_parameters: bool


@dataclass(frozen=True)
class Pause:
    """The campaign cannot go on by itself."""

    why: str
    is_safety: bool = False
    make_safe: bool = False


@dataclass(frozen=True)
class End:
    """The campaign has come to its end."""

    why: str
    rule: Rule


Command: TypeAlias = (
    Propose
    | StartStep
    | TryLater
    | TakeUp
    | Examine
    | Judge
    | CloseTrial
    | Await
    | AskPerson
    | GiveUp
    | Pause
    | End
)
