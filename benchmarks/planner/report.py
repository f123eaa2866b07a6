"""What the lines say: medians and bands, and a verdict against each peer on each problem.

    python -m benchmarks.planner.report --out benchmarks/results/planner/REPORT.md

Verdicts are about the median of the paired differences (ours minus the peer's, on the seeds in
common) and its 95 % bootstrap interval. The margin is 5 % of the range (5th to 95th percentile
over seeds) of what random search has found after as many trials.

    tie         the interval lies inside the margin, on both sides of zero
    win         the interval lies below zero (of a win inside the margin: `win, small`)
    loss        the interval lies above zero (inside the margin: `loss, small`)
    unresolved  none of these, or fewer than five seeds in common
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.planner.factors import factor_tables
from benchmarks.planner.peers.play import N_START
from benchmarks.planner.problems import HELD, PROBLEMS, TUNED
from benchmarks.planner.run import PLANNERS, RESULTS

Runs: TypeAlias = Mapping[int, dict[str, Any]]
Lines: TypeAlias = Mapping[str, Mapping[str, Runs]]
"""Planner, problem, seed."""
Score: TypeAlias = Callable[[dict[str, Any], int], "float | None"]

AT = (20, 40)
FAILING = ("failure_circle", "failure_hole", "crash4")
"""Problems with trials that fail, where it is not known beforehand."""
OTHERWISE = ("hagane, padded", "hagane, not squared")
"""Our planner without its classifier of failures, and with its probability as it is."""
MARGIN_SHARE = 0.05
MIN_PAIRS = 5
N_RESAMPLES = 10_000
NOT_RUNS = ("speed", "growth", "ladders", "ablations", "batches", "noisy", "late")
"""Files of lines that are no runs of problems, or of others, or in other ways."""
HOW_COUNTED = "Over these problems (resolved only where every planner named has runs enough):"


@dataclass(frozen=True)
class Verdict:
    """Ours against one peer on one problem."""

    word: str
    median: float
    low: float
    high: float
    pairs: int


def read(folder: Path) -> Lines:
    """Every line under a folder; of two for the same run the later one counts, save that a run of
    the starting kit counts only where there is no other."""
    out: dict[str, dict[str, dict[int, dict[str, Any]]]] = {}
    others = {folder / f"{name}.jsonl" for name in NOT_RUNS}
    for file in sorted(set(folder.glob("*.jsonl")) - others):
        for text in file.read_text().splitlines():
            line = json.loads(text)
            runs = out.setdefault(line["planner"], {}).setdefault(line["problem"], {})
            if "source" not in line or line["seed"] not in runs:
                runs[line["seed"]] = line
    return out


def best_at(line: dict[str, Any], n: int) -> float | None:
    """The least gap after `n` trials; a run that ended early keeps what it had."""
    best = line["best"]
    return float(best[min(n, len(best)) - 1]) if best else None


def recommended_at(line: dict[str, Any], n: int) -> float | None:
    """The gap of the point recommended after `n` trials, None where it was not asked for."""
    gap = line["recommended"].get(str(n))
    return None if gap is None else float(gap)


def scores(runs: Runs, score: Score, n: int) -> dict[int, float]:
    """By seed, without the runs that have none."""
    found = {seed: score(line, n) for seed, line in runs.items()}
    return {seed: value for seed, value in found.items() if value is not None}


def margin(lines: Lines, problem: str, n: int) -> float:
    """How large a difference may be that is called none."""
    values = list(scores(lines["random"][problem], best_at, n).values())
    low, high = np.percentile(values, [5, 95])
    return float(MARGIN_SHARE * (high - low))


def verdict(
    ours: Mapping[int, float],
    theirs: Mapping[int, float],
    slack: float,
    middle: Callable[..., Any] = np.median,
) -> Verdict:
    """Bootstrap of the median paired difference, or of another `middle` (of an axis)."""
    seeds = sorted(set(ours) & set(theirs))
    if not seeds:
        return Verdict("", np.nan, np.nan, np.nan, 0)
    differences = np.array([ours[s] - theirs[s] for s in seeds])
    draws = np.random.default_rng(0).integers(len(seeds), size=(N_RESAMPLES, len(seeds)))
    low, high = np.percentile(middle(differences[draws], axis=1), [2.5, 97.5])
    word = _word(float(low), float(high), slack) if len(seeds) >= MIN_PAIRS else "unresolved"
    return Verdict(word, float(middle(differences)), float(low), float(high), len(seeds))


def _word(low: float, high: float, slack: float) -> str:
    is_inside = low >= -slack and high <= slack
    if high < 0:
        return "win, small" if is_inside else "win"
    if low > 0:
        return "loss, small" if is_inside else "loss"
    return "tie" if is_inside else "unresolved"


def report(lines: Lines, ours: str) -> Iterator[str]:
    """The whole report, in Markdown, line by line."""
    peers = [p for p in PLANNERS if p in lines and p not in ("hagane", ours)]
    yield "# Planners side by side"
    yield ""
    yield from versions(lines, [ours, *peers])
    groups = {
        "tuned": [p for p in PROBLEMS if p in TUNED],
        "untuned": [p for p in PROBLEMS if p not in TUNED],
        "held out": [p for p in HELD if p in lines["random"]],
    }
    for title, problems in groups.items():
        for n in AT:
            yield f"## Problems {title}: gap of the best point tried, after {n} trials"
            yield ""
            yield from _medians(lines, [ours, *peers], problems, best_at, n)
    if ours in lines:
        for name, score in (("best tried", best_at), ("recommended", recommended_at)):
            for title, problems in groups.items():
                for n in AT:
                    yield f"## {ours} against each, problems {title}, {name}, after {n} trials"
                    yield ""
                    yield from _verdicts(lines, ours, peers, problems, score, n)
    yield from failures(lines, [ours, *OTHERWISE, *peers])
    if ours in lines:
        yield from fewer_failures(lines, ours, [*OTHERWISE, *peers])
    yield from factor_tables(lines, [ours, *peers], AT)


def versions(lines: Lines, planners: list[str]) -> Iterator[str]:
    """A line for each planner: how many runs, with which packages, of ours at which commits."""
    for planner in planners:
        runs = [line for by_seed in lines.get(planner, {}).values() for line in by_seed.values()]
        if not runs:
            yield f"- {planner}: no runs"
            continue
        found: dict[str, set[str]] = {}
        for line in runs:
            for package, number in line.get("versions", {}).items():
                found.setdefault(package, set()).add(number)
        revisions = found.pop("revision", set())
        kit = sum(line.get("source") is not None for line in runs)
        cut = sum(line["error"] is not None for line in runs)
        said = ", ".join(f"{k} {' and '.join(sorted(v))}" for k, v in sorted(found.items()))
        counts = f"{len(runs)} runs ({kit} from the starting kit, {cut} cut short)"
        yield f"- {planner}: {counts}; {said}{_revisions(runs, revisions)}"
    yield ""


def _revisions(runs: list[dict[str, Any]], revisions: set[str]) -> str:
    """Each commit that runs were made at, in the order of the lines, and how many they are."""
    if not revisions:
        return ""
    counts = Counter(line.get("versions", {}).get("revision", "not said") for line in runs)
    return "; revisions " + ", ".join(f"{name} ({n} runs)" for name, n in counts.items())


def _medians(
    lines: Lines, planners: list[str], problems: list[str], score: Score, n: int
) -> Iterator[str]:
    yield "| problem | " + " | ".join(planners) + " |"
    yield "|---" * (len(planners) + 1) + "|"
    for problem in problems:
        cells = {}
        for planner in planners:
            values = list(scores(lines.get(planner, {}).get(problem, {}), score, n).values())
            if values:
                cells[planner] = (np.percentile(values, [50, 25, 75]), len(values))
        least = min((c[0][0] for c in cells.values() if c[1] >= MIN_PAIRS), default=None)
        words = [_cell(cells.get(p), least) for p in planners]
        yield f"| {problem} | " + " | ".join(words) + " |"
    yield ""
    yield "Median [quartiles] (seeds); in bold the lowest of those with five seeds or more."
    yield ""


def _cell(found: Any, least: float | None) -> str:
    if found is None:
        return ""
    (median, low, high), n = found
    middle = f"**{median:.2g}**" if n >= MIN_PAIRS and median == least else f"{median:.2g}"
    if n == 1:
        return f"{middle} (1)"
    return f"{middle} [{low:.2g}, {high:.2g}] ({n})"


def failed(line: dict[str, Any], n: int) -> float | None:
    """How many of the trials up to the n-th failed, of those that a planner suggested; None of a
    run that ended earlier."""
    suggested = line["true"][N_START:n]
    return float(sum(t is None for t in suggested)) if len(line["true"]) >= n else None


def failures(lines: Lines, planners: list[str]) -> Iterator[str]:
    """How many suggestions failed where it was not known beforehand which would."""
    n = AT[-1]
    yield f"## Unknown feasibility: failed trials of the {n - N_START} suggested"
    yield ""
    yield from _medians(lines, planners, [p for p in PROBLEMS if p in FAILING], failed, n)


def fewer_failures(lines: Lines, ours: str, peers: list[str]) -> Iterator[str]:
    """Failures beside the gap, ours less the peer's on the seeds in common: fewer failures count
    for something only where no more is lost for them."""
    n = AT[-1]
    yield f"## Fewer failures at equal regret? {ours} less each, of {n - N_START} suggested"
    yield ""
    yield "| problem | against | failed | gap | which is | seeds |"
    yield "|---" * 6 + "|"
    found: dict[str, list[str]] = {}
    for problem in (p for p in PROBLEMS if p in FAILING):
        for peer in peers:
            runs = lines[ours].get(problem, {}), lines.get(peer, {}).get(problem, {})
            failing = verdict(*(scores(of, failed, n) for of in runs), 0.0, np.mean)
            if failing.pairs < MIN_PAIRS:
                continue
            gap = verdict(*(scores(of, best_at, n) for of in runs), margin(lines, problem, n))
            words = _both(failing, gap)
            found.setdefault(words, []).append(f"{peer} on {problem}")
            cells = (problem, peer, _bare(failing), _bare(gap), words, str(gap.pairs))
            yield f"| {' | '.join(cells)} |"
    yield ""
    yield "Failed: mean of the paired differences; gap: median of them; each [95 % interval]."
    yield ""
    yield from (f"- {words}: {', '.join(pairs)}" for words, pairs in sorted(found.items()))
    yield ""


def _both(failing: Verdict, gap: Verdict) -> str:
    many = {"win": "fewer", "loss": "more"}.get(failing.word.partition(",")[0], "not told apart")
    regret = {
        "tie": "equal regret",
        "win, small": "equal regret",
        "loss, small": "equal regret",
        "win": "less regret",
        "loss": "more regret",
    }.get(gap.word, "regret not resolved")
    return f"{many}, {regret}"


def _bare(found: Verdict) -> str:
    return f"{found.median:+.2g} [{found.low:+.2g}, {found.high:+.2g}]"


def _verdicts(
    lines: Lines, ours: str, peers: list[str], problems: list[str], score: Score, n: int
) -> Iterator[str]:
    yield "| problem | margin | " + " | ".join(peers) + " |"
    yield "|---" * (len(peers) + 2) + "|"
    counts: dict[str, int] = {}
    for problem in problems:
        slack = margin(lines, problem, n)
        mine = scores(lines[ours].get(problem, {}), score, n)
        found = [verdict(mine, scores(lines[p].get(problem, {}), score, n), slack) for p in peers]
        words = [_said(v) for v in found]
        yield f"| {problem} | {slack:.2g} | " + " | ".join(words) + " |"
        standing = _standing([v.word for v in found])
        counts[standing] = counts.get(standing, 0) + 1
    yield ""
    yield f"{HOW_COUNTED} " + ", ".join(f"{k} {v}" for k, v in sorted(counts.items())) + "."
    yield ""


def _standing(words: list[str]) -> str:
    """What the verdicts against all peers come to; without a peer's runs nothing is resolved."""
    if "loss" in words:
        return "loses to one"
    if not words or "unresolved" in words or "" in words:
        return "not resolved"
    return "best outright" if all(w.startswith("win") for w in words) else "best or tied"


def _said(found: Verdict) -> str:
    if not found.pairs:
        return ""
    if found.pairs < MIN_PAIRS:
        return f"{found.word} {found.median:+.2g} ({found.pairs})"
    return f"{found.word} {found.median:+.2g} [{found.low:+.2g}, {found.high:+.2g}] ({found.pairs})"


def main() -> None:
    """Reads the lines, writes the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours", default="hagane", help="the planner that is compared")
    parser.add_argument("--lines", type=Path, default=RESULTS, help="folder of JSON lines")
    parser.add_argument("--out", type=Path, help="a Markdown file, instead of the screen")
    arguments = parser.parse_args()
    text = "\n".join(report(read(arguments.lines), arguments.ours)) + "\n"
    if arguments.out:
        arguments.out.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
