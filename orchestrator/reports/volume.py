"""How much of what several goals leave to be had a campaign has got, trial by trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.model.campaign import Campaign
from orchestrator.model.front import extended, hypervolume
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
    found = {n: losses_of(campaign, state.trials[n]) for n in sorted(state.trials)}
    box = box_of(campaign, [losses for losses in found.values() if losses is not None])
    if box is None:
        return None
    goals = campaign.objective.goals
    pairs = zip(goals, box.corner, strict=True)
    shown = tuple(-loss if goal.direction == "maximise" else loss for goal, loss in pairs)
    return Dominated(shown, tuple(found), box.course(list(found.values())))


def box_of(campaign: Campaign, rows: Sequence[tuple[float, ...]]) -> Box | None:
    """The box that rows of losses (n x k) of two to four goals span; None where they span none."""
    goals = campaign.objective.goals
    if not 2 <= len(goals) <= MAX_GOALS or not rows:
        return None
    corner = []
    for place, goal in enumerate(goals):
        seen = max(losses[place] for losses in rows)
        corner.append(seen if goal.worst is None else goal.loss(goal.worst))
    axes = tuple(
        _Axis(goal, _is_log(campaign, goal, [corner[i], *(r[i] for r in rows)]))
        for i, goal in enumerate(goals)
    )
    ends = tuple(axis.on(value) for axis, value in zip(axes, corner, strict=True))
    ideal = [min(axis.on(r[i]) for r in rows) for i, axis in enumerate(axes)]
    whole = math.prod(max(e - b, 0.0) for e, b in zip(ends, ideal, strict=True))
    return Box(tuple(corner), axes, ends, whole) if whole > 0.0 else None


@dataclass(frozen=True)
class Box:
    """What several goals leave to be had: between the `corner` (losses), which lies at `ends` of
    the axes, and the least loss of each goal; `whole` is its volume."""

    corner: tuple[float, ...]
    axes: tuple[_Axis, ...]
    ends: tuple[float, ...]
    whole: float

    def course(self, found: Sequence[tuple[float, ...] | None]) -> tuple[float, ...]:
        """The share of it that is dominated after each row of losses; None adds nothing."""
        front: list[tuple[float, ...]] = []
        shares: list[float] = []
        for losses in found:
            better = None
            if losses is not None:
                row = tuple(a.on(x) for a, x in zip(self.axes, losses, strict=True))
                better = extended(front, row)
            if better is None:
                shares.append(shares[-1] if shares else 0.0)
            else:
                front = better
                shares.append(hypervolume(front, self.ends) / self.whole)
        return tuple(shares)


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


def _is_log(campaign: Campaign, goal: Goal, losses: Sequence[float]) -> bool:
    """Whether a goal's axis is logarithmic: never that of a value to be met, whose distance may be
    zero, and not where a value has no logarithm."""
    if goal.direction == "match" or campaign.metric(goal.metric).scale != "log":
        return False
    return all((-x if goal.direction == "maximise" else x) > 0 for x in losses)
