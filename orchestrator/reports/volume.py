"""How much of what several goals leave to be had a campaign has got, trial by trial."""

from __future__ import annotations

import math
from dataclasses import dataclass

from orchestrator.model.campaign import Campaign
from orchestrator.model.front import hypervolume
from orchestrator.model.objective import Goal
from orchestrator.model.state import State
from orchestrator.reports.summary import losses_of

MAX_GOALS = 4


@dataclass(frozen=True)
class Dominated:
    """The course of the dominated hypervolume, a share (0 to 1) of the box between the corner and
    the best value of each goal. `corner` has, per goal, what it is counted from, in its unit (of a
    value to be met the distance to it)."""

    corner: tuple[float, ...]
    trials: tuple[int, ...]
    shares: tuple[float, ...]


def dominated(campaign: Campaign, state: State) -> Dominated | None:
    """The course of two to four goals; None of other numbers, and before two trials differ.

    It is counted from the goals' `worst`, or else from the worst value of a feasible trial; on a
    logarithmic scale of metrics that are on one.
    """
    goals = campaign.objective.goals
    if not 2 <= len(goals) <= MAX_GOALS:
        return None
    found = {n: losses_of(campaign, state.trials[n]) for n in sorted(state.trials)}
    rows = {n: losses for n, losses in found.items() if losses is not None}
    if not rows:
        return None
    corner = []
    for place, goal in enumerate(goals):
        seen = max(losses[place] for losses in rows.values())
        corner.append(seen if goal.worst is None else goal.loss(goal.worst))
    axes = [_Axis(goal, _is_log(campaign, goal)) for goal in goals]
    ends = [axis.on(value) for axis, value in zip(axes, corner, strict=True)]
    ideal = [min(axis.on(r[i]) for r in rows.values()) for i, axis in enumerate(axes)]
    whole = math.prod(max(e - b, 0.0) for e, b in zip(ends, ideal, strict=True))
    if not whole > 0.0:
        return None
    front: list[list[float]] = []
    shares = []
    for losses in found.values():
        row = None if losses is None else [a.on(x) for a, x in zip(axes, losses, strict=True)]
        if row is not None and not any(_as_good(other, row) for other in front):
            front = [other for other in front if not _as_good(row, other)] + [row]
            shares.append(hypervolume(front, ends) / whole)
        else:
            shares.append(shares[-1] if shares else 0.0)
    pairs = zip(goals, corner, strict=True)
    shown = tuple(-loss if goal.direction == "maximise" else loss for goal, loss in pairs)
    return Dominated(shown, tuple(found), tuple(shares))


@dataclass(frozen=True)
class _Axis:
    """A goal's axis, along which little is good."""

    goal: Goal
    is_log: bool

    def on(self, loss: float) -> float:
        """Where a loss lies."""
        if not self.is_log:
            return loss
        return -math.log10(-loss) if self.goal.direction == "maximise" else math.log10(loss)


def _is_log(campaign: Campaign, goal: Goal) -> bool:
    """A distance to a value to be met may be zero, so it is never on a logarithmic scale."""
    return goal.direction != "match" and campaign.metric(goal.metric).scale == "log"


def _as_good(one: list[float], other: list[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True))
