"""What a person says of an action in doubt, checked before it waits for an engine to read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.engine.requests import check_place, check_stated
from orchestrator.errors import InputError
from orchestrator.files.document import parse_document
from orchestrator.files.table import number
from orchestrator.model.state import State
from orchestrator.ports.journal import Request
from orchestrator.runtime.look import row_of, stored
from orchestrator.runtime.result_units import dispatched_action


def resolution(
    state: State, ticket: str, verdict: str, results: Mapping[str, str], at: str
) -> dict[str, Any]:
    """What goes into the inbox about a ticket in doubt.

    Args:
        state: the campaign's; its lab is the one that it ran on last.
        ticket: of an action in doubt.
        verdict: `done`, `not_done` or `failed`.
        results: of an action that is done, numbers in the units that it declares.
        at: where the sample is now, if it is not where it was to be.

    Raises:
        InputError: the engine would refuse it.
    """
    event = state.dispatches[ticket].event
    stated = {name: _number(name, text) for name, text in results.items()}
    if stated and verdict != "done":
        raise InputError(
            f"an action that is {_word(verdict)} has no results",
            hint="leave --result away, or resolve it as done",
        )
    lab = parse_document(state.engine.lab_text, "lab").root.plain() if state.engine else {}
    if at:
        if not event.sample:
            raise InputError("no sample takes part in this action", hint="leave --at away")
        check_place(at, list(lab.get("positions") or {}))
    declared = dispatched_action(state, event)
    if verdict == "done" and event.parent is None and declared is not None:
        check_stated(event, declared, stated)
    return {"ticket": ticket, "verdict": verdict, "results": stated, "at": at}


def waiting_verdict(where: str | Path | None, name: str | None, ticket: str) -> Request | None:
    """The last verdict on a ticket that no engine has read yet."""
    with stored(where) as store:
        waiting = store.pending_requests(row_of(store, name).id)
    about = [r for r in waiting if r.kind == "resolve" and r.payload.get("ticket") == ticket]
    return about[-1] if about else None


def replaced(waiting: Request, verdict: str, *, is_sure: bool) -> str:
    """That a verdict takes the place of one that waits; '' where both say the same.

    Raises:
        InputError: the action would be done once more by it, and nobody `is_sure`.
    """
    before = str(waiting.payload.get("verdict"))
    results = waiting.payload.get("results") or {}
    said = " ".join([_word(before), *(f"{name}={value:g}" for name, value in results.items())])
    if before != verdict == "not_done" and not is_sure:
        raise InputError(
            f"{waiting.by} has said '{said}' of it, which the next run will take; by 'not-done' "
            "it would be done once more",
            hint="say --yes if that is right",
        )
    is_same = (before, results) == (verdict, {})
    return "" if is_same else f"takes the place of '{said}', which {waiting.by} has said of it"


def _word(verdict: str) -> str:
    return verdict.replace("_", "-")


def _number(name: str, text: str) -> float:
    value = number(text)
    if value is None or not math.isfinite(value):
        raise InputError(
            f"the result '{name}' is '{text}', which is not a finite number",
            hint="give it without its unit, in the one that `hagane resource show KIND` tells",
        )
    return value
