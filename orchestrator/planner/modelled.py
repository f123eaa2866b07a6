"""Proposals from a model: reads the history, fits, searches, explains. Needs torch."""

from __future__ import annotations

import numpy as np
import torch

from orchestrator.errors import PoolExhausted
from orchestrator.model.trial import Proposal
from orchestrator.planner.acquisition import goal, worth
from orchestrator.planner.diagnosis import Diagnosis
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import expected_warnings, fit
from orchestrator.planner.measured import evidence
from orchestrator.planner.options import ModelOptions
from orchestrator.planner.search import Search
from orchestrator.ports.planner import History, PlanningTask

N_INCUMBENTS = 4


def propose(
    task: PlanningTask, encoding: Encoding, options: ModelOptions, history: History, n: int
) -> list[Proposal]:
    """The next `n` points, one after the other, each with those before it in flight.

    Draws from torch's global generator, which the caller seeds. The objective has been measured.

    Raises:
        PoolExhausted: a pool has none left (fewer than `n`, but some: they are given).
        PlanningError: an outcome cannot be used, or a constraint cannot be met.
    """
    seen = evidence(task, encoding, history)
    question = goal(task, seen)
    with expected_warnings():
        surrogates = fit(encoding, seen)
        diagnosis = Diagnosis(encoding, seen, question, surrogates)
        incumbents = diagnosis.incumbents(N_INCUMBENTS)
        pending, used = seen.pending, np.concatenate([seen.codes, seen.pending_codes])
        proposals: list[Proposal] = []
        for _ in range(n):
            seed = int(torch.randint(2**31, (1,)).item())
            value = worth(
                question,
                surrogates,
                encoding,
                seen,
                pending,
                mc_samples=options.mc_samples,
                seed=seed,
            )
            search = Search(encoding, options.raw_samples, options.restarts, seed)
            try:
                found = search.best(value, incumbents, used)
            except PoolExhausted:
                if not proposals:
                    raise
                break
            proposals.append(diagnosis.proposal(found))
            codes = found.codes[None, :]
            pending = np.concatenate([pending, encoding.features(codes)])
            used = np.concatenate([used, codes])
    return proposals
