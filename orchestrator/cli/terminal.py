"""Everything that a terminal shows: progress of a run, trials, events, doubts, timelines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from rich.console import Console
from rich.text import Text

from orchestrator.cli.lines import TrialLines, dictate, say, tell, width_of
from orchestrator.cli.progress import Progress
from orchestrator.model import events as ev
from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import set_aside_words
from orchestrator.model.state import DispatchState, State
from orchestrator.model.trial import TrialStatus
from orchestrator.ports.action import ActionSpec
from orchestrator.ports.journal import CampaignRow
from orchestrator.reports.numbers import duration, moment, pretty_unit
from orchestrator.reports.summary import (
    MOST_OF_FRONT,
    best_trial,
    best_trials,
    elapsed,
    known_before,
    planned,
    shown_goals,
    shown_point,
    stopped,
    summary,
    waits_in_words,
    wanted,
)
from orchestrator.reports.timeline import Bar, Lane, timeline

__all__ = [
    "NOT_LOOKED_INTO",
    "Progress",
    "known_of",
    "print_campaigns",
    "print_doubts",
    "print_events",
    "print_state",
    "print_timeline",
    "print_trials",
]

LONG_TEXTS = {"kind", "campaign_text", "lab_text", "declarations", "arguments_hash"}
FIRST_FACTS = ("trial", "step", "resource", "action", "metric", "value", "unit")
MOST_WAITING = 6
"""Of more trials that wait for a person the commands are not told, but their numbers."""
NOT_LOOKED_INTO = "not looked into yet: the next `hagane run` will ask"
EPOCH_SECONDS = 1e8
"""Campaign times above this are seconds since the epoch: the campaign ran on the wall clock."""


def print_trials(campaign: Campaign, state: State, console: Console) -> None:
    """One line per trial."""
    if not state.trials:
        say(console, "no trial was proposed yet")
        return
    lines = TrialLines(campaign, width_of(console), state.trials.values())
    best = {trial.number for trial in best_trials(campaign, state)}
    for header in lines.header():
        say(console, header)
    for number_, trial in sorted(state.trials.items()):
        say(console, lines.line(trial, is_best=number_ in best))
    if campaign.objective.constraints or len(campaign.objective.goals) > 1:
        say(console, "★ best   - not feasible   ✗ failed   … in flight", style="dim")


def print_events(recorded: Iterable[ev.Recorded], console: Console) -> None:
    """One line per event: number, time, kind, facts."""
    for entry in recorded:
        facts = entry.event.model_dump(exclude=LONG_TEXTS, exclude_defaults=True)
        if isinstance(entry.event, ev.TrialProposed):
            proposal = entry.event.proposal
            facts |= {"proposal": proposal.point, "why": proposal.why}
        order = [n for n in FIRST_FACTS if n in facts] + [n for n in facts if n not in FIRST_FACTS]
        text = " ".join(f"{name}={_fact(facts[name])}" for name in order)
        line = Text(f"{entry.seq:>6}  {_time(entry)}  ")
        line.append(entry.event.kind, style="bold")
        line.append("  " + text)
        say(console, line)


def print_state(
    campaign: Campaign,
    state: State,
    console: Console,
    *,
    is_held: bool = True,
    is_stopped: bool = False,
) -> None:
    """Where a campaign stands: answer first, then what is going on and what it waits for.
    `is_held`: an engine is at work on it; `is_stopped`: but its process stands still."""
    glance = summary(campaign, state)
    say(console, campaign.name, style="bold")
    if campaign.goal:
        tell(console, campaign.goal)
    say(console, "")
    tell(console, glance.headline, style="bold green" if glance.feasible else "")
    best = best_trial(campaign, state)
    if best is not None:
        tell(console, f"  at {shown_point(campaign, best)}")
    front = best_trials(campaign, state) if best is None else ()
    for trial in front[:MOST_OF_FRONT]:
        tell(console, f"  trial {trial.number}: {shown_goals(campaign, trial)}")
    if (more := len(front) - MOST_OF_FRONT) > 0:
        tell(console, f"  and {more} more, which `hagane trials` marks")
    if glance.confirmed:
        tell(console, f"  {glance.confirmed}", style="bold green")
    tell(console, f"  wanted: {wanted(campaign)}")
    counts = f"{glance.n_done} measured, {glance.n_failed} failed, {glance.n_in_flight} in flight"
    facts = [
        ("status", _status(state, is_held=is_held) + STANDS_STILL * is_stopped),
        ("trials", f"{counts}; budget {planned(campaign)}"),
        ("campaign time", elapsed(glance)),
        *([("known before", known)] if (known := known_before(campaign, state)) else []),
        *([("still to gain", glance.still_to_gain)] if glance.still_to_gain else []),
        ("lab", state.engine.lab_name if state.engine else "none yet"),
        ("events", f"{state.n_events:,}"),
    ]
    for name, value in facts:
        tell(console, f"  {name + ':':<15}{value}")
    for said in set_aside_words(campaign.space):
        tell(console, f"  {said}", style="yellow")
    unlooked = [] if is_held else state.unlooked()
    _print_doing(state, console, unlooked)
    _print_waits(campaign, state, console, is_held=is_held)
    _print_waiting(campaign, state, console, len(unlooked))


STANDS_STILL = "; but its engine is stopped (Ctrl-Z), and watches nothing"

Declared: TypeAlias = Callable[[ev.ActionDispatched], ActionSpec | None]
"""The declaration of an action that was dispatched, where it is known."""


def print_doubts(
    campaign: Campaign,
    state: State,
    console: Console,
    *,
    is_held: bool = True,
    declared: Declared = lambda _: None,
) -> None:
    """Each action in doubt: what is known, and the commands that settle it. Unless an engine is at
    work, those that have no result and were not looked into yet, too."""
    doubts, unlooked = state.doubts(), [] if is_held else state.unlooked()
    if not doubts and not unlooked:
        say(console, "nothing is in doubt")
    if n := len(doubts):
        are = "s are" if n > 1 else " is"
        say(console, f"{n} action{are} in doubt: look, then say what happened")
    for dispatch in doubts:
        action = declared(dispatch.event)
        _print_doubt(state, dispatch, action, console)
        _print_verdicts(campaign, dispatch.event, action, console)
    if n := len(unlooked):
        have = "s have" if n > 1 else " has"
        tell(console, f"{n} action{have} no result, and nobody has looked into it yet")
    for dispatch in unlooked:
        _print_doubt(state, dispatch, declared(dispatch.event), console)


def print_timeline(
    campaign: Campaign, state: State, console: Console, *, inner: bool = False
) -> None:
    """Who did what when, one row per role (and per part of a composite with `inner`)."""
    drawn = timeline(campaign, state, inner=inner)
    if not drawn.bars or drawn.span_s <= 0:
        nothing = "what was done took no time of the campaign"
        say(console, nothing if drawn.bars else "no action was dispatched yet")
        return
    labels = [("  " if lane.part_of else "") + lane.name for lane in drawn.lanes]
    label_width = max(map(len, labels))
    cells = max(20, min(width_of(console) or 100, 140) - label_width - 9)
    for index, (label, lane) in enumerate(zip(labels, drawn.lanes, strict=True)):
        bars = [bar for bar in drawn.bars if bar.lane == index]
        row = Text(label.ljust(label_width) + "  ")
        row.append_text(_cells(bars, lane, drawn.span_s, cells))
        row.append(f" {100 * lane.busy:4.0f} %", style="dim")
        say(console, row)
    scale = "0" + moment(drawn.span_s).rjust(cells - 1)
    say(console, "time".ljust(label_width) + "  " + scale, style="dim")


def print_campaigns(rows: Sequence[CampaignRow], console: Console) -> None:
    """The campaigns of a store, newest last."""
    if not rows:
        say(console, "the store holds no campaign yet; start one: hagane run CAMPAIGN")
        return
    name = max(8, *(len(row.name) for row in rows))
    mark = max(2, *(len(row.id) for row in rows))
    header = f"{'campaign':<{name}}  {'id':<{mark}}  {'events':>8}  {'last event':<16}  running"
    is_narrow = len(header) > (width_of(console) or len(header))
    say(console, "campaigns" if is_narrow else header, style="bold")
    for row in rows:
        last = f"{datetime.fromtimestamp(row.last_event_at):%Y-%m-%d %H:%M}"
        holder = (row.holder or "-") + ", stopped (Ctrl-Z)" * row.is_stopped
        line = f"{row.name:<{name}}  {row.id:<{mark}}  {row.n_events:>8,}  {last:<16}  {holder}"
        if is_narrow:
            facts = f"{row.n_events:,} events, the last {last}; running: {holder}"
            line = f"{row.name}\n  {row.id}\n  {facts}"
        for part in line.split("\n"):
            say(console, part)


def _status(state: State, *, is_held: bool) -> str:
    if state.finished is not None:
        return f"finished: {state.finished.why}"
    if state.paused is not None:
        return f"paused by {state.paused.by}: {state.paused.why}"
    if state.engine_is_up and state.engine is not None:
        gone = "its engine was killed, or could not write its end"
        way_on = "`hagane run` asks what came of that, and goes on"
        return f"running on {state.engine.host}" if is_held else f"{gone}; {way_on}"
    return f"{stopped(state)}; `hagane run` resumes it"


def _print_doing(state: State, console: Console, unlooked: Sequence[DispatchState]) -> None:
    tops = [state.dispatches[t] for t in state.open_tickets]
    for dispatch in tops:
        event = dispatch.event
        if event.parent is not None or dispatch.doubt is not None or dispatch in unlooked:
            continue
        trial = f"trial {event.trial}: " if event.trial is not None else ""
        since = duration(state.last_at - dispatch.at)
        say(console, f"  {'now:':<15}{trial}{event.resource}.{event.action}, {since}")


def _print_waits(campaign: Campaign, state: State, console: Console, *, is_held: bool) -> None:
    for said in waits_in_words(campaign, state, partial(_clock, state)) if is_held else ():
        tell(console, f"  {'waits:':<15}{said}", style="yellow")


def _print_waiting(campaign: Campaign, state: State, console: Console, n_unlooked: int) -> None:
    doubts = f"hagane doubts {shlex.quote(campaign.name)}"
    if n := len(state.doubts()):
        tell(console, f"  {n} in doubt: {doubts}", style="yellow")
    if n := n_unlooked:
        said = f"{n} without a result, not looked into yet"
        tell(console, f"  {said}: {doubts}", style="yellow")
    waiting = [t for t in state.trials.values() if t.status is TrialStatus.AWAITING]
    for trial in waiting[:MOST_WAITING]:
        missing = [m.name for m in campaign.metrics if trial.observed(m.name) is None]
        sample = trial.samples[0] if trial.samples else str(trial.number)
        for metric in missing:
            given = "--value ..." if campaign.metric(metric).reduction is None else "--file ..."
            command = f"hagane observe {shlex.quote(sample)} --metric {metric} {given}"
            dictate(console, f"  trial {trial.number} waits: {command}")
    if more := [str(trial.number) for trial in waiting[MOST_WAITING:]]:
        tell(console, f"  and so wait trials {', '.join(more)}")


def _print_doubt(
    state: State, dispatch: DispatchState, action: ActionSpec | None, console: Console
) -> None:
    event = dispatch.event
    trial = f"trial {event.trial}, " if event.trial is not None else ""
    step = f"step {event.step}, " if event.step else ""
    say(console, "")
    say(console, f"{trial}{step}{event.resource}.{event.action}", style="bold")
    say(console, f"  ticket      {event.ticket}")
    say(console, f"  dispatched  {moment(dispatch.at - state.started_at)} of campaign time")
    say(console, f"  effect      {event.effect}")
    if event.arguments:
        tell(console, f"  with        {_with_units(event, action)}")
    if event.sample:
        source = f", from {event.source}" if event.source else ""
        way = source + (f" to {event.target}" if event.target else "")
        say(console, f"  sample      {event.sample}{way}")
    tell(console, f"  known       {known_of(dispatch)}")


def _with_units(event: ev.ActionDispatched, action: ActionSpec | None) -> str:
    units = {arg.name: arg.unit for arg in action.args} if action is not None else {}
    return ", ".join(
        f"{name} = {_fact(value)} {pretty_unit(units.get(name, ''))}".rstrip()
        for name, value in event.arguments.items()
    )


def known_of(dispatch: DispatchState) -> str:
    """What is known of an action in doubt, or of one that was not looked into yet."""
    if dispatch.doubt is not None:
        return dispatch.doubt.known
    reason = [dispatch.failure.sentence] if dispatch.failure is not None else []
    return "; ".join([*reason, NOT_LOOKED_INTO])


def _print_verdicts(
    campaign: Campaign, event: ev.ActionDispatched, action: ActionSpec | None, console: Console
) -> None:
    needed = _results_needed(campaign, event)
    results = "".join(f" --result {name}=VALUE" for name in needed)
    units = {r.name: pretty_unit(r.unit) for r in (action.results if action else ()) if r.unit}
    given = ", ".join(f"{name} in {units[name]}" for name in needed if name in units)
    place = " --at PLACE" if event.sample else ""
    tail = f" --campaign {shlex.quote(campaign.name)}"
    for case, verdict in (
        (f"it was done ({given})" if given else "it was done", f"done{results}"),
        ("it was not done", "not-done"),
        ("it was done in part, or spoilt", f"failed{place}"),
    ):
        say(console, f"  if {case}:", style="dim")
        dictate(console, f"    hagane resolve {event.ticket} {verdict}{tail}")


def _results_needed(campaign: Campaign, event: ev.ActionDispatched) -> list[str]:
    """The results of this step that the campaign's expressions use."""
    if event.parent is not None or not event.step:
        return []
    texts = [m.expression for m in campaign.metrics]
    texts += [a.expression or "" for step in campaign.recipe for a in step.arguments]
    pattern = rf"(?<![\w.]){re.escape(event.step)}\.([A-Za-z_]\w*)"
    return list(dict.fromkeys(name for text in texts for name in re.findall(pattern, text)))


