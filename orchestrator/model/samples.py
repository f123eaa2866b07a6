"""What several samples of one trial say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, get_args

from orchestrator.model.events import Observed
from orchestrator.model.trial import Level, ReplicatedLevel

LEVELS: tuple[Level, ...] = get_args(Level)
"""In the order of how much a mean says of other trials."""


class Replicated(NamedTuple):
    """What an observation says of its own noise: its standard deviation, if it is known, and of how
    many samples, runs or blocks it is the mean."""

    sd: float | None
    n_samples: int
    level: ReplicatedLevel


def replicated(event: Observed) -> Replicated:
    """Of an observation, where readings, and a single sample, tell nothing of the noise."""
    if event.level == "reading" or event.n_samples == 1:
        return Replicated(None, 1, "sample")
    return Replicated(event.sd, event.n_samples, event.level)


def mean_of_samples(seen: Sequence[Observed]) -> Observed:
    """Observations of a metric on different samples of a trial as one, the newest of them last.

    Each counts as often as it has samples. The mean is a bound where one of them is one; where
    bounds on both sides say nothing together, the newest alone is given. Its `sd` is known only
    where the scatter within each of them is: two or three single values tell too little about it,
    and a model that knows of many trials tells more. Where not all were replicated alike, they are
    taken for samples of one run, of which the mean says least.
    """
    last = seen[-1]
    sides = {event.censored for event in seen} - {None}
    if len(seen) == 1 or len(sides) > 1:
        return last
    n = sum(event.n_samples for event in seen)
    mean = sum(event.n_samples * event.value for event in seen) / n
    return last.model_copy(
        update={
            "value": mean,
            "sample": None,
            "position": "",
            "sd": None if sides else _sd_of_mean(seen, mean, n),
            "n_samples": n,
            "level": LEVELS[max(1, min(LEVELS.index(event.level) for event in seen))],
            "n_readings": sum(event.n_readings for event in seen),
            "censored": next(iter(sides), None),
            "source": "; ".join(dict.fromkeys(event.source for event in seen if event.source)),
        }
    )


def _sd_of_mean(seen: Sequence[Observed], mean: float, n: int) -> float | None:
    squares = 0.0
    for event in seen:
        if event.sd is None or event.n_samples < 2:
            return None
        squares += event.n_samples * (event.n_samples - 1) * event.sd**2
        squares += event.n_samples * (event.value - mean) ** 2
    return math.sqrt(squares / (n - 1) / n)
