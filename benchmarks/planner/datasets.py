"""Measured data as problems: finite pools, and a table of choices. numpy only.

The files are not part of the project: they are looked for in `../shared/data/experiments` from the
project's root, or below `$HAGANE_SHARED`. Where they are absent the problem says so.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

SHARED = Path(os.environ.get("HAGANE_SHARED", Path(__file__).parents[3] / "shared"))
FOLDER = SHARED / "data" / "experiments"
TOP_SHARE = 0.05
"""Which share of a pool counts as its best, for the factors of Liang et al. 2021."""


@dataclass(frozen=True)
class Candidates:
    """A finite pool: `rows` describe each of `names`; `losses` are all repeats of each."""

    names: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    losses: tuple[tuple[float, ...], ...]

    def mean(self, name: str) -> float:
        """The mean of a candidate's repeats: what counts as its true loss."""
        return float(np.mean(self.losses[self.names.index(name)]))

    def draw(self, name: str, seed: int) -> float:
        """The one repeat of a candidate that a run of this seed gets to see."""
        number = self.names.index(name)
        repeats = self.losses[number]
        return repeats[int(np.random.default_rng([seed, number]).integers(len(repeats)))]

    @property
    def best(self) -> float:
        """The lowest true loss in the pool."""
        return min(float(np.mean(repeats)) for repeats in self.losses)

    @property
    def top(self) -> float:
        """The true loss that the best `TOP_SHARE` of the pool do not exceed."""
        means = sorted(float(np.mean(repeats)) for repeats in self.losses)
        return means[max(1, round(TOP_SHARE * len(means))) - 1]


def absent(file: str) -> str:
    """Why a data set cannot be used, or ''."""
    return "" if (FOLDER / file).is_file() else f"{file} is not in {FOLDER}"


@cache
def crossed_barrel() -> Candidates:
    """600 printed barrels, three repeats each; toughness is to be made large (Gongora 2020)."""
    return _pool("crossed_barrel.csv", sign=-1.0)


@cache
def agnp() -> Candidates:
    """164 syntheses of silver nanoparticles, 4 to 48 repeats; the spectrum's loss (Mekki 2021)."""
    return _pool("agnp.csv", sign=1.0)


def _pool(file: str, sign: float) -> Candidates:
    with (FOLDER / file).open(newline="") as lines:
        head, *body = csv.reader(lines)
    repeats: dict[tuple[float, ...], list[float]] = {}
    for words in body:
        *row, value = map(float, words)
        repeats.setdefault(tuple(row), []).append(sign * value)
    return Candidates(
        names=tuple(f"c{number}" for number in range(len(repeats))),
        columns=tuple(f"x{number + 1}" for number in range(len(head) - 1)),
        rows=tuple(repeats),
        losses=tuple(map(tuple, repeats.values())),
    )


@cache
def perovskites() -> dict[tuple[str, str, str], float]:
    """192 hybrid perovskites: organic, cation, anion -> computed gap in eV (Kim 2017)."""
    with (FOLDER / "perovskites.csv").open(newline="") as lines:
        return {(a, b, c): float(gap) for a, b, c, gap in csv.reader(lines)}
