"""How to go on after an engine ended, as a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.errors import Exit
from orchestrator.model import events as ev
from orchestrator.model.state import State

IN_DOUBT = "see `hagane doubts`, then `hagane resolve TICKET done|not-done|failed`"
LATCHED = "when the lab is in order: `hagane resume`, then run it again"
ONE_TURN = "put it right, then `hagane resume`: the next turn goes on"


def way_on(paused: ev.Paused, *, one_turn: bool) -> str:
    """After a pause; `one_turn` where nobody runs it again by hand."""
    if paused.about == "doubt":
        return IN_DOUBT
    if paused.about == "latch":
        return LATCHED
    return ONE_TURN if one_turn else "put it right, then run it again"


@dataclass(frozen=True)
class Ending:
    """How a run ended, for the person who started it."""

    exit_code: Exit
    sentence: str
    hint: str = ""


def latched(state: State) -> Ending | None:
    """How a run ends at once: a stop or an interlock is cleared by a person, not by running
    again."""
    paused = state.paused
    if paused is None or paused.about != "latch":
        return None
    code = Exit.SAFETY if paused.is_safety else Exit.PERSON
    return Ending(code, f"the campaign is latched: {paused.why}", LATCHED)


def unsafe_ones(state: State) -> str:
    """What could not be made safe, in words."""
    last = {made.resource: made.ok for _, made in state.made_safe}
    names = ", ".join(name for name, ok in last.items() if not ok)
    return f"could not be made safe: {names or 'not every resource answered'}"


def latching(why: str, by: str, is_safety: bool) -> ev.Paused:
    """A pause that only a person clears."""
    return ev.Paused(why=why, by=by, about="latch", is_safety=is_safety)
