"""Materials that people write, as the candidates that they are: settled at the door.

A pool that grows takes any material that can be described, in any spelling. What reaches the
journal is the table's name for it, or else its canonical form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from orchestrator import plugins
from orchestrator.errors import FileProblems, InputError, Problem
from orchestrator.model.campaign import Campaign
from orchestrator.model.space import Pool, SearchSpace
from orchestrator.model.start import KnownTrial

if TYPE_CHECKING:
    from orchestrator.planner.naming import Naming

Settle: TypeAlias = "Callable[[Mapping[str, Any]], dict[str, Any]]"


def naming_of(pool: Pool) -> Naming:
    """The names of a pool that has a descriptor.

    Raises:
        InputError: a descriptor is not installed here.
    """
    from orchestrator.planner.naming import Naming

    return Naming(pool, [plugins.descriptor(d.descriptor, d.options) for d in pool.described])


def settling(space: SearchSpace) -> Settle:
    """What settles points of a space: it raises InputError for a material that cannot be
    described."""
    pools = [p for p in space.parameters if isinstance(p, Pool) and p.generation is not None]
    namings: dict[str, Naming] = {}

    def settled(point: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(point)
        for pool in pools:
            word = found.get(pool.name)
            if isinstance(word, str) and word not in pool.names:
                if pool.name not in namings:
                    namings[pool.name] = naming_of(pool)
                found[pool.name] = namings[pool.name].candidate(word)
        return found

    return settled


def settled_trials(
    space: SearchSpace, trials: Sequence[tuple[KnownTrial, int]], source: str
) -> list[KnownTrial]:
    """Trials of a table with their lines, settled.

    Raises:
        FileProblems: with every material that cannot be described.
    """
    settle, found, problems = settling(space), [], []
    for trial, line in trials:
        try:
            found.append(trial.model_copy(update={"point": settle(trial.point)}))
        except InputError as error:
            problems.append(Problem(str(error), error.hint, line))
    if problems:
        raise FileProblems(source, problems)
    return found


def with_settled_start(campaign: Campaign) -> Campaign:
    """The campaign with what is known before its first trial settled. Raises InputError."""
    settle, start = settling(campaign.space), []
    for trial in campaign.start:
        try:
            start.append(trial.model_copy(update={"point": settle(trial.point)}))
        except InputError as error:
            raise InputError(f"{trial.source}: {error}", hint=error.hint) from error
    return campaign.model_copy(update={"start": tuple(start)}) if start else campaign
