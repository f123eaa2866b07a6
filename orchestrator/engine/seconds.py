"""What a trial took, for whoever learns what trials cost."""

from __future__ import annotations

import math

from orchestrator.model.state import DispatchState, State, TrialState

SECONDS = "seconds"
"""The result in which a calculation says what it took when it was computed: CPU time."""


def seconds_of(state: State, trial: TrialState) -> float | None:
    """The seconds that a trial took, all its steps together; None where no step is done.

    A step that says itself what it took (its result `seconds`) is believed: a calculation that was
    found in the cache costs nothing now, but would have. Of any other step it is the campaign time
    from its dispatch to its result, so that a twin on a virtual or scaled clock costs what the
    instrument would take.
    """
    last = (state.dispatches[tickets[-1]] for tickets in trial.attempts.values())
    taken = [_taken(dispatch) for dispatch in last if dispatch.outcome == "done"]
    return math.fsum(taken) if taken else None


def _taken(dispatch: DispatchState) -> float:
    told = dispatch.results.get(SECONDS)
    if isinstance(told, int | float) and math.isfinite(told) and told > 0:
        return float(told)
    ended = dispatch.at if dispatch.ended_at is None else dispatch.ended_at
    return max(0.0, ended - dispatch.at)