def _cells(bars: Sequence[Bar], lane: Lane, span_s: float, n: int) -> Text:
    share = [0.0] * n
    style: list[str] = ["blue"] * n
    for bar in bars:
        first = min(n - 1, int(bar.start_s / span_s * n))
        last = min(n - 1, int(bar.end_s / span_s * n))
        for cell in range(first, last + 1):
            low, high = cell * span_s / n, (cell + 1) * span_s / n
            inside = max(0.0, min(bar.end_s, high) - max(bar.start_s, low))
            share[cell] = min(1.0, share[cell] + max(inside / (high - low), 0.01))
            if bar.outcome in ("failed", "doubt"):
                style[cell] = "red" if bar.outcome == "failed" else "magenta"
            elif style[cell] == "blue" and (bar.trial or 0) % 2:
                style[cell] = "cyan"
    text = Text()
    for part, colour in zip(share, style, strict=True):
        block = " " if part == 0 else "░" if part < 0.34 else "▓" if part < 0.67 else "█"
        text.append("x" if colour == "red" else "?" if colour == "magenta" else block, style=colour)
    return text


def _clock(state: State, at: float) -> str:
    """A campaign time: time of day where the campaign runs on the wall clock, else since its start.
    The computer's clock may have been set since then."""
    if at > EPOCH_SECONDS:
        return f"{datetime.fromtimestamp(state.last_wall + at - state.last_at):%H:%M:%S}"
    return moment(at - state.started_at, fine=True)


def _time(entry: ev.Recorded) -> str:
    if entry.at > EPOCH_SECONDS:
        return f"{datetime.fromtimestamp(entry.wall):%Y-%m-%d %H:%M:%S}"
    seconds = int(entry.at)
    days, seconds = divmod(seconds, 86400)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{days} d {clock}" if days else clock.rjust(12)


def _fact(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_fact(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_fact, value)) + "]"
    return repr(value) if isinstance(value, str) and " " in value else str(value)
