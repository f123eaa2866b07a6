"""The page of the transfer figures, made of the newest line of each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Z_95 = 1.959964
COMMAND = "python -m benchmarks.materials.transfer"


def report(lines: Mapping[str, Mapping[str, Any]]) -> str:
    """Of the rows that there are."""
    makers = {
        "s7": _s7,
        "polymers": _polymers,
        "library": _library,
        "crystals": _crystals,
        "campaign": _campaign,
    }
    parts = ["# Transfer\n\nGains and costs against no transfer: the same Gaussian process without"]
    parts[0] += f" the source.\nMade by `{COMMAND}`; every value is in `transfer.jsonl`.\n"
    for name, make in makers.items():
        if name in lines:
            line = lines[name]
            spent = line.get("cpu_of_draws_s") or line["cpu_s"]
            said = f"\n{spent:.0f} CPU s: `{COMMAND} {name}`.\n"
            parts.append(make(line) + said)
    return "\n".join(parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def _interval(values: Any) -> str:
    mean, half = float(np.mean(values)), _half(values)
    return f"{mean:+.3g} [{mean - half:+.3g}, {mean + half:+.3g}]"


def _half(values: Any) -> float:
    return Z_95 * float(np.std(values, ddof=1)) / float(np.sqrt(len(values)))


def _s7(line: Mapping[str, Any]) -> str:
    cells = {(c["task"], c["n"], c["way"]): c for c in line["cells"]}
    tasks, ways = (list(dict.fromkeys(c[key] for c in line["cells"])) for key in ("task", "way"))
    sizes = sorted({c["n"] for c in line["cells"]})
    rows = []
    for task in tasks:
        for way in ways:
            if (task, sizes[0], way) in cells and way != "no transfer":
                rows.append([task, way, *(_gain(cells, task, n, way) for n in sizes)])
    costs = [
        cells[task, n, "choice"]["rmse"] / cells[task, n, "no transfer"]["rmse"] - 1.0
        for task in line["unrelated"]
        for n in sizes
    ]
    head, plain = ["task", "way", *(f"n = {n}" for n in sizes)], "no transfer"
    text = f"""## Made-up tasks (S7)

Change of the mean RMSE over {line["seeds"]} seeds; in brackets the coverage of 90 % intervals (of
no transfer: the last rows).

"""
    for task in tasks:
        calibrated = [f"({cells[task, n, plain]['coverage']:.2f})" for n in sizes]
        rows.append([task, plain, *calibrated])
    return f"""{text}{_table(head, rows)}
Unrelated sources ({", ".join(line["unrelated"])}): the choice costs {100 * np.mean(costs):+.1f} %
of the RMSE on average, {100 * max(costs):+.1f} % in the worst cell.
"""


def _gain(cells: Mapping[Any, Any], task: str, n: int, way: str) -> str:
    one, plain = cells[task, n, way], cells[task, n, "no transfer"]
    return f"{100 * (one['rmse'] / plain['rmse'] - 1.0):+.0f} % ({one['coverage']:.2f})"


def _campaign(line: Mapping[str, Any]) -> str:
    text = f"""## A campaign that knows of another

Over {line["seeds"]} seeds: gap to the optimum of the best of {line["trials"]} trials in a pool of
{line["pool"]}, four of them at random, by expected improvement; as a share of the pool's standard
deviation; and trials until one of the best percent was tried (of {line["most_trials"]} at most,
else counted as one more). Each with the paired change and its 95 % interval.

"""
    rows = []
    for task, ways in line["gaps"].items():
        for way, gaps in ways.items():
            counts = np.array(line["trials_to_best"][task][way])
            changes = ["", ""]
            if way != "no transfer":
                plain = np.array(line["trials_to_best"][task]["no transfer"])
                changes = [_interval(np.array(gaps) - np.array(ways["no transfer"]))]
                changes.append(_interval(counts - plain))
            mean = [f"{np.mean(gaps):.3f}", changes[0], f"{counts.mean():.2f}", changes[1]]
            rows.append([task, way, *mean])
    return text + _table(["task", "way", "mean gap", "change", "trials", "change"], rows)


def _polymers(line: Mapping[str, Any]) -> str:
    text = f"## Conductivity of polymers from {line['labels']} labels (S2)\n\n"
    text += f"Mean absolute error in W/mK over {line['draws']} paired draws, and the paired change"
    text += " against no transfer with its 95 % interval.\n\n"
    rows = []
    for cut in ("random", "classes"):
        plain = np.array(line[cut]["no transfer"])
        for way, errors in line[cut].items():
            gained = 1.0 - np.mean(errors) / plain.mean()
            change = _interval(np.array(errors) - plain) if way != "no transfer" else ""
            rows.append([cut, way, f"{np.mean(errors):.4f}", f"{100 * gained:.1f} %", change])
    return text + _table(["test set", "way", "MAE", "below no transfer", "change"], rows)


def _library(line: Mapping[str, Any]) -> str:
    text = f"""## A library of {line["sources"]} sources (S5)

Mean RMSE of the choice over that of no transfer, {line["draws"]} draws a cell, {line["nets"]}
networks a source; the second number is the mean weight of no transfer.

"""
    sizes = sorted({cell[1] for cell in line["cells"]})
    rows, ratios = [], []
    for target in dict.fromkeys(cell[0] for cell in line["cells"]):
        row = [target]
        for n in sizes:
            cell = np.array([c[3:6] for c in line["cells"] if c[0] == target and c[1] == n])
            ours, plain, weight = cell.mean(axis=0)
            ratios.append(ours / plain)
            row.append(f"{ours / plain:.3f} ({weight:.2f})")
        rows.append(row)
    better = sum(r < 1.0 for r in ratios)
    text += _table(["target", *(f"n = {n}" for n in sizes)], rows)
    return text + f"\nBetter in {better} of {len(ratios)} cells; the worst is {max(ratios):.3f}.\n"


def _crystals(line: Mapping[str, Any]) -> str:
    plain = np.array(line["splits"]["no transfer"])
    text = f"""## Crystals beyond 100 W/mK (S6)

Learnt from 28 of the {line["low"]} crystals below, asked of the {line["high"]} above: RMSE of log10
and rank correlation, over {len(plain)} splits, with paired changes against no transfer and their
95 % intervals. "choice" is judged by the better half of the known, predicted from the worse. The
crystals above are few and the same in every split, so the intervals are about which crystals are
known, not about other crystals; and that a choice may be judged so was thought of on other splits.

"""
    rows = []
    for way, values in line["splits"].items():
        change = np.array(values) - plain
        mean = np.mean(values, axis=0)
        changes = ["", ""] if way == "no transfer" else [_interval(change[:, i]) for i in (0, 1)]
        rows.append([way, f"{mean[0]:.3f}", changes[0], f"{mean[1]:.2f}", changes[1]])
    text += _table(["way", "RMSE", "change", "rank correlation", "change"], rows)
    text += """
Trials until the best crystal is measured, by expected improvement, with so many below 100 W/mK
known at the start; with none, the first three are drawn at random and counted.

"""
    rows = []
    for start, loops in line["loops"].items():
        sorted_by = np.array(loops["sorted by phase space"])
        for way, trials in loops.items():
            same = way == "sorted by phase space"
            change = "" if same else _interval(np.array(trials) - sorted_by)
            rows.append([start, way, f"{np.mean(trials):.1f}", f"{np.median(trials):.0f}", change])
    return text + _table(["known", "way", "mean", "median", "against sorting"], rows)
