"""Measured data as problems: finite pools, and a table of choices. numpy only.

The files are not part of the project: they are looked for in `../shared/data/experiments` from the
project's root, or below `$HAGANE_SHARED`; those that are held out come in the package `olymp`,
which `python -m benchmarks.planner.run --install` puts beside the peers' environments. Where they
are absent the problem says so.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

SHARED = Path(os.environ.get("HAGANE_SHARED", Path(__file__).parents[3] / "shared"))
FOLDER = SHARED / "data" / "experiments"
OLYMPUS = Path(__file__).parents[2] / ".venv-peers-planner" / "olymp" / "olympus" / "datasets"
"""The data sets of Olympus [Häse et al. 2021, doi:10.1088/2632-2153/abedc8], MIT licence."""
HELD = {
    "alkox": -1.0,
    "benzylation": 1.0,
    "colors_bob": 1.0,
    "colors_n9": 1.0,
    "fullerenes": -1.0,
    "hplc": -1.0,
    "photo_pce10": 1.0,
    "photo_wf3": 1.0,
    "snar": 1.0,
    "suzuki": -1.0,
}
"""Those that were never looked at while choices of our planner were made, and the sign with which
their goal is one to be made small."""
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


def absent_held(name: str) -> str:
    """The same of one that is held out."""
    is_there = (OLYMPUS / f"dataset_{name}" / "data.csv").is_file()
    return "" if is_there else f"the package olymp is not in {OLYMPUS.parents[1]}: see --install"


@cache
def held(name: str) -> Candidates:
    """A measured table of Olympus as a pool: 66 to 1,386 experiments, some of them repeated."""
    folder = OLYMPUS / f"dataset_{name}"
    said = json.loads((folder / "config.json").read_text())["parameters"]
    with (folder / "data.csv").open(newline="") as lines:
        return _candidates([one["name"] for one in said], list(csv.reader(lines)), HELD[name])


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
    return _candidates([f"x{number + 1}" for number in range(len(head) - 1)], body, sign)


def _candidates(columns: Sequence[str], body: Sequence[Sequence[str]], sign: float) -> Candidates:
    repeats: dict[tuple[float, ...], list[float]] = {}
    for words in body:
        *row, value = map(float, words)
        repeats.setdefault(tuple(row), []).append(sign * value)
    return Candidates(
        names=tuple(f"c{number}" for number in range(len(repeats))),
        columns=tuple(columns),
        rows=tuple(repeats),
        losses=tuple(map(tuple, repeats.values())),
    )


@cache
def perovskites() -> dict[tuple[str, str, str], float]:
    """192 hybrid perovskites: organic, cation, anion -> computed gap in eV (Kim 2017)."""
    with (FOLDER / "perovskites.csv").open(newline="") as lines:
        return {(a, b, c): float(gap) for a, b, c, gap in csv.reader(lines)}
