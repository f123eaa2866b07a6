"""Proposals from a model: reads the history, fits, searches, explains."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from threadpoolctl import threadpool_limits

from orchestrator.errors import PoolExhausted
from orchestrator.model.trial import Proposal
from orchestrator.planner.asking import worth
from orchestrator.planner.diagnosis import Diagnosis
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats
from orchestrator.planner.measured import Evidence, evidence
from orchestrator.planner.models import models
from orchestrator.planner.options import ModelOptions
from orchestrator.planner.possible import Possible
from orchestrator.planner.question import question
from orchestrator.planner.search import Search
from orchestrator.ports.planner import History, PlanningTask

N_INCUMBENTS = 4


def propose(
    task: PlanningTask,
    encoding: Encoding,
    possible: Possible,
    options: ModelOptions,
    history: History,
    n: int,
) -> list[Proposal]:
    """The next `n` points, one after the other, each with those before it in flight.

    The first goal has been measured.

    Raises:
        PoolExhausted: a pool has none left (fewer than `n`, but some: they are given).
        PlanningError: an outcome cannot be used, or a constraint cannot be met.
    """
    seen = evidence(task, encoding, history)
    asked = question(task, seen)
    found = models(encoding, seen, asked.names, options)
    diagnosis = Diagnosis(encoding, seen, asked, found)
    incumbents = diagnosis.incumbents(N_INCUMBENTS)
    context = _context(encoding, seen)
    pending, used = seen.pending, np.concatenate([seen.codes, seen.pending_codes])
    proposals: list[Proposal] = []
    for number in range(n):
        seed = _seed(task.seed, history.n_proposed + number)
        value = worth(
            asked,
            found.processes,
            seen.features_of(asked.names[0]),
            pending,
            found.weights,
            draws=options.draws,
            seed=seed,
        )
        search = Search(encoding, possible, context, options.raw_samples, options.restarts, seed)
        try:
            best = search.best(value, incumbents, used)
        except PoolExhausted:
            if not proposals:
                raise
            break
        proposals.append(diagnosis.proposal(best))
        codes = best.codes[None, :]
        pending = np.concatenate([pending, encoding.features(codes)])
        used = np.concatenate([used, codes])
    return proposals


def _context(encoding: Encoding, seen: Evidence) -> Floats:
    """Codes (p) of what cannot be chosen: as in the newest trial."""
    if len(seen.pending_codes):
        return np.asarray(seen.pending_codes[-1])
    return np.asarray(seen.codes[-1]) if len(seen.codes) else np.full(encoding.n_parameters, 0.5)


def _seed(seed: int, number: int) -> int:
    digest = hashlib.sha256(f"hagane planner {seed} {number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 2**31


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Pins the threads of numpy's and scipy's linear algebra, and puts back what was there."""
    with threadpool_limits(limits=n, user_api="blas"):
        yield
