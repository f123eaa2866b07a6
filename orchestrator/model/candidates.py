"""Candidates of a pool as materials, and what is known of the trials that were made of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from orchestrator.model.campaign import Campaign
from orchestrator.model.counts import Counts
from orchestrator.model.rows import Rows
from orchestrator.model.space import Pool, SearchSpace
from orchestrator.model.start import KnownOutcome, KnownTrial
from orchestrator.model.state import State, TrialState


def pool_of(space: SearchSpace) -> Pool | None:
    """The pool whose candidates a campaign is about: one that grows, or else one of described
    materials, or else the first one; None where there is none."""
    pools = [p for p in space.parameters if isinstance(p, Pool)]
    pools.sort(key=lambda p: (p.generation is None, not p.described))
    return pools[0] if pools else None


def material_of(pool: Pool, candidate: str) -> str:
    """The material of a candidate, as its descriptor reads it; '' of a pool without descriptors."""
    if not pool.described:
        return ""
    return pool.words(candidate).get(pool.described[0].material, candidate)


def is_made(pool: Pool, candidate: str) -> bool:
    """Whether a candidate was made by a generator, rather than read from the table."""
    return candidate not in pool.names


def in_a_line(candidate: str) -> str:
    """A candidate as a line shows it: its name; of a crystal that a generator made, whose name is
    an extended XYZ, the elements with how many atoms its cell has, and four letters of its hash.

    >>> in_a_line("CuAu"), in_a_line("12")
    ('CuAu', '12')
    >>> in_a_line('2\\nLattice="..."\\nCu 0 0 0\\nAu 1 1 1\\n')
    'AuCu·9b6d'
    """
    n, _, rest = candidate.partition("\n")
    if not (n.isdigit() and rest):  # a name may be a number
        return candidate
    symbols = [line.split()[0] for line in rest.splitlines()[1:] if line.strip()]
    counts = sorted(Counter(symbols).items())
    formula = "".join(symbol + (str(k) if k > 1 else "") for symbol, k in counts)
    return f"{formula}·{hashlib.sha256(candidate.encode()).hexdigest()[:4]}"


def set_aside_words(space: SearchSpace) -> tuple[str, ...]:
    """One sentence for every pool of whose table rows are no candidates: how many, and the first.

    >>> from orchestrator.model.space import SetAside
    >>> pool = Pool(name="acid", names=("a",), columns=(), units=(), rows=(), source="acids.csv",
    ...             set_aside=(SetAside(line=3, why="'C1CC' is not a molecule"),))
    >>> set_aside_words(SearchSpace(parameters=(pool,)))
    ("acid: 1 row of acids.csv is set aside, line 3: 'C1CC' is not a molecule",)
    """
    said = []
    for pool in space.parameters:
        aside = pool.set_aside if isinstance(pool, Pool) else ()
        if isinstance(pool, Pool) and aside:
            several = f"{len(aside)} rows of {pool.source} are set aside, the first in"
            rows = several if len(aside) > 1 else f"1 row of {pool.source} is set aside,"
            said.append(f"{pool.name}: {rows} {aside[0].where}: {aside[0].why}")
    return tuple(said)


def outcome_words(pool: Pool, metrics: Collection[str]) -> str:
    """That a column of the pool's numbers bears the name of a metric: whether it describes the
    candidates, so that the model is told the answers, or was left out; '' of no such column.

    >>> pool = Pool(name="oil", names=("a",), columns=("carbons", "tb"), units=("", "K"),
    ...             rows=((6.0, 342.0),), source="oils.csv")
    >>> outcome_words(pool, ["tb"])
    "oil: 'tb' of oils.csv describes the candidates and is a metric: the model is told its values"
    """
    told = told_outcomes(pool, metrics)
    if told:
        said = "describes the candidates and is a metric: the model is told its values"
        return f"{pool.name}: '{told[0]}' of {pool.source} {said}"
    left = _bearing(pool.texts, metrics)
    if not pool.columns or not left:
        return ""
    return f"{pool.name}: '{left[0]}' of {pool.source} is a metric, and describes no candidate"


def told_outcomes(pool: Pool, metrics: Collection[str]) -> list[str]:
    """The columns that describe the candidates and bear the name of a metric."""
    return _bearing(pool.columns, metrics)


def _bearing(columns: Iterable[str], names: Collection[str]) -> list[str]:
    return [column for column in columns if column.partition("[")[0].strip() in names]


def told_alike(pool: Pool) -> tuple[tuple[str, ...], ...]:
    """Candidates of which all that describes them is the same, so that they are one to the model:
    the names of each such group.

    >>> alike = Pool(name="acid", names=("d", "l", "x"), columns=("pka",), units=("",),
    ...              rows=((2.1,), (2.1,), (3.0,)))
    >>> told_alike(alike)
    (('d', 'l'),)
    """
    groups: dict[tuple[bytes, ...], list[str]] = {}
    for name, said in zip(pool.names, _told_of_each(pool), strict=True):
        groups.setdefault(said, []).append(name)
    return tuple(tuple(names) for names in groups.values() if len(names) > 1)


def described_again(pool: Pool) -> list[int]:
    """The candidates of counts of fragments, by their places, of which all that describes them is
    what describes an earlier one."""
    if all(said.counts is None for said in pool.described):
        return []
    seen: set[tuple[bytes, ...]] = set()
    again = []
    for row, said in enumerate(_told_of_each(pool)):
        if said in seen:
            again.append(row)
        seen.add(said)
    return again


def _told_of_each(pool: Pool) -> Iterator[tuple[bytes, ...]]:
    parts = tuple(_told(pool))
    for row in range(len(pool.names)):
        yield tuple(part.bytes_of(row) for part in parts)


def _told(pool: Pool) -> Iterator[Counts | Rows]:
    if pool.columns:
        yield pool.rows
    for described in pool.described:
        yield from (part for part in (described.counts, described.rows) if part is not None)


def known_trial(campaign: Campaign, state: State, number: int) -> KnownTrial | None:
    """What is known of a trial by its number; those known before the first one are ..., -2, -1."""
    if number in state.trials:
        return _as_known(campaign, state.trials[number])
    before = (*campaign.start, *(state.opened.start if state.opened else ()))
    return before[number] if -len(before) <= number < 0 else None


def _as_known(campaign: Campaign, trial: TrialState) -> KnownTrial:
    outcomes = {}
    for metric in campaign.metrics:
        seen = trial.observed(metric.name)
        if seen is not None:
            event = seen.event
            outcomes[metric.name] = KnownOutcome(
                value=event.value,
                sd=event.sd,
                n_samples=event.n_samples,
                censored=event.censored,
            )
    return KnownTrial(point=trial.proposal.point, outcomes=outcomes)
