"""Materials that people write, as the candidates that they are: settled at the door.

A candidate that is a material may be told in any spelling, and a pool that grows takes any material
that can be described. What reaches the journal is the table's name, or else the canonical form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from orchestrator import plugins
from orchestrator.errors import FileProblems, InputError, Problem
from orchestrator.files.rows import may_spell, no_candidate
from orchestrator.model.campaign import Campaign
from orchestrator.model.space import Pool, SearchSpace, is_open
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
    described, or that a fixed pool does not have."""
    pools = [p for p in space.parameters if isinstance(p, Pool) and may_spell(p)]
    namings: dict[str, Naming] = {}

    def settled(point: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(point)
        for pool in pools:
            word = found.get(pool.name)
            if isinstance(word, str) and word not in pool.names:
                if pool.name not in namings:
                    namings[pool.name] = naming_of(pool)
                naming = namings[pool.name]
                found[pool.name] = (
                    naming.candidate(word) if is_open(pool) else _candidate_of(naming, word)
                )
        return found

    return settled


def _candidate_of(naming: Naming, word: str) -> str:
    """The one candidate of a fixed pool that a material is. Raises InputError."""
    try:
        found = naming.of_material(word)
    except InputError as error:
        if error.hint.startswith("pip install"):
            raise
        found = ()
    if len(found) > 1:
        shown = ", ".join(map(repr, found[:3]))
        message = f"'{word}' is {len(found)} candidates of '{naming.pool.name}': {shown}"
        raise InputError(message, hint="write the name of the one that is meant")
    if not found:
        raise no_candidate(naming.pool, word)
    return found[0]


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
    settle, start, wrong = settling(campaign.space), [], []
    for trial in campaign.start:
        try:
            start.append(trial.model_copy(update={"point": settle(trial.point)}))
        except InputError as error:
            wrong.append((f"{trial.source}: {error}", error.hint))
    if wrong:
        raise InputError("\n".join(message for message, _ in wrong), hint=wrong[-1][1])
    return campaign.model_copy(update={"start": tuple(start)}) if start else campaign
