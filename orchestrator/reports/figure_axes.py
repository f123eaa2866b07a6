"""Axes of the charts for paper: titles and labels that do not lie on each other."""

from __future__ import annotations

import re
from typing import Any

from orchestrator.reports import charts
from orchestrator.reports.numbers import number

MOST_WORDS = 12
"""More candidates along an axis than these are not named."""
LINE = 24
"""Characters of a title that fit along a small figure, and of a word that stands on end."""
SIDE_BY_SIDE = 24
"""Characters that words may have, all as long as the longest, before they are written upwards."""


def in_lines(title: str) -> str:
    """A title on several lines where it is long, broken after its spaces and underscores."""
    lines = [""]
    for part in re.findall(r"[^ _]*[ _]?", title):
        if len(lines[-1] + part) > LINE and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip(" ") for line in lines)


def label_words(axes: Any, axis: charts.Axis) -> None:
    """Words in their order that do not lie on each other, or none of them."""
    if len(axis.options) > MOST_WORDS:
        axes.set(xticks=[], xlabel=in_lines(f"{axis.name} ({len(axis.options)} of them)"))
    elif axis.options:
        # what stands between dollars is no mathematics
        words = [w if len(w) <= LINE else w[: LINE - 1] + "…" for w in axis.options]
        axes.set_xticks(range(len(words)), [w.replace("$", r"\$") for w in words])
        axes.set_xlim(-0.5, len(words) - 0.5)
        if len(words) * max(map(len, words)) > SIDE_BY_SIDE:
            axes.tick_params(axis="x", labelrotation=90)


def label_log(ticks: Any, axis: charts.Axis) -> None:
    """Labels 1, 2, 5, or 1, 3, where a logarithmic axis has too few powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ticks.set_minor_formatter(NullFormatter())
    if axis.low and axis.high and axis.high / axis.low < 1000:
        subs = (1.0, 2.0, 5.0) if axis.high / axis.low < 30 else (1.0, 3.0)
        ticks.set_major_locator(LogLocator(subs=subs))
        ticks.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def label_narrow(axes: Any) -> None:
    """A few labels where a logarithmic axis has no power of ten: else each of its many small ticks
    has one, and they lie on each other."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if axis.get_scale() == "log" and high / low < 10:
            axis.set_major_locator(MaxNLocator(3))
            axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
            axis.set_minor_formatter(NullFormatter())


def span(axes: Any, axis: charts.Axis) -> None:
    """The whole range of a parameter, wherever in it the trials lie."""
    if axis.low is None or axis.high is None:
        return
    low, high = axes.get_xlim()
    margin = (axis.high / axis.low) ** 0.05 if axis.log else 0.05 * (axis.high - axis.low)
    first, last = (
        (axis.low / margin, axis.high * margin)
        if axis.log
        else (axis.low - margin, axis.high + margin)
    )
    axes.set_xlim(min(low, first), max(high, last))


def over_trials(axes: Any, title: str) -> None:
    """An axis of trials, which are whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.set(xlabel="trial", ylabel=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
