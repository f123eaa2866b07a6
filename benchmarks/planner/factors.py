"""Enhancement and acceleration in pools, as Liang et al. (npj Comput Mater 7, 188, 2021) have it.

Of the K best candidates of a pool of N (its best 5 %), let a planner have found k after n trials.
Random search finds n K / N of them on average, and needs k (N + 1) / (K + 1) trials on average to
find k. Enhancement is the ratio of the shares found, acceleration the ratio of trials needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.planner.datasets import TOP_SHARE, perovskites
from benchmarks.planner.problems import DATA_FILES, absent, problem


def factor_tables(
    lines: Mapping[str, Any], planners: Sequence[str], at: Sequence[int]
) -> Iterator[str]:
    """Medians over seeds, in Markdown."""
    for name in DATA_FILES:
        if reason := absent(name):
            yield f"Factors for {name} are left out: {reason}."
            yield ""
            continue
        yield f"## {name}: enhancement and acceleration against random search"
        yield ""
        heads = [f"{word} at {n}" for n in at for word in ("enhancement", "acceleration")]
        yield "| planner | " + " | ".join(heads) + " | seeds |"
        yield "|---" * (len(heads) + 2) + "|"
        n_pool, top = pool(name)
        for planner in planners:
            runs = lines.get(planner, {}).get(name, {}).values()
            found = [factors(line["true"], at, n_pool, top) for line in runs if line["true"]]
            if found:
                words = " | ".join(f"{v:.1f}" for v in np.median(found, axis=0))
                yield f"| {planner} | {words} | {len(found)} |"
        yield ""


def pool(name: str) -> tuple[int, float]:
    """The size of a pool, and the gap that its best share does not exceed."""
    question = problem(name)
    if question.candidates is not None:
        return len(question.candidates.names), question.candidates.top - question.optimum
    values = sorted(perovskites().values())
    return len(values), values[round(TOP_SHARE * len(values)) - 1] - question.optimum


def factors(gaps: Sequence[float], at: Sequence[int], n_pool: int, top: float) -> list[float]:
    """Enhancement and acceleration after each number of trials."""
    n_top = max(1, round(TOP_SHARE * n_pool))
    out = []
    for n in at:
        # equal gaps are the same candidate (where they are not, candidates tie)
        k = len({g for g in gaps[:n] if g <= top * (1 + 1e-5)})
        out += [k / n_top * n_pool / n, k * (n_pool + 1) / (n_top + 1) / n]
    return out
