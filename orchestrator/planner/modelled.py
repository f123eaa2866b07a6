"""Proposals from a model: reads the history, fits, searches, explains."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from orchestrator.errors import InputError, PoolExhausted
from orchestrator.model.candidates import pool_of
from orchestrator.model.space import PREVIOUS, Context, fidelity_of
from orchestrator.model.trial import Proposal
from orchestrator.planner import repeating
from orchestrator.planner.asking import gain_left, worth
from orchestrator.planner.beliefs import Beliefs
from orchestrator.planner.bending import bent, goals_bent
from orchestrator.planner.buying import Informativeness, waiting, waits_for
from orchestrator.planner.censoring import with_bounds
from orchestrator.planner.diagnosis import Diagnosis
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.flying import awaited, points_in_flight, to_come
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats
from orchestrator.planner.ladder import LadderProcess
from orchestrator.planner.measured import Evidence, evidence
from orchestrator.planner.models import Models, data_of, models
from orchestrator.planner.options import ModelOptions
from orchestrator.planner.possible import Possible
from orchestrator.planner.question import Question, question
from orchestrator.planner.refused import refused, refused_codes
from orchestrator.planner.scalarised import scalarised
from orchestrator.planner.scoring import Scoring
from orchestrator.planner.search import Found, Search
from orchestrator.planner.sources import Informing, informing
from orchestrator.planner.tempering import is_same, surprise, tempered
from orchestrator.planner.walk import cost_after
from orchestrator.planner.weighing import Cheapness, safety
from orchestrator.planner.worth import Weight, Worth
from orchestrator.ports.planner import Belief, History, PlanningTask

__all__ = ["Modelled", "Scoring", "informed_by", "model", "threads"]

N_SPREAD = 64
FAILURE_NOISE = 1e-4
AGAIN = "far better than all others, so measured again before it is believed"
SCATTERING = "measured again, as outcomes may scatter"


@dataclass(frozen=True)
class Modelled:
    """What is known and modelled of one history. The first goal has been measured."""

    task: PlanningTask
    encoding: Encoding
    possible: Possible
    options: ModelOptions
    history: History
    seen: Evidence
    asked: Question
    found: Models

    @property
    def diagnosis(self) -> Diagnosis:
        """What can be said about it."""
        context = self._in_context(self.seen.newest)
        return Diagnosis(self.encoding, self.seen, self.asked, self.found, context)

    def belief(self) -> Belief:
        """What is held for true."""
        return Beliefs(self.encoding, self.possible, self.diagnosis, self.task.seed).all()

    def proposals(self, n: int) -> list[Proposal]:
        """The next `n` points, one after the other, each with those before it in flight.

        Raises:
            PoolExhausted: a pool has none left (fewer than `n`, but some: they are given).
            PlanningError: no point is possible.
        """
        diagnosis = self.diagnosis
        incumbents = diagnosis.centres()
        in_flight, newest = self._in_flight(), self.seen.newest
        chosen: list[Proposal] = []
        for number in range(n):
            seed = _seed(self.task.seed, self.history.n_proposed + number)
            try:
                best = self._best(incumbents, in_flight, newest, seed)
            except PoolExhausted:
                if not chosen:
                    raise
                break
            proposal = diagnosis.proposal(best, self._still_to_gain(best, seed))
            if best.why:
                proposal = proposal.model_copy(
                    update={"why": f"{best.why}; {proposal.why}", "acquisition": None}
                )
            elif waits := self._waits_for(best, in_flight, newest, seed):
                proposal = proposal.model_copy(update={"why": f"{proposal.why}; {waits}"})
            chosen.append(proposal)
            in_flight = np.concatenate([in_flight, best.codes[None, :]])
            newest = best.codes
        return chosen

    def _again(self, in_flight: Floats, newest: Floats) -> Found | None:
        """The best trial once more, where it is too good to be believed after one measurement."""
        row = surprise(self.task, self.encoding, self.seen) if self.options.repeat else None
        if row is None or self.encoding.sole_pool or not self.diagnosis.keeps_limits(row):
            return None
        point = self._today(self.seen.codes[[row]], self._in_context(newest))
        barred = replace(self.possible, refused=refused(self.encoding, self.history))
        # where a point outside of the space would be made, nothing would be measured again
        is_inside = bool(((point >= 0.0) & (point <= 1.0)).all())
        if not (is_inside and barred.holds(point)[0]):
            return None
        if is_same(self.encoding, in_flight, point[0]).any():
            return None
        return Found(point[0], 0.0, AGAIN)

    def ranked(self, n: int) -> list[Proposal]:
        """The up to `n` candidates of a pool that are worth most, the best first, each as if it
        were the next one; of a pool beside other parameters at what these would be next.

        Raises:
            InputError: the space has no pool.
            PoolExhausted: no candidate is left.
            PlanningError: no point is possible.
        """
        pool = pool_of(self.task.space)
        if pool is None:
            raise InputError("the space has no pool, so there are no candidates to rank")
        seed, newest = _seed(self.task.seed, self.history.n_proposed), self.seen.newest
        in_flight, base = self._in_flight(), np.zeros(self.encoding.n_parameters)
        if self.encoding.sole_pool is None:
            base = self._best(self.diagnosis.centres(), in_flight, newest, seed).codes
        value, used = self._worth(in_flight, newest, seed), self._used(in_flight)
        found = self._search(newest, seed).ranked(value, base, used, pool.name, n)
        return [self.diagnosis.proposal(one, None) for one in found]

    def _in_flight(self) -> Floats:
        return points_in_flight(self.seen, self.asked.names[0])

    def _used(self, in_flight: Floats) -> Floats:
        """Codes (m x p) of what is not proposed again where the space is a pool."""
        barred = refused_codes(self.encoding, self.history)
        tried = np.delete(self.seen.codes, list(self.seen.withdrawn), axis=0)
        return np.concatenate([tried, in_flight, barred])

    def _best(self, incumbents: Floats, in_flight: Floats, newest: Floats, seed: int) -> Found:
        other = self._again(in_flight, newest) or self._most_telling(in_flight, newest, seed)
        if other is not None:
            return other
        value, search = self._worth(in_flight, newest, seed), self._search(newest, seed)
        return search.best(value, incumbents, self._used(in_flight))

    def recommended(self) -> int | None:
        """The trial that is thought best of those measured; see `Diagnosis.recommended`."""
        if not self._may_repeat:
            return self.diagnosis.recommended()
        rows = list(self.seen.measured[self.asked.names[0]].rows)
        means = repeating.expected(self._with_any_noise, self.seen.features[rows])
        return self.seen.trials[rows[int(np.argmax(self.asked.aims[0].merit(means)))]]

    @functools.cached_property
    def _with_any_noise(self) -> repeating.Weighed:
        """The first goal's processes with each kind of noise, fitted once for a whole batch."""
        measured = self.seen.measured[self.asked.names[0]]
        data = data_of(self.encoding, self.seen, measured, self.options)
        found = repeating.with_any_noise(data, self.options.kernel)
        return [(w, with_bounds(process, measured.sides)) for w, process in found]

    def _most_telling(self, in_flight: Floats, newest: Floats, seed: int) -> Found | None:
        """The point that tells most of where the best one is, those tried among them, in a small
        finite space; None elsewhere."""
        if not self._may_repeat:
            return None
        rows = list(self.seen.measured[self.asked.names[0]].rows)
        search, features = self._search(newest, seed), self.encoding.features
        tried = search.inside(np.concatenate([self.seen.codes[rows], in_flight]))
        tried, fresh = np.unique(tried, axis=0), search.left(self._used(in_flight))
        is_used_up = self.encoding.sole_pool is not None and not len(fresh)
        if is_used_up or not len(tried):
            return None
        flying = features(awaited(self.seen, self.asked.names[0], in_flight))
        found = [(w, process.expecting(flying)) for w, process in self._with_any_noise]
        sign = self.asked.aims[0].sign
        place, value = repeating.most_telling(found, features(fresh), features(tried), sign)
        why = SCATTERING if place >= len(fresh) else ""
        return Found(np.concatenate([fresh, tried])[place], value, why)

    @property
    def _may_repeat(self) -> bool:
        is_best_alone = len(self.asked.aims) == self.options.top == 1
        is_plain = is_best_alone and not (self.asked.aims[0].is_band or self.seen.blamed)
        may = self.options.repeat and is_plain and repeating.may_repeat(self.task, self.encoding)
        if not may:
            return False
        return self.encoding.sole_pool is None or repeating.is_loud(self._with_any_noise)

    def _worth(self, in_flight: Floats, newest: Floats, seed: int) -> Worth:
        encoding, seen = self.encoding, self.seen
        measured = seen.codes[seen.judged(self.asked.names[0])]
        if encoding.rungs is not None:  # what lower rungs promise is not reached yet
            measured = measured[(measured == encoding.at_highest_fidelity(measured)).all(axis=1)]
        context = self._in_context(newest)
        counts = encoding.with_context(encoding.at_highest_fidelity(in_flight), context)
        return worth(
            encoding,
            self.asked,
            self._with_failures(),
            encoding.features(self._today(measured, context)),
            encoding.features(in_flight),
            (in_flight == counts).all(axis=1),
            to_come(seen, self.asked.names, in_flight),
            self._weights(in_flight, newest, seed),
            draws=self.options.draws,
            top=self.options.top,
            seed=seed,
        )

    def _today(self, codes: Floats, context: Floats) -> Floats:
        """Measured codes (n x p) as they would be in today's context (p), in which they are to be
        beaten; those that are not possible in it, as long as others are, are left out."""
        now = self.encoding.with_context(codes, context)
        moved = (now != codes).any(axis=1)
        kept = now[~moved | self.possible.holds(now)]
        return kept if len(kept) else now

    def _search(self, newest: Floats, seed: int) -> Search:
        context = self._in_context(newest)
        barred = refused(self.encoding, self.history)
        return Search(
            self.encoding,
            replace(self.possible, context=context, refused=barred),
            safety(self.encoding, self.asked, self.found.processes),
            context,
            self.options.raw_samples,
            self.options.restarts,
            seed,
        )

    def _with_failures(self) -> tuple[GaussianProcess, ...]:
        """The processes for the search: at points that failed because of their parameters the goals
        are taken to be no better than average, and to be known. Without that, what is not known
        there draws the search to them again and again [after 'floor padding', Wakabayashi et al.
        2022]. A failure on a lower rung says nothing of the one that counts."""
        processes = list(self.found.processes)
        x = self.seen.features[list(self.seen.blamed)]
        if self.encoding.rungs is not None:
            x = x[self.encoding.rungs.counting(x)]
        if len(x):
            for aim in self.asked.aims:
                process = processes[aim.column]
                y, _ = process.posterior(x)
                average = float(process.y.mean())
                y = np.where(aim.merit(y) > aim.merit(np.array(average)), average, y)
                noise = np.full(len(x), process.hyper.noise + FAILURE_NOISE)
                processes[aim.column] = process.with_outcomes(x, y, noise)
        return tuple(processes)

    def _still_to_gain(self, best: Found, seed: int) -> float | None:
        """How far the best outcome possible is expected to lie beyond that of the best point
        measured [expected minimum simple regret gap, Ishibashi et al. 2023, where any point may be
        the best known one], in the metric's unit, or in decades; with one goal.

        The best possible is sought among points that fill the space, the measured ones and the one
        that is proposed, in draws from the posterior.
        """
        if len(self.task.objective.goals) > 1 or self._is_plateau():
            return None
        measured = self.seen.codes[self.seen.judged(self.asked.names[0])]
        spread = self.possible.spread(N_SPREAD, seed)
        parts = measured, np.concatenate([best.codes[None, :], spread])
        context = self._in_context(self.seen.newest)
        known, others = (
            self.encoding.features(
                self.encoding.at_highest_fidelity(self.encoding.with_context(codes, context))
            )
            for codes in parts
        )
        ends = gain_left(self.asked, self.found.processes, known, others, seed)
        return float(np.ptp(self.seen.measured[self.asked.names[0]].on_scale(np.array(ends))))

    def _is_plateau(self) -> bool:
        """Whether more than half of the points have one and the same outcome and it is not the
        best: a model of a plateau does not know how high what rises from it may be."""
        (aim,) = self.asked.aims
        found = self.seen.measured[self.asked.names[0]]
        _, places = np.unique(self.seen.codes[list(found.rows)], axis=0, return_index=True)
        merit = aim.merit(found.y[places])
        values, counts = np.unique(merit, return_counts=True)
        common = int(np.argmax(counts))
        return bool(2 * counts[common] > len(merit) and values[common] < values[-1])

    def _weights(self, in_flight: Floats, newest: Floats, seed: int) -> tuple[Weight, ...]:
        weights: list[Weight] = [w for w in (self.found.survival, self.found.rising) if w]
        cheap = self._cheapness(newest)
        learnt = self._informativeness(in_flight, newest, seed)
        safe = safety(self.encoding, self.asked, self.found.processes)
        return (*weights, *(w for w in (cheap, learnt, safe) if w is not None))

    def _informativeness(
        self, in_flight: Floats, newest: Floats, seed: int
    ) -> Informativeness | None:
        process, costs = self.found.processes[0], self.found.costs
        if costs is None or not isinstance(process, LadderProcess):
            return None
        refused = tuple(r for r, one in enumerate(self.found.rungs) if not one.buys)
        left = self._left(in_flight, newest, seed)
        waits = waiting(self.found.rungs, costs, left, self._trials_to_spare())
        flying = awaited(self.seen, self.asked.names[0], in_flight)
        process = process.expecting(self.encoding.features(flying))
        return Informativeness(self.encoding, process, costs, refused, waits)

    def _left(self, in_flight: Floats, newest: Floats, seed: int) -> Floats:
        """Features (k x d) of all that may still be tried, where that can be listed."""
        codes = self._search(newest, seed).left(self._used(in_flight))
        return self.encoding.features(codes)

    def _waits_for(self, best: Found, in_flight: Floats, newest: Floats, seed: int) -> str:
        """That dearer trials wait for such as the one chosen, if they do."""
        fidelity, costs = fidelity_of(self.task.space), self.found.costs
        if fidelity is None or costs is None:
            return ""
        left = self._left(in_flight, newest, seed)
        waits = waiting(self.found.rungs, costs, left, self._trials_to_spare())
        here = self.encoding.features(best.codes[None, :])[0]
        return waits_for(fidelity.levels, costs, left, waits, here)

    def _trials_to_spare(self) -> float:
        """How many trials may be made before the last one of the budget."""
        most = self.task.trials
        return math.inf if most is None else most - self.history.n_proposed - 1

    def _cheapness(self, newest: Floats) -> Cheapness | None:
        if not self.task.objective.cost:
            return None
        previous = self.encoding.columns_of(self._in_context(newest)[None, :])
        expression = cost_after(self.task.objective, self.task.space)
        before = {f"{PREVIOUS}.{name}": float(value[0]) for name, value in previous.items()}
        return Cheapness(self.encoding, expression, before)

    def _in_context(self, newest: Floats) -> Floats:
        """Codes (p) of the newest point, with what cannot be chosen as it was measured last."""
        newest = np.array(newest)
        now = self.history.context
        fixed = [p for p in self.encoding.places(Context) if self.task.space.names[p] in now]
        if fixed:
            here = self.encoding.decode(newest[None, :])[0] | now
            newest[fixed] = self.encoding.encode([here])[0][fixed]
        return newest


