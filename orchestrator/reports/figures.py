"""The charts for paper: matplotlib, vector or bitmap, in the size of a journal's column."""

from __future__ import annotations

import contextlib
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import UnknownName
from orchestrator.model.campaign import Campaign
from orchestrator.model.state import State
from orchestrator.reports import charts
from orchestrator.reports.figure_axes import (
    in_lines,
    label_log,
    label_narrow,
    label_words,
    over_trials,
    span,
)
from orchestrator.reports.numbers import titled
from orchestrator.reports.single_page import not_written
from orchestrator.reports.summary import Standing, best_trial
from orchestrator.reports.timeline import timeline
from orchestrator.reports.volume import dominated

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")
BLUE, ORANGE, RED, SKY, GREY, PURPLE = (
    "#0072b2", "#e69f00", "#d55e00", "#56b4e9", "#5b6875", "#cc79a7",
)  # fmt: skip
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.formatter.limits": (-3, 5),
    "axes.formatter.use_mathtext": True,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "svg.hashsalt": "hagane",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "figure.constrained_layout.use": True,
}
FONTS = ("Noto Sans CJK JP", "Noto Sans CJK SC", "IPAexGothic", "IPAGothic", "Hiragino Sans",
         "Yu Gothic", "WenQuanYi Zen Hei", "Droid Sans Fallback")  # fmt: skip
"""Where they are installed, they follow the first one: for words in Japanese and the like."""
MOST_AXES = 24
"""More parameters than these are not drawn."""
GLYPH = re.compile(r"Glyph (\d+) .*missing from")
OUTCOMES: Mapping[str, str] = {
    "failed": RED,
    "doubt": PURPLE,
    "running": "#009e73",
    "not_done": GREY,
}
MARKS: Mapping[Standing, tuple[str, str, str]] = {
    Standing.FEASIBLE: ("o", BLUE, "constraints met"),
    Standing.LOWER_FIDELITY: ("s", GREY, "at a lower fidelity"),
    Standing.INFEASIBLE: ("D", GREY, "constraints not met"),
    Standing.OUT_OF_RANGE: ("^", PURPLE, "out of range (a bound)"),
    Standing.IN_FLIGHT: ("o", SKY, "not complete"),
}


