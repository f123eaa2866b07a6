"""How probable it is that a new material is what is wanted, by what was measured: the score that a
generator climbs.

For a goal that is to be large or small it is the probability to be better than the best result [the
likelihood of Ikebata et al. 2017 with a one-sided interval]; for a value to be met that of the
band; for several goals that to be better in all of them than a trial drawn from the front. Limits
count as further factors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy.special import log_ndtr

from orchestrator.model.space import Pool
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.gain import undominated
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats
from orchestrator.planner.measured import Evidence, evidence
from orchestrator.planner.models import Models, models
from orchestrator.planner.options import ModelOptions
from orchestrator.planner.question import Aim, Question, question
from orchestrator.planner.sources import Beside, Informing, informing
from orchestrator.ports.planner import History, PlanningTask

Describe: TypeAlias = Callable[[Sequence[str]], Pool]
LEAST = -1e6


@dataclass(frozen=True)
class Scores:
    """Scores materials (a `ports.generator.Score`), at the process parameters of the best result.

    Attributes:
        informing: what sources say of the candidates, and can be asked of new materials.
        pool: the candidates beside which new ones are described: those measured, and others.
        base: the point (p codes) whose other parameters hold.
        thresholds: what is to be beaten, per goal, standardised.
    """

    task: PlanningTask
    informing: Informing
    pool: Pool
    describe: Describe
    seen: Evidence
    asked: Question
    found: Models
    base: Floats
    thresholds: tuple[float, ...]

    def __call__(self, materials: Sequence[str]) -> Floats:
        """n materials -> n log probabilities, finite."""
        if not materials:
            return np.zeros(0)
        beside = self.informing.beside(self.pool.name, self.describe(materials))
        encoding = beside.encoding
        place = encoding.columns[encoding.place(self.pool.name)]
        x = np.repeat(encoding.features(self.base[None, :]), len(materials), axis=0)
        x[:, place] = beside.features
        features = encoding.features(self.seen.codes)
        total = np.zeros(len(materials))
        moments = [self._moments(i, features, beside, x) for i in range(len(self.asked.names))]
        for aim, threshold in zip(self.asked.aims, self.thresholds, strict=True):
            total += _log_chance(aim, threshold, *moments[aim.column])
        for limit in self.asked.limits:
            mean, sd = moments[limit.column]
            total += log_ndtr(limit.sign * (mean - limit.bound) / sd)
        return np.maximum(np.nan_to_num(total, nan=LEAST, neginf=LEAST), LEAST)

    def _moments(
        self, column: int, features: Floats, beside: Beside, x: Floats
    ) -> tuple[Floats, Floats]:
        """The column's process, its data described as the new materials are, and its sources asked
        of them too."""
        process = self.found.processes[column]
        rows = list(self.seen.measured[self.asked.names[column]].rows)
        here: GaussianProcess = replace(
            process,
            x=features[rows],
            layout=beside.encoding.layout,
            trend=beside.trend(process.trend),
        )
        return here.posterior(x)

    def best_first(self) -> list[str]:
        """Names of the measured candidates, the best first by the first goal."""
        aim = self.asked.aims[0]
        measured = self.seen.measured[self.asked.names[aim.column]]
        order = np.argsort(-aim.merit(measured.y), kind="stable")
        points = Encoding(self.task.space).decode(self.seen.codes[list(measured.rows)][order])
        return list(dict.fromkeys(str(point[self.pool.name]) for point in points))


def _log_chance(aim: Aim, threshold: float, mean: Floats, sd: Floats) -> Floats:
    if aim.goal.direction == "match":
        upper, lower = (aim.high - mean) / sd, (aim.low - mean) / sd
        # log(cdf(upper) - cdf(lower)) without cancellation: by the tail in which both lie
        swap = lower > 0
        a, b = np.where(swap, -upper, lower), np.where(swap, -lower, upper)
        la, lb = log_ndtr(a), log_ndtr(b)
        return np.asarray(lb + np.log1p(-np.exp(np.minimum(la - lb, -1e-12))))
    return np.asarray(log_ndtr((aim.merit(mean) - threshold) / sd))


@dataclass(frozen=True)
class Scoring:
    """Makes the scores of a history."""

    options: ModelOptions

    def __call__(self, task: PlanningTask, past: History, describe: Describe, seed: int) -> Scores:
        """Fits what was known, with what sources add to it; `task` has the candidates beside which
        new ones are described.

        Raises:
            PlanningError: an outcome cannot be used.
        """
        informed = informing(task, Encoding(task.space), self.options.kernel)
        seen = evidence(task, informed.encoding, past)
        asked = question(task, seen)
        found = models(informed, seen, asked, self.options)
        pool = next(p for p in task.space.parameters if isinstance(p, Pool) and p.generation)
        first = seen.measured[asked.names[asked.aims[0].column]]
        best = first.rows[int(np.argmax(asked.aims[0].merit(first.y)))]
        return Scores(
            *(task, informed, pool, describe, seen, asked, found, seen.codes[best]),
            _thresholds(asked, seen, seed),
        )


def _thresholds(asked: Question, seen: Evidence, seed: int) -> tuple[float, ...]:
    """The best result of the goal; of several, those of one trial of their front."""
    merits = [aim.merit(seen.measured[asked.names[aim.column]].y) for aim in asked.aims]
    if len(asked.aims) == 1:
        return (float(merits[0].max()),)
    rows = [seen.measured[asked.names[aim.column]].rows for aim in asked.aims]
    common = sorted(set(rows[0]).intersection(*rows[1:]))
    if not common:
        return tuple(float(m.max()) for m in merits)
    table = np.array(
        [[m[r.index(row)] for m, r in zip(merits, rows, strict=True)] for row in common]
    )
    front = undominated(table)
    drawn = front[np.random.default_rng([seed, 0xF40]).integers(len(front))]
    return tuple(float(v) for v in drawn)