def model(
    task: PlanningTask,
    informing: Informing,
    possible: Possible,
    options: ModelOptions,
    history: History,
    *,
    is_search: bool = True,
) -> Modelled:
    """Reads a history and fits its models; `informing` comes from `informed_by` and holds for all
    histories of a task. To search with, far worse outcomes are taken as bounds.

    Raises:
        PlanningError: an outcome cannot be used, or a constraint cannot be met.
    """
    encoding = informing.encoding
    as_searched = functools.partial(tempered, task, encoding) if is_search else lambda seen: seen
    seen = evidence(task, encoding, history)
    seen = as_searched(goals_bent(task, encoding, seen, options.kernel, as_searched))
    if is_search:
        seen = bent(task, encoding, seen, options.kernel)
    number = history.n_proposed
    asked, seen = scalarised(question(task, seen), seen, _seed(task.seed, number))
    found = models(informing, seen, asked, options)
    return Modelled(task, encoding, possible, options, history, seen, asked, found)


def informed_by(task: PlanningTask, encoding: Encoding, options: ModelOptions) -> Informing:
    """What sources say, once for all histories. Raises InputError."""
    return informing(task, encoding, options.kernel)


def _seed(seed: int, number: int) -> int:
    digest = hashlib.sha256(f"hagane planner {seed} {number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 2**31


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Pins the threads of numpy's and scipy's linear algebra, and puts back what was there."""
    with threadpool_limits(limits=n, user_api="blas"):
        yield
