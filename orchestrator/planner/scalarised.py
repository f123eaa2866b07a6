"""Many goals as one, differently for each proposal [ParEGO, Knowles 2006].

Past a few goals the boxes of a hypervolume are too many; then each proposal aims at another trade
between the goals, drawn evenly, of which the worst part counts most (augmented Chebyshev).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orchestrator.model.objective import Goal
from orchestrator.planner.kernel import Floats
from orchestrator.planner.measured import Evidence, Measured
from orchestrator.planner.options import MAX_GOALS
from orchestrator.planner.question import Aim, Question
from orchestrator.planner.replication import Parts
from orchestrator.ports.planner import MetricScale

TRADE = "trade"
MIN_ROWS = 2
SUM_SHARE = 0.05


def scalarised(asked: Question, seen: Evidence, seed: int) -> tuple[Question, Evidence]:
    """The question and evidence with one goal in place of many, where they are too many; trials
    that lack a goal's outcome are left out. While hardly any has all, the first goal alone."""
    if len(asked.aims) <= MAX_GOALS:
        return asked, seen
    measured_of = [seen.measured[asked.names[aim.column]] for aim in asked.aims]
    rows = sorted(set.intersection(*(set(m.rows) for m in measured_of)))
    if len(set(rows).difference(seen.waiting, seen.withdrawn)) < MIN_ROWS:
        return replace(asked, aims=asked.aims[:1]), seen
    pairs = zip(asked.aims, measured_of, strict=True)
    losses = np.stack([_loss(aim, m, rows) for aim, m in pairs])
    weights = np.random.default_rng([seed, 0x9A2]).dirichlet(np.ones(len(asked.aims)))[:, None]
    traded = (weights * losses).max(axis=0) + SUM_SHARE * (weights * losses).sum(axis=0)
    spread = float(traded.std()) or 1.0
    n = len(rows)
    measured = Measured(
        metric=MetricScale(name=TRADE, unit=""),
        rows=tuple(rows),
        y=(traded - traded.mean()) / spread,
        known=np.zeros(n),
        parts=Parts.alone(n),
        sides=np.zeros(n),
        centre=float(traded.mean()),
        spread=spread,
        is_trade=True,
    )
    limits = [limit.constraint.metric for limit in asked.limits]
    names = (TRADE, *dict.fromkeys(limits))
    moved = tuple(replace(li, column=names.index(li.constraint.metric)) for li in asked.limits)
    aim = Aim(Goal(metric=TRADE, direction="minimise"), 0, -1.0)
    question = Question(names, (aim,), moved, asked.unmodelled)
    return question, replace(seen, measured={**seen.measured, TRADE: measured})


def _loss(aim: Aim, measured: Measured, rows: list[int]) -> Floats:
    """Losses (n) from 0, the least, to 1."""
    places = [measured.rows.index(row) for row in rows]
    loss = -aim.merit(measured.y[places])
    size = float(loss.max() - loss.min())
    return np.asarray((loss - loss.min()) / (size if size > 0 else 1.0))
