"""What a replay looks for in its table, and how soon random order finds it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Protocol

import numpy as np

from orchestrator.errors import InputError
from orchestrator.model.campaign import Campaign
from orchestrator.model.objective import OutcomeConstraint
from orchestrator.reports.volume import MAX_GOALS, Box, box_of
from orchestrator.runtime.replay_table import Settings, Values

TOP_SHARE = 0.05
SHARES = (0.5, 0.9)
"""Of the hypervolume of the whole table, with several goals."""
N_ORDERS = 200
"""Random orders that are drawn where nothing is known exactly."""


class Truth(Protocol):
    """What is best in a table. An order is places of settings, as they were tried."""

    @property
    def quantity(self) -> str:
        """What a course is of."""
        ...

    @property
    def unit(self) -> str:
        """Of a course."""
        ...

    @property
    def goals(self) -> tuple[str, ...]:
        """What is to be reached, in words."""
        ...

    def course(self, order: Sequence[int]) -> Values:
        """What was reached after each setting."""
        ...

    def count(self, goal: str, order: Sequence[int]) -> int | None:
        """Settings tried until the goal was reached; None: it was not."""
        ...

    def random_course(self, most: int) -> Values:
        """The mean course of random orders."""
        ...

    def random_counts(self, goal: str, most: int) -> tuple[float, float]:
        """Mean count of random orders; and where `most` is counted if the goal is not reached
        before."""
        ...


def truth_of(settings: Settings, study: Campaign) -> Truth:
    """What is best among settings by their means.

    Raises:
        InputError: no setting keeps the limits, or there are more goals than can be counted.
    """
    goals = study.objective.goals
    losses = _losses(settings, study)
    kept = [row for row in losses if row is not None]
    if not kept:
        raise InputError("no setting of the table keeps the limits of the campaign")
    if len(goals) == 1:
        metric = study.metric(goals[0].metric)
        values = tuple(row[settings.metrics.index(metric.name)] for row in settings.means)
        ranks = tuple(None if row is None else row[0] for row in losses)
        return OneGoal(f"best {metric.name}", metric.unit, values, ranks)
    if len(goals) > MAX_GOALS:
        raise InputError(f"a replay takes up to {MAX_GOALS} goals, this campaign has {len(goals)}")
    box = box_of(study, kept)
    if box is None:
        raise InputError(
            "the goals do not differ among the settings of the table that keep the limits",
            hint="one goal alone can be replayed",
        )
    return SeveralGoals(box, losses)


def _losses(settings: Settings, study: Campaign) -> tuple[Values | None, ...]:
    """What each goal wants to be small at each setting; None where a limit is not kept."""
    place = {name: i for i, name in enumerate(settings.metrics)}

    def one(means: Values) -> Values | None:
        if not all(_keeps(c, means[place[c.metric]]) for c in study.objective.constraints):
            return None
        return tuple(goal.loss(means[place[goal.metric]]) for goal in study.objective.goals)

    return tuple(one(means) for means in settings.means)


def _keeps(limit: OutcomeConstraint, value: float) -> bool:
    return value >= limit.bound if limit.sense == ">=" else value <= limit.bound


@dataclass(frozen=True)
class OneGoal:
    """The best setting, or one of the best; random order is known exactly.

    Attributes:
        values: of the metric at each setting (n).
        losses: of each setting (n), to be small; None where a limit is not kept. Until a setting
            keeps them, a course stands at the worst one that does.
    """

    quantity: str
    unit: str
    values: Values
    losses: tuple[float | None, ...]

    @cached_property
    def ranked(self) -> list[int]:
        """Settings that keep the limits, the best one first."""
        kept = [(loss, i) for i, loss in enumerate(self.losses) if loss is not None]
        return [i for _, i in sorted(kept)]

    @cached_property
    def _wanted(self) -> dict[str, frozenset[int]]:
        top = self._first(max(1, round(TOP_SHARE * len(self.ranked))))
        best = self._first(1)
        several = f" ({len(best)} settings)" if len(best) > 1 else ""
        return {
            f"one of the top {TOP_SHARE:.0%} ({len(top)} settings)": top,
            f"the best{several}": best,
        }

    def _first(self, n: int) -> frozenset[int]:
        """The best `n` settings, and those that are as good as the last of these."""
        losses = [math.inf if loss is None else loss for loss in self.losses]
        last = losses[self.ranked[n - 1]]
        return frozenset(i for i in self.ranked if losses[i] <= last)

    @property
    def goals(self) -> tuple[str, ...]:
        """As `Truth`."""
        return tuple(self._wanted)

    def course(self, order: Sequence[int]) -> Values:
        """As `Truth`."""
        place = {row: i for i, row in enumerate(self.ranked)}
        worst = len(self.ranked) - 1
        best = accumulate((place.get(row, worst) for row in order), min)
        return tuple(self.values[self.ranked[i]] for i in best)

    def count(self, goal: str, order: Sequence[int]) -> int | None:
        """As `Truth`."""
        wanted = self._wanted[goal]
        return next((i + 1 for i, row in enumerate(order) if row in wanted), None)

    def random_course(self, most: int) -> Values:
        """Exact expectation of the best of n settings drawn without replacement."""
        values = np.array([self.values[i] for i in self.ranked])
        left = len(self.values) - np.arange(len(values))
        expected = []
        for n in range(1, most + 1):
            # P(the best drawn is rank r) = P(none of the r before it) * n / (those that are left)
            chance = np.where(left >= n, n / left, 0.0)
            ahead = np.concatenate([[1.0], np.cumprod(1.0 - chance)])
            none = float(ahead[-1])
            expected.append(float(np.sum(values * chance * ahead[:-1])) + none * float(values[-1]))
        return tuple(expected)

    def random_counts(self, goal: str, most: int) -> tuple[float, float]:
        """As `Truth`, exactly."""
        n, k = len(self.values), len(self._wanted[goal])
        return (n + 1) / (k + 1), random_within(n, k, most)


def random_within(n: int, k: int, most: int) -> float:
    """Exact mean of the draws without replacement until one of `k` among `n` comes, `most` being
    counted where none did."""
    mean, none_yet = 0.0, 1.0
    for drawn in range(most):
        mean += none_yet
        none_yet *= (n - k - drawn) / (n - drawn)
    return mean


@dataclass(frozen=True)
class SeveralGoals:
    """Shares of the hypervolume that the whole table dominates; random orders are drawn.

    Attributes:
        losses: of each setting (n x k), to be small; None where a limit is not kept.
    """

    box: Box
    losses: tuple[Values | None, ...]
    quantity: str = field(default="share of the table's hypervolume", init=False)
    unit: str = field(default="", init=False)

    @cached_property
    def _whole(self) -> float:
        return self.box.course(self.losses)[-1]

    @cached_property
    def _random(self) -> tuple[Values, ...]:
        rng = np.random.default_rng(0)
        n = len(self.losses)
        return tuple(self.course([int(i) for i in rng.permutation(n)]) for _ in range(N_ORDERS))

    @property
    def goals(self) -> tuple[str, ...]:
        """As `Truth`."""
        return tuple(f"{share:.0%} of the hypervolume" for share in SHARES)

    def course(self, order: Sequence[int]) -> Values:
        """As `Truth`."""
        shares = self.box.course([self.losses[row] for row in order])
        return tuple(share / self._whole for share in shares)

    def count(self, goal: str, order: Sequence[int]) -> int | None:
        """As `Truth`."""
        return self._reached(goal, self.course(order))

    def _reached(self, goal: str, course: Values) -> int | None:
        share = SHARES[self.goals.index(goal)]
        return next((i + 1 for i, x in enumerate(course) if x >= share), None)

    def random_course(self, most: int) -> Values:
        """As `Truth`."""
        return tuple(math.fsum(c[i] for c in self._random) / N_ORDERS for i in range(most))

    def random_counts(self, goal: str, most: int) -> tuple[float, float]:
        """As `Truth`."""
        counts = [self._reached(goal, course) or len(self.losses) for course in self._random]
        return math.fsum(counts) / N_ORDERS, math.fsum(min(c, most) for c in counts) / N_ORDERS
