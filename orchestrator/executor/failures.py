"""What a failure leaves behind: nothing, a spoilt sample, or a doubt."""

from __future__ import annotations

from typing import Protocol

from orchestrator.errors import (
    CalculationFailed,
    CalculationFault,
    DeviceAbsent,
    DeviceRefused,
    HaganeError,
    InputError,
    NoReading,
    PortTaken,
    SafetyStop,
    WrongDevice,
)
from orchestrator.model.events import ActionDispatched, ActionFailed
from orchestrator.ports.action import ActionSpec, Effect

KNOWN_ENDS = (
    CalculationFailed,
    CalculationFault,
    DeviceAbsent,
    DeviceRefused,
    InputError,
    NoReading,
    PortTaken,
    SafetyStop,
    WrongDevice,
)
"""After these it is known that the action did not take place, or came to an end."""


_ACTED = (CalculationFailed, NoReading)
"""Among them, those of an action that did take place."""


class Traces(Protocol):
    """What the inner actions of an order came to so far."""

    is_spoiled: bool
    leaves_doubt: bool


def may_have_acted(error: HaganeError, *, was_sent: bool) -> bool:
    """Whether the device may be in the state that the action was to bring it into."""
    return was_sent and (not isinstance(error, KNOWN_ENDS) or isinstance(error, _ACTED))


def failure_of(
    event: ActionDispatched, spec: ActionSpec, error: HaganeError, traces: Traces, *, was_sent: bool
) -> ActionFailed:
    """The event for a failure; updates `traces` when an inner action may have acted."""
    acts = spec.effect in (Effect.QUERYABLE, Effect.IRREVERSIBLE)
    if spec.is_composite:
        doubt, spoiled = traces.leaves_doubt, traces.is_spoiled
    else:
        doubt = was_sent and acts and not isinstance(error, KNOWN_ENDS)
        spoiled = was_sent and spec.effect is Effect.IRREVERSIBLE and isinstance(error, _ACTED)
        traces.is_spoiled = traces.is_spoiled or spoiled
        traces.leaves_doubt = traces.leaves_doubt or doubt
    return ActionFailed(
        ticket=event.ticket,
        error=type(error).__name__,
        sentence=str(error),
        hint=error.hint,
        may_retry=error.may_retry and not spoiled and not doubt,
        blames_parameters=error.blames_parameters,
        leaves_doubt=doubt,
        spoils_sample=spoiled,
        seconds=error.seconds if isinstance(error, CalculationFailed) else None,
    )
