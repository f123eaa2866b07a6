"""One choice of the planner changed at a time: keeps the runs briefly, and makes the table.

    python -m benchmarks.planner.ablations pack lines.jsonl ...     (lines of `run --label NAME`)
    python -m benchmarks.planner.ablations table

Packed, a variant has one line a problem with what it reached on each seed. It is compared, on the
same seeds, with the planner as it is, or with what its line names as `beside`, another variant: how
many times as large the gap is (median of the pairs, and its 95 % bootstrap interval), and in which
share of all pairs it is the smaller one, half of the ties counted (interval: seeds drawn anew).
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.planner.problems import PROBLEMS, TUNED
from benchmarks.planner.run import RESULTS
from benchmarks.planner.steep import STEEP
from benchmarks.planner.worded import WORDED
from benchmarks.record import machine

KEPT = RESULTS / "ablations.jsonl"
NOW = "hagane"
AT = (20, 40)
N_RESAMPLES = 4000
LEAST = 1e-9
MIN_PAIRS = 3
Runs: TypeAlias = dict[str, dict[str, dict[int, tuple[float, ...]]]]
"""Variant, problem, seed: the least gap after each of `AT`."""


def packed(lines: Iterable[Mapping[str, Any]], beside: str = NOW) -> Iterator[dict[str, Any]]:
    """One line for each variant and problem; what was cut short is left out and counted."""
    where = machine()
    del where["load"], where["versions"], where["revision"]
    groups: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for line in lines:
        groups.setdefault((line["planner"], line["problem"]), {})[line["seed"]] = line
    for (variant, problem), runs in groups.items():
        whole = {seed: runs[seed] for seed in sorted(runs) if runs[seed]["error"] is None}
        versions = [line["versions"] for line in whole.values()]
        yield {
            "variant": variant,
            "beside": beside,
            "problem": problem,
            "cut_short": len(runs) - len(whole),
            "seeds": list(whole),
            **{f"best_{n}": [line["best"][n - 1] for line in whole.values()] for n in AT},
            "recommended_40": [line["recommended"].get("40") for line in whole.values()],
            "cpu_s": [round(statistics.median(line["cpu_s"]), 4) for line in whole.values()],
            "load": [line["load"] for line in whole.values()],
            "versions": {k: sorted({v[k] for v in versions}) for k in (versions or [{}])[0]},
            "machine": where,
        }


def read(file: Path, now: Path) -> tuple[Runs, dict[str, str]]:
    """The packed lines and the planner as it is, and what each variant is compared with."""
    found: Runs = {}
    beside: dict[str, str] = {}
    for text in file.read_text().splitlines():
        line = json.loads(text)
        beside[line["variant"]] = line["beside"]
        reached = zip(*(line[f"best_{n}"] for n in AT), strict=True)
        by_seed = dict(zip(line["seeds"], reached, strict=True))
        found.setdefault(line["variant"], {}).setdefault(line["problem"], {}).update(by_seed)
    for text in now.read_text().splitlines():
        line = json.loads(text)
        by_seed = found.setdefault(NOW, {}).setdefault(line["problem"], {})
        by_seed[line["seed"]] = tuple(line["best"][n - 1] for n in AT)
    return found, beside


def ratios(ours: Mapping[int, Sequence[float]], now: Mapping[int, Sequence[float]]) -> Any:
    """log10 of how many times as large the gap is (seeds in common x `AT`)."""
    seeds = sorted(set(ours) & set(now))
    pairs = np.array([[ours[s], now[s]] for s in seeds]).reshape(len(seeds), 2, len(AT))
    logs = np.log10(np.maximum(pairs, LEAST))
    return logs[:, 0] - logs[:, 1]


def factor(logs: Any) -> str:
    """A median of paired ratios, with its interval and the number of pairs."""
    draws = np.random.default_rng(0).integers(len(logs), size=(N_RESAMPLES, len(logs)))
    low, high = np.percentile(np.median(logs[draws], axis=1), [2.5, 97.5])
    middle, low, high = (10.0**v for v in (np.median(logs), low, high))
    return f"{middle:.2g} [{low:.2g}, {high:.2g}] ({len(logs)})"


def share(by_problem: Sequence[Any]) -> str:
    """In which share of pairs the gap is smaller, ties by half, with the interval."""
    wins = [np.where(logs < 0, 1.0, np.where(logs > 0, 0.0, 0.5)) for logs in by_problem]
    rng = np.random.default_rng(0)
    means = [
        np.mean(np.concatenate([w[rng.integers(len(w), size=len(w))] for w in wins]))
        for _ in range(N_RESAMPLES)
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{np.mean(np.concatenate(wins)):.2f} [{low:.2f}, {high:.2f}]"


def table(runs: Runs, beside: Mapping[str, str], problems: Sequence[str]) -> Iterator[str]:
    """Markdown: for each number of trials a row for each variant."""
    for place, n in enumerate(AT):
        yield f"Gap after {n} trials as a multiple of that of what stands beside it"
        yield ""
        yield "| variant | beside | " + " | ".join(problems) + " | smaller in |"
        yield "|---" * (len(problems) + 3) + "|"
        for variant, other in beside.items():
            base = runs.get(other, {})
            logs = {
                p: ratios(runs[variant].get(p, {}), base.get(p, {}))[:, place] for p in problems
            }
            enough = {p: found for p, found in logs.items() if len(found) >= MIN_PAIRS}
            if enough:
                cells = [factor(enough[p]) if p in enough else "" for p in problems]
                row = [variant, other, *cells, share([*enough.values()])]
                yield f"| {' | '.join(row)} |"
        yield ""


def main() -> None:
    """Packs lines, or prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("pack", "table"))
    parser.add_argument("files", type=Path, nargs="*", help="lines to pack")
    parser.add_argument("--kept", type=Path, default=KEPT, help="the packed lines")
    parser.add_argument("--beside", default=NOW, help="what the packed ones are compared with")
    said = parser.parse_args()
    if said.what == "pack":
        lines = [json.loads(text) for file in said.files for text in file.read_text().splitlines()]
        found = [json.dumps(line, separators=(",", ":")) for line in packed(lines, said.beside)]
        said.kept.write_text("".join(line + "\n" for line in found))
        return
    runs, beside = read(said.kept, RESULTS / f"{NOW}.jsonl")
    sets = {
        "tuned": [p for p in PROBLEMS if p in TUNED],
        "untuned": [p for p in PROBLEMS if p not in TUNED],
        "worded": list(WORDED),
        "steep": list(STEEP),
    }
    for title, every in sets.items():
        problems = [p for p in every if any(p in runs[v] for v in runs if v != NOW)]
        if problems:
            print(f"Problems {title}\n")
            print("\n".join(table(runs, beside, problems)))


if __name__ == "__main__":
    main()
