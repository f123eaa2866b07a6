"""The page of a replay: how many experiments a planner needed, beside exact random choice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.reports.numbers import number, titled
from orchestrator.reports.single_page import render, write_text

SCRIPTS = ("echarts.min.js", "charts.js", "replay.js")


def write_replay_report(
    path: Path,
    *,
    title: str,
    quantity: str,
    unit: str,
    wanted: str,
    curves: Sequence[Sequence[float]],
    random_expectation: Sequence[float],
    needed: Mapping[str, Sequence[int | None]],
    facts: Mapping[str, str],
) -> Path:
    """Writes the page.

    `curves` are of `quantity` in `unit`, such as the best value so far, one per seed; a curve that
    ends early keeps its last value. `random_expectation` is the same, expected of so many
    experiments drawn at random without repetition; `wanted` is the goal in words. `needed` has, per
    aim in words, the experiments that each seed needed (None: it did not get there).

    Raises:
        InputError: the file cannot be written.
    """
    data = {
        "title": titled(quantity, unit),
        "course": quartile_course(curves),
        "random": list(random_expectation),
        "needed": [
            {
                "goal": goal,
                "values": [n for n in values if n is not None],
                "median": _middle(values),
            }
            for goal, values in needed.items()
        ],
        "nSeeds": len(curves),
    }
    context = {
        "title": title,
        "quantity": quantity,
        "wanted": wanted,
        "needed": [(goal, needed_words(values)) for goal, values in needed.items()],
        "facts": list(facts.items()),
        "n_seeds": len(curves),
    }
    return write_text(Path(path), render("replay.html", SCRIPTS, data, context))


def quartile_course(curves: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    """Lower quartile, median and upper quartile over the seeds, after 1, 2, ... experiments."""
    filled = [list(curve) for curve in curves if curve]
    length = max(map(len, filled), default=0)
    for curve in filled:
        curve += [curve[-1]] * (length - len(curve))
    parts = [_quartiles([curve[i] for curve in filled]) for i in range(length)]
    low, middle, high = zip(*parts, strict=True) if parts else ((), (), ())
    return {"low": list(low), "median": list(middle), "high": list(high)}


def needed_words(values: Sequence[int | None]) -> str:
    """Median and quartiles in words: `14 experiments (quartiles 11 to 19)`. A seed that did not get
    there needs more than any that did."""
    reached = [n for n in values if n is not None]
    if not reached:
        return "not reached by any seed"
    low, middle, high = _quartiles([math.inf if n is None else n for n in values])
    if math.isinf(middle):
        share = f"{len(reached)} of {len(values)} seeds"
        return f"reached by {share}, first after {min(reached)} experiments"
    upper = "not reached" if math.isinf(high) else number(high, 3)
    words = f"{number(middle, 3)} experiments (quartiles {number(low, 3)} to {upper})"
    n_missed = len(values) - len(reached)
    return words + (f"; {n_missed} of {len(values)} seeds did not reach it" if n_missed else "")


def _middle(values: Sequence[int | None]) -> float | None:
    """The median; None where half of the seeds did not get there, or there are none."""
    middle = _quartiles([math.inf if n is None else n for n in values] or [math.inf])[1]
    return None if math.isinf(middle) else middle


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Between the two values beside them; infinite as soon as one of these is."""
    order = sorted(values)
    found = []
    for share in (0.25, 0.5, 0.75):
        place = share * (len(order) - 1)
        low, high = order[math.floor(place)], order[math.ceil(place)]
        found.append(low if low == high else low + (place % 1.0) * (high - low))
    return found[0], found[1], found[2]
