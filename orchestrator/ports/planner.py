"""History in, proposals out. A proposal is a pure function of the history before it and the seed.

All of this is plain data (JSON), since the planner lives in a process of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Objective
from orchestrator.model.space import Point, SearchSpace, Value
from orchestrator.model.transfer import Source
from orchestrator.model.trial import Proposal, ReplicatedLevel

SURPRISING = 0.025
"""What chance alone gives less often than this is remarked on."""
FEWEST_TO_STAND_OUT = 10


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Outcome(_Plain):
    """One measured metric of a trial, in the metric's unit.

    `sd` is its known noise, if known; `n_samples` how many samples it is the mean of (readings of
    one sample are one), and `level` whether these are of one run, or of as many runs or blocks; a
    censored value is a bound, the true one lies above or below it.
    """

    value: float
    sd: float | None = None
    n_samples: int = Field(default=1, gt=0)
    level: ReplicatedLevel = "sample"
    censored: Literal["above", "below"] | None = None


class Evaluated(_Plain):
    """A trial that has ended, or what is known of one so far, as the planner sees it.

    `failed` is true when the trial gave no data; only a failure that `blames_parameters` may
    count against them. `at_s` is the campaign time of its end and `block` the run or batch it
    belongs to, for outcomes that drift or differ between blocks. `seconds` is what it took, given
    where the costs of a fidelity are to be learnt.
    """

    trial: int
    point: Point
    outcomes: dict[str, Outcome] = Field(default_factory=dict)
    failed: bool = False
    blames_parameters: bool = False
    at_s: float | None = None
    block: str = ""
    seconds: float | None = None


class MetricScale(_Plain):
    """How a metric is modelled: on its own scale, or its logarithm."""

    name: str
    unit: str
    scale: Literal["linear", "log"] = "linear"


class PlanningTask(_Plain):
    """What does not change during a campaign: the question, and related values that may help.

    `trials` is how many the budget has, where that is known.
    """

    space: SearchSpace
    metrics: tuple[MetricScale, ...]
    objective: Objective
    planner: PlannerChoice
    seed: int
    sources: tuple[Source, ...] = ()
    trials: int | None = None


class History(_Plain):
    """What is known when a proposal is asked for.

    `begun` are trials in flight of which some outcomes are known; their points are among the
    `pending` ones. `withdrawn` are trials that have ended and of which some outcomes were taken
    back: what still counts. Nothing more of them is to come, and their points may be tried again.
    `n_proposed` is how many proposals were made before (by the planner): it places the next
    one in the initial design and in the stream of random numbers. `preferences` are pairs of
    trials, the better one first. `now_s` is the campaign time. `context` has the newest value of
    each context that was measured. `refused` are candidates that are not to be proposed any more:
    the name of the pool, and that of the candidate.
    """

    evaluated: tuple[Evaluated, ...] = ()
    pending: tuple[Point, ...] = ()
    begun: tuple[Evaluated, ...] = ()
    withdrawn: tuple[Evaluated, ...] = ()
    n_proposed: int = 0
    preferences: tuple[tuple[int, int], ...] = ()
    now_s: float | None = None
    context: Point = Field(default_factory=dict)
    refused: tuple[tuple[str, str], ...] = ()


class LeaveOneOut(_Plain):
    """Each of n outcomes predicted from all the others, in the metric's unit (or decades).

    `coverage_90` is the share of outcomes within their 90 % interval; `log_score_gain` the mean log
    probability of an outcome, more than under a constant mean and spread: below zero the model is
    not to be believed. `is_doubtful`: it explains less than its length scales would by chance.
    `as_measured` are the outcomes as they were measured, far worse ones not limited.
    `decades_gain` is how much larger the mean log probability would be on a log scale; None where
    that was not tried.
    """

    trials: tuple[int, ...]
    measured: tuple[float, ...]
    predicted: tuple[float, ...]
    sd: tuple[float, ...]
    coverage_90: float | None
    log_score_gain: float
    is_doubtful: bool = False
    decades_gain: float | None = None
    as_measured: tuple[float, ...] = ()


def unlike_the_others(
    measured: Sequence[float], predicted: Sequence[float], sd: Sequence[float]
) -> list[int]:
    """Which of n outcomes no other one explains: one is as far off from what the others predict
    less often than once in forty such sets by chance. Of fewer than ten none is."""
    n = len(measured)
    if n < FEWEST_TO_STAND_OUT:
        return []
    limit = NormalDist().inv_cdf(1 - SURPRISING / n)
    triples = zip(measured, predicted, sd, strict=True)
    return [i for i, (got, mean, wide) in enumerate(triples) if abs(got - mean) > limit * wide]


class HeldOut(_Plain):
    """How well outcomes are predicted that were left out: root-mean-square error, that of the mean
    of the others (both in the metric's unit, or decades), and the share within the 90 % interval.
    The model's level is that of the others too; its length scales are those of all outcomes.
    """

    rmse: float
    constant_rmse: float
    coverage_90: float


class Generalisation(_Plain):
    """Prediction among outcomes (`interpolating`: random fifths are left out) and beyond them
    (`extrapolating`: each of `n_clusters` whole clusters is)."""

    interpolating: HeldOut
    extrapolating: HeldOut
    n_clusters: int


class Transferred(_Plain):
    """One way to use sources, or none: the error of predictions of left-out outcomes (in the
    metric's unit, or decades), the mean log probability of an outcome, and how probable it is to
    predict best."""

    name: str
    rmse: float
    log_score: float
    weight: float


class Slice(_Plain):
    """Predicted mean and standard deviation along one parameter, all others at `Belief.at`."""

    parameter: str
    values: tuple[Value, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]


class FieldMap(_Plain):
    """Predicted mean and standard deviation over two parameters, row by row of the first, all
    others at `Belief.at`."""

    parameters: tuple[str, str]
    first: tuple[float, ...]
    second: tuple[float, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]


class MetricBelief(_Plain):
    """What the model holds for true of one metric; means and deviations in its unit, or in decades
    (`on_log10`). `importance` is each parameter's total effect on the prediction."""

    metric: str
    unit: str
    on_log10: bool
    importance: dict[str, float]
    leave_one_out: LeaveOneOut | None
    generalisation: Generalisation | None = None
    transfer: tuple[Transferred, ...] = ()
    slices: tuple[Slice, ...]
    maps: tuple[FieldMap, ...]


class Belief(_Plain):
    """What the model holds for true. `recommended` is the trial that it thinks best of those made,
    `at` its point, through which slices go; `notes` as those of a proposal."""

    at: Point
    recommended: int | None
    metrics: tuple[MetricBelief, ...]
    notes: dict[str, float | int | str] = Field(default_factory=dict)


class Planner(Protocol):
    """Found by entry point `hagane.planners`; constructed as `cls(task)`."""

    def propose(self, history: History, n: int) -> Sequence[Proposal]:
        """The next `n` points.

        Raises:
            PlanningError: none can be made (`PoolExhausted` when all candidates are tried).
        """
        ...


@runtime_checkable
class ModellingPlanner(Planner, Protocol):
    """A planner with a model, which can be asked what it holds for true."""

    def belief(self, history: History) -> Belief | None:
        """What the model holds for true; None while there is too little for one.

        Raises:
            PlanningError: an outcome cannot be used.
        """
        ...

    def recommend(self, history: History) -> int | None:
        """The trial that the model thinks best of those measured; None where there is none.

        Raises:
            PlanningError: an outcome cannot be used.
        """
        ...


@runtime_checkable
class RankingPlanner(Planner, Protocol):
    """A planner that can say which candidates of a pool it thinks best."""

    def ranked(self, history: History, n: int) -> Sequence[Proposal]:
        """The up to `n` different candidates that are worth most now, each as if it were the next
        proposal, the best first; none while too little is known for a model.

        Raises:
            InputError: the space has no pool of candidates.
            PlanningError: an outcome cannot be used (`PoolExhausted`: no candidate is left).
        """
        ...


class AskingPlanner(Protocol):
    """A planner behind a process boundary."""

    async def start(self) -> None:
        """Begins to get ready, without waiting until it is. Raises PlanningError."""
        ...

    async def propose(self, history: History, n: int) -> Sequence[Proposal]:
        """As `Planner.propose`, without blocking the loop."""
        ...

    async def recommend(self, history: History) -> int | None:
        """As `ModellingPlanner.recommend`, without blocking the loop; None without a model."""
        ...

    async def close(self) -> None:
        """Ends the process."""
        ...