def write_figures(
    campaign: Campaign, state: State, directory: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Draws every chart that has data into `directory`; gives the files written.

    Raises:
        InputError: a format is not known, or the path cannot be written.
        HaganeError: the disk takes nothing.
    """
    import matplotlib as mpl

    for wanted in formats:
        if wanted not in FORMATS:
            raise UnknownName("figure format", wanted, FORMATS)
    drawings: Mapping[str, Callable[[Campaign, State], Figure | None]] = {
        "best_so_far": _course,
        "front": _front,
        "volume": _volume,
        "predicted_measured": _predicted,
        "parameters": _parameters,
        "timeline": _timeline,
        "leave_one_out": _leave_one_out,
        "still_to_gain": _still_to_gain,
    }
    written = []
    style = {**mpl.rcParamsDefault, **STYLE, "font.family": ["DejaVu Sans", *_fonts()]}
    with mpl.rc_context(style), _lacking():
        for name, drawing in drawings.items():
            figure = drawing(campaign, state)
            if figure is not None:
                written += [_save(figure, Path(directory) / f"{name}.{f}") for f in formats]
    return written


def _fonts() -> list[str]:
    """Fonts of this machine for what the first one has no glyph of."""
    from matplotlib import font_manager

    there = set(font_manager.get_font_names())
    return [font for font in FONTS if font in there]


@contextlib.contextmanager
def _lacking() -> Iterator[None]:
    """Says once which characters no font has; matplotlib says so of each, as often as it draws."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield
    found = [(GLYPH.match(str(one.message)), one) for one in said]
    for match, one in found:
        if match is None:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    if missing := dict.fromkeys(chr(int(match[1])) for match, _ in found if match):
        words = f"no font here has {' '.join(missing)}: boxes stand for them in the figures"
        warnings.warn(words, stacklevel=4)


def _save(figure: Figure, path: Path) -> Path:
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix, {})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=300, metadata=metadata)
        figure.set_layout_engine("none")  # laid out once; the other formats keep it
    except OSError as error:
        raise not_written(path, error) from error
    return path


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def _course(campaign: Campaign, state: State) -> Figure | None:
    course = charts.best_so_far(campaign, state)
    if not any(v.value is not None for v in course.values):
        return None
    figure = _figure(3.5, 2.5)
    axes = figure.add_subplot()
    trials = [v.trial for v in course.values]
    best = [float("nan") if b is None else b for b in course.best]
    axes.step(trials, best, where="post", color="black", lw=1, label="best so far")
    _scatter(axes, course.values, trials, bool(campaign.objective.constraints))
    failed = [v.trial for v in course.values if v.standing is Standing.FAILED]
    if failed:
        strip = 0.03 if course.direction == "maximise" else 0.97
        axes.plot(failed, [strip] * len(failed), "x", color=RED, ms=4, label="failed",
                  transform=axes.get_xaxis_transform())  # fmt: skip
    for bound in campaign.objective.goals[0].band if course.direction == "match" else ():
        if math.isfinite(bound):
            axes.axhline(bound, color=GREY, ls="--", lw=0.8)
    over_trials(axes, titled(course.metric, course.unit))
    if course.log:
        axes.set_yscale("log")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _front(campaign: Campaign, state: State) -> Figure | None:
    found = charts.front(campaign, state)
    if found is None or not found.points:
        return None
    figure = _figure(3.2, 3.2)
    axes = figure.add_subplot()
    looks = (
        ("aside", "x", GREY, "failed, or constraints not met"),
        ("other", "o", BLUE, "other trials"),
        ("best", "*", ORANGE, "on the front"),
    )
    for look, marker, colour, label in looks:
        points = [p for p in found.points if p[3] == look]
        if points:
            axes.scatter([p[1] for p in points], [p[2] for p in points],
                         s=60 if look == "best" else 12, marker=marker, color=colour, label=label,
                         lw=0.8 if look == "aside" else None)  # fmt: skip
    (x, y), (x_unit, y_unit) = found.metrics, found.units
    axes.set(xlabel=titled(x, x_unit), ylabel=titled(y, y_unit))
    axes.set_xscale("log" if found.logs[0] else "linear")
    axes.set_yscale("log" if found.logs[1] else "linear")
    label_narrow(axes)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _volume(campaign: Campaign, state: State) -> Figure | None:
    found = dominated(campaign, state)
    if found is None:
        return None
    figure = _figure(3.5, 1.8)
    axes = figure.add_subplot()
    percent = [100.0 * share for share in found.shares]
    axes.step(found.trials, percent, where="post", color="black", lw=1)
    over_trials(axes, "dominated hypervolume [%]")
    axes.set_ylim(0, 100)
    return figure


def _scatter(
    axes: Any, values: Sequence[charts.Value], places: Sequence[Any], constrained: bool
) -> None:
    for kind, (marker, colour, word) in MARKS.items():
        found = [
            (place, v.value)
            for place, v in zip(places, values, strict=True)
            if v.standing is kind and v.value is not None
        ]
        if not found:
            continue
        label = "measured" if kind is Standing.FEASIBLE and not constrained else word
        face = colour if marker == "o" else "none"
        x, y = zip(*found, strict=True)
        axes.scatter(x, y, s=12, marker=marker, color=colour, facecolor=face, lw=0.8, label=label)


def _predicted(campaign: Campaign, state: State) -> Figure | None:
    found = charts.predicted_measured(campaign, state)
    if not found.points:
        return None
    figure = _figure(3.2, 3.2)
    axes = figure.add_subplot()
    for inside, colour in ((True, BLUE), (False, RED)):
        points = [p for p in found.points if p.is_inside is inside]
        measured, mean = [p.measured for p in points], [p.mean for p in points]
        spread = [[p.mean - p.low for p in points], [p.high - p.mean for p in points]]
        axes.errorbar(measured, mean, yerr=spread, fmt="o", color=colour, ms=3, lw=0.7, alpha=0.8)
    ends = [n for p in found.points for n in (p.measured, p.mean)]
    low, high = min(ends), max(ends)
    axes.plot([low, high], [low, high], "--", color=GREY, lw=0.8)
    title = titled(found.metric, found.unit)
    axes.set(xlabel=f"measured {title}", ylabel=f"predicted {title}")
    axes.set_title(f"{found.n_inside} of {len(found.points)} inside the 90 % interval", fontsize=7)
    if found.log:
        axes.set(xscale="log", yscale="log")
        label_narrow(axes)
    return figure


