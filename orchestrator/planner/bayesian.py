"""Planner kind `bayesian`: a space-filling start, then a Gaussian process per metric.

This module itself needs no scipy; the rooms that do are imported when a model is needed first.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any, TypeAlias

from orchestrator.errors import InputError, PoolExhausted
from orchestrator.model.space import Real, fidelity_of
from orchestrator.model.trial import GENERATE, LEFT_OUT, Proposal
from orchestrator.planner.growing import Growth, growing_pool
from orchestrator.planner.initial import SpaceFilling
from orchestrator.planner.measured import is_flat, n_known, n_measured
from orchestrator.planner.options import MAX_GOALS, ModelOptions, options_of
from orchestrator.ports.planner import Belief, History, PlanningTask

Notes: TypeAlias = dict[str, float | int | str]
MIN_MEASURED = 2
"""Outcomes of the objective that a model needs before it may choose."""
OF_FILLING = 3
"""Of so many points all but one fill the space while a goal is flat, or a model knows of nothing
better. A power of two would leave out half of the space: the points of a Sobol sequence with odd
numbers have it to themselves."""


class BayesianPlanner:
    """Proposes from a model of the metrics.

    `propose` is a pure function of the task, the history and `n`, bit for bit on one machine with
    one version and one number of threads; between calls nothing is kept but models of the task's
    sources. The model takes over after `initial` proposals or measurements (rows that were given
    count), and never before two values of the objective are known, nor while all that was measured
    is the same (a yield of zero everywhere): it would take the outcome for flat, and go to the
    corners. Until then the space is filled further; while one of several goals is the same, or the
    model knows of nothing better to do (`filling`), two of three points fill it. A limit that may
    not be crossed on the way is better kept by a model of two values than by none, so that it takes
    over as soon as it has these.

    Raises:
        InputError: an option or the space is wrong.
    """

    def __init__(self, task: PlanningTask) -> None:
        self.options = options_of(task.planner, ModelOptions)
        _refuse_uncounted(task, self.options.top)
        self._task = task
        self._start = SpaceFilling(task)
        self._informing: Any = None
        pool = growing_pool(task.space)
        self._growth = None if pool is None else Growth(task, pool)

    def propose(self, history: History, n: int) -> Sequence[Proposal]:
        """The next `n` points, or as many as a pool has left.

        Raises:
            PoolExhausted: a pool has none left.
            PlanningError: an outcome cannot be used, or a constraint cannot be met.
        """
        history, notes = self._settled(history)
        first = list(self._opening(history, n))
        if len(first) < n:
            try:
                first += self._modelled(history_after(history, first), n - len(first))
            except PoolExhausted:
                if not first:
                    raise
        return [_noted(proposal, notes) for proposal in first]

    def _settled(self, history: History) -> tuple[History, Notes]:
        """The history in the words of a pool that grows, and what is to be said about it."""
        if self._growth is None:
            return history, {}
        history, left_out = self._growth.settled(history)
        return history, {LEFT_OUT: left_out} if left_out else {}

    def _modelled(self, history: History, n: int) -> Sequence[Proposal]:
        if self._n_known(history) < MIN_MEASURED:
            return self._opening(history, n)
        # of many goals each point aims at a trade of its own, for which a model is made anew
        at_once = n if len(self._task.objective.goals) <= MAX_GOALS else 1
        chosen = self._of_model(history, lambda found: self._chosen(found, history, at_once))
        if len(chosen) < n and (len(chosen) in (1, at_once) or self._growth is not None):
            with suppress(PoolExhausted):
                chosen += self._modelled(history_after(history, chosen), n - len(chosen))
        return chosen

    def _chosen(self, found: Any, history: History, n: int) -> list[Proposal]:
        """Up to `n` points that a model chooses; one, which may fill the space, while the model
        knows of nothing better to do."""
        chosen = [*found.proposals(n)]
        if not self._has_one_goal_alone(history):
            return chosen
        from orchestrator.planner.filling import why_filled

        why = why_filled(found.diagnosis, chosen[0].acquisition)
        if why and history.n_proposed % OF_FILLING:
            of_model = {k: v for k, v in chosen[0].notes.items() if k != "domain"}
            filling = self._start.propose(history, 1, lambda _: why)
            return [_noted(proposal, of_model) for proposal in filling]
        return chosen[:1] if why else chosen

    def _has_one_goal_alone(self, history: History) -> bool:
        """Whether a space with real parameters has one goal, and nothing else to go by."""
        task, space = self._task, self._task.space
        is_real = any(isinstance(p, Real) for p in space.parameters) and not fidelity_of(space)
        objective = task.objective
        has_more = len(objective.metrics) > 1 or objective.cost or objective.by_preference
        failed = any(e.failed and e.blames_parameters for e in history.evaluated)
        return is_real and not (has_more or failed or task.sources or self._growth is not None)

    def _of_model(self, history: History, ask: Callable[[Any], list[Proposal]]) -> list[Proposal]:
        """What a model proposes. A pool that grows and is used up grows at once.

        Raises:
            PoolExhausted: it has none left, and where it grows, why it does not.
        """
        try:
            with self._model(history) as found:
                chosen = ask(found)
            notes = self._of_growth(history)
        except PoolExhausted:
            if self._growth is None:
                raise
            chosen, notes = self._of_model_at_once(history, ask), {}
        return [_noted(proposal, notes) for proposal in chosen]

    def _of_model_at_once(
        self, history: History, ask: Callable[[Any], list[Proposal]]
    ) -> list[Proposal]:
        try:
            with self._model(history, at_once=True) as found:
                return ask(found)
        except PoolExhausted as error:
            why = self._of_growth(history, at_once=True).get(GENERATE)
            raise PoolExhausted(
                error.n_candidates, str(why or "all that was made is being tried")
            ) from error

    def _of_growth(self, history: History, *, at_once: bool = False) -> Notes:
        """That the newest refresh of a pool that grows, or one at once, made nothing, if so."""
        if self._growth is None:
            return {}
        scoring = load_model_rooms().Scoring(self.options)
        why = self._growth.why_nothing(history, scoring, at_once=at_once)
        return {GENERATE: f"nothing was made: {why}"} if why else {}

    def belief(self, history: History) -> Belief | None:
        """What the model holds for true after a history; None while there is too little for one.

        Raises:
            PlanningError: an outcome cannot be used.
        """
        history, notes = self._settled(history)
        if self._n_known(history) < MIN_MEASURED:
            return None
        with self._model(history, is_search=False) as found:
            belief: Belief = found.belief()
        if belief.recommended is not None:
            with self._model(history) as found:
                recommended = found.recommended()
            belief = belief.model_copy(update={"recommended": recommended})
        notes |= self._of_growth(history)
        return belief.model_copy(update={"notes": notes}) if notes else belief

    def recommend(self, history: History) -> int | None:
        """The trial that the model thinks best of those measured, within the limits; None while
        there is too little for a model, with several goals, or where no trial keeps the limits.

        Raises:
            PlanningError: an outcome cannot be used.
        """
        history, _ = self._settled(history)
        if self._n_known(history) < MIN_MEASURED:
            return None
        with self._model(history) as found:
            trial: int | None = found.recommended()
        return trial

    def ranked(self, history: History, n: int) -> Sequence[Proposal]:
        """The up to `n` candidates of a pool that are worth most, the best first; none while there
        is too little for a model.

        Raises:
            InputError: the space has no pool of candidates.
            PlanningError: an outcome cannot be used (`PoolExhausted`: no candidate is left).
        """
        history, notes = self._settled(history)
        if self._n_known(history) < MIN_MEASURED:
            return []
        ranked = self._of_model(history, lambda found: found.ranked(n))
        return [_noted(proposal, notes) for proposal in ranked]

    @contextmanager
    def _model(
        self, history: History, *, at_once: bool = False, is_search: bool = True
    ) -> Iterator[Any]:
        modelled = load_model_rooms()
        task, start, options = self._task, self._start, self.options
        with modelled.threads(options.threads):
            informing = self._informing
            if self._growth is not None:
                task = self._growth.grown(history, modelled.Scoring(options), at_once=at_once)
                start, informing = SpaceFilling(task), None
            if informing is None:
                informing = modelled.informed_by(task, start.encoding, options)
            if self._growth is None:
                self._informing = informing
            possible = start.possible
            yield modelled.model(task, informing, possible, options, history, is_search=is_search)

    def _n_known(self, history: History) -> int:
        return n_known(self._task, history)

    def opening(self, history: History, n: int) -> Sequence[Proposal]:
        """Those of the next `n` points that need no model: the first ones, perhaps none.

        Raises:
            PoolExhausted: they would come from a pool that has none left.
        """
        history, notes = self._settled(history)
        return [_noted(proposal, notes) for proposal in self._opening(history, n)]

    def _opening(self, history: History, n: int) -> Sequence[Proposal]:
        count = self._n_opening(history, n)
        start = self._start
        if self._growth is not None and count:
            start = SpaceFilling(self._growth.known(history))
        try:
            return start.propose(history, count, self._caption) if count else []
        except PoolExhausted as error:
            if self._growth is None:
                raise
            if (lacking := MIN_MEASURED - self._n_known(history)) <= 0:
                return []  # it grows
            results = "1 more result" if lacking == 1 else f"{lacking} more results"
            why = f"the generator needs {results}"
            raise PoolExhausted(error.n_candidates, why) from error

    def _n_opening(self, history: History, n: int) -> int:
        """How many of the next `n` points need no model."""
        if self._n_known(history) < MIN_MEASURED:
            return n
        if self._limits_are_modelled(history):
            return 0
        objective = self._task.objective
        is_measured = not (self._task.sources or objective.by_preference)
        if is_measured and is_flat(objective.metrics, history):
            return n
        begun = max(history.n_proposed, len(history.evaluated))
        first = min(n, max(0, self._task.planner.initial - begun))
        return first or self._n_filling(history, n)

    def _n_filling(self, history: History, n: int) -> int:
        """How many of the next `n` points fill the space, because one of several goals is the same
        wherever it was measured: two of three, as the others may be all that there is to gain."""
        task = self._task
        if len(task.objective.goals) < 2 or task.objective.constraints or task.sources:
            return 0
        if not any(is_flat([goal.metric], history) for goal in task.objective.goals):
            return 0
        begun = history.n_proposed
        return sum((begun + i) % OF_FILLING != 0 for i in range(n))

    def _limits_are_modelled(self, history: History) -> bool:
        """Whether there are limits that may not be crossed, and a model can say where they hold."""
        limits = self._task.objective.constraints
        careful = {c.metric for c in limits if c.confidence is not None}
        return bool(careful) and all(n_measured(m, history) >= MIN_MEASURED for m in careful)

    def prepare(self) -> None:
        """Loads what a model needs, so that the first one does not wait for it."""
        load_model_rooms()

    def _caption(self, number: int) -> str:
        initial = self._task.planner.initial
        if number < initial:
            return f"space-filling start {number + 1} of {initial}"
        return "space-filling point, until two values of the objective are known that differ"


def _refuse_uncounted(task: PlanningTask, top: int) -> None:
    """Accepts a search for several of the best where candidates can be told apart. Beside a real
    parameter the next best is the best one again, a hair's breadth away. Raises InputError."""
    real = next((p.name for p in task.space.parameters if isinstance(p, Real)), None)
    if top > 1 and real is not None:
        raise InputError(
            f"the {top} best are looked for among candidates, and '{real}' is continuous",
            hint="leave 'top' out: next to the best point all are nearly as good",
        )


def _noted(proposal: Proposal, notes: Notes) -> Proposal:
    return proposal.model_copy(update={"notes": proposal.notes | notes}) if notes else proposal


def history_after(history: History, proposals: Sequence[Proposal]) -> History:
    """The history once these proposals are in flight."""
    pending = (*history.pending, *(p.point for p in proposals))
    n_proposed = history.n_proposed + len(proposals)
    return history.model_copy(update={"pending": pending, "n_proposed": n_proposed})


def load_model_rooms() -> ModuleType:
    """Imports the rooms that need scipy; a good part of a second the first time."""
    return importlib.import_module("orchestrator.planner.modelled")
