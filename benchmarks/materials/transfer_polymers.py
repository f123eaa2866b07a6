"""Polymers: conductivity from 28 labels, and a library of source networks for four targets."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.materials.polymers import MOLECULES, POLYMERS, Floats, Materials
from benchmarks.materials.polymers import molecules as read_molecules
from benchmarks.materials.polymers import polymers as read_polymers
from benchmarks.record import RESULTS
from orchestrator.planner.transfer.affine import AffineSurrogate, additive, prior_mean
from orchestrator.planner.transfer.bases import ProcessSurrogate, augmented, sources_alone
from orchestrator.planner.transfer.choosing import choose
from orchestrator.planner.transfer.heads import heads
from orchestrator.planner.transfer.library import SourceSet, train
from orchestrator.planner.transfer.surrogate import Surrogate, scale_of

FILES = (POLYMERS, MOLECULES)
N_DRAWS, N_LABELS, N_TEST = 20, 28, 200
TARGET = "thermal conductivity"
TARGETS = (TARGET, "heat capacity", "refractive index", "bulk modulus")
SIZES = (10, 20, 40)
LIBRARY_DRAWS, LIBRARY_TEST, N_NETS = 10, 300, 2
LIBRARY_LINES = RESULTS / "materials" / "transfer_library.jsonl"

Rows = NDArray[np.intp]


def polymers_row() -> dict[str, Any]:
    """Mean absolute errors (W/mK) of each draw: test polymers at random, and whole classes."""
    found = read_polymers()
    cuts = {"random": _at_random, "classes": _whole_classes}
    out: dict[str, Any] = {"draws": N_DRAWS, "labels": N_LABELS}
    for name, cut in cuts.items():
        errors: dict[str, list[float]] = {}
        for seed in range(N_DRAWS):
            random = np.random.default_rng(seed)
            test, rest = cut(found, random)
            for way, error in _errors(found, test, rest, random.permutation(rest)[:N_LABELS]):
                errors.setdefault(way, []).append(round(error, 6))
        out[name] = errors
    return out


def _at_random(found: Materials, random: np.random.Generator) -> tuple[Rows, Rows]:
    order = random.permutation(len(found.y))
    return order[:N_TEST], order[N_TEST:]


def _whole_classes(found: Materials, random: np.random.Generator) -> tuple[Rows, Rows]:
    """Classes in random order, until 150 polymers are left out (never more than 400)."""
    test = np.zeros(0, dtype=np.intp)
    for one in random.permutation(np.unique(found.classes)):
        rows = np.flatnonzero(found.classes == one)
        if len(test) < 150 and len(test) + len(rows) <= 400:
            test = np.concatenate([test, rows])
    return test, np.setdiff1d(np.arange(len(found.y)), test)


def _errors(found: Materials, test: Rows, rest: Rows, labels: Rows) -> list[tuple[str, float]]:
    """Of each way; the sources are learnt from all polymers but those of the test."""
    names = tuple(name for name in found.names if name != TARGET)
    others = found.y[:, [found.names.index(name) for name in names]]
    f = heads(names, found.x[rest], others[rest]).predictions(found.x)
    scale, y, x = scale_of(f[rest]), found.of(TARGET), found.x
    ways: list[Surrogate] = [
        prior_mean(sources=scale),
        AffineSurrogate(sources=scale),
        additive(sources=scale),
        augmented(sources=scale),
        sources_alone(sources=scale),
    ]
    chosen = choose(ProcessSurrogate(), ways, x[labels], y[labels], f[labels])
    entries = [(e.name, fitted) for e, fitted in zip(chosen.entries, chosen.fitted, strict=True)]
    out = [("mean", float(np.abs(y[labels].mean() - y[test]).mean()))]
    for name, fitted in [*entries, ("choice", chosen)]:
        mean, _ = fitted.predict(x[test], f[test])
        out.append((name, float(np.abs(mean - y[test]).mean())))
    return out


def library_row() -> dict[str, Any]:
    """Of each target, size and draw: RMSE of the choice from the library and of no transfer.

    Every draw is kept when it is done, and none is done twice: it may be stopped and gone on with.
    """
    LIBRARY_LINES.parent.mkdir(parents=True, exist_ok=True)
    for draw in range(LIBRARY_DRAWS):
        for number, target in enumerate(TARGETS):
            if (target, draw) in {(line["target"], line["draw"]) for line in _kept()}:
                continue
            start = time.process_time()
            n_sources, cells = _cells(target, np.random.default_rng([draw, number]), draw)
            spent = round(time.process_time() - start, 1)
            line = {"target": target, "draw": draw, "sources": n_sources, "cpu_s": spent}
            with LIBRARY_LINES.open("a") as lines:
                lines.write(json.dumps({**line, "cells": cells}) + "\n")
    return library_so_far()


def library_so_far() -> dict[str, Any]:
    """What there is of the draws that all targets have."""
    kept = _kept()
    draws = [
        draw
        for draw in range(LIBRARY_DRAWS)
        if {line["target"] for line in kept if line["draw"] == draw} == set(TARGETS)
    ]
    kept = [line for line in kept if line["draw"] in draws]
    cells = [[line["target"], c[0], line["draw"], *c[1:]] for line in kept for c in line["cells"]]
    spent = sum(line["cpu_s"] for line in kept)
    found = {"sources": kept[0]["sources"] if kept else 0, "draws": len(draws), "nets": N_NETS}
    return {**found, "cells": cells, "cpu_of_draws_s": round(spent, 1)}


def _kept() -> list[dict[str, Any]]:
    if not LIBRARY_LINES.exists():
        return []
    return [json.loads(line) for line in LIBRARY_LINES.read_text().splitlines()]


def _cells(
    target: str, random: np.random.Generator, draw: int
) -> tuple[int, list[tuple[int, float, float, float]]]:
    """How many sources there are; of each size, both RMSEs and the weight of no transfer."""
    found, others = read_polymers(), read_molecules()
    order = random.permutation(len(found.y))
    test, rest = order[:LIBRARY_TEST], order[LIBRARY_TEST:]
    sources = [
        SourceSet(name, found.x[rest], found.of(name)[rest])
        for name in found.names
        if name != target
    ] + [SourceSet(name, others.x, others.of(name)) for name in others.names]
    library = train(sources, seed=draw, n_nets=N_NETS)
    y, f = found.of(target), library.predictions(found.x[test])
    cells = []
    for n in SIZES:
        labels = random.permutation(rest)[:n]
        chosen = library.choose(ProcessSurrogate(), found.x[labels], y[labels])
        ours, plain = (
            _rmse(fitted.predict(found.x[test], f)[0], y[test])
            for fitted in (chosen, chosen.fitted[0])
        )
        cells.append((n, ours, plain, round(chosen.entries[0].weight, 3)))
    return len(sources), cells


def _rmse(predicted: Floats, y: Floats) -> float:
    return float(np.sqrt(np.mean((predicted - y) ** 2)))