def _parameters(campaign: Campaign, state: State) -> Figure | None:
    found = charts.parameters(campaign, state)
    if not any(v.value is not None for v in found.values) or not found.axes:
        return None
    course = charts.best_so_far(campaign, state)
    best = best_trial(campaign, state)
    shown = found.axes[:MOST_AXES]
    n_columns = min(4, len(shown))
    n_rows = -(-len(shown) // n_columns)
    figure = _figure(1.9 * n_columns + 0.4, 1.9 * n_rows)
    for index, axis in enumerate(shown):
        axes = figure.add_subplot(n_rows, n_columns, index + 1)
        words: dict[float | str, float] = {word: i for i, word in enumerate(axis.options)}
        places = [words.get(row[index], row[index]) for row in found.rows]
        _scatter(axes, found.values, places, constrained=True)
        for value, place in zip(found.values, places, strict=True):
            if best is not None and value.trial == best.number and value.value is not None:
                axes.scatter([place], [value.value], s=60, marker="*", color=ORANGE, zorder=3)
        axes.set_xlabel(in_lines(titled(axis.name, axis.unit)))
        label_words(axes, axis)
        if axis.log:
            axes.set_xscale("log")
            label_log(axes.xaxis, axis)
        span(axes, axis)
        axes.set(yscale="log" if course.log else "linear")
        if index % n_columns == 0:
            axes.set_ylabel(in_lines(titled(course.metric, course.unit)))
        else:
            axes.tick_params(which="both", labelleft=False)
    return figure


def _timeline(campaign: Campaign, state: State) -> Figure | None:
    drawn = timeline(campaign, state)
    if not drawn.bars:
        return None
    figure = _figure(7.0, 0.5 + 0.22 * len(drawn.lanes) + 0.4)
    axes = figure.add_subplot()
    unit, size = _time_unit(drawn.span_s)
    thin = drawn.span_s / 2000
    groups: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for bar in drawn.bars:
        colour = OUTCOMES.get(bar.outcome, SKY if (bar.trial or 0) % 2 else BLUE)
        piece = (bar.start_s / size, max(bar.end_s - bar.start_s, thin) / size)
        groups.setdefault((bar.lane, colour), []).append(piece)
    for (lane, colour), pieces in groups.items():
        height = 0.4 if drawn.lanes[lane].part_of else 0.75
        axes.broken_barh(pieces, (lane - height / 2, height), color=colour, lw=0)
    axes.set_yticks(
        range(len(drawn.lanes)), [("   " if n.part_of else "") + n.name for n in drawn.lanes]
    )
    axes.invert_yaxis()
    axes.set_xlabel(f"campaign time [{unit}]")
    return figure


def _time_unit(span_s: float) -> tuple[str, float]:
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if span_s > 4 * size:
            return unit, size
    return "s", 1.0


def _leave_one_out(campaign: Campaign, state: State) -> Figure | None:
    found = charts.leave_one_out(campaign, state)
    if not found:
        return None
    figure = _figure(3.5, 1.5 * len(found) + 0.4)
    for index, series in enumerate(found):
        axes = figure.add_subplot(len(found), 1, index + 1)
        axes.plot(series.trials, series.errors, ".-", color=PURPLE, lw=0.8, ms=3)
        over_trials(axes, titled("error", series.unit))
        axes.set_title(series.metric, fontsize=7)
        axes.set_ylim(bottom=0)
    return figure


def _still_to_gain(campaign: Campaign, state: State) -> Figure | None:
    found = charts.still_to_gain(campaign, state)
    if found is None:
        return None
    figure = _figure(3.5, 1.8)
    axes = figure.add_subplot()
    axes.plot(found.trials, found.gains, ".-", color=OUTCOMES["running"], lw=0.8, ms=3)
    if found.enough is not None:
        axes.axhline(found.enough, color=GREY, ls="--", lw=0.8)
    over_trials(axes, titled("still to gain", found.unit))
    if found.log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    return figure
