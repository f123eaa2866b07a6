"""The models of a history: one process per metric, and what weighs on the worth beside them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from orchestrator.model.objective import PREFERENCE
from orchestrator.model.space import fidelity_of
from orchestrator.planner.buying import Judged, judged
from orchestrator.planner.censoring import with_bounds
from orchestrator.planner.costs import Costs, costs
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data, default_priors, fit, with_mains
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.generalising import excess
from orchestrator.planner.kernel import Floats
from orchestrator.planner.ladder import LadderProcess
from orchestrator.planner.measured import Evidence, Measured
from orchestrator.planner.options import ModelOptions
from orchestrator.planner.preference import preference
from orchestrator.planner.question import Question
from orchestrator.planner.rising import rising
from orchestrator.planner.sources import Informing
from orchestrator.planner.survival import Survival, survival
from orchestrator.planner.transfer.campaign import informed
from orchestrator.planner.transfer.choosing import Entry


@dataclass(frozen=True)
class Models:
    """Processes in the order of the question's names, the classifier of failures, and, for metrics
    that sources may help, how well they do beside no transfer. In a space with a fidelity, `rungs`
    are those below the one that counts, by the first goal, and `costs` those of all. `rising` is
    where none of several goals is at its floor, if one mostly is."""

    processes: tuple[GaussianProcess, ...]
    survival: Survival | None
    transferred: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    rungs: tuple[Judged, ...] = ()
    costs: Costs | None = None
    rising: Survival | None = None


def models(informing: Informing, seen: Evidence, asked: Question, options: ModelOptions) -> Models:
    """Fits what a history can say, with what sources add to it."""
    encoding = informing.encoding
    transferred: dict[str, tuple[Entry, ...]] = {}
    processes = tuple(
        _process(informing, seen, seen.measured[n], options, transferred, _sign(asked, n))
        for n in asked.names
    )
    found = None
    if seen.blamed:
        good, bad = seen.features[list(seen.survived)], seen.features[list(seen.blamed)]
        found = survival(encoding, good, bad, options.kernel)
    fidelity, first = fidelity_of(encoding.space), processes[0]
    if fidelity is None or not isinstance(first, LadderProcess):
        rises = rising(encoding, seen, asked, options.kernel)
        return Models(processes, found, transferred, rising=rises)
    known = costs(encoding, fidelity, seen)
    failed = seen.features[list(seen.blamed)]
    return Models(processes, found, transferred, judged(first, known, fidelity, failed), known)


def _sign(asked: Question, name: str) -> float | None:
    """Which way a metric is to go; None where it is to have a value, or only to keep a limit."""
    for aim in asked.aims:
        if asked.names[aim.column] == name and aim.goal.direction != "match":
            return aim.sign
    return None


def _process(
    informing: Informing,
    seen: Evidence,
    measured: Measured,
    options: ModelOptions,
    transferred: dict[str, tuple[Entry, ...]],
    sign: float | None,
) -> GaussianProcess:
    """The process of a metric; how its sources did goes into `transferred`. `sign` says whether it
    is to be large (+1) or small (-1)."""
    encoding = informing.encoding
    rows = list(measured.rows)
    if measured.metric.name == PREFERENCE:
        places = {row: i for i, row in enumerate(rows)}
        pairs = [(places[a], places[b]) for a, b in seen.preferences]
        return preference(seen.features[rows], pairs, encoding.layout, options.kernel)
    data = data_of(encoding, seen, measured, options)
    priors = with_mains(
        default_priors(encoding.layout.n_groups, encoding.layout.counted), encoding.layout
    )
    sources = informing.by_metric.get(measured.metric.name, {})
    if sources:
        # the better half of outcomes on several rungs would be that of a rung
        sign = sign if encoding.rungs is None else None
        chosen = informed(data, sources, options.kernel, priors, sign=sign)
        transferred[measured.metric.name] = chosen.entries
        process = chosen.process
    else:
        process = fit(data, options.kernel, priors)
    process = with_bounds(process, measured.sides)
    widens = options.widen and encoding.rungs is None
    return replace(process, excess=excess(process)) if widens else process


def data_of(encoding: Encoding, seen: Evidence, measured: Measured, options: ModelOptions) -> Data:
    """What the process of a metric is fitted to."""
    return Data(
        seen.features[list(measured.rows)],
        measured.y,
        encoding.layout,
        measured.parts.run,
        measured.known,
        _terms(seen, measured, drift=options.drift),
        encoding.rungs,
    )


def _terms(seen: Evidence, measured: Measured, *, drift: bool) -> Floats:
    """What outcomes have beside their points (t x n x n): their block, a slow wandering in time,
    and the scatter of samples where that can be told from the scatter of runs."""
    rows, parts = list(measured.rows), measured.parts
    blocks = [seen.blocks[i] for i in rows]
    terms = []
    if len(set(blocks)) > 1:
        terms.append(parts.blocks(blocks))
    if drift and len(rows) > 1:
        alike = _wandering(seen, rows)
        if (alike < 1.0).any():
            terms.append(alike)
    if parts.tells_samples_apart:
        terms.append(parts.samples())
    return np.stack(terms) if terms else np.zeros((0, len(rows), len(rows)))


def _wandering(seen: Evidence, rows: list[int]) -> Floats:
    """How alike outcomes are in time (n x n) [Ornstein-Uhlenbeck, over a third of the time so far].

    Without any times the order of the trials stands for them, as in a table; those without one
    beside others that have one were known before, and share a level of their own.
    """
    times = [seen.at_s[i] for i in rows]
    if all(t is None for t in times):
        times = [float(seen.trials[i]) for i in rows]
    before = np.array([t is None for t in times])
    at = np.array([0.0 if t is None else t for t in times])
    span = float(np.ptp(at[~before])) or 1.0
    alike = np.exp(-3.0 * np.abs(at[:, None] - at[None, :]) / span)
    apart = before[:, None] != before[None, :]
    return np.where(apart, 0.0, np.where(before[:, None], 1.0, alike))
