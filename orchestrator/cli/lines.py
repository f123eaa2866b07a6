"""Trials as aligned lines: the same columns while a campaign runs and when it is looked at.

Columns that do not fit the terminal are left out from the right (parameters first), never wrapped.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import in_a_line
from orchestrator.model.said import visible
from orchestrator.model.space import Value
from orchestrator.model.state import TrialState
from orchestrator.model.trial import REPEATS, Proposal
from orchestrator.reports.numbers import number, plain, pretty_unit
from orchestrator.reports.summary import Standing, gain_in_words, metric_order, standing

STYLES = {
    Standing.INFEASIBLE: "dim",
    Standing.OUT_OF_RANGE: "dim",
    Standing.NO_VALUE: "dim",
    Standing.FAILED: "red",
    Standing.IN_FLIGHT: "cyan",
}
MARKS = {
    Standing.FEASIBLE: " ",
    Standing.LOWER_FIDELITY: " ",
    Standing.INFEASIBLE: "-",
    Standing.OUT_OF_RANGE: "-",
    Standing.NO_VALUE: "?",
    Standing.FAILED: "✗",
    Standing.IN_FLIGHT: "…",
}
MOST_DIGITS = 6
WHY_WIDTH = 12
NAME_WIDTH = 16


def say(console: Console, text: str | Text, style: str = "") -> None:
    """Prints one line as it is: no markup, no wrapping; cut on a terminal, whole in a file."""
    line = for_console(console, text, style)
    if console.is_terminal:
        line.truncate(console.width, overflow="ellipsis")
    console.print(line, highlight=False, soft_wrap=True, markup=False)


def tell(console: Console, text: str, style: str = "") -> None:
    """Prints a sentence that must be read whole: wrapped on a terminal, one line in a file."""
    if not console.is_terminal:
        console.print(for_console(console, text, style), highlight=False, soft_wrap=True)
        return
    words = text.lstrip(" ")
    line = for_console(console, words, style)
    console.print(Padding(line, (0, 0, 0, len(text) - len(words))), highlight=False)


def dictate(console: Console, command: str) -> None:
    """Prints a command to be typed or copied: never cut, never broken."""
    console.print(for_console(console, command), highlight=False, soft_wrap=True, markup=False)


def for_console(console: Console, text: str | Text, style: str = "") -> Text:
    """The text in characters that the console can show, and that it does not obey."""
    line = Text(visible(text), style=style) if isinstance(text, str) else text
    if (shown := visible(line.plain)) != line.plain:
        line = Text(shown, style=line.style)
    if (console.encoding or "").lower().startswith("utf"):
        return line
    return Text(plain(line.plain), style=line.style)


def short(value: float, censored: str = "", digits: int = 3) -> str:
    """A number in few characters: `0.408`, `1.07e-3`, `>1`."""
    bound = {"above": ">", "below": "<"}.get(censored, "")
    return bound + plain(number(value, digits))


def telling_digits(low: float, high: float) -> int:
    """How many digits tell values between the two apart: three, or more where they are alike, such
    as total energies."""
    largest, apart = max(abs(low), abs(high)), high - low
    if not 0.0 < apart < largest:
        return 3
    return min(MOST_DIGITS, 3 + int(math.log10(largest / apart)))


def few_words(proposal: Proposal) -> str:
    """Why the point was chosen, in a word or three."""
    if proposal.source in ("initial", "person", "table", "control"):
        return proposal.source
    if proposal.source == "confirm":
        return f"repeats {proposal.notes.get(REPEATS) or 'control'}"
    if proposal.intent == "exploit" and proposal.nearest is not None:
        return f"exploit near {max(proposal.nearest.trial, 0) or 'start'}"
    return proposal.intent


def width_of(console: Console) -> int | None:
    """Columns of a terminal; None for a file or a pipe, which take any line."""
    if not console.is_terminal:
        return None
    return console.width or shutil.get_terminal_size().columns


@dataclass(frozen=True)
class _Column:
    title: str
    unit: str
    width: int
    metric: str = ""
    parameter: str = ""


class TrialLines:
    """Lays trials out in columns for a terminal of `width` columns (None: any).

    Metrics have as many digits as tell them apart in the trials that are `known`, and those that
    had a line.
    """

    def __init__(
        self, campaign: Campaign, width: int | None, known: Iterable[TrialState] = ()
    ) -> None:
        self._campaign = campaign
        self._ends: dict[str, tuple[float, float]] = {}
        self._n = max(5, 2 * len(str(campaign.budget.trials)) + 1)
        columns = [self._metric_column(name) for name in metric_order(campaign)]
        columns += [self._parameter_column(name) for name in campaign.space.names]
        free = 10_000 if width is None else width - self._n - 4 - WHY_WIDTH - 1
        self._columns: list[_Column] = []
        for column in columns:
            free -= column.width + 2
            if free < 0:
                break
            self._columns.append(column)
        for trial in known:
            self._see(trial)

    def header(self) -> list[Text]:
        """Two lines: names, and beneath them their units."""
        names, units = "trial".rjust(self._n) + "  ", " " * (self._n + 2)
        for column in self._columns:
            names += "  " + column.title.rjust(column.width)
            units += "  " + column.unit.rjust(column.width)
        return [Text(names + "  why", style="bold"), Text(units, style="dim")]

    def line(self, trial: TrialState, *, is_best: bool = False) -> Text:
        """One trial. `is_best`: it is the best feasible one so far."""
        self._see(trial)
        kind = standing(self._campaign, trial)
        mark = "★" if is_best else MARKS[kind]
        count = f"{trial.number}/{self._campaign.budget.trials}".rjust(self._n)
        text = f"{count} {mark}"
        if kind is Standing.FAILED:
            cause = f"failed ({trial.cause.value})" if trial.cause else "failed"
            where = f" in {trial.failed_step}" if trial.failed_step else ""
            return Text(f"{text}  {cause}{where}: {trial.sentence}", style="red")
        for column in self._columns:
            cell = self._cell(column, trial)
            text += "  " + " " * (column.width - cell_len(cell)) + cell
        style = "bold green" if is_best else STYLES.get(kind, "")
        text += f"  {few_words(trial.proposal)}"
        gain = trial.proposal.still_to_gain
        if gain is not None and not self._campaign.objective.by_preference:
            text += f", {plain(gain_in_words(self._campaign, gain))} to gain"
        return Text(text, style=style)

    def _cell(self, column: _Column, trial: TrialState) -> str:
        if column.parameter:
            value: Value = trial.proposal.point[column.parameter]
            if isinstance(value, str):
                return _cut(in_a_line(value), column.width)
            return short(value)
        observed = trial.observed(column.metric)
        if observed is None:
            return ""
        digits = telling_digits(*self._ends.get(column.metric, (0.0, 0.0)))
        return short(observed.event.value, observed.event.censored or "", digits)

    def _see(self, trial: TrialState) -> None:
        for column in self._columns:
            observed = trial.observed(column.metric) if column.metric else None
            if observed is not None and math.isfinite(observed.event.value):
                value = observed.event.value
                low, high = self._ends.get(column.metric, (value, value))
                self._ends[column.metric] = min(low, value), max(high, value)

    def _metric_column(self, name: str) -> _Column:
        unit = pretty_unit(self._campaign.metric(name).unit)
        width = max(8, len(name), len(unit))
        return _Column(_cut(name, NAME_WIDTH), unit, min(width, NAME_WIDTH), metric=name)

    def _parameter_column(self, name: str) -> _Column:
        parameter = self._campaign.space[name]
        unit = pretty_unit(getattr(parameter, "unit", ""))
        widest = max([6, len(name), len(unit), *map(len, getattr(parameter, "options", ()))])
        widest = NAME_WIDTH if parameter.kind == "pool" else widest
        width = min(widest, NAME_WIDTH)
        return _Column(_cut(name, width), unit, width, parameter=name)


def _cut(text: str, width: int) -> str:
    """At most so many columns of a terminal, of which a Japanese letter takes two."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"
