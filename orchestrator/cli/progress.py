"""What a running campaign shows: a line per trial as it ends, and beneath them what is going on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from orchestrator.cli.lines import TrialLines, for_console, say, short, tell, width_of
from orchestrator.model import events as ev
from orchestrator.model.campaign import Campaign
from orchestrator.model.state import State
from orchestrator.model.trial import FIDELITY, remarks
from orchestrator.reports.numbers import duration, moment, pretty_unit
from orchestrator.reports.summary import best_trials, losses_of

REFRESH_PER_SECOND = 4


@dataclass(frozen=True)
class _Doing:
    """What a role is doing; `at` is the campaign time of its dispatch."""

    role: str
    what: str
    at: float


@dataclass(frozen=True)
class _Glance:
    """Everything that the status area shows, taken from the state in one go."""

    doing: tuple[_Doing, ...] = ()
    n_ended: int = 0
    n_ended_at_first: int = 0
    best: str = ""
    paused: str = ""
    started_at: float = 0.0
    at: float = 0.0
    wall: float = 0.0
    first_at: float = 0.0
    first_wall: float = 0.0

    @property
    def speed(self) -> float:
        """Campaign seconds per wall second, as observed."""
        span = self.wall - self.first_wall
        return max(0.0, self.at - self.first_at) / span if span > 0 else 1.0

    def left_s(self, n_trials: int) -> float | None:
        """Wall seconds until the budget is used at the pace so far; None before two trials."""
        n_seen = self.n_ended - self.n_ended_at_first
        if n_seen < 2:
            return None
        return (n_trials - self.n_ended) * (self.wall - self.first_wall) / n_seen


class Progress:
    """Shows a run on a console: a live area on a terminal, plain lines elsewhere.

    `now` gives wall time in seconds (as the journal's `wall`). Nothing here touches the state
    between two updates, so that the screen never disturbs the engine.
    """

    def __init__(
        self, campaign: Campaign, console: Console, *, now: Callable[[], float] = time.time
    ) -> None:
        self._campaign = campaign
        self._console = console
        self._now = now
        self._lines = TrialLines(campaign, width_of(console))
        self._glance: _Glance | None = None
        self._best: int | None = None
        self._n_front = 0
        self._live: Live | None = None
        self._told: tuple[str, ...] = ()
        self._steps = {step.name: step for step in campaign.recipe}

    def __enter__(self) -> Progress:
        for line in self._lines.header():
            say(self._console, line)
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(
                get_renderable=self._status,
                console=self._console,
                refresh_per_second=REFRESH_PER_SECOND,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def update(self, recorded: ev.Recorded, state: State) -> None:
        """Takes an event, and the state after it, into account."""
        event = recorded.event
        is_end = isinstance(event, ev.TrialDone | ev.TrialFailed)
        before, was_best = self._glance, self._best
        if before is None or isinstance(event, ev.ObservationInvalidated):
            best = best_trials(self._campaign, state)
            self._best, self._n_front = (best[-1].number if best else None), len(best)
        elif isinstance(event, ev.TrialDone):
            self._compare(state, event.trial)
        if isinstance(event, ev.TrialDone | ev.TrialFailed):
            is_best = event.trial == self._best != was_best
            say(self._console, self._lines.line(state.trials[event.trial], is_best=is_best))
        for said in self._remarks(event):
            tell(self._console, f"      ! {said}", style="yellow")
        if before is None:
            n_ended = sum(t.status.is_terminal for t in state.trials.values())
            before = _Glance(
                n_ended=n_ended - is_end,
                n_ended_at_first=n_ended,
                started_at=state.started_at,
                first_at=recorded.at,
                first_wall=recorded.wall,
            )
        self._glance = replace(
            before,
            doing=self._doing(state),
            n_ended=before.n_ended + is_end,
            best=self._best_words(state),
            paused=state.paused.why if state.paused else "",
            at=recorded.at,
            wall=recorded.wall,
        )

    def _remarks(self, event: ev.Event) -> list[str]:
        """What a person should see at once; what a proposal says again is not said again."""
        if not isinstance(event, ev.TrialProposed):
            return [said] if (said := _remark(event)) else []
        told = {_verdict(said): said for said in remarks(event.proposal.notes)}
        new = [said for verdict, said in told.items() if verdict not in self._told]
        self._told = tuple(told)
        return new

    def _compare(self, state: State, number: int) -> None:
        trial = state.trials[number]
        new = losses_of(self._campaign, trial)
        if new is None or trial.proposal.source == "confirm":
            return
        if len(new) > 1:
            # of several goals the best is the last one to have joined the front
            front = best_trials(self._campaign, state)
            is_better, self._n_front = trial in front, len(front)
        else:
            best = state.trials.get(self._best) if self._best is not None else None
            old = losses_of(self._campaign, best) if best else None
            is_better = old is None or new[0] < old[0]
        if is_better:
            self._best = number

    def _doing(self, state: State) -> tuple[_Doing, ...]:
        found = []
        for ticket in state.open_tickets:
            dispatch = state.dispatches[ticket]
            event = dispatch.event
            if event.parent is not None:
                continue
            step, of = self._steps.get(event.step), state.trials.get(event.trial or 0)
            role = step.role_at(of.proposal.point) if step and of else event.resource
            inner = [state.dispatches[c] for c in dispatch.children[-1:]]
            part = "".join(f" › {i.event.resource}.{i.event.action}" for i in inner if i.is_open)
            trial = f"trial {event.trial}: " if event.trial is not None else ""
            found.append(_Doing(role, f"{trial}{event.action}{part}", dispatch.at))
        return tuple(found)

    def _best_words(self, state: State) -> str:
        metric = self._campaign.objective.metric
        trial = state.trials.get(self._best) if self._best is not None else None
        observed = trial.observed(metric) if trial else None
        if trial is None or observed is None:
            return ""
        if len(self._campaign.objective.goals) > 1:
            return f"{self._n_front} trial{'' if self._n_front == 1 else 's'} on the front"
        unit = pretty_unit(self._campaign.metric(metric).unit)
        value = f"{short(observed.event.value)} {unit}".rstrip()
        return f"best {value} (trial {trial.number})"

    def _status(self) -> Group:
        glance = self._glance or _Glance()
        waited = max(0.0, self._now() - glance.wall) if glance.wall else 0.0
        now_at = glance.at + waited * min(glance.speed, 1e6)
        busy: dict[str, _Doing] = {doing.role: doing for doing in glance.doing}
        roles = dict.fromkeys([*self._campaign.roles, *busy])
        width = max(map(len, roles), default=0)
        lines = [Text("")]
        for role in roles:
            doing = busy.get(role)
            text = f"  {role.ljust(width)}  "
            text += f"{doing.what}, {duration(now_at - doing.at)}" if doing else "idle"
            lines.append(Text(text, style="" if doing else "dim"))
        if glance.paused:
            lines.append(Text(f"  paused: {glance.paused}", style="yellow"))
        lines += self._bar(glance, now_at, waited)
        return Group(*(self._fit(line) for line in lines))

    def _bar(self, glance: _Glance, now_at: float, waited: float) -> list[Text]:
        total = self._campaign.budget.trials
        filled = round(20 * min(1.0, glance.n_ended / total))
        bar = Text("  ")
        bar.append("█" * filled, style="green").append("░" * (20 - filled), style="dim")
        bar.append(
            f"  {glance.n_ended}/{total} trials" + (f", {glance.best}" if glance.best else "")
        )
        times = f"  campaign time {moment(now_at - glance.started_at, fine=True)}"
        left = glance.left_s(total)
        if left is not None and left > 0:
            times += f", about {duration(round(max(0.0, left - waited), -1))} left"
        return [bar, Text(times, style="dim")]

    def _fit(self, line: Text) -> Text:
        line = for_console(self._console, line)
        line.truncate(self._console.width, overflow="ellipsis")
        return line


def _remark(event: ev.Event) -> str:
    """What a person should see at once; empty for the ordinary."""
    match event:
        case ev.Paused() | ev.Resumed() | ev.RequestTaken():
            return _word_of_a_person(event)
        case ev.InterlockFired():
            return f"interlock: {event.rule} ({event.reading})"
        case ev.Doubted():
            return f"in doubt: ticket {event.ticket}: {event.known}"
        case ev.ActionFailed(may_retry=True):
            return f"{event.sentence}; it may be tried again"
        case ev.MadeSafe() | ev.DriverEnded() | ev.GuardianActed():
            return _word_of_safety(event)
        case ev.CalculationAwaited():
            return f"{event.ticket} waits for the same calculation of {event.of}"
        case ev.TrialAwaits():
            return f"trial {event.trial} waits for {', '.join(event.metrics)} (hagane observe)"
        case _:
            return ""


def _word_of_safety(event: ev.MadeSafe | ev.DriverEnded | ev.GuardianActed) -> str:
    match event:
        case ev.MadeSafe():
            return "" if event.ok else f"{event.resource} could not be made safe: {event.note}"
        case ev.DriverEnded():
            return f"{', '.join(event.resources)}: {event.why}"
        case ev.GuardianActed():
            return f"{event.why}: the guardian made safe {', '.join(event.safe) or 'nothing'}"


def _word_of_a_person(event: ev.Paused | ev.Resumed | ev.RequestTaken) -> str:
    match event:
        case ev.Paused():
            return f"paused by {event.by}: {event.why}"
        case ev.Resumed():
            return f"resumed by {event.by}"
        case ev.RequestTaken():
            said = f"the wish '{event.wish}' of {event.by} is refused: {event.refused}"
            return said if event.refused else ""


def _verdict(remark: str) -> str:
    """A remark on rungs without its figures, which change with every result."""
    if not remark.startswith(f"{FIDELITY}: "):
        return remark
    return re.sub(r"(?<=[ (])-?\d[\d.]*(e[+-]?\d+)?(?![\w.])", "", remark)
