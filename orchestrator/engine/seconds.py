"""What a trial took, for whoever learns what trials cost."""

from __future__ import annotations

import math

from orchestrator.model.state import DispatchState, State, TrialState

SECONDS = "seconds"
"""The result in which a calculation says what it took when it was computed: CPU time."""


def seconds_of(state: State, trial: TrialState) -> float | None:
    """The seconds that a trial took, all its steps and what failed by its parameters; None where
    nothing came to an end.

    A step that says itself what it took (its result `seconds`) is believed: a calculation that was
    found in the cache costs nothing now, but would have. Of any other step it is the campaign time
    from its dispatch to its result, so that a twin on a virtual or scaled clock costs what the
    instrument would take.
    """
    taken = [
        _taken(dispatch)
        for tickets in trial.attempts.values()
        for ticket in tickets
        if (dispatch := state.dispatches[ticket]).outcome == "done" or _has_failed(dispatch)
    ]
    return math.fsum(taken) if taken else None


def _has_failed(dispatch: DispatchState) -> bool:
    """Whether what it was given is to blame: what a machine did to it says nothing of the next."""
    failure = dispatch.failure
    return dispatch.outcome == "failed" and failure is not None and failure.blames_parameters


def _taken(dispatch: DispatchState) -> float:
    failure = dispatch.failure
    told = dispatch.results.get(SECONDS) if failure is None else failure.seconds
    if isinstance(told, int | float) and math.isfinite(told) and told > 0:
        return float(told)
    ended = dispatch.at if dispatch.ended_at is None else dispatch.ended_at
    return max(0.0, ended - dispatch.at)
